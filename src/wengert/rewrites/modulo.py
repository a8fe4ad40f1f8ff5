"""Matching modulo movement: a broadcast or a reshape in between hides nothing.

An elementwise operation of moved values is the moved operation, so a pattern of elementwise
operations sees through `broadcast` and `reshape`: what a wildcard finds is a value and the way that
it was moved. A reduction does not commute with movement; `reduced` notes the way instead, to go
again on the right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wengert.ir.program import Const
from wengert.ops.arithmetic import mul, square
from wengert.ops.shape import broadcast, reshape
from wengert.rewrites.match import Definitions, equal_numbers, number
from wengert.rewrites.rule import Equation, Pattern, Wild

Way = tuple[tuple[Any, tuple[tuple[str, Any], ...]], ...]  # primitives and their params, in order


class Seen(NamedTuple):
    """An atom, and how it was moved since."""

    atom: Any
    way: Way = ()


class Reduced(Pattern):
    """A reduction whose result was moved: the way is noted under a name."""

    __slots__ = ("equation", "name")

    def __init__(self, name: str, equation: Equation) -> None:
        self.name, self.equation = name, equation

    def __repr__(self) -> str:
        return repr(self.equation)


def reduced(equation: Any, name: str = "way") -> Any:
    """`equation`, a pattern of a reduction, moved in whatever way."""
    return Reduced(name, equation)


def fits(pattern: Any, seen: Seen, defined: Definitions, found: dict[str, Any]) -> bool:
    """Does a value look like the pattern? Wildcards are noted in `found`."""
    atom, way = seen
    if isinstance(pattern, Wild):
        if pattern.constant:
            value = number(atom, defined)
            if value is None:
                return False
            known = found.setdefault(pattern.name, value)
            return known is value or equal_numbers(known, value)
        value = number(atom, defined)
        here = Seen(atom if value is None else Const(value), way if value is None else ())
        there = found.setdefault(pattern.name, here)
        if isinstance(here.atom, Const) and isinstance(there.atom, Const):
            return equal_numbers(here.atom.value, there.atom.value)
        return bool(here.atom is there.atom and here.way == there.way)
    if isinstance(pattern, Reduced):
        while (eqn := defined.get(atom)) is not None and eqn.prim in (broadcast, reshape):
            atom, way = eqn.inputs[0], ((eqn.prim, tuple(eqn.params.items())), *way)
        if eqn is None or eqn.prim is not pattern.equation.prim:
            return False
        return found.setdefault(pattern.name, way) == way and inside(
            pattern.equation, eqn, (), defined, found
        )
    if isinstance(pattern, Equation):
        while (eqn := defined.get(atom)) is not None:
            if eqn.prim is pattern.prim:
                return inside(pattern, eqn, way, defined, found)
            if pattern.prim is square and eqn.prim is mul and eqn.inputs[0] is eqn.inputs[1]:
                return fits(pattern.args[0], Seen(eqn.inputs[0], way), defined, found)
            if eqn.prim not in (broadcast, reshape):
                return False
            atom, way = eqn.inputs[0], ((eqn.prim, tuple(eqn.params.items())), *way)
        return False
    value = number(atom, defined)
    return value is not None and value.dtype.kind != "c" and bool(value == pattern)


def inside(pattern: Equation, eqn: Any, way: Way, defined: Definitions, found: dict[str, Any]) -> bool:  # fmt: skip
    """Do the arguments and params of an equation of the pattern's primitive fit?"""
    for name, wanted in pattern.params.items():
        value = eqn.params.get(name)
        if isinstance(wanted, Wild):
            if found.setdefault(wanted.name, value) != value:
                return False
        elif wanted != value:
            return False
    if len(pattern.args) != len(eqn.inputs):
        return False
    return all(
        fits(p, Seen(a, way), defined, found) for p, a in zip(pattern.args, eqn.inputs, strict=True)
    )


def written(right: Any, found: dict[str, Any], dtype: Any, emit: Callable[..., Any]) -> Any:
    """The atom that a right side stands for; its equations are written by `emit`."""
    if isinstance(right, Wild):
        value = found[right.name]
        if not isinstance(value, Seen):
            return Const(value)
        return moved(value.atom, value.way, emit)
    if isinstance(right, Reduced):
        y = written(right.equation, found, dtype, emit)
        return moved(y, found[right.name], emit)
    if isinstance(right, Equation):
        args = [written(a, found, dtype, emit) for a in right.args]
        params = {k: found[v.name] if isinstance(v, Wild) else v for k, v in right.params.items()}
        return emit(right.prim, *args, **params)
    return Const(dtype.type(right))


def moved(atom: Any, way: Way, emit: Callable[..., Any]) -> Any:
    """An atom, moved along a way."""
    if isinstance(atom, Const):
        return atom
    for prim, params in way:
        atom = emit(prim, atom, **dict(params))
    return atom


def shaped(atom: Any, t: Any, emit: Callable[..., Any]) -> Any:
    """An atom as a value of type `t`: a number is repeated; None where the shapes do not fit."""
    if isinstance(atom, Const) and atom.type.dtype != t.dtype:
        atom = Const(t.dtype.type(atom.value))
    if atom.type == t:
        return atom
    if atom.type.shape == () and atom.type.dtype == t.dtype:
        return emit(broadcast, atom, shape=t.shape, dims=())
    return None
