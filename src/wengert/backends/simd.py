"""Vector loops: every scalar of the body becomes a vector of neighbouring iterations.

A value is *uniform* (the same in all lanes, printed as a scalar), *linear* (an integer that goes up
by a uniform step from lane to lane, printed as that of lane 0) or *varying* (a vector). Reads at a
linear index of step 1 are vector reads, others gathers. The rest of an extent that does not fill a
vector goes through the same code under a mask, so an element's bits do not depend on its place.
Branches and loops inside are done under masks too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from wengert.backends import rows, specials
from wengert.backends.code import (
    DTYPES,
    SPECIAL,
    Block,
    Buffer,
    Check,
    For,
    Function,
    If,
    Reserve,
    Store,
    Value,
    While,
)
from wengert.backends.llvm import Printer
from wengert.backends.rows import short
from wengert.backends.scalars import Scalars
from wengert.backends.spelling import MEMORY, TYPES
from wengert.backends.vecmath import elsewhere, routine

LONG = 60  # bodies of more values are printed once, always under a mask
VERY_LONG = 500
SHORT = 40  # reductions of fewer are printed four times, for four independent sums


def items_of(block: Block) -> Iterator[Any]:
    """All values and statements of a block and of the blocks in it."""
    for item in block.items:
        yield item
        if isinstance(item, For):
            yield from items_of(item.block)
        elif isinstance(item, While):
            yield from items_of(item.before)
            yield from items_of(item.block)
        elif isinstance(item, If):
            yield from items_of(item.then)
            yield from items_of(item.otherwise)


def laned(function: Function, native: int) -> dict[Buffer, int]:
    """Private memory that is written inside a vector loop: each lane has its own."""
    found: dict[Buffer, int] = {}
    for item in items_of(function.body):
        if isinstance(item, For) and item.kind != "serial":
            width = width_of(item, native)
            for inner in items_of(item.block):
                if isinstance(inner, Store | Reserve) and inner.buffer.role in ("private", "tape"):
                    found[inner.buffer] = width
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


def worthwhile(s: For) -> bool:
    """Calls cannot be made per lane."""
    from wengert.backends.code import Call

    return not any(isinstance(item, Call) for item in items_of(s.block))


# ---- mathematics ------------------------------------------------------------------------------------


def math(p: Printer, op: str, type: str, args: list[str], width: int) -> str:
    """A function of libm on so many lanes, by the one routine there is for its type."""
    native = p.native if type == "f64" else 2 * p.native
    symbol = None if elsewhere.get() else routine(op, type, native)
    t = TYPES[type]
    if symbol is None:
        return _by_lane(p, op, type, args, width)
    vector = f"<{native} x {t}>"
    p.declare(
        f"declare {vector} @{symbol}({', '.join([vector] * len(args))}) memory(none) nounwind willreturn",
        symbol,
    )

    def call(xs: list[str]) -> str:
        return p.emit(f"call {vector} @{symbol}({', '.join(f'{vector} {x}' for x in xs)})")

    if width == native:
        return call(args)
    if width == 1:
        wide = []
        for x in args:
            one = p.emit(f"insertelement {vector} poison, {t} {x}, i64 0")
            wide.append(
                p.emit(
                    f"shufflevector {vector} {one}, {vector} poison, <{native} x i32> zeroinitializer"
                )
            )
        return p.emit(f"extractelement {vector} {call(wide)}, i64 0")
    mine = f"<{width} x {t}>"
    if width < native:
        mask = ", ".join(f"i32 {k % width}" for k in range(native))
        wide = [
            p.emit(f"shufflevector {mine} {x}, {mine} poison, <{native} x i32> <{mask}>")
            for x in args
        ]
        back = ", ".join(f"i32 {k}" for k in range(width))
        found = call(wide)
        return p.emit(f"shufflevector {vector} {found}, {vector} poison, <{width} x i32> <{back}>")
    parts = []
    for start in range(0, width, native):
        mask = ", ".join(f"i32 {start + k}" for k in range(native))
        parts.append(
            call(
                [
                    p.emit(f"shufflevector {mine} {x}, {mine} poison, <{native} x i32> <{mask}>")
                    for x in args
                ]
            )
        )
    while len(parts) > 1:
        size = width // len(parts)
        mask = ", ".join(f"i32 {k}" for k in range(2 * size))
        half = f"<{size} x {t}>"
        parts = [
            p.emit(f"shufflevector {half} {a}, {half} {b}, <{2 * size} x i32> <{mask}>")
            for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _by_lane(p: Printer, op: str, type: str, args: list[str], width: int) -> str:
    """A function of scalars, one lane after the other."""
    t = TYPES[type]
    if op.startswith(SPECIAL):
        call = _special(p, op)
    else:
        name = op + ("f" if type == "f32" else "")
        types = ", ".join([t] * len(args))
        p.declare(f"declare {t} @{name}({types}) memory(none) nounwind willreturn", name)

        def call(xs: list[str]) -> str:
            return p.emit(f"call {t} @{name}({', '.join(f'{t} {x}' for x in xs)})")

    if width == 1:
        single: str = call(args)
        return single
    vector = f"<{width} x {t}>"
    total = "poison"
    for k in range(width):
        one = call([p.emit(f"extractelement {vector} {x}, i64 {k}") for x in args])
        total = p.emit(f"insertelement {vector} {total}, {t} {one}, i64 {k}")
    return total


def _special(p: Printer, op: str) -> Any:
    """How one of SciPy's functions is called."""
    routine = specials.routine(op)
    assert routine is not None
    types = [{"d": "double", "z": "double, double", "l": "i64"}[c] for c in routine.takes]
    tail = ["ptr"] * routine.results + [word.split()[0] for word in routine.tail.split(", ")[1:]]
    gives = (
        "void" if routine.results else "{ double, double }" if routine.gives == "z" else "double"
    )
    effects = "nounwind willreturn" if routine.results else "memory(none) nounwind willreturn"
    p.declare(
        f"declare {gives} @{routine.symbol}({', '.join([*types, *tail])}) {effects}", routine.symbol
    )

    def call(xs: list[str]) -> str:
        numbers, given = iter(xs), []
        for letter in routine.takes:
            if letter == "l":
                given.append(f"i64 {p.emit(f'fptosi double {next(numbers)} to i64')}")
            else:
                given += [f"double {next(numbers)}" for _ in range(1 + (letter == "z"))]
        if not routine.results:
            y = p.emit(f"call {gives} @{routine.symbol}({', '.join(given)}{routine.tail})")
            return p.emit(f"extractvalue {gives} {y}, {routine.part}") if gives != "double" else y
        p.count += 1
        slots = [f"%part{p.count}.{k}" for k in range(routine.results)]
        p.head += [f"  {slot} = alloca double" for slot in slots]
        p.line(f"call void @{routine.symbol}({', '.join(given + [f'ptr {x}' for x in slots])})")
        return p.emit(f"load double, ptr {slots[routine.part]}")

    return call


# ---- the forms of values ------------------------------------------------------------------------------


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


class Lanes:
    """One vector loop being printed."""

    def __init__(
        self, p: Printer, s: For, extent: str | None = None, begin: str | None = None
    ) -> None:
        self.p, self.s = p, s
        self.extent, self.begin = extent, begin  # of a chunk: how many iterations, from which on
        self.width = width_of(s, p.native)
        self.forms: dict[Value, Form] = {}
        self.mask: str | None = None
        self.varying = _varying(s)
        self.vectors: list[dict[str, str]] = [{}]
        w = self.width
        self.iota = f"<{', '.join(f'i64 {k}' for k in range(w))}>"
        self.bools = f"<{w} x i1>"
        self.longs = f"<{w} x i64>"
        self.written, self.read = _touched(s)
        self.rows: dict[Block, rows.Rows] = {}
        self.ready: dict[Any, dict[int, str]] = {}  # rows that were read
        self.waiting: dict[Any, dict[int, str]] = {}  # rows to be written

    # ---- the loop itself ------------------------------------------------------------------------
    def print(self) -> None:
        """Full vectors, then what is left under a mask."""
        p, s, w = self.p, self.s, self.width
        count = sum(1 for item in items_of(s.block) if item.__class__ is Value)
        nested = any(isinstance(item, For | While | If) for item in s.block.items)
        n = self.extent or p.name(s.extent)
        known = s.extent.data if s.extent.op == "const" else None
        sums = [self.start_of(r) for r in s.reductions]
        if known == 0:
            self.finish([sums], p.name(s.extent))
            return
        if known is not None and (known <= w or count * known <= LONG * w):
            self.finish([self.straight(known, sums)], n)
            return
        harmless = known is None and not self.written & self.read
        if nested or (count > LONG and (harmless or count > VERY_LONG or known is not None)):
            # what is left is done once more from the end on, if that does no harm
            sums = self.run(n, 1, sums, "0", n, masked=not harmless, again=harmless)[0]
            self.finish([sums], n)
            return
        done = "0"
        groups = [sums]
        times = 4 if s.reductions and count <= SHORT else 1
        if times > 1 and (known is None or known >= times * w):
            full = (
                p.emit(f"and i64 {n}, {-times * w}")
                if known is None
                else str(known - known % (times * w))
            )
            groups = self.run(full, times, sums, done, n)
            done = full
        if known is None or known - int(done) >= w:
            full = p.emit(f"and i64 {n}, {-w}") if known is None else str(known - known % w)
            groups[0] = self.run(full, 1, groups[0], done, n)[0]
            done = full
        if known is None or known > int(done):
            groups[0] = self.run(n, 1, groups[0], done, n, masked=True)[0]
        self.finish(groups, n)

    def start_of(self, r: Any) -> str:
        """What a vector of sums begins with: nothing. What the reduction begins with joins at the end."""
        return self.identity(r.op, r.value.type)

    def identity(self, op: str, type: str) -> str:
        """What changes nothing, in every lane."""
        number = Scalars(_Numbers()).identity(op, DTYPES[type])  # type: ignore[arg-type]
        return self.p.splat(number, type, self.width)

    def run(
        self,
        end: str,
        times: int,
        sums: list[str],
        begin: str,
        n: str,
        masked: bool = False,
        again: bool = False,
    ) -> list[list[str]]:
        """A loop from begin to end in steps of `times` vectors; per vector of a step its sums.

        `again`: the last vector ends at the end, and the lanes that were done before do not count.
        """
        p, s, w = self.p, self.s, self.width
        head, body, after = (p.new_label(h) for h in ("lanes", "body", "after"))
        before, counter = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        empty = [self.start_of(r) for r in s.reductions]
        groups = [[p.fresh() for _ in sums] for _ in range(times)]
        more = p.emit(f"icmp slt i64 {counter}, {end}")
        p.line(f"br i1 {more}, label %{body}, label %{after}")
        p.start(body)
        nexts: list[list[str]] = []
        for k in range(times):
            self.forms.clear()
            self.vectors = [{}]
            fresh: str | None = None
            place = counter if k == 0 else p.emit(f"add i64 {counter}, {k * w}")
            if masked:
                left = p.emit(f"sub i64 {n}, {place}")
                self.mask = p.emit(f"icmp slt {self.longs} {self.iota}, {self.splat(left, 'i64')}")
            if again:
                last = p.emit(f"sub i64 {n}, {w}")
                late = p.intrinsic("i64", "llvm.smin.i64", ("i64", place), ("i64", last))
                old = p.emit(f"sub i64 {place}, {late}")
                fresh = p.emit(f"icmp sge {self.longs} {self.iota}, {self.splat(old, 'i64')}")
                place = late
            at = place if self.begin is None else p.emit(f"add i64 {place}, {self.begin}")
            self.forms[s.index] = Linear(at, 1)
            self.block(s.block)
            nexts.append(
                [
                    self.counted(r, total, self.mask or fresh)
                    for r, total in zip(s.reductions, groups[k], strict=True)
                ]
            )
            self.mask = None
        step = p.emit(f"add i64 {counter}, {times * w}")
        finish = p.label
        p.jump(head)
        text = [f"  {counter} = phi i64 [ {begin}, %{before} ], [ {step}, %{finish} ]"]
        for k, (regs, new) in enumerate(zip(groups, nexts, strict=True)):
            for r, reg, value, first, idle in zip(
                s.reductions, regs, new, sums, empty, strict=True
            ):
                t = p.shaped(r.value.type, w)
                text.append(
                    f"  {reg} = phi {t} [ {first if k == 0 else idle}, %{before} ], [ {value}, %{finish} ]"
                )
        p.lines[slot] = "\n".join(text)
        p.start(after)
        return groups

    def straight(self, known: int, sums: list[str]) -> list[str]:
        """A short loop of known length: vector after vector, without a loop."""
        s, w = self.s, self.width
        for start in range(0, known, w):
            self.forms.clear()
            self.vectors = [{}]
            if known - start < w:
                on = ", ".join(f"i1 {str(k < known - start).lower()}" for k in range(w))
                self.mask = f"<{on}>"
            self.forms[s.index] = Linear(str(start), 1)
            self.block(s.block)
            sums = [
                self.counted(r, total, self.mask)
                for r, total in zip(s.reductions, sums, strict=True)
            ]
            self.mask = None
        return sums

    def counted(self, r: Any, total: str, counts: str | None) -> str:
        """A sum with the values of the lanes that count."""
        p, type = self.p, r.value.type
        value = self.vector(r.value)
        if counts is not None:
            t = p.shaped(type, self.width)
            idle = self.identity(r.op, type)
            value = p.emit(f"select {self.bools} {counts}, {t} {value}, {t} {idle}")
        return p.combine(r.op, type, total, value, self.width)

    def finish(self, groups: list[list[str]], n: str) -> None:
        """Sums of all vectors and lanes, two by two."""
        p, s = self.p, self.s
        for k, r in enumerate(s.reductions):
            type = r.value.type
            parts = [group[k] for group in groups]
            while len(parts) > 1:
                parts = [
                    p.combine(r.op, type, a, b, self.width)
                    for a, b in zip(parts[::2], parts[1::2], strict=True)
                ]
            value, width = parts[0], self.width
            while width > 1:
                t, half = p.shaped(type, width), width // 2
                low, high = (
                    p.emit(
                        f"shufflevector {t} {value}, {t} poison, <{half} x i32> "
                        f"<{', '.join(f'i32 {j}' for j in range(start, start + half))}>"
                    )
                    for start in (0, half)
                )
                if half == 1:
                    low, high = (
                        p.emit(f"extractelement <1 x {TYPES[type]}> {v}, i64 0")
                        for v in (low, high)
                    )
                value, width = p.combine(r.op, type, low, high, half), half
            if self.begin is None:
                value = p.combine(r.op, type, p.name(r.init), value, 1)
            p.names[r.result] = value

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

    def masked(self, name: str, *args: tuple[str, str]) -> None:
        """Call an intrinsic that writes."""
        types = ", ".join(t for t, _ in args)
        self.p.declare(f"declare void @{name}({types})", name, external=False)
        self.p.line(f"call void @{name}({', '.join(f'{t} {v}' for t, v in args)})")

    # ---- statements -----------------------------------------------------------------------------
    def block(self, block: Block) -> None:
        """The body, or a part of it."""
        p = self.p
        outer, before = getattr(self, "here", None), self.ready
        self.here, self.ready = block, {}
        if block not in self.rows:
            self.rows[block] = rows.Rows(block, self.written, self.read, self.width)
        for item in block.items:
            if item.__class__ is Value:
                self.forms[item] = self.value(item)
            elif isinstance(item, Store):
                self.store(item)
            elif isinstance(item, Check):
                self.check(item)
            elif isinstance(item, For):
                self.inner(item)
            elif isinstance(item, While):
                self.repeat(item)
            elif isinstance(item, If):
                self.branch(item)
            elif isinstance(item, Reserve):
                form = self.form(item.size)
                assert isinstance(form, Uniform)
                p.reserve(item.buffer, form.reg)
        for (buffer, base, _), mine in self.waiting.items():
            rows.write(self, buffer, base, tuple(sorted(mine)), mine)
        self.waiting.clear()
        self.here, self.ready = outer, before  # type: ignore[assignment]

    def any(self, mask: str) -> str:
        """Is one lane on?"""
        name = f"llvm.vector.reduce.or.v{self.width}i1"
        return self.p.intrinsic("i1", name, (self.bools, mask))

    def both(self, a: str | None, b: str) -> str:
        """Two masks."""
        return b if a is None else self.p.emit(f"and {self.bools} {a}, {b}")

    def check(self, s: Check) -> None:
        """Stop if a lane that is on fails."""
        p = self.p
        form = self.form(s.ok)
        if isinstance(form, Uniform):
            p.check(form.reg, s.problem)
            return
        bad = p.emit(f"xor {self.bools} {self.vector(s.ok)}, splat (i1 true)")
        p.check(p.emit(f"xor i1 {self.any(self.both(self.mask, bad))}, true"), s.problem)

    def carried(self, v: Value) -> bool:
        """Does a carried value differ from lane to lane?"""
        return v in self.varying

    def text_of(self, v: Value, varies: bool) -> str:
        """A value as what is carried."""
        if varies:
            return self.vector(v)
        form = self.form(v)
        assert isinstance(form, Uniform)
        return form.reg

    def inner(self, s: For) -> None:
        """A loop inside the body: all lanes go through it together."""
        p = self.p
        n = self.text_of(s.extent, False)
        flags = [self.carried(c.param) for c in s.carried] + [True] * len(s.reductions)
        params = [c.param for c in s.carried] + [r.result for r in s.reductions]
        inits = [self.text_of(c.init, f) for c, f in zip(s.carried, flags, strict=False)]
        inits += [self.vector(r.init) for r in s.reductions]
        head, body, after = (p.new_label(h) for h in ("for", "body", "after"))
        begin, counter = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        regs = [p.fresh() for _ in params]
        for param, reg, f in zip(params, regs, flags, strict=True):
            self.forms[param] = Varying(reg) if f else Uniform(reg)
        more = p.emit(f"icmp slt i64 {counter}, {n}")
        p.line(f"br i1 {more}, label %{body}, label %{after}")
        p.start(body)
        self.vectors.append({})
        place = counter
        if s.reverse:
            place = p.emit(f"sub i64 {p.emit(f'sub i64 {n}, 1')}, {counter}")
        self.forms[s.index] = Uniform(place)
        self.block(s.block)
        nexts = [self.text_of(c.next, f) for c, f in zip(s.carried, flags, strict=False)]
        for r, reg in zip(s.reductions, regs[len(s.carried) :], strict=True):
            nexts.append(p.combine(r.op, r.value.type, reg, self.vector(r.value), self.width))
        self.vectors.pop()
        step = p.emit(f"add i64 {counter}, 1")
        end = p.label
        p.jump(head)
        text = [f"  {counter} = phi i64 [ 0, %{begin} ], [ {step}, %{end} ]"]
        for param, reg, a, b, f in zip(params, regs, inits, nexts, flags, strict=True):
            t = p.shaped(param.type, self.width if f else 1)
            text.append(f"  {reg} = phi {t} [ {a}, %{begin} ], [ {b}, %{end} ]")
        p.lines[slot] = "\n".join(text)
        p.start(after)
        for c in s.carried:
            self.forms[c.result] = self.forms[c.param]

    def branch(self, s: If) -> None:
        """Both sides, each under its mask and only if a lane wants it."""
        p = self.p
        form = self.form(s.test)
        uniform = isinstance(form, Uniform)
        test = form.reg if isinstance(form, Uniform) else self.vector(s.test)
        outer = self.mask
        sides: list[tuple[str, list[str]]] = []
        flags = [result in self.varying for *_, result in s.results]
        after = p.new_label("after")
        if uniform:
            yes, no = p.new_label("then"), p.new_label("else")
            p.line(f"br i1 {test}, label %{yes}, label %{no}")
            for label, block, k in ((yes, s.then, 0), (no, s.otherwise, 1)):
                p.start(label)
                self.vectors.append({})
                self.block(block)
                given = [self.text_of(r[k], f) for r, f in zip(s.results, flags, strict=True)]
                self.vectors.pop()
                sides.append((p.label, given))
                p.jump(after)
            p.start(after)
            for (*_, result), f, a, b in zip(
                s.results, flags, sides[0][1], sides[1][1], strict=True
            ):
                t = p.shaped(result.type, self.width if f else 1)
                reg = p.emit(f"phi {t} [ {a}, %{sides[0][0]} ], [ {b}, %{sides[1][0]} ]")
                self.forms[result] = Varying(reg) if f else Uniform(reg)
            return
        no_mask = p.emit(f"xor {self.bools} {test}, splat (i1 true)")
        values: list[list[str]] = []
        for mask, block, k in ((test, s.then, 0), (no_mask, s.otherwise, 1)):
            self.mask = self.both(outer, mask)
            some = self.any(self.mask)
            yes, after = p.new_label("then"), p.new_label("after")
            begin = p.label
            p.line(f"br i1 {some}, label %{yes}, label %{after}")
            p.start(yes)
            self.vectors.append({})
            self.block(block)
            given = [self.vector(r[k]) for r in s.results]
            self.vectors.pop()
            end = p.label
            p.jump(after)
            p.start(after)
            found = []
            for (*_, result), x in zip(s.results, given, strict=True):
                t = p.shaped(result.type, self.width)
                found.append(p.emit(f"phi {t} [ zeroinitializer, %{begin} ], [ {x}, %{end} ]"))
            values.append(found)
        self.mask = outer
        for (*_, result), a, b in zip(s.results, *values, strict=True):
            t = p.shaped(result.type, self.width)
            self.forms[result] = Varying(p.emit(f"select {self.bools} {test}, {t} {a}, {t} {b}"))

    def repeat(self, s: While) -> None:
        """As long as a lane goes on; the others keep what they have."""
        p = self.p
        varies = s.test in self.varying
        flags = [self.carried(c.param) for c in s.carried]
        inits = [self.text_of(c.init, f) for c, f in zip(s.carried, flags, strict=True)]
        outer = self.mask
        head, body, after = (p.new_label(h) for h in ("while", "body", "after"))
        begin, active = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        regs = [p.fresh() for _ in flags]
        for c, reg, f in zip(s.carried, regs, flags, strict=True):
            self.forms[c.param] = Varying(reg) if f else Uniform(reg)
        self.vectors.append({})
        if varies:
            self.mask = active
        self.block(s.before)
        if varies:
            still = p.emit(f"and {self.bools} {active}, {self.vector(s.test)}")
            go = self.any(still)
            self.mask = still
        else:
            still, go = "", self.text_of(s.test, False)
        p.line(f"br i1 {go}, label %{body}, label %{after}")
        p.start(body)
        self.vectors.append({})
        self.block(s.block)
        nexts = []
        for c, reg, f in zip(s.carried, regs, flags, strict=True):
            new = self.text_of(c.next, f)
            if varies:
                t = p.shaped(c.param.type, self.width)
                new = p.emit(f"select {self.bools} {still}, {t} {new}, {t} {reg}")
            nexts.append(new)
        self.vectors.pop()
        self.vectors.pop()
        end = p.label
        p.jump(head)
        text = []
        if varies:
            first = outer or "splat (i1 true)"
            text.append(f"  {active} = phi {self.bools} [ {first}, %{begin} ], [ {still}, %{end} ]")
        for c, reg, a, b, f in zip(s.carried, regs, inits, nexts, flags, strict=True):
            t = p.shaped(c.param.type, self.width if f else 1)
            text.append(f"  {reg} = phi {t} [ {a}, %{begin} ], [ {b}, %{end} ]")
        p.lines[slot] = "\n".join(text)
        p.start(after)
        self.mask = outer
        for c in s.carried:
            self.forms[c.result] = self.forms[c.param]


class _Numbers:
    """Stands in for a writer where numbers are wanted as they are."""

    def const(self, value: Any, type: str) -> Any:
        return value


def _dense(form: Form) -> bool:
    """Do the lanes stand side by side?"""
    return isinstance(form, Linear) and form.step == 1


def _touched(s: For) -> tuple[set[Buffer], set[Buffer]]:
    """The buffers that a loop writes, and those that it reads."""
    written, read = set(), set()
    for item in items_of(s.block):
        if isinstance(item, Store | Reserve):
            written.add(item.buffer)
        elif item.__class__ is Value and item.op == "load":
            read.add(item.data)
    return written, read


def _varying(s: For) -> set[Value]:
    """Values of the body that may differ from lane to lane (carried ones by going round until nothing changes)."""
    found: set[Value] = {s.index}
    shared: set[Buffer] = set()  # memory of the lanes' own
    for item in items_of(s.block):
        if isinstance(item, Store | Reserve) and item.buffer.role in ("private", "tape"):
            shared.add(item.buffer)

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
