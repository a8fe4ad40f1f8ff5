"""Radii: half-widths of balls around numbers, and the few things that all bounds are made of.

A radius of None is zero: the number is exact. Radii of booleans are booleans (may it be the other
one?). All is plain NumPy, works on tracers, and never branches on numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

Radius = Any  # an array of the result's shape, or None: exact

ROOM = 1 + 2.0**-20  # radii are rounded too: so much room covers it


@lru_cache(maxsize=64)
def unit(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Half an ulp of 1, with room for the rounding of radii; and what an underflow may lose."""
    info = np.finfo(dtype)
    one = info.dtype.type
    return one(info.eps / 2) * one(ROOM), one(info.smallest_subnormal) * one(4)


def lost(y: Any, units: float = 1.0, underflows: bool = True) -> Any:
    """What rounding alone may cost a result that is right to `units` half ulps."""
    u, eta = unit(y.dtype)
    own = np.abs(y) * (u * u.dtype.type(units))
    return own + eta if underflows else own


def plus(*radii: Radius) -> Radius:
    """The sum of radii, of which some are None."""
    total = None
    for r in radii:
        if r is not None:
            total = r if total is None else total + r
    return total


def larger(a: Radius, b: Radius) -> Radius:
    """The larger of two radii."""
    return b if a is None else a if b is None else np.maximum(a, b)


def real_of(x: Any) -> Any:
    """The dtype of x's radii."""
    kind, char = x.dtype.kind, x.dtype.char
    return np.dtype({"F": "f", "D": "d", "G": "g"}[char]) if kind == "c" else (
        x.dtype if kind in "fb" else np.dtype(float)
    )  # fmt: skip


def dense(xs: tuple[Any, ...], rs: tuple[Radius, ...]) -> list[Any]:
    """Radii with zeros where there are none."""
    return [
        np.zeros_like(x, dtype=real_of(x)) if r is None else r for x, r in zip(xs, rs, strict=True)
    ]


def touches(x: Any, r: Radius) -> Any:
    """May x be zero? (It is not in doubt where it is exact; a radius of nan is any.)"""
    return ~(np.abs(x) > r) & (r != 0)


def product(x: Any, y: Any, r: Radius, s: Radius) -> Radius:
    """|xy - x'y'|."""
    if r is None:
        return None if s is None else np.abs(x) * s
    if s is None:
        return np.abs(y) * r
    return np.abs(x) * s + (np.abs(y) + s) * r


def scaled(g: Any, slope: Any, r: Radius, s: Radius, own: Any) -> Radius:
    """A product, with its `own` rounding, in which an exact zero of `g` stops everything."""
    reach = np.abs(g) if r is None else np.abs(g) + r
    moved = plus(None if r is None else np.abs(slope) * r, None if s is None else reach * s, own)
    return np.where(reach == 0, 0, moved)


def growth(r: Any) -> Any:
    """eʳ - 1 from above, for r < 1."""
    return r * (1 + r)
