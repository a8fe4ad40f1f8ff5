"""Traces of compiled functions: the program of one kind of call, and what it depends on besides its arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api import looked_at
from wengert.api.asked import CLOSE, Answers, Collector, answers, collecting, needed
from wengert.api.body import name_of
from wengert.backends.entry_table import Kind
from wengert.errors import InputError
from wengert.ir import garbage, source
from wengert.ir.program import Const, Eqn, Program
from wengert.memo.guards import Guards, random_states
from wengert.memo.signature import Fixed, Opened
from wengert.ops.literal import Frozen, literal
from wengert.ops.shape import broadcast
from wengert.trace.body import inside
from wengert.trace.builder import Builder
from wengert.trace.idle import plain
from wengert.trace.trace import meet, run
from wengert.trace.tracer import Tracer
from wengert.transforms.sweep import sweep
from wengert.trust import policies


class Trace(NamedTuple):
    """What one kind of call does: its program, whose last inputs are `captured`, and its results."""

    program: Program
    captured: tuple[Any, ...]
    structure: Any
    results: tuple[Any, ...]  # per leaf: the number of the program's output, or a constant
    weak: tuple[bool, ...]  # per output
    boxed: tuple[bool, ...]  # per output: is it an array, even of shape ()?
    guards: Guards
    seconds: float
    trust: str  # how closely derivatives taken inside wish to be looked at
    answers: Answers | None = None  # the questions that were asked, where they are

    @property
    def portable(self) -> bool:
        """Does it know nothing of a trace that is running?"""
        return not any(isinstance(v, Tracer) for v in self.captured)

    def built(self, ys: Sequence[Any]) -> Any:
        """The function's result, of the values of the program's outputs."""
        leaves = [_handed(r.value) if isinstance(r, Kept) else ys[r] for r in self.results]
        return tree.unflatten(self.structure, leaves)


class Kept(NamedTuple):
    """A result that does not depend on the arguments."""

    value: Any


def _handed(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


@garbage.kept()
def traced(fun: Callable[..., Any], opened: Opened, what: str, asking: bool = False) -> Trace:
    """Run the user's function on the types of a call alone.

    Where it is `asking`, derivatives that are to be looked at closely are compiled with their error
    bounds; where there are none, and all is to be looked at, the results are.
    """
    start = time.perf_counter()
    guards = Guards(fun, [x.value for x in opened.leaves if isinstance(x, Fixed)])
    moved = random_states([n.value for n in guards.names])
    builder = Builder(name_of(fun, "f"))
    types = [x for x in opened.leaves if not isinstance(x, Fixed)]
    inputs = [builder.input(x.type, None, x.weak) for x in types]
    structure: Any = None

    def flat(*xs: Any) -> list[Any]:
        nonlocal structure
        for handle, x in zip(xs, types, strict=True):
            if x.kind == Kind.ARRAY and not x.type.shape and not opened.traced:
                handle.boxed = True
        args, kwargs = opened.rebuilt(xs)
        meet(fun)
        leaves, structure = tree.flatten(fun(*args, **kwargs))
        level = policies.least.get()
        if not asking or level not in CLOSE or collector.asked or builder.trust in CLOSE:
            return leaves

        kind = opened._replace(values=[])

        def again(values: Sequence[Any]) -> Any:
            args, kwargs = kind.rebuilt(values)
            return fun(*args, **kwargs)

        return looked_at.results(what, level, builder, inputs, leaves, again)

    collector = Collector(builder)
    token = collecting.set(collector if asking else None)
    try:
        with inside(builder):
            leaves = run(builder, flat, inputs)
    finally:
        collecting.reset(token)
    if moved():
        raise InputError(
            f"{what}: a random generator was asked for numbers while the function was traced; "
            "compiled, it would give the same numbers in every call",
            "draw them outside, and pass them in as an argument",
            source.here(),
        )
    outputs = [y for y in leaves if isinstance(plain(y), Tracer)]
    places = iter(range(len(outputs)))
    results = [next(places) if isinstance(plain(y), Tracer) else Kept(plain(y)) for y in leaves]
    whole = builder.program([*outputs, *needed(collector, outputs)])
    answered = answers(collector, whole, len(outputs))
    program, captured = _settled(whole, [v for _, v in builder.captured])
    return Trace(
        sweep(program),
        tuple(captured),
        structure,
        tuple(results),
        tuple(y.weak for y in outputs),
        tuple(y.boxed for y in outputs),
        guards,
        time.perf_counter() - start,
        builder.trust,
        answered,
    )


# ---- captured values ---------------------------------------------------------------------------------


def _settled(program: Program, values: list[Any]) -> tuple[Program, list[Any]]:
    """Captured integers and flags, and arrays of one number, become constants of the program."""
    count = len(program.inputs) - len(values)
    inputs, kept = list(program.inputs[:count]), []
    eqns: list[Eqn] = []
    for var, value in zip(program.inputs[count:], values, strict=True):
        number = _only_number(value)
        if number is not None:
            eqns.append(
                Eqn(broadcast, (Const(number),), {"shape": value.shape, "dims": ()}, (var,))
            )
        elif isinstance(value, np.ndarray) and value.dtype.kind not in "fc":
            eqns.append(Eqn(literal, (), {"value": Frozen(value)}, (var,)))
        else:
            inputs.append(var)
            kept.append(value)
    found = Program(inputs, [*eqns, *program.eqns], program.outputs, program.sources, program.name)
    return found, kept


def _only_number(value: Any) -> Any:
    """The number that all elements of an array are, to the bit; None where they differ."""
    if not isinstance(value, np.ndarray) or value.size == 0 or value.dtype.kind not in "fc":
        return None
    first = value[(0,) * value.ndim]
    if first != first or not (value == first).all():
        return None
    if first == 0 and np.signbit(value.real).any() != np.signbit(value.real).all():
        return None
    return first if first != 0 or value.dtype.kind == "f" else None
