"""Flat: slopes that are exactly zero, though the function does move with the argument.

Two ways lose a dependence without losing a digit: numbers that go through whole numbers (`round`,
`int`, an index), and a loop that ends when it is good enough: how often it turned depends on the
argument, and what it computed in the turns it made does not.
"""

from __future__ import annotations

import dis
from typing import Any

from wengert.ir import source
from wengert.trust import edges
from wengert.trust.question import Recorded

STEPS = "integer-only path"
LOOP = "early loop exit"


def cause(recorded: Recorded, leaf: int) -> str:
    """Why the slope in an argument, which is zero, is not to be trusted; "" if it is."""
    program = recorded.program
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
