"""Reading and writing parts of arrays.

`index`, `update`, `accumulate` use a basic index (integers and slices, a parameter); `gather`,
`put`, `scatter_add` use an integer array along axis 0. The writers reuse their operand's memory at
its last use, so that n writes cost n; the transpose of a read accumulates into one buffer.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Linear, Movement, everywhere, extent_of
from wengert.ops.shape import broadcast

Basic = tuple[int | slice, ...]


def zeros(t: ArrayType) -> np.ndarray[Any, Any]:
    """A fresh buffer of a type."""
    return np.zeros(t.shape, t.dtype)


class Index(Movement):
    """`index[at](x)`: basic indexing by integers and slices, NumPy's meaning."""

    name = "index"
    tags = {"at": "extent"}
    dense_tangents = False
    collects = True

    def eval(self, x: Any, *, at: Basic) -> Any:
        return x[at]

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        (g,), x = gs, type_of(args[0])
        if isinstance(g, Handle):
            return (accumulate(blank(x, g), g, at=at),)
        whole = zeros(x)
        whole[at] = g
        return (whole,)

    def collect(self, buffer: list[Any], g: Any, *args: Any, at: Basic) -> Any:
        """Add a cotangent into the buffer of the operand's cotangent."""
        from wengert.ir.evaluate import call_reusing

        return call_reusing(accumulate, buffer, [None, g], {"at": at})

    def batch(self, batched: tuple[bool, ...], x: Any, *, at: Basic) -> Any:
        return self(x, at=(slice(None), *at))


def blank(t: ArrayType, like: Any) -> Any:
    """Zeros of a type in the trace that `like` belongs to (plain zeros for plain numbers)."""
    from wengert.ir.primitive import Handle

    if isinstance(like, Handle):
        return like.builder.record(
            broadcast, (t.dtype.type(0),), {"shape": t.shape, "dims": ()}
        )
    return zeros(t)


class Write(Linear):
    """x with `v` written (or added) at a basic index: linear in both."""

    reuses: ClassVar[int | None] = 0
    tags = {"at": "extent"}

    def typeof(self, x: ArrayType, v: ArrayType, *, at: Basic) -> ArrayType:
        there = np.shape(np.broadcast_to(np.zeros(()), x.shape)[at])
        if v.shape != there:
            raise ShapeError(f"cannot write {v!r} where the index selects shape {there}", where=source.here())
        return x

    def eval(self, x: Any, v: Any, *, at: Basic) -> Any:
        return self.in_place(np.array(x), v, at=at)

    def batch(self, batched: tuple[bool, ...], x: Any, v: Any, *, at: Basic) -> Any:
        n = extent_of(batched, (x, v))
        x, v = (a if b else everywhere(a, n) for a, b in zip((x, v), batched, strict=True))
        return self(x, v, at=(slice(None), *at))


class Update(Write):
    """`update[at](x, v)`: x with x[at] replaced by v."""

    name = "update"

    def in_place(self, x: Any, v: Any, *, at: Basic) -> Any:
        x[at] = v
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        (g,) = gs
        gv = _own(index(g, at=at)) if wanted[1] else None
        if not wanted[0]:
            return None, gv
        v = type_of(args[1])
        return update(g, blank(v, g), at=at), gv

    def pull_reusing(self, holder: list[Any], args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        """`transpose` that may overwrite the cotangent in `holder`."""
        from wengert.ir.evaluate import call_reusing

        gv = _own(index(holder[0], at=at)) if wanted[1] else None
        if not wanted[0]:
            return None, gv
        v = type_of(args[1])
        zero = blank(v, holder[0]) if v.shape or not isinstance(holder[0], np.ndarray) else v.dtype.type(0)
        return call_reusing(update, holder, [None, zero], {"at": at}), gv


class Accumulate(Write):
    """`accumulate[at](x, v)`: x with v added to x[at]."""

    name = "accumulate"

    def in_place(self, x: Any, v: Any, *, at: Basic) -> Any:
        x[at] += v
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, at: Basic) -> Values:
        (g,) = gs
        return g if wanted[0] else None, _own(index(g, at=at)) if wanted[1] else None


def _own(part: Any) -> Any:
    """A part that does not share memory, so that the whole may be overwritten."""
    return part.copy() if type(part) is np.ndarray and part.base is not None else part


class Gather(Primitive):
    """`gather(x, i)`: x[i] along axis 0 for an integer array i of any shape (0 <= i < len(x))."""

    name = "gather"
    collects = True

    def typeof(self, x: ArrayType, i: ArrayType) -> ArrayType:
        return ArrayType.of((*i.shape, *x.shape[1:]), x.dtype)

    def eval(self, x: Any, i: Any) -> Any:
        return x[i]

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, True), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (None if dxs[0] is None else gather(dxs[0], xs[1]),)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return scatter_add(blank(type_of(args[0]), gs[0]), gs[0], args[1]), None

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return self.transpose(gs, xs, wanted)

    def collect(self, buffer: list[Any], g: Any, *args: Any) -> Any:
        """Add a cotangent into the buffer of the operand's cotangent."""
        from wengert.ir.evaluate import call_reusing

        return call_reusing(scatter_add, buffer, [None, g, args[1]], {})

    def batch(self, batched: tuple[bool, ...], x: Any, i: Any) -> Any:
        if not batched[1]:  # move the batch behind the gathered axis and back
            y = gather(np.moveaxis(x, 0, 1), i)
            return np.moveaxis(y, type_of(i).ndim, 0)
        n = extent_of(batched, (x, i))
        if not batched[0]:
            return gather(x, i)
        length = type_of(x).shape[1]
        rows = np.arange(n).reshape((n,) + (1,) * (type_of(i).ndim - 1))
        return gather(np.reshape(x, (n * length, *type_of(x).shape[2:])), i + rows * length)

    def depends(self, x: Any, i: Any) -> Any:
        t = type_of(x)
        return np.arange(t.size).reshape(t.shape)[i]

    def __reduce__(self) -> Any:
        from wengert.ops.families import _named

        return _named, (self.name,)


class PutBase(Primitive):
    """x with `v` written (or added) at the rows `i`: linear in x and v."""

    reuses: ClassVar[int | None] = 0

    def typeof(self, x: ArrayType, v: ArrayType, i: ArrayType) -> ArrayType:
        if v.shape != (*i.shape, *x.shape[1:]):
            raise ShapeError(f"cannot write {v!r} at {i!r} of {x!r}", where=source.here())
        return x

    def eval(self, x: Any, v: Any, i: Any) -> Any:
        return self.in_place(np.array(x), v, i)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, False, True), False

    dense_tangents = True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (self(dxs[0], dxs[1], xs[2]),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return self.transpose(gs, xs, wanted)

    def batch(self, batched: tuple[bool, ...], x: Any, v: Any, i: Any) -> Any:
        n = extent_of(batched, (x, v, i))
        x, v, i = (a if b else everywhere(a, n) for a, b in zip((x, v, i), batched, strict=True))
        t = type_of(x)
        rows = np.arange(n).reshape((n,) + (1,) * (type_of(i).ndim - 1))
        y = self(np.reshape(x, (n * t.shape[1], *t.shape[2:])), v, i + rows * t.shape[1])
        return np.reshape(y, t.shape)

    def __reduce__(self) -> Any:
        from wengert.ops.families import _named

        return _named, (self.name,)


class Put(PutBase):
    """`put(x, v, i)`: x with x[i] replaced by v; of equal indices the last wins, as in NumPy."""

    name = "put"

    def in_place(self, x: Any, v: Any, i: Any) -> Any:
        x[i] = v
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), i = gs, args[2]
        gv = None
        if wanted[1]:
            gv = gather(g, i)
            # of repeated indices only the last write is seen
            last = _last_writes(i)
            if last is not None:
                gv = np.where(np.reshape(last, (*last.shape, *(1,) * (type_of(g).ndim - 1))), gv, 0)
        gx = put(g, blank(type_of(args[1]), g), i) if wanted[0] else None
        return gx, gv, None


class ScatterAdd(PutBase):
    """`scatter_add(x, v, i)`: x with v added at the rows i, once per occurrence."""

    name = "scatter_add"

    def in_place(self, x: Any, v: Any, i: Any) -> Any:
        np.add.at(x, i, v)
        return x

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), i = gs, args[2]
        return g if wanted[0] else None, gather(g, i) if wanted[1] else None, None


def _last_writes(i: Any) -> Any:
    """Mask of the writes that are not overwritten by a later one; None if indices are distinct."""
    from wengert.ir.primitive import Handle

    if isinstance(i, Handle):
        n = type_of(i).size
        flat = np.reshape(i, (n,))
        same = flat[:, None] == flat[None, :]
        later = np.arange(n)[:, None] < np.arange(n)[None, :]
        return np.reshape(~np.any(same & later, axis=1), type_of(i).shape)
    flat = np.ravel(i)
    if flat.size < 2 or np.unique(flat).size == flat.size:
        return None
    _, first = np.unique(flat[::-1], return_index=True)
    mask = np.zeros(flat.size, bool)
    mask[flat.size - 1 - first] = True
    return mask.reshape(np.shape(i))


index, update, accumulate = Index(), Update(), Accumulate()
gather, put, scatter_add = Gather(), Put(), ScatterAdd()
