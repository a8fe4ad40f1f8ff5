"""Structural keys: programs that compute the same in the same way have equal keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from wengert.ir.program import Program


def freeze(value: Any) -> Any:
    """A hashable stand-in for a parameter (slices are not hashable before Python 3.12)."""
    if type(value) is int:
        return ("int", value)
    if isinstance(value, tuple | list):
        return (type(value).__name__, *map(freeze, value))
    if isinstance(value, slice):
        return ("slice", freeze(value.start), freeze(value.stop), freeze(value.step))
    if isinstance(value, dict):
        return ("dict", *((k, freeze(v)) for k, v in value.items()))
    if isinstance(value, np.ndarray):
        return ("array", value.shape, value.dtype.str, value.tobytes())
    if isinstance(value, float | complex | np.generic):
        return (
            type(value).__name__,
            np.asarray(value).tobytes(),
        )  # tells -0.0 from 0.0, nan from nan
    if isinstance(value, bool | int):
        return (type(value).__name__, value)
    return value


_BARE = freeze({})


def program_key(program: Program) -> Any:
    """Variables become their position; sources and names do not count."""
    from wengert.ir.program import Const

    number: dict[Any, int] = {}
    for v in program.inputs:
        number[v] = len(number)

    def coded(atom: Any) -> Any:
        if isinstance(atom, Const):  # a Python number counts like NumPy's of its type
            return ("const", np.asarray(atom.value).tobytes(), atom.type)
        return number[atom]

    eqns = []
    for e in program.eqns:
        ins = tuple([coded(a) if a.__class__ is Const else number[a] for a in e.inputs])
        for v in e.outputs:
            number[v] = len(number)
        params = freeze(dict(e.params)) if e.params else _BARE
        eqns.append((e.prim, params, ins, tuple([v.type for v in e.outputs])))
    return (program.in_types, tuple(eqns), tuple(map(coded, program.outputs)))
