"""`wengert check`: can the derivatives of a function be believed, at a point or all over a box?"""

from __future__ import annotations

import argparse
import importlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.cli.call import Job, job
from wengert.cli.failure import FINE, FOUND, UsageError
from wengert.cli.output import collected, complain, say, tell
from wengert.cli.target import load, parameters
from wengert.cli.values import arguments, literal
from wengert.draw.findings import OK, WARNING, WRONG, Finding, findings_of, worst
from wengert.draw.written import brief
from wengert.testing.check_grads import GradientsDiffer, check_grads


def check_command(options: argparse.Namespace) -> int:
    """Findings at one point (`--at`), or at points drawn from a box (`--box`)."""
    if options.box:
        return _box(options)
    call = job(options)
    with collected() as said:
        found = _check(call)
    if options.json:
        tell({"function": options.target, "worst": worst(found), "findings": [x._asdict() for x in found], "warnings": said})  # fmt: skip
    else:
        say(f"{call.name} at {', '.join(f'{k} = {brief_of(v)}' for k, v in call.inputs.items())}")
        for finding in found:
            say(str(finding))
        for text in said:
            complain(text)
    return FOUND if worst(found) in (WARNING, WRONG) else FINE


def brief_of(value: Any) -> str:
    """One input in one line."""
    leaves = tree.flatten(value)[0]
    return brief(leaves[0]) if len(leaves) == 1 else f"{type(value).__name__} of {len(leaves)}"


def _check(call: Job) -> list[Finding]:
    """Findings of the call, then every entry of every input against differences."""
    found: list[Finding] = call.ask(lambda f: lambda *args: findings_of(f, args, {}, call.argnums))
    if worst(found) == WRONG:
        return found

    def held(*parts: Any) -> Any:
        args = list(call.args)
        for n, x in zip(call.argnums, parts, strict=True):
            args[n] = x
        return call.f(*args)

    held.__name__ = call.name
    try:
        call.ask(lambda f: lambda *args: check_grads(held, tuple(call.inputs.values())))
    except GradientsDiffer as table:
        found.append(Finding(WARNING, "entries differ from what differences measure", str(table)))
    else:
        found.append(Finding(OK, "every entry is what differences measure, in both modes"))
    return found


# ---- a box -----------------------------------------------------------------------------------------


def _box(options: argparse.Namespace) -> int:
    f = load(options.target)
    sides = dict(_sides(options.box))
    names = parameters(f)
    for name in sides:
        if name not in names:
            raise UsageError(f"{options.target} has no parameter {name!r}", f"its parameters are {', '.join(names)}")  # fmt: skip
    draw = np.random.default_rng(options.seed)
    counts: Counter[str] = Counter()
    shown: dict[tuple[str, str], tuple[Finding, str]] = {}
    for _ in _progress(range(options.samples), options.json):
        point = {n: np.asarray(draw.uniform(low, high))[()] for n, (low, high) in sides.items()}
        call = _at(options, f, names, point)
        with collected():
            found = _check(call)
        counts[worst(found)] += 1
        for x in found:
            if x.kind != OK:
                at = ", ".join(f"{k} = {brief_of(v)}" for k, v in point.items())
                shown.setdefault((x.kind, x.title), (x, at))
    bad = counts[WARNING] + counts[WRONG]
    if options.json:
        rows = [{**x._asdict(), "at": at} for x, at in shown.values()]
        tell({"function": options.target, "points": options.samples, "counts": dict(counts), "findings": rows})  # fmt: skip
    else:
        told = ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
        say(f"{options.target.rpartition(':')[2]} at {options.samples} points of the box: {told}")
        for x, at in shown.values():
            say(f"first at {at}:")
            say(str(x))
    return FOUND if bad else FINE


def _at(options: argparse.Namespace, f: Any, names: Sequence[str], point: dict[str, Any]) -> Job:
    fixed = [text for text in options.at or [] if text.partition("=")[0].strip() not in point]
    given = [f"{n}=0.0" for n in point]
    args, _ = arguments(f, [*given, *fixed], ",".join(point))
    for n, value in point.items():
        args[names.index(n)] = value
    wanted = tuple(names.index(n) for n in point)
    return Job(options.target.rpartition(":")[2], f, args, list(names), wanted)


def _sides(texts: Iterable[str]) -> Iterable[tuple[str, tuple[Any, Any]]]:
    """`x=0:1`, or with arrays as corners `x=[0,0]:[1,2]`."""
    for text in texts:
        name, equals, both = text.partition("=")
        low, colon, high = both.partition(":")
        if not equals or not colon:
            raise UsageError(f"the side {text!r} cannot be read", "write x=low:high, as x=0:1 or x=[0,0]:[1,2]")  # fmt: skip
        a, b = (np.asarray(literal(t), float) for t in (low, high))
        if a.shape != b.shape or np.any(a > b):
            raise UsageError(f"the side {text!r} is empty or its corners have different shapes", "write x=low:high with low ≤ high")  # fmt: skip
        yield name.strip(), (a, b)


def _progress(steps: range, quiet: bool) -> Iterable[int]:
    """With a bar where tqdm is there and somebody looks."""
    try:
        return importlib.import_module("tqdm").tqdm(steps, disable=True if quiet else None, leave=False)  # type: ignore[no-any-return]  # fmt: skip
    except ImportError:
        return steps
