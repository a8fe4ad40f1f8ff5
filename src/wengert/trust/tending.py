"""Tending: what one number of a call tends to, where its program's own answer is in doubt; and what is told of it.

Power series prove what a removable singularity leaves (trust/taylor.py); else limits of difference quotients
from both sides say what the point is (trust/limits.py). Here that meets the call's question, the policy at kinks, and the conventions of a selection and of shared ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import WengertError
from wengert.trust import limits, taylor
from wengert.trust.balls.number import Undecided, precision, rounded
from wengert.trust.question import Line, Recorded, Result, directions
from wengert.trust.ties import Standing


class Tended(NamedTuple):
    """How it was found ("limit", "kink"; "" where there is none), why, and the number (None: none)."""

    how: str
    cause: str
    value: Any
    proved: bool = False  # by series (trust/taylor.py), and not inferred from quotients


def tend(
    recorded: Recorded, result: Result, at: tuple[int, ...], dtype: np.dtype[Any], value: Any,
    standing: Standing, at_kink: str, until: float, sure: bool = True,
) -> Tended | str | None:  # fmt: skip
    """The number's limit; a reason why there is none to be had; or None.

    `value` is what exact arithmetic makes of the program at the point itself (None: nothing); not
    `sure` where a zero has stopped something infinite on the way.
    """
    asked = {node for node, *_ in recorded.decisions}
    if recorded.function is None and any(e.outputs[0] in asked for e in standing.comparisons):
        return None  # another path through Python might be the one
    if dtype.kind != "f" or any(t.dtype.kind == "c" for t in recorded.types):
        if standing.doubtful:
            return Tended("", "on an edge, and limits of complex functions are not taken", None)
        return None
    gs, dxs = result.direction(recorded, at)
    try:
        if result.is_value:
            return _value(recorded, dtype, gs, until)
        if (value is None or not sure) and standing.firm and not recorded.decisions:
            known = taylor.slope(recorded, gs, dxs)
            number = None if known is None else rounded(known, dtype.type, 1)
            if number is not None:
                return Tended("limit", _removed(None, number, standing), number, True)
        line = Line(recorded, gs, dxs)
        found = limits.find(line, until, line.size)
        if found.kind == "kink":
            return _kink(line, found, dtype.type, value, standing, at_kink, until)
    except (Undecided, WengertError, ArithmeticError, ValueError) as error:
        return str(error)
    if found.kind in ("smooth", "edge"):
        with precision(128):
            number = dtype.type(float(found.slope))
        tied = standing.nested and sure and value is not None and value != number
        if tied and not all(
            limits.steady(h, found.slope, until, line.size) for h in (line, line.parted())
        ):
            return Tended("kink", "kink", value)  # ties share: there is no derivative
        return Tended("limit", _removed(value if sure else None, number, standing), number)
    if found.kind == "infinite":
        return Tended("limit", "infinite slope", dtype.type(np.inf * found.slope))
    cause = {"none": "no derivative here", "jump": "jump"}[found.kind]
    if standing.doubtful:
        return Tended("", cause, None)
    return cause


def _removed(value: Any, number: Any, standing: Standing) -> str:
    """Why the program's own number is not the limit; "" where it is."""
    if value is None:
        return "removable singularity"
    if value == number:
        return ""
    return "branch on equality" if standing.equality or standing.comparisons else "kink"


def _value(
    recorded: Recorded, dtype: np.dtype[Any], gs: Sequence[Any], until: float
) -> Tended | None:
    """What a value tends to, from several sides at once."""
    lines = [Line(recorded, gs, d) for d in directions(recorded)]
    found = limits.value(lines, until, lines[0].size)
    if found is None:
        return None
    with precision(128):
        return Tended("limit", "", dtype.type(float(found)))


def _kink(
    line: Line, found: limits.Limit, kind: Any, value: Any, standing: Standing, at_kink: str,
    until: float,
) -> Tended | None:  # fmt: skip
    sides = {"left": _slope(found.left), "right": _slope(found.right)}
    if at_kink in sides:
        return Tended("kink", "kink", kind(sides[at_kink]))
    if at_kink in ("nan", "raise"):
        return Tended("kink", "kink", kind(np.nan))
    low, high = sorted(sides.values())
    if value is not None and standing.selects and any(kind(s) == value for s in (low, high)):
        return Tended("kink", "kink", value)  # a selection follows its branch
    if found.left.kind == found.right.kind == "finite":
        with precision(128):
            total, size = found.left.slope + found.right.slope, abs(found.left.slope)
            level = abs(total).abs_upper() <= size.abs_upper() * 2.0**-60  # they cancel
            mean = kind(0.0 if level else float(total / 2))
        between = value is not None and value != mean and kind(low) <= value <= kind(high)
        shares = between and limits.shared(line, until, line.size)  # then their sum is kept
        return Tended("kink", "kink", value if shares else mean)
    return Tended("", "no derivative here", None) if standing.doubtful else None


def _slope(side: limits.Side) -> float:
    return float(np.inf * side.slope if side.kind == "infinite" else float(side.slope))
