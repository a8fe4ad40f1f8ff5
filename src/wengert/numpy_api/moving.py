"""Rearranging elements: rolling, turning, repeating, padding, taking diagonals and windows.

What only carries elements about is asked of NumPy itself, on the elements' numbers: the answer says
which element goes where, and one gather does it (`by_numbers`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.types import ArrayType
from wengert.numpy_api.promote import again, axes_of, axis_of, cast, operand, shape_of, spread
from wengert.numpy_api.shaping import permuted, reshaped
from wengert.numpy_api.table import implements
from wengert.ops import index, reduce
from wengert.ops import shape as ops
from wengert.trace.buffers import View, look
from wengert.trace.tracer import Tracer


def by_numbers(arrange: Callable[..., Any], *xs: Any) -> Any:
    """What `arrange` makes of the arrays, found by letting it arrange their elements' numbers."""
    numbers, start = [], 0
    for x in xs:
        shape = shape_of(x)
        count = math.prod(shape)
        numbers.append(np.arange(start, start + count).reshape(shape))
        start += count
    at = np.asarray(arrange(*numbers))
    if len(xs) == 1:
        return index.gather(xs[0], at, axis=0, merged=len(shape_of(xs[0])))
    return index.gather(
        ops.concat(*(reshaped(x, (math.prod(shape_of(x)),)) for x in xs), axis=0), at
    )


def part(x: Any, axis: int, *bounds: Any) -> Any:
    """x[:, …, a:b:c] with the slice at an axis; not a view of x."""
    return index.index(x, at=(*(slice(None),) * axis, slice(*bounds)))


# ---- rolling and turning --------------------------------------------------------------------------


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x = operand(a)
    if axis is None:
        shape = shape_of(x)
        return reshaped(roll(reshaped(x, (math.prod(shape),)), shift, 0), shape)
    pairs = np.broadcast(shift, axis) if np.ndim(shift) or np.ndim(axis) else ((shift, axis),)
    for s, d in pairs:
        d = axis_of(int(d), x.ndim)
        n = x.shape[d]
        s = int(s) % n if n else 0
        if s:
            x = ops.concat(part(x, d, n - s, n), part(x, d, 0, n - s), axis=d)
    return again(x) if x is a else x


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    x = operand(m)
    params = {"axes": axes_of(axis, x.ndim)}
    return look(ops.flip(x, **params), x, ops.flip, params)


@implements(np.flipud)
def flipud(m: Any) -> Any:
    return np.flip(m, 0)


@implements(np.fliplr)
def fliplr(m: Any) -> Any:
    return np.flip(m, 1)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    x = operand(m)
    first, second = (axis_of(d, x.ndim) for d in axes)
    if first == second:
        raise ValueError("Axes must be different.")
    k %= 4
    if k == 0:
        return again(x)
    if k == 2:
        return np.flip(x, (first, second))
    return (
        np.swapaxes(np.flip(x, second), first, second)
        if k == 1
        else np.flip(np.swapaxes(x, first, second), second)
    )


# ---- repeating ------------------------------------------------------------------------------------


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    x = operand(A)
    times = tuple(int(r) for r in reps) if np.iterable(reps) else (int(reps),)
    shape = shape_of(x)
    ndim = max(len(times), len(shape))
    times, shape = (1,) * (ndim - len(times)) + times, (1,) * (ndim - len(shape)) + shape
    if all(r == 1 for r in times):
        return again(reshaped(x, shape))
    # every axis n becomes (r, n), and these two become one of r·n
    kept = tuple(n for n in shape if n != 1)
    spread_out, dims = [], []
    for r, n in zip(times, shape, strict=True):
        spread_out.append(r)
        if n != 1:
            dims.append(len(spread_out))
            spread_out.append(n)
    y = ops.broadcast(reshaped(x, kept), shape=tuple(spread_out), dims=tuple(dims))
    return reshaped(y, tuple(r * n for r, n in zip(times, shape, strict=True)))


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    x = operand(a)
    if axis is None:
        x, axis = np.ravel(x), 0
    axis = axis_of(axis, x.ndim)
    counts = np.asarray(repeats)
    n = x.shape[axis]
    if counts.size != 1:
        return index.gather(x, np.repeat(np.arange(n), counts), axis=axis)
    r = int(counts.reshape(())[()])
    shape = x.shape
    dims = (*range(axis + 1), *range(axis + 2, x.ndim + 1))
    y = ops.broadcast(x, shape=(*shape[: axis + 1], r, *shape[axis + 1 :]), dims=dims)
    return reshaped(y, (*shape[:axis], n * r, *shape[axis + 1 :]))


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    x = operand(a)
    if not x.size:  # NumPy fills with zeros
        return np.resize(np.zeros(0, x.dtype), new_shape)
    return by_numbers(lambda numbers: np.resize(numbers, new_shape), x)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    x = operand(x)
    numbers = np.arange(x.size).reshape(x.shape)
    ids = np.lib.stride_tricks.sliding_window_view(numbers, window_shape, axis)
    params = {"axis": 0, "merged": x.ndim}
    y = index.gather(x, ids, **params)
    y.window = View(x, index.gather, params, (ids,), not writeable)
    return y


# ---- triangles and diagonals ----------------------------------------------------------------------


def _zero(x: Any) -> Any:
    """A zero that leaves the dtype of x alone."""
    return 0 if x.dtype.kind in "fc" else x.dtype.type(0)


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    x = operand(m)
    if x.ndim == 1:  # NumPy lets a vector be every row
        x = spread(x, (*x.shape, *x.shape))
    keep = np.tri(x.shape[-2], x.shape[-1], k, bool)
    return np.where(keep, x, _zero(x))


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    x = operand(m)
    if x.ndim == 1:
        x = spread(x, (*x.shape, *x.shape))
    keep = ~np.tri(x.shape[-2], x.shape[-1], k - 1, bool)
    return np.where(keep, x, _zero(x))


@implements(np.diagonal)
def diagonal(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, *, readonly: bool = True
) -> Any:
    x = operand(a)
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    i, j = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    if i == j:
        raise ValueError("axis1 and axis2 cannot be the same")
    y = _diagonal(x, offset, i, j)
    if type(y) is Tracer:
        ids = _diagonal_numbers(x.shape, offset, i, j)
        y.window = View(x, index.gather, {"merged": x.ndim}, (ids,), readonly)
    return y


def _diagonal(x: Any, offset: int, i: int, j: int) -> Any:
    rest = tuple(d for d in range(x.ndim) if d not in (i, j))
    n, m = x.shape[i], x.shape[j]
    flat = reshaped(permuted(x, (*rest, i, j)), (*(x.shape[d] for d in rest), n * m))
    return part(flat, len(rest), *_stride(n, m, offset))


def _diagonal_numbers(shape: tuple[int, ...], offset: int, i: int, j: int) -> Any:
    """Numbers of the elements of a diagonal."""
    strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
    count = len(range(*_stride(shape[i], shape[j], offset)))
    start = offset * strides[j] if offset >= 0 else -offset * strides[i]
    ids = start + np.arange(count) * (strides[i] + strides[j])
    for d in reversed([d for d in range(len(shape)) if d not in (i, j)]):
        ids = (np.arange(shape[d]) * strides[d]).reshape(-1, *(1,) * ids.ndim) + ids
    return ids


def _stride(n: int, m: int, offset: int) -> tuple[int, int, int]:
    """Where the diagonal of an n×m matrix lies in its elements: start, stop, step."""
    start = offset if offset >= 0 else -offset * m
    count = max(min(n, m - offset) if offset >= 0 else min(n + offset, m), 0)
    return (start, start + (count - 1) * (m + 1) + 1, m + 1) if count else (0, 0, 1)


@implements(np.linalg.diagonal)
def matrix_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return diagonal(x, offset, -2, -1)


@implements(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    x = operand(a)
    d = _diagonal(x, offset, axis_of(axis1, x.ndim), axis_of(axis2, x.ndim))
    if dtype is out is None and d.dtype.kind in "fc":
        return reduce.sum_(d, axes=(d.ndim - 1,))
    return np.sum(d, axis=-1, dtype=dtype, out=out)


@implements(np.linalg.trace)
def matrix_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.sum(diagonal(x, offset, -2, -1), axis=-1, dtype=dtype)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    x = operand(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = x.size + abs(k)
    blank = index.blank(ArrayType.of((n * n,), x.dtype), x)
    return reshaped(index.update(blank, x, at=(slice(*_stride(n, n, k)),)), (n, n))


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(operand(v)), k)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if a.ndim > 2 and len(set(a.shape)) != 1:
        raise ValueError("All dimensions of input must be of equal length")
    step = 1 + sum(math.prod(a.shape[d:]) for d in range(1, a.ndim))
    end = a.size if wrap or a.ndim > 2 else min(a.size, a.shape[1] ** 2)
    places = np.arange(0, end, step)
    values = np.ravel(operand(val))
    a[np.unravel_index(places, a.shape)] = (
        values if values.size == 1 else np.resize(values, places.size)
    )


@implements(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = operand(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    count = x.size if N is None else int(N)
    if count == 0:
        return np.zeros((x.size, 0), np.promote_types(x.dtype, int))
    x = cast(x, np.promote_types(x.dtype, int))
    columns: list[Any] = [np.ones(x.shape, x.dtype)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    return np.stack(columns if increasing else columns[::-1], -1)


@implements(np.diag_indices_from)
def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    if len(set(arr.shape)) != 1 or arr.ndim < 2:
        raise ValueError("All dimensions of input must be of equal length")
    return np.diag_indices(arr.shape[0], arr.ndim)


@implements(np.tril_indices_from)
def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    return np.tril_indices(arr.shape[-2], k, arr.shape[-1])


@implements(np.triu_indices_from)
def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    return np.triu_indices(arr.shape[-2], k, arr.shape[-1])
