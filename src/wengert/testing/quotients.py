"""Difference quotients on balls: so many bits, so small a step, that nothing is left to choose.

Only the values of the function are used, never a derivative rule: with 1200 bits and a step of
2⁻³⁰⁰ of the argument's size, what the central quotient errs by is far below any float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertError
from wengert.ir.program import Program, Var
from wengert.ir.types import type_of
from wengert.ops.literal import literal_inputs
from wengert.trace.builder import Builder
from wengert.trace.trace import run
from wengert.trust.balls.evaluate import evaluate, has_rule
from wengert.trust.balls.number import Undecided, entered, flint, precision

_BITS, _STEP = 1200, -300


class Quotients:
    """The program of ⟨w, f⟩ at a point, to be moved along directions."""

    def __init__(self, program: Program, xs: Sequence[Any], weights: Sequence[Any]) -> None:
        self.program, self.xs, self.weights = program, xs, weights

    @classmethod
    def of(
        cls, f: Callable[..., list[Any]], xs: Sequence[Any], weights: Sequence[Any]
    ) -> Quotients | None:
        """None where f cannot be traced, is complex, or holds what has no"""
        if any(np.asarray(x).dtype.kind == "c" for x in xs):
            return None
        builder = Builder("f", saving=True)
        try:
            with np.errstate(all="ignore"):
                tracers = [builder.input(type_of(x), x) for x in xs]
                outs = run(builder, lambda *args: f(*args), tracers)
        except Exception:  # (a stranger's function may raise anything on traced values)
            return None
        program = literal_inputs(builder.program(outs), [v for _, v in builder.captured])
        real = all(isinstance(a, Var) and a.type.dtype.kind == "f" for a in program.outputs)
        if not real or not all(has_rule(e.prim) for e in program.eqns):
            return None
        return cls(program, xs, weights)

    def along(self, dxs: Sequence[Any], scale: float) -> tuple[float, float] | None:
        """The slope along a direction and its error; None where it does not settle."""
        try:
            with precision(_BITS):
                arb = flint().arb
                step = arb(scale) * arb(2) ** _STEP
                near, far = self._quotient(dxs, step), self._quotient(dxs, 2 * step)
                if not (near.is_finite() and far.is_finite()):
                    return None
                error = float((near - far).abs_upper())
                slope = float(near.mid())
        except (WengertError, Undecided, ZeroDivisionError):
            return None
        if not error <= 1e-20 * abs(slope) + 1e-60:
            return None
        return slope, error

    def value(self, dxs: Sequence[Any], t: float) -> float | None:
        """⟨w, f⟩ at t along a direction."""
        try:
            with precision(_BITS):
                y = self._value(dxs, flint().arb(t))
                return float(y.mid()) if y.is_finite() else None
        except (WengertError, Undecided, ZeroDivisionError):
            return None

    def _quotient(self, dxs: Sequence[Any], step: Any) -> Any:
        return (self._value(dxs, step) - self._value(dxs, -step)) / (2 * step)

    def _value(self, dxs: Sequence[Any], t: Any) -> Any:
        moved = [
            entered(x, np.asarray(x).dtype) + entered(dx, np.asarray(dx).dtype) * t
            for x, dx in zip(self.xs, dxs, strict=True)
        ]
        total = flint().arb(0)
        for w, y in zip(self.weights, evaluate(self.program, moved), strict=True):
            total = total + np.sum(entered(w, np.asarray(w).dtype) * y)
        return total
