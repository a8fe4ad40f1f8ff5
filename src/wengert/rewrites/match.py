"""Matching: does an equation look like the left side of a row? And the right side, written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.program import Const, Eqn, Var
from wengert.ops.shape import broadcast
from wengert.rewrites.rule import Equation, Several, Wild

Definitions = dict[Any, Eqn]
Found = dict[str, Any]


def number(atom: Any, definitions: Definitions) -> Any:
    """The number that a value is everywhere (a constant, or one repeated), or None."""
    if isinstance(atom, Const):
        return atom.value
    eqn = definitions.get(atom)
    if eqn is not None and eqn.prim is broadcast and isinstance(eqn.inputs[0], Const):
        return eqn.inputs[0].value
    return None


def equal_numbers(x: Any, y: Any) -> bool:
    """Equal, and of one sign: -0.0 is not 0.0 here."""
    if x != y:
        return False
    if isinstance(x, complex) or np.iscomplexobj(x):
        return bool(
            np.signbit(np.real(x)) == np.signbit(np.real(y))
            and np.signbit(np.imag(x)) == np.signbit(np.imag(y))
        )
    return bool(np.signbit(x) == np.signbit(y)) if np.asarray(x).dtype.kind == "f" else True


def match(
    pattern: Equation,
    inputs: tuple[Any, ...],
    params: Any,
    definitions: Definitions,
    found: Found,
) -> bool:
    """Does an equation of the pattern's primitive fit? Wildcards are noted in `found`."""
    for name, wanted in pattern.params.items():
        value = params.get(name)
        if isinstance(wanted, Wild):
            if found.setdefault(wanted.name, value) is not value:
                return False
        elif wanted != value:
            return False
    if pattern.args and isinstance(pattern.args[-1], Several):
        found[pattern.args[-1].name] = inputs
        return True
    if len(pattern.args) != len(inputs):
        return False
    return all(_fits(p, a, definitions, found) for p, a in zip(pattern.args, inputs, strict=True))


def _fits(pattern: Any, atom: Any, definitions: Definitions, found: Found) -> bool:
    if isinstance(pattern, Wild):
        if pattern.constant:
            value = number(atom, definitions)
            if value is None:
                return False
            known = found.setdefault(pattern.name, value)
            return known is value or equal_numbers(known, value)
        known = found.setdefault(pattern.name, atom)
        if known is atom:
            return True
        return (
            isinstance(known, Const)
            and isinstance(atom, Const)
            and known.type == atom.type
            and equal_numbers(known.value, atom.value)
        )
    if isinstance(pattern, Equation):
        eqn = definitions.get(atom)
        return (
            eqn is not None
            and eqn.prim is pattern.prim
            and match(pattern, eqn.inputs, eqn.params, definitions, found)
        )
    value = number(atom, definitions)
    if value is None or value.dtype.kind == "c":  # (x · (1 + 0i) is nan where x has an infinity)
        return False
    return value == pattern and equal_numbers(value, value.dtype.type(pattern))


def instantiate(right: Any, found: Found, dtype: Any, emit: Callable[..., Any]) -> Any:
    """The atom that a right side stands for; its equations are written by `emit(prim, *atoms, **params)`."""
    if isinstance(right, Wild):
        value = found[right.name]
        return value if isinstance(value, Var | Const) else Const(value)
    if isinstance(right, Equation):
        args = [instantiate(a, found, dtype, emit) for a in right.args]
        params = {k: found[v.name] if isinstance(v, Wild) else v for k, v in right.params.items()}
        return emit(right.prim, *args, **params)
    return Const(dtype.type(right))
