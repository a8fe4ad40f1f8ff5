"""Loop code as LLVM's text, with explicit vectors. What is independent of vectors is here.

The text is for LLVM 20 and later. It names what it needs from outside (`externals`): routines of libm
and libmvec, BLAS and LAPACK, the call-back; no address is in it, so it can be kept on disk.
"""

from __future__ import annotations

from typing import Any

from wengert.backends import outline, packing
from wengert.backends.code import (
    DTYPES,
    MATH,
    SPECIAL,
    Block,
    Buffer,
    Call,
    Check,
    For,
    Function,
    If,
    Reserve,
    Store,
    Value,
    While,
)
from wengert.backends.spelling import MEMORY, TYPES, constant
from wengert.backends.vecmath import lanes

_FLOAT = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_INTEGER = {
    "add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor", "shl": "shl",
}  # fmt: skip
_INTRINSIC = {
    "sqrt": "sqrt", "abs": "fabs", "floor": "floor", "ceil": "ceil", "trunc": "trunc",
    "rint": "rint", "copysign": "copysign", "fma": "fma",
}  # fmt: skip
_FCMP = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
_ICMP = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}


_PATIENT = 1024  # rounds of a loop between two looks at Ctrl-C


class Printer:
    """Prints one function. `width` is 1 outside vector loops; there `simd` takes over."""

    def __init__(self, function: Function, width: int | None = None, hosted: bool = False) -> None:
        from wengert.backends import simd

        self.hosted = hosted  # does it run inside of Python?

        self.simd = simd
        self.function = function
        self.native = width or lanes()  # doubles per vector
        self.lines: list[str] = []
        self.head: list[str] = []  # of the entry block
        self.names: dict[Value, str] = {}
        self.count = 0
        self.label = "entry"
        self.declared: dict[str, str] = {}
        self.externals: set[str] = set()
        self.base: dict[Buffer, str] = {}
        self.own: set[str] = set()  # memory of the function that is being printed
        self.functions: list[str] = []  # of chunks of loops
        self.depth = 0  # in how many of them are we?
        self.laned: dict[Buffer, int] = simd.laned(function, self.native)

    # ---- text -----------------------------------------------------------------------------------
    def fresh(self) -> str:
        """A new register."""
        self.count += 1
        return f"%r{self.count}"

    def emit(self, text: str) -> str:
        """An instruction; its register."""
        self.count += 1
        name = f"%r{self.count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def line(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append("  " + text)

    def new_label(self, hint: str) -> str:
        """A label for a block to come."""
        self.count += 1
        return f"{hint}{self.count}"

    def start(self, label: str) -> None:
        """From here on, another block."""
        self.lines.append(f"{label}:")
        self.label = label

    def jump(self, label: str) -> None:
        """To a block."""
        self.line(f"br label %{label}")

    def declare(self, signature: str, name: str, external: bool = True) -> None:
        """A function outside."""
        if name not in self.declared:
            self.declared[name] = signature
            if external:
                self.externals.add(name)

    def intrinsic(self, result: str, name: str, *args: tuple[str, str]) -> str:
        """Call one of LLVM's own."""
        types = ", ".join(t for t, _ in args)
        self.declare(f"declare {result} @{name}({types})", name, external=False)
        return self.emit(f"call {result} @{name}({', '.join(f'{t} {v}' for t, v in args)})")

    # ---- the function ---------------------------------------------------------------------------
    def text(self) -> str:
        """The whole module's text (without the target)."""
        f = self.function
        self.enter()
        self.block(f.body)
        self.jump("done")
        self.lines.append("done:")
        frees = []
        for b in f.tapes:
            frees += [
                f"  %free.{b.name} = load ptr, ptr %tape.{b.name}",
                f"  call void @free(ptr %free.{b.name})",
            ]
        if f.tapes:
            self.declare("declare void @free(ptr)", "free")
        self.lines += ["  br label %exit", "stop:", "  br label %exit", "exit:"]
        self.lines += frees
        self.lines += ["  %status.end = load i32, ptr %status", "  ret i32 %status.end"]
        body = "\n".join(["entry:", *self.head, *self.lines])
        declarations = "\n".join(self.declared.values())
        functions = "\n".join(self.functions)
        return (
            f"define i32 @{f.name}(ptr %ins, ptr %outs, ptr %extents, ptr %work) "
            f"#0 {{\n{body}\n}}\n{functions}\n{declarations}\n"
            f'attributes #0 = {{ nounwind "no-trapping-math"="true" "prefer-vector-width"="512" }}\n'
        )

    def enter(self) -> None:
        """Pointers and extents."""
        f = self.function
        self.head += ["  %status = alloca i32", "  store i32 0, ptr %status"]
        for k in range(len(f.extents)):
            self.head.append(f"  %pn{k} = getelementptr i64, ptr %extents, i64 {k}")
            self.head.append(f"  %n{k} = load i64, ptr %pn{k}")
        for group, source in (((*f.inputs, *f.constants), "ins"), (f.outputs, "outs")):
            for k, b in enumerate(group):
                name = self.base[b] = f"%p.{b.name}"
                self.head.append(f"  %q.{b.name} = getelementptr ptr, ptr %{source}, i64 {k}")
                self.head.append(f"  {name} = load ptr, ptr %q.{b.name}")
        if f.callbacks:
            k = len(f.inputs) + len(f.constants)
            self.head.append(f"  %q.context = getelementptr ptr, ptr %ins, i64 {k}")
            self.head.append("  %context = load ptr, ptr %q.context")
        offset = "0"
        for number, slot in enumerate(f.slots):
            place = f"%slot{number}"
            self.head.append(f"  {place} = getelementptr i8, ptr %work, i64 {offset}")
            for b in slot:
                self.base[b] = place
            if number == len(f.slots) - 1:
                break
            first, factors = slot[0], 1
            size = ""
            for n, factor in enumerate(first.size):
                if isinstance(factor, int):
                    factors *= factor
                else:
                    self.head.append(f"  %s{number}.{n} = mul i64 {size or 1}, %n{factor.data}")
                    size = f"%s{number}.{n}"
            item = factors * DTYPES[first.type].itemsize
            self.head.append(f"  %b{number} = mul i64 {size or 1}, {item}")
            self.head.append(f"  %c{number} = add i64 %b{number}, 127")
            self.head.append(f"  %d{number} = and i64 %c{number}, -64")
            self.head.append(f"  %o{number} = add i64 %d{number}, {offset}")
            offset = f"%o{number}"
        for b in f.privates:
            if b not in self.laned:
                self.private(b)
        for b in f.tapes:
            self.head.append(f"  %tape.{b.name} = alloca ptr")
            self.head.append(f"  store ptr null, ptr %tape.{b.name}")
            self.head.append(f"  %room.{b.name} = alloca i64")
            self.head.append(f"  store i64 0, ptr %room.{b.name}")

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
        return self.base[b]

    # ---- statements -----------------------------------------------------------------------------
    def block(self, block: Block) -> None:
        """A block outside vector loops."""
        for item in packing.runs(block.items):
            if item.__class__ is list:
                for one in packing.packed(item, self):
                    if one.__class__ is Value:
                        self.names[one] = self.value(one)
                    else:
                        packing.together(self, one)
            elif isinstance(item, Store):
                self.store(item.buffer, self.name(item.index), self.name(item.value))
            elif isinstance(item, For):
                if self.depth == 0 and block is self.function.body and outline.worthwhile(item):
                    outline.print_loop(self, item)
                elif item.kind != "vector" or not self.simd.worthwhile(item):
                    self.serial(item)
                else:
                    self.simd.Lanes(self, item).print()
            elif isinstance(item, While):
                self.repeat(item)
            elif isinstance(item, If):
                self.branch(item)
            elif isinstance(item, Call):
                from wengert.backends.calls import print_call

                print_call(self, item)
            elif isinstance(item, Check):
                self.check(self.name(item.ok), item.problem)
            elif isinstance(item, Reserve):
                self.reserve(item.buffer, self.name(item.size))

    def check(self, ok: str, problem: int) -> None:
        """Leave with a status unless `ok`."""
        bad, good = self.new_label("bad"), self.new_label("good")
        self.line(f"br i1 {ok}, label %{good}, label %{bad}")
        self.start(bad)
        self.line(f"store i32 {problem}, ptr %status")
        self.jump("stop")
        self.start(good)

    def listen(self, counter: str) -> None:
        """Now and then, leave if the user has pressed Ctrl-C."""
        if not self.hosted:
            return
        ask, go = self.new_label("ask"), self.new_label("go")
        low = self.emit(f"and i64 {counter}, {_PATIENT - 1}")
        now = self.emit(f"icmp eq i64 {low}, {_PATIENT - 1}")
        self.line(f"br i1 {now}, label %{ask}, label %{go}")
        self.start(ask)
        self.declare("declare i32 @wg_interrupted()", "wg_interrupted")
        found = self.emit("call i32 @wg_interrupted()")
        none = self.emit(f"icmp eq i32 {found}, 0")
        leave = self.new_label("leave")
        self.line(f"br i1 {none}, label %{go}, label %{leave}")
        self.start(leave)
        self.line("store i32 -2, ptr %status")
        self.jump("stop")
        self.start(go)

    def name(self, v: Value) -> str:
        """The register or number of a scalar."""
        if v.op == "const":
            return constant(v.data, v.type)
        if v.op == "extent":
            return f"%n{v.data}"
        return self.names[v]

    def address(self, b: Buffer, index: str) -> str:
        """A pointer to an element."""
        return self.emit(f"getelementptr {MEMORY[b.type]}, ptr {self.pointer(b)}, i64 {index}")

    def store(self, b: Buffer, index: str, value: str) -> None:
        """One element."""
        if b.type == "bool":
            value = self.emit(f"zext i1 {value} to i8")
        place = self.address(b, index)
        self.line(f"store {MEMORY[b.type]} {value}, ptr {place}, align {DTYPES[b.type].itemsize}")

    def load(self, b: Buffer, index: str) -> str:
        """One element."""
        place = self.address(b, index)
        found = self.emit(f"load {MEMORY[b.type]}, ptr {place}, align {DTYPES[b.type].itemsize}")
        return self.emit(f"icmp ne i8 {found}, 0") if b.type == "bool" else found

    def value(self, v: Value) -> str:
        """One operation on scalars."""
        if v.op == "load":
            return self.load(v.data, self.name(v.args[0]))
        return self.operation(
            v.op, v.type, [a.type for a in v.args], [self.name(a) for a in v.args], 1
        )

    def serial(self, s: For, extent: str | None = None, begin_at: str | None = None) -> None:
        """A loop of one element at a time; of a chunk of it, so many from there on."""
        n = extent or self.name(s.extent)
        head, body, after = (self.new_label(h) for h in ("for", "body", "after"))
        begin, counter = self.label, self.fresh()
        self.jump(head)
        self.start(head)
        slot = len(self.lines)
        self.lines.append("")
        phis: list[tuple[str, str, str]] = []
        for param, init in (
            *((c.param, c.init) for c in s.carried),
            *((r.result, r.init) for r in s.reductions),
        ):
            self.names[param] = self.fresh()
            phis.append((self.names[param], TYPES[param.type], self.name(init)))
        more = self.emit(f"icmp slt i64 {counter}, {n}")
        self.line(f"br i1 {more}, label %{body}, label %{after}")
        self.start(body)
        if s.extent.op != "const" or s.extent.data > _PATIENT:
            self.listen(counter)
        if s.reverse:
            last = self.emit(f"sub i64 {n}, 1")
            self.names[s.index] = self.emit(f"sub i64 {last}, {counter}")
        elif begin_at is not None:
            self.names[s.index] = self.emit(f"add i64 {counter}, {begin_at}")
        else:
            self.names[s.index] = counter
        self.block(s.block)
        nexts = [self.name(c.next) for c in s.carried]
        nexts += [
            self.combine(r.op, r.value.type, self.names[r.result], self.name(r.value), 1)
            for r in s.reductions
        ]
        step = self.emit(f"add i64 {counter}, 1")
        end = self.label
        self.jump(head)
        text = [f"  {counter} = phi i64 [ 0, %{begin} ], [ {step}, %{end} ]"]
        for (reg, kind, first), onward in zip(phis, nexts, strict=True):
            text.append(f"  {reg} = phi {kind} [ {first}, %{begin} ], [ {onward}, %{end} ]")
        self.lines[slot] = "\n".join(text)
        self.start(after)
        for c in s.carried:
            self.names[c.result] = self.names[c.param]

    def repeat(self, s: While) -> None:
        """A while loop."""
        head, body, after = (self.new_label(h) for h in ("while", "body", "after"))
        begin = self.label
        inits = [self.name(c.init) for c in s.carried]
        self.jump(head)
        self.start(head)
        slot = len(self.lines)
        self.lines.append("")
        for c in s.carried:
            self.names[c.param] = self.fresh()
        counter = self.fresh()
        self.block(s.before)
        self.line(f"br i1 {self.name(s.test)}, label %{body}, label %{after}")
        self.start(body)
        self.listen(counter)
        self.block(s.block)
        nexts = [self.name(c.next) for c in s.carried]
        step = self.emit(f"add i64 {counter}, 1")
        end = self.label
        self.jump(head)
        rounds = f"  {counter} = phi i64 [ 0, %{begin} ], [ {step}, %{end} ]\n"
        self.lines[slot] = rounds + "\n".join(
            f"  {self.names[c.param]} = phi {TYPES[c.param.type]} [ {a}, %{begin} ], [ {b}, %{end} ]"
            for c, a, b in zip(s.carried, inits, nexts, strict=True)
        )
        self.start(after)
        for c in s.carried:
            self.names[c.result] = self.names[c.param]

    def branch(self, s: If) -> None:
        """An if."""
        yes, no, after = (self.new_label(h) for h in ("then", "else", "after"))
        self.line(f"br i1 {self.name(s.test)}, label %{yes}, label %{no}")
        self.start(yes)
        self.block(s.then)
        first, a = self.label, [self.name(x) for x, _, _ in s.results]
        self.jump(after)
        self.start(no)
        self.block(s.otherwise)
        second, b = self.label, [self.name(x) for _, x, _ in s.results]
        self.jump(after)
        self.start(after)
        for (_, _, result), x, y in zip(s.results, a, b, strict=True):
            self.names[result] = self.emit(
                f"phi {TYPES[result.type]} [ {x}, %{first} ], [ {y}, %{second} ]"
            )

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

    # ---- operations, on scalars or vectors --------------------------------------------------------
    def shaped(self, type: str, width: int) -> str:
        """The LLVM type of so many numbers."""
        return TYPES[type] if width == 1 else f"<{width} x {TYPES[type]}>"

    def splat(self, value: Any, type: str, width: int) -> str:
        """A constant, in every lane."""
        text = constant(value, type)
        return text if width == 1 else f"splat ({TYPES[type]} {text})"

    def combine(self, op: str, type: str, x: str, y: str, width: int) -> str:
        """Two values of a reduction."""
        if op in ("max", "min"):
            t = self.shaped(type, width)
            if type[0] == "f":
                test = "oge" if op == "max" else "ole"
                first = self.emit(f"fcmp {test} {t} {x}, {y}")
                nan = self.emit(f"fcmp uno {t} {x}, {self.splat(0.0, type, width)}")
                first = self.emit(f"or {self.shaped('bool', width)} {first}, {nan}")
            else:
                sign = "u" if type[0] in "ub" else "s"
                first = self.emit(f"icmp {sign}{'ge' if op == 'max' else 'le'} {t} {x}, {y}")
            return self.emit(f"select {self.shaped('bool', width)} {first}, {t} {x}, {t} {y}")
        return self.operation(op, type, [type, type], [x, y], width)

    def operation(self, op: str, type: str, types: list[str], args: list[str], width: int) -> str:
        """A pure operation on so many lanes."""
        t = self.shaped(type, width)
        of = types[0]
        if type[0] == "f" and op in _FLOAT:
            return self.emit(f"{_FLOAT[op]} {t} {args[0]}, {args[1]}")
        if op in _FCMP:
            source = self.shaped(of, width)
            if of[0] == "f":
                return self.emit(f"fcmp {_FCMP[op]} {source} {args[0]}, {args[1]}")
            test = op if op in ("eq", "ne") else ("s" if of[0] == "i" else "u") + _ICMP[op]
            return self.emit(f"icmp {test} {source} {args[0]}, {args[1]}")
        if op == "select":
            return self.emit(
                f"select {self.shaped('bool', width)} {args[0]}, {t} {args[1]}, {t} {args[2]}"
            )
        if type[0] == "f":
            if op == "neg":
                return self.emit(f"fneg {t} {args[0]}")
            if op in _INTRINSIC:
                suffix = ("" if width == 1 else f"v{width}") + type
                return self.intrinsic(t, f"llvm.{_INTRINSIC[op]}.{suffix}", *((t, a) for a in args))
            if op in MATH or op.startswith(SPECIAL):
                return self.simd.math(self, op, type, args, width)
        elif op in _INTEGER:
            return self.emit(f"{_INTEGER[op]} {t} {args[0]}, {args[1]}")
        elif op == "shr":
            return self.emit(f"{'ashr' if type[0] == 'i' else 'lshr'} {t} {args[0]}, {args[1]}")
        elif op in ("tdiv", "trem"):
            kind = ("s" if type[0] == "i" else "u") + op[1:]
            return self.emit(f"{kind} {t} {args[0]}, {args[1]}")
        elif op == "neg":
            return self.emit(f"sub {t} {self.splat(0, type, width)}, {args[0]}")
        elif op == "not":
            ones = self.splat(True if type == "bool" else -1, type, width)
            return self.emit(f"xor {t} {args[0]}, {ones}")
        elif op == "abs":
            if type[0] != "i":
                return args[0]
            suffix = ("" if width == 1 else f"v{width}") + TYPES[type]
            return self.intrinsic(t, f"llvm.abs.{suffix}", (t, args[0]), ("i1", "false"))
        if op == "bits":
            source = self.shaped(of, width)
            return args[0] if source == t else self.emit(f"bitcast {source} {args[0]} to {t}")
        if op == "cast":
            return self.cast(of, type, args[0], width)
        raise NotImplementedError(f"{op} of {type}")

    def cast(self, of: str, to: str, x: str, width: int) -> str:
        """NumPy's astype. Out of range, a float gives the least integer, as on x86."""
        source, target = self.shaped(of, width), self.shaped(to, width)
        if of[0] == "f":
            if to[0] == "f":
                return self.emit(
                    f"{'fpext' if to == 'f64' else 'fptrunc'} {source} {x} to {target}"
                )
            if to == "bool":
                return self.emit(f"fcmp une {source} {x}, {self.splat(0.0, of, width)}")
            return self.to_integer(of, to, x, width)
        if to[0] == "f":
            kind = "uitofp" if of[0] in "ub" else "sitofp"
            return self.emit(f"{kind} {source} {x} to {target}")
        if to == "bool":
            return self.emit(f"icmp ne {source} {x}, {self.splat(0, of, width)}")
        a, b = (1 if k == "bool" else 8 * DTYPES[k].itemsize for k in (of, to))
        if a == b:
            return x
        kind = "trunc" if a > b else "zext" if of[0] in "ub" else "sext"
        return self.emit(f"{kind} {source} {x} to {target}")

    def to_integer(self, of: str, to: str, x: str, width: int) -> str:
        """Truncated; what does not fit becomes the least number of 64 (or of 32) bits, cut to size."""
        source = self.shaped(of, width)
        wide = "i32" if to in ("i32", "i16", "i8", "u16", "u8") else "i64"
        middle, target = self.shaped(wide, width), self.shaped(to, width)
        suffix = ("" if width == 1 else f"v{width}") + wide
        name = f"llvm.fptosi.sat.{suffix}.{'' if width == 1 else f'v{width}'}{of}"
        limit = 2.0 ** (31 if wide == "i32" else 63)
        fits = self.emit(f"fcmp olt {source} {x}, {self.splat(limit, of, width)}")
        whole = self.intrinsic(middle, name, (source, x))
        least = self.splat(-(2 ** (31 if wide == "i32" else 63)), wide, width)
        mask = self.shaped("bool", width)
        found = self.emit(f"select {mask} {fits}, {middle} {whole}, {middle} {least}")
        if to == "u64":  # the upper half, by way of what is left above 2⁶³
            high = self.emit(f"fsub {source} {x}, {self.splat(limit, of, width)}")
            rest = self.intrinsic(middle, name, (source, high))
            upper = self.emit(f"xor {middle} {rest}, {least}")
            big = self.emit(f"fcmp oge {source} {x}, {self.splat(limit, of, width)}")
            found = self.emit(f"select {mask} {big}, {middle} {upper}, {middle} {found}")
        return found if middle == target else self.emit(f"trunc {middle} {found} to {target}")


def module(function: Function, hosted: bool = False) -> tuple[str, set[str]]:
    """The text of a function's module, and the names of what it needs from outside.

    `hosted`: it runs inside of Python, whose signals it answers.
    """
    printer = Printer(function, hosted=hosted)
    return printer.text(), printer.externals
