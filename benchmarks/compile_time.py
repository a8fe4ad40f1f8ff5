"""How long the first call takes: tracing, compiling, one run; wengert beside JAX.

Each figure is from a process of its own, in which a small function was compiled before, so that neither
imports nor an earlier workload count. Three columns of wengert: nothing is kept on disk; another
process has compiled the same before; and how the first is divided between Python's passes and LLVM. Processor time, which
a busy machine disturbs less, is printed (of all threads); the time that passes stands in the file, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy

from peers import Case
from peers import jax as by_jax
from workloads import ALL


def chain(steps):
    def make(np):
        kinds = (
            np.sin,
            np.cos,
            np.tanh,
            lambda y: y * y + 1.0,
            lambda y: y / (1.0 + y * y),
            lambda y: 0.5 - y,
        )

        def f(x):
            y = x
            for k in range(steps):
                y = kinds[k % 6](y)
            return np.sum(y)

        return f

    return make


def numbers(steps):
    """Numbers picked from an array of 8, combined in a Python loop: nothing to be done side by side."""

    def make(np):
        def f(x):
            v = [x[k] for k in range(8)]
            for k in range(steps):
                a, b, c = k % 8, (3 * k + 1) % 8, (k + 5) % 8
                v[a] = v[a] * v[b] + 0.1 * v[c] if k % 3 else v[a] - v[b] / (2.0 + v[a] * v[a])
            return sum(v)

        return f

    return make


def long_programs():
    """Programs by length: about 300 equations after all transforms, and about 5000."""
    ramp = partial(numpy.linspace, 0.1, 1.0)
    yield Case("chain of 300 equations, n = 1000", (ramp(1000),), chain(66))
    yield Case("chain of 300 equations, n = 10", (ramp(10),), chain(66))
    yield Case("300 equations on numbers", (ramp(8),), numbers(30))
    # (JAX had not compiled this one after three minutes)
    yield Case("5000 equations on numbers", (ramp(8),), numbers(515), leave_out=("jax",))


def cases():
    return [*long_programs(), *(case for module in ALL for case in module.cases())]


def first_call(name, tool):
    """Seconds of a first call in this process, and of its stages."""
    case = next(c for c in cases() if c.name == name)
    stages = {}
    if tool == "jax":
        by_jax(Case("small", (numpy.ones(3),), lambda np: lambda x: np.sum(x * x)))()
        call = by_jax(case)
    else:
        import wengert as wg

        wg.jit(wg.grad(lambda x: numpy.sum(x * x)))(numpy.ones(3))
        f = case.f(numpy)
        g = case.derivative(wg, f, case.wrt) if case.derivative else wg.grad(f, argnums=case.wrt)
        call = partial(wg.jit(g), *case.args)
    passed, busy = perf_counter(), process_time()
    call()
    found = {"passed": perf_counter() - passed, "busy": process_time() - busy}
    if tool != "jax":
        made = wg.explain_compile(call.func)(*case.args)
        stages = {"equations": len(made.simplified.eqns), "stages": made.seconds}
    print(json.dumps(found | stages))


def asked(name, tool, cache):
    """The same, of another process; None where the tool cannot do it."""
    setting = {**os.environ, "WENGERT_CACHE": cache}
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, tool], env=setting, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


_LLVM = ("parse", "optimise", "emit", "link")


def row(case, times, jax):
    """One line of the table, and the figures behind it."""
    with tempfile.TemporaryDirectory() as kept:
        asked(case.name, "wengert", kept)  # so that it is there
        found = {
            "cold": [asked(case.name, "wengert", "off") for _ in range(times)],
            "warm": [asked(case.name, "wengert", kept) for _ in range(times)],
            "jax": [
                asked(case.name, "jax", "off")
                for _ in range(times if jax and "jax" not in case.leave_out else 0)
            ],
        }
    middle = {
        kind: median(f["busy"] for f in each) if each and all(each) else None
        for kind, each in found.items()
    }
    stages = found["cold"][0]["stages"]
    llvm = sum(stages.get(s, 0.0) for s in _LLVM) / sum(stages.values())
    cells = [
        "–" if middle[k] is None else f"{1e3 * middle[k]:.0f}" for k in ("cold", "warm", "jax")
    ]
    ratio = "–" if middle["jax"] is None else f"{middle['jax'] / middle['cold']:.1f}"
    equations = found["cold"][0]["equations"]
    print(
        f"| {case.name} | {equations} | {' | '.join(cells)} | {ratio} | {100 * llvm:.0f} % |",
        flush=True,
    )
    return {"case": case.name, "equations": equations, "ms": middle, "found": found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="words that a workload's name holds")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--no-jax", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("WORKLOAD", "TOOL"), help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.one:
        first_call(*wish.one)
        return
    print("Processor time of the first call, in milliseconds\n")
    print(
        "| workload | equations | wengert | its code on disk | JAX | JAX / wengert | LLVM's share |"
    )
    print("|---|" + "--:|" * 6)
    rows = [
        row(case, wish.times, not wish.no_jax)
        for case in cases()
        if not wish.only or any(word in case.name for word in wish.only)
    ]
    out = Path("out/compile_time.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
