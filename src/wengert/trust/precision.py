"""How many digits does each line keep in float16, float32 and float64, and which lines need the most?

A program and its derivative are computed in each precision, equation by equation, and held against
balls. Then, for a wanted number of digits, lines are lowered one after the other, those that lose
least first, as long as the results keep what is wanted: what is left must stay float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.ir.program import Program
from wengert.ir.source import Line
from wengert.ir.types import ArrayType
from wengert.trust.balls import evaluate as balls
from wengert.trust.balls.number import precision
from wengert.trust.recast import recast, uniform, values

FORMATS = (np.float16, np.float32, np.float64)
ARGUMENTS = "the arguments"
_MOST = 17.0  # digits; more than that no format here can tell
_LADDER = (64, 192, 768)


@dataclass(slots=True)
class LineDigits:
    """Decimal digits that a line keeps: of its values and of its part of the derivative, per format.

    None where the line has no such part.
    """

    place: str
    text: str
    value: tuple[float | None, ...]
    derivative: tuple[float | None, ...]


@dataclass(slots=True)
class Digits:
    """Digits of a call per line, of its results, and what must stay float64 for `wanted` digits.

    `keep` is None where `wanted` was not asked for, or cannot be had in float64 either.
    """

    name: str
    lines: list[LineDigits]
    value: tuple[float, ...]
    derivative: tuple[float, ...]
    wanted: float | None
    keep: list[str] | None


def digits(found: Any, truth: Any) -> float:
    """Decimal digits that the worst element of `found` shares with the truth (0 to 17).

    An element whose truth is 0 is held against the largest one.

    >>> digits(np.array([1.001, 2.0]), np.array([1.0, 2.0])) // 1
    3.0
    """
    found, truth = np.atleast_1d(found), np.atleast_1d(truth)
    if found.size == 0 or found.dtype.kind not in "fc":
        return _MOST if np.array_equal(found, truth) else 0.0
    with np.errstate(all="ignore"):
        wide = np.complex128 if truth.dtype.kind == "c" else np.float64
        found, truth = found.astype(wide), truth.astype(wide)
        size = np.abs(truth)
        size = np.where(size == 0, np.max(size), size)
        off = np.where(found == truth, 0.0, np.abs(found - truth) / np.where(size == 0, 1.0, size))
        worst = float(np.max(np.where(np.isnan(off), np.inf, off)))
    return _MOST if worst == 0 else float(np.clip(-np.log10(worst), 0.0, _MOST)) + 0.0


def measure(
    program: Program, args: Sequence[Any], count: int, name: str, wanted: float | None = None
) -> Digits:
    """`program` gives `count` values, then derivatives; `args` are its arguments in float64.

    Raises InputError where a primitive has no balls.
    """
    truths, ends = _truths(program, args)
    of_value = _leads_to(program, program.outputs[:count])
    places = _places(program)
    lines = list(dict.fromkeys(places))
    found: dict[Any, Any] = {}
    results = []
    for to in FORMATS:
        seen, outs = values(recast(program, uniform(to), inputs=to), args)
        results.append(outs)
        for n, (outs_n, truth) in enumerate(zip(seen, truths, strict=True)):
            for y, t in zip(outs_n, truth, strict=True):
                if t is not None:
                    found.setdefault((places[n], of_value[n], to), []).append(digits(y, t))

    def worst(line: Line | None, value: bool) -> tuple[float | None, ...]:
        kept = [found.get((line, value, to)) for to in FORMATS]
        return tuple(None if k is None else min(k) for k in kept)

    table = [
        LineDigits(str(line), line.text, worst(line, True), worst(line, False))
        for line in lines
        if line is not None
    ]
    return Digits(
        name,
        table,
        tuple(_least(r[:count], ends[:count]) for r in results),
        tuple(_least(r[count:], ends[count:]) for r in results),
        wanted,
        None if wanted is None else _needs(program, args, places, ends, wanted),
    )


def _needs(
    program: Program, args: Sequence[Any], places: list[Any], ends: list[Any], wanted: float
) -> list[str] | None:
    """The lines that must stay float64; None if float64 everywhere does not suffice."""
    of = {id(e): line for e, line in zip(program.eqns, places, strict=True)}

    def kept(low: set[Any]) -> float:
        lower = lambda e: np.float32 if of[id(e)] in low else np.float64
        _, outs = values(recast(program, lower, np.float32 if ARGUMENTS in low else None), args)
        return _least(outs, ends)

    everything = [ARGUMENTS, *dict.fromkeys(places)]
    if kept(set()) < wanted:
        return None
    if kept(set(everything)) >= wanted:
        return []
    alone = {line: kept({line}) for line in everything}
    low: set[Any] = set()
    for line in sorted(everything, key=lambda line: -alone[line]):
        if alone[line] >= wanted and kept({*low, line}) >= wanted:
            low.add(line)
    return [
        f"{line}  {line.text}" if isinstance(line, Line) else str(line or "what has no line")
        for line in everything
        if line not in low
    ]


def _least(found: Sequence[Any], truth: Sequence[Any]) -> float:
    return min((digits(y, t) for y, t in zip(found, truth, strict=True)), default=_MOST)


def _places(program: Program) -> list[Line | None]:
    """The user's line of each equation (columns aside)."""
    found = []
    for e in program.eqns:
        line = program.line(e)
        found.append(None if line is None else Line(line.file, line.line, line.function))
    return found


def _leads_to(program: Program, outputs: Sequence[Any]) -> list[bool]:
    """Per equation: do these outputs need it?"""
    needed = set(outputs)
    found = []
    for e in reversed(program.eqns):
        here = any(v in needed for v in e.outputs)
        found.append(here)
        if here:
            needed.update(e.inputs)
    return found[::-1]


def _truths(program: Program, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Results of every equation in balls, to the nearest float64 (None: not an array), and the ends."""
    wanted = [v for e in program.eqns for v in e.outputs if isinstance(v.type, ArrayType)]
    whole = Program(
        program.inputs, program.eqns, [*wanted, *program.outputs], program.sources, program.name
    )
    settled: list[Any] = []
    for bits in _LADDER:
        with precision(bits):
            found = balls.evaluate(whole, args)
        settled = [_midpoints(y, a.type) for y, a in zip(found, whole.outputs, strict=True)]
        if all(sure for _, sure in settled):
            break
    known = dict(zip(wanted, (y for y, _ in settled), strict=False))
    truths = [tuple(known.get(v) for v in e.outputs) for e in program.eqns]
    return truths, [y for y, _ in settled[len(wanted) :]]


def _midpoints(value: Any, t: Any) -> tuple[Any, bool]:
    """Midpoints of balls as plain numbers, and whether all are known to 17 digits."""
    if not t.inexact:
        return np.asarray(value), True
    number: Callable[[Any], Any] = complex if t.dtype.kind == "c" else float
    flat = [value] if t.shape == () else list(np.asarray(value, object).ravel())
    mids = [number(x.mid()) if hasattr(x, "mid") else number(x) for x in flat]
    sure = all(not hasattr(x, "rel_accuracy_bits") or x.rel_accuracy_bits() > 58 for x in flat)
    wide = np.complex128 if t.dtype.kind == "c" else np.float64
    return np.array(mids, wide).reshape(t.shape), sure
