"""Hypergeometric functions in their argument: each slope is the neighbour with raised parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.borrowed import special, unknown

hyp0f1 = special(
    "hyp0f1",
    unknown("hyp0f1", "v"),
    lambda y, v, x: hyp0f1(v + 1, x) / v,
    holomorphic=True,
)
hyp1f1 = special(
    "hyp1f1",
    unknown("hyp1f1", "a"),
    unknown("hyp1f1", "b"),
    lambda y, a, b, x: _confluent_slope(y, a, b, x),
    holomorphic=True,
)
hyp2f1 = special(
    "hyp2f1",
    unknown("hyp2f1", "a"),
    unknown("hyp2f1", "b"),
    unknown("hyp2f1", "c"),
    lambda y, a, b, c, x: a * b / c * hyp2f1(a + 1, b + 1, c + 1, x),
    holomorphic=True,
)
hyperu = special(
    "hyperu",
    unknown("hyperu", "a"),
    unknown("hyperu", "b"),
    lambda y, a, b, x: -a * hyperu(a + 1, b + 1, x),
)


def _confluent_slope(y: Any, a: Any, b: Any, x: Any) -> Any:
    """A neighbour; SciPy looks for it at infinity without end, where it is known."""
    there = np.isfinite(x)
    slope = a / b * hyp1f1(a + 1, b + 1, np.where(there, x, 0))
    return np.where(there, slope, np.where(x > 0, y, 0))
