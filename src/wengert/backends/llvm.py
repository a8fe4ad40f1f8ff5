"""Loop code as LLVM's text, with explicit vectors. What is independent of vectors is here.

The text is for LLVM 20 and later. It names what it needs from outside (`externals`): routines of libm
and libmvec, BLAS and LAPACK, the call-back; no address is in it, so it can be kept on disk.
"""

from __future__ import annotations

from typing import Any

from wengert.backends import chunk_memory, deferred, guards, outline, packing
from wengert.backends.code import (
    DTYPES,
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
from wengert.backends.frame import Frame
from wengert.backends.spelling import MEMORY, TYPES, constant
from wengert.backends.vary import by_lanes, laned
from wengert.backends.vecmath import lanes
from wengert.backends.waiting import LEAST, Waiting, made

# without a frame pointer vectors are put away where the stack happens to stand: across two cache lines
_ATTRIBUTES = 'nounwind "frame-pointer"="all" "no-trapping-math"="true" "prefer-vector-width"="512"'
_PATIENT = 1024  # rounds of a loop between two looks at Ctrl-C


class Printer(Frame):
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
        self.tabled: dict[str, tuple[str, int]] = {}
        self.own: set[str] = set()  # memory of the function that is being printed
        self.functions: list[str] = []  # of chunks of loops
        self.bodies: dict[Any, str] = {}  # their names, by what they do
        self.depth = 0  # in how many of them are we?
        self.laned: dict[Buffer, int] = laned(function, self.native)

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
        begin = f"define i32 @{f.name}"
        if f.again:
            begin = f"{deferred.wrapped(f.name, f.again)}define internal i32 @{f.name}.quick"
        return (
            f"{begin}(ptr %ins, ptr %outs, ptr %extents, ptr %work) "
            f"#0 {{\n{body}\n}}\n{functions}\n{declarations}\n"
            f"attributes #0 = {{ {_ATTRIBUTES} }}\n"
        )

    # ---- statements -----------------------------------------------------------------------------
    def block(self, block: Block) -> None:
        """A block outside vector loops."""
        steps: list[Any] = []
        for item in packing.runs(block.items):
            steps += packing.packed(item, self) if item.__class__ is list else (item,)
        waiting = Waiting(steps) if len(steps) >= LEAST else None
        if waiting is None:
            for step in steps:
                self.step(step, block)
            return
        waiting.open(self)
        for k, step in enumerate(steps):
            for v in waiting.back.get(k, ()):
                self.names[v] = waiting.load(self, v)
            self.step(step, block)
            for v in made(step):
                if v in waiting.places:
                    waiting.store(self, v, self.names[v])

    def step(self, item: Any, block: Block) -> None:
        """A value, values that are made together, or a statement."""
        if item.__class__ is Value:
            self.names[item] = self.value(item)
        elif item.__class__ is list:
            packing.together(self, item)
        elif isinstance(item, Store):
            self.store(item.buffer, self.name(item.index), self.name(item.value))
        elif isinstance(item, For):
            if self.depth == 0 and block is self.function.body and outline.worthwhile(item):
                outline.print_loop(self, item)
            elif item.kind != "vector" or not by_lanes(item):
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

    def go_on_if_zero(self, status: str) -> None:
        """Leave with a status that is not 0."""
        bad, good = self.new_label("bad"), self.new_label("good")
        self.line(f"br i1 {self.emit(f'icmp eq i32 {status}, 0')}, label %{good}, label %{bad}")
        self.start(bad)
        self.line(f"store i32 {status}, ptr %status")
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

    def serial(
        self, s: For, extent: str | None = None, begin_at: str | None = None, alone: bool = False
    ) -> None:
        """A loop of one element at a time; of a chunk of it, so many from there on.

        `alone`: its sums begin with nothing, and others join them later.
        """
        n = extent or self.name(s.extent)
        head, body, after = (self.new_label(h) for h in ("for", "body", "after"))
        begin, counter = self.label, self.fresh()
        self.jump(head)
        self.start(head)
        slot = len(self.lines)
        self.lines.append("")
        phis: list[tuple[str, str, str]] = []
        for param, start in (
            *((c.param, self.name(c.init)) for c in s.carried),
            *(
                (
                    r.result,
                    chunk_memory.identity(r.op, r.value.type) if alone else self.name(r.init),
                )
                for r in s.reductions
            ),
        ):
            self.names[param] = self.fresh()
            phis.append((self.names[param], TYPES[param.type], start))
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


def module(function: Function, hosted: bool = False) -> tuple[str, set[str]]:
    """The text of a function's module, and the names of what it needs from outside.

    `hosted`: it runs inside of Python, whose signals it answers.
    """
    printer = Printer(guards.lifted(function), hosted=hosted)
    return printer.text(), printer.externals
