"""Turned memory: short trailing axes come first, so that neighbours in the vector loop stand side by side.

A table of points with three coordinates each is read coordinate by coordinate, every third number. Where that is
done again for every row of a nest, the table is turned once before it. Sums that every row adds to are kept so, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Stored
from wengert.backends.graph import Node
from wengert.backends.plan import loops_of
from wengert.backends.scalars import PARTS

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter, Region
    from wengert.backends.roots import Root


def memory(
    e: Emitter, shape: tuple[int, ...], small: Sequence[int], dtype: np.dtype[Any]
) -> Stored:
    """Memory for an array in which these axes vary slowest."""
    order = [*small, *(d for d in range(len(shape)) if d not in small)]
    place = e.temporary(tuple(shape[d] for d in order), dtype)
    strides: list[Any] = [None] * len(shape)
    for d, stride in zip(order, place.strides, strict=True):
        strides[d] = stride
    return Stored(place.buffer, shape, dtype, place.offset, tuple(strides), False)


Table = tuple[
    Node, Stored, Sequence[int]
]  # what is read, its memory, the axes that are to vary slowest


def packed(r: Region, roots: Sequence[Root]) -> list[tuple[Node, Any]]:
    """Turn what all rows read with steps; the nodes that stand in turned memory now, and where they stood."""
    before: list[tuple[Node, Any]] = []
    seen: set[Node] = set()
    known: dict[Any, Stored] = {}
    stack = [root.source for root in roots]
    while stack:
        node = stack.pop()
        if node in seen or node.array is not None or node.kind != "virtual":
            continue
        seen.add(node)
        view = r.view(node) if node.affine is not None else None
        for table in _tables(r, node) if view is None else _by_steps(node, view):
            op, lies, _ = table
            key = (lies.buffer, lies.offset, lies.strides, op.shape)
            if key not in known:
                known[key] = _turned(r, table)
            if op.array is not known[key]:
                before.append((op, op.array))
                op.array = known[key]
        if view is None:
            stack.extend(node.operands)
    return before


def forget(r: Region, before: Sequence[tuple[Node, Any]]) -> None:
    """The nest is done, and what was turned is not wanted any more."""
    for node, array in before:
        r.e.release(node.array)
        node.array = array


def _by_steps(node: Node, view: Stored) -> list[Table]:
    """The node itself, if it is the same for all rows, and neighbours in the vector loop stand apart in short runs."""
    axes, inner = loops_of(node.shape, node.written_out)
    if len(axes) < 2 or axes[0] != 0 or view.dtype in PARTS or not _is(view, 0, 0):
        return []
    return [(node, view, inner)] if _apart(view, axes[-1], inner) else []


def _tables(r: Region, node: Node) -> list[Table]:
    """The same of the operands of a sum of few products."""
    if node.letters is None or node.dtype in PARTS:
        return []
    axes, _ = loops_of(node.shape, node.written_out)
    left, right, out, inner = node.letters
    found: list[Table] = []
    if len(axes) < 2 or axes[0] != 0:
        return found
    for op, own in zip(node.operands, (left, right), strict=True):
        view = r.view(op)
        if view is not None and out[0] not in own and out[axes[-1]] in own:
            small = [own.index(c) for c in inner if c in own]
            if _apart(view, own.index(out[axes[-1]]), small):
                found.append((op, view, small))
    return found


def _apart(view: Stored, lane: int, inner: Sequence[int]) -> bool:
    """Do neighbours along one axis stand apart, and those along one of the others side by side?"""
    steps = view.strides[lane]
    return steps.op == "const" and steps.data > 1 and any(_is(view, d, 1) for d in inner)


def _is(view: Stored, axis: int, step: int) -> bool:
    stride = view.strides[axis]
    return stride.op == "const" and bool(stride.data == step)


def _turned(r: Region, table: Table) -> Stored:
    node, view, inner = table
    moving = [d for d in range(len(node.shape)) if not _is(view, d, 0)]
    shape = tuple(node.shape[d] for d in moving)
    small = [k for k, d in enumerate(moving) if d in inner]
    place = memory(r.e, shape, small, node.dtype)
    source = Stored(
        view.buffer, shape, node.dtype, view.offset, tuple(view.strides[d] for d in moving), False
    )
    r.over(shape, lambda idx: place.put(r.e, idx, source.at(r.e, idx)), {place.buffer})
    strides = [r.e.zero] * len(node.shape)
    for d, stride in zip(moving, place.strides, strict=True):
        strides[d] = stride
    return Stored(place.buffer, node.shape, node.dtype, place.offset, tuple(strides), False)
