"""Run a function on tracers: with numbers (`record`) or on types alone (`program_of`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from wengert import tree
from wengert.errors import TracerLeakError, WengertError, refusals
from wengert.ir import catching, source
from wengert.ir.program import Program
from wengert.trace.builder import Builder
from wengert.trace.tracer import Tracer


class Recording:
    """An executed trace: the builder with its numbers, the inputs' tracers, the results."""

    __slots__ = ("builder", "inputs", "outputs")

    def __init__(self, builder: Builder, inputs: list[Tracer], outputs: list[Any]) -> None:
        self.builder = builder
        self.inputs = inputs
        self.outputs = outputs


def record(
    f: Callable[..., Any], values: Sequence[Any], types: Sequence[Any], weak: Sequence[bool]
) -> Recording:
    """Run `f` on tracers that know their numbers. `f` takes tracers and returns a flat list."""
    builder = Builder(getattr(f, "__name__", "f"), saving=True)
    tracers = [builder.input(t, v, w) for t, v, w in zip(types, values, weak, strict=True)]
    outputs = run(builder, f, tracers)
    return Recording(builder, tracers, outputs)


def program_of(
    f: Callable[..., Any],
    types: Sequence[Any],
    name: str | None = None,
    weak: Sequence[bool] | None = None,
    sources: tuple[Any, ...] | None = None,
) -> tuple[Program, list[Any]]:
    """The program of `f` on types alone, and the values that it captured from outside.

    The captured values are the program's last inputs. `f` takes tracers, returns a flat list.
    With `sources`, equations keep the indices set by a transform (`source.current`).
    """
    builder = Builder(name or str(getattr(f, "__name__", "f")), sources=sources)
    flags = weak or [False] * len(types)
    tracers = [builder.input(t, None, w) for t, w in zip(types, flags, strict=True)]
    outputs = run(builder, f, tracers)
    return builder.program(outputs), [value for _, value in builder.captured]


# (enter, leave): called when a trace begins and ends, anywhere
hooks: list[tuple[Callable[[], None], Callable[[], None]]] = []

# called with a function of the user's that is about to run in a trace
meetings: list[Callable[[Any], None]] = []

checks: list[Callable[[], None]] = []  # called when a traced function has returned

# the traces that are running, the innermost first: (builder, the rest)
_running: ContextVar[Any] = ContextVar("wengert_running", default=None)


def innermost() -> Builder | None:
    """The function trace that is running here, or None."""
    link = _running.get()
    return None if link is None else link[0]


def running() -> Iterator[Builder]:
    """The function traces that are running here, the innermost first."""
    link = _running.get()
    while link is not None:
        if link[0] is not None:
            yield link[0]
        link = link[1]


def meet(f: Any) -> None:
    """A function of the user's is about to run in a trace, or one that calls it."""
    for meeting in meetings:
        meeting(f)


def run(builder: Builder, f: Callable[..., Any], tracers: Sequence[Tracer]) -> list[Any]:
    """Call `f` and close the builder; errors come out at the user's line.

    `f` gets handles of its own, so `tracers` still name the inputs when `f` has written into them.
    """
    token = _running.set((builder, _running.get()))
    refused: list[WengertError] = []
    before = refusals.set(refused)
    for enter, _ in hooks:
        enter()
    try:
        outputs = list(f(*[t.snapshot() for t in tracers]))
        for check in checks:
            check()
        for error in refused:
            if catching.swallowed(error):
                raise error
        if builder.written:  # handles from outside are about to fall back: keep what was returned
            outputs = [tree.map_leaves(_settled, y) for y in outputs]
        return outputs
    except Exception as error:
        cause = lifted(error)
        if cause is not error:
            raise cause from None
        if not isinstance(error, WengertError):
            lost = next(filter(catching.lost, refused), None)
            if lost is not None:  # somebody caught a refusal, and this is what came of it
                raise lost from error
        raise
    finally:
        for _, leave in hooks:
            leave()
        refusals.reset(before)
        _running.reset(token)
        builder.close()


catching.boundaries.add(run.__code__)


def _settled(leaf: Any) -> Any:
    return leaf.snapshot() if isinstance(leaf, Tracer) else leaf


def tracing() -> bool:
    """Is a function being traced in this thread or task?"""
    return _running.get() is not None


@contextmanager
def untraced() -> Iterator[None]:
    """Inside, plain code runs as if nothing were traced: black boxes, on plain numbers."""
    token = _running.set(None)
    try:
        yield
    finally:
        _running.reset(token)


def writable(handle: Tracer) -> None:
    """Raise if a handle from outside is written in a trace that runs on types alone."""
    link = _running.get()
    while link is not None and link[0] is not handle.builder.home:
        if not link[0].saving:
            raise TracerLeakError(
                f"a {handle.type!r} made outside of {link[0].name} is written inside of it; that body is traced "
                "once, on types alone, and may run often or never",
                "return the changed array from the body, and use what the call returns",
                source.here(),
            )
        link = link[1]


def lifted(error: BaseException) -> BaseException:
    """Our own error where NumPy has wrapped it ("setting an array element with a sequence")."""
    source.without_tail(error)
    wrapped = error.__cause__
    if isinstance(wrapped, WengertError) and str(error).startswith("setting an array element"):
        return wrapped.with_traceback(error.__traceback__)
    return error
