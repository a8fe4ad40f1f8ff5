"""Scalars: what a formula computes with. Real numbers are values of loop code, complex ones pairs.

A formula is a function `(s, *xs)` of this and scalars. Python numbers among the arguments take the
type of the others. Whatever a name means here, it means for LLVM and for C++.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.backends.code import ARITHMETIC, COMPARISONS, MATH, SPECIAL, TYPE_OF_DTYPE, Value
from wengert.backends.writer import Writer

# the parts of complex numbers
PARTS = {np.dtype(np.complex128): "f64", np.dtype(np.complex64): "f32"}


class NoLowering(NotImplementedError):
    """There is no formula: the equation is a call-back."""


class Pair:
    """A complex number."""

    __slots__ = ("im", "re")

    def __init__(self, re: Value, im: Value) -> None:
        self.re, self.im = re, im


Scalar = Any  # Value | Pair


def scalar_type(dtype: np.dtype[Any]) -> str:
    """The loop code's type of the (real or imaginary part of) elements of a dtype."""
    found = TYPE_OF_DTYPE.get(dtype) or PARTS.get(dtype)
    if found is None:
        raise NoLowering(f"dtype {dtype}")
    return found


class Scalars:
    """The vocabulary of formulas."""

    def __init__(self, writer: Writer) -> None:
        self.w = writer

    # ---- numbers --------------------------------------------------------------------------------
    def number(self, value: Any, dtype: np.dtype[Any]) -> Scalar:
        """A constant of a dtype."""
        if dtype in PARTS:
            value = complex(value)
            part = PARTS[dtype]
            return Pair(self.w.const(value.real, part), self.w.const(value.imag, part))
        return self.w.const(value, scalar_type(dtype))

    def like(self, value: Any, x: Scalar) -> Scalar:
        """A Python number of the type of x; scalars as they are."""
        if value.__class__ is Value or value.__class__ is Pair:
            return value
        if x.__class__ is Pair:
            value = complex(value)
            part = x.re.type
            return Pair(self.w.const(value.real, part), self.w.const(value.imag, part))
        return self.w.const(value, x.type)

    def lifted(self, args: tuple[Any, ...]) -> tuple[Scalar, ...]:
        """Python numbers take the type of the first scalar; of a pair and a real, both are pairs."""
        first = next(a for a in args if a.__class__ is Pair or a.__class__ is Value)
        for a in args:
            if a.__class__ is Pair:
                first = a
        found = tuple(self.like(a, first) for a in args)
        if first.__class__ is Pair:
            zero = self.w.const(0, first.re.type)
            found = tuple(a if a.__class__ is Pair else Pair(a, zero) for a in found)
        return found

    # ---- operations -----------------------------------------------------------------------------
    def call(self, name: str, *args: Any) -> Scalar:
        """The operation of this name."""
        for a in args:
            if a.__class__ is not Value:
                break
        else:
            if (
                name in ARITHMETIC
                or name in COMPARISONS
                or name in MATH
                or name.startswith(SPECIAL)
            ):
                return self.w.op(name, *args)
            args = tuple(args)
        method = getattr(self, name, None)
        if method is None:
            args = self.lifted(args)
            if args[0].__class__ is Pair:
                raise NoLowering(f"{name} of complex numbers")
            if not (
                name in ARITHMETIC
                or name in COMPARISONS
                or name in MATH
                or name.startswith(SPECIAL)
            ):
                raise NoLowering(name)
            return self.w.op(name, *args)
        return method(*args)

    def __getattr__(self, name: str) -> Callable[..., Scalar]:
        base = name[:-1] if name in ("and_", "or_", "not_") else name
        if base in ARITHMETIC or base in COMPARISONS or base in MATH or base.startswith(SPECIAL):
            return self._plain(name, base)
        raise AttributeError(name)

    def _plain(self, name: str, base: str) -> Callable[..., Scalar]:
        op = self.w.op

        def operation(*args: Any) -> Scalar:
            for a in args:
                if a.__class__ is not Value:
                    args = self.lifted(args)
                    break
            if args[0].__class__ is Pair:
                formula = COMPLEX.get(base)
                if formula is None:
                    raise NoLowering(f"{base} of complex numbers")
                return formula(self, *args)
            return op(base, *args)

        self.__dict__[name] = operation
        return operation

    def select(self, c: Any, x: Any, y: Any) -> Scalar:
        """x where c, else y."""
        x, y = self.lifted((x, y))
        if x.__class__ is Pair:
            return Pair(self.select(c, x.re, y.re), self.select(c, x.im, y.im))
        return self.w.op("select", self.truth(c), x, y)

    def truth(self, x: Scalar) -> Scalar:
        """Is it not zero? (nan is true)."""
        if x.__class__ is Pair:
            return self.or_(self.truth(x.re), self.truth(x.im))
        return x if x.type == "bool" else self.w.op("ne", x, self.w.const(0, x.type))

    def cast(self, x: Scalar, dtype: np.dtype[Any]) -> Scalar:
        """NumPy's astype; of a complex number to a real one its real part."""
        if dtype in PARTS:
            part = PARTS[dtype]
            if x.__class__ is Pair:
                return Pair(self.w.op("cast", x.re, type=part), self.w.op("cast", x.im, type=part))
            return Pair(self.w.op("cast", x, type=part), self.w.const(0, part))
        to = scalar_type(dtype)
        if x.__class__ is Pair:
            return self.truth(x) if to == "bool" else self.w.op("cast", x.re, type=to)
        return self.truth(x) if to == "bool" else self.w.op("cast", x, type=to)

    def bits(self, x: Value, type: str) -> Value:
        """The same bits as another type."""
        return self.w.op("bits", x, type=type)

    def isnan(self, x: Scalar) -> Scalar:
        """Is it not a number?"""
        if x.__class__ is Pair:
            return self.or_(self.isnan(x.re), self.isnan(x.im))
        return self.w.op("ne", x, x) if x.type[0] == "f" else self.w.const(False, "bool")

    def maximum(self, x: Any, y: Any) -> Scalar:
        """The larger one; nan if one is nan, as NumPy."""
        x, y = self.lifted((x, y))
        if x.__class__ is Pair:
            raise NoLowering("maximum of complex numbers")
        if x.type[0] != "f":
            return self.select(self.ge(x, y), x, y) if x.type != "bool" else self.or_(x, y)
        return self.select(self.or_(self.ge(x, y), self.isnan(x)), x, y)

    def minimum(self, x: Any, y: Any) -> Scalar:
        """The smaller one; nan if one is nan, as NumPy."""
        x, y = self.lifted((x, y))
        if x.__class__ is Pair:
            raise NoLowering("minimum of complex numbers")
        if x.type[0] != "f":
            return self.select(self.le(x, y), x, y) if x.type != "bool" else self.and_(x, y)
        return self.select(self.or_(self.le(x, y), self.isnan(x)), x, y)

    def special(self, name: str, *xs: Any) -> Scalar:
        """A function of `scipy.special` on doubles; floats are widened for it."""
        from wengert.backends import specials

        xs = self.lifted(xs)
        if xs[0].__class__ is Pair:
            routine = specials.routine(f"{SPECIAL}{name}.re")
            if routine is None or xs[0].re.type != "f64":
                raise NoLowering(name)
            parts: list[Value] = []
            for x, letter in zip(xs, routine.takes, strict=True):
                parts += [x.re, x.im] if letter == "z" else [x.re]
            return Pair(*(self.w.op(f"{SPECIAL}{name}.{p}", *parts) for p in ("re", "im")))
        if specials.routine(SPECIAL + name) is None:
            raise NoLowering(name)
        wide = [self.w.op("cast", x, type="f64") for x in xs]
        return self.w.op("cast", self.w.op(SPECIAL + name, *wide), type=xs[-1].type)

    def widened(self, formula: Any, xs: tuple[Any, ...]) -> Scalar:
        """A formula whose steps would lose digits of floats: computed in doubles."""
        if any(x.__class__ is Pair or x.type != "f32" for x in xs):
            return self.call(formula, *xs) if isinstance(formula, str) else formula(self, *xs)
        wide = tuple(self.w.op("cast", x, type="f64") for x in xs)
        return self.w.op("cast", self.widened(formula, wide), type="f32")

    def polynomial(self, x: Scalar, coefficients: list[float]) -> Scalar:
        """By Horner; the constant coefficient first."""
        total = self.like(coefficients[-1], x)
        for c in coefficients[-2::-1]:
            total = self.fma(total, x, c)
        return total

    def combine(self, op: str, x: Scalar, y: Scalar) -> Scalar:
        """Two values of a reduction."""
        if op == "max":
            return self.maximum(x, y)
        if op == "min":
            return self.minimum(x, y)
        if x.__class__ is Value and x.type == "bool" and op in ("add", "mul"):
            op = "or" if op == "add" else "and"
        return getattr(self, op + "_" if op in ("and", "or") else op)(x, y)

    def identity(self, op: str, dtype: np.dtype[Any]) -> Scalar:
        """What changes nothing in a reduction."""
        if op in ("max", "min"):
            if dtype.kind == "f":
                value: Any = -math.inf if op == "max" else math.inf
            elif dtype.kind == "b":
                value = op == "min"
            else:
                info = np.iinfo(dtype)
                value = info.min if op == "max" else info.max
            return self.number(value, dtype)
        return self.number(1 if op in ("mul", "and") else 0, dtype)


# ---- complex arithmetic, as NumPy's -------------------------------------------------------------------


def _mul(s: Scalars, a: Pair, b: Pair) -> Pair:
    return Pair(
        s.sub(s.mul(a.re, b.re), s.mul(a.im, b.im)), s.add(s.mul(a.re, b.im), s.mul(a.im, b.re))
    )


def _div(s: Scalars, a: Pair, b: Pair) -> Pair:
    """Smith's way: nothing overflows before the quotient does."""
    wide = s.ge(s.abs(b.re), s.abs(b.im))
    null = s.and_(s.eq(b.re, 0), s.eq(b.im, 0))
    big, small = s.select(wide, b.re, b.im), s.select(wide, b.im, b.re)
    ratio = s.div(small, big)
    size = s.div(1, s.add(big, s.mul(small, ratio)))
    x, y = s.select(wide, a.re, a.im), s.select(wide, a.im, a.re)
    re = s.mul(s.add(x, s.mul(y, ratio)), size)
    away, back = s.sub(a.im, s.mul(a.re, ratio)), s.sub(s.mul(a.im, ratio), a.re)
    im = s.mul(s.select(wide, away, back), size)
    least = s.abs(b.re)
    return Pair(s.select(null, s.div(a.re, least), re), s.select(null, s.div(a.im, least), im))


def _exp(s: Scalars, z: Pair) -> Pair:
    size = s.exp(z.re)
    real = s.eq(z.im, 0)
    return Pair(
        s.select(real, size, s.mul(size, s.cos(z.im))),
        s.select(real, z.im, s.mul(size, s.sin(z.im))),
    )


def _log(s: Scalars, z: Pair) -> Pair:
    """Near |z| = 1 the logarithm of the length would cancel."""
    x, y = s.abs(z.re), s.abs(z.im)
    big, small = s.maximum(x, y), s.minimum(x, y)
    near = s.and_(s.gt(big, 0.5), s.lt(big, 2))
    square = s.fma(s.sub(big, 1), s.add(big, 1), s.mul(small, small))
    length = s.select(near, s.mul(0.5, s.log1p(square)), s.log(s.hypot(x, y)))
    return Pair(length, s.atan2(z.im, z.re))


def _sqrt(s: Scalars, z: Pair) -> Pair:
    """The half with positive real part; scaled, so that nothing overflows."""
    x, y = s.abs(z.re), s.abs(z.im)
    size = s.hypot(s.mul(x, 0.25), s.mul(y, 0.25))
    t = s.mul(s.sqrt(s.add(s.mul(x, 0.125), s.mul(size, 0.5))), 2)
    safe = s.select(s.eq(t, 0), 1, t)
    other = s.div(s.mul(y, 0.5), safe)
    right = s.ge(z.re, 0)
    return Pair(s.select(right, t, other), s.copysign(s.select(right, other, t), z.im))


def _sin(s: Scalars, z: Pair) -> Pair:
    return Pair(s.mul(s.sin(z.re), s.cosh(z.im)), s.mul(s.cos(z.re), s.sinh(z.im)))


def _cos(s: Scalars, z: Pair) -> Pair:
    return Pair(s.mul(s.cos(z.re), s.cosh(z.im)), s.neg(s.mul(s.sin(z.re), s.sinh(z.im))))


def _sinh(s: Scalars, z: Pair) -> Pair:
    return Pair(s.mul(s.sinh(z.re), s.cos(z.im)), s.mul(s.cosh(z.re), s.sin(z.im)))


def _cosh(s: Scalars, z: Pair) -> Pair:
    return Pair(s.mul(s.cosh(z.re), s.cos(z.im)), s.mul(s.sinh(z.re), s.sin(z.im)))


def _less(s: Scalars, a: Pair, b: Pair) -> Scalar:
    """NumPy's order: by real parts, then by imaginary ones."""
    return s.or_(s.lt(a.re, b.re), s.and_(s.eq(a.re, b.re), s.lt(a.im, b.im)))


COMPLEX: dict[str, Callable[..., Any]] = {
    "add": lambda s, a, b: Pair(s.add(a.re, b.re), s.add(a.im, b.im)),
    "sub": lambda s, a, b: Pair(s.sub(a.re, b.re), s.sub(a.im, b.im)),
    "mul": _mul,
    "div": _div,
    "neg": lambda s, a: Pair(s.neg(a.re), s.neg(a.im)),
    "fma": lambda s, a, b, c: s.add(s.mul(a, b), c),
    "eq": lambda s, a, b: s.and_(s.eq(a.re, b.re), s.eq(a.im, b.im)),
    "ne": lambda s, a, b: s.or_(s.ne(a.re, b.re), s.ne(a.im, b.im)),
    "lt": _less,
    "gt": lambda s, a, b: _less(s, b, a),
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "sin": _sin,
    "cos": _cos,
    "sinh": _sinh,
    "cosh": _cosh,
}


class Numbers:
    """Stands in for a writer where numbers are wanted as they are."""

    def const(self, value: Any, type: str) -> Any:
        return value
