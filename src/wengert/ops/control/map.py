"""map: a program for every example of a batch.

`vmap` writes one such equation, and its derivatives are such equations again. Here it is computed
by the batch rules, in chunks if wished; a loop over the examples is another way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle, Values
from wengert.ir.program import Program
from wengert.ir.types import repeated, single, type_of
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    Tangent,
    dual,
    filled,
    like,
    reaches,
    rearranged,
    take,
)
from wengert.ops.control.remat import remat
from wengert.ops.control.scan import extent_in
from wengert.ops.control.stacks import Stack, everywhere, is_stack, plain_zero, swapped, total
from wengert.errors import InternalError
from wengert.ir.types import StackType


class Map(Holding):
    """`map[body, batched, extent, chunk](*args)`: the body over the leading axis of what is batched."""

    name = "map"
    tags = {"extent": "extent", "chunk": "value"}

    def typeof(self, *types: Any, body: Program, batched: Flags, extent: int, chunk: int | None) -> Any:
        seen = tuple(single(t) if b else t for t, b in zip(types, batched, strict=True))
        if seen != body.in_types:
            raise InternalError(f"map is given {types} for:\n{body}")
        return tuple(repeated(t, extent) for t in body.out_types)

    def eval(self, *args: Any, body: Program, batched: Flags, extent: int, chunk: int | None) -> Any:
        if chunk is None or chunk >= extent:
            return tuple(evaluate(_wide(body, batched, extent), args))
        pieces = []
        for start in range(0, extent, chunk):
            stop = min(start + chunk, extent)
            part = [_rows(a, start, stop) if b else a for a, b in zip(args, batched, strict=True)]
            pieces.append(evaluate(_wide(body, batched, stop - start), part))
        return tuple(_joined(column) for column in zip(*pieces, strict=True))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        body, tangents = _fused(params["body"], moving, parted)
        flags = (*params["batched"], *take(params["batched"], moving))
        values = tuple(range(len(tangents)))
        return Fused({**params, "body": body, "batched": flags}, moving, tuple(range(len(flags))), values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        body, batched = params["body"], params["batched"]
        later_outs, first, passed, later = _parted(body, unknown)
        known, flags = take(args, unknown, False), take(batched, unknown, False)
        found = self(*known, **{**params, "body": first, "batched": tuple(flags)})
        count = later_outs.count(False)
        results = iter(found[:count])
        made = found[count:]
        rest = Rest(
            self,
            (*(known[k] for k in passed), *made, *(None,) * sum(unknown)),
            {
                **params,
                "body": later,
                "batched": (*(flags[k] for k in passed), *(True,) * len(made), *take(batched, unknown)),
            },
        )
        return [None if u else next(results) for u in later_outs], rest

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        body, batched = params["body"], params["batched"]
        outs, back = _transposed(body, wanted)
        plain = take(args, wanted, False)
        types = self.typeof(*map(type_of, args), **params)
        given = take(filled(gs, outs, types, like(*gs, *plain)), outs)
        flags = (*take(batched, wanted, False), *(True,) * len(given))
        found = iter(self(*plain, *given, **{**params, "body": back, "batched": flags}))
        return tuple(
            None if not w else next(found) if b else total(next(found))
            for w, b in zip(wanted, batched, strict=True)
        )

    def eval_saving(self, wanted: Flags, *args: Any, **params: Any) -> tuple[Values, Tangent]:
        """On the way to be walked back at once, the batch comes first.

        Then cotangents of shared arguments are contractions, not sums of one per example.
        """
        if params["chunk"] is not None:
            return super().eval_saving(wanted, *args, **params)
        body, batched, extent = params["body"], params["batched"], params["extent"]
        whole = _wide(body, batched, extent)
        moved, first, second = _linear(whole, wanted)
        found = evaluate(first, args)
        count = len(whole.outputs)
        rest = Rest(remat, (*found[count:], *(None,) * sum(wanted)), {"body": second, "policy": None})
        places = iter(range(sum(moved)))
        tangent = Tangent(
            rest,
            wanted,
            tuple(map(type_of, args)),
            [n for n, w in enumerate(wanted) if w],
            [next(places) if m else None for m in moved],
        )
        return tuple(found[:count]), tangent

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        inner, outer = params["batched"], extent_in(batched, args)
        body = passes.batch(params["body"], batched, outer, (True,) * len(params["body"].outputs))
        given = [
            swapped(a) if mine and b and not is_stack(a) else a
            for a, mine, b in zip(args, inner, batched, strict=True)
        ]
        given = [swapped(a) if mine and b and is_stack(a) else a for a, mine, b in zip(given, inner, batched, strict=True)]
        return tuple(map(swapped, self(*given, **{**params, "body": body})))


map_ = Map()


@passes.remembered
def _wide(body: Program, batched: Flags, extent: int) -> Program:
    return passes.batch(body, batched, extent, (True,) * len(body.outputs))
