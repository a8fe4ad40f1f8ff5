"""Writing: `x[…] = v` in all of NumPy's forms, `out=`, and the functions that write.

Programs never change: a write makes the handle name a new variable, and the number behind it gives
its memory if nobody else holds it. Only roots are written; a write into a view goes to its root.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import DataDependentShapeError, DTypeError, ShapeError
from wengert.ir import source
from wengert.numpy_api import views
from wengert.numpy_api.indexing import along, integers, known, limited
from wengert.numpy_api.places import (
    ALL,
    Where,
    is_direct,
    outside,
    placing,
    plain,
    single,
    without_flags,
)
from wengert.numpy_api.promote import cast, operand, shape_of, spread
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import buffer
from wengert.numpy_api.views import TURNS, below, halved
from wengert.ops import arithmetic
from wengert.ops import index as ops
from wengert.ops import shape as shapes
from wengert.trace.buffers import forget
from wengert.trace.layout import C_ORDER, keep_layout, order_of
from wengert.trace.trace import writable
from wengert.trace.tracer import Tracer


def setitem(x: Tracer, at: Any, v: Any) -> None:
    """`x[at] = v`.

    >>> import wengert as wg
    >>> def f(x):
    ...     y = x.copy()
    ...     y[0] = x[1] ** 2
    ...     y[y > 5] *= 2
    ...     return np.sum(y)
    >>> wg.grad(f)(np.array([1.0, 3.0, 1.0]))
    array([ 0., 13.,  1.])
    """
    if x.window is None:  # the common cases, as they stand
        shape = x.node.type.shape
        cls = type(at)
        if cls is int and shape:
            if not -shape[0] <= at < shape[0]:
                raise outside(at, 0, shape[0])
            basic, part = (at,), shape[1:]
        elif cls is slice and shape and at != ALL and plain(at):
            basic, part = (at,), (len(range(*at.indices(shape[0]))), *shape[1:])
        elif cls is tuple and is_direct(at, shape) and at != (ALL,) * len(at):
            basic, part = at, _extents(at, shape)
        else:
            return _store(x, at, v, False)
        if type(v) is Tracer:
            if _is_itself(x, basic, v):
                return None
            if v.node.type.shape == part and v.node.type.dtype == x.node.type.dtype:
                return _change(x, ops.update, (v,), {"at": basic})
        return _change(x, ops.update, (fitted(v, part, x, "input array"),), {"at": basic})
    return _store(x, at, v, False)


_methods: Any = Tracer
_methods.__setitem__ = setitem


def add_at(x: Tracer, at: Any, v: Any) -> None:
    """`np.add.at(x, at, v)`: an element that is named twice gets both."""
    _store(x, at, v, True)


def _store(x: Tracer, at: Any, v: Any, adding: bool) -> None:
    v = operand(v)
    found = single(at, x.node.type.shape) if x.window is None else None
    if found is not None:
        merged, ids = found
        v = fitted(v, (*ids.shape, *x.shape[merged:]), x, "shape mismatch: value array")
        return _change(x, ops.scatter_add if adding else ops.put, (v, ids), placing(0, merged))
    flagged = without_flags(x, at)
    if flagged is not None:
        return _store(*flagged, v, adding)
    mask = _unknown_mask(at)
    if mask is not None:
        return _select(x, at, mask, v, adding)
    where = Where(at, x.node.type.shape)
    if where.advanced:
        axis, merged, ids = where.numbers()
        part = (*x.shape[:axis], *shape_of(ids), *x.shape[axis + merged :])
        v = fitted(v, part, x, "shape mismatch: value array")
        if x.window is not None:
            return _write_below(x, where, v, adding)
        return _change(x, ops.scatter_add if adding else ops.put, (v, ids), placing(axis, merged))
    basic, new = where.basic()
    if _is_itself(x, basic, v):
        return None
    if new:  # let v lose them
        v = _without(operand(v), new, len(where.items) - sum(type(i) is int for i in where.items))
        where = Where(basic, x.shape)
    v = fitted(v, _extents(where.items, where.shape), x, "input array")
    if where.whole and not adding:
        return replace(x, v)
    if x.window is not None:
        return _write_below(x, where, v, adding)
    if x.ndim == 0:
        return replace(x, x + v)
    return _change(x, ops.accumulate if adding else ops.update, (v,), {"at": basic})


def _extents(at: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a basic part."""
    pairs = zip(at, shape, strict=False)
    return (
        *(len(range(*i.indices(n))) for i, n in pairs if type(i) is slice),
        *shape[len(at) :],
    )


def _is_itself(x: Tracer, basic: Any, v: Any) -> bool:
    """`x[i] += 1` ends in `x[i] = x[i]`, with a part that has been written through already."""
    window = v.window if type(v) is Tracer else None
    return (
        window is not None
        and window.parent is x
        and not window.stale
        and window.params.get("at") == basic
    )


def _without(v: Any, new: tuple[int, ...], ndim: int) -> Any:
    """A value without the axes of its place that are new (where it has them)."""
    shape = shape_of(v)
    gone = {n - ndim + len(shape) for n in new}
    if any(d in gone and n != 1 for d, n in enumerate(shape)):
        raise _misfit("input array", shape, "a place with a new axis of extent 1")
    return np.reshape(v, tuple(n for d, n in enumerate(shape) if d not in gone))


# ---- the value ---------------------------------------------------------------------------------------------


def fitted(v: Any, shape: tuple[int, ...], x: Tracer, what: str) -> Any:
    """A value as it is written into x: cast to the dtype of x, broadcast to the shape of the place."""
    dtype = x.node.type.dtype
    v = operand(v)
    kind = v.dtype.kind if isinstance(v, Tracer | np.ndarray | np.generic) else type(v).__name__[0]
    if kind == "c" and dtype.kind != "c":
        raise DTypeError(
            f"complex numbers are written into a {x.type!r}, which would drop their imaginary part",
            "write v.real, or make the array complex first: x = x.astype(complex)",
            source.here(),
        )
    v = cast(v, dtype)
    mine = shape_of(v)
    if mine == shape:
        return v
    extra = len(mine) - len(shape)
    if extra > 0 and mine[:extra] == (1,) * extra:  # NumPy lets a value have more axes, of extent 1
        v, mine = np.reshape(v, mine[extra:]), mine[extra:]
    if len(mine) > len(shape) or any(
        m not in (1, n) for m, n in zip(mine[::-1], shape[::-1], strict=False)
    ):
        raise _misfit(what, shape_of(v), shape)
    if not mine and not isinstance(v, Tracer):  # a constant, repeated
        return x.builder.record(shapes.broadcast, (v,), {"shape": shape, "dims": ()})
    return spread(v, shape, x)


def _misfit(what: str, mine: Any, place: Any) -> ShapeError:
    text = f"could not broadcast {what} from shape {mine} into shape {place}"
    if what.startswith("shape mismatch"):
        text = f"{what} of shape {mine} could not be broadcast to indexing result of shape {place}"
    return ShapeError(text, "give the value the shape of the place", source.here())


# ---- the write ---------------------------------------------------------------------------------------------


def _change(root: Tracer, prim: Any, args: tuple[Any, ...], params: Any) -> None:
    """Let a root name the result of a write."""
    builder = root.builder
    for a in args:
        if type(a) is Tracer:
            a.refresh()
            if a.builder.serial > builder.serial:
                builder = a.builder
    writable(root)
    builder.change(root, prim, args, params)


def replace(x: Tracer, v: Any) -> None:
    """Let x hold `v`, which has its type: all elements are written."""
    if x.window is not None:
        return _replace_below(x, v)
    writable(x)
    builder = x.builder
    if type(v) is Tracer:
        v.refresh()
        if v.builder.serial > builder.serial:
            builder = v.builder
    if type(v) is not Tracer or v.builder is not builder:
        v = v.snapshot() if type(v) is Tracer else np.array(v)
        v = Tracer(builder, builder.capture(v), v)
    if x.ndim < 2:
        builder.bind(x, v)
        return None
    before = x.number()
    order = order_of(x) if before is None else C_ORDER
    builder.bind(x, v)
    keep_layout(x, before, order)
    return None


def _write_below(x: Tracer, where: Where, v: Any, adding: bool) -> None:
    """Write a part of a view, in its root."""
    views.writable(x)
    half = halved(x)
    if half is not None:
        return _write_half(x, half, where, v, adding)
    root = x.window.root
    at, ids = below(x, where)
    x.window.release()
    forget(x)
    if root.ndim == 0:
        replace(root, root + v if adding else v)
    elif at is not None:
        _change(root, ops.accumulate if adding else ops.update, (v,), {"at": at})
    else:
        _change(root, ops.scatter_add if adding else ops.put, (v, ids), placing(0, root.ndim))
    return None


def _write_half(x: Tracer, half: Tracer, where: Where, v: Any, adding: bool) -> None:
    """Write into a view of `z.real` or `z.imag` (which is `half`): the other half of z stays."""
    at, ids = below(x, where, half)
    z, real = half.window.parent, half.window.prim is arithmetic.real
    place = _unravelled(ids, z.shape) if at is None else at
    if adding:
        _store(z, place, v if real else 1j * v, True)
    else:
        part = z[place]
        _store(z, place, v + 1j * np.imag(part) if real else np.real(part) + 1j * v, False)


def _replace_below(x: Tracer, v: Any) -> None:
    """Write all of a view, in its root."""
    v = v.snapshot() if type(v) is Tracer else v  # it may be the root, which is about to change
    window, whole = x.window, v
    views.writable(x)
    if all(step.prim in TURNS for step in window.steps()):
        for step in reversed(window.steps()):
            whole = step.prim.transpose((whole,), (step.parent.type,), (True,), **step.params)[0]
        window.release()
        forget(x)
        replace(window.root, whole)
    else:
        _write_below(x, Where((), x.shape), v, False)
    if type(v) is Tracer:  # no need to look again
        x.builder, x.node, x.value, x.weak = v.builder, v.node, v.value, False
        window.seen = window.root.version


# ---- masks whose numbers are not known ---------------------------------------------------------------------


def _unknown_mask(at: Any) -> Any:
    """Position of a traced mask in an index, in a trace that knows only types."""
    for n, i in enumerate(at if type(at) is tuple else (at,)):
        if type(i) is Tracer and i.dtype.kind == "b" and i.number() is None:
            return n
    return None


def _select(x: Tracer, at: Any, position: int, v: Any, adding: bool) -> None:
    """`x[mask] = v` by a selection: the mask says which elements of a part change."""
    items = list(at) if type(at) is tuple else [at]
    mask = items[position]
    items[position : position + 1] = [slice(None)] * mask.ndim
    where = Where(tuple(items), x.shape)
    if where.advanced or None in where.items:
        raise _unknown_count(mask)
    behind = sum(
        type(i) is slice for i in where.items[_start(items, position, x.ndim) + mask.ndim :]
    )
    shape = shape_of(v)
    if len(shape) > behind:
        if len(shape) > behind + 1 or shape[0] != 1:
            raise _unknown_count(mask)
        v = np.reshape(v, shape[1:])
    part = x[tuple(items)]  # type: ignore[index]
    mask = np.reshape(mask, (*mask.shape, *(1,) * behind))
    v = fitted(v, shape_of(v), x, "input array")
    x[tuple(items)] = np.where(mask, part + v if adding else v, part)  # type: ignore[index]


def _start(items: list[Any], position: int, ndim: int) -> int:
    """The axis where the item at `position` stands."""
    used = sum(i is not Ellipsis for i in items)
    return sum(ndim - used if i is Ellipsis else 1 for i in items[:position])


def _unknown_count(mask: Any) -> DataDependentShapeError:
    return DataDependentShapeError(
        f"how many elements the mask {mask.type!r} picks is unknown in a trace that knows only types, "
        "so only one value for all of them can be written",
        "select instead: x = np.where(mask, new, x), with `new` in the shape of x",
        source.here(),
    )


# ---- NumPy's functions that write --------------------------------------------------------------------------


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst = buffer(dst, src)
    src = operand(src)
    if not np.can_cast(_dtype_for(src), dst.dtype, casting):  # type: ignore[arg-type]
        raise TypeError(
            f"Cannot cast array data from {src.dtype!r} to {dst.dtype!r} according to the rule '{casting}'"
        )
    if where is True:
        dst[...] = src
    else:
        dst[...] = np.where(where, fitted(src, shape_of(src), dst, "input array"), dst)


def _dtype_for(v: Any) -> Any:
    return v.dtype if isinstance(v, Tracer | np.ndarray | np.generic) else np.min_scalar_type(v)


def _repeated(v: Any, count: int) -> Any:
    """The elements of v over and over, `count` of them."""
    flat = np.reshape(operand(v), (-1,))
    n = shape_of(flat)[0]
    return flat if n == count else np.take(flat, np.arange(count) % max(n, 1))


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    a = buffer(a, v)
    i = limited(np.reshape(integers(ind), (-1,)), a.size, mode)
    if shape_of(operand(v)) != (0,):
        (i,) = Where((i,), (a.size,)).items  # within bounds, from 0 on
        a[_unravelled(i, a.shape)] = _repeated(v, shape_of(i)[0])


def _unravelled(i: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Element numbers as places, one array per axis."""
    places = []
    for n in reversed(shape):
        places.append(i % n)
        i = i // n
    return tuple(reversed(places))


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    arr = buffer(arr, values)
    x, at = along(arr, indices, axis)
    x[at] = values


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    a = buffer(a, values)
    a[...] = np.where(
        mask, fitted(np.reshape(_repeated(values, a.size), a.shape), a.shape, a, "input array"), a
    )


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    arr = buffer(arr, vals)
    at = np.flatnonzero(known(mask, "np.place", "keep the shape: np.where(mask, vals, arr)"))
    if at.size:
        if shape_of(operand(vals)) == (0,):
            raise ValueError("Cannot insert from an empty array!")
        arr[_unravelled(at, arr.shape)] = _repeated(vals, at.size)
