"""Indexing: NumPy's `x[…]` in all its forms, reading and writing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.errors import DataDependentShapeError
from wengert.ir import source
from wengert.ir.evaluate import call_reusing
from wengert.numpy_api.promote import cast, operand, shape_of, spread
from wengert.numpy_api.table import implements
from wengert.ops import index as ops
from wengert.ops import shape
from wengert.trace.tracer import Tracer


_PLAIN = (int, slice)


def getitem(x: Tracer, at: Any) -> Any:
    """`x[at]`."""
    if at.__class__ is int:
        n = x.node.type.shape[0] if x.node.type.shape else 0
        if not -n <= at < n:
            raise IndexError(f"index {at} is out of bounds for axis 0 with size {n}")
        return x.builder.record(ops.index, (x,), {"at": (at,)})
    if at.__class__ is slice and x.node.type.shape:
        return x.builder.record(ops.index, (x,), {"at": (at,)})
    if at.__class__ is tuple and len(at) == len(x.node.type.shape) and all(i.__class__ in _PLAIN for i in at):
        return x.builder.record(ops.index, (x,), {"at": at})
    basic = as_basic(at, x.ndim)
    if basic is not None:
        return _basic(x, *basic)
    raise NotImplementedError


def as_basic(at: Any, ndim: int) -> Any:
    """(index of integers and slices, result axes that are new) or None for advanced indexing."""
    items = at if isinstance(at, tuple) else (at,)
    if not all(i is None or i is Ellipsis or isinstance(i, slice | int | np.integer) and not isinstance(i, bool) for i in items):
        return None
    used = sum(i is not None and i is not Ellipsis for i in items)
    if used > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed")
    full: list[Any] = []
    new: list[int] = []
    position = 0
    for i in items:
        if i is None:
            new.append(position)
            position += 1
        elif i is Ellipsis:
            full.extend([slice(None)] * (ndim - used))
            position += ndim - used
        elif isinstance(i, slice):
            full.append(i)
            position += 1
        else:
            full.append(int(i))
    return tuple(full), tuple(new)


def _basic(x: Any, at: tuple[Any, ...], new: tuple[int, ...]) -> Any:
    y = x if all(i == slice(None) for i in at) and new else ops.index(x, at=at)
    return np.expand_dims(y, new) if new else y


Tracer.__getitem__ = getitem  # type: ignore[attr-defined]
