"""Complete elliptic integrals, and the integrals of exp, sin and log over their argument.

Near removable zeros slopes are hypergeometric functions, smooth there to every order.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from wengert.ops.borrowed import Borrowed, Family, number, of_scipy, special, unknown
from wengert.ops.families import Elementwise
from wengert.ops.hypergeometric import hyp2f1
from wengert.ops.logistic import exprel
from wengert.ops.special import sinc

ellipk = special("ellipk", lambda y, m: first_kind_slope(m, 1 - m))
ellipkm1 = special("ellipkm1", lambda y, p: _complement_slope(y, p))
# E(1 - p), whose slope is read from K(1 - p) as a function of p: 1 - p is 1 long before p is 0
ellipem1 = Elementwise(
    cast(np.ufunc, Borrowed("ellipe", 1, None, False)),
    lambda y, p: (ellipkm1(p) - y) / (2 * (1 - p)),
    name="ellipem1",
    value=lambda p: of_scipy("ellipe")(1 - p),
    lower=lambda s, p: s.special("ellipe", s.sub(1.0, p)),
)
ellipe = special("ellipe", lambda y, m: _second_kind_slope(m))


def _complement_slope(y: Any, p: Any) -> Any:
    """The slope of K(1 - p)."""
    near = np.abs(1 - p) < 0.25
    inner, away = np.where(near, p, 1), np.where(near, 0.5, p)
    far = (ellipkm1(away) - ellipem1(away) / away) / (2 * (1 - away))
    return np.where(near, -first_kind_slope(1 - inner, inner), far)


def first_kind_slope(m: Any, rest: Any) -> Any:
    """K'(m) = (E - (1 - m) K) / (2m (1 - m)), where `rest` is 1 - m."""
    near = np.abs(m) < 0.25
    inner = np.where(near, m, 0)
    half3, away, left = number(m, 1.5), np.where(near, 0.5, m), np.where(near, 0.5, rest)
    series = math.pi / 8 * hyp2f1(half3, half3, number(m, 2), inner)
    return np.where(near, series, (ellipe(away) / left - ellipkm1(left)) / (2 * away))


def _second_kind_slope(m: Any) -> Any:
    """E'(m) = (E - K) / 2m."""
    near = np.abs(m) < 0.25
    inner, away = np.where(near, m, 0), np.where(near, 0.5, m)
    series = -math.pi / 8 * hyp2f1(number(m, 0.5), number(m, 1.5), number(m, 2), inner)
    return np.where(near, series, (ellipe(away) - ellipk(away)) / (2 * away))


# ---- integrals of elementary functions -------------------------------------------------------------
exp1 = special("exp1", lambda y, x: -np.exp(-x) / x, holomorphic=True)
expi = special("expi", lambda y, x: np.exp(x) / x, holomorphic=True)
expn = special("expn", unknown("expn", "n"), lambda y, n, x: _next_lower(y, n, x))
sici_si = special("sici", lambda y, x: sinc(x / math.pi), part=0, named="sici_si")
sici_ci = special("sici", lambda y, x: np.cos(x) / x, part=1, named="sici_ci", holomorphic=True)
shichi_shi = special(
    "shichi", lambda y, x: 0.5 * (exprel(x) + exprel(-x)), part=0, named="shichi_shi"
)
shichi_chi = special(
    "shichi", lambda y, x: np.cosh(x) / x, part=1, named="shichi_chi", holomorphic=True
)
spence = special("spence", lambda y, x: _dilogarithm_slope(x))


def _next_lower(y: Any, n: Any, x: Any) -> Any:
    """-E₍ₙ₋₁₎(x); E₀ is exp(-x) / x."""
    least = n == 0
    return np.where(least, -y * (1 + 1 / x), -expn(np.where(least, 1, n) - 1, x))


def _dilogarithm_slope(x: Any) -> Any:
    """log(x) / (1 - x), smooth at 1."""
    near = np.abs(x - 1) < 0.5
    inner, away = np.where(near, 1 - x, 0), np.where(near, 2, x)
    one = number(x, 1)
    return np.where(near, -hyp2f1(one, one, number(x, 2), inner), np.log(away) / (1 - away))


# ---- the inverse of w exp(w) -----------------------------------------------------------------------
wrightomega = special("wrightomega", lambda y, z: 1 / (1 + 1 / y), holomorphic=True)


# on complex numbers; `tol` is SciPy's stopping criterion
lambertw = Family(
    "lambertw",
    lambda z, *, branch, tol: of_scipy("lambertw")(z, branch, tol),
    lambda w, z, *, branch, tol: np.exp(-w) / (1 + w),
    dtypes="c",
)
