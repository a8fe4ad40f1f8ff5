"""Instead: what to write instead, found when somebody asks the report of a call for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.program import Program
from wengert.trust.question import Recorded

_LARGE = 300  # equations, and numbers: the calls of larger ones are not kept


def advice(recorded: Recorded) -> Callable[[], Any] | None:
    """A search for a rewrite of the recorded function at its arguments; None where it is too large to keep."""
    program, args = recorded.program, recorded.args
    if len(program.eqns) > _LARGE or sum(map(np.size, args)) > _LARGE:
        return None
    names = recorded.names

    def find() -> Any:
        from wengert.trust.explain.advice import repair

        outs = [a for a in program.outputs if a.type.inexact]
        plain = Program(program.inputs, program.eqns, outs, program.sources, program.name)
        with np.errstate(all="ignore"):
            return repair(plain, args, recorded.movers, [] if names is None else names())

    return find
