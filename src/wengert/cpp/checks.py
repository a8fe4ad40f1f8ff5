"""Stored results: the self-check inside an exported header, a test program, and its CMakeLists.txt."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.api.certify import certify
from wengert.backends.code import TYPE_OF_DTYPE
from wengert.backends.cpp_words import number, wrapped
from wengert.cpp.eigen import overload_call
from wengert.cpp.header import Piece, Printed, by_value
from wengert.cpp.kinds import Port
from wengert.errors import WengertError
from wengert.ir.evaluate import evaluate

_CERTIFIED, _SECONDS = 200, 1.0  # balls are asked about so many numbers, for so long
STORED = 1000  # so many numbers are stored in a header; a test program stores all


class Example:
    """A piece with numbers for its inputs, and what its outputs then are.

    `proved`: they are correctly rounded, as balls have shown; else they are NumPy's.
    """

    def __init__(self, piece: Piece, values: Sequence[Any]) -> None:
        self.piece = piece
        given = list(values)
        draw = np.random.default_rng(0)
        given.extend(  # tangents and cotangents
            draw.uniform(-1, 1, p.type.shape).astype(p.type.dtype)[()]
            for p in piece.what.inputs[len(given) :]
        )
        self.inputs = given
        with np.errstate(all="ignore"):
            self.outputs = list(evaluate(piece.what.program, given))
        exact = self._exact()
        self.proved = exact is not None
        if exact is not None:
            self.outputs = exact

    def _exact(self) -> list[Any] | None:
        """The outputs correctly rounded, where that is quickly proved."""
        types = [p.type for p in (*self.piece.what.inputs, *self.piece.what.outputs)]
        if self.size > _CERTIFIED or any(t.dtype.kind != "f" for t in types):
            return None
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = certify(
                    lambda *xs: list(evaluate(self.piece.what.program, xs)), budget=_SECONDS
                )(*self.inputs)
        except (WengertError, ImportError, ArithmeticError):
            return None
        near = all(
            np.allclose(y, x, rtol=1e-3, atol=1e-6, equal_nan=True)
            for x, y in zip(self.outputs, found.value, strict=True)
        )
        return list(found.value) if near else None  # (what cancels is compared as Python has it)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return sum(int(np.size(v)) for v in (*self.inputs, *self.outputs))


def difference(p: Printed) -> Iterator[str]:
    """The function that compares: the largest difference, relative to the largest stored number."""
    t = "double"
    head = "template <class X>\ninline double" if p.cpp else "static inline double"
    f = "std::fabs" if p.cpp else "fabs"
    inf = p.dialect.infinity(t)
    own = ["X"] if p.cpp else sorted({p.scalar(o) for x in p.pieces for o in x.what.outputs})
    for x in own:
        name = "difference" if p.cpp else f"{p.name}_difference_{x}"
        yield ""
        yield f"{head} {name}(const {x}* found, const {x}* stored, {p.dialect.types['i64']} n) {{"
        yield "    double worst = 0.0, largest = 0.0;"
        yield f"    for ({p.dialect.types['i64']} k = 0; k < n; ++k) {{"
        yield f"        const double a = {p.dialect.cast(t, 'found[k]')}, b = {p.dialect.cast(t, 'stored[k]')};"
        yield "        if (a == b || (a != a && b != b)) {"
        yield f"            if (b - b == 0.0 && {f}(b) > largest) largest = {f}(b);"
        yield "            continue;"
        yield "        }"
        yield f"        if (!(a - b <= 0.0) && !(a - b > 0.0)) return {inf};"
        yield f"        if ({f}(a - b) > worst) worst = {f}(a - b);"
        yield f"        if ({f}(b) > largest) largest = {f}(b);"
        yield "    }"
        yield "    return largest > 0.0 ? worst / largest : worst;"
        yield "}"


def array(p: Printed, port: Port, value: Any, name: str, pad: str) -> Iterator[str]:
    """An array of numbers in the language."""
    flat = np.asarray(value).reshape(-1)
    flat = flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat
    type, dtype = p.scalar(port), TYPE_OF_DTYPE[flat.dtype]
    if dtype[0] == "f":
        short = "f32" if p.single else dtype
        numbers = [number(float(x), short, p.dialect) for x in flat]
    elif dtype == "bool":
        numbers = ["true" if x else "false" for x in flat]
    else:
        numbers = [p.dialect.cast(type, _integer(int(x))) for x in flat]
    yield f"{pad}static const {type} {name}[{max(1, len(numbers))}] = {{"
    yield from wrapped(numbers or ["0"], pad + "    ")
    yield f"{pad}}};"


def _integer(x: int) -> str:
    if x == -(2**63):
        return "INT64_MIN"
    return f"{x}u" if x >= 2**63 else f"INT64_C({x})" if abs(x) >= 2**31 else str(x)


def call(p: Printed, e: Example, work: str, pad: str, scope: str = "") -> Iterator[str]:
    """Arrays with the inputs and stored outputs, and the call; `status` is its result."""
    what = e.piece.what
    for port, value in zip(what.inputs, e.inputs, strict=True):
        yield from array(p, port, value, f"in_{port.name}", pad)
    for port, value in zip(what.outputs, e.outputs, strict=True):
        yield from array(p, port, value, f"stored_{port.name}", pad)
        storage = "static " if port.type.size > STORED else ""
        yield f"{pad}{storage}{p.scalar(port)} out_{port.name}[{_numbers(port)}];"
    ins = [f"in_{x.name}{'[0]' if by_value(x) else ''}" for x in what.inputs]
    outs = [f"out_{x.name}" for x in what.outputs]
    yield f"{pad}const int status = {scope}{p.function(e.piece)}({', '.join([*ins, *outs, work])});"


def _numbers(port: Port) -> int:
    return max(1, port.type.size * (2 if port.type.dtype.kind == "c" else 1))


def compared(p: Printed, e: Example, scope: str = "", found: str = "out_") -> list[str]:
    """The differences of the outputs."""
    texts = []
    for x in e.piece.what.outputs:
        name = f"{scope}difference" if p.cpp else f"{p.name}_difference_{p.scalar(x)}"
        texts.append(f"{name}({found}{x.name}, stored_{x.name}, {_numbers(x)})")
    return texts


def self_check(p: Printed, examples: Sequence[Example]) -> Iterator[str]:
    """The function that runs everything on the stored inputs."""
    kept = [e for e in examples if e.size <= STORED]
    yield from difference(p)
    name = "self_check" if p.cpp else f"{p.name}_self_check"
    yield ""
    yield "// The largest difference of all functions from their stored results, relative to the largest"
    yield "// number of each; infinite if one could not run."
    proved = ", ".join(e.piece.what.kind for e in kept if e.proved)
    if proved:
        yield f"// Proved to be correctly rounded: {proved}."
    if len(kept) < len(examples):
        missing = ", ".join(e.piece.what.kind for e in examples if e not in kept)
        yield f"// (Not of {missing}: more than {STORED} numbers. The test program has them.)"
    room = max((e.piece.body.work_bytes for e in kept), default=0)
    inf = p.dialect.infinity("double")
    if p.cpp:
        yield f"constexpr std::size_t self_check_work_bytes = {room};"
        yield f"inline double self_check(void* work{'' if room else ' = nullptr'}) noexcept {{"
    else:
        yield f"double {name}(void* work) {{"
    yield "    double worst = 0.0, here = 0.0;"
    for e in kept:
        yield "    {"
        yield from call(p, e, "work", "        ")
        yield f"        if (status != 0) return {inf};"
        for text in compared(p, e):
            yield f"        here = {text};"
            yield "        if (here > worst) worst = here;"
        yield "    }"
    yield "    (void)work;"
    yield "    (void)here;"
    yield "    return worst;"
    yield "}"


def test_program(p: Printed, examples: Sequence[Example], rtol: float) -> str:
    """A main that runs everything on the stored inputs and says how far off it is."""
    scope = f"{p.name}::" if p.cpp else ""
    out = [
        f"// Runs the functions of {p.name} on stored inputs; written by wengert {p.version}.",
        "",
    ]
    if p.cpp:
        out += ["#if defined(__has_include)", "#if __has_include(<Eigen/Core>)"]
        out += ["#include <Eigen/Core>", "#endif", "#endif", f'#include "{p.name}.hpp"', ""]
        out += ["#include <cstdio>", "#include <vector>"]
    else:
        out += [f'#include "{p.name}.h"', "", "#include <math.h>", "#include <stdbool.h>"]
        out += ["#include <stdio.h>", "#include <stdlib.h>", *difference(p)]
    printf = "std::printf" if p.cpp else "printf"
    out += [
        "",
        "static int failures = 0;",
        "",
        "static void report(const char* what, double off) {",
    ]
    out += [f"    const bool fine = off <= {rtol!r};", "    failures += fine ? 0 : 1;"]
    out += [f'    {printf}("%-40s %.2e %s\\n", what, off, fine ? "ok" : "WRONG");', "}"]
    for e in examples:
        kind = e.piece.what.kind
        out += ["", f"static void test_{kind}({'' if p.cpp else 'void'}) {{"]
        size = e.piece.body.work_bytes
        if p.cpp:
            out.append(f"    std::vector<double> room({size // 8 + 1});")
            work = "room.data()"
        else:
            out.append(f"    void* const room = malloc({size + 8});")
            work = "room"
        out += call(p, e, work, "    ", scope)
        out.append(
            f'    if (status != 0) report("{kind} returned a status", {p.dialect.infinity("double")});'
        )
        for port, text in zip(e.piece.what.outputs, compared(p, e, scope), strict=True):
            out.append(f'    report("{kind}: {port.name}", {text});')
        if p.cpp:
            out += overload_call(p, e.piece, work, scope, compared(p, e, scope, "mapped_"))
        else:
            out.append("    free(room);")
        out.append("}")
    out += ["", f"int main({'' if p.cpp else 'void'}) {{"]
    out += [f"    test_{e.piece.what.kind}();" for e in examples]
    out += ["    return failures;", "}"]
    return "\n".join(out) + "\n"


def cmake(p: Printed) -> str:
    """How to build and run the test."""
    test, language = f"{p.name}_test", "CXX" if p.cpp else "C"
    files = f"{test}.cpp" if p.cpp else f"{test}.c {p.name}.c"
    standard = "CXX_STANDARD 17" if p.cpp else "C_STANDARD 99"
    lines = [
        "cmake_minimum_required(VERSION 3.10)",
        f"project({p.name} {language})",
        "enable_testing()",
        "if(NOT CMAKE_BUILD_TYPE)",
        "  set(CMAKE_BUILD_TYPE Release)",
        "endif()",
        f"add_executable({test} {files})",
        f"set_target_properties({test} PROPERTIES {standard} {language}_STANDARD_REQUIRED ON)",
        f"target_compile_options({test} PRIVATE -Wall -Wextra -Wconversion -pedantic -ffp-contract=off)",
    ]
    if p.cpp:
        lines += [
            "find_package(Eigen3 3.3 QUIET NO_MODULE)",
            "if(TARGET Eigen3::Eigen)",
            f"  target_link_libraries({test} PRIVATE Eigen3::Eigen)",
            "endif()",
        ]
    else:
        lines += [f"target_link_libraries({test} PRIVATE m)"]
    return "\n".join([*lines, f"add_test(NAME {test} COMMAND {test})"]) + "\n"
