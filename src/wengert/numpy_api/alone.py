"""Names imported alone: `from math import cos`, `from numpy import array`.

A module that imported a function by its name holds the function itself: what the attributes of `numpy`
and `math` mean while a trace runs does not reach it. So the modules that a traced function lives in and
looks into are searched for such names, once, and while traces of it run these mean ours, too.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.trace.tracer import Tracer

_MOST = 1000  # modules that are remembered
_LONG = 100  # entries of a list of functions
_lock = threading.RLock()
_known: dict[int, tuple[Any, Any]] = {}  # by id of a function: it, and what it means while tracing
_names: dict[int, str] = {}  # what the function is called at home
_originals: dict[int, tuple[Any, Any]] = {}  # the other way round
aliases: dict[str, set[str]] = {}  # other names that users gave to a function
_searched: dict[int, tuple[Any, Any, tuple[Names, ...]]] = {}
_placed: list[Names | Contents] = []


def learn(pairs: dict[str, tuple[Any, Any]]) -> None:
    """Functions, and what they mean while traces run. Ufuncs ask traced values themselves."""
    with _lock:
        for name, (original, ours) in pairs.items():
            kind = isinstance(original, type) and not isinstance(ours, type)  # (must stay a class)
            if not kind and not isinstance(original, np.ufunc):
                _known.setdefault(id(original), (original, ours))
                _names.setdefault(id(original), name)
                _originals.setdefault(id(ours), (ours, original))
        _searched.clear()


def original(value: Any) -> Any:
    """The user's own function, where what stands for it while tracing is given; else the value itself."""
    found = _originals.get(id(value))
    return value if found is None or found[0] is not value else found[1]


class Names:
    """Names of one module that mean others while traces run; or places in a dictionary or list of functions."""

    def __init__(self, table: Any, pairs: dict[Any, tuple[Any, Any]]) -> None:
        self.table, self.pairs, self.there = table, pairs, False

    def put(self) -> None:
        """Ours, unless the name has another meaning by now."""
        for name, (theirs, ours) in self.pairs.items():
            if self._now(name) is theirs:
                self.table[name] = ours

    def restore(self) -> None:
        """What was there."""
        for name, (theirs, ours) in self.pairs.items():
            if self._now(name) is ours:
                self.table[name] = theirs

    def _now(self, name: Any) -> Any:
        try:
            return self.table[name]
        except LookupError:
            return None


class Contents:
    """The same for a variable that a function closes over."""

    def __init__(self, cell: Any, pair: tuple[Any, Any]) -> None:
        self.cell, self.pair, self.there = cell, pair, False

    def put(self) -> None:
        """Ours."""
        self.cell.cell_contents = self.pair[1]

    def restore(self) -> None:
        """What was there, unless it was written since."""
        if self.cell.cell_contents is self.pair[1]:
            self.cell.cell_contents = self.pair[0]


def _place(place: Names | Contents) -> None:
    with _lock:
        if not place.there:
            place.there = True
            _placed.append(place)
            place.put()


def restore() -> None:
    """The last trace has ended."""
    if _placed:
        with _lock:
            while _placed:
                place = _placed.pop()
                place.there = False
                place.restore()


def meet(f: Any) -> None:
    """A function is about to run in a trace: let names of the modules that it lives in and sees mean ours.

    Or a module is, that runs itself: its dictionary.
    """
    if type(f) is FunctionType and f.__closure__ is None:
        _open(f.__globals__)
    else:
        _meet(f, set())


def _meet(f: Any, seen: set[int]) -> None:
    kind = type(f)
    if kind is FunctionType:
        _open(f.__globals__)
        for cell in f.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:  # (not yet filled)
                continue
            if type(value) in _DATA:
                continue
            pair = _pair(value)
            if pair is not None:
                if not _is_ours(f.__globals__):
                    _place(Contents(cell, pair))
            elif (type(value) in _CALLED or _is_of_ours(value)) and id(value) not in seen:
                seen.add(id(value))
                _meet(value, seen)
    elif kind is dict:
        _open(f)
    elif _is_of_ours(f):  # a call, a derivative, a batch of a function
        for name in ("f", "fun"):
            if getattr(f, name, None) is not None:
                _meet(getattr(f, name), seen)
    else:
        for g in functions_in(f):
            if id(g) not in seen:
                seen.add(id(g))
                _meet(g, seen)


def _is_of_ours(value: Any) -> bool:
    return type(value) is not Tracer and type(value).__module__.startswith("wengert.api.")


_CALLED = {FunctionType, MethodType, functools.partial}
_DATA = {
    np.ndarray,
    np.float64,
    float,
    int,
    bool,
    str,
    type(None),
    ModuleType,
}  # surely no functions


def _open(table: dict[str, Any]) -> None:
    found = _searched.get(id(table))
    if found is None or found[0] is not table or found[1] != (len(table), len(sys.modules)):
        found = _search(table)
    for place in found[2]:
        if not place.there:
            _place(place)


def _pair(value: Any) -> tuple[Any, Any] | None:
    found = _known.get(id(value))
    return found if found is not None and found[0] is value else None


# ---- the search --------------------------------------------------------------------------------------

_STANDARD = tuple(
    os.path.realpath(path) + os.sep for path in {*map(sysconfig.get_path, ("stdlib", "platstdlib"))} if path
)  # fmt: skip


def _is_ours(table: dict[str, Any]) -> bool:
    file = table.get("__file__")
    return isinstance(file, str) and source.is_internal(file)


def _is_users(table: dict[str, Any]) -> bool:
    """A module that the user may have written, not one that was installed."""
    file = table.get("__file__")
    if not isinstance(file, str):
        return table.get("__name__") not in sys.builtin_module_names
    if source.is_internal(file) or f"{os.sep}site-packages{os.sep}" in file:
        return False
    return not os.path.realpath(file).startswith(_STANDARD)


def _is_installed(table: dict[str, Any]) -> bool:
    """A module of a library, other than NumPy, SciPy and this one."""
    file = table.get("__file__")
    return isinstance(file, str) and "site-packages" in file and not source.is_internal(file)


def _search(table: dict[str, Any]) -> tuple[Any, Any, tuple[Names, ...]]:
    """All modules that can be reached from one by names, and their names that are known here."""
    key = len(table), len(sys.modules)
    pending, seen = [] if _is_ours(table) else [table], {id(table)}
    found: list[Names] = []
    with _lock:
        while pending:
            here = pending.pop()
            for name, value in list(here.items()):
                if type(value) in (dict, list) and 0 < len(value) <= _LONG and name[:2] != "__":
                    found += _names_in(value)
                    continue
                there = _home(value)
                if there is not None and id(there) not in seen:
                    seen.add(id(there))
                    if _is_users(there):
                        pending.append(there)
                    elif _is_installed(there):  # (and what they know themselves is too much)
                        found += _names_in(there, called=True)
            found += _names_in(here, called=True)
        if len(_searched) >= _MOST:
            _searched.clear()
        _searched[id(table)] = table, key, tuple(found)
        return _searched[id(table)]


def _names_in(table: Any, called: bool = False) -> list[Names]:
    """The names of a module that are known here; or the places in a dictionary or list."""
    pairs = {}
    for name, value in list(table.items() if isinstance(table, dict) else enumerate(table)):
        theirs = original(value)
        pair = _pair(theirs)
        if pair is not None:
            pairs[name] = pair
            if called and name != _names[id(theirs)]:
                aliases.setdefault(_names[id(theirs)], set()).add(name)
    if not pairs:
        return []
    placed = [p for p in _placed if isinstance(p, Names) and p.table is table]
    for place in placed:  # a trace runs: there are more names since it began
        place.pairs |= pairs
        place.put()
    return placed[:1] or [Names(table, pairs)]


def _home(value: Any) -> dict[str, Any] | None:
    """The module whose code runs where a value is called, or read from."""
    if isinstance(value, FunctionType):
        return value.__globals__
    if isinstance(value, ModuleType):
        return vars(value)
    wrapped = getattr(value, "__dict__", {}).get("__wrapped__")
    if isinstance(wrapped, FunctionType):
        return wrapped.__globals__
    kind = value if isinstance(value, type) else type(value)
    module = sys.modules.get(str(kind.__module__))
    return None if module is None else vars(module)


def functions_in(value: Any) -> Iterator[FunctionType]:
    """The Python functions that calling `value` runs, as far as wrappers tell."""
    pending, seen = [value], set()
    while pending:
        x = pending.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, FunctionType):
            yield x
        elif isinstance(x, MethodType):
            pending.append(x.__func__)
        elif isinstance(x, functools.partial):
            pending += [x.func, *x.args, *x.keywords.values()]
        elif isinstance(x, type | ModuleType):
            continue
        elif callable(x):
            pending += [
                getattr(x, name)
                for name in ("fun", "f", "function", "__wrapped__")
                if callable(getattr(x, name, None))
            ]
            pending += [
                c for k in type(x).__mro__ if isinstance(c := vars(k).get("__call__"), FunctionType)
            ][:1]
