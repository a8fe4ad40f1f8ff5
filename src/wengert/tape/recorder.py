"""The list that tapes write on.

All tapes that are open together share one `TapeBuilder`; each is a window on its list. (A tape that
starts inside a running function trace gets a younger builder, since its values are made of those of
the trace.) The list belongs to the tapes, not to the values: a loss that is kept after the `with`
is one number, it does not hold the run that led to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from weakref import ref

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Var
from wengert.ir.types import type_of
from wengert.tape.standin import StandIn, plain
from wengert.trace.builder import Builder, Entry
from wengert.trace.trace import innermost
from wengert.trace.tracer import Tracer, refuse

_NOTHING: dict[str, Any] = {}

# The tapes that record here and now, oldest first. A context (a thread, a task) has its own.
recording: ContextVar[tuple[Any, ...]] = ContextVar("wengert_tapes", default=())


class Rested(StandIn, Tracer):
    """A value whose tapes are over: it stands for its number, and nothing is recorded any more.

    A traced value becomes one (its class changes) when the last of its tapes ends, so that every
    name for it keeps working.
    """

    __slots__ = ()

    def __wengert__(self) -> Any:
        value = self.value
        if isinstance(value, np.ndarray):  # a persistent tape may still need its numbers
            value = value.view()
            value.flags.writeable = False
        return value

    def refresh(self) -> None:
        """There is nothing to look at again."""

    def snapshot(self) -> Tracer:
        """Itself: writes make a new number."""
        return self

    def __setitem__(self, at: Any, value: Any) -> None:
        number = np.array(self.value)
        number[plain(at)] = plain(value)
        self.node, self.value = Var(type_of(number)), number

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return str(self.value)

    def __reduce__(self) -> Any:
        return np.array, (self.value,)


class Pages:
    """What tapes that share a builder have written down.

    `known` are the values that came from outside; `reads` the variables that were read and their
    nodes, a new one after each `assign`; `handles` the names for values that are still in use; `held`
    the arguments of equations that hold programs, by their position.
    """

    __slots__ = ("entries", "handles", "held", "known", "reads", "watched")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.watched: list[tuple[int, Any, int]] = []
        self.known: list[tuple[Var, Any]] = []
        self.reads: dict[int, tuple[Any, list[tuple[Var, Any]]]] = {}
        self.handles: list[ref[Tracer]] = []
        self.held: dict[int, list[Any]] = {}

    def nodes(self, variable: Any) -> list[tuple[Var, Any]]:
        """The nodes of a variable: one, with its value, for each value that was read."""
        return self.reads.setdefault(id(variable), (variable, []))[1]


class TapeBuilder(Builder):
    """A builder that writes while one of its tapes is open, and only computes after that."""

    __slots__ = ("listeners", "pages", "users")

    def __init__(self) -> None:
        super().__init__("tape", saving=True)
        self.users = 0  # tapes that are open
        self.listeners = 0  # those of them that record
        self.pages = Pages()

    @property
    def recording(self) -> bool:
        """Does one of its tapes record now?"""
        return self.listeners > 0

    # ---- tapes come and go -----------------------------------------------------------------------
    def enter(self, pages: Pages) -> None:
        """A tape begins, or goes on, on these pages."""
        self.users += 1
        if self.users == 1:
            self._turn(pages)
            for handle in self._handles():
                _wake(handle)

    def leave(self) -> None:
        """A tape ends. After the last one its values are what they stand for, and light to keep."""
        if self.users == 1:
            for handle in self._handles():
                handle.refresh()
        self.users -= 1
        if self.users == 0:
            for handle in self._handles():
                if handle.builder is self:
                    _rest(handle)
            self._turn(Pages())
            self.inputs.clear()
            self.written.clear()

    def _handles(self) -> list[Tracer]:
        return [handle for handle in (r() for r in self.pages.handles) if handle is not None]

    def _turn(self, pages: Pages) -> None:
        self.pages, self.entries, self.watched = pages, pages.entries, pages.watched

    # ---- values ----------------------------------------------------------------------------------
    def _kept(self, handle: Tracer) -> Tracer:
        self.pages.handles.append(ref(handle))
        return handle

    def handle(self, node: Var, value: Any, weak: bool = False) -> Tracer:
        """A handle that will rest with its tapes."""
        return self._kept(super().handle(node, value, weak))

    def input(self, type: Any, value: Any = None, weak: bool = False) -> Tracer:
        """A value that a tape watches."""
        handle = self._kept(super().input(type, value, weak))
        self.pages.known.append((handle.node, handle.value))
        return handle

    def capture(self, value: Any) -> Var:
        """A value from outside that nobody watches."""
        self.nested = self.nested or isinstance(value, Tracer)
        node = Var(type_of(value))
        self.pages.known.append((node, value))
        return node

    def read(self, variable: Any, value: Any) -> Tracer:
        """A handle on the current value of a variable; while it stays, so does its node."""
        nodes = self.pages.nodes(variable)
        if nodes:
            node, last = nodes[-1]
            if last is value:
                return self.handle(node, last)
        handle = self.input(type_of(value), value)
        nodes.append((handle.node, handle.value))
        return handle

    def borrow(self, handle: Tracer) -> None:
        """Make a handle of an outer trace one of this list, until its tapes end."""
        if handle.builder is not self:
            super().borrow(handle)
            self._kept(handle)

    # ---- equations -------------------------------------------------------------------------------
    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Write one equation down; after the last tape has ended, it is only computed."""
        if not self.users:
            return prim(*map(plain, args), **params)
        position = len(self.entries)
        result = super().record(prim, args, params)
        for handle in result if prim.multiple else (result,):
            if handle.builder is self:
                self.pages.handles.append(ref(handle))
        if (
            prim.saves and len(self.entries) > position
        ):  # (a body that is being traced may have taken it)
            self.pages.held[position] = [self._number(a) for a in args]
        return result

    def _number(self, x: Any) -> Any:
        return x.value if isinstance(x, Tracer) and x.builder is self else x


def _rest(handle: Tracer) -> None:
    """Let a value be what it stands for: a number, or a value of the trace outside.

    The latter remembers its place, since its tape may still be asked for gradients.
    """
    value = handle.value
    handle.window = None
    if isinstance(value, Tracer):
        handle.place = handle.builder, handle.node, value.node  # type: ignore[attr-defined]
        handle.builder, handle.node, handle.value = value.builder, value.node, value.value
    else:
        handle.__class__ = Rested


def _wake(handle: Tracer) -> None:
    """The other way round: a tape goes on."""
    node = place_of(handle)
    if type(handle) is Rested:
        handle.__class__ = Tracer
    elif node is not None:
        value = Tracer(handle.builder, handle.node, handle.value)
        handle.builder, handle.node, handle.value = handle.place[0], node, value  # type: ignore[attr-defined]


def place_of(handle: Any, builder: Any = None) -> Var | None:
    """Where a value stands, or once stood, on the list of `builder`; None if it does not."""
    if handle.builder is builder:
        return handle.node  # type: ignore[no-any-return]
    place = getattr(handle, "place", None)
    if (
        place is None
        or place[2] is not handle.node
        or (builder is not None and place[0] is not builder)
    ):
        return None
    return place[1]  # type: ignore[no-any-return]


def shared() -> tuple[TapeBuilder, Pages]:
    """The builder for a tape that starts now: that of the active tapes, or a new one.

    Inside a function trace that began after those tapes, a new one.
    """
    builder = max(
        (tape.builder for tape in recording.get() if tape.on), key=lambda b: b.serial, default=None
    )
    inside = innermost()
    if builder is None or (inside is not None and inside.serial > builder.serial):
        builder = TapeBuilder()
    return builder, builder.pages


def number_of(value: Any) -> Any:
    """The plain number of anything array-like; a tape's value leaves by request, a function trace's may not."""
    if isinstance(value, Tracer | StandIn):
        return value.numpy()  # type: ignore[union-attr]
    return np.asarray(value)


def numpy(self: Tracer) -> Any:
    """A copy of the number behind a tape's value, free of its tape (TensorFlow's spelling)."""
    self.refresh()
    if not isinstance(self.builder, TapeBuilder):
        refuse(self, ".numpy()")
    return numpy(self.value) if isinstance(self.value, Tracer) else np.array(self.value)[()]


Tracer.numpy = numpy  # type: ignore[attr-defined]
