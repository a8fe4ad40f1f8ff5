"""Effort: how many operations on single numbers a program takes: what wider arithmetics cost by."""

from __future__ import annotations

import math
from typing import Any

from wengert.ir.program import Eqn, Program
from wengert.ir.types import ArrayType

_TURNS = 16  # turns that a loop of unknown length is taken to make


def operations(program: Program) -> int:
    """Operations on single numbers, roughly: matrix products and decompositions by their inner loops."""
    return sum(_of(e) for e in program.eqns)


def _of(e: Eqn) -> int:
    sizes = [v.type.size for v in e.outputs if isinstance(v.type, ArrayType)]
    total = sum(sizes)
    held = [p for p in e.params.values() if isinstance(p, Program)]
    if held:
        turns: Any = e.params.get("length", e.params.get("extent", _TURNS)) or _TURNS
        return total + int(turns) * sum(map(operations, held))
    shapes = [a.type.shape for a in e.inputs if isinstance(a.type, ArrayType)]
    if e.prim.name in ("matmul", "einsum", "convolve") and shapes:
        return total * max(max((s[-1] for s in shapes if s), default=1), 1)
    if any(len(s) >= 2 and s[-1] == s[-2] for s in shapes) and not getattr(
        e.prim, "aligned", False
    ):
        return total + max(math.prod(s) * s[-1] for s in shapes if len(s) >= 2)
    return total + sum(math.prod(s) for s in shapes if not getattr(e.prim, "aligned", False))
