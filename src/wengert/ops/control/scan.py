"""scan: a loop whose every step takes the next slice of some arrays, and leaves a slice of others.

The arguments are constants of the loop, the values that it carries, and what it runs over. Its body
is a program `(constants, carry, slices) -> (next carry, slices)`.

A scan of length None goes as far as its longest stack: so the derivative of a loop of unknown
length runs over what that loop left behind. With `record` the first stack tells the trips of that
loop, one True per trip; in a batch it says which examples were still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.errors import InternalError
from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Values
from wengert.ir.program import Program, Var
from wengert.ir.types import StackType, type_of
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    dual,
    filled,
    grown,
    like,
    reaches,
    rearranged,
    take,
)
from wengert.ops.control.stacks import (
    choose,
    collected,
    everywhere,
    is_stack,
    item,
    length_of,
    room,
    slice_type,
    stacked,
    swapped,
    zero,
)


class Scan(Holding):
    """`scan[body, consts, carry, length, reverse, record](*constants, *carry, *over)`.

    With `reverse` it begins at the end.
    """

    name = "scan"
    tags = {"consts": "value", "carry": "value", "length": "extent", "reverse": "value"}

    def typeof(
        self, *types: Any, body: Program, consts: int, carry: int, length: int | None, **rest: bool
    ) -> Any:
        seen = (*types[: consts + carry], *map(slice_type, types[consts + carry :]))
        fits(self.name, body, seen, consts, carry)
        return (*body.out_types[:carry], *(stacked(t, length) for t in body.out_types[carry:]))

    def eval(
        self, *args: Any, body: Program, consts: int, carry: int, length: int | None,
        reverse: bool, record: bool = False,
    ) -> Any:  # fmt: skip
        last = consts + carry
        fixed, state, over = args[:consts], list(args[consts:last]), args[last:]
        steps = length_of(over) if length is None else length
        types = [stacked(t, length) for t in body.out_types[carry:]]
        rooms = [room(t, steps) for t in types]
        for k in range(steps - 1, -1, -1) if reverse else range(steps):
            row = [*fixed, *state, *(item(x, k) for x in over)]
            state.clear()
            found = evaluate(body, row, owned=True)
            state = found[:carry]
            for r, y in zip(rooms, found[carry:], strict=True):
                r[k] = y
            del found
        return (*state, *map(collected, rooms, types))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        body, moving, order, values, tangents = fused(
            params["body"], params["consts"], params["carry"], moving, parted
        )
        c, s = params["consts"], params["consts"] + params["carry"]
        counts = {"consts": c + sum(moving[:c]), "carry": s - c + sum(moving[c:s])}
        return Fused({**params, "body": body, **counts}, moving, order, values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        consts, carry = params["consts"], params["carry"]
        plan = parted(params["body"], unknown, consts, carry, params.get("record", False))
        fixed, state, over = args[:consts], args[consts : consts + carry], args[consts + carry :]
        known = [a for a in args if a is not None]
        spare = [zero(t, like(*known)) for t in plan.spare]
        first = self(
            *take(fixed, unknown[:consts], False),
            *take(state, unknown[consts : consts + carry], False),
            *spare,
            *take(over, unknown[consts + carry :], False),
            **{
                **params,
                "body": plan.first,
                "consts": consts - sum(unknown[:consts]),
                "carry": plan.carry,
            },
        )
        found = plan.results(first)
        rest = Rest(
            self,
            (
                *plan.fixed(fixed, first),
                *(None,) * sum(unknown[:consts]),
                *(None,) * sum(unknown[consts : consts + carry]),
                *plan.over(over, first),
                *(None,) * sum(unknown[consts + carry :]),
            ),
            {**params, **plan.later},
        )
        return found, rest

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        body, consts, carry = params["body"], params["consts"], params["carry"]
        linear = grown(body, wanted, consts, carry)
        if not all(linear[consts : consts + carry]):
            return self._transpose_parted(gs, args, linear, **params)
        outs = (*(True,) * carry, *reaches(body, linear)[carry:])
        back = _transposed(body, consts, carry, linear, outs)
        near = like(*gs, *(a for a, m in zip(args, wanted, strict=True) if not m))
        types = self.typeof(*map(type_of, args), **params)
        dense = filled(gs, outs, types, near)
        seeds = [zero(t, near) for t in take(args[:consts], linear[:consts])]
        plain = take(args[:consts], linear[:consts], False)
        over = take(args[consts + carry :], linear[consts + carry :], False)
        found = self(
            *plain,
            *dense[:carry],
            *seeds,
            *over,
            *take(dense[carry:], outs[carry:]),
            **{
                **params,
                "body": back,
                "consts": len(plain),
                "carry": carry + len(seeds),
                "reverse": not params["reverse"],
            },
        )
        state, sums, slices = (
            found[:carry],
            iter(found[carry : carry + len(seeds)]),
            iter(found[carry + len(seeds) :]),
        )
        return (
            *(next(sums) if m else None for m in linear[:consts]),
            *state,
            *(next(slices) if m else None for m in linear[consts + carry :]),
        )

    def _transpose_parted(self, gs: Values, args: Values, linear: Flags, **params: Any) -> Values:
        """Where known values are carried too: run these first, and keep what the linear part reads."""
        known = [None if m else a for a, m in zip(args, linear, strict=True)]
        found, rest = self.part(linear, *known, **params)
        left = [g for g, y in zip(gs, found, strict=True) if y is None]
        types = iter(take(args, linear))
        wanted = tuple(a is None for a in rest.args)
        full = tuple(type_of(next(types)) if a is None else a for a in rest.args)
        back = iter(take(rest.prim.transpose(tuple(left), full, wanted, **rest.params), wanted))
        return tuple(next(back) if m else None for m in linear)

    # ---- error bounds --------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.scanned(self, ins, rs, params)

    def lower(
        self, k: Any, *args: Any, body: Program, consts: int, carry: int, length: int | None,
        reverse: bool, record: bool = False,
    ) -> Any:  # fmt: skip
        types = (*body.out_types[:carry], *(stacked(t, length) for t in body.out_types[carry:]))
        return k.scan(
            args,
            types,
            body=body,
            consts=consts,
            carry=carry,
            length=length,
            reverse=reverse,
        )

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        body, consts, carry = params["body"], params["consts"], params["carry"]
        last = consts + carry
        extent = extent_in(batched, args)
        flags = grown(body, batched, consts, carry)
        masked = params.get("record", False) and flags[last]
        if masked:  # who has finished carries on with what it has
            flags = (*flags[:consts], *(True,) * carry, *flags[last:])
        outs = (*flags[consts:last], *(masked or r for r in reaches(body, flags)[carry:]))
        wide = passes.batch(body, flags, extent, outs)
        if masked:
            wide = _masked(wide, consts, carry)
        state = [
            everywhere(a, extent) if f and not b else a
            for a, f, b in zip(
                args[consts:last], flags[consts:last], batched[consts:last], strict=True
            )
        ]
        over = [
            swapped(a) if b and not is_stack(a) else a
            for a, b in zip(args[last:], flags[last:], strict=True)
        ]
        ys = self(*args[:consts], *state, *over, **{**params, "body": wide})
        found = [y if f else everywhere(y, extent) for y, f in zip(ys, outs, strict=True)]
        return (
            *found[:carry],
            *(
                swapped(y) if f and not is_stack(y) else y
                for y, f in zip(found[carry:], outs[carry:], strict=True)
            ),
        )


scan = Scan()


def fits(name: str, body: Program, seen: tuple[Any, ...], consts: int, carry: int) -> None:
    """Does a body take what it is given, and carry on what it takes?"""
    if body.in_types != seen or body.out_types[:carry] != seen[consts : consts + carry]:
        raise InternalError(
            f"the body of {name} is given {seen} and carries {carry} of them on:\n{body}"
        )


def extent_in(batched: Flags, args: Sequence[Any]) -> int:
    """How many examples the batched arguments hold."""
    t = type_of(next(a for a, b in zip(args, batched, strict=True) if b))
    while isinstance(t, StackType):
        t = t.item
    return int(t.shape[0])


@passes.remembered
def fused(body: Program, consts: int, carry: int, moving: Flags, parted: bool) -> Any:
    """The body for values and tangents, and how arguments and results are put in order."""
    last = consts + carry
    moving = grown(body, moving, consts, carry, inexact=True)
    moved = (*moving[consts:last], *reaches(body, moving, inexact=True)[carry:])
    both = dual(body, moving, parted, moved)
    n = len(moving)
    place = {m: n + k for k, m in enumerate(k for k, f in enumerate(moving) if f)}
    order: list[int] = []
    for group in (range(consts), range(consts, last), range(last, n)):
        order += [*group, *(place[k] for k in group if moving[k])]
    every = (*both.inputs, *both.dinputs)
    outputs: list[Any] = []
    values, tangents = [0] * len(moved), [None] * len(moved)  # type: list[int], list[int | None]
    for group in (range(carry), range(carry, len(moved))):
        for k in group:
            values[k] = len(outputs)
            outputs.append(both.outputs[k])
        for k in group:
            if moved[k]:
                tangents[k] = len(outputs)
                outputs.append(both.doutputs[k])
    program = rearranged(both.program, [every[k] for k in order], outputs)
    return program, moving, tuple(order), tuple(values), tuple(tangents)


@passes.remembered
def _transposed(body: Program, consts: int, carry: int, linear: Flags, outs: Flags) -> Program:
    """`(plain constants, g of the carry, sums, plain slices, g of the slices) -> (g, sums, g of slices)`."""
    kept = rearranged(body, body.inputs, take(body.outputs, outs))
    seeded = tuple(m and k < consts for k, m in enumerate(linear))
    back = passes.transpose(kept, linear, seeded)
    ins, last = list(back.inputs), consts + carry
    plain, ins = ins[: linear[:consts].count(False)], ins[linear[:consts].count(False) :]
    over, ins = ins[: linear[last:].count(False)], ins[linear[last:].count(False) :]
    sums = sum(linear[:consts])
    gs, seeds = ins[: len(ins) - sums], ins[len(ins) - sums :]
    summed, rest = back.outputs[:sums], back.outputs[sums:]
    return rearranged(
        back,
        [*plain, *gs[:carry], *seeds, *over, *gs[carry:]],
        [*rest[:carry], *summed, *rest[carry:]],
    )


@passes.remembered
def _masked(body: Program, consts: int, carry: int) -> Program:
    """A batched body in which only the examples that the first slice marks go on.

    The others keep what they carry and leave zeros: a place in a stack that is not theirs is held
    by another example (`cond.lend`), which must not be given their cotangents.
    """

    def step(*xs: Any) -> list[Any]:
        running = xs[consts + carry]
        found = evaluate(body, xs)
        zeros = [zero(type_of(y), running) for y in found[carry:]]
        rest = [*xs[consts : consts + carry], *zeros]
        return [choose(running, a, b) for a, b in zip(found, rest, strict=True)]

    return passes.sweep(passes.derive(step, body.in_types, body, body.name))


# ---- parting a loop --------------------------------------------------------------------------------------


class Parted:
    """A loop in two: one for the known values, which leaves behind what the other runs over.

    What the second reads of the first is passed on where it is at hand: constants of the loop, what
    it runs over (the record first), results that it collects anyway. Values that are the same in
    every step are carried out of it (`spare`), the others are stacked.
    """

    def __init__(
        self, body: Program, unknown: Flags, consts: int, carry: int, record: bool
    ) -> None:
        last, known = consts + carry, [not u for u in unknown]
        uc, us, count = sum(unknown[:consts]), sum(unknown[consts:last]), sum(unknown)
        self.unknown = (*unknown[consts:last], *reaches(body, unknown)[carry:])  # of the results
        first, second, _ = passes.split(body, known, [not u for u in self.unknown])
        residuals = second.inputs[: len(second.inputs) - count]
        outs = first.outputs[: len(first.outputs) - len(residuals)]
        fixed, over = body.inputs[:consts], body.inputs[last:]
        steady = {*fixed, *_steady(first, fixed, residuals)}
        self.state = carry - us
        results = {a: k for k, a in enumerate(outs) if k >= self.state}

        passed = [v for v in residuals if v in fixed]
        same = [v for v in residuals if v in steady and v not in fixed]
        run = [v for k, v in enumerate(over) if v in residuals or (record and k == 0)]
        left = [v for v in residuals if v not in steady and v not in over]
        again, new = (
            [v for v in left if v in results],
            [v for v in left if v not in results],
        )

        self.spare = [v.type for v in same]
        self.carry = self.state + len(same)
        k = consts - uc + self.state
        self.first = rearranged(
            first,
            [*first.inputs[:k], *map(Var, self.spare), *first.inputs[k:]],
            [*outs[: self.state], *same, *outs[self.state :], *new],
        )
        movers = second.inputs[len(residuals) :]
        self.body = rearranged(
            second,
            [*passed, *same, *movers[: uc + us], *run, *again, *new, *movers[uc + us :]],
            second.outputs,
        )
        self.later: dict[str, Any] = {
            "body": self.body,
            "consts": len(passed) + len(same) + uc,
            "carry": us,
        }
        # where these stand among what the loop is given, and among what the first part returns
        self.passed, self.run = [fixed.index(v) for v in passed], [over.index(v) for v in run]
        self.same = range(self.state, self.carry)
        self.again = [results[v] + len(same) for v in again]
        self.new = range(len(outs) + len(same), len(outs) + len(same) + len(new))

    def results(self, first: Values) -> list[Any]:
        """Results of the whole, None where they come later."""
        known = iter([*first[: self.state], *first[self.carry :]])
        return [None if u else next(known) for u in self.unknown]

    def fixed(self, fixed: Values, first: Values) -> list[Any]:
        """Known constants of the second loop."""
        return [*(fixed[k] for k in self.passed), *(first[k] for k in self.same)]

    def over(self, over: Values, first: Values) -> list[Any]:
        """What the second loop runs over, and is known."""
        return [
            *(over[k] for k in self.run),
            *(first[k] for k in self.again),
            *(first[k] for k in self.new),
        ]


def _steady(first: Program, fixed: Sequence[Var], residuals: Sequence[Var]) -> list[Var]:
    """Which residuals are the same in every step, since they come from constants alone."""
    moves = reaches(first, [v not in fixed for v in first.inputs])
    return [
        v for v, m in zip(residuals, moves[len(moves) - len(residuals) :], strict=True) if not m
    ]


@passes.remembered
def parted(body: Program, unknown: Flags, consts: int, carry: int, record: bool) -> Parted:
    """A scan in two; both run over the record, if there is one."""
    return Parted(body, unknown, consts, carry, record)
