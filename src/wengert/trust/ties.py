"""Ties: does a derivative stand on a boundary, or on a path that exact numbers would not take?

The values of a program are followed in balls, and each operation is asked whether its slope jumps
where it stands: a comparison of equal numbers, a maximum of two, a whole number under `floor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program, Var
from wengert.trust import edges
from wengert.trust.balls.evaluate import handler
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import MAYBE, Undecided, ball, each, entered, precision


class Standing:
    """Where a program stands: comparisons that turn, steps, kinks, and comparisons decided otherwise."""

    def __init__(self) -> None:
        self.comparisons: list[Eqn] = []
        self.steps: list[Eqn] = []
        self.kinks: list[Eqn] = []
        self.nested = False  # do more kinks meet than the rules' means are right for?
        self.inside = False  # does it stand on an edge in a loop, as its floats say?
        self.wrong_path = False

    @property
    def firm(self) -> bool:
        """Is the slope the same on both sides of everything?"""
        return not (self.comparisons or self.steps or self.kinks or self.inside or self.wrong_path)

    @property
    def doubtful(self) -> bool:
        """May the rules' answer not be what the sides have in common, or their mean?"""
        return bool(self.comparisons or self.steps or self.nested or self.inside)

    @property
    def selects(self) -> bool:
        """Is it by comparisons alone that the sides are told apart?"""
        turns = [e.prim.name in edges.COMPARISONS for e in self.comparisons]
        return bool(turns) and all(turns) and not self.steps

    @property
    def equality(self) -> bool:
        """Does it stand on a comparison for equality?"""
        return any(e.prim.name in edges.EQUALITIES for e in self.comparisons)


def look(
    program: Program, args: Sequence[Any], movers: int, decisions: Sequence[Any], bits: int = 128
) -> Standing:
    """Follow `program` at exact arguments; `decisions` are the answers that Python was given."""
    standing = Standing()
    if not decisions and not any(e.prim.name in edges.TOLD for e in program.eqns):
        return standing
    moving = edges.moved(program, [True] * movers)
    asked = {node: answer for node, answer, *_ in decisions}
    behind: set[Any] = set()

    def step(eqn: Eqn, ins: Sequence[Any]) -> Any:
        types = tuple(a.type for a in eqn.inputs)
        xs = [
            entered(x, t.dtype) if not isinstance(a, Var) else x
            for a, x, t in zip(eqn.inputs, ins, types, strict=True)
        ]
        outs = tuple(v.type for v in eqn.outputs)
        y = handler(eqn.prim, dict(eqn.params), types, outs)(*xs)
        nested = any(a in behind for a in eqn.inputs)
        if nested:
            behind.update(eqn.outputs)
        if eqn.prim.name in edges.TOLD and any(a in moving for a in eqn.inputs):
            for kind in _kinds(eqn, xs, y):
                if kind == edges.TURN:
                    standing.comparisons.append(eqn)
                elif kind == edges.STEP:
                    standing.steps.append(eqn)
                else:
                    standing.kinks.append(eqn)
                    standing.nested |= nested or kind == edges.CROWD
                    behind.update(eqn.outputs)
        node = eqn.outputs[0]
        if node in asked and (y is MAYBE or bool(y) != asked[node]):
            standing.wrong_path = True
        return y

    with precision(bits):
        values = [entered(a, t.dtype) for a, t in zip(args, program.in_types, strict=True)]
        whole = Program(program.inputs, program.eqns, (), program.sources, program.name)
        with np.errstate(all="ignore"):
            evaluate(whole, values, arithmetic=step)
    return standing


def _same(x: Any, y: Any) -> Any:
    """May balls be equal?"""
    apart = np.asarray(each(lambda a, b: bool(ball(a) != ball(b)), 2)(as_objects(x), as_objects(y)))
    return ~apart.astype(bool)


def _whole(x: Any) -> Any:
    return np.asarray(each(lambda v: bool(v.contains_integer()))(as_objects(x)), bool)


def _sorted(x: Any, axis: int) -> Any:
    """By midpoints: neighbours that may be equal stand beside each other."""
    order = np.argsort(np.asarray(each(lambda v: float(v.mid()))(x), float), axis, kind="stable")
    return np.take_along_axis(x, order, axis)


_BALLS = edges.Numbers(_same, _whole, _sorted)


def _kinds(eqn: Eqn, xs: Sequence[Any], y: Any) -> list[str]:
    try:
        return [kind for kind, _ in edges.of(eqn, [*map(as_objects, xs)], as_objects(y), _BALLS)]
    except Undecided:
        return [edges.TURN]
