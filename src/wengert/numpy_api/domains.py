"""`np.emath`: functions that answer with complex numbers outside of their real domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, dtype_of, operand
from wengert.numpy_api.table import implements


def _complex(x: Any) -> Any:
    return cast(x, np.result_type(dtype_of(x), np.complex64))


def _below(x: Any) -> Any:
    """x, complex if one of its elements is negative."""
    x = operand(x)
    return _complex(x) if dtype_of(x).kind != "c" and bool(np.any(x < 0)) else x


def _beyond(x: Any) -> Any:
    """x, complex if one of its elements is further than 1 from 0."""
    x = operand(x)
    return _complex(x) if dtype_of(x).kind != "c" and bool(np.any(np.abs(x) > 1)) else x


def _of(domain: Callable[[Any], Any], ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda x: ufunc(domain(x))


for _name in ("sqrt", "log", "log2", "log10"):
    implements(getattr(np.emath, _name))(_of(_below, getattr(np, _name)))
for _name in ("arccos", "arcsin", "arctanh"):
    implements(getattr(np.emath, _name))(_of(_beyond, getattr(np, _name)))


@implements(np.emath.logn)
def logn(n: Any, x: Any) -> Any:
    return np.log(_below(x)) / np.log(_below(n))


@implements(np.emath.power)
def power(x: Any, p: Any) -> Any:
    base, exponent = _below(x), operand(p)
    if dtype_of(exponent).kind in "iu" and bool(np.any(exponent < 0)):
        exponent = exponent * 1.0
    return np.power(base, exponent)
