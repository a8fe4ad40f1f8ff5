"""Account: what is told of a call: findings, one per suspicious number, as text and as plain data."""

from __future__ import annotations

import json
import linecache
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.ir.source import Line
from wengert.trust.explain import causes
from wengert.trust.explain.advice import Repair

_SHOWN = 12  # so many findings are told in a text
_RED, _BOLD, _GREEN, _DIM, _PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[32m", "\x1b[2m", "\x1b[0m"

# what can be said where no rewriting helps, or besides it
ADVICE = {
    causes.KINK: "the derivative does not exist here: the slopes from both sides differ; choose one with wg.trust.policy(at_kink=...)",
    causes.JUMP: "the function itself jumps here: there is no derivative; move off the point, or leave the step out",
    causes.INFINITE: "the derivative is infinite here: keep the argument away from this point",
    causes.REMOVABLE: "the derivative exists here, as a limit: trust=\"repair\" returns it",
    causes.DEAD: "choose, do not multiply: write np.where(mask, value, 0) instead of mask * value",
    causes.SPECTRUM: "values repeat (or nearly): vectors of a degenerate space are arbitrary; "
    "use what does not depend on their choice (eigenvalues, functions of the matrix such as scipy.linalg.expm)",
    causes.EQUALITY: "the branch for equal numbers holds at this point alone: its slope is not that of the function; "
    "return there what has the right slope, or compare with a tolerance",
    causes.LOOP: "the loop ended before the result depended on the argument: take a fixed number of steps, or differentiate the equation that it solves",
    causes.INTEGER: "whole numbers carry no slope; for a straight-through one write  x + wg.stop_gradient(np.round(x) - x)",
    causes.OVERFLOW: "numbers leave the range of their format: scale them, or compute with their logarithms",
    causes.UNDERFLOW: "numbers vanish below the range of their format: scale them, or compute with their logarithms",
}  # fmt: skip
# and where nothing settles the number
UNSETTLED = {
    causes.DOMAIN: "the function has no value here: keep the argument inside of the domain, or choose with np.where around the argument",
    causes.ZERO_BY_ZERO: "no limit was found here: what it tends to depends on the way; keep the divisor away from zero",
    causes.INF_LESS_INF: "no limit was found here: keep the terms finite",
    causes.INF_TIMES_ZERO: "no limit was found here: keep the factors finite",
}  # fmt: skip


@dataclass(slots=True)
class Finding:
    """One number that is not what it should be, or should not be there: where, why, and what to do.

    `line` is the user's, of the guilty equation; `numbers` tells what it computed and what is true;
    `path` are the lines from there to the result. `wrong` and `right` are the number as computed and as
    certified (None where there is none); `bits` how many of its bits are right. `condition`: by how
    much a relative change of the argument grows; `change`: the relative change of this number when the
    argument changes in its last digit.
    """

    component: str
    cause: str
    wrong: Any
    right: Any
    how: str = ""
    line: Line | None = None
    operation: str = ""
    numbers: str = ""
    path: list[str] = field(default_factory=list)
    bits: float = 0.0
    digits: int = 0
    certified: int = 0
    repair: Repair | None = None
    flagged: bool = False
    condition: float = 0.0
    change: float = 0.0
    proved: bool = True  # not so are limits that were inferred from difference quotients

    @property
    def convention(self) -> bool:
        """Is the number what the convention at kinks says, where no derivative is?"""
        return self.cause == causes.KINK and self.how == "confirmed"

    @property
    def suggestion(self) -> str:
        """What to write instead, or the plain statement why nothing helps."""
        if self.repair is not None:
            return str(self.repair)
        if self.cause in (causes.CONDITION, causes.CHAOS) and self.condition > 1:
            need = int(np.ceil(np.log10(self.condition))) + 3
            return (
                f"the function itself is ill-conditioned here: a change in the last digit of the argument changes this by "
                f"{self.change:.2g} of itself; no rewriting helps, {need} digits of the argument are needed for three of the result"
            )
        if self.right is None and not self.convention and self.cause not in ADVICE:
            return UNSETTLED.get(
                self.cause,
                'nothing settles this number: it stays flagged under trust="repair", too',
            )
        return ADVICE.get(
            self.cause,
            'no rewrite of the table helps: use trust="repair", which computes this number with balls',
        )

    def source(self, color: bool = False) -> list[str]:
        """The user's line with a caret under the guilty expression."""
        if self.line is None:
            return []
        raw = linecache.getline(self.line.file, self.line.line).rstrip("\n")
        head = f"{self.line}  in {self.line.function}{_turn(self.line)}"
        if not raw.strip():
            return [head]
        indent = len(raw) - len(raw.lstrip())
        start, end = self.line.column - indent, self.line.end_column - indent
        text = raw.strip()
        mark = " " * max(start, 0) + "^" * max(min(end, len(text)) - max(start, 0), 1)
        return [head, f"    {text}", f"    {_RED}{mark}{_PLAIN}" if color else f"    {mark}"]

    def text(self, color: bool = False) -> str:
        """The finding in a few lines."""
        bold, plain, green = (_BOLD, _PLAIN, _GREEN) if color else ("", "", "")
        lines = [
            f"{bold}{self.component}{plain}: {self.said}",
            *(f"  {s}" for s in self.source(color)),
        ]
        lines.append(f"  {bold}{self.cause}{plain}" + (f": {self.numbers}" if self.numbers else ""))
        if self.path:
            lines.append("  then " + " → ".join(self.path))
        lines += [f"  {green}{s}{plain}" for s in self.suggestion.splitlines()]
        return "\n".join(lines)

    @property
    def said(self) -> str:
        """The number as computed and in truth, in words."""
        said = f"computed {_short(self.wrong)}"
        if self.convention:
            said += ", a convention: there is no derivative here"
        elif self.right is not None:
            if self.how == "limit":
                by = f"limit, {'proved' if self.proved else 'inferred'}"
            else:
                by = (
                    f"certified with {self.certified} bits"
                    if self.certified
                    else self.how or "exact"
                )
            said += f", truth {_short(self.right)} ({by}); {self.bits:.0f} of {self.digits} bits are right"
        return said

    def plain(self) -> dict[str, Any]:
        """As data for JSON."""
        line = self.line
        repair = self.repair
        return {
            "component": self.component,
            "cause": self.cause,
            "computed": _number(self.wrong),
            "true": _number(self.right),
            "how": self.how,
            "proved": self.proved,
            "bits_right": self.bits,
            "file": None if line is None else line.file,
            "line": None if line is None else line.line,
            "turns": None if line is None else list(line.turns),
            "columns": None if line is None else [line.column, line.end_column],
            "text": "" if line is None else line.text,
            "operation": self.operation,
            "numbers": self.numbers,
            "path": self.path,
            "suggestion": self.suggestion,
            "repair": None
            if repair is None
            else [{"at": a, "before": b, "after": c} for a, b, c in repair.steps],
            "code": None if repair is None else repair.code,
            "range": None if repair is None else list(repair.at or repair.range),
        }


def _turn(line: Line) -> str:
    """In which turn of the loops around it."""
    if not line.turns:
        return ""
    inner, *outer = line.turns
    return f", in turn {inner} of its loop" + "".join(
        f", in turn {k} of the loop around" for k in outer
    )


def _short(x: Any) -> str:
    return "none" if x is None else f"{np.asarray(x)[()]:.6g}"


def _number(x: Any) -> Any:
    if x is None:
        return None
    x = np.asarray(x)[()]
    if np.iscomplexobj(x):
        return [_number(x.real), _number(x.imag)]
    return float(x) if np.isfinite(x) else str(float(x))


@dataclass(slots=True)
class Explanation:
    """What `wg.explain` found. Print it; look at it in a notebook; `findings`, `json()`, `html()`.

    `heat` is the number of bits lost per line of the user's text, `count` how many numbers were looked at.
    """

    name: str
    findings: list[Finding]
    count: int
    heat: dict[Line, float] = field(default_factory=dict)
    graph: list[tuple[str, str, float]] = field(default_factory=list)

    @property
    def trusted(self) -> bool:
        """Is there nothing to tell?"""
        return not self.findings

    def text(self, color: bool = False) -> str:
        """As text; coloured for terminals."""
        many = f"{self.count} number{'s' * (self.count != 1)}"
        if not self.findings:
            return f"{self.name}: {many} looked at, and all of them can be trusted"
        wrong = sum(not f.convention for f in self.findings)
        parts = [f"{wrong} of {many} cannot be trusted as computed"] if wrong else []
        if wrong < len(self.findings):
            parts.append(f"{len(self.findings) - wrong} of {many} by convention")
        head = f"{self.name}: {', '.join(parts)}"
        told: list[str] = []
        groups = self.groups()
        for same in groups[:_SHOWN]:
            told.append(same[0].text(color))
            if len(same) > 1:
                told.append(
                    f"  the same: {', '.join(f.component for f in same[1:_SHOWN])}"
                    + (" …" if len(same) > _SHOWN else "")
                )
        if len(groups) > _SHOWN:
            told.append(f"… and {len(groups) - _SHOWN} more")
        return "\n\n".join([head, *told]).replace("\n\n  the same", "\n  the same")

    def groups(self) -> list[list[Finding]]:
        """Findings of one line, one cause and one way out stand together."""
        found: dict[Any, list[Finding]] = {}
        for f in self.findings:
            line = f.line and f.line._replace(turns=())
            found.setdefault((line, f.cause, f.suggestion), []).append(f)
        return list(found.values())

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def show(self) -> None:
        """Print, coloured where a terminal is there."""
        import sys

        sys.stdout.write(self.text(color=sys.stdout.isatty()) + "\n")

    def json(self) -> str:
        """As JSON."""
        return json.dumps(
            {
                "function": self.name,
                "trusted": self.trusted,
                "looked_at": self.count,
                "findings": [f.plain() for f in self.findings],
                "lines": [
                    {"file": k.file, "line": k.line, "bits_lost": v} for k, v in self.heat.items()
                ],
            },
            indent=1,
        )

    def html(self) -> str:
        """As one page that needs nothing else."""
        from wengert.trust.explain.page import page

        return page(self)

    def _repr_html_(self) -> str:
        return self.html()
