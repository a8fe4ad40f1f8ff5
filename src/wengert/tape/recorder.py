"""The list that tapes write on.

All tapes that are active together share one `TapeBuilder`; each is a window on its list. (A tape
that starts inside a running function trace gets a younger builder, so that the trace sees what the
tape's values are made of.) The list belongs to the tapes, not to the values: a loss that is kept
after the `with` is one number, it does not hold the run that led to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.ir.evaluate import call_reusing
from wengert.ir.primitive import Primitive
from wengert.ir.program import Var
from wengert.ir.types import type_of
from wengert.trace.builder import Builder, Entry
from wengert.trace.trace import innermost
from wengert.trace.tracer import Tracer, refuse

_NOTHING: dict[str, Any] = {}

# The tapes that record here and now, oldest first. A context (a thread, a task) has its own.
recording: ContextVar[tuple[Any, ...]] = ContextVar("wengert_tapes", default=())
_recording = recording.get


class Pages:
    """What tapes that share a builder have written down.

    `reads` holds the variables that were read and their nodes: a new node after each `assign`.
    """

    __slots__ = ("entries", "reads", "watched")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reads: dict[int, tuple[Any, list[tuple[Var, Any]]]] = {}
        self.watched: list[tuple[int, Any, int]] = []

    def nodes(self, variable: Any) -> list[tuple[Var, Any]]:
        """The nodes of a variable: one, with its value, for each value that was read."""
        return self.reads.setdefault(id(variable), (variable, []))[1]


class TapeBuilder(Builder):
    """A builder that writes while one of its tapes records, and only computes while none does."""

    __slots__ = ("pages",)

    def __init__(self) -> None:
        super().__init__("tape", saving=True)
        self.pages = Pages()

    @property
    def resting(self) -> bool:  # type: ignore[override]
        """Does no tape of this context record here? Then the values are what they stand for."""
        return all(tape.builder is not self for tape in _recording())

    def open(self, pages: Pages) -> None:
        """Go on writing on these pages."""
        self.pages, self.entries, self.watched = pages, pages.entries, pages.watched

    def shut(self) -> None:
        """Let go of the pages, so that values which outlive their tapes are light."""
        self.open(Pages())
        for kept in (self.inputs, self.captured, self.written):
            kept.clear()

    def read(self, variable: Any, value: Any) -> Tracer:
        """A handle on the current value of a variable; equal values have one node."""
        nodes = self.pages.nodes(variable)
        if nodes:
            node, last = nodes[-1]
            if last is value or (
                isinstance(last, Tracer) and isinstance(value, Tracer) and last.node is value.node
            ):
                return Tracer(self, node, last)
        handle = self.input(type_of(value), value)
        nodes.append((handle.node, handle.value))
        return handle

    # ---- equations -----------------------------------------------------------------------------
    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Write one equation down, or compute it if nobody records."""
        for tape in _recording():
            if tape.builder is self:
                return super().record(prim, args, params)
        return prim(*(self.plain(a) for a in args), **params)

    def change(
        self,
        handle: Tracer,
        prim: Primitive,
        args: Sequence[Any],
        params: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Write into a handle; if nobody records, into its number."""
        if not self.resting:
            super().change(handle, prim, args, params)
            return
        holder, handle.value = [self.plain(handle)], None
        value = call_reusing(prim, holder, [None, *map(self.plain, args)], params)
        handle.builder, handle.node, handle.value = self, Var(type_of(value)), value
        handle.version += 1

    def plain(self, value: Any) -> Any:
        """What a value of a resting tape stands for: a number, or a value of the trace outside."""
        if value.__class__ is Tracer:
            value.refresh()
            if value.builder is self:
                return value.value
        return value

    def lift(self, value: Any) -> Any:
        """As in any trace, but a value whose own tape is over comes as its number."""
        while value.__class__ is Tracer and value.builder is not self and value.builder.resting:
            value = value.builder.plain(value)
        return super().lift(value)

    def settle(self, handle: Tracer) -> None:
        """Let a value of a resting tape be what it stands for in the trace outside.

        It remembers where it was, since its tape may still be asked for gradients.
        """
        value = handle.value
        if isinstance(value, Tracer):
            places = ((self, handle.node), *places_of(handle))
            value = value.snapshot()
            handle.builder, handle.node, handle.value, handle.weak = (
                value.builder,
                value.node,
                value.value,
                value.weak,
            )
            handle.taped = (*places, *places_of(value))  # type: ignore[attr-defined]


def places_of(handle: Any) -> tuple[tuple[TapeBuilder, Var], ...]:
    """Where a value stood on tapes that are over."""
    found: tuple[tuple[TapeBuilder, Var], ...] = getattr(handle, "taped", ())
    return found


def shared() -> tuple[TapeBuilder, Pages]:
    """The builder for a tape that starts now: that of the active tapes, or a new one.

    Inside a function trace that began after those tapes, a new one: its values must be younger than
    the trace's, since they are made of them.
    """
    builder = max((tape.builder for tape in _recording()), key=lambda b: b.serial, default=None)
    inside = innermost()
    if builder is None or (inside is not None and inside.serial > builder.serial):
        builder = TapeBuilder()
    return builder, builder.pages


def number_of(value: Any) -> Any:
    """The plain number of anything array-like; a tape's value leaves by request, a function trace's may not."""
    if isinstance(value, Tracer):
        return numpy(value)
    return np.asarray(value)


def numpy(self: Tracer) -> Any:
    """A copy of the number behind a tape's value, free of its tape (TensorFlow's spelling)."""
    self.refresh()
    if not isinstance(self.builder, TapeBuilder):
        refuse(self, ".numpy()")
    return numpy(self.value) if isinstance(self.value, Tracer) else np.array(self.value)[()]


Tracer.numpy = numpy  # type: ignore[attr-defined]
