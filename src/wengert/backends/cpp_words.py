"""How C++17 and C99 say things: types, conversions, numbers, and functions that bodies call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from wengert.backends.cpp_routines import ROUTINES, routine


class Dialect:
    """How C++17 says things; `C` says where C99 differs."""

    language = "c++"
    types: Mapping[str, str] = {
        "f64": "double", "f32": "float", "i64": "std::int64_t", "i32": "std::int32_t",
        "i16": "std::int16_t", "i8": "std::int8_t", "u64": "std::uint64_t", "u32": "std::uint32_t",
        "u16": "std::uint16_t", "u8": "std::uint8_t", "bool": "bool",
    }  # fmt: skip
    restrict = "WENGERT_RESTRICT"
    inline = "inline"
    constants = "static constexpr"

    def cast(self, type: str, text: str) -> str:
        """An explicit conversion."""
        return f"static_cast<{type}>({text})"

    def function(self, name: str, type: str) -> str:
        """A function of libm for a type."""
        return f"std::{name}"

    def pointer(self, type: str, offset: int) -> str:
        """A place in the workspace."""
        at = f"static_cast<unsigned char*>(work) + {offset}" if offset else "work"
        return f"reinterpret_cast<{type}*>({at})" if offset else f"static_cast<{type}*>({at})"

    def infinity(self, type: str) -> str:
        """Infinity of a type."""
        return f"std::numeric_limits<{type}>::infinity()"

    def nan(self, type: str) -> str:
        """A number that is none."""
        return f"std::numeric_limits<{type}>::quiet_NaN()"


class C(Dialect):
    """C99."""

    language = "c"
    types: Mapping[str, str] = {k: v.removeprefix("std::") for k, v in Dialect.types.items()}
    restrict = "restrict"
    inline = "static inline"
    constants = "static const"

    def cast(self, type: str, text: str) -> str:
        return f"(({type})({text}))"

    def function(self, name: str, type: str) -> str:
        return name + "f" if type == "float" else name

    def pointer(self, type: str, offset: int) -> str:
        return f"({type}*)(void*)((unsigned char*)work + {offset})"

    def infinity(self, type: str) -> str:
        return self.cast(type, "INFINITY")

    def nan(self, type: str) -> str:
        return self.cast(type, "NAN")


CPP, C99 = Dialect(), C()


def number(value: float, type: str, dialect: Dialect = CPP) -> str:
    """A floating-point number: the shortest text that gives exactly this one."""
    own = dialect.types[type]
    if math.isnan(value):
        return dialect.nan(own)
    if math.isinf(value):
        return ("-" if value < 0 else "") + dialect.infinity(own)
    if type == "f64":
        return repr(float(value))
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if np.isinf(single):
        return number(float(single), type, dialect)
    text = str(single)
    return (text if any(c in text for c in ".e") else text + ".0") + "f"


def wrapped(items: list[str], pad: str, width: int = 100) -> Iterator[str]:
    """Items with commas between them, in lines."""
    line = pad
    for n, item in enumerate(items):
        text = item + ("," if n + 1 < len(items) else "")
        if len(line) + len(text) > width and line != pad:
            yield line.rstrip()
            line = pad
        line += text + " "
    if line != pad:
        yield line.rstrip()


def helper(name: str, dialect: Dialect, prefix: str) -> list[str]:
    """The lines of a function that bodies call."""
    t = dialect.types
    own, _, last = name.rpartition("_")
    if own in ROUTINES:
        real = dialect.function("fabs", t[last]), dialect.function("sqrt", t[last])
        words = {"REAL": t[last], "I64": t["i64"], "I32": t["i32"], "FABS": real[0], "SQRT": real[1],
                 "INLINE": dialect.inline, "PREFIX": prefix, "TYPE": last,
                 "NOTHING": dialect.nan(t["f64"]), "INFINITE": dialect.infinity(t["f64"]),
                 **{f.upper(): dialect.function(f, t["f64"]) for f in ("floor", "tan", "log", "erfc", "lgamma")}}  # fmt: skip
        return routine(own, words)
    if name.startswith("fma"):  # fused where the machine does that quickly, as the flags say
        own = t[name[4:]]
        fast = "FP_FAST_FMA" if name == "fma_f64" else "FP_FAST_FMAF"
        return [
            f"{dialect.inline} {own} {prefix}fused({own} x, {own} y, {own} z) {{",
            f"#ifdef {fast}",
            f"    return {dialect.function('fma', own)}(x, y, z);",
            "#else",
            "    return x * y + z;",
            "#endif",
            "}",
        ]
    if name == "to_integer":  # as NumPy on x86: what does not fit is the least integer
        inside = dialect.cast(t["i64"], "x")
        return [
            f"{dialect.inline} {t['i64']} {prefix}to_integer(double x) {{",
            f"    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? {inside} : INT64_MIN;",
            "}",
        ]
    source, _, target = name.partition("_as_")
    copy = "std::memcpy" if dialect.language == "c++" else "memcpy"
    return [
        f"{dialect.inline} {t[target]} {prefix}{name}({t[source]} x) {{",
        f"    {t[target]} y;",
        f"    {copy}(&y, &x, sizeof y);",
        "    return y;",
        "}",
    ]
