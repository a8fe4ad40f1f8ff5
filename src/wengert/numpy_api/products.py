"""Products: dot, matmul, tensordot and their kin, by matrix products."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.numpy_api.promote import axis_of, cast, common_shape, dtype_of, operand, shape_of
from wengert.numpy_api.shaping import permuted, reshaped
from wengert.numpy_api.table import UFUNCS, implements, unsupported
from wengert.numpy_api.ufuncs import finish
from wengert.ops import matmul as ops
from wengert.ops.shape import broadcast
from wengert.trace.shortcut import consider, missed
from wengert.trace.tracer import Tracer


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands of one dtype."""
    a, b = operand(a), operand(b)
    first, second = dtype_of(a), dtype_of(b)
    if first == second:
        return (a if type(a) is Tracer else np.asarray(a)), (
            b if type(b) is Tracer else np.asarray(b)
        )
    dtype = np.result_type(first, second)
    return cast(a, dtype), cast(b, dtype)


@implements(np.linalg.matmul)
def matmul(a: Any, b: Any, out: Any = None, **rest: Any) -> Any:
    """`a @ b`."""
    if out is None and not rest:  # the common cases, quickly
        mine = a if type(a) is Tracer else b
        if type(mine) is Tracer and (step := mine.builder.path) is not None:
            if step.door is matmul:
                y = step.go(step, 0, a, b)
                if y is not None:
                    return y
                missed(step, mine.builder)
            elif step.heat >= 0:
                y = _product(a, b)
                consider(step, matmul, (a, b), y)
                return y
        return _product(a, b)
    if "axes" in rest or "axis" in rest:
        raise unsupported("np.matmul with axes=", "use np.moveaxis before and after")
    dtype = rest.get("dtype")
    return finish(_product(a, b, dtype), out, True)


def _product(a: Any, b: Any, dtype: Any = None) -> Any:
    if dtype is None:
        t = a.node.type if type(a) is Tracer else a
        u = b.node.type if type(b) is Tracer else b
        if (
            (t is not a or type(a) is np.ndarray)
            and (u is not b or type(b) is np.ndarray)
            and u.dtype == t.dtype
            and 0 < t.ndim < 3
            and 0 < u.ndim < 3
            and t.shape[-1] == u.shape[0]
        ):
            return ops.matmul(a, b)
    a, b = pair(a, b)
    if dtype is not None:
        a, b = cast(a, np.dtype(dtype)), cast(b, np.dtype(dtype))
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    return _matmul(a, b)


def _matmul(a: Any, b: Any) -> Any:
    sa, sb = shape_of(a), shape_of(b)
    inner = sb[-2] if len(sb) > 1 else sb[0]
    if sa[-1] != inner:
        raise ShapeError(
            f"matmul of shapes {sa} and {sb}: {sa[-1]} columns meet {inner} rows",
            "transpose or reshape one",
            source.here(),
        )
    if (len(sa) <= 2 and len(sb) <= 2) or (len(sa) == len(sb) and sa[:-2] == sb[:-2]):
        return ops.matmul(a, b)
    if len(sb) <= 2:  # one matrix or vector for the whole stack: rows of rows
        flat = reshaped(a, (math.prod(sa[:-1]), sa[-1]))
        return reshaped(ops.matmul(flat, b), (*sa[:-1], *sb[1:]))
    common_shape("matmul", [sa[:-2], sb[:-2]])
    # stacks that broadcast: the letters of an Einstein sum say which axes the two share
    count = max(len(sa), len(sb)) - 2
    stack = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"[:count]
    left = stack[count - (len(sa) - 2) :] + "XZ" if len(sa) > 1 else "Z"
    right = stack[count - (len(sb) - 2) :] + "ZY"
    return np.einsum(f"{left},{right}->{stack}{left[-2:-1] if len(sa) > 1 else ''}Y", a, b)


UFUNCS[np.matmul] = matmul


def _vecdot(a: Any, b: Any, out: Any = None, axis: Any = -1, **rest: Any) -> Any:
    if "axes" in rest:
        raise unsupported("np.vecdot with axes=", "use np.moveaxis before and after")
    a, b = pair(a, b)
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return finish(np.einsum("...i,...i->...", np.conjugate(a), b), out, True)


def _matvec(a: Any, x: Any, out: Any = None, **rest: Any) -> Any:
    return finish(np.einsum("...ij,...j->...i", *pair(a, x)), out, True)


def _vecmat(x: Any, a: Any, out: Any = None, **rest: Any) -> Any:
    x, a = pair(x, a)
    return finish(np.einsum("...i,...ij->...j", np.conjugate(x), a), out, True)


UFUNCS[np.vecdot] = _vecdot
if hasattr(np, "matvec"):  # NumPy 2.2
    UFUNCS[np.matvec], UFUNCS[np.vecmat] = _matvec, _vecmat


@implements(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return _vecdot(x1, x2, axis=axis)


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    a, b = pair(a, b)
    n, m = len(shape_of(a)), len(shape_of(b))
    if n == 0 or m == 0:
        return finish(np.multiply(a, b), out, True)
    y = _matmul(a, b) if n <= 2 and m <= 2 else tensordot(a, b, axes=(-1, max(m - 2, 0)))
    return y if out is None else finish(y, out, True)


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    a, b = pair(a, b)
    return ops.matmul(np.conjugate(np.ravel(a)), np.ravel(b))


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    a, b = pair(a, b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=(-1, -1))


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    a, b = operand(a), operand(b)
    shape = math.prod(shape_of(a)), math.prod(shape_of(b))
    a, b = reshaped(a, shape[:1]), reshaped(b, shape[1:])
    if min(shape) > 1 and isinstance(a, Tracer) and isinstance(b, Tracer):
        a, b = broadcast(a, shape=shape, dims=(0,)), broadcast(b, shape=shape, dims=(1,))
    else:
        a = reshaped(a, (shape[0], 1))
    return finish(np.multiply(a, b), out, True)


@implements(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are {np.ndim(x1)=} and {np.ndim(x2)=}."
        )
    return outer(x1, x2)


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = pair(a, b)
    sa, sb = shape_of(a), shape_of(b)
    na, nb = len(sa), len(sb)
    if np.iterable(axes):
        first, second = axes
        left = [axis_of(d, na) for d in (first if np.iterable(first) else (first,))]
        right = [axis_of(d, nb) for d in (second if np.iterable(second) else (second,))]
    else:
        count = operator.index(axes)
        left, right = list(range(na - count, na)), list(range(count))
    if [sa[d] for d in left] != [sb[d] for d in right]:
        raise ShapeError(
            f"tensordot of shapes {sa} and {sb} over axes {axes}: extents differ",
            where=source.here(),
        )
    rows = [d for d in range(na) if d not in left]
    columns = [d for d in range(nb) if d not in right]
    size = math.prod(sa[d] for d in left)
    x = reshaped(permuted(a, (*rows, *left)), (math.prod(sa[d] for d in rows), size))
    y = reshaped(permuted(b, (*right, *columns)), (size, math.prod(sb[d] for d in columns)))
    shape = (*(sa[d] for d in rows), *(sb[d] for d in columns))
    return reshaped(ops.matmul(x, y), shape)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    a, b = pair(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    sa, sb = ((1,) * (ndim - np.ndim(x)) + shape_of(x) for x in (a, b))
    left = reshaped(a, tuple(n for k in sa for n in (k, 1)))
    right = reshaped(b, tuple(n for k in sb for n in (1, k)))
    return reshaped(np.multiply(left, right), tuple(n * m for n, m in zip(sa, sb, strict=True)))


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = pair(a, b)
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    n, m = shape_of(a)[-1], shape_of(b)[-1]
    if n not in (2, 3) or m not in (2, 3):
        raise ValueError("incompatible dimensions for cross product (dimension must be 2 or 3)")
    if n == m == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    lead = common_shape("cross", [shape_of(a)[:-1], shape_of(b)[:-1]])
    parts = [[x[..., k] for k in range(shape_of(x)[-1])] for x in (a, b)]
    (a0, a1, *a2), (b0, b1, *b2) = parts
    third = a0 * b1 - a1 * b0
    if a2 and b2:
        first, second = a1 * b2[0] - a2[0] * b1, a2[0] * b0 - a0 * b2[0]
    elif a2:
        first, second = -(a2[0] * b1), a2[0] * b0
    else:
        first, second = a1 * b2[0], -(a0 * b2[0])
    y = np.stack([first, second, third], -1)
    return np.moveaxis(y, -1, axis_of(axisc, len(lead) + 1))


@implements(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return cross(x1, x2, axis=axis)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    xs = [operand(x) for x in arrays]
    if len(xs) < 2:
        raise ValueError("Expecting at least two arrays.")
    first, last = np.ndim(xs[0]) == 1, np.ndim(xs[-1]) == 1
    extents = [
        1 if first else shape_of(xs[0])[0],
        *(shape_of(x)[0] for x in xs[1:]),
        1 if last else shape_of(xs[-1])[-1],
    ]
    split = _best_splits(extents)

    def product(i: int, j: int) -> Any:
        return (
            xs[i]
            if i == j
            else _matmul(*pair(product(i, split[i, j]), product(split[i, j] + 1, j)))
        )

    return finish(product(0, len(xs) - 1), out, True)


def _best_splits(extents: list[int]) -> dict[tuple[int, int], int]:
    """Where to split a chain of matrices (number k is extents[k] × extents[k+1]) to multiply least."""
    n = len(extents) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = {
                k: cost[i, k] + cost[k + 1, j] + extents[i] * extents[k + 1] * extents[j + 1]
                for k in range(i, j)
            }
            split[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[split[i, j]]
    return split


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Any:
    x = operand(a)
    n = operator.index(n)
    if n == 0:
        return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape).copy()
    if n < 0:
        x, n = np.linalg.inv(x), -n
    y = None
    while True:  # squares, as the binary digits of n ask for them
        n, odd = divmod(n, 2)
        if odd:
            y = x if y is None else np.matmul(y, x)
        if not n:
            return y
        x = np.matmul(x, x)
