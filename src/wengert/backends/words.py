"""The plain words of the kit: numbers, elementwise formulas, movements of indices, reductions, steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.backends.arrays import Grid
from wengert.backends.code import DTYPES, MATH, SMALL, SPECIAL, Function, Value
from wengert.backends.graph import MOVED, SAME, SPREAD, Node, Step
from wengert.backends.plan import unrolled
from wengert.backends.scalars import PARTS, NoLowering, Pair, Scalars, scalar_type
from wengert.backends.writer import Writer
from wengert.ir.types import StackType

Formula = str | Callable[..., Any]
# a position: a number, an extent (an integer above `SMALL`), or (an extent or 0, a number to add)
Start = int | tuple[int, int]
NUMBER = np.dtype(np.int64)
_DEAR = {"div": 6, "sqrt": 6}
LANES = 8  # neighbours that go together
FOLD = 16  # sums of this many terms are written out


class Words:
    """Makes nodes."""

    def __init__(self, region: Any) -> None:
        self.region = region
        self.nodes: list[Node] = []
        self.line: Any = None
        self.after: tuple[Node, ...] = ()
        self.effects: list[Node] = []  # of equations that do something besides their results

    def add(self, node: Node) -> Node:
        """Take a node in; where there is nothing to plan, what it holds is written at once."""
        if self.region.at_once and node.kind == "virtual" and not self.after:
            made = self._made(node)
            if made is not None:
                return made
        node.line, node.after = self.line, self.after
        self.nodes.append(node)
        return node

    def _made(self, node: Node) -> Node | None:
        """A small array of arrays that are there already."""
        region, shape = self.region, node.shape
        if not region.is_small(shape) or any(op.array is None for op in node.operands):
            return None
        assert node.pull is not None
        items = np.empty(shape, object)
        if shape:
            for at in np.ndindex(shape):
                items[at] = node.pull(region, tuple(map(region.w.index, at)))
        else:
            items[()] = node.pull(region, ())
        return Node.done(Grid(items, node.dtype))

    # ---- elementwise ----------------------------------------------------------------------------
    def number(self, value: Any, dtype: np.dtype[Any]) -> Node:
        """A constant of shape ()."""
        scalar_type(dtype)
        node = self.add(Node("virtual", (), dtype, pull=lambda r, idx: r.s.number(value, dtype)))
        node.value = dtype.type(value)
        return node

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
        shape = max([a.shape for a in args], key=len)
        if self.region.at_once and not self.after and shape == ():
            made = self._scalar(formula, args, dtype)
            if made is not None:
                return made
        cost, mark = cost_of(formula, tuple((a.dtype, a.value) for a in args), dtype)
        flags = tuple(a.shape != () or shape == () for a in args)

        def pull(r: Any, idx: Any) -> Any:
            xs = [r.at(a, idx if f else ()) for a, f in zip(args, flags, strict=True)]
            return r.s.call(formula, *xs) if formula.__class__ is str else formula(r.s, *xs)  # type: ignore[operator]

        node = Node("virtual", shape, dtype, args, SAME, pull, cost)
        node.op = "mark" if mark else formula if isinstance(formula, str) else ""
        return self.add(node)

    def _scalar(
        self, formula: Formula, args: tuple[Node, ...], dtype: np.dtype[Any]
    ) -> Node | None:
        """A formula of scalars that are there already."""
        xs = []
        for a in args:
            if a.array.__class__ is not Grid:
                return None
            xs.append(a.array.items[()])
        s = self.region.s
        y = s.call(formula, *xs) if formula.__class__ is str else formula(s, *xs)  # type: ignore[operator]
        _check(formula, y, dtype)
        items = np.empty((), object)
        items[()] = y
        return Node.done(Grid(items, dtype))

    def stopped(self, formula: Formula, g: Node, slope: Node, dtype: np.dtype[Any]) -> Node:
        """A product that is zero wherever g is, whatever the slope."""
        node = self.map(formula, g, slope, dtype=dtype)
        if node.array is None:
            node.op, node.zero = "scale", g
        return node

    def marked(self, formula: Formula, mark: Node, *args: Node, dtype: np.dtype[Any]) -> Node:
        """A formula that is zero, most often, where a mark of what was chosen is."""
        node = self.map(formula, mark, *args, dtype=dtype)
        if node.array is None:
            node.op = "mark"
        return node

    def cast(self, x: Node, dtype: np.dtype[Any]) -> Node:
        """Another dtype."""
        if x.dtype == dtype:
            return x
        scalar_type(dtype)
        node = Node(
            "virtual", x.shape, dtype, (x,), SAME, lambda r, idx: r.s.cast(r.at(x, idx), dtype), 1
        )
        node.op = "cast"
        return self.add(node)

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

    def permuted(self, x: Node, axes: Sequence[int]) -> Node:
        """Axis k of the result is axis axes[k] of x."""
        axes = list(axes)
        back = [(axes.index(d), 0, 1) for d in range(len(axes))]
        return self.affine(x, tuple(x.shape[a] for a in axes), back)

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
        # where nothing else goes into lanes, the terms do
        few = few and (terms < LANES or math.prod(shape) >= LANES)
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

            node = self.add(Node("virtual", shape, x.dtype, (x,), MOVED, pull, max(terms, 1)))
            node.axes = axes
            return node
        if 0 in x.shape:  # nothing to combine
            return self.affine(self.identity(op, x.dtype), shape, ())
        node = Node("reduce", shape, x.dtype, (x,))
        node.op, node.axes = op, axes
        return self.add(node)

    def identity(self, op: str, dtype: np.dtype[Any]) -> Node:
        """What changes nothing in a reduction."""
        return self.add(Node("virtual", (), dtype, pull=lambda r, idx: r.s.identity(op, dtype)))

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
        step.node = self.add(Node("step", (), NUMBER, step.operands))
        step.node.step = step
        step.types = tuple(types)
        for k, t in enumerate(types):
            shape, dtype = ((), NUMBER) if isinstance(t, StackType) else (t.shape, t.dtype)
            node = Node("result", shape, dtype, (step.node,))
            node.step, node.number = step, k
            step.results.append(self.add(node))
        return tuple(step.results)


class Typed:
    """Shape and dtype of a result."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype


def _plus(start: Start, begin: Start, step: int) -> Start | None:
    """`start + step · begin` as a position, if it is one."""
    (n, add), (m, more) = _parts(start), _parts(begin)
    if m == 0:
        m, more = n, add + step * more
    elif n == 0 and step == 1:
        more += add
    else:
        return None
    return more if m == 0 and more <= SMALL else (m, more)


def _parts(start: Start) -> tuple[int, int]:
    """A position as an extent (or 0) and what is added: a sum must not be taken for an extent."""
    if isinstance(start, int):
        return (start, 0) if start > SMALL else (0, start)
    return start


def folded(s: Scalars, op: str, values: list[Any], dtype: np.dtype[Any]) -> Any:
    """Values combined two by two."""
    if not values:
        return s.identity(op, dtype)
    while len(values) > 1:
        pairs = [s.combine(op, a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]


def _check(formula: Formula, y: Any, dtype: np.dtype[Any]) -> None:
    """Raise NoLowering where a formula gives something else."""
    pair = y.__class__ is Pair
    if pair != (dtype in PARTS) or scalar_type(dtype) != (y.re.type if pair else y.type):
        raise NoLowering(f"{formula} gives {y!r}, not {dtype}")


@lru_cache(maxsize=4096)
def cost_of(
    formula: Formula, given: tuple[tuple[np.dtype[Any], Any], ...], dtype: np.dtype[Any]
) -> tuple[int, bool]:
    """How dear a formula is, found by writing it once; and does it mark what was chosen, by zeros?

    Raises NoLowering if it cannot be written.
    """
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
    _check(formula, y, dtype)
    cost = 0
    for v in writer.block.items:
        assert isinstance(v, Value)
        cost += 20 if v.op in MATH or v.op.startswith(SPECIAL) else _DEAR.get(v.op, 1)
    last = y if isinstance(y, Value) else y.re
    mark = (last.op == "cast" and last.args[0].type == "bool") or (
        last.op == "select" and any(x.op == "const" and x.data == 0 for x in last.args[1:])
    )
    return cost, mark and last.type != "bool"
