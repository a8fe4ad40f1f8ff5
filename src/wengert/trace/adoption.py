"""A plain array becomes a buffer when the first traced value is written into it.

`b = x0.copy(); b[0] = x[0]` inside of a traced function: b is an array of NumPy's, which cannot hold x[0].
If nothing but the local variables of the user's running functions holds it, those variables are
given an idle buffer with its numbers instead, and nobody can tell. If somebody else holds it too (an
attribute, a list, a view, the caller of the derivative), he would miss the write: that is refused.

NumPy is in the middle of the write when it asks the traced value for numbers. It is given the
*positions* of its elements; when the instruction is over, where they lie in the array says what
went where, whatever the index was.
"""

from __future__ import annotations

import ctypes
import dis
import sys
import threading
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import source
from wengert.trace.idle import idle
from wengert.trace.trace import checks, innermost, run
from wengert.trace.tracer import Tracer, plain_write, rescues

_STORES = {"STORE_SUBSCR": 1, "STORE_SLICE": 2}  # and how many values say where
_LOADS = ("LOAD_FAST", "LOAD_DEREF", "LOAD_NAME", "LOAD_CLASSDEREF")
_KEEPS_OVERWRITTEN = sys.version_info >= (
    3,
    14,
)  # a frame holds locals that were replaced from outside
_pending = threading.local()


# ---- who is written --------------------------------------------------------------------------------


@lru_cache(2048)
def _container(code: CodeType, lasti: int) -> tuple[str, int] | None:
    """The variable whose element the instruction at `lasti` assigns, and the next instruction's offset."""
    steps = list(dis.get_instructions(code))
    at = next((n for n, i in enumerate(steps) if i.offset == lasti), None)
    if at is None or steps[at].opname not in _STORES or at + 1 == len(steps):
        return None
    keys = _STORES[steps[at].opname]
    end = at
    if steps[at - 1].opname == "SWAP":  # b[i] += v: the place was read before
        while steps[end - 1].opname == "SWAP":
            end -= 1
        read, _ = _before(steps, end - 1, 1) if steps[end - 1].opname == "BINARY_OP" else (None, 0)
        if read is None or not _reads_a_place(steps[read]):
            return None
        end = read
        while steps[end - 1].opname == "COPY":
            end -= 1
    where, of_two = _before(steps, end, keys)
    if where is None or not steps[where].opname.startswith((*_LOADS, "STORE_FAST_LOAD_FAST")):
        return None
    name = steps[where].argval
    if isinstance(name, tuple):  # two in one: the container is the second, if the key is apart
        name = name[0 if of_two else 1]
    return (name, steps[at + 1].offset) if isinstance(name, str) else None


def _reads_a_place(step: dis.Instruction) -> bool:
    return step.opname.startswith("BINARY_S") or step.argrepr == "[]"  # (BINARY_OP since 3.14)


@lru_cache(2048)
def _augmented(code: CodeType, lasti: int) -> int | None:
    """Where `b[i] += v` stores, of which the instruction at `lasti` is the addition; None if it is none."""
    steps = list(dis.get_instructions(code))
    at = next((n for n, i in enumerate(steps) if i.offset == lasti), len(steps))
    while at + 1 < len(steps) and steps[at + 1].opname == "SWAP":
        at += 1
    if at + 1 < len(steps) and steps[at].opname == "SWAP" and steps[at + 1].opname in _STORES:
        return steps[at + 1].offset
    return None


def _before(steps: list[dis.Instruction], end: int, count: int) -> tuple[int | None, bool]:
    """The instruction that pushes what lies below the `count` values on top of the stack at `end`.

    Since 3.13 it may be one that pushes the first of these, too; whether it does.
    """
    while count > 0:
        end -= 1
        step = steps[end]
        if end < 0 or step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            return None, False
        count -= dis.stack_effect(step.opcode, step.arg, jump=False)
    if count == -1 and steps[end].opname.count("LOAD_FAST") == 2:
        return end, True
    return (end - 1 if count == 0 and end > 0 else None), False


def _users_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and source.is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _users_frames(frame: FrameType | None) -> list[FrameType]:
    """The user's running functions, from `frame` out to where the trace began."""
    found = []
    while frame is not None and frame.f_code is not run.__code__:
        if not source.is_internal(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found


def _replace(frame: FrameType, old: Any, new: Any) -> int:
    """Let the variables of a frame that hold `old` hold `new`; how many there were."""
    held, code = frame.f_locals, frame.f_code
    if not code.co_flags & 1:  # a module, a class: its variables are a dictionary
        mine = [name for name, v in held.items() if v is old]
    else:
        mine = [name for name in (*code.co_varnames, *code.co_cellvars) if held.get(name) is old]
    for name in dict.fromkeys(mine):
        held[name] = new
    if mine and code.co_flags & 1 and sys.version_info < (3, 13):
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return len(mine)


# ---- the write -------------------------------------------------------------------------------------


def _fits(b: Any) -> bool:
    if type(b) is not np.ndarray or b.dtype.kind not in "fc" or not b.flags.writeable:
        return False
    return b.flags.owndata or (type(b.base) is np.ndarray and b.base.flags.owndata)


def _handle(numbers: Any, value: Tracer) -> Any:
    """A buffer with these numbers, in the trace that runs here or on the tape of `value`."""
    if innermost() is not None:
        return idle(numbers)
    builder = value.builder
    return builder.handle(builder.capture(numbers), numbers)


class _Write:
    """One write that is under way: called by Python when its instruction is over."""

    def __init__(self, b: Any, frame: FrameType, value: Tracer, after: int) -> None:
        self.b, self.frame, self.value, self.after = b, frame, value, after
        self.lasti = frame.f_lasti
        self.before = sys.gettrace(), frame.f_trace, frame.f_trace_opcodes
        self.place = source.caller()
        frame.f_trace, frame.f_trace_opcodes = self, True
        _pending.write = self
        sys.settrace(self)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame is not self.frame:
            return None
        if event in ("line", "opcode") and frame.f_lasti == self.lasti:
            return self
        self.end()
        if event in ("line", "opcode"):
            self.settle(frame.f_lasti == self.after)
        else:
            self.undo()  # (an error or a jump: NumPy has refused the write)
        others = self.before[1]  # a debugger, who is told too
        return others(frame, event, arg) if others is not None and event != "opcode" else others

    def end(self) -> None:
        """Python's tracing is as it was."""
        _pending.write = None
        sys.settrace(self.before[0])
        self.frame.f_trace, self.frame.f_trace_opcodes = self.before[1:]

    def settle(self, expected: bool) -> None:
        """Put the written elements into the buffer, and that in the place of the array."""
        raise NotImplementedError

    def undo(self) -> None:
        """NumPy has not written."""

    def refused(self, reason: str) -> ConcretizationError:
        """The error, at the line of the write."""
        line = source.resolve(self.place)
        return plain_write(self.value, None if line is None else str(line), reason)

    def take_over(self, handle: Any) -> None:
        """The user's variables hold the buffer; refuse if anybody else holds the array."""
        frames = _users_frames(self.frame)
        count = sum(_replace(frame, self.b, handle) for frame in frames)
        for frame in frames:
            frame.f_locals  # noqa: B018  (the snapshot is taken again)
        del frames
        least = 2 + (count if _KEEPS_OVERWRITTEN else 0)
        shared = (
            self.b.base is not None and sys.getrefcount(self.b.base) > 2
        )  # (np.tile gives a view)
        if sys.getrefcount(self.b) > least or shared or not count:
            raise self.refused("somebody else holds it too")


class _Stored(_Write):
    """`b[…] = v`: b holds the positions of the elements of v, where they were written."""

    def __init__(self, b: Any, frame: FrameType, value: Tracer, after: int) -> None:
        self.numbers = b.copy("K")
        b[...] = -1
        super().__init__(b, frame, value, after)

    def undo(self) -> None:
        self.b[...] = self.numbers

    def settle(self, expected: bool) -> None:
        positions = np.array(self.b.real).ravel()
        self.undo()
        places = np.flatnonzero(positions >= 0)
        elements = positions[places].astype(np.intp)
        handle = _handle(self.numbers, self.value)
        shape = self.b.shape
        if not expected:
            raise self.refused("the write could not be followed")
        self.take_over(handle)
        value: Any = self.value
        if len(places) == len(positions) == value.size and (np.diff(elements) == 1).all():
            handle[...] = value.reshape(shape)
        elif len(places) == 1:
            at = tuple(int(i) for i in np.unravel_index(places[0], shape))
            handle[at] = value.reshape(-1)[int(elements[0])]
        elif len(places):
            handle[np.unravel_index(places, shape)] = value.reshape(-1)[elements]


class _Given(_Write):
    """A function of NumPy's writes into b (`np.add(b, x, out=b)`, `b += x`): the buffer is there already."""

    def __init__(self, b: Any, frame: FrameType, value: Tracer) -> None:
        self.handle = _handle(b.copy("K"), value)
        super().__init__(b, frame, value, -1)

    def settle(self, expected: bool) -> None:
        handle, self.handle = self.handle, None
        self.take_over(handle)


# ---- the ways in -----------------------------------------------------------------------------------


def stored(value: Tracer, asked: str) -> Any:
    """NumPy asks for the numbers of `value`, to write them into an array: positions, or None to refuse."""
    frame = _users_frame()
    found = _container(frame.f_code, frame.f_lasti) if frame is not None else None
    if frame is None or found is None or getattr(_pending, "write", None) is not None:
        return None
    b: Any = frame.f_locals.get(found[0])
    if not _fits(b) or value.size > 2 ** np.finfo(b.dtype).nmant:
        return None
    del b
    _Stored(frame.f_locals[found[0]], frame, value, found[1])
    return np.arange(value.size, dtype=float).reshape(value.shape)


def given(b: Any, value: Any) -> Any:
    """A buffer in the place of the plain array `b`, which a function writes now; None if that cannot be."""
    frame = _users_frame()
    busy = getattr(_pending, "write", None) is not None
    if frame is None or busy or not isinstance(value, Tracer) or type(b) is not np.ndarray:
        return None
    store = _augmented(frame.f_code, frame.f_lasti)
    if store is not None:  # b[i] += v: b[i] is a part of b of its own, which is stored in b next
        found = _container(frame.f_code, store)
        fits = found is not None and _fits(frame.f_locals.get(found[0]))
        return _handle(b.copy("K"), value) if fits else None
    if not _fits(b) or not any(_holds(f, b) for f in _users_frames(frame)):
        return None
    return _Given(b, frame, value).handle


def _holds(frame: FrameType, b: Any) -> bool:
    return any(v is b for v in frame.f_locals.values())


def unfinished() -> None:
    """A trace ends: a write that was never followed to its end is an error, not a number."""
    write = getattr(_pending, "write", None)
    if write is not None:
        write.end()
        write.undo()
        raise write.refused("the write could not be followed")


rescues.append(stored)
checks.append(unfinished)
