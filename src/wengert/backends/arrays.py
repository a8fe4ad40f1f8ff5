"""Arrays on their way into loop code: memory with strides, or a grid of scalars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.code import SMALL, Buffer, Value
from wengert.backends.scalars import PARTS, Pair, Scalar, scalar_type

if TYPE_CHECKING:
    from wengert.backends.emit import Emitter

Index = tuple[Any, ...]


class Flat:
    """An index into all arrays of one shape at once: the number of the element in C order."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


class Stored:
    """Memory: element `idx` stands at `offset + Σ idx · strides` (in items)."""

    __slots__ = ("buffer", "dtype", "offset", "shape", "strides", "whole")

    def __init__(
        self,
        buffer: Buffer,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        offset: Value,
        strides: tuple[Value, ...],
        whole: bool,
    ) -> None:
        self.buffer, self.shape, self.dtype = buffer, shape, dtype
        self.offset, self.strides = offset, strides
        self.whole = whole  # in C order, without gaps

    def place(self, e: Emitter, idx: Any) -> Value:
        """Where the element stands."""
        w = e.w
        if idx.__class__ is Flat:
            return w.op("add", idx.value, self.offset)
        total = self.offset
        for i, stride in zip(idx, self.strides, strict=True):
            total = w.op("add", w.op("mul", i, stride), total)
        return total

    def at(self, e: Emitter, idx: Any) -> Scalar:
        """The element."""
        place = self.place(e, idx)
        if self.dtype in PARTS:
            twice = e.w.op("mul", place, e.two)
            return Pair(
                e.w.load(self.buffer, twice), e.w.load(self.buffer, e.w.op("add", twice, e.one))
            )
        return e.w.load(self.buffer, place)

    def put(self, e: Emitter, idx: Any, x: Scalar) -> None:
        """Write the element."""
        place = self.place(e, idx)
        if self.dtype in PARTS:
            twice = e.w.op("mul", place, e.two)
            e.w.store(self.buffer, twice, x.re)
            e.w.store(self.buffer, e.w.op("add", twice, e.one), x.im)
        else:
            e.w.store(self.buffer, place, x)


class Grid:
    """Scalars in the shape of a small array."""

    __slots__ = ("dtype", "items", "memory", "shape")

    def __init__(self, items: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> None:
        self.items, self.dtype = items, dtype
        self.shape = items.shape
        self.memory: Stored | None = None

    def at(self, e: Emitter, idx: Any) -> Scalar:
        """The element; at an index that varies, from memory."""
        if idx.__class__ is not Flat and all(i.op == "const" for i in idx):
            return self.items[tuple([i.data for i in idx])]
        return e.spilled(self).at(e, idx)


class Kept:
    """Memory of which some elements are at hand as scalars."""

    __slots__ = ("place", "values")

    def __init__(self, place: Stored, values: dict[Any, Scalar]) -> None:
        self.place, self.values = place, values

    def at(self, e: Emitter, idx: Any) -> Scalar:
        """The element."""
        found = self.values.get(idx)
        return self.place.at(e, idx) if found is None else found


def dense(
    e: Emitter, buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype[Any], offset: Value
) -> Stored:
    """A whole array in C order."""
    strides: list[Value] = []
    step = e.one
    for n in reversed(shape):
        strides.append(step)
        step = e.w.op("mul", step, e.dim(n))
    return Stored(buffer, shape, dtype, offset, tuple(reversed(strides)), True)


def is_small(shape: tuple[int, ...], limit: int) -> bool:
    """Are all extents compiled in, and the elements few?"""
    size = 1
    for n in shape:
        if n > SMALL:
            return False
        size *= n
    return size <= limit


def buffer_size(e: Emitter, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The size of a buffer that holds an array, as a product."""
    known, varying = 1, []
    for n in shape:
        if n > SMALL:
            varying.append(e.dim(n))
        else:
            known *= n
    if dtype in PARTS:
        known *= 2
    varying.sort(key=lambda v: v.data)
    return (*varying, known) if known != 1 else tuple(varying)


def new_buffer(
    e: Emitter, shape: tuple[int, ...], dtype: np.dtype[Any], role: str, name: str
) -> Buffer:
    """A buffer for an array."""
    return Buffer(name, scalar_type(dtype), buffer_size(e, shape, dtype), role)
