"""Operations on scalars and vectors in LLVM's text, and the lines they are written into."""

from __future__ import annotations

from typing import Any

from wengert.backends.code import (
    DTYPES,
    MATH,
    SPECIAL,
)
from wengert.backends.simd_math import math
from wengert.backends.spelling import TYPES, constant

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


class Operations:
    """Writes instructions; what they are for is the printer's."""

    native: int  # doubles per vector
    lines: list[str]
    head: list[str]  # of the entry block
    count: int
    label: str
    declared: dict[str, str]
    externals: set[str]

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
                return math(self, op, type, args, width)
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
