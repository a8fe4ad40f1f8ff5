"""Shapes: reshaping, permuting, joining, splitting, repeating."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.numpy_api.promote import axes_of, cast, operand, result_dtype, shape_of, spread
from wengert.numpy_api.table import implements
from wengert.ops import shape as ops
from wengert.trace.tracer import Tracer


def axis_of(axis: Any, ndim: int) -> int:
    """One non-negative axis."""
    return axes_of(axis, ndim)[0]


@implements(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: Any = "C", *, copy: Any = None) -> Any:
    x = operand(a)
    new = tuple(int(n) for n in shape) if isinstance(shape, tuple | list) else (int(shape),)
    if -1 in new:
        known = -math.prod(new)
        if new.count(-1) > 1 or (known == 0 or x.size % known):
            raise ShapeError(f"cannot reshape {x.type!r} to {new}", "keep the number of elements", source.here())
        new = tuple(x.size // known if n == -1 else n for n in new)
    if math.prod(new) != x.size:
        raise ShapeError(f"cannot reshape {x.type!r} to {new}", "keep the number of elements", source.here())
    if order == "F":
        return np.transpose(ops.reshape(np.transpose(x), shape=new[::-1]))
    return ops.reshape(x, shape=new)


@implements(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    return np.reshape(operand(a), (-1,), order=order if order in "CF" else "C")


@implements(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    x = operand(a)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(int(d) % x.ndim for d in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError("axes don't match array")
    return x if order == tuple(range(x.ndim)) else ops.permute(x, axes=order)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    x = operand(a)
    order = list(range(x.ndim))
    i, j = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    order[i], order[j] = order[j], order[i]
    return np.transpose(x, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    x = operand(a)
    origin = [axis_of(s, x.ndim) for s in (source if isinstance(source, tuple | list) else (source,))]
    target = [axis_of(s, x.ndim) for s in (destination if isinstance(destination, tuple | list) else (destination,))]
    order = [d for d in range(x.ndim) if d not in origin]
    for d, s in sorted(zip(target, origin, strict=True)):
        order.insert(d, s)
    return np.transpose(x, order)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    x = operand(a)
    found = axis if isinstance(axis, tuple | list) else (axis,)
    new = axes_of(tuple(found), x.ndim + len(found))
    rest = iter(x.shape)
    return ops.reshape(x, shape=tuple(1 if d in new else next(rest) for d in range(x.ndim + len(new))))


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    x = operand(a)
    gone = tuple(d for d, n in enumerate(x.shape) if n == 1) if axis is None else axes_of(axis, x.ndim)
    if any(x.shape[d] != 1 for d in gone):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return ops.reshape(x, shape=tuple(n for d, n in enumerate(x.shape) if d not in gone))


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return spread(operand(array), tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _alike(xs: Any, dtype: Any = None) -> list[Any]:
    """Operands of a join, of one dtype."""
    found = [operand(x) for x in xs]
    common = np.dtype(dtype) if dtype is not None else result_dtype(*found)
    return [cast(x, common) for x in found]


@implements(np.concatenate)
def concatenate(arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = None) -> Any:
    xs = _alike(list(arrays), dtype)
    if axis is None:
        xs, axis = [np.ravel(x) for x in xs], 0
    if any(np.ndim(x) == 0 for x in xs):
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    where = axis_of(axis, np.ndim(xs[0]))
    shapes = [shape_of(x) for x in xs]
    if any(s[:where] + s[where + 1 :] != shapes[0][:where] + shapes[0][where + 1 :] for s in shapes):
        raise ShapeError(f"concatenate along axis {axis}: shapes {shapes} differ elsewhere", where=source.here())
    return ops.concat(*xs, axis=where)


@implements(np.stack)
def stack(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = None) -> Any:
    xs = _alike(list(arrays), dtype)
    shapes = [shape_of(x) for x in xs]
    if any(s != shapes[0] for s in shapes):
        raise ValueError("all input arrays must have the same shape")
    return ops.stack(*xs, axis=axis_of(axis, len(shapes[0]) + 1))


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    x = operand(m)
    return ops.flip(x, axes=axes_of(axis, x.ndim))


def is_traced(xs: Any) -> bool:
    """Is there a traced value in this (nested) sequence?"""
    if isinstance(xs, list | tuple):
        return any(is_traced(x) for x in xs)
    return isinstance(xs, Tracer)
