"""Emitting: units become loop code. An `Emitter` holds one function, a `Region` one program in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends import copying, nests, together
from wengert.backends.arrays import Flat, Grid, Stored, dense, is_small, new_buffer
from wengert.backends.code import PARTS as PARTS_OF_SUMS
from wengert.backends.code import SMALL, Buffer, Function, Problem, Value
from wengert.backends.graph import Node, Step
from wengert.backends.plan import Unit, plan
from wengert.backends.scalars import PARTS, Scalars, scalar_type
from wengert.backends.words import Start
from wengert.backends.writer import Writer


class Emitter:
    """What all regions of a function share."""

    def __init__(self, function: Function, fixed: frozenset[int]) -> None:
        self.function = function
        self.fixed = fixed  # extents that are compiled in
        self.w = Writer(function)
        self.s = Scalars(self.w)
        self.zero, self.one, self.two = (self.w.index(k) for k in range(3))
        self.free: dict[Any, list[tuple[int, Buffer]]] = defaultdict(list)
        self.slot_of: dict[Buffer, int] = {}
        self.slots: list[list[Buffer]] = []
        self.sharers: dict[Buffer, int] = {}  # arrays that stand in it together, above one
        self.problems: dict[Any, int] = {}
        self.tops: list[Buffer] = []  # of tapes
        self.limit = 64
        self.count = 0
        self.lanes = 0  # inside how many loops over lanes are we?

    def is_small(self, shape: tuple[int, ...]) -> bool:
        """Is an array of this shape kept as scalars?"""
        return is_small(shape, self.limit)

    # ---- positions --------------------------------------------------------------------------------
    def dim(self, n: int) -> Value:
        """An extent: a constant, or what is given at run time."""
        found = self.w.extents.get(n)
        if found is not None:
            return found
        if n > SMALL and n not in self.fixed:
            raise KeyError(f"{n} is no extent of this program")
        return self.w.index(n)

    def position(self, start: Start) -> Value:
        """A start as a value."""
        if isinstance(start, int):
            return self.dim(start) if start > SMALL else self.w.index(start)
        return self.w.op("add", self.dim(start[0]), self.w.index(start[1]))

    def ravelled(self, idx: Any, shape: Sequence[int]) -> Value:
        """The number of an element in C order."""
        if idx.__class__ is Flat:
            found: Value = idx.value
            return found
        total = self.zero
        for i, n in zip(idx, shape, strict=True):
            total = self.w.op("add", self.w.op("mul", total, self.dim(n)), i)
        return total

    def unravelled(self, place: Value, shape: Sequence[int]) -> tuple[Value, ...]:
        """The index of the element with this number."""
        idx: list[Value] = []
        for n in reversed(shape[1:]):
            extent = self.dim(n)
            idx.append(self.w.op("trem", place, extent))
            place = self.w.op("tdiv", place, extent)
        if shape:
            idx.append(place)
        return tuple(reversed(idx))

    def size(self, shape: Sequence[int]) -> Value:
        """The number of elements."""
        total = self.one
        for n in shape:
            total = self.w.op("mul", total, self.dim(n))
        return total

    def in_range(self, i: Any, shape: Sequence[int], line: Any) -> Any:
        """An index into axes that count as one; negative ones count from the end. Else stop."""
        w, s = self.w, self.s
        size = self.size(shape)
        i = w.op("cast", i, type="i64")
        if i.op == "const" and size.op == "const" and -size.data <= i.data < size.data:
            return w.index(i.data % size.data)
        i = s.select(s.lt(i, 0), s.add(i, size), i)
        ok = s.and_(s.ge(i, 0), s.lt(i, size))
        program, eqn = line
        key = ("IndexError", id(eqn))
        if key not in self.problems:
            self.problems[key] = self.problem(
                "IndexError", f"{eqn.prim.name}: an index is out of range", program.line(eqn)
            )
        w.check(ok, self.problems[key])
        return s.select(ok, i, 0)

    # ---- memory -----------------------------------------------------------------------------------
    def temporary(self, shape: tuple[int, ...], dtype: np.dtype[Any], name: str = "t") -> Stored:
        """Memory for an array, which may have served another one before."""
        name = self.fresh(name)
        if self.lanes:
            buffer = new_buffer(self, shape, dtype, "private", name)
            self.function.privates.append(buffer)
            return dense(self, buffer, shape, dtype, self.zero)
        buffer = new_buffer(self, shape, dtype, "temporary", name)
        self.take(buffer, dtype)
        return dense(self, buffer, shape, dtype, self.zero)

    def fresh(self, name: str) -> str:
        """A name that no buffer has."""
        self.count += 1
        return f"{name}{self.count}"

    def take(self, buffer: Buffer, dtype: np.dtype[Any]) -> None:
        """A slot of the workspace for a buffer: one that is free, or another one."""
        self.function.temporaries.append(buffer)
        key = (buffer.size, np.dtype(dtype).itemsize)
        if self.free[key]:
            slot, _ = self.free[key].pop()
            self.slots[slot].append(buffer)
        else:
            slot = len(self.slots)
            self.slots.append([buffer])
        self.slot_of[buffer] = slot

    def release(self, array: Any) -> None:
        """The memory may serve another array from here on."""
        if array.__class__ is Stored and array.buffer in self.slot_of:
            if array.buffer in self.sharers:
                self.sharers[array.buffer] -= 1
                if self.sharers[array.buffer]:
                    return
            slot = self.slot_of.pop(array.buffer)
            self.free[array.buffer.size, array.dtype.itemsize].append((slot, array.buffer))

    def spilled(self, grid: Grid) -> Stored:
        """A grid in memory, written where it is first wanted."""
        if grid.memory is None:
            self.count += 1
            buffer = new_buffer(self, grid.shape, grid.dtype, "private", f"g{self.count}")
            self.function.privates.append(buffer)
            memory = dense(self, buffer, grid.shape, grid.dtype, self.zero)
            inner, block = self.w.block, self.w.block
            homes = [_block(x) for x in grid.items.flat]
            depth = max((b.depth for b in homes if b is not None), default=0)
            while block.depth > depth and block.parent is not None:
                block = block.parent
            self.w.block = block
            if block is not self.function.body:  # no read may go to the front of the loop
                self.w.unsteady.add(buffer)
            for at in np.ndindex(grid.shape):
                memory.put(self, tuple(map(self.w.index, at)), grid.items[at])
            self.w.block = inner
            grid.memory = memory
        return grid.memory

    def place_of(self, array: Stored) -> Value:
        """The index of the first element in its buffer."""
        return self.w.op("mul", array.offset, self.two) if array.dtype in PARTS else array.offset

    def problem(self, kind: str, text: str, line: Any) -> int:
        """The number of a reason to stop."""
        self.function.problems.append(Problem(kind, text, line))
        return len(self.function.problems)

    def constant(self, array: np.ndarray[Any, Any]) -> Stored:
        """An array that belongs to the program."""
        array = np.ascontiguousarray(array)
        for known in self.function.constants:
            if known.array is array:
                return dense(self, known, array.shape, array.dtype, self.zero)
        name = f"c{len(self.function.constants)}"
        buffer = new_buffer(self, array.shape, array.dtype, "constant", name)
        buffer.array = array
        self.function.constants.append(buffer)
        return dense(self, buffer, array.shape, array.dtype, self.zero)


def _block(x: Any) -> Any:
    if x.__class__ is Value:
        return x.block
    a, b = x.re.block, x.im.block
    return b if a is None or (b is not None and b.depth > a.depth) else a


class Region:
    """One program being emitted: at top level, in the body of a loop, in a branch."""

    def __init__(self, e: Emitter, limit: int, at_once: bool = False) -> None:
        self.e, self.w, self.s = e, e.w, e.s
        self.limit = limit  # arrays up to so many elements are scalars
        self.at_once = at_once  # is nothing else to be made, so that there is nothing to plan?
        self.memo: dict[Any, Any] = {}
        self.sharing: list[Any] = []

    def is_small(self, shape: tuple[int, ...]) -> bool:
        """Is an array of this shape kept as scalars?"""
        return is_small(shape, self.limit)

    def at(self, node: Node, idx: Any) -> Any:
        """An element of a node: read where it is made, else computed."""
        if node.array is not None:
            return node.array.at(self.e, idx)
        key = (node, idx.value if idx.__class__ is Flat else idx)
        found = self.memo.get(key)
        if found is None:
            if node.affine is not None and (view := self.view(node)) is not None:
                return view.at(self.e, idx)
            assert node.pull is not None, node
            found = self.memo[key] = node.pull(self, idx)
        return found

    def view(self, node: Node) -> Stored | None:
        """The memory of a node, or of what it is a movement of."""
        if node.array is not None:
            return node.array if node.array.__class__ is Stored else None
        if node.affine is None:
            return None
        base = self.view(node.operands[0])
        if base is None:
            return None
        offset, strides = base.offset, [self.e.zero] * len(node.shape)
        for (axis, start, step), stride in zip(node.affine, base.strides, strict=True):
            offset = self.w.op("add", offset, self.w.op("mul", self.e.position(start), stride))
            if axis is not None:
                part = self.w.op("mul", stride, self.w.index(step))
                strides[axis] = self.w.op("add", strides[axis], part)
        return Stored(base.buffer, node.shape, node.dtype, offset, tuple(strides), False)

    def over(self, shape: tuple[int, ...], do: Any, written: set[Buffer], serial: int = 0) -> None:
        """`do(idx)` everywhere, in a nest of its own that writes these buffers.

        Loops over the first `serial` axes go one by one.
        """
        self.memo.clear()
        with self.w.reading(written):
            copying.over(self, shape, do, serial)
        self.memo.clear()

    def copy(self, node: Node, place: Stored) -> None:
        """Compute all elements of a node into memory."""
        if node.array is not None:
            copying.copy(self, node, place)
        else:
            self.over(
                node.shape, lambda idx: place.put(self.e, idx, self.at(node, idx)), {place.buffer}
            )

    # ---- a whole program ------------------------------------------------------------------------------
    def run(
        self, nodes: Sequence[Node], outputs: Sequence[Node], places: Sequence[Stored | None]
    ) -> list[Any]:
        """Emit what the outputs need; write them to the places that are given. Their arrays."""
        copies: list[tuple[Node, Stored]] = []
        for node, place in zip(outputs, places, strict=True):
            if place is None:
                continue
            if (
                node.kind == "given"
                or (node.kind in ("result", "reduce") and node.dests)
                or (node.kind == "result" and not node.step.memory[node.number])
            ):
                copies.append((node, place))
            else:
                node.dests = [*node.dests, place]
        units = plan(nodes, outputs, self.is_small, not self.e.lanes)
        kept = set(outputs)
        last = self._last_uses(units, kept)
        for number, unit in enumerate(units):
            if unit.step is not None:
                self._step(unit.step, number, last, kept)
            else:
                self.memo.clear()
                nests.emit(self, unit)
            for node in last["at"].get(number, ()):
                self.e.release(node.array)
        self.memo.clear()
        for node, place in copies:
            copying.copy(self, node, place)
        return [n.array for n in outputs]

    def _step(self, step: Step, number: int, last: Any, kept: set[Node]) -> None:
        self.memo.clear()
        places: list[Stored | None] = []
        side_by_side = together.places(self.e, step, kept)
        for result, wanted in zip(step.results, step.memory, strict=True):
            place = result.dests[0] if result.dests and wanted else None
            if place is None and wanted and result.number == 0 and step.reuses is not None:
                operand = step.operands[step.reuses]
                array = operand.array
                if (
                    array.__class__ is Stored
                    and array.whole
                    and array.buffer in self.e.slot_of
                    and last["of"].get(operand) == number
                ):
                    place, step.taken = array, True
                    last["at"][number].remove(operand)
            if place is None and wanted:
                place = side_by_side.get(result) or self.e.temporary(result.shape, result.dtype)
            places.append(place)
        arrays = step.emit(self, step, places)
        for result, array in zip(step.results, arrays, strict=True):
            result.array = array
            for extra in result.dests[1:] if array.__class__ is Stored else ():
                copying.copy(self, result, extra)

    def _last_uses(self, units: Sequence[Unit], kept: set[Node]) -> Any:
        """After which unit the memory of a node is not read any more."""
        reach: dict[Node, frozenset[Node]] = {}

        def reached(node: Node) -> frozenset[Node]:
            found = reach.get(node)
            if found is None:
                own = (
                    frozenset((node,))
                    if node.stored or node.kind in ("reduce", "result")
                    else frozenset()
                )
                if node.kind in ("reduce", "result", "given", "step") or node.stored:
                    found = own
                elif node.small:
                    found = frozenset()
                else:
                    found = frozenset().union(*map(reached, node.operands))
                reach[node] = found
            return found

        of: dict[Node, int] = {}
        made: dict[Node, int] = {}
        for number, unit in enumerate(units):
            for step in unit.steps():
                for operand in step.operands:
                    for node in reached(operand):
                        of[node] = number
            for root in unit.roots:
                made[root] = number
                for op in root.operands:
                    for node in reached(op):
                        of[node] = number
            for step in unit.steps():
                for result in step.results:
                    made[result] = number
        for node in kept:
            for inner in reached(node):
                of.pop(inner, None)
                made.pop(inner, None)
        at: dict[int, list[Node]] = defaultdict(list)
        for node, number in made.items():
            at[max(of.get(node, number), number)].append(node)
        return {"of": of, "at": at}


def allocate(e: Emitter, node: Node) -> Stored:
    """Memory for a node: where it is wanted, else a temporary."""
    if node.dests:
        place: Stored = node.dests[0]
        return place
    return e.temporary(node.shape, node.dtype)


def room_for_parts(e: Emitter, sums: Stored) -> Stored:
    """Memory for the sums of the chunks of a loop."""
    size = (*sums.buffer.size, PARTS_OF_SUMS)
    buffer = Buffer(e.fresh("t"), sums.buffer.type, size, "temporary")
    e.take(buffer, sums.dtype)
    return Stored(buffer, (), sums.dtype, e.zero, (), False)


def one_row(e: Emitter, node: Node) -> Stored:
    """Memory for one row of a node at a time: all rows stand at one place."""
    place = e.temporary(node.shape[1:], node.dtype)
    place.buffer.own = True
    return Stored(
        place.buffer, node.shape, node.dtype, place.offset, (e.zero, *place.strides), False
    )


def spread_of(dtype: np.dtype[Any]) -> int:
    """Numbers per element."""
    return 2 if dtype in PARTS else 1


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Raise NoLowering for a dtype that loop code does not know."""
    scalar_type(dtype)
