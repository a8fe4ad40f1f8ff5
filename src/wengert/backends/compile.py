"""Compile a program and call it, the plain way: for tests, and until something quicker is asked for."""

from __future__ import annotations

import builtins
import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.backends import vecmath
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
        self.text, externals = module(self.function)
        self.error: BaseException | None = None
        self.arrays: Sequence[Any] = ()
        self.thunk = _CALLBACK(self._call_back)
        self.library, address = machine(self.text, externals, self.function.name, self.thunk)
        self.entry = ctypes.CFUNCTYPE(ctypes.c_int32, *(ctypes.c_void_p,) * 4)(address)

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


def machine(text: str, externals: set[str], name: str, thunk: Any) -> tuple[Any, int]:
    """Machine code of a module's text; the address of its function."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
    )
    module = llvm.parse_assembly(f'target triple = "{llvm.get_process_triple()}"\n{text}')
    module.verify()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_simplify_cfg_pass()
    passes.add_instruction_combine_pass()
    passes.add_new_gvn_pass()
    passes.run(module, builder)
    jit = llvm.create_lljit_compiler(target)
    library = (
        llvm.JITLibraryBuilder().add_object_img(target.emit_object(module)).export_symbol(name)
    )
    libm = ctypes.CDLL(None)
    for symbol in externals:
        if symbol == "wg_callback":
            where = ctypes.cast(thunk, ctypes.c_void_p).value
        elif symbol.startswith("_ZGV"):
            where = vecmath.address(symbol)
        else:
            where = ctypes.cast(getattr(libm, symbol), ctypes.c_void_p).value
        library.import_symbol(symbol, where)
    tracker = library.link(jit, name)
    return (jit, tracker, target), tracker[name]


def compile(program: Program) -> Compiled:
    """A program as machine code."""
    return Compiled(program)
