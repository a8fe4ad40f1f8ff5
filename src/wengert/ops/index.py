"""Reading and writing parts of arrays.

`index` and `part` read at a basic index (integers and slices, a parameter), `update` and
`accumulate` write there. `gather` reads at an array of integers, `put` and `scatter_add` write
there. The writers take over their operand's memory at its last use, so that n writes cost n; the
transpose of a read accumulates into one buffer.
"""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.evaluate import call_reusing, owned
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.types import ArrayType, Shape, type_of
from wengert.ops.families import Linear, Movement, everywhere, extent_of
from wengert.ops.radii import dense, lost
from wengert.ops.shape import broadcast, pad

Basic = tuple[int | slice, ...]
_zeros = np.zeros  # (while traces run, the name means something else)


def blank(t: ArrayType, like: Any) -> Any:
    """Zeros of a type in the trace that `like` belongs to (plain zeros for plain numbers)."""
    if isinstance(like, Handle):
        return like.builder.record(broadcast, (t.dtype.type(0),), {"shape": t.shape, "dims": ()})
    return _zeros(t.shape, t.dtype)


def _zero(t: ArrayType, like: Any) -> Any:
    """As `blank`; a zero of shape () is a constant."""
    return blank(t, like) if t.shape else t.dtype.type(0)


# ---- at integers and slices -------------------------------------------------------------------------


class Index(Movement):
    """`index[at](x)`: basic indexing by integers and slices, NumPy's meaning."""

    name = "index"
    tags = {"at": "extent"}
    dense_tangents = False
    collects = True
    quick = careful = None

    def eval(self, x: Any, *, at: Basic) -> Any:
        return x[at]

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        (g,), t = gs, type_of(args[0])
        if not isinstance(g, Handle):
            y = _zeros(t.shape, t.dtype)
            y[at] = g
            return (y,)
        if g.builder.saving and (margins := _margins(t.shape, at)) is not None:
            return (pad(g, **margins),)  # one equation for two, where nothing is compiled
        return (self.collect([blank(t, g)], g, at=at),)

    def collect(self, buffer: list[Any], g: Any, *args: Any, at: Basic) -> Any:
        """Add a cotangent into the buffer of the operand's cotangent."""
        if isinstance(g, Handle) or isinstance(buffer[0], Handle):
            return call_reusing(accumulate, buffer, [None, g], {"at": at})
        x = owned(buffer)
        x[at] += g
        return x

    def batch(self, batched: tuple[bool, ...], x: Any, *, at: Basic) -> Any:
        return self(x, at=(slice(None), *at))

    def lower(self, k: Any, x: Any, *, at: Basic) -> Any:
        shape, axes = _placing(x.shape, at)
        return k.affine(x, shape, axes)


def _margins(shape: Shape, at: Basic) -> dict[str, Shape] | None:
    """What is left out before and after a part of whole slices, as `pad` wants to know; None if it is none."""
    low, high = [0] * len(shape), [0] * len(shape)
    for d, i in enumerate(at):
        if type(i) is not slice:
            return None
        start, stop, step = i.indices(shape[d])
        if step != 1 or stop < start:
            return None
        low[d], high[d] = start, shape[d] - stop
    return {"low": tuple(low), "high": tuple(high)}


def _placing(shape: Shape, at: Basic) -> tuple[Shape, list[tuple[int | None, Any, int]]]:
    """What a basic index selects: its shape, and per axis of the array (axis of it, start, step)."""
    found: list[int] = []
    axes: list[tuple[int | None, Any, int]] = []
    for d, n in enumerate(shape):
        i = at[d] if d < len(at) else slice(None)
        if isinstance(i, slice):
            start, _, step = i.indices(n)
            count = len(range(*i.indices(n)))
            given = i.start
            if (
                start == n - 1
                and n > 16
                and (given is None or given < 0 or given >= n - 1 != given)
            ):
                begin: Any = (n, -1)
            elif given is not None and given < 0 and start:
                begin = (n, given)
            elif start == n > 16:
                begin = (n, 0)
            else:
                begin = start
            axes.append((len(found) if count != 1 or n == 1 else None, begin, step))
            found.append(count)
        else:
            axes.append((None, (n, int(i)) if i < 0 else int(i), 1))
    return tuple(found), axes


class Part(Index):
    """`part[at](x)`: like `index`, with memory of its own, so that x may be overwritten meanwhile."""

    name = "part"

    def eval(self, x: Any, *, at: Basic) -> Any:
        y = x[at]
        return y.copy("K") if type(y) is np.ndarray else y


class Write(Linear):
    """x with `v` written (or added) at a basic index: linear in both."""

    answers = True
    quick = careful = None
    reuses: ClassVar[int | None] = 0
    tags = {"at": "extent"}

    def typeof(self, x: ArrayType, v: ArrayType, *, at: Basic) -> ArrayType:
        there = np.shape(np.broadcast_to(np.zeros(()), x.shape)[at])
        if v.shape != there:
            raise ShapeError(
                f"cannot write {v!r} where the index selects shape {there}", where=source.here()
            )
        return x

    def eval(self, x: Any, v: Any, *, at: Basic) -> Any:
        return self.in_place(np.array(x), v, at=at)

    def bound(self, ys: Values, xs: Values, rs: Values, *, at: Basic) -> Values:
        if all(r is None for r in rs):
            return (None,)
        return (self(*dense(xs, rs), at=at),)

    def batch(self, batched: tuple[bool, ...], x: Any, v: Any, *, at: Basic) -> Any:
        n = extent_of(batched, (x, v))
        x, v = (a if b else everywhere(a, n) for a, b in zip((x, v), batched, strict=True))
        return self(x, v, at=(slice(None), *at))

    def lower(self, k: Any, x: Any, v: Any, *, at: Basic) -> Any:
        _shape, axes = _placing(x.shape, at)
        return k.written(self, x, v, axes, adds=self.name == "accumulate", at=at)


class Update(Write):
    """`update[at](x, v)`: x with x[at] replaced by v."""

    name = "update"
    overwrites = True

    def in_place(self, x: Any, v: Any, *, at: Basic) -> Any:
        x[at] = v
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        return self.transpose_reusing([gs[0]], args, wanted, at=at)

    def transpose_reusing(
        self, holder: list[Any], args: Values, wanted: tuple[bool, ...], *, at: Basic
    ) -> Values:
        """`transpose` that may overwrite the cotangent in `holder`."""
        gv = part(holder[0], at=at) if wanted[1] else None
        if not wanted[0]:
            return None, gv
        zero = _zero(type_of(args[1]), holder[0])
        return call_reusing(update, holder, [None, zero], {"at": at}), gv


class Accumulate(Write):
    """`accumulate[at](x, v)`: x with v added to x[at]."""

    name = "accumulate"

    def in_place(self, x: Any, v: Any, *, at: Basic) -> Any:
        x[at] += v
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        (g,) = gs
        return g if wanted[0] else None, part(g, at=at) if wanted[1] else None

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        return g if wanted[0] else None, g[params["at"]] if wanted[1] else None

    def bound(self, ys: Values, xs: Values, rs: Values, *, at: Basic) -> Values:
        r, s = dense(xs, rs)
        return (self(r, s + lost(part(ys[0], at=at)), at=at),)


# ---- at an array of integers ------------------------------------------------------------------------
#
# The axes from `axis` to `axis + merged` count as one, numbered in C order, and the integers run
# over it: any combination of index arrays is one such array (numpy_api/indexing.py).


def _one_axis(x: Any, axis: int, merged: int) -> Any:
    """x with the merged axes as one; a view where the memory allows."""
    return x if merged == 1 else np.reshape(x, (*x.shape[:axis], -1, *x.shape[axis + merged :]))


def _places(x: Any, i: Any, axis: int, merged: int) -> tuple[Any, ...]:
    """NumPy's index for the elements that `i` means, whatever the strides of x."""
    where = np.unravel_index(i, x.shape[axis : axis + merged]) if merged != 1 else (i,)
    return (*(slice(None),) * axis, *where)


class AtIntegers(Primitive):
    """Reading or writing x at integers `i` (0 <= i < extent) of one axis, or of some merged into one."""

    tags = {"axis": "axis", "merged": "value"}

    def _place(self, x: ArrayType, i: ArrayType, axis: int, merged: int) -> Shape:
        """Shape of the part."""
        return (*x.shape[:axis], *i.shape, *x.shape[axis + merged :])

    def __reduce__(self) -> Any:
        from wengert.ops.families import _named

        return _named, (self.name,)


class Gather(AtIntegers):
    """`gather[axis, merged](x, i)`: the elements of x at the integers i, in the shape of i."""

    name = "gather"
    answers = True
    collects = True

    def typeof(self, x: ArrayType, i: ArrayType, *, axis: int = 0, merged: int = 1) -> ArrayType:
        return ArrayType.of(self._place(x, i, axis, merged), x.dtype)

    def eval(self, x: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        x = _one_axis(x, axis, merged)
        if axis == 0 or np.ndim(i) == 0:
            return x.take(i, axis)
        # laid out in memory as NumPy lays it out, which decides what a later reshape shares
        return x[(*(slice(None),) * axis, i)]

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, True), False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (None if dxs[0] is None else gather(dxs[0], xs[1], **params),)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.collect([blank(type_of(args[0]), gs[0])], gs[0], *args, **params), None

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose(gs, xs, wanted, **params)

    def collect(self, buffer: list[Any], g: Any, *args: Any, **params: Any) -> Any:
        """Add a cotangent into the buffer of the operand's cotangent."""
        return call_reusing(scatter_add, buffer, [None, g, args[1]], params)

    def batch(
        self, batched: tuple[bool, ...], x: Any, i: Any, *, axis: int = 0, merged: int = 1
    ) -> Any:
        if not batched[1]:
            return gather(x, i, axis=axis + 1, merged=merged)
        if not batched[0]:  # the leading axis of i lands behind the first axes of x
            return np.moveaxis(gather(x, i, axis=axis, merged=merged), axis, 0)
        y = gather(np.moveaxis(x, 0, axis), _rows(x, i, axis, merged), axis=axis, merged=merged + 1)
        return np.moveaxis(y, axis, 0)

    def bound(
        self, ys: Values, xs: Values, rs: Values, *, axis: int = 0, merged: int = 1
    ) -> Values:
        (x, i), (r, s) = xs, rs
        found = None if r is None else gather(r, i, axis=axis, merged=merged)
        if s is None:
            return (found,)
        rest = type_of(x).ndim - axis - merged
        return (
            _elsewhere(
                found, ys[0], np.reshape(s, (*(1,) * axis, *type_of(i).shape, *(1,) * rest))
            ),
        )

    def lower(self, k: Any, x: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        return k.gathered(x, i, axis, merged)

    def depends(self, x: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        t = type_of(x)
        return self.eval(np.arange(t.size).reshape(t.shape), i, axis=axis, merged=merged)


def _elsewhere(r: Any, y: Any, doubt: Any) -> Any:
    """The radius of what was read or written at integers that may be others."""
    (r,) = dense((y,), (r,))
    far = True if y.dtype.kind == "b" else np.inf
    return np.where(np.broadcast_to(doubt > 0, type_of(y).shape), far, r)


def _rows(x: Any, i: Any, axis: int, merged: int) -> Any:
    """Integers of a batch over the batch axis of x and its indexed axes, merged."""
    t, extent = type_of(i), prod(type_of(x).shape[axis + 1 : axis + 1 + merged])
    starts = np.arange(t.shape[0], dtype=t.dtype) * t.dtype.type(extent)
    return i + np.reshape(starts, (t.shape[0],) + (1,) * (t.ndim - 1))


class Scatter(AtIntegers):
    """x with `v` written (or added) at the integers `i`: linear in x and v."""

    reuses: ClassVar[int | None] = 0
    dense_tangents = True

    def typeof(
        self, x: ArrayType, v: ArrayType, i: ArrayType, *, axis: int = 0, merged: int = 1
    ) -> ArrayType:
        if v.shape != self._place(x, i, axis, merged):
            raise ShapeError(f"cannot write {v!r} at {i!r} of {x!r}", where=source.here())
        return x

    def eval(self, x: Any, v: Any, i: Any, **params: Any) -> Any:
        return self.in_place(np.array(x), v, i, **params)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, False, True), False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (self(dxs[0], dxs[1], xs[2], **params),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose(gs, xs, wanted, **params)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        if all(r is None for r in rs):
            return (None,)
        r, s = dense(xs[:2], rs[:2])
        found = self(r, s, xs[2], **params)
        return (found if rs[2] is None else _elsewhere(found, ys[0], np.any(rs[2] > 0)),)

    def batch(
        self, batched: tuple[bool, ...], x: Any, v: Any, i: Any, *, axis: int = 0, merged: int = 1
    ) -> Any:
        n = extent_of(batched, (x, v, i))
        x, v = (a if b else everywhere(a, n) for a, b in zip((x, v), batched[:2], strict=True))
        if not batched[2]:
            return self(x, v, i, axis=axis + 1, merged=merged)
        rows = _rows(x, i, axis, merged)
        y = self(
            np.moveaxis(x, 0, axis), np.moveaxis(v, 0, axis), rows, axis=axis, merged=merged + 1
        )
        return np.moveaxis(y, axis, 0)

    def lower(self, k: Any, x: Any, v: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        return k.scattered(x, v, i, axis, merged, adds=self.name == "scatter_add")


class Put(Scatter):
    """`put[axis, merged](x, v, i)`: x replaced by v at i; of equal integers the last one wins."""

    name = "put"
    overwrites = True

    def in_place(self, x: Any, v: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        x[_places(x, i, axis, merged)] = v
        return x

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose_reusing([gs[0]], args, wanted, **params)

    def transpose_reusing(
        self,
        holder: list[Any],
        args: Values,
        wanted: tuple[bool, ...],
        *,
        axis: int = 0,
        merged: int = 1,
    ) -> Values:
        """`transpose` that may overwrite the cotangent in `holder`."""
        params, (x, v, i) = {"axis": axis, "merged": merged}, map(type_of, args)
        gv = None
        if wanted[1]:
            gv = gather(holder[0], args[2], **params)
            last = _last_writes(args[2], prod(x.shape[axis : axis + merged]))
            if last is not None:
                gv = np.where(np.reshape(last, (*i.shape, *(1,) * (x.ndim - axis - merged))), gv, 0)
        if not wanted[0]:
            return None, gv, None
        return call_reusing(put, holder, [None, blank(v, holder[0]), args[2]], params), gv, None


class ScatterAdd(Scatter):
    """`scatter_add[axis, merged](x, v, i)`: x with v added at i, once per occurrence."""

    name = "scatter_add"

    def in_place(self, x: Any, v: Any, i: Any, *, axis: int = 0, merged: int = 1) -> Any:
        if not x.flags.c_contiguous:
            np.add.at(x, _places(x, i, axis, merged), v)
            return x
        # `add.at` is quick where both sides are one-dimensional: number the elements one by one
        extent, row = prod(x.shape[axis : axis + merged]), prod(x.shape[axis + merged :])
        ids = np.reshape(i, (-1, 1)) * row + np.arange(row)
        if axis:
            ids = np.arange(prod(x.shape[:axis]))[:, None] * (extent * row) + ids.ravel()
        np.add.at(x.reshape(-1), ids.ravel(), np.ravel(v))
        return x

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        (g,), i = gs, args[2]
        return g if wanted[0] else None, gather(g, i, **params) if wanted[1] else None, None

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        x, v, i = xs
        (found,) = super().bound(ys, xs, [*dense(xs[:2], rs[:2]), rs[2]], **params)  # type: ignore[arg-type]
        additions = self(np.zeros_like(x), np.ones_like(v), i, **params)
        return (found + additions * lost(self(np.abs(x), np.abs(v), i, **params)),)


def _last_writes(i: Any, extent: int) -> Any:
    """Which writes are not overwritten by a later one; None if it is known that all are."""
    t = type_of(i)
    if t.size < 2:
        return None
    order = np.reshape(np.arange(t.size), t.shape)
    if isinstance(i, Handle):
        return gather(put(blank(ArrayType.of((extent,), order.dtype), i), order, i), i) == order
    winner = np.empty(extent, order.dtype)
    winner[i] = order
    last = winner[i] == order
    return None if last.all() else last


index, part, update, accumulate = Index(), Part(), Update(), Accumulate()
gather, put, scatter_add = Gather(), Put(), ScatterAdd()
