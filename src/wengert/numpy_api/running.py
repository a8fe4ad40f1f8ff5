"""Along an axis: running sums, products and extremes, differences, slopes and integrals."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.moving import part
from wengert.numpy_api.promote import (
    axes_of,
    axis_of,
    cast,
    dtype_of,
    inexact,
    operand,
    shape_of,
    spread,
)
from wengert.numpy_api.shaping import reshaped
from wengert.numpy_api.table import UFUNC_ACCUMULATIONS, implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import running

_NONE = np._NoValue


def _running(prim: Any, adds: bool) -> Any:
    def rule(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        x = operand(a)
        if dtype is not None:
            x = cast(x, np.dtype(dtype))
        elif adds and x.dtype.kind in "biu":
            x = cast(x, np.promote_types(x.dtype, np.uint if x.dtype.kind == "u" else np.int_))
        if axis is None:
            x, axis = reshaped(x, (x.size,)), 0
        y = prim(x, axis=axis_of(axis, x.ndim))
        return y if out is None else finish(y, out, True)

    return rule


cumsum = implements(np.cumsum)(_running(running.cumsum, True))
cumprod = implements(np.cumprod)(_running(running.cumprod, True))
UFUNC_ACCUMULATIONS[np.add] = cumsum
UFUNC_ACCUMULATIONS[np.multiply] = cumprod
UFUNC_ACCUMULATIONS[np.maximum] = _running(running.cummax, False)
UFUNC_ACCUMULATIONS[np.minimum] = _running(running.cummin, False)


def _cumulative(rule: Any, start: int) -> Any:
    def cumulative(
        x: Any,
        /,
        *,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        include_initial: bool = False,
    ) -> Any:
        x = operand(x)
        if axis is None:
            if x.ndim > 1:
                raise ValueError(
                    "For arrays which have more than one dimension ``axis`` argument is required."
                )
            x, axis = np.atleast_1d(x), 0
        y = rule(x, axis, dtype)
        if include_initial:
            d = axis_of(axis, x.ndim)
            y = np.concatenate(
                [np.full((*y.shape[:d], 1, *y.shape[d + 1 :]), start, y.dtype), y], d
            )
        return finish(y, out, True)

    return cumulative


if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    implements(np.cumulative_sum)(_cumulative(cumsum, 0))
    implements(np.cumulative_prod)(_cumulative(cumprod, 1))


# ---- differences ----------------------------------------------------------------------------------


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = _NONE, append: Any = _NONE) -> Any:
    x = operand(a)
    if n == 0:
        return x
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    d = axis_of(axis, x.ndim)
    if prepend is not _NONE or append is not _NONE:
        one = (*x.shape[:d], 1, *x.shape[d + 1 :])
        ends = [None if e is _NONE else operand(e) for e in (prepend, append)]
        first, last = ([] if e is None else [e if shape_of(e) else spread(e, one)] for e in ends)
        x = np.concatenate([*first, x, *last], d)
    for _ in range(n):
        length = x.shape[d]
        up, down = part(x, d, 1, None), part(x, d, 0, max(length - 1, 0))
        x = np.not_equal(up, down) if x.dtype == bool else up - down
    return x


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    x = np.ravel(operand(ary))
    y = diff(x)
    if to_begin is to_end is None:
        return y
    parts = (
        y if e is y else np.ravel(cast(operand(e), x.dtype))
        for e in (to_begin, y, to_end)
        if e is not None
    )
    return np.concatenate(list(parts))


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    y = operand(f)
    axes = (
        axes_of(axis, y.ndim)
        if axis is None or not isinstance(axis, tuple)
        else tuple(axis_of(d, y.ndim) for d in axis)
    )
    if not varargs:
        spacings: list[Any] = [1.0] * len(axes)
    elif len(varargs) == 1 and np.ndim(operand(varargs[0])) == 0:
        spacings = [operand(varargs[0])] * len(axes)
    elif len(varargs) == len(axes):
        spacings = [operand(v) for v in varargs]
    else:
        raise TypeError("invalid number of arguments")
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    y = inexact(y)
    found = tuple(_slope(y, h, d, edge_order) for h, d in zip(spacings, axes, strict=True))
    return found[0] if len(axes) == 1 else found


def _slope(y: Any, spacing: Any, axis: int, order: int) -> Any:
    """Second-order differences inside, one-sided ones at the ends."""
    n = y.shape[axis]
    if n < order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are required."
        )

    def at(k: int) -> Any:
        return part(y, axis, k, k + 1)

    def near(k: int) -> Any:
        return part(y, axis, k, n - 2 + k)

    if np.ndim(spacing) == 0:
        h: Any = spacing
        inside = (near(2) - near(0)) / (2.0 * h)
        if order == 1:
            first, last = (at(1) - at(0)) / h, (at(n - 1) - at(n - 2)) / h
        else:
            first = (-1.5 / h) * at(0) + (2.0 / h) * at(1) + (-0.5 / h) * at(2)
            last = (0.5 / h) * at(n - 3) + (-2.0 / h) * at(n - 2) + (1.5 / h) * at(n - 1)
        return np.concatenate([first, inside, last], axis)
    if shape_of(spacing) != (n,):
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    steps = np.reshape(diff(spacing), tuple(-1 if d == axis else 1 for d in range(y.ndim)))

    def step(k: int) -> Any:
        return steps[(*(slice(None),) * axis, slice(k, k + 1))]

    one, two = (steps[(*(slice(None),) * axis, slice(k, n - 2 + k))] for k in (0, 1))
    inside = (
        -two / (one * (one + two)) * near(0)
        + (two - one) / (one * two) * near(1)
        + one / (two * (one + two)) * near(2)
    )
    if order == 1:
        first, last = (at(1) - at(0)) / step(0), (at(n - 1) - at(n - 2)) / step(n - 2)
    else:
        h0, h1 = step(0), step(1)
        first = (
            -(2 * h0 + h1) / (h0 * (h0 + h1)) * at(0)
            + (h0 + h1) / (h0 * h1) * at(1)
            - h0 / (h1 * (h0 + h1)) * at(2)
        )
        h0, h1 = step(n - 3), step(n - 2)
        last = (
            h1 / (h0 * (h0 + h1)) * at(n - 3)
            - (h1 + h0) / (h0 * h1) * at(n - 2)
            + (2 * h1 + h0) / (h1 * (h0 + h1)) * at(n - 1)
        )
    return np.concatenate([first, inside, last], axis)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    f = operand(y)
    d = axis_of(axis, f.ndim)
    n = f.shape[d]
    if x is None:
        width: Any = operand(dx)
    else:
        x = operand(x)
        width = diff(x, axis=0 if np.ndim(x) == 1 else axis)
        if np.ndim(x) == 1:
            width = np.reshape(width, tuple(-1 if k == d else 1 for k in range(f.ndim)))
    middle = part(f, d, 1, None) + part(f, d, 0, max(n - 1, 0))
    return np.sum(width * middle / 2.0, axis=d)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    x = operand(p)
    d = axis_of(axis, x.ndim)
    step = diff(x, axis=d)
    whole = dtype_of(x).kind in "iu" and dtype_of(operand(period)).kind in "iu"
    if whole:
        low, rest = divmod(period, 2)
        low = -low
        ambiguous = rest == 0
    else:
        low, ambiguous = -(period / 2), True
    turned = np.remainder(step - low, period) + low
    if ambiguous:  # a step of exactly half a period keeps its direction
        turned = np.where(np.equal(turned, low) & (step > 0), -low, turned)
    limit = period / 2 if discont is None else discont
    fix = np.where(np.abs(step) < limit, 0, turned - step)
    first = part(x, d, 0, 1)
    return np.concatenate([first, part(x, d, 1, None) + cumsum(fix, d)], d)
