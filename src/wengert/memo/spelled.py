"""A program's structure as bytes that are the same in every process: by what it is found on disk.

Only what wengert itself defines is spelled: a primitive by its name, numbers and arrays by their content. Who holds a
function or an object of the user's has no spelling, since nobody can say whether it does the same next time.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.primitive import Primitive
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType
from wengert.ops import PRIMITIVES
from wengert.ops.literal import Frozen

_BARE = ("dict",)  # the parameters of most equations


class NoSpelling(Exception):
    """Something in a program is not wengert's own."""


def structure(program: Program) -> bytes:
    """Programs of equal structure (extents and constants too) have equal bytes; names and lines do not count.

    Raises NoSpelling.
    """
    return marshal.dumps(
        _Speller().program(program), 2
    )  # (2: nothing depends on shared references)


def _name(prim: Primitive) -> str:
    if PRIMITIVES.get(prim.name) is not prim:
        raise NoSpelling(prim.name)
    return prim.name


class _Speller:
    """What has been spelled before."""

    def __init__(self) -> None:
        self.prims: dict[Primitive, str] = {}
        self.types: dict[Any, Any] = {}

    def program(self, program: Program) -> Any:
        """From its key: nested tuples of what marshal knows."""
        heads, eqns, outputs = program.key
        prims, types = self.prims, self.types
        found = []
        for prim, params, ins, outs in eqns:
            name = prims.get(prim)
            if name is None:
                name = prims[prim] = _name(prim)
            found.append(
                (
                    name,
                    None if params == _BARE else self.value(params),
                    tuple([i if i.__class__ is int else self.value(i) for i in ins]),
                    tuple([types.get(t) or self.type(t) for t in outs]),
                )
            )
        return (
            tuple(map(self.type, heads)),
            tuple(found),
            tuple(map(self.value, outputs)),
        )

    def type(self, t: Any) -> Any:
        """A type."""
        if isinstance(t, StackType):
            return ("stack", self.type(t.item))
        found = self.types[t] = (t.dtype.str, t.shape)
        return found

    def value(self, x: Any) -> Any:
        """A parameter or a constant, as keys have them (`ir.key.freeze`)."""
        cls = x.__class__
        if x is None or cls is int or cls is str or cls is bytes or cls is bool:
            return x
        if cls is tuple:
            return tuple(map(self.value, x))
        if isinstance(x, np.dtype):
            if x.kind not in "fciub":
                raise NoSpelling(repr(x))
            return ("dtype", x.str)
        if isinstance(x, ArrayType | StackType):
            return ("type", self.type(x))
        if cls is Frozen:
            return ("array", *x.key)
        if isinstance(x, Program):
            return ("program", self.program(x))
        raise NoSpelling(repr(cls))


# ---- lines -------------------------------------------------------------------------------------------


def sources(program: Program) -> Iterator[source.Source]:
    """Where each equation comes from, and those of the programs that equations hold."""
    told = program.sources
    for e in program.eqns:
        yield told[e.origin] if 0 <= e.origin < len(told) else None
        for value in e.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, Program):
                    yield from sources(inner)


def lines(program: Program) -> bytes:
    """Equal bytes: equation by equation, the same lines of the same texts."""
    known: dict[Any, Any] = {}
    found: list[Any] = []
    for where in sources(program):
        if where is None or isinstance(where, source.Line):
            found.append(where and tuple(where))
            continue
        code, last = where
        if code not in known:  # (a table: which instruction stands on which line)
            head = (code.co_filename, code.co_firstlineno, code.co_name, code.co_linetable)
            known[code] = len(known)
            found.append(head)
        found.append((known[code], last))
    return marshal.dumps(found, 2)
