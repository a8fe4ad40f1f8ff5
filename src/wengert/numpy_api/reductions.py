"""Reductions: sums, products, extremes, means and spreads over axes, also leaving nans out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.promote import (
    axes_of,
    cast,
    dtype_of,
    given,
    inexact,
    operand,
    shape_of,
    spread,
    with_kept,
)
from wengert.numpy_api.table import UFUNC_REDUCTIONS, implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import arithmetic, counted, reduce
from wengert.trace.shortcut import consider, missed
from wengert.trace.tracer import Tracer

_NONE = np._NoValue


def _fast(prim: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """The plain call: one equation for a traced float array."""
    step = a.builder.path
    if step is None or (step.heat < 0 and step.door is not prim):
        return _asked(prim, a, axis, keepdims)
    if step.door is prim:
        y = step.go(step, 0, a, axis, keepdims)
        if y is not None:
            return y
        missed(step, a.builder)
        return _asked(prim, a, axis, keepdims)
    y = _asked(prim, a, axis, keepdims)
    consider(step, prim, (a, axis, keepdims), y)
    return y


def _asked(prim: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    t = a.node.type
    axes = tuple(range(t.ndim)) if axis is None else axes_of(axis, t.ndim)
    y = a.builder.record(prim, (a,), {"axes": axes})
    return with_kept(y, t.shape, axes, keepdims) if keepdims is not _NONE and keepdims else y


def masked(x: Any, where: Any, neutral: Any) -> Any:
    """Elements outside `where` replaced by the neutral element."""
    if where is True or not given(where):
        return x
    return np.where(spread(operand(where), x.shape), x, cast(neutral, x.dtype))


def extremes(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    if dtype.kind == "f":
        return -np.inf, np.inf
    if dtype.kind == "c":
        return complex(-np.inf, -np.inf), complex(np.inf, np.inf)
    if dtype.kind == "b":
        return False, True
    info = np.iinfo(dtype)
    return info.min, info.max


def _summed_as(x: Any, dtype: Any) -> Any:
    """x in the dtype that NumPy sums and multiplies in."""
    if given(dtype):
        return cast(x, np.dtype(dtype))
    kind = x.dtype.kind
    if kind in "bi":
        return cast(x, np.promote_types(x.dtype, np.int_))
    return cast(x, np.promote_types(x.dtype, np.uint)) if kind == "u" else x


@implements(np.sum)
def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NONE, initial: Any = _NONE,
    where: Any = _NONE,
) -> Any:  # fmt: skip
    if (
        type(a) is Tracer
        and dtype is out is None
        and initial is where is _NONE
        and a.node.type.inexact
    ):
        return _fast(reduce.sum_, a, axis, keepdims)
    x = masked(_summed_as(operand(a), dtype), where, 0)
    axes = axes_of(axis, x.ndim)
    y = reduce.sum_(x, axes=axes)
    if given(initial):
        y = y + cast(operand(initial), x.dtype)
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


@implements(np.prod)
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _NONE, initial: Any = _NONE,
    where: Any = _NONE,
) -> Any:  # fmt: skip
    x = masked(_summed_as(operand(a), dtype), where, 1)
    axes = axes_of(axis, x.ndim)
    y = reduce.prod(x, axes=axes)
    if given(initial):
        y = y * cast(operand(initial), x.dtype)
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


def _extremum(prim: Any, which: int, ufunc: np.ufunc) -> Any:
    def rule(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = _NONE,
        initial: Any = _NONE,
        where: Any = _NONE,
    ) -> Any:
        if type(a) is Tracer and out is None and initial is where is _NONE and a.node.type.size:
            return _fast(prim, a, axis, keepdims)
        x = operand(a)
        axes = axes_of(axis, x.ndim)
        started = given(initial)
        if not x.size and not started and not all(x.shape[d] for d in axes):
            raise ValueError(
                f"zero-size array to reduction operation {ufunc.__name__} which has no identity"
            )
        if given(where) and where is not True and not started:
            raise ValueError(
                f"reduction operation '{ufunc.__name__}' does not have an identity, "
                "so to use a where mask one has to specify 'initial'"
            )
        x = masked(x, where, extremes(x.dtype)[which] if started else 0)
        if started and not all(x.shape[d] for d in axes):
            y: Any = spread(cast(operand(initial), x.dtype), reduce.without(x.shape, axes))
        else:
            y = prim(x, axes=axes)
            if started:
                y = ufunc(y, cast(operand(initial), x.dtype))
        return finish(with_kept(y, x.shape, axes, keepdims), out, True)

    return rule


implements(np.max, np.amax)(_extremum(reduce.max_, 0, np.maximum))
implements(np.min, np.amin)(_extremum(reduce.min_, 1, np.minimum))


def _as_reduction(prim: Any, ufunc: np.ufunc) -> Any:
    def rule(
        x: Any, axis: Any = None, keepdims: Any = False, initial: Any = _NONE, where: Any = True
    ) -> Any:
        x = inexact(x)
        if x.dtype.kind == "c":
            ufunc.resolve_dtypes((x.dtype, x.dtype, None))  # (raises NumPy's TypeError)
        if where is not True:
            x = np.where(where, x, cast(ufunc.identity, x.dtype))
        axes = axes_of(axis, x.ndim)
        y = prim(x, axes=axes)
        if given(initial):
            y = ufunc(y, initial)
        return with_kept(y, x.shape, axes, keepdims)

    return rule


UFUNC_REDUCTIONS.update(
    {
        np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min, np.fmax: np.nanmax,
        np.fmin: np.nanmin, np.logical_and: np.all, np.logical_or: np.any,
        np.hypot: _as_reduction(reduce.length, np.hypot),
        np.logaddexp: _as_reduction(reduce.logsumexp, np.logaddexp),
    }
)  # fmt: skip


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NONE) -> Any:
    kept = given(keepdims) and keepdims
    return finish(
        np.max(a, axis=axis, keepdims=kept) - np.min(a, axis=axis, keepdims=kept), out, True
    )


# ---- means and spreads ----------------------------------------------------------------------------


def _averaged_as(a: Any, dtype: Any) -> Any:
    """x in the dtype that NumPy averages in."""
    x = operand(a)
    return cast(x, np.dtype(dtype)) if given(dtype) else inexact(x)


def _count(x: Any, axes: tuple[int, ...], where: Any) -> Any:
    """How many elements each result is made of, axes kept."""
    if where is True or not given(where):
        return reduce.extent(shape_of(x), axes)
    return np.sum(np.broadcast_to(where, shape_of(x)), axis=axes, keepdims=True)


@implements(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = _NONE,
    *,
    where: Any = _NONE,
) -> Any:
    if type(a) is Tracer and dtype is out is None and where is _NONE and a.node.type.inexact:
        return _fast(reduce.mean, a, axis, keepdims)
    x = _averaged_as(a, dtype)
    axes = axes_of(axis, x.ndim)
    if where is True or not given(where):
        y = with_kept(reduce.mean(x, axes=axes), x.shape, axes, keepdims)
    else:
        y = cast(np.sum(x, axis=axes, keepdims=True, where=where) / _count(x, axes, where), x.dtype)
        if not (given(keepdims) and keepdims):
            y = np.squeeze(y, axes)
    return finish(y, out, True)


def _deviations(x: Any, axes: tuple[int, ...], where: Any, centre: Any) -> Any:
    """What remains of x without its mean (or the mean that the caller knows)."""
    if given(centre):
        return masked(x - centre, where, 0)
    if where is True or not given(where):
        return reduce.centre(x, axes=axes)
    return masked(x - mean(x, axis=axes, keepdims=True, where=where), where, 0)


def _freedom(x: Any, axes: tuple[int, ...], where: Any, ddof: Any) -> Any:
    """What the squared deviations are divided by."""
    count = _count(x, axes, where)
    if not np.ndim(count):
        return max(count - ddof, 0)
    return np.squeeze(np.maximum(count - ddof, 0), axes)


@implements(np.var)
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NONE, *,
    where: Any = _NONE, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    x = _averaged_as(a, dtype)
    axes = axes_of(axis, x.ndim)
    d = _deviations(x, axes, where, mean)
    squares = np.square(d) if x.dtype.kind == "f" else arithmetic.real(d * np.conjugate(d))
    free = _freedom(x, axes, where, correction if given(correction) else ddof)
    y = reduce.sum_(squares, axes=axes)
    y = cast(y / free, squares.dtype)
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


@implements(np.std)
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _NONE, *,
    where: Any = _NONE, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    x = _averaged_as(a, dtype)
    axes = axes_of(axis, x.ndim)
    d = _deviations(x, axes, where, mean)
    if x.dtype.kind == "c":
        d = arithmetic.modulus(d)
    free = _freedom(x, axes, where, correction if given(correction) else ddof)
    # a length over a root: its slope where all deviations vanish is 0, not 0/0
    root = np.sqrt(free)
    y = reduce.length(d, axes=axes) / (float(root) if isinstance(root, np.floating) else root)
    y = cast(y, d.dtype)
    return finish(with_kept(y, x.shape, axes, keepdims), out, True)


@implements(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = _NONE
) -> Any:
    x = inexact(operand(a))
    axes = axes_of(axis, x.ndim)
    kept = bool(given(keepdims) and keepdims)
    if weights is None:
        y = mean(x, axis=axes, keepdims=kept)
        total: Any = y.dtype.type(reduce.extent(x.shape, axes))
    else:
        w = operand(weights)
        if shape_of(w) != x.shape:
            if axis is None:
                raise TypeError("Axis must be specified when shapes of a and weights differ.")
            if shape_of(w) != tuple(x.shape[d] for d in axes):
                raise ValueError(
                    "Shape of weights must be consistent with shape of a along specified axis."
                )
            listed = axis if isinstance(axis, tuple) else (axis,)
            order = np.argsort([d % x.ndim for d in listed])
            w = np.reshape(
                np.transpose(w, order), tuple(n if d in axes else 1 for d, n in enumerate(x.shape))
            )
        dtype = (
            np.result_type(x.dtype, dtype_of(w), "f8")
            if dtype_of(operand(a)).kind in "biu"
            else np.result_type(x.dtype, dtype_of(w))
        )
        w = cast(w, dtype)
        x = cast(x, dtype)
        total = sum(
            spread(w, x.shape) if isinstance(w, Tracer) else np.broadcast_to(w, x.shape),
            axis=axes,
            keepdims=kept,
        )
        number = total.number() if isinstance(total, Tracer) else total
        if number is not None and np.any(number == 0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        y = sum(x * w, axis=axes, keepdims=kept) / total
    return (
        (
            y,
            spread(total, y.shape)
            if isinstance(total, Tracer)
            else np.broadcast_to(total, y.shape).copy(),
        )
        if returned
        else y
    )


# ---- integers and booleans: constants for the derivative --------------------------------------------


def _counted(prim: Any) -> Any:
    def rule(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = _NONE, *, where: Any = _NONE
    ) -> Any:
        x = operand(a)
        if given(where) and where is not True:
            inside = np.broadcast_to(where, x.shape)
            x = np.logical_or(x, ~inside) if prim is counted.all_ else np.logical_and(x, inside)
        axes = axes_of(axis, x.ndim)
        return finish(with_kept(prim(x, axes=axes), x.shape, axes, keepdims), out, True)

    return rule


implements(np.all)(_counted(counted.all_))
implements(np.any)(_counted(counted.any_))
implements(np.argmax)(_counted(counted.argmax))
implements(np.argmin)(_counted(counted.argmin))


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    x = operand(a)
    axes = axes_of(axis, x.ndim)
    return with_kept(counted.count_nonzero(x, axes=axes), x.shape, axes, keepdims)
