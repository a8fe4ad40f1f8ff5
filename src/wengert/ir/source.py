"""Where an equation comes from: the user's line, recorded cheaply, resolved late.

While tracing, a source is `(code, f_lasti)`: a tenth of a microsecond, and no frame is kept.
`resolve` turns it into file, line, columns and text when somebody asks.
"""

from __future__ import annotations

import abc
import contextlib
import dis
import linecache
import os
import sys
import time
import warnings
from contextvars import ContextVar
from itertools import islice
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np


class Line(NamedTuple):
    """A resolved place in the user's text."""

    file: str
    line: int
    function: str
    column: int = 0
    end_column: int = 0
    turns: tuple[
        int, ...
    ] = ()  # of the loops around it, the innermost first, where these were written out

    @property
    def text(self) -> str:
        """The source line itself, stripped; empty where the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


Source = tuple[CodeType, int] | Line | None

# Set while a program is inlined: the index of the primal equation (derived programs), or the
# source itself. Recording asks here before it walks the stack.
current: ContextVar[int | Source] = ContextVar("wengert_source", default=None)

loaded = time.time()  # when this process began to read wengert's files
_here = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# (a context manager as a decorator calls what it wraps from its own file)
_quiet = [_here, os.path.dirname(os.path.abspath(np.__file__)) + os.sep, contextlib.__file__]
internal: dict[str, bool] = {}
_TESTING = f"{os.sep}numpy{os.sep}testing{os.sep}"
_ASKS_FOR_OTHERS = {abc.ABCMeta.__instancecheck__.__code__.co_filename}  # isinstance(x, Number)


def is_internal(file: str) -> bool:
    """Is this file one of wengert's, NumPy's or SciPy's (so not the user's)?"""
    known = internal.get(file)
    if known is None:
        known = (
            file.startswith(
                (*_quiet, "numpy/", "scipy/", "<wengert")
            )  # compiled code names its files like that
            or f"{os.sep}site-packages{os.sep}scipy{os.sep}" in file
        )
        internal[file] = known
    return known


def looks_on() -> bool:
    """Does code of ours, or NumPy's or SciPy's own, ask for the class of a value (`isinstance`) now?"""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename in _ASKS_FOR_OTHERS:
        frame = frame.f_back
    return frame is None or (
        is_internal(frame.f_code.co_filename) and _TESTING not in frame.f_code.co_filename
    )


def caller() -> Source:
    """The innermost frame that belongs to the user, as `(code, f_lasti)`."""
    frame = sys._getframe(2)
    while True:
        code = frame.f_code
        if not (
            internal[code.co_filename]
            if code.co_filename in internal
            else is_internal(code.co_filename)
        ):
            return code, frame.f_lasti
        if frame.f_back is None:
            return None
        frame = frame.f_back


def names() -> dict[str, Any]:
    """The global names of the user's code that is running now."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return {} if frame is None else frame.f_globals


def resolve(source: Source) -> Line | None:
    """File, line and columns of a recorded source."""
    if source is None or isinstance(source, Line):
        return source
    code, lasti = source
    line, _, column, end = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    return Line(code.co_filename, line or code.co_firstlineno, code.co_name, column or 0, end or 0)


def here() -> str | None:
    """`file:line` of the user's code that is running now, for error messages."""
    line = resolve(caller())
    return None if line is None else str(line)


def warn(text: str, category: type[Warning], source: Source) -> None:
    """A warning at the user's line, where Python's filters look for it."""
    line = resolve(source)
    if line is None:
        warnings.warn(text, category, stacklevel=3)
    else:
        warnings.warn_explicit(text, category, line.file, line.line)


def is_assigning() -> bool:
    """Is the user's line, as it runs now, an assignment to an element or a slice?"""
    found = caller()
    return (
        isinstance(found, tuple)
        and not isinstance(found, Line)
        and (dis.opname[found[0].co_code[found[1]]] in ("STORE_SUBSCR", "STORE_SLICE"))
    )


def is_operator() -> bool:
    """Is the user's code, as it runs now, at an operator like `A @ b`?"""
    found = caller()
    if not isinstance(found, tuple) or isinstance(found, Line):
        return False
    code, lasti = found
    reads = code.co_code[lasti + 1] >= 26  # since 3.14 `a[i]` is such an operation too
    return dis.opname[code.co_code[lasti]] == "BINARY_OP" and not reads


def is_testing() -> bool:
    """Is it a function of `numpy.testing` that asks? It compares and gives nothing back."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_internal(frame.f_code.co_filename):
        if _TESTING in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


_spellings: dict[tuple[CodeType, int], str] = {}


def called() -> str:
    """How the user's code spells the call that it is making: "rng.normal"; "" if it makes none."""
    found = caller()
    return "" if found is None or isinstance(found, Line) else spelled(*found)


def spelled(code: CodeType, lasti: int) -> str:
    """The name before the brackets of the call at an instruction: "np.zeros"; "" if it is none."""
    found = _spellings.get((code, lasti))
    if found is None:
        if len(_spellings) > 10_000:
            _spellings.clear()
        found = _spellings[code, lasti] = _spell(code, lasti)
    return found


def _spell(code: CodeType, lasti: int) -> str:
    instructions = list(dis.get_instructions(code))
    here = max(n for n, i in enumerate(instructions) if i.offset <= lasti)  # (it may be a cache)
    place = instructions[here].positions
    if not instructions[here].opname.startswith(("CALL", "PRECALL")) or place is None:
        return ""
    begin = place.lineno, place.col_offset
    words: list[str] = []
    for i in reversed(instructions[:here]):
        if i.positions is None or (i.positions.lineno, i.positions.col_offset) != begin:
            continue
        if i.opname in ("PRECALL", "PUSH_NULL", "KW_NAMES", "LOAD_CONST"):
            continue
        if not i.opname.startswith("LOAD_") or not isinstance(i.argval, str):
            words.extend(["(…)"] * bool(words))  # a method of what another call returned
            break
        words.append(i.argval)
        if not i.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")):
            break
    return ".".join(reversed(words))


def without_tail(error: BaseException) -> BaseException:
    """Cut frames below the user's last own frame from a traceback: they tell her nothing."""
    last: TracebackType | None = None
    step = error.__traceback__
    while step is not None:
        if not is_internal(step.tb_frame.f_code.co_filename):
            last = step
        step = step.tb_next
    if last is not None:
        last.tb_next = None
    return error
