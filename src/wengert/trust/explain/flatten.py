"""Flatten: batches, compiled functions and checkpoints written out, so that lines inside of them can be named."""

from __future__ import annotations

from typing import Any

from wengert.ir import passes, source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Eqn, Program
from wengert.trace.trace import program_of

HOLDING = ("map", "call", "remat")


def flattened(program: Program) -> Program:
    """The program without equations that only hold another one; loops and branches stay."""
    if not any(e.prim.name in HOLDING for e in program.eqns):
        return program

    def whole(*xs: Any) -> list[Any]:
        env: dict[Any, Any] = dict(zip(program.inputs, xs, strict=True))
        for e in program.eqns:
            ins = [a.value if isinstance(a, Const) else env[a] for a in e.inputs]
            if e.prim.name in HOLDING:
                ys: Any = evaluate(flattened(body_of(e)), ins)
            else:
                ys = _one(program, e, ins)
            env.update(zip(e.outputs, ys, strict=True))
        return [a.value if isinstance(a, Const) else env[a] for a in program.outputs]

    found, captured = program_of(whole, program.in_types, name=program.name)
    return program if captured else found


def _one(program: Program, e: Eqn, ins: list[Any]) -> Any:
    """One equation, recorded with its line."""
    known = 0 <= e.origin < len(program.sources)
    token = source.current.set(program.sources[e.origin] if known else None)
    try:
        ys = e.prim(*ins, **e.params)
    finally:
        source.current.reset(token)
    return ys if e.prim.multiple else (ys,)


def body_of(e: Eqn) -> Program:
    """What a batch, a compiled function or a checkpoint does, as one program."""
    body: Program = e.params["body"]
    if e.prim.name != "map":
        return body
    return passes.batch(body, e.params["mapped"], e.params["extent"], (True,) * len(body.outputs))
