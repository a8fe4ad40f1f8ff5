"""A C++ function template as the machine sees it: its signature, and its instances on flat arrays.

An instance is one number type: `along` levels of duals with one direction each inside `full`
levels of duals with a few unit directions each. The value and the first derivative are compiled
together, at once; others when they are first asked for.
"""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wengert.cpp import store, toolchain
from wengert.cpp.reading import definition
from wengert.errors import CppError, ShapeError
from wengert.ir import source

Flags = tuple[bool, ...]
Shape = tuple[int, ...]

_BASES = {
    np.dtype(np.longdouble): "long double",  # (in which derivatives are checked)
    np.dtype(np.float64): "double",
    np.dtype(np.float32): "float",
}
_PASSIVE = {
    "d": np.dtype(np.float64),
    "i": np.dtype(np.int64),
    "b": np.dtype(np.bool_),
}
_DONE, _MEASURED, _THREW, _RESHAPED = range(4)
_MESSAGE = 500
# Eigen's assertions would end the process
_PRELUDE = """\
#include <cmath>
#include <stdexcept>
#define eigen_assert(x) do { if (!(x)) throw std::logic_error("Eigen's assertion " #x); } while (false)"""


class Part(NamedTuple):
    """An argument or a result: `T` or a passive kind, and its extents (-1: only the call tells)."""

    kind: str
    extents: Shape

    @property
    def active(self) -> bool:
        """Is it made of the template's own numbers?"""
        return self.kind == "T"

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.extents)

    def dtype(self, base: np.dtype[Any]) -> np.dtype[Any]:
        """Its dtype, where T stands for `base`."""
        return base if self.active else _PASSIVE[self.kind]


class _Request(ctypes.Structure):
    """`wengert::driver::request` of include/wengert/driver.hpp."""

    _fields_ = [
        ("arguments", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("dims", ctypes.c_void_p),
        ("directions", ctypes.c_void_p),
        ("direction_strides", ctypes.c_void_p),
        ("places", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("same", ctypes.c_int),
        ("points", ctypes.c_int64),
        ("results", ctypes.c_void_p),
        ("result_dims", ctypes.c_void_p),
        ("measure", ctypes.c_int),
        ("message", ctypes.c_char_p),
        ("message_size", ctypes.c_int64),
    ]


class Target:
    """One function template of one source, and its compiled instances."""

    def __init__(
        self, text: str, path: Path | None, name: str, eigen_duals: bool, flags: tuple[str, ...],
        include: tuple[str, ...], compiler: str | None,
    ) -> None:  # fmt: skip
        self.text, self.path, self.name = text, path, name
        self.eigen_duals, self.flags, self.include, self.compiler = (
            eigen_duals,
            flags,
            include,
            compiler,
        )
        self.short = name.partition("<")[0].rpartition("::")[2]
        self.label = f"{self.short}.cpp"
        self._instances: dict[Any, Any] = {}
        self._dims: dict[Any, Shape] = {}
        self._lock = threading.RLock()
        first = self._load(np.dtype(np.float64), ((0, 0), (0, 1)))
        first.wengert_signature.restype = ctypes.c_char_p
        arguments, results, self.packed = json.loads(first.wengert_signature())
        self.arguments = tuple(Part(kind, tuple(n)) for kind, *n in arguments)
        self.results = tuple(Part(kind, tuple(n)) for kind, *n in results)

    @property
    def identity(self) -> Any:
        """What makes two targets the same."""
        return (
            self.text, self.path, self.name, self.eigen_duals, self.flags, self.include, self.compiler,
        )  # fmt: skip

    @property
    def place(self) -> str:
        """The file, for messages."""
        return self.path.name if self.path else self.label

    # ---- compiling -----------------------------------------------------------------------------------
    def _unit(self, base: str, orders: Sequence[tuple[int, int]]) -> str:
        """The text that is compiled: the user's, and one entry for each instance."""
        lines = ["#define WENGERT_NAMES_IN_STD", '#include "wengert/dual.hpp"', _PRELUDE]
        if self.path:
            lines.append(f'#include "{self.path}"')
        else:
            lines += [f'#line 1 "{self.label}"', self.text, '#line 1 "wengert"']
        if self.eigen_duals:
            lines += ["#define WENGERT_EIGEN_DUALS", "#include <Eigen/Core>"]
            lines += ["#include <unsupported/Eigen/AutoDiff>"]
        lines += ['#include "wengert/dual.hpp"', '#include "wengert/driver.hpp"']
        lines += [f"#define TARGET(T) {self._named('T')}", "WENGERT_SIGNATURE()"]
        lines += [f"WENGERT_CALL({base}, {k}, {n})" for k, n in orders]
        return "\n".join(lines) + "\n"

    def _described(self) -> toolchain.Text:
        found = definition(self.text, self.short)
        return toolchain.Text(self.path, self.label, self.short, found and found[0])

    def _named(self, number: str) -> str:
        if "<" in self.name:  # the user has said where T goes: "f<T, 3>"
            return self.name
        return f"{self.name}<{number}>"

    def _load(self, base: np.dtype[Any], orders: Sequence[tuple[int, int]]) -> Any:
        compiler = toolchain.find_compiler(self.compiler)
        eigen = toolchain.find_eigen()
        directories = [*self.include, *([str(self.path.parent)] if self.path else [])]
        flags = (
            *self.flags,
            *(f"-I{d}" for d in directories),
            *(("-isystem", eigen) if eigen else ()),
        )
        unit = self._unit(_BASES[base], orders)
        headers = sorted((toolchain.INCLUDE / "wengert").glob("*.hpp"))
        key = store.digest(
            unit,
            compiler,
            toolchain.version(compiler),
            *toolchain.STANDARD,
            *flags,
            *(h.read_bytes() for h in headers),
        )
        path = store.library(
            key,
            lambda made: toolchain.compile_library(compiler, unit, made, flags, self._described()),
        )
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            raise CppError(
                f"{self.place}: compiled, but it does not load: {error}",
                "name the libraries that it needs with flags=['-l...']",
                source.here(),
            ) from None

    def _instance(self, base: np.dtype[Any], along: int, full: int) -> Any:
        key = base, along, full
        found = self._instances.get(key)
        if found is None:
            with self._lock:
                first = ((0, 0), (0, 1))
                orders = first if (along, full) in first else ((along, full),)
                library = self._load(base, orders)
                for k, n in orders:
                    call = getattr(library, f"wengert_call_{k}_{n}")
                    call.argtypes, call.restype = [ctypes.POINTER(_Request)], ctypes.c_int
                    self._instances[base, k, n] = call
                found = self._instances[key]
        return found

    # ---- shapes ----------------------------------------------------------------------------------------
    def shapes(
        self, base: np.dtype[Any], cores: Sequence[Shape], options: Sequence[Any]
    ) -> tuple[Shape, ...]:
        """Shapes of the results for arguments of these shapes: known, or learned on made-up numbers.

        An argument with an option is that number.
        """
        draw = np.random.default_rng(0)
        args = [
            np.asarray(o) if o is not None else draw.uniform(0.5, 1.0, core) if p.kind in "Td" else np.ones(core)
            for p, core, o in zip(self.arguments, cores, options, strict=True)
        ]  # fmt: skip
        known = self._known(self._key(args, cores))
        if known is None:
            self.call(base, 0, args, (), [], (), measure=True)
            known = self._dims[self._key(args, cores)]
        return self._split_dims(known)

    def _key(self, args: Sequence[Any], cores: Sequence[Shape]) -> Any:
        """What the results' shapes depend on: the arguments' shapes, and single numbers among them."""
        single = (
            np.asarray(a).tobytes()
            for a, p in zip(args, self.arguments, strict=True)
            if not p.active and p.rank == 0
        )
        return (tuple(cores), *single)

    def _known(self, key: Any) -> Shape | None:
        fixed = tuple(n for p in self.results for n in p.extents)
        return fixed if -1 not in fixed else self._dims.get(key)

    def _split_dims(self, dims: Shape) -> tuple[Shape, ...]:
        found, start = [], 0
        for p in self.results:
            found.append(dims[start : start + p.rank])
            start += p.rank
        return tuple(found)

    # ---- calling ---------------------------------------------------------------------------------------
    def call(
        self, base: np.dtype[Any], along: int, args: Sequence[Any], lead: Shape, directions: Sequence[Any],
        full: tuple[Flags, ...], measure: bool = False,
    ) -> Any:  # fmt: skip
        """The results (`along` and `full` empty), or the derivative `lead + (rows, *columns)`.

        Arguments and directions have the leading axes `lead`, or none and are shared.
        """
        given = [
            np.asarray(a, p.dtype(base), order="C")
            for a, p in zip(args, self.arguments, strict=True)
        ]
        vectors = [np.asarray(v, base, order="C") for v in directions]
        cores = tuple(
            a.shape[a.ndim - p.rank :] for a, p in zip(given, self.arguments, strict=True)
        )
        points = int(np.prod(lead, dtype=np.int64))
        q = _Request()
        alive: list[Any] = []

        def whole(numbers: Sequence[int]) -> int:
            array = np.array([*numbers, 0], np.int64)
            alive.append(array)
            return array.ctypes.data

        def pointers(arrays: Sequence[Any]) -> int:
            alive.extend(arrays)
            return whole([a.ctypes.data for a in arrays])

        q.arguments = pointers(given)
        q.strides = whole(
            [_size(c) if lead and a.ndim > len(c) else 0 for a, c in zip(given, cores, strict=True)]
        )
        q.dims = whole([n for c in cores for n in c])
        q.directions = pointers(vectors)
        q.direction_strides = whole([v.shape[-1] if lead and v.ndim > 1 else 0 for v in vectors])
        placed = [self._places(cores, moving) for moving in full]
        q.places = pointers([p for p, _ in placed])
        counts = tuple(n for _, n in placed)
        q.columns = whole(counts)
        q.same = len(set(full)) == 1
        message = ctypes.create_string_buffer(_MESSAGE)
        q.message, q.message_size = ctypes.cast(message, ctypes.c_char_p), _MESSAGE
        function = self._instance(base, along, len(full))
        key = self._key(given, cores)
        if not points and self._known(key) is None:
            self.shapes(base, cores, [None] * len(cores))
        for attempt in range(3):
            known = self._known(key)
            blank = (0,) * sum(p.rank for p in self.results)
            dims = np.array([*(known or blank), 0], np.int64)
            q.result_dims = dims.ctypes.data
            q.measure = measure or known is None
            q.points = 1 if q.measure else points
            made: list[Any] = []
            if known is not None and not measure:
                shapes = self._split_dims(known)
                if along or full:
                    rows = sum(
                        _size(s) for s, p in zip(shapes, self.results, strict=True) if p.active
                    )
                    made = [np.empty((*lead, rows, *counts), base)]
                else:
                    made = [
                        np.empty((*lead, *s), p.dtype(base))
                        for s, p in zip(shapes, self.results, strict=True)
                    ]
            q.results = pointers(made)
            status = function(ctypes.byref(q))
            if status == _THREW:
                raise CppError(
                    f"{self.short} ({self.place}) threw: {message.value.decode(errors='replace')}",
                    "",
                    source.here(),
                )
            if status == _DONE:
                return made[0] if along or full else made
            self._dims[key] = tuple(int(n) for n in dims[:-1])
            if measure:
                return None
            if status == _RESHAPED and attempt == 2:
                break
        raise ShapeError(
            f"{self.short} ({self.place}) returns results of different shapes at different points of a batch",
            "call it point by point, or return one shape",
            source.here(),
        )

    def _places(self, cores: Sequence[Shape], moving: Flags) -> tuple[Any, int]:
        """For each active number, its column among those of the moving arguments (-1: none)."""
        columns, count = [], 0
        for p, core, m in zip(self.arguments, cores, moving, strict=True):
            if not p.active:
                continue
            size = _size(core)
            columns.append(np.arange(count, count + size) if m else np.full(size, -1))
            count += size if m else 0
        return np.concatenate([*columns, [0]]).astype(np.int64), count


def _size(shape: Shape) -> int:
    size = 1
    for n in shape:
        size *= n
    return size
