"""Slopes by central differences: the numbers that derivative rules are held against.

Differences of halved steps are extrapolated to step zero (Richardson), and of all extrapolations
the one is taken whose neighbours agree best. So the answer comes with an estimate of its own error:
what could not be measured is never mistaken for agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

STEP, ROWS = 2.0**-6, 8


def flat(values: Sequence[Any]) -> Any:
    """All inexact values in one vector, in the widest dtype.

    >>> flat([np.float32(1.0), np.array([True]), np.array([2.0, 3.0])])
    array([1., 2., 3.])
    """
    parts = [np.ravel(v) for v in values if np.asarray(v).dtype.kind in "fc"]
    wide = [p.astype(widened(p.dtype)) for p in parts]
    return np.concatenate(wide) if wide else np.zeros(0)


def widened(dtype: Any) -> Any:
    """float64 for floats, complex128 for complex numbers; other dtypes as they are."""
    return np.dtype({"f": np.float64, "c": np.complex128}.get(dtype.kind, dtype))


def wide(value: Any) -> Any:
    """The same number with all the digits that differences need."""
    value = np.asarray(value)
    return value.astype(widened(value.dtype))[()]


def directional(
    f: Callable[..., Any], xs: Sequence[Any], dxs: Sequence[Any], step: float = STEP
) -> tuple[Any, Any]:
    """How the vector `f(*xs)` moves when `xs` move along `dxs`, and the error of that measurement.

    A `None` in `dxs` does not move. `step` is the largest step tried.

    >>> slope, error = directional(lambda x: np.atleast_1d(np.sin(x)), [0.0], [1.0])
    >>> bool(abs(slope[0] - 1) < 1e-12), bool(error[0] < 1e-10)
    (True, True)
    """

    def at(h: float) -> Any:
        return f(*(x if dx is None else x + h * dx for x, dx in zip(xs, dxs, strict=True)))

    before: list[Any] = []
    best: Any = None
    least: Any = None
    with np.errstate(all="ignore"):
        for k in range(ROWS):
            h = step / 2**k
            up, down = at(h), at(-h)
            noise = 2.0**-52 * np.max(np.abs(up) + np.abs(down), initial=0) / h
            row = [(up - down) / (2 * h)]
            for j, earlier in enumerate(before):
                row.append(row[j] + (row[j] - earlier) / (4 ** (j + 1) - 1))
                error = np.maximum(np.abs(row[-1] - row[j]), np.abs(row[-1] - earlier)) + noise
                error = np.where(np.isfinite(error), error, np.inf)
                if best is None:
                    best, least = row[-1], error
                else:
                    best = np.where(error < least, row[-1], best)
                    least = np.minimum(error, least)
            before = row
    return best, least
