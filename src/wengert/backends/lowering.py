"""Lowering: a program becomes a function of loop code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert.backends import callbacks, maps
from wengert.backends.arrays import Grid, Stored, dense, is_small, new_buffer
from wengert.backends.code import SMALL, Function, Value
from wengert.backends.emit import Emitter, Region
from wengert.backends.extents import Extents, abstract
from wengert.backends.graph import Node
from wengert.backends.kit import Kit
from wengert.backends.plan import FEW
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType, StackType

SCALARS = 2000  # programs of so few operations on small arrays are written out entirely
_DOUBLE = ArrayType.of((), np.dtype(np.float64))
GRID = 64  # else, arrays of so few elements are; in longer ones, of `FEW`


def lower(program: Program, name: str = "kernel", extents: Extents | None = None) -> Function:
    """The loop code of a program (whose inputs and outputs are arrays); its `extents`, where they are known."""
    extents = extents or abstract(program)
    function = Function(name, extents.given)
    e = Emitter(function, extents.fixed)
    arrays = []
    for k, v in enumerate(program.inputs):
        buffer = new_buffer(e, v.type.shape, v.type.dtype, "input", f"x{k}")
        function.inputs.append(buffer)
        arrays.append(dense(e, buffer, v.type.shape, v.type.dtype, e.zero))
    places = []
    for k, a in enumerate(program.outputs):
        buffer = new_buffer(e, a.type.shape, a.type.dtype, "output", f"y{k}")
        function.outputs.append(buffer)
        places.append(dense(e, buffer, a.type.shape, a.type.dtype, e.zero))
    run(e, program, arrays, places)
    function.slots = [tuple(slot) for slot in e.slots]
    return function


def run(
    e: Emitter,
    program: Program,
    arrays: Sequence[Any],
    places: Sequence[Stored | None],
    limit: int | None = None,
) -> list[Any]:
    """Emit a program, given the arrays of its inputs, and where results are wanted. Their arrays."""
    if limit is None:
        limit = e.limit = size_limit(program)
    region = Region(e, limit, at_once=_only_small(program, limit))
    kit = Kit(region)
    nodes = [given(kit, a, v.type) for v, a in zip(program.inputs, arrays, strict=True)]
    outputs = inline(kit, program, nodes)
    wanted = [*outputs, *kit.effects]
    return region.run(kit.nodes, wanted, [*places, *(None for _ in kit.effects)])[: len(outputs)]


def inline(kit: Kit, program: Program, args: Sequence[Node]) -> list[Node]:
    """The nodes of a program's results, given those of its inputs."""
    env = _Env(zip(program.inputs, args, strict=True))
    used, effects = _used(program), program.has_effect
    at_once = kit.region.at_once and not kit.after
    for eqn in program.eqns:
        if used.isdisjoint(eqn.outputs) and not eqn.has_effect:
            continue
        if at_once and eqn.prim.of_doubles is not None and env.written(kit, eqn):
            continue
        ins = [env[a] if a.__class__ is Var else _atom(kit, env, a) for a in eqn.inputs]
        outs = lower_equation(kit, program, eqn, ins)
        env.update(zip(eqn.outputs, outs, strict=True))
        if effects and eqn.has_effect:
            kit.effects += outs
            for node in outs:
                if node.step is not None:
                    node.step.effect = True
    return [_atom(kit, env, a) for a in program.outputs]


class _Env(dict[Any, Node]):
    """What variables stand for; doubles that are there need no node until somebody asks for it."""

    def __init__(self, nodes: Iterable[tuple[Any, Node]]) -> None:
        super().__init__(nodes)
        self.doubles: dict[Any, Value] = {}

    def __missing__(self, v: Any) -> Node:
        items = np.empty((), object)
        items[()] = self.doubles[v]
        node = self[v] = Node.done(Grid(items, _DOUBLE.dtype))
        return node

    def written(self, kit: Kit, eqn: Eqn) -> bool:
        """Write a formula of doubles, if that is what an equation is."""
        known, s = self.doubles, kit.region.s
        if eqn.outputs[0].type is not _DOUBLE:
            return False
        xs = []
        for a in eqn.inputs:
            x: Any = known.get(a)
            if x is None:
                if a.type is not _DOUBLE:
                    return False
                if isinstance(a, Const):
                    x = s.number(a.value, _DOUBLE.dtype)
                else:
                    array = self[a].array
                    if array.__class__ is not Grid:
                        return False
                    x = array.items.item()
                known[a] = x
            xs.append(x)
        formula = eqn.prim.of_doubles
        try:
            y = s.call(formula, *xs) if formula.__class__ is str else formula(s, *xs)
        except NotImplementedError:
            return False
        if y.__class__ is not Value or y.type != "f64":
            return False
        known[eqn.outputs[0]] = y
        return True


def given(kit: Kit, array: Any, t: Any) -> Node:
    """A node whose array is there already."""
    if isinstance(t, StackType):
        node = Node("given", (), np.dtype(np.int64))
        node.array = array
        return kit.add(node)
    node = Node("given", t.shape, t.dtype)
    if array.__class__ is not Grid and kit.region.is_small(t.shape):
        # read once, here: its memory may change later
        region = kit.region
        items = np.empty(t.shape, object)
        for at in np.ndindex(t.shape):
            items[at] = array.at(region.e, tuple(map(region.w.index, at)))
        array = Grid(items, t.dtype)
    node.array = array
    return kit.add(node)


def lower_equation(kit: Kit, program: Program, eqn: Eqn, ins: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes of an equation's results."""
    kit.line = (program, eqn)
    mark = len(kit.nodes)
    try:
        found = eqn.prim.lower(kit, *ins, **eqn.params)
    except NotImplementedError:
        found = NotImplemented
    if found is NotImplemented:
        del kit.nodes[mark:]
        found = callbacks.callback(kit, eqn, ins)
    outs: tuple[Node, ...] = found if isinstance(found, tuple) else (found,)
    for node, v in zip(outs, eqn.outputs, strict=True):
        t = v.type
        if t.__class__ is ArrayType and (node.shape != t.shape or node.dtype != t.dtype):
            raise TypeError(f"{eqn} was lowered to {node}")
    return outs


def _atom(kit: Kit, env: dict[Any, Node], a: Any) -> Node:
    return kit.number(a.value, a.type.dtype) if a.__class__ is Const else env[a]


def _only_small(program: Program, limit: int) -> bool:
    """Is all that it makes small arrays?"""
    return all(
        not isinstance(t, StackType) and is_small(t.shape, limit) for t in _made_types(program)
    )


def _made_types(program: Program) -> set[Any]:
    return {v.type for eqn in program.eqns for v in eqn.outputs}


def _used(program: Program) -> set[Any]:
    used: set[Any] = set(program.outputs)
    for eqn in reversed(program.eqns):
        if not used.isdisjoint(eqn.outputs) or eqn.has_effect:
            used.update(eqn.inputs)
    return used


def size_limit(program: Program) -> int:
    """Arrays up to how many elements are scalars: the longer the program, the fewer.

    What is written out is quick to run, but a compiler's time grows faster than its length.
    """
    total = maps.operations(program)
    if 2 * _in_vectors(program) > max(total, SCALARS):
        return FEW
    if total <= SCALARS and not _has_large(program):
        return 1024
    return GRID if total <= 2 * SCALARS else FEW


def _in_vectors(program: Program) -> int:
    """Operations that stand side by side in arrays longer than a vector: loops over lanes say them once."""
    total = 0
    for e in program.eqns:
        t = e.outputs[0].type
        if getattr(e.prim, "aligned", False) and t.ndim == 1 and FEW < t.size <= SMALL:
            total += t.size
    return total


def _has_large(program: Program) -> bool:
    types = _made_types(program)
    return any(n > SMALL for t in types if not isinstance(t, StackType) for n in t.shape)
