"""The incomplete gamma and beta functions, the distributions that they are, and their slopes in the parameters.

Slopes in a parameter are computed below the middle by a power series, above it by a continued
fraction, each differentiated term by term; there all terms have one sign, so that nothing cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.borrowed import number, of_scipy, series, special, unknown
from wengert.ops.gamma import betaln, gammaln, psi
from wengert.ops.logistic import xlog1py, xlogy
from wengert.ops.parameter import Parameter

_LARGEST = 1e8  # parameters above have slopes of nan: the series would be too long


# ---- densities ---------------------------------------------------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ exp(-x) / Γ(a); for large a by Stirling's series, for large terms would cancel."""
    there = np.isfinite(x)
    x = np.where(there, x, 1)
    large = a > 20
    low, high = np.where(large, 1, a), np.where(large, a, 21) - 1
    rest = (x - high) / high
    t = np.square(1 / high)
    by_series = np.exp(high * (np.log1p(rest) - rest) - _STIRLING(t) / high) / np.sqrt(
        2 * math.pi * high
    )
    plain = np.exp(xlogy(low - 1, x) - x - gammaln(low))
    return np.where(there, np.where(large, by_series, plain), 0)


# log Γ(b + 1) beyond its leading terms, times b, in 1 / b²
_STIRLING = series([1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156])


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


# ---- the incomplete gamma function -------------------------------------------------------------------


def _by_series(a: Any, x: Any) -> Any:
    """Σ cₙ (log x - ψ(a + n + 1)), cₙ = xⁿ / ((a + 1) … (a + n)); times xᵃ e⁻ˣ / Γ(a + 1) it is the slope."""
    level = np.log(x) - of_scipy("psi")(a + 1)
    term, total = np.ones_like(a), np.array(level)
    for n in range(1, int(80 + 12 * np.sqrt(np.max(a, initial=1)))):
        term = term * x / (a + n)
        level = level - 1 / (a + n)
        total = total + term * level
    return total


def _by_fraction(a: Any, x: Any) -> tuple[Any, Any]:
    """h and its slope, where Γ(a, x) = e⁻ˣ xᵃ h: 1 / (x + 1 - a + 1(a - 1) / (x + 3 - a + 2(a - 2) / …))."""
    count = int(120 + 12 * np.sqrt(np.max(a, initial=1)))
    f, df = x + 2 * count + 1 - a, -np.ones_like(a)
    for n in range(count, 0, -1):
        top = n * (a - n)
        df = -1 + (n * f - top * df) / (f * f)
        f = x + 2 * n - 1 - a + top / f
    return 1 / f, -df / (f * f)


def _gammainc_a(a: Any, x: Any) -> Any:
    good = (a > 0) & (a < _LARGEST) & (x > 0) & np.isfinite(x)
    y = np.where(np.isnan(a + x) | (a <= 0) | (a >= _LARGEST) | (x < 0), np.nan, 0.0)
    low = good & (x <= a + 1)
    b, t = a[low], x[low]
    y[low] = _gamma_density(b, t) * t / b * _by_series(b, t)
    high = good & (x > a + 1)
    b, t = a[high], x[high]
    h, dh = _by_fraction(b, t)
    y[high] = -_gamma_density(b, t) * t * (h * (np.log(t) - of_scipy("psi")(b)) + dh)
    return y


def _gamma_mixed(a: Any, x: Any) -> Any:
    return _gamma_density(a, x) * (np.log(x) - psi(a))


gammainc_a = Parameter("gammainc_a", _gammainc_a, unknown("gammainc", "a (second derivative)"), _gamma_mixed)  # fmt: skip


# ---- the incomplete beta function ----------------------------------------------------------------------


def _below_the_middle(a: Any, b: Any, x: Any, logs: tuple[Any, Any]) -> tuple[Any, Any]:
    """Slopes of I(a, b; x) in a and b, for x below (a + 1) / (a + b + 2); `logs` are those of x and 1 - x.

    I = xᵃ (1 - x)ᵇ / (a B(a, b)) / (1 + d₁ / (1 + d₂ / …)).
    """
    f, fa, fb = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    for m in range(int(80 + 8 * np.sqrt(np.max(np.maximum(a, b), initial=1))), -1, -1):
        for odd in (True, False):
            if odd:  # d of 2m + 1, with its logarithmic slopes
                d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                da = d * (1 / (a + m) + 1 / (a + b + m) - 1 / (a + 2 * m) - 1 / (a + 2 * m + 1))
                db = d / (a + b + m)
            elif m > 0:
                d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                da = -d * (1 / (a + 2 * m - 1) + 1 / (a + 2 * m))
                db = m * x / ((a + 2 * m - 1) * (a + 2 * m))
            else:
                continue
            f, fa, fb = 1 + d / f, (da * f - d * fa) / (f * f), (db * f - d * fb) / (f * f)
    value = of_scipy("betainc")(a, b, x)
    psi = of_scipy("psi")
    both = psi(a + b)
    in_a = value * (logs[0] - 1 / a + both - psi(a) - fa / f)
    in_b = value * (logs[1] + both - psi(b) - fb / f)
    return in_a, in_b


def _betainc_slopes(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    good = (a > 0) & (b > 0) & (x > 0) & (x < 1) & (np.maximum(a, b) < _LARGEST)
    known = (a > 0) & (b > 0) & (np.maximum(a, b) < _LARGEST) & ((x == 0) | (x == 1))
    in_a = np.where(known, 0.0, np.nan)
    in_b = np.array(in_a)
    low = good & (x <= (a + 1) / (a + b + 2))
    t = x[low]
    in_a[low], in_b[low] = _below_the_middle(a[low], b[low], t, (np.log(t), np.log1p(-t)))
    high = good & ~low
    t = x[high]
    logs = np.log1p(-t), np.log(t)
    other_b, other_a = _below_the_middle(b[high], a[high], 1 - t, logs)
    in_a[high], in_b[high] = -other_a, -other_b
    return in_a, in_b


def _beta_mixed(sign: str) -> Callable[..., Any]:
    def slope(a: Any, b: Any, x: Any) -> Any:
        end, size = (x, a) if sign == "a" else (1 - x, b)
        return _beta_density(a, b, x) * (np.log(end) - psi(size) + psi(a + b))

    return slope


_TWICE = unknown("betainc", "a or b (second derivative)")
betainc_a = Parameter("betainc_a", lambda *xs: _betainc_slopes(*xs)[0], _TWICE, _TWICE, _beta_mixed("a"))  # fmt: skip
betainc_b = Parameter("betainc_b", lambda *xs: _betainc_slopes(*xs)[1], _TWICE, _TWICE, _beta_mixed("b"))  # fmt: skip


# ---- incomplete integrals ------------------------------------------------------------------------------

gammainc = special(
    "gammainc", lambda y, a, x: gammainc_a(a, x), lambda y, a, x: _gamma_density(a, x)
)
gammaincc = special(
    "gammaincc", lambda y, a, x: -gammainc_a(a, x), lambda y, a, x: -_gamma_density(a, x)
)
gammaincinv = special(
    "gammaincinv",
    lambda x, a, y: -gammainc_a(a, x) / _gamma_density(a, x),
    lambda x, a, y: 1 / _gamma_density(a, x),
)
gammainccinv = special(
    "gammainccinv",
    lambda x, a, y: -gammainc_a(a, x) / _gamma_density(a, x),
    lambda x, a, y: -1 / _gamma_density(a, x),
)
betainc = special(
    "betainc",
    lambda y, a, b, x: betainc_a(a, b, x),
    lambda y, a, b, x: betainc_b(a, b, x),
    lambda y, a, b, x: _beta_density(a, b, x),
)
betaincc = special(
    "betaincc",
    lambda y, a, b, x: -betainc_a(a, b, x),
    lambda y, a, b, x: -betainc_b(a, b, x),
    lambda y, a, b, x: -_beta_density(a, b, x),
)
betaincinv = special(
    "betaincinv",
    lambda x, a, b, y: -betainc_a(a, b, x) / _beta_density(a, b, x),
    lambda x, a, b, y: -betainc_b(a, b, x) / _beta_density(a, b, x),
    lambda x, a, b, y: 1 / _beta_density(a, b, x),
)
betainccinv = special(
    "betainccinv",
    lambda x, a, b, y: -betainc_a(a, b, x) / _beta_density(a, b, x),
    lambda x, a, b, y: -betainc_b(a, b, x) / _beta_density(a, b, x),
    lambda x, a, b, y: -1 / _beta_density(a, b, x),
)

# distributions that are such integrals
chdtr = special(
    "chdtr",
    lambda y, v, x: 0.5 * gammainc_a(0.5 * v, 0.5 * x),
    lambda y, v, x: 0.5 * _gamma_density(0.5 * v, 0.5 * x),
)
chdtrc = special(
    "chdtrc",
    lambda y, v, x: -0.5 * gammainc_a(0.5 * v, 0.5 * x),
    lambda y, v, x: -0.5 * _gamma_density(0.5 * v, 0.5 * x),
)
pdtr = special("pdtr", None, lambda y, k, m: -_gamma_density(np.floor(k) + 1, m))
pdtrc = special("pdtrc", None, lambda y, k, m: _gamma_density(np.floor(k) + 1, m))
stdtr = special(
    "stdtr", lambda y, v, t: _student_freedom(v, t), lambda y, v, t: _student_density(v, t)
)
stdtrit = special(
    "stdtrit",
    lambda t, v, p: -_student_freedom(v, t) / _student_density(v, t),
    lambda t, v, p: 1 / _student_density(v, t),
)


def _student_density(v: Any, t: Any) -> Any:
    half = 0.5 * v
    size = -betaln(half, number(half, 0.5)) - 0.5 * np.log(v)
    return np.exp(size - 0.5 * (v + 1) * np.log1p(t * t / v))


def _student_freedom(v: Any, t: Any) -> Any:
    """The slope in the degrees of freedom, of ½ I(v/2, ½; v / (v + t²)) left of 0 and 1 minus that right of it."""
    square = np.square(t)
    z = v / (v + square)
    half, mid = 0.5 * v, number(v, 0.5)
    # the density, times the slope of z in v; at 0 both are at their limits
    moved = np.exp(xlogy(half - 1, z) - 0.5 * np.log(v + square) - betaln(half, mid)) * np.abs(t) / (v + square)  # fmt: skip
    return -0.5 * np.sign(t) * (0.5 * betainc_a(half, mid, z) + moved)
