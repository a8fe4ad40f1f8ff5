"""Constants of derivative programs: which of them may have been rounded before the program was made?

The rules of derivatives compute with the constants that they see (the slope of x / 3 is the float 1/3), and
write irrational ones as floats. Sums, products and quotients of short numbers come out exact or long. The
user's own long numbers are exact; which is which, a finished program does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ops.radii import Radius, unit

_ROUNDINGS = 2  # half ulps: a rounded number, computed with once more


def radius_of(value: Any) -> Radius:
    """How far a constant may be off from what it stands for; None: not at all."""
    if value.dtype.kind not in "fc":
        return None
    return _radius(value.dtype.char, value.tobytes())


@lru_cache(maxsize=4096)
def _radius(char: str, content: bytes) -> Radius:
    value = np.frombuffer(content, char)[0]
    if short(value) or (value.real % 1 == 0 and value.imag % 1 == 0):
        return None
    if not np.isfinite(value):
        return None
    u, eta = unit(value.dtype)
    return np.abs(value) * (u * u.dtype.type(_ROUNDINGS)) + eta


def lifted(program: Program, which: Callable[[Any], bool]) -> tuple[Program, dict[Var, Any]]:
    """The program with those of its float constants as last inputs, and their values."""
    found: dict[Any, Var] = {}
    values: dict[Var, Any] = {}

    def atom(a: Any) -> Any:
        if not isinstance(a, Const) or a.type.dtype.kind not in "fc" or not which(a.value):
            return a
        key = a.type, a.value.tobytes()
        if key not in found:
            found[key] = Var(a.type)
            values[found[key]] = a.value
        return found[key]

    eqns, outputs = _changed(program, atom)
    inputs = [*program.inputs, *values]
    return Program(inputs, eqns, outputs, program.sources, program.name), values


def kept_apart(
    derive: Callable[[Program, tuple[bool, ...]], Program],
    program: Program,
    moving: tuple[bool, ...],
) -> Program:
    """A derivative program in which the user's long numbers are not taken for rounded ones that look alike."""
    wide, values = lifted(program, lambda x: radius_of(x) is not None)
    if not values:
        return derive(program, moving)
    n, count = len(program.inputs), len(values)
    found = derive(wide, (*moving, *(False,) * count))
    back = dict(zip(found.inputs[n : n + count], map(Const, values.values()), strict=True))
    eqns, outputs = _changed(found, lambda a: back.get(a, a) if isinstance(a, Var) else a)
    inputs = [*found.inputs[:n], *found.inputs[n + count :]]
    return Program(inputs, eqns, outputs, found.sources, found.name)


def _changed(program: Program, atom: Callable[[Any], Any]) -> tuple[list[Eqn], list[Any]]:
    """Its equations and outputs with other atoms."""
    eqns = [
        Eqn(e.prim, tuple(map(atom, e.inputs)), e.params, e.outputs, e.origin) for e in program.eqns
    ]
    return eqns, [*map(atom, program.outputs)]


def short(x: Any) -> bool:
    """Has it no more than a quarter of the format's digits?"""
    parts = (x.real, x.imag) if np.iscomplexobj(x) else (x,)
    return all(
        np.isfinite(part) and _digits(part) <= np.finfo(part.dtype).nmant // 4 for part in parts
    )


def _digits(part: Any) -> int:
    """How many bits a finite number has, from its first to its last."""
    top = abs(float(part).as_integer_ratio()[0])
    return (top // (top & -top)).bit_length() if top else 0
