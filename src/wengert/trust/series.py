"""Series that were cut off: a polynomial that begins like a known function, far from where it ends like it.

The derivative of such a program is exactly that of the polynomial. Whoever wrote
x - x³/6 + x⁵/120 means another function, and at x = 2 another slope; it can be seen from the coefficients alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Eqn, Program
from wengert.trust.question import Recorded

CAUSE = "truncated series"
_TERMS = 3  # so many coefficients, two of them telling, make a series
_PLAIN = {Fraction(0), *(Fraction(s * n, d) for s in (1, -1) for n, d in ((1, 1), (1, 2), (2, 1)))}
_HIGHEST = 60
_ALLOWED = frozenset(["add", "sub", "mul", "div", "neg", "square", "power", "convert"])

Poly = dict[int, Fraction]


def _factorial(k: int) -> Fraction:
    return Fraction(1, math.factorial(k))


# coefficient k, and the slope of what the series stands for
_KNOWN: list[tuple[str, Callable[[int], Fraction], Callable[[float], float]]] = [
    ("exp", _factorial, math.exp),
    ("sin", lambda k: _factorial(k) * (0, 1, 0, -1)[k % 4], math.cos),
    ("cos", lambda k: _factorial(k) * (1, 0, -1, 0)[k % 4], lambda x: -math.sin(x)),
    ("sinh", lambda k: _factorial(k) * (k % 2), math.cosh),
    ("cosh", lambda k: _factorial(k) * (1 - k % 2), math.sinh),
    ("log1p", lambda k: Fraction((-1) ** (k + 1), k) if k else Fraction(0), lambda x: 1 / (1 + x)),
    ("arctan", lambda k: Fraction((0, 1, 0, -1)[k % 4], max(k, 1)), lambda x: 1 / (1 + x * x)),
    ("arctanh", lambda k: Fraction(k % 2, max(k, 1)), lambda x: 1 / (1 - x * x)),
]


def cause(recorded: Recorded, leaf: int, tolerance: float) -> str:
    """The cause, where a function of one number is a series cut off and its slope is off; else ""."""
    program = recorded.program
    if not possible(recorded, leaf):
        return ""
    poly = _polynomial(program)
    if poly is None:
        return ""
    x = float(recorded.args[0])
    for _, coefficient, slope in _KNOWN:
        scale = _scale(poly, coefficient)
        if scale is None:
            continue
        try:
            meant = float(scale) * slope(x)
            own = float(sum(k * c * Fraction(x) ** (k - 1) for k, c in poly.items() if k))
        except (OverflowError, ZeroDivisionError):
            return CAUSE
        if not abs(own - meant) <= tolerance * abs(meant):
            return CAUSE
    return ""


def possible(recorded: Recorded, leaf: int) -> bool:
    """Is it a polynomial of one number?"""
    program = recorded.program
    lone = recorded.movers == 1 and leaf == 0 and len(program.outputs) == 1
    if not lone or program.inputs[0].type.shape != () or len(program.inputs) != 1:
        return False
    return all(e.prim.name in _ALLOWED for e in program.eqns)


def _scale(poly: Poly, coefficient: Callable[[int], Fraction]) -> Fraction | None:
    """The factor between a polynomial and the beginning of a series; None if it is none."""
    top = max(poly)
    terms = [k for k in range(top + 1) if coefficient(k)]
    if len(terms) < _TERMS or any(k not in terms for k in poly):
        return None
    first = terms[0]
    if first not in poly:
        return None
    scale = poly[first] / coefficient(first)
    telling = 0
    for k in terms:
        if k not in poly or abs(poly[k] / (scale * coefficient(k)) - 1) > Fraction(1, 10**6):
            return None
        telling += coefficient(k) not in _PLAIN
    return scale if telling >= 2 else None


def _polynomial(program: Program) -> Poly | None:
    """The output as a polynomial of the input, with exact coefficients; None if it is none."""

    def step(eqn: Eqn, ins: Sequence[Any]) -> Any:
        xs = [
            {0: Fraction(float(v))} if isinstance(a, Const) else v
            for a, v in zip(eqn.inputs, ins, strict=True)
        ]
        if any(x is None for x in xs):
            return None
        return _applied(eqn.prim.name, xs)

    try:
        (found,) = evaluate(program, [{1: Fraction(1)}], arithmetic=step)
    except (OverflowError, ValueError):  # a constant that is no number
        return None
    return found if isinstance(found, dict) and found and max(found) <= _HIGHEST else None


def _applied(name: str, xs: list[Any]) -> Poly | None:
    x = xs[0]
    if name == "convert":
        return x  # type: ignore[no-any-return]
    if name == "neg":
        return {k: -c for k, c in x.items()}
    if name == "square":
        return _product(x, x)
    y = xs[1]
    if name in ("add", "sub"):
        sign = 1 if name == "add" else -1
        total = {k: x.get(k, 0) + sign * y.get(k, 0) for k in {*x, *y}}
        return {k: Fraction(c) for k, c in total.items() if c}
    if name == "mul":
        return _product(x, y)
    if set(y) != {0}:
        return None
    if name == "div":
        return {k: c / y[0] for k, c in x.items()}
    n = y[0]
    if n.denominator != 1 or not 0 <= n <= _HIGHEST:
        return None
    result: Poly | None = {0: Fraction(1)}
    for _ in range(int(n)):
        result = None if result is None else _product(result, x)
    return result


def _product(x: Poly, y: Poly) -> Poly | None:
    if not x or not y:
        return {}
    if max(x) + max(y) > _HIGHEST:
        return None
    total: Poly = {}
    for i, a in x.items():
        for j, b in y.items():
            total[i + j] = total.get(i + j, Fraction(0)) + a * b
    return {k: c for k, c in total.items() if c}
