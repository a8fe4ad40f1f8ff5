"""What an index means: `x[…]` in any of NumPy's forms, as places in x.

Integers and slices stay a basic index. Everything else becomes one array of element numbers, in the
layout that NumPy gives the result: index arrays, masks, slices and integers between the first and
the last axis that is not taken whole are added up, each times its stride.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.errors import DataDependentShapeError
from wengert.ir import source
from wengert.numpy_api.promote import cast, operand, shape_of
from wengert.ops import index as ops
from wengert.trace.tracer import Tracer

Shape = tuple[int, ...]
INT = np.dtype(np.intp)
ALL = slice(None)


class Where:
    """An index, understood: an item per axis of the array, and None for each new axis between them.

    Items are integers, slices, and arrays of integers from 0 on, which may be traced.
    """

    __slots__ = ("advanced", "gap", "items", "shape", "whole")

    def __init__(self, at: Any, shape: Shape) -> None:
        self.shape = shape
        self.items, self.gap = _items(at, shape)
        self.advanced = any(is_array(i) for i in self.items)
        self.whole = all(map(is_all, self.items))

    def basic(self) -> tuple[ops.Basic, Shape]:
        """As a basic index, and the axes of the result that are new."""
        at: list[Any] = []
        new: list[int] = []
        position = 0
        for i in self.items:
            if i is None:
                new.append(position)
            else:
                at.append(i)
            position += type(i) is not int
        while at and is_all(at[-1]):
            at.pop()
        return tuple(at), tuple(new)

    def numbers(self, everywhere: bool = False) -> tuple[int, int, Any]:
        """As a gather: the first axis, how many are merged, and the element numbers along them.

        Whole axes before and after are left out, unless `everywhere`.
        """
        items = self.items
        touched = [n for n, i in enumerate(items) if not is_all(i)]
        picks = [n for n in touched if items[n] is not None and type(items[n]) is not slice]
        common = _common([items[n].shape for n in picks if type(items[n]) is not int])
        # side by side, the axes of the arrays stay in their place; apart, they come first (an
        # Ellipsis parts them, even if it stands for no axis)
        beside = not common or (
            len(picks) == picks[-1] - picks[0] + 1 and not picks[0] < self.gap <= picks[-1]
        )
        first, last = (
            (0, len(items))
            if everywhere or not touched
            else (touched[0] if beside else 0, touched[-1] + 1)
        )
        begins: dict[int, int] = {} if beside else dict.fromkeys(picks, 0)
        ndim = 0 if beside else len(common)
        for n in range(first, last):
            if n not in begins:
                begins.update(dict.fromkeys(picks if n in picks else [n], ndim))
                ndim += len(common) if n in picks else 1
        axis = sum(i is not None for i in items[:first])
        extents = iter(self.shape[axis:])
        merged = [(n, next(extents)) for n in range(first, last) if items[n] is not None]
        ids: Any = None
        fixed, stride = 0, 1
        for n, extent in reversed(merged):
            i = items[n]
            if type(i) is int:
                fixed += i % extent * stride
            else:
                term = np.arange(*i.indices(extent)) if type(i) is slice else i
                behind = ndim - begins[n] - (len(common) if n in picks else 1)
                term = term.reshape(*term.shape, *(1,) * behind) if behind else term
                term = term * stride if stride != 1 else term
                ids = term if ids is None else ids + term
            stride *= extent
        ids = np.array(fixed) if ids is None else ids + fixed if fixed else ids
        if ids.ndim < ndim:  # new axes in front
            ids = ids.reshape(*(1,) * (ndim - ids.ndim), *ids.shape)
        if type(ids) is np.ndarray:
            ids.flags.writeable = False
        return axis, len(merged), ids


def placing(axis: int, merged: int) -> dict[str, int]:
    """Parameters of a gather, without those that are as usual."""
    params = {"axis": axis} if axis else {}
    return {**params, "merged": merged} if merged != 1 else params


def _common(shapes: list[Shape]) -> Shape:
    """The shape that index arrays broadcast to."""
    if len(shapes) == 1:
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " ".join(map(str, shapes))
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {listed} "
        ) from None


def is_array(i: Any) -> bool:
    """Is this item of an index an array of integers?"""
    return type(i) is np.ndarray or type(i) is Tracer


def is_all(i: Any) -> bool:
    return type(i) is slice and i.start is None and i.stop is None and i.step in (None, 1)


# ---- the common cases, quickly --------------------------------------------------------------------------


def plain(s: slice) -> bool:
    """Is this a slice of Python integers?"""
    a, b, c = s.start, s.stop, s.step
    return (
        (a is None or type(a) is int)
        and (b is None or type(b) is int)
        and (c is None or type(c) is int)
    )


def is_direct(at: tuple[Any, ...], shape: Shape) -> bool:
    """Is this a tuple of Python integers and slices, a basic index as it stands?"""
    if not 0 < len(at) <= len(shape):
        return False
    for i, n in zip(at, shape, strict=False):
        if type(i) is int:
            if not -n <= i < n:
                return False
        elif type(i) is not slice or not plain(i):
            return False
    return True


def with_new_axes(at: Any, shape: Shape) -> Shape | None:
    """The shape of `x[at]` where the index only adds axes."""
    given = at if type(at) is tuple else (at,)
    rest = len(shape) - sum(type(i) is slice for i in given)  # axes for the Ellipsis
    if rest < 0 or not any(i is None for i in given):
        return None
    found: list[int] = []
    axis = 0
    for i in given:
        if i is None:
            found.append(1)
        elif type(i) is slice and is_all(i):
            found.append(shape[axis])
            axis += 1
        elif i is Ellipsis and rest >= 0:
            found.extend(shape[axis : axis + rest])
            axis, rest = axis + rest, -1
        else:
            return None
    return (*found, *shape[axis:])


def single(at: Any, shape: Shape) -> tuple[int, Any] | None:
    """How many axes are merged, and the element numbers along them, where the index is one array or mask."""
    if type(at) is Tracer:
        at.handed_out()
        at = at.number()
    if type(at) is not np.ndarray or not at.ndim > 0 or not shape:
        return None
    kind = at.dtype.kind
    if kind == "b" and at.shape == shape[: at.ndim]:
        ids, merged = np.flatnonzero(at), at.ndim
    elif kind in "iu":
        ids, merged = _fitted(at.astype(INT), 0, shape[0]), 1
    else:
        return None
    ids.flags.writeable = False  # nobody else has it: recording need not copy it
    return merged, ids


# ---- from what the user wrote to items -----------------------------------------------------------------


class _Mask:
    """One axis of a mask, until it is known which axis of the array it meets."""

    __slots__ = ("extent", "rows")

    def __init__(self, rows: Any, extent: int) -> None:
        self.rows, self.extent = rows, extent


def _items(at: Any, shape: Shape) -> tuple[list[Any], int]:
    """The items of an index, and where its Ellipsis stands."""
    found: list[Any] = []
    gap = None
    for i in at if type(at) is tuple else (at,):
        if i is Ellipsis:
            if gap is not None:
                raise IndexError("an index can only have a single ellipsis ('...')")
            gap = len(found)
        else:
            found.extend(_item(i))
    used = sum(i is not None for i in found)
    if used > len(shape):
        raise IndexError(
            f"too many indices for array: array is {len(shape)}-dimensional, but {used} were indexed"
        )
    gap = len(found) if gap is None else gap
    found[gap:gap] = [ALL] * (len(shape) - used)
    axes = iter(enumerate(shape))
    return [None if i is None else _fitted(i, *next(axes)) for i in found], gap


def _item(i: Any) -> list[Any]:
    """One index as items; a mask as one for each of its axes."""
    if i is None or type(i) is int:
        return [i]
    if type(i) is slice:
        return [slice(*(None if b is None else _bound(b) for b in (i.start, i.stop, i.step)))]
    if isinstance(i, list | tuple):
        i = operand(i)
        if shape_of(i) == (0,):
            i = np.zeros(0, INT)
        elif i.dtype.kind not in "iub":
            raise _no_index()
    if type(i) is Tracer:
        number = i.number()
        if number is None:
            if i.dtype.kind == "b":
                raise DataDependentShapeError(
                    f"how many elements the mask {i.type!r} picks is unknown in a trace that knows only types",
                    "keep the shape: np.where(mask, x, 0) instead of x[mask]",
                    source.here(),
                )
            if i.dtype.kind in "iu":
                return [cast(i, INT)]
            raise _no_array()
        i.handed_out()
        i = number
    if isinstance(i, np.ndarray):
        if i.dtype.kind == "b":
            return [_Mask(rows, n) for rows, n in zip(np.nonzero(i), i.shape, strict=True)]
        if i.dtype.kind not in "iu":
            raise _no_array()
        return [i.astype(INT) if i.ndim else int(i)]
    try:
        return [operator.index(i)]
    except TypeError:
        raise _no_index() from None


def _no_array() -> IndexError:
    return IndexError("arrays used as indices must be of integer (or boolean) type")


def _no_index() -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) "
        "and integer or boolean arrays are valid indices"
    )


def _bound(b: Any) -> int:
    if isinstance(b, Tracer) and b.number() is None:
        raise DataDependentShapeError(
            "the bound of a slice depends on numbers, in a trace that knows only types",
            "make it a Python integer, or keep the shape: np.where(np.arange(n) < stop, x, 0)",
            source.here(),
        )
    return operator.index(b)


def _fitted(i: Any, axis: int, n: int) -> Any:
    """An item for an axis of extent n: within bounds, arrays from 0 on."""
    if type(i) is int:
        if not -n <= i < n:
            raise outside(i, axis, n)
        return i
    if type(i) is _Mask:
        if i.extent != n:
            raise IndexError(
                f"boolean index did not match indexed array along axis {axis}; "
                f"size of axis is {n} but size of corresponding boolean axis is {i.extent}"
            )
        return i.rows
    if type(i) is np.ndarray and i.size:
        low = i.min()
        if low < -n or i.max() >= n:
            raise outside(i[(i < -n) | (i >= n)][0], axis, n)
        return _wrapped(i, n) if low < 0 else i
    return _wrapped(i, n) if type(i) is Tracer else i


def _wrapped(i: Any, n: int) -> Any:
    """Integers counted from the front; what lies before the front is out of range, and stays so."""
    return np.where(i < 0, np.where(i < -n, n, i + n), i)


def outside(i: Any, axis: int, n: int) -> IndexError:
    """NumPy's error for an index out of bounds."""
    return IndexError(f"index {i} is out of bounds for axis {axis} with size {n}")


def without_flags(x: Tracer, at: Any) -> tuple[Any, Any] | None:
    """`x[True]` adds an axis and takes all of it: (x with that axis, index), or None if there is no flag."""
    given = at if type(at) is tuple else (at,)
    if not any(map(_is_flag, given)):
        return None
    used = sum(_consumes(i) for i in given)
    items: list[Any] = []
    new: list[int] = []
    axis = 0
    for i in given:
        if _is_flag(i):
            new.append(axis)
            items.append(np.zeros(int(i), INT))
            axis += 1
        else:
            items.append(i)
            axis += x.ndim - used if i is Ellipsis else _consumes(i)
    return np.expand_dims(x, tuple(new)), tuple(items)


def _is_flag(i: Any) -> bool:
    if isinstance(i, bool | np.bool_):
        return True
    return isinstance(i, np.ndarray | Tracer) and i.dtype.kind == "b" and i.ndim == 0


def _consumes(i: Any) -> int:
    """How many axes an item takes."""
    if i is None or i is Ellipsis or _is_flag(i):
        return 0
    if isinstance(i, list):
        i = operand(i)
    return i.ndim if isinstance(i, np.ndarray | Tracer) and i.dtype.kind == "b" else 1
