"""What is made once for the process, also where several threads ask for it first; and the lock of LLVM.

Both have one lock: code is compiled while something is made, and something made while code is linked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.RLock()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def alone() -> Any:
    """To be held while LLVM works, whose target machine and module contexts serve one thread at a time."""
    return _lock


def once(make: Callable[[], T]) -> Callable[[], T]:
    """The function, called once: `functools.cache` lets two threads both make, and one of them lose what it goes on with.

    >>> made = []
    >>> first = once(lambda: made.append(1) or len(made))
    >>> first(), first()
    (1, 1)
    """
    kept: list[T] = []

    @wraps(make)
    def given() -> T:
        if not kept:
            with alone():
                if not kept:
                    kept.append(make())
        return kept[0]

    return given
