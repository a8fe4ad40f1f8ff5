"""Words of the kit that move elements: joining, padding, reading and writing at places, running along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.code import Value
from wengert.backends.graph import MOVED, SPREAD, Node, Step
from wengert.backends.scalars import PARTS, NoLowering, Pair, scalar_type
from wengert.backends.words import Typed, Words


class Moves(Words):
    """Movements that are more than another index."""

    def joined(self, prim: Any, xs: Sequence[Node], shape: tuple[int, ...], axis: int) -> Node:
        """Arrays one behind the other along an axis (`prim`, a Movement, does it to numbers)."""
        if len(xs) == 1:
            return xs[0]
        if self.region.is_small(shape):
            return prim.chosen(self, *xs, axis=axis)  # type: ignore[no-any-return]

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            w, (place,) = r.w, places
            start = r.e.zero
            for x in xs:
                begin = start

                def put(idx: Any, x: Node = x, begin: Value = begin) -> None:
                    at = (*idx[:axis], w.op("add", idx[axis], begin), *idx[axis + 1 :])
                    place.put(r.e, at, r.at(x, idx))

                r.over(x.shape, put, {place.buffer})
                start = w.op("add", start, r.e.dim(x.shape[axis]))
            return places

        return self.step(prim.name, xs, "pulled", [Typed(shape, xs[0].dtype)], emit)[0]

    def padded(
        self,
        prim: Any,
        x: Node,
        shape: tuple[int, ...],
        low: Sequence[int],
        high: Sequence[int],
    ) -> Node:
        """An array among zeros."""
        if self.region.is_small(shape):
            return prim.chosen(self, x, low=low, high=high)  # type: ignore[no-any-return]

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            w, (place,) = r.w, places
            zero = r.s.number(0, x.dtype)
            starts = [r.e.dim(a) for a in low]
            r.over(shape, lambda idx: place.put(r.e, idx, zero), {place.buffer})

            def put(idx: Any) -> None:
                at = tuple(w.op("add", i, a) for i, a in zip(idx, starts, strict=True))
                place.put(r.e, at, r.at(x, idx))

            r.over(x.shape, put, {place.buffer})
            return places

        return self.step(prim.name, [x], "pulled", [Typed(shape, x.dtype)], emit)[0]

    def written(
        self, prim: Any, x: Node, v: Node, axes: Sequence[Any], adds: bool, **params: Any
    ) -> Node:
        """x with v written or added at `axes` (as of `affine`)."""
        if self.region.is_small(x.shape):
            if not adds:
                return prim_pick(self, prim, x, v, params)
            zero = self.affine(self.number(0, x.dtype), x.shape, ())
            there = prim_pick(self, prim, zero, v, params)
            return self.map("add", x, there, dtype=x.dtype)

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            w, (place,) = r.w, places
            if not step.taken:
                r.copy(x, place)

            def put(idx: Any) -> None:
                at = []
                for axis, start, stride in axes:
                    i = r.e.position(start)
                    if axis is not None:
                        i = w.op("add", w.op("mul", idx[axis], w.index(stride)), i)
                    at.append(i)
                value = r.at(v, idx)
                if adds:
                    value = r.s.add(place.at(r.e, tuple(at)), value)
                place.put(r.e, tuple(at), value)

            r.over(v.shape, put, {place.buffer})
            return places

        needs = ["pulled", "pulled"]
        written = self.step(prim.name, [x, v], needs, [Typed(x.shape, x.dtype)], emit, reuses=0)[0]
        written.step.writes = list(axes)
        return written

    def gathered(self, x: Node, i: Node, axis: int, merged: int) -> Node:
        """x at the integers i of some axes that count as one; out of range is a problem."""
        shape = (*x.shape[:axis], *i.shape, *x.shape[axis + merged :])
        line, last = self.line, axis + len(i.shape)

        def pull(r: Any, idx: Any) -> Any:
            place = r.e.in_range(r.at(i, idx[axis:last]), x.shape[axis : axis + merged], line)
            places = r.e.unravelled(place, x.shape[axis : axis + merged])
            return r.at(x, (*idx[:axis], *places, *idx[last:]))

        if 0 in x.shape[axis : axis + merged] and 0 not in shape:
            raise NoLowering("nothing to read from")
        return self.add(Node("virtual", shape, x.dtype, (x, i), SPREAD, pull, 4))

    def scattered(self, x: Node, v: Node, i: Node, axis: int, merged: int, adds: bool) -> Node:
        """x with v written or added at the integers i, in their order."""
        line, last = self.line, axis + len(i.shape)
        if 0 in x.shape[axis : axis + merged] and 0 not in v.shape:
            raise NoLowering("nowhere to write to")

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            (place,) = places
            if not step.taken:
                r.copy(x, place)

            def put(idx: Any) -> None:
                at = r.e.in_range(r.at(i, idx[axis:last]), x.shape[axis : axis + merged], line)
                spots = r.e.unravelled(at, x.shape[axis : axis + merged])
                spot = (*idx[:axis], *spots, *idx[last:])
                value = r.at(v, idx)
                if adds:
                    value = r.s.add(place.at(r.e, spot), value)
                place.put(r.e, spot, value)

            # the loops over i go one by one; those behind it may go together
            r.over(v.shape, put, {place.buffer}, serial=last)
            return places

        name = "scatter_add" if adds else "put"
        return self.step(name, [x, v, i], "pulled", [Typed(x.shape, x.dtype)], emit, reuses=0)[0]

    def running(
        self,
        formula: Callable[..., Any],
        xs: Sequence[Node],
        axis: int,
        reverse: bool = False,
        late: Sequence[int] = (),
    ) -> Node:
        """`t = formula(s, t, *xs)` along an axis (backwards where `reverse`); the first t is xs[0].

        Of `xs`, those with the numbers `late` are read where t stands, one place before.
        """
        x = xs[0]

        def reads(r: Any, at: Any, old: Any) -> list[Any]:
            return [r.at(y, old if n in late else at) for n, y in enumerate(xs)]

        scalar_type(x.dtype)
        if self.region.is_small(x.shape):

            def pull(r: Any, idx: Any) -> Any:
                here = idx[axis].data
                first = x.shape[axis] - 1 if reverse else 0
                if here == first:
                    return r.at(x, idx)
                before = r.w.index(here + 1 if reverse else here - 1)
                old = (*idx[:axis], before, *idx[axis + 1 :])
                return formula(r.s, r.at(node, old), *reads(r, idx, old))

            node = Node("virtual", x.shape, x.dtype, tuple(xs), MOVED, pull, 2)
            return self.add(node)

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            (place,) = places
            n, last = r.e.dim(x.shape[axis]), len(x.shape) - 1

            def one(idx: Any, i: Value) -> None:
                at = (*idx[:axis], i, *idx[axis:])
                place.put(r.e, at, r.at(x, at))

            def go_on(idx: Any, i: Value, before: Value) -> None:
                at, old = (*idx[:axis], i, *idx[axis:]), (*idx[:axis], before, *idx[axis:])
                t = formula(r.s, place.at(r.e, old), *reads(r, at, old))
                place.put(r.e, at, t)

            w = r.w
            ends = (w.op("sub", n, r.e.one), r.e.zero)
            start, others = ends[0] if reverse else ends[1], (*x.shape[:axis], *x.shape[axis + 1 :])
            count = w.op("sub", n, r.e.one)

            def steps(do: Any) -> None:
                with w.loop(count) as loop:
                    k = loop.index
                    i = (
                        w.op("sub", w.op("sub", ends[0], r.e.one), k)
                        if reverse
                        else w.op("add", k, r.e.one)
                    )
                    do(i, w.op("add" if reverse else "sub", i, r.e.one))

            if 0 in x.shape:
                return places
            if axis == last:  # one line after the other, the sum in a register

                def line(idx: Any) -> None:
                    first = r.at(x, (*idx, start))
                    place.put(r.e, (*idx, start), first)
                    parts = [first.re, first.im] if x.dtype in PARTS else [first]
                    with w.loop(count, inits=parts) as loop:
                        k = loop.index
                        i = (
                            w.op("sub", w.op("sub", ends[0], r.e.one), k)
                            if reverse
                            else w.op("add", k, r.e.one)
                        )
                        t = Pair(*loop.params) if x.dtype in PARTS else loop.params[0]
                        before = w.op("add" if reverse else "sub", i, r.e.one)
                        t = formula(r.s, t, *reads(r, (*idx, i), (*idx, before)))
                        place.put(r.e, (*idx, i), t)
                        loop.carry([t.re, t.im] if x.dtype in PARTS else [t])

                r.over(others, line, {place.buffer}, serial=last)
                return places
            r.over(others, lambda idx: one(idx, start), {place.buffer})
            steps(
                lambda i, before: r.over(others, lambda idx: go_on(idx, i, before), {place.buffer})
            )
            return places

        return self.step("running", xs, "pulled", [Typed(x.shape, x.dtype)], emit)[0]


def prim_pick(kit: Words, prim: Any, x: Node, v: Node, params: Any) -> Node:
    """A small array with a part replaced: each element is that of one of both."""
    ids = np.arange(math.prod(x.shape)).reshape(x.shape)
    ids[params["at"]] = ids.size + np.arange(math.prod(v.shape)).reshape(v.shape)

    def pick(r: Any, idx: Any) -> Any:
        number = int(ids[tuple(i.data for i in idx)])
        node, number = (x, number) if number < ids.size else (v, number - ids.size)
        return r.at(node, tuple(map(r.w.index, map(int, np.unravel_index(number, node.shape)))))

    return kit.choose(x.shape, x.dtype, [x, v], pick)
