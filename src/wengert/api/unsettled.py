"""Forward mode and batches where vectors are fixed up to a basis: what reverse mode, example by example, knows.

Eigenvectors of equal values, the added columns of square factors and the phases of complex vectors
are LAPACK's choice. Only the walk backwards sees what the whole function makes of them, so it is
asked: for the slopes where values repeat (there the forward rules give nan), else whether there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Call, split_aux
from wengert.api.gradients import record_call
from wengert.ir.program import Program
from wengert.trace.tracer import Tracer
from wengert.transforms.reverse import reverse


def settling(program: Program) -> bool:
    """Does a program, or one that it holds, ask for such vectors?"""
    return any(
        e.prim.settles or any(isinstance(p, Program) and settling(p) for p in e.params.values())
        for e in program.eqns
    )


def has_nan(values: Any) -> bool:
    """Is there a nan among these numbers? Traced values are looked at when they are numbers."""
    plain = [np.asarray(y) for y in values if not isinstance(y, Tracer)]
    return any(y.dtype.kind in "fc" and bool(np.isnan(y).any()) for y in plain)


def tangents(call: Call, dxs: list[Any], dys: list[Any], has_aux: bool) -> list[Any]:
    """Tangents of a call that went forwards through such vectors: checked, or found anew.

    Raises DegenerateError where they depend on the choice.
    """
    builder, inputs, said = record_call(call)
    leaves = tree.flatten(split_aux(said, has_aux)[0])[0]
    moving = [n for n, y in enumerate(leaves) if isinstance(y, Tracer) and y.builder is builder and y.type.inexact]  # fmt: skip
    targets, sources = [leaves[n].node for n in moving], [x.node for x in inputs]

    def along(gs: list[Any]) -> Any:
        """Re ⟨gs, tangents of the results⟩."""
        with np.errstate(all="ignore"):
            found = reverse(builder, targets, gs, sources)
        return sum(
            np.sum(np.real(g * dx)) for g, dx in zip(found, dxs, strict=True) if g is not None
        )

    if not has_nan(dys):
        rng = np.random.default_rng(0)
        if any(_free(entry) for entry in builder.entries):
            along([rng.normal(size=v.type.shape).astype(v.type.dtype)[()] for v in targets])
        return dys
    zeros = [np.zeros(v.type.shape, v.type.dtype) for v in targets]
    dys = list(dys)
    for k, n in enumerate(moving):
        dy = np.zeros(zeros[k].shape, zeros[k].dtype)
        for at in np.ndindex(dy.shape):
            for unit in (1, -1j) if dy.dtype.kind == "c" else (1,):
                g = zeros[k].copy()
                g[at] = unit
                gs = [g if m == k else z for m, z in enumerate(zeros)]
                dy[at] += along([g[()] for g in gs]) * (1 if unit == 1 else 1j)
        dys[n] = dy[()]
    return dys


def _free(entry: Any) -> bool:
    """Are there added columns, or phases?"""
    prim, outputs = entry[0], entry[3]
    return prim.settles and (
        prim.name.startswith("full_") or any(v.type.dtype.kind == "c" for v in outputs)
    )


def one_by_one(extent: int, example: Callable[[int], Any]) -> list[Any]:
    """The results of a batch, its examples run one after the other."""
    found = [tree.flatten(example(k))[0] for k in range(extent)]
    return [np.stack(ys) for ys in zip(*found, strict=True)]
