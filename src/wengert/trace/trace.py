"""Run a function on tracers: with numbers (`record`) or on types alone (`program_of`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.errors import WengertError
from wengert.ir import source
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


def record(f: Callable[..., Any], values: Sequence[Any], types: Sequence[Any], weak: Sequence[bool]) -> Recording:
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
    builder = Builder(name or getattr(f, "__name__", "f"), sources=sources)
    flags = weak or [False] * len(types)
    tracers = [builder.input(t, None, w) for t, w in zip(types, flags, strict=True)]
    outputs = run(builder, f, tracers)
    return builder.program(outputs), [value for _, value in builder.captured]


def run(builder: Builder, f: Callable[..., Any], tracers: Sequence[Tracer]) -> list[Any]:
    """Call `f` and close the builder; errors come out at the user's line."""
    try:
        return list(f(*tracers))
    except Exception as error:
        cause = lifted(error)
        if cause is error:
            raise
        raise cause from error
    finally:
        builder.close()


def lifted(error: BaseException) -> BaseException:
    """Our own error where NumPy has wrapped it ("setting an array element with a sequence")."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, WengertError):
        cause = cause.__cause__
    return source.without_tail(cause if cause is not None else error)
