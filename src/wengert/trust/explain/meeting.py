"""Meeting: where contributions to a slope that cancel each other come from.

On the way back the contributions of a number's uses are added up; that sum stands on no line of the
user's. Her line is the one where what was computed from these uses meets again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.program import Eqn, Program
from wengert.trust.explain.evidence import At, Evidence


def meeting(evidence: Evidence, position: int, at: At, forward: Program) -> Eqn | None:
    """The equation of `forward` where the terms of a sum of contributions meet; None: it is no such sum."""
    eqn = evidence.program.eqns[position]
    places = {e.origin: k for k, e in enumerate(forward.eqns)}
    if not _collects(evidence.program, position, forward):
        return None
    first, second = (_largest(evidence, a, at, forward) for a in eqn.inputs)
    if first not in places or second not in places:
        return None
    left, right = (_reached(forward, places[origin]) for origin in (first, second))
    return next((e for e in forward.eqns if e.outputs[0] in left and e.outputs[0] in right), None)


def _collects(program: Program, position: int, forward: Program) -> bool:
    """Is it a sum of contributions, and none of the user's?"""
    eqn = program.eqns[position]
    if eqn.prim.name != "add":
        return False
    alike = [e for e in program.eqns[:position] if e.origin == eqn.origin and e.prim is eqn.prim]
    own = [e for e in forward.eqns if e.origin == eqn.origin]
    return bool(own) and (bool(alike) or all(e.prim is not eqn.prim for e in own))


def _largest(evidence: Evidence, a: Any, at: At, forward: Program) -> Any:
    """The origin of the largest term of a sum of contributions."""
    k = evidence.maker.get(a)
    if k is None:
        return None
    eqn = evidence.program.eqns[k]
    if eqn.prim.name == "neg":
        return _largest(evidence, eqn.inputs[0], at, forward) or eqn.origin
    if not _collects(evidence.program, k, forward):
        return eqn.origin
    with np.errstate(all="ignore"):
        sizes = [float(np.max(np.abs(evidence.value(b, at)), initial=0)) for b in eqn.inputs]
    return _largest(evidence, eqn.inputs[int(np.argmax(sizes))], at, forward)


def _reached(forward: Program, start: int) -> set[Any]:
    """What is computed from an equation, its own results among it."""
    found = set(forward.eqns[start].outputs)
    for e in forward.eqns[start:]:
        if any(b in found for b in e.inputs):
            found.update(e.outputs)
    return found
