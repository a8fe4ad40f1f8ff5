"""slopes: whole Jacobians of a recording, by columns or by rows, batched.

The recording has its numbers, so Python's decisions are made; only the tangents (or cotangents)
get a leading axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program, Var
from wengert.ir.types import ArrayType
from wengert.transforms.batch import batch
from wengert.transforms.forward import linear_part
from wengert.transforms.reverse import reverse
from wengert.transforms.sweep import sweep
from wengert.transforms.transpose import transpose

FEW = 8  # so many rows are walked one by one; more of them are batched

Nodes = Sequence[Var]


@lru_cache(maxsize=256)
def _batched(program: Program, flags: tuple[bool, ...], extent: int) -> Program:
    return sweep(batch(program, flags, extent))


@lru_cache(maxsize=256)
def _transposed(program: Program, movers: int) -> Program:
    rest = len(program.inputs) - movers
    flipped = Program(
        [*program.inputs[movers:], *program.inputs[:movers]],
        program.eqns,
        program.outputs,
        program.sources,
        program.name,
    )
    return sweep(transpose(flipped, [False] * rest + [True] * movers))


def _basis(types: Sequence[ArrayType], start: int, stop: int) -> list[Any]:
    """Rows start..stop of the unit vectors of all these spaces together, one array per space."""
    found, offset = [], 0
    for t in types:
        rows = np.zeros((stop - start, t.size), t.dtype)
        for k in range(max(start, offset), min(stop, offset + t.size)):
            rows[k - start, k - offset] = 1
        found.append(rows.reshape(stop - start, *t.shape))
        offset += t.size
    return found


def _chunks(count: int, size: int | None) -> list[tuple[int, int]]:
    step = count if size is None else max(1, size)
    return [(a, min(a + step, count)) for a in range(0, count, step)] if count else []


def by_columns(
    builder: Any, sources: Nodes, targets: Nodes, chunk: int | None = None
) -> list[list[Any]]:
    """Per target, per source: the array `(*target, *source)` of slopes, by forward mode."""
    ins, outs = [v.type for v in sources], [v.type for v in targets]
    program, residuals = linear_part(builder, list(sources), list(targets))
    columns: list[list[Any]] = [[] for _ in outs]
    flags = (True,) * len(ins) + (False,) * len(residuals)
    for start, stop in _chunks(sum(t.size for t in ins), chunk):
        wide = _batched(program, flags, stop - start)
        for parts, dy in zip(
            columns, evaluate(wide, [*_basis(ins, start, stop), *residuals]), strict=True
        ):
            parts.append(dy)
    blocks = []
    for parts, t in zip(columns, outs, strict=True):
        whole = (
            parts[0]
            if len(parts) == 1
            else np.concatenate(parts)
            if parts
            else np.zeros((0, *t.shape))
        )
        row, offset = [], 0
        for s in ins:
            block = np.moveaxis(whole[offset : offset + s.size], 0, -1)
            row.append(np.reshape(block, (*t.shape, *s.shape)))
            offset += s.size
        blocks.append(row)
    return blocks


def by_rows(
    builder: Any, sources: Nodes, targets: Nodes, chunk: int | None = None, singly: bool = False
) -> list[list[Any]]:
    """As `by_columns`, by reverse mode; `singly`, one gradient after the other."""
    ins, outs = [v.type for v in sources], [v.type for v in targets]
    count = sum(t.size for t in outs)
    pieces: list[list[Any]] = [[] for _ in ins]
    pull = pulled(builder, sources, targets, 1 if singly else count)
    for start, stop in _chunks(count, chunk):
        for parts, g in zip(pieces, pull(_basis(outs, start, stop)), strict=True):
            parts.append(g)
    wholes: list[Any] = [p[0] if len(p) == 1 else np.concatenate(p) if p else None for p in pieces]
    blocks, offset = [], 0
    for t in outs:
        blocks.append(
            [
                np.reshape(w[offset : offset + t.size], (*t.shape, *s.shape))
                for w, s in zip(wholes, ins, strict=True)
            ]
        )
        offset += t.size
    return blocks


def pulled(builder: Any, sources: Nodes, targets: Nodes, count: int) -> Any:
    """A function from cotangents of the targets, stacked along a leading axis, to those of the sources.

    `count` is how many rows there will be in all: a few are walked one by one.
    """
    if count <= FEW:
        return lambda gs: _one_by_one(builder, sources, targets, gs)
    program, residuals = linear_part(builder, list(sources), list(targets))
    back = _transposed(program, len(sources))
    flags = (False,) * len(residuals) + (True,) * len(targets)
    return lambda gs: evaluate(_batched(back, flags, len(gs[0])), [*residuals, *gs])


def _one_by_one(builder: Any, sources: Nodes, targets: Nodes, gs: Sequence[Any]) -> list[Any]:
    rows = [reverse(builder, targets, [g[k] for g in gs], sources) for k in range(len(gs[0]))]
    return [
        np.stack(
            [np.zeros(v.type.shape, v.type.dtype) if row[n] is None else row[n] for row in rows]
        )
        for n, v in enumerate(sources)
    ]
