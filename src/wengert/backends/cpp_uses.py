"""What a function of loop code uses: values that something is done with, and how often; buffers that are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wengert.backends.code import Block, Buffer, Call, Check, For, Function, If, Store, Value, While


def items(block: Block) -> Iterator[Any]:
    """Everything in a block and in the blocks inside."""
    for item in block.items:
        yield item
        for inner in _inner(item):
            yield from items(inner)


def _inner(item: Any) -> tuple[Block, ...]:
    if isinstance(item, For):
        return (item.block,)
    if isinstance(item, While):
        return item.before, item.block
    return (item.then, item.otherwise) if isinstance(item, If) else ()


def roots(s: Any) -> tuple[Value, ...]:
    """Values that a statement reads, whatever is done with its results."""
    if isinstance(s, Store):
        return s.index, s.value
    if isinstance(s, For):
        return (s.extent,)
    if isinstance(s, While | If):
        return (s.test,)
    if isinstance(s, Call):
        values = (a[1] if isinstance(a, tuple) else a for a in s.args)
        return tuple(v for v in values if isinstance(v, Value))
    return (s.ok,) if isinstance(s, Check) else ()


def sources(s: Any) -> Iterator[tuple[Value, tuple[Value, ...]]]:
    """Results of a statement, with what each of them is made of."""
    if isinstance(s, For | While):
        for c in s.carried:
            yield c.param, (c.init, c.next)
            yield c.result, (c.init, c.next)
    if isinstance(s, For):
        for r in s.reductions:
            yield r.result, (r.init, r.value)
    if isinstance(s, If):
        for a, b, result in s.results:
            yield result, (a, b)


def live(function: Function) -> tuple[set[Value], set[Buffer]]:
    """Values that something is done with, and buffers that are read (or are results)."""
    everything = list(items(function.body))
    made: dict[Value, tuple[Value, ...]] = {}
    for item in everything:
        if not isinstance(item, Value):
            made.update(sources(item))
    kept = {item.buffer for item in everything if isinstance(item, Store)}
    while True:  # what is stored where nobody reads may have been the only use of something else
        todo = [
            v
            for item in everything
            if not isinstance(item, Value | Store) or (isinstance(item, Store) and item.buffer in kept)
            for v in roots(item)
        ]  # fmt: skip
        found: set[Value] = set()
        while todo:
            v = todo.pop()
            if v not in found:
                found.add(v)
                todo.extend(v.args)
                todo.extend(made.get(v, ()))
        read = {v.data for v in found if v.op == "load"} | set(function.outputs)
        for item in everything:
            if isinstance(item, Call):
                read.update(a[0] for a in item.args if isinstance(a, tuple))
        if kept <= read:
            return found, read
        kept &= read


def uses(function: Function, live: set[Value]) -> dict[Value, int]:
    """How often each value is read; one that is read in another block than its own counts as many."""
    uses: dict[Value, int] = {}

    def read(v: Value, block: Block, times: int = 1) -> None:
        uses[v] = uses.get(v, 0) + (times if v.block is block else 2)

    def walk(block: Block) -> None:
        for item in block.items:
            if isinstance(item, Value):
                if item in live:
                    # a value that a load or a statement may overtake stays where it is made
                    for a in item.args:
                        read(a, block)
                continue
            for v in roots(item):
                read(v, block)
            for result, made_of in sources(item):
                if result in live:
                    for v in made_of:
                        read(v, block, 2)
            for inner in _inner(item):
                walk(inner)

    walk(function.body)
    return uses
