"""Slices: of a program that treats elements alike, only the elements that are asked for.

Where every equation between what is asked and the arguments works element by element on arrays of one
shape (or on numbers that all elements share), a few elements are a program of their own: the same equations on
short vectors. So the balls of a large array cost what its wrong elements cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import Convert
from wengert.ops.compare import Select
from wengert.ops.families import Elementwise, Scale
from wengert.ops.literal import Literal
from wengert.trust.balls.evaluate import Derived
from wengert.trust.rows import by_rows

_LEAST = 16  # smaller arrays are not worth the trouble


def sliced(
    program: Program, args: Sequence[Any], masks: Sequence[Any], least: int = _LEAST
) -> tuple[Program, list[Any], Any] | None:
    """The program of the marked elements (or examples), its arguments, and their places; None if there is none.

    `masks` are of the shapes of the outputs. Arrays have at `least` so many elements.
    """
    return _by_elements(program, args, masks, least) or by_rows(program, args, masks)


def _by_elements(
    program: Program, args: Sequence[Any], masks: Sequence[Any], least: int
) -> tuple[Program, list[Any], Any] | None:
    shape = masks[0].shape
    if any(m.shape != shape for m in masks) or masks[0].size < least:
        return None
    mask = np.any(masks, axis=0)
    count = int(np.count_nonzero(mask))
    if 2 * count > mask.size or not aligned(program, shape):
        return None
    kept = np.nonzero(mask)
    short: dict[Any, Any] = {}

    def narrow(t: Any) -> Any:
        return ArrayType.of((count,), t.dtype) if t.shape == shape else t

    def atom(a: Any) -> Any:
        if isinstance(a, Const):
            return a
        if a not in short:
            short[a] = Var(narrow(a.type))
        return short[a]

    inputs = [atom(v) for v in program.inputs]
    eqns: list[Eqn] = []
    for e in program.eqns:
        if e.prim.name == "broadcast":  # one number for all: it stays one
            short[e.outputs[0]] = atom(e.inputs[0])
            continue
        eqns.append(Eqn(e.prim, tuple(map(atom, e.inputs)), e.params, tuple(map(atom, e.outputs)), e.origin))  # fmt: skip
    outputs = [atom(a) for a in program.outputs]
    found = Derived(inputs, eqns, outputs, program.sources, program.name)
    found.seeds = getattr(program, "seeds", 0)
    given = [
        np.asarray(a)[kept] if t.shape == shape else a
        for a, t in zip(args, program.in_types, strict=True)
    ]
    return found, given, kept


def aligned(program: Program, shape: tuple[int, ...]) -> bool:
    """Is everything elementwise on arrays of this shape, or about single numbers?"""
    needed: set[Any] = set(program.outputs)
    for e in reversed(program.eqns):
        if not any(v in needed for v in e.outputs):
            return False  # (dead equations are swept before)
        needed.update(e.inputs)
        shapes = {v.type.shape for v in (*e.inputs, *e.outputs) if hasattr(v.type, "shape")}
        if shapes == {()}:
            continue
        if e.prim.name == "broadcast":
            if e.inputs[0].type.shape != () or e.outputs[0].type.shape != shape:
                return False
            continue
        if isinstance(e.prim, Literal) or not isinstance(
            e.prim, Elementwise | Scale | Select | Convert
        ):
            return False
        if not shapes <= {(), shape}:
            return False
    return all(a.type.shape == shape for a in program.outputs)
