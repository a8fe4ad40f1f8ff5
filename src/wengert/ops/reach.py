"""Reach: how far an elementwise result moves when its arguments move within balls around them.

`rule(y, xs, rs)` bounds |f(t) - y| over all |t - x| ≤ r, first and second order, for `y` = f(x); not
every rs is None. Operations without a line here are bounded by their slopes (`ops/spread.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.radii import ROOM, growth, larger, plus, product, touches, unit

Rule = Callable[..., Any]

# ---- quotients and powers ---------------------------------------------------------------------------------


# 1/y stands in the slopes as well, so it costs nothing here; with q = s/|y| at most a half,
# 1/(|y| - s) is at most (1 + 2q)/|y|, and beyond, too little is known of a quotient to go on


def _quotient(z: Any, xs: Any, rs: Any) -> Any:
    (_, y), (r, s) = xs, rs
    inverse = np.abs(1 / y)
    if s is None:
        return r * inverse
    above = np.abs(z) * s if r is None else r + np.abs(z) * s
    q = s * inverse
    return above * (inverse * np.where(q <= 0.5, 1 + 2 * q, np.inf))


def _reciprocal(y: Any, xs: Any, rs: Any) -> Any:
    size = np.abs(y)
    q = size * rs[0]
    return np.where(q <= 0.5, size * q * (1 + 2 * q), np.inf)


def _power(z: Any, xs: Any, rs: Any) -> Any:
    (x, p), (r, s) = xs, rs
    size = np.abs(x)
    if r is not None:
        near = size - r
        exponent = np.where(near > 0, np.abs(p) * r / near, np.inf)
    else:
        exponent = np.zeros_like(size)
    if s is not None:
        exponent = exponent + s * (
            np.abs(np.log(size)) + (0 if r is None else r / np.maximum(size - r, 0))
        )
    moved = np.where(exponent < 1, np.abs(z) * exponent * (1 + exponent), np.inf)
    if s is None:
        far = np.abs(size + r) ** p
        close = np.where(p >= 0, 0, np.maximum(size - r, 0) ** p)
        # beyond, the whole range; of either sign if the base may be
        moved = np.where(exponent < 1, moved, np.maximum(far, close) + np.abs(z))
    return moved


# ---- exponentials and logarithms ---------------------------------------------------------------------------


def _grown(scale: float) -> Rule:
    """Of exponentials: `size · (eʳ - 1)`; from r = 1 on the whole range."""

    def rule(y: Any, xs: Any, rs: Any) -> Any:
        (x,), (r,) = xs, rs
        wide = r * scale
        near = np.abs(y) * growth(wide)
        return np.where(wide < 1, near, np.maximum(_whole_range((x + r) * scale), np.abs(y)))

    return rule


def _whole_range(t: Any) -> Any:
    """eᵗ from above, where not more is worth knowing than whether it vanishes."""
    return np.where(t < -746, 0, np.where(t <= 0, 1, np.inf))


def _expm1(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    far = np.maximum(_whole_range(x + r), np.abs(1 + y))
    return np.where(r < 1, np.abs(1 + y) * growth(r), far)


def _log(scale: float, shift: float) -> Rule:
    def rule(y: Any, xs: Any, rs: Any) -> Any:
        (x,), (r,) = xs, rs
        q = r * (1 / (shift + x if shift else x))
        return np.where((q >= 0) & (q <= 0.5), scale * q * (1 + q), np.inf)

    return rule


def _sinh(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    return np.where(r < 1, (np.abs(y) + 1) * growth(r), np.inf)


def _cosh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    return np.where(r < 1, y * (np.minimum(np.abs(x), 1) * growth(r) + r * r), np.inf)


def _tanh(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    u = unit(y.dtype)[0]
    slope = ((1 - y) * (1 + y) + 4 * u) * (1 + 4 * r)
    return np.where(r < 0.5, r * np.minimum(slope, 1), np.minimum(r, 2))


def _expit(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    slope = y * (1 - y + 4 * unit(y.dtype)[0]) * (1 + 2 * r)
    return np.where(r < 1, r * np.minimum(slope, 0.25), np.minimum(0.25 * r, 1))


# ---- trigonometric functions -------------------------------------------------------------------------------


def _wave(y: Any, xs: Any, rs: Any) -> Any:
    """sin and cos: the other one is √(1 - y²), known to √ε."""
    (r,) = rs
    rest = float(np.sqrt(np.finfo(y.dtype).eps))
    slope = np.sqrt(np.maximum((1 - y) * (1 + y), 0)) + rest + 0.5 * r
    return np.minimum(r * np.minimum(slope, 1), 2)


def _tan(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    turn = r * (1 + r * r)
    near = 1 - np.abs(y) * turn
    return np.where((r < 0.9) & (near > 0), turn * (1 + y * y) / near, np.inf)


def _arctan(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    near = np.maximum(np.abs(x) - r, 0)
    return np.minimum(r / (1 + near * near), math.pi)


def _arcsine(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    size = np.abs(x)
    near = 1 - size - r
    edge = np.minimum(2.3 * np.sqrt(r), math.pi)  # the arcsine moves by at most (π/√2) √r
    return np.where(near > 0, np.minimum(r / np.sqrt(near * (1 + size)), edge), edge)


def _arcsinh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    return r / np.hypot(1, np.maximum(np.abs(x) - r, 0))


def _arccosh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    near = x - r - 1
    return np.where(near > 0, r / np.sqrt(near * (x + 1)), np.sqrt(2 * (x - 1 + r)))


def _arctanh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    size = np.abs(x)
    near = 1 - size - r
    return np.where(near > 0, r / (near * (1 + size)), np.inf)


def _hypot(z: Any, xs: Any, rs: Any) -> Any:
    def one(x: Any, r: Any) -> Any:
        if r is None:
            return None
        return np.minimum(r, np.where(z > 0, (2 * np.abs(x) + r) * (r / z), r))

    return plus(one(xs[0], rs[0]), one(xs[1], rs[1]))


def _arctan2(z: Any, xs: Any, rs: Any) -> Any:
    (y, x), (r, s) = xs, rs
    h = np.hypot(x, y)
    ball = r if s is None else s if r is None else np.hypot(r, s)
    t = ball / h
    ahead = plus(
        None if r is None else np.abs(x) / h * (r / h),
        None if s is None else np.abs(y) / h * (s / h),
    )
    moved = np.where(t < 1, (ahead + t * t) / np.square(1 - t), 2 * math.pi)
    cut = 0 if r is None else (x < 0) & touches(y, r)
    return np.minimum(np.where(cut, 2 * math.pi, moved), 2 * math.pi)


# ---- roots, pieces -----------------------------------------------------------------------------------------


def _sqrt(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    root = np.sqrt(r)
    return np.where(root < y, r * (2 * (0.5 / y)), root)  # (half of 1/y is the slope)


def _cbrt(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    return np.where(2 * r <= np.abs(x), np.where(r == 0, 0, 0.53 * r / y / y), 1.6 * np.cbrt(r))


def _square(y: Any, xs: Any, rs: Any) -> Any:
    return (2 * np.abs(xs[0]) + rs[0]) * rs[0]


def _winner(sign: int) -> Rule:
    def rule(z: Any, xs: Any, rs: Any) -> Any:
        (x, y), (r, s) = xs, rs
        a, b = 0 if r is None else r, 0 if s is None else s
        ahead = (x - y) if sign > 0 else (y - x)
        return np.where(ahead > a + b, a, np.where(-ahead > a + b, b, np.maximum(a, b)))

    return rule


def _steps(function: Any) -> Rule:
    def rule(y: Any, xs: Any, rs: Any) -> Any:
        (x,), (r,) = xs, rs
        return function(x + r) - function(x - r)

    return rule


def _whole_quotient(z: Any, xs: Any, rs: Any) -> Any:
    q = xs[0] / xs[1]
    r = _quotient(q, xs, rs) + np.abs(q) * unit(z.dtype)[0]
    return np.maximum(np.floor(q + r) - z, z - np.floor(q - r))


def _sign(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    return np.where(touches(x, r), 2, 0).astype(y.dtype)


def _copysign(z: Any, xs: Any, rs: Any) -> Any:
    (x, y), (r, s) = xs, rs
    if s is None:
        return r
    turned = np.where(touches(y, s), 2 * np.abs(x), 0)
    return turned if r is None else turned + r


def _remainder(z: Any, xs: Any, rs: Any) -> Any:
    """x - q y, with the quotient q certain unless the remainder is near 0 or y."""
    (x, y), (r, s) = xs, rs
    size, q = np.abs(z), np.abs(x / y)
    moved = plus(r, None if s is None else (q + 1) * s)
    edge = ~(size > moved) | ~(size + moved < np.abs(y))
    return np.where(edge & (moved != 0), moved + np.abs(y), moved)


def _first(y: Any, xs: Any, rs: Any) -> Any:
    return rs[0]


def _shared(z: Any, xs: Any, rs: Any) -> Any:
    return larger(rs[0], rs[1])


def _xlog(scale: Any) -> Rule:
    """x log(s + y)."""

    def rule(z: Any, xs: Any, rs: Any) -> Any:
        (x, y), (r, s) = xs, rs
        inner = scale + y if scale else y
        log = np.where(x == 0, 0, np.log(inner))
        moved = 0 if r is None else np.abs(log) * r
        if s is None:
            return moved
        near = inner - s
        change = np.where(near > 0, s / near, np.inf)
        size = np.abs(x) if r is None else np.abs(x) + r
        return np.where(size == 0, 0, moved + size * change)

    return rule


def _psi(y: Any, xs: Any, rs: Any) -> Any:
    """By r ψ', which falls on the right; on the left ψ' is less than that of the pole next to it."""
    (x,), (r,) = xs, rs
    t = 1 / np.maximum(x - r, 0)
    right = t * (1 + np.minimum(t, t * (0.5 + t / 6)))  # 1/t + 1/2t² + 1/6t³, and 1/t + 1/t²
    d = np.abs(x - np.rint(x)) - r
    left = 1 / (d * (1 - 1.645 * d * d))  # π / sin πd from above
    steepest = np.where(x > r, right, np.where((x < 0) & (d > 0), left * left, np.inf))
    return np.where(r == 0, 0, r * steepest)


def _scaled_by(factor: float) -> Rule:
    return lambda y, xs, rs: factor * rs[0]


RULES: dict[str, Rule] = {
    "add": lambda z, xs, rs: plus(*rs),
    "sub": lambda z, xs, rs: plus(*rs),
    "mul": lambda z, xs, rs: product(*xs, *rs),
    "div": _quotient,
    "neg": _first,
    "abs": _first,
    "fabs": _first,
    "stop": _first,
    "reciprocal": _reciprocal,
    "square": _square,
    "sqrt": _sqrt,
    "cbrt": _cbrt,
    "power": _power,
    "float_power": _power,
    "exp": _grown(1),
    "exp2": _grown(math.log(2) * ROOM),
    "expm1": _expm1,
    "log": _log(1, 0),
    "log2": _log(ROOM / math.log(2), 0),
    "log10": _log(ROOM / math.log(10), 0),
    "log1p": _log(1, 1),
    "logaddexp": _shared,
    "logaddexp2": _shared,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "expit": _expit,
    "sin": _wave,
    "cos": _wave,
    "tan": _tan,
    "arctan": _arctan,
    "arcsin": _arcsine,
    "arccos": _arcsine,
    "arcsinh": _arcsinh,
    "arccosh": _arccosh,
    "arctanh": _arctanh,
    "hypot": _hypot,
    "arctan2": _arctan2,
    "maximum": _winner(1),
    "fmax": _winner(1),
    "minimum": _winner(-1),
    "fmin": _winner(-1),
    "floor": _steps(np.floor),
    "ceil": _steps(np.ceil),
    "trunc": _steps(np.trunc),
    "rint": _steps(np.rint),
    "sign": _sign,
    "floor_divide": _whole_quotient,
    "copysign": _copysign,
    "fmod": _remainder,
    "mod": _remainder,
    "psi": _psi,
    "xlogy": _xlog(0),
    "xlog1py": _xlog(1),
    "deg2rad": _scaled_by(ROOM * math.pi / 180),
    "radians": _scaled_by(ROOM * math.pi / 180),
    "rad2deg": _scaled_by(ROOM * 180 / math.pi),
    "degrees": _scaled_by(ROOM * 180 / math.pi),
}
COMPLEX = {"add", "sub", "mul", "div", "neg", "stop", "reciprocal", "square"}
