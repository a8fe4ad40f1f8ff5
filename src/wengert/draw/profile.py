"""profile: time and bytes of one call, by the user's lines: forwards, backwards, and what is kept.

The recorded equations are run again one by one, and the way back is walked step by step, each several
times and the quickest counted. What is kept for the derivative is what the reading plan keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from wengert.api.gradients import record_call
from wengert.draw.reading import Reading
from wengert.draw.written import aligned, html_table
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn
from wengert.transforms.reverse import reverse

_REPEAT = 3


class LineCost(NamedTuple):
    """What one line of the user's code costs: seconds, bytes made, bytes kept for the derivative."""

    file: str
    line: int
    text: str
    equations: int
    forward: float
    backward: float
    made: int
    kept: int

    @property
    def place(self) -> str:
        """file:line, without the folders."""
        return f"{self.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{self.line}" if self.file else "—"  # fmt: skip


class Profile:
    """Costs by line, the dearest first.

    `plain` is the time of the function itself, `recording` that of a traced call. Of a compiled
    function `plain` is the whole call, and the lines were compiled one by one.
    """

    def __init__(
        self, title: str, rows: list[LineCost], plain: float, recording: float = 0.0, compiled: bool = False
    ) -> None:  # fmt: skip
        self.title, self.plain, self.recording, self.compiled = title, plain, recording, compiled
        self.rows = tuple(sorted(rows, key=lambda r: -(r.forward + r.backward)))

    def __repr__(self) -> str:
        return f"<profile of {self.title}: {len(self.rows)} lines>"

    @property
    def forward(self) -> float:
        """Seconds of all equations."""
        return sum(r.forward for r in self.rows)

    @property
    def backward(self) -> float:
        """Seconds of the way back."""
        return sum(r.backward for r in self.rows)

    @property
    def kept(self) -> int:
        """Bytes that are kept for the derivative."""
        return sum(r.kept for r in self.rows)

    def summary(self) -> list[str]:
        """The whole call in a few lines."""
        if self.compiled:
            return [
                f"compiled call {seconds(self.plain)}",
                f"its lines, compiled one by one: {seconds(self.forward)}",
            ]
        return [
            f"plain call {seconds(self.plain)}, traced {seconds(self.recording)}",
            f"equations forwards {seconds(self.forward)}, backwards {seconds(self.backward)}",
            f"kept for the derivative: {size(self.kept)}",
        ]

    def cells(self) -> list[list[str]]:
        """The table, as text."""
        return [
            [r.place, r.text, str(r.equations), seconds(r.forward), size(r.made)]
            if self.compiled
            else [r.place, r.text, str(r.equations), seconds(r.forward), seconds(r.backward), size(r.made), size(r.kept)]
            for r in self.rows
        ]  # fmt: skip

    @property
    def heads(self) -> tuple[str, ...]:
        """The table's heads."""
        times = ("time", "made") if self.compiled else ("forwards", "backwards", "made", "kept")
        return ("line", "code", "equations", *times)

    def __str__(self) -> str:
        rows = [[r[0], *r[2:], r[1]] for r in [list(self.heads), *self.cells()]]
        return "\n".join([self.title, *(f"  {t}" for t in self.summary()), "", *aligned(rows)])

    def html(self) -> str:
        """The table as HTML."""
        return html_table(self.heads, self.cells())

    def _repr_html_(self) -> str:
        return self.html()


def seconds(t: float) -> str:
    """A time with three digits: `12.3 µs`."""
    for scale, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if t * scale >= 1:
            return f"{t * scale:.3g} {unit}"
    return f"{t * 1e9:.0f} ns"


def size(n: int) -> str:
    """A number of bytes: `1.5 kB`."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n >= scale:
            return f"{n / scale:.3g} {unit}"
    return f"{n} B"


def profile_of(reading: Reading, repeat: int = _REPEAT, backwards: bool = True) -> Profile:
    """The costs of a call that was read."""
    call = reading.call
    costs: dict[Any, list[Any]] = {}  # per line: line, equations, forward, backward, made, kept
    eqns = reading.program.eqns
    forward = _forward(reading, repeat)
    backward = _backward(reading, repeat) if backwards else {}
    entries = reading.builder.entries
    counted: set[int] = set()
    for n, eqn in enumerate(eqns):
        line = reading.program.line(eqn)
        row = costs.setdefault(line and (line.file, line.line), [line, 0, 0.0, 0.0, 0, 0])
        row[1] += 1
        row[2] += forward[n]
        row[3] += backward.get(n, 0.0)
        row[4] += sum(bytes_of(reading.values[v]) for v in eqn.outputs)
        row[5] += _kept(entries[n], counted)
    rows = [
        LineCost(line.file if line else "", line.line if line else 0, line.text if line else "", *rest)
        for line, *rest in costs.values()
    ]  # fmt: skip
    return Profile(
        reading.title,
        rows,
        best(lambda: call.f(*call.args, **call.kwargs), repeat),
        best(lambda: record_call(call), repeat),
    )


def best(call: Callable[[], Any], repeat: int = _REPEAT) -> float:
    """The quickest of several runs, in seconds."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def _forward(reading: Reading, repeat: int) -> list[float]:
    """Seconds of each equation."""
    found = np.full(len(reading.program.eqns), np.inf)
    args = [reading.values[v] for v in reading.program.inputs]
    for _ in range(repeat):
        times: list[float] = []

        def timed(eqn: Eqn, ins: Any, times: list[float] = times) -> Any:
            start = time.perf_counter()
            out = eqn.prim(*ins, **eqn.params)
            times.append(time.perf_counter() - start)
            return out

        with np.errstate(all="ignore"):
            evaluate(reading.program, list(args), arithmetic=timed)
        found = np.minimum(found, times)
    return [float(t) for t in found]


def _backward(reading: Reading, repeat: int) -> dict[int, float]:
    """Seconds of each step of the way back, by the position of its equation."""
    place = {id(entry): n for n, entry in enumerate(reading.builder.entries)}
    targets = [v for v in reading.outs if v in reading.moving]
    best: dict[int, float] = {}
    for _ in range(repeat if targets else 0):
        last = time.perf_counter()

        def seen(entry: Any, gs: Any, back: Any) -> None:
            nonlocal last
            now = time.perf_counter()
            n = place[id(entry)]
            best[n] = min(best.get(n, np.inf), now - last)
            last = time.perf_counter()

        ones = [np.ones(v.type.shape, v.type.dtype)[()] for v in targets]
        reverse(reading.builder, targets, ones, list(reading.inputs.values()), observer=seen)  # type: ignore[arg-type]
    return best


def bytes_of(value: Any) -> int:
    """How large a value is."""
    return int(getattr(value, "nbytes", 8)) if not isinstance(value, tuple | list) else sum(map(bytes_of, value))  # fmt: skip


def _kept(entry: Any, counted: set[int]) -> int:
    """Bytes that an equation keeps for its derivative, each array once."""
    total = 0
    for value in (*(entry[6] or ()), *(entry[7] or ())):
        if value is None or id(value) in counted:
            continue
        counted.add(id(value))
        total += bytes_of(value) if isinstance(value, np.ndarray) else 0
    return total
