"""A program made ready to run: simplified, lowered, compiled; machine code is shared by structure.

Extents above 16 and odd floating-point constants do not count for the machine code: they are given to it.
So another batch size or learning rate finds the code that is there. Where there is no compiler, or a program
cannot be lowered, the NumPy back end runs it: `evaluate`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert.backends import context, machine
from wengert.backends import threads as _threads  # noqa: F401  (offers what loops call)
from wengert.backends.deferred import Cell
from wengert.backends.entry import Entry, Guard, Slot, ready
from wengert.backends.entry_table import Kind
from wengert.backends.needs import Needs
from wengert.errors import NativeWarning
from wengert.ir import evaluate, garbage
from wengert.ir import source as lines
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType
from wengert.memo import shelf

if TYPE_CHECKING:
    from wengert.memo.making import Source

_CODES = 512  # so much machine code is kept
_PROGRAMS = 512  # so many programs ready to run
_ROOM = 1 << 15  # elements from which on other Python threads may run meanwhile


class Code(NamedTuple):
    """Machine code that programs of one structure share."""

    needs: Needs
    loaded: machine.Loaded
    seconds: dict[str, float]  # per stage
    extents: tuple[int, ...]
    source: Source | None  # None where the code was on disk


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
_loaded = Bounded(_CODES)  # what is in memory, by its name on disk


def forget() -> None:
    """Forget all machine code and programs (what still runs keeps its own)."""
    for known in (codes, _programs, _loaded):
        known.items.clear()


# ---- programs that run ---------------------------------------------------------------------------------


class Compiled:
    """A program that runs on arrays of its input types: `compiled(args) -> results`, as `evaluate`.

    `code` is None where NumPy runs it, and `why` says why.
    """

    def __init__(self, program: Program) -> None:
        self.original = program
        self.in_types, self.out_types = program.in_types, program.out_types
        self.seconds: dict[str, float] = {}
        self.code: Code | None = None
        self.fresh = False  # was the machine code made for this program?
        self.why = ""
        self._bound: list[Any] = []
        self._entry: Entry | None = None
        self._filling: Entry | None = None
        self.extents: tuple[int, ...] = ()
        if not machine.available():
            self.why = "llvmlite is not installed"
            _say_once()
        elif not ready():
            self.why = "this Python lays its objects out in another way"
        else:
            self._compile()

    @cached_property
    def program(self) -> Program:
        """The program with less work. (Code that was on disk runs without it.)"""
        from wengert.memo.making import simplified

        start = time.perf_counter()
        found = simplified(self.original)
        self.seconds["simplify"] = time.perf_counter() - start
        return found

    def _compile(self) -> None:
        start = time.perf_counter()
        name = shelf.name_of(self.original)
        item = None if name is None else shelf.read(name, self.original)
        self.seconds["key"] = time.perf_counter() - start
        if item is not None and self._take(item):
            return
        from wengert.memo.making import keyed, source

        program, start = self.program, time.perf_counter()
        lifted = keyed(program)
        self.extents = lifted.extents.given
        self.seconds["key"] += time.perf_counter() - start
        code = codes.get(lifted.extents.key)
        if code is None:
            code = self._made(lambda: source(lifted))
            if code is None:
                return
            codes.put(lifted.extents.key, code)
            if name is not None:
                entry, given = code.loaded.entry, tuple(lifted.constants)
                item = shelf.Item(entry, self.extents, given, code.needs, _loops(program))
                shelf.write(name, self.original, item)
        self._bind(code, lifted.constants, _loops(program))

    def _take(self, item: shelf.Item) -> bool:
        """Is the code of a program that was kept still there? Then it is this one's."""
        loaded = _loaded.get(item.entry)
        if loaded is None:
            cell = self._cell() if item.needs.again else None
            symbols = None if cell is None else cell.symbols
            loaded = machine.load_entry(item.entry, item.needs.name, symbols)
            if loaded is None:
                return False
            loaded = _loaded.put(item.entry, loaded.keeping(cell))
            self.fresh = True
        self.extents = item.extents
        code = Code(item.needs, loaded, loaded.seconds, item.extents, None)
        self._bind(code, item.values, item.loops)
        return True

    def _cell(self) -> Cell:
        """Where code from disk finds its guarded version: made of a program of the same structure."""
        original = self.original

        def source() -> tuple[str, str]:
            from wengert.memo.making import keyed, simplified, source

            return source(keyed(simplified(original))).guarded()

        return Cell(source, context.keep)

    def _made(self, write: Callable[[], Source]) -> Code | None:
        """New code; None where there is none for it, and `why` says why."""
        from wengert.backends.scalars import NoLowering

        try:
            source = write()
            entry = machine.machine().entry(source.text)
            loaded, seconds = _loaded.get(entry), source.seconds
            if loaded is None:
                cell = Cell(source.guarded, context.keep) if source.again else None
                symbols = None if cell is None else cell.symbols
                loaded = machine.load(source.text, source.function.name, symbols, entry)
                seconds = seconds | loaded.seconds
                loaded = _loaded.put(entry, loaded.keeping(cell))
                self.fresh = True
            needs = Needs.of(source.function, source.again)
            return Code(needs, loaded, seconds, self.extents, source)
        except NoLowering as error:
            self.why = str(error)
        except Exception as error:  # a gap of ours: the result is right, but slow, and it is said
            self.why = f"it could not be lowered: {type(error).__name__}: {error}"
            text = f"{self.program.name} runs without machine code: {self.why}"
            lines.warn(text, NativeWarning, lines.caller())
        return None

    def _bind(self, code: Code, constants: Sequence[Any], loops: bool) -> None:
        """From here on this code runs, with these numbers of the program's."""
        self.code, self.loops = code, loops
        self._context = context.Context(code.needs, code.extents, self.extents)
        self._bound = [*map(np.array, constants), *code.needs.constants]

    @cached_property
    def source(self) -> Source:
        """What the machine code is made of; made again where the code was on disk."""
        from wengert.memo.making import keyed, source

        assert self.code is not None
        return self.code.source or source(keyed(self.program))

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
        bound = [*captured, *self._bound]
        size = sum(t.size for t in self._types)
        return Entry(
            self.code.loaded.address,
            arguments,
            results,
            otherwise,
            self._context.failed,
            bound=[*(a.ctypes.data for a in bound), self._context.number],
            extents=self.extents,
            work_bytes=self.code.needs.work_bytes(self.extents),
            single=single,
            frees=size >= _ROOM or self.loops,
            given=given,
            guards=guards,
            watched=watched,
            keep=(self, bound),
        )

    def raw(self, count: int, captured: Sequence[Any]) -> Entry:
        """The table of a call with its constants, for C functions; `count` arguments are the caller's."""
        slots = [Slot(Kind.ARRAY, t.dtype, t.shape) for t in self.in_types[:count]]
        results = [result_slot(t) for t in self.out_types]
        return self.entry(slots, results, _never, captured=captured)

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """Values of the outputs at arrays or numbers."""
        if self.code is None or any(isinstance(t, StackType) for t in self._types):
            return evaluate(self.program, args)
        if self._entry is None:
            self._entry = self.entry(
                [Slot(Kind.ARRAY, t.dtype, t.shape) for t in self.in_types],
                [result_slot(t) for t in self.out_types],
                _never,
            )
        found = self._entry.call(*(regular(a, t) for a, t in zip(args, self.in_types, strict=True)))
        return list(found)

    def fill(self, args: Sequence[Any], places: Sequence[np.ndarray[Any, Any]]) -> bool:
        """Write the outputs into these arrays, if nothing that is read or written stands in them, too."""
        if self.code is None or len(places) != len(self.out_types):
            return False
        if any(isinstance(t, StackType) for t in self._types):
            return False
        values = [regular(a, t) for a, t in zip(args, self.in_types, strict=True)]
        for k, place in enumerate(places):
            others = (*values, *self._bound, *places[:k])
            if not place.flags.carray or any(np.may_share_memory(place, x) for x in others):
                return False
        if self._filling is None:
            arguments, results = (
                [Slot(Kind.ARRAY, t.dtype, t.shape) for t in types]
                for types in (self.in_types, self.out_types)
            )
            self._filling = self.entry(arguments, results, _never, given=True)
        self._filling.call(*values, *places)
        return True

    @property
    def _types(self) -> tuple[Any, ...]:
        return (*self.in_types, *self.out_types)


def _loops(program: Program) -> bool:
    """Does it hold loops, so that it may run for long on small arrays?"""
    return any(e.prim.name in ("while_loop", "scan", "map") for e in program.eqns)


def result_slot(t: ArrayType, weak: bool = False) -> Slot:
    """What NumPy returns of that type: an array, or a number."""
    if t.shape:
        return Slot(Kind.ARRAY, t.dtype, t.shape)
    return Slot(Kind.FLOAT if weak and t.dtype == np.float64 else Kind.SCALAR, t.dtype)


def regular(x: Any, t: ArrayType) -> Any:
    """`x` as machine code reads it: a plain array in C order, aligned, in native byte order."""
    flags = x.flags if type(x) is np.ndarray else None
    if flags is None:
        x = np.asarray(x, t.dtype)
    elif not (flags.c_contiguous and flags.aligned and x.dtype == t.dtype and x.dtype.isnative):
        x = np.array(x, t.dtype, order="C")
    # (a longlong is an int64 to NumPy, which leaves it its number)
    return x if x.dtype.num == t.dtype.num else x.view(t.dtype)


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
        text = (
            "llvmlite is not installed: wg.jit runs on the NumPy back end, correct but not compiled "
            "(pip install llvmlite)"
        )
        lines.warn(text, NativeWarning, lines.caller())


def run(program: Program, args: Sequence[Any]) -> list[Any]:
    """Values of the outputs of a program at arrays: how `call` is evaluated."""
    return compiled(program)(args)
