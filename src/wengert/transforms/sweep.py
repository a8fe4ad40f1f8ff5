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

    def now(atom: Any) -> Any:
        return atom if isinstance(atom, Const) else same.get(atom, atom)

    for e in program.eqns:
        ins = tuple(now(a) for a in e.inputs)
        if ins and all(isinstance(a, Const) for a in ins) and _is_short(e):
            with np.errstate(all="ignore"):
                ys = e.prim.eval(*(a.value for a in ins), **e.params)
            for v, y in zip(e.outputs, ys if e.prim.multiple else (ys,), strict=True):
                same[v] = Const(np.asarray(y)[()])
            continue
        key = (e.prim, freeze(dict(e.params)), tuple(freeze(a.value) if isinstance(a, Const) else a for a in ins),
               tuple(a.type for a in ins))  # fmt: skip
        if key in seen and not e.has_effect:
            same.update(zip(e.outputs, seen[key], strict=True))
            continue
        seen[key] = e.outputs
        kept.append(e if ins == e.inputs else Eqn(e.prim, ins, e.params, e.outputs, e.origin))
    outputs = tuple(now(a) for a in program.outputs)
    alive: set[Any] = set(outputs)
    used = []
    for e in reversed(kept):
        if e.has_effect or any(v in alive for v in e.outputs):
            used.append(e)
            alive.update(e.inputs)
    return Program(program.inputs, reversed(used), outputs, program.sources, program.name)
