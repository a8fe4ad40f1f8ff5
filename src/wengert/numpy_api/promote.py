"""Promotion and broadcasting: from lenient NumPy arguments to strict program arguments.

NEP 50: a Python scalar is weak, it takes the other side's dtype; so is a tracer made from one.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import InputError, ShapeError
from wengert.ir import source
from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import convert
from wengert.ops.shape import broadcast, reshape
from wengert.trace.tracer import Tracer

_PYTHON = {"f": float, "c": complex, "i": int}
_WEAK = (int, float, complex)
_SCALARS, _ARRAYS = (np.generic, int, float, complex), (np.ndarray, np.generic)
_loops: dict[Any, tuple[np.dtype[Any], ...]] = {}


def operand(x: Any) -> Any:
    """A tracer, an array or a scalar as it is; lists and tuples become arrays."""
    cls = type(x)
    if cls is Tracer or cls is np.ndarray or cls is float or isinstance(x, _SCALARS):
        return x
    if isinstance(x, np.ma.MaskedArray):
        raise InputError(
            "a masked array meets a traced value",
            "fill it first: x.filled(0), or use np.where",
            source.here(),
        )
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, list | tuple):
        from wengert.numpy_api.creation import array

        return array(x)
    if isinstance(x, np.poly1d):
        coefficients: Any = x.coeffs
        return coefficients
    if hasattr(x, "__wengert__"):  # a variable or constant of a tape
        return x.__wengert__()
    if hasattr(x, "__array__"):
        return np.asarray(x)
    raise InputError(
        f"{type(x).__name__} meets a traced value", "pass numbers or NumPy arrays", source.here()
    )


def kind(x: Any) -> Any:
    """What promotion sees: a dtype, or the Python type of a weak scalar."""
    if type(x) is Tracer:
        dtype = x.node.type.dtype
        return _PYTHON.get(dtype.kind, dtype) if x.weak else dtype
    if isinstance(x, _ARRAYS):
        return x.dtype
    if isinstance(x, bool):
        return np.dtype(bool)
    return next(t for t in _WEAK if isinstance(x, t))


def is_weak(x: Any) -> bool:
    """Does `x` come from a Python scalar alone?"""
    if type(x) is Tracer:
        weak: bool = x.weak
        return weak
    return isinstance(x, _WEAK) and not isinstance(x, np.generic)


def loop_dtypes(ufunc: np.ufunc, kinds: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
    """Dtypes that NumPy would compute in, and return."""
    key = ufunc, kinds
    found = _loops.get(key)
    if found is None:
        concrete = kinds
        if all(isinstance(k, type) for k in kinds):  # scalars alone: NumPy's defaults
            concrete = tuple(np.dtype(np.int64 if k is int else k) for k in kinds)
        found = ufunc.resolve_dtypes((*concrete, *([None] * ufunc.nout)))
        if len(_loops) > 10_000:
            _loops.clear()
        _loops[key] = found
    return found


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in another dtype; Python scalars become typed constants."""
    if type(x) is Tracer:
        return x if x.node.type.dtype == dtype else convert(x, dtype=dtype)
    if isinstance(x, _ARRAYS):
        return x if x.dtype == dtype else x.astype(dtype)
    return dtype.type(x)


def result_dtype(*xs: Any) -> np.dtype[Any]:
    """NumPy's common dtype of tracers, arrays and Python scalars."""
    args = []
    for x in xs:
        k = kind(x)
        args.append(k(0) if isinstance(k, type) else k)
    return np.result_type(*args)


def shape_of(x: Any) -> tuple[int, ...]:
    """Shape of a tracer, array or scalar."""
    if type(x) is Tracer:
        shape: tuple[int, ...] = x.node.type.shape
        return shape
    return np.shape(x)


def common_shape(what: str, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """NumPy's broadcast shape, or an error at the user's line."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(str(s) for s in shapes)
        raise ShapeError(
            f"{what}: shapes {listed} do not broadcast together",
            "reshape one of them, e.g. with x[:, None]",
            source.here(),
        ) from None


_aligned: dict[Any, Any] = {}


def aligned(
    what: str, x: Any, y: Any, mine: tuple[int, ...], other: tuple[int, ...]
) -> tuple[Any, Any]:
    """Two operands of one dtype but different shapes, broadcast together (quick: plans are kept)."""
    plan = _aligned.get((mine, other))
    if plan is None:
        shape = common_shape(what, [mine, other])
        plan = tuple(
            None
            if s == shape
            else {"shape": shape, "dims": tuple(range(len(shape) - len(s), len(shape)))}
            for s in (mine, other)
        )
        if len(_aligned) > 10_000:
            _aligned.clear()
        _aligned[mine, other] = plan
    left, right = plan
    if left is not None:
        x = _broadcast_beside(x, y, left)
    if right is not None:
        y = _broadcast_beside(y, x, right)
    return x, y


def _broadcast_beside(x: Any, like: Any, params: Any) -> Any:
    if type(x) is Tracer:
        return x.builder.record(broadcast, (x,), params)
    if x.ndim == 0:
        return x[()]  # a scalar constant fits any shape
    if not like.builder.saving:
        return like.builder.record(broadcast, (x,), params)
    return broadcast.eval(x, **params)


def spread(x: Any, shape: tuple[int, ...], like: Tracer | None = None) -> Any:
    """`x` broadcast to `shape` by NumPy's rule (aligned at the last axis)."""
    mine = shape_of(x)
    if mine == shape:
        return x
    if not isinstance(x, (Tracer, np.ndarray, np.generic)):
        x = np.asarray(x)[()]
    params = {"shape": shape, "dims": tuple(range(len(shape) - len(mine), len(shape)))}
    if type(x) is not Tracer and like is not None and not like.builder.saving:
        return like.builder.record(broadcast, (np.asarray(x) if mine else x,), params)
    return broadcast(x, **params)


def together(what: str, xs: list[Any]) -> list[Any]:
    """Arguments of one shape; scalar constants stay, they fit any."""
    shapes = [shape_of(x) for x in xs]
    if all(s == shapes[0] for s in shapes):
        return xs
    shape = common_shape(what, shapes)
    like = next((x for x in xs if type(x) is Tracer), None)
    return [
        x if type(x) is not Tracer and s == () else spread(x, shape, like)
        for x, s in zip(xs, shapes, strict=True)
    ]


_axes: dict[Any, tuple[int, ...]] = {}


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Non-negative ascending axes; None means all."""
    try:
        return _axes[axis, ndim]
    except (KeyError, TypeError):
        pass
    if axis is None:
        return tuple(range(ndim))
    found = tuple(map(operator.index, axis if isinstance(axis, tuple | list) else (axis,)))
    for a in found:
        if not -ndim <= a < ndim:
            raise np.exceptions.AxisError(a, ndim)
    out = tuple(sorted(a % ndim for a in found))
    if len(set(out)) != len(out):
        raise ValueError("duplicate value in 'axis'")
    if not isinstance(axis, list) and len(_axes) < 10_000:
        _axes[axis, ndim] = out
    return out


def axis_of(axis: Any, ndim: int) -> int:
    """One non-negative axis."""
    if type(axis) is int and -ndim <= axis < ndim:
        return axis % ndim
    return axes_of(operator.index(axis), ndim)[0]


def given(value: Any) -> bool:
    """Did the caller say something for this optional argument?"""
    return value is not None and value is not np._NoValue


def dtype_of(x: Any) -> np.dtype[Any]:
    """The dtype that NumPy would give `x` as an array of its own (a Python float is float64)."""
    if type(x) is Tracer:
        dtype: np.dtype[Any] = x.node.type.dtype
        return dtype
    return x.dtype if isinstance(x, _ARRAYS) else np.asarray(x).dtype


def inexact(x: Any) -> Any:
    """`x` as floating-point numbers: integers and booleans become float64."""
    return x if dtype_of(x).kind in "fc" else cast(x, np.dtype(np.float64))


def again(x: Any) -> Any:
    """Another array with the same value (a write into one is not seen in the other)."""
    if type(x) is not Tracer:
        return np.array(x)
    y = x.snapshot()
    if x.order is not None:
        y.order = x.order
    return y


def with_kept(y: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: Any) -> Any:
    """Put reduced axes back with extent 1 if `keepdims`."""
    if keepdims is True or (keepdims is not np._NoValue and keepdims):
        return reshape(y, shape=tuple(1 if d in axes else n for d, n in enumerate(shape)))
    return y


def type_like(x: Any) -> ArrayType:
    """Type of a tracer, array or scalar."""
    from wengert.ir.types import type_of

    return type_of(x)
