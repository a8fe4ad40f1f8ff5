"""A question: the numbers of a finished call, and how to compute them in other ways.

Every number is the value of an output, or a slope: of a weighted sum of outputs (`gs`) along a
direction of the inputs (`dxs`). What the API computes is told here in these terms, so that values
and gradients, rows and columns are looked at alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.trust import exact
from wengert.trust.balls.elementwise import RULES
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import ball, each, entered
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

    @property
    def types(self) -> list[Any]:
        """Types of the arguments that move."""
        return list(self.program.in_types[: self.movers])

    def at(self, values: Sequence[Any]) -> Retraced:
        """The function at balls, through Python."""
        assert self.function is not None
        return retrace(self.function, self.types, self.weak, values)

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


def unit(t: Any, at: tuple[int, ...]) -> Any:
    """A unit vector of a type."""
    e = np.zeros(t.shape, t.dtype)
    e[at] = 1
    return e[()]


def programs(
    results: Sequence[Result], program: Program, args: Sequence[Any], movers: int
) -> list[tuple[list[tuple[int, tuple[Any, ...] | None]], Program, list[Any]]]:
    """Programs in exact arithmetic whose outputs are these results, or parts of them.

    Each comes with a list that says, per output, which result it is, and at which leading index.
    """
    found: list[Any] = []
    values = [n for n, r in enumerate(results) if r.is_value]
    if values:
        kept = [program.outputs[results[n].output] for n in values]
        value = Program(program.inputs, program.eqns, kept, program.sources, program.name)
        found.append(([(n, None) for n in values], value, list(args)))
    slopes = [n for n, r in enumerate(results) if not r.is_value]
    whole = [n for n in slopes if not results[n].rows and results[n].leaf is not None]
    if whole:
        gs = results[whole[0]].gs
        assert gs is not None
        back, given = exact.pulled(program, args, movers, filled(gs, program.out_types))
        found.append((_by_leaf(results, whole, program, movers), back, given))
    for output in sorted({results[n].output for n in slopes if results[n].rows}):
        mine = [n for n in slopes if results[n].rows and results[n].output == output]
        t = program.out_types[output]
        if results[mine[0]].leaf is None:  # moved along one direction
            continue
        for at in np.ndindex(t.shape):
            gs = [None] * len(program.outputs)
            gs[output] = unit(t, at)
            back, given = exact.pulled(program, args, movers, filled(gs, program.out_types))
            places = [
                (n, at if p is None else p) for n, p in _by_leaf(results, mine, program, movers)
            ]
            found.append((places, back, given))
    along = [n for n in slopes if results[n].leaf is None]
    if along:
        dxs = results[along[0]].dxs
        assert dxs is not None
        zeros = [np.zeros(t.shape, t.dtype)[()] for t in program.in_types[:movers]]
        moves = [z if dx is None else dx for z, dx in zip(zeros, dxs, strict=True)]
        forth, given = exact.pushed(program, args, movers, moves)
        moving = [n for n, t in enumerate(program.out_types) if t.inexact]
        by_output = {results[n].output: n for n in along}
        places = [(by_output.get(o, -1), None) for o in moving]
        found.append((places, forth, given))
    return found


def _by_leaf(results: Any, chosen: list[int], program: Program, movers: int) -> Any:
    leaves = [k for k in range(movers) if program.in_types[k].inexact]
    by_leaf = {results[n].leaf: n for n in chosen}
    return [(by_leaf.get(k, -1), None) for k in leaves]


def filled(gs: Sequence[Any], types: Sequence[Any]) -> list[Any]:
    """Cotangents with zeros for what has none."""
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


def _generic(x: Any, dx: Any, n: int) -> Any:
    """A direction without symmetries, at right angles to dx."""
    x = as_objects(x)
    y = np.empty(x.shape, object)
    still = np.zeros(x.shape, bool) if dx is None else np.asarray(dx) != 0
    for k, at in enumerate(np.ndindex(x.shape)):
        size = 1 + ((k + 1 + 31 * n) * 0.6180339887498949) % 1
        y[at] = ball(0.0 if still[at] else size)
    return y[()] if y.ndim == 0 else y
