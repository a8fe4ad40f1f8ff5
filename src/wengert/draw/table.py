"""trace_table: the classroom's Wengert list. Every value, local derivative and adjoint of one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any, NamedTuple

from wengert.api.arguments import Argnums
from wengert.draw.chain import Factor
from wengert.draw.formulas import HOLE
from wengert.draw.reading import Reading, read
from wengert.draw.written import aligned, brief, html_table

_MOST = 2000  # rows that are printed; `rows` holds them all


class Row(NamedTuple):
    """One line of the list: `name = formula`, its value, local derivatives, and adjoint.

    The adjoint is the derivative of the result by this value (`None` where the result does not
    depend on it); `line` is the user's.
    """

    name: str
    formula: str
    value: Any
    factors: tuple[Factor, ...]
    adjoint: Any
    line: str


class TraceTable:
    """What `trace_table` found: print it, show it in a notebook, or read `rows`."""

    def __init__(self, title: str, target: str, rows: list[Row]) -> None:
        self.title, self.target, self.rows = title, target, tuple(rows)

    def __repr__(self) -> str:
        return f"<trace table of {self.title}: {len(self.rows)} rows>"

    def __len__(self) -> int:
        return len(self.rows)

    def _heads(self) -> list[str]:
        return ["step", "value", "local derivatives", "", f"∂{self.target}/∂step", "line"]

    def _cells(self) -> Iterator[list[str]]:
        told = ""
        for row in self.rows[:_MOST]:
            head = [f"{row.name} = {row.formula}" if row.formula else row.name, brief(row.value)]
            tail = ["" if row.adjoint is None else brief(row.adjoint), row.line]
            if row.line and row.line == told:
                tail[1] = '"'
            told = row.line
            for f in row.factors or (None,):
                local = ["", ""] if f is None else [f"∂{row.name}/∂{f.operand} = {f.formula}", "" if f.value is None else f"= {brief(f.value)}"]  # fmt: skip
                yield [*head, *local, *tail]
                head, tail = ["", ""], ["", ""]

    def _notes(self) -> list[str]:
        notes = []
        if any(HOLE in f.formula for row in self.rows for f in row.factors):
            notes.append(f"{HOLE} is what comes from above")
        if len(self.rows) > _MOST:
            notes.append(f"{len(self.rows) - _MOST} more rows are in `rows`")
        return notes

    def __str__(self) -> str:
        lines = aligned([self._heads(), *self._cells()])
        return "\n".join([self.title, "", *lines, *([""] if self._notes() else []), *self._notes()])

    def html(self) -> str:
        """The table as HTML."""
        notes = "".join(f"<p>{escape(n)}</p>" for n in self._notes())
        return html_table(self._heads(), self._cells()) + notes

    def _repr_html_(self) -> str:
        return self.html()


def trace_table(f: Callable[..., Any], argnums: Argnums | None = None) -> Callable[..., TraceTable]:
    """`trace_table(f)(*args)`: every intermediate value, its local derivatives, its adjoint.

    The adjoint is the derivative of the result by that value; where the result is several numbers,
    of their sum. Print it, or show it in a notebook; `.rows` holds the numbers.

    >>> import numpy as np
    >>> def f(x, y):
    ...     return x * y + np.sin(x)
    >>> print(trace_table(f)(2.0, 3.0))  # doctest: +ELLIPSIS
    f
    <BLANKLINE>
    step          value     local derivatives             ∂v3/∂step  line
    x             2                                       2.58385
    y             3                                       2
    v1 = x·y      6         ∂v1/∂x = y         = 3        1  ...
                            ∂v1/∂y = x         = 2
    v2 = sin(x)   0.909297  ∂v2/∂x = cos(x)    = -0.4...  1  ...
    v3 = v1 + v2  6.9093    ∂v3/∂v1 = 1        = 1        1  ...
                            ∂v3/∂v2 = 1        = 1
    """

    def show(*args: Any, **kwargs: Any) -> TraceTable:
        return table_of(read(f, args, kwargs, argnums, "trace_table"))

    show.__name__ = f"trace_table({getattr(f, '__name__', 'f')})"
    return show


def table_of(reading: Reading, adjoints: dict[Any, Any] | None = None) -> TraceTable:
    """The table of a call that was read."""
    found = reading.adjoints() if adjoints is None else adjoints
    rows = [
        Row(name, "", reading.values[v], (), found.get(v), "") for name, v in reading.inputs.items()
    ]
    for eqn in reading.program.eqns:
        for k in range(len(eqn.outputs)):
            step = reading.step(eqn, k, found)
            rows.append(
                Row(step.name, step.formula, step.value, step.factors, step.slope, step.line)
            )
    return TraceTable(reading.title, reading.target, rows)
