"""precision_report: float16, float32 and float64 side by side, line by line."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Call
from wengert.api.gradients import record_call
from wengert.ir.evaluate import evaluate
from wengert.ops.literal import literal_inputs
from wengert.transforms.derive import derive
from wengert.transforms.sweep import sweep
from wengert.transforms.vjp import vjp
from wengert.trust import precision
from wengert.trust.recast import in_precision, recast, uniform


class PrecisionReport:
    """What a call keeps of its digits in each format; print it, or read its fields.

    `lines` has a row per line (`place`, `text`, and digits of `value` and `derivative` in float16,
    float32, float64), `value` and `derivative` are those of the results; `keep` lists what must
    stay float64 for the `wanted` digits (empty: nothing; None: float64 does not suffice).
    """

    def __init__(self, found: precision.Digits) -> None:
        self.name, self.lines = found.name, found.lines
        self.value, self.derivative = found.value, found.derivative
        self.wanted, self.keep = found.wanted, found.keep

    def _rows(self) -> list[list[str]]:
        head = ["line", *(f"{w} f{b}" for w in ("value", "slope") for b in (16, 32, 64)), ""]
        rows = [
            [row.place, *map(_said, (*row.value, *row.derivative)), row.text] for row in self.lines
        ]
        return [head, *rows, ["results", *map(_said, (*self.value, *self.derivative)), self.name]]

    def _verdict(self) -> str:
        if self.wanted is None:
            return ""
        asked = f"for {self.wanted:g} digits"
        if self.keep is None:
            return f"{asked} float64 does not suffice: wg.explain says why"
        if not self.keep:
            return f"{asked} everything may be float32"
        return "\n".join([f"{asked} these must stay float64:", *(f"  {k}" for k in self.keep)])

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]) - 1)]
        lines = [
            "  ".join([r[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(r[1:], widths[1:], strict=False)), r[-1]])
            for r in rows
        ]  # fmt: skip
        title = f"decimal digits kept by {self.name} and its derivative"
        return "\n".join(
            [title, *(line.rstrip() for line in lines), *filter(None, [self._verdict()])]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        table = [_cells(head, "th"), *(_cells(row, "td") for row in rows)]
        return f"<table>{''.join(table)}</table><pre>{escape(self._verdict())}</pre>"


def _cells(row: list[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(c)}</{tag}>' for c in row)}</tr>"


def _said(digits: float | None) -> str:
    return "" if digits is None else f"{digits:.1f}"


def precision_report(
    fun: Callable[..., Any], *, wanted: float | None = None
) -> Callable[..., PrecisionReport]:
    """`precision_report(f)(*args)`: digits that each line of f keeps in float16, float32, float64.

    Values and derivatives (of the sum of all results, by reverse mode) are held against balls. With
    `wanted` digits, also the lines that must stay float64 for that while the rest is float32: found
    by lowering lines one by one and looking at the results, at these arguments alone.

    >>> def f(x):
    ...     small = np.sqrt(x + 1) - np.sqrt(x)
    ...     return np.sum(small)
    >>> found = precision_report(f, wanted=6)(np.array([1e6]))
    >>> found.value[1] < 3 < found.value[2], len(found.keep) > 0
    (True, True)
    """

    def report(*args: Any, **kwargs: Any) -> PrecisionReport:
        call = Call(fun, args, kwargs, tuple(range(len(args))), None, "precision_report")
        builder, _, out = record_call(call)
        leaves = [y for y in tree.flatten(out)[0] if hasattr(y, "type") and y.type.inexact]
        traced = literal_inputs(builder.program(leaves), [v for _, v in builder.captured])
        points = [in_precision(leaf.value, np.float64) for leaf in call.leaves]
        program = sweep(recast(traced, uniform(np.float64), inputs=np.float64))
        both = vjp(program, [t.inexact for t in program.in_types])
        count, given = len(program.outputs), len(program.inputs)

        def whole(*xs: Any) -> list[Any]:
            seeds = [np.ones(t.shape, t.dtype)[()] for t in both.in_types[given:]]
            return evaluate(both, [*xs, *seeds])

        found = sweep(derive(whole, program.in_types, program, program.name))
        return PrecisionReport(
            precision.measure(found, points, count, getattr(fun, "__name__", "f"), wanted)
        )

    report.__name__ = f"precision_report({getattr(fun, '__name__', 'f')})"
    return report
