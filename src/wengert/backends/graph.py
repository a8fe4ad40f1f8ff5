"""The graph of arrays that a program becomes before loops are made of it.

A node is an array. It is *virtual* (a function from an index to a scalar, computed wherever somebody
asks), a *reduction*, a result of a *step* (something done as a whole: a product by BLAS, a loop, a
call-back), or *given*. `plan` decides which virtual ones get memory, and what shares a loop nest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from wengert.backends.arrays import Grid

# how an operand is read: at the same index; each element at most once; several times
SAME, MOVED, SPREAD = "same", "moved", "spread"

Pull = Callable[[Any, Any], Any]  # (region, index) -> scalar


class Node:
    """An array to be."""

    after: tuple[Node, ...] = ()  # what must be there first, although it is not read
    array: Any = None  # when it is made: Grid or Stored
    affine: Any = None  # of a movement: per source axis (axis of the result, start, step)
    op = ""  # of a reduction; of a formula its name
    axes: tuple[int, ...] = ()  # of a reduction
    letters: Any = None  # of a sum of few products: of its operands, of itself, of what is summed
    zero: Node | None = None  # where this one is zero, the node is, too
    step: Any = None  # of a step, and of its results
    number = 0
    readers: Sequence[Node] = ()  # once for every time that they read it
    depth = 0  # of the chain of virtual nodes that it ends
    level, cost, flat, small, stored = 0, 0, False, False, False
    dests: Sequence[Any] = ()  # memory it must be written to
    line: Any = None
    value: Any = None  # of a number
    written_out = False  # must its small axes be written out, however many elements?

    def __init__(
        self,
        kind: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        operands: tuple[Node, ...] = (),
        access: str = SAME,
        pull: Pull | None = None,
        own: int = 0,
    ) -> None:
        self.kind = kind  # given virtual reduce result step
        self.shape, self.dtype = shape, dtype
        self.operands, self.access, self.pull, self.own = operands, access, pull, own

    @classmethod
    def done(cls, grid: Grid) -> Node:
        """A small array that is there."""
        node = cls("given", grid.shape, grid.dtype)
        node.array, node.small = grid, True
        return node

    def __repr__(self) -> str:
        return f"<{self.kind} {self.op} {self.dtype}{list(self.shape)}>"


class Step:
    """Something done as a whole.

    `emit(region, step, places)` does it: `places` has memory for every result for which `memory`
    says so (else None), and the arrays of all results are returned. Operands of which `needs` is
    "stored" have memory with strides then, "whole" ones memory in C order; others are pulled.
    `emit_row(region, step, places, index)`, if any, does the row of that number of all results, and needs
    the same rows of its operands.
    """

    __slots__ = (
        "effect",
        "emit",
        "emit_row",
        "lanes",
        "memory",
        "name",
        "needs",
        "node",
        "operands",
        "results",
        "reuses",
        "taken",
        "types",
        "writes",
    )

    def __init__(
        self,
        name: str,
        operands: tuple[Node, ...],
        needs: tuple[str, ...],
        emit: Callable[..., Any],
        memory: tuple[bool, ...],
        reuses: int | None = None,
        lanes: bool = False,
    ) -> None:
        self.name, self.operands, self.needs, self.emit, self.memory = (
            name,
            operands,
            needs,
            emit,
            memory,
        )
        self.emit_row: Callable[..., Any] | None = None
        self.lanes = lanes  # can it be done in a loop over lanes?
        self.reuses = reuses  # this operand's memory may become that of result 0 …
        self.taken = False  # … and did
        self.writes: Any = None  # where, per axis as of `affine`, if it is a write into that
        self.effect = False  # does it do something besides its results?
        self.node: Any = None
        self.types: tuple[Any, ...] = ()
        self.results: list[Node] = []
