"""Making arrays: nested lists of traced values, and the `*_like` functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, operand, result_dtype
from wengert.numpy_api.table import implements
from wengert.ops import shape as ops
from wengert.trace.tracer import Tracer


def array(values: Any, dtype: Any = None) -> Any:
    """`np.array` of a nested list that may hold traced values."""
    if not isinstance(values, list | tuple):
        x = operand(values)
        return x if dtype is None else cast(x, np.dtype(dtype))
    if not _holds_tracer(values):
        return np.asarray(values, dtype)
    parts = [array(v) for v in values]
    common = np.dtype(dtype) if dtype is not None else result_dtype(*parts)
    return ops.stack(*(cast(p, common) for p in parts), axis=0)


def _holds_tracer(values: Any) -> bool:
    return any(isinstance(v, Tracer) or (isinstance(v, list | tuple) and _holds_tracer(v)) for v in values)


@implements(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None) -> Any:
    return np.zeros(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


@implements(np.ones_like)
def ones_like(a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None) -> Any:
    return np.ones(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    return operand(a).shape  # type: ignore[no-any-return]


@implements(np.ndim)
def ndim(a: Any) -> int:
    return operand(a).ndim  # type: ignore[no-any-return]


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    x = operand(a)
    return x.size if axis is None else x.shape[axis]  # type: ignore[no-any-return]
