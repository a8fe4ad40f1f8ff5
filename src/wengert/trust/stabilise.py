"""stabilise: rewrites tried one after the other, and kept where balls say that they save digits.

What counts is the value and the derivative together, at every point that was asked for: a rewrite
that improves the one and ruins the other is not kept, nor one that helps here and hurts there. The
truth is computed once, by balls, of the program as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import ArrayType
from wengert.rewrites.stabilise import Site, rewritten, sites
from wengert.transforms.vjp import vjp
from wengert.trust.balls.evaluate import evaluate as on_balls
from wengert.trust.balls.evaluate import has_rule
from wengert.trust.balls.number import precision

_LADDER = (96, 256, 1024, 4096)
_GAIN = 2.0  # bits that a rewrite must win somewhere
_LOSS = 5.0  # bits that it may lose, anywhere
_WORTH = 3.0  # and it must win so many times what it loses
_MOST = 40  # rewrites of one program


@dataclass(slots=True)
class Change:
    """One rewrite that was kept: where, what, and the bits right before and after, at the worst point."""

    place: str
    text: str
    says: str
    before: float
    after: float

    def __str__(self) -> str:
        place = f"{self.place}  {self.text}\n    " if self.place else ""
        return f"{place}{self.says}   ({self.before:.0f} → {self.after:.0f} bits)"


class Measure:
    """Bits right of the values and derivatives of programs that mean the same, at some points."""

    def __init__(
        self, program: Program, moving: Sequence[bool], points: Sequence[Sequence[Any]]
    ) -> None:
        self.moving, self.points = tuple(moving), points
        self.seeds = [_seed(t) for t in program.out_types if t.inexact]
        both = vjp(program, self.moving)
        self.known = all(has_rule(e.prim) for e in both.eqns)
        self.truths = [self._truth(both, p) for p in points] if self.known else []

    def _truth(self, both: Program, point: Sequence[Any]) -> list[Any]:
        """Results at a point to the last bit; an element that balls cannot pin is nan, and not counted."""
        args = [*point, *self.seeds]
        found: list[Any] = []
        for bits in _LADDER:
            with precision(bits):
                found = [
                    _pinned(y, a.type)
                    for y, a in zip(on_balls(both, args), both.outputs, strict=True)
                ]
            if all(not np.isnan(t).any() for t in found):
                break
        return found

    def bits(self, program: Program) -> Any:
        """Bits right, per point and number; nan where the truth is not known."""
        both = vjp(program, self.moving)
        rows = []
        with np.errstate(all="ignore"):
            for point, truth in zip(self.points, self.truths, strict=True):
                found = evaluate(both, [*point, *self.seeds])
                rows.append(
                    np.concatenate(
                        [_bits(y, t, a.type) for y, t, a in zip(found, truth, both.outputs, strict=True)]
                    )
                )  # fmt: skip
        return np.stack(rows) if rows else np.zeros((0, 0))


def stabilised(
    program: Program, moving: Sequence[bool], points: Sequence[Sequence[Any]]
) -> tuple[Program, list[Change]]:
    """The program with every rewrite that helps at `points` and hurts at none; and what was done.

    Unchanged where a primitive has no balls, or nothing helps.
    """
    if next(sites(program), None) is None:
        return program, []
    measure = Measure(program, moving, points)
    if not measure.known:
        return program, []
    changes: list[Change] = []
    now, most = measure.bits(program), _best(program)
    for _ in range(_MOST):
        if np.all((now > most - _GAIN) | np.isnan(now)):
            break
        best: Any = None
        for site in sites(program):
            candidate = rewritten(program, site)
            if candidate is None or candidate == program:
                continue
            then = measure.bits(candidate)
            gain = then - now
            # (numbers that had lost bits before are noisy: a few more or less mean nothing there)
            loss = np.nanmax(-gain - (most - now) / 4, initial=0)
            if np.nanmax(gain, initial=0) < max(_GAIN, _WORTH * loss) or loss > _LOSS:
                continue
            score = float(np.nansum(gain))
            if best is None or score > best[0]:
                best = score, site, candidate, then
        if best is None:
            break
        _, site, candidate, then = best
        changes.append(_change(program, site, now, then))
        program, now = candidate, then
    return program, changes


def _change(program: Program, site: Site, now: Any, then: Any) -> Change:
    holder = program
    for k, name in site.path:
        holder = holder.eqns[k].params[name]
    line = holder.line(holder.eqns[site.position])
    worst = np.unravel_index(np.nanargmax(then - now), now.shape)
    return Change(
        "" if line is None else str(line),
        "" if line is None else line.text,
        site.says,
        float(now[worst]),
        float(then[worst]),
    )


def _best(program: Program) -> float:
    """Bits of the coarsest result."""
    return min((_digits(t.dtype) for t in program.out_types if t.inexact), default=53.0)


def _digits(dtype: Any) -> float:
    return float(np.finfo(dtype).nmant) + 1


def _seed(t: Any) -> Any:
    """Weights of the results: uneven, so that errors of several do not cancel."""
    if t.shape == ():
        return t.dtype.type(1)
    return (1 + 0.1 * ((np.arange(t.size) * 7919) % 13)).reshape(t.shape).astype(t.dtype)


def _pinned(value: Any, t: Any) -> Any:
    """Midpoints of balls known to more than float64's digits; nan elsewhere. Flat."""
    if not isinstance(t, ArrayType) or not t.inexact:
        return np.zeros(0)
    flat = [value] if t.shape == () else list(np.asarray(value, object).ravel())
    number = complex if t.dtype.kind == "c" else float
    return np.array([number(x.mid()) if _sharp(x) else np.nan for x in flat])


def _sharp(x: Any) -> bool:
    return hasattr(x, "rel_accuracy_bits") and bool(
        x.is_finite() and (x.rel_accuracy_bits() > 60 or x == 0)
    )


def _bits(found: Any, truth: Any, t: Any) -> Any:
    if truth.size == 0:
        return np.zeros(0)
    found = np.ravel(found).astype(truth.dtype)
    most = _digits(t.dtype)
    info = np.finfo(t.dtype)
    # what the format cannot hold: the truth as it would be written in it
    held = np.where(np.abs(truth) > info.max, np.inf * np.sign(np.real(truth)), truth)
    tiny = float(info.tiny)
    off = np.where(found == held, 0.0, np.abs(found - truth) / np.maximum(np.abs(truth), tiny))
    off = np.where(np.isfinite(off), off, 2.0**most)
    right = np.clip(-np.log2(np.maximum(off, 2.0**-most)), 0.0, most) + 0.0
    return np.where(np.isnan(truth), np.nan, right)
