"""`export_shared`: a shared library straight from LLVM, with a header of C.

LLVM makes an object file of each function; a small file of C gives them plain signatures, and the
system's C compiler links both. The library needs nothing of Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from wengert.backends import specials
from wengert.backends.code import DTYPES, SPECIAL, Function
from wengert.backends.cpp_routines import ROUTINES, SPECIALS
from wengert.backends.cpp_uses import items
from wengert.backends.cpp_words import C99, helper, number, wrapped
from wengert.backends.llvm import Printer
from wengert.backends.lowering import lower
from wengert.backends.objects import Place, object_code, place
from wengert.backends.vecmath import elsewhere
from wengert.cpp.checks import Example, self_check
from wengert.cpp.export import CppExport, kinds_of, narrowed, refuse_callbacks
from wengert.cpp.header import Piece, Printed, by_value
from wengert.cpp.kinds import Exported, exported, question, results
from wengert.cpp.naming import identifier
from wengert.errors import CppError
from wengert.ir import source

_LOCAL = 4096  # bytes of workspace that a function takes from its own stack
_ALIGNED = 64
_PORTABLE = 2  # doubles per vector where the processor is not known


class SharedExport(CppExport):
    """A shared library that was written: `library` and `header_file` are its paths."""

    def __init__(
        self, name: str, files: dict[str, str], functions: tuple[str, ...], library: Path, header: Path
    ) -> None:  # fmt: skip
        super().__init__(name, files, functions)
        self.library, self.header_file = library, header

    def __repr__(self) -> str:
        return f"<SharedExport {self.library}: {', '.join(self.functions)}>"


class _Kernel:
    """The machine code of a piece, where a header looks for its body."""

    def __init__(self, function: Function, text: str) -> None:
        self.function, self.text = function, text
        self.helpers: set[str] = set()
        needed = function.work_bytes(function.extents)
        self.work_bytes = 0 if needed <= _LOCAL else needed + _ALIGNED


def export_shared(
    fun: Callable[..., Any], *example_args: Any, what: Sequence[str] | str | None = None, name: str | None = None,
    argnums: int | Sequence[int] | None = None, dtype: Any = None, directory: str | os.PathLike[str] = ".",
    triple: str | None = None, cpu: str | None = None, features: str | None = None, linker: str | None = None,
) -> SharedExport:  # fmt: skip
    """A function and its derivatives as a shared library, straight from LLVM, with its header of C.

    Arguments up to `dtype` are those of `export_cpp`. `directory` gets `lib<name>.so` (`.dylib`, `.dll`) and
    `<name>.h`, whose functions are `<name>_value(...)` and so on: raw pointers in C order, numbers by
    value, a workspace (or NULL where its size is 0), result 0, the number of what stopped it, or -1 where
    memory ran out. It is machine code for this processor, with its vectors; `triple` makes it for
    another machine ("aarch64-linux-gnu"), `cpu` and `features` are LLVM's names there. `linker` is the C
    compiler that links (by itself $CC, cc, gcc, clang, or `<triple>-gcc`).

    Raises CppError where there is no linker, no such target, or an operation would call Python.
    """
    where = place(triple, cpu, features)
    compiler = _linker(linker, triple)
    single = narrowed(dtype)
    q, values = question(fun, example_args, argnums, single)
    result = results(q)
    title = identifier(name or getattr(fun, "__name__", "f").strip("<>"))
    pieces = [_piece(exported(kind, q, result), title, where) for kind in kinds_of(what, result)]
    version = import_module("wengert").__version__  # the roof, which a room does not import
    p = Printed(title, pieces, C99, False, version, fun)
    examples = [Example(piece, values) for piece in pieces]
    header, shim = p.c_header(), "\n".join(_shim(p, examples)) + "\n"
    out = Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    library, header_file = out / _library_name(title, where), out / f"{title}.h"
    header_file.write_text(header, encoding="utf-8")
    _link(compiler, library, shim, pieces, where, out)
    functions = tuple(p.function(x) for x in pieces)
    return SharedExport(title, {f"{title}.h": header}, functions, library, header_file)


def _linker(chosen: str | None, triple: str | None) -> str:
    own = [os.environ.get("CC"), "cc", "gcc", "clang"] if triple is None else [f"{triple}-gcc"]
    for name in (chosen,) if chosen else own:
        path = shutil.which(name) if name else None
        if path is not None:
            return path
    wanted = chosen or (f"{triple}-gcc" if triple else "cc, gcc or clang")
    raise CppError(
        f"a shared library is linked by a C compiler, and there is no {wanted}",
        "install one (Debian, Ubuntu: apt-get install gcc), or name it with linker=...; "
        "wg.export_cpp needs none",
        source.here(),
    )


def _library_name(title: str, where: Place) -> str:
    if "windows" in where.triple or "mingw" in where.triple:
        return f"{title}.dll"
    return f"lib{title}.{'dylib' if 'darwin' in where.triple or 'macos' in where.triple else 'so'}"


def _piece(e: Exported, title: str, where: Place) -> Piece:
    try:
        function = lower(e.program, f"{title}_{e.kind}_kernel")
    except TypeError as error:
        raise CppError(f"{e.kind}: {error}", "", source.here()) from error
    refuse_callbacks(e, function, "machine code")
    token = elsewhere.set(not where.here)
    try:
        text = Printer(function, None if where.here else _PORTABLE).text()
    finally:
        elsewhere.reset(token)
    return Piece(e, _Kernel(function, text))  # type: ignore[arg-type]


# ---- the file of C ---------------------------------------------------------------------------------------


def _shim(p: Printed, examples: Sequence[Example]) -> Iterator[str]:
    """Plain signatures around the kernels, and what LLVM's code calls from elsewhere."""
    yield from (f'#include "{p.name}.h"', "", "#include <math.h>", "#include <string.h>")
    yield from _HIDDEN  # (names like dgemm are for the kernels alone)
    if any("@wg_parallel" in x.body.text for x in p.pieces):  # type: ignore[attr-defined]
        yield from _IN_TURN
    yield from _routines(p)
    for piece in p.pieces:
        yield from _entry(p, piece)
    yield from self_check(p, examples)


_HIDDEN = """
#if defined(__GNUC__) && !defined(_WIN32)
#define WENGERT_HIDDEN __attribute__((visibility("hidden")))
#else
#define WENGERT_HIDDEN
#endif""".splitlines()
# chunks of a large loop, one after the other: the bits are those of many threads
_IN_TURN = """
WENGERT_HIDDEN int32_t wg_parallel(int32_t (*body)(void*, int64_t), void* env, int64_t chunks);
int32_t wg_parallel(int32_t (*body)(void*, int64_t), void* env, int64_t chunks) {
    int32_t status = 0;
    for (int64_t k = 0; k < chunks && status == 0; ++k) status = body(env, k);
    return status;
}""".splitlines()


def _entry(p: Printed, piece: Piece) -> Iterator[str]:
    f, what = piece.body.function, piece.what
    yield ""
    yield f"WENGERT_HIDDEN int {f.name}(const void* const*, void* const*, const int64_t*, void*);"
    yield f"{p.signature(piece, False)} {{"
    for b in f.constants:
        assert b.array is not None
        flat = b.array.reshape(-1)
        flat = flat.view(DTYPES[b.type]) if flat.dtype.kind == "c" else flat
        texts = [
            number(float(x), b.type, C99) if b.type[0] == "f" else _integer(b.type, x) for x in flat
        ]
        yield f"    static const {C99.types[b.type]} {b.name}_[{max(1, len(texts))}] = {{"
        yield from wrapped(texts or ["0"], "        ")
        yield "    };"
    ins = [f"&{x.name}" if by_value(x) else x.name for x in what.inputs]
    ins += [f"{b.name}_" for b in f.constants]
    yield f"    const void* const ins_[] = {{{', '.join([*ins, '0'])}}};"
    yield f"    void* const outs_[] = {{{', '.join([*(x.name for x in what.outputs), '0'])}}};"
    yield f"    static const int64_t extents_[] = {{{', '.join(map(str, [*f.extents, 0]))}}};"
    room = "work"
    if not piece.body.work_bytes:
        yield f"    unsigned char room_[{f.work_bytes(f.extents) + _ALIGNED}];"
        yield "    (void)work;"
        room = "room_"
    yield f"    unsigned char* place_ = (unsigned char*){room};"
    yield f"    place_ += ({_ALIGNED} - (uintptr_t)place_ % {_ALIGNED}) % {_ALIGNED};"
    yield f"    return {f.name}(ins_, outs_, extents_, place_);"
    yield "}"


def _integer(type: str, x: Any) -> str:
    text = "INT64_MIN" if int(x) == -(2**63) else f"{int(x)}{'u' if type[0] == 'u' else ''}"
    return f"({C99.types[type]}){text}" if abs(int(x)) < 2**31 else f"INT64_C({text})"


def _routines(p: Printed) -> Iterator[str]:
    """What the kernels call of BLAS, LAPACK and SciPy, by the names that they use."""
    called: set[str] = set()
    functions: set[str] = set()
    for piece in p.pieces:
        for item in items(piece.body.function.body):
            name = getattr(item, "name", None)
            if name is not None:
                called.add(name)
            elif getattr(item, "op", "").startswith(SPECIAL):
                functions.add(item.op)
    wanted: list[str] = []
    for name in sorted(called):
        if name[1:] not in ROUTINES or name[0] not in "ds":
            raise _missing(p, name)
        type = "f64" if name[0] == "d" else "f32"
        wanted += [f"{r}_{type}" for r in (*ROUTINES[name[1:]].needs, name[1:])]
    for op in sorted(functions):
        own = op.removeprefix(SPECIAL)
        if own in ROUTINES:
            wanted.append(f"{own}_f64")
        elif op not in SPECIALS:
            raise _missing(p, own)
    for name in dict.fromkeys(wanted):
        yield ""
        yield from helper(name, C99, "wengert_")
    for name in sorted(called):
        yield from _fortran(name)
    for op in sorted(functions):
        yield from _special(op)


def _missing(p: Printed, name: str) -> CppError:
    return CppError(
        f"{name} is a function of SciPy's, which is not there where a library runs alone",
        "write it in operations that have loops of their own, or export the function up to it",
        p.origin(),
    )


# how Fortran's arguments are: c a letter, i an integer, r a number, a an array, p an array of integers
_FORTRAN = {"gemm": "cciiiraiairai", "gesv": "iiaipaip", "getrf": "iiaipp", "trtrs": "ccciiaiaip", "potrf": "ciaip"}  # fmt: skip


def _fortran(name: str) -> Iterator[str]:
    """A routine as LLVM's code calls it: with pointers to everything."""
    real, type = ("double", "f64") if name[0] == "d" else ("float", "f32")
    kinds = _FORTRAN[name[1:]]
    words = {"c": "const char*", "i": "const int32_t*", "r": f"const {real}*", "a": f"{real}*", "p": "int32_t*"}  # fmt: skip
    takes = ", ".join(f"{words[k]} x{n}" for n, k in enumerate(kinds))
    gives = ", ".join(f"{'*' if k in 'cir' else ''}x{n}" for n, k in enumerate(kinds))
    yield ""
    yield f"WENGERT_HIDDEN void {name}({takes});"
    yield f"void {name}({takes}) {{ wengert_{name[1:]}_{type}({gives}); }}"


def _special(op: str) -> Iterator[str]:
    """A function of SciPy's as LLVM's code calls it."""
    found = specials.routine(op)
    assert found is not None
    own = op.removeprefix(SPECIAL)
    inner = SPECIALS.get(op) or f"wengert_{own}_f64"
    numbers = [f"x{n}" for n in range(len(found.takes))]
    takes = [f"double {x}" for x in numbers] + [
        f"int skip{n}" for n in range(found.tail.count("i32"))
    ]
    skips = "".join(f"(void)skip{n}; " for n in range(found.tail.count("i32")))
    yield ""
    yield f"WENGERT_HIDDEN double {found.symbol}({', '.join(takes)});"
    yield f"double {found.symbol}({', '.join(takes)}) {{ {skips}return {inner}({', '.join(numbers)}); }}"


# ---- linking -----------------------------------------------------------------------------------------------


def _link(
    compiler: str, library: Path, shim: str, pieces: Sequence[Piece], where: Place, header: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix="wengert-") as name:
        room = Path(name)
        (room / "shim.c").write_text(shim, encoding="utf-8")
        objects = []
        for k, piece in enumerate(pieces):
            kernel: Any = piece.body
            made = room / f"kernel{k}.o"
            made.write_bytes(object_code(kernel.text, where))
            objects.append(str(made))
        vectors = any("@_ZGV" in x.body.text for x in pieces)  # type: ignore[attr-defined]
        command = [
            compiler, "-std=c99", "-O2", "-fPIC", "-ffp-contract=off", "-shared", f"-I{header}",
            str(room / "shim.c"), *objects, "-o", str(room / library.name),
            *(["-lmvec"] if vectors else []), *([] if sys.platform == "win32" else ["-lm"]),
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode != 0:
            lines = [x for x in done.stderr.splitlines() if "error" in x or "undefined" in x]
            said = "\n".join((lines or done.stderr.splitlines())[:3])
            raise CppError(
                f"{Path(compiler).name} could not link the library: {said}",
                "name another C compiler with linker=...",
                source.here(),
            )
        shutil.copyfile(room / library.name, library.with_name(f".{library.name}.new"))
        os.replace(library.with_name(f".{library.name}.new"), library)
