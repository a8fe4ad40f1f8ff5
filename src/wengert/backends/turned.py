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
Roles = tuple[str, ...]  # what each axis is in the nest
ROW, LANE, INNER = "row", "lane", "inner"


def packed(r: Region, roots: Sequence[Root]) -> list[tuple[Node, Any, Stored]]:
    """Turn what all rows read with steps; the nodes that stand in turned memory now, where they stood, and that memory."""
    before: list[tuple[Node, Any, Stored]] = []
    seen: set[Node] = set()
    known: dict[Any, Stored] = {}
    stack = [(root.source, _of(root.source)) for root in roots]
    while stack:
        node, roles = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        view = r.view(node)
        table = None if view is None else _table(node, view, roles)
        if table is not None:
            key = (view.buffer, view.offset, view.strides, node.shape)  # type: ignore[union-attr]
            if key not in known:
                known[key] = _turned(r, table)
            before.append((node, node.array, known[key]))
            node.array = known[key]
        if view is None and node.kind == "virtual":
            stack.extend((op, _below(node, k, roles)) for k, op in enumerate(node.operands))
    return before


def forget(r: Region, before: Sequence[tuple[Node, Any, Stored]]) -> None:
    """The nest is done, and what was turned is not wanted any more."""
    for node, array, table in before:
        r.e.release(table)
        if (
            node.array is table
        ):  # (a root that is a view of what was turned stands in its own memory by now)
            node.array = array


def _of(node: Node) -> Roles:
    """Of a nest over a node's own elements: the loop over rows, that over lanes, what is written out."""
    axes, inner = loops_of(node.shape, node.written_out)
    if len(axes) < 2 or axes[0] != 0:
        return (INNER,) * len(node.shape)
    return tuple(
        ROW if d == 0 else LANE if d == axes[-1] else INNER if d in inner else ""
        for d in range(len(node.shape))
    )


def _below(node: Node, k: int, roles: Roles) -> Roles:
    """What the axes of an operand are."""
    op = node.operands[k]
    if node.affine is not None:
        return tuple(INNER if axis is None else roles[axis] for axis, _, _ in node.affine)
    if node.letters is not None:
        own, out = node.letters[k], node.letters[2]
        return tuple(roles[out.index(c)] if c in out else INNER for c in own)
    if node.axes and len(op.shape) == len(node.shape) + len(node.axes):
        left = iter(roles)
        return tuple(INNER if d in node.axes else next(left) for d in range(len(op.shape)))
    return roles if op.shape == node.shape else _of(op)


def _table(node: Node, view: Stored, roles: Roles) -> Table | None:
    """Is it the same for all rows, and do neighbours in the vector loop stand apart in short runs?

    Or is it a matrix that lies column by column: lines of the cache would be read again for each row.
    """
    if LANE not in roles or view.dtype in PARTS:
        return None
    if roles == (ROW, LANE) and _is(view, 0, 1) and view.strides[1].op != "const":
        return node, view, ()
    if not all(_is(view, d, 0) for d, role in enumerate(roles) if role == ROW):
        return None
    inner = [d for d, role in enumerate(roles) if role == INNER]
    return (node, view, inner) if _apart(view, roles.index(LANE), inner) else None


def _apart(view: Stored, lane: int, inner: Sequence[int]) -> bool:
    """Do neighbours along one axis stand apart, and those along one of the others side by side?"""
    steps = view.strides[lane]
    return steps.op == "const" and steps.data > 1 and any(_is(view, d, 1) for d in inner)


def _is(view: Stored, axis: int, step: int) -> bool:
    stride = view.strides[axis]
    return stride.op == "const" and bool(stride.data == step)


def _turned(r: Region, table: Table) -> Stored:
    node, view, inner = table
    if not inner:
        return _as_rows(r, node, view)
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


def _as_rows(r: Region, node: Node, view: Stored) -> Stored:
    """Column by column as it lies, into rows: what is written stays in the cache until lines of it are full."""
    place = r.e.temporary(node.shape, node.dtype)
    rows, columns = map(r.e.dim, node.shape)
    r.memo.clear()
    with (
        r.w.reading({place.buffer}),
        r.w.loop(columns, "parallel") as outer,
        r.w.loop(rows, "vector") as inner,
    ):
        idx = (inner.index, outer.index)
        place.put(r.e, idx, view.at(r.e, idx))
    r.memo.clear()
    return place
