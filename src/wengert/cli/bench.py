"""`wengert bench`: what a call and its derivative cost, beside each other in one run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np

from wengert import numeric
from wengert.api.gradients import grad
from wengert.api.jacobians import jacrev
from wengert.cli.call import Job, job
from wengert.cli.failure import FINE
from wengert.cli.output import collected, say, tell
from wengert.draw.profile import seconds
from wengert.errors import WengertError

_MOST_DIFFERENCES = 500  # numbers in the inputs up to which numeric differentiation is timed


def rosenbrock(x: Any) -> Any:
    """The example where no function is named."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def bench_command(options: argparse.Namespace) -> int:
    """Time the function, its gradient, and what else there is to compare with."""
    if options.target is None:
        call = Job("rosenbrock", rosenbrock, [np.linspace(-1, 1, 10)], ["x"], (0,))
    else:
        call = job(options)
    with collected():
        rows = _rows(call, options.seconds)
    base = rows[0][1]
    if options.json:
        tell({"function": call.name, "seconds": dict(rows)})
    else:
        say(f"{call.name} with {call.described()}; the best of many calls")
        width = max(len(name) for name, _ in rows)
        for name, t in rows:
            say(f"  {name:<{width}}  {seconds(t):>8}   {t / base:6.1f} × the function")
    return FINE


def _rows(call: Job, budget: float) -> list[tuple[str, float]]:
    rows = [("the function", best(lambda: call.ask(lambda f: f), budget))]
    scalar = np.shape(call.ask(lambda f: f)) == ()
    ours = grad if scalar else jacrev
    derivative = ours(call.f, argnums=call.argnums)
    rows.append(("gradient" if scalar else "Jacobian", best(lambda: call.ask(lambda f: derivative), budget)))  # fmt: skip
    jit = getattr(import_module("wengert"), "jit", None)
    if jit is not None:
        for name, f in (("the function", call.f), (rows[1][0], derivative)):
            with suppress(WengertError):
                rows.append((f"{name}, compiled", _compiled(call, jit(f), budget)))
    size = sum(np.size(x) for x in call.inputs.values())
    if scalar and size <= _MOST_DIFFERENCES and all(np.ndim(x) == np.ndim(np.asarray(x)) for x in call.inputs.values()):  # fmt: skip
        measured = numeric.grad(call.f, argnums=call.argnums)
        rows.append(("central differences", best(lambda: call.ask(lambda f: measured), budget)))
    return rows


def _compiled(call: Job, f: Callable[..., Any], budget: float) -> float:
    return best(lambda: call.ask(lambda _: f), budget)


def best(call: Callable[[], Any], budget: float) -> float:
    """The quickest of the calls that fit into a time, in seconds per call."""
    call()
    found: list[float] = []
    spent, count = 0.0, 1
    while spent < budget or len(found) < 3:
        start = time.perf_counter()
        for _ in range(count):
            call()
        took = time.perf_counter() - start
        found.append(took / count)
        spent += took
        if took < 1e-3:
            count *= 2
    return min(found)
