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
    reached = any(a in moved for a in ends) or any(n in moved for n in recorded.taken)
    if reached and not any(a in smooth for a in ends):
        return STEPS
    if any(n in moved and _ends_a_loop(answer, place) for n, answer, place in recorded.decisions):
        return LOOP
    return (
        LOOP if any(e.prim.name == "while_loop" and _asks(e, moved) for e in program.eqns) else ""
    )


def _asks(eqn: Eqn, moved: set[Any]) -> bool:
    """Does a structured loop go on by numbers that move?"""
    cond, body = eqn.params["cond"], eqn.params["body"]
    flags = [a in moved for a in eqn.inputs]
    consts, before = eqn.params["consts"], -1
    while sum(flags) > before:
        before = sum(flags)
        inside = edges.moved(body, flags)
        for k in range(len(flags) - consts):
            flags[consts + k] |= body.outputs[k] in inside
    return cond.outputs[0] in edges.moved(cond, flags)


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


def _ends_a_loop(answer: bool, place: Any) -> bool:
    """Was it a `while` that asked, or an `if` whose answer left a loop (`break`, `return`)?"""
    if place is None or isinstance(place, source.Line):
        return False
    code, lasti = place
    steps = list(dis.get_instructions(code))
    first = next((k for k, i in enumerate(steps) if i.offset >= lasti), len(steps))
    backs = [i for i in steps if "BACKWARD" in i.opname]
    place = steps[first].positions if first < len(steps) else None
    line = None if place is None else place.lineno
    if any(i.positions is not None and i.positions.lineno == line for i in backs):
        return True  # a `while`: Python jumps back from the line of the question
    asks = next((k for k in range(first, len(steps)) if _decides(steps[k])), None)
    around = [i for i in backs if i.argval <= lasti < i.offset]
    if asks is None or not around:
        return False
    jumps = ("TRUE" in steps[asks].opname) == bool(answer)
    return _leaves(steps, steps[asks].argval if jumps else steps[asks + 1].offset, around)


def _leaves(steps: list[dis.Instruction], offset: int, around: list[dis.Instruction]) -> bool:
    """Does this way lead out of these loops, with nothing decided before?"""
    inner = min(around, key=lambda i: i.offset - i.argval)
    places = {i.offset: k for k, i in enumerate(steps)}
    for _ in steps:
        step = steps[places[offset]]
        if not inner.argval <= offset <= inner.offset or step.opname.startswith("RETURN"):
            return True
        if _decides(step) or any(w in step.opname for w in ("BACKWARD", "RAISE", "FOR_ITER")):
            return False
        if "JUMP" in step.opname:
            offset = step.argval
        elif places[offset] + 1 < len(steps):
            offset = steps[places[offset] + 1].offset
        else:
            return False
    return False


def _decides(step: dis.Instruction) -> bool:
    return "JUMP" in step.opname and "_IF_" in step.opname
