"""batch: a program repeated along a new leading axis of some of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ir.program import Const, Program
from wengert.ir.types import repeated as repeated_type
from wengert.ops.control.stacks import everywhere
from wengert.transforms.derive import at, derive, read


def batch(
    program: Program, batched: Sequence[bool], extent: int, outputs: Sequence[bool] | None = None
) -> Program:
    """All outputs carry the new leading axis, or those marked; inputs only where `batched`."""
    batched = tuple(batched)
    types = [
        repeated_type(t, extent) if b else t for t, b in zip(program.in_types, batched, strict=True)
    ]

    def repeated(*args: Any) -> list[Any]:
        env: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))
        many: set[Any] = {v for v, b in zip(program.inputs, batched, strict=True) if b}
        for eqn in program.eqns:
            with at(eqn):
                xs = [read(env, a) for a in eqn.inputs]
                flags = tuple(a in many for a in eqn.inputs)
                if any(flags):
                    ys = eqn.prim.batch(flags, *xs, **eqn.params)
                    if ys is NotImplemented:
                        from wengert.transforms.repeat import repeated

                        ys = repeated(eqn.prim, flags, xs, extent, eqn.params)
                    many.update(eqn.outputs)
                else:
                    ys = (
                        eqn.prim(*xs, **eqn.params)
                        if xs
                        else args[0].builder.record(eqn.prim, (), eqn.params)
                    )
                env.update(zip(eqn.outputs, ys if eqn.prim.multiple else (ys,), strict=True))
        outs = []
        for a, marked in zip(
            program.outputs, outputs or (True,) * len(program.outputs), strict=True
        ):
            y = read(env, a)
            if marked and (isinstance(a, Const) or a not in many):
                y = _spread(y, extent, args[0])
            outs.append(y)
        return outs

    return derive(repeated, types, program, f"batch({program.name})")


def _spread(y: Any, extent: int, like: Any) -> Any:
    from wengert.ir.primitive import Handle
    from wengert.ir.types import type_of
    from wengert.ops.shape import broadcast

    if isinstance(y, Handle):
        return everywhere(y, extent)
    t = type_of(y)
    params = {"shape": (extent, *t.shape), "dims": tuple(range(1, t.ndim + 1))}
    return like.builder.record(broadcast, (y,), params)
