"""The text of an exported header (C++17), or of a header and a file (C99)."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.backends.code import TYPE_OF_DTYPE
from wengert.backends.cpp import Body
from wengert.backends.cpp_routines import ROUTINES
from wengert.backends.cpp_words import C99, CPP, Dialect, helper
from wengert.backends.scalars import PARTS
from wengert.cpp.kinds import Exported, Port

_LINES = 80  # so many of the user's lines are shown


class Piece:
    """One exported function, printed: the question, and its body."""

    def __init__(self, what: Exported, body: Body) -> None:
        self.what, self.body = what, body

    @property
    def problems(self) -> list[str]:
        """What the numbers mean that it may return."""
        return [
            f"{n}: {p.text}" + (f" ({p.line})" if p.line else "")
            for n, p in enumerate(self.body.function.problems, 1)
        ]


class Printed:
    """What all texts of one export share: names, language, the pieces."""

    def __init__(
        self, name: str, pieces: Sequence[Piece], dialect: Dialect, single: bool, version: str,
        fun: Callable[..., Any],
    ) -> None:  # fmt: skip
        self.name, self.pieces, self.dialect, self.single = name, pieces, dialect, single
        self.version, self.fun = version, fun

    @property
    def cpp(self) -> bool:
        """Is it C++?"""
        return self.dialect is CPP

    def scalar(self, p: Port) -> str:
        """The type of a port's numbers (of a complex one, of its two parts)."""
        dtype = p.type.dtype
        name = TYPE_OF_DTYPE.get(dtype) or PARTS[dtype]
        return self.dialect.types["f32" if self.single and name == "f64" else name]

    def function(self, piece: Piece) -> str:
        """The name of a piece's function."""
        return piece.what.kind if self.cpp else f"{self.name}_{piece.what.kind}"

    def work(self, piece: Piece) -> str:
        """The name of the size of its workspace."""
        return f"{self.function(piece)}_work_bytes"

    # ---- signatures -----------------------------------------------------------------------------------
    def signature(self, piece: Piece, defaults: bool) -> str:
        """The function's head."""
        restrict = self.dialect.restrict
        parts = [
            f"{self.scalar(p)} {p.name}"
            if by_value(p)
            else f"const {self.scalar(p)}* {restrict} {p.name}"
            for p in piece.what.inputs
        ]
        parts += [f"{self.scalar(p)}* {restrict} {p.name}" for p in piece.what.outputs]
        parts.append(
            "void* work" + (" = nullptr" if defaults and not piece.body.work_bytes else "")
        )
        text = f"int {self.function(piece)}({', '.join(parts)})"
        return text + (" noexcept" if self.cpp else "")

    def about(self, piece: Piece) -> Iterator[str]:
        """The comment above a function."""
        ins = ", ".join(map(shaped, piece.what.inputs))
        outs = ", ".join(map(shaped, piece.what.outputs))
        yield f"// {piece.what.kind.replace('_', ' ')}: {ins} -> {outs}"
        if piece.body.work_bytes:
            yield f"// work: {self.work(piece)} bytes, aligned as a double"
        if piece.problems:
            yield "// returns 0, or the number of what stopped it:"
            yield from (f"//   {p}" for p in piece.problems)

    def definition(self, piece: Piece, defaults: bool) -> Iterator[str]:
        """The function."""
        head = self.signature(piece, defaults)
        yield (f"inline {head} {{" if self.cpp else f"{head} {{")
        body = piece.body
        yield from body.constants()
        used = {body.names[b] for b in body.used}
        for p in (*piece.what.inputs, *piece.what.outputs):
            if p.name not in used:
                yield f"    (void){p.name};"
        if not body.work_bytes:
            yield "    (void)work;"
        yield from body.lines
        yield "    return 0;"
        yield "}"

    # ---- the whole --------------------------------------------------------------------------------------
    def top(self, file: str) -> Iterator[str]:
        """The comment at the head of a file."""
        yield f"// {file}: written by wengert {self.version}, not by hand."
        yield "//"
        yield f"// {self.origin()}"
        yield "//"
        for line in self.lines():
            # (a backslash at the end would draw the next line into the comment)
            yield f"//     {line}".rstrip() + (" ." if line.rstrip().endswith("\\") else "")
        yield "//"
        yield "// Nothing here allocates, throws or keeps anything: functions may run in many threads at once."
        yield "// Arrays are in C order (row by row). Every function returns 0 where all went well."
        yield "// For the digits of the stored results compile with -ffp-contract=off."

    def origin(self) -> str:
        """The function and its file."""
        code = getattr(inspect.unwrap(self.fun), "__code__", None)
        name = getattr(self.fun, "__name__", "a function")
        if code is None:
            return f"It computes {name}."
        return f"It computes {name} ({os.path.basename(code.co_filename)}:{code.co_firstlineno}):"

    def lines(self) -> list[str]:
        """The user's lines."""
        try:
            lines, _ = inspect.getsourcelines(inspect.unwrap(self.fun))
        except (OSError, TypeError):
            return []
        blank = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
        shown = [x.rstrip("\n")[blank:] for x in lines[:_LINES]]
        return [*shown, f"... ({len(lines) - _LINES} lines more)"] if len(lines) > _LINES else shown

    def helpers(self) -> Iterator[str]:
        """Functions that the bodies call."""
        known = [*ROUTINES, ""]  # (a routine stands behind those that it calls)
        wanted = sorted(
            {h for p in self.pieces for h in p.body.helpers},
            key=lambda h: (known.index(h[:-4] if h[:-4] in ROUTINES else ""), h),
        )
        for name in wanted:
            yield ""
            yield from helper(name, self.dialect, "" if self.cpp else f"{self.name}_")

    def cpp_header(self, check: Iterator[str], eigen: Iterator[str]) -> str:
        """The header of C++17."""
        guard = f"WENGERT_{self.name.upper()}_HPP"
        out = [*self.top(f"{self.name}.hpp"), "", f"#ifndef {guard}", f"#define {guard}", ""]
        out += [
            "#include <cmath>",
            "#include <cstddef>",
            "#include <cstdint>",
            "#include <cstring>",
        ]
        out += ["#include <limits>", "", *_RESTRICT, "", f"namespace {self.name} {{", ""]
        out += [f'constexpr const char* wengert_version = "{self.version}";', *self.helpers()]
        for piece in self.pieces:
            out += ["", *self.about(piece)]
            out.append(f"constexpr std::size_t {self.work(piece)} = {piece.body.work_bytes};")
            out += self.definition(piece, True)
        out += [*check, "", f"}}  // namespace {self.name}", ""]
        out += [*eigen, f"#endif  // {guard}"]
        return "\n".join(out) + "\n"

    def c_header(self) -> str:
        """The header of C99."""
        guard = f"WENGERT_{self.name.upper()}_H"
        out = [*self.top(f"{self.name}.h"), "", f"#ifndef {guard}", f"#define {guard}", ""]
        out += [
            "#include <stdbool.h>",
            "#include <stdint.h>",
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
        ]
        for piece in self.pieces:
            out += ["", *self.about(piece), f"#define {self.work(piece)} {piece.body.work_bytes}"]
            head = self.signature(piece, False)
            out.append(f"{head.replace(' restrict', '')};")
        out += ["", f"double {self.name}_self_check(void* work);"]
        out += ["", "#ifdef __cplusplus", "}", "#endif", f"#endif  // {guard}"]
        return "\n".join(out) + "\n"

    def c_file(self, check: Iterator[str]) -> str:
        """The file of C99."""
        out = [*self.top(f"{self.name}.c"), "", f'#include "{self.name}.h"', ""]
        out += ["#include <math.h>", "#include <stdbool.h>", "#include <string.h>", *self.helpers()]
        for piece in self.pieces:
            out += ["", *self.about(piece), *self.definition(piece, False)]
        return "\n".join([*out, *check]) + "\n"


def dialect_of(language: str) -> Dialect:
    """C++17 or C99."""
    return CPP if language == "c++" else C99


def by_value(p: Port) -> bool:
    """Single real numbers are passed as they are."""
    return p.type.shape == () and p.type.dtype.kind != "c"


def shaped(p: Port) -> str:
    """A port as comments show it: `x[3][4]`."""
    return p.name + "".join(f"[{n}]" for n in p.type.shape)


_RESTRICT = [
    "#ifndef WENGERT_RESTRICT",
    "#if defined(__GNUC__) || defined(_MSC_VER)",
    "#define WENGERT_RESTRICT __restrict",
    "#else",
    "#define WENGERT_RESTRICT",
    "#endif",
    "#endif",
]
