"""Loop code again, under the assumption that numbers are finite: for programs that leave Python.

A product by a constant zero is zero, and a sum with one is the other term: homogeneous transforms,
unit vectors and the like leave nothing behind. And the guard of a slope (`0 · anything = 0`) goes where
that slope is finite if the numbers it is made of are. What may overflow although all is well (an
exponential) keeps its guard; so do quotients, logarithms and the like in a program with selections,
whose other branch may well be infinite. Quotients by the same number are products with its inverse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wengert.backends.code import (
    Block,
    Call,
    Check,
    For,
    Function,
    If,
    Reserve,
    Statement,
    Store,
    Value,
    While,
)
from wengert.backends.cpp_uses import items
from wengert.backends.writer import Writer

# finite where their arguments are (products of numbers beyond 1e150 excepted)
_TAME = frozenset(
    [
        "add", "sub", "mul", "neg", "fma", "abs", "sqrt", "sin", "cos", "tanh", "atan", "atan2", "asinh", "erf",
        "erfc", "hypot", "cbrt", "floor", "ceil", "trunc", "rint", "copysign", "cast", "const", "index", "extent",
    ]
)  # fmt: skip
# infinite at places where the function itself has no slope
_SINGULAR = frozenset(
    ["div", "log", "log2", "log10", "log1p", "pow", "asin", "acos", "acosh", "atanh"]
)
_DEEP = 200


class TidyWriter(Writer):
    """A writer that knows what is known of finite numbers."""

    def __init__(self, function: Function, selects: bool) -> None:
        super().__init__(function)
        self.selects = selects  # are there branches, the unchosen ones of which may be anything?
        self.tame: dict[Value, bool] = {}

    def op(self, name: str, *args: Value, type: str | None = None) -> Value:
        """As ever, but for what constant zeros and ones make of it."""
        if args[-1].type[0] == "f" and (found := self._finite(name, args)) is not None:
            return found
        return super().op(name, *args, type=type)

    def _finite(self, name: str, args: tuple[Value, ...]) -> Value | None:
        a = args[0]
        if name == "select":
            return args[2] if self._needless(*args) else None
        if name == "neg":
            return a.args[0] if a.op == "neg" else None
        if name == "fma":
            return self._fma(*args)
        if len(args) != 2:
            return None
        b = args[1]
        if name == "mul":
            return self._mul(a, b)
        if name in ("add", "sub"):
            return self._sum(name, a, b)
        if name == "div" and _is(a, 0):
            return a
        return None

    def _mul(self, a: Value, b: Value) -> Value | None:
        for x, y in ((a, b), (b, a)):
            if _is(x, 0):
                return self.const(0, x.type)
            if _is(x, -1):
                return self.op("neg", y)
        if a.op == "neg" and b.op == "neg":
            return self.op("mul", a.args[0], b.args[0])
        for x, y in ((a, b), (b, a)):
            if x.op == "neg" and y.op == "const":
                return self.op("mul", x.args[0], self.const(-y.data, y.type))
        return None

    def _fma(self, a: Value, b: Value, c: Value) -> Value | None:
        if _is(a, 0) or _is(b, 0):
            return c
        if _is(c, 0):
            return self.op("mul", a, b)
        for x, y in ((a, b), (b, a)):
            if _is(x, 1):
                return self.op("add", y, c)
            if _is(x, -1):
                return self.op("sub", c, y)
        if all(x.op == "const" for x in (a, b)):
            return self.op("add", self.op("mul", a, b), c)
        return None

    def _sum(self, name: str, a: Value, b: Value) -> Value | None:
        plus = name == "add"
        if _is(b, 0):
            return a
        if _is(a, 0):
            return b if plus else self.op("neg", b)
        if b.op == "neg":
            return self.op("sub" if plus else "add", a, b.args[0])
        if plus and a.op == "neg":
            return self.op("sub", b, a.args[0])
        return None

    # ---- guards -----------------------------------------------------------------------------------------
    def _needless(self, test: Value, zero: Value, y: Value) -> bool:
        """Is it `y = g · slope, and 0 where g is 0 and y is no number`, with a slope that is finite?"""
        if test.op != "and" or not _is(zero, 0) or test.type != "bool":
            return False
        g = _guarded(test, y)
        if g is None:
            return False
        if y is g or y.op == "const" or (y.op == "neg" and y.args[0] is g):
            return True
        own = (g, g.args[0]) if g.op == "neg" else (g,)  # (-g) · (-s) is written g · s
        if y.op == "mul" and (y.args[0] in own or y.args[1] in own):
            return self.is_tame(y.args[1] if y.args[0] in own else y.args[0])
        return False

    def is_tame(self, v: Value, depth: int = 0) -> bool:
        """Is a value finite because what it is made of is?"""
        found = self.tame.get(v)
        if found is None:
            if v.op == "load":
                found = v.data.role in ("input", "constant")
            elif v.op == "select":
                found = all(self.is_tame(a, depth + 1) for a in v.args[1:])
            else:
                quiet = v.op in _TAME or (
                    v.op in _SINGULAR and (not self.selects or _nonzero(v.args[-1]))
                )
                found = quiet and depth < _DEEP and all(self.is_tame(a, depth + 1) for a in v.args)
            self.tame[v] = found
        return found


def _guarded(test: Value, y: Value) -> Value | None:
    """The g of a guard: `g == 0 and y != y` are asked for."""
    if test.op != "and":
        return None
    for null, odd in (test.args, test.args[::-1]):
        if null.op == "eq" and odd.op == "ne" and odd.args[0] is odd.args[1] is y:
            return null.args[0] if _is(null.args[1], 0) else null.args[1]
    return None


def _selects(body: Block) -> bool:
    """Are there selections of numbers, other than guards?"""
    return any(
        isinstance(item, If)
        or (
            isinstance(item, Value)
            and item.op == "select"
            and item.type[0] == "f"
            and _guarded(*item.args[::2]) is None
        )
        for item in items(body)
    )


def _is(v: Value, number: float) -> bool:
    return v.op == "const" and v.type[0] == "f" and bool(v.data == number)


def _nonzero(v: Value) -> bool:
    """Is it a constant that may be divided by?"""
    return v.op == "const" and abs(v.data) > 1e-100


# ---- a function written again -----------------------------------------------------------------------------


def tidy(function: Function) -> Function:
    """The same function, written again by a TidyWriter; then quotients by one number as products."""
    once = _written(function, frozenset())
    return _written(once, _divisors(once.body))


def _written(function: Function, inverted: frozenset[Value]) -> Function:
    new = Function(function.name, function.extents)
    for name in ("inputs", "outputs", "constants", "temporaries", "privates", "tapes", "slots",
                 "callbacks", "problems", "notes"):  # fmt: skip
        setattr(new, name, getattr(function, name))
    _Copy(TidyWriter(new, _selects(function.body)), inverted).block(function.body)
    return new


def _divisors(body: Block) -> frozenset[Value]:
    """Numbers that are divided by more than once."""
    found = Counter(
        item.args[1]
        for item in items(body)
        if isinstance(item, Value) and item.op == "div" and item.args[1].op != "const"
    )
    return frozenset(v for v, n in found.items() if n > 1)


class _Copy:
    """What has become of each value."""

    def __init__(self, writer: TidyWriter, inverted: frozenset[Value]) -> None:
        self.w, self.inverted = writer, inverted
        self.env: dict[Value, Value] = {}

    def value(self, v: Value) -> Value:
        """A value of the old function in the new one."""
        if v.op == "const":
            return self.w.const(v.data, v.type)
        if v.op == "extent":
            return self.w.extents[self.w.function.extents[v.data]]
        return self.env[v]

    def values(self, vs: Sequence[Value]) -> list[Value]:
        """Several of them."""
        return [self.value(v) for v in vs]

    def block(self, block: Block) -> None:
        """Everything in a block, into the open block of the writer."""
        for item in block.items:
            if not isinstance(item, Value):
                self.statement(item)
            elif item.op == "load":
                self.env[item] = self.w.load(item.data, self.value(item.args[0]))
            elif item.op == "div" and item.args[1] in self.inverted:
                x, y = self.values(item.args)
                inverse = self.w.op("div", self.w.const(1, item.type), y)
                self.env[item] = self.w.op("mul", x, inverse)
            else:
                self.env[item] = self.w.op(item.op, *self.values(item.args), type=item.type)

    def statement(self, s: Statement) -> None:
        """One statement."""
        w = self.w
        if isinstance(s, Store):
            w.store(s.buffer, self.value(s.index), self.value(s.value))
        elif isinstance(s, For):
            self.loop(s)
        elif isinstance(s, While):
            with w.repeat(self.values([c.init for c in s.carried])) as repeat:
                self.env.update(zip((c.param for c in s.carried), repeat.params, strict=True))
                with repeat.testing():
                    self.block(s.before)
                repeat.test(self.value(s.test))
                self.block(s.block)
                repeat.carry(self.values([c.next for c in s.carried]))
            self.env.update(zip((c.result for c in s.carried), repeat.results, strict=True))
        elif isinstance(s, If):
            with w.branch(self.value(s.test), s.soft) as branch:
                with branch.then():
                    self.block(s.then)
                with branch.otherwise():
                    self.block(s.otherwise)
                branch.give(
                    self.values([r[0] for r in s.results]), self.values([r[1] for r in s.results])
                )
            self.env.update(zip((r[2] for r in s.results), branch.results, strict=True))
        elif isinstance(s, Call):
            args = [
                (a[0], self.value(a[1])) if isinstance(a, tuple) else self.value(a) if isinstance(a, Value) else a
                for a in s.args
            ]  # fmt: skip
            w.call(s.name, args, s.writes, s.problem)
        elif isinstance(s, Check):
            w.check(self.value(s.ok), s.problem)
        elif isinstance(s, Reserve):
            w.reserve(s.buffer, self.value(s.size))

    def loop(self, s: For) -> None:
        """A `For`, with what it carries and reduces."""
        inits = self.values([c.init for c in s.carried])
        with self.w.loop(self.value(s.extent), s.kind, inits, s.reverse) as loop:
            self.env[s.index] = loop.index
            self.env.update(zip((c.param for c in s.carried), loop.params, strict=True))
            loop.statement.sums = s.sums
            self.block(s.block)
            loop.carry(self.values([c.next for c in s.carried]))
            for r in s.reductions:
                self.env[r.result] = loop.reduce(r.op, self.value(r.value), self.value(r.init))
        self.env.update(zip((c.result for c in s.carried), loop.results, strict=True))
