"""Rows that save digits: equal in the reals, better in floats somewhere, worse elsewhere.

None is applied because it looks good: `trust.stabilise` tries each where it matches and keeps it if
balls say that value and derivatives are better at and around the points that were asked for. So a
row may be as bold as the identity allows. Each has its spelling in NumPy, to be pasted.

Sources: Kahan, "Branch cuts for complex elementary functions" (1987) and his lecture notes; Higham,
"Accuracy and Stability of Numerical Algorithms" (2002), chapters 1 and 27; Hamming, "Numerical
Methods for Scientists and Engineers" (1986), chapter 3; and the identities of trigonometry.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from wengert.ops.arithmetic import (
    absolute,
    add,
    cbrt,
    div,
    mul,
    neg,
    power,
    sqrt,
    square,
    sub,
)
from wengert.ops.erf import erf, erfc, erfcx, log_ndtr, ndtr
from wengert.ops.exponential import (
    arcsinh,
    arctanh,
    cosh,
    exp,
    expm1,
    log,
    log1p,
    logaddexp,
    sinh,
    tanh,
)
from wengert.ops.gamma import gammaln
from wengert.ops.logistic import expit, log_expit
from wengert.ops.reduce import centre, length, logsumexp, max_, mean, prod, sum_
from wengert.ops.special import sinc
from wengert.ops.trigonometric import arctan, arctan2, cos, hypot, sin, tan
from wengert.rewrites.modulo import reduced
from wengert.rewrites.rule import constant, wild

x, y, z = wild("x"), wild("y"), wild("z")
c = constant("c")
axes = wild("axes")


class Stable(NamedTuple):
    """`left` may be replaced by `right`; `before` and `after` say it in NumPy, over the wildcards' names."""

    before: str
    after: str
    left: Any
    right: Any

    @property
    def says(self) -> str:
        """The row in words."""
        return f"{self.before} → {self.after}"


_one_less_exp = sub(1.0, exp(x))
_sum_exp = reduced(sum_(exp(x), axes=axes))
_lse = reduced(logsumexp(x, axes=axes))
_shifted = exp(sub(x, reduced(max_(x, axes=axes))))


def _half(a: Any) -> Any:
    return mul(0.5, a)


EXPONENTIALS = [
    Stable("1 / np.exp(x)", "np.exp(-x)", div(1.0, exp(x)), exp(neg(x))),
    Stable("y / np.exp(x)", "y * np.exp(-x)", div(y, exp(x)), mul(y, exp(neg(x)))),
    Stable("np.exp(x) / np.exp(y)", "np.exp(x - y)", div(exp(x), exp(y)), exp(sub(x, y))),
    Stable("np.exp(x) * np.exp(y)", "np.exp(x + y)", mul(exp(x), exp(y)), exp(add(x, y))),
    Stable("np.exp(x) - 1", "np.expm1(x)", sub(exp(x), 1.0), expm1(x)),
    Stable("1 - np.exp(x)", "-np.expm1(x)", _one_less_exp, neg(expm1(x))),
    Stable(
        "np.exp(x) - np.exp(y)", "np.exp(y) * np.expm1(x - y)", sub(exp(x), exp(y)),
        mul(exp(y), expm1(sub(x, y))),
    ),
    Stable("np.exp(x) - np.exp(-x)", "2 * np.sinh(x)", sub(exp(x), exp(neg(x))), mul(2.0, sinh(x))),
    Stable("np.exp(x) + np.exp(-x)", "2 * np.cosh(x)", add(exp(x), exp(neg(x))), mul(2.0, cosh(x))),
    Stable("(np.exp(x) - 2) + np.exp(-x)", "4 * np.sinh(x / 2)**2",
           add(sub(exp(x), 2.0), exp(neg(x))), mul(4.0, square(sinh(_half(x))))),
    Stable("(np.exp(x) + np.exp(-x)) - 2", "4 * np.sinh(x / 2)**2",
           sub(add(exp(x), exp(neg(x))), 2.0), mul(4.0, square(sinh(_half(x))))),
    Stable("np.sinh(x) / np.cosh(x)", "np.tanh(x)", div(sinh(x), cosh(x)), tanh(x)),
    Stable("1 - np.tanh(x)**2", "1 / np.cosh(x)**2", sub(1.0, square(tanh(x))),
           square(div(1.0, cosh(x)))),
    Stable("1 - np.tanh(x)", "2 * expit(-2 * x)", sub(1.0, tanh(x)), mul(2.0, expit(mul(-2.0, x)))),
    Stable("np.cosh(x) - 1", "2 * np.sinh(x / 2)**2", sub(cosh(x), 1.0),
           mul(2.0, square(sinh(_half(x))))),
    Stable("np.cosh(x)**2 - np.sinh(x)**2", "1", sub(square(cosh(x)), square(sinh(x))), 1.0),
]  # fmt: skip

LOGARITHMS = [
    Stable("np.log(1 + x)", "np.log1p(x)", log(add(1.0, x)), log1p(x)),
    Stable("np.log(1 - x)", "np.log1p(-x)", log(sub(1.0, x)), log1p(neg(x))),
    Stable("np.log(x) - np.log(y)", "np.log1p((x - y) / y)", sub(log(x), log(y)),
           log1p(div(sub(x, y), y))),
    Stable("np.log(x / y)", "np.log1p((x - y) / y)", log(div(x, y)), log1p(div(sub(x, y), y))),
    Stable("np.log(x / y)", "np.log(x) - np.log(y)", log(div(x, y)), sub(log(x), log(y))),
    Stable("np.log(x * y)", "np.log(x) + np.log(y)", log(mul(x, y)), add(log(x), log(y))),
    Stable("np.log(x**y)", "y * np.log(x)", log(power(x, y)), mul(y, log(x))),
    Stable("np.log(x**2)", "2 * np.log(np.abs(x))", log(square(x)), mul(2.0, log(absolute(x)))),
    Stable("np.log(np.sqrt(x))", "np.log(x) / 2", log(sqrt(x)), _half(log(x))),
    Stable("np.log(np.cosh(x))", "np.abs(x) + np.log1p(np.expm1(-2 * np.abs(x)) / 2)", log(cosh(x)),
           add(absolute(x), log1p(_half(expm1(mul(-2.0, absolute(x))))))),
    Stable("np.log(np.cosh(x))", "np.log1p(2 * np.sinh(x / 2)**2)", log(cosh(x)),
           log1p(mul(2.0, square(sinh(_half(x)))))),
    Stable("np.log(np.exp(x))", "x", log(exp(x)), x),
    Stable("np.exp(np.log(x))", "x", exp(log(x)), x),
    Stable("np.log(x)", "np.log1p(x - 1)", log(x), log1p(sub(x, 1.0))),
    Stable("np.log(1 + np.exp(x))", "np.logaddexp(0, x)", log(add(1.0, exp(x))), logaddexp(0.0, x)),
    Stable("np.log1p(np.exp(x))", "np.logaddexp(0, x)", log1p(exp(x)), logaddexp(0.0, x)),
    Stable("np.log(np.exp(x) + np.exp(y))", "np.logaddexp(x, y)", log(add(exp(x), exp(y))),
           logaddexp(x, y)),
    Stable("np.log(1 - np.exp(x))", "np.log(-np.expm1(x))", log(_one_less_exp), log(neg(expm1(x)))),
    Stable("np.log(np.exp(x) - 1)", "x + np.log(-np.expm1(-x))", log(sub(exp(x), 1.0)),
           add(x, log(neg(expm1(neg(x)))))),
    Stable("np.log((1 + x) / (1 - x))", "2 * np.arctanh(x)", log(div(add(1.0, x), sub(1.0, x))),
           mul(2.0, arctanh(x))),
    Stable("np.log1p(x) - np.log1p(-x)", "2 * np.arctanh(x)", sub(log1p(x), log1p(neg(x))),
           mul(2.0, arctanh(x))),
    Stable("np.log(x + np.sqrt(x**2 + 1))", "np.arcsinh(x)", log(add(x, sqrt(add(square(x), 1.0)))),
           arcsinh(x)),
    Stable("x**y - 1", "np.expm1(y * np.log(x))", sub(power(x, y), 1.0), expm1(mul(y, log(x)))),
    Stable("(1 + x)**y", "np.exp(y * np.log1p(x))", power(add(1.0, x), y), exp(mul(y, log1p(x)))),
    Stable("(1 - x)**y", "np.exp(y * np.log1p(-x))", power(sub(1.0, x), y),
           exp(mul(y, log1p(neg(x))))),
    Stable("x**z / y**z", "(x / y)**z", div(power(x, z), power(y, z)), power(div(x, y), z)),
    Stable("x**y / x**z", "x**(y - z)", div(power(x, y), power(x, z)), power(x, sub(y, z))),
    Stable("np.exp(gammaln(x)) / np.exp(gammaln(y))", "np.exp(gammaln(x) - gammaln(y))",
           div(exp(gammaln(x)), exp(gammaln(y))), exp(sub(gammaln(x), gammaln(y)))),
]  # fmt: skip

LOGISTIC = [
    Stable("1 / (1 + np.exp(-x))", "expit(x)", div(1.0, add(1.0, exp(neg(x)))), expit(x)),
    Stable("1 / (1 + np.exp(x))", "expit(-x)", div(1.0, add(1.0, exp(x))), expit(neg(x))),
    Stable("np.exp(x) / (1 + np.exp(x))", "expit(x)", div(exp(x), add(1.0, exp(x))), expit(x)),
    Stable("1 - 1 / (1 + np.exp(-x))", "expit(-x)", sub(1.0, div(1.0, add(1.0, exp(neg(x))))), expit(neg(x))),
    Stable("1 - np.exp(x) / (1 + np.exp(x))", "expit(-x)", sub(1.0, div(exp(x), add(1.0, exp(x)))), expit(neg(x))),
    Stable("1 - expit(x)", "expit(-x)", sub(1.0, expit(x)), expit(neg(x))),
    Stable("np.log(1 / (1 + np.exp(-x)))", "log_expit(x)", log(div(1.0, add(1.0, exp(neg(x))))), log_expit(x)),
    Stable("np.log(1 / (1 + np.exp(x)))", "log_expit(-x)", log(div(1.0, add(1.0, exp(x)))), log_expit(neg(x))),
    Stable("np.log(np.exp(x) / (1 + np.exp(x)))", "log_expit(x)", log(div(exp(x), add(1.0, exp(x)))), log_expit(x)),
    Stable("np.log(expit(x))", "log_expit(x)", log(expit(x)), log_expit(x)),
    Stable("np.log(1 - expit(x))", "log_expit(-x)", log(sub(1.0, expit(x))), log_expit(neg(x))),
    Stable("x - np.logaddexp(0, x)", "log_expit(x)", sub(x, logaddexp(0.0, x)), log_expit(x)),
    Stable("(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))", "np.tanh(x)",
           div(sub(exp(x), exp(neg(x))), add(exp(x), exp(neg(x)))), tanh(x)),
    Stable("(np.exp(x) - 1) / (np.exp(x) + 1)", "np.tanh(x / 2)",
           div(sub(exp(x), 1.0), add(exp(x), 1.0)), tanh(_half(x))),
    Stable("(1 - np.exp(x)) / (1 + np.exp(x))", "-np.tanh(x / 2)",
           div(_one_less_exp, add(1.0, exp(x))), neg(tanh(_half(x)))),
]  # fmt: skip

ERRORS = [
    Stable("1 - erf(x)", "erfc(x)", sub(1.0, erf(x)), erfc(x)),
    Stable("1 + erf(x)", "erfc(-x)", add(1.0, erf(x)), erfc(neg(x))),
    Stable("1 - erfc(x)", "erf(x)", sub(1.0, erfc(x)), erf(x)),
    Stable("1 - ndtr(x)", "ndtr(-x)", sub(1.0, ndtr(x)), ndtr(neg(x))),
    Stable("np.log(ndtr(x))", "log_ndtr(x)", log(ndtr(x)), log_ndtr(x)),
    Stable("np.log(1 - ndtr(x))", "log_ndtr(-x)", log(sub(1.0, ndtr(x))), log_ndtr(neg(x))),
    Stable("np.log(erfc(x))", "log_ndtr(-np.sqrt(2) * x) + np.log(2)", log(erfc(x)),
           add(log_ndtr(mul(-math.sqrt(2), x)), math.log(2))),
    Stable("np.log(1 - erf(x))", "log_ndtr(-np.sqrt(2) * x) + np.log(2)", log(sub(1.0, erf(x))),
           add(log_ndtr(mul(-math.sqrt(2), x)), math.log(2))),
    Stable("np.exp(x**2) * erfc(x)", "erfcx(x)", mul(exp(square(x)), erfc(x)), erfcx(x)),
]  # fmt: skip

SUMS = [
    Stable("np.log(np.sum(np.exp(x)))", "logsumexp(x)", log(_sum_exp), _lse),
    Stable("np.exp(x) / np.sum(np.exp(x))", "np.exp(x - logsumexp(x))", div(exp(x), _sum_exp),
           exp(sub(x, _lse))),
    Stable("np.exp(x) / np.sum(np.exp(x))", "e / np.sum(e) with e = np.exp(x - np.max(x))",
           div(exp(x), _sum_exp), div(_shifted, reduced(sum_(_shifted, axes=axes)))),
    Stable("np.log(np.exp(x) / np.sum(np.exp(x)))", "x - logsumexp(x)", log(div(exp(x), _sum_exp)),
           sub(x, _lse)),
    Stable("np.log(np.exp(x - logsumexp(x)))", "x - logsumexp(x)", log(exp(sub(x, _lse))),
           sub(x, _lse)),
    Stable("np.log(np.prod(x))", "np.sum(np.log(x))", log(reduced(prod(x, axes=axes))),
           reduced(sum_(log(x), axes=axes))),
    Stable("np.sqrt(np.sum(x**2))", "np.linalg.norm(x)", sqrt(reduced(sum_(square(x), axes=axes))),
           reduced(length(x, axes=axes))),
    Stable("np.mean(x**2) - np.mean(x)**2", "np.mean((x - np.mean(x))**2)",
           sub(reduced(mean(square(x), axes=axes)), square(reduced(mean(x, axes=axes)))),
           reduced(mean(square(centre(x, axes=axes)), axes=axes))),
    Stable("np.mean(x * y) - np.mean(x) * np.mean(y)",
           "np.mean((x - np.mean(x)) * (y - np.mean(y)))",
           sub(reduced(mean(mul(x, y), axes=axes)),
               mul(reduced(mean(x, axes=axes)), reduced(mean(y, axes=axes)))),
           reduced(mean(mul(centre(x, axes=axes), centre(y, axes=axes)), axes=axes))),
]  # fmt: skip

ROOTS = [
    Stable("np.sqrt(x) - np.sqrt(y)", "(x - y) / (np.sqrt(x) + np.sqrt(y))", sub(sqrt(x), sqrt(y)),
           div(sub(x, y), add(sqrt(x), sqrt(y)))),
    Stable("np.sqrt(x) - y", "(x - y**2) / (np.sqrt(x) + y)", sub(sqrt(x), y),
           div(sub(x, square(y)), add(sqrt(x), y))),
    Stable("y - np.sqrt(x)", "(y**2 - x) / (y + np.sqrt(x))", sub(y, sqrt(x)),
           div(sub(square(y), x), add(y, sqrt(x)))),
    Stable("-y + np.sqrt(x)", "(x - y**2) / (np.sqrt(x) + y)", add(neg(y), sqrt(x)),
           div(sub(x, square(y)), add(sqrt(x), y))),
    Stable("-y - np.sqrt(x)", "(y**2 - x) / (np.sqrt(x) - y)", sub(neg(y), sqrt(x)),
           div(sub(square(y), x), sub(sqrt(x), y))),
    Stable("y + np.sqrt(x)", "(x - y**2) / (np.sqrt(x) - y)", add(y, sqrt(x)),
           div(sub(x, square(y)), sub(sqrt(x), y))),
    Stable("1 / np.sqrt(x) - 1", "(1 - x) / (np.sqrt(x) * (1 + np.sqrt(x)))", sub(div(1.0, sqrt(x)), 1.0),
           div(sub(1.0, x), mul(sqrt(x), add(1.0, sqrt(x))))),
    Stable("1 / np.sqrt(x) - 1 / np.sqrt(y)",
           "(y - x) / (np.sqrt(x) * np.sqrt(y) * (np.sqrt(x) + np.sqrt(y)))",
           sub(div(1.0, sqrt(x)), div(1.0, sqrt(y))),
           div(sub(y, x), mul(mul(sqrt(x), sqrt(y)), add(sqrt(x), sqrt(y))))),
    Stable("np.cbrt(x) - np.cbrt(y)",
           "(x - y) / (np.cbrt(x)**2 + np.cbrt(x) * np.cbrt(y) + np.cbrt(y)**2)",
           sub(cbrt(x), cbrt(y)),
           div(sub(x, y), add(add(square(cbrt(x)), mul(cbrt(x), cbrt(y))), square(cbrt(y))))),
    Stable("np.sqrt(x**2 + y**2)", "np.hypot(x, y)", sqrt(add(square(x), square(y))), hypot(x, y)),
    Stable("np.sqrt(x**2 + c)", "np.hypot(x, np.sqrt(c))", sqrt(add(square(x), c)),
           hypot(x, sqrt(c))),
    Stable("np.sqrt(x**2)", "np.abs(x)", sqrt(square(x)), absolute(x)),
    Stable("np.sqrt(x)**2", "x", square(sqrt(x)), x),
    Stable("np.sqrt(x**2 - y**2)", "np.sqrt(x - y) * np.sqrt(x + y)", sqrt(sub(square(x), square(y))),
           mul(sqrt(sub(x, y)), sqrt(add(x, y)))),
    Stable("np.sqrt(x * y)", "np.sqrt(x) * np.sqrt(y)", sqrt(mul(x, y)), mul(sqrt(x), sqrt(y))),
    Stable("np.sqrt(x / y)", "np.sqrt(x) / np.sqrt(y)", sqrt(div(x, y)), div(sqrt(x), sqrt(y))),
]  # fmt: skip

TRIGONOMETRY = [
    Stable("1 - np.cos(x)", "2 * np.sin(x / 2)**2", sub(1.0, cos(x)), mul(2.0, square(sin(_half(x))))),
    Stable("np.cos(x) - 1", "-2 * np.sin(x / 2)**2", sub(cos(x), 1.0),
           mul(-2.0, square(sin(_half(x))))),
    Stable("1 - np.cos(x)**2", "np.sin(x)**2", sub(1.0, square(cos(x))), square(sin(x))),
    Stable("1 - np.sin(x)**2", "np.cos(x)**2", sub(1.0, square(sin(x))), square(cos(x))),
    Stable("np.sin(x) - np.sin(y)", "2 * np.sin((x - y) / 2) * np.cos((x + y) / 2)",
           sub(sin(x), sin(y)), mul(mul(2.0, sin(_half(sub(x, y)))), cos(_half(add(x, y))))),
    Stable("np.cos(x) - np.cos(y)", "-2 * np.sin((x - y) / 2) * np.sin((x + y) / 2)",
           sub(cos(x), cos(y)), mul(mul(-2.0, sin(_half(sub(x, y)))), sin(_half(add(x, y))))),
    Stable("np.tan(x) - np.tan(y)", "np.sin(x - y) / (np.cos(x) * np.cos(y))", sub(tan(x), tan(y)),
           div(sin(sub(x, y)), mul(cos(x), cos(y)))),
    Stable("np.arctan(x) - np.arctan(y)", "np.arctan2(x - y, 1 + x * y)", sub(arctan(x), arctan(y)),
           arctan2(sub(x, y), add(1.0, mul(x, y)))),
    Stable("(1 - np.cos(x)) / np.sin(x)", "np.tan(x / 2)", div(sub(1.0, cos(x)), sin(x)),
           tan(_half(x))),
    Stable("np.sin(x) / (1 + np.cos(x))", "np.tan(x / 2)", div(sin(x), add(1.0, cos(x))),
           tan(_half(x))),
    Stable("np.sin(x) / np.cos(x)", "np.tan(x)", div(sin(x), cos(x)), tan(x)),
    Stable("np.sin(x) / x", "np.sinc(x / np.pi)", div(sin(x), x), sinc(mul(1 / math.pi, x))),
    Stable("(1 - np.cos(x)) / x**2", "np.sinc(x / (2 * np.pi))**2 / 2",
           div(sub(1.0, cos(x)), square(x)), _half(square(sinc(mul(0.5 / math.pi, x))))),
    Stable("(1 - np.cos(x)) / x", "np.sin(x / 2) * np.sinc(x / (2 * np.pi))",
           div(sub(1.0, cos(x)), x), mul(sin(_half(x)), sinc(mul(0.5 / math.pi, x)))),
    Stable("np.sin(x + y) - np.sin(x)", "2 * np.sin(y / 2) * np.cos(x + y / 2)",
           sub(sin(add(x, y)), sin(x)),
           mul(mul(2.0, sin(_half(y))), cos(add(x, _half(y))))),
    Stable("np.cos(x + y) - np.cos(x)", "-2 * np.sin(y / 2) * np.sin(x + y / 2)",
           sub(cos(add(x, y)), cos(x)),
           mul(mul(-2.0, sin(_half(y))), sin(add(x, _half(y))))),
]  # fmt: skip

POWERS = [
    Stable("x**2 - y**2", "(x - y) * (x + y)", sub(square(x), square(y)), mul(sub(x, y), add(x, y))),
    Stable("1 - x**2", "(1 - x) * (1 + x)", sub(1.0, square(x)), mul(sub(1.0, x), add(1.0, x))),
    Stable("x**2 - 1", "(x - 1) * (x + 1)", sub(square(x), 1.0), mul(sub(x, 1.0), add(x, 1.0))),
    Stable("x / y**2", "x / y / y", div(x, square(y)), div(div(x, y), y)),
    Stable("x * y / z", "x * (y / z)", div(mul(x, y), z), mul(x, div(y, z))),
    Stable("x / (y / z)", "x * z / y", div(x, div(y, z)), div(mul(x, z), y)),
    Stable("1 / (1 / x + 1 / y)", "x / (x / y + 1)", div(1.0, add(div(1.0, x), div(1.0, y))),
           div(x, add(div(x, y), 1.0))),
]  # fmt: skip

# true wherever both sides are defined, and never less accurate: applied at once, too, to what rows write
CANCEL = [
    Stable("(x + y) - x", "y", sub(add(x, y), x), y),
    Stable("(x + y) - (x + z)", "y - z", sub(add(x, y), add(x, z)), sub(y, z)),
    Stable("(x + y) - (x - z)", "y + z", sub(add(x, y), sub(x, z)), add(y, z)),
    Stable("(x - y) - (x - z)", "z - y", sub(sub(x, y), sub(x, z)), sub(z, y)),
    Stable("(x - y) - (x + z)", "-(y + z)", sub(sub(x, y), add(x, z)), neg(add(y, z))),
    Stable("(x - y) - x", "-y", sub(sub(x, y), x), neg(y)),
    Stable("x - (x + y)", "-y", sub(x, add(x, y)), neg(y)),
    Stable("x - (x - y)", "y", sub(x, sub(x, y)), y),
    Stable("x + (y - x)", "y", add(x, sub(y, x)), y),
    Stable("(x * y) / x", "y", div(mul(x, y), x), y),
    Stable("-(-x)", "x", neg(neg(x)), x),
    Stable("square(sqrt(x))", "x", square(sqrt(x)), x),
    Stable("x / (1 / y)", "x * y", div(x, div(1.0, y)), mul(x, y)),
]

ROWS = [
    *SUMS,
    *LOGISTIC,
    *ERRORS,
    *EXPONENTIALS,
    *LOGARITHMS,
    *ROOTS,
    *TRIGONOMETRY,
    *POWERS,
    *CANCEL,
]
COMMUTATIVE = frozenset({add, mul, logaddexp, hypot})
