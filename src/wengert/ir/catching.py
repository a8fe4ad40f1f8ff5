"""Errors that the user's code catches.

An error that only numbers can raise is never raised on types alone: a `try` around it would follow the way
on which nothing goes wrong. And a refusal of ours is none of plain numbers: who catches it goes another way than they do.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Collection
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from wengert.errors import WengertError
from wengert.ir import source

boundaries: set[CodeType] = set()  # the code that runs a traced function: outside of it nobody asks

FAILED = frozenset({"LinAlgError", "ValueError", "Exception", "BaseException"})  # of linear algebra
OUTSIDE = frozenset(
    {"ValueError", "ZeroDivisionError", "OverflowError", "ArithmeticError", "Exception", "BaseException"}
)  # of Python's numbers  # fmt: skip


def caught(errors: Collection[str]) -> bool:
    """Would one of these errors be caught between here and the begin of the trace?"""
    frame: FrameType | None = sys._getframe(1)
    found = False
    while frame is not None and frame.f_code not in boundaries:
        code = frame.f_code
        if not found and not source.is_internal(code.co_filename):
            found = bool(_catches(code, frame.f_lasti) & set(errors))
        frame = frame.f_back
    return found and frame is not None  # (else no function of the user's is traced)


def swallowed(error: WengertError) -> bool:
    """Has the user's code caught an error of ours, without asking for it by name?"""
    step = error.__traceback__  # (the frame that has caught it)
    if step is None or source.is_internal(step.tb_frame.f_code.co_filename):
        return False
    ours = {kind.__name__ for kind in type(error).__mro__ if issubclass(kind, WengertError)}
    return not _catches(step.tb_frame.f_code, step.tb_lasti) & ours


def lost(error: WengertError) -> bool:
    """Has somebody caught an error of ours without asking for it by name, the user's code or NumPy's?"""
    step = error.__traceback__
    inside = step is not None and source.is_internal(step.tb_frame.f_code.co_filename)
    return inside or swallowed(error)


@lru_cache(2048)
def _catches(code: CodeType, lasti: int) -> frozenset[str]:
    """The names of errors that are caught where an instruction raises them, `Exception` for all."""
    if not code.co_exceptiontable:
        return frozenset()
    table: list[Any] = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    steps = list(dis.get_instructions(code))
    at = {step.offset: n for n, step in enumerate(steps)}
    found: set[str] = set()
    offset: int | None = lasti
    seen: set[int] = set()
    while offset is not None and offset not in seen:
        seen.add(offset)
        target = next((e.target for e in table if e.start <= offset < e.end), None)
        if target is None:
            break
        names, offset = _handler(steps, at[target], at)
        found |= names
    return frozenset(found)


def _handler(
    steps: list[dis.Instruction], n: int, at: dict[int, int]
) -> tuple[set[str], int | None]:
    """The names that a handler compares an error with, and where it raises what is none of them."""
    found: set[str] = set()
    heard: set[str] = set()
    checked, end = False, n + 200
    while n < min(len(steps), end):
        step = steps[n]
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_FAST", "LOAD_DEREF"):
            heard.add(str(step.argval))
        elif step.opname == "CHECK_EXC_MATCH":
            found |= heard
            heard, checked = set(), True
            while not steps[n].opname.startswith("POP_JUMP"):
                n += 1
            n = at[steps[n].argval]
            continue
        elif step.opname == "RERAISE":
            return found, step.offset
        elif step.opname == "POP_EXCEPT" and not checked and steps[n - 1].opname != "COPY":
            return found | {"Exception"}, None  # (`except:`)
        n += 1
    return found, None
