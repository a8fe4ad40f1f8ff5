"""From a user's call to flat leaves and back: which arguments, which leaves, of which type."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert import tree
from wengert.errors import InputError, StructureError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.numpy_api.promote import cast
from wengert.trace.idle import plain
from wengert.trace.trace import innermost, meet
from wengert.trace.tracer import Tracer

Argnums = int | Sequence[int]
_STATIC = (str, bytes, bool, type(None))


class Leaf:
    """One differentiable leaf: its number (or outer tracer), its type, and how it came."""

    __slots__ = ("given", "type", "value", "weak")

    def __init__(self, given: Any, value: Any, weak: bool) -> None:
        self.given = given
        self.value = value
        self.type = type_of(value)
        self.weak = weak


class Call:
    """A call with some arguments opened into leaves: `call.run(tracers)` is the user's function."""

    __slots__ = (
        "args",
        "f",
        "kwargs",
        "leaves",
        "shows",
        "single",
        "slots",
        "statics",
        "structures",
    )

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums | None,
        argnames: str | Sequence[str] | None, what: str,
    ) -> None:  # fmt: skip
        self.f, self.args, self.kwargs = f, args, kwargs
        self.shows = False  # are the other arguments traced too, to be looked at?
        self.single = (isinstance(argnums, int) and argnames is None) or (
            argnums is None and isinstance(argnames, str)
        )
        self.slots: list[int | str] = _slots(f, args, kwargs, argnums, argnames, what)
        self.leaves: list[Leaf] = []
        self.structures: list[
            tuple[Any, list[Any]]
        ] = []  # per slot: structure, leaf numbers or statics
        for slot in self.slots:
            value = kwargs[slot] if isinstance(slot, str) else args[slot]
            found, structure = tree.flatten(value)
            places: list[Any] = []
            for n, x in enumerate(found):
                if type(x) is np.ndarray and x.dtype.kind == "f":
                    leaf: Leaf | None = Leaf(x, x, False)
                else:
                    leaf = open_leaf(x, partial(_place, value, n, slot), what)
                places.append(len(self.leaves) if leaf is not None else _Static(x))
                if leaf is not None:
                    self.leaves.append(leaf)
            self.structures.append((structure, places))

    def own(self) -> Call:
        """The call on copies: for a derivative that is asked for later, when the user may have written."""
        for leaf in self.leaves:
            if isinstance(leaf.value, np.ndarray):
                leaf.value = leaf.value.copy()
        return self

    def names(self) -> list[str]:
        """A name for each leaf, and for the other numbers: that of the argument; a place in a container."""
        try:
            kinds = inspect.signature(self.f).parameters.values()
            known = [p.name for p in kinds if p.kind in (0, 1)]
        except (TypeError, ValueError):
            known = []
        if len(self.slots) != len(self.leaves):
            return [f"leaf {n}" for n in range(len(self.leaves))]
        slots = [*self.slots, *(self._others() if self.shows else ())]
        return [
            s if isinstance(s, str) else known[s] if s < len(known) else f"argument {s}"
            for s in slots
        ]

    def _others(self) -> list[int | str]:
        """The arguments that are not opened."""
        every: list[int | str] = [*range(len(self.args)), *self.kwargs]
        return [at for at in every if at not in self.slots]

    def changed(self, change: Callable[[Any], Any]) -> Call:
        """The same call with other values in its arguments, to be run only."""
        other: Call = object.__new__(Call)
        other.f, other.leaves = self.f, []
        other.args, other.kwargs = tree.map_leaves(change, (self.args, self.kwargs))
        other.slots, other.structures, other.single = self.slots, self.structures, self.single
        other.shows = self.shows
        return other

    def run(self, values: Sequence[Any]) -> Any:
        """The user's function with `values` in place of the leaves."""
        args, kwargs = list(self.args), self.kwargs
        builder = innermost() if self.shows else None
        if builder is not None:
            see, kwargs = partial(_shown, builder), dict(kwargs)
            for at in self._others():
                where: Any = kwargs if isinstance(at, str) else args
                where[at] = tree.map_leaves(see, where[at])
        for n, built in enumerate(self.rebuild(values)):
            slot = self.slots[n]
            if type(slot) is str:
                kwargs = {**kwargs, slot: built}
            else:
                args[slot] = built  # type: ignore[index]
        meet(self.f)
        return self.f(*args, **kwargs) if kwargs else self.f(*args)

    def rebuild(self, values: Sequence[Any], static: bool = True) -> list[Any]:
        """Containers like the opened arguments, one per slot; statics are kept or become None."""
        built = []
        for structure, places in self.structures:
            if structure is tree.ONE and type(places[0]) is int:
                built.append(values[places[0]])
                continue
            leaves = [
                values[p] if type(p) is int else (p.value if static else None) for p in places
            ]
            built.append(tree.unflatten(structure, leaves))
        return built

    def results(self, values: Sequence[Any]) -> Any:
        """One container for one argnum, a tuple for several."""
        built = self.rebuild(values, static=False)
        return built[0] if self.single else tuple(built)


_SMALL = 4096  # larger arrays that nothing is differentiated by are taken as they are


def _shown(builder: Any, x: Any) -> Any:
    """A real or complex number, or a small array of them, as a traced value; others as they are."""
    known = plain(x)
    if type(known) in (float, complex):
        return builder.reveal(np.asarray(known)[()], True)
    if isinstance(known, Tracer):
        t, weak = known.type, known.weak
    elif isinstance(known, np.ndarray | np.inexact) and known.dtype.kind in "fc":
        t, weak = type_of(known), False
    else:
        return x
    if not t.inexact or t.size > _SMALL:
        return x
    return builder.reveal(known.snapshot() if isinstance(known, Tracer) else known, weak)


class _Static:
    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _slots(
    f: Any, args: Any, kwargs: Any, argnums: Any, argnames: Any, what: str
) -> list[int | str]:
    found: list[int | str] = []
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames or ())
    numbers: Sequence[Any]
    if type(argnums) is int:
        if 0 <= argnums < len(args) and not names:
            return [argnums]
        numbers = (argnums,)
    elif argnums is None:
        numbers = ()
    else:
        numbers = (argnums,) if isinstance(argnums, np.integer) else tuple(argnums)
    for n in numbers:
        k = n + len(args) if n < 0 else n
        if not 0 <= k < len(args):
            name = _parameter(f, n)
            if name in kwargs:  # the user passed it by keyword
                found.append(name)
                continue
            raise InputError(
                f"{what}: argnums={n}, but {getattr(f, '__name__', 'the function')} was called with {len(args)} positional arguments",
                "pass the argument, or name it with argnames=",
                source.here(),
            )
        found.append(k)
    for name in names:
        if name in kwargs:
            found.append(name)
            continue
        position = next((n for n in range(len(args)) if _parameter(f, n) == name), None)
        if position is None:
            raise InputError(
                f"{what}: there is no argument {name!r} in this call",
                "check argnames=",
                source.here(),
            )
        found.append(position)
    return found


def _parameter(f: Any, n: int) -> str:
    try:
        return list(inspect.signature(f).parameters)[n]
    except (ValueError, TypeError, IndexError):
        return ""


def _place(value: Any, n: int, slot: int | str) -> str:
    where = f"argument {slot!r}" if isinstance(slot, str) else f"argument {slot}"
    path = tree.paths(value)[n]
    return f"{where} at {path}" if path else where


def open_leaf(x: Any, place: Callable[[], str], what: str) -> Leaf | None:
    """A leaf to differentiate, or None for strings, flags and None, which pass through untouched."""
    x = plain(x)
    cls = type(x)
    if cls is np.ndarray or isinstance(x, np.generic):
        kind = x.dtype.kind
        if kind in "fc":
            return Leaf(x, x, False)
        if kind == "b" and isinstance(x, np.generic):
            return None
        raise _refused(x, place(), what)
    if cls is Tracer:
        if x.type.inexact:
            return Leaf(x, x, x.weak)
        if x.weak and x.type.dtype.kind == "i":  # a Python integer, which jit has traced
            number = cast(x, np.dtype(np.float64))
            return Leaf(number, number, True)
        if x.type.dtype.kind in "iu" or x.shape:
            raise _refused(x, place(), what)
        return None
    if cls is float:
        return Leaf(x, np.float64(x), True)
    if isinstance(x, _STATIC):
        return None
    if cls is int:
        return Leaf(float(x), np.float64(x), True)
    if cls is complex:
        return Leaf(x, np.complex128(x), True)
    if isinstance(x, np.ma.MaskedArray) or (isinstance(x, np.ndarray) and cls is not np.ndarray):
        raise _refused(x, place(), what)
    if hasattr(x, "__wengert__"):  # a variable or constant of a tape
        return open_leaf(x.__wengert__(), place, what)
    if callable(x) and not hasattr(x, "__array__"):
        return None
    if hasattr(x, "__dlpack__") and not isinstance(x, np.ndarray):
        return open_leaf(np.from_dlpack(x), place, what)
    raise _refused(x, place(), what)


def _refused(x: Any, place: str, what: str) -> InputError:
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    if isinstance(x, np.ma.MaskedArray):
        return InputError(
            f"{what}: {place} is a masked array", "fill it first: x.filled(0.0)", source.here()
        )
    if kind in ("i", "u", "b") and isinstance(x, np.ndarray | np.generic | Tracer):
        return InputError(
            f"{what}: {place} has dtype {x.dtype}, which cannot move by an infinitesimal step",
            "pass x.astype(float), or leave it out of argnums",
            source.here(),
        )
    if kind == "O":
        return InputError(
            f"{what}: {place} is an array of Python objects",
            "convert it with np.asarray(x, dtype=float)",
            source.here(),
        )
    module = type(x).__module__.split(".")[0]
    way = "pass x.to_numpy()" if module in ("pandas", "polars", "xarray") else (
        "pass numbers, NumPy arrays, or dicts, lists, tuples and dataclasses of them"
    )  # fmt: skip
    return InputError(f"{what}: {place} is a {module}.{type(x).__name__}", way, source.here())


def deliver(g: Any, leaf: Leaf) -> Any:
    """A cotangent or tangent as the kind of value that the leaf was: array, scalar or float."""
    if isinstance(g, Tracer):
        boxed = isinstance(leaf.given, Tracer) and leaf.given.boxed
        if not leaf.type.shape and (leaf.weak, boxed) != (g.weak, g.boxed):
            g = g.snapshot()  # as what is handed out of no trace: a float, an array
            g.weak, g.boxed = leaf.weak, boxed
        return g
    if g is None:
        g = np.zeros(leaf.type.shape, leaf.type.dtype)
    if leaf.type.shape == ():
        number = g[()] if isinstance(g, np.ndarray) else g
        if isinstance(leaf.given, np.ndarray):
            return np.array(number)
        if leaf.weak and not isinstance(leaf.given, Tracer):
            return number.item()
        return number
    if g.base is not None or not g.flags.writeable or not g.flags.c_contiguous or g is leaf.value:
        g = np.array(g, order="C")
    return g


def split_aux(out: Any, has_aux: bool) -> tuple[Any, Any]:
    """(value, aux) of a function's result."""
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise StructureError(
            "with has_aux=True the function must return (value, aux)",
            "return a pair",
            source.here(),
        )
    return out[0], out[1]
