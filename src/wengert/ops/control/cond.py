"""cond: one of two programs, as a value says.

In a batch each branch runs if some example takes it, on those examples only: the others lend it
nothing. Their places are taken by one that does, so nothing is computed that a call of its own
would not have computed, and no nan, overflow or wrong index of a branch not taken comes up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import InternalError
from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Values
from wengert.ir.program import Program, Var
from wengert.ir.types import ArrayType, type_of
from wengert.ops.compare import logical_not, select
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    dual,
    filled,
    like,
    reaches,
    rearranged,
    take,
    zero_atom,
)
from wengert.ops.control.scan import extent_in
from wengert.ops.control.stacks import choose, everywhere, rows, zero
from wengert.ops.counted import all_, any_, argmax


class Cond(Holding):
    """`cond[true, false](which, *args)`; both programs take all the arguments."""

    name = "cond"

    def typeof(self, which: Any, *types: Any, true: Program, false: Program) -> Any:
        if true.in_types != types or false.in_types != types or true.out_types != false.out_types:
            raise InternalError(f"the branches of cond are given {types}:\n{true}\n{false}")
        return true.out_types

    def eval(self, which: Any, *args: Any, true: Program, false: Program) -> Any:
        return tuple(evaluate(true if which else false, args))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        true, false, tangents = _fused(params["true"], params["false"], moving[1:], parted)
        n = len(moving) + sum(moving)
        values = tuple(range(len(tangents)))
        return Fused({"true": true, "false": false}, moving, tuple(range(n)), values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        plan = _parted(params["true"], params["false"], unknown[1:])
        which, known = args[0], take(args, unknown, False)[1:]
        first = self(which, *known, true=plan.first[0], false=plan.first[1])
        count = plan.later_outs.count(False)
        results = iter(first[:count])
        found = [None if u else next(results) for u in plan.later_outs]
        given = (which, *(known[k] for k in plan.passed), *first[count:], *(None,) * sum(unknown))
        return found, Rest(self, given, {"true": plan.later[0], "false": plan.later[1]})

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        outs, true, false = _transposed(params["true"], params["false"], wanted[1:])
        plain = take(args, wanted, False)
        types = params["true"].out_types
        given = take(filled(gs, outs, types, like(*gs, *plain)), outs)
        found = iter(self(*plain, *given, true=true, false=false))
        return tuple(next(found) if w else None for w in wanted)

    # ---- error bounds --------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.branches(self, ins, rs, **params)

    def lower(self, k: Any, which: Any, *args: Any, true: Program, false: Program) -> Any:
        return k.cond(which, args, true, false)

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        true, false, extent = params["true"], params["false"], extent_in(batched, args)
        if not batched[0]:
            wide = [
                passes.batch(p, batched[1:], extent, (True,) * len(p.outputs))
                for p in (true, false)
            ]
            return self(*args, true=wide[0], false=wide[1])
        which = args[0]
        found = []
        for mark, program in ((which, true), (logical_not(which), false)):
            taken, skipped = _for_some(program, batched[1:], extent)
            found.append(self(any_(mark, axes=(0,)), mark, *args[1:], true=taken, false=skipped))
        return tuple(choose(which, a, b) for a, b in zip(*found, strict=True))


cond = Cond()


@passes.remembered
def _fused(true: Program, false: Program, moving: Flags, parted: bool) -> Any:
    moved = tuple(
        a or b
        for a, b in zip(reaches(true, moving, True), reaches(false, moving, True), strict=True)
    )
    both = [dual(p, moving, parted, moved) for p in (true, false)]
    programs = [
        rearranged(
            d.program, [*d.inputs, *d.dinputs], [*d.outputs, *take(d.doutputs, moved)], p.name
        )
        for d, p in zip(both, (true, false), strict=True)
    ]
    places = iter(range(len(moved), len(moved) + sum(moved)))
    return programs[0], programs[1], tuple(next(places) if m else None for m in moved)


@passes.remembered
def _transposed(true: Program, false: Program, linear: Flags) -> Any:
    outs = tuple(a or b for a, b in zip(reaches(true, linear), reaches(false, linear), strict=True))
    kept = (rearranged(p, p.inputs, take(p.outputs, outs)) for p in (true, false))
    return outs, *(passes.transpose(p, linear) for p in kept)


class Parted:
    """Two branches, each in two: the first ones leave their residuals in slots that they share."""

    def __init__(self, branches: tuple[Program, Program], unknown: Flags) -> None:
        self.later_outs = tuple(
            a or b for a, b in zip(*(reaches(p, unknown) for p in branches), strict=True)
        )
        known = [not u for u in self.later_outs]
        halves = [passes.split(p, [not u for u in unknown], known)[:2] for p in branches]
        residuals = [second.inputs[: len(second.inputs) - sum(unknown)] for _, second in halves]
        used = [
            [first.inputs.index(v) for v in vs if v in first.inputs]
            for (first, _), vs in zip(halves, residuals, strict=True)
        ]
        self.passed = sorted({k for ks in used for k in ks})
        made = [
            [v for v in vs if v not in first.inputs]
            for (first, _), vs in zip(halves, residuals, strict=True)
        ]
        slots, places = _slots(made)
        self.first, self.later = [], []
        for (first, second), mine, at in zip(halves, made, places, strict=True):
            eqns = list(first.eqns)
            owner = dict(zip(at, mine, strict=True))
            kept = [owner[k] if k in owner else zero_atom(t, eqns) for k, t in enumerate(slots)]
            outputs = [*first.outputs[: sum(known)], *kept]
            whole = Program(first.inputs, eqns, outputs, first.sources, first.name)
            self.first.append(passes.sweep(whole))
            inputs = [
                *(
                    first.inputs[k]
                    if first.inputs[k] in second.inputs
                    else Var(first.inputs[k].type)
                    for k in self.passed
                ),
                *(owner[k] if k in owner else Var(t) for k, t in enumerate(slots)),
                *second.inputs[len(second.inputs) - sum(unknown) :],
            ]
            self.later.append(rearranged(second, inputs, second.outputs))


def _slots(made: list[list[Var]]) -> tuple[list[Any], list[list[int]]]:
    """Types of the slots, and which of them each branch's values take: one slot serves both."""
    slots: list[Any] = []
    places = []
    for values in made:
        free = list(range(len(slots)))
        mine = []
        for v in values:
            k = next((k for k in free if slots[k] == v.type), None)
            if k is None:
                k = len(slots)
                slots.append(v.type)
            else:
                free.remove(k)
            mine.append(k)
        places.append(mine)
    return slots, places


@passes.remembered
def _parted(true: Program, false: Program, unknown: Flags) -> Parted:
    return Parted((true, false), unknown)


# ---- branches in a batch --------------------------------------------------------------------------------


@passes.remembered
def _for_some(program: Program, flags: Flags, extent: int) -> tuple[Program, Program]:
    """`(mark, *args)`: a branch for the examples that are marked, and zeros if there are none."""
    wide = passes.batch(program, flags, extent, (True,) * len(program.outputs))
    mark = ArrayType.of((extent,), np.dtype(bool))

    def taken(marked: Any, *args: Any) -> list[Any]:
        return evaluate(wide, lend(marked, args, flags))

    def skipped(marked: Any, *args: Any) -> list[Any]:
        return [zero(t, marked) for t in wide.out_types]

    types = [mark, *wide.in_types]
    return (
        passes.sweep(passes.derive(taken, types, program, program.name)),
        passes.sweep(passes.derive(skipped, types, program, "zeros")),
    )


def lend(mark: Any, args: Any, flags: Flags) -> list[Any]:
    """Batched arguments in which a marked example stands in the place of all that are not."""
    batched = take(args, flags)
    if not batched:
        return list(args)
    keep, replace = _lending(tuple(map(type_of, batched)))
    lent = iter(cond(all_(mark, axes=(0,)), mark, *batched, true=keep, false=replace))
    return [next(lent) if f else a for a, f in zip(args, flags, strict=True)]


@passes.remembered
def _lending(types: tuple[Any, ...]) -> tuple[Program, Program]:
    extent = extent_in((True,) * len(types), types)
    inputs = [ArrayType.of((extent,), np.dtype(bool)), *types]

    def replace(mark: Any, *args: Any) -> list[Any]:
        mine = np.arange(extent)
        who = select(mark, mine, everywhere(argmax(mark, axes=(0,)), extent))
        return [rows(a, who) for a in args]

    return (
        passes.derive(lambda mark, *args: list(args), inputs, _NOBODY, "same"),
        passes.derive(replace, inputs, _NOBODY, "lent"),
    )


_NOBODY = Program((), (), ())
