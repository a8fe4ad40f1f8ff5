"""Reductions that leave nans out."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, given, operand
from wengert.numpy_api.reductions import extremes, mean, std, var
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish

_NONE = np._NoValue


def _present(x: Any) -> Any:
    return ~np.isnan(x)


def _without_nans(x: Any, instead: Any) -> Any:
    return np.where(np.isnan(x), cast(instead, x.dtype), x) if x.dtype.kind in "fc" else x


def _mask(x: Any, where: Any) -> Any:
    """Present, and inside `where`."""
    return _present(x) if where is True or not given(where) else _present(x) & where


@implements(np.nansum)
def nansum(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.sum(_without_nans(operand(a), 0), axis, *args, **kwargs)


@implements(np.nanprod)
def nanprod(a: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    return np.prod(_without_nans(operand(a), 1), axis, *args, **kwargs)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(_without_nans(operand(a), 0), axis, dtype, out)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(_without_nans(operand(a), 1), axis, dtype, out)


@implements(np.nanmean)
def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = _NONE,
    *,
    where: Any = _NONE,
) -> Any:
    x = operand(a)
    return mean(x, axis, dtype, out, keepdims, where=_mask(x, where))


@implements(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = _NONE,
    *,
    where: Any = _NONE,
    **rest: Any,
) -> Any:
    x = operand(a)
    return var(x, axis, dtype, out, ddof, keepdims, where=_mask(x, where), **rest)


@implements(np.nanstd)
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = _NONE,
    *,
    where: Any = _NONE,
    **rest: Any,
) -> Any:
    x = operand(a)
    return std(x, axis, dtype, out, ddof, keepdims, where=_mask(x, where), **rest)


def _nan_extremum(function: Any, which: int) -> Any:
    def rule(
        a: Any,
        axis: Any = None,
        out: Any = None,
        keepdims: Any = _NONE,
        initial: Any = _NONE,
        where: Any = _NONE,
    ) -> Any:
        x = operand(a)
        if x.dtype.kind not in "fc":
            return function(x, axis, out, keepdims, initial=initial, where=where)
        y = function(
            _without_nans(x, extremes(x.dtype)[which]),
            axis,
            None,
            keepdims,
            initial=initial,
            where=where,
        )
        if not given(initial):  # of nans alone: nan
            kept = bool(given(keepdims) and keepdims)
            y = np.where(np.all(np.isnan(x), axis=axis, keepdims=kept), cast(np.nan, x.dtype), y)
        return finish(y, out, True)

    return rule


implements(np.nanmax)(_nan_extremum(np.max, 0))
implements(np.nanmin)(_nan_extremum(np.min, 1))


def _nan_place(function: Any, which: int) -> Any:
    def rule(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = _NONE) -> Any:
        x = operand(a)
        return function(_without_nans(x, extremes(x.dtype)[which]), axis, out, keepdims=keepdims)

    return rule


implements(np.nanargmax)(_nan_place(np.argmax, 0))
implements(np.nanargmin)(_nan_place(np.argmin, 1))
