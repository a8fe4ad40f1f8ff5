"""`scipy.special.eval_*` on traced values: orthogonal polynomials by their recurrences.

Of a whole degree the three-term recurrence, which has all derivatives in the argument and in the
parameters; of another degree the hypergeometric function that SciPy takes too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy_api.promote import inexact, operand
from wengert.numpy_api.table import unsupported
from wengert.ops import gamma, hypergeometric
from wengert.scipy_api.later import later
from wengert.trace.tracer import Tracer

_binom = later(gamma.binom)
_hyp1f1 = later(hypergeometric.hyp1f1)
_hyp2f1 = later(hypergeometric.hyp2f1)

# the next of p(k), p(k - 1)
Step = Callable[..., Any]


def _by_degree(name: str, first: Callable[..., Any], step: Step, any_degree: Callable[..., Any] | None) -> Callable[..., Any]:  # fmt: skip
    """`eval_name(n, *parameters, x)`: p(0) is 1, p(1) is `first`."""

    def rule(n: Any, *rest: Any) -> Any:
        *parameters, x = (inexact(operand(v)) for v in rest)
        degree = n.number() if isinstance(n, Tracer) and n.dtype.kind == "i" else n
        if isinstance(degree, list):
            degree = np.asarray(degree)
        whole = not isinstance(degree, Tracer) and degree is not None and np.all(np.equal(np.floor(degree), degree) & np.greater_equal(degree, 0))  # fmt: skip
        if not whole:
            if any_degree is None or degree is None:
                raise unsupported(
                    f"scipy.special.{name} of a degree that is not a whole number",
                    "give it a plain integer",
                )
            return any_degree(degree, *parameters, x)
        degrees = np.asarray(degree).astype(int)
        one = 1 + 0 * x + sum(0 * p for p in parameters)  # (in the shape and dtype of them all)
        values = [one]
        for k in range(int(np.max(degrees, initial=0))):
            values.append(step(k, *parameters, x, *values[: -3 : -1]) if k else first(*parameters, x) * one)  # fmt: skip
        if degrees.ndim == 0:
            return values[int(degrees)]
        found = values[0]
        for k in np.unique(degrees):
            found = np.where(degrees == k, values[k], found)
        return found

    return rule


def _jacobi(k: int, a: Any, b: Any, x: Any, p: Any, q: Any) -> Any:
    n = k + 1
    m = 2 * n + a + b
    along = (m - 1) * (m * (m - 2) * x + a * a - b * b) * p
    return (along - 2 * (n + a - 1) * (n + b - 1) * m * q) / (2 * n * (n + a + b) * (m - 2))


_legendre = _by_degree("eval_legendre", lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1), lambda n, x: _hyp2f1(-n, n + 1, 1.0, (1 - x) / 2))  # fmt: skip
_chebyt = _by_degree("eval_chebyt", lambda x: x, lambda k, x, p, q: 2 * x * p - q, lambda n, x: _hyp2f1(-n, n, 0.5, (1 - x) / 2))  # fmt: skip
_chebyu = _by_degree("eval_chebyu", lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - q, lambda n, x: (n + 1) * _hyp2f1(-n, n + 2, 1.5, (1 - x) / 2))  # fmt: skip
_jacobi_of_degree = _by_degree("eval_jacobi", lambda a, b, x: (a + 1) + (a + b + 2) * (x - 1) / 2, _jacobi, lambda n, a, b, x: _binom(n + a, n) * _hyp2f1(-n, 1 + a + b + n, a + 1, (1 - x) / 2))  # fmt: skip
_genlaguerre = _by_degree("eval_genlaguerre", lambda a, x: 1 + a - x, lambda k, a, x, p, q: ((2 * k + 1 + a - x) * p - (k + a) * q) / (k + 1), lambda n, a, x: _binom(n + a, n) * _hyp1f1(-n, a + 1, x))  # fmt: skip


def _sh_jacobi(n: Any, p: Any, q: Any, x: Any) -> Any:
    x = inexact(operand(x))
    return _jacobi_of_degree(n, p - q, q - 1, 2 * x - 1) / _binom(2 * n + p - 1, n)


RULES: dict[str, Callable[..., Any]] = {
    "eval_legendre": _legendre,
    "eval_chebyt": _chebyt,
    "eval_chebyu": _chebyu,
    "eval_jacobi": _jacobi_of_degree,
    "eval_genlaguerre": _genlaguerre,
    "eval_laguerre": lambda n, x: _genlaguerre(n, 0.0, x),
    "eval_gegenbauer": _by_degree("eval_gegenbauer", lambda a, x: 2 * a * x, lambda k, a, x, p, q: (2 * (k + a) * x * p - (k + 2 * a - 1) * q) / (k + 1), None),
    "eval_hermite": _by_degree("eval_hermite", lambda x: 2 * x, lambda k, x, p, q: 2 * (x * p - k * q), None),
    "eval_hermitenorm": _by_degree("eval_hermitenorm", lambda x: x, lambda k, x, p, q: x * p - k * q, None),
    "eval_sh_legendre": lambda n, x: _legendre(n, 2 * inexact(operand(x)) - 1),
    "eval_sh_chebyt": lambda n, x: _chebyt(n, 2 * inexact(operand(x)) - 1),
    "eval_sh_chebyu": lambda n, x: _chebyu(n, 2 * inexact(operand(x)) - 1),
    "eval_chebyc": lambda n, x: 2 * _chebyt(n, 0.5 * inexact(operand(x))),
    "eval_chebys": lambda n, x: _chebyu(n, 0.5 * inexact(operand(x))),
    "eval_sh_jacobi": _sh_jacobi,
}  # fmt: skip
