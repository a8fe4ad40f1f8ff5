"""Loop nests: all arrays of one level and one space of iteration, computed in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Flat, Grid, Stored
from wengert.backends.code import Value
from wengert.backends.graph import Node
from wengert.backends.plan import Unit, loops_of
from wengert.backends.scalars import Pair
from wengert.backends.words import folded

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter, Region


def emit(r: Region, unit: Unit) -> None:
    """Emit a unit that is no step."""
    if unit.key[1] == 0:
        for node in unit.roots:
            _small(r, node)
        return
    roots = [Root(r, node, unit.flat) for node in unit.roots]
    for root in roots:
        root.prepare()
    total = r.e.one
    for n in unit.loops:
        total = r.w.op("mul", total, r.e.dim(n))
    extents = [total] if unit.flat else [r.e.dim(n) for n in unit.loops]
    written = {root.place.buffer for root in roots if root.place is not None}
    with r.w.reading(written):
        _loops(r, extents, roots, [])
    r.memo.clear()
    for root in roots:
        root.finish()


def _small(r: Region, node: Node) -> None:
    """All elements of a small array, as scalars."""
    items = np.empty(node.shape, object)
    if node.pull is None:
        raise TypeError(f"{node} cannot be computed element by element")
    for at in np.ndindex(node.shape):
        items[at] = node.pull(r, tuple(map(r.w.index, at)))
    node.array = Grid(items, node.dtype)
    for place in node.dests:
        copy(r, node, place)


def copy(r: Region, node: Node, place: Stored) -> None:
    """Write a node that is made to a place."""
    if node.array.__class__ is Grid:
        for at in np.ndindex(node.shape):
            place.put(r.e, tuple(map(r.w.index, at)), node.array.items[at])
        return
    if 0 in node.shape:
        return
    flat = place.whole and node.array.__class__ is Stored and node.array.whole
    if flat:
        with r.w.loop(r.e.size(node.shape), "vector") as loop:
            place.put(r.e, Flat(loop.index), node.array.at(r.e, Flat(loop.index)))
        return
    r.over(node.shape, lambda idx: place.put(r.e, idx, r.at(node, idx)), {place.buffer})


def over(r: Region, shape: tuple[int, ...], do: Any, serial: int = 0) -> None:
    """`do(idx)` for every index, the last loop over lanes; trailing small axes are written out."""
    if 0 in shape:
        return
    axes, inner = loops_of(shape)
    if not axes:
        for at in np.ndindex(shape):
            do(tuple(map(r.w.index, at)))
        return

    def nest(d: int, idx: list[Value]) -> None:
        if d == len(axes):
            for point in np.ndindex(*(shape[k] for k in inner)):
                do((*idx, *map(r.w.index, point)))
            return
        kind = "vector" if d == len(axes) - 1 and axes[d] >= serial else "serial"
        with r.w.loop(r.e.dim(shape[axes[d]]), kind) as loop:
            nest(d + 1, [*idx, loop.index])

    nest(0, [])


def transfer(e: Emitter, source: Stored, place: Stored) -> None:
    """Copy memory that both hold in C order."""
    w = e.w
    with w.reading({place.buffer}), w.loop(e.size(source.shape), "vector") as loop:
        place.put(e, Flat(loop.index), source.at(e, Flat(loop.index)))


def fill(e: Emitter, place: Stored, value: Any) -> None:
    """Write one value everywhere."""
    with e.w.loop(e.size(place.shape), "vector") as loop:
        place.put(e, Flat(loop.index), value)


class Root:
    """What a nest makes: an array to be stored, or a reduction."""

    def __init__(self, r: Region, node: Node, flat: bool) -> None:
        self.r, self.node, self.flat = r, node, flat
        self.source = node.operands[0] if node.kind == "reduce" else node
        shape = self.source.shape
        self.axes, self.inner = loops_of(shape, self.source.written_out)
        self.gone: set[int] = set(node.axes) if node.kind == "reduce" else set()
        self.kept_inner = [d for d in self.inner if d not in self.gone]
        self.place: Stored | None = None
        self.summing = False  # into memory, since an outer loop is reduced and an inner one is not
        self.results: dict[Any, Any] = {}

    def prepare(self) -> None:
        """Allocate; fill what is summed into."""
        r, node = self.r, self.node
        from wengert.backends.emit import allocate

        if node.kind != "reduce":
            self.place = allocate(r.e, node)
            return
        kept = [d for d in self.axes if d not in self.gone]
        if self.flat or not kept:
            if not r.is_small(node.shape) or node.dests:
                self.place = allocate(r.e, node)
            return
        self.place = allocate(r.e, node)
        self.summing = any(d in self.gone and d < kept[-1] for d in self.axes)
        if self.summing:
            start = r.s.identity(node.op, node.dtype)
            place = self.place
            r.over(node.shape, lambda idx: place.put(r.e, idx, start), {place.buffer})

    def finish(self) -> None:
        """The array is made."""
        if self.results:
            items = np.empty(self.node.shape, object)
            for at, value in self.results.items():
                items[at] = value
            self.node.array = Grid(items, self.node.dtype)
            if self.place is not None:
                copy(self.r, self.node, self.place)
                if not self.r.is_small(self.node.shape):
                    self.node.array = self.place
        else:
            self.node.array = self.place
        for extra in self.node.dests[1:]:
            copy(self.r, self.node, extra)

    def compute(self, loops: list[Value]) -> list[tuple[tuple[int, ...], Any]]:
        """In the innermost loop: store, or give the values to be reduced, one per element that is kept."""
        r, node, shape = self.r, self.node, self.source.shape
        if self.flat:
            idx: Any = Flat(loops[0])
            value = r.at(self.source, idx)
            if node.kind == "reduce":
                return [((), value)]
            assert self.place is not None
            self.place.put(r.e, idx, value)
            return []
        by_axis: list[Value] = [r.e.zero] * len(shape)
        for d, i in zip(self.axes, loops, strict=True):
            by_axis[d] = i
        groups: dict[tuple[int, ...], list[Any]] = {}
        for point in np.ndindex(*(shape[d] for d in self.inner)):
            for d, k in zip(self.inner, point, strict=True):
                by_axis[d] = r.w.index(k)
            value = r.at(self.source, tuple(by_axis))
            if node.kind != "reduce":
                assert self.place is not None
                self.place.put(r.e, tuple(by_axis), value)
            else:
                at = tuple(k for d, k in zip(self.inner, point, strict=True) if d not in self.gone)
                groups.setdefault(at, []).append(value)
        return [(at, folded(r.s, node.op, values, node.dtype)) for at, values in groups.items()]

    def put(self, loops: list[Value], values: list[tuple[tuple[int, ...], Any]]) -> None:
        """Values whose inner loops are done: into memory."""
        r, node = self.r, self.node
        assert self.place is not None
        by_axis = dict(zip(self.axes, loops, strict=False))
        for at, value in values:
            spot = {
                **by_axis,
                **{d: r.w.index(k) for d, k in zip(self.kept_inner, at, strict=True)},
            }
            idx = tuple(spot[d] for d in range(len(self.source.shape)) if d not in self.gone)
            if self.summing:
                value = r.s.combine(node.op, self.place.at(r.e, idx), value)
            self.place.put(r.e, idx, value)


def _loops(r: Region, extents: list[Value], roots: list[Root], loops: list[Value]) -> Any:
    """The loops from here inwards; per root the values that the loops outside still have to reduce."""
    d = len(loops)
    if d == len(extents):
        return [root.compute(loops) for root in roots]
    kind = "vector"
    if d < len(extents) - 1:  # are the rows independent?
        whole = d == 0 and not any(root.axes[0] in root.gone for root in roots)
        kind = "parallel" if whole else "serial"
    with r.w.loop(extents[d], kind) as loop:
        inside = [*loops, loop.index]
        pending = _loops(r, extents, roots, inside)
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
    if d == 0:
        for root, values in zip(roots, outside, strict=True):
            root.results = dict(values)
    return outside


def _reduced(loop: Any, op: str, value: Any, start: Any) -> Any:
    if value.__class__ is Pair:
        if op != "add":
            raise TypeError(f"a reduction by {op} of complex numbers")
        return Pair(loop.reduce(op, value.re, start.re), loop.reduce(op, value.im, start.im))
    if value.type == "bool":
        op = {"add": "or", "mul": "and", "max": "or", "min": "and"}.get(op, op)
    return loop.reduce(op, value, start)
