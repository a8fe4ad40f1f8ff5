"""Reductions, running reductions, sorting and order statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.numpy_api.promote import axes_of, cast, operand, shape_of, with_kept
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import arithmetic, reduce, running
from wengert.trace.tracer import Tracer

_NONE = np._NoValue


def _given(value: Any) -> bool:
    return value is not None and value is not _NONE


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    """Elements outside `where` replaced by the neutral element."""
    if not _given(where) or where is True:
        return x
    return np.where(np.broadcast_to(where, x.shape) if np.shape(where) != x.shape else where, x, x.dtype.type(neutral))


def _extremes(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    if dtype.kind == "f":
        return -np.inf, np.inf
    if dtype.kind == "b":
        return False, True
    info = np.iinfo(dtype)
    return info.min, info.max


@implements(np.sum)
def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NONE, initial: Any = _NONE, where: Any = _NONE) -> Any:
    if a.__class__ is Tracer and axis is None and dtype is out is None and keepdims is initial is where is _NONE:
        t = a.node.type
        if t.inexact:
            return a.builder.record(reduce.sum_, (a,), {"axes": tuple(range(t.ndim))})
    x = operand(a)
    if not _given(dtype) and x.dtype.kind in "bi":
        dtype = np.result_type(x.dtype, np.int64)
    if _given(dtype):
        x = cast(x, np.dtype(dtype))
    x = _masked(x, where, 0)
    axes = axes_of(axis, x.ndim)
    y = reduce.sum_(x, axes=axes) if axes or axis is None else x
    if _given(initial):
        y = y + initial
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


@implements(np.prod)
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NONE, initial: Any = _NONE, where: Any = _NONE) -> Any:
    x = operand(a)
    if _given(dtype):
        x = cast(x, np.dtype(dtype))
    x = _masked(x, where, 1)
    axes = axes_of(axis, x.ndim)
    y = reduce.prod(x, axes=axes)
    if _given(initial):
        y = y * initial
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


def _extremum(prim: Any, which: int, ufunc: np.ufunc) -> Any:
    def rule(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NONE, initial: Any = _NONE, where: Any = _NONE) -> Any:
        x = operand(a)
        x = _masked(x, where, initial if _given(where) and _given(initial) else _extremes(x.dtype)[which])
        axes = axes_of(axis, x.ndim)
        y = prim(x, axes=axes)
        if _given(initial):
            y = ufunc(y, initial)
        return finish(with_kept(y, x.shape, axes, keepdims), out, True)

    return rule


implements(np.max, np.amax)(_extremum(reduce.max_, 0, np.maximum))
implements(np.min, np.amin)(_extremum(reduce.min_, 1, np.minimum))


def _count(x: Any, axes: tuple[int, ...], where: Any) -> Any:
    if not _given(where) or where is True:
        return math.prod(shape_of(x)[a] for a in axes)
    return np.sum(np.broadcast_to(where, shape_of(x)), axis=axes)


@implements(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NONE, *, where: Any = _NONE) -> Any:
    x = operand(a)
    dtype = np.dtype(dtype) if _given(dtype) else np.dtype(np.float64) if x.dtype.kind in "bi" else x.dtype
    axes = axes_of(axis, x.ndim)
    wide = np.dtype(np.float32) if dtype == np.float16 else dtype  # as NumPy accumulates
    total = np.sum(cast(x, wide), axis=axes, keepdims=bool(keepdims) and keepdims is not _NONE, where=where)
    count = _count(x, axes, where)
    if np.ndim(count) and keepdims is True:
        count = np.expand_dims(count, axes)
    return finish(cast(total / count, dtype), out, True)


def _deviations(x: Any, axes: tuple[int, ...], where: Any, centre: Any) -> Any:
    middle = np.mean(x, axis=axes, keepdims=True, where=where) if not _given(centre) else centre
    return _masked(x - middle, where, 0)


@implements(np.var)
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NONE, *, where: Any = _NONE, mean: Any = _NONE, correction: Any = _NONE) -> Any:
    x = operand(a)
    x = cast(x, np.dtype(dtype)) if _given(dtype) else cast(x, np.dtype(np.float64)) if x.dtype.kind in "bi" else x
    axes = axes_of(axis, x.ndim)
    d = _deviations(x, axes, where, mean)
    squares = np.square(d) if x.dtype.kind == "f" else np.real(d * np.conj(d))
    free = _count(x, axes, where) - (correction if _given(correction) else ddof)
    y = np.sum(squares, axis=axes) / np.maximum(free, 0)
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


@implements(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NONE, *, where: Any = _NONE, mean: Any = _NONE, correction: Any = _NONE) -> Any:
    x = operand(a)
    x = cast(x, np.dtype(dtype)) if _given(dtype) else cast(x, np.dtype(np.float64)) if x.dtype.kind in "bi" else x
    axes = axes_of(axis, x.ndim)
    d = _deviations(x, axes, where, mean)
    if x.dtype.kind == "c":
        d = arithmetic.modulus(d)
    free = np.maximum(_count(x, axes, where) - (correction if _given(correction) else ddof), 0)
    # a length over a root: its slope where all deviations vanish is 0, not 0/0
    y = reduce.length(d, axes=axes) / np.sqrt(free)
    return finish(with_kept(cast(y, d.dtype), x.shape, axes, keepdims), out, True)


def _counted(prim: Any) -> Any:
    def rule(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NONE, *, where: Any = _NONE) -> Any:
        x = operand(a)
        if _given(where):
            x = np.logical_or(x, ~np.asarray(where)) if prim is reduce.all_ else np.logical_and(x, where)
        axes = axes_of(axis, x.ndim)
        return finish(with_kept(prim(x, axes=axes), x.shape, axes, keepdims), out, True)

    return rule


implements(np.all)(_counted(reduce.all_))
implements(np.any)(_counted(reduce.any_))
implements(np.argmax)(_counted(reduce.argmax))
implements(np.argmin)(_counted(reduce.argmin))
implements(np.count_nonzero)(lambda a, axis=None, *, keepdims=False: _counted(reduce.count_nonzero)(a, axis, None, keepdims))


def _running(prim: Any) -> Any:
    def rule(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        x = operand(a)
        if _given(dtype):
            x = cast(x, np.dtype(dtype))
        if axis is None:
            x, axis = np.ravel(x), 0
        return finish(prim(x, axis=axes_of(axis, x.ndim)[0]), out, True)

    return rule


implements(np.cumsum)(_running(running.cumsum))
implements(np.cumprod)(_running(running.cumprod))


@implements(np.argsort)
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = operand(a)
    if axis is None:
        x, axis = np.ravel(x), 0
    return reduce.argsort(x, axis=axes_of(axis, x.ndim)[0])


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = operand(a)
    if axis is None:
        x, axis = np.ravel(x), 0
    return np.take_along_axis(x, np.argsort(x, axis), axis)
