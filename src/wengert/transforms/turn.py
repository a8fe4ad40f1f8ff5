"""turn: a rule that was given in one direction, turned into the other at a point.

A linear function is its own slope. So it is recorded once as a function of what it is linear in,
at zero, with the point's numbers as they are, and the record is walked backwards: that is its
transpose. Nothing is traced without numbers, so rules may branch on the point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.errors import NotDifferentiableError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive, Values
from wengert.ir.types import type_of
from wengert.ops.opaque import zero
from wengert.trace.builder import Builder
from wengert.trace.trace import run
from wengert.trace.tracer import Tracer
from wengert.transforms.reverse import reverse


def tangents(prim: Primitive, dxs: Values, xs: Values, ys: Values, params: Any) -> Any:
    """Tangents of the results of a primitive that only knows how to pull back."""
    wanted = tuple(dx is not None for dx in dxs)
    outs = [type_of(y) for y in ys]
    moved = [t.inexact for t in outs]

    def pull(gs: Sequence[Any]) -> Any:
        rest = iter(gs)
        given = tuple(next(rest) if m else None for m in moved)
        back = prim.pullback(given, xs, ys, wanted, **params)
        if back is NotImplemented:
            raise unknown(prim)
        return [c for c, w in zip(back, wanted, strict=True) if w]

    found = iter(
        turned(pull, [t for t in outs if t.inexact], [dx for dx in dxs if dx is not None], xs)
    )
    return tuple(next(found) if m else None for m in moved)


def cotangents(
    prim: Primitive, gs: Values, xs: Values, ys: Values, wanted: Sequence[bool], params: Any
) -> Any:  # fmt: skip
    """Cotangents of the arguments of a primitive that only knows how to push forward."""
    moved = [type_of(y).inexact for y in ys]

    def push(dxs: Sequence[Any]) -> Any:
        rest = iter(dxs)
        given = tuple(next(rest) if w else None for w in wanted)
        dys = prim.jvp(given, xs, ys, **params)
        if dys is NotImplemented:
            raise unknown(prim)
        return [dy for dy, m in zip(dys, moved, strict=True) if m]

    types = [type_of(x) for x, w in zip(xs, wanted, strict=True) if w]
    found = iter(turned(push, types, [g for g, m in zip(gs, moved, strict=True) if m], xs))
    return tuple(next(found) if w else None for w in wanted)


def unknown(prim: Primitive) -> NotDifferentiableError:
    """The error for an operation that has no rule at all."""
    return NotDifferentiableError(
        f"{prim.name} has no derivative rule", "give it a vjp or a push", source.here()
    )


def turned(
    linear: Callable[..., Any], types: Sequence[Any], gs: Sequence[Any], point: Sequence[Any]
) -> list[Any]:
    """The transpose of `linear` (which takes values of `types`), applied to `gs`; None is zero."""
    builder = Builder("turned", saving=True)
    builder.nested = any(isinstance(a, Handle) for a in point)
    movers = [builder.input(t, zero(t)) for t in types]
    targets, given = [], []
    for y, g in zip(run(builder, lambda *handles: linear(handles), movers), gs, strict=True):
        if isinstance(y, Tracer) and g is not None:
            y.refresh()
            if y.builder is builder:
                targets.append(y.node)
                given.append(g)
    return reverse(builder, targets, given, [m.node for m in movers])
