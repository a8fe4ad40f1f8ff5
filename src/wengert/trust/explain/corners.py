"""Corners: operations with a corner or an infinite slope, at the end of their domain or at zero, and which stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn
from wengert.trust.question import Recorded

_CORNERS = (
    "sqrt", "length", "abs", "fabs", "modulus", "power", "hypot", "cbrt", "max", "min", "maximum", "minimum",
)  # fmt: skip
_ENDS = ("arccos", "arcsin", "arccosh", "arctanh")


def at_corner(recorded: Recorded) -> Eqn | None:
    """An equation with an infinite slope or a corner at zero, that stands there; else the first that may."""
    found: list[Eqn] = []

    def see(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        near = 1e-7 if eqn.outputs[0].type.inexact else 0
        if (eqn.prim.name in _CORNERS and np.any(np.asarray(outs[0]) == 0)) or (
            eqn.prim.name in _ENDS and np.any(np.abs(np.abs(ins[0]) - 1) < near)
        ):
            found.append(eqn)

    program = recorded.program
    with np.errstate(all="ignore"):
        evaluate(program, list(recorded.args), observer=see)
    return next(iter(found or [e for e in program.eqns if e.prim.name in _CORNERS]), None)
