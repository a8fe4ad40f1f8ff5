"""Compile a program and call it, the plain way: for tests, and until something quicker is asked for."""

from __future__ import annotations

import builtins
import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends import machine
from wengert.backends.code import Function
from wengert.backends.extents import run_time_extents
from wengert.backends.llvm import module
from wengert.backends.lowering import lower
from wengert.ir.program import Program

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)


class Compiled:
    """A program as machine code: `compiled(*arrays)` gives the list of its results."""

    def __init__(self, program: Program, function: Function | None = None) -> None:
        self.program = program
        self.function = lower(program) if function is None else function
        self.text = f'target triple = "{machine.machine().triple}"\n{module(self.function)[0]}'
        self.error: BaseException | None = None
        self.arrays: Sequence[Any] = ()
        self.thunk = _CALLBACK(self._call_back)
        where = ctypes.cast(self.thunk, ctypes.c_void_p).value or 0
        self.loaded = machine.load(self.text, self.function.name, {"wg_callback": where})
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, *(ctypes.c_void_p,) * 4)
        self.entry = kind(self.loaded.address)

    def __call__(self, *args: Any) -> list[Any]:
        f, types = self.function, self.program.in_types
        ins = [np.ascontiguousarray(a, t.dtype) for a, t in zip(args, types, strict=True)]
        ins = [a if a.flags.aligned else a.copy() for a in ins]
        outs = [np.empty(t.shape, t.dtype) for t in self.program.out_types]
        constants = [b.array for b in f.constants]
        extents = np.array([*run_time_extents(self.program), 0], np.int64)
        work = np.empty(f.work_bytes(extents.tolist()) + 64, np.uint8)
        start = work.ctypes.data + (-work.ctypes.data) % 64
        pointers = np.array([*(a.ctypes.data for a in (*ins, *constants)), 0], np.uintp)  # type: ignore[union-attr]
        places = np.array([*(a.ctypes.data for a in outs), 0], np.uintp)
        status = self.entry(pointers.ctypes.data, places.ctypes.data, extents.ctypes.data, start)
        if status:
            if self.error is not None:
                error, self.error = self.error, None
                raise error
            if status < 0:
                raise MemoryError("a loop left more behind than memory holds")
            problem = f.problems[status - 1]
            kind = getattr(np.linalg, problem.kind, None) or getattr(builtins, problem.kind)
            raise kind(problem.text)
        return outs

    def _call_back(self, context: Any, number: int, arrays: int) -> int:
        c = self.function.callbacks[number]
        try:
            count = len(c.in_types) + len(c.out_types)
            places = (ctypes.c_void_p * count).from_address(arrays)
            views = [
                _view(int(p or 0), t)
                for p, t in zip(places, (*c.in_types, *c.out_types), strict=True)
            ]
            ins = [v if v.ndim else v[()] for v in views[: len(c.in_types)]]
            with np.errstate(all="ignore"):
                found = c.prim.eval(*ins, **c.params)
            found = found if c.prim.multiple else (found,)
            for view, y in zip(views[len(c.in_types) :], found, strict=True):
                view[...] = y
        except BaseException as error:
            self.error = error
            return 1
        return 0


def _view(place: int, t: Any) -> np.ndarray[Any, Any]:
    if t.size == 0:
        return np.empty(t.shape, t.dtype)
    raw = (ctypes.c_char * (t.size * t.dtype.itemsize)).from_address(place)
    return np.frombuffer(raw, t.dtype).reshape(t.shape)


def compile(program: Program) -> Compiled:
    """A program as machine code."""
    return Compiled(program)
