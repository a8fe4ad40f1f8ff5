"""Memory of a chunk of a loop: a row of its own, and sums of its own that are joined in the order of chunks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from wengert.backends.code import DTYPES, Buffer, For
from wengert.backends.scalars import Numbers, Scalars
from wengert.backends.spelling import MEMORY, constant
from wengert.backends.vary import touched

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer


def enter(p: Printer, s: For) -> tuple[list[Buffer], list[str]]:
    """In the function of a chunk: what is its own, and the lines that make that first of all."""
    written, _ = touched(s)
    own = sorted((b for b in written if b.own), key=lambda b: b.name)
    for b in own:
        p.base[b] = f"%own.{b.name}"
        _room(p, p.base[b], b)
    made, p.lines = p.lines, []
    if own:
        _stop_without(p, [p.base[b] for b in own])
    for op, b, parts in s.sums:
        first = p.emit(f"mul i64 {p.elements(b)}, %chunk")
        p.base[b] = f"%part.{b.name}"
        p.line(f"{p.base[b]} = getelementptr {MEMORY[b.type]}, ptr {p.base[parts]}, i64 {first}")
        _each(p, p.elements(b), partial(_put, p, b, identity(op, b.type)))
    return own, made


def join(p: Printer, s: For, chunks: str) -> None:
    """Add the sums of all chunks."""
    for op, b, parts in s.sums:
        _added(p, op, b, p.base[parts], chunks)


def _room(p: Printer, name: str, b: Buffer) -> None:
    p.declare("declare ptr @malloc(i64)", "malloc")
    p.declare("declare void @free(ptr)", "free")
    size = p.emit(f"mul i64 {p.elements(b)}, {DTYPES[b.type].itemsize}")
    p.line(f"{name} = call ptr @malloc(i64 {p.emit(f'add i64 {size}, 64')})")


def _stop_without(p: Printer, memory: list[str]) -> None:
    """Leave where there was no memory."""
    good = "true"
    for name in memory:
        there = p.emit(f"icmp ne ptr {name}, null")
        good = p.emit(f"and i1 {good}, {there}")
    go, leave = p.new_label("room"), p.new_label("full")
    p.line(f"br i1 {good}, label %{go}, label %{leave}")
    p.start(leave)
    p.line("store i32 -1, ptr %status")
    p.jump("stop")
    p.start(go)


def identity(op: str, type: str) -> str:
    """What changes nothing, as a number in LLVM's text."""
    number = Scalars(Numbers()).identity(op, DTYPES[type])  # type: ignore[arg-type]
    return constant(number, type)


def _put(p: Printer, b: Buffer, value: str, k: str) -> None:
    p.store(b, k, value)


def _each(p: Printer, count: str, do: Callable[[str], None]) -> None:
    """`do` for all elements of some memory."""
    head, body, after = (p.new_label(h) for h in ("each", "body", "after"))
    before, k = p.label, p.fresh()
    p.jump(head)
    p.start(head)
    slot = len(p.lines)
    p.lines.append("")
    p.line(f"br i1 {p.emit(f'icmp slt i64 {k}, {count}')}, label %{body}, label %{after}")
    p.start(body)
    do(k)
    more, end = p.emit(f"add i64 {k}, 1"), p.label
    p.jump(head)
    p.lines[slot] = f"  {k} = phi i64 [ 0, %{before} ], [ {more}, %{end} ]"
    p.start(after)


def _added(p: Printer, op: str, b: Buffer, part: str, chunks: str) -> None:
    """The sums in memory of all chunks, in their order."""
    size = p.elements(b)

    def chunk(c: str) -> None:
        first = p.emit(f"mul i64 {size}, {c}")

        def one(k: str) -> None:
            at = p.emit(f"add i64 {first}, {k}")
            place = p.emit(f"getelementptr {MEMORY[b.type]}, ptr {part}, i64 {at}")
            mine = p.emit(f"load {MEMORY[b.type]}, ptr {place}")
            if b.type == "bool":
                mine = p.emit(f"icmp ne i8 {mine}, 0")
            p.store(b, k, p.combine(op, b.type, p.load(b, k), mine, 1))

        _each(p, size, one)

    _each(p, chunks, chunk)
