"""Trigonometric functions, their inverses, and the length and angle of a pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ops.families import Elementwise, along

_DEGREE = math.pi / 180


def below_one(x: Any) -> Any:
    """1 - x; of a complex x the zero of its imaginary part keeps the sign that says at which side of a cut it lies."""
    return np.negative(x - 1) if np.iscomplexobj(x) else 1 - x


def above_minus_one(x: Any) -> Any:
    """1 + x, likewise: 1 is complex too, and 0 + (-0) is 0."""
    return x - (-1) if np.iscomplexobj(x) else 1 + x


sin = Elementwise(np.sin, lambda y, x: np.cos(x))
cos = Elementwise(np.cos, lambda y, x: -np.sin(x))
tan = Elementwise(np.tan, lambda y, x: 1 + y * y)
arcsin = Elementwise(
    np.arcsin, lambda y, x: 1 / (np.sqrt(below_one(x)) * np.sqrt(above_minus_one(x))), lower="asin"
)
arccos = Elementwise(
    np.arccos, lambda y, x: -1 / (np.sqrt(below_one(x)) * np.sqrt(above_minus_one(x))), lower="acos"
)
arctan = Elementwise(np.arctan, lambda y, x: 1 / (1 + x * x), lower="atan")
deg2rad = Elementwise(
    np.deg2rad, along(lambda g, y, x: g * _DEGREE), lower=lambda s, x: s.mul(x, _DEGREE)
)
rad2deg = Elementwise(
    np.rad2deg, along(lambda g, y, x: g / _DEGREE), lower=lambda s, x: s.mul(x, 1 / _DEGREE)
)
radians = Elementwise(
    np.radians, along(lambda g, y, x: g * _DEGREE), lower=lambda s, x: s.mul(x, _DEGREE)
)
degrees = Elementwise(
    np.degrees, along(lambda g, y, x: g / _DEGREE), lower=lambda s, x: s.mul(x, 1 / _DEGREE)
)
# at the origin, by symmetry, 0; elsewhere x/z is at most 1 and never overflows
hypot = Elementwise(
    np.hypot,
    lambda z, x, y: x / np.where(z == 0, 1, z),
    lambda z, x, y: y / np.where(z == 0, 1, z),
)
arctan2 = Elementwise(
    np.arctan2,
    lambda z, y, x: _across(x, np.hypot(x, y)),
    lambda z, y, x: -_across(y, np.hypot(x, y)),
    lower="atan2",
)


def _across(x: Any, h: Any) -> Any:
    """x / h², without squaring h; 0 at the origin."""
    safe = np.where(h == 0, 1, h)
    return x / safe / safe
