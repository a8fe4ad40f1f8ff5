"""Sums, products and quotients as one quotient of polynomials, in which what cancels has gone.

`1/x - 1/(x+1)` is `1 / (x (x+1))`, `(x+1)² - x²` is `2x + 1`: the coefficients are fractions, so
nothing is rounded on the way. Polynomials come back in Horner's form.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from wengert.ir.program import Const
from wengert.ops.arithmetic import add, div, mul, neg, power, reciprocal, square, sub
from wengert.ops.shape import broadcast, reshape
from wengert.rewrites.match import Definitions, number
from wengert.rewrites.modulo import Seen, moved

_SYMBOLS, _DEGREE, _TERMS = 4, 8, 24

Monomial = tuple[int, ...]


class TooLarge(Exception):
    """More symbols, degrees or terms than are worth it."""


class Polynomial:
    """Coefficients by exponents; `cancelled` counts the terms that have met their negative."""

    __slots__ = ("cancelled", "terms")

    def __init__(self, terms: dict[Monomial, Fraction], cancelled: int = 0) -> None:
        self.cancelled = cancelled + sum(c == 0 for c in terms.values())
        self.terms = {m: c for m, c in terms.items() if c != 0}
        if len(self.terms) > _TERMS or any(sum(m) > _DEGREE for m in self.terms):
            raise TooLarge

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = dict(self.terms)
        for m, c in other.terms.items():
            terms[m] = terms.get(m, Fraction(0)) + c
        return Polynomial(terms, self.cancelled + other.cancelled)

    def __neg__(self) -> Polynomial:
        return Polynomial({m: -c for m, c in self.terms.items()}, self.cancelled)

    def __mul__(self, other: Polynomial) -> Polynomial:
        terms: dict[Monomial, Fraction] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                key = tuple(a + b for a, b in zip(m, n, strict=True))
                terms[key] = terms.get(key, Fraction(0)) + c * d
        return Polynomial(terms, self.cancelled + other.cancelled)


_ZERO = (0,) * _SYMBOLS


def _constant(value: Fraction) -> Polynomial:
    return Polynomial({_ZERO: value})


class Quotient:
    """Numerator over denominator."""

    __slots__ = ("above", "below")

    def __init__(self, above: Polynomial, below: Polynomial) -> None:
        self.above, self.below = above, below

    def plus(self, other: Quotient) -> Quotient:
        """The sum; equal denominators stay one."""
        if self.below.terms == other.below.terms:
            return Quotient(self.above + other.above, self.below)
        above = self.above * other.below + other.above * self.below
        return Quotient(above, self.below * other.below)

    def times(self, other: Quotient) -> Quotient:
        """The product."""
        return Quotient(self.above * other.above, self.below * other.below)

    def inverse(self) -> Quotient:
        """One over it."""
        return Quotient(self.below, self.above)


class Reader:
    """A value of a program as a quotient over the values that it is made of."""

    def __init__(self, defined: Definitions) -> None:
        self.defined = defined
        self.symbols: list[Seen] = []

    def read(self, seen: Seen, depth: int = 12) -> Quotient:
        """Raises TooLarge where it is more than worth it."""
        atom, way = seen
        value = number(atom, self.defined)
        if value is not None:
            if value.dtype.kind not in "fiu" or not np.isfinite(value):
                raise TooLarge
            return Quotient(_constant(Fraction(float(value))), _constant(Fraction(1)))
        eqn = self.defined.get(atom)
        if eqn is not None and depth > 0:
            if eqn.prim in (broadcast, reshape):
                inner = Seen(eqn.inputs[0], ((eqn.prim, tuple(eqn.params.items())), *way))
                return self.read(inner, depth)
            parts = [Seen(a, way) for a in eqn.inputs]

            def step(k: int) -> Quotient:
                return self.read(parts[k], depth - 1)

            if eqn.prim is add:
                return step(0).plus(step(1))
            if eqn.prim is sub:
                return step(0).plus(_minus(step(1)))
            if eqn.prim is mul:
                return step(0).times(step(1))
            if eqn.prim is neg:
                return _minus(step(0))
            if eqn.prim is square:
                inside = step(0)
                return inside.times(inside)
            if eqn.prim is div:
                return step(0).times(step(1).inverse())
            if eqn.prim is reciprocal:
                return step(0).inverse()
            if eqn.prim is power:
                p = number(eqn.inputs[1], self.defined)
                if p is not None and p == int(p) and 2 <= abs(p) <= 6:
                    base = step(0) if p > 0 else step(0).inverse()
                    found = base
                    for _ in range(int(abs(p)) - 1):
                        found = found.times(base)
                    return found
        if seen not in self.symbols:
            if len(self.symbols) == _SYMBOLS:
                raise TooLarge
            self.symbols.append(seen)
        key = [0] * _SYMBOLS
        key[self.symbols.index(seen)] = 1
        return Quotient(Polynomial({tuple(key): Fraction(1)}), _constant(Fraction(1)))


def _minus(q: Quotient) -> Quotient:
    return Quotient(-q.above, q.below)


def cancelled(seen: Seen, defined: Definitions, dtype: Any, emit: Callable[..., Any]) -> Any:
    """The value written anew as one quotient, if terms cancel in it; else None."""
    reader = Reader(defined)
    try:
        found = reader.read(seen)
    except (TooLarge, OverflowError, ValueError):
        return None
    if not found.above.cancelled or not found.above.terms:
        return None
    above, below = _reduced(found.above.terms, found.below.terms)
    write = _Writer(reader.symbols, dtype, emit)
    try:
        top = write(above)
        if below == {_ZERO: Fraction(1)}:
            return top
        return emit(div, top, write(below))
    except TooLarge:
        return None


def _reduced(above: Any, below: Any) -> tuple[Any, Any]:
    """Without common powers of symbols, and with 1 before the leading term below."""
    least = [min(m[k] for m in (*above, *below)) for k in range(_SYMBOLS)]
    lead = below[max(below)]

    def lower(terms: dict[Monomial, Fraction]) -> dict[Monomial, Fraction]:
        return {
            tuple(e - d for e, d in zip(m, least, strict=True)): c / lead for m, c in terms.items()
        }

    return lower(above), lower(below)


class _Writer:
    """Polynomials as equations, in Horner's form."""

    def __init__(self, symbols: list[Seen], dtype: Any, emit: Callable[..., Any]) -> None:
        self.symbols, self.dtype, self.emit = symbols, dtype, emit

    def __call__(self, terms: dict[Monomial, Fraction]) -> Any:
        if not terms:
            return self.number(Fraction(0))
        if set(terms) == {_ZERO}:
            return self.number(terms[_ZERO])
        counts = [sum(m[k] > 0 for m in terms) for k in range(_SYMBOLS)]
        k = counts.index(max(counts))
        inside: dict[Monomial, Fraction] = {}
        rest: dict[Monomial, Fraction] = {}
        for m, c in terms.items():
            if m[k]:
                inside[(*m[:k], m[k] - 1, *m[k + 1 :])] = c
            else:
                rest[m] = c
        symbol = moved(*self.symbols[k], self.emit)
        if set(inside) == {_ZERO} and abs(inside[_ZERO]) == 1:
            product, sign = symbol, inside[_ZERO]
        else:
            product, sign = self.emit(mul, symbol, self(inside)), Fraction(1)
        if not rest:
            return product if sign == 1 else self.emit(neg, product)
        return self.emit(add, self(rest), product) if sign == 1 else self.emit(sub, self(rest), product)  # fmt: skip

    def number(self, value: Fraction) -> Any:
        """A coefficient; it must be a number of the format."""
        found = self.dtype.type(float(value))
        if Fraction(float(found)) != value:
            raise TooLarge
        return Const(found)
