"""From a call's arguments to a key: what is an array, what a number, what is fixed in the program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.backends.entry_table import Kind
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.types import ArrayType, type_of
from wengert.trace.idle import plain

_DOUBLE = np.dtype(np.float64)
_WEAK: dict[type, tuple[Kind, ArrayType]] = {
    float: (Kind.FLOAT, type_of(0.0)),
    int: (Kind.INT, type_of(0)),
    complex: (Kind.SCALAR, type_of(0j)),
}


class Leaf(NamedTuple):
    """A value that a program takes: how it came, its type, and whether it is a Python scalar (weak)."""

    kind: Kind
    type: ArrayType
    weak: bool


class Opened(NamedTuple):
    """A call: its leaves in order, the values that are program inputs, and the key of its trace."""

    structure: Any
    leaves: tuple[Any, ...]  # a Leaf, or a Fixed
    values: list[Any]
    traced: bool  # are there values of a running trace among them?
    plain: bool  # positional arguments that are leaves, all of them values

    @property
    def key(self) -> Any:
        """Equal for calls that one program serves."""
        return self.structure, self.leaves

    def rebuilt(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments with other values in the places of the leaves."""
        it = iter(values)
        leaves = [x.value if isinstance(x, Fixed) else next(it) for x in self.leaves]
        args, kwargs = tree.unflatten(self.structure, leaves)
        return args, kwargs


class Fixed:
    """A value that belongs to the program: equal by type and value."""

    __slots__ = ("_hash", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._hash = hash((type(value), value))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Fixed)
            and type(self.value) is type(other.value)
            and bool(self.value is other.value or self.value == other.value)
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return repr(self.value)


class NotCompiled(Exception):
    """These arguments are for the plain function: subclasses of arrays, arrays of objects, …"""


class Signature:
    """Which arguments of a function are static."""

    def __init__(self, function: Callable[..., Any], argnums: Any, argnames: Any) -> None:
        self.numbers = _listed(argnums)
        self.names = _listed(argnames)
        self.named: tuple[str, ...] = ()
        if self.numbers or self.names:
            self.named = _parameters(function)
            for n in self.numbers:
                if self.named and not -len(self.named) <= n < len(self.named):
                    raise InputError(
                        f"jit: static_argnums={n}, but the function has {len(self.named)} parameters",
                        "count from 0",
                        source.here(),
                    )

    def _static(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[set[int], set[str]]:
        count = len(self.named) or len(args)
        numbers = {n % count if n < 0 else n for n in self.numbers}
        names = set(self.names)
        for n in list(numbers):
            if n < len(self.named):
                names.add(self.named[n])
        numbers |= {n for n, name in enumerate(self.named) if name in self.names}
        return numbers, names & set(kwargs)

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Opened:
        """The call taken apart; raises NotCompiled where the plain function should have it."""
        if self.numbers or self.names:
            numbers, names = self._static(args, kwargs)
            args = tuple(_Static(a) if n in numbers else a for n, a in enumerate(args))
            kwargs = {k: _Static(a) if k in names else a for k, a in kwargs.items()}
        found, structure = tree.flatten((args, kwargs))
        leaves: list[Any] = []
        values: list[Any] = []
        traced = False
        for x in found:
            x = plain(x)
            leaf = _opened(x)
            if type(leaf) is not Fixed:
                if hasattr(x, "__wengert__"):
                    x = x.__wengert__()
                traced = traced or isinstance(x, Handle)
                values.append(x)
            leaves.append(leaf)
        simple = not kwargs and len(values) == len(args) == len(leaves)
        return Opened(structure, tuple(leaves), values, traced, simple)


class _Static:
    """Keeps a static argument in one piece."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _opened(x: Any) -> Any:
    cls = type(x)
    if cls is np.ndarray:
        if x.dtype.kind not in "fciub":
            raise NotCompiled(f"an array of dtype {x.dtype}")
        if not x.dtype.isnative:
            return Leaf(Kind.ARRAY, ArrayType.of(x.shape, x.dtype.newbyteorder("=")), False)
        return Leaf(Kind.ARRAY, type_of(x), False)
    weak = _WEAK.get(cls)
    if weak is not None:
        if cls is int and not -(2**63) <= x < 2**63:
            raise NotCompiled("an integer of more than 64 bits")
        return Leaf(*weak, True)
    if cls is _Static:
        try:
            return Fixed(x.value)
        except TypeError:
            raise InputError(
                f"jit: a static argument is a {type(x.value).__name__}, which is not hashable",
                "static arguments are part of a key: pass a tuple for a list, or leave it out of "
                "static_argnums and static_argnames",
                source.here(),
            ) from None
    if isinstance(x, np.generic) and x.dtype.kind in "fciub":
        return Leaf(Kind.DOUBLE if x.dtype == _DOUBLE else Kind.SCALAR, type_of(x), False)
    if isinstance(x, Handle):
        return Leaf(Kind.ARRAY, x.type, bool(getattr(x, "weak", False)))  # type: ignore[attr-defined]
    if hasattr(x, "__wengert__"):
        return _opened(x.__wengert__())
    if isinstance(x, np.memmap):
        return Leaf(Kind.ARRAY, type_of(np.asarray(x)), False)
    if isinstance(x, np.ndarray) or hasattr(x, "__array_function__"):
        raise NotCompiled(f"a {cls.__module__.split('.')[0]}.{cls.__name__}")
    return _fixed(x)


def _fixed(x: Any) -> Fixed:
    try:
        return Fixed(x)
    except TypeError:
        raise NotCompiled(f"a {type(x).__name__}, which is neither numbers nor hashable") from None


def _listed(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, int | str) else tuple(given)


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        found = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return ()
    return tuple(p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
