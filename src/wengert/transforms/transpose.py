"""transpose: a linear program run backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.errors import NotDifferentiableError
from wengert.ir.program import Const, Program
from wengert.transforms.derive import accumulate, at, derive, read, zeros


def transpose(
    program: Program, linear: Sequence[bool], seeded: Sequence[bool] | None = None
) -> Program:
    """`(residuals, cotangents of the outputs) -> cotangents of the linear inputs`.

    `program` must be linear in the inputs marked `linear` together. Linear inputs marked `seeded`
    have a cotangent already: it comes as a last argument, and what arrives here is added to it.
    """
    linear = tuple(linear)
    seeds = [v for v, s in zip(program.inputs, seeded or (), strict=bool(seeded)) if s]
    plain = [v for v, m in zip(program.inputs, linear, strict=True) if not m]
    movers = [v for v, m in zip(program.inputs, linear, strict=True) if m]
    types = [*(v.type for v in plain), *program.out_types, *(v.type for v in seeds)]

    def backward(*args: Any) -> list[Any]:
        env: dict[Any, Any] = dict(zip(plain, args[: len(plain)], strict=True))
        moved: set[Any] = set(movers)
        pending = []
        for eqn in program.eqns:
            if any(a in moved for a in eqn.inputs):
                moved.update(eqn.outputs)
                pending.append(eqn)
                continue
            with at(eqn):  # known after all: computed on the way
                ys = (
                    eqn.prim(*(read(env, a) for a in eqn.inputs), **eqn.params)
                    if eqn.inputs
                    else args[0].builder.record(eqn.prim, (), eqn.params)
                )
                env.update(zip(eqn.outputs, ys if eqn.prim.multiple else (ys,), strict=True))
        last = len(plain) + len(program.outputs)
        gs: dict[Any, Any] = dict(zip(seeds, args[last:], strict=True))
        for a, g in zip(program.outputs, args[len(plain) : last], strict=True):
            if not isinstance(a, Const) and a in moved:
                accumulate(gs, a, g)
        for eqn in reversed(pending):
            if not any(v in gs for v in eqn.outputs):
                continue
            with at(eqn):
                given = tuple(gs.pop(v, None) for v in eqn.outputs)
                if eqn.prim.multiple:
                    like = next(g for g in given if g is not None)
                    given = tuple(
                        zeros(v.type, like) if g is None and v.type.inexact else g
                        for g, v in zip(given, eqn.outputs, strict=True)
                    )
                wanted = tuple(a in moved and a.type.inexact for a in eqn.inputs)
                xs = tuple(
                    a.type if w else read(env, a) for a, w in zip(eqn.inputs, wanted, strict=True)
                )
                prim: Any = eqn.prim
                if prim.collects and wanted[0] and eqn.inputs[0] in gs:  # adds in place
                    buffer = [gs.pop(eqn.inputs[0])]
                    gs[eqn.inputs[0]] = prim.collect(buffer, given[0], *xs, **eqn.params)
                    continue
                back = prim.transpose(given, xs, wanted, **eqn.params)
                if back is NotImplemented:
                    raise NotDifferentiableError(
                        f"{eqn.prim.name} has no transpose", "give it a custom vjp"
                    )
                for a, g, w in zip(eqn.inputs, back, wanted, strict=True):
                    if w:
                        accumulate(gs, a, g)
        return [gs[v] if v in gs else zeros(v.type, args[-1]) for v in movers]

    return derive(backward, types, program, f"transpose({program.name})")
