"""Logistic functions, entropies, and what else SciPy makes of exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.borrowed import number, special
from wengert.ops.families import along, scale
from wengert.ops.hypergeometric import hyp1f1, hyp2f1

_DEGREE = math.pi / 180

expit = special(
    "expit", lambda y, x: y * expit(-x), lower=lambda s, x: s.div(1, s.add(1, s.exp(s.neg(x))))
)  # y (1 - y) would cancel where y is near 1
logit = special("logit", lambda y, x: 1 / (x * (1 - x)), lower=lambda s, x: _logit(s, x))
log_expit = special("log_expit", lambda y, x: expit(-x), lower=lambda s, x: _log_expit(s, x))

# 0 log 0 is 0 and does not move
xlogy = special(
    "xlogy",
    lambda z, x, y: np.log(np.where((x == 0) & (y == 0), 1, y)),
    lambda z, x, y: x / np.where((x == 0) & (y == 0), 1, y),
    holomorphic=True,
    lower=lambda s, x, y: _times_log(s, x, y, "log"),
)
xlog1py = special(
    "xlog1py",
    lambda z, x, y: np.log1p(np.where((x == 0) & (y == -1), 0, y)),
    lambda z, x, y: x / np.where((x == 0) & (y == -1), 1, 1 + y),
    holomorphic=True,
    lower=lambda s, x, y: _times_log(s, x, y, "log1p"),
)


def _logit(s: Any, x: Any) -> Any:
    """log(x / (1 - x)); in the middle, where that cancels, by two logarithms near 1."""
    t = s.mul(s.sub(x, 0.5), 2)
    middle = s.and_(s.gt(x, 0.3), s.lt(x, 0.65))
    inner = s.select(middle, t, 0)
    return s.select(
        middle, s.sub(s.log1p(inner), s.log1p(s.neg(inner))), s.log(s.div(x, s.sub(1, x)))
    )


def _log_expit(s: Any, x: Any) -> Any:
    rest = s.log1p(s.exp(s.neg(s.abs(x))))
    return s.select(s.lt(x, 0), s.sub(x, rest), s.neg(rest))


def _times_log(s: Any, x: Any, y: Any, log: str) -> Any:
    if hasattr(y, "re"):
        raise NotImplementedError("x log y of complex numbers")
    rest = s.and_(s.eq(x, 0), s.eq(y, y))
    return s.select(rest, 0, s.mul(x, s.call(log, s.select(rest, 1, y))))


entr = special("entr", lambda y, x: -1 - np.log(x))
rel_entr = special(
    "rel_entr",
    lambda z, x, y: 1 + np.log(_quotient(x, y)),
    lambda z, x, y: -_quotient(x, y),
)
kl_div = special(
    "kl_div",
    lambda z, x, y: np.log(_quotient(x, y)),
    lambda z, x, y: (y - x) / np.where((x == 0) & (y == 0), 1, y),
)


def _quotient(x: Any, y: Any) -> Any:
    return x / np.where((x == 0) & (y == 0), 1, y)


# losses that are square near 0 and linear far out
huber = special(
    "huber",
    lambda z, d, r: np.where(np.abs(r) <= d, 0, np.abs(r) - d),
    lambda z, d, r: np.where(np.abs(r) <= d, r, d * np.sign(r)),
)
pseudo_huber = special(
    "pseudo_huber",
    lambda z, d, r: _pseudo_huber_in_delta(d, r / np.where(d == 0, 1, d)),
    lambda z, d, r: r / np.where(d == 0, 1, np.hypot(1, r / np.where(d == 0, 1, d))),
)


def _pseudo_huber_in_delta(d: Any, u: Any) -> Any:
    s = np.hypot(1, u)
    return d * (u / s) * (u / (1 + s)) * (u / (1 + s)) * u


# (eˣ - 1) / x: its slope (eˣ - y) / x by a series near 0, where it would cancel
exprel = special("exprel", lambda y, x: _exprel_slope(y, x))


def _exprel_slope(y: Any, x: Any) -> Any:
    near = np.abs(x) < 1
    inner, away = np.where(near, x, 0), np.where(near, 1, x)
    right = y * (1 - 1 / away) + 1 / away
    left = (np.exp(np.where(x > 0, 0, x)) - y) / away
    series = 0.5 * hyp1f1(number(x, 2), number(x, 3), inner)
    return np.where(near, series, np.where(x > 0, right, left))


exp10 = special("exp10", lambda y, x: y * math.log(10), lower="exp10")
cosm1 = special("cosm1", lambda y, x: -np.sin(x))
powm1 = special(
    "powm1",
    lambda z, x, y: scale(y, x ** (y - 1)),
    along(
        lambda g, z, x, y: np.where(
            x == 0, 0, scale(g, scale(z + 1, np.log(np.where(x == 0, 1, x))))
        )
    ),
)

# Box and Cox: (x^λ - 1) / λ is log x · exprel(λ log x)
boxcox = special(
    "boxcox",
    lambda z, x, p: x ** (p - 1),
    lambda z, x, p: _boxcox_in_power(z, np.log(x), p, lambda power: xlogy(power, x)),
)
boxcox1p = special(
    "boxcox1p",
    lambda z, x, p: (1 + x) ** (p - 1),
    lambda z, x, p: _boxcox_in_power(z, np.log1p(x), p, lambda power: xlog1py(power, x)),
)
inv_boxcox = special(
    "inv_boxcox",
    lambda z, y, p: z / (1 + p * y),
    lambda z, y, p: z * _inverse_in_power(y, p),
)
inv_boxcox1p = special(
    "inv_boxcox1p",
    lambda z, y, p: (1 + z) / (1 + p * y),
    lambda z, y, p: (1 + z) * _inverse_in_power(y, p),
)


def _boxcox_in_power(z: Any, log: Any, p: Any, times_log: Any) -> Any:
    """(x^λ log x - z) / λ; for small λ log x by the series of exprel's slope."""
    t = p * log
    near = np.abs(t) < 1
    inner, small = np.where(near, t, 0), np.where(near, log, 0)
    series = 0.5 * small * small * hyp1f1(number(t, 2), number(t, 3), inner)
    return np.where(near, series, (times_log(np.exp(t)) - z) / np.where(near, 1, p))


def _inverse_in_power(y: Any, p: Any) -> Any:
    """∂/∂λ of log(1 + λy) / λ; for small λy by a series."""
    t = p * y
    near = np.abs(t) < 0.5
    inner, away, power = np.where(near, t, 0), np.where(near, 1, t), np.where(near, 1, p)
    two = number(t, 2)
    series = -0.5 * y * y * hyp2f1(two, two, number(t, 3), -inner)
    return np.where(near, series, (away / (1 + away) - np.log1p(away)) / power / power)


# angles in degrees
sindg = special("sindg", lambda y, x: _DEGREE * cosdg(x))
cosdg = special("cosdg", lambda y, x: -_DEGREE * sindg(x))
tandg = special("tandg", lambda y, x: _DEGREE * (1 + y * y))
cotdg = special("cotdg", lambda y, x: -_DEGREE * (1 + y * y))
radian = special(
    "radian",
    along(lambda g, y, d, m, s: g * _DEGREE),
    along(lambda g, y, d, m, s: g * (_DEGREE / 60)),
    along(lambda g, y, d, m, s: g * (_DEGREE / 3600)),
)
