"""remat: a program whose values are not kept for the derivative, but computed again.

Only the arguments are kept (and what `policy` asks for), so memory falls and time grows by about
one forward run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Values
from wengert.ir.program import Eqn, Program, Var
from wengert.ops.control.holding import (
    Flags,
    Fused,
    Holding,
    Rest,
    filled,
    fused_body,
    like,
    reaches,
    rearranged,
    take,
    transposed_body,
)
from wengert.ops.control.scan import extent_in

Policy = Callable[[Eqn], bool] | None


class Remat(Holding):
    """`remat[body, policy](*args)`; `policy(equation)` says whether its results are kept after all."""

    name = "remat"

    def typeof(self, *types: Any, body: Program, policy: Policy) -> Any:
        return body.out_types

    def eval(self, *args: Any, body: Program, policy: Policy) -> Any:
        return tuple(evaluate(body, args))

    # ---- derivatives -----------------------------------------------------------------------------
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        body, tangents = fused_body(params["body"], moving, parted)
        values, order = tuple(range(len(tangents))), tuple(range(len(body.inputs)))
        return Fused({**params, "body": body}, moving, order, values, tangents)

    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        policy = params["policy"]
        later_outs, first, later = _parted(params["body"], unknown, policy)
        known = take(args, unknown, False)
        made = self(*known, body=first, policy=policy)
        count = later_outs.count(False)
        results = iter(made[:count])
        rest = Rest(
            self, (*known, *made[count:], *(None,) * sum(unknown)), {**params, "body": later}
        )
        return [None if u else next(results) for u in later_outs], rest

    def transpose(self, gs: Values, args: Values, wanted: Flags, **params: Any) -> Values:
        outs, back = transposed_body(params["body"], wanted)
        plain = take(args, wanted, False)
        given = take(filled(gs, outs, params["body"].out_types, like(*gs, *plain)), outs)
        found = iter(self(*plain, *given, **{**params, "body": back}))
        return tuple(next(found) if w else None for w in wanted)

    # ---- error bounds --------------------------------------------------------------------------------
    def bounded(self, ins: Any, rs: Any, **params: Any) -> Any:
        from wengert.ops.control import enclosing

        return enclosing.remat(params["body"], ins, rs)

    def lower(self, k: Any, *args: Any, body: Program, policy: Policy) -> Any:
        return k.inlined(
            body, args, late=True
        )  # what is computed again must not be kept until then

    # ---- repetition --------------------------------------------------------------------------------
    def batch(self, batched: Flags, *args: Any, **params: Any) -> Any:
        body = params["body"]
        wide = passes.batch(body, batched, extent_in(batched, args), (True,) * len(body.outputs))
        return self(*args, **{**params, "body": wide})


remat = Remat()


@passes.remembered
def _parted(body: Program, unknown: Flags, policy: Policy) -> Any:
    """Which results come later; what is known, with what the policy keeps; everything again."""
    later_outs = reaches(body, unknown)
    sure = {v for v, u in zip(body.inputs, unknown, strict=True) if not u}
    kept: list[Var] = []
    eqns = []
    for e in body.eqns:
        if all(a in sure for a in e.inputs if isinstance(a, Var)):
            sure.update(e.outputs)
            if policy is not None and policy(e):
                kept += e.outputs
                continue
        eqns.append(e)
    known = take(body.inputs, unknown, False)
    first = rearranged(body, known, [*take(body.outputs, later_outs, False), *kept])
    rest = Program(
        [*known, *kept, *take(body.inputs, unknown)],
        eqns,
        take(body.outputs, later_outs),
        body.sources,
        body.name,
    )
    return later_outs, first, passes.sweep(rest)
