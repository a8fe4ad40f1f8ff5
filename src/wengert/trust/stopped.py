"""Stopped: did a zero of the function itself stop an infinite slope, so that a finite answer may be wrong?

The zero of a branch that was not selected stops what it should. A zero that the function has there
meets an infinite slope in a limit, which may be any number: that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertError
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program
from wengert.ir.source import Line
from wengert.trust.effort import operations

_MOST = 30_000  # operations on balls; larger programs are left alone


class Found:
    """Where it happened."""

    def __init__(self, name: str, line: Line | None) -> None:
        self.name, self.line = name, line


def look(program: Program, args: Sequence[Any], movers: int, gs: Sequence[Any]) -> Found | None:
    """The operation whose infinite slope met a zero that was not a selection's, on the way back; or None."""
    from wengert.trust.balls.evaluate import evaluate as on_balls
    from wengert.trust.balls.number import Doubts, Undecided, precision
    from wengert.trust.exact import pulled

    if operations(program) > _MOST:
        return None
    if any(e.prim.name == "scale" for e in program.eqns):
        return (
            None  # a derivative inside: its zeros may be those of branches that were not selected
        )
    try:
        back, given = pulled(program, args, movers, gs)
        with precision(64):
            before = Doubts.count
            on_balls(back, given)
            if Doubts.count == before:
                return None
    except (Undecided, WengertError, ArithmeticError, ValueError, TypeError):
        return None
    found: list[Found] = []

    def see(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        if not found and eqn.prim.name == "scale":
            g, slope = ins
            if np.any((g == 0) & ~np.isfinite(slope)):
                origin = next((e for e in program.eqns if e.origin == eqn.origin), None)
                name = "an operation" if origin is None else f"`{origin.prim.name}`"
                found.append(Found(name, back.line(eqn)))

    with np.errstate(all="ignore"):
        evaluate(back, given, observer=see)
    return found[0] if found else None
