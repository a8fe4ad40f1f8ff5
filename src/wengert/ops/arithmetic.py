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
reciprocal = Elementwise(np.reciprocal, lambda y, x: -y * y)
square = Elementwise(np.square, lambda y, x: 2 * x)
sqrt = Elementwise(np.sqrt, lambda y, x: 0.5 / y)
cbrt = Elementwise(np.cbrt, lambda y, x: 1 / (3 * y * y))
absolute = Elementwise(
    np.absolute, along(lambda g, y, x: np.where(x == 0, 0, np.where(x < 0, -g, g))), name="abs"
)
sign = Elementwise(np.sign, None)
fabs = Elementwise(np.fabs, along(lambda g, y, x: np.where(x == 0, 0, np.where(x < 0, -g, g))))
# at the exponent 0 the slope is 0 for every base; 0^p does not move with p
_powers = (
    lambda z, x, p: scale(p, x ** (p - 1)),
    along(lambda g, z, x, p: np.where(x == 0, 0, scale(g, scale(z, np.log(x))))),
)
power = Elementwise(np.power, *_powers)
float_power = Elementwise(np.float_power, *_powers)
# x % y = x - floor(x/y) y, fmod truncates: almost everywhere the quotient is constant
mod = Elementwise(np.remainder, 1, lambda z, x, y: -np.floor_divide(x, y), name="mod")
fmod = Elementwise(np.fmod, 1, lambda z, x, y: -np.trunc(x / y))
ldexp = Elementwise(np.ldexp, along(lambda g, y, x, n: np.ldexp(g, n)), None)
floor_divide = Elementwise(np.floor_divide, None, None)
floor = Elementwise(np.floor, None)
ceil = Elementwise(np.ceil, None)
trunc = Elementwise(np.trunc, None)
rint = Elementwise(np.rint, None)


class Convert(Linear):
    """`convert[dtype](x)`: another dtype; its transpose converts back."""

    name = "convert"
    dense_tangents = False

    def typeof(self, x: ArrayType, *, dtype: Any) -> ArrayType:
        return ArrayType.of(x.shape, dtype)

    def eval(self, x: Any, *, dtype: Any) -> Any:
        if x.dtype.kind == "c" and dtype.kind != "c":
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


modulus = Modulus()
