"""Differences of a function of one step: `phi(h)` is the function moved by h.

Two errors meet. Truncation falls with the step: h for the forward, h² for the central difference.
Rounding grows: ε|f|/hⁿ for the n-th derivative. They balance at a step of √ε (forward), ε^(1/(n+2))
(central), times the length over which the function changes; max(|x|, 1) stands for that length,
since nothing is known of it. (Gill, Murray, Saunders, Wright, "Computing forward-difference
intervals for numerical optimization", SIAM J. Sci. Stat. Comput. 4, 1983; Press et al., "Numerical
Recipes", section on numerical derivatives.)

Richardson's extrapolation (Phil. Trans. Royal Society A 210, 1911) removes h², h⁴, … from central
differences of halved steps, and of all extrapolations Ridders' choice ("Accurate computation of
F'(x) and F'(x)F''(x)", Adv. Eng. Software 4, 1982) is the one that its neighbours agree with best.
So no step need be known beforehand, and the disagreement is the error estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Phi = Callable[[float], Any]
Estimate = tuple[Any, Any]  # value, error

_MOST_ROWS, _MOST_COLUMNS, _PATIENCE = 48, 10, 4


def epsilon(*values: Any) -> float:
    """The coarsest rounding among inexact values."""
    kinds = [np.asarray(v).dtype for v in values]
    return max((float(np.finfo(d).eps) for d in kinds if d.kind in "fc"), default=2.0**-52)


def grid(h: float, x: float, eps: float) -> float:
    """The step near `h` for which x ± h, x ± 2h need no rounding (up to the next power of two)."""
    unit = eps * 2.0 ** math.ceil(math.log2(max(abs(x), h, 1e-300)) + 3)
    return max(round(h / unit), 1) * unit


def length(x: float) -> float:
    """Over which length a function changes near x, for want of better knowledge."""
    return max(abs(x), 1.0)


def stencil(phi: Phi, x: float, h: float, order: int) -> tuple[Any, Any]:
    """The central difference Σ (-1)^k C(n,k) f(x + (n/2 - k) h) / hⁿ, and its rounding unit.

    For odd orders the points would lie at half steps, so h is doubled: n=1 gives
    (f(x+h) - f(x-h)) / 2h. What f rounds is taken as |f| + |x f'|: its result, and its argument.
    """
    reach = 2 if order % 2 else 1
    total: Any = 0.0
    size: Any = 0.0
    before: Any = None
    for k in range(order + 1):
        value = phi((order - 2 * k) * reach / 2 * h)
        steep = 0.0 if before is None else np.abs(value - before) / (reach * h)
        weight = (-1) ** k * math.comb(order, k)
        total, before = total + weight * value, value
        size = np.maximum(size, abs(weight) * (np.abs(value) + abs(x) * steep))
    unit = (reach * h) ** order
    return total / unit, size / unit


def forward(phi: Phi, x: float, eps: float, step: float | None) -> Estimate:
    """(f(x+h) - f(x)) / h; the error is seen from the doubled step."""
    h = grid(step or math.sqrt(eps) * length(x), x, eps)
    start, near, far = phi(0.0), phi(h), phi(2 * h)
    slope, wider = (near - start) / h, (far - start) / (2 * h)
    return slope, 2 * np.abs(slope - wider) + 2 * eps * np.abs(start) / h


def central(phi: Phi, x: float, eps: float, step: float | None, order: int) -> Estimate:
    """The central difference; the error is seen from the doubled step."""
    h = grid(step or eps ** (1 / (order + 2)) * length(x), x, eps)
    near, rounding = stencil(phi, x, h, order)
    far, _ = stencil(phi, x, 2 * h, order)
    return near, np.abs(near - far) / 3 + eps * rounding


def richardson(phi: Phi, x: float, eps: float, step: float | None, order: int) -> Estimate:
    """Extrapolation of halved steps to step zero; per element the most trusted entry.

    An entry is judged by its error against the slope and against f itself per length, so that a
    function that wiggles faster than the first steps does not pass for a constant.
    """
    h = step or length(x) / 9
    floor = np.abs(phi(0.0)) / length(x) ** order
    best, error, score = (np.full(np.shape(floor), v) for v in (np.nan, np.inf, np.inf))
    row: list[Any] = []
    waited = 0
    for n in range(_MOST_ROWS):
        slope, rounding = stencil(phi, x, grid(h, x, eps), order)
        before, row, progress = row, [slope], False
        for m, old in enumerate(before):
            new = row[m] + (row[m] - old) / (4.0 ** (m + 1) - 1)
            off = np.maximum(np.abs(new - row[m]), np.abs(new - old)) + eps * rounding
            judged = off / (np.abs(new) + floor + 1e-300)
            better = judged < score
            best, error = np.where(better, new, best), np.where(better, off, error)
            score = np.where(better, judged, score)
            progress = progress or bool(np.any(better))
            row.append(new)
        row = row[:_MOST_COLUMNS]
        waited = 0 if progress else waited + 1
        # enough digits and no progress; or rounding alone is worse by now
        done = waited >= _PATIENCE and np.all(score < eps**0.6)
        if n >= 6 and (done or np.all(eps * rounding > score * (np.abs(best) + floor))):
            break
        h /= 2
    return best, error
