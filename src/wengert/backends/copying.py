"""Copying: arrays computed, moved or filled element by element, in a nest of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Flat, Grid, Stored
from wengert.backends.code import Value
from wengert.backends.graph import Node
from wengert.backends.plan import loops_of

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter, Region


def copy(r: Region, node: Node, place: Stored) -> None:
    """Write a node that is made to a place."""
    if node.array.__class__ is Grid:
        for at in np.ndindex(node.shape):
            place.put(r.e, tuple(map(r.w.index, at)), node.array.items[at])
        return
    if 0 in node.shape:
        return
    flat = place.whole and node.array.__class__ is Stored and node.array.whole
    if flat:
        with r.w.loop(r.e.size(node.shape), "vector") as loop:
            place.put(r.e, Flat(loop.index), node.array.at(r.e, Flat(loop.index)))
        return
    r.over(node.shape, lambda idx: place.put(r.e, idx, r.at(node, idx)), {place.buffer})


def over(r: Region, shape: tuple[int, ...], do: Any, serial: int = 0) -> None:
    """`do(idx)` for every index, the last loop over lanes; trailing small axes are written out."""
    if 0 in shape:
        return
    axes, inner = loops_of(shape)
    if not axes:
        for at in np.ndindex(shape):
            do(tuple(map(r.w.index, at)))
        return

    def nest(d: int, idx: list[Value]) -> None:
        if d == len(axes):
            for point in np.ndindex(*(shape[k] for k in inner)):
                do((*idx, *map(r.w.index, point)))
            return
        kind = "vector" if d == len(axes) - 1 and axes[d] >= serial else "serial"
        with r.w.loop(r.e.dim(shape[axes[d]]), kind) as loop:
            nest(d + 1, [*idx, loop.index])

    nest(0, [])


def transfer(e: Emitter, source: Stored, place: Stored) -> None:
    """Copy memory that both hold in C order."""
    w = e.w
    with w.reading({place.buffer}), w.loop(e.size(source.shape), "vector") as loop:
        place.put(e, Flat(loop.index), source.at(e, Flat(loop.index)))


def fill(e: Emitter, place: Stored, value: Any) -> None:
    """Write one value everywhere."""
    with e.w.loop(e.size(place.shape), "vector") as loop:
        place.put(e, Flat(loop.index), value)
