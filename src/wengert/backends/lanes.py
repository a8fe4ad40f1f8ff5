"""Values of a vector loop: uniform, linear or varying; how lanes are read from memory and written."""

from __future__ import annotations

from typing import Any, NamedTuple

from wengert.backends import rows
from wengert.backends.code import DTYPES, Block, Buffer, For, Store, Value
from wengert.backends.llvm import Printer
from wengert.backends.rows import short
from wengert.backends.spelling import MEMORY, TYPES
from wengert.backends.vary import touched, varying, width_of


class Uniform(NamedTuple):
    """The same in all lanes."""

    reg: str


class Linear(NamedTuple):
    """Lane k holds reg + k · step; a step is a number or a register."""

    reg: str
    step: int | str


class Varying(NamedTuple):
    """A vector."""

    reg: str


Form = Uniform | Linear | Varying


class Values:
    """The values of one vector loop being printed."""

    def __init__(
        self, p: Printer, s: For, extent: str | None = None, begin: str | None = None
    ) -> None:
        self.p, self.s = p, s
        self.extent, self.begin = extent, begin  # of a chunk: how many iterations, from which on
        self.width = width_of(s, p.native)
        self.forms: dict[Value, Form] = {}
        self.mask: str | None = None
        self.few = 0  # the mask is that of the first so many lanes, known now
        self.varying = varying(s)
        self.vectors: list[dict[str, str]] = [{}]
        w = self.width
        self.iota = f"<{', '.join(f'i64 {k}' for k in range(w))}>"
        self.bools = f"<{w} x i1>"
        self.longs = f"<{w} x i64>"
        self.written, self.read = touched(s)
        self.here: Any = None  # the block being printed
        self.rows: dict[Block, rows.Rows] = {}
        self.ready: dict[Any, dict[int, str]] = {}  # rows that were read
        self.waiting: dict[Any, dict[int, str]] = {}  # rows to be written

    # ---- values ---------------------------------------------------------------------------------
    def form(self, v: Value) -> Form:
        """How a value stands."""
        found = self.forms.get(v)
        return Uniform(self.p.name(v)) if found is None else found

    def splat(self, reg: str, type: str) -> str:
        """A scalar in every lane."""
        p, w = self.p, self.width
        t = TYPES[type]
        if reg[0] != "%":
            return f"splat ({t} {reg})"
        for known in self.vectors:
            if reg in known:
                return known[reg]
        vector = f"<{w} x {t}>"
        one = p.emit(f"insertelement {vector} poison, {t} {reg}, i64 0")
        found = p.emit(
            f"shufflevector {vector} {one}, {vector} poison, <{w} x i32> zeroinitializer"
        )
        self.vectors[-1][reg] = found
        return found

    def vector(self, v: Value) -> str:
        """A value as a vector."""
        form = self.form(v)
        if isinstance(form, Varying):
            return form.reg
        if isinstance(form, Uniform):
            return self.splat(form.reg, v.type)
        p = self.p
        steps = (
            f"<{', '.join(f'i64 {k * form.step}' for k in range(self.width))}>"
            if isinstance(form.step, int)
            else p.emit(f"mul {self.longs} {self.iota}, {self.splat(form.step, 'i64')}")
        )
        return p.emit(f"add {self.longs} {self.splat(form.reg, 'i64')}, {steps}")

    def value(self, v: Value) -> Form:
        """One operation."""
        p = self.p
        if v.op == "load":
            return self.load(v)
        forms = [self.form(a) for a in v.args]
        if all(isinstance(f, Uniform) for f in forms):
            types = [a.type for a in v.args]
            return Uniform(p.operation(v.op, v.type, types, [f.reg for f in forms], 1))
        if (
            v.type == "i64"
            and v.op in ("add", "sub", "mul")
            and not any(isinstance(f, Varying) for f in forms)
        ):
            found = self.linear(v.op, *forms)
            if found is not None:
                return found
        args = [self.vector(a) for a in v.args]
        return Varying(p.operation(v.op, v.type, [a.type for a in v.args], args, self.width))

    def linear(self, op: str, a: Form, b: Form) -> Form | None:
        """Arithmetic of linear indices that stays linear."""
        p = self.p
        if op == "mul":
            if isinstance(a, Uniform):
                a, b = b, a
            if not isinstance(b, Uniform) or not isinstance(a, Linear):
                return None
            step: int | str
            if b.reg[0] != "%" and isinstance(a.step, int):
                step = a.step * int(b.reg)
            elif a.step == 1:
                step = b.reg
            else:
                step = p.emit(f"mul i64 {a.step}, {b.reg}")
            return Linear(p.emit(f"mul i64 {a.reg}, {b.reg}"), step)
        x = a.step if isinstance(a, Linear) else 0
        y = b.step if isinstance(b, Linear) else 0
        reg = p.emit(f"{op} i64 {a.reg}, {b.reg}")
        if y == 0:
            return Linear(reg, x)
        if isinstance(x, int) and isinstance(y, int):
            return Linear(reg, x + y if op == "add" else x - y)
        return Linear(reg, p.emit(f"{op} i64 {x}, {y}"))

    # ---- memory ---------------------------------------------------------------------------------
    def load(self, v: Value) -> Form:
        """Read an element per lane."""
        p, w, b = self.p, self.width, v.data
        form = self.form(v.args[0])
        lanes = p.laned.get(b)
        if lanes is None and isinstance(form, Uniform):
            return Uniform(p.load(b, form.reg))
        t, size = MEMORY[b.type], DTYPES[b.type].itemsize
        vector = f"<{w} x {t}>"
        if lanes is not None:
            form = self.private(form, v.args[0])
        elif self.mask is None and not _dense(form):
            found = self.of_row(v)
            if found is not None:
                return Varying(found)
        if _dense(form):
            place = p.address(b, form.reg)
            if self.mask is None:
                found = p.emit(f"load {vector}, ptr {place}, align {size}")
            elif self.few:
                some = f"<{self.few} x {t}>"
                part = p.emit(f"load {some}, ptr {place}, align {size}")
                picks = ", ".join(f"i32 {k if k < self.few else self.few}" for k in range(w))
                found = p.emit(
                    f"shufflevector {some} {part}, {some} zeroinitializer, <{w} x i32> <{picks}>"
                )
            else:
                found = p.intrinsic(
                    vector,
                    f"llvm.masked.load.v{w}{short(t)}.p0",
                    ("ptr", place), ("i32", str(size)), (self.bools, self.mask), (vector, "zeroinitializer"),
                )  # fmt: skip
        else:
            places = self.addresses(b, form)
            found = p.intrinsic(
                vector,
                f"llvm.masked.gather.v{w}{short(t)}.v{w}p0",
                (f"<{w} x ptr>", places), ("i32", str(size)), (self.bools, self.mask or "splat (i1 true)"),
                (vector, "zeroinitializer"),
            )  # fmt: skip
        if b.type == "bool":
            found = p.emit(f"icmp ne {vector} {found}, zeroinitializer")
        return Varying(found)

    def of_row(self, v: Value) -> str | None:
        """An element of a row that is read as a whole."""
        home = self.rows.get(self.here)
        chunk = None if home is None else home.chunk(home.reads, v.data, v.args[0])
        if chunk is None or v.data.type == "bool":
            return None
        base, row, _ = chunk
        key = (v.data, base, row)
        if key not in self.ready:
            if isinstance(self.form(base), Uniform):
                return None
            self.ready[key] = rows.read(self, v.data, base, row)
        return self.ready[key][rows.split(v.args[0])[1]]

    def to_row(self, s: Store, value: str) -> bool:
        """Keep an element until its row is complete."""
        home = self.rows.get(self.here)
        chunk = None if home is None else home.chunk(home.stores, s.buffer, s.index)
        if chunk is None or s.buffer.type == "bool":
            return False
        base, row, _ = chunk
        if isinstance(self.form(base), Uniform):
            return False
        key = (s.buffer, base, row)
        mine = self.waiting.setdefault(key, {})
        mine[rows.split(s.index)[1]] = value
        if len(mine) == len(row):
            rows.write(self, s.buffer, base, row, self.waiting.pop(key))
        return True

    def private(self, form: Form, index: Value) -> Form:
        """Where an element of the lanes' own memory stands: the lanes side by side."""
        p, w = self.p, self.width
        if isinstance(form, Uniform):
            return Linear(p.emit(f"mul i64 {form.reg}, {w}"), 1)
        wide = p.emit(f"mul {self.longs} {self.vector(index)}, {self.splat(str(w), 'i64')}")
        return Varying(p.emit(f"add {self.longs} {wide}, {self.iota}"))

    def addresses(self, b: Buffer, form: Form) -> str:
        """A pointer per lane."""
        p = self.p
        if isinstance(form, Linear):
            base = p.address(b, form.reg)
            if isinstance(form.step, int):
                steps = f"<{', '.join(f'i64 {k * form.step}' for k in range(self.width))}>"
            else:
                steps = p.emit(f"mul {self.longs} {self.iota}, {self.splat(form.step, 'i64')}")
            return p.emit(f"getelementptr {MEMORY[b.type]}, ptr {base}, {self.longs} {steps}")
        assert isinstance(form, Varying)
        return p.emit(
            f"getelementptr {MEMORY[b.type]}, ptr {p.pointer(b)}, {self.longs} {form.reg}"
        )

    def store(self, s: Store) -> None:
        """Write an element per lane."""
        p, w, b = self.p, self.width, s.buffer
        form = self.form(s.index)
        t, size = MEMORY[b.type], DTYPES[b.type].itemsize
        vector = f"<{w} x {t}>"
        value = self.vector(s.value)
        if b.type == "bool":
            value = p.emit(f"zext {self.bools} {value} to {vector}")
        if b in p.laned:
            form = self.private(form, s.index)
        elif self.mask is None and not _dense(form) and self.to_row(s, value):
            return
        if _dense(form):
            place = p.address(b, form.reg)
            if self.mask is None:
                p.line(f"store {vector} {value}, ptr {place}, align {size}")
            elif self.few:  # a masked store would hold up the reads of its neighbours
                some = f"<{self.few} x {t}>"
                picks = ", ".join(f"i32 {k}" for k in range(self.few))
                part = p.emit(
                    f"shufflevector {vector} {value}, {vector} poison, <{self.few} x i32> <{picks}>"
                )
                p.line(f"store {some} {part}, ptr {place}, align {size}")
            else:
                self.masked(
                    f"llvm.masked.store.v{w}{short(t)}.p0",
                    (vector, value), ("ptr", place), ("i32", str(size)), (self.bools, self.mask),
                )  # fmt: skip
            return
        if isinstance(form, Uniform):
            form = Linear(form.reg, 0)
        places = self.addresses(b, form)
        self.masked(
            f"llvm.masked.scatter.v{w}{short(t)}.v{w}p0",
            (vector, value), (f"<{w} x ptr>", places), ("i32", str(size)),
            (self.bools, self.mask or "splat (i1 true)"),
        )  # fmt: skip

    def ask(self, place: str) -> None:
        """Say that memory will soon be written, so that its line is there by then."""
        name = "llvm.prefetch.p0"
        self.masked(name, ("ptr", place), ("i32", "1"), ("i32", "3"), ("i32", "1"))

    def masked(self, name: str, *args: tuple[str, str]) -> None:
        """Call an intrinsic that writes."""
        types = ", ".join(t for t, _ in args)
        self.p.declare(f"declare void @{name}({types})", name, external=False)
        self.p.line(f"call void @{name}({', '.join(f'{t} {v}' for t, v in args)})")


def _dense(form: Form) -> bool:
    """Do the lanes stand side by side?"""
    return isinstance(form, Linear) and form.step == 1
