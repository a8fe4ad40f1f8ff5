"""The arithmetic of duals: every equation is computed at once, with all its derivatives.

`DualBuilder` pushes tangents as forward mode does, but each tangent has a leading axis, one row per
derivative. Where a primitive works element by element, NumPy's broadcasting carries that axis
through its rule; elsewhere the rule runs on `RowsBuilder`'s tracers, which answer each call by the
primitive's own batch rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive
from wengert.ir.program import Var
from wengert.ir.types import ArrayType, type_of
from wengert.trace.body import body
from wengert.trace.builder import Builder
from wengert.trace.tracer import Tracer
from wengert.transforms.forward import Moving, PushBuilder
from wengert.transforms.jvp import push

_INNERMOST = 1 << 62  # duals wrap whatever traces are running, so they record before any of them


class RowsBuilder(Builder):
    """Computes each equation for all rows together; keeps no list.

    A tracer here has the type of one row. Its value has the leading axis if it is `many`.
    """

    __slots__ = ("length",)

    def __init__(self, length: int, serial: int) -> None:
        super().__init__("rows", saving=True)
        self.length, self.serial = length, serial

    def rows(self, values: Any) -> Tracer:
        """One value per row, along the leading axis of `values`."""
        t = type_of(values)
        return Tracer(self, Row(ArrayType.of(t.shape[1:], t.dtype), True), values)

    def record(self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = {}) -> Any:
        """Apply `prim` to every row."""
        many = tuple(isinstance(a, Tracer) and a.builder is self and a.node.many for a in args)
        values = [a.value if isinstance(a, Tracer) and a.builder is self else a for a in args]
        ys = (
            _repeated(prim, many, values, params, self.length)
            if any(many)
            else prim(*values, **params)
        )
        if not prim.multiple:
            return self._wrapped(ys, any(many))
        return tuple(self._wrapped(y, any(many)) for y in ys)

    def record_reusing(
        self, prim: Primitive, holder: list[Any], args: list[Any], params: Mapping[str, Any]
    ) -> Any:
        """`record`; nobody's memory is reused."""
        args[prim.reuses or 0] = holder.pop()
        return self.record(prim, tuple(args), params)

    def _wrapped(self, y: Any, many: bool) -> Tracer:
        return self.rows(y) if many else Tracer(self, Row(type_of(y), False), y)

    def spread(self, y: Any, t: ArrayType) -> Any:
        """A tangent with its leading axis: zeros for None, a repeated view for equal rows.

        None where the result is an integer or a boolean and has no tangent.
        """
        if not t.inexact:
            return None
        if y is None:
            return np.zeros((self.length, *t.shape), t.dtype)
        if isinstance(y, Tracer) and y.builder is self:
            if y.node.many:
                return y.value
            y = y.value
        return np.broadcast_to(y, (self.length, *t.shape))


class Row(Var):
    """The variable of one row; `many`: do rows differ?"""

    __slots__ = ("many",)

    def __init__(self, type: ArrayType, many: bool) -> None:
        self.type = type
        self.many = many


def _repeated(
    prim: Primitive,
    many: tuple[bool, ...],
    values: list[Any],
    params: Mapping[str, Any],
    length: int,
) -> Any:
    """The primitive's batch rule, or a loop over the rows where it has none."""
    ys = prim.batch(many, *values, **params)
    if ys is not NotImplemented:
        return ys
    rows = [
        prim(*(v[k] if m else v for v, m in zip(values, many, strict=True)), **params)
        for k in range(length)
    ]
    return (
        tuple(np.stack(column) for column in zip(*rows, strict=True))
        if prim.multiple
        else np.stack(rows)
    )


class DualBuilder(PushBuilder):
    """Values and all their derivatives at once, for duals of one depth.

    Depth 1 holds numbers (or tracers of a running trace), depth 2 holds duals of depth 1, and so
    on: duals of duals carry second derivatives. There is one builder per depth, so that duals made
    in different places mix.
    """

    __slots__ = ("depth",)

    def __init__(self, depth: int) -> None:
        super().__init__(f"duals of depth {depth}")
        self.depth = depth
        self.serial = _INNERMOST + 2 * depth

    def record(self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = {}) -> Any:
        """Push derivatives; a body that is being traced captures duals from outside instead."""
        inner = body.get()
        if inner is not None and not any(_made_in(inner, a) for a in args):
            return inner.record(prim, args, params)
        return super().record(prim, args, params)

    def change(
        self, handle: Tracer, prim: Primitive, args: Sequence[Any], params: Mapping[str, Any] = {}
    ) -> None:
        """Let `handle` name the result of `prim(handle, *args)`; memory is not reused."""
        self.borrow(handle)
        before = Tracer(self, handle.node, handle.value)
        self.bind(handle, self.record(prim, (before, *args), params))

    def shown(self, handle: Tracer) -> Any:
        """A dual."""
        from wengert.dual.scalar import outside

        return outside(handle)

    def borrow(self, handle: Tracer) -> None:
        """A handle that is written with duals holds duals from now on."""
        if handle.builder is not self:
            value = handle.snapshot()
            handle.builder, handle.node, handle.value = self, self.capture(value), value

    def _push(
        self, prim: Primitive, values: list[Any], dxs: list[Any], params: Mapping[str, Any]
    ) -> Any:
        length = _length(dxs)
        if length is None:
            ys = prim(*values, **params)
            ys = ys if prim.multiple else (ys,)
            dys: Any = (None,) * len(ys)
        else:
            ys, dys = self._moved(prim, values, dxs, params, length)
        found = tuple(
            Tracer(self, Moving(type_of(y), dy), y) for y, dy in zip(ys, dys, strict=True)
        )
        return found if prim.multiple else found[0]

    def _moved(
        self,
        prim: Primitive,
        values: list[Any],
        dxs: list[Any],
        params: Mapping[str, Any],
        length: int,
    ) -> tuple[Any, list[Any]]:
        """Results and their derivatives, where some argument moves."""
        rows = RowsBuilder(length, self.serial + 1)
        both = getattr(prim, "jvp_with_value", None)
        if both is not None:
            moves = tuple(None if dx is None else rows.rows(dx) for dx in dxs)
            with np.errstate(all="ignore"):
                ys, dys = both(moves, tuple(values), parted=True, **params)
            ys = tuple(y.value if isinstance(y, Tracer) and y.builder is rows else y for y in ys)
            return ys, [rows.spread(dy, type_of(y)) for y, dy in zip(ys, dys, strict=True)]
        ys = prim(*values, **params)
        ys = ys if prim.multiple else (ys,)
        with np.errstate(all="ignore"):  # the user's own warnings come from `prim` above
            if getattr(prim, "aligned", False) and not _any_handle(values, dxs):
                (dy,) = prim.jvp(tuple(dxs), tuple(values), ys, **params)
                return ys, [rows.spread(None, type_of(ys[0])) if dy is None else dy]
            moves = tuple(None if dx is None else rows.rows(dx) for dx in dxs)
            dys = push(prim, moves, values, ys, params, [type_of(v) for v in values])
            return ys, [rows.spread(dy, type_of(y)) for y, dy in zip(ys, dys, strict=True)]


def _made_in(inner: Builder, value: Any) -> bool:
    """Is this a dual of a value of `inner`, or of a trace inside of it?"""
    found = isinstance(value, Tracer) and isinstance(value.builder, DualBuilder)
    while isinstance(value, Tracer) and isinstance(value.builder, DualBuilder):
        value = value.value
    return found and isinstance(value, Tracer) and value.builder.serial >= inner.serial


def _any_handle(*values: list[Any]) -> bool:
    return any(isinstance(v, Handle) for given in values for v in given)


def _length(dxs: list[Any]) -> int | None:
    """How many derivatives the arguments carry; None: constants all."""
    length: int | None = None
    for dx in dxs:
        if dx is None:
            continue
        n = dx.shape[0]
        if length is not None and n != length:
            raise ShapeError(
                f"a dual with {length} derivatives meets one with {n}",
                "give all of them one common length: convert(x, offset, size) with the same size",
                source.here(),
            )
        length = n
    return length


_builders: list[DualBuilder] = []


def builder_above(*values: Any) -> DualBuilder:
    """The builder of duals that hold `values`: one deeper than the deepest dual among them."""
    depth = max(
        (
            v.builder.depth
            for v in values
            if isinstance(v, Tracer) and isinstance(v.builder, DualBuilder)
        ),
        default=0,
    )
    while len(_builders) <= depth:
        _builders.append(DualBuilder(len(_builders) + 1))
    return _builders[depth]
