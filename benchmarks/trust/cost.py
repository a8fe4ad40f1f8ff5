"""What trust costs: gradients under "report", "check" and "repair" beside plain ones.

    python benchmarks/trust/cost.py [--points 100000] [--only mlp] [--failing]

The first group is called from Python as it is; in the second, the gradient and its bounds are compiled
(`wg.jit(wg.grad(f, trust=...))`), beside the compiled gradient alone. With `--failing`, what it takes to repair some
points of a batch. Ratios of best times of the processor (what else runs there matters little), taken in turn
in one run. Set OPENBLAS_NUM_THREADS=1 and WENGERT_THREADS=1: the time of all threads counts.
"""

import argparse
import time

import numpy as np
from scipy import special

import wengert as wg

# elementwise expressions of one or two arguments in (0.5, 2)
EXPRESSIONS = {
    "polynomial": lambda x, y: x * x * x / (1 + x * x) - 2 * y,
    "versine": lambda x, y: (1 - np.cos(x)) / (y * y),
    "softplus": lambda x, y: np.log(1 + np.exp(x * y)),
    "logistic": lambda x, y: 1 / (1 + np.exp(-x)) + y,
    "gaussian": lambda x, y: np.exp(-x * x / (2 * y * y)) / y,
    "roots": lambda x, y: np.sqrt(x + 1) - np.sqrt(y),
    "length": lambda x, y: np.sqrt(x * x + y * y),
    "quadratic": lambda x, y: (-x + np.sqrt(x * x + 4 * y)) / 2,
    "waves": lambda x, y: np.sin(x) * np.cos(y) - np.sin(x - y),
    "angle": lambda x, y: np.arctan2(y, x) + np.arctan(x * y),
    "hyperbolic": lambda x, y: np.tanh(x) * np.sinh(y) / np.cosh(x * y),
    "logarithms": lambda x, y: np.log(x) * np.log1p(y) - np.log2(x + y),
    "powers": lambda x, y: x**1.5 + x**y,
    "inverse": lambda x, y: np.arcsin(x / 3) + np.arccosh(y + 2),
    "error": lambda x, y: special.erf(x) * special.erfc(y),
    "gamma": lambda x, y: special.gammaln(x + 1) - special.gammaln(y + 1),
    "lennard-jones": lambda x, y: y * (1 / x**12 - 1 / x**6),
    "maxima": lambda x, y: np.maximum(x, y) * np.minimum(x, 1.0) + np.abs(x - y),
    "rational": lambda x, y: (x - y) / (x + y) + 1 / (1 / x + 1 / y),
    "choice": lambda x, y: np.where(x > y, np.exp(x - y), np.log(y)),
}


def interleaved(calls, repeats=9):
    """The shortest of several times of each call, taken in turn, twice each: the first finds cold memory."""
    times = [[] for _ in calls]
    for _ in range(repeats):
        for call, mine in zip(calls, times, strict=True):
            for _ in range(2):
                start = time.process_time()
                call()
                mine.append(time.process_time() - start)
    return [min(mine) for mine in times]


def mlp(draw):
    """A network of two layers on 128 examples."""
    x, w1, w2 = (draw.standard_normal(s) * k for s, k in (((128, 784), 1), ((784, 256), 0.05), ((256, 10), 0.05)))  # fmt: skip
    return lambda a, b: np.mean((np.tanh(x @ a) @ b - 1) ** 2), (w1, w2)


def adjustment(draw, count=20_000):
    """Reprojection errors of bundle adjustment, squared and summed, observation by observation."""

    def one(camera, point):
        turn, centre = camera[:3], camera[3:6]
        x = point - centre
        angle = np.sqrt(np.sum(turn * turn))
        unit = turn / angle
        c, s = np.cos(angle), np.sin(angle)
        crossed = np.stack(
            [
                unit[1] * x[2] - unit[2] * x[1],
                unit[2] * x[0] - unit[0] * x[2],
                unit[0] * x[1] - unit[1] * x[0],
            ]
        )
        rotated = x * c + crossed * s + unit * (np.sum(unit * x) * (1 - c))
        flat = rotated[:2] / rotated[2]
        r2 = np.sum(flat * flat)
        seen = flat * (1 + camera[7] * r2 + camera[8] * r2 * r2) * camera[6]
        return np.sum(seen * seen)

    cameras, points = draw.uniform(0.2, 0.8, (count, 9)), draw.uniform(1.0, 3.0, (count, 3)) + np.array([0, 0, 4.0])  # fmt: skip
    return lambda a, b: np.sum(wg.vmap(one)(a, b)), (cameras, points)


def row(name, f, args):
    """One line of ratios."""
    numbers = tuple(range(len(args)))
    plain, report, check = (wg.grad(f, numbers, trust=t) for t in ("off", "report", "check"))
    fast, checked, repaired = (
        wg.jit(wg.grad(f, numbers, trust=t)) for t in ("report", "check", "repair")
    )
    calls = [lambda g=g: g(*args) for g in (plain, report, check, fast, checked, repaired)]
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        for call in calls:
            call()
        seen = wg.last_report()
        off, reported, looked, native, *bounded = interleaved(calls)
    found = reported / off, looked / off, bounded[0] / native, bounded[1] / native
    print(
        f"{name:16s} {off * 1e3:9.2f} ms  report {found[0]:5.2f}  check {found[1]:6.2f}"
        f"   compiled {native * 1e3:8.2f} ms  check {found[2]:5.2f}  repair {found[3]:5.2f}"
        f"   looked at {seen.count(seen.suspected) / seen.size:.2%}",
        flush=True,
    )
    return found


def failing(draw, points, shares=(0, 10, 100, 1000)):
    """A batch of which some points are wrong: what each of these takes."""
    one = lambda x: (1 - np.cos(x)) / (x * x)
    fast, repaired = wg.jit(wg.vmap(wg.grad(one))), wg.jit(wg.vmap(wg.grad(one, trust="repair")))
    for count in shares:
        x = draw.uniform(0.5, 2, points)
        x[:count] = 1e-8
        calls = [lambda x=x: fast(x), lambda x=x: repaired(x)]
        with wg.trust.policy(action="record", budget=100), np.errstate(all="ignore"):
            for call in calls:
                call()
            native, settled = interleaved(calls, 3)
        each = f", {(settled - native) / count * 1e3:.2f} ms each" if count else ""
        print(f"{count} of {points} points to repair: {settled / native:.2f} times the compiled gradient{each}")  # fmt: skip


def main():
    """Measure, and print medians."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--points", type=int, default=100_000)
    p.add_argument("--only", nargs="+")
    p.add_argument("--failing", action="store_true")
    a = p.parse_args()
    draw = np.random.default_rng(0)
    if a.failing:
        failing(draw, a.points)
        return
    rows = []
    for name, f in EXPRESSIONS.items():
        if not a.only or name in a.only:
            args = draw.uniform(0.5, 2, a.points), draw.uniform(0.5, 2, a.points)
            rows.append(row(name, lambda x, y, f=f: np.sum(f(x, y)), args))
    if rows:
        middle = np.median(rows, axis=0)
        print(
            f"median of {len(rows)}: report {middle[0]:.2f}, check {middle[1]:.2f}; "
            f"compiled: check {middle[2]:.2f}, repair {middle[3]:.2f}"
        )
    for name, made in (("mlp", mlp), ("adjustment", adjustment)):
        if not a.only or name in a.only:
            row(name, *made(draw))


if __name__ == "__main__":
    main()
