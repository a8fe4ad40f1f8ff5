"""Products: dot, matmul, tensordot, einsum and their kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, common_shape, operand, result_dtype, shape_of, spread
from wengert.numpy_api.table import UFUNCS, implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import matmul as ops
from wengert.trace.tracer import Tracer


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    a, b = operand(a), operand(b)
    if a.__class__ is b.__class__ and a.dtype == b.dtype:
        return a, b
    dtype = result_dtype(a, b)
    return cast(a, dtype), cast(b, dtype)


def _plain_product(a: Any, b: Any) -> Any:
    """The common case at once: vectors and matrices of one dtype; None for all others."""
    left = a.__class__ is Tracer
    if left:
        if b.__class__ is not Tracer and b.__class__ is not np.ndarray:
            return None
    elif a.__class__ is not np.ndarray:
        return None
    if a.dtype is not b.dtype or not 0 < a.ndim < 3 or not 0 < b.ndim < 3:
        return None
    if left and b.__class__ is Tracer and a.builder is not b.builder:
        return ops.matmul(a, b)
    return (a if left else b).builder.record(ops.matmul, (a, b))


def matmul(a: Any, b: Any, out: Any = None, **rest: Any) -> Any:
    """`a @ b`."""
    if out is None:
        y = _plain_product(a, b)
        if y is not None:
            return y
    a, b = _pair(a, b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return finish(ops.matmul(a, b), out, True)
    if np.ndim(b) == 1:  # a batch of matrices times a vector
        flat = np.reshape(a, (-1, shape_of(a)[-1]))
        return finish(np.reshape(ops.matmul(flat, b), shape_of(a)[:-1]), out, True)
    if np.ndim(b) == 2:  # one matrix for the whole batch: rows of rows
        flat = np.reshape(a, (-1, shape_of(a)[-1]))
        return finish(np.reshape(ops.matmul(flat, b), (*shape_of(a)[:-1], shape_of(b)[-1])), out, True)
    vector = np.ndim(a) == 1
    if vector:
        a = np.expand_dims(a, 0)
    lead = common_shape("matmul", [shape_of(a)[:-2], shape_of(b)[:-2]])
    y = ops.matmul(spread(a, (*lead, *shape_of(a)[-2:])), spread(b, (*lead, *shape_of(b)[-2:])))
    return finish(y[..., 0, :] if vector else y, out, True)


UFUNCS[np.matmul] = matmul


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    a, b = _pair(a, b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return finish(a * b, out, True)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return finish(ops.matmul(a, b), out, True)
    return finish(np.tensordot(a, b, axes=(-1, max(np.ndim(b) - 2, 0))), out, True)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _pair(a, b)
    na, nb = np.ndim(a), np.ndim(b)
    if isinstance(axes, int | np.integer):
        left, right = list(range(na - axes, na)), list(range(axes))
    else:
        left, right = ([q % n for q in (p if isinstance(p, list | tuple) else [p])] for p, n in zip(axes, (na, nb), strict=True))
    rest_a = [d for d in range(na) if d not in left]
    rest_b = [d for d in range(nb) if d not in right]
    size = math.prod(shape_of(a)[d] for d in left)
    x = np.reshape(np.transpose(a, (*rest_a, *left)), (-1, size) if size else (math.prod(shape_of(a)[d] for d in rest_a), 0))
    y = np.reshape(np.transpose(b, (*right, *rest_b)), (size, -1) if size else (0, math.prod(shape_of(b)[d] for d in rest_b)))
    return np.reshape(ops.matmul(x, y), (*(shape_of(a)[d] for d in rest_a), *(shape_of(b)[d] for d in rest_b)))
