"""Ball rules of elementwise operations: one function of single balls per primitive.

The formulas are those of the functions themselves, on real or complex balls. Truth values and
whole numbers that a ball cannot decide are MAYBE.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.trust.balls.number import (
    MAYBE,
    Doubts,
    ball,
    dead,
    equal,
    flint,
    hull,
    less,
    less_equal,
    negated,
    powered,
)

Rule = Callable[..., Any]


def arb(x: Any) -> Any:
    """A real ball."""
    return flint().arb(x)


def is_complex(x: Any) -> bool:
    return x.__class__ is flint().acb


# ---- arithmetic --------------------------------------------------------------------------------------


def _scale(g: Any, slope: Any) -> Any:
    return g if g == 0 else g * slope


def _power(x: Any, p: Any) -> Any:
    if is_complex(x) or is_complex(p):
        return arb(1) if p == 0 else x**p
    if x == 0:  # (Arb leaves 0 to a negative power open, as it must)
        return arb(1) if p == 0 else arb(0) if p > 0 else arb("nan")
    return powered(x, p)


def _cbrt(x: Any) -> Any:
    if x == 0:  # (its root of 0 is not exact)
        return x
    if x >= 0:
        return x.root(3)
    if x < 0:
        return -((-x).root(3))
    high = x.abs_upper().root(3)
    return arb(0).union(high).union(-high)


def _trunc(x: Any) -> Any:
    if x >= 0:
        return x.floor()
    if x < 0:
        return x.ceil()
    return hull(x.floor(), x.ceil())


def _rint(x: Any) -> Any:
    low, high = _rint_exact(x.lower()), _rint_exact(x.upper())
    return low if low == high else low.union(high)


def _rint_exact(x: Any) -> Any:
    """To even at a tie."""
    if not x.is_finite():
        return x
    y = (x + arb(0.5)).floor()
    if y - x == arb(0.5):
        half = (y / 2).floor() * 2
        return half if half == y else y - 1
    return y


def _mod(x: Any, y: Any) -> Any:
    return x - (x / y).floor() * y


def _fmod(x: Any, y: Any) -> Any:
    return x - _trunc(x / y) * y


def _ldexp(x: Any, n: Any) -> Any:
    return arb("nan") if n is MAYBE else x * arb(2) ** int(n)


def _absolute(x: Any) -> Any:
    return abs(x)


def _sign(x: Any) -> Any:
    return x / arb(abs(x)) if is_complex(x) and x != 0 else arb(0) if x == 0 else x.sgn()


def _real(x: Any) -> Any:
    return x.real if is_complex(x) else x


def _imag(x: Any) -> Any:
    return x.imag if is_complex(x) else arb(0)


def _conj(x: Any) -> Any:
    return x.conjugate() if is_complex(x) else x


# ---- exponentials, trigonometry ----------------------------------------------------------------------


def _log(x: Any) -> Any:
    return arb("-inf") if not is_complex(x) and x == 0 else x.log()


def _logaddexp(x: Any, y: Any) -> Any:
    return _log_sum(x, y, lambda t: t.exp(), lambda t: t.log1p())


def _logaddexp2(x: Any, y: Any) -> Any:
    two = arb(2)
    return _log_sum(x, y, lambda t: two**t, lambda t: t.log1p() / two.log())


def _log_sum(x: Any, y: Any, exp: Rule, log1p: Rule) -> Any:
    for a, b in ((x, y), (y, x)):
        if a == arb("-inf"):
            return b
    high, low = (x, y) if x.mid() >= y.mid() else (y, x)
    return high + log1p(exp(low - high))


def _sinc(x: Any) -> Any:
    return x.sinc_pi()


def _hypot(x: Any, y: Any) -> Any:
    return (x * x + y * y).sqrt() if x != 0 or y != 0 else _wide_root(x * x + y * y)


def _wide_root(square: Any) -> Any:
    """The root of something that is not negative, whose ball may reach below 0."""
    return square.nonnegative_part().sqrt()


def _arctan2(y: Any, x: Any) -> Any:
    return flint().arb.atan2(y, x)


# ---- comparison and selection ------------------------------------------------------------------------


def _greater(x: Any, y: Any) -> Any:
    return less(y, x)


def _greater_equal(x: Any, y: Any) -> Any:
    return less_equal(y, x)


def _not_equal(x: Any, y: Any) -> Any:
    return negated(equal(x, y))


def truth(x: Any) -> Any:
    """Is it not zero?"""
    if x is MAYBE or isinstance(x, bool | int | np.bool_ | np.integer):
        return MAYBE if x is MAYBE else bool(x)
    return negated(equal(x, ball(0)))


def _and(x: Any, y: Any) -> Any:
    a, b = truth(x), truth(y)
    return False if a is False or b is False else MAYBE if a is MAYBE or b is MAYBE else True


def _or(x: Any, y: Any) -> Any:
    a, b = truth(x), truth(y)
    return True if a is True or b is True else MAYBE if a is MAYBE or b is MAYBE else False


def _xor(x: Any, y: Any) -> Any:
    a, b = truth(x), truth(y)
    return MAYBE if a is MAYBE or b is MAYBE else a != b


def _not(x: Any) -> Any:
    return negated(truth(x))


def _maximum(x: Any, y: Any) -> Any:
    return x.max(y)


def _minimum(x: Any, y: Any) -> Any:
    return x.min(y)


def select(c: Any, x: Any, y: Any) -> Any:
    """x or y; both where it is undecided."""
    return hull(x, y) if c is MAYBE else x if c else y


def _signbit(x: Any) -> Any:
    return less(x, ball(0))  # balls know no negative zero


def _copysign(x: Any, y: Any) -> Any:
    size = abs(x)
    return select(less(y, ball(0)), -size, size)


def _heaviside(x: Any, h: Any) -> Any:
    if x == 0:
        return h
    return arb(1) if x > 0 else arb(0) if x < 0 else hull(hull(arb(0), arb(1)), h)


def _floor_divide(x: Any, y: Any) -> Any:
    return (x / y).floor()


def _bits(f: Callable[[int, int], int]) -> Rule:
    def rule(x: Any, y: Any) -> Any:
        return MAYBE if x is MAYBE or y is MAYBE else f(x, y)

    return rule


# ---- of cotangents and tangents ------------------------------------------------------------------------
#
# In derivatives, the zero of what was not selected is `dead`: nothing revives it. Any other zero
# that meets an infinite slope leaves a doubt.


def _derived_scale(g: Any, slope: Any) -> Any:
    if g is dead() or slope is dead():
        return dead()
    if g == 0:
        if not slope.is_finite():
            Doubts.count += 1
        return g
    return g * slope


def _derived_select(c: Any, x: Any, y: Any) -> Any:
    if c is MAYBE:
        return hull(x, y)
    chosen, other = (x, y) if c else (y, x)
    if not other.is_finite():
        Doubts.count += 1
    return chosen


def _derived_add(x: Any, y: Any) -> Any:
    return y if x is dead() else x if y is dead() else x + y


def _derived_sub(x: Any, y: Any) -> Any:
    return x if y is dead() else -y if x is dead() else x - y


def _stopping(rule: Rule) -> Rule:
    return lambda x, *y: x if x is dead() else dead() if y and y[0] is dead() else rule(x, *y)


DERIVED: dict[str, Rule] = {
    "scale": _derived_scale,
    "select": _derived_select,
    "add": _derived_add,
    "sub": _derived_sub,
    "neg": _stopping(lambda x: -x),
    "mul": _stopping(lambda x, y: x * y),
    "div": lambda x, y: x if x is dead() else x / y,
}


# by the primitive's name
RULES: dict[str, Rule] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "scale": _scale,
    "stop": lambda x: x,
    "neg": lambda x: -x,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
    "sqrt": lambda x: x.sqrt(),
    "cbrt": _cbrt,
    "abs": _absolute,
    "fabs": _absolute,
    "sign": _sign,
    "power": _power,
    "float_power": _power,
    "mod": _mod,
    "fmod": _fmod,
    "ldexp": _ldexp,
    "floor_divide": _floor_divide,
    "floor": lambda x: x.floor(),
    "ceil": lambda x: x.ceil(),
    "trunc": _trunc,
    "rint": _rint,
    "real": _real,
    "imag": _imag,
    "conj": _conj,
    "modulus": lambda x: arb(abs(x)),
    "exp": lambda x: x.exp(),
    "exp2": lambda x: arb(2) ** x,
    "expm1": lambda x: x.expm1(),
    "log": _log,
    "log2": lambda x: _log(x) / arb(2).log(),
    "log10": lambda x: _log(x) / arb(10).log(),
    "log1p": lambda x: x.log1p(),
    "logaddexp": _logaddexp,
    "logaddexp2": _logaddexp2,
    "sinh": lambda x: x.sinh(),
    "cosh": lambda x: x.cosh(),
    "tanh": lambda x: x.tanh(),
    "arcsinh": lambda x: x.asinh(),
    "arccosh": lambda x: x.acosh(),
    "arctanh": lambda x: x.atanh(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "arcsin": lambda x: x.asin(),
    "arccos": lambda x: x.acos(),
    "arctan": lambda x: x.atan(),
    "arctan2": _arctan2,
    "hypot": _hypot,
    "sinc": _sinc,
    "deg2rad": lambda x: x * flint().arb.pi() / 180,
    "radians": lambda x: x * flint().arb.pi() / 180,
    "rad2deg": lambda x: x * 180 / flint().arb.pi(),
    "degrees": lambda x: x * 180 / flint().arb.pi(),
    "equal": equal,
    "not_equal": _not_equal,
    "less": less,
    "less_equal": less_equal,
    "greater": _greater,
    "greater_equal": _greater_equal,
    "logical_and": _and,
    "logical_or": _or,
    "logical_xor": _xor,
    "logical_not": _not,
    "bitwise_and": _bits(lambda x, y: x & y),
    "bitwise_or": _bits(lambda x, y: x | y),
    "bitwise_xor": _bits(lambda x, y: x ^ y),
    "invert": lambda x: MAYBE if x is MAYBE else not x if isinstance(x, bool | np.bool_) else ~x,
    "left_shift": _bits(lambda x, y: x << y),
    "right_shift": _bits(lambda x, y: x >> y),
    "isfinite": lambda x: True if x.is_finite() else MAYBE,
    "isinf": lambda x: False if x.is_finite() else True if _is_infinite(x) else MAYBE,
    "isnan": lambda x: False if x.is_finite() or _is_infinite(x) else MAYBE,
    "signbit": _signbit,
    "maximum": _maximum,
    "minimum": _minimum,
    "fmax": _maximum,
    "fmin": _minimum,
    "copysign": _copysign,
    "heaviside": _heaviside,
    "select": select,
}


def _is_infinite(x: Any) -> bool:
    return not is_complex(x) and bool(x == arb(math.inf) or x == arb(-math.inf))
