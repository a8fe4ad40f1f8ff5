"""The frame of a function of LLVM's text: where its pointers, its own memory and its tapes stand."""

from __future__ import annotations

from typing import Any

from wengert.backends.code import DTYPES, Buffer, Function, Value
from wengert.backends.operations import Operations
from wengert.backends.spelling import MEMORY

MANY = 64  # more pointers are not held in registers


class Frame(Operations):
    """What a printer knows of memory."""

    function: Function
    base: dict[Buffer, str]
    tabled: dict[str, tuple[str, int]]  # pointers that stand in a table, at which place
    own: set[str]  # memory of the function that is being printed
    laned: dict[Buffer, int]
    depth: int  # in how many functions of chunks are we?

    def name(self, v: Value) -> str:
        """The register or number of a scalar."""
        raise NotImplementedError

    def enter(self) -> None:
        """Pointers and extents."""
        f = self.function
        self.head += ["  %status = alloca i32", "  store i32 0, ptr %status"]
        for k in range(len(f.extents)):
            self.head.append(f"  %pn{k} = getelementptr i64, ptr %extents, i64 {k}")
            self.head.append(f"  %n{k} = load i64, ptr %pn{k}")
        groups = (("ins", (*f.inputs, *f.constants)), ("outs", f.outputs))
        many = sum(len(group) for _, group in groups) + len(f.slots) > MANY
        for source, group in groups:
            for k, b in enumerate(group):
                name = self.base[b] = f"%p.{b.name}"
                if many:
                    self.tabled[name] = source, k
                    continue
                self.head.append(f"  %q.{b.name} = getelementptr ptr, ptr %{source}, i64 {k}")
                self.head.append(f"  {name} = load ptr, ptr %q.{b.name}")
        if f.callbacks:
            k = len(f.inputs) + len(f.constants)
            self.head.append(f"  %q.context = getelementptr ptr, ptr %ins, i64 {k}")
            self.head.append("  %context = load ptr, ptr %q.context")
        self.slots(many)
        for b in f.privates:
            if b not in self.laned:
                self.private(b)
        for b in f.tapes:
            self.head.append(f"  %tape.{b.name} = alloca ptr")
            self.head.append(f"  store ptr null, ptr %tape.{b.name}")
            self.head.append(f"  %room.{b.name} = alloca i64")
            self.head.append(f"  store i64 0, ptr %room.{b.name}")

    def slots(self, many: bool) -> None:
        """Pointers into the workspace, where there are many of them in a table of their own."""
        f = self.function
        if many:
            self.head.append(f"  %slots = alloca [{max(len(f.slots), 1)} x ptr]")
        offset, sizes = "0", dict[tuple[Any, int], str]()
        for number, slot in enumerate(f.slots):
            place = f"%slot{number}"
            self.head.append(f"  {place} = getelementptr i8, ptr %work, i64 {offset}")
            if many:
                self.tabled[place] = "slots", number
                self.head.append(f"  %t{number} = getelementptr ptr, ptr %slots, i64 {number}")
                self.head.append(f"  store ptr {place}, ptr %t{number}")
            for b in slot:
                self.base[b] = place
            if number == len(f.slots) - 1:
                break
            first = slot[0]
            key = first.size, DTYPES[first.type].itemsize
            if key not in sizes:
                factors, size = key[1], ""
                for n, factor in enumerate(first.size):
                    if isinstance(factor, int):
                        factors *= factor
                    else:
                        self.head.append(f"  %s{number}.{n} = mul i64 {size or 1}, %n{factor.data}")
                        size = f"%s{number}.{n}"
                self.head.append(f"  %b{number} = mul i64 {size or 1}, {factors}")
                self.head.append(f"  %c{number} = add i64 %b{number}, 127")
                self.head.append(f"  %d{number} = and i64 %c{number}, -64")
                sizes[key] = f"%d{number}"
            self.head.append(f"  %o{number} = add i64 {sizes[key]}, {offset}")
            offset = f"%o{number}"

    def here(self, name: str) -> str:
        """A register of the function's entry: where there are many, read from their table again."""
        if self.depth or name not in self.tabled:
            return name
        table, k = self.tabled[name]
        return self.emit(f"load ptr, ptr {self.emit(f'getelementptr ptr, ptr %{table}, i64 {k}')}")

    def private(self, b: Buffer) -> None:
        """Memory of the function that is being printed."""
        size = self.laned.get(b, 1)
        for factor in b.size:
            assert isinstance(factor, int)
            size *= factor
        name = self.base[b] = f"%p.{b.name}"
        self.own.add(name)
        self.head.append(f"  {name} = alloca [{max(size, 1)} x {MEMORY[b.type]}], align 64")

    def pointer(self, b: Buffer) -> str:
        """The register with the address of a buffer."""
        if b in self.laned and b.role == "private" and f"%p.{b.name}" not in self.own:
            self.private(b)
        if b.role == "tape":
            return self.emit(f"load ptr, ptr %tape.{b.name}")
        return self.here(self.base[b])

    def elements(self, b: Buffer) -> str:
        """How many elements a buffer has."""
        known, size = 1, ""
        for factor in b.size:
            if isinstance(factor, int):
                known *= factor
            else:
                size = (
                    self.emit(f"mul i64 {size}, {self.name(factor)}") if size else self.name(factor)
                )
        if not size:
            return str(known)
        return size if known == 1 else self.emit(f"mul i64 {size}, {known}")

    def reserve(self, b: Buffer, size: str) -> None:
        """Let a tape grow, at least to twice its room."""
        self.declare("declare ptr @realloc(ptr, i64)", "realloc")
        room = self.emit(f"load i64, ptr %room.{b.name}")
        enough = self.emit(f"icmp sle i64 {size}, {room}")
        grow, ready = self.new_label("grow"), self.new_label("ready")
        self.line(f"br i1 {enough}, label %{ready}, label %{grow}")
        self.start(grow)
        twice = self.emit(f"shl i64 {room}, 1")
        least = self.intrinsic("i64", "llvm.smax.i64", ("i64", size), ("i64", twice))
        least = self.intrinsic("i64", "llvm.smax.i64", ("i64", least), ("i64", "64"))
        count = self.emit(f"mul i64 {least}, {DTYPES[b.type].itemsize * self.laned.get(b, 1)}")
        old = self.emit(f"load ptr, ptr %tape.{b.name}")
        new = self.emit(f"call ptr @realloc(ptr {old}, i64 {count})")
        failed = self.emit(f"icmp eq ptr {new}, null")
        bad, good = self.new_label("bad"), self.new_label("good")
        self.line(f"br i1 {failed}, label %{bad}, label %{good}")
        self.start(bad)
        self.line("store i32 -1, ptr %status")  # out of memory
        self.jump("stop")
        self.start(good)
        self.line(f"store ptr {new}, ptr %tape.{b.name}")
        self.line(f"store i64 {least}, ptr %room.{b.name}")
        self.jump(ready)
        self.start(ready)
