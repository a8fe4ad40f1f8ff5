"""Control flow: branches and loops of programs. What is small is carried in registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Grid, Stored
from wengert.backends.code import Value
from wengert.backends.graph import Node, Step
from wengert.backends.stacks import Slice, Tape, flat, grid_of
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter, Region
    from wengert.backends.kit import Kit


def _needs(operands: Sequence[Node]) -> list[str]:
    return ["stored"] * len(operands)


def _array(r: Region, node: Node) -> Any:
    """The array of an operand: scalars, memory, or a stack."""
    if node.array is not None:
        return node.array
    view = r.view(node)
    if view is None:  # one number, spread: it has no memory that could be looked at
        view = r.e.temporary(node.shape, node.dtype)
        r.copy(node, view)
    return view


def as_grid(e: Emitter, array: Any, t: Any) -> Grid:
    """The scalars of a small array."""
    if array.__class__ is Grid:
        found: Grid = array
        return found
    items = np.empty(t.shape, object)
    for at in np.ndindex(t.shape):
        items[at] = array.at(e, tuple(map(e.w.index, at)))
    return Grid(items, t.dtype)


def _small(r: Region, t: Any) -> bool:
    return isinstance(t, ArrayType) and r.is_small(t.shape)


def _run(r: Region, program: Program, arrays: Sequence[Any], places: Sequence[Any]) -> list[Any]:
    from wengert.backends.lowering import run

    return run(r.e, program, arrays, places, r.limit)


# ---- cond -------------------------------------------------------------------------------------------


def cond(kit: Kit, which: Node, args: Sequence[Node], true: Program, false: Program) -> Any:
    """One of two programs."""
    types = true.out_types
    small = [_small(kit.region, t) for t in types]
    if any(isinstance(t, StackType) for t in (*types, *true.in_types)):
        return stacked_cond(kit, which, args, true, false)

    def emit(r: Region, step: Step, places: Sequence[Any]) -> list[Any]:
        arrays = [_array(r, node) for node in step.operands[1:]]
        test = r.s.truth(r.at(step.operands[0], ()))
        given: list[list[Value]] = []
        with r.w.branch(test) as branch:
            for program, side in ((true, branch.then), (false, branch.otherwise)):
                with side():
                    outs = _run(r, program, arrays, places)
                    given.append(
                        flat(
                            x
                            for y, t, s in zip(outs, types, small, strict=True)
                            if s
                            for x in as_grid(r.e, y, t).items.flat
                        )
                    )
            branch.give(*given)
        return _collected(places, types, small, branch.results)

    memory = [not s for s in small]
    operands = [which, *args]
    return kit.step("cond", operands, _needs(operands), types, emit, memory, lanes=True)


def stacked_cond(kit: Kit, which: Node, args: Sequence[Node], true: Program, false: Program) -> Any:
    """A branch that is given stacks, or leaves one: slices are carried by their numbers."""
    types = true.out_types
    small = [_small(kit.region, t) for t in types]

    def emit(r: Region, step: Step, places: Sequence[Any]) -> list[Any]:
        arrays = [_array(r, node) for node in step.operands[1:]]
        test = r.s.truth(r.at(step.operands[0], ()))
        given: list[list[Value]] = []
        tapes: list[list[Any]] = [[] for _ in types]
        with r.w.branch(test) as branch:
            for program, side in ((true, branch.then), (false, branch.otherwise)):
                with side():
                    outs = _run(r, program, arrays, places)
                    values: list[Value] = []
                    for k, (y, t, s) in enumerate(zip(outs, types, small, strict=True)):
                        if isinstance(t, StackType):
                            values += [y.start, y.count]
                            tapes[k].append(y.tape)
                        elif s:
                            values += flat(as_grid(r.e, y, t).items.flat)
                    given.append(values)
            branch.give(*given)
        it = iter(branch.results)
        found: list[Any] = []
        for place, t, s, mine in zip(places, types, small, tapes, strict=True):
            if isinstance(t, StackType):
                known = {id(x): x for x in mine if x is not None}
                if len(known) > 1:
                    raise NotImplementedError("a branch that leaves one of two loops' stacks")
                tape = next(iter(known.values()), None)
                found.append(Slice(tape, t.item, next(it), next(it)))
            elif s:
                count = t.size * (2 if t.dtype.kind == "c" else 1)
                found.append(grid_of([next(it) for _ in range(count)], t))
            else:
                found.append(place)
        return found

    memory = [not s and isinstance(t, ArrayType) for s, t in zip(small, types, strict=True)]
    operands = [which, *args]
    return kit.step("cond", operands, _needs(operands), types, emit, memory)


def _collected(
    places: Sequence[Any], types: Sequence[Any], small: Sequence[bool], values: Sequence[Value]
) -> list[Any]:
    it = iter(values)
    found: list[Any] = []
    for place, t, s in zip(places, types, small, strict=True):
        if s:
            count = t.size * (2 if t.dtype.kind == "c" else 1)
            found.append(grid_of([next(it) for _ in range(count)], t))
        else:
            found.append(place)
    return found


# ---- loops ------------------------------------------------------------------------------------------


class State:
    """What a loop carries: scalars where it is small, else memory that every step writes anew."""

    def __init__(self, r: Region, nodes: Sequence[Node], types: Sequence[Any], places: Any) -> None:
        self.r, self.types = r, types
        self.small = [_small(r, t) for t in types]
        self.inits: list[Value] = []
        self.memory: list[Stored | None] = []
        for node, t, s, place in zip(nodes, types, self.small, places, strict=True):
            if s:
                self.inits += flat(as_grid(r.e, _array(r, node), t).items.flat)
                self.memory.append(None)
            else:
                r.copy(node, place)
                self.memory.append(place)

    def arrays(self, params: Sequence[Value]) -> list[Any]:
        """The arrays at the beginning of a step."""
        return _collected(self.memory, self.types, self.small, params)

    def rooms(self) -> list[Stored | None]:
        """Memory for what comes next: written while the old state is still read."""
        return [
            None if m is None else self.r.e.temporary(t.shape, t.dtype)
            for m, t in zip(self.memory, self.types, strict=True)
        ]

    def nexts(self, outs: Sequence[Any], rooms: Sequence[Any]) -> list[Value]:
        """The values of the next step; what is in memory moves into the state's."""
        from wengert.backends.copying import transfer

        values: list[Value] = []
        for y, t, m, room in zip(outs, self.types, self.memory, rooms, strict=True):
            if m is None:
                values += flat(as_grid(self.r.e, y, t).items.flat)
            else:
                transfer(self.r.e, room, m)
                self.r.e.release(room)
        return values


def _over(e: Emitter, array: Any, t: Any, k: Value) -> Any:
    """What step k of a loop sees of what it runs over."""
    if isinstance(t, StackType):
        return array.item(e, k)
    if array.__class__ is Grid:
        if k.op == "const":
            return Grid(array.items[k.data], array.dtype)
        array = e.spilled(array)
    offset = e.w.op("add", array.offset, e.w.op("mul", k, array.strides[0]))
    return Stored(
        array.buffer, array.shape[1:], array.dtype, offset, array.strides[1:], array.whole
    )


def scan(
    kit: Kit,
    args: Sequence[Node],
    body: Program,
    consts: int,
    carry: int,
    length: int | None,
    reverse: bool,
    types: Sequence[Any],
    in_types: Sequence[Any],
) -> Any:
    """A loop over slices."""
    last = consts + carry
    y_types = body.out_types[carry:]
    stacks = [isinstance(t, StackType) for t in types[carry:]]
    carry_small = [_small(kit.region, t) for t in types[:carry]]

    def emit(r: Region, step: Step, places: Sequence[Any]) -> list[Any]:
        e, w = r.e, r.w
        arrays = [_array(r, node) for node in step.operands]
        fixed, over = arrays[:consts], arrays[last:]
        state = State(r, step.operands[consts:last], types[:carry], places[:carry])
        if length is None:
            n = e.zero
            for array, t in zip(over, in_types[last:], strict=True):
                if isinstance(t, StackType):
                    n = e.s.maximum(n, array.count)
        else:
            n = e.dim(length)
        tapes = [Tape(e, t) if k else None for k, t in zip(stacks, y_types, strict=True)]
        starts = [e.zero if t is None else w.load(t.top, e.zero) for t in tapes]
        tops = len(e.tops)
        outs_at = places[carry:]
        with w.loop(n, inits=state.inits, reverse=reverse) as loop:
            k = loop.index
            rooms = state.rooms()
            slots: list[Any] = []
            for tape, start, place in zip(tapes, starts, outs_at, strict=True):
                if tape is None:
                    slots.append(_over(e, place, None, k))
                elif isinstance(tape.item, StackType):
                    slots.append(None)
                else:
                    # an iteration of a reversed loop may come first: room for all of them at once
                    slots.append(tape.push(w.op("add", start, k), None) if not reverse else None)
                    if reverse:
                        w.reserve(tape.data, _elements(e, tape, w.op("add", start, n)))
                        slots[-1] = tape.place(w.op("add", start, k))
            outs = _run(
                r,
                body,
                [
                    *fixed,
                    *state.arrays(loop.params),
                    *(_over(e, x, t, k) for x, t in zip(over, in_types[last:], strict=True)),
                ],
                [*rooms, *slots],
            )
            for tape, start, y in zip(tapes, starts, outs[carry:], strict=True):
                if tape is not None and isinstance(tape.item, StackType):
                    if reverse:
                        w.reserve(tape.starts, w.op("add", start, n))
                        w.reserve(tape.counts, w.op("add", start, n))
                    tape.push(w.op("add", start, k), y)
            loop.carry(state.nexts(outs[:carry], rooms))
            _forget(e, tops, y_types)
        for tape, start in zip(tapes, starts, strict=True):
            if tape is not None:
                w.store(tape.top, e.zero, w.op("add", start, n))
        found = _finished(state, loop.results)
        for tape, start, place, t in zip(tapes, starts, outs_at, types[carry:], strict=True):
            found.append(place if tape is None else Slice(tape, t.item, start, n))
        return found

    memory = [not s for s in carry_small] + [not s for s in stacks]
    lanes = not any(stacks) and all(carry_small)
    return kit.step("scan", args, _needs(args), types, emit, memory, lanes=lanes)


def _elements(e: Emitter, tape: Tape, items: Value) -> Value:
    from wengert.backends.scalars import PARTS

    size = e.w.op("mul", items, tape.size())
    return e.w.op("mul", size, e.two) if tape.item.dtype in PARTS else size


def _forget(e: Emitter, tops: int, out_types: Sequence[Any]) -> None:
    """Stacks that a step made and did not leave behind give their room to the next step."""
    if not any(isinstance(t, StackType) for t in out_types):
        for top in e.tops[tops:]:
            e.w.store(top, e.zero, e.zero)


def _finished(state: State, results: Sequence[Value]) -> list[Any]:
    return _collected(state.memory, state.types, state.small, results)


def while_loop(
    kit: Kit,
    args: Sequence[Node],
    cond: Program,
    body: Program,
    consts: int,
    types: Sequence[Any],
) -> Any:
    """A loop that goes on as long as its values say so."""
    carry = len(args) - consts
    item_types = body.out_types[carry:]
    carry_small = [_small(kit.region, t) for t in types[:carry]]

    def emit(r: Region, step: Step, places: Sequence[Any]) -> list[Any]:
        e, w = r.e, r.w
        arrays = [_array(r, node) for node in step.operands]
        fixed = arrays[:consts]
        state = State(r, step.operands[consts:], types[:carry], places[:carry])
        tapes = [Tape(e, t) for t in item_types]
        starts = [w.load(t.top, e.zero) for t in tapes]
        tops = len(e.tops)
        counted = [e.zero] if tapes else []
        with w.repeat([*counted, *state.inits]) as repeat:
            params = repeat.params[len(counted) :]
            with repeat.testing():
                (go,) = _run(r, cond, [*fixed, *state.arrays(params)], [None])
                (test,) = flat(as_grid(e, go, cond.out_types[0]).items.flat)
                repeat.test(test)
            rooms = state.rooms()
            slots = [
                None
                if isinstance(t.item, StackType)
                else t.push(w.op("add", start, repeat.params[0]), None)
                for t, start in zip(tapes, starts, strict=True)
            ]
            outs = _run(r, body, [*fixed, *state.arrays(params)], [*rooms, *slots])
            for tape, start, y in zip(tapes, starts, outs[carry:], strict=True):
                if isinstance(tape.item, StackType):
                    tape.push(w.op("add", start, repeat.params[0]), y)
            more = [w.op("add", repeat.params[0], e.one)] if tapes else []
            repeat.carry([*more, *state.nexts(outs[:carry], rooms)])
            _forget(e, tops, item_types)
        count = repeat.results[0] if tapes else e.zero
        for tape, start in zip(tapes, starts, strict=True):
            w.store(tape.top, e.zero, w.op("add", start, count))
        found = _finished(state, repeat.results[len(counted) :])
        found += [
            Slice(tape, t.item, start, count)
            for tape, t, start in zip(tapes, types[carry:], starts, strict=True)
        ]
        return found

    memory = [not s for s in carry_small] + [False] * len(item_types)
    lanes = not item_types and all(carry_small)
    return kit.step("while_loop", args, _needs(args), types, emit, memory, lanes=lanes)
