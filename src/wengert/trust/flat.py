"""Flat: slopes that are exactly zero, though the function does move with the argument.

Or the function has no value there at all: then a zero that a selection left says nothing.

Two ways lose a dependence without losing a digit: numbers that go through whole numbers (`round`,
`int`, an index), and a loop that ends when it is good enough: how often it turned depends on the
argument, and what it computed in the turns it made does not.
"""

from __future__ import annotations

import dis
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn
from wengert.ir.types import ArrayType
from wengert.trust import edges
from wengert.trust.balls.evaluate import evaluate as on_balls
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import Undecided, precision
from wengert.trust.effort import operations
from wengert.trust.question import Recorded

STEPS = "integer-only path"
LOOP = "early loop exit"
NO_VALUE = "domain edge"
_MOST = 30_000  # operations; larger programs are not run again


def cause(recorded: Recorded, leaf: int, whole: bool = True) -> str:
    """Why the slope in an argument, which is zero, is not to be trusted; "" if it is.

    Not `whole`: it is a limit, at a point where there is no value.
    """
    program = recorded.program
    if whole and _without_value(recorded):
        return NO_VALUE
    start = program.inputs[leaf]
    moved, smooth = {start}, {start}
    for eqn in program.eqns:
        if not any(a in moved for a in eqn.inputs):
            continue
        moved.update(eqn.outputs)
        if any(a in smooth for a in eqn.inputs) and eqn.prim.name not in edges.STEPS:
            smooth.update(v for v in eqn.outputs if v.type.inexact)
    ends = [a for a in program.outputs if a.type.inexact]
    if any(a in moved for a in ends) and not any(a in smooth for a in ends):
        return STEPS
    return LOOP if any(n in moved and _is_loop(place) for n, _, place in recorded.decisions) else ""


def _without_value(recorded: Recorded) -> bool:
    """Is the function's value neither as computed nor in truth a number?"""
    program = recorded.program
    if operations(program) > _MOST or any(t.dtype.kind == "c" for t in program.in_types):
        return False
    left = False  # the range of the format: then it is no matter of the function

    def see(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        nonlocal left
        left = left or any(
            np.any(np.isinf(y)) for y, v in zip(outs, eqn.outputs, strict=True) if _real(v.type)
        )

    with np.errstate(all="ignore"):
        found = evaluate(program, list(recorded.args), observer=see)
    ends = [y for y, t in zip(found, program.out_types, strict=True) if _real(t)]
    if left or not any(np.any(np.isnan(y)) for y in ends):
        return False
    try:
        with precision(128):
            exact = on_balls(program, recorded.args)
    except (Undecided, ArithmeticError, ValueError):
        return False
    return any(
        not v.is_finite()
        for y, t in zip(exact, program.out_types, strict=True)
        if t.inexact
        for v in as_objects(y).flat
    )


def _real(t: Any) -> bool:
    return isinstance(t, ArrayType) and t.inexact


def _is_loop(place: Any) -> bool:
    """Was it a `while` that asked? Then Python jumps back from the line of the question."""
    if place is None or isinstance(place, source.Line):
        return False
    code, lasti = place
    instructions = list(dis.get_instructions(code))
    line = next(
        (i.positions.lineno for i in instructions if i.offset >= lasti and i.positions), None
    )
    return any(
        "BACKWARD" in i.opname and i.positions is not None and i.positions.lineno == line
        for i in instructions
    )
