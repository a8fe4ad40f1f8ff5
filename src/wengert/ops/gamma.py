"""The gamma function, its logarithm and derivatives, and the incomplete integrals made of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.borrowed import Family, number, of_scipy, series, special, unknown
from wengert.ops.families import _named, everywhere, scale
from wengert.ops.logistic import xlog1py, xlogy
from wengert.ops.radii import lost, plus

gamma = special("gamma", lambda y, x: y * psi(x), holomorphic=True)
gammaln = special("gammaln", lambda y, x: psi(x))
loggamma = special("loggamma", lambda y, x: psi(x), holomorphic=True)
gammasgn = special("gammasgn", None)
rgamma = special("rgamma", lambda y, x: _reciprocal_slope(y, x))
psi = special("psi", lambda y, x: polygamma(x, order=1), holomorphic=True)


def _reciprocal_slope(y: Any, x: Any) -> Any:
    """-ψ(x) / Γ(x); left of 1/2 by reflection, which is smooth where ψ has its poles."""
    left = x < 0.5
    mirrored = 1 - np.where(left, x, 0)
    turn = math.pi * x
    reflected = gamma(mirrored) * (np.cos(turn) - psi(mirrored) * np.sin(turn) / math.pi)
    return np.where(left, reflected, -y * psi(np.where(left, 1, x)))


# derivative number `order` (at least 1) of ψ
polygamma = Family(
    "polygamma",
    lambda x, *, order: of_scipy("polygamma")(order, x),
    lambda y, x, *, order: polygamma(x, order=order + 1),
)


class Zeta(Primitive):
    """`zeta(x, q)`: Hurwitz's Σ (q + k)⁻ˣ, movable in q."""

    name = "zeta"
    _unknown = unknown("zeta", "x")

    def typeof(self, x: ArrayType, q: ArrayType) -> ArrayType:
        return ArrayType.of(np.broadcast_shapes(x.shape, q.shape), np.result_type(x.dtype, q.dtype))

    def eval(self, x: Any, q: Any) -> Any:
        return of_scipy("zeta")(x, q)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (dx, dq), (x, q) = dxs, xs
        if dx is not None:
            self._unknown.rule(dx, None)
        return (scale(dq, -x * self(x + 1, q)),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (x, q) = gs, xs
        if wanted[0]:
            self._unknown.rule(g, None)
        return None, scale(g, -x * self(x + 1, q))

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        from wengert.ops.spread import by_slope

        (y,), (x, q), (r, s) = ys, xs, rs
        if r is not None:
            return (np.full_like(y, np.inf),)
        moved = None
        if s is not None:
            moved = by_slope(lambda t: self(x, t), lambda _, t: -x * self(x + 1, t), y, q, s)
        return (plus(lost(y, 64), moved),)

    def batch(self, batched: tuple[bool, ...], *args: Any) -> Any:
        extent = next(a.shape[0] for a, b in zip(args, batched, strict=True) if b)
        return self(
            *(a if b else everywhere(a, extent) for a, b in zip(args, batched, strict=True))
        )

    def __reduce__(self) -> Any:
        return _named, (self.name,)


zeta = Zeta()

# ---- products and quotients of gamma functions -----------------------------------------------------
beta = special(
    "beta",
    lambda y, a, b: y * (psi(a) - psi(a + b)),
    lambda y, a, b: y * (psi(b) - psi(a + b)),
)
betaln = special("betaln", lambda y, a, b: psi(a) - psi(a + b), lambda y, a, b: psi(b) - psi(a + b))
poch = special("poch", lambda y, x, m: y * (psi(x + m) - psi(x)), lambda y, x, m: y * psi(x + m))
binom = special(
    "binom",
    lambda y, n, k: y * (psi(n + 1) - psi(n - k + 1)),
    lambda y, n, k: y * (psi(n - k + 1) - psi(k + 1)),
)

# ---- incomplete integrals, in their upper end ------------------------------------------------------


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


gammainc = special("gammainc", unknown("gammainc", "a"), lambda y, a, x: _gamma_density(a, x))
gammaincc = special("gammaincc", unknown("gammaincc", "a"), lambda y, a, x: -_gamma_density(a, x))
gammaincinv = special(
    "gammaincinv", unknown("gammaincinv", "a"), lambda x, a, y: 1 / _gamma_density(a, x)
)
gammainccinv = special(
    "gammainccinv", unknown("gammainccinv", "a"), lambda x, a, y: -1 / _gamma_density(a, x)
)
betainc = special(
    "betainc",
    unknown("betainc", "a"),
    unknown("betainc", "b"),
    lambda y, a, b, x: _beta_density(a, b, x),
)
betaincc = special(
    "betaincc",
    unknown("betaincc", "a"),
    unknown("betaincc", "b"),
    lambda y, a, b, x: -_beta_density(a, b, x),
)
betaincinv = special(
    "betaincinv",
    unknown("betaincinv", "a"),
    unknown("betaincinv", "b"),
    lambda x, a, b, y: 1 / _beta_density(a, b, x),
)
betainccinv = special(
    "betainccinv",
    unknown("betainccinv", "a"),
    unknown("betainccinv", "b"),
    lambda x, a, b, y: -1 / _beta_density(a, b, x),
)

# distributions that are such integrals
chdtr = special(
    "chdtr", unknown("chdtr", "v"), lambda y, v, x: 0.5 * _gamma_density(0.5 * v, 0.5 * x)
)
chdtrc = special(
    "chdtrc", unknown("chdtrc", "v"), lambda y, v, x: -0.5 * _gamma_density(0.5 * v, 0.5 * x)
)
pdtr = special("pdtr", unknown("pdtr", "k"), lambda y, k, m: -_gamma_density(np.floor(k) + 1, m))
pdtrc = special("pdtrc", unknown("pdtrc", "k"), lambda y, k, m: _gamma_density(np.floor(k) + 1, m))
stdtr = special("stdtr", unknown("stdtr", "df"), lambda y, v, t: _student_density(v, t))
stdtrit = special("stdtrit", unknown("stdtrit", "df"), lambda t, v, p: 1 / _student_density(v, t))


def _student_density(v: Any, t: Any) -> Any:
    half = 0.5 * v
    size = -betaln(half, number(half, 0.5)) - 0.5 * np.log(v)
    return np.exp(size - 0.5 * (v + 1) * np.log1p(t * t / v))
