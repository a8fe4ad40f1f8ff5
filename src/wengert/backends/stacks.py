"""Stacks in machine code: slices of tapes that grow.

A stack is `count` items from item `start` of a tape on. Items that are stacks are slices of another
tape: their starts and counts stand in two tapes of numbers. Who makes a stack goes on where the
tape's last slice ended (`top`, in memory, since loops inside loops go on too).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Grid, Stored, dense
from wengert.backends.code import Buffer, Value
from wengert.backends.scalars import PARTS, scalar_type
from wengert.ir.types import StackType

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter


class Tape:
    """Memory of the items of stacks of one type, made at one place."""

    def __init__(self, e: Emitter, item: Any) -> None:
        self.e, self.item = e, item
        e.count += 1
        self.name = f"k{e.count}"
        self.top = self._private("i64", f"{self.name}top")
        self.inner: Tape | None = None  # of items that are stacks; known at the first push
        if isinstance(item, StackType):
            self.starts, self.counts = self._tape("i64", "s"), self._tape("i64", "n")
        else:
            self.data = self._tape(scalar_type(item.dtype), "")
        e.tops.append(self.top)
        at, e.w.block = e.w.block, e.function.body
        e.w.store(self.top, e.zero, e.zero)
        e.w.block = at

    def _private(self, type: str, name: str) -> Buffer:
        buffer = Buffer(name, type, (1,), "private")
        self.e.function.privates.append(buffer)
        return buffer

    def _tape(self, type: str, suffix: str) -> Buffer:
        buffer = Buffer(f"{self.name}{suffix}", type, (1,), "tape")
        self.e.function.tapes.append(buffer)
        return buffer

    def size(self) -> Value:
        """Elements of an item."""
        return self.e.size(self.item.shape)

    def place(self, k: Value) -> Stored:
        """Where item k of the tape stands."""
        e = self.e
        offset = e.w.op("mul", k, self.size())
        return dense(e, self.data, self.item.shape, self.item.dtype, offset)

    def push(self, k: Value, value: Any) -> Any:
        """Make room for item k, and write it if it is a stack; else the place for it."""
        e, w = self.e, self.e.w
        more = w.op("add", k, e.one)
        if isinstance(self.item, StackType):
            w.reserve(self.starts, more)
            w.reserve(self.counts, more)
            w.store(self.starts, k, value.start)
            w.store(self.counts, k, value.count)
            if value.tape is not None:
                if self.inner is not None and self.inner is not value.tape:
                    raise NotImplementedError("stacks of different loops in one stack")
                self.inner = value.tape
            return None
        need = w.op("mul", more, self.size())
        w.reserve(self.data, w.op("mul", need, e.two) if self.item.dtype in PARTS else need)
        return self.place(k)


class Slice:
    """A stack: items start … start + count of a tape (None: there are none)."""

    __slots__ = ("count", "item_type", "start", "tape")

    def __init__(self, tape: Tape | None, item_type: Any, start: Value, count: Value) -> None:
        self.tape, self.item_type, self.start, self.count = tape, item_type, start, count

    def item(self, e: Emitter, k: Value) -> Any:
        """Item k, zero beyond the end."""
        w, t = e.w, self.item_type
        inside = w.op("lt", k, self.count)
        if isinstance(t, StackType):
            if self.tape is None:
                return Slice(None, t.item, e.zero, e.zero)
            with w.branch(inside) as branch:
                at = w.op("add", self.start, k)
                with branch.then():
                    found = [w.load(self.tape.starts, at), w.load(self.tape.counts, at)]
                branch.give(found, [e.zero, e.zero])
            return Slice(self.tape.inner, t.item, *branch.results)
        if self.tape is None:
            return zeros(e, t)
        place = self.tape.place(w.op("add", self.start, k))
        if e.is_small(t.shape):
            points = [tuple(map(w.index, at)) for at in np.ndindex(t.shape)]
            with w.branch(inside) as branch:
                with branch.then():
                    values = flat([place.at(e, p) for p in points])
                branch.give(values, [w.const(0, v.type) for v in values])
            return grid_of(branch.results, t)
        memory = e.temporary(t.shape, t.dtype)
        from wengert.backends.copying import fill, transfer

        with w.branch(inside) as branch:
            with branch.then():
                transfer(e, place, memory)
            with branch.otherwise():
                fill(e, memory, e.s.number(0, t.dtype))
        return memory


def zeros(e: Emitter, t: Any) -> Any:
    """An array of zeros: scalars, or memory that is filled here."""
    if e.is_small(t.shape):
        items = np.empty(t.shape, object)
        for at in np.ndindex(t.shape):
            items[at] = e.s.number(0, t.dtype)
        return Grid(items, t.dtype)
    from wengert.backends.copying import fill

    memory = e.temporary(t.shape, t.dtype)
    fill(e, memory, e.s.number(0, t.dtype))
    return memory


def flat(scalars: Any) -> list[Value]:
    """The values that scalars are made of."""
    found: list[Value] = []
    for x in scalars:
        found += [x] if x.__class__ is Value else [x.re, x.im]
    return found


def grid_of(values: Any, t: Any) -> Grid:
    """Scalars from their values."""
    from wengert.backends.scalars import Pair

    it = iter(values)
    items = np.empty(t.shape, object)
    for at in np.ndindex(t.shape):
        items[at] = Pair(next(it), next(it)) if t.dtype in PARTS else next(it)
    return Grid(items, t.dtype)
