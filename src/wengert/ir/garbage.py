"""Python's collector of garbage stands still while a program is made: hardly any of its many objects are garbage.

Each thousand new objects the collector looks through what is young, and now and then through everything that
any imported library holds; that took up to half of the time to trace and compile a long program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """A block in which nothing is looked through (by any thread; a block inside another one changes nothing)."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
