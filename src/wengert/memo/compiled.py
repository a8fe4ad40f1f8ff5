"""A program made ready to run: simplified, lowered, compiled; machine code is shared by structure.

Extents above 16 and odd floating-point constants do not count for the machine code: they are given to it.
So another batch size or learning rate finds the code that is there. Where there is no compiler, or a program
cannot be lowered, the NumPy back end runs it: `evaluate`.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.backends import machine
from wengert.backends import threads as _threads  # noqa: F401  (offers what loops call)
from wengert.backends.context import Context
from wengert.backends.entry import Entry, Guard, Slot, ready
from wengert.backends.entry_table import Kind
from wengert.backends.maps import widened
from wengert.errors import NativeWarning
from wengert.ir import evaluate, garbage
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType, StackType
from wengert.rewrites.simplify import simplify

_CODES = 512  # so much machine code is kept
_PROGRAMS = 512  # so many programs ready to run
_ROOM = 1 << 15  # elements from which on other Python threads may run meanwhile


class Code(NamedTuple):
    """Machine code that programs of one structure share."""

    function: Any  # its loop code
    loaded: machine.Loaded
    text: str
    seconds: dict[str, float]  # per stage
    extents: tuple[int, ...]


class Bounded:
    """A dictionary that forgets what was not used for long; safe for threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.items: OrderedDict[Any, Any] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Any) -> Any:
        """The value, or None."""
        with self.lock:
            if key not in self.items:
                return None
            self.items.move_to_end(key)
            return self.items[key]

    def put(self, key: Any, value: Any) -> Any:
        """Remember, and return what is remembered."""
        with self.lock:
            value = self.items.setdefault(key, value)
            self._trim()
            return value

    def replace(self, key: Any, value: Any) -> None:
        """Remember this value now."""
        with self.lock:
            self.items[key] = value
            self.items.move_to_end(key)
            self._trim()

    def _trim(self) -> None:
        while len(self.items) > self.limit:
            self.items.popitem(last=False)


codes, _programs = Bounded(_CODES), Bounded(_PROGRAMS)


def forget() -> None:
    """Forget all machine code and programs (what still runs keeps its own)."""
    codes.items.clear()
    _programs.items.clear()


# ---- constants that are arguments ----------------------------------------------------------------------

_PLAIN = frozenset([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5])
_SHAPING = frozenset(["power", "float_power", "ldexp"])  # exponents decide what is computed


def lifted(program: Program) -> tuple[Program, list[Any]]:
    """Odd floating-point constants as inputs behind the others, and their values."""
    places: dict[Any, Var] = {}

    def place(atom: Any) -> Any:
        if not isinstance(atom, Const) or atom.type.dtype.kind != "f":
            return atom
        value = atom.value
        if float(value) in _PLAIN or not np.isfinite(value):
            return atom
        key = atom.type, value.tobytes()
        if key not in places:
            places[key] = Var(atom.type)
            values.append(value)
        return places[key]

    values: list[Any] = []
    eqns = [
        e
        if e.prim.name in _SHAPING or not any(isinstance(a, Const) for a in e.inputs)
        else Eqn(e.prim, tuple(map(place, e.inputs)), e.params, e.outputs, e.origin)
        for e in program.eqns
    ]
    inputs = (*program.inputs, *places.values())
    return Program(inputs, eqns, program.outputs, program.sources, program.name), values


# ---- programs that run ---------------------------------------------------------------------------------


class Compiled:
    """A program that runs on arrays of its input types: `compiled(args) -> results`, as `evaluate`.

    `code` is None where NumPy runs it, and `why` says why.
    """

    def __init__(self, program: Program) -> None:
        start = time.perf_counter()
        self.original = program
        self.program = widened(simplify(program))
        self.seconds = {"simplify": time.perf_counter() - start}
        self.code: Code | None = None
        self.fresh = False  # was the machine code made for this program?
        self.why = ""
        self._bound: list[Any] = []
        self._entry: Entry | None = None
        self.extents: tuple[int, ...] = ()
        if not machine.available():
            self.why = "llvmlite is not installed"
            _say_once()
        elif not ready():
            self.why = "this Python lays its objects out in another way"
        else:
            self._compile()

    def _compile(self) -> None:
        from wengert.backends.extents import abstract
        from wengert.backends.llvm import module
        from wengert.backends.lowering import lower
        from wengert.backends.scalars import NoLowering

        start = time.perf_counter()
        program, constants = lifted(self.program)
        extents = abstract(program)
        key, self.extents = extents.key, extents.given
        self.seconds["key"] = time.perf_counter() - start
        code = codes.get(key)
        if code is None:
            try:
                start = time.perf_counter()
                function = lower(program, extents=extents)
                lowered = time.perf_counter()
                text, _ = module(function, hosted=True)
                printed = time.perf_counter()
                loaded = machine.load(text, function.name)
            except NoLowering as error:
                self.why = str(error)
                return
            except (
                Exception
            ) as error:  # a gap of ours: the result is right, but slow, and it is said
                self.why = f"it could not be lowered: {type(error).__name__}: {error}"
                warnings.warn(
                    f"{self.program.name} runs without machine code: {self.why}",
                    NativeWarning,
                    stacklevel=2,
                )
                return
            seconds = {"lower": lowered - start, "print": printed - lowered, **loaded.seconds}
            code = codes.put(key, Code(function, loaded, text, seconds, self.extents))
            self.fresh = True
        self.code = code
        self._context = Context(code.function, code.extents, self.extents)
        self._bound = [np.array(c) for c in constants]
        self._bound += [np.ascontiguousarray(b.array) for b in code.function.constants]

    def entry(
        self,
        arguments: Sequence[Slot],
        results: Sequence[Slot],
        otherwise: Callable[..., Any],
        *,
        captured: Sequence[Any] = (),
        single: bool = False,
        given: bool = False,
        guards: Sequence[Guard] = (),
        watched: Callable[..., Any] | None = None,
    ) -> Entry:
        """A quick call for arguments of these kinds; `captured` arrays are the program's last inputs."""
        assert self.code is not None
        function = self.code.function
        bound = [*captured, *self._bound]
        size = sum(t.size for t in (*self.program.in_types, *self.program.out_types))
        return Entry(
            self.code.loaded.address,
            arguments,
            results,
            otherwise,
            self._context.failed,
            bound=[*(a.ctypes.data for a in bound), self._context.number],
            extents=self.extents,
            work_bytes=function.work_bytes(self.extents),
            single=single,
            frees=size >= _ROOM or self.loops,
            given=given,
            guards=guards,
            watched=watched,
            keep=(self, bound),
        )

    def raw(self, count: int, captured: Sequence[Any]) -> Entry:
        """The table of a call with its constants, for C functions; `count` arguments are the caller's."""
        types = self.program.in_types[:count]
        slots = [Slot(Kind.ARRAY, t.dtype, t.shape) for t in types]
        return self.entry(
            slots, [result_slot(t) for t in self.program.out_types], _never, captured=captured
        )

    @property
    def loops(self) -> bool:
        """Does it hold loops, so that it may run for long on small arrays?"""
        return any(e.prim.name in ("while_loop", "scan", "map") for e in self.program.eqns)

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """Values of the outputs at arrays or numbers."""
        if self.code is None or any(isinstance(t, StackType) for t in self._types):
            return evaluate(self.program, args)
        if self._entry is None:
            self._entry = self.entry(
                [Slot(Kind.ARRAY, t.dtype, t.shape) for t in self.program.in_types],
                [result_slot(t) for t in self.program.out_types],
                _never,
            )
        found = self._entry.call(
            *(regular(a, t) for a, t in zip(args, self.program.in_types, strict=True))
        )
        return list(found)

    @property
    def _types(self) -> tuple[Any, ...]:
        return (*self.program.in_types, *self.program.out_types)


def result_slot(t: ArrayType, weak: bool = False) -> Slot:
    """What NumPy returns of that type: an array, or a number."""
    if t.shape:
        return Slot(Kind.ARRAY, t.dtype, t.shape)
    return Slot(Kind.FLOAT if weak and t.dtype == np.float64 else Kind.SCALAR, t.dtype)


def regular(x: Any, t: ArrayType) -> Any:
    """`x` as machine code reads it: a plain array in C order, aligned, in native byte order."""
    if x.__class__ is not np.ndarray:
        return np.asarray(x, t.dtype)
    flags = x.flags
    if (
        not (flags.c_contiguous and flags.aligned)
        or x.dtype.num != t.dtype.num
        or not x.dtype.isnative
    ):
        return np.array(x, t.dtype, order="C")
    return x


def compiled(program: Program) -> Compiled:
    """The program ready to run: the one that is there, or a new one."""
    key = program, program.told
    found: Compiled | None = _programs.get(key)
    if found is None:
        with garbage.kept():
            found = _programs.put(key, Compiled(program))
    return found


def _never(*args: Any) -> Any:
    raise AssertionError(f"regular arguments were refused: {[type(a) for a in args]}")


_said = False


def _say_once() -> None:
    global _said
    if not _said:
        _said = True
        warnings.warn(
            "llvmlite is not installed: wg.jit runs on the NumPy back end, correct but not compiled "
            "(pip install llvmlite)",
            NativeWarning,
            stacklevel=2,
        )


def run(program: Program, args: Sequence[Any]) -> list[Any]:
    """Values of the outputs of a program at arrays: how `call` is evaluated."""
    return compiled(program)(args)
