"""The error function and its family: complements, inverses, the normal distribution.

Far out, where differences of large terms would cancel, slopes are written with functions that are
small themselves: the repeated integrals of erfc, scaled by exp(x²).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.borrowed import Family, series, special

_TWO, _HALF = 2 / math.sqrt(math.pi), math.sqrt(math.pi) / 2
_NORMAL = 1 / math.sqrt(2 * math.pi)
_ROOT = math.sqrt(0.5)

erf = special("erf", lambda y, x: _TWO * np.exp(-x * x), holomorphic=True, lower="erf")
erfc = special("erfc", lambda y, x: -_TWO * np.exp(-x * x), holomorphic=True, lower="erfc")
erfi = special("erfi", lambda y, x: _TWO * np.exp(x * x), holomorphic=True)
erfinv = special("erfinv", lambda y, x: _HALF * np.exp(y * y))
erfcinv = special("erfcinv", lambda y, x: -_HALF * np.exp(y * y))
dawsn = special("dawsn", lambda y, x: _dawson_slope(y, x))
wofz = special("wofz", lambda y, z: _TWO * 1j - 2 * z * y, holomorphic=True)

ndtr = special("ndtr", lambda y, x: _NORMAL * np.exp(-0.5 * x * x), holomorphic=True)
log_ndtr = special("log_ndtr", lambda y, x: _mills(x))
ndtri = special("ndtri", lambda y, x: np.exp(0.5 * y * y) / _NORMAL)
ndtri_exp = special("ndtri_exp", lambda y, x: 1 / _mills(y))

# integrals of Gauss' function over a circle's sector, and along a line
owens_t = special(
    "owens_t",
    lambda y, h, a: -0.5 * _NORMAL * np.exp(-0.5 * h * h) * erf(a * h * _ROOT),
    lambda y, h, a: np.exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a)),
)

# -1/(2x²) (1 + 3/(2x²) + 3·5/(2x²)² + …), where 1 - 2xy would cancel
_DAWSON = series([math.prod(range(3, 2 * k + 2, 2)) / 2**k for k in range(13)])


def _dawson_slope(y: Any, x: Any) -> Any:
    far = np.abs(x) > 10
    t = 1 / np.square(np.where(far, x, 10))
    return np.where(far, -0.5 * t * _DAWSON(t), 1 - 2 * np.where(far, 0, x) * np.where(far, 0, y))


def _mills(x: Any) -> Any:
    """φ(x) / Φ(x), the slope of log Φ: of either sign without overflow or cancelling."""
    right = x > 0
    low, high = np.where(right, 0, x), np.where(right, x, 0)
    return np.where(
        right,
        _NORMAL * np.exp(-0.5 * high * high) / ndtr(high),
        2 * _NORMAL / erfcx_integral(-_ROOT * low, times=0),
    )


def _scaled_integral(x: Any, *, times: int) -> Any:
    from scipy.special import erfcx

    return erfcx(x) if times == 0 else _integrals(np.asarray(x, np.float64), times, erfcx)


def _integrals(x: Any, times: int, erfcx: Any) -> Any:
    """2n wₙ = wₙ₋₂ - 2x wₙ₋₁: upwards for x < 1.5, else by the continued fraction of the quotients."""
    near, w = np.where(x < 1.5, x, 0), erfcx(x)
    older, up = _TWO * np.ones_like(x), np.where(x < 1.5, w, 1)
    for n in range(1, times + 1):
        older, up = up, (older - 2 * near * up) / (2 * n)
    far = np.where(x < 1.5, 1.5, x)
    ratio, down = 1 / (2 * far), w
    ratios = []
    for n in range(times + 120, 0, -1):
        ratio = 1 / (2 * far + 2 * (n + 1) * ratio)
        ratios.append(ratio)
    for ratio in ratios[: -times - 1 : -1]:
        down = down * ratio
    return np.where(x < 1.5, up, down)


# exp(x²) times the n-fold integral of erfc from x to ∞: slopes of any order, and nothing cancels
erfcx_integral = Family(
    "erfcx_integral",
    _scaled_integral,
    lambda y, x, *, times: -2.0 * (times + 1) * erfcx_integral(x, times=times + 1),
)
erfcx = special("erfcx", lambda y, x: -2 * erfcx_integral(x, times=1))
fresnel_s = special(
    "fresnel", lambda y, x: np.sin(math.pi / 2 * x * x), part=0, named="fresnel_s", holomorphic=True
)
fresnel_c = special(
    "fresnel", lambda y, x: np.cos(math.pi / 2 * x * x), part=1, named="fresnel_c", holomorphic=True
)
