"""Extents that vary at run time: the integers above 16 in a program's types and params.

Two programs that differ in these alone, with the same pattern of equal ones, have equal keys and
share machine code; `run_time_extents` lists, in the order of the machine code, what each of them has.

A program that names very many of them (a loop in Python over the elements of an array) will hardly be met again
at another size: there, positions that are not the size of anything are compiled in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.backends.code import SMALL
from wengert.ir.key import freeze
from wengert.ir.program import Const, Program
from wengert.ir.types import StackType

MANY = 64


class Extents(NamedTuple):
    """A program's key up to its large extents; those that are given at run time; those that are compiled in."""

    key: Any
    given: tuple[int, ...]
    fixed: frozenset[int]


class _Abstract:
    """Walks a program and numbers its large extents: all, or those that are sizes."""

    def __init__(self, sizes: frozenset[int] | None = None) -> None:
        self.numbers: dict[int, int] = {}
        self.sizes: set[int] = set()  # extents of arrays
        self.only = sizes
        self.fixed: set[int] = set()
        self.types: dict[Any, Any] = {}  # as they are written

    def extent(self, n: Any) -> Any:
        """An integer as it is, or its number among the large ones."""
        if isinstance(n, int) and not isinstance(n, bool) and n > SMALL:
            if self.only is not None and n not in self.only:
                self.fixed.add(n)
                return n
            return ("n", self.numbers.setdefault(n, len(self.numbers)))
        return n

    def type(self, t: Any) -> Any:
        """A type with its large extents numbered."""
        if isinstance(t, StackType):
            return ("stack", self.type(t.item))
        found = self.types.get(t)
        if found is None:
            self.sizes.update(t.shape)
            found = self.types[t] = (t.dtype.str, *map(self.extent, t.shape))
        return found

    def param(self, value: Any, varies: bool) -> Any:
        """A parameter; `varies`: its integers are extents."""
        if isinstance(value, Program):
            return self.program(value)
        if not varies:
            return freeze(value)
        if isinstance(value, tuple | list):
            return tuple(self.param(v, True) for v in value)
        if isinstance(value, slice):
            return (
                "slice",
                self.extent(value.start),
                self.extent(value.stop),
                freeze(value.step),
            )
        return self.extent(value) if isinstance(value, int) else freeze(value)

    def program(self, program: Program) -> Any:
        """The abstract key of a program."""
        number: dict[Any, int] = {}
        for v in program.inputs:
            number[v] = len(number)

        def coded(a: Any) -> Any:
            if isinstance(a, Const):
                return ("const", np.asarray(a.value).tobytes(), a.type.dtype.str)
            return number[a]

        heads = tuple(self.type(v.type) for v in program.inputs)
        eqns = []
        for e in program.eqns:
            ins = tuple([coded(a) if a.__class__ is Const else number[a] for a in e.inputs])
            params: Any = ()
            if e.params:
                tags = e.prim.tags
                params = tuple(
                    [(k, self.param(v, tags.get(k) == "extent")) for k, v in e.params.items()]
                )
            for v in e.outputs:
                number[v] = len(number)
            eqns.append((e.prim, params, ins, tuple([self.type(v.type) for v in e.outputs])))
        return (heads, tuple(eqns), tuple(map(coded, program.outputs)))


def abstract(program: Program) -> Extents:
    """What is known of a program's large extents."""
    walk = _Abstract()
    key = walk.program(program)
    if len(walk.numbers) > MANY:
        walk = _Abstract(frozenset(walk.sizes))
        key = walk.program(program)
    return Extents(key, tuple(walk.numbers), frozenset(walk.fixed))


def run_time_extents(program: Program) -> tuple[int, ...]:
    """The large extents of a program, in the order in which its machine code is given them."""
    return abstract(program).given
