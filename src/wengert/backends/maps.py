"""Maps: a small program for every example of a batch, as one loop whose scalars are vectors of examples.

A result of a map is virtual: asked for an element of example i, it writes the whole body for that
example, once per nest. So what surrounds a map, the sums of the cotangents of shared arguments
first of all, joins its loop. A body that is not small is computed by its batch rules instead: `widened`
says so in the program, before anybody asks which of its numbers are extents, since batch rules make new ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Grid, is_small
from wengert.backends.code import SMALL, Function
from wengert.backends.graph import Node
from wengert.ir import passes
from wengert.ir.program import Const, Eqn, Program
from wengert.ir.types import StackType
from wengert.ops.control import call, map_
from wengert.ops.control.map import wide

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter, Region
    from wengert.backends.kit import Kit

LIMIT = 1024  # elements of an array in a body
LONGEST = 8000  # operations of a body


class Row:
    """One example of a batch, or what all of them share: read where it stands."""

    __slots__ = ("dtype", "lead", "node", "region", "shape")

    def __init__(self, region: Region, node: Node, lead: tuple[Any, ...]) -> None:
        self.region, self.node, self.lead = region, node, lead
        self.shape, self.dtype = node.shape[len(lead) :], node.dtype

    def at(self, e: Emitter, idx: Any) -> Any:
        """An element of the example."""
        return self.region.at(self.node, (*self.lead, *idx))


def mapped(
    kit: Kit, args: Sequence[Node], body: Program, flags: Sequence[bool], extent: int
) -> tuple[Node, ...] | None:
    """The results of a map as virtual arrays; None if its body is not small enough."""
    if not loops_over(body, extent):
        return None
    cost = operations(body)

    def all_of(r: Region, i: Any) -> list[Grid]:
        key = (body, args_key, i)
        found = r.memo.get(key)
        if found is None:
            from wengert.backends.flow import as_grid
            from wengert.backends.lowering import run

            rows = [Row(r, a, (i,) if f else ()) for a, f in zip(args, flags, strict=True)]
            r.e.lanes += 1
            outs = run(r.e, body, rows, [None] * len(body.outputs), LIMIT)
            r.e.lanes -= 1
            found = [as_grid(r.e, y, t) for y, t in zip(outs, body.out_types, strict=True)]
            r.memo[key] = found
        return found

    args_key = object()
    results = []
    for k, t in enumerate(body.out_types):

        def pull(r: Region, idx: Any, k: int = k) -> Any:
            return all_of(r, idx[0])[k].at(r.e, idx[1:])

        node = Node("virtual", (extent, *t.shape), t.dtype, tuple(args), "row", pull, cost)
        node.written_out = True
        results.append(kit.add(node))
    return tuple(results)


def operations(program: Program) -> int:
    """About how many scalar operations are to be written, loops once."""
    total = 0
    for eqn in program.eqns:
        if getattr(eqn.prim, "aligned", False) and eqn.outputs[0].type.shape == ():
            total += 1
            continue
        size = 0
        for v in eqn.outputs:
            shape = () if isinstance(v.type, StackType) else v.type.shape
            size += math.prod(n for n in shape if n <= SMALL)
        if eqn.prim.name in ("matmul", "einsum"):
            extents = [n for a in eqn.inputs for n in a.type.shape if n <= SMALL]
            size *= max(extents, default=1)
        inner = [p for p in eqn.params.values() if isinstance(p, Program)]
        repeat = eqn.params["extent"] if eqn.prim.name == "map" else 1
        total += size + (repeat if repeat <= SMALL else 1) * sum(map(operations, inner))
    return total


def loops_over(body: Program, extent: int) -> bool:
    """Does a map become a loop over its examples?"""
    return extent > SMALL and bool(fits(body))


@passes.remembered
def widened(program: Program) -> Program:
    """The program with the batch rules' equations for every map that becomes no loop, at any depth."""
    eqns, changed = [], False
    for e in program.eqns:
        params = e.params
        if e.prim is map_ and not loops_over(params["body"], params["extent"]):
            batch = wide(params["body"], params["mapped"], params["extent"])
            e = Eqn(call, e.inputs, {"body": widened(batch)}, e.outputs, e.origin)
        elif e.prim is not map_:
            inner = {k: _widened_in(v) for k, v in params.items()}
            if any(inner[k] is not v for k, v in params.items()):
                e = Eqn(e.prim, e.inputs, inner, e.outputs, e.origin)
        changed = changed or e.params is not params
        eqns.append(e)
    if not changed:
        return program
    return Program(program.inputs, eqns, program.outputs, program.sources, program.name)


def _widened_in(value: Any) -> Any:
    if isinstance(value, Program):
        return widened(value)
    if isinstance(value, tuple) and any(isinstance(v, Program) for v in value):
        return tuple(map(_widened_in, value))
    return value


@passes.remembered
def fits(body: Program) -> bool:
    """Are all arrays of a body small, and can all of it be done lane by lane?"""
    return operations(body) <= LONGEST and _fits(body)


def _fits(body: Program) -> bool:
    from wengert.backends.emit import Emitter, Region
    from wengert.backends.kit import Kit as Other
    from wengert.backends.lowering import given, lower_equation

    types = [v.type for e in body.eqns for v in e.outputs]
    for t in (*body.in_types, *types):
        if isinstance(t, StackType) or not is_small(t.shape, LIMIT):
            return False
    trial = Other(Region(Emitter(Function("trial", ()), frozenset()), LIMIT))
    env: dict[Any, Node] = {}
    for v in body.inputs:
        env[v] = given(trial, Grid(np.empty(v.type.shape, object), v.type.dtype), v.type)
    for eqn in body.eqns:
        for inner in eqn.params.values():
            if isinstance(inner, Program) and not fits(inner):
                return False
        ins = [
            trial.number(a.value, a.type.dtype) if isinstance(a, Const) else env[a]
            for a in eqn.inputs
        ]
        outs = lower_equation(trial, body, eqn, ins)
        env.update(zip(eqn.outputs, outs, strict=True))
    return all(n.step.lanes for n in trial.nodes if n.kind == "step")
