"""Shapes: reshaping, permuting, adding and removing axes, broadcasting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.errors import ShapeError, UnsupportedError
from wengert.ir import source as lines
from wengert.numpy_api import layouts
from wengert.numpy_api.promote import again, axes_of, axis_of, operand, shape_of
from wengert.numpy_api.table import implements
from wengert.ops import shape as ops
from wengert.trace.buffers import Unsure, View, look, memory_of
from wengert.trace.tracer import Tracer


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """x in another shape, as a step on the way: no view of x, no equation where nothing changes."""
    return x if shape_of(x) == shape else ops.reshape(operand(x), shape=shape)


def permuted(x: Any, order: tuple[int, ...]) -> Any:
    """x with its axes in this order, as a step on the way."""
    return x if order == tuple(range(len(order))) else ops.permute(x, axes=order)


def _view(prim: Any, x: Any, params: dict[str, Any]) -> Any:
    """What shares memory with x in NumPy: writes into one are seen in the other."""
    if type(x) is not Tracer:
        return prim(x, **params)
    y = x.builder.record(prim, (x,), params)
    value = x.value
    if type(value) is np.ndarray and x.window is None and value.flags.c_contiguous:
        y.window = View(x, prim, params)  # what `look` would find, quickly
        return y
    return look(y, x, prim, params)


@implements(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: Any = "C", *, copy: Any = None) -> Any:
    x = operand(a)
    size = x.size
    if type(shape) is int:
        new: tuple[int, ...] = (shape,)
    else:
        new = tuple(map(int, shape)) if isinstance(shape, tuple | list) else (int(shape),)
    count = math.prod(new)
    if count < 0 or -1 in new:
        known = -count
        if new.count(-1) != 1 or known <= 0 or size % known:
            raise _cannot(x, new)
        new = tuple(size // known if n == -1 else n for n in new)
    elif count != size:
        raise _cannot(x, new)
    if order == "A" and x.ndim > 1:
        order = "F" if _memory(x).flags.fnc else "C"
    if order in ("F", "f"):
        turned = _view(ops.reshape, np.transpose(x), {"shape": new[::-1]})
        return np.transpose(again(turned) if copy else turned)
    return (
        again(_view(ops.reshape, x, {"shape": new}))
        if copy
        else _view(ops.reshape, x, {"shape": new})
    )


def _cannot(x: Any, new: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"cannot reshape {x.type!r} to {new}", "keep the number of elements", lines.here()
    )


@implements(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    x = operand(a)
    if type(x) is not Tracer:
        return np.reshape(x, (-1,), order=order)
    if order != "C" and len(x.node.type.shape) > 1:
        x = _as_it_lies(x, order)
    shape = (x.node.type.size,)
    if x.window is not None:  # unlike `reshape`, it is a copy unless that lies without gaps
        memory = memory_of(x)
        if memory is None:
            y = ops.reshape(x, shape=shape)
            y.window = Unsure(x, ops.reshape, {"shape": shape})
            return y
        if not memory.flags.c_contiguous:
            return again(ops.reshape(x, shape=shape))
    return _view(ops.reshape, x, {"shape": shape})


def _as_it_lies(x: Any, order: Any) -> Any:
    """x with its axes in the order in which `ravel` walks through them."""
    if order == "F":
        return np.transpose(x)
    memory = _memory(x)
    if order == "A":
        return np.transpose(x) if memory.flags.fnc else x
    if order != "K":
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    if memory.flags.c_contiguous:
        return x
    return np.transpose(x, sorted(range(memory.ndim), key=lambda d: -abs(memory.strides[d])))


def _memory(x: Any) -> Any:
    """An array that lies in memory as x does; an error where that is not known."""
    found = memory_of(x) if isinstance(x, Tracer) else x
    if found is None:
        raise UnsupportedError(
            f"how a {x.type!r} lies in memory decides the order of its elements here, and this trace does not know it",
            "name the order: order='C' or order='F'",
            lines.here(),
        )
    return found


@implements(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    x = operand(a)
    n = len(shape_of(x))
    if axes is None:
        order = tuple(range(n - 1, -1, -1))
    else:
        order = tuple(axis_of(d, n) for d in axes)
        if sorted(order) != list(range(n)):
            raise ValueError("axes don't match array")
    return _view(ops.permute, x, {"axes": order}) if n > 1 else x


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    x = operand(x)
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return np.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    x = operand(a)
    order = list(range(x.ndim))
    i, j = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    order[i], order[j] = j, i
    return np.transpose(x, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    x = operand(a)
    origin = [
        axis_of(s, x.ndim) for s in (source if isinstance(source, tuple | list) else (source,))
    ]
    target = [
        axis_of(s, x.ndim)
        for s in (destination if isinstance(destination, tuple | list) else (destination,))
    ]
    if len(origin) != len(target):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    order = [d for d in range(x.ndim) if d not in origin]
    for d, s in sorted(zip(target, origin, strict=True)):
        order.insert(d, s)
    return np.transpose(x, order)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    x = operand(a)
    axis = axis_of(axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return np.moveaxis(x, axis, start - 1 if axis < start else start)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    x = operand(a)
    count = len(axis) if isinstance(axis, tuple | list) else 1
    new = axes_of(axis, x.ndim + count)
    rest = iter(x.shape)
    return _view(
        ops.reshape,
        x,
        {"shape": tuple(1 if d in new else next(rest) for d in range(x.ndim + count))},
    )


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    x = operand(a)
    shape = x.shape
    if axis is None:
        return _view(ops.reshape, x, {"shape": tuple(n for n in shape if n != 1)})
    gone = axes_of(axis, len(shape))
    if any(shape[d] != 1 for d in gone):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return _view(ops.reshape, x, {"shape": tuple(n for d, n in enumerate(shape) if d not in gone)})


def _at_least(count: int, place: Any) -> Any:
    def rule(*arys: Any) -> Any:
        found = []
        for a in arys:
            x = operand(a)
            shape = shape_of(x)
            found.append(x if len(shape) >= count else np.reshape(x, place(shape)))
        return found[0] if len(found) == 1 else tuple(found)

    return rule


implements(np.atleast_1d)(_at_least(1, lambda s: (1,)))
implements(np.atleast_2d)(_at_least(2, lambda s: (1, *s) if s else (1, 1)))
implements(np.atleast_3d)(
    _at_least(3, lambda s: (1, *s, 1) if len(s) == 1 else (*s, 1) if s else (1, 1, 1))
)


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    x = operand(array)
    extents = tuple(map(int, shape)) if isinstance(shape, tuple | list) else (int(shape),)
    first = len(extents) - len(shape_of(x))
    if first < 0 or any(n not in (1, m) for n, m in zip(shape_of(x), extents[first:], strict=True)):
        raise ShapeError(f"cannot broadcast {x.type!r} to {extents}", where=lines.here())
    return _view(ops.broadcast, x, {"shape": extents, "dims": tuple(range(first, len(extents)))})


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    xs = [operand(x) for x in args]
    shape = np.broadcast_shapes(*map(shape_of, xs))
    return tuple(
        x if isinstance(x, Tracer) and x.shape == shape else np.broadcast_to(x, shape) for x in xs
    )


@implements(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    place = list(range(n))
    if indexing == "xy" and n > 1:
        place[:2] = 1, 0
    xs = [operand(x) for x in xi]
    extents = [math.prod(shape_of(x)) for x in xs]
    full = tuple(extents[place.index(d)] for d in range(n))
    found = []
    for x, d, m in zip(xs, place, extents, strict=True):
        if sparse or not copy:
            y = np.reshape(x, (*(1,) * d, m, *(1,) * (n - 1 - d)))
            y = y if sparse else np.broadcast_to(y, full)
            found.append(again(y) if copy else y)
        else:
            found.append(ops.broadcast(reshaped(x, (m,)), shape=full, dims=(d,)))
    return tuple(found)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return layouts.copied(operand(a), order)


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    return shape_of(operand(a))


@implements(np.ndim)
def ndim(a: Any) -> int:
    return len(shape_of(operand(a)))


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    shape = shape_of(operand(a))
    return math.prod(shape if axis is None else (shape[d] for d in axes_of(axis, len(shape))))
