"""Roots of loop nests: what a nest makes is stored element by element, or is a reduction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends import turned
from wengert.backends.arrays import Flat, Grid, Kept, Stored
from wengert.backends.code import Value
from wengert.backends.copying import copy
from wengert.backends.graph import Node
from wengert.backends.plan import loops_of
from wengert.backends.rarely import harmless, often_zero
from wengert.backends.words import folded

if TYPE_CHECKING:
    from wengert.backends.emit import Region


class Root:
    """What a nest makes: an array to be stored, or a reduction."""

    def __init__(self, r: Region, node: Node, flat: bool, short: bool = False) -> None:
        self.r, self.node, self.flat, self.short = r, node, flat, short
        self.source = node.operands[0] if node.kind == "reduce" else node
        shape = self.source.shape
        self.axes, self.inner = loops_of(shape, self.source.written_out)
        self.gone: set[int] = set(node.axes) if node.kind == "reduce" else set()
        self.kept_inner = [d for d in self.inner if d not in self.gone]
        self.place: Stored | None = None
        self.summing = False  # into memory, since an outer loop is reduced and an inner one is not
        self.results: dict[Any, Any] = {}
        self.row: dict[Any, Any] = {}  # of one row, what has been put
        self.turned: Stored | None = None  # the place, while it is summed into

    def prepare(self) -> None:
        """Allocate; fill what is summed into."""
        r, node = self.r, self.node
        from wengert.backends.emit import allocate, one_row

        if self.short and not self._summing():
            self.place = one_row(r.e, node)
            return
        if node.kind != "reduce":
            self.place = allocate(r.e, node)
            return
        kept = [d for d in self.axes if d not in self.gone]
        if self.flat or not kept:
            if not r.is_small(node.shape) or node.dests:
                self.place = allocate(r.e, node)
            return
        self.place = allocate(r.e, node)
        self.summing = self._summing()
        if self.summing:
            if self.across() and self.kept_inner and self.axes[-1] not in self.gone:
                small = [k for k, d in enumerate(self._kept()) if d in self.kept_inner]
                self.turned, self.place = (
                    self.place,
                    turned.memory(r.e, node.shape, small, node.dtype),
                )
            start = r.s.identity(node.op, node.dtype)
            place = self.place
            r.over(node.shape, lambda idx: place.put(r.e, idx, start), {place.buffer})

    def _summing(self) -> bool:
        kept = [d for d in self.axes if d not in self.gone]
        return bool(kept) and any(d in self.gone and d < kept[-1] for d in self.axes)

    def _kept(self) -> list[int]:
        return [d for d in range(len(self.source.shape)) if d not in self.gone]

    def across(self) -> bool:
        """Is the loop over rows reduced into memory?"""
        return self.summing and self.axes[0] in self.gone

    def splits(self) -> bool:
        """Can the rows be shared out?"""
        return self.node.kind != "reduce" or self.node.dtype.kind != "c" or self.node.op == "add"

    def row_is_made(self) -> None:
        """From here on nests of the same row may read it."""
        if self.place is not None and not self.across():
            self.node.array = Kept(self.place, self.row) if self.row else self.place

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
            if self.turned is not None:
                copy(self.r, self.node, self.turned)
                self.r.e.release(self.place)
                self.node.array = self.place = self.turned
        for extra in self.node.dests[1:]:
            copy(self.r, self.node, extra)

    def guard(self, loops: list[Value]) -> Value | None:
        """A test that fails where all that is added here is zero; None where it is not worth one."""
        r, source = self.r, self.source
        zero = source.zero
        if not self.across() or self.node.op != "add" or self.axes[-1] in self.gone:
            return None
        if zero is None or source.stored or source.dtype.kind != "f" or not often_zero(zero):
            return None
        if not harmless(source):
            return None
        found: Value | None = None
        for idx in self.points(loops):
            test = r.s.ne(r.at(zero, idx), 0)
            found = test if found is None or found is test else r.w.op("or", found, test)
        return None if found is None or found.op == "const" else found

    def points(self, loops: list[Value]) -> Iterator[tuple[Value, ...]]:
        """The indices that are written out, the loops being where they are."""
        by_axis: list[Value] = [self.r.e.zero] * len(self.source.shape)
        for d, i in zip(self.axes, loops, strict=True):
            by_axis[d] = i
        for point in np.ndindex(*(self.source.shape[d] for d in self.inner)):
            for d, k in zip(self.inner, point, strict=True):
                by_axis[d] = self.r.w.index(k)
            yield tuple(by_axis)

    def compute(self, loops: list[Value]) -> list[tuple[tuple[int, ...], Any]]:
        """In the innermost loop: store, or give the values to be reduced, one per element that is kept."""
        r, node = self.r, self.node
        if self.flat:
            idx: Any = Flat(loops[0])
            value = r.at(self.source, idx)
            if node.kind == "reduce":
                return [((), value)]
            assert self.place is not None
            self.place.put(r.e, idx, value)
            return []
        groups: dict[tuple[int, ...], list[Any]] = {}
        for idx in self.points(loops):
            value = r.at(self.source, idx)
            if node.kind != "reduce":
                assert self.place is not None
                self.place.put(r.e, idx, value)
                if len(loops) == 1:
                    self.row[idx] = value
            else:
                at = tuple(idx[d].data for d in self.kept_inner)
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
            elif len(loops) == 1:
                self.row[idx] = value
            self.place.put(r.e, idx, value)
