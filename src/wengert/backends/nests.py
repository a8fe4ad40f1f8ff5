"""Loop nests: all arrays of one level and one space of iteration, computed in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends import turned
from wengert.backends.arrays import Grid, Stored
from wengert.backends.code import Value
from wengert.backends.copying import copy
from wengert.backends.graph import Node
from wengert.backends.plan import Unit
from wengert.backends.roots import Root
from wengert.backends.scalars import Pair

if TYPE_CHECKING:
    from wengert.backends.emit import Region


def emit(r: Region, unit: Unit) -> None:
    """Emit a unit that is no step."""
    if unit.key[1] == 0:
        for node in unit.roots:
            _small(r, node)
        return
    if unit.parts or (len(unit.loops) > 1 and not unit.flat):
        _rows(r, unit)
        return
    roots = [Root(r, node, unit.flat) for node in unit.roots]
    for root in roots:
        root.prepare()
    total = r.e.one
    for n in unit.loops:
        total = r.w.op("mul", total, r.e.dim(n))
    extents = [total] if unit.flat else [r.e.dim(n) for n in unit.loops]
    with r.w.reading({root.place.buffer for root in roots if root.place is not None}):
        _loops(r, extents, roots, [])
    r.memo.clear()
    for root in roots:
        root.finish()


def _rows(r: Region, unit: Unit) -> None:
    """One loop over rows; in it nest after nest of the unit's parts."""
    parts = [
        (part, [Root(r, node, False, node in unit.short) for node in part.roots])
        for part in unit.parts or [unit]
    ]
    everything = [root for _, roots in parts for root in roots]
    for root in everything:
        root.prepare()
    steps = {step: [_place(r, unit, x) for x in step.results] for step in unit.steps()}
    made = {place.buffer for places in steps.values() for place in places}
    packed = turned.packed(r, everything)
    from wengert.backends.emit import room_for_parts

    split = all(root.splits() for root in everything)
    outermost = r.w.block is r.e.function.body
    rooms: list[Stored] = []
    made |= {root.place.buffer for root in everything if root.place is not None}
    with (
        r.w.reading(made),
        r.w.loop(r.e.dim(unit.loops[0]), "parallel" if split else "serial") as loop,
    ):
        for part, roots in parts:
            if part.step is not None:
                part.step.emit_row(r, part.step, steps[part.step], loop.index)
                r.memo.clear()
                for result, place in zip(part.step.results, steps[part.step], strict=True):
                    result.array = place
                continue
            with r.w.reading({root.place.buffer for root in roots if root.place is not None}):
                pending = _loops(r, [r.e.dim(n) for n in part.loops], roots, [loop.index])
                outside = _reduce(r, loop, roots, pending, [loop.index])
            r.memo.clear()
            for root, values in zip(roots, outside, strict=True):
                root.results = dict(values)
                root.row_is_made()
        for root in everything:
            if root.place is not None and root.across() and split and outermost:
                rooms.append(room_for_parts(r.e, root.place))
                op = _combining(root.node.op, root.place.buffer.type)
                loop.statement.sums.append((op, root.place.buffer, rooms[-1].buffer))
    for room in rooms:
        r.e.release(room)
    turned.forget(r, packed)
    for root in everything:
        root.finish()
    for step in steps:
        for result in step.results:
            for extra in result.dests[1:]:
                copy(r, result, extra)


def _place(r: Region, unit: Unit, result: Node) -> Stored:
    """Memory for the result of a step that goes row by row."""
    from wengert.backends.emit import allocate, one_row

    return one_row(r.e, result) if result in unit.short else allocate(r.e, result)


def _small(r: Region, node: Node) -> None:
    """All elements of a small array, as scalars."""
    items = np.empty(node.shape, object)
    if node.pull is None:
        raise TypeError(f"{node} cannot be computed element by element")
    for at in np.ndindex(node.shape) if node.shape else ((),):
        items[at] = node.pull(r, tuple(map(r.w.index, at)))
    node.array = Grid(items, node.dtype)
    for place in node.dests:
        copy(r, node, place)


def _loops(r: Region, extents: list[Value], roots: list[Root], loops: list[Value]) -> Any:
    """The loops from here inwards; per root the values that the loops outside still have to reduce."""
    d = len(loops)
    if d == len(extents):
        guards: dict[Any, list[Root]] = {}
        for root in roots:
            guards.setdefault(root.guard(loops), []).append(root)
        for test in guards:
            if test is not None:
                _softly(r, test, guards[test], loops)
        plain = guards.get(None, ())
        return [root.compute(loops) if root in plain else [] for root in roots]
    with r.w.loop(extents[d], "serial" if d < len(extents) - 1 else "vector") as loop:
        inside = [*loops, loop.index]
        pending = _loops(r, extents, roots, inside)
        outside = _reduce(r, loop, roots, pending, inside)
    if d == 0:
        for root, values in zip(roots, outside, strict=True):
            root.results = dict(values)
    return outside


def _softly(r: Region, test: Value, roots: list[Root], loops: list[Value]) -> None:
    """Add what is not zero: where all neighbours add zeros, nothing is done."""
    memo = dict(r.memo)
    with r.w.branch(test, soft=True) as branch, branch.then():
        for root in roots:
            root.put(loops, root.compute(loops))
    r.memo = memo  # values of the branch are known in it alone


def _reduce(r: Region, loop: Any, roots: list[Root], pending: Any, inside: list[Value]) -> Any:
    """At the end of a loop: what it reduces; what it does not, and is complete, goes into memory."""
    d = len(inside) - 1
    outside: list[Any] = []
    for root, values in zip(roots, pending, strict=True):
        reduced = root.flat or (d < len(root.axes) and root.axes[d] in root.gone)
        if not values or root.node.kind != "reduce":
            outside.append([])
        elif reduced:
            start = r.s.identity(root.node.op, root.node.dtype)
            outside.append([(at, _reduced(loop, root.node.op, v, start)) for at, v in values])
        else:
            root.put(inside, values)
            outside.append([])
    return outside


def _reduced(loop: Any, op: str, value: Any, start: Any) -> Any:
    if value.__class__ is Pair:
        if op != "add":
            raise TypeError(f"a reduction by {op} of complex numbers")
        return Pair(loop.reduce(op, value.re, start.re), loop.reduce(op, value.im, start.im))
    return loop.reduce(_combining(op, value.type), value, start)


def _combining(op: str, type: str) -> str:
    """How two values of a reduction are combined."""
    if type == "bool":
        return {"add": "or", "mul": "and", "max": "or", "min": "and"}.get(op, op)
    return op
