"""`numpy.polynomial` on traced values: NumPy's own Python code runs, and finds arrays that may be traced.

Its modules are written in Python over a handful of NumPy's functions. They are given a NumPy in
which those that make arrays take traced values too, and `np.ndarray` counts them among the arrays;
on plain numbers it is the same NumPy, so the digits are NumPy's own.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.numpy_api import lists
from wengert.numpy_api.creation import array as traced_array
from wengert.numpy_api.table import FUNCTIONS
from wengert.trace.idle import idle
from wengert.trace.trace import tracing
from wengert.trace.tracer import Tracer


def _traced(x: Any) -> bool:
    return type(x) is Tracer or hasattr(x, "__wengert__") or lists.holds_traced(x)


def _array(
    values: Any, dtype: Any = None, *, ndmin: int = 0, copy: Any = True, **options: Any
) -> Any:
    """`np.array`."""
    if not _traced(values):
        made = np.array(values, dtype, ndmin=ndmin, copy=copy, **options)
        return idle(made) if tracing() and made is not values else made
    made = traced_array(values, dtype)
    if made is values and copy:
        made = np.copy(made)
    return np.reshape(made, (1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def _as_array(values: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asarray`."""
    if (
        getattr(values, "__array_ufunc__", values) is None
    ):  # a polynomial, as the argument of another
        return values
    return (
        traced_array(values, dtype) if _traced(values) else np.asanyarray(values, dtype, **options)
    )


def _made(function: Callable[..., Any]) -> Callable[..., Any]:
    """A new array, into which traced values may be written."""

    def make(*args: Any, **kwargs: Any) -> Any:
        made = function(*map(lists.joined, args), **kwargs)
        return idle(made) if tracing() else made

    return make


class _Arrays(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, np.ndarray) or (type(x) is Tracer and (x.ndim > 0 or x.boxed))


class _Array(metaclass=_Arrays):
    """`np.ndarray` as the question whether something is an array."""


def _numpy() -> ModuleType:
    made = ModuleType(np.__name__)
    vars(made).update(vars(np))
    vars(made).update(
        array=_array, asarray=_as_array, asanyarray=_as_array, ndarray=_Array,
        **{name: _made(getattr(np, name)) for name in ("empty", "zeros", "ones", "linspace")},
        **{name: ours for name, (_, ours) in lists.functions(np).items() if name in ("atleast_1d", "hstack")},
    )  # fmt: skip
    return made


_MODULES = ("_polybase", "polyutils", "polynomial", "chebyshev", "legendre", "hermite", "hermite_e", "laguerre")  # fmt: skip


def install(package: ModuleType) -> None:
    """Furnish `numpy.polynomial`."""
    ours = _numpy()
    for name in _MODULES:
        module = importlib.import_module(f"{package.__name__}.{name}")
        vars(module)["np"] = ours
        for f in vars(module).values():
            if hasattr(f, "_implementation"):  # NumPy asks arrays before it runs them
                FUNCTIONS[f] = f._implementation


# `np.poly1d([a, b])`: its code stands in a module that is there from the beginning
vars(importlib.import_module("numpy.lib._polynomial_impl"))["atleast_1d"] = lists.gatherer(np.atleast_1d, "atleast_1d")  # fmt: skip

if (_loaded := sys.modules.get("numpy.polynomial")) is not None:
    install(_loaded)
