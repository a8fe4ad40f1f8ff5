"""split: what can be computed now from the known inputs, and what is left for later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ir.program import Const, Program, Var


def split(
    program: Program, known: Sequence[bool], known_outputs: Sequence[bool] | None = None
) -> tuple[Program, Program, list[bool]]:
    """Part `program` by its inputs: the known part, the later part, which outputs are known.

    `known(knowns) -> (known outputs, residuals)`; `later(residuals, unknowns) -> unknown outputs`.
    Equations all of whose arguments are known go to the first part; its values that the second
    needs are the residuals. With `known_outputs`, known values may be left to the second part.
    """
    sure: set[Any] = {v for v, k in zip(program.inputs, known, strict=True) if k}
    now, later = [], []
    for e in program.eqns:
        if all(isinstance(a, Const) or a in sure for a in e.inputs):
            now.append(e)
            sure.update(e.outputs)
        else:
            later.append(e)
    flags = [isinstance(a, Const) or a in sure for a in program.outputs]
    flags = flags if known_outputs is None else list(known_outputs)
    unknown_outs = [a for a, f in zip(program.outputs, flags, strict=True) if not f]
    needed = [a for e in later for a in e.inputs] + unknown_outs
    residuals = list(dict.fromkeys(a for a in needed if isinstance(a, Var) and a in sure))
    knowns = [v for v, k in zip(program.inputs, known, strict=True) if k]
    unknowns = [v for v, k in zip(program.inputs, known, strict=True) if not k]
    known_outs = [a for a, f in zip(program.outputs, flags, strict=True) if f]
    first = Program(
        knowns, now, [*known_outs, *residuals], program.sources, f"known({program.name})"
    )
    second = Program(
        [*residuals, *unknowns], later, unknown_outs, program.sources, f"later({program.name})"
    )
    return first, second, flags
