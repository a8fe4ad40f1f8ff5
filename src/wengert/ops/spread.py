"""Spread: how far an elementwise result moves when its arguments move within balls around them.

`spread(prim, y, xs, rs)` bounds |f(t) - y| over all |t - x| ≤ r, `y` being what was computed at `x`:
first order, second order and the operation's own rounding. A radius of None is zero: the argument
is exact. Radii of booleans are booleans (may it be the other one?). All is plain NumPy and never
branches on numbers. Operations without a line here are bounded by their slopes at `x` and `x ± r`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

Radius = Any  # an array of the result's shape, or None: exact
Rule = Callable[..., Any]

_ROOM = 1 + 2.0**-20  # radii are rounded too: so much room covers it


@lru_cache(maxsize=64)
def unit(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Half an ulp of 1, with room for the rounding of radii; and what an underflow may lose."""
    info = np.finfo(dtype)
    one = info.dtype.type
    return one(info.eps / 2) * one(_ROOM), one(info.smallest_subnormal) * one(4)


def lost(y: Any, units: float = 1.0, underflows: bool = True) -> Any:
    """What rounding alone may cost a result that is right to `units` half ulps."""
    u, eta = unit(y.dtype)
    own = np.abs(y) * (u * u.dtype.type(units))
    return own + eta if underflows else own


def plus(*radii: Radius) -> Radius:
    """The sum of radii, of which some are None."""
    total = None
    for r in radii:
        if r is not None:
            total = r if total is None else total + r
    return total


def larger(a: Radius, b: Radius) -> Radius:
    """The larger of two radii."""
    return b if a is None else a if b is None else np.maximum(a, b)


def real_of(x: Any) -> Any:
    """The dtype of x's radii."""
    kind, char = x.dtype.kind, x.dtype.char
    return np.dtype({"F": "f", "D": "d", "G": "g"}[char]) if kind == "c" else (
        x.dtype if kind in "fb" else np.dtype(float)
    )  # fmt: skip


def dense(xs: tuple[Any, ...], rs: tuple[Radius, ...]) -> list[Any]:
    """Radii with zeros where there are none."""
    return [
        np.zeros_like(x, dtype=real_of(x)) if r is None else r for x, r in zip(xs, rs, strict=True)
    ]


def touches(x: Any, r: Radius) -> Any:
    """May x be zero? (It is not in doubt where it is exact; a radius of nan is any.)"""
    return ~(np.abs(x) > r) & (r != 0)


def spread(prim: Any, y: Any, xs: tuple[Any, ...], rs: tuple[Radius, ...]) -> Radius:
    """Radius of an elementwise result."""
    if y.dtype.kind == "b":
        return _TRUTH.get(prim.name, _undecided)(xs, rs)
    rule = _RULES.get(prim.name)
    if y.dtype.kind not in "fc":
        return None if all(r is None for r in rs) else _jump(prim, y, xs, rs)
    units = _UNITS.get(prim.name, _LIBRARY if isinstance(prim.function, np.ufunc) else _SPECIAL)
    if all(r is None for r in rs):
        moved = None
    elif rule is not None and (y.dtype.kind == "f" or prim.name in _COMPLEX):
        moved = rule(y, xs, rs)
    else:
        moved = _by_slopes(prim, y, xs, rs)
    if units == 0:
        return moved
    extra = _EXTRA.get(prim.name)
    own = lost(y, units, prim.name not in _GRADUAL)
    return plus(moved, own, None if extra is None else extra(y, *xs) * unit(y.dtype)[0])


# ---- sums and products -----------------------------------------------------------------------------------


def product(x: Any, y: Any, r: Radius, s: Radius) -> Radius:
    """|xy - x'y'|."""
    if r is None:
        return None if s is None else np.abs(x) * s
    if s is None:
        return np.abs(y) * r
    return np.abs(x) * s + (np.abs(y) + s) * r


def scaled(g: Any, slope: Any, r: Radius, s: Radius) -> Radius:
    """A product in which an exact zero of `g` stops everything."""
    moved = product(g, slope, r, s)
    if s is None:
        return moved
    still = g == 0 if r is None else (g == 0) & (r == 0)
    return np.where(still, 0, moved)


def _quotient(z: Any, xs: Any, rs: Any) -> Any:
    (_, y), (r, s) = xs, rs
    if s is None:
        return r / np.abs(y)
    near = np.abs(y) - s
    above = np.abs(z) * s if r is None else r + np.abs(z) * s
    return np.where(near > 0, above / near, np.where(above == 0, 0, np.inf))


def _reciprocal(y: Any, xs: Any, rs: Any) -> Any:
    near = np.abs(xs[0]) - rs[0]
    return np.where(near > 0, np.abs(y) * rs[0] / near, np.inf)


def _power(z: Any, xs: Any, rs: Any) -> Any:
    (x, p), (r, s) = xs, rs
    size = np.abs(x)
    if r is not None:
        near = size - r
        exponent = np.where(near > 0, np.abs(p) * r / near, np.inf)
    else:
        exponent = 0
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


def growth(r: Any) -> Any:
    """eʳ - 1 from above, for r < 1."""
    return r * (1 + r)


def _grown(scale: float, function: Any) -> Rule:
    """Of exponentials: `size · (eʳ - 1)`, and from r = 1 on the whole range."""

    def rule(y: Any, xs: Any, rs: Any) -> Any:
        (x,), (r,) = xs, rs
        wide = r * scale
        near = np.abs(y) * growth(wide)
        return np.where(wide < 1, near, np.maximum(function(x + r), np.abs(y)))

    return rule


def _expm1(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    return np.where(r < 1, np.abs(1 + y) * growth(r), np.exp(x + r))


def _log(scale: float, shift: float) -> Rule:
    def rule(y: Any, xs: Any, rs: Any) -> Any:
        (x,), (r,) = xs, rs
        near = (x + shift if shift else x) - r
        return np.where(near > 0, r * scale / near, np.inf)

    return rule


def _sinh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    size = np.abs(x)
    return np.where(r < 1, (np.abs(y) + 1) * growth(r), np.sinh(size + r) + np.abs(y))


def _cosh(y: Any, xs: Any, rs: Any) -> Any:
    (x,), (r,) = xs, rs
    size = np.abs(x)
    near = y * (np.minimum(size, 1) * growth(r) + r * r)
    return np.where(r < 1, near, np.cosh(size + r))


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
        None if r is None else np.abs(x) / h * (r / h), None if s is None else np.abs(y) / h * (s / h)
    )
    moved = np.where(t < 1, (ahead + t * t) / np.square(1 - t), 2 * math.pi)
    cut = 0 if r is None else (x < 0) & touches(y, r)
    return np.minimum(np.where(cut, 2 * math.pi, moved), 2 * math.pi)


# ---- roots, pieces -----------------------------------------------------------------------------------------


def _sqrt(y: Any, xs: Any, rs: Any) -> Any:
    (r,) = rs
    root = np.sqrt(r)
    return np.where(root < y, r / y, root)


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


def _scaled_by(factor: float) -> Rule:
    return lambda y, xs, rs: factor * rs[0]


_RULES: dict[str, Rule] = {
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
    "exp": _grown(1, np.exp),
    "exp2": _grown(math.log(2) * _ROOM, np.exp2),
    "expm1": _expm1,
    "log": _log(1, 0),
    "log2": _log(_ROOM / math.log(2), 0),
    "log10": _log(_ROOM / math.log(10), 0),
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
    "copysign": _copysign,
    "fmod": _remainder,
    "mod": _remainder,
    "xlogy": _xlog(0),
    "xlog1py": _xlog(1),
    "deg2rad": _scaled_by(_ROOM * math.pi / 180),
    "radians": _scaled_by(_ROOM * math.pi / 180),
    "rad2deg": _scaled_by(_ROOM * 180 / math.pi),
    "degrees": _scaled_by(_ROOM * 180 / math.pi),
}
_COMPLEX = {"add", "sub", "mul", "div", "neg", "stop", "reciprocal", "square"}

# ---- the rounding of the operations themselves, in half ulps: a part of what they are -------------------------

_LIBRARY, _SPECIAL = 8.0, 64.0
_UNITS = {
    **dict.fromkeys(("add", "sub", "mul", "div", "sqrt", "square", "reciprocal"), 1.0),
    **dict.fromkeys(("deg2rad", "rad2deg", "radians", "degrees"), 3.0),
    **dict.fromkeys(
        ("neg", "abs", "fabs", "stop", "sign", "floor", "ceil", "trunc", "rint", "maximum", "minimum",
         "fmax", "fmin", "copysign", "fmod", "heaviside"), 0.0,
    ),
}  # fmt: skip
# their results are exact where they are subnormal
_GRADUAL = {"add", "sub", "sqrt", "hypot", "cbrt", "floor_divide"}


def _oscillating(y: Any, *xs: Any) -> Any:
    """Bessel's functions and their kin are right to a part of their envelope, not of their value."""
    return 32 * (1 + np.sqrt(np.abs(xs[-1])))


def _near_zeros(y: Any, x: Any) -> Any:
    """Γ's logarithm and its slopes have zeros, at which only the absolute error is small."""
    return np.where(x < 0, 64 * (1 + np.abs(x)), 0)


_EXTRA: dict[str, Rule] = {
    **dict.fromkeys(("jv", "yv", "yn", "j0", "j1", "y0", "y1", "airy_ai", "airy_aip", "airy_bi", "airy_bip",
                     "hankel1", "hankel2", "jve", "yve", "fresnel_s", "fresnel_c"), _oscillating),
    **dict.fromkeys(("gammaln", "loggamma", "psi"), _near_zeros),
}  # fmt: skip


# ---- truth values ------------------------------------------------------------------------------------------


def overlap(xs: Any, rs: Any) -> Any:
    """May the arguments of a comparison lie the other way round?"""
    room = plus(*(None if r is None else _as_real(r) for r in rs))
    if room is None:
        return None
    return touches(xs[0] - xs[1], room)


def _as_real(r: Any) -> Any:
    return r.astype(float) if r.dtype.kind == "b" else r


def _and(xs: Any, rs: Any) -> Any:
    (a, b), (p, q) = xs, rs
    left = None if p is None else p & (b if q is None else b | q)
    right = None if q is None else q & (a if p is None else a | p)
    return left if right is None else right if left is None else left | right


def _or(xs: Any, rs: Any) -> Any:
    return _and(tuple(~x for x in xs), rs)


def _either(xs: Any, rs: Any) -> Any:
    (p, q) = rs if len(rs) == 2 else (rs[0], None)
    return p if q is None else q if p is None else p | q


def _near_zero_sign(xs: Any, rs: Any) -> Any:
    return None if rs[0] is None else touches(xs[0], rs[0])


def _undecided(xs: Any, rs: Any) -> Any:
    found = None
    for r in rs:
        if r is not None:
            found = r != 0 if found is None else found | (r != 0)
    return found


_TRUTH: dict[str, Rule] = {
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), overlap),
    "logical_and": _and,
    "bitwise_and": _and,
    "logical_or": _or,
    "bitwise_or": _or,
    "logical_xor": _either,
    "bitwise_xor": _either,
    "logical_not": _either,
    "invert": _either,
    "signbit": _near_zero_sign,
    **dict.fromkeys(("isnan", "isinf", "isfinite"), lambda xs, rs: None),
}


# ---- everything else ---------------------------------------------------------------------------------------


def _moved(prim: Any, xs: Any, rs: Any, sign: int) -> tuple[Any, tuple[Any, ...]]:
    there = tuple(
        x if r is None else x + r if sign > 0 else x - r for x, r in zip(xs, rs, strict=True)
    )
    return prim(*there), there


def _by_slopes(prim: Any, y: Any, xs: Any, rs: Any) -> Any:
    """Σ r · sup |slope|, the slopes taken at the point and at both ends."""
    points = [(y, xs), _moved(prim, xs, rs, 1), _moved(prim, xs, rs, -1)]
    one = np.ones_like(y)
    total = None
    for n, (slope, rule, r) in enumerate(zip(prim.slopes, prim._rules, rs, strict=True)):
        if r is None:
            continue
        if slope is None:
            part = _range(points)
        elif isinstance(slope, int):
            part = r
        else:
            found = [np.abs(rule(one, value, *at)) for value, at in points]
            ends = np.maximum(found[1], found[2])
            part = r * (np.maximum(found[0], ends) + np.abs(found[1] - found[2]))
            part = np.where(r == 0, 0, part)
        total = part if total is None else total + part
    return total


def by_slope(value: Any, slope: Any, y: Any, x: Any, r: Any) -> Any:
    """r · sup |slope| for one argument, the slope taken at the point and at both ends."""
    ends = [np.abs(slope(value(t), t)) for t in (x + r, x - r)]
    near = np.maximum(np.abs(slope(y, x)), np.maximum(*ends)) + np.abs(ends[0] - ends[1])
    return np.where(r == 0, 0, r * near)


def _range(points: Any) -> Any:
    values = [value for value, _ in points]
    return np.maximum(np.abs(values[1] - values[0]), np.abs(values[2] - values[0]))


def _jump(prim: Any, y: Any, xs: Any, rs: Any) -> Any:
    """Of integer results: how far they jump between the ends."""
    points = [(y, xs), _moved(prim, xs, rs, 1), _moved(prim, xs, rs, -1)]
    return _range([(value.astype(float), at) for value, at in points])
