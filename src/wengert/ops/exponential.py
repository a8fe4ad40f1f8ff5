"""Exponentials and logarithms, hyperbolic functions and their inverses.

Slopes are written so that they neither cancel nor overflow before the result does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.families import Elementwise, along, scale
from wengert.ops.trigonometric import above_minus_one

_LN2, _LN10 = math.log(2), math.log(10)

exp = Elementwise(np.exp, lambda y, x: y)
exp2 = Elementwise(np.exp2, lambda y, x: y * _LN2)
expm1 = Elementwise(np.expm1, lambda y, x: np.exp(x))  # y + 1 would cancel for x << 0
log = Elementwise(np.log, lambda y, x: 1 / x)
log2 = Elementwise(np.log2, lambda y, x: 1 / x / _LN2)
log10 = Elementwise(np.log10, lambda y, x: 1 / x / _LN10)
log1p = Elementwise(np.log1p, lambda y, x: 1 / (1 + x))
# equal infinite arguments, whose difference is nan, share the slope
logaddexp = Elementwise(
    np.logaddexp,
    along(lambda g, z, x, y: _shared(g, x, y, np.exp)),
    along(lambda g, z, x, y: _shared(g, y, x, np.exp)),
    lower=lambda s, x, y: _log_add(s, x, y, s.exp, s.log1p, 1),
)
logaddexp2 = Elementwise(
    np.logaddexp2,
    along(lambda g, z, x, y: _shared(g, x, y, np.exp2)),
    along(lambda g, z, x, y: _shared(g, y, x, np.exp2)),
    lower=lambda s, x, y: _log_add(s, x, y, s.exp2, s.log1p, 1 / _LN2),
)


def _log_add(s: Any, x: Any, y: Any, exp: Any, log1p: Any, unit: float) -> Any:
    """The larger one and the rest; of equal ones (also infinite) one more bit."""
    big, small = s.maximum(x, y), s.minimum(x, y)
    rest = log1p(exp(s.sub(small, big)))
    found = s.add(big, rest if unit == 1 else s.mul(rest, unit))
    return s.select(s.eq(x, y), s.add(x, _LN2 * unit), found)


def _shared(g: Any, x: Any, y: Any, exp: Any) -> Any:
    """g times the share eˣ / (eˣ + eʸ) of x: no power exceeds 1, so nothing overflows at any order."""
    low = x < y
    e = exp(np.where(low, x - y, y - x))
    share = np.where(low, e, 1) / (1 + e)
    return np.where((x == y) & np.isinf(x), 0.5 * g, scale(g, share))


sinh = Elementwise(np.sinh, lambda y, x: np.cosh(x))
cosh = Elementwise(np.cosh, lambda y, x: np.sinh(x))


def _sech_squared(x: Any) -> Any:
    """1 / cosh² x; of plain arrays in one piece of memory."""
    c = np.cosh(x)
    if type(c) is not np.ndarray:
        return np.square(1 / c)
    np.divide(1, c, c)
    return np.square(c, c)


tanh = Elementwise(np.tanh, lambda y, x: _sech_squared(x))  # 1 - y² cancels where y is near 1
arcsinh = Elementwise(
    np.arcsinh,
    lambda y, x: (
        1 / (np.sqrt(1 + 1j * x) * np.sqrt(1 - 1j * x))
        if x.dtype.kind == "c"
        else 1 / np.hypot(1, x)
    ),
    lower="asinh",
)
arccosh = Elementwise(
    np.arccosh, lambda y, x: 1 / (np.sqrt(x - 1) * np.sqrt(above_minus_one(x))), lower="acosh"
)
arctanh = Elementwise(np.arctanh, lambda y, x: 1 / ((1 - x) * (1 + x)), lower="atanh")
