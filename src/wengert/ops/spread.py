"""Spread: radii of elementwise results: what the arguments' radii become, and the operation's own rounding.

How much an operation rounds is a part of what it is; it stands here in half ulps. The bounds hold for
the libraries in use (NumPy's vector loops, the C library, SciPy), with some room.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.radii import Radius, lost, plus, touches, unit
from wengert.ops.reach import COMPLEX, RULES, Rule


def spread(prim: Any, y: Any, xs: tuple[Any, ...], rs: tuple[Radius, ...]) -> Radius:
    """Radius of an elementwise result."""
    if y.dtype.kind == "b":
        doubt: Rule = _TRUTH.get(prim.name, _undecided)
        return doubt(xs, rs)
    rule = RULES.get(prim.name)
    if y.dtype.kind not in "fc":
        return None if all(r is None for r in rs) else _jump(prim, y, xs, rs)
    units = _UNITS.get(prim.name, _LIBRARY if isinstance(prim.function, np.ufunc) else _SPECIAL)
    if all(r is None for r in rs):
        moved = None
    elif rule is not None and (y.dtype.kind == "f" or prim.name in COMPLEX):
        moved = rule(y, xs, rs)
    else:
        moved = _by_slopes(prim, y, xs, rs)
    if units == 0:
        return moved
    extra = _EXTRA.get(prim.name)
    if _by_power_of_two(prim.name, xs):
        own = np.where(np.isfinite(y), unit(y.dtype)[1], np.inf)
    else:
        own = lost(y, units, prim.name not in _GRADUAL)
    return plus(moved, own, None if extra is None else extra(y, *xs) * unit(y.dtype)[0])


def _by_power_of_two(name: str, xs: tuple[Any, ...]) -> bool:
    """Is it a product or quotient by a constant that only changes the exponent?"""
    if name not in ("mul", "div"):
        return False
    return any(
        isinstance(x, np.floating) and np.isfinite(x) and abs(np.frexp(x)[0]) == 0.5
        for x in (xs[1:] if name == "div" else xs)
    )


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
    **dict.fromkeys(("kl_div", "rel_entr"), lambda z, x, y: 64 * (np.abs(x) + np.abs(y))),
    "logit": lambda y, x: 4 + 0 * np.abs(y),
    "sinc": lambda y, x: 4 + 0 * np.abs(y),  # its argument is multiplied by π first
    "stdtrit": lambda y, *xs: 1e8 * (1 + np.abs(y)),  # found by iteration, stopped early
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


def _truths(xs: Any, rs: Any) -> tuple[list[Any], list[Any]]:
    """Arguments as truth values, and where these are in doubt."""
    truths = [x if x.dtype.kind == "b" else x != 0 for x in xs]
    doubts = [
        r if r is None or x.dtype.kind == "b" else touches(x, r)
        for x, r in zip(xs, rs, strict=True)
    ]
    return truths, doubts


def _both(truths: Any, doubts: Any) -> Any:
    (a, b), (p, q) = truths, doubts
    left = None if p is None else p & (b if q is None else b | q)
    right = None if q is None else q & (a if p is None else a | p)
    return left if right is None else right if left is None else left | right


def _and(xs: Any, rs: Any) -> Any:
    return _both(*_truths(xs, rs))


def _or(xs: Any, rs: Any) -> Any:
    truths, doubts = _truths(xs, rs)
    return _both([~t for t in truths], doubts)


def _either(xs: Any, rs: Any) -> Any:
    found = None
    for doubt in _truths(xs, rs)[1]:
        found = doubt if found is None else found if doubt is None else found | doubt
    return found


def _near_zero_sign(xs: Any, rs: Any) -> Any:
    return None if rs[0] is None else touches(xs[0], rs[0])


def _certain(xs: Any, rs: Any) -> Radius:
    return None


def _undecided(xs: Any, rs: Any) -> Any:
    found = None
    for r in rs:
        if r is not None:
            found = r != 0 if found is None else found | (r != 0)
    return found


_TRUTH: dict[str, Rule] = {
    **dict.fromkeys(
        ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), overlap
    ),
    "logical_and": _and,
    "bitwise_and": _and,
    "logical_or": _or,
    "bitwise_or": _or,
    "logical_xor": _either,
    "bitwise_xor": _either,
    "logical_not": _either,
    "invert": _either,
    "signbit": _near_zero_sign,
    **dict.fromkeys(("isnan", "isinf", "isfinite"), _certain),
}


# ---- everything else ---------------------------------------------------------------------------------------


def _moved(
    prim: Any, xs: Any, rs: Any, sign: int, turned: bool = False
) -> tuple[Any, tuple[Any, ...]]:
    """The operation at a corner: all arguments up (or down); `turned`: the last the other way."""
    signs = [sign] * len(xs)
    if turned:
        signs[-1] = -sign
    there = tuple(
        x if r is None else x + r if up > 0 else x - r
        for x, r, up in zip(xs, rs, signs, strict=True)
    )
    return prim(*there), there


def _by_slopes(prim: Any, y: Any, xs: Any, rs: Any) -> Any:
    """Σ r · sup |slope|, the slopes taken at the point and at the corners of the box around it."""
    points = [(y, xs), _moved(prim, xs, rs, 1), _moved(prim, xs, rs, -1)]
    if sum(r is not None for r in rs) > 1:
        points += [_moved(prim, xs, rs, 1, True), _moved(prim, xs, rs, -1, True)]
    one = np.ones_like(y)
    total = None
    for slope, rule, r in zip(prim.slopes, prim.rules, rs, strict=True):
        if r is None:
            continue
        if slope is None:
            part = _range(points)
        elif isinstance(slope, int):
            part = r
        else:
            found = [rule(one, value, *at) for value, at in points]
            part = _steepest(r, *found[:3])
            if len(found) > 3:
                part = np.maximum(part, _steepest(r, found[0], *found[3:]))
        total = part if total is None else total + part
    return total


def by_slope(value: Any, slope: Any, y: Any, x: Any, r: Any) -> Any:
    """r · sup |slope| for one argument, the slope taken at the point and at both ends."""
    return _steepest(r, slope(y, x), *(slope(value(t), t) for t in (x + r, x - r)))


def _steepest(r: Any, here: Any, ahead: Any, behind: Any) -> Any:
    """r times the largest slope, with room for what it may do between the three points."""
    largest = np.maximum(np.abs(here), np.maximum(np.abs(ahead), np.abs(behind)))
    between = np.abs(ahead - behind) + np.abs(ahead - 2 * here + behind)
    return np.where(r == 0, 0, r * (largest + between))


def _range(points: Any) -> Any:
    values = [value for value, _ in points]
    return np.maximum(np.abs(values[1] - values[0]), np.abs(values[2] - values[0]))


def _jump(prim: Any, y: Any, xs: Any, rs: Any) -> Any:
    """Of integer results: how far they jump between the ends, which must not round back to the point."""
    rs = tuple(
        r if r is None or x.dtype.kind not in "fc" else np.where(r == 0, 0, r + lost(x, 2))
        for x, r in zip(xs, rs, strict=True)
    )
    points = [(y, xs), _moved(prim, xs, rs, 1), _moved(prim, xs, rs, -1)]
    return _range([(value.astype(float), at) for value, at in points])
