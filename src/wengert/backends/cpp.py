"""Loop code as C++17 or C99: one function's body, its helpers, its constants.

What the loop code says is printed as it stands: a value is a `const` variable, a loop a loop, a branch
a branch, so the text grows with the program and not with its arrays. Integers wrap as NumPy's
do, positions excepted, which never overflow. The result of a function is 0 or the number of the
problem that stopped it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
    Statement,
    Store,
    Value,
    While,
)
from wengert.backends.cpp_routines import ROUTINES, SPECIALS
from wengert.backends.cpp_uses import items, live, uses
from wengert.backends.cpp_words import Dialect, number, wrapped

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "tdiv": "/", "trem": "%",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
_BITWISE = {"and": "&", "or": "|", "xor": "^"}
_LOGICAL = {"and": "&&", "or": "||", "xor": "!="}
_FUNCTIONS = {
    "abs": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "copysign": "copysign",
}  # fmt: skip
_POSITIONS = frozenset(["index", "extent", "const"])
GROWS = "memory that grows"
_INLINE = 60  # a value that is used once is printed in its place up to so many characters


class Unprintable(Exception):
    """An operation that this language does not have: its name."""


class Body:
    """The body of one function, printed. `names` are those of inputs and outputs.

    `single` prints float for double. Temporaries of up to `stack` bytes in all are local arrays, else they
    are in `work`, of `work_bytes`. `helpers` are functions that it calls beyond libm, `prefix`
    begins their names; inputs that are `alone` are single numbers, passed as such.
    """

    def __init__(
        self, function: Function, names: Mapping[Buffer, str], dialect: Dialect, single: bool, stack: int,
        prefix: str, alone: Iterable[Buffer] = (),
    ) -> None:  # fmt: skip
        self.function, self.dialect, self.single = function, dialect, single
        self.prefix, self.alone = prefix, frozenset(alone)
        self.names: dict[Buffer, str] = dict(names)
        self.helpers: set[str] = set()
        self.values: dict[Value, str] = {}
        self.count = 0
        self.live, read = live(function)
        self.uses = uses(function, self.live)
        self.used = read - set(function.outputs) | {
            item.buffer
            for item in items(function.body)
            if isinstance(item, Store) and item.buffer in read
        }
        self.positions: dict[Value, bool] = {}
        self.lines: list[str] = []
        total = function.work_bytes(function.extents)
        self.work_bytes = 0 if total <= stack else total
        self.taken: set[str] = {*self.names.values(), "work"}
        self._memory()
        self._block(function.body, "    ")

    def type(self, name: str) -> str:
        """A scalar type in the language's words."""
        return self.dialect.types["f32" if self.single and name == "f64" else name]

    # ---- memory -------------------------------------------------------------------------------------
    def _memory(self) -> None:
        f, d = self.function, self.dialect
        for buffer in (*f.inputs, *f.outputs):
            self.names.setdefault(buffer, buffer.name)
        for buffer in (*f.constants, *f.temporaries, *f.privates, *f.tapes):
            self.names[buffer] = self._fresh(buffer.name)
        places: dict[Buffer, int] = {}
        offset = 0
        if self.work_bytes:
            for slot in f.slots:
                places.update(dict.fromkeys(slot, offset))
                offset += f.slot_bytes(slot, f.extents)
        for buffer in (*f.temporaries, *f.privates):
            if buffer not in self.used:
                continue
            name, type = self.names[buffer], self.type(buffer.type)
            if buffer in places:
                self.lines.append(f"    {type}* const {name} = {d.pointer(type, places[buffer])};")
            else:
                self.lines.append(f"    {type} {name}[{max(1, buffer.elements(f.extents))}];")

    def _fresh(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    # ---- values -------------------------------------------------------------------------------------
    def literal(self, value: Any, type: str) -> str:
        """A number of a type."""
        if type[0] == "f":
            return number(value, "f32" if self.single else type, self.dialect)
        if type == "bool":
            return "true" if value else "false"
        text = f"{value}"
        if type[0] == "u":
            text = f"{value}u" if value < 2**31 else f"UINT64_C({value})"
        elif value == -(2**63):
            text = "INT64_MIN"
        elif abs(value) >= 2**31:
            text = f"INT64_C({value})"
        return text if type in ("i64", "i32") else self.dialect.cast(self.type(type), text)

    def name(self, v: Value) -> str:
        """A value, as it is written where it is used."""
        if v.op == "const":
            return self.literal(v.data, v.type)
        if v.op == "extent":
            return str(self.function.extents[v.data])
        return self.values[v]

    def _define(self, v: Value, text: str, pad: str) -> None:
        if (
            self.uses.get(v, 0) == 1
            and len(text) <= _INLINE
            and (v.op not in ("load", "select") or v.data in self.alone)
        ):
            self.values[v] = text if text.isidentifier() else f"({text})"
            return
        self.count += 1
        self.values[v] = name = self._fresh(f"v{self.count}")
        self.lines.append(f"{pad}const {self.type(v.type)} {name} = {text};")

    def is_position(self, v: Value) -> bool:
        """Is it made of loop indices and extents alone?"""
        found = self.positions.get(v)
        if found is None:
            found = v.type == "i64" and (
                v.op in _POSITIONS or (v.op in _INFIX and all(self.is_position(a) for a in v.args))
            )
            self.positions[v] = found
        return found

    def compute(self, v: Value) -> str:
        """The operation of a value."""
        a = [self.name(x) for x in v.args]
        op, t = v.op, v.type
        if op == "load":
            if v.data in self.alone:
                return self.names[v.data]
            return f"{self.names[v.data]}[{_bare(a[0])}]"
        if op == "select":
            return f"{a[0]} ? {a[1]} : {a[2]}"
        if op == "cast":
            return self._cast(v.args[0], t, a[0])
        if op == "bits":
            return self._bits(v.args[0].type, t, a[0])
        if op in ("lt", "le", "gt", "ge", "eq", "ne"):
            return f"{a[0]} {_INFIX[op]} {a[1]}"
        if t[0] == "f":
            return self._float(op, t, a)
        return self._integer(v, a)

    def _float(self, op: str, t: str, a: list[str]) -> str:
        if op in _INFIX:
            return f"{a[0]} {_INFIX[op]} {a[1]}"
        if op == "neg":
            return f"-{a[0]}"
        if op == "exp10":
            return f"{self.dialect.function('pow', self.type(t))}({self.literal(10.0, t)}, {_bare(a[0])})"
        if op == "fma":
            self.helpers.add("fma_f32" if self.single or t == "f32" else "fma_f64")
            return f"{self.prefix}fused({', '.join(map(_bare, a))})"
        name = _FUNCTIONS.get(op) or SPECIALS.get(op) or (op if op in MATH else None)
        special = op.removeprefix(SPECIAL)
        if op != special and special in ROUTINES:
            helper = f"{special}_{'f32' if self.single else t}"
            self.helpers.add(helper)
            return f"{self.prefix}{helper}({', '.join(map(_bare, a))})"
        if name is None:
            raise Unprintable(op)
        return f"{self.dialect.function(name, self.type(t))}({', '.join(map(_bare, a))})"

    def _integer(self, v: Value, a: list[str]) -> str:
        op, t = v.op, v.type
        if t == "bool":
            if op == "not":
                return f"!{a[0]}"
            if op in _LOGICAL:
                return f"{a[0]} {_LOGICAL[op]} {a[1]}"
            raise Unprintable(f"{op} of bool")
        own = self.type(t)
        if op in ("tdiv", "trem") or (op in _INFIX and self.is_position(v)):
            text = f"{a[0]} {_INFIX[op]} {a[1]}"
            return text if t[1:] in ("64", "32") else self.dialect.cast(own, text)
        wide = self.dialect.types["u64" if t.endswith("64") else "u32"]
        b = [self.dialect.cast(wide, _bare(x)) for x in a]
        if op in _INFIX:
            text = f"{b[0]} {_INFIX[op]} {b[1]}"
        elif op in _BITWISE:
            text = f"{b[0]} {_BITWISE[op]} {b[1]}"
        elif op == "neg":
            text = f"0u - {b[0]}"
        elif op == "not":
            text = f"~{b[0]}"
        elif op == "shl":
            text = f"{b[0]} << {b[1]}"
        elif op == "shr":
            text = f"{a[0]} >> {a[1]}"
        elif op == "abs":
            text = f"{a[0]} < 0 ? 0u - {b[0]} : {b[0]}" if t[0] == "i" else b[0]
        else:
            raise Unprintable(f"{op} of {t}")
        return self.dialect.cast(own, text)

    def _cast(self, x: Value, t: str, a: str) -> str:
        own, source = self.type(t), x.type
        if t == "bool":
            return f"{a} != {self.literal(0, source)}" if source != "bool" else a
        if source[0] == "f" and t[0] in "iu":
            self.helpers.add("to_integer")
            return self.dialect.cast(own, f"{self.prefix}to_integer({_bare(a)})")
        return self.dialect.cast(own, _bare(a)) if self.type(source) != own else a

    def _bits(self, source: str, t: str, a: str) -> str:
        if self.single and "f64" in (source, t):
            raise Unprintable("the bits of a double, in float")
        name = f"{source}_as_{t}"
        self.helpers.add(name)
        return f"{self.prefix}{name}({_bare(a)})"

    # ---- statements -----------------------------------------------------------------------------------
    def _block(self, block: Block, pad: str) -> None:
        for item in block.items:
            if isinstance(item, Value):
                if item in self.live:
                    self._define(item, self.compute(item), pad)
            else:
                self._statement(item, pad)

    def _statement(self, s: Statement, pad: str) -> None:
        if isinstance(s, Store):
            if s.buffer not in self.used:
                return
            place = f"{self.names[s.buffer]}[{_bare(self.name(s.index))}]"
            self.lines.append(f"{pad}{place} = {_bare(self.name(s.value))};")
        elif isinstance(s, For):
            self._for(s, pad)
        elif isinstance(s, While):
            self._while(s, pad)
        elif isinstance(s, If):
            self._if(s, pad)
        elif isinstance(s, Check):
            self.lines.append(f"{pad}if (!{_closed(self.name(s.ok))}) return {s.problem};")
        elif isinstance(s, Call):
            self.lines.append(f"{pad}{self._call(s)}")
        elif isinstance(s, Reserve):
            raise Unprintable(GROWS)

    def _call(self, s: Call) -> str:
        name = s.name[1:]
        if name not in ROUTINES or s.name[0] not in "ds":
            raise Unprintable(s.name)
        type = "f32" if self.single or s.name[0] == "s" else "f64"
        self.helpers.update(f"{r}_{type}" for r in (name, *ROUTINES[name].needs))
        args = []
        for a in s.args:
            if isinstance(a, tuple):
                at = _bare(self.name(a[1]))
                args.append(self.names[a[0]] + (f" + {at}" if at != "0" else ""))
            elif isinstance(a, str):
                args.append(f"'{a}'")
            elif isinstance(a, float):
                args.append(self.literal(a, type))
            else:
                args.append(_bare(self.name(a)) if isinstance(a, Value) else str(a))
        return f"{self.prefix}{name}_{type}({', '.join(args)});"

    def _variable(self, like: Value, init: str | None, pad: str) -> str:
        self.count += 1
        name = self._fresh(f"v{self.count}")
        start = "" if init is None else f" = {_bare(init)}"
        self.lines.append(f"{pad}{self.type(like.type)} {name}{start};")
        return name

    def _enter(self, carried: Any, pad: str) -> list[Any]:
        kept = [c for c in carried if c.param in self.live or c.result in self.live]
        for c in kept:
            self.values[c.param] = self.values[c.result] = self._variable(
                c.param, self.name(c.init), pad
            )
        return kept

    def _step(self, kept: list[Any], pad: str) -> None:
        moving = [c for c in kept if self.name(c.next) != self.values[c.param]]
        if len(moving) > 1:  # all at once
            later = []
            for c in moving:
                self.count += 1
                name = self._fresh(f"v{self.count}")
                self.lines.append(
                    f"{pad}const {self.type(c.param.type)} {name} = {_bare(self.name(c.next))};"
                )
                later.append(name)
        else:
            later = [_bare(self.name(c.next)) for c in moving]
        for c, text in zip(moving, later, strict=True):
            self.lines.append(f"{pad}{self.values[c.param]} = {text};")

    def _for(self, s: For, pad: str) -> None:
        kept = self._enter(s.carried, pad)
        totals = [r for r in s.reductions if r.result in self.live]
        for r in totals:
            self.values[r.result] = self._variable(r.result, self.name(r.init), pad)
        self.count += 1
        self.values[s.index] = i = self._fresh(f"i{self.count}")
        type, extent = self.type("i64"), _bare(self.name(s.extent))
        head = (
            f"{type} {i} = {extent} - 1; {i} >= 0; --{i}"
            if s.reverse
            else f"{type} {i} = 0; {i} < {extent}; ++{i}"
        )
        self.lines.append(f"{pad}for ({head}) {{")
        inner = pad + "    "
        self._block(s.block, inner)
        for r in totals:
            self.lines.append(f"{inner}{self._combined(r, self.values[r.result])}")
        self._step(kept, inner)
        self.lines.append(f"{pad}}}")

    def _combined(self, r: Any, total: str) -> str:
        value = self.name(r.value)
        if r.op in ("add", "mul"):
            sign, t = _INFIX[r.op], r.result.type
            if t[0] == "f":
                return f"{total} {sign}= {_bare(value)};"
            wide = self.dialect.types["u64" if t.endswith("64") else "u32"]
            text = (
                f"{self.dialect.cast(wide, total)} {sign} {self.dialect.cast(wide, _bare(value))}"
            )
            return f"{total} = {self.dialect.cast(self.type(t), text)};"
        if r.op in ("and", "or"):
            return f"{total} = {total} {_LOGICAL[r.op]} {value};"
        order = ">=" if r.op == "max" else "<="
        stays = f"{total} {order} {value}"
        if r.result.type[0] == "f":  # nan stays, as NumPy has it
            stays += f" || {total} != {total}"
        return f"{total} = {stays} ? {total} : {value};"

    def _while(self, s: While, pad: str) -> None:
        kept = self._enter(s.carried, pad)
        self.lines.append(f"{pad}for (;;) {{")
        inner = pad + "    "
        self._block(s.before, inner)
        self.lines.append(f"{inner}if (!{_closed(self.name(s.test))}) break;")
        self._block(s.block, inner)
        self._step(kept, inner)
        self.lines.append(f"{pad}}}")

    def _if(self, s: If, pad: str) -> None:
        kept = [r for r in s.results if r[2] in self.live]
        for _, _, result in kept:
            self.values[result] = self._variable(result, None, pad)
        inner = pad + "    "
        self.lines.append(f"{pad}if ({_bare(self.name(s.test))}) {{")
        self._block(s.then, inner)
        for a, _, result in kept:
            self.lines.append(f"{inner}{self.values[result]} = {_bare(self.name(a))};")
        mark = len(self.lines)
        self.lines.append(f"{pad}}} else {{")
        self._block(s.otherwise, inner)
        for _, b, result in kept:
            self.lines.append(f"{inner}{self.values[result]} = {_bare(self.name(b))};")
        if len(self.lines) == mark + 1:
            self.lines.pop()
        self.lines.append(f"{pad}}}")

    # ---- constants ------------------------------------------------------------------------------------
    def constants(self) -> Iterator[str]:
        """Arrays that belong to the program."""
        for b in self.function.constants:
            if b not in self.used:
                continue
            assert b.array is not None
            flat = b.array.reshape(-1)
            flat = flat.view(DTYPES[b.type]) if flat.dtype.kind == "c" else flat
            numbers = [self.literal(x.item(), b.type) for x in flat] or [self.literal(0, b.type)]
            yield f"    {self.dialect.constants} {self.type(b.type)} {self.names[b]}[{len(numbers)}] = {{"
            yield from wrapped(numbers, "        ")
            yield "    };"


def _bare(text: str) -> str:
    """Without the brackets around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for n, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and n < len(text) - 1:
            return text
    return text[1:-1]


def _closed(text: str) -> str:
    return text if text.isidentifier() or text.startswith("(") else f"({text})"
