"""jvp: how the results move when the inputs move (pushforward)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.errors import NotDifferentiableError
from wengert.ir.program import Const, Program
from wengert.transforms.derive import at, derive, read, zeros


def push(prim: Any, dxs: Any, xs: Any, ys: Any, params: Any, types: Any) -> Any:
    """Tangents of one equation's results from its arguments' tangents (None does not move)."""
    if all(dx is None for dx in dxs):
        return (None,) * len(ys)
    if getattr(prim, "dense_tangents", False):
        like = next(dx for dx in dxs if dx is not None)
        dxs = tuple(
            zeros(t, like) if dx is None and t.inexact else dx
            for dx, t in zip(dxs, types, strict=True)
        )
    dys = prim.jvp(tuple(dxs), tuple(xs), ys if isinstance(ys, tuple) else tuple(ys), **params)
    if dys is NotImplemented and prim.at_point:
        from wengert.transforms.turn import tangents

        dys = tangents(prim, dxs, xs, ys, params)
    if dys is NotImplemented:
        raise NotDifferentiableError(
            f"{prim.name} has no derivative rule", "wrap it with @wg.custom_jvp"
        )
    return dys


def jvp(program: Program, moving: Sequence[bool], parted: bool = False) -> Program:
    """`(xs, dxs of the moving inputs) -> (ys, dys of the inexact outputs)`.

    Results that do not move get zeros. A loop carries values and tangents together; `parted`, it
    becomes two, the second of which computes the tangents: then `split` can part the program.
    """
    moving = tuple(moving)
    types = [*program.in_types, *(t for t, m in zip(program.in_types, moving, strict=True) if m)]

    def both(*args: Any) -> list[Any]:
        n = len(program.inputs)
        env: dict[Any, Any] = dict(zip(program.inputs, args[:n], strict=True))
        movers = iter(args[n:])
        tangents: dict[Any, Any] = {
            v: next(movers) for v, m in zip(program.inputs, moving, strict=True) if m
        }
        for eqn in program.eqns:
            with at(eqn):
                xs = [read(env, a) for a in eqn.inputs]
                dxs = [tangents.get(a) for a in eqn.inputs]
                moved = any(dx is not None for dx in dxs)
                forward = getattr(eqn.prim, "jvp_with_value", None)
                if moved and forward is not None:
                    ys, dys = forward(tuple(dxs), tuple(xs), parted=parted, **eqn.params)
                else:
                    ys = (
                        eqn.prim(*xs, **eqn.params)
                        if eqn.inputs
                        else args[0].builder.record(eqn.prim, (), eqn.params)
                    )
                    ys = ys if eqn.prim.multiple else (ys,)
                    types = tuple(a.type for a in eqn.inputs)
                    dys = (
                        push(eqn.prim, dxs, xs, ys, eqn.params, types)
                        if moved
                        else (None,) * len(ys)
                    )
                env.update(zip(eqn.outputs, ys, strict=True))
                tangents.update(
                    (v, dy) for v, dy in zip(eqn.outputs, dys, strict=True) if dy is not None
                )
        outs = [read(env, a) for a in program.outputs]
        douts = []
        for a in program.outputs:
            if a.type.inexact:
                dy = None if isinstance(a, Const) else tangents.get(a)
                douts.append(zeros(a.type, args[0]) if dy is None else dy)
        return [*outs, *douts]

    return derive(both, types, program, f"jvp({program.name})")
