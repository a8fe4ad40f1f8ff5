"""Unroll: loops and branches written out as they went, turn by turn, so that lines inside of them can be named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Eqn, Program
from wengert.ir.types import StackType
from wengert.trace.builder import Builder
from wengert.trace.trace import run
from wengert.trace.tracer import Tracer
from wengert.trust.explain.flatten import HOLDING, body_of

_MOST = 3000  # equations; of longer loops, the calls are named


class _TooLong(Exception):
    """More equations than are worth it."""


def unrolled(
    program: Program, args: Sequence[Any], nodes: Sequence[Any] = ()
) -> tuple[Program, list[Any], dict[Any, Any]] | None:
    """The program's own path at `args` without loops and branches, its arguments, and what became of `nodes`.

    The lines of its equations know in which turns of which loops they were. None where there is
    nothing to write out, or too much.
    """
    if not any(_is_control(e) for e in program.eqns):
        return None
    builder = Builder(program.name, saving=True)
    tracers = [builder.input(v.type, a) for v, a in zip(program.inputs, args, strict=True)]
    kept: dict[Any, Any] = {}

    def whole(*xs: Any) -> list[Any]:
        return _written(builder, program, xs, (), nodes, kept)

    try:
        with np.errstate(all="ignore"):
            outputs = run(builder, whole, tracers)
    except _TooLong:
        return None
    found = builder.program(outputs)
    return found, [*args, *(v for _, v in builder.captured)], kept


def _is_control(e: Eqn) -> bool:
    return e.prim.name in ("scan", "while_loop", "cond", *HOLDING)


def _written(
    builder: Builder, program: Program, xs: Sequence[Any], turns: tuple[int, ...],
    nodes: Sequence[Any] = (), kept: dict[Any, Any] | None = None,
) -> list[Any]:  # fmt: skip
    """The outputs of a program, its equations recorded in the turns that it is in."""
    env: dict[Any, Any] = dict(zip(program.inputs, xs, strict=True))
    for e in program.eqns:
        if len(builder.entries) > _MOST:
            raise _TooLong
        ins = [a.value if isinstance(a, Const) else env[a] for a in e.inputs]
        known = 0 <= e.origin < len(program.sources)
        line = source.resolve(program.sources[e.origin]) if known else None
        token = source.current.set(line and line._replace(turns=(*line.turns, *turns)))
        try:
            found = _control(builder, e, ins, turns) if _is_control(e) else None
            if found is None:
                ys = e.prim(*ins, **e.params)
                found = ys if e.prim.multiple else (ys,)
        finally:
            source.current.reset(token)
        env.update(zip(e.outputs, found, strict=True))
    if kept is not None:
        kept.update((v, y.node) for v in nodes if isinstance(y := env.get(v), Tracer))
    return [a.value if isinstance(a, Const) else env[a] for a in program.outputs]


def _control(builder: Builder, e: Eqn, ins: Sequence[Any], turns: tuple[int, ...]) -> Any:
    """The results of a loop or a branch, written out; None where its equation stays."""
    p, name = e.params, e.prim.name
    if name in HOLDING:
        return _written(builder, body_of(e), ins, turns)
    if name == "cond":
        return _written(builder, p["true"] if _number(ins[0]) else p["false"], ins[1:], turns)
    if name == "while_loop":
        return _while(builder, p, ins, turns)
    return _scan(builder, p, ins, turns)


def _number(x: Any) -> Any:
    return x.value if isinstance(x, Tracer) else x


def _while(builder: Builder, p: Any, ins: Sequence[Any], turns: tuple[int, ...]) -> Any:
    fixed, state = list(ins[: p["consts"]]), list(ins[p["consts"] :])
    if len(p["body"].outputs) != len(state):  # it leaves stacks behind
        return None
    turn = 0
    while evaluate(p["cond"], [_number(x) for x in (*fixed, *state)])[0]:
        turn += 1
        state = _written(builder, p["body"], [*fixed, *state], (turn, *turns))
    return state


def _scan(builder: Builder, p: Any, ins: Sequence[Any], turns: tuple[int, ...]) -> Any:
    body, first, last = p["body"], p["consts"], p["consts"] + p["carry"]
    fixed, state, over = list(ins[:first]), list(ins[first:last]), ins[last:]
    steps = p["length"]
    if steps is None or any(isinstance(t, StackType) for t in (*body.in_types, *body.out_types)):
        return None
    rows: list[Any] = [None] * steps
    for k in _order(steps, p["reverse"]):
        found = _written(builder, body, [*fixed, *state, *(x[k] for x in over)], (k + 1, *turns))
        state, rows[k] = found[: p["carry"]], found[p["carry"] :]
    if not steps:
        return None
    return [*state, *(np.stack(column) for column in zip(*rows, strict=True))]


def _order(steps: int, reverse: bool) -> Iterator[int]:
    return iter(range(steps - 1, -1, -1) if reverse else range(steps))


def here(line: Any) -> Any:
    """A line, whatever the turn."""
    return line if line is None or not line.turns else line._replace(turns=())
