"""What tracing adds to one NumPy call: a scoreboard of a hundred functions, in microseconds.

Each call is repeated on a vector of three and a 3 × 3 matrix inside a function, once plain and once
traced; rounds of the two alternate, and the least of each counts. The figure is the median over the
functions; the target is 4 µs.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

import wengert as wg

X, A = np.array([0.3, 0.7, 0.9]), np.array([[2.0, 0.1, 0.3], [0.4, 3.0, 0.2], [0.1, 0.5, 4.0]])
MASK, AT = X > 0.5, np.array([2, 0, 0])

# of a vector x, a matrix a, and their halves: each entry is one call of NumPy
CALLS = {
    # operators
    "x + y": lambda x, a: x + x, "x - y": lambda x, a: x - x, "x * y": lambda x, a: x * x,
    "x / y": lambda x, a: x / x, "-x": lambda x, a: -x, "x ** 2": lambda x, a: x**2,
    "x ** 1.5": lambda x, a: x**1.5, "2 * x": lambda x, a: 2 * x, "1 - x": lambda x, a: 1 - x,
    "x / 2": lambda x, a: x / 2, "x > 0.5": lambda x, a: x > 0.5, "abs(x)": lambda x, a: abs(x),
    "a * x (broadcast)": lambda x, a: a * x, "a @ b": lambda x, a: a @ a,
    # elementwise functions
    "exp": lambda x, a: np.exp(x), "expm1": lambda x, a: np.expm1(x), "log": lambda x, a: np.log(x),
    "log1p": lambda x, a: np.log1p(x), "log2": lambda x, a: np.log2(x), "log10": lambda x, a: np.log10(x),
    "sqrt": lambda x, a: np.sqrt(x), "cbrt": lambda x, a: np.cbrt(x), "square": lambda x, a: np.square(x),
    "reciprocal": lambda x, a: np.reciprocal(x), "sin": lambda x, a: np.sin(x), "cos": lambda x, a: np.cos(x),
    "tan": lambda x, a: np.tan(x), "arcsin": lambda x, a: np.arcsin(x), "arctan": lambda x, a: np.arctan(x),
    "arctan2": lambda x, a: np.arctan2(x, x), "hypot": lambda x, a: np.hypot(x, x), "sinh": lambda x, a: np.sinh(x),
    "cosh": lambda x, a: np.cosh(x), "tanh": lambda x, a: np.tanh(x), "arcsinh": lambda x, a: np.arcsinh(x),
    "power": lambda x, a: np.power(x, 1.5), "maximum": lambda x, a: np.maximum(x, 0.5),
    "minimum": lambda x, a: np.minimum(x, 0.5), "fmax": lambda x, a: np.fmax(x, 0.5),
    "logaddexp": lambda x, a: np.logaddexp(x, x), "absolute": lambda x, a: np.absolute(x),
    "sign": lambda x, a: np.sign(x), "floor": lambda x, a: np.floor(x), "round": lambda x, a: np.round(x, 1),
    "clip": lambda x, a: np.clip(x, 0.4, 0.8), "where": lambda x, a: np.where(x > 0.5, x, 0.0),
    "where, plain mask": lambda x, a: np.where(MASK, x, 0.0), "nan_to_num": lambda x, a: np.nan_to_num(x),
    "sinc": lambda x, a: np.sinc(x), "degrees": lambda x, a: np.degrees(x), "mod": lambda x, a: np.mod(x, 0.4),
    # reductions
    "sum": lambda x, a: np.sum(x), "x.sum()": lambda x, a: x.sum(), "sum, axis": lambda x, a: np.sum(a, axis=0),
    "sum, keepdims": lambda x, a: np.sum(a, axis=1, keepdims=True), "mean": lambda x, a: np.mean(x),
    "mean, axis": lambda x, a: np.mean(a, axis=0), "var": lambda x, a: np.var(x), "std": lambda x, a: np.std(x),
    "prod": lambda x, a: np.prod(x), "max": lambda x, a: np.max(x), "max, axis": lambda x, a: np.max(a, axis=1),
    "min": lambda x, a: np.min(x), "median": lambda x, a: np.median(x), "ptp": lambda x, a: np.ptp(x),
    "average": lambda x, a: np.average(x, weights=X), "cumsum": lambda x, a: np.cumsum(x),
    "cumprod": lambda x, a: np.cumprod(x), "diff": lambda x, a: np.diff(x), "trapezoid": lambda x, a: np.trapezoid(x),
    "argmax": lambda x, a: np.argmax(x), "count_nonzero": lambda x, a: np.count_nonzero(x),
    # reading
    "x[0]": lambda x, a: x[0], "x[1:]": lambda x, a: x[1:], "x[::-1]": lambda x, a: x[::-1],
    "x[mask]": lambda x, a: x[MASK], "x[integers]": lambda x, a: x[AT], "a[1]": lambda x, a: a[1],
    "a[:, 1]": lambda x, a: a[:, 1], "x[:, None]": lambda x, a: x[:, None], "take": lambda x, a: np.take(x, AT),
    # shapes
    "reshape": lambda x, a: np.reshape(a, (9,)), "ravel": lambda x, a: np.ravel(a), "a.T": lambda x, a: a.T,
    "transpose": lambda x, a: np.transpose(a), "swapaxes": lambda x, a: np.swapaxes(a, 0, 1),
    "expand_dims": lambda x, a: np.expand_dims(x, 0), "squeeze": lambda x, a: np.squeeze(x),
    "concatenate": lambda x, a: np.concatenate([x, x]), "stack": lambda x, a: np.stack([x, x]),
    "vstack": lambda x, a: np.vstack([x, x]), "tile": lambda x, a: np.tile(x, 2), "repeat": lambda x, a: np.repeat(x, 2),
    "flip": lambda x, a: np.flip(x), "roll": lambda x, a: np.roll(x, 1), "pad": lambda x, a: np.pad(x, 1),
    "broadcast_to": lambda x, a: np.broadcast_to(x, (2, 3)), "diag": lambda x, a: np.diag(x),
    "tril": lambda x, a: np.tril(a), "sort": lambda x, a: np.sort(x),
    # products and linear algebra
    "dot": lambda x, a: np.dot(x, x), "matmul": lambda x, a: np.matmul(a, a), "outer": lambda x, a: np.outer(x, x),
    "inner": lambda x, a: np.inner(x, x), "tensordot": lambda x, a: np.tensordot(a, a, 1),
    "einsum": lambda x, a: np.einsum("ij,jk->ik", a, a), "trace": lambda x, a: np.trace(a),
    "linalg.norm": lambda x, a: np.linalg.norm(x), "linalg.solve": lambda x, a: np.linalg.solve(a, a),
    "linalg.inv": lambda x, a: np.linalg.inv(a), "linalg.det": lambda x, a: np.linalg.det(a),
}  # fmt: skip


def repeated(call, times):
    """A function of the arguments that makes a call so many times."""

    def f(x, a):
        for _ in range(times):
            call(x, a)
        return x

    return f


def seconds(call):
    began = perf_counter()
    call()
    return perf_counter() - began


def scoreboard(rounds, times=20):
    """Rows of name, plain time and what tracing adds, in microseconds."""
    empty = repeated(lambda x, a: None, times)
    for name, call in CALLS.items():
        f = repeated(call, times)
        runs = [
            partial(f, X, A), partial(empty, X, A),
            partial(wg.vjp, f, X, A, trust="off"), partial(wg.vjp, empty, X, A, trust="off"),
        ]  # fmt: skip
        spent = [
            min(each)
            for each in zip(*([seconds(r) for r in runs] for _ in range(rounds)), strict=True)
        ]
        plain, traced = (1e6 / times * (spent[k] - spent[k + 1]) for k in (0, 2))
        yield {"call": name, "NumPy µs": plain, "tracing adds µs": traced - plain}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="how often each call is timed")
    rows = sorted(scoreboard(parser.parse_args().rounds), key=lambda row: row["tracing adds µs"])
    print("| call | NumPy µs | tracing adds µs |\n| --- | --: | --: |")
    for row in rows:
        print(f"| {row['call']} | {row['NumPy µs']:.2f} | {row['tracing adds µs']:.2f} |")
    figure = median(row["tracing adds µs"] for row in rows)
    within = sum(row["tracing adds µs"] <= 4 for row in rows)
    print(f"\n{len(rows)} functions: median {figure:.2f} µs, {within} of them within 4 µs")
    out = Path("out/overhead.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"median": figure, "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
