"""detect: which numbers of a result cannot be trusted?

The bounds are run beside the program that computed the result (a gradient's own). A number is suspect
when what it may be off by exceeds the tolerance. What the quick bounds suspect is run once more in a
wider format (trust/wide.py): there, lost exponents come back, and a number that was right after all
is cleared. What is not suspect is right to the tolerance, whatever the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.ir.program import Program
from wengert.ops.radii import Radius
from wengert.trust.bounds import Observer, run
from wengert.trust.wide import widened, wider

_ROOM = 1 + 1e-6  # radii are rounded themselves
_DIGITS = 64  # a number that is known to so many ulps is settled
_SHARE = 0.01  # or to this part of what is tolerated


class Detection(NamedTuple):
    """What was found out about the results, one entry each.

    `suspect`: masks. `bounds`: the relative error that each number may have. `settled`: numbers
    that the wider format knows to the last digits, nan where it does not; None: it was not asked.
    """

    suspect: list[Any]
    bounds: list[Any]
    settled: list[Any]


def detect(
    program: Program, args: Sequence[Any], results: Sequence[Any], tolerated: Callable[[Any], float],
    observer: Observer | None = None,
) -> Detection:  # fmt: skip
    """Look at the `results` of a program at `args`; `tolerated(dtype)` is the relative error allowed.

    Outputs of the program beyond the results are what Python decided by (`if`): where such
    a decision is in doubt, so are all results. The `observer` sees the first run.
    """
    found = run(program, args, observer=observer)
    looks = [
        _look(g, y, r, tolerated) for g, y, r in zip(results, *_ours(found, results), strict=True)
    ]
    doubt = _doubtful(found.radii[len(results) :])
    settled: list[Any] = [None] * len(results)
    narrow = [a for a in args if wider(np.asarray(a).dtype) is not None]
    if (doubt or any(np.any(s) for s, _ in looks)) and narrow:
        again = widened(program, args)
        doubt = doubt and _doubtful(again.radii[len(results) :])
        for n, (g, y, r) in enumerate(zip(results, *_ours(again, results), strict=True)):
            still, bound = _look(g, y, r, tolerated)
            suspect, before = looks[n]
            looks[n] = suspect & still, np.where(suspect, bound, before)
            settled[n] = _settled(g, y, r, tolerated)
    suspects = [np.ones_like(s) if doubt else s for s, _ in looks]
    bounds = [np.full(np.shape(b), np.inf) if doubt else b for _, b in looks]
    return Detection(suspects, bounds, settled)


def _ours(found: Any, results: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    count = len(results)
    return found.values[:count], found.radii[:count]


def _doubtful(radii: Sequence[Radius]) -> bool:
    return any(r is not None and bool(np.any(r != 0)) for r in radii)


def off(result: Any, value: Any, radius: Radius) -> Any:
    """What a result may be off by, when the exact value lies within `radius` of `value`."""
    with np.errstate(all="ignore"):
        apart = np.abs(np.asarray(result).astype(np.asarray(value).dtype) - value)
        return apart if radius is None else (apart + radius) * _ROOM


def _look(
    result: Any, value: Any, radius: Radius, tolerated: Callable[[Any], float]
) -> tuple[Any, Any]:
    """Is it suspect, and its relative error bound."""
    result = np.asarray(result)
    if result.dtype.kind not in "fc":
        mask = np.zeros(result.shape, bool) if radius is None else np.asarray(radius) != 0
        return np.broadcast_to(mask, result.shape), np.where(mask, np.inf, 0.0)
    with np.errstate(all="ignore"):
        error, size = off(result, value, radius), np.abs(result)
        tiny = np.finfo(result.dtype).tiny  # below it, numbers have no digits to lose
        within = (error <= tolerated(result.dtype) * (size - error)) | (size + error < tiny)
        bound = np.where(error == 0, 0, np.where(size > error, error / (size - error), np.inf))
    bound = np.where(np.isfinite(result), bound, np.inf)
    return ~(within & np.isfinite(result)), np.broadcast_to(bound, result.shape)


def _settled(result: Any, value: Any, radius: Radius, tolerated: Callable[[Any], float]) -> Any:
    """The number of the wider format, where that is known to the last digits."""
    dtype = np.asarray(result).dtype
    if dtype.kind not in "fc":
        return None
    with np.errstate(all="ignore"):
        info = np.finfo(dtype)
        share = max(_DIGITS * info.eps, _SHARE * tolerated(dtype))
        room = share * np.maximum(np.abs(value), info.tiny)
        sure = np.isfinite(value) & ((0 if radius is None else radius) <= room)
        return np.where(sure, value, np.nan).astype(dtype)
