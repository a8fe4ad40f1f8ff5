"""Guards of slopes, done together: a vector loop computes without them, looks once, and only then with them.

A slope that is multiplied by zero is stopped, even where it is infinite: `y = g · s`, and zero where g is zero and y is
no number. Half of a derivative's code can be such guards, and they act on hardly any number. Without them, a
place where one would have acted is no number, and so is all that is made of it: then the guarded code is run
for these neighbours. Guards whose values somebody compares stay where they are.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from wengert.backends.code import MATH, Block, Check, For, Function, If, Reduction, Store, Value
from wengert.backends.vary import items_of

FEWEST = 12  # guards that are worth a second version
# what is no number stays none
_KEPT = (MATH - {"pow", "hypot", "atan2", "fmod", "tgamma"}) | {
    "add", "sub", "mul", "div", "neg", "fma", "sqrt", "abs", "floor", "ceil", "trunc", "rint", "cast",
}  # fmt: skip


class Guard(NamedTuple):
    """`value = select(and(zero, none), 0, product)`."""

    value: Value
    product: Value
    zero: Value  # g == 0
    none: Value  # product != product


class Lifted(NamedTuple):
    """What was done to a loop: its last statement, which computes again with guards; what was in it; the guards."""

    branch: If
    items: list[Any]
    guards: dict[Value, Guard]


def lifted(function: Function) -> Function:
    """The function itself, its vector loops in two versions where that pays."""
    lift(function)
    return function


def lift(function: Function) -> dict[For, Lifted]:
    """Vector loops that have two versions from now on."""
    found = {}
    for item in list(items_of(function.body)):
        if item.__class__ is For and item.kind == "vector" and not item.carried:
            done = _lift(item)
            if done is not None:
                found[item] = done
    return found


def guard(v: Value) -> Guard | None:
    """The guard that a value is, if it is one."""
    if v.op != "select" or v.type[0] != "f" or v.args[0].op != "and" or not _is_zero(v.args[1]):
        return None
    test, _, y = v.args
    for zero, none in (test.args, test.args[::-1]):
        if none.op == "ne" and none.args == (y, y) and zero.op == "eq" and _is_zero(zero.args[1]):
            g = zero.args[0]
            mine = {g, *(g.args if g.op == "neg" else ())}
            if y.op == "mul" and any(
                a in mine or (a.op == "neg" and a.args[0] in mine) for a in y.args
            ):
                return Guard(v, y, zero, none)
    return None


def _is_zero(v: Value) -> bool:
    return v.op == "const" and v.data == 0


def _lift(loop: For) -> Lifted | None:
    items = loop.block.items
    if not all(isinstance(item, Value | Store | Check) for item in items):
        return None
    guards = {item: g for item in items if isinstance(item, Value) and (g := guard(item))}
    stored = {item.buffer for item in items if isinstance(item, Store)}
    if len(guards) < FEWEST or any(
        isinstance(v, Value) and v.op == "load" and v.data in stored for v in items
    ):
        return None
    away = hidden(items, guards)
    guards = {v: g for v, g in guards.items() if v not in away}
    if len(guards) < FEWEST:
        return None
    return Lifted(_Versions(loop, guards).write(), items, guards)


def hidden(items: list[Any], guards: dict[Value, Guard]) -> set[Value]:
    """Values of which nobody would see in a result that they are no numbers."""
    own, found = tests_of(items, guards), set[Value]()
    for item in reversed(items):  # (whoever reads a value stands behind it)
        if item.__class__ is Value:
            if item in own:
                continue
            if item in found or item.type[0] != "f":
                found.update(item.args)
            elif item.op == "select":
                found.add(item.args[0])
            elif item.op not in _KEPT:
                found.update(item.args)
        elif item.__class__ is Store:
            found.add(item.index)
            if item.buffer.type[0] != "f":
                found.add(item.value)
        else:
            found.add(item.ok)
    return found


def tests_of(items: list[Any], guards: dict[Value, Guard]) -> set[Value]:
    """Values that nobody but these guards looks at: their tests, and what those are made of."""
    tests = Counter(g.value.args[0] for g in guards.values())
    parts = {g.value.args[0]: (g.zero, g.none) for g in guards.values()}
    read = dict.fromkeys([*tests, *(x for pair in parts.values() for x in pair)], 0)
    for item in items:
        for a in item.args if item.__class__ is Value else _read(item):
            if a in read:
                read[a] += 1
    own = {t for t, n in tests.items() if read[t] == n}
    halves = Counter(x for t in own for x in parts[t])
    return own | {x for x, n in halves.items() if read[x] == n}


def _read(item: Any) -> tuple[Value, ...]:
    return (item.index, item.value) if isinstance(item, Store) else (item.ok,)


class _Versions:
    """Writes the two versions of a loop's body."""

    def __init__(self, loop: For, guards: dict[Value, Guard]) -> None:
        self.loop, self.guards, self.block = loop, guards, loop.block
        self.touched: set[Value] = set(guards)
        for item in self.block.items:
            if isinstance(item, Value) and any(a in self.touched for a in item.args):
                self.touched.add(item)
        self.quick: dict[Value, Value] = {}
        self.main: list[Any] = []

    def write(self) -> If:
        """Put them into the block: the statement at its end."""
        items = self.block.items
        buffers = {s.buffer for s in items if isinstance(s, Store) and s.value in self.touched}
        branch = If(Value("const", "bool", (), False), Block(self.block), Block(self.block))
        branch.soft = True
        stores = []
        late = tests_of(items, self.guards)
        for item in items:
            if isinstance(item, Store) and item.buffer in buffers:
                stores.append(item)
            elif not isinstance(item, Value) or (item not in self.touched and item not in late):
                self.main.append(item)
            else:
                item.block = branch.then
                branch.then.items.append(item)
                if item in self.touched:
                    self._copy(item)
        results = [s.value for s in stores] + [r.value for r in self.loop.reductions]
        branch.test = self._test([v for v in dict.fromkeys(results) if v in self.touched])
        for s in stores:
            branch.then.items.append(s)
            branch.otherwise.items.append(Store(s.buffer, s.index, self._now(s.value)))
        reductions = []
        for r in self.loop.reductions:
            value = r.value
            if value in self.touched:
                value = Value("result", value.type, (), None, self.block)
                branch.results.append((r.value, self._now(r.value), value))
            reductions.append(Reduction(r.op, r.init, value, r.result))
        self.loop.reductions = reductions
        self.block.items = [*self.main, branch]
        return branch

    def _now(self, v: Value) -> Value:
        return self.quick.get(v, v)

    def _copy(self, v: Value) -> None:
        if v in self.guards:
            self.quick[v] = self._now(self.guards[v].product)
            return
        if v.type == "bool":  # a guard's test
            return
        self.quick[v] = self._new(v.op, v.type, *map(self._now, v.args), data=v.data)

    def _new(self, op: str, type: str, *args: Value, data: Any = None) -> Value:
        found = Value(op, type, args, data, self.block)
        self.main.append(found)
        return found

    def _test(self, results: list[Value]) -> Value:
        tests = [self._new("ne", "bool", self._now(v), self._now(v)) for v in results]
        while len(tests) > 1:
            pairs = [
                self._new("or", "bool", a, b) for a, b in zip(tests[::2], tests[1::2], strict=False)
            ]
            tests = pairs + tests[2 * len(pairs) :]
        return tests[0]
