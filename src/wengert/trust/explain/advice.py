"""Advice: what to write instead, as Python with the user's own expressions, tried before it is given.

Rows of the table of stable rewrites (`rewrites/stable.py`) are applied as `trust.stabilise` does; only
what makes value and derivative right at the point is said, with the range around it in which it holds.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.ir.program import Const, Program, Var
from wengert.ir.source import Line
from wengert.rewrites.stabilise import _matches, _table, sites
from wengert.trust.explain.spelling import spelled
from wengert.trust.stabilise import Change, Measure, stabilised

_AROUND = (1.0, 1 + 2.0**-20, 1 - 2.0**-12, 1.01, 0.95, 1.3)
_DECADES = range(-12, 13)
_ENOUGH = 20.0  # bits that a repair must make right
_DIFFERENCE = re.compile(
    r"[xyz)2] - [xyz(]"
)  # what cancels as it is written, and not as it was tried
_LARGE = 300  # longer programs, and larger arrays, are not tried


@dataclass(slots=True)
class Repair:
    """Replace `before` by `after`, at each of these lines; it holds where the arguments are times `range`."""

    steps: list[tuple[str, str, str]]  # place, before, after
    bits: tuple[float, float]  # right before and after, at the point
    range: tuple[float, float]
    at: tuple[float, float] | None = None  # the same in numbers, for one argument that is a number
    edge: bool = False  # only beside the point is there anything to compare with
    code: str | None = None  # the whole function, where steps alone would not say it

    def __str__(self) -> str:
        lines = []
        if self.code is not None:
            lines += ["write", *(f"    {line}" for line in self.code.splitlines())]
            lines += [f"  for {before}   ({place})" for place, before, _ in self.steps[:1]]
        else:
            for n, (place, before, after) in enumerate(self.steps):
                head = "then " if n else "write"
                lines.append(
                    f"{head}  {after}\n  not  {before}" + (f"   ({place})" if place else "")
                )
        low, high = self.range
        where = (
            "beside it"
            if self.edge
            else f"for {self.at[0]:.3g} … {self.at[1]:.3g}"
            if self.at
            else f"for arguments {low:.0e} … {high:.0e} times these"
        )
        lines.append(
            f"checked with balls, value and derivative: {self.bits[1]:.0f} bits right here "
            f"(as written {self.bits[0]:.0f}), and {where}"
        )
        return "\n".join(lines)


def repair(
    program: Program, args: Sequence[Any], movers: int, names: Sequence[str]
) -> Repair | None:
    """A repair of a function's program at its arguments; None where no row helps enough."""
    sizes = [np.size(a) for a in args]
    if len(program.eqns) > _LARGE or sum(sizes) > _LARGE:
        return None
    moving = [n < movers and t.inexact for n, t in enumerate(program.in_types)]
    points = [_scaled(args, movers, s) for s in _AROUND]
    try:
        other, changes = stabilised(program, moving, points)
        if not changes:
            return None
        here = Measure(program, moving, points[:1])
        before, after = (float(np.nanmin(here.bits(p), initial=64)) for p in (program, other))
        edge = bool(np.isnan(here.bits(other)).any())
        if edge:  # an edge, where only limits are known: right beside it
            here = Measure(program, moving, points[1:3])
            before, after = 0.0, float(np.nanmin(here.bits(other), initial=64))
        if after < _ENOUGH or after <= before:
            return None
        low, high = _range(program, other, moving, args, movers)
    except (ArithmeticError, ValueError, TypeError):
        return None
    steps = list(dict.fromkeys(_step(program, c, names) for c in changes))
    literal = len(changes) == 1 and _DIFFERENCE.search(changes[0].says.partition(" → ")[2]) is None
    code = None if literal else spelled(other, names, args)
    if code is None and not literal:
        steps = steps[:1] if len(changes) == 1 else steps
    if code is None and not all(after for _, _, after in steps):
        return None  # nothing that can be pasted
    where = _numbers(args, movers, low, high)
    return Repair(steps, (before, after), (low, high), where, edge, code)


def _scaled(args: Sequence[Any], movers: int, s: float) -> list[Any]:
    return [
        _near(np.asarray(a), s) if n < movers and np.asarray(a).dtype.kind in "fc" else a
        for n, a in enumerate(args)
    ]


def _near(a: Any, s: float) -> Any:
    """a times s; beside a zero, s less 1."""
    return np.where(a == 0, s - 1, a * s).astype(a.dtype)[()]


def _range(
    program: Program, other: Program, moving: Sequence[bool], args: Sequence[Any], movers: int
) -> tuple[float, float]:
    """Factors, by decades, from here out as long as the other program stays right."""
    points = [_scaled(args, movers, 10.0**d) for d in _DECADES]
    measure = Measure(program, moving, points)
    bits = [np.nanmin(row, initial=64) for row in measure.bits(other)]
    known = [
        bool(np.isfinite(t).all())
        for truth in measure.truths
        for t in [np.concatenate([np.ravel(q) for q in truth])]
    ]
    middle = len(bits) // 2
    low = high = middle
    while low > 0 and bits[low - 1] >= _ENOUGH and known[low - 1]:
        low -= 1
    while high < len(bits) - 1 and bits[high + 1] >= _ENOUGH and known[high + 1]:
        high += 1
    return 10.0 ** _DECADES[low], 10.0 ** _DECADES[high]


def _numbers(
    args: Sequence[Any], movers: int, low: float, high: float
) -> tuple[float, float] | None:
    if movers != 1 or np.ndim(args[0]) != 0 or args[0] == 0:
        return None
    a, b = sorted((float(args[0]) * low, float(args[0]) * high))
    return a, b


# ---- the user's own words ------------------------------------------------------------------------------------


def _step(program: Program, change: Change, names: Sequence[str]) -> tuple[str, str, str]:
    before, _, after = change.says.partition(" → ")
    spelled = _spelled(program, change, names)
    if spelled is not None:
        before, after = spelled[1] or _put(before, spelled[0]), _put(after, spelled[0])
    needs = sorted(
        set(
            re.findall(
                r"\b(expit|log_expit|logsumexp|gammaln|exprel|erf|erfc|erfcx|ndtr|log_ndtr)\(",
                after,
            )
        )
    )
    if needs:
        after += f"      # from scipy.special import {', '.join(needs)}"
    return change.place, before, after


def _spelled(
    program: Program, change: Change, names: Sequence[str]
) -> tuple[dict[str, str], str] | None:
    """What the names of a row stand for, and what the row replaces, in the user's text.

    None if the row does not fit what she wrote, but what another row has made of it.
    """
    defined = {v: e for e in program.eqns for v in e.outputs}
    rows, _ = _table()
    for site in sites(program):
        if site.row is None or site.path or site.says != change.says:
            continue
        eqn = program.eqns[site.position]
        line = program.line(eqn)
        if line is not None and str(line) != change.place:
            continue
        for left, row in rows[eqn.prim]:
            found = _matches(left, eqn, defined) if row is site.row else None
            if found is not None:
                said = {k: said_of(program, getattr(a, "atom", a), names) for k, a in found.items()}
                whole = raw(line) if eqn.inputs and len(raw(line)) > 6 else ""
                simple = all(v and v in whole for v in said.values()) and "(" in whole
                return {k: v for k, v in said.items() if v}, whole if simple else ""
    return None


def said_of(program: Program, atom: Any, names: Sequence[str]) -> str:
    """A value as the user calls it: an argument, a variable, or the expression itself; "" if unknown."""
    if isinstance(atom, Const):
        return f"{atom.value:.17g}"
    if not isinstance(atom, Var):
        return ""
    if atom in program.inputs:
        n = program.inputs.index(atom)
        return names[n] if n < len(names) else ""
    for e in program.eqns:
        if atom in e.outputs:
            if e.prim.name in ("broadcast", "reshape"):
                return said_of(program, e.inputs[0], names)
            said = segment(program.line(e))
            taken = e.prim.name in ("index", "part")  # an item of a loop has no name of its own
            return "" if taken and not said.endswith("]") and not said.isidentifier() else said
    return ""


def raw(line: Line | None) -> str:
    """The expression at a place, as it stands there."""
    if line is None:
        return ""
    text = linecache.getline(line.file, line.line)
    return text.encode()[line.column : line.end_column].decode(errors="ignore").strip()


def segment(line: Line | None) -> str:
    """The expression at a place; the name that it is given, if that is all that happens on the line."""
    if line is None:
        return ""
    text = raw(line)
    if not text or "\n" in text:
        return ""
    whole = re.fullmatch(
        r"\s*(\w+)\s*=\s*(.*?)\s*", linecache.getline(line.file, line.line).rstrip("\n")
    )
    if whole and whole[2] == text:
        return whole[1]
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return ""
    return text


def _put(text: str, names: dict[str, str]) -> str:
    def word(m: re.Match[str]) -> str:
        said = names.get(m.group())
        if said is None:
            return m.group()
        closed = re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])?", said)
        return said if closed or _alone(m) else f"({said})"

    return re.sub(r"(?<![\w.])[xyzc](?!\w)", word, text)


def _alone(m: re.Match[str]) -> bool:
    """Does it stand between brackets or commas, so that it needs no more of them?"""
    before, after = m.string[: m.start()].rstrip()[-1:], m.string[m.end() :].lstrip()[:1]
    return before in "(," and after in "),"
