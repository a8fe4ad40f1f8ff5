"""The law of balls: the enclosure of a primitive's result contains it, and is narrow."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.testing.sample import LawBroken, Sample
from wengert.trust.balls.evaluate import evaluate, has_rule
from wengert.trust.balls.number import MAYBE, precision

# by isolated eigenvalues: where some coincide, nothing is known
_BY_EIGENVALUES = frozenset(["logm", "logm_slope", "sqrtm", "sqrtm_slope"])


class BallMissesTheValue(LawBroken):
    """A ball rule and `eval` disagree, or the rule knows nothing inside of the domain."""


def ball_contains_the_value(s: Sample) -> None:
    """What `eval` computes lies within the ball, up to its own rounding."""
    if not has_rule(s.prim):
        return
    ys = s.values(*s.args)
    with precision(128):
        balls = evaluate(s.program, list(s.args))
    for y, b, t in zip(ys, balls, s.out_types, strict=True):
        if np.shape(b) != t.shape:
            raise s.breaks(BallMissesTheValue, f"shape {np.shape(b)}, typeof says {t!r}")
        numbers = np.ravel(np.asarray(y))
        enclosures = np.ravel(np.asarray(b, object))
        for number, enclosure in zip(numbers, enclosures, strict=True):
            _hold(s, number, enclosure, _allowed(s, numbers))


def _allowed(s: Sample, numbers: Any) -> float:
    """What rounding may do to the largest of these numbers."""
    if numbers.dtype.kind not in "fc":
        return 0.0
    narrow = [numbers.dtype, *(t.dtype for t in s.types if t.inexact)]
    eps = max(float(np.finfo(d).eps) for d in narrow)
    return 1e5 * eps * max(float(np.max(np.abs(numbers), initial=0)), 1e-3)


def _hold(s: Sample, number: Any, enclosure: Any, allowed: float) -> None:
    if enclosure is MAYBE or (hasattr(enclosure, "is_finite") and not enclosure.is_finite()):
        if s.prim.name in _BY_EIGENVALUES:
            return
        raise s.breaks(BallMissesTheValue, f"{enclosure} tells nothing of {number!r}")
    if not hasattr(enclosure, "is_finite"):
        if number != enclosure:
            raise s.breaks(BallMissesTheValue, f"{enclosure} for {number!r}")
        return
    off = abs(complex(enclosure) - complex(number))
    if not off <= allowed + float(enclosure.rad() if hasattr(enclosure, "rad") else 0):
        raise s.breaks(BallMissesTheValue, f"{enclosure} for {number!r}, off by {off:.3g}")
    if float(enclosure.rad()) > max(allowed, 1e-12):
        raise s.breaks(BallMissesTheValue, f"{enclosure} is too wide at 128 bits")
