"""Special functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ir.types import ArrayType
from wengert.ops.families import Elementwise


class Sinc(Elementwise):
    """`sinc(x) = sin(πx) / (πx)`, smooth at 0."""

    def __init__(self) -> None:
        super().__init__(np.sinc, _sinc_slope, name="sinc", lower=_sinc_value)  # type: ignore[arg-type]

    def typeof(self, *types: ArrayType) -> ArrayType:
        return types[0]

    def lower(self, k: Any, *args: Any) -> Any:
        return k.map(self.formula, *args, dtype=args[0].dtype)


def _sinc_value(s: Any, x: Any) -> Any:
    """As NumPy: sin(y) / y, where y is πx, or almost 0 at 0."""
    y = s.mul(s.select(s.eq(x, 0), 1.0e-20, x), math.pi)
    return s.div(s.sin(y), y)


# Σ (-1)ᵏ 2k t²ᵏ⁻² / (2k+1)! is sinc's slope over t near 0
_SERIES = [(-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 11)]


def _sinc_slope(y: Any, x: Any) -> Any:
    """(cos πx - sinc x) / x; near 0, where that cancels, by its series."""
    t = math.pi * x
    near = np.abs(t) < 1
    t2 = np.square(np.where(near, t, 0))
    series: Any = _SERIES[-1]
    for c in _SERIES[-2::-1]:
        series = series * t2 + c
    return np.where(near, math.pi * t * series, (np.cos(t) - y) / np.where(near, 1, x))


sinc = Sinc()
