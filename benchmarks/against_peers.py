"""Compiled derivatives, wengert beside its peers, in one process.

Rounds alternate between the tools, so that a busy machine disturbs all alike; figures are medians,
ratios are medians of ratios within a round. Results are compared before anything is timed: a tool
whose numbers differ is named and not timed.
"""

import argparse
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean, median
from time import perf_counter

import numpy

from peers import COMPARED, contestants, flat
from workloads import ALL


def seconds(call, times):
    began = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - began) / times


def compare(case, names, budget):
    """Seconds of each tool per round, and what was wrong with the others."""
    calls, trouble, truth = {}, {}, None
    for name, call in contestants(case, names):
        if isinstance(call, str):
            trouble[name] = call
            continue
        found = flat(call())
        if truth is None:
            truth = found
        elif found.shape != truth.shape or not numpy.allclose(
            found, truth, rtol=case.rtol, atol=case.rtol * max(1.0, numpy.abs(truth).max())
        ):
            trouble[name] = "its numbers differ"
            continue
        calls[name] = call
    times = {}
    for name, call in calls.items():
        once = min(seconds(call, 1) for _ in range(3))
        times[name] = max(1, int(0.01 / max(once, 1e-9)))
    each = {name: seconds(call, times[name]) * times[name] for name, call in calls.items()}
    rounds = int(min(100, max(5, budget / max(sum(each.values()), 1e-9))))
    spent = {name: [] for name in calls}
    for k in range(rounds):
        order = list(calls) if k % 2 else list(reversed(calls))
        for name in order:
            spent[name].append(seconds(calls[name], times[name]))
    return spent, trouble


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="words that a workload's name holds")
    parser.add_argument("--tools", nargs="*", default=list(COMPARED))
    parser.add_argument("--budget", type=float, default=3.0, help="seconds per workload")
    asked = parser.parse_args()
    setting = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("numpy", "llvmlite", "jax", "torch", "autograd"):
        try:
            setting[package] = version(package)
        except PackageNotFoundError:
            setting[package] = "not installed"
    print(", ".join(f"{k} {v}" for k, v in setting.items()))
    print("\n| workload |", " | ".join(f"{t} ms" for t in asked.tools), "| best peer / wengert |")
    print("|---|" + "--:|" * (len(asked.tools) + 1))
    rows, ratios, notes = [], [], []
    for module in ALL:
        for case in module.cases():
            if asked.only and not any(word in case.name for word in asked.only):
                continue
            spent, trouble = compare(case, asked.tools, asked.budget)
            middle = {name: 1e3 * median(s) for name, s in spent.items()}
            others = [n for n in spent if n != "wengert"]
            ratio = None
            if "wengert" in spent and others:
                best = min(others, key=middle.__getitem__)
                ratio = median(b / a for a, b in zip(spent["wengert"], spent[best], strict=True))
                ratios.append(ratio)
            cells = [f"{middle[t]:.4g}" if t in middle else "–" for t in asked.tools]
            print(
                "|",
                case.name,
                "|",
                " | ".join(cells),
                "|",
                "–" if ratio is None else f"{ratio:.2f}",
                "|",
                flush=True,
            )
            notes += [f"{case.name}: {name}: {why}" for name, why in trouble.items()]
            rows.append({"case": case.name, "ms": middle, "ratio": ratio, "trouble": trouble,
                         "flops": case.flops, "bytes": case.bytes})  # fmt: skip
    if ratios:
        print(f"\nGeometric mean of best peer / wengert: {geometric_mean(ratios):.2f}")
    print("\n".join(notes))
    out = Path("out/against_peers.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps({"setting": setting, "rows": rows}, indent=1, ensure_ascii=False),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
