"""Rehearsal: a function traced with its numbers, none of which is kept.

The program is for a later run (`checkpoint`). Knowing the numbers, Python may decide by them on the
way; not keeping them, the trace costs no memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.ir.primitive import Primitive
from wengert.ir.program import Atom
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.trace.tracer import Tracer

_NOTHING: dict[str, Any] = {}


class Rehearsal(Builder):
    """A builder whose values carry plain numbers where these are known, else none."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def rehearsed(self, value: Any) -> Tracer:
        """An input in the place of `value`."""
        weak = isinstance(value, Tracer) and value.weak
        number = value.number() if isinstance(value, Tracer) else value
        return self.input(type_of(value), number, weak)

    def lift(self, value: Any) -> tuple[Atom, Any]:
        atom, value = super().lift(value)
        return atom, value.number() if isinstance(value, Tracer) else value

    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Write one equation down; compute it if all its numbers are known."""
        inputs: list[Atom] = []
        values: list[Any] = []
        for arg in args:
            if isinstance(arg, Tracer):
                arg.refresh()
            if isinstance(arg, Tracer) and arg.builder is self:
                inputs.append(arg.node)
                values.append(arg.value)
            else:
                atom, value = self.lift(arg)
                inputs.append(atom)
                values.append(value)
        ys = None if any(v is None for v in values) else prim(*values, **params)
        return self._append(prim, tuple(inputs), params, (), values, ys)

    def change(
        self,
        handle: Tracer,
        prim: Primitive,
        args: Sequence[Any],
        params: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Let `handle` name the result of `prim(handle, *args)`; memory is not reused."""
        self.borrow(handle)
        before = Tracer(self, handle.node, handle.value)
        self.bind(handle, self.record(prim, (before, *args), params))
