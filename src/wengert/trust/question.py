"""A question: the numbers of a finished call, and how to compute them in other ways.

Every number is the value of an output, or a slope: of a weighted sum of outputs (`gs`) along a
direction of the inputs (`dxs`). What the API computes is told here in these terms, so that values
and gradients, rows and columns are looked at alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import WengertError
from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.trust import exact
from wengert.trust.balls.elementwise import RULES
from wengert.trust.balls.evaluate import evaluate
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import Undecided, ball, each, entered
from wengert.trust.retrace import Retraced, retrace

_real = each(RULES["real"])


@dataclass(slots=True)
class Recorded:
    """A function as it was recorded at its arguments: its path, and how to run it again."""

    program: Program
    args: list[Any]
    movers: int
    decisions: list[Any]
    function: Callable[..., Any] | None  # of flat leaves; None: only this path is known
    weak: list[bool]
    names: Callable[[], list[str]] | None = (
        None  # of the arguments that move, as the user calls them
    )
    taken: Sequence[Any] = ()  # whole numbers that Python was given

    @property
    def types(self) -> list[Any]:
        """Types of the arguments that move."""
        return list(self.program.in_types[: self.movers])

    def at(self, values: Sequence[Any]) -> Retraced:
        """The function at balls, through Python where that is known, else along the recorded path."""
        if self.function is None:
            rest = self.args[self.movers :]
            return Retraced(None, [], evaluate(self.program, [*values, *rest]))
        try:
            return retrace(self.function, self.types, self.weak, values)
        except (Undecided, WengertError):
            raise
        except Exception as error:  # it is the user's function, at a point it was not called at
            raise Undecided(f"the function raises {type(error).__name__}: {error}") from error

    def here(self) -> list[Any]:
        """The arguments that move, as balls."""
        pairs = zip(self.args[: self.movers], self.types, strict=True)
        return [entered(a, t.dtype) for a, t in pairs]


@dataclass(slots=True)
class Result:
    """One array of numbers: values of output `output`, or slopes.

    Slopes: `rows` says that the leading axes are those of output `output` (else `gs` weighs the
    outputs); `leaf` that the last axes are those of that argument (else it is moved along `dxs`).
    """

    number: Any
    output: int = 0
    rows: bool = False
    leaf: int | None = None
    gs: Sequence[Any] | None = None
    dxs: Sequence[Any] | None = None
    conjugate: bool = False

    @property
    def is_value(self) -> bool:
        """Is it a value of the function?"""
        return self.leaf is None and self.dxs is None

    def direction(self, recorded: Recorded, at: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
        """Weights of the outputs and direction of the inputs of one number."""
        outs = recorded.program.out_types
        gs: list[Any] = list(self.gs) if self.gs is not None else [None] * len(outs)
        if self.is_value or (self.dxs is not None and self.gs is None):
            gs[self.output] = unit(outs[self.output], at)
        split = len(outs[self.output].shape) if self.rows else 0
        if self.rows:
            gs = [None] * len(outs)
            gs[self.output] = unit(outs[self.output], at[:split])
        dxs: list[Any] = list(self.dxs) if self.dxs is not None else [None] * recorded.movers
        if self.leaf is not None:
            dxs = [None] * recorded.movers
            dxs[self.leaf] = unit(recorded.types[self.leaf], at[split:])
        return gs, dxs


@dataclass(slots=True)
class Question:
    """Results of one call of `what`, on one recorded function."""

    what: str
    results: list[Result]
    recorded: Recorded
    place: Any = None
    bounds: list[Any] = field(default_factory=list)
    refusal: str = ""  # why there is no derivative at all; "" where nothing has said so


def unit(t: Any, at: tuple[int, ...]) -> Any:
    """A unit vector of a type."""
    e = np.zeros(t.shape, t.dtype)
    e[at] = 1
    return e[()]


class Part(NamedTuple):
    """A program and its arguments; per output, which result it is, and at which index (None: all)."""

    places: list[tuple[int, Any]]
    program: Program
    args: list[Any]


def programs(
    results: Sequence[Result], program: Program, args: Sequence[Any], movers: int,
    pull: Pull = exact.pulled, push: Pull = exact.pushed,
) -> Iterator[Part]:  # fmt: skip
    """Programs whose outputs are these results, or rows or columns of them.

    `pull` and `push` derive them: `(program, args, movers, gs or dxs) -> program, args`.
    """
    values = [n for n, r in enumerate(results) if r.is_value]
    if values:
        kept = [program.outputs[results[n].output] for n in values]
        value = Program(program.inputs, program.eqns, kept, program.sources, program.name)
        yield Part([(n, None) for n in values], value, list(args))
    ins, outs = program.in_types[:movers], program.out_types
    leaves = {r.leaf: n for n, r in enumerate(results) if r.leaf is not None and not r.rows}
    if leaves:
        gs = results[next(iter(leaves.values()))].gs
        yield _pulled_part(pull, program, args, movers, filled(gs, outs), leaves, None)
    along = {r.output: n for n, r in enumerate(results) if r.dxs is not None}
    if along:
        dxs = results[next(iter(along.values()))].dxs
        yield _pushed_part(push, program, args, movers, filled(dxs, ins), along, None)
    blocks = {(r.output, r.leaf or 0): n for n, r in enumerate(results) if r.rows}
    rows, columns = {o for o, _ in blocks}, {k for _, k in blocks}
    if sum(outs[o].size for o in rows) <= sum(ins[k].size for k in columns):
        for o in sorted(rows):
            mine = {k: n for (out, k), n in blocks.items() if out == o}
            for at in np.ndindex(outs[o].shape):
                gs = [unit(t, at) if n == o else None for n, t in enumerate(outs)]
                yield _pulled_part(pull, program, args, movers, filled(gs, outs), mine, at)
        return
    for k in sorted(columns):
        mine = {o: n for (o, leaf), n in blocks.items() if leaf == k}
        for at in np.ndindex(ins[k].shape):
            dxs = [unit(t, at) if n == k else None for n, t in enumerate(ins)]
            where = (Ellipsis, *at)
            yield _pushed_part(push, program, args, movers, filled(dxs, ins), mine, where)


Pull = Callable[[Program, Sequence[Any], int, Sequence[Any]], tuple[Program, list[Any]]]


def _pulled_part(
    pull: Pull, program: Program, args: Sequence[Any], movers: int, gs: Any, mine: Any, at: Any
) -> Part:
    back, given = pull(program, args, movers, gs)
    leaves = [k for k in range(movers) if program.in_types[k].inexact]
    return Part([(mine.get(k, -1), at) for k in leaves], back, given)


def _pushed_part(
    push: Pull, program: Program, args: Sequence[Any], movers: int, dxs: Any, mine: Any, at: Any
) -> Part:
    forth, given = push(program, args, movers, dxs)
    inexact = [o for o, t in enumerate(program.out_types) if t.inexact]
    return Part([(mine.get(o, -1), at) for o in inexact], forth, given)


def filled(gs: Sequence[Any] | None, types: Sequence[Any]) -> list[Any]:
    """Cotangents or tangents with zeros for what has none."""
    assert gs is not None
    return [
        np.zeros(t.shape, t.dtype)[()] if g is None else g for g, t in zip(gs, types, strict=True)
    ]


class Line:
    """The weighted outputs along a line through the point: a real function of one ball."""

    def __init__(self, recorded: Recorded, gs: Sequence[Any], dxs: Sequence[Any]) -> None:
        self.recorded, self.gs = recorded, gs
        self.base = recorded.here()
        self.dxs = [None if d is None else entered(d, type_of(d).dtype) for d in dxs]
        self.generic = [
            _generic(b, d, n) for n, (b, d) in enumerate(zip(self.base, dxs, strict=True))
        ]

    def parted(self) -> Line:
        """The same line; what is beside it lies on both sides, by turns."""
        other = copy(self)
        count = iter(range(sum(t.size for t in self.recorded.types)))
        turn = each(lambda v: v if v == 0 else v * (-1) ** next(count))
        other.generic = [turn(as_objects(away)) for away in self.generic]
        return other

    @property
    def size(self) -> int:
        """The binary exponent of the smallest number at the point, at most 0."""
        found = 0
        for x in self.recorded.args[: self.recorded.movers]:
            sizes = np.abs(np.asarray(x))
            nonzero = sizes[(sizes > 0) & np.isfinite(sizes)]
            if nonzero.size:
                found = min(found, int(np.frexp(nonzero.min())[1]) - 1)
        return found

    def __call__(self, t: Any, shift: Any) -> Any:
        point = []
        for x, dx, away in zip(self.base, self.dxs, self.generic, strict=True):
            y = x if dx is None else x + t * dx
            point.append(y if shift == 0 else y + shift * away)
        found = self.recorded.at(point).values
        total = ball(0)
        for g, y in zip(self.gs, found, strict=True):
            if g is not None:
                weights = as_objects(entered(g, type_of(g).dtype))
                for w, v in zip(weights.flat, as_objects(y).flat, strict=True):
                    if w != 0:
                        total = total + w * v
        return RULES["real"](total)


def directions(recorded: Recorded) -> list[list[Any]]:
    """Two directions of the arguments without symmetries."""
    found = []
    for turn in (0.6180339887498949, 0.41421356237309515):
        moves = []
        for n, t in enumerate(recorded.types):
            k = np.arange(t.size).reshape(t.shape) + 31 * n + 1
            moves.append(
                (((k * turn) % 1 + 0.5) * np.where(k * turn % 2 < 1, 1, -1)).astype(t.dtype)
            )
        found.append([m[()] for m in moves])
    return found


def _generic(x: Any, dx: Any, n: int) -> Any:
    """A direction without symmetries, at right angles to dx."""
    x = as_objects(x)
    y = np.empty(x.shape, object)
    still = np.zeros(x.shape, bool) if dx is None else np.asarray(dx) != 0
    for k, at in enumerate(np.ndindex(x.shape)):
        size = 1 + ((k + 1 + 31 * n) * 0.6180339887498949) % 1
        y[at] = ball(0.0 if still[at] else size)
    return y[()] if y.ndim == 0 else y
