"""Guards: the closure cells and globals that a function read when it was traced, and whether they still hold.

A compiled function does not run the user's Python again, so it must notice when that would now do something
else. Names that are bound anew are found by identity, which machine code can compare (`quick`); arrays,
lists, dictionaries and objects that are changed in place are compared by their content.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.entry import Guard
from wengert.ir import source
from wengert.numpy_api import alone
from wengert.numpy_api.alone import functions_in
from wengert.trace.buffers import fingerprint

_ABSENT = object()
_SETTLED = (
    int, float, complex, str, bytes, type(None), ModuleType, FunctionType, BuiltinFunctionType, type,
    np.dtype, np.generic, np.ufunc, range, CodeType,
)  # fmt: skip
_MANY = 300  # so many values inside of one object are looked at


class Cell(NamedTuple):
    """A variable of an enclosing function, and what it held."""

    name: str
    cell: Any
    value: Any

    def __repr__(self) -> str:
        return self.name

    def now(self) -> Any:
        """What it holds."""
        try:
            return alone.original(self.cell.cell_contents)
        except ValueError:
            return _ABSENT


class Global(NamedTuple):
    """A global name, and what it meant."""

    name: str
    table: dict[str, Any]
    value: Any

    def __repr__(self) -> str:
        return self.name

    def now(self) -> Any:
        """What it means."""
        return alone.original(self.table.get(self.name, _ABSENT))


class Guards:
    """All that a function read, directly and through the functions that it calls.

    Objects among its `arguments` (`self`, say) are looked into like those that names mean.
    """

    def __init__(self, function: Any, arguments: Iterable[Any] = ()) -> None:
        self.names: list[Cell | Global] = []
        seen: set[Any] = set()
        for found in _names(function, seen):
            self.names.append(found)
        objects = [(n.name, n.value) for n in self.names]
        objects += [(f"an argument ({type(a).__name__})", a) for a in arguments]
        self.contents = [(name, x, _content(x)) for name, x in objects if not _settled(x)]

    @property
    def quick(self) -> bool:
        """Is comparing identities enough?"""
        return not self.contents

    def by_identity(self) -> list[Guard]:
        """The names as machine code compares them."""
        return [
            Guard(n.cell, None, n.value, n.value is _ABSENT)
            if isinstance(n, Cell)
            else Guard(n.table, n.name, n.value, n.value is _ABSENT)
            for n in self.names
        ]

    def broken(self) -> str | None:
        """The name that has changed, or None."""
        for n in self.names:
            now = n.now()
            if now is not n.value and not _equal_numbers(now, n.value):
                return n.name
        for name, value, before in self.contents:
            if _content(value) != before:
                return name
        return None


def _equal_numbers(a: Any, b: Any) -> bool:
    """Another object, but the same number: nothing has changed."""
    return (
        type(a) is type(b)
        and isinstance(a, int | float | complex | str | bytes)
        and repr(a) == repr(b)
    )


def _settled(value: Any) -> bool:
    """Can what this is not change while it is the same object?"""
    if value is _ABSENT or isinstance(value, _SETTLED):
        return True
    if isinstance(value, tuple | frozenset):
        return all(map(_settled, value))
    if isinstance(value, np.ndarray):
        return not value.flags.writeable and (
            value.base is None or not getattr(value.base, "flags", value.flags).writeable
        )
    return is_ours(value)


def is_ours(value: Any) -> bool:
    """Wengert's own wrappers, NumPy's and SciPy's objects: what is in them is read elsewhere, or fixed."""
    module = type(value).__module__ or ""
    return module.split(".")[0] in ("wengert", "functools", "builtins", "scipy") and callable(value)


def _content(value: Any) -> Any:
    """A comparable picture of what a value holds now."""
    left = [_MANY]

    def picture(x: Any, depth: int) -> Any:
        left[0] -= 1
        if left[0] < 0 or depth > 6:
            return id(x)
        if isinstance(x, np.ndarray):
            return x.shape, x.dtype.str, fingerprint(x) if x.size and x.dtype != object else 0
        if _settled(x):
            return (type(x).__name__, repr(x)) if isinstance(x, int | float | complex) else id(x)
        if isinstance(x, list | tuple | set | frozenset):
            return type(x).__name__, *(picture(y, depth + 1) for y in x)
        if isinstance(x, dict):
            return "dict", *((picture(k, depth + 1), picture(y, depth + 1)) for k, y in x.items())
        if isinstance(x, np.random.Generator | np.random.RandomState):
            return id(x)
        inside = getattr(x, "__dict__", None)
        if isinstance(inside, dict):
            return id(type(x)), picture(inside, depth + 1)
        return id(x)

    return picture(value, 0)


# ---- which names a function reads ------------------------------------------------------------------------


def _names(function: Any, seen: set[Any]) -> Iterator[Cell | Global]:
    for f in functions_in(function):
        if f in seen or source.is_internal(f.__code__.co_filename):
            continue
        seen.add(f)
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                value = _ABSENT
            yield Cell(name, cell, value)
            yield from _names(value, seen)
        for name in sorted(_globals_read(f.__code__)):
            value = alone.original(f.__globals__.get(name, _ABSENT))
            yield Global(name, f.__globals__, value)
            yield from _names(value, seen)


@functools.lru_cache(maxsize=4096)
def _globals_read(code: CodeType) -> frozenset[str]:
    found: set[str] = set()
    for i in dis.get_instructions(code):
        if i.opname in ("LOAD_GLOBAL", "LOAD_NAME") and isinstance(i.argval, str):
            found.add(i.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _globals_read(inner)
    return frozenset(found)


# ---- random generators -------------------------------------------------------------------------------------


def random_states(values: list[Any]) -> Callable[[], bool]:
    """Watch NumPy's global generator and those among `values`; the result says whether one has moved."""
    generators = [v for v in values if isinstance(v, np.random.Generator | np.random.RandomState)]
    module = sys.modules.get("numpy.random")
    shared = getattr(getattr(module, "mtrand", None), "_rand", None)
    if shared is not None:
        generators.append(shared)
    before = [_state(g) for g in generators]
    return lambda: any(_state(g) != b for g, b in zip(generators, before, strict=True))


def _state(generator: Any) -> Any:
    bits = getattr(generator, "bit_generator", None) or generator._bit_generator
    return repr(
        {k: v if not isinstance(v, dict) else {a: _plain(b) for a, b in v.items()} for k, v in bits.state.items()}
    )  # fmt: skip


def _plain(x: Any) -> Any:
    return x.tobytes() if isinstance(x, np.ndarray) else x
