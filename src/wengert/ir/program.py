"""Program: the Wengert list. Straight-line, typed, single assignment; loops hold programs.

Programs are values: nothing changes one after it is made, every transform makes a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from math import copysign
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.ir import source
from wengert.ir.types import Type, type_of

if TYPE_CHECKING:
    from wengert.ir.primitive import Primitive


class Var:
    """The result of an equation, or an input. Equal only to itself."""

    __slots__ = ("type",)

    def __init__(self, type: Type) -> None:
        self.type: Any = type

    def __reduce__(self) -> tuple[Any, ...]:
        return Var, (self.type,)

    def __repr__(self) -> str:
        return f"Var({self.type!r})"


class Const:
    """A typed scalar. Larger constants are inputs of their program."""

    __slots__ = ("type", "value")

    def __init__(self, value: Any) -> None:
        self.type = type_of(value)
        self.value = value if isinstance(value, np.generic) else self.type.dtype.type(value)

    def __repr__(self) -> str:
        return f"{self.value}:{self.type!r}"


_constants: dict[Any, Const] = {}


def constant(dtype: Any, number: Any) -> Const:
    """A scalar as a constant of that dtype; the same one for the same number."""
    # (zeros are told apart by their sign)
    key = (dtype, number) if number else (dtype, 0, copysign(1, number))
    found = _constants.get(key)
    if found is None:
        found = Const(dtype.type(number))
        if number == number and len(_constants) < 1000:
            _constants[key] = found
    return found


Atom = Var | Const


class Eqn:
    """One line of the list: `outputs = prim[params](inputs)`.

    `origin` is an index into the program's `sources`; a derived equation keeps that of the
    equation it came from, so every transform's output still knows the user's line.
    """

    __slots__ = ("inputs", "origin", "outputs", "params", "prim")

    def __init__(
        self,
        prim: Primitive,
        inputs: tuple[Atom, ...],
        params: Mapping[str, Any],
        outputs: tuple[Var, ...],
        origin: int = -1,
    ) -> None:
        self.prim = prim
        self.inputs = inputs
        self.params = params
        self.outputs = outputs
        self.origin = origin

    @property
    def has_effect(self) -> bool:
        """Does it, or a program that it holds, do something besides its results?"""
        if self.prim.effect or not self.params:
            return self.prim.effect
        return any(p.has_effect for p in self.params.values() if isinstance(p, Program))

    def __repr__(self) -> str:
        return f"Eqn({self.prim.name}, {self.inputs}, {dict(self.params)} -> {self.outputs})"


class Program:
    """Inputs, equations, outputs; and the sources that the equations' origins point into."""

    def __init__(
        self,
        inputs: Iterable[Var],
        eqns: Iterable[Eqn],
        outputs: Iterable[Atom],
        sources: tuple[source.Source, ...] = (),
        name: str = "program",
    ) -> None:
        self.inputs = tuple(inputs)
        self.eqns = tuple(eqns)
        self.outputs = tuple(outputs)
        self.sources = sources
        self.name = name

    @property
    def in_types(self) -> tuple[Any, ...]:
        """Types of the inputs."""
        return tuple(v.type for v in self.inputs)

    @property
    def out_types(self) -> tuple[Any, ...]:
        """Types of the outputs."""
        return tuple(a.type for a in self.outputs)

    def line(self, eqn: Eqn) -> source.Line | None:
        """The user's line that an equation of this program comes from."""
        if not 0 <= eqn.origin < len(self.sources):
            return None
        return source.resolve(self.sources[eqn.origin])

    def with_sources(self, sources: tuple[source.Source, ...]) -> Program:
        """The same equations, told from another function's lines (memos share structure only)."""
        return (
            self
            if sources is self.sources
            else Program(self.inputs, self.eqns, self.outputs, sources, self.name)
        )

    def named(self, name: str) -> Program:
        """The same program under another name."""
        return Program(self.inputs, self.eqns, self.outputs, self.sources, name)

    @cached_property
    def key(self) -> Any:
        """Hashable structure: equal keys mean equal programs up to names and lines."""
        from wengert.ir.key import program_key

        return program_key(self)

    @cached_property
    def has_effect(self) -> bool:
        """Does an equation do something besides its results?"""
        return any(e.has_effect for e in self.eqns)

    @cached_property
    def told(self) -> Any:
        """Sources of this program and of the programs in it: whose lines does it tell?"""
        inner = (v.told for e in self.eqns for v in e.params.values() if isinstance(v, Program))
        return (self.sources, *inner)

    @cached_property
    def dying(self) -> tuple[tuple[Var, ...], ...]:
        """Per equation, the variables whose last use it is (so their memory may go or be reused)."""
        later: set[Atom] = set(self.outputs)
        found = []
        for eqn in reversed(self.eqns):
            now = tuple(
                dict.fromkeys(
                    v for v in (*eqn.inputs, *eqn.outputs) if isinstance(v, Var) and v not in later
                )
            )
            later.update(now)
            found.append(now)
        return tuple(reversed(found))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Program) and self.key == other.key)

    @cached_property
    def _hash(self) -> int:
        return hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        from wengert.ir.show import show

        return show(self)

    def __repr__(self) -> str:
        return f"<Program {self.name}: {len(self.inputs)} inputs, {len(self.eqns)} equations>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by position; code objects are resolved to lines first."""
        number: dict[Var, int] = {}
        for v in (*self.inputs, *(v for e in self.eqns for v in e.outputs)):
            number[v] = len(number)

        def coded(atom: Atom) -> Any:
            return number[atom] if isinstance(atom, Var) else np.asarray(atom.value)

        eqns = [
            (
                e.prim,
                [coded(a) for a in e.inputs],
                dict(e.params),
                [v.type for v in e.outputs],
                e.origin,
            )
            for e in self.eqns
        ]
        lines = tuple(source.resolve(s) for s in self.sources)
        return _unpickle, (self.in_types, eqns, [coded(a) for a in self.outputs], lines, self.name)


def _unpickle(
    in_types: tuple[Type, ...],
    coded: list[Any],
    outputs: list[Any],
    lines: tuple[source.Source, ...],
    name: str,
) -> Program:
    variables = [Var(t) for t in in_types]
    inputs = tuple(variables)

    def atom(code: Any) -> Atom:
        return variables[code] if isinstance(code, int) else Const(code[()])

    eqns = []
    for prim, ins, params, out_types, origin in coded:
        given = tuple(atom(i) for i in ins)
        outs = tuple(Var(t) for t in out_types)
        variables.extend(outs)
        eqns.append(Eqn(prim, given, params, outs, origin))
    return Program(inputs, eqns, [atom(o) for o in outputs], lines, name)
