"""Compiled derivatives, wengert beside its peers, in one process.

Rounds alternate between the tools, so that a busy machine disturbs all alike; figures are medians,
ratios are medians of ratios within a round. Results are compared before anything is timed: a tool
whose numbers differ is named and not timed.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean, median
from time import perf_counter, process_time

if "--one-core" in sys.argv:  # before the libraries start their threads
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy

from peers import COMPARED, PRIMALS, TOOLS, contestants, flat
from roofline import memory, probe, share
from workloads import ALL

CLOCK = [perf_counter]


def _number(x):
    return "–" if x is None else f"{x:.2g}"


def seconds(call, times):
    clock = CLOCK[0]
    began = clock()
    for _ in range(times):
        call()
    return (clock() - began) / times


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


def primal(case, budget, gradient):
    """Of a function with one number as its result: the times of itself, and of its gradient over them."""
    calls = {name: make(case) for name, make in PRIMALS.items()}
    for call in calls.values():
        call()
    calls["gradient"] = gradient
    spent = {name: [] for name in calls}
    times = {name: max(1, int(0.01 / max(seconds(c, 1), 1e-9))) for name, c in calls.items()}
    each = sum(seconds(c, times[name]) * times[name] for name, c in calls.items())
    for k in range(int(min(60, max(5, budget / max(each, 1e-9))))):
        for name in list(calls) if k % 2 else reversed(calls):
            spent[name].append(seconds(calls[name], times[name]))
    ratio = lambda a, b: median(x / y for x, y in zip(spent[a], spent[b], strict=True))
    return {
        "ms": {name: 1e3 * median(spent[name]) for name in PRIMALS},
        "gradient / primal": ratio("gradient", "wengert"),
        "best peer / wengert": ratio("jax", "wengert"),
    }


def extras(case, middle, machine, asked):
    """First call, memory, share of the roof; and the primal where there is one."""
    began = CLOCK[0]()
    call = TOOLS["wengert"](case)
    call()
    found = {"first call ms": 1e3 * (CLOCK[0]() - began), "memory MB": memory(call)}
    found["share of the roof"] = share(case, 1e-3 * middle["wengert"], machine)
    if case.derivative is None:
        found["primal"] = primal(case, asked.budget / 2, call)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="words that a workload's name holds")
    parser.add_argument("--tools", nargs="*", default=list(COMPARED))
    parser.add_argument("--budget", type=float, default=3.0, help="seconds per workload")
    parser.add_argument("--one-core", action="store_true",
                        help="pinned to one core, by the time of the processor: for a busy machine")  # fmt: skip
    asked = parser.parse_args()
    if asked.one_core:
        CLOCK[0] = process_time
    setting = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("numpy", "llvmlite", "jax", "torch", "autograd"):
        try:
            setting[package] = version(package)
        except PackageNotFoundError:
            setting[package] = "not installed"
    print(", ".join(f"{k} {v}" for k, v in setting.items()))
    print("\n| workload |", " | ".join(f"{t} ms" for t in asked.tools), "| best peer / wengert |")
    print("|---|" + "--:|" * (len(asked.tools) + 1))
    rows, ratios, notes, more = [], [], [], []
    machine = probe(CLOCK[0])
    for module in ALL:
        for case in module.cases():
            if asked.only and not any(word in case.name for word in asked.only):
                continue
            spent, trouble = compare(case, asked.tools, asked.budget)
            middle = {name: 1e3 * median(s) for name, s in spent.items()}
            others = [n for n in spent if n != "wengert"]
            ratio = None
            if "wengert" in spent and others:
                others = [n for n in others if not n.startswith("wengert")]
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
            row = {"case": case.name, "ms": middle, "ratio": ratio, "trouble": trouble,
                   "flops": case.flops, "bytes": case.bytes}  # fmt: skip
            if "wengert" in middle:
                row.update(extras(case, middle, machine, asked))
                more.append(row)
            rows.append(row)
    if ratios:
        print(f"\nGeometric mean of best peer / wengert: {geometric_mean(ratios):.2f}")
    print("\n".join(notes))
    print(
        "\nThe roof, measured in this run:", ", ".join(f"{k} {v:.3g}" for k, v in machine.items())
    )
    print("\n| workload | first call ms | memory MB | share of the roof | primal ms | gradient / primal |",
          "JAX's primal / wengert's |")  # fmt: skip
    print("|---|" + "--:|" * 6)
    for row in more:
        p = row.get("primal")
        cells = [
            f"{row['first call ms']:.0f}",
            _number(row["memory MB"]),
            _number(row["share of the roof"]),
        ]
        cells += [f"{p['ms']['wengert']:.4g}", f"{p['gradient / primal']:.2f}",
                  f"{p['best peer / wengert']:.2f}"] if p else ["–"] * 3  # fmt: skip
        print("|", " | ".join([row["case"], *cells]), "|")
    out = Path("out/against_peers.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(
        json.dumps(
            {"setting": setting, "machine": machine, "rows": rows}, indent=1, ensure_ascii=False
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
