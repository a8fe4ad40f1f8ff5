"""forward: tangents pushed along while the user's function runs. No list is kept.

`PushBuilder` stands in the place of the recording builder: each equation is computed and its
tangent pushed at once, by the same jvp rules as everywhere. A tangent lives exactly as long as the
traced value that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.errors import TracerLeakError
from wengert.ir import source
from wengert.ir.evaluate import alone, call_reusing
from wengert.ir.primitive import Primitive
from wengert.ir.program import Const, Program, Var
from wengert.ir.types import type_of
from wengert.ops.shape import broadcast
from wengert.trace.body import body
from wengert.trace.buffers import unchanged
from wengert.trace.builder import Builder
from wengert.trace.idle import plain
from wengert.trace.tracer import Tracer
from wengert.transforms.derive import zeros
from wengert.transforms.jvp import push

_NOTHING: dict[str, Any] = {}


class Moving(Var):
    """A variable that carries its tangent (None: it does not move)."""

    __slots__ = ("tangent",)

    def __init__(self, type: Any, tangent: Any) -> None:
        self.type = type
        self.tangent = tangent


class PushBuilder(Builder):
    """A builder that computes values and tangents and forgets the equations."""

    __slots__ = ("settling",)

    def __init__(self, name: str = "forward") -> None:
        super().__init__(name, saving=True)
        self.settling = False  # have vectors moved that are fixed up to a basis?

    def moving(self, type: Any, value: Any, weak: bool, tangent: Any) -> Tracer:
        """An input with its tangent."""
        if isinstance(value, Tracer) or isinstance(tangent, Tracer):
            self.nested = True
        value, tangent = (a.snapshot() if isinstance(a, Tracer) else a for a in (value, tangent))
        return Tracer(self, Moving(type, tangent), value, weak)

    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Compute one equation and push its tangent."""
        inner = body.get()
        if inner is not None and inner.serial > self.serial:
            return inner.record(prim, args, params)
        if self.closed:
            raise TracerLeakError(
                "a traced value is used after the function that was traced had returned",
                "return it from the function, or use has_aux=True, instead of storing it outside",
                source.here(),
            )
        values: list[Any] = []
        dxs: list[Any] = []
        for arg in args:
            if type(arg) is Tracer:
                if arg.window is not None and arg.window.stale:
                    was = arg.builder
                    arg.refresh()
                    if arg.builder is not was:
                        return prim(*args, **params)
                if arg.builder.serial < 0:
                    values.append(plain(arg))
                    dxs.append(None)
                    continue
                if arg.builder is self:
                    values.append(arg.value)
                    dxs.append(arg.node.tangent)
                    continue
                self.nested = True
            values.append(arg)
            dxs.append(None)
        return self._push(prim, values, dxs, params)

    def capture(self, value: Any) -> Moving:
        """A value from outside: it does not move."""
        if isinstance(value, Tracer):
            self.nested = True
        return Moving(type_of(value), None)

    def change(
        self,
        handle: Tracer,
        prim: Primitive,
        args: Sequence[Any],
        params: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Write into a handle: number and tangent both give their memory, if nobody else holds it."""
        self.borrow(handle)
        given = [a if not isinstance(a, Tracer) or a.builder is not self else a.value for a in args]
        written = args[
            0
        ]  # the operations that change a handle are linear in it and in what is written
        dv = (
            written.node.tangent
            if isinstance(written, Tracer) and written.builder is self
            else None
        )
        holder, nodes = [handle.value], [handle.node]
        handle.value = handle.node = None
        dx = nodes[0].tangent
        if alone(nodes):
            nodes[0].tangent = None
        try:
            y = call_reusing(prim, holder, [None, *given], params)
        except BaseException:
            handle.value, handle.node = holder.pop(), nodes[0]
            nodes[0].tangent = dx
            raise
        if dx is not None or dv is not None:
            tangents = [zeros(nodes[0].type, dv) if dx is None else dx]
            dx = None
            step = zeros(type_of(written), tangents[0]) if dv is None else dv
            dx = call_reusing(prim, tangents, [None, step, *given[1:]], params)
        self.bind(handle, Tracer(self, Moving(type_of(y), dx), y))

    def _push(
        self, prim: Primitive, values: list[Any], dxs: list[Any], params: Mapping[str, Any]
    ) -> Any:
        both = getattr(prim, "jvp_with_value", None)
        if both is not None and any(dx is not None for dx in dxs):
            ys, dys = both(tuple(dxs), tuple(values), **params)
        else:
            ys = prim(*values, **params)
            ys = ys if prim.multiple else (ys,)
            if all(dx is None for dx in dxs):
                dys = (None,) * len(ys)
            else:
                self.settling |= prim.settles
                with np.errstate(all="ignore"):  # the user's own warnings come from `prim` above
                    dys = push(prim, dxs, values, ys, params, [type_of(v) for v in values])
        found = tuple(
            Tracer(self, Moving(type_of(y), dy), y) for y, dy in zip(ys, dys, strict=True)
        )
        return found if prim.multiple else found[0]


def linear_part(
    builder: Builder, sources: list[Var], targets: list[Any]
) -> tuple[Program, list[Any]]:
    """The tangent program of a recording at its numbers, and the residuals it captured.

    `program(*tangents of sources, *residuals) -> tangents of targets`; targets that do not move
    give zeros. Numbers are fixed, so Python control flow has been decided already.
    """
    if builder.watched:
        unchanged(builder)
    tape = Builder(f"tangent({builder.name})")
    tangents: dict[Any, Any] = {v: tape.input(v.type) for v in sources}
    for prim, inputs, params, outputs, origin, wanted, xs, ys in builder.entries:
        if wanted is None:
            continue
        dxs = [tangents.get(a) for a in inputs]
        if all(dx is None for dx in dxs):
            continue
        types = [a.type for a in inputs]
        values = (
            types if xs is None else [t if x is None else x for x, t in zip(xs, types, strict=True)]
        )
        token = source.current.set(origin)
        try:
            if prim.saves:
                dys = ys.push(dxs)
            else:
                dys = push(prim, dxs, values, ys or (None,) * len(outputs), params, types)
        finally:
            source.current.reset(token)
        tangents.update((v, dy) for v, dy in zip(outputs, dys, strict=True) if dy is not None)
    found = []
    for v in targets:
        dy = None if isinstance(v, Const) else tangents.get(v)
        found.append(
            tape.record(broadcast, (v.type.dtype.type(0),), {"shape": v.type.shape, "dims": ()})
            if dy is None
            else dy
        )
    return tape.program(found), [value for _, value in tape.captured]
