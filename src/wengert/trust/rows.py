"""Rows: of a program that treats the examples of a batch alike, only the examples that are asked for.

As slices (trust/slices.py), for what has the batch along axis 0: maps, elementwise operations, sums
within an example. What all examples share stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import Convert
from wengert.ops.compare import Select
from wengert.ops.families import Elementwise, Scale
from wengert.trust.balls.evaluate import Derived

_LEAST = 16  # smaller batches are not worth the trouble
_WITHIN = frozenset(["sum", "max", "min", "any", "all"])  # with axes


def by_rows(
    program: Program, args: Sequence[Any], masks: Sequence[Any]
) -> tuple[Program, list[Any], Any] | None:
    """The program of the examples with marks, its arguments, and their places; None if it is not that kind."""
    extents = {m.shape[:1] for m in masks}
    if len(extents) != 1 or () in extents:
        return None
    ((extent,),) = extents
    marked = np.zeros(extent, bool)
    for m in masks:
        marked |= np.reshape(m, (extent, -1)).any(1)
    kept = np.flatnonzero(marked)
    if extent < _LEAST or 2 * len(kept) > extent:
        return None
    rowed = _rowed(program, extent)
    if rowed is None:
        return None
    short: dict[Any, Any] = {}

    def atom(a: Any) -> Any:
        if isinstance(a, Const):
            return a
        if a not in short:
            t = a.type
            short[a] = Var(ArrayType.of((len(kept), *t.shape[1:]), t.dtype) if a in rowed else t)
        return short[a]

    inputs = [atom(v) for v in program.inputs]
    eqns = [
        Eqn(
            e.prim,
            tuple(map(atom, e.inputs)),
            _narrowed(e, len(kept)) if e.outputs[0] in rowed else e.params,
            tuple(map(atom, e.outputs)),
            e.origin,
        )
        for e in program.eqns
    ]
    outputs = [atom(a) for a in program.outputs]
    found = Derived(inputs, eqns, outputs, program.sources, program.name)
    found.seeds = getattr(program, "seeds", 0)
    given = [
        np.asarray(a)[kept] if v in rowed else a for a, v in zip(args, program.inputs, strict=True)
    ]
    return found, given, (kept,)


def _narrowed(e: Eqn, count: int) -> Any:
    if e.prim.name == "map":
        return {**e.params, "extent": count, "chunk": None}
    if e.prim.name in ("broadcast", "reshape"):
        return {**e.params, "shape": (count, *e.params["shape"][1:])}
    return e.params


def _rowed(program: Program, extent: int) -> set[Any] | None:
    """What has one row per example, each of that example alone; None where examples mix."""
    rowed: set[Any] = {v for v in program.inputs if _long(v, extent)}
    for e in program.eqns:
        mine = [a in rowed for a in e.inputs]
        if e.prim.name == "broadcast" and _long(e.outputs[0], extent):
            dims = e.params["dims"]
            if (dims[:1] == (0,)) if mine[0] else (0 not in dims):
                rowed.update(e.outputs)
                continue
        if not any(mine):
            continue
        if not _keeps_rows(e, mine, extent):
            return None
        rowed.update(e.outputs)
    return rowed if all(a in rowed for a in program.outputs) else None


def _long(a: Any, extent: int) -> bool:
    t = a.type
    return isinstance(t, ArrayType) and t.shape[:1] == (extent,)


def _keeps_rows(e: Eqn, mine: Sequence[bool], extent: int) -> bool:
    """Is each row of the results made of the same rows of the arguments?"""
    if not all(_long(v, extent) for v in e.outputs):
        return False
    if e.prim.name == "map":
        return e.params["extent"] == extent and tuple(mine) == tuple(e.params["mapped"])
    if isinstance(e.prim, Elementwise | Scale | Select | Convert):
        return all(m or not a.type.shape for m, a in zip(mine, e.inputs, strict=True))
    if e.prim.name in _WITHIN:
        return 0 not in e.params.get("axes", (0,))
    return e.prim.name == "reshape"
