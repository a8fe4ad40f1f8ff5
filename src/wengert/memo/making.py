"""From a traced program to LLVM's text: simplified, odd constants made arguments, lowered, printed.

What was compiled before is read from disk without any of this (`shelf`).
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from wengert.backends import deferred
from wengert.backends.code import Function
from wengert.backends.extents import Extents, abstract
from wengert.backends.llvm import module
from wengert.backends.lowering import lower
from wengert.backends.maps import widened
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.rewrites.simplify import simplify

_PLAIN = frozenset([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5])
_SHAPING = frozenset(["power", "float_power", "ldexp"])  # exponents decide what is computed


def lifted(program: Program) -> tuple[Program, list[Any]]:
    """Odd floating-point constants as inputs behind the others, and their values."""
    places: dict[Any, Var] = {}

    def place(atom: Any) -> Any:
        if not isinstance(atom, Const) or atom.type.dtype.kind != "f":
            return atom
        value = atom.value
        if float(value) in _PLAIN or not np.isfinite(value):
            return atom
        key = atom.type, value.tobytes()
        if key not in places:
            places[key] = Var(atom.type)
            values.append(value)
        return places[key]

    values: list[Any] = []
    eqns = [
        e
        if Const not in [a.__class__ for a in e.inputs] or e.prim.name in _SHAPING
        else Eqn(e.prim, tuple(map(place, e.inputs)), e.params, e.outputs, e.origin)
        for e in program.eqns
    ]
    inputs = (*program.inputs, *places.values())
    return Program(inputs, eqns, program.outputs, program.sources, program.name), values


class Keyed(NamedTuple):
    """A program whose odd constants are arguments, their values, and by what its code is found."""

    program: Program
    constants: list[Any]
    extents: Extents


class Source(NamedTuple):
    """What machine code is made of; `seconds` per stage."""

    function: Function  # with all its guards
    text: str  # LLVM's, perhaps without them
    again: bool  # is it without them?
    seconds: dict[str, float]

    def guarded(self) -> tuple[str, str]:
        """The name of the function with all its guards, and its text."""
        return self.function.name, module(self.function, hosted=True)[0]


def simplified(program: Program) -> Program:
    """The program with less work, and its maps as they are to be computed."""
    return widened(simplify(program))


def keyed(program: Program) -> Keyed:
    """As its code is looked for."""
    found, constants = lifted(program)
    return Keyed(found, constants, abstract(found))


def source(keyed: Keyed) -> Source:
    """Lowered and printed. Raises NoLowering."""
    start = time.perf_counter()
    function = lower(keyed.program, extents=keyed.extents)
    lowered = time.perf_counter()
    quick = deferred.quick(function)
    text, _ = module(quick or function, hosted=True)
    seconds = {"lower": lowered - start, "print": time.perf_counter() - lowered}
    return Source(function, text, quick is not None, seconds)
