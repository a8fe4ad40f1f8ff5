"""call: a program as one equation, run by whoever runs programs best: what `jit` writes in a trace.

Its derivatives and batches are such equations again, of derived programs. Where a program with such
an equation is compiled itself, the body is written in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Values
from wengert.ir.program import Program
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    filled,
    fused_body,
    like,
    parted_body,
    take,
    transposed_body,
)
from wengert.ops.control.scan import extent_in


class CallProgram(Holding):
    """`call[body](*args)`: the results of the body."""

    name = "call"
    run: Callable[[Program, Sequence[Any]], list[Any]] = staticmethod(evaluate)

    def typeof(self, *types: Any, body: Program) -> Any:
        return body.out_types

    def eval(self, *args: Any, body: Program) -> Any:
        return tuple(self.run(body, args))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        body, tangents = fused_body(params["body"], moving, parted)
        values, order = tuple(range(len(tangents))), tuple(range(len(body.inputs)))
        return Fused({"body": body}, moving, order, values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        later_outs, first, passed, later = parted_body(params["body"], unknown)
        known = take(args, unknown, False)
        found = self(*known, body=first)
        count = later_outs.count(False)
        results = iter(found[:count])
        given = (*(known[k] for k in passed), *found[count:], *(None,) * sum(unknown))
        return [None if u else next(results) for u in later_outs], Rest(
            self, given, {"body": later}
        )

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        outs, back = transposed_body(params["body"], wanted)
        plain = take(args, wanted, False)
        given = take(filled(gs, outs, params["body"].out_types, like(*gs, *plain)), outs)
        found = iter(self(*plain, *given, body=back))
        return tuple(next(found) if w else None for w in wanted)

    # ---- error bounds ------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.called(self, params["body"], ins, rs)

    def lower(self, k: Any, *args: Any, body: Program) -> Any:
        return k.inlined(body, args)

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        body = params["body"]
        wide = passes.batch(body, batched, extent_in(batched, args), (True,) * len(body.outputs))
        return self(*args, body=wide)


call = CallProgram()
