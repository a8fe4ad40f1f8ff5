"""What a traced call of a NumPy function costs over the plain call: a board of 100 functions, median and worst.

`python benchmarks/door_overhead.py` prints microseconds, each the least of several repeats in this one run.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as wg

X = np.linspace(0.2, 0.9, 6)
A = np.linspace(-1.0, 1.0, 9).reshape(3, 3) + 2 * np.eye(3)
ELEMENTWISE = [
    "absolute",
    "negative",
    "positive",
    "sign",
    "sqrt",
    "square",
    "cbrt",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arctanh",
    "degrees",
    "radians",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "sinc",
    "isfinite",
]
PAIRS = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",
    "float_power",
    "remainder",
    "fmod",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "hypot",
    "arctan2",
    "logaddexp",
    "copysign",
    "heaviside",
    "greater",
    "less",
    "equal",
]
OF_ARRAYS = [
    "sum",
    "prod",
    "mean",
    "var",
    "std",
    "max",
    "min",
    "ptp",
    "median",
    "cumsum",
    "cumprod",
    "diff",
    "sort",
    "argsort",
    "argmax",
    "any",
    "flip",
    "roll",
    "ravel",
    "transpose",
    "squeeze",
    "atleast_2d",
    "diag",
    "vander",
    "nan_to_num",
    "nansum",
    "nanmax",
    "ediff1d",
    "gradient",
    "trapezoid",
    "copy",
    "zeros_like",
]
OF_MATRICES = [
    "trace",
    "tril",
    "triu",
    "linalg.inv",
    "linalg.det",
    "linalg.norm",
    "linalg.eigvalsh",
    "linalg.svdvals",
    "linalg.qr",
]
MORE: dict[str, Callable[[Any, Any], Any]] = {
    "x[1]": lambda x, a: x[1],
    "x[1:3]": lambda x, a: x[1:3],
    "x[[0, 2]]": lambda x, a: x[[0, 2]],
    "a @ a": lambda x, a: a @ a,
    "np.roll": lambda x, a: np.roll(x, 1),
    "np.dot(x, x)": lambda x, a: np.dot(x, x),
    "np.concatenate": lambda x, a: np.concatenate([x, x]),
    "np.stack": lambda x, a: np.stack([x, x]),
    "np.where": lambda x, a: np.where(x > 0.5, x, 0.0),
    "np.clip": lambda x, a: np.clip(x, 0.3, 0.8),
    "x.reshape": lambda x, a: x.reshape(2, 3),
}


def board() -> dict[str, Callable[[Any, Any], Any]]:
    """Functions of a vector and a matrix, by name."""

    def named(
        name: str, argument: Callable[[Any, Any], tuple[Any, ...]]
    ) -> Callable[[Any, Any], Any]:
        *path, last = name.split(".")
        module = np.linalg if path else np
        return lambda x, a: getattr(module, last)(*argument(x, a))

    found = {f"np.{n}": named(n, lambda x, a: (x,)) for n in ELEMENTWISE + OF_ARRAYS}
    found |= {f"np.{n}": named(n, lambda x, a: (x, x)) for n in PAIRS}
    found |= {f"np.{n}": named(n, lambda x, a: (a,)) for n in OF_MATRICES}
    return found | MORE


def over(f: Callable[[Any, Any], Any], count: int = 40, repeats: int = 15) -> tuple[float, float]:
    """Microseconds of the plain call, and what tracing it adds."""
    plain = min(timeit.repeat(lambda: f(X, A), number=count, repeat=repeats)) / count
    found = []

    def traced(x: Any, a: Any) -> Any:
        found.append(timeit.timeit(lambda: f(x, a), number=count) / count)
        return x[0]

    for _ in range(repeats):
        wg.value_and_grad(traced, argnums=(0, 1))(X, A)
    return plain * 1e6, (min(found) - plain) * 1e6


if __name__ == "__main__":
    rows = {name: over(f) for name, f in board().items()}
    for name, (plain, more) in sorted(rows.items(), key=lambda row: row[1][1]):
        print(f"{name:20} {plain:8.2f} µs plain, {more:+7.2f} µs when traced")
    median = statistics.median(more for _, more in rows.values())
    print(f"{len(rows)} functions: median {median:.2f} µs over the plain call (target 4)")
