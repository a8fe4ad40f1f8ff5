"""Compiled programs on disk, by what was traced: the next process need not simplify, lower and print them again.

An entry says under which name the object code is kept, what that code needs besides its arguments, and which numbers
the program turned into arguments of it. It stands beside the object code (`backends.cache`), as private and as well checked.
Its name is a digest of the program's structure and of everything that decides what becomes of it: wengert's own
files, Python, NumPy, SciPy, the compiler, the processor. Whoever changes one of these, or an extent or a constant, makes
the program anew, and finds its object code by its text.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wengert.backends import cache as disk
from wengert.backends import machine, vecmath
from wengert.backends.code import Problem
from wengert.backends.needs import Needs
from wengert.ir import source
from wengert.ir.program import Program
from wengert.memo import spelled

# the rooms that decide what becomes of a program: those that this one stands on
_ROOMS = (
    "ir", "ops", "trace", "numpy_api", "scipy_api", "transforms", "rewrites", "backends", "memo",
)  # fmt: skip
_LARGE = 1 << 22  # bytes of constants that are not written twice


class Item(NamedTuple):
    """What is known of a compiled program."""

    entry: str  # of the object code
    extents: tuple[int, ...]  # that are given at run time
    values: tuple[Any, ...]  # constants that are arguments
    needs: Needs
    loops: bool  # does it hold loops?


def name_of(program: Program) -> str | None:
    """Where the program stands; None where nothing is kept, or where it has no spelling."""
    if disk.directory() is None:
        return None
    state = _state()
    if state is None:
        return None
    try:
        structure = spelled.structure(program)
    except spelled.NoSpelling:
        return None
    digest = hashlib.blake2b(structure, digest_size=20)
    digest.update(repr((state, vecmath.lanes(), *machine.machine().key)).encode())
    return digest.hexdigest()


def read(name: str, program: Program) -> Item | None:
    """What is kept of a program."""
    found = disk.read(name)
    if found is None:
        return None
    try:
        (entry,), payload = found
        extents, values, slots, constants, problems, loops, function, again = marshal.loads(payload)
        told = _told(problems, program)
        if told is None:
            return None
        needs = Needs(function, slots, tuple(map(_array, constants)), told, (), again)
        return Item(entry, extents, tuple(_array(v)[()] for v in values), needs, loops)
    except (ValueError, TypeError, EOFError, IndexError):
        return None


def write(name: str, program: Program, item: Item) -> None:
    """Keep it. What calls back into Python is not kept: that is objects of this process."""
    needs = item.needs
    if needs.callbacks or sum(a.nbytes for a in needs.constants) > _LARGE:
        return
    problems = _numbered(needs.problems, program)
    if problems is None:
        return
    payload = (
        item.extents,
        tuple(map(_coded, item.values)),
        needs.slots,
        tuple(map(_coded, needs.constants)),
        problems,
        item.loops,
        needs.name,
        needs.again,
    )
    disk.write(name, (item.entry,), marshal.dumps(payload, 2))


def _coded(value: Any) -> tuple[Any, ...]:
    array = np.asarray(value)
    return array.dtype.str, array.shape, array.tobytes()


def _array(coded: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    dtype, shape, data = coded
    return np.frombuffer(data, dtype).reshape(shape).copy()


# ---- reasons to stop, with the user's lines ----------------------------------------------------------------


def _numbered(problems: tuple[Problem, ...], program: Program) -> Any:
    """Problems with the number of an equation in the place of a line; None where there is no such equation."""
    if not problems:
        return ()
    places: dict[Any, int] = {}
    for number, where in enumerate(spelled.sources(program)):
        places.setdefault(source.resolve(where), number)
    if any(p.line is not None and p.line not in places for p in problems):
        return None
    rows = tuple((p.kind, p.text, places.get(p.line) if p.line else None) for p in problems)
    return rows, spelled.lines(program)


def _told(coded: Any, program: Program) -> tuple[Problem, ...] | None:
    """The problems with the lines of this program; None if its equations stand on other lines."""
    if not coded:
        return ()
    rows, lines = coded
    if spelled.lines(program) != lines:
        return None

    def line(number: int | None) -> Any:
        if number is None:
            return None
        return source.resolve(next(islice(spelled.sources(program), number, None)))

    return tuple(Problem(kind, text, line(number)) for kind, text, number in rows)


# ---- what decides what becomes of a program ----------------------------------------------------------------


@cache
def _state() -> tuple[Any, ...] | None:
    """Of this process's wengert, Python, NumPy and SciPy; None where wengert's files cannot be looked at.

    None too where one was changed after this process had begun: it may run what stood there before.
    """
    room = Path(__file__).parent.parent
    try:
        files = sorted(f for name in _ROOMS for f in _files(str(room / name)))
    except OSError:  # in an archive, say
        return None
    if any(time_ns > source.loaded * 1e9 for *_, time_ns in files):
        return None
    spec = find_spec("scipy")
    scipy = None
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).stat()
        scipy = (spec.origin, found.st_size, found.st_mtime_ns)
    version = getattr(sys.modules.get("wengert"), "__version__", "")
    return (version, sys.version, np.__version__, scipy, files)


def _files(room: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(room) as listed:
        for entry in listed:
            if entry.name.endswith(".py"):
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path)
