"""Bessel functions in their argument: slopes are neighbours of one order less and one more.

Where a function times a growing exponential has a slope that is a difference of nearly equal
neighbours, the difference is taken from its asymptotic series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops.borrowed import Family, number, of_scipy, series, special, unknown
from wengert.ops.gamma import rgamma

# ---- of any order ----------------------------------------------------------------------------------
jv = special(
    "jv", unknown("jv", "v"), lambda y, v, x: 0.5 * (jv(v - 1, x) - jv(v + 1, x)), holomorphic=True
)
yv = special(
    "yv", unknown("yv", "v"), lambda y, v, x: 0.5 * (yv(v - 1, x) - yv(v + 1, x)), holomorphic=True
)
iv = special(
    "iv", unknown("iv", "v"), lambda y, v, x: 0.5 * (iv(v - 1, x) + iv(v + 1, x)), holomorphic=True
)
kv = special(
    "kv", unknown("kv", "v"), lambda y, v, x: -0.5 * (kv(v - 1, x) + kv(v + 1, x)), holomorphic=True
)
yn = special("yn", unknown("yn", "n"), lambda y, n, x: 0.5 * (yv(n - 1, x) - yv(n + 1, x)))
kn = special("kn", unknown("kn", "n"), lambda y, n, x: -0.5 * (kv(n - 1, x) + kv(n + 1, x)))
# scaled by exp(-|Im z|), which is 1 for real arguments, or by exp(-|x|), or by exp(x)
jve = special("jve", unknown("jve", "v"), lambda y, v, x: 0.5 * (jve(v - 1, x) - jve(v + 1, x)))
yve = special("yve", unknown("yve", "v"), lambda y, v, x: 0.5 * (yve(v - 1, x) - yve(v + 1, x)))
ive = special(
    "ive",
    unknown("ive", "v"),
    lambda y, v, x: 0.5 * (ive(v - 1, x) + ive(v + 1, x)) - np.sign(x) * y,
)
kve = special(
    "kve",
    unknown("kve", "v"),
    lambda y, v, x: y - 0.5 * (kve(v - 1, x) + kve(v + 1, x)),
    holomorphic=True,
)
hankel1 = special(
    "hankel1",
    unknown("hankel1", "v"),
    lambda y, v, z: 0.5 * (hankel1(v - 1, z) - hankel1(v + 1, z)),
    holomorphic=True,
)
hankel2 = special(
    "hankel2",
    unknown("hankel2", "v"),
    lambda y, v, z: 0.5 * (hankel2(v - 1, z) - hankel2(v + 1, z)),
    holomorphic=True,
)

# ---- Struve functions: neighbours too, and what makes their equation inhomogeneous --------------------
struve = special(
    "struve",
    unknown("struve", "v"),
    lambda y, v, x: 0.5 * (struve(v - 1, x) - struve(v + 1, x) + _source(v, x)),
)
modstruve = special(
    "modstruve",
    unknown("modstruve", "v"),
    lambda y, v, x: 0.5 * (modstruve(v - 1, x) + modstruve(v + 1, x) + _source(v, x)),
)


def _source(v: Any, x: Any) -> Any:
    """(x/2)ᵛ / (√π Γ(v + 3/2))."""
    return np.float_power(0.5 * x, v) * rgamma(v + 1.5) / math.sqrt(math.pi)


# ---- of order 0 and 1 ------------------------------------------------------------------------------
j0 = special("j0", lambda y, x: -j1(x))
j1 = special("j1", lambda y, x: 0.5 * (j0(x) - jv(number(x, 2), x)))
y0 = special("y0", lambda y, x: -y1(x))
y1 = special("y1", lambda y, x: 0.5 * (y0(x) - yv(number(x, 2), x)))
i0 = special("i0", lambda y, x: i1(x))
i1 = special("i1", lambda y, x: 0.5 * (i0(x) + iv(number(x, 2), x)))
k0 = special("k0", lambda y, x: -k1(x))
k1 = special("k1", lambda y, x: -0.5 * (k0(x) + kv(number(x, 2), x)))
i0e = special("i0e", lambda y, x: _scaled_i(0, x, i1e(x) - np.sign(x) * y))
i1e = special(
    "i1e", lambda y, x: _scaled_i(1, x, 0.5 * (i0e(x) + ive(number(x, 2), x)) - np.sign(x) * y)
)
k0e = special("k0e", lambda y, x: _scaled_k(0, x, y - k1e(x)))
k1e = special("k1e", lambda y, x: _scaled_k(1, x, y - 0.5 * (k0e(x) + kve(number(x, 2), x))))

_FAR = 30


def _asymptotic(order: int, sign: int) -> Callable[[Any], Any]:
    """Σ of t^k after the factor t^1.5 in the slope of t^0.5 Σ aₖ (±t)^k, where t = 1/x."""
    a = [1.0]
    for k in range(1, 21):
        a.append(a[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    return series([-(k + 0.5) * c * sign**k for k, c in enumerate(a)])


_I = [_asymptotic(0, -1), _asymptotic(1, -1)]
_K = [_asymptotic(0, 1), _asymptotic(1, 1)]


def _scaled_i(order: int, x: Any, near: Any) -> Any:
    size = np.abs(x)
    far = size > _FAR
    t = 1 / np.where(far, size, _FAR)
    value = (0.5 / np.pi) ** 0.5 * t * np.sqrt(t) * _I[order](t)
    return np.where(far, value * np.sign(x) if order == 0 else value, near)


def _scaled_k(order: int, x: Any, near: Any) -> Any:
    far = x > _FAR
    t = 1 / np.where(far, x, _FAR)
    return np.where(far, (0.5 * np.pi) ** 0.5 * t * np.sqrt(t) * _K[order](t), near)


# ---- Airy functions --------------------------------------------------------------------------------
airy_ai = special("airy", lambda y, x: airy_aip(x), part=0, named="airy_ai", holomorphic=True)
airy_aip = special("airy", lambda y, x: x * airy_ai(x), part=1, named="airy_aip", holomorphic=True)
airy_bi = special("airy", lambda y, x: airy_bip(x), part=2, named="airy_bi", holomorphic=True)
airy_bip = special("airy", lambda y, x: x * airy_bi(x), part=3, named="airy_bip", holomorphic=True)


# ---- spherical Bessel functions --------------------------------------------------------------------
def _spherical(name: str, below: int, above: int) -> Family:
    """The slope is a mean of both neighbours with these signs, at 0 too."""

    def slope(y: Any, z: Any, *, order: int) -> Any:
        share = 2 * order + 1
        upper = above * (order + 1) / share * member(z, order=order + 1)
        return upper + below * order / share * member(z, order=order - 1) if order else upper

    member = Family(name, lambda z, *, order: of_scipy(name)(order, z), slope, dtypes="fc")
    return member


spherical_jn, spherical_yn = _spherical("spherical_jn", 1, -1), _spherical("spherical_yn", 1, -1)
spherical_in, spherical_kn = _spherical("spherical_in", 1, 1), _spherical("spherical_kn", -1, -1)
