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


def packed(r: Region, roots: Sequence[Root]) -> list[Node]:
    """Turn what all rows read with steps; the nodes, which are made now."""
    found: list[Node] = []
    seen: set[Node] = set()
    known: dict[Any, Stored] = {}
    stack = [root.source for root in roots]
    while stack:
        node = stack.pop()
        if node in seen or node.array is not None or node.kind != "virtual":
            continue
        seen.add(node)
        view = r.view(node) if node.affine is not None else None
        if view is None:
            stack.extend(node.operands)
        elif _by_steps(node, view):
            key = (view.buffer, view.offset, view.strides, node.shape)
            if key not in known:
                known[key] = _turned(r, node, view)
            node.array = known[key]
            found.append(node)
    return found


def forget(r: Region, nodes: Sequence[Node]) -> None:
    """The nest is done, and what was turned is not wanted any more."""
    for node in nodes:
        r.e.release(node.array)
        node.array = None


def _by_steps(node: Node, view: Stored) -> bool:
    """Is it the same for all rows, and do neighbours in the vector loop stand apart in short runs?"""
    axes, inner = loops_of(node.shape, node.written_out)
    if len(axes) < 2 or axes[0] != 0 or not inner or view.dtype in PARTS:
        return False
    zero, steps = view.strides[0], view.strides[axes[-1]]
    return (
        zero.op == "const" and zero.data == 0
        and steps.op == "const" and steps.data > 1
        and any(view.strides[d].op == "const" and view.strides[d].data == 1 for d in inner)
    )  # fmt: skip


def _turned(r: Region, node: Node, view: Stored) -> Stored:
    moving = [
        d for d, stride in enumerate(view.strides) if stride.op != "const" or stride.data != 0
    ]
    _, inner = loops_of(node.shape, node.written_out)
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
