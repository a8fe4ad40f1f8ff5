"""Making arrays: nested lists of traced values, the `*_like` functions, and ranges between traced ends."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.numpy_api.promote import (
    axis_of,
    cast,
    dtype_of,
    operand,
    result_dtype,
    shape_of,
    spread,
)
from wengert.numpy_api.table import implements
from wengert.ops import shape as ops
from wengert.trace.buffers import memory_of
from wengert.trace.layout import relaid
from wengert.trace.tracer import Tracer


def array(values: Any, dtype: Any = None) -> Any:
    """`np.array` of a nested list that may hold traced values.

    Where objects are asked for, traced values stay what they are: numbers.
    """
    if dtype is not None and np.dtype(dtype) == object:
        dtype = None
    if not isinstance(values, list | tuple):
        x = operand(values)
        return x if dtype is None else cast(x, np.dtype(dtype))
    if not is_traced(values):
        return np.asarray(values, dtype)
    parts = [array(v) for v in values]
    common = np.dtype(dtype) if dtype is not None else np.result_type(*map(dtype_of, parts))
    return ops.stack(*(cast(p, common) for p in parts), axis=0)


def is_traced(values: Any) -> bool:
    """Is there a traced value in this nested list?"""
    return any(
        isinstance(v, Tracer) or (isinstance(v, list | tuple) and is_traced(v)) for v in values
    )


# these come here by `like=` alone
implements(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)(
    lambda values, dtype=None, **rest: array(values, dtype)
)
_MAKERS: tuple[Any, ...] = (
    np.arange, np.empty, np.eye, np.identity, np.ones, np.tri, np.zeros, np.fromiter, np.frombuffer, np.fromfile,
    np.loadtxt, np.genfromtxt,
)  # fmt: skip
for _make in _MAKERS:
    implements(_make)(_make)
implements(np.require)(lambda a, dtype=None, requirements=None: array(a, dtype))


@implements(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    v = operand(fill_value)
    if not isinstance(v, Tracer):
        return np.full(shape, v, dtype)
    v = v if dtype is None else cast(v, np.dtype(dtype))
    return spread(v, tuple(shape) if np.iterable(shape) else (operator.index(shape),))


@implements(np.fromfunction)
def fromfunction(function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    return function(*np.indices(shape, dtype=dtype), **kwargs)


def _like(make: Any, like: Any) -> Any:
    def rule(
        a: Any,
        dtype: Any = None,
        order: Any = "K",
        subok: Any = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        y = make(shape_of(a) if shape is None else shape, dtype_of(a) if dtype is None else dtype)
        memory = memory_of(a) if isinstance(a, Tracer) else a
        if y.ndim > 1 and isinstance(memory, np.ndarray):
            return like(memory, y.dtype, order, True, shape)
        return y

    return rule


implements(np.zeros_like, np.empty_like)(_like(np.zeros, np.zeros_like))
implements(np.ones_like)(_like(np.ones, np.ones_like))


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    kind = dtype_of(a) if dtype is None else np.dtype(dtype)
    extents = shape_of(a) if shape is None else tuple(shape) if np.iterable(shape) else (shape,)
    v = operand(fill_value)
    memory = memory_of(a) if isinstance(a, Tracer) else a
    laid = isinstance(memory, np.ndarray) and len(extents) > 1
    if not isinstance(v, Tracer):
        return np.full_like(memory, v, kind, order, True, shape) if laid else np.full(extents, v, kind)  # fmt: skip
    y: Any = np.copy(spread(cast(v, kind), extents))
    if not laid or y.number() is None:
        return y
    return relaid(y, np.empty_like(memory, kind, order, True, shape))


@implements(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return x.astype(dtype, copy=copy)


# ---- ranges ---------------------------------------------------------------------------------------


@implements(np.linspace)
def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    count = operator.index(num)
    if count < 0:
        raise ValueError(f"Number of samples, {count}, must be non-negative.")
    gaps = count - 1 if endpoint else count
    start, stop = operand(start), operand(stop)
    common = np.result_type(result_dtype(start, stop), 1.0)
    start, stop = cast(start, common), cast(stop, common)
    delta = stop - start
    at = np.arange(count, dtype=common).reshape((-1,) + (1,) * np.ndim(delta))
    step = delta / gaps if gaps > 0 else np.nan * delta
    y = at * step + start if gaps > 0 else at * delta + start
    if endpoint and count > 1:  # the end is met exactly
        last = spread(stop, shape_of(delta))
        y = ops.concat(y[:-1], np.expand_dims(last, 0), axis=0)
    if axis != 0:
        y = np.moveaxis(y, 0, axis)
    if dtype is not None:
        y = cast(np.floor(y) if np.dtype(dtype).kind in "iu" else y, np.dtype(dtype))
    return (y, step) if retstep else y


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    b = operand(base)
    if np.ndim(b):
        shape = np.broadcast_shapes(*(shape_of(operand(v)) for v in (start, stop, base)))
        b = np.expand_dims(spread(b, shape), axis)
    y = np.power(b, linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else cast(y, np.dtype(dtype))


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = operand(start), operand(stop)
    common = np.result_type(dtype_of(start), dtype_of(stop), float(num), np.zeros((), dtype))
    first, last = cast(start, common), cast(stop, common)
    sign = np.sign(first)
    y = logspace(np.log10(first / sign), np.log10(last / sign), num, endpoint, 10.0)
    count = operator.index(num)
    if count > 0:  # both ends are met exactly
        shape = (1, *y.shape[1:])
        ends = [spread(np.expand_dims(v / sign, 0), shape) for v in (first, last)]
        inner = y[1:-1] if endpoint and count > 1 else y[1:]
        y = ops.concat(
            *([ends[0], inner, ends[1]] if endpoint and count > 1 else [ends[0], inner]), axis=0
        )
    y = y * sign
    if axis != 0:
        y = np.moveaxis(y, 0, axis_of(axis, y.ndim))
    return cast(y, common if dtype is None else np.dtype(dtype))


# ---- what a value would be ------------------------------------------------------------------------


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    from wengert.numpy_api.promote import kind

    found = []
    for a in arrays_and_dtypes:
        k = kind(a) if isinstance(a, Tracer) else a
        found.append(
            k(0) if k in (int, float, complex) and isinstance(a, Tracer) and type(k) is type else k
        )
    return np.result_type(*found)


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(dtype_of(from_), to, casting)


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.zeros((), dtype_of(a)) for a in arrays))


# ---- text: looking loses nothing ------------------------------------------------------------------


def _text(function: Any) -> Any:
    def rule(a: Any, *args: Any, **kwargs: Any) -> str:
        number = a.number()
        return repr(a) if number is None else function(np.asarray(number), *args, **kwargs)

    return rule


implements(np.array_repr)(_text(np.array_repr))
implements(np.array_str)(_text(np.array_str))
implements(np.array2string)(_text(np.array2string))


# ---- functions of slices --------------------------------------------------------------------------


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    x = operand(arr)
    axis = axis_of(axis, x.ndim)
    lead = (*x.shape[:axis], *x.shape[axis + 1 :])
    columns = np.reshape(np.moveaxis(x, axis, -1), (math.prod(lead), x.shape[axis]))
    found = [operand(func1d(column, *args, **kwargs)) for column in columns]
    y = np.stack(found)
    inner = y.shape[1:]
    y = np.reshape(y, (*lead, *inner))
    return np.moveaxis(y, tuple(range(len(lead), y.ndim)), tuple(range(axis, axis + len(inner))))


@implements(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    x = operand(a)
    for d in axes if np.iterable(axes) else (axes,):
        d = axis_of(d, np.ndim(a))
        y = func(x, d)
        x = y if np.ndim(y) == x.ndim else np.expand_dims(y, d)
    return x
