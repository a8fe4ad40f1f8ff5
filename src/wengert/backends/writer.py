"""Writing loop code: each value once, constants folded, and nothing in a loop that could be before it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.backends.code import (
    ARITHMETIC,
    COMPARISONS,
    DTYPES,
    Block,
    Buffer,
    Call,
    Carried,
    Check,
    For,
    Function,
    If,
    Reduction,
    Reserve,
    Store,
    Value,
    While,
)
from wengert.backends.interpret import OPERATIONS

_FOLDED = (ARITHMETIC | COMPARISONS | {"select", "cast", "bits"}) - {"fma"}


# may be simpler although no argument is a number
_PLAIN = frozenset(["select", "cast", "bits", "div"])


class Writer:
    """Appends to the innermost open block of a function."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.block = function.body
        self.written: frozenset[Buffer] | None = None  # in this nest; None: perhaps everything
        self.unsteady: set[Buffer] = set()  # written in the loop where it is read
        self.base = 0
        self.constants: dict[Any, Value] = {}
        self.whole: dict[Any, Value] = {}  # of those that were given as integers
        self.extents = {n: Value("extent", "i64", (), k) for k, n in enumerate(function.extents)}

    # ---- values ---------------------------------------------------------------------------------
    def const(self, value: Any, type: str) -> Value:
        """A number. Integers wrap into their type, floats are rounded to it."""
        if value.__class__ is not int:
            return self._const(value, type)
        found = self.whole.get((value, type))
        if found is None:
            found = self.whole[value, type] = self._const(value, type)
        return found

    def _const(self, value: Any, type: str) -> Value:
        if type == "f64":
            value = float(value)
            key: Any = (type, struct.pack("d", value))
        elif type == "f32":
            with np.errstate(over="ignore"):
                value = float(np.float32(value))
            key = (type, struct.pack("d", value))
        elif type == "bool":
            value = bool(value)
            key = (type, value)
        else:
            value = int(value)
            key = (type, value)
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = Value("const", type, (), value)
        return found

    def index(self, value: int) -> Value:
        """A constant of type i64."""
        return self.const(value, "i64")

    def op(self, name: str, *args: Value, type: str | None = None) -> Value:
        """A pure operation: the value made before, a folded one, or a new one.

        A new one stands in the outermost block where its arguments are known.
        """
        if type is None:
            type = "bool" if name in COMPARISONS else args[-1].type
        depth, known = 0, name in _PLAIN
        for a in args:
            home = a.block
            if home is None:
                known = True
            elif home.depth > depth:
                depth = home.depth
        if known:
            simple = self._simplified(name, args, type)
            if simple is not None:
                return simple
        target = self.block
        key = (name, type, args)
        while True:
            found = target.known.get(key)
            if found is not None:
                return found
            if target.depth <= depth or not target.hoists or target.parent is None:
                break
            target = target.parent
        outer: Block | None = target.parent
        while outer is not None and outer.depth >= depth:  # made before a branch?
            found = outer.known.get(key)
            if found is not None:
                return found
            outer = outer.parent
        new = Value(name, type, args, None, target)
        target.items.append(new)
        target.known[key] = new
        return new

    def _simplified(self, name: str, args: tuple[Value, ...], type: str) -> Value | None:
        first = args[0]
        if name in _FOLDED and all(a.op == "const" for a in args):
            with np.errstate(all="ignore"):
                ins = [DTYPES[a.type].type(a.data) for a in args]
                return self.const(OPERATIONS[name](*ins, DTYPES[type]), type)
        if name == "cast" or name == "bits":
            return first if first.type == type else None
        if name == "select":
            if args[1] is args[2]:
                return args[1]
            if first.op == "const":
                return args[1] if first.data else args[2]
            if type == "bool" and args[1].op == "const" and args[2].op == "const":
                return first if args[1].data else self.op("not", first)
            return None
        if len(args) != 2:
            return None
        second = args[1]
        if name == "mul":
            if second.op == "const" and second.data == 1:
                return first
            if first.op == "const" and first.data == 1:
                return second
            if type[0] in "iu" and (
                (first.op == "const" and first.data == 0)
                or (second.op == "const" and second.data == 0)
            ):
                return self.const(0, type)
        elif name == "div":
            if second.op == "const" and second.data == 1:
                return first
            return self._of_a_mark(first, second)
        elif name == "sub" and second.op == "const" and second.data == 0 and type[0] != "b":
            return first  # x - 0 is x, its sign too
        elif name == "add" and type[0] in "iu":
            if second.op == "const" and second.data == 0:
                return first
            if first.op == "const" and first.data == 0:
                return second
        elif type == "bool" and name in ("and", "or"):
            for a, b in ((first, second), (second, first)):
                if a.op == "const":
                    return b if a.data == (name == "and") else a
        elif name in ("tdiv", "trem") and second.op == "const" and second.data == 1:
            return first if name == "tdiv" else self.const(0, type)
        return None

    def _of_a_mark(self, x: Value, y: Value) -> Value | None:
        """A mark (one or zero) over what stays the same in the loop is one of two numbers: divided before it."""
        if x.op != "cast" or x.args[0].type != "bool" or x.type[0] != "f" or x.block is None:
            return None
        if y.block is not None and y.block.depth >= x.block.depth:
            return None
        one, zero = (self.op("div", self.const(c, x.type), y) for c in (1, 0))
        return self.op("select", x.args[0], one, zero)

    def load(self, buffer: Buffer, index: Value) -> Value:
        """An element, as it is now; of memory that nobody writes meanwhile, read where `op` would."""
        steady = buffer.role == "input" or buffer.role == "constant"
        open_to_writes = self.written is None or buffer in self.written or buffer in self.unsteady
        if not steady and (open_to_writes or self.block.depth <= self.base):
            new = Value("load", buffer.type, (index,), buffer, self.block)
            self.block.items.append(new)
            return new
        key = ("load", buffer, index)
        depth = 0 if index.block is None else index.block.depth
        depth = max(depth, 1 if steady else self.base + 1)
        target: Block | None = self.block
        home = self.block
        while target is not None and (steady or target.depth > self.base):
            found = target.known.get(key)
            if found is not None:
                return found
            if home is target and target.depth > depth and target.hoists and target.parent:
                home = target.parent
            target = target.parent
        new = Value("load", buffer.type, (index,), buffer, home)
        home.known[key] = new
        home.items.append(new)
        return new

    @contextmanager
    def reading(self, written: set[Buffer]) -> Iterator[None]:
        """Inside, only these buffers are written."""
        before = self.written, self.base
        self.written, self.base = frozenset(written), self.block.depth
        try:
            yield
        finally:
            self.written, self.base = before

    # ---- statements -----------------------------------------------------------------------------
    def store(self, buffer: Buffer, index: Value, value: Value) -> None:
        """`buffer[index] = value`."""
        if value.type != buffer.type:
            raise TypeError(f"a {value.type} stored in {buffer!r}")
        self.block.items.append(Store(buffer, index, value))

    def call(
        self, name: str, args: Sequence[Any], writes: Sequence[Buffer], problem: int = 0
    ) -> None:
        """A function outside."""
        self.block.items.append(Call(name, tuple(args), tuple(writes), problem))

    def check(self, ok: Value, problem: int) -> None:
        """Stop unless `ok`."""
        if ok.op == "const" and ok.data:
            return
        key, block = ("check", ok, problem), self.block
        while block is not None:  # checked before?
            if key in block.known:
                return
            block = block.parent  # type: ignore[assignment]
        self.block.known[key] = ok
        self.block.items.append(Check(ok, problem))

    def reserve(self, buffer: Buffer, size: Value) -> None:
        """Room in a tape."""
        self.block.items.append(Reserve(buffer, size))

    @contextmanager
    def inside(self, block: Block) -> Iterator[Block]:
        """Write into a block."""
        before, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = before

    @contextmanager
    def loop(
        self,
        extent: Value,
        kind: str = "serial",
        inits: Sequence[Value] = (),
        reverse: bool = False,
    ) -> Iterator[Loop]:
        """`with writer.loop(n) as loop:` … `loop.index`, `loop.params`, `loop.carry(…)`."""
        block = Block(self.block, hoists=True)
        index = Value("index", "i64", (), None, block)
        statement = For(extent, index, block, kind, reverse)
        params = [Value("param", v.type, (), None, block) for v in inits]
        loop = Loop(self, statement, list(inits), params)
        with self.inside(block):
            yield loop
        loop.close()
        self.block.items.append(statement)

    @contextmanager
    def repeat(self, inits: Sequence[Value]) -> Iterator[Repeat]:
        """A `while`: `with repeat.testing():` … `repeat.test(value)`, then the body and `carry`."""
        before = Block(self.block, hoists=True)
        block = Block(before, hoists=False)
        statement = While(before, block)
        params = [Value("param", v.type, (), None, before) for v in inits]
        repeat = Repeat(self, statement, list(inits), params)
        with self.inside(block):
            yield repeat
        repeat.close()
        self.block.items.append(statement)

    @contextmanager
    def branch(self, test: Value, soft: bool = False) -> Iterator[Branch]:
        """An `if`: `with branch.then():`, `with branch.otherwise():`, then `branch.give(…)`."""
        statement = If(test, Block(self.block), Block(self.block))
        statement.soft = soft
        branch = Branch(self, statement)
        yield branch
        branch.close()
        self.block.items.append(statement)


class Loop:
    """An open `For`."""

    def __init__(
        self, writer: Writer, statement: For, inits: list[Value], params: list[Value]
    ) -> None:
        self.writer, self.statement, self.inits, self.params = writer, statement, inits, params
        self.index = statement.index
        self.nexts: list[Value] = []
        self.results: list[Value] = []

    def carry(self, values: Sequence[Value]) -> None:
        """The carried values of the next iteration."""
        self.nexts = list(values)

    def reduce(self, op: str, value: Value, init: Value) -> Value:
        """Combine a value per iteration; what is returned is known after the loop."""
        outer = self.statement.block.parent
        result = Value("result", value.type, (), None, outer)
        self.statement.reductions.append(Reduction(op, init, value, result))
        return result

    def close(self) -> None:
        """The statement is complete."""
        outer = self.statement.block.parent
        self.results = [Value("result", p.type, (), None, outer) for p in self.params]
        self.statement.carried = [
            Carried(*c) for c in zip(self.params, self.inits, self.nexts, self.results, strict=True)
        ]


class Repeat:
    """An open `While`."""

    def __init__(
        self, writer: Writer, statement: While, inits: list[Value], params: list[Value]
    ) -> None:
        self.writer, self.statement, self.inits, self.params = writer, statement, inits, params
        self.nexts: list[Value] = []
        self.results: list[Value] = []

    @contextmanager
    def testing(self) -> Iterator[None]:
        """Write the test."""
        with self.writer.inside(self.statement.before):
            yield

    def test(self, value: Value) -> None:
        """What decides."""
        self.statement.test = value

    def carry(self, values: Sequence[Value]) -> None:
        """The carried values of the next trip."""
        self.nexts = list(values)

    def close(self) -> None:
        """The statement is complete."""
        outer = self.statement.before.parent
        self.results = [Value("result", p.type, (), None, outer) for p in self.params]
        self.statement.carried = [
            Carried(*c) for c in zip(self.params, self.inits, self.nexts, self.results, strict=True)
        ]


class Branch:
    """An open `If`."""

    def __init__(self, writer: Writer, statement: If) -> None:
        self.writer, self.statement = writer, statement
        self.given: list[list[Value]] = [[], []]
        self.results: list[Value] = []

    @contextmanager
    def then(self) -> Iterator[None]:
        """Write the first block."""
        with self.writer.inside(self.statement.then):
            yield

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Write the second block."""
        with self.writer.inside(self.statement.otherwise):
            yield

    def give(self, then: Sequence[Value], otherwise: Sequence[Value]) -> None:
        """The results of both blocks."""
        self.given = [list(then), list(otherwise)]

    def close(self) -> None:
        """The statement is complete."""
        outer = self.statement.then.parent
        for a, b in zip(*self.given, strict=True):
            result = Value("result", a.type, (), None, outer)
            self.statement.results.append((a, b, result))
            self.results.append(result)
