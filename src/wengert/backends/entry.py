"""The quick call: a builtin per kernel and shape that takes Python's arguments apart in machine code.

`Entry` fills the table that `entry_ir` reads. Where an argument is not as expected (another shape or
dtype, a subclass, a view in another order, a traced value), the entry calls `otherwise` with the arguments.
Where Python's or NumPy's objects are not laid out as the code expects, `ready` says so, and everybody
takes the slow way: `call`, through ctypes.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from types import CellType
from typing import Any, NamedTuple

import numpy as np

from wengert.backends import entry_ir, machine, symbols
from wengert.backends.entry_table import Kind, Layout, Words
from wengert.backends.once import once

_NEW_FROM_DESCR, _SCALAR = 94, 60  # places in NumPy's table of C functions
_METH_FASTCALL = 0x0080


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("method", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class Slot(NamedTuple):
    """What an argument or a result is: an array of that shape and dtype, or a number."""

    kind: Kind
    dtype: np.dtype[Any]
    shape: tuple[int, ...] = ()


class Guard(NamedTuple):
    """An object that must be the one that a cell, or a dictionary under a key, holds; or nothing is."""

    holder: Any
    key: str | None  # None: the holder is a cell
    value: Any
    absent: bool = False

    def words(self) -> list[int]:
        """Holder, key (0: a cell), expected object (0: none)."""
        return [
            id(self.holder),
            0 if self.key is None else id(self.key),
            0 if self.absent else id(self.value),
        ]


@cache
def ready() -> bool:
    """Are objects laid out as the quick call expects?"""
    return machine.available() and _laid_out()


def _laid_out() -> bool:
    def word(x: Any, offset: int, kind: Any = ctypes.c_int64) -> Any:
        return kind.from_address(id(x) + offset).value

    array = np.zeros((2, 3), order="C")
    dtype = array.dtype
    number, capsule = 1234.5, _capsule(0x1234560)
    try:
        return bool(
            word(array, Layout.TYPE) == id(np.ndarray)
            and word(array, Layout.DATA) == array.ctypes.data
            and word(array, Layout.NDIM, ctypes.c_int32) == 2
            and [
                ctypes.c_int64.from_address(word(array, Layout.EXTENTS) + 8 * k).value
                for k in (0, 1)
            ]
            == [2, 3]
            and word(array, Layout.DTYPE) == id(dtype)
            and word(array, Layout.FLAGS, ctypes.c_int32) & 0x501 == 0x501
            and not word(array.T, Layout.FLAGS, ctypes.c_int32) & 1
            and word(dtype, Layout.TYPE_NUMBER, ctypes.c_int32) == dtype.num
            and word(dtype, Layout.BYTEORDER, ctypes.c_char) == b"="
            and word(number, Layout.NUMBER, ctypes.c_double) == number
            and word(np.float64(number), Layout.NUMBER, ctypes.c_double) == number
            and word(number, Layout.TYPE) == id(float)
            and word(capsule, Layout.POINTER) == 0x1234560
            and word(CellType(array), Layout.CELL) == id(array)
        )
    except (AttributeError, ValueError):
        return False


def _capsule(pointer: int) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = (
        ctypes.py_object,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
    )
    return new(pointer, None, None)


@once
def _code() -> machine.Loaded:
    """The entry's machine code: one for all."""
    signature, pointer = symbols.capsule_functions()
    capsule = import_module("numpy._core._multiarray_umath")._ARRAY_API
    table = pointer(capsule, signature(capsule))

    def api(n: int) -> int:
        return int(ctypes.c_int64.from_address(table + 8 * n).value)

    own = {
        "wg_type_array": id(np.ndarray),
        "wg_type_double": id(np.float64),
        "wg_new_array": api(_NEW_FROM_DESCR),
        "wg_new_scalar": api(_SCALAR),
    }
    return machine.load(entry_ir.text(machine.machine().triple), entry_ir.NAME, own)


@once
def _definition() -> int:
    """Where the definition of all builtins stands.

    A builtin looks at it when it goes, and the collector of garbage lets the parts of an entry go in any order, the last
    of them when Python ends: so it stays for ever.
    """
    definition = _MethodDef(b"compiled", _code().address, _METH_FASTCALL, None)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(definition))
    return ctypes.addressof(definition)


class Entry:
    """A kernel with all that a call of it needs, for arguments of one kind, dtype and shape each.

    `call` is the builtin; `call(*arguments)` returns what the function returns. With `given`, arrays for the results
    may follow the arguments (they must not overlap them). The kernel, the constants in `bound`
    and the extents are held as long as the entry is.
    """

    def __init__(
        self,
        kernel: int,
        arguments: Sequence[Slot],
        results: Sequence[Slot],
        otherwise: Callable[..., Any],
        failed: Callable[[int], Any],
        *,
        bound: Sequence[int] = (),
        extents: Sequence[int] = (),
        work_bytes: int = 0,
        single: bool = True,
        frees: bool = False,
        given: bool = False,
        guards: Sequence[Guard] = (),
        watched: Callable[..., Any] | None = None,
        keep: Any = None,
    ) -> None:
        self._kept: list[Any] = [keep, otherwise, failed, guards, watched]
        self.arguments, self.results, self.single = tuple(arguments), tuple(results), single
        table = self._words([0] * Words.COUNT)
        values = {
            Words.KERNEL: kernel,
            Words.INPUTS: len(arguments),
            Words.OUTPUTS: len(results),
            Words.ARGUMENTS: self._rows(arguments, False),
            Words.RESULTS: self._rows(results, True),
            Words.BOUND: self._words(bound).ctypes.data,
            Words.BOUNDS: len(bound),
            Words.EXTENTS: self._words(extents).ctypes.data,
            Words.WORK_BYTES: work_bytes,
            Words.OTHERWISE: id(otherwise),
            Words.FAILED: id(failed),
            Words.FREES: int(frees),
            Words.SINGLE: int(single),
            Words.GIVEN: int(given),
            Words.GUARDS: self._words([w for g in guards for w in g.words()]).ctypes.data,
            Words.GUARD_COUNT: len(guards),
            Words.WATCHED: 0 if watched is None else id(watched),
        }
        for word, value in values.items():
            table[word] = value
        self.table = table
        self.call = self._builtin()

    def go_elsewhere(self, otherwise: Callable[..., Any]) -> None:
        """Let another callable have the arguments that are not as expected."""
        self._kept.append(otherwise)  # (the one before may be running in another thread)
        self.table[Words.OTHERWISE] = id(otherwise)

    def _words(self, values: Sequence[int]) -> Any:
        words = np.array([*values, 0], dtype=np.int64)  # (never empty: it has an address)
        self._kept.append(words)
        return words

    def _rows(self, slots: Sequence[Slot], results: bool) -> int:
        rows: list[int] = []
        for slot in slots:
            rows += [int(slot.kind), slot.dtype.num, len(slot.shape)]
            rows.append(self._words(slot.shape).ctypes.data)
            if results:
                self._kept.append(slot.dtype)
                rows.append(id(slot.dtype))
                parts = 2 if slot.dtype.kind == "c" else 1
                rows.append(math.prod(slot.shape) * parts)
                rows.append(slot.dtype.itemsize // parts if slot.dtype.kind in "fc" else 0)
        return int(self._words(rows).ctypes.data)

    def _builtin(self) -> Any:
        new = ctypes.pythonapi.PyCFunction_NewEx
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
        # as its "module" the builtin holds the entry, and so all that the table points to
        return new(_definition(), _capsule(self.table.ctypes.data), self)

    def __del__(self) -> None:
        work = int(self.table[Words.WORK]) if hasattr(self, "table") else 0
        if work:
            self.table[Words.WORK] = 0
            _free(work)


def _free(pointer: int) -> None:
    free = symbols.process().free
    free.argtypes, free.restype = [ctypes.c_void_p], None
    free(pointer)
