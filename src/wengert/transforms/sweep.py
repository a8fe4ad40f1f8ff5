"""sweep: equal equations once, unused ones never, scalar constants computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.key import freeze
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType


def _is_short(e: Eqn) -> bool:
    """Worth computing now: scalar results, and no loop in it."""
    scalars = all(isinstance(v.type, ArrayType) and v.type.shape == () for v in e.outputs)
    return scalars and not any(isinstance(p, Program) for p in e.params.values())


def sweep(program: Program) -> Program:
    """Common subexpressions merged, equations of scalar constants folded, dead ones dropped.

    The digits do not change: a folded equation is computed by its own `eval`.
    """
    same: dict[Any, Any] = {}
    seen: dict[Any, tuple[Var, ...]] = {}
    kept: list[Eqn] = []
    for e in program.eqns:
        ins: tuple[Any, ...] = e.inputs
        if same and not same.keys().isdisjoint(ins):
            ins = tuple([same.get(a, a) for a in ins])
        numbers = [a.__class__ is Const for a in ins]
        coded: Any = ins
        if True in numbers:
            if all(numbers) and _is_short(e):
                with np.errstate(all="ignore"):
                    ys = e.prim.eval(*(a.value for a in ins), **e.params)
                for v, y in zip(e.outputs, ys if e.prim.multiple else (ys,), strict=True):
                    same[v] = Const(np.asarray(y)[()])
                continue
            coded = tuple([(freeze(a.value), a.type) if isinstance(a, Const) else a for a in ins])
        key = (e.prim, freeze(dict(e.params)) if e.params else None, coded)
        if key in seen and not e.has_effect:
            same.update(zip(e.outputs, seen[key], strict=True))
            continue
        seen[key] = e.outputs
        kept.append(e if ins is e.inputs else Eqn(e.prim, ins, e.params, e.outputs, e.origin))
    outputs = tuple(same.get(a, a) for a in program.outputs)
    alive: set[Any] = set(outputs)
    used = []
    for e in reversed(kept):
        if not alive.isdisjoint(e.outputs) or e.has_effect:
            used.append(e)
            alive.update(e.inputs)
    return Program(program.inputs, reversed(used), outputs, program.sources, program.name)
