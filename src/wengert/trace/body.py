"""Bodies: functions that are traced once, for an equation that may run them often or never.

While such a function is traced, all that happens belongs to it, even what is done to values from
outside alone: a branch that is not taken must not be computed in advance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# the builder of the innermost body that is being traced; it records for all that are older
body: ContextVar[Any] = ContextVar("wengert_body", default=None)


@contextmanager
def inside(builder: Any) -> Iterator[None]:
    """What happens inside is recorded by `builder` (None: by whose values it happens to)."""
    token = body.set(builder)
    try:
        yield
    finally:
        body.reset(token)
