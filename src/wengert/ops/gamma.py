"""The gamma function, its logarithm and derivatives, and what is made of products of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.borrowed import Family, of_scipy, special, unknown
from wengert.ops.families import _named, everywhere, scale
from wengert.ops.parameter import Parameter
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
    """`zeta(x, q)`: Hurwitz's Σ (q + k)⁻ˣ; left of 1 Riemann's, where q is 1."""

    name = "zeta"

    def typeof(self, x: ArrayType, q: ArrayType) -> ArrayType:
        return ArrayType.of(np.broadcast_shapes(x.shape, q.shape), np.result_type(x.dtype, q.dtype))

    def eval(self, x: Any, q: Any) -> Any:
        y = of_scipy("zeta")(x, q)
        left = (np.asarray(x) < 1) & (np.asarray(q) == 1)
        return np.where(left, of_scipy("zeta")(np.where(left, x, 2)), y).astype(y.dtype)[()] if np.any(left) else y  # fmt: skip

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (dx, dq), (x, q) = dxs, xs
        along_x = None if dx is None else scale(dx, zeta_x(x, q))
        along_q = None if dq is None else scale(dq, -x * self(x + 1, q))
        return (plus(along_x, along_q),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (x, q) = gs, xs
        along_x = scale(g, zeta_x(x, q)) if wanted[0] else None
        return along_x, scale(g, -x * self(x + 1, q)) if wanted[1] else None

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
# B₂ⱼ / (2j)!
_EULER_MACLAURIN = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600]  # fmt: skip


def _zeta_x(x: Any, q: Any) -> Any:
    """Euler and Maclaurin's sum, differentiated term by term."""
    total = np.zeros_like(x)
    for k in range(14):
        total = total - np.log(q + k) * (q + k) ** -x
    a = q + 14
    log = np.log(a)
    total = total - a ** (1 - x) * (log / (x - 1) + 1 / (x - 1) ** 2) - 0.5 * log * a**-x
    rising, slope = np.ones_like(x), np.zeros_like(x)  # x (x + 1) … and its own slope
    for j, c in enumerate(_EULER_MACLAURIN):
        for i in (2 * j - 1, 2 * j) if j else (0,):
            rising, slope = rising * (x + i), slope * (x + i) + rising
        total = total + c * (slope - log * rising) * a ** (-x - 2 * j - 1)
    return np.where((q > 0) & (x > -3), total, np.nan)


zeta_x = Parameter("zeta_x", _zeta_x, unknown("zeta", "x (second derivative)"), lambda x, q: -zeta(x + 1, q) - x * zeta_x(x + 1, q))  # fmt: skip

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
