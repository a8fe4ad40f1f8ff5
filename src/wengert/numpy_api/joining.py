"""Joining and splitting: concatenate, stack, block, split, insert, delete, and nested lists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.numpy_api.indexing import known
from wengert.numpy_api.moving import by_numbers
from wengert.numpy_api.promote import axis_of, cast, dtype_of, operand, shape_of
from wengert.numpy_api.shaping import reshaped
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import index
from wengert.ops import shape as ops
from wengert.trace.tracer import Tracer


def alike(arrays: Any, dtype: Any = None) -> tuple[list[Any], list[tuple[int, ...]]]:
    """Operands of a join, of one dtype; and their shapes."""
    xs, shapes, common, same = [], [], None, dtype is None
    for x in arrays:
        if type(x) is Tracer:
            t = x.node.type
        else:
            x = t = np.asarray(x) if isinstance(x, int | float | complex) else operand(x)
            if type(x) is Tracer:
                t = x.node.type
        if common is None:
            common = t.dtype
        elif t.dtype is not common and t.dtype != common:
            same = False
        xs.append(x)
        shapes.append(t.shape)
    if not xs:
        raise ValueError("need at least one array to join")
    if not same:
        common = np.result_type(*map(dtype_of, xs)) if dtype is None else np.dtype(dtype)
        xs = [cast(x, common) for x in xs]
    return xs, shapes


@implements(np.concatenate)
def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = None
) -> Any:
    xs, shapes = alike(arrays, dtype)
    if axis is None:
        xs, axis = [reshaped(x, (math.prod(s),)) for x, s in zip(xs, shapes, strict=True)], 0
        shapes = [shape_of(x) for x in xs]
    first = shapes[0]
    if not first:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    where = axis_of(axis, len(first))
    for s in shapes:
        if s is not first and (
            len(s) != len(first)
            or s[:where] != first[:where]
            or s[where + 1 :] != first[where + 1 :]
        ):
            raise ShapeError(
                f"concatenate along axis {axis}: shapes {shapes} differ elsewhere",
                where=source.here(),
            )
    y = ops.concat(*xs, axis=where)
    return y if out is None else finish(y, out, True)


@implements(np.stack)
def stack(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = None
) -> Any:
    xs, shapes = alike(arrays, dtype)
    first = shapes[0]
    for s in shapes:
        if s != first:
            raise ValueError("all input arrays must have the same shape")
    y = ops.stack(*xs, axis=axis_of(axis, len(first) + 1))
    return y if out is None else finish(y, out, True)


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    xs = [operand(x) for x in tup]
    shapes = [shape_of(x) for x in xs]
    rows = [
        reshaped(x, (1, *s) if s else (1, 1)) if len(s) < 2 else x
        for x, s in zip(xs, shapes, strict=True)
    ]
    return concatenate(rows, 0, dtype=dtype)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    xs = [operand(x) for x in tup]
    xs = [x if shape_of(x) else reshaped(x, (1,)) for x in xs]
    return concatenate(xs, 0 if len(shape_of(xs[0])) == 1 else 1, dtype=dtype)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    return concatenate([np.atleast_3d(operand(x)) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    xs = [operand(x) for x in tup]
    return concatenate(
        [reshaped(x, (math.prod(shape_of(x)), 1)) if len(shape_of(x)) < 2 else x for x in xs], 1
    )


@implements(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    x, v = operand(arr), operand(values)
    if axis is None:
        x, v, axis = (*(reshaped(y, (math.prod(shape_of(y)),)) for y in (x, v)), 0)
    return concatenate([x, v], axis)


@implements(np.block)
def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    xs = _leaves(arrays)
    ndim = max(depth, *(np.ndim(x) for x in xs))
    return _joined(arrays, ndim, ndim - depth)


def _depth(nested: Any) -> int:
    return 1 + max(map(_depth, nested), default=0) if isinstance(nested, list) else 0


def _leaves(nested: Any) -> list[Any]:
    return (
        [leaf for part in nested for leaf in _leaves(part)]
        if isinstance(nested, list)
        else [operand(nested)]
    )


def _joined(nested: Any, ndim: int, axis: int) -> Any:
    """The innermost lists join along the last axis, the ones around them along the axis before."""
    if not isinstance(nested, list):
        x = operand(nested)
        return reshaped(x, (*(1,) * (ndim - np.ndim(x)), *shape_of(x)))
    if not nested:
        raise ValueError("List at arrays cannot be empty")
    return concatenate([_joined(part, ndim, axis + 1) for part in nested], axis)


# ---- taking apart --------------------------------------------------------------------------------


def _pieces(x: Any, ends: list[Any], axis: int) -> list[Any]:
    lead = (slice(None),) * axis
    return [x[(*lead, slice(a, b))] for a, b in zip([0, *ends], [*ends, None], strict=True)]


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = operand(ary)
    axis = axis_of(axis, x.ndim)
    if np.ndim(indices_or_sections):
        return _pieces(x, [int(i) for i in indices_or_sections], axis)
    count = int(indices_or_sections)
    if count <= 0:
        raise ValueError("number sections must be larger than 0.")
    each, extra = divmod(x.shape[axis], count)
    sizes = [each + 1] * extra + [each] * (count - extra)
    return _pieces(x, [int(n) for n in np.cumsum(sizes)[:-1]], axis)


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = operand(ary)
    if not np.ndim(indices_or_sections) and x.shape[axis] % int(indices_or_sections):
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(_deep(ary, "vsplit", 2), indices_or_sections, 0)


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    x = _deep(ary, "hsplit", 1)
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(_deep(ary, "dsplit", 3), indices_or_sections, 2)


def _deep(ary: Any, name: str, count: int) -> Any:
    x = operand(ary)
    if x.ndim < count:
        raise ValueError(f"{name} only works on arrays of {count} or more dimensions")
    return x


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The parts along an axis."""
    x = operand(x)
    if x.ndim == 0:
        raise ValueError("Input array must be at least 1-d.")
    lead = (slice(None),) * axis_of(axis, x.ndim)
    return tuple(x[(*lead, n)] for n in range(x.shape[axis]))


if hasattr(np, "unstack"):  # NumPy 2.1
    implements(np.unstack)(unstack)


# ---- putting in and taking out --------------------------------------------------------------------


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    x, v = operand(arr), operand(values)
    v = cast(v, dtype_of(x))  # as NumPy: the array keeps its dtype
    obj = _plain(obj)

    def numbers(of_x: Any, of_v: Any) -> Any:
        return np.insert(of_x, obj, of_v, axis)

    return by_numbers(numbers, x, v)


def _plain(obj: Any) -> Any:
    """The places of `np.insert` and `np.delete` as plain numbers."""
    return (
        known(obj, "an insertion or deletion", "say where with a plain integer")
        if isinstance(obj, Tracer)
        else obj
    )


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    x, obj = operand(arr), _plain(obj)
    if axis is None:
        return index.gather(x, np.delete(np.arange(x.size), obj), merged=x.ndim)
    axis = axis_of(axis, x.ndim)
    return index.gather(x, np.delete(np.arange(x.shape[axis]), obj), axis=axis)
