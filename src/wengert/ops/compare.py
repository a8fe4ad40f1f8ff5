"""Comparison and selection.

At a tie, `maximum` and `minimum` give each side half of the slope; a selection follows its branch,
and what was not selected contributes nothing, whatever its slope.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Values
from wengert.ir.types import ArrayType
from wengert.ops.families import Elementwise, Linear, along, everywhere, extent_of, is_constant
from wengert.ops.radii import larger

equal = Elementwise(np.equal, None, None, lower="eq")
not_equal = Elementwise(np.not_equal, None, None, lower="ne")
less = Elementwise(np.less, None, None, lower="lt")
less_equal = Elementwise(np.less_equal, None, None, lower="le")
greater = Elementwise(np.greater, None, None, lower="gt")
greater_equal = Elementwise(np.greater_equal, None, None, lower="ge")
logical_and = Elementwise(
    np.logical_and, None, None, lower=lambda s, x, y: s.and_(s.truth(x), s.truth(y))
)
logical_or = Elementwise(
    np.logical_or, None, None, lower=lambda s, x, y: s.or_(s.truth(x), s.truth(y))
)
logical_xor = Elementwise(
    np.logical_xor, None, None, lower=lambda s, x, y: s.xor(s.truth(x), s.truth(y))
)
logical_not = Elementwise(np.logical_not, None, lower=lambda s, x: s.not_(s.truth(x)))
bitwise_and = Elementwise(np.bitwise_and, None, None, lower="and")
bitwise_or = Elementwise(np.bitwise_or, None, None, lower="or")
bitwise_xor = Elementwise(np.bitwise_xor, None, None, lower="xor")
invert = Elementwise(np.invert, None, lower="not")
left_shift = Elementwise(np.left_shift, None, None, lower=lambda s, x, n: _shifted(s, "shl", x, n))
right_shift = Elementwise(
    np.right_shift, None, None, lower=lambda s, x, n: _shifted(s, "shr", x, n)
)
isfinite = Elementwise(np.isfinite, None, lower=lambda s, x: _finite(s, x))
isinf = Elementwise(np.isinf, None, lower=lambda s, x: _infinite(s, x))
isnan = Elementwise(np.isnan, None, lower=lambda s, x: s.isnan(x))
signbit = Elementwise(np.signbit, None, lower=lambda s, x: _negative(s, x))


# to the winner, half to each at a tie; the result says who won (also against a nan)
_first = along(lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(z == x, g, 0)))
_second = along(lambda g, z, x, y: np.where(x == y, 0.5 * g, np.where(z == y, g, 0)))
maximum = Elementwise(np.maximum, _first, _second)
minimum = Elementwise(np.minimum, _first, _second)
fmax = Elementwise(
    np.fmax, _first, _second, lower=lambda s, x, y: s.select(s.or_(s.ge(x, y), s.isnan(y)), x, y)
)
fmin = Elementwise(
    np.fmin, _first, _second, lower=lambda s, x, y: s.select(s.or_(s.le(x, y), s.isnan(y)), x, y)
)
copysign = Elementwise(
    np.copysign,
    along(lambda g, z, x, y: np.where(x == 0, 0, np.where(np.signbit(x) == np.signbit(y), g, -g))),
    None,
)


heaviside = Elementwise(
    np.heaviside,
    None,
    along(lambda g, z, x, h: np.where(x == 0, g, 0)),
    lower=lambda s, x, h: s.select(
        s.isnan(x), x, s.select(s.eq(x, 0), h, s.select(s.lt(x, 0), s.like(0, x), 1))
    ),
)


def _shifted(s: Any, op: str, x: Any, n: Any) -> Any:
    """Shifts beyond the width give 0 (or -1), as NumPy's do."""
    width = (
        8 * {"i64": 8, "u64": 8, "i32": 4, "u32": 4, "i16": 2, "u16": 2, "i8": 1, "u8": 1}[x.type]
    )
    fits = s.and_(s.ge(n, 0), s.lt(n, width))
    moved = getattr(s, op)(x, s.select(fits, n, 0))
    beyond = s.like(0, x)
    if op == "shr" and x.type[0] == "i":
        beyond = s.select(s.lt(x, 0), s.like(-1, x), beyond)
    return s.select(fits, moved, beyond)


def _finite(s: Any, x: Any) -> Any:
    if hasattr(x, "re"):
        return s.and_(_finite(s, x.re), _finite(s, x.im))
    return s.lt(s.abs(x), float("inf")) if x.type[0] == "f" else s.eq(x, x)


def _infinite(s: Any, x: Any) -> Any:
    if hasattr(x, "re"):
        return s.or_(_infinite(s, x.re), _infinite(s, x.im))
    return s.eq(s.abs(x), float("inf")) if x.type[0] == "f" else s.ne(x, x)


def _negative(s: Any, x: Any) -> Any:
    bits = s.bits(x, "i64" if x.type == "f64" else "i32")
    return s.lt(bits, 0)


class Select(Linear):
    """`select(c, x, y)`: x where c, else y. Cotangents go to the selected elements alone."""

    name = "select"
    aligned = True

    def typeof(self, c: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
        shape = max((c.shape, x.shape, y.shape), key=len)
        return ArrayType.of(shape, x.dtype)

    def eval(self, c: Any, x: Any, y: Any) -> Any:
        return np.where(c, x, y)

    def reads(self, wanted: tuple[bool, ...]) -> Any:
        return (True, False, False), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        _, dx, dy = dxs
        if dx is None and dy is None:
            return (None,)
        return (np.where(xs[0], 0 if dx is None else dx, 0 if dy is None else dy),)

    dense_tangents = False

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), c = gs, args[0]
        return (
            None,
            np.where(c, g, 0) if wanted[1] else None,
            np.where(c, 0, g) if wanted[2] else None,
        )

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        (c, x, y), (doubt, r, s) = xs, rs
        if doubt is None:
            if r is None and s is None:
                return (None,)
            none = np.zeros((), bool) if x.dtype.kind == "b" else 0
            return (np.where(c, none if r is None else r, none if s is None else s),)
        if x.dtype.kind == "b":
            either = x ^ y
            for t in (r, s):
                either = either if t is None else either | t
            return (np.where(doubt, either, False if r is None and s is None else np.where(
                c, False if r is None else r, False if s is None else s)),)  # fmt: skip
        r, s = 0 if r is None else r, 0 if s is None else s
        apart = np.abs(x - y)
        own, other = np.where(c, r, s), np.where(c, s, r)
        return (np.where(doubt, larger(own, apart + other), own),)

    def batch(self, batched: tuple[bool, ...], *args: Any) -> Any:
        n = extent_of(batched, args)
        return self(
            *(
                a if b or is_constant(a) else everywhere(a, n)
                for a, b in zip(args, batched, strict=True)
            )
        )

    def lower(self, k: Any, c: Any, x: Any, y: Any) -> Any:
        return k.map(lambda s, c, x, y: s.select(c, x, y), c, x, k.cast(y, x.dtype), dtype=x.dtype)


select = Select()
