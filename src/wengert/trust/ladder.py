"""The ladder: a program evaluated in balls of more and more bits, until its results are pinned.

A number is settled when every point of its ball rounds to it. How many bits the next step takes,
the widths say; 64 suffice for most.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from wengert.ir.program import Program
from wengert.trust.balls.evaluate import evaluate, plan
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import Doubts, flint, precision, rounded
from wengert.trust.slices import sliced

FIRST, LAST = 64, 4096


class Settled:
    """What the ladder found for one result: numbers, balls, and the bits they took (0: open)."""

    __slots__ = ("balls", "bits", "doubtful", "values")

    def __init__(self, plain: Any) -> None:
        self.values = np.array(plain)
        self.bits = np.zeros(self.values.shape, int)
        self.balls = np.empty(self.values.shape, object)
        self.doubtful = False  # was something that is not finite thrown away on the way?


def climb(
    program: Program, args: Sequence[Any], plain: Sequence[Any], masks: Sequence[Any],
    *, slack: int = 1, until: float = np.inf, first: int = FIRST, last: int = LAST,
) -> list[Settled]:  # fmt: skip
    """Settle the marked numbers among the outputs of `program` at exact `args`.

    `plain` are the outputs as plain numbers, which give shapes and formats. `slack`: by how many
    steps of the format a settled number may be off (0: correctly rounded). `until` is a time.
    """
    small = sliced(program, args, masks)
    if small is not None:
        part, given, at = small
        few = [np.asarray(y)[at] for y in plain]
        marks = [np.asarray(m)[at] for m in masks]
        inner = climb(part, given, few, marks, slack=slack, until=until, first=first, last=last)
        return [_spread(y, one, at) for y, one in zip(plain, inner, strict=True)]
    found = [Settled(y) for y in plain]
    open_ = [np.array(m, bool) for m in masks]
    bits = first
    while any(m.any() for m in open_):
        with precision(bits):
            doubts = Doubts.count
            ys = evaluate(program, args)
            doubtful = Doubts.count > doubts
            need = 0
            for one, y, mask in zip(found, ys, open_, strict=True):
                if mask.any():
                    one.doubtful = doubtful
                    need = max(need, _look(one, as_objects(y), mask, bits, slack))
        if bits >= last or perf_counter() > until or not need:
            break
        bits = min(last, max(2 * bits, 1 << (need - 1).bit_length()))
    return found


def _spread(plain: Any, few: Settled, at: Any) -> Settled:
    """What was found for some elements, in the place of all."""
    whole = Settled(plain)
    whole.values[at], whole.bits[at], whole.balls[at] = few.values, few.bits, few.balls
    whole.doubtful = few.doubtful
    return whole


def _look(one: Settled, y: Any, mask: Any, bits: int, slack: int) -> int:
    """Round what can be rounded; how many bits the rest seems to need (0: nothing left)."""
    need = 0
    dtype = one.values.dtype
    for at in zip(*np.nonzero(mask), strict=True) if mask.ndim else [()]:
        x = y[at]
        one.balls[at] = x
        value = pinned(x, dtype, slack)
        if value is not None:
            one.values[at], one.bits[at], mask[at] = value, bits, False
        else:
            need = max(need, _needed(x, dtype, bits))
    return need


def pinned(x: Any, dtype: np.dtype[Any], slack: int) -> Any:
    """The number of the format that a ball rounds to, or None."""
    if type(x) is flint().acb:
        if dtype.kind == "c":
            part = np.zeros((), dtype).real.dtype.type
            parts = rounded(x.real, part, slack), rounded(x.imag, part, slack)
            return None if None in parts else dtype.type(complex(*parts))
        x = x.real
    if dtype.kind == "c":
        part = np.zeros((), dtype).real.dtype.type
        value = rounded(x, part, slack)
        return None if value is None else dtype.type(value)
    return rounded(x, dtype.type, slack)


def _needed(x: Any, dtype: np.dtype[Any], bits: int) -> int:
    if not x.is_finite():
        return 4 * bits
    have = x.rel_accuracy_bits()
    goal = np.finfo(dtype).nmant + 12
    return bits + max(goal - have, 8) if have > -100_000 else 2 * bits


def missing(program: Program) -> list[str]:
    """Primitives of a program that balls cannot go through."""
    return plan(program).missing
