"""Distribution functions of `scipy.special` on traced values: incomplete integrals under other names.

Counts (`k`, `n` of the discrete ones) are whole numbers; SciPy takes the floor of k.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops import gamma, incomplete
from wengert.scipy_api.later import later

gammainc, gammaincc = later(incomplete.gammainc), later(incomplete.gammaincc)
gammaincinv, gammainccinv = later(incomplete.gammaincinv), later(incomplete.gammainccinv)
betainc, betaincc = later(incomplete.betainc), later(incomplete.betaincc)
betaincinv, betainccinv = later(incomplete.betaincinv), later(incomplete.betainccinv)
_gamma = later(gamma.gamma)


def _ratio(dfn: Any, dfd: Any, x: Any) -> Any:
    return dfn * x / (dfd + dfn * x)


def _f_quantile(dfn: Any, dfd: Any, p: Any) -> Any:
    rest = betainccinv(0.5 * dfd, 0.5 * dfn, p)  # 1 - w without cancelling
    return dfd * (1 - rest) / (dfn * rest)


RULES: dict[str, Callable[..., Any]] = {
    "gdtr": lambda a, b, x: gammainc(b, a * x),
    "gdtrc": lambda a, b, x: gammaincc(b, a * x),
    "gdtrix": lambda a, b, p: gammaincinv(b, p) / a,
    "gdtria": lambda p, b, x: gammaincinv(b, p) / x,
    "chdtri": lambda v, p: 2 * gammainccinv(0.5 * v, p),
    "pdtri": lambda k, y: gammainccinv(np.floor(k) + 1, y),
    "fdtr": lambda dfn, dfd, x: betainc(0.5 * dfn, 0.5 * dfd, _ratio(dfn, dfd, x)),
    "fdtrc": lambda dfn, dfd, x: betainc(0.5 * dfd, 0.5 * dfn, dfd / (dfd + dfn * x)),
    "fdtri": _f_quantile,
    "bdtr": lambda k, n, p: betainc(n - np.floor(k), np.floor(k) + 1.0, 1 - p),
    "bdtrc": lambda k, n, p: betainc(np.floor(k) + 1.0, n - np.floor(k), p),
    "bdtri": lambda k, n, y: 1 - betaincinv(n - np.floor(k), np.floor(k) + 1.0, y),
    "nbdtr": lambda k, n, p: betainc(1.0 * n, np.floor(k) + 1.0, p),
    "nbdtrc": lambda k, n, p: betainc(np.floor(k) + 1.0, 1.0 * n, 1 - p),
    "nbdtri": lambda k, n, y: betaincinv(1.0 * n, np.floor(k) + 1.0, y),
}
