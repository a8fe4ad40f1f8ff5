"""How transforms make programs: an abstract builder that keeps the primal equations' indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wengert.ir import source
from wengert.ir.program import Const, Eqn, Program
from wengert.ops.control.stacks import plus, zero
from wengert.trace.trace import program_of


def derive(f: Callable[..., Any], types: Any, like: Program, name: str) -> Program:
    """The program of `f` on types, told from the lines of the program it is derived from.

    Whatever `f` closes over must be scalars or come in as arguments: a derived program has no
    captured values.
    """
    program, captured = program_of(f, types, name=name, sources=like.sources)
    if captured:  # arrays met inside rules (index ranges and the like) stay with the program
        from wengert.ops.literal import literal_inputs

        program = literal_inputs(program, captured)
    return program.with_sources(like.sources)


@contextmanager
def at(eqn: Eqn) -> Iterator[None]:
    """Equations recorded inside belong to the line of `eqn`."""
    token = source.current.set(eqn.origin)
    try:
        yield
    finally:
        source.current.reset(token)


def read(env: dict[Any, Any], atom: Any) -> Any:
    """Value of an atom."""
    return atom.value if isinstance(atom, Const) else env[atom]


def zeros(t: Any, like: Any) -> Any:
    """Zero of a type, made in the trace that `like` belongs to."""
    return zero(t, like)


def accumulate(env: dict[Any, Any], atom: Any, g: Any) -> None:
    """Add a cotangent to those that have arrived already."""
    if g is None or isinstance(atom, Const):
        return
    env[atom] = g if atom not in env else plus(env[atom], g)
