"""Order: sorting, the permutation that sorts, and places in sorted arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import _named, everywhere, extent_of


class ArgSort(Primitive):
    """`argsort[axis](x)`: the permutation that sorts, stable. Constant almost everywhere."""

    name = "argsort"
    tags = {"axis": "axis"}

    def typeof(self, x: ArrayType, *, axis: int) -> ArrayType:
        return ArrayType.of(x.shape, np.dtype(np.intp))

    def eval(self, x: Any, *, axis: int) -> Any:
        return np.argsort(x, axis, kind="stable")

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axis: int) -> Values:
        return (None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int
    ) -> Values:
        return (None,)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int) -> Values:
        (order,), (x,), (r,) = ys, xs, rs
        if r is None:
            return (None,)
        return (np.where(crowded(x, r, order, axis), float(type_of(x).shape[axis]), 0),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def crowded(x: Any, r: Any, order: Any, axis: int) -> Any:
    """Which places of the sorted x may belong to a neighbour?"""
    lead = (slice(None),) * axis
    low, high = (*lead, slice(None, -1)), (*lead, slice(1, None))
    y, s = np.take_along_axis(x, order, axis), np.take_along_axis(r, order, axis)
    room = s[low] + s[high]
    near = ~(y[high] - y[low] > room) & (room != 0)
    none = np.zeros_like(y[(*lead, slice(0, 1))], dtype=bool)
    return np.concatenate([near, none], axis) | np.concatenate([none, near], axis)


class SearchSorted(Primitive):
    """`searchsorted[side](a, v)`: where v would go in the sorted a. Axes before the last of a are a stack."""

    name = "searchsorted"

    def typeof(self, a: ArrayType, v: ArrayType, *, side: str) -> ArrayType:
        return ArrayType.of(v.shape, np.dtype(np.intp))

    def eval(self, a: Any, v: Any, *, side: Any) -> Any:
        if a.ndim == 1:
            return np.searchsorted(a, v, side)
        y = np.empty(v.shape, np.intp)
        for at in np.ndindex(a.shape[:-1]):
            y[at] = np.searchsorted(a[at], v[at], side)
        return y

    def lower(self, k: Any, a: Any, v: Any, *, side: Any) -> Any:
        return k.searched(a, v, side == "right")

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, side: str) -> Values:
        return (None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, side: str
    ) -> Values:
        return None, None

    def bound(self, ys: Values, xs: Values, rs: Values, *, side: str) -> Values:
        (a, v), (r, s) = xs, rs
        if r is None and s is None:
            return (None,)
        room = 0 if s is None else s
        if r is not None:
            width = np.max(r, axis=-1)
            room = room + np.reshape(
                width, (*type_of(width).shape, *(1,) * (type_of(v).ndim - type_of(width).ndim))
            )
        high, low = self(a, v + room, side=side), self(a, v - room, side=side)
        return ((high - low).astype(float),)

    def batch(self, batched: tuple[bool, ...], a: Any, v: Any, *, side: str) -> Any:
        if not batched[0] and type_of(a).ndim == 1:
            return self(a, v, side=side)
        n = extent_of(batched, (a, v))
        a, v = (x if b else everywhere(x, n) for x, b in zip((a, v), batched, strict=True))
        return self(a, v, side=side)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


class Sort(Primitive):
    """`sort[axis](x)`: in ascending order, nan last. A permutation: what it is, argsort says."""

    name = "sort"
    tags = {"axis": "axis"}

    def typeof(self, x: ArrayType, *, axis: int) -> ArrayType:
        return x

    def eval(self, x: Any, *, axis: int) -> Any:
        return np.sort(x, axis)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axis: int) -> Values:
        return (np.take_along_axis(dxs[0], argsort(xs[0], axis=axis), axis),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int
    ) -> Values:
        back = argsort(argsort(xs[0], axis=axis), axis=axis)
        return (np.take_along_axis(gs[0], back, axis),)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int) -> Values:
        (y,), (x,), (r,) = ys, xs, rs
        if r is None:
            return (None,)
        own = np.take_along_axis(r, argsort(x, axis=axis), axis)
        above, below = self(x + r, axis=axis) - y, y - self(x - r, axis=axis)
        return (np.maximum(own, np.maximum(above, below)),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


argsort, sort, searchsorted = ArgSort(), Sort(), SearchSorted()
