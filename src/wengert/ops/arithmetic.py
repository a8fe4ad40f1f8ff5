"""Sums, products, quotients, powers; conversion and complex parts."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.ir.primitive import Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Elementwise, Linear, along, scale
from wengert.ops.radii import lost, plus, real_of, touches

add = Elementwise(np.add, 1, 1, name="add", value=operator.add)
sub = Elementwise(np.subtract, 1, -1, name="sub", value=operator.sub)
mul = Elementwise(np.multiply, lambda z, x, y: y, lambda z, x, y: x, name="mul", value=operator.mul)
# d(x/y)/dy = -z/y: never squares y, which would overflow long before the quotient does
div = Elementwise(
    np.true_divide,
    lambda z, x, y: 1 / y,
    lambda z, x, y: -(z / y),
    name="div",
    value=operator.truediv,
)
neg = Elementwise(np.negative, -1, name="neg", value=operator.neg)
reciprocal = Elementwise(
    np.reciprocal, lambda y, x: -y * y, lower=lambda s, x: _quotient(s, s.like(1, x), x)
)
square = Elementwise(np.square, lambda y, x: 2 * x, lower=lambda s, x: s.mul(x, x))
sqrt = Elementwise(np.sqrt, lambda y, x: 0.5 / y)
cbrt = Elementwise(np.cbrt, lambda y, x: 1 / (3 * y * y))
absolute = Elementwise(
    np.absolute, along(lambda g, y, x: np.where(x == 0, 0, np.where(x < 0, -g, g))), name="abs"
)
sign = Elementwise(np.sign, None, lower=lambda s, x: _sign(s, x))
fabs = Elementwise(
    np.fabs, along(lambda g, y, x: np.where(x == 0, 0, np.where(x < 0, -g, g))), lower="abs"
)
# at the exponent 0 the slope is 0 for every base; 0^p does not move with p
_powers = (
    lambda z, x, p: scale(p, x ** (p - 1)),
    along(lambda g, z, x, p: np.where(x == 0, 0, scale(g, scale(z, np.log(x))))),
)
power = Elementwise(np.power, *_powers, lower=lambda s, x, p: _power(s, x, p))
float_power = Elementwise(np.float_power, *_powers, lower=lambda s, x, p: _power(s, x, p))
# x % y = x - floor(x/y) y, fmod truncates: almost everywhere the quotient is constant
mod = Elementwise(
    np.remainder,
    1,
    lambda z, x, y: -np.floor_divide(x, y),
    name="mod",
    lower=lambda s, x, y: _floored(s, x, y)[1],
)
fmod = Elementwise(
    np.fmod, 1, lambda z, x, y: -np.trunc(x / y), lower=lambda s, x, y: _truncated(s, x, y)
)
ldexp = Elementwise(
    np.ldexp, along(lambda g, y, x, n: np.ldexp(g, n)), None, lower=lambda s, x, n: _ldexp(s, x, n)
)
# of x = mantissa · 2^exponent
exponent = Elementwise(
    np.frexp,
    None,
    name="exponent",
    value=lambda x: np.frexp(x)[1],
    lower=lambda s, x: _exponent(s, x),
)
nextafter = Elementwise(  # a step to a neighbour moves with x
    np.nextafter, 1, None, lower=lambda s, x, y: _next(s, x, y)
)
floor_divide = Elementwise(np.floor_divide, None, None, lower=lambda s, x, y: _floored(s, x, y)[0])
floor = Elementwise(np.floor, None, lower=lambda s, x: _stepped(s, "floor", x))
ceil = Elementwise(np.ceil, None, lower=lambda s, x: _stepped(s, "ceil", x))
trunc = Elementwise(np.trunc, None, lower=lambda s, x: _stepped(s, "trunc", x))
rint = Elementwise(np.rint, None)


# ---- formulas of scalars ---------------------------------------------------------------------------


def _stepped(s: Any, name: str, x: Any) -> Any:
    """Integers stand on a step already."""
    return getattr(s, name)(x) if x.type[0] == "f" else x


def _whole(x: Any) -> bool:
    """Is it a scalar of an integer (or boolean) type?"""
    return getattr(x, "type", "f")[0] in "iub"


def _sign(s: Any, x: Any) -> Any:
    if hasattr(x, "re"):
        raise NotImplementedError("sign of complex numbers")
    return s.select(s.gt(x, 0), 1, s.select(s.lt(x, 0), s.like(-1, x), s.select(s.eq(x, 0), 0, x)))


def _quotient(s: Any, x: Any, y: Any) -> Any:
    """1 / y of integers truncates; 1 / 0 is what NumPy's C code gives, so it is left to it."""
    if _whole(y):
        raise NotImplementedError("reciprocal of integers")
    return s.div(x, y)


def _divisor(s: Any, x: Any, y: Any) -> Any:
    """A divisor that neither is zero nor makes the quotient overflow; and those two cases."""
    null = s.eq(y, 0)
    if y.type[0] != "i":
        return s.select(null, 1, y), null, s.lt(y, 0)
    minus = s.eq(y, -1)
    return s.select(s.or_(null, minus), 1, y), null, minus


def _floored(s: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Quotient rounded down and remainder with the sign of y, as NumPy's: x // 0 and x % 0 of integers are 0."""
    if _whole(x):
        if x.type == "bool":
            raise NotImplementedError("quotient of booleans")
        safe, null, minus = _divisor(s, x, y)
        q, r = s.tdiv(x, safe), s.trem(x, safe)
        if x.type[0] == "i":
            down = s.and_(s.ne(r, 0), s.ne(s.lt(r, 0), s.lt(safe, 0)))
            q, r = s.select(down, s.sub(q, 1), q), s.select(down, s.add(r, safe), r)
            q, r = s.select(minus, s.neg(x), q), s.select(minus, 0, r)
        return s.select(null, 0, q), s.select(null, 0, r)
    r = s.fmod(x, y)
    quotient = s.div(s.sub(x, r), y)
    other = s.and_(s.ne(r, 0), s.ne(s.lt(r, 0), s.lt(y, 0)))
    quotient = s.select(other, s.sub(quotient, 1), quotient)
    rest = s.select(s.ne(r, 0), s.select(other, s.add(r, y), r), s.copysign(0, y))
    whole = s.floor(quotient)
    whole = s.select(s.gt(s.sub(quotient, whole), 0.5), s.add(whole, 1), whole)
    whole = s.select(s.ne(quotient, 0), whole, s.copysign(0, s.div(x, y)))
    null = s.eq(y, 0)
    return s.select(null, s.div(x, y), whole), s.select(null, s.fmod(x, y), rest)


def _truncated(s: Any, x: Any, y: Any) -> Any:
    if not _whole(x):
        return s.fmod(x, y)
    safe, null, _minus = _divisor(s, x, y)
    return s.select(null, 0, s.trem(x, safe))


def _power(s: Any, x: Any, p: Any) -> Any:
    """NumPy's power; small whole exponents that are known are products, as NumPy's fast paths are."""
    if hasattr(x, "re"):
        raise NotImplementedError("power of complex numbers")
    if _whole(x):
        return _whole_power(s, x, p)
    known = p.data if p.op == "const" else None
    if known == 2:
        return s.mul(x, x)
    if known == 1:
        return x
    if known == 0:
        return s.like(1, x)
    if known == -1:
        return s.div(1, x)
    if known == 0.5:  # pow(-0.0, 0.5) is 0.0 and pow(-inf, 0.5) is inf
        return s.pow(x, p)
    return s.pow(x, p)


def _whole_power(s: Any, x: Any, p: Any) -> Any:
    """By squaring, for an exponent that is known; NumPy refuses negative ones, so they are left to it."""
    if p.op != "const" or not 0 <= p.data <= 64 or x.type == "bool":
        raise NotImplementedError("power of integers")
    y, n = s.like(1, x), p.data
    while n:
        if n & 1:
            y = s.mul(y, x)
        x, n = s.mul(x, x), n >> 1
    return y


def _next(s: Any, x: Any, y: Any) -> Any:
    """The neighbour of x towards y: one more or one less, read as a whole number."""
    wide = "i64" if x.type == "f64" else "i32"
    bits = s.bits(x, wide)
    away = s.eq(s.gt(y, x), s.gt(x, 0))  # from zero
    moved = s.bits(s.select(away, s.add(bits, 1), s.sub(bits, 1)), x.type)
    least = s.copysign(s.bits(s.like(1, bits), x.type), y)
    found = s.select(s.eq(x, 0), least, moved)
    return s.select(s.eq(x, y), y, s.select(s.or_(s.isnan(x), s.isnan(y)), s.add(x, y), found))


def _exponent(s: Any, x: Any) -> Any:
    """From the bits, of subnormal numbers after scaling; 0 of zero and of what is not finite."""
    wide, bits, bias, high = ("i64", 52, 1022, 0x7FF) if x.type == "f64" else ("i32", 23, 126, 0xFF)
    size = s.abs(x)
    tiny = s.lt(size, 2.0 ** (1 - bias))
    scaled = s.select(tiny, s.mul(size, 2.0**60), size)
    raw = s.shr(s.bits(scaled, wide), s.like(bits, s.bits(scaled, wide)))
    power = s.sub(raw, s.select(tiny, s.like(bias + 60, raw), bias))
    none = s.or_(s.eq(size, 0), s.eq(raw, high))
    return s.w.op("cast", s.select(none, 0, power), type="i32")


def _ldexp(s: Any, x: Any, n: Any) -> Any:
    """x 2ⁿ in three steps, each a power of two that is a number."""
    wide, bias, bits = ("i64", 1023, 52) if x.type == "f64" else ("i32", 127, 23)
    n = s.w.op("cast", n, type=wide)
    reach = 2 * bias + bits
    n = s.select(s.gt(n, reach), reach, s.select(s.lt(n, -reach), s.like(-reach, n), n))
    third = s.tdiv(n, s.like(3, n))
    rest = s.sub(s.sub(n, third), third)
    for part in (third, third, rest):
        power = s.bits(s.shl(s.add(part, bias), s.like(bits, n)), x.type)
        x = s.mul(x, power)
    return x


class Convert(Linear):
    """`convert[dtype](x)`: another dtype; its transpose converts back."""

    name = "convert"
    dense_tangents = False

    def typeof(self, x: ArrayType, *, dtype: Any) -> ArrayType:
        return ArrayType.of(x.shape, dtype)

    def eval(self, x: Any, *, dtype: Any) -> Any:
        if x.dtype.kind == "c" and dtype.kind not in "cb":
            x = x.real
        return x.astype(dtype)

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, dtype: Any) -> Values:
        return (self(dxs[0], dtype=dtype) if dtype.kind in "fc" else None,)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, dtype: Any
    ) -> Values:
        return (self(gs[0], dtype=args[0].dtype),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, dtype: Any) -> Any:
        return self(x, dtype=dtype)

    def bound(self, ys: Values, xs: Values, rs: Values, *, dtype: Any) -> Values:
        (y,), (x,), (r,) = ys, xs, rs
        if r is not None:
            if dtype.kind in "iu" and x.dtype.kind == "f":  # the numbers between are cut off
                r = np.floor(np.abs(x) + r) - np.floor(np.abs(x) - r)
            elif dtype.kind == "b":
                return (touches(x, r) if x.dtype.kind != "b" else r,)
            r = r.astype(real_of(y))
        if dtype.kind in "fc" and not np.can_cast(x.dtype, dtype):
            return (plus(r, lost(y)),)
        return (r,)

    def lower(self, k: Any, x: Any, *, dtype: Any) -> Any:
        return k.cast(x, dtype)


convert = Convert()


class ComplexPart(Linear):
    """Real part, imaginary part or conjugate: linear over the reals.

    The transposes are those of the bilinear pairing: `real` gives back g, `imag` gives -i g.
    """

    dense_tangents = False

    def __init__(self, name: str, part: Any, transposed: Any) -> None:
        self.name, self.part, self.transposed = name, part, transposed

    def typeof(self, x: ArrayType) -> ArrayType:
        return ArrayType.of(x.shape, self.part(np.zeros((), x.dtype)).dtype)

    def eval(self, x: Any) -> Any:
        return self.part(x)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return (self.transposed(gs[0], args[0].dtype),)

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        return rs

    def batch(self, batched: tuple[bool, ...], x: Any) -> Any:
        return self(x)

    def lower(self, k: Any, x: Any) -> Any:
        t = self.typeof(ArrayType.of(x.shape, x.dtype))
        return k.map(_PART[self.name], x, dtype=t.dtype)


def _conjugate(s: Any, z: Any) -> Any:
    return type(z)(z.re, s.neg(z.im)) if hasattr(z, "re") else z


_PART = {
    "real": lambda s, z: z.re if hasattr(z, "re") else z,
    "imag": lambda s, z: z.im if hasattr(z, "re") else s.like(0, z),
    "conj": _conjugate,
}
real = ComplexPart("real", np.real, lambda g, dtype: convert(g, dtype=dtype))
imag = ComplexPart("imag", np.imag, lambda g, dtype: -1j * convert(g, dtype=dtype))
conj = ComplexPart("conj", np.conjugate, lambda g, dtype: conj(g))


class Modulus(Linear):
    """`modulus(z) = |z|` of a complex array; the slope in direction dz is Re(conj(z) dz) / |z|, 0 at 0."""

    name = "modulus"

    def reads(self, wanted: tuple[bool, ...]) -> Any:
        return True, True

    def typeof(self, x: ArrayType) -> ArrayType:
        return ArrayType.of(x.shape, np.zeros((), x.dtype).real.dtype)

    def eval(self, x: Any) -> Any:
        return np.absolute(x)

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (dx,), (x,), (y,) = dxs, xs, ys
        unit = x / np.where(y == 0, 1, y)
        return (real(conj(unit) * dx),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (x,), (y,) = gs, xs, ys
        return (scale(convert(g, dtype=type_of(x).dtype), conj(x / np.where(y == 0, 1, y))),)

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        return (plus(rs[0], lost(ys[0], 2)),)

    def batch(self, batched: tuple[bool, ...], x: Any) -> Any:
        return self(x)

    def lower(self, k: Any, x: Any) -> Any:
        t = self.typeof(ArrayType.of(x.shape, x.dtype))
        return k.map(lambda s, z: s.hypot(z.re, z.im), x, dtype=t.dtype)


modulus = Modulus()
