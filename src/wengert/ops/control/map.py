"""map: a program for every example of a batch.

`vmap` writes one such equation, and its derivatives are such equations again. Here it is computed
by the batch rules, in chunks if wished; a loop over the examples is another way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import InternalError
from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle, Values
from wengert.ir.program import Program
from wengert.ir.types import StackType, repeated, single, type_of
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    Tangent,
    dual,
    filled,
    fused_body,
    like,
    parted_body,
    reaches,
    rearranged,
    take,
    transposed_body,
)
from wengert.ops.control.remat import remat
from wengert.ops.control.scan import extent_in
from wengert.ops.control.stacks import Stack, swapped, total


class Map(Holding):
    """`map[body, mapped, extent, chunk](*args)`: the body over the leading axis of what is `mapped`."""

    name = "map"
    tags = {"extent": "extent", "chunk": "value"}

    def typeof(
        self, *types: Any, body: Program, mapped: Flags, extent: int, chunk: int | None
    ) -> Any:
        seen = tuple(single(t) if b else t for t, b in zip(types, mapped, strict=True))
        if seen != body.in_types:
            raise InternalError(f"map is given {types} for:\n{body}")
        return tuple(repeated(t, extent) for t in body.out_types)

    def eval(self, *args: Any, body: Program, mapped: Flags, extent: int, chunk: int | None) -> Any:
        if chunk is None or chunk >= extent:
            return tuple(evaluate(wide(body, mapped, extent), args))
        pieces = []
        for start in range(0, extent, chunk):
            stop = min(start + chunk, extent)
            part = [_rows(a, start, stop) if b else a for a, b in zip(args, mapped, strict=True)]
            pieces.append(evaluate(wide(body, mapped, stop - start), part))
        return tuple(_joined(column) for column in zip(*pieces, strict=True))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        body, tangents = fused_body(params["body"], moving, parted)
        flags = (*params["mapped"], *take(params["mapped"], moving))
        values = tuple(range(len(tangents)))
        return Fused(
            {**params, "body": body, "mapped": flags},
            moving,
            tuple(range(len(flags))),
            values,
            tangents,
        )

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        body, mapped = params["body"], params["mapped"]
        later_outs, first, passed, later = parted_body(body, unknown)
        known, flags = take(args, unknown, False), take(mapped, unknown, False)
        found = self(*known, **{**params, "body": first, "mapped": tuple(flags)})
        count = later_outs.count(False)
        results = iter(found[:count])
        made = found[count:]
        rest = Rest(
            self,
            (*(known[k] for k in passed), *made, *(None,) * sum(unknown)),
            {
                **params,
                "body": later,
                "mapped": (
                    *(flags[k] for k in passed),
                    *(True,) * len(made),
                    *take(mapped, unknown),
                ),
            },
        )
        return [None if u else next(results) for u in later_outs], rest

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        body, mapped = params["body"], params["mapped"]
        outs, back = transposed_body(body, wanted)
        plain = take(args, wanted, False)
        types = self.typeof(*map(type_of, args), **params)
        given = take(filled(gs, outs, types, like(*gs, *plain)), outs)
        flags = (*take(mapped, wanted, False), *(True,) * len(given))
        found = iter(self(*plain, *given, **{**params, "body": back, "mapped": flags}))
        return tuple(
            None if not w else next(found) if m else total(next(found))
            for w, m in zip(wanted, mapped, strict=True)
        )

    def eval_saving(self, wanted: Flags, *args: Any, **params: Any) -> tuple[Values, Tangent]:
        """On the way to be walked back at once, the batch comes first.

        Then cotangents of shared arguments are contractions, not sums of one per example. A trace that
        knows no numbers and has no such cotangents keeps the maps: compiled, both sweeps are one loop.
        """
        own = all(m for w, m in zip(wanted, params["mapped"], strict=True) if w)
        if params["chunk"] is not None or (own and _abstract(args)):
            return super().eval_saving(wanted, *args, **params)
        whole = wide(params["body"], params["mapped"], params["extent"])
        moved, first, second = _linear(whole, wanted)
        with np.errstate(all="ignore"):
            found = evaluate(first, args)
        count = len(whole.outputs)
        rest = Rest(
            remat, (*found[count:], *(None,) * sum(wanted)), {"body": second, "policy": None}
        )
        places = iter(range(sum(moved)))
        tangent = Tangent(
            rest,
            wanted,
            tuple(map(type_of, args)),
            [n for n, w in enumerate(wanted) if w],
            [next(places) if m else None for m in moved],
        )
        return tuple(found[:count]), tangent

    # ---- error bounds --------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.mapped(self, ins, rs, params)

    def lower(
        self, k: Any, *args: Any, body: Program, mapped: Flags, extent: int, chunk: int | None
    ) -> Any:
        found = k.mapped(args, body, mapped, extent)
        return k.inlined(wide(body, mapped, extent), args) if found is None else found

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        inner, outer = params["mapped"], extent_in(batched, args)
        body = passes.batch(params["body"], batched, outer, (True,) * len(params["body"].outputs))
        given = [
            swapped(a) if mine and b else a for a, mine, b in zip(args, inner, batched, strict=True)
        ]
        return tuple(map(swapped, self(*given, **{**params, "body": body})))


map_ = Map()


def _abstract(args: Values) -> bool:
    """Are they values of traces that know no numbers?"""
    return any(isinstance(a, Handle) and a.number() is None for a in args)


@passes.remembered
def wide(body: Program, mapped: Flags, extent: int) -> Program:
    """The body for the whole batch, by the batch rules."""
    return passes.batch(body, mapped, extent, (True,) * len(body.outputs))


@passes.remembered
def _linear(program: Program, moving: Flags) -> Any:
    """A program with its residuals, and its tangents: which results move, `forward`, `tangent`."""
    moved = reaches(program, moving, inexact=True)
    both = dual(program, moving, True, moved)
    n = len(program.inputs)
    whole = rearranged(
        both.program,
        both.program.inputs,
        [*both.outputs, *take(both.doutputs, moved)],
        program.name,
    )
    known = [k < n for k in range(len(whole.inputs))]
    first, second, _ = passes.split(
        whole, known, [k < len(moved) for k in range(len(whole.outputs))]
    )
    return moved, first, second


# ---- chunks ------------------------------------------------------------------------------------------------


def _rows(value: Any, start: int, stop: int) -> Any:
    """Examples start..stop of a batch."""
    if isinstance(value, Stack):
        return Stack(_sized(value.type, stop - start), [_rows(v, start, stop) for v in value.items])
    return value[start:stop]


def _sized(t: Any, extent: int) -> Any:
    return repeated(single(t), extent)


def _joined(pieces: Any) -> Any:
    """Chunks put together; of stacks, the shorter ones are zero beyond their end."""
    if not isinstance(pieces[0], Stack):
        return np.concatenate(pieces)
    length = max(len(p.items) for p in pieces)
    items = [_joined([p.at(k) for p in pieces]) for k in range(length)]
    extent = sum(_extent(p.type) for p in pieces)
    return Stack(_sized(pieces[0].type, extent), items)


def _extent(t: Any) -> int:
    return _extent(t.item) if isinstance(t, StackType) else int(t.shape[0])
