"""Order: sorting, medians and quantiles, places in sorted arrays, sets of values.

The order itself is a constant for the derivative; the values follow the elements that they are.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from wengert.ir.types import ArrayType
from wengert.numpy_api.indexing import known
from wengert.numpy_api.moving import part
from wengert.numpy_api.promote import (
    axes_of,
    axis_of,
    cast,
    dtype_of,
    given,
    inexact,
    operand,
    shape_of,
    spread,
)
from wengert.numpy_api.shaping import permuted, reshaped
from wengert.numpy_api.table import implements, unsupported
from wengert.numpy_api.ufuncs import finish
from wengert.ops import index, reduce
from wengert.ops import order as ops
from wengert.trace.tracer import Tracer

_NONE = np._NoValue
_INT = np.dtype(np.intp)
_STEPS = (
    "inverted_cdf",
    "closest_observation",
    "lower",
    "higher",
    "nearest",
)  # quantiles that are elements


@implements(np.argsort)
def argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    x = operand(a)
    if axis is None:
        x, axis = np.ravel(x), 0
    return ops.argsort(x, axis=axis_of(axis, x.ndim))


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = operand(a)
    if axis is None:
        x, axis = np.ravel(x), 0
    return ops.sort(x, axis=axis_of(axis, x.ndim))


@implements(np.partition)
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    return sort(a, axis)  # a sorted array is partitioned everywhere


@implements(np.argpartition)
def argpartition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    return argsort(a, axis)


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    x = sort(a)
    return x if x.dtype.kind == "c" else cast(x, np.result_type(x.dtype, np.complex64))


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Any:
    found = [operand(k) for k in keys]
    shape = np.broadcast_shapes(*map(shape_of, found))
    d = axis_of(axis, len(shape))
    order: Any = None
    for key in found:  # stable sorts, the last key decides
        key = spread(key, shape) if isinstance(key, Tracer) else np.broadcast_to(key, shape)
        step = argsort(key if order is None else np.take_along_axis(key, order, d), d)
        order = step if order is None else np.take_along_axis(order, step, d)
    return order


# ---- quantiles ------------------------------------------------------------------------------------


def _sorted_rows(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """x sorted along a last axis that holds all of `axis`; and these axes."""
    x = operand(a)
    axes = axes_of(axis, x.ndim)
    rest = tuple(d for d in range(x.ndim) if d not in axes)
    shape = (*(x.shape[d] for d in rest), reduce.extent(x.shape, axes))
    return sort(reshaped(permuted(x, (*rest, *axes)), shape), -1), axes


def _spoiled(x: Any, y: Any) -> Any:
    """y, nan where there is a nan in the row (sorting puts it last)."""
    last = x[..., -1]
    return np.where(np.isnan(last), last, y) if x.dtype.kind in "fc" else y


def _of_nothing(x: Any, lead: tuple[int, ...] = ()) -> Any:
    """The nan that NumPy calls the middle of no numbers."""
    warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=2)
    return np.full((*lead, *x.shape[:-1]), np.nan, x.dtype)[()]


def _kept(
    y: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: Any, lead: tuple[int, ...] = ()
) -> Any:
    if given(keepdims) and keepdims:
        return reshaped(y, (*lead, *(1 if d in axes else n for d, n in enumerate(shape))))
    return y


@implements(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    shape = shape_of(operand(a))
    x, axes = _sorted_rows(inexact(operand(a)), axis)
    if not x.shape[-1]:
        y = _of_nothing(x)
        return finish(_kept(y, shape, axes, keepdims), out, True)
    half, odd = divmod(x.shape[-1], 2)
    d = x.ndim - 1
    y = np.mean(part(x, d, half - 1 + odd, half + 1), axis=-1)
    return finish(_kept(_spoiled(x, y), shape, axes, keepdims), out, True)


@implements(np.quantile)
def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = False, *, weights: Any = None, **rest: Any,
) -> Any:  # fmt: skip
    if weights is not None:
        return _weighted(a, q, axis, out, method, keepdims, weights)
    x, q = operand(a), operand(q)
    _real(x)
    # an element itself, not a mixture of two
    exact = method in _STEPS or (x.dtype.kind in "biu" and dtype_of(q).kind in "biu")
    x = x if exact else inexact(x)
    shape = x.shape
    if isinstance(q, int | float) and not isinstance(q, np.generic):
        q = inexact(x).dtype.type(q)
    number = q.number() if isinstance(q, Tracer) else np.asarray(q)
    if number is not None and not np.all((number >= 0) & (number <= 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    x, axes = _sorted_rows(x, axis)
    position = _position(q, x.shape[-1], method)
    y = _at(x, cast(position, _INT)) if exact else _between(x, position)
    y = _spoiled(np.reshape(x, (*(1,) * np.ndim(q), *x.shape)), y)
    return finish(_kept(y, shape, axes, keepdims, shape_of(q)), out, True)


def _weighted(a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: Any, weights: Any) -> Any:
    """A weighted quantile is one of the elements; which one, NumPy says of their numbers' ranks."""
    x = operand(a)
    shape = x.shape
    axes = axes_of(axis, x.ndim)
    number = number_of(x, "np.quantile with weights")
    w, share = (number_of(v, "np.quantile with weights") for v in (weights, q))
    rows = np.moveaxis(number, axes, range(-len(axes), 0))
    rows = rows.reshape(*rows.shape[: rows.ndim - len(axes)], -1)
    if w.shape == number.shape:
        w = np.moveaxis(w, axes, range(-len(axes), 0)).reshape(rows.shape)
    order = np.argsort(rows, axis=-1, kind="stable")
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(rows.shape[-1]), rows.shape), -1)
    found = np.quantile(ranks, share, axis=-1, method=method, weights=w).astype(np.intp)  # type: ignore[call-overload]
    picked = np.take_along_axis(
        order, np.moveaxis(np.atleast_1d(found.T).T.reshape(-1, *rows.shape[:-1]), 0, -1), -1
    )
    flat = np.moveaxis(x, axes, tuple(range(-len(axes), 0)))
    y = np.take_along_axis(np.reshape(flat, rows.shape), picked, -1)
    y = np.reshape(np.moveaxis(y, -1, 0), (*np.shape(share), *rows.shape[:-1]))
    return finish(_kept(y, shape, axes, keepdims, np.shape(share)), out, True)


def _position(q: Any, n: int, method: str) -> Any:
    """Where among n sorted elements a quantile lies, as a real number."""
    if method == "linear":
        return q * (n - 1)
    if isinstance(q, Tracer):
        raise unsupported(
            f"np.quantile at a traced q with method={method!r}", "use method='linear'"
        )
    return np.quantile(np.arange(n, dtype=np.result_type(q, np.float32)), q, method=method)  # type: ignore[call-overload]


def _between(x: Any, position: Any) -> Any:
    """The elements of the last axis at real positions, by straight lines; positions come first."""
    n = x.shape[-1]
    below = np.floor(position)
    share = position - below
    low = np.clip(cast(below, _INT), 0, n - 1)
    lead = (*shape_of(position), *(1,) * (x.ndim - 1))
    return _mix(_at(x, low), _at(x, np.minimum(low + 1, n - 1)), reshaped(share, lead))


def _at(x: Any, places: Any) -> Any:
    """The elements of the last axis at these places, which come first."""
    return index.gather(permuted(x, (x.ndim - 1, *range(x.ndim - 1))), places)


def _mix(a: Any, b: Any, t: Any) -> Any:
    """From a (t = 0) to b (t = 1), counted from the nearer end as NumPy does, to meet the ends exactly."""
    step = b - a
    return np.where(t >= 0.5, b - step * (1 - t), a + step * t)


@implements(np.percentile)
def percentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return quantile(a, _hundredth(a, q), *args, **kwargs)


def _hundredth(a: Any, percent: Any) -> Any:
    """A percentage as a fraction; a Python number takes the dtype of `a`."""
    q = operand(percent)
    if isinstance(q, int | float) and not isinstance(q, np.generic):
        return dtype_of(inexact(operand(a))).type(q) / 100
    return np.true_divide(q, 100)


def number_of(x: Any, what: str) -> Any:
    """The number behind a value whose elements decide about a shape."""
    return known(x, what, "use np.where with a fixed shape, or take it out of the traced function")


def _real(x: Any) -> None:
    if dtype_of(x).kind == "c":
        raise TypeError("a must be an array of real numbers")


def _among_present(values: Any, q: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    """The quantile of what is not nan: sorting puts the nans last, so each row only ends earlier."""
    x = inexact(operand(values))
    shape = x.shape
    x, axes = _sorted_rows(x, axis)
    if not x.shape[-1]:
        return finish(
            _kept(_of_nothing(x, shape_of(q)), shape, axes, keepdims, shape_of(q)), out, True
        )
    count = x.shape[-1] - np.count_nonzero(np.isnan(x), axis=-1)
    position = np.reshape(q, (*shape_of(q), *(1,) * (x.ndim - 1))) * cast(count - 1, dtype_of(q))
    below = np.floor(position)
    low = np.maximum(cast(below, _INT), 0)
    high = np.maximum(np.minimum(low + 1, count - 1), 0)
    start = np.reshape(np.arange(math.prod(x.shape[:-1])) * x.shape[-1], x.shape[:-1])
    a, b = (index.gather(x, k + start, merged=x.ndim) for k in (low, high))
    y = _mix(a, b, position - below)
    return finish(_kept(y, shape, axes, keepdims, shape_of(q)), out, True)


@implements(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = _NONE
) -> Any:
    half = np.zeros((), dtype_of(inexact(operand(a)))).real.dtype.type(0.5)
    return _among_present(a, half, axis, out, keepdims)


@implements(np.nanquantile)
def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = _NONE, *, weights: Any = None, **rest: Any,
) -> Any:  # fmt: skip
    if weights is not None or method != "linear":
        raise unsupported(
            f"np.nanquantile with {'weights' if weights is not None else f'method={method!r}'}"
        )
    q = operand(q)
    _real(operand(a))
    if isinstance(q, int | float) and not isinstance(q, np.generic):
        q = dtype_of(inexact(operand(a))).type(q)
    return _among_present(a, q, axis, out, keepdims)


@implements(np.nanpercentile)
def nanpercentile(a: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return nanquantile(a, _hundredth(a, q), *args, **kwargs)


# ---- places in sorted arrays: integers ------------------------------------------------------------


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    x, v = operand(a), operand(v)
    if sorter is not None:
        x = index.gather(x, np.asarray(sorter))
    dtype = np.result_type(dtype_of(x), dtype_of(v))
    return ops.searchsorted(cast(x, dtype), cast(v, dtype), side=side)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    edges = operand(bins)
    number = number_of(edges, "np.digitize of traced bins")
    side = "left" if right else "right"
    if number.size > 1 and np.any(np.diff(number) < 0):
        if np.any(np.diff(number) > 0):
            raise ValueError("bins must be monotonically increasing or decreasing")
        return len(number) - searchsorted(np.flip(edges), x, side)
    return searchsorted(edges, x, side)


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    at = number_of(operand(x), "np.bincount")
    if weights is None:
        return np.bincount(at, minlength=minlength)
    w = cast(operand(weights), np.dtype(np.float64))
    n = max(int(at.max()) + 1 if at.size else 0, minlength)
    return index.scatter_add(index.blank(ArrayType.of((n,), w.dtype), w), w, at)


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    at = operand(indices)
    extents = [int(n) for n in (shape if np.iterable(shape) else (shape,))]
    found = []
    for n in reversed(extents) if order == "C" else extents:
        found.append(at % n)
        at = at // n
    return tuple(reversed(found) if order == "C" else found)


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    if mode != "raise":
        raise unsupported(
            f"np.ravel_multi_index with mode={mode!r}", "wrap or clip the indices first"
        )
    pairs = list(zip(multi_index, dims, strict=True))
    at: Any = 0
    for i, n in pairs if order == "C" else reversed(pairs):
        at = at * n + i
    return at


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    x = operand(filt)
    if x.ndim != 1:
        raise unsupported("np.trim_zeros of more than one axis", "trim with a slice")
    kept = np.flatnonzero(number_of(x, "np.trim_zeros"))
    if not kept.size:
        return x[:0]
    return x[
        int(kept[0]) if "f" in trim.lower() else 0 : int(kept[-1]) + 1
        if "b" in trim.lower()
        else x.size
    ]
