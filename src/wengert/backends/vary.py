"""What a vector loop is made of: its width, what it reads and writes, which values differ from lane to lane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wengert.backends.code import (
    DTYPES,
    Block,
    Buffer,
    Call,
    For,
    Function,
    If,
    Reserve,
    Store,
    Value,
    While,
)


def items_of(block: Block) -> Iterator[Any]:
    """All values and statements of a block and of the blocks in it."""
    for item in block.items:
        if item.__class__ is Value:
            yield item
        else:
            yield from inside(item)


def inside(item: Any) -> Iterator[Any]:
    """A value or statement, and those of the blocks that it holds."""
    yield item
    if isinstance(item, For):
        yield from items_of(item.block)
    elif isinstance(item, While):
        yield from items_of(item.before)
        yield from items_of(item.block)
    elif isinstance(item, If):
        yield from items_of(item.then)
        yield from items_of(item.otherwise)


def _owned(item: Any) -> Buffer | None:
    """The memory of which each lane of a vector loop has its own, if there is such a statement in it.

    A tape that grows outside the loop is no lane's own: the loop fills its share of it like any array.
    """
    if isinstance(item, Reserve) or (isinstance(item, Store) and item.buffer.role == "private"):
        return item.buffer
    return None


def laned(function: Function, native: int) -> dict[Buffer, int]:
    """Private memory that is written inside a vector loop: each lane has its own."""
    found: dict[Buffer, int] = {}
    for item in items_of(function.body):
        if isinstance(item, For) and item.kind != "serial":
            width = width_of(item, native)
            for inner in items_of(item.block):
                buffer = _owned(inner)
                if buffer is not None:
                    found[buffer] = width
    return found


def width_of(s: For, native: int) -> int:
    """Lanes of a loop: as many as doubles fit, or as many as floats if there is nothing wider."""
    wide = False
    for item in items_of(s.block):
        if item.__class__ is Value:
            if item.type == "f64" or (item.op == "load" and DTYPES[item.type].itemsize == 8):
                wide = True
        elif isinstance(item, Store) and DTYPES[item.buffer.type].itemsize == 8:
            wide = True
    return native if wide else 2 * native


def weight(s: For) -> int:
    """How many values are in a loop: by that it is decided how it is done, and so in which order sums are taken."""
    if s.weight is not None:
        return s.weight
    return sum(1 for item in items_of(s.block) if item.__class__ is Value)


def by_lanes(s: For) -> bool:
    """Calls cannot be made per lane."""
    return not any(isinstance(item, Call) for item in items_of(s.block))


def touched(s: For) -> tuple[set[Buffer], set[Buffer]]:
    """The buffers that a loop writes, and those that it reads."""
    written, read = set(), set()
    for item in items_of(s.block):
        if isinstance(item, Store | Reserve):
            written.add(item.buffer)
        elif item.__class__ is Value and item.op == "load":
            read.add(item.data)
        elif isinstance(item, Call):
            written.update(item.writes)
            read.update(a[0] for a in item.args if isinstance(a, tuple))
    return written, read


def varying(s: For) -> set[Value]:
    """Values of the body that may differ from lane to lane (carried ones by going round until nothing changes)."""
    found: set[Value] = {s.index}
    shared: set[Buffer] = set()  # memory of the lanes' own
    for item in items_of(s.block):
        buffer = _owned(item)
        if buffer is not None:
            shared.add(buffer)

    def visit(block: Block, under: bool) -> None:
        for item in block.items:
            if item.__class__ is Value:
                if any(a in found for a in item.args) or (
                    item.op == "load" and item.data in shared
                ):
                    found.add(item)
            elif isinstance(item, For):
                for r in item.reductions:
                    found.add(r.result)
                loop(item.carried, lambda i=item: visit(i.block, under), lambda: under)
            elif isinstance(item, While):

                def both(i: While = item) -> None:
                    visit(i.before, under)
                    visit(i.block, under or i.test in found)

                loop(item.carried, both, lambda i=item: under or i.test in found)
            elif isinstance(item, If):
                inside = under or item.test in found
                visit(item.then, inside)
                visit(item.otherwise, inside)
                for a, b, result in item.results:
                    if item.test in found or a in found or b in found:
                        found.add(result)

    def loop(carried: Any, body: Any, masked: Any) -> None:
        for c in carried:
            if c.init in found:
                found.update((c.param, c.result))
        while True:
            size = len(found)
            body()
            for c in carried:
                if c.next in found or masked():
                    found.update((c.param, c.result))
            if len(found) == size:
                return

    visit(s.block, False)
    return found
