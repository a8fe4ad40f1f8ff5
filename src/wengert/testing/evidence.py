"""Evidence on one slope: φ(t) is a function moved by t along a direction; how steep is it at 0?

No step is chosen by anybody. Differences of ever smaller steps are extrapolated, from the left, from
the right and from both sides, and each answer comes with an estimate of its own error. Where the
sides settle and disagree there is a kink. A claimed slope is also held against the remainder of
Taylor's theorem, |φ(t) - φ(0) - s t|, which falls like t² if s is right and like t if it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Phi = Callable[[float], float]

_ROWS, _COLUMNS = 44, 8
_RANGE = 2.0 ** -np.arange(4.0, 44.0, 2.0)  # steps at which remainders are looked at
_NOISE = 16  # units in the last place that a value of φ may be wrong by, at least
_NEAR = 2.0 ** -np.arange(20.0, 40.0, 4.0)  # steps so small that only noise moves high differences
_SAMPLES = 9


@dataclass(slots=True)
class Side:
    """A slope seen from one side (or from both), its error, and the step it was found at."""

    slope: float
    error: float
    step: float

    @property
    def settled(self) -> bool:
        """Is more known than its size?"""
        return self.error <= 1e-2 * abs(self.slope) or self.error < 1e-9


@dataclass(slots=True)
class Evidence:
    """What differences say of the slope of φ at 0.

    `noisy_below` is the step under which rounding rules; `kink_within` the distance within which
    the left and the right slope differ (None: they do not).
    """

    both: Side
    left: Side
    right: Side
    noisy_below: float
    kink_within: float | None


def gather(phi: Phi, scale: float, eps: float = 2.0**-52) -> Evidence:
    """All the evidence; `scale` is the length over which φ may be expected to change.

    >>> found = gather(lambda t: abs(t) + 2 * t, 1.0)
    >>> found.left.slope, found.right.slope, found.kink_within is not None
    (1.0, 3.0, True)
    >>> found = gather(np.exp, 1.0)
    >>> abs(found.both.slope - 1) < 1e-11, found.kink_within
    (True, None)
    """
    start, least = phi(0.0), noise_of(phi, scale)

    def noise(h: float) -> float:
        return max(_NOISE * eps * (abs(start) + abs(phi(h))), least)

    both = _extrapolated(lambda h: (phi(h) - phi(-h)) / (2 * h), noise, scale, 4.0)
    right = _extrapolated(lambda h: (phi(h) - start) / h, noise, scale, 2.0)
    left = _extrapolated(lambda h: (start - phi(-h)) / h, noise, scale, 2.0)
    size = max(_NOISE * eps * max(abs(start), abs(phi(both.step))), least, 1e-300)
    steep = max(abs(both.slope), 1e-300)
    noisy = min(scale, size / (1e-3 * steep))
    gap = abs(right.slope - left.slope)
    parted = left.settled and right.settled and gap > 8 * (left.error + right.error)
    parted = parted and gap > 1e-6 * (abs(left.slope) + abs(right.slope))
    return Evidence(
        both, left, right, noisy, _distance(phi, start, left, right, scale) if parted else None
    )


def noise_of(phi: Phi, scale: float) -> float:
    """By how much values of φ jump about, whatever the step (Hamming's difference table; Moré and Wild, 2011).

    High differences of a smooth function vanish at small steps, those of noise do not. One side of 0 will do:
    there may be a kink.
    """
    sides = []
    for sign in (1.0, -1.0):
        found = [_scatter([phi(sign * k * h) for k in range(_SAMPLES)]) for h in scale * _NEAR]
        sides.append(max(found))
    return 4 * min(sides)


def _scatter(values: list[float]) -> float:
    """The standard deviation of the noise in equidistant values; 0 where differences are none of noise."""
    row = np.array(values)
    if not np.all(np.isfinite(row)):
        return 0.0
    found, turns, factor = [], [], 1.0
    for k in range(1, _SAMPLES - 2):
        row = np.diff(row)
        factor *= k / (2.0 * (2 * k - 1))  # (k!)² / (2k)!
        found.append(float(np.sqrt(factor * np.mean(row**2))))
        turns.append(bool(np.min(row) < 0 < np.max(row)))
    for k in range(len(found) - 2):
        three = found[k : k + 3]
        if turns[k] and max(three) <= 4 * min(three):
            return found[k]
    return 0.0


def _extrapolated(
    difference: Callable[[float], float], noise_at: Callable[[float], float], scale: float, power: float
) -> Side:  # fmt: skip
    """Richardson's table with Ridders' choice: the entry whose neighbours agree best."""
    row: list[float] = []
    best = Side(float("nan"), float("inf"), scale)
    h = scale / 8
    with np.errstate(all="ignore"):
        for n in range(_ROWS):
            before, row = row, [float(difference(h))]
            noise = noise_at(h) / h
            for m, old in enumerate(before[: _COLUMNS - 1]):
                # central differences err by h², h⁴, …; those of one side by h, h², …
                ratio = power ** (m + 1)
                new = row[m] + (row[m] - old) / (ratio - 1)
                error = max(abs(new - row[m]), abs(new - old)) + noise
                if np.isfinite(new) and error < best.error:
                    best = Side(new, error, h)
                row.append(new)
            if n > 8 and noise > 1e2 * best.error:
                break
            h /= 2
    return best


def _distance(phi: Phi, start: float, left: Side, right: Side, scale: float) -> float:
    """The smallest step at which the two sides are still seen to differ."""
    gap = (right.slope - left.slope) / 2
    seen = scale
    for h in scale * _RANGE:
        bend = (phi(h) + phi(-h) - 2 * start) / (2 * h)
        if not abs(bend - gap) < 0.5 * abs(gap):
            break
        seen = float(h)
    return seen


def remainder_order(phi: Phi, slope: float, scale: float, eps: float = 2.0**-52) -> float | None:
    """The power with which |φ(t) - φ(0) - slope t| falls: 2 where the slope is right, 1 where not.

    None where the remainder is nothing but rounding (a linear function with its right slope).

    >>> round(remainder_order(np.exp, 1.0, 1.0)), round(remainder_order(np.exp, 1.01, 1.0))
    (2, 1)
    """
    start = phi(0.0)
    steps, left = [], []
    for h in scale * _RANGE:
        up, down = (phi(s * h) - start - slope * s * h for s in (1, -1))
        size = max(abs(up), abs(down))
        if not size > 64 * eps * (abs(start) + abs(slope * h)):
            break
        steps.append(np.log(h))
        left.append(np.log(size))
    if len(steps) < 3:
        return None
    steps, left = steps[-4:], left[-4:]  # the smallest steps that rounding spares
    return float(np.polyfit(steps, left, 1)[0])
