"""What a loop leaves behind at each step for another loop stands side by side in memory.

A step of a recurrent net leaves dozens of short arrays to its derivative. Each in an array of its own would be
as many streams through memory, more than a machine foresees; together they are one.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import TYPE_CHECKING, Any

from wengert.backends.arrays import Stored
from wengert.backends.code import SMALL, Buffer
from wengert.backends.graph import Node, Step
from wengert.backends.scalars import PARTS, scalar_type

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter

FEWEST = 3  # so many arrays are worth it


def places(e: Emitter, step: Step, kept: set[Node]) -> dict[Node, Stored]:
    """Memory for those results of a loop that stand together; of the others nothing is said."""
    if step.name != "scan" or e.lanes:
        return {}
    groups: dict[Any, list[Node]] = defaultdict(list)
    for result, memory in zip(step.results, step.memory, strict=True):
        if memory and not result.dests and result not in kept and _read_by_steps(result):
            first, *item = result.shape or (0,)
            if first > SMALL and all(0 < n <= SMALL for n in item):
                groups[first, result.dtype].append(result)
    found: dict[Node, Stored] = {}
    for (length, dtype), results in groups.items():
        if len(results) >= FEWEST and dtype not in PARTS:
            found.update(_side_by_side(e, length, dtype, results))
    return found


def _read_by_steps(result: Node) -> bool:
    """Do all who read it say that memory with strides is enough?"""
    return bool(result.readers) and all(
        reader.kind == "step"
        and all(
            need == "stored"
            for op, need in zip(reader.operands, reader.step.needs, strict=True)
            if op is result
        )
        for reader in result.readers
    )


def _side_by_side(e: Emitter, length: int, dtype: Any, results: list[Node]) -> dict[Node, Stored]:
    starts, total = [], 0
    for result in results:
        starts.append((result, total))
        total += prod(result.shape[1:])
    buffer = Buffer(e.fresh("t"), scalar_type(dtype), (e.dim(length), total), "temporary")
    e.take(buffer, dtype)
    e.sharers[buffer] = len(results)
    found = {}
    for result, start in starts:
        strides, step = [], 1
        for n in reversed(result.shape[1:]):
            strides.append(e.w.index(step))
            step *= n
        strides.append(e.w.index(total))
        found[result] = Stored(
            buffer, result.shape, dtype, e.w.index(start), tuple(reversed(strides)), False
        )
    return found
