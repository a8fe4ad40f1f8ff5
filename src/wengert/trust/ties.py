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
from wengert.trust.balls.evaluate import handler
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import MAYBE, ball, each, entered, precision

COMPARISONS = frozenset(["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])
_PAIRS = frozenset(["maximum", "minimum", "fmax", "fmin"])
_AT_ZERO = frozenset(["abs", "fabs", "sign", "copysign", "heaviside", "signbit"])
STEPS = frozenset(["floor", "ceil", "trunc", "rint", "floor_divide", "sign", "heaviside"])
_KINKS = _PAIRS | _AT_ZERO
_TOLD = COMPARISONS | _KINKS | STEPS


class Standing:
    """Where a program stands: ties of comparisons, kinks, and comparisons decided otherwise."""

    def __init__(self) -> None:
        self.comparisons: list[Eqn] = []
        self.kinks: list[Eqn] = []
        self.wrong_path = False

    @property
    def firm(self) -> bool:
        """Is the slope the same on both sides of everything?"""
        return not (self.comparisons or self.kinks or self.wrong_path)


def moved(program: Program, movers: int) -> set[Any]:
    """Variables that depend on the first inputs in any way."""
    found: set[Any] = set(program.inputs[:movers])
    for e in program.eqns:
        if any(a in found for a in e.inputs):
            found.update(e.outputs)
    return found


def look(
    program: Program, args: Sequence[Any], movers: int, decisions: Sequence[Any], bits: int = 128
) -> Standing:
    """Follow `program` at exact arguments; `decisions` are the answers that Python was given."""
    standing = Standing()
    if not decisions and not any(e.prim.name in _TOLD for e in program.eqns):
        return standing
    moving = moved(program, movers)
    asked = {node: answer for node, answer, *_ in decisions}

    def step(eqn: Eqn, ins: Sequence[Any]) -> Any:
        types = tuple(a.type for a in eqn.inputs)
        xs = [
            entered(x, t.dtype) if not isinstance(a, Var) else x
            for a, x, t in zip(eqn.inputs, ins, types, strict=True)
        ]
        outs = tuple(v.type for v in eqn.outputs)
        y = handler(eqn.prim, dict(eqn.params), types, outs)(*xs)
        name = eqn.prim.name
        if name in _TOLD and any(a in moving for a in eqn.inputs):
            if name in COMPARISONS and all(t.dtype.kind == "f" for t in types):
                if _any_tie(xs[0], xs[1]):
                    standing.comparisons.append(eqn)
            elif name in _PAIRS:
                if _any_tie(xs[0], xs[1]):
                    standing.kinks.append(eqn)
            elif name in _AT_ZERO:
                if types[0].dtype.kind == "f" and _any_tie(xs[0], ball(0)):
                    standing.kinks.append(eqn)
            elif name in STEPS and types[0].dtype.kind == "f" and _on_step(eqn, xs, y):
                standing.comparisons.append(eqn)
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


def _any_tie(x: Any, y: Any) -> bool:
    apart = each(lambda a, b: bool(a < b) or bool(a > b), 2)(as_objects(x), as_objects(y))
    return not np.all(apart)


def _on_step(eqn: Eqn, xs: Sequence[Any], y: Any) -> bool:
    """Is the argument of a step at (or across) the place where it jumps?"""
    if eqn.prim.name == "floor_divide":
        x = as_objects(xs[0]) / as_objects(xs[1])
    elif eqn.prim.name == "rint":
        x = as_objects(xs[0]) + ball(0.5)
    else:
        x = as_objects(xs[0])
    return any(bool(v.contains_integer()) for v in np.ravel(x))
