"""Reading: `x[…]` in all of NumPy's forms, and the functions that pick elements.

Integers and slices are one `index`, everything else one `gather` (`places.py` says of what). What
NumPy would give as a view remembers where it was read, so that writes are seen (`trace/buffers.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import DataDependentShapeError
from wengert.ir import source
from wengert.numpy_api.places import (
    INT,
    Where,
    is_direct,
    outside,
    placing,
    plain,
    single,
    with_new_axes,
    without_flags,
)
from wengert.numpy_api.promote import axis_of, cast, operand, shape_of
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish
from wengert.numpy_api.views import NUMBERED, below
from wengert.ops import index as ops
from wengert.ops import shape as shapes
from wengert.trace.buffers import View
from wengert.trace.tracer import Tracer


def getitem(x: Tracer, at: Any) -> Any:
    """`x[at]`.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x[-1] * x[[0, 0, 1]].sum())(np.array([1.0, 2.0, 3.0]))
    array([6., 3., 4.])
    """
    window = x.window
    root = x if window is None else window.root
    if window is None or root.version == window.seen:  # the common cases, as they stand
        shape = x.node.type.shape
        cls = type(at)
        if cls is int and shape:
            if not -shape[0] <= at < shape[0]:
                raise outside(at, 0, shape[0])
            basic = (at,)
        elif cls is slice and shape and plain(at):
            basic = (at,)
        elif cls is tuple and is_direct(at, shape):
            basic = at
        else:
            wider = with_new_axes(at, shape) if at is None or cls is tuple else None
            if wider is not None:
                y = x.builder.record(shapes.reshape, (x,), {"shape": wider})
                if type(y) is Tracer:
                    y.window = View(x, shapes.reshape, {"shape": wider})
                return y
            found = single(at, shape)
            if found is None:
                return _read(x, at)
            merged, ids = found
            return x.builder.record(ops.gather, (x, ids), placing(0, merged))
        # an array that is written gives parts with memory of their own, and keeps its own to itself
        y = x.builder.record(ops.part if root.version else ops.index, (x,), {"at": basic})
        if type(y) is Tracer and y.node.type.shape:
            y.window = View(x, ops.part, {"at": basic})
        return y
    return _read(x, at)


_methods: Any = Tracer
_methods.__getitem__ = getitem


def _read(x: Tracer, at: Any) -> Any:
    """`x[at]` in general."""
    flagged = without_flags(x, at)
    if flagged is not None:
        return getitem(*flagged)
    where = Where(at, x.node.type.shape)
    basic, new = (None, ()) if where.advanced else where.basic()
    if x.window is not None and x.window.stale:
        y = _below(x, where, basic)
        if y is not None:
            return np.expand_dims(y, new) if new else y
        x.refresh()
    if basic is None:
        axis, merged, ids = where.numbers()
        return ops.gather(x, ids, **placing(axis, merged))
    if new and not basic:
        return np.expand_dims(x, new)
    root = x if x.window is None else x.window.root
    y = (ops.part if root.version else ops.index)(x, at=basic)
    if type(y) is Tracer and (y.node.type.shape or _has_ellipsis(at)):
        y.window = View(x, ops.part, {"at": basic})
        if not y.node.type.shape:
            y.boxed = True  # (x[..., 0] of a vector is an array)
    return np.expand_dims(y, new) if new else y


def _below(x: Tracer, where: Where, basic: Any) -> Any:
    """A part of a stale view, read from its root: the rest of the view is not looked at.

    None if it is better to look at the whole view again.
    """
    steps = x.window.steps()
    if where.whole or any(step.prim not in NUMBERED for step in steps):
        return None
    root = x.window.root
    at, ids = below(x, where if basic is None else Where(basic, x.shape))
    if at is not None:
        y = ops.part(root, at=at)
    elif 4 * np.size(ids) > x.size > 64:
        return None
    else:
        y = ops.gather(root, ids, **placing(0, root.ndim))
    if basic is not None and type(y) is Tracer and y.node.type.shape:
        y.window = View(x, ops.part, {"at": basic})
    return y


def _has_ellipsis(at: Any) -> bool:
    return at is Ellipsis or (type(at) is tuple and any(i is Ellipsis for i in at))


# ---- NumPy's functions that pick elements ----------------------------------------------------------------


def known(x: Any, what: str, way_out: str) -> Any:
    """The number of a value whose elements decide about a shape."""
    x = operand(x)
    number = x.number() if isinstance(x, Tracer) else np.asarray(x)
    if number is None:
        raise DataDependentShapeError(
            f"{what} has a shape that depends on numbers, in a trace that knows only types",
            way_out,
            source.here(),
        )
    return number


def integers(i: Any) -> Any:
    """Integers to index with: an array, or a traced value that is not known."""
    i = operand(i)
    if isinstance(i, Tracer):
        number = i.number()
        i = cast(i, INT) if number is None else number
    if not isinstance(i, Tracer):
        i = np.asarray(i)
        i = i.astype(INT) if i.size == 0 and i.dtype.kind == "f" else i
    if i.dtype.kind not in "iub":
        raise TypeError(
            f"Cannot cast array data from {i.dtype!r} to dtype('int64') according to the rule 'safe'"
        )
    return i


def limited(i: Any, n: int, mode: str) -> Any:
    """Integers within an axis of extent n, by NumPy's modes raise, wrap and clip."""
    if mode == "wrap":
        return i % n
    if mode == "clip":
        return np.clip(i, 0, n - 1)
    if mode != "raise":
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    return i


@implements(np.take)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    x, i = operand(a), integers(indices)
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    if not isinstance(x, Tracer):  # only `out` is traced
        return finish(np.take(x, i, axis, mode=mode), out, True)  # type: ignore[call-overload]
    axis = axis_of(axis, x.ndim)
    i = limited(i, x.shape[axis], mode)
    y = x[(*(slice(None),) * axis, i) if axis else i]  # type: ignore[index]
    return finish(np.copy(y) if type(y) is Tracer and y.window is not None else y, out, True)


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    x, at = along(arr, indices, axis)
    if isinstance(x, Tracer):
        return x[at]  # type: ignore[index]
    axis, merged, ids = Where(at, x.shape).numbers()
    return ops.gather(x, ids, **placing(axis, merged))


def along(arr: Any, indices: Any, axis: Any) -> tuple[Any, Any]:
    """(array, index) of the `…_along_axis` functions: integers on one axis, each row its own."""
    x, i = operand(arr), integers(indices)
    if axis is None:
        if len(shape_of(i)) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        return np.reshape(x, (-1,)), i
    if x.ndim != len(shape_of(i)):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    axis = axis_of(axis, x.ndim)
    mesh: list[Any] = [
        np.reshape(np.arange(n), (-1, *(1,) * (x.ndim - 1 - d))) for d, n in enumerate(x.shape)
    ]
    mesh[axis] = i
    return x, tuple(mesh)


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    mask = known(condition, "np.compress", "keep the shape: np.where(condition, a, 0)")
    if mask.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return np.take(a, np.flatnonzero(mask), axis, out)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    mask = known(condition, "np.extract", "keep the shape: np.where(condition, arr, 0)")
    return np.take(arr, np.flatnonzero(mask))


@implements(np.nonzero)
def nonzero(a: Any) -> tuple[Any, ...]:
    return np.nonzero(known(a, "np.nonzero", "keep the shape: np.where(condition, x, 0)"))


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    return np.flatnonzero(known(a, "np.flatnonzero", "keep the shape: np.where(condition, x, 0)"))


@implements(np.argwhere)
def argwhere(a: Any) -> Any:
    return np.argwhere(known(a, "np.argwhere", "keep the shape: np.where(condition, x, 0)"))


@implements(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    mesh = []
    for d, a in enumerate(args):
        i = operand(a)
        if len(shape_of(i)) != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if i.dtype.kind == "b":
            i = np.flatnonzero(i)
        i = i if i.dtype.kind in "fc" else integers(i)
        mesh.append(np.reshape(i, (*(1,) * d, -1, *(1,) * (len(args) - d - 1))))
    return tuple(mesh)
