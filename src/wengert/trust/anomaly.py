"""detect_anomaly: raise where a nan or an infinity that reaches a result was born.

A derivative is computed as always. If a result is wrong, the call is replayed, the equation found,
and the user's function run once more with a tripwire: the error is raised while that line runs, so
that a debugger stops there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from wengert.trace.builder import Entry


class Watch(NamedTuple):
    """What counts as an anomaly."""

    nan: bool
    inf: bool

    def bad(self, x: Any) -> Any:
        """Elementwise: is this number an anomaly?"""
        if self.nan and self.inf:
            return ~np.isfinite(x)
        return np.isnan(x) if self.nan else np.isinf(x)


watched: ContextVar[Watch | None] = ContextVar("wengert_anomaly", default=None)


@contextmanager
def detect_anomaly(nan: bool = True, inf: bool = True) -> Iterator[None]:
    """Inside, derivatives that are nan (or infinite) raise NonFiniteError where that was born.

    It holds for the current thread or task. Values that do not reach a result may be anything.

    >>> import numpy as np
    >>> import wengert as wg
    >>> with wg.detect_anomaly():
    ...     wg.grad(np.sqrt)(0.0)
    Traceback (most recent call last):
    wengert.errors.NonFiniteError: ...
    """
    token = watched.set(Watch(nan, inf) if nan or inf else None)
    try:
        yield
    finally:
        watched.reset(token)


class Wired(list[Entry]):
    """The entries of a trace; when the one at `position` is written down, `error` is raised."""

    def __init__(self, position: int, error: Exception) -> None:
        super().__init__()
        self.position, self.error = position, error

    def append(self, entry: Entry) -> None:
        super().append(entry)
        if len(self) == self.position + 1:
            raise self.error
