"""The kit: the words in which a primitive says what loops it is (`Primitive.lower`).

An array here is a node of the graph. Nothing is computed yet: a word describes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.backends import flow, lapack, maps, products
from wengert.backends.code import DTYPES, MATH, SMALL, SPECIAL, Function, Value
from wengert.backends.graph import MOVED, SAME, SPREAD, Node, Step
from wengert.backends.plan import unrolled
from wengert.backends.scalars import PARTS, NoLowering, Pair, Scalars, scalar_type
from wengert.backends.stacks import Slice
from wengert.backends.writer import Writer
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType

Formula = str | Callable[..., Any]
Start = int | tuple[int, int]  # a position: a number, or (extent, number to add)
_NUMBER = np.dtype(np.int64)
_DEAR = {"div": 6, "sqrt": 6}
FOLD = 16  # sums of this many terms are written out


class Kit:
    """Makes nodes."""

    def __init__(self, region: Any) -> None:
        self.region = region
        self.nodes: list[Node] = []
        self.line: Any = None
        self.effects: list[Node] = []  # of equations that do something besides their results

    def add(self, node: Node) -> Node:
        """Take a node in."""
        node.line = self.line
        self.nodes.append(node)
        return node

    # ---- elementwise ----------------------------------------------------------------------------
    def number(self, value: Any, dtype: np.dtype[Any]) -> Node:
        """A constant of shape ()."""
        scalar_type(dtype)
        node = Node("virtual", (), dtype, pull=lambda r, idx: r.s.number(value, dtype))
        node.value = dtype.type(value)
        return self.add(node)

    def constant(self, array: np.ndarray[Any, Any]) -> Node:
        """An array that belongs to the program."""
        scalar_type(array.dtype)
        if self.region.is_small(array.shape):
            return self.choose(
                array.shape,
                array.dtype,
                (),
                lambda r, idx: r.s.number(array[tuple(i.data for i in idx)], array.dtype),
            )
        node = Node("given", array.shape, array.dtype)
        node.array = self.region.e.constant(array)
        return self.add(node)

    def map(self, formula: Formula, *args: Node, dtype: np.dtype[Any]) -> Node:
        """`y[i] = formula(s, x[i], …)`; arrays of shape () fit any shape."""
        shape = max((a.shape for a in args), key=len)
        cost = cost_of(formula, tuple((a.dtype, a.value) for a in args), dtype)
        flags = tuple(a.shape != () or shape == () for a in args)

        def pull(r: Any, idx: Any) -> Any:
            xs = [r.at(a, idx if f else ()) for a, f in zip(args, flags, strict=True)]
            return r.s.call(formula, *xs) if formula.__class__ is str else formula(r.s, *xs)  # type: ignore[operator]

        return self.add(Node("virtual", shape, dtype, args, SAME, pull, cost))

    def cast(self, x: Node, dtype: np.dtype[Any]) -> Node:
        """Another dtype."""
        if x.dtype == dtype:
            return x
        scalar_type(dtype)
        return self.add(
            Node(
                "virtual",
                x.shape,
                dtype,
                (x,),
                SAME,
                lambda r, idx: r.s.cast(r.at(x, idx), dtype),
                1,
            )
        )

    def count(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Node:
        """How many elements an array of this shape has, as a number of shape ()."""

        def pull(r: Any, idx: Any) -> Any:
            total = r.e.one
            for n in shape:
                total = r.e.w.op("mul", total, r.e.dim(n))
            return r.s.cast(total, dtype)

        return self.add(Node("virtual", (), dtype, pull=pull))

    def position(
        self, shape: tuple[int, ...], axis: int, dtype: np.dtype[Any] = DTYPES["i64"]
    ) -> Node:
        """The index along an axis, everywhere in an array of this shape."""
        return self.add(
            Node(
                "virtual",
                shape,
                dtype,
                pull=lambda r, idx: r.s.cast(idx[axis], dtype),
                own=0,
                access=MOVED,
            )
        )

    # ---- movement -------------------------------------------------------------------------------
    def affine(
        self, x: Node, shape: tuple[int, ...], axes: Sequence[tuple[int | None, Start, int]]
    ) -> Node:
        """Element idx of the result is that of x at `start + step · idx[axis]`, per axis of x."""
        if shape == x.shape and all(
            a == (k, 0, 1) or (n == 1 and a[1:] == (0, 1))
            for k, (a, n) in enumerate(zip(axes, x.shape, strict=True))
        ):
            return x
        if x.affine is not None and not x.stored:  # a movement of a movement is one
            base, inner = x.operands[0], []
            for axis, start, step in x.affine:
                if axis is None:
                    inner.append((None, start, step))
                    continue
                outer, begin, stride = axes[axis]
                both = _plus(start, begin, step)
                if both is None:
                    break
                inner.append((outer, both, step * stride))
            else:
                return self.affine(base, shape, inner)
        used = {a for a, _, _ in axes if a is not None}
        repeated = [d for d, n in enumerate(shape) if d not in used and n != 1]
        access = SPREAD if set(repeated) - set(unrolled(shape)) else MOVED
        axes = tuple(axes)

        def pull(r: Any, idx: Any) -> Any:
            w, e = r.e.w, r.e
            if not axes:
                return r.at(x, ())
            at = []
            for axis, start, step in axes:
                i = e.position(start)
                if axis is not None:
                    i = w.op("add", w.op("mul", idx[axis], w.index(step)), i)
                at.append(i)
            return r.at(x, tuple(at))

        node = Node("virtual", shape, x.dtype, (x,), access, pull, 0)
        node.affine = axes
        return self.add(node)

    def reshape(self, x: Node, shape: tuple[int, ...]) -> Node:
        """The same elements in C order."""
        if shape == x.shape:
            return x
        kept = [d for d, n in enumerate(shape) if n != 1]
        if [shape[d] for d in kept] == [n for n in x.shape if n != 1]:
            places = iter(kept)
            return self.affine(
                x, shape, [(next(places), 0, 1) if n != 1 else (None, 0, 1) for n in x.shape]
            )

        def pull(r: Any, idx: Any) -> Any:
            return r.at(x, r.e.unravelled(r.e.ravelled(idx, shape), x.shape))

        node = Node("virtual", shape, x.dtype, (x,), "whole", pull, 0)
        return self.add(node)

    def choose(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        parts: Sequence[Node],
        pick: Callable[..., Any],
    ) -> Node:
        """`pick(region, idx)` reads the parts itself: for small arrays, of which each index is known."""
        return self.add(Node("virtual", shape, dtype, tuple(parts), MOVED, pick, 1))

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

        return self.step(prim.name, xs, "pulled", [_Type(shape, xs[0].dtype)], emit)[0]

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

        return self.step(prim.name, [x], "pulled", [_Type(shape, x.dtype)], emit)[0]

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

        return self.step(
            prim.name, [x, v], ["pulled", "pulled"], [_Type(x.shape, x.dtype)], emit, reuses=0
        )[0]

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
        return self.step(name, [x, v, i], "pulled", [_Type(x.shape, x.dtype)], emit, reuses=0)[0]

    def permuted(self, x: Node, axes: Sequence[int]) -> Node:
        """Axis k of the result is axis axes[k] of x."""
        axes = list(axes)
        back = [(axes.index(d), 0, 1) for d in range(len(axes))]
        return self.affine(x, tuple(x.shape[a] for a in axes), back)

    def running(
        self, formula: Callable[..., Any], xs: Sequence[Node], axis: int, reverse: bool = False
    ) -> Node:
        """`t = formula(s, t, *xs)` along an axis (backwards where `reverse`); the first t is xs[0]."""
        x = xs[0]
        scalar_type(x.dtype)
        if self.region.is_small(x.shape):

            def pull(r: Any, idx: Any) -> Any:
                here = idx[axis].data
                first = x.shape[axis] - 1 if reverse else 0
                now = [r.at(y, idx) for y in xs]
                if here == first:
                    return now[0]
                before = r.w.index(here + 1 if reverse else here - 1)
                return formula(r.s, r.at(node, (*idx[:axis], before, *idx[axis + 1 :])), *now)

            node = self.add(Node("virtual", x.shape, x.dtype, tuple(xs), MOVED, pull, 2))
            return node

        def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
            (place,) = places
            n, last = r.e.dim(x.shape[axis]), len(x.shape) - 1

            def one(idx: Any, i: Value) -> None:
                at = (*idx[:axis], i, *idx[axis:])
                place.put(r.e, at, r.at(x, at))

            def go_on(idx: Any, i: Value, before: Value) -> None:
                at, old = (*idx[:axis], i, *idx[axis:]), (*idx[:axis], before, *idx[axis:])
                t = formula(r.s, place.at(r.e, old), *(r.at(y, at) for y in xs))
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
                        t = formula(r.s, t, *(r.at(y, (*idx, i)) for y in xs))
                        place.put(r.e, (*idx, i), t)
                        loop.carry([t.re, t.im] if x.dtype in PARTS else [t])

                r.over(others, line, {place.buffer}, serial=last)
                return places
            r.over(others, lambda idx: one(idx, start), {place.buffer})
            steps(
                lambda i, before: r.over(others, lambda idx: go_on(idx, i, before), {place.buffer})
            )
            return places

        return self.step("running", xs, "pulled", [_Type(x.shape, x.dtype)], emit)[0]

    def contract(self, left: str, right: str, out: str, a: Node, b: Node) -> Node:
        """An Einstein sum of two arrays: written out, a sum in loops, or a product of matrices."""
        return products.contract(self, left, right, out, a, b)

    # ---- reductions and products -----------------------------------------------------------------
    def reduce(self, op: str, x: Node, axes: Sequence[int]) -> Node:
        """Combine along axes by `add mul max min and or`."""
        axes = tuple(axes)
        if not axes:
            return x
        if op in ("max", "min") and x.dtype in PARTS:
            raise NoLowering(f"{op} of complex numbers")
        scalar_type(x.dtype)
        shape = tuple(n for d, n in enumerate(x.shape) if d not in axes)
        terms = math.prod(x.shape[d] for d in axes)
        few = all(x.shape[d] <= SMALL for d in axes) and terms <= FOLD
        if (
            few
            or x.small
            or (all(n <= SMALL for n in x.shape) and math.prod(x.shape) <= self.region.limit)
        ):

            def pull(r: Any, idx: Any) -> Any:
                values = []
                for point in np.ndindex(*(x.shape[d] for d in axes)):
                    kept, gone = iter(idx), iter(point)
                    at = tuple(
                        r.e.w.index(next(gone)) if d in axes else next(kept)
                        for d in range(len(x.shape))
                    )
                    values.append(r.at(x, at))
                return folded(r.s, op, values, x.dtype)

            return self.add(Node("virtual", shape, x.dtype, (x,), MOVED, pull, max(terms, 1)))
        if 0 in x.shape:  # nothing to combine
            return self.affine(self.identity(op, x.dtype), shape, ())
        node = Node("reduce", shape, x.dtype, (x,))
        node.op, node.axes = op, axes
        return self.add(node)

    def identity(self, op: str, dtype: np.dtype[Any]) -> Node:
        """What changes nothing in a reduction."""
        return self.add(Node("virtual", (), dtype, pull=lambda r, idx: r.s.identity(op, dtype)))

    def solve(self, a: Node, b: Node, triangle: tuple[bool, bool] | None = None) -> Node:
        """x with a x = b; `triangle`: of a triangular matrix (lower, unit diagonal)."""
        return lapack.solve(self, a, b, triangle)

    def inverse(self, a: Node, lenient: bool) -> Node:
        """The inverse; of a singular matrix an error, or nan where `lenient`."""
        return lapack.inverse(self, a, lenient)

    def determinant(self, a: Node) -> tuple[Node, Node]:
        """Sign and logarithm of the size of a determinant."""
        return lapack.determinant(self, a)

    def cholesky(self, a: Node) -> Node:
        """Lower l with l lᴴ = a."""
        return lapack.cholesky(self, a)

    def searched(self, a: Node, v: Node, right: bool) -> Node:
        """Where v would go in the sorted a."""
        return lapack.searched(self, a, v, right)

    # ---- programs in equations --------------------------------------------------------------------
    def cond(self, which: Node, args: Sequence[Node], true: Program, false: Program) -> Any:
        """One of two programs."""
        return flow.cond(self, which, args, true, false)

    def scan(self, args: Sequence[Node], types: Sequence[Any], **params: Any) -> Any:
        """A loop over slices; `types` of the results."""
        in_types = [self.type_of(a) for a in args]
        return flow.scan(self, args, types=types, in_types=in_types, **params)

    def while_loop(
        self, args: Sequence[Node], cond: Program, body: Program, consts: int, types: Sequence[Any]
    ) -> Any:
        """A loop that goes on as long as its values say so."""
        return flow.while_loop(self, args, cond, body, consts, types)

    def mapped(
        self, args: Sequence[Node], body: Program, flags: Sequence[bool], extent: int
    ) -> Any:
        """A program for every example of a batch as one loop; None where the body is too large."""
        return maps.mapped(self, args, body, flags, extent)

    def inlined(self, program: Program, args: Sequence[Node]) -> tuple[Node, ...]:
        """The equations of a program, here."""
        from wengert.backends.lowering import inline

        line = self.line
        found = inline(self, program, args)
        self.line = line
        return tuple(found)

    def stack(self, item: Any) -> Node:
        """The stack without items."""
        node = Node("given", (), _NUMBER)
        node.array = Slice(None, item, self.region.e.zero, self.region.e.zero)
        return self.add(node)

    def type_of(self, node: Node) -> Any:
        """The type of a node; of a stack as far as it matters."""
        if node.kind == "result":
            return node.step.types[node.number]
        if node.array.__class__ is Slice:
            return StackType(node.array.item_type)
        return ArrayType.of(node.shape, node.dtype)

    # ---- steps ------------------------------------------------------------------------------------
    def step(
        self,
        name: str,
        operands: Sequence[Node],
        needs: str | Sequence[str],
        types: Sequence[Any],
        emit: Callable[..., Any],
        memory: bool | Sequence[bool] = True,
        reuses: int | None = None,
        lanes: bool = False,
    ) -> tuple[Node, ...]:
        """Something done as a whole; `types` of the results."""
        needs = (needs,) * len(operands) if isinstance(needs, str) else tuple(needs)
        flags = (memory,) * len(types) if isinstance(memory, bool) else tuple(memory)
        step = Step(name, tuple(operands), needs, emit, flags, reuses, lanes)
        step.node = self.add(Node("step", (), _NUMBER, step.operands))
        step.node.step = step
        step.types = tuple(types)
        for k, t in enumerate(types):
            shape, dtype = ((), _NUMBER) if isinstance(t, StackType) else (t.shape, t.dtype)
            node = Node("result", shape, dtype, (step.node,))
            node.step, node.number = step, k
            step.results.append(self.add(node))
        return tuple(step.results)


class _Type:
    """Shape and dtype of a result."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype


def prim_pick(kit: Kit, prim: Any, x: Node, v: Node, params: Any) -> Node:
    """A small array with a part replaced: each element is that of one of both."""
    ids = np.arange(math.prod(x.shape)).reshape(x.shape)
    ids[params["at"]] = ids.size + np.arange(math.prod(v.shape)).reshape(v.shape)

    def pick(r: Any, idx: Any) -> Any:
        number = int(ids[tuple(i.data for i in idx)])
        node, number = (x, number) if number < ids.size else (v, number - ids.size)
        return r.at(node, tuple(map(r.w.index, map(int, np.unravel_index(number, node.shape)))))

    return kit.choose(x.shape, x.dtype, [x, v], pick)


def _plus(start: Start, begin: Start, step: int) -> Start | None:
    """`start + step · begin` as a position, if it is one."""
    if isinstance(begin, int):
        if isinstance(start, int):
            return start + step * begin
        return (start[0], start[1] + step * begin)
    if isinstance(start, int) and step == 1:
        return (begin[0], begin[1] + start)
    return None


def folded(s: Scalars, op: str, values: list[Any], dtype: np.dtype[Any]) -> Any:
    """Values combined two by two."""
    if not values:
        return s.identity(op, dtype)
    while len(values) > 1:
        pairs = [s.combine(op, a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]


@lru_cache(maxsize=4096)
def cost_of(
    formula: Formula, given: tuple[tuple[np.dtype[Any], Any], ...], dtype: np.dtype[Any]
) -> int:
    """How dear a formula is, found by writing it once. Raises NoLowering if it cannot be written."""
    writer = Writer(Function("probe"))
    s = Scalars(writer)
    xs: list[Any] = []
    for d, number in given:
        if number is not None:
            xs.append(s.number(number, d))
            continue
        t = scalar_type(d)
        values = [Value("param", t, (), None, writer.block) for _ in range(1 + (d in PARTS))]
        xs.append(Pair(*values) if d in PARTS else values[0])
    y = s.call(formula, *xs) if isinstance(formula, str) else formula(s, *xs)
    if (y.__class__ is Pair) != (dtype in PARTS) or scalar_type(dtype) != (
        y.re.type if y.__class__ is Pair else y.type
    ):
        raise NoLowering(f"{formula} gives {y!r}, not {dtype}")
    cost = 0
    for v in writer.block.items:
        assert isinstance(v, Value)
        cost += 20 if v.op in MATH or v.op.startswith(SPECIAL) else _DEAR.get(v.op, 1)
    return cost
