"""`export_cpp`: a Python function and its derivatives as C++ or C, with nothing of Python in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wengert.backends.code import Function
from wengert.backends.cpp import GROWS, Body, Unprintable
from wengert.backends.lowering import lower
from wengert.backends.tidy import tidy
from wengert.cpp.checks import Example, cmake, self_check, test_program
from wengert.cpp.eigen import overloads
from wengert.cpp.header import Piece, Printed, by_value, dialect_of
from wengert.cpp.kinds import FORWARD, KINDS, Exported, exported, question, results
from wengert.cpp.naming import identifier
from wengert.errors import CppError, InputError
from wengert.ir import source
from wengert.ir.program import Program

_STACK = 4096  # bytes of temporaries that are local arrays; more is a workspace of the caller's


_WAY = "write it in operations that have, or export the function up to it"


class Growing(CppError):
    """Memory that grows is needed, and nothing may be allocated."""


class CppExport:
    """The files of an export: `files` by name, `header`, `functions`; `write(directory)`.

    `str(export)` is the header.
    """

    def __init__(self, name: str, files: dict[str, str], functions: tuple[str, ...]) -> None:
        self.name, self.files, self.functions = name, files, functions

    @property
    def header(self) -> str:
        """The text of the header."""
        return next(iter(self.files.values()))

    def write(self, directory: str | os.PathLike[str] = ".") -> list[Path]:
        """Write all files into a directory (made where it does not exist); their paths."""
        place = Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        written = []
        for name, text in self.files.items():
            path = place / name
            path.write_text(text, encoding="utf-8")
            written.append(path)
        return written

    def __str__(self) -> str:
        return self.header

    def __repr__(self) -> str:
        return f"<CppExport {self.name}: {', '.join(self.functions)} in {', '.join(self.files)}>"


def export_cpp(
    fun: Callable[..., Any], *example_args: Any, what: Sequence[str] | str | None = None, name: str | None = None,
    argnums: int | Sequence[int] | None = None, dtype: Any = None, language: str = "c++", test: bool = False,
    rtol: float | None = None, strict: bool = False, directory: str | os.PathLike[str] | None = None,
) -> CppExport:  # fmt: skip
    """A function and its derivatives as one self-contained C++17 header (or a C99 header and file).

    `example_args` are arguments as `fun` is called with: their shapes and dtypes are those of the
    exported functions, their numbers go into the stored check. Containers are opened, each leaf is
    an input with a name; Python integers, flags and strings are fixed. `what` are some of "value",
    "gradient", "value_and_gradient", "jacobian", "jvp", "vjp", "hessian", "hvp" (by itself: the value, and the
    gradient or the Jacobian), by the arguments `argnums` (all floating-point ones). `dtype="float32"`
    computes everything in float. `language="c"` writes C99 with `extern "C"`.

    In C++ the functions are `name::value(...)` and so on, on raw pointers; where Eigen is
    included before, also on its vectors and matrices. Arrays are in C order. They allocate
    nothing, throw nothing, and return 0, or the number of what stopped them. Loops of
    the program stay loops: the text does not grow with arrays or trip counts. `name::self_check()`
    compares with stored results. `test=True` adds a test program and a CMakeLists.txt (which finds
    Eigen), whose tolerance is `rtol`. `directory` writes the files; the returned CppExport has them as text.

    The code assumes finite numbers: a product by a constant zero is zero, and only slopes that may overflow,
    or belong to a branch of a selection, are guarded against `0 · inf`. `strict=True` keeps every nan and
    infinity where Python has it.

    Raises CppError where an operation has no C++ (the message names your line), InputError for
    arguments that cannot be exported.

    >>> import numpy as np, wengert as wg
    >>> export = wg.export_cpp(lambda x: 1 / (1 + np.exp(-x)), 2.0, name="sigmoid")
    >>> print(export.header[export.header.index("inline int gradient") :].split("}")[0])
    inline int gradient(double x, double* WENGERT_RESTRICT grad_x, void* work = nullptr) noexcept {...
    """
    if language not in ("c++", "c"):
        raise InputError(f"language={language!r}", 'choose "c++" or "c"', source.here())
    single = narrowed(dtype)
    q, values = question(fun, example_args, argnums, single)
    result = results(q)
    title = identifier(name or getattr(fun, "__name__", "f").strip("<>"))
    kinds = kinds_of(what, result)
    dialect = dialect_of(language)
    prefix = "" if language == "c++" else f"{title}_"

    def piece(kind: str) -> Piece:
        try:
            return _piece(exported(kind, q, result), dialect, single, prefix, strict)
        except Growing:  # the way back through a loop of unknown length
            if kind not in FORWARD:
                raise
            return _piece(exported(kind, q, result, forward=True), dialect, single, prefix, strict)

    pieces = [piece(k) for k in kinds]
    version = sys.modules["wengert"].__version__  # (the roof is not imported from here)
    p = Printed(title, pieces, dialect, single, version, fun)
    examples = [Example(piece, values) for piece in pieces]
    files = _files(p, examples)
    if test:
        ending = "cpp" if p.cpp else "c"
        tolerance = rtol if rtol is not None else (1e-4 if single or _narrow(p) else 1e-10)
        files[f"{title}_test.{ending}"] = test_program(p, examples, tolerance)
        files["CMakeLists.txt"] = cmake(p)
    made = CppExport(title, files, tuple(p.function(x) for x in pieces))
    if directory is not None:
        made.write(directory)
    return made


def narrowed(dtype: Any) -> bool:
    """Is everything to be float?"""
    if dtype is None:
        return False
    found = np.dtype(dtype)
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise InputError(f"dtype={dtype!r}", 'choose "float32" or "float64"', source.here())
    return bool(found == np.float32)


def _narrow(p: Printed) -> bool:
    return any(
        x.type.dtype in (np.float32, np.complex64)
        for piece in p.pieces
        for x in (*piece.what.inputs, *piece.what.outputs)
    )


def kinds_of(what: Sequence[str] | str | None, result: Any) -> tuple[str, ...]:
    """The kinds that are asked for; by itself the value and its derivative."""
    if what is None:
        scalar = len(result) == 1 and result[0].type.shape == ()
        return ("value", "gradient" if scalar else "jacobian")
    kinds = tuple(dict.fromkeys((what,) if isinstance(what, str) else what))
    unknown = [k for k in kinds if k not in KINDS]
    if unknown or not kinds:
        raise InputError(
            f"what={what!r} asks for {unknown or 'nothing'}",
            f"choose among {', '.join(KINDS)}",
            source.here(),
        )
    return kinds


def _piece(e: Exported, dialect: Any, single: bool, prefix: str, strict: bool) -> Piece:
    try:
        function = lower(e.program) if strict else tidy(lower(e.program))
    except TypeError as error:
        raise CppError(f"{e.kind}: {error}", "", source.here()) from error
    refuse_callbacks(e, function, "C++")
    ports = dict(zip([*function.inputs, *function.outputs], [*e.inputs, *e.outputs], strict=True))
    names = {buffer: port.name for buffer, port in ports.items()}
    alone = [b for b in function.inputs if by_value(ports[b])]
    try:
        return Piece(e, Body(function, names, dialect, single, _STACK, prefix, alone))
    except Unprintable as error:
        raise _without(e, dialect, error) from None


def refuse_callbacks(e: Exported, function: Function, language: str) -> None:
    """Raise if the function would call Python."""
    for c in function.callbacks:
        own = c.prim.name.startswith("cpp")
        what = f"{c.prim.name} is your own C++, which is not taken along" if own else ""
        way = "call it in your program, between two exports" if own else _WAY
        raise CppError(
            f"{e.kind}: {what or f'{c.prim.name} has no {language}'}",
            way,
            str(c.line) if c.line else source.here(),
        )


def _without(e: Exported, dialect: Any, error: Unprintable) -> CppError:
    """Which equation is it that has no C++?"""
    place = next(_guilty(e.program, dialect), None)
    where = str(place) if place else source.here()
    if str(error) == GROWS:
        return Growing(
            f"{e.kind}: the way back through a loop whose length is not known needs {GROWS}, "
            "and exported code allocates nothing",
            "use wg.fori_loop or wg.scan, or ask for the jvp",
            where,
        )
    known = str(error).removeprefix("special_")
    why = " (the standard library has no such function)" if known != str(error) else ""
    return CppError(
        f"{e.kind}: {known} has no C++{why}",
        _WAY,
        where,
    )


def _guilty(program: Program, dialect: Any) -> Iterator[Any]:
    """Lines of equations that cannot be printed when they stand alone."""
    for eqn in program.eqns:
        inputs = list(dict.fromkeys(a for a in eqn.inputs if not hasattr(a, "value")))
        alone = Program(inputs, [eqn], eqn.outputs, program.sources)
        try:
            Body(lower(alone), {}, dialect, False, _STACK, "")
        except Unprintable:
            yield program.line(eqn)
        except Exception:  # it cannot stand alone
            continue


def _files(p: Printed, examples: Sequence[Example]) -> dict[str, str]:
    check = self_check(p, examples)
    if p.cpp:
        return {f"{p.name}.hpp": p.cpp_header(check, overloads(p))}
    return {f"{p.name}.h": p.c_header(), f"{p.name}.c": p.c_file(check)}
