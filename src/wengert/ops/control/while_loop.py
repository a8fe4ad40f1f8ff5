"""while_loop: a loop that goes on as long as its values say so.

The arguments are constants and the values carried; `cond` and `body` take them all. To be run
backwards, a loop leaves behind stacks of what its derivative reads, the first of which is the
record of its trips: one True per trip.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Program, Var
from wengert.ir.types import ArrayType, StackType, type_of
from wengert.ops.compare import logical_and
from wengert.ops.control.cond import lend
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    grown,
    like,
    reaches,
    rearranged,
    take,
)
from wengert.ops.control.scan import Parted, extent_in, fits, fused, scan
from wengert.ops.control.stacks import Stack, choose, everywhere, zero
from wengert.ops.counted import any_
from wengert.ops.shape import broadcast

_RECORD = ArrayType.of((), np.dtype(bool))


class WhileLoop(Holding):
    """`while_loop[cond, body, consts](*constants, *carry) -> (*carry, *stacks)`."""

    name = "while_loop"
    tags = {"consts": "value"}

    def typeof(self, *types: Any, cond: Program, body: Program, consts: int) -> Any:
        carry = len(types) - consts
        fits(self.name, body, types, consts, carry)
        return (*body.out_types[:carry], *map(StackType, body.out_types[carry:]))

    def eval(self, *args: Any, cond: Program, body: Program, consts: int) -> Any:
        fixed, state = args[:consts], list(args[consts:])
        carry = len(state)
        stacks: list[list[Any]] = [[] for _ in body.outputs[carry:]]
        while evaluate(cond, [*fixed, *state])[0]:
            row = [*fixed, *state]
            state.clear()
            found = evaluate(body, row, owned=True)
            state = found[:carry]
            for items, y in zip(stacks, found[carry:], strict=True):
                items.append(y)
            del found
        types = map(StackType, body.out_types[carry:])
        return (*state, *(Stack(t, items) for t, items in zip(types, stacks, strict=True)))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        consts, carry = params["consts"], len(moving) - params["consts"]
        body, moving, order, values, tangents = fused(params["body"], consts, carry, moving, parted)
        settings = {
            "cond": _wider(params["cond"], body, order),
            "body": body,
            "consts": consts + sum(moving[:consts]),
        }
        return Fused(settings, moving, order, values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        consts = params["consts"]
        plan = _parted(params["body"], params["cond"], unknown, consts)
        known = take(args, unknown, False)
        spare = [zero(t, like(*known)) for t in plan.spare]
        first = self(
            *known, *spare, cond=plan.cond, body=plan.first, consts=consts - sum(unknown[:consts])
        )
        record, first = first[plan.carry], (*first[: plan.carry], *first[plan.carry + plan.added :])
        found = plan.results(first)
        rest = Rest(
            scan,
            (
                *plan.fixed(args[:consts], first),
                *(None,) * sum(unknown),
                record,
                *plan.over((), first),
            ),
            {**plan.later, "length": None, "reverse": False, "record": True},
        )
        return found, rest

    # ---- error bounds --------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.repeated_while(self, ins, rs, params)

    def lower(self, k: Any, *args: Any, cond: Program, body: Program, consts: int) -> Any:
        types = self.typeof(*body.in_types, cond=cond, body=body, consts=consts)
        return k.while_loop(args, cond, body, consts, types)

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        cond, body, consts = params["cond"], params["body"], params["consts"]
        carry, extent = len(args) - consts, extent_in(batched, args)
        flags = grown(body, batched, consts, carry)
        together = not reaches(cond, flags)[0]  # do all examples stop at once?
        if not together:
            flags = (*flags[:consts], *(True,) * carry)
        outs = (*flags[consts:], *reaches(body, flags)[carry:])
        state = [
            everywhere(a, extent) if f and not b else a
            for a, f, b in zip(args[consts:], flags[consts:], batched[consts:], strict=True)
        ]
        if together:
            settings = {"cond": passes.batch(cond, flags, extent, (False,)), "consts": consts}
            ys = self(
                *args[:consts], *state, body=passes.batch(body, flags, extent, outs), **settings
            )
            return tuple(y if f else everywhere(y, extent) for y, f in zip(ys, outs, strict=True))
        wide, goes_on, step = _each(cond, body, consts, flags, extent)
        (running,) = evaluate(wide, [*args[:consts], *state])
        ys = self(*args[:consts], running, *state, cond=goes_on, body=step, consts=consts)
        return ys[1:]


while_loop = WhileLoop()


@passes.remembered
def _wider(cond: Program, body: Program, order: tuple[int, ...]) -> Program:
    """A condition for a loop that carries tangents too: it does not look at them."""
    n = len(cond.inputs)
    inputs = [
        cond.inputs[k] if k < n else Var(v.type) for k, v in zip(order, body.inputs, strict=True)
    ]
    return rearranged(cond, inputs, cond.outputs)


class PartedWhile(Parted):
    """A loop in two, whose first part keeps a record of its trips for the second."""

    def __init__(self, body: Program, cond: Program, unknown: Flags, consts: int) -> None:
        carry = len(unknown) - consts
        super().__init__(body, unknown, consts, carry, False)
        first, second = self.first, self.body
        # a loop that leaves stacks has such a record already, as the first of them
        self.added = int(len(body.outputs) == carry)
        if self.added:
            outputs = (*first.outputs[: self.carry], Const(np.True_), *first.outputs[self.carry :])
            self.first = rearranged(first, first.inputs, outputs)
        record = Var(_RECORD if self.added else body.out_types[carry])
        k = self.later["consts"] + self.later["carry"]
        inputs = (*second.inputs[:k], record, *second.inputs[k:])
        self.later = {**self.later, "body": rearranged(second, inputs, second.outputs)}
        spare = [Var(t) for t in self.spare]
        self.cond = rearranged(cond, [*take(cond.inputs, unknown, False), *spare], cond.outputs)


@passes.remembered
def _parted(body: Program, cond: Program, unknown: Flags, consts: int) -> PartedWhile:
    return PartedWhile(body, cond, unknown, consts)


@passes.remembered
def _each(cond: Program, body: Program, consts: int, flags: Flags, extent: int) -> Any:
    """A loop for examples that stop one by one, carrying `running`, which says who has not.

    Whoever has stopped keeps its values. Its place in the computation is lent to an example that
    still runs: so no step is ever made from values that a loop of its own would not have reached.
    """
    wide = passes.batch(cond, flags, extent, (True,))
    every = passes.batch(body, flags, extent, (True,) * len(body.outputs))
    mark = Var(ArrayType.of((extent,), np.dtype(bool)))
    carry = len(flags) - consts

    def goes_on(*xs: Any) -> list[Any]:
        return [any_(xs[consts], axes=(0,))]

    def step(*xs: Any) -> list[Any]:
        running, inputs = xs[consts], [*xs[:consts], *xs[consts + 1 :]]
        found = evaluate(every, lend(running, inputs, flags))
        old = inputs[consts:]
        state = [choose(running, a, b) for a, b in zip(found[:carry], old, strict=True)]
        still = logical_and(running, evaluate(wide, [*inputs[:consts], *state])[0])
        stacks = found[carry:]
        if stacks:  # the record: who made this trip
            spread = broadcast(running, shape=type_of(stacks[0]).shape, dims=(0,))
            stacks[0] = logical_and(stacks[0], spread)
        return [still, *state, *stacks]

    types = [*every.in_types[:consts], mark.type, *every.in_types[consts:]]
    return (
        wide,
        passes.sweep(passes.derive(goes_on, types, cond, "any")),
        passes.sweep(passes.derive(step, types, body, body.name)),
    )
