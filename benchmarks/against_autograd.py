"""Time and memory of derivatives, wengert beside HIPS autograd, in one process.

Repetitions alternate between the two, so that a busy machine disturbs both alike; a ratio is the
median of the ratios of neighbours. Both gradients are compared before anything is timed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import gc
import json
import platform
import tracemalloc
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

import autograd
import autograd.numpy
import numpy
import optree

import wengert as wg
from problems import calls, fill, problems, read


def seconds(call, times):
    began = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - began) / times


def side_by_side(ours, theirs, budget):
    """Median time of each, and the median ratio, within about `budget` seconds."""
    once = seconds(ours, 1) + seconds(theirs, 1)  # warm
    once = min(once, seconds(ours, 1) + seconds(theirs, 1))
    times = max(1, int(0.02 / once))
    rounds = int(min(200, max(5, budget / (times * once))))
    pairs = []
    for k in range(rounds):
        if k % 2:
            pairs.append((seconds(ours, times), seconds(theirs, times)))
        else:
            pairs.append((seconds(theirs, times), seconds(ours, times))[::-1])
    return (*map(median, zip(*pairs, strict=True)), median(a / b for a, b in pairs))


def peak(call):
    """Most bytes held at one time during a call."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def dot(np, a, b):
    """Inner product of two containers of arrays."""
    if isinstance(b, numpy.ndarray):
        return np.sum(a * b)
    return sum(dot(np, p, q) for p, q in zip(a, b, strict=True))


def twice(np, grad, f, direction):
    """The gradient of the derivative of f along `direction`: Hessian times vector."""
    slope = grad(f)
    return grad(lambda x: dot(np, slope(x), direction))


def agree(ours, theirs):
    pairs = zip(optree.tree_leaves(ours), optree.tree_leaves(theirs), strict=True)
    return all(numpy.allclose(a, b, rtol=1e-9, atol=1e-11) for a, b in pairs)


def derivatives(budget):
    """First and second derivatives of every problem: milliseconds and kilobytes."""
    rng = numpy.random.default_rng(3)
    for name, make, x in problems():
        direction = optree.tree_map(lambda a: rng.normal(size=a.shape), x)
        f, g = make(numpy), make(autograd.numpy)
        for order, ours, theirs in [
            ("gradient", wg.grad(f), autograd.grad(g)),
            (
                "Hessian · v",
                twice(numpy, wg.grad, f, direction),
                twice(autograd.numpy, autograd.grad, g, direction),
            ),
        ]:
            assert agree(ours(x), theirs(x)), f"{name}, {order}: the two disagree"
            pair = partial(ours, x), partial(theirs, x)
            a, b, ratio = side_by_side(*pair, budget)
            yield {
                "problem": name, "order": order, "wengert ms": 1e3 * a, "autograd ms": 1e3 * b,
                "time ratio": ratio, "wengert kB": peak(pair[0]) / 1e3,
                "autograd kB": peak(pair[1]) / 1e3,
            }  # fmt: skip


def recording(budget, repeats=200):
    """What recording adds to one NumPy call, in microseconds."""
    argument = numpy.array([0.3, 0.7, 1.1]), numpy.arange(9.0).reshape(3, 3)

    def repeated(call, times):
        def f(pair):
            x, a = pair
            for _ in range(times):
                call(x, a)
            return x

        return f

    for (name, ours), theirs in zip(
        calls(numpy).items(), calls(autograd.numpy).values(), strict=True
    ):
        runs = []
        for times in (repeats, 0):
            f, g = repeated(ours, times), repeated(theirs, times)
            runs += [
                partial(f, argument),
                partial(wg.vjp, f, argument),
                partial(autograd.make_vjp(g), argument),
            ]
        once = sum(seconds(run, 1) for run in runs)  # warm
        rounds = [[seconds(run, 1) for run in runs] for _ in range(max(9, int(budget / once)))]
        spent = [1e6 / repeats * min(times) for times in zip(*rounds, strict=True)]
        plain, traced, boxed = (full - empty for full, empty in zip(spent, spent[3:], strict=False))
        yield {
            "call": name, "NumPy µs": plain, "wengert adds µs": traced - plain,
            "autograd adds µs": boxed - plain,
        }  # fmt: skip


def elements():
    """Time per element of the gradient through n writes or n reads: constant if linear in n."""
    for name, make in [("n writes", fill), ("n reads", read)]:
        row = {"function": name}
        for n in (1_000, 100_000):
            x = numpy.linspace(0.0, 1.0, n)
            gradient = partial(wg.grad(make(n)), x)
            assert agree(gradient(), 2 * x), name
            row[f"µs each, n = {n}"] = 1e6 / n * min(seconds(gradient, 1) for _ in range(3))
        few, many = list(row.values())[1:]
        yield row | {"growth": many / few}


def table(title, rows):
    """Print rows as a Markdown table while they come, and return them."""
    kept = []
    print(f"\n### {title}\n")
    for row in rows:
        if not kept:
            print("|", " | ".join(row), "|")
            print(
                "|", " | ".join("---" if isinstance(v, str) else "--:" for v in row.values()), "|"
            )
        cells = (v if isinstance(v, str) else f"{v:.3g}" for v in row.values())
        print("|", " | ".join(cells), "|", flush=True)
        kept.append(row)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=1.0, help="seconds per comparison")
    budget = parser.parse_args().budget

    packages = {
        "wengert": wg.__version__,
        "autograd": version("autograd"),
        "numpy": numpy.__version__,
    }
    setting = {"python": platform.python_version(), "machine": platform.machine(), **packages}
    print(", ".join(f"{name} {value}" for name, value in setting.items()))
    results = {
        "setting": setting,
        "derivatives": table("Derivatives, wengert beside HIPS autograd", derivatives(budget)),
        "recording": table("One recorded NumPy call", recording(budget / 4)),
        "elements": table("Element by element", elements()),
    }
    out = Path("out/against_autograd.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
