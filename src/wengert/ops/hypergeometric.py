"""Hypergeometric functions in their argument: each slope is the neighbour with raised parameters."""

from __future__ import annotations

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
    lambda y, a, b, x: a / b * hyp1f1(a + 1, b + 1, x),
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
