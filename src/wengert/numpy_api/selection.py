"""Choosing between values: where and its kin, clipping, replacing, and comparing up to a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy_api.promote import (
    cast,
    common_shape,
    dtype_of,
    given,
    inexact,
    operand,
    result_dtype,
    shape_of,
    spread,
    together,
)
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import arithmetic, bessel, compare, special
from wengert.trace.buffers import look
from wengert.trace.tracer import Tracer

_NONE = np._NoValue
_BOOL = np.dtype(bool)


@implements(np.where)
def where(condition: Any, x: Any = _NONE, y: Any = _NONE, /) -> Any:
    if x is _NONE and y is _NONE:
        return np.nonzero(condition)
    if x is _NONE or y is _NONE:
        raise ValueError("either both or neither of x and y should be given")
    c = truth(condition)
    known = x if type(x) is Tracer else y
    if type(known) is Tracer and not known.weak:  # the common cases, quickly
        t = known.node.type
        if t.inexact and shape_of(c) == t.shape:
            if known is y:
                if type(x) is int or type(x) is float:
                    return compare.select(c, t.dtype.type(x), y)
            elif type(y) is int or type(y) is float:
                return compare.select(c, x, t.dtype.type(y))
            elif type(y) is Tracer and y.node.type is t:
                return compare.select(c, x, y)
    x, y = operand(x), operand(y)
    dtype = result_dtype(x, y)
    c, x, y = together("where", [c, cast(x, dtype), cast(y, dtype)])
    return compare.select(c, x, y)


def truth(condition: Any) -> Any:
    """A condition as booleans: what is not zero is true."""
    c = operand(condition)
    return c if dtype_of(c) == _BOOL else np.not_equal(c, 0)


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    choices = [operand(v) for v in (*choicelist, default)]
    dtype = result_dtype(*choices)
    y = cast(choices.pop(), dtype)
    for condition, value in zip(reversed(list(condlist)), reversed(choices), strict=True):
        if dtype_of(operand(condition)) != _BOOL:
            raise TypeError("invalid entry in condlist: should be boolean ndarray")
        y = where(condition, cast(value, dtype), y)
    return y


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    x = operand(x)
    if not isinstance(condlist, list | tuple) or (
        len(condlist) and shape_of(x) and not shape_of(operand(condlist[0]))
    ):
        condlist = [condlist]
    conditions = [truth(c) for c in condlist]
    if len(funclist) == len(conditions) + 1:  # the last one is for everywhere else
        rest = conditions[0]
        for c in conditions[1:]:
            rest = rest | c
        conditions.append(np.logical_not(rest))
    elif len(funclist) != len(conditions):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    y: Any = np.zeros_like(x)
    with np.errstate(all="ignore"):  # each function meets elements that it is not asked for
        for c, f in zip(conditions, funclist, strict=True):
            value = f(x, *args, **kwargs) if isinstance(f, Callable) else f  # type: ignore[arg-type]
            y = where(c, cast(operand(value), dtype_of(x)), y)
    return y


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    at = operand(a)
    values = [operand(c) for c in choices]
    count = len(values)
    if mode == "wrap":
        at = at % count
    elif mode == "clip":
        at = np.clip(at, 0, count - 1)
    else:
        number = at.number() if isinstance(at, Tracer) else np.asarray(at)
        if number is not None and np.any((number < 0) | (number >= count)):
            raise ValueError("invalid entry in choice array")
    dtype = np.result_type(*map(dtype_of, values))
    shape = common_shape("choose", [shape_of(at), *map(shape_of, values)])
    y = spread(cast(values[-1], dtype), shape)
    for k in range(count - 2, -1, -1):
        y = where(np.equal(at, k), cast(values[k], dtype), y)
    return finish(y, out, True)


@implements(np.clip)
def clip(
    a: Any,
    a_min: Any = _NONE,
    a_max: Any = _NONE,
    out: Any = None,
    *,
    min: Any = _NONE,
    max: Any = _NONE,
    **rest: Any,
) -> Any:
    low = a_min if given(a_min) else min
    high = a_max if given(a_max) else max
    y = operand(a)
    if given(low):
        y = np.maximum(y, low)
    if given(high):
        y = np.minimum(y, high)
    return finish(y, out, rest.get("where", True))


@implements(np.nan_to_num)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    x = operand(x)
    if x.dtype.kind == "c":
        parts = (nan_to_num(p, True, nan, posinf, neginf) for p in (np.real(x), np.imag(x)))
        real, imag = parts
        y = real + 1j * imag
    elif x.dtype.kind == "f":
        limits = np.finfo(x.dtype)
        y = where(np.isnan(x), cast(nan, x.dtype), x)
        y = where(x == np.inf, cast(limits.max if posinf is None else posinf, x.dtype), y)
        y = where(x == -np.inf, cast(limits.min if neginf is None else neginf, x.dtype), y)
    else:
        return x
    if not copy and isinstance(x, Tracer):
        x[...] = y  # type: ignore[index]
        return x
    return y


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Any:
    return np.trunc(x) if out is None else np.trunc(x, out=out)


@implements(np.round, np.around)
def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    x = operand(a)
    if x.dtype.kind == "c":
        return finish(round(np.real(x), decimals) + 1j * round(np.imag(x), decimals), out, True)
    if x.dtype.kind in "biu":
        number = x.number() if isinstance(x, Tracer) else x
        return finish(np.round(number, decimals), out, True)
    if decimals == 0:
        y = np.rint(x)
    else:
        unit = cast(10.0 ** abs(decimals), x.dtype)
        y = np.rint(x * unit) / unit if decimals > 0 else np.rint(x / unit) * unit
    return finish(y, out, True)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    return special.sinc(inexact(operand(x)))


# ---- comparing: booleans, without derivative --------------------------------------------------------


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    a, b = operand(a), operand(b)
    with np.errstate(invalid="ignore"):
        near = np.less_equal(np.abs(a - b), atol + rtol * np.abs(b)) & np.isfinite(b) | np.equal(
            a, b
        )
    return near | (np.isnan(a) & np.isnan(b)) if equal_nan else near


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    return np.all(isclose(a, b, rtol, atol, equal_nan))


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    a, b = operand(a1), operand(a2)
    if shape_of(a) != shape_of(b):
        return False
    same = np.equal(a, b)
    return np.all(same | (np.isnan(a) & np.isnan(b)) if equal_nan else same)


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> Any:
    a, b = operand(a1), operand(a2)
    try:
        np.broadcast_shapes(shape_of(a), shape_of(b))
    except ValueError:
        return False
    return np.all(np.equal(a, b))


@implements(np.isposinf)
def isposinf(x: Any, out: Any = None) -> Any:
    return finish(np.equal(x, np.inf), out, True)


@implements(np.isneginf)
def isneginf(x: Any, out: Any = None) -> Any:
    return finish(np.equal(x, -np.inf), out, True)


# ---- complex parts -----------------------------------------------------------------------------------


@implements(np.real)
def real(val: Any) -> Any:
    z = operand(val)
    return look(arithmetic.real(z), z, arithmetic.real, {}) if dtype_of(z).kind == "c" else z


@implements(np.imag)
def imag(val: Any) -> Any:
    z = operand(val)
    if dtype_of(z).kind != "c":
        return np.zeros(shape_of(z), dtype_of(z))
    return look(arithmetic.imag(z), z, arithmetic.imag, {})


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    z = operand(z)
    y = np.arctan2(imag(z), real(z))
    return y * (180 / np.pi) if deg else y


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    z = operand(a)
    if dtype_of(z).kind != "c":
        return z
    limit = tol * np.finfo(dtype_of(z)).eps if tol > 1 else tol
    return real(z) if np.all(np.abs(imag(z)) < limit) else z


@implements(np.iscomplex)
def iscomplex(x: Any) -> Any:
    return np.not_equal(imag(x), 0)


@implements(np.isreal)
def isreal(x: Any) -> Any:
    return np.equal(imag(x), 0)


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return dtype_of(operand(x)).kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return not iscomplexobj(x)


@implements(np.i0)
def i0(x: Any) -> Any:
    x = operand(x)
    if dtype_of(x).kind == "c":
        raise TypeError("i0 not supported for complex values")
    return bessel.i0(x if dtype_of(x).kind == "f" else cast(x, np.dtype(np.float64)))
