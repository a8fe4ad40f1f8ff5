"""Reductions whose results are integers or truth values: constants for the derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import _named
from wengert.ops.radii import touches
from wengert.ops.reduce import (
    Axes,
    back,
    extent,
    max_,
    max_here,
    min_,
    spread,
    sum_,
    without,
)


class Counted(Primitive):
    """Reductions whose results are integers or booleans: constants for the derivative."""

    tags = {"axes": "axis"}

    def __init__(self, name: str, value: Any, lower: Any) -> None:
        self.name, self.value = name, value
        self.lower = lower  # type: ignore[method-assign]

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        y = self.value(np.ones((1,) * x.ndim, x.dtype), axes)
        return ArrayType.of(without(x.shape, axes), y.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return self.value(x, axes)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axes: Axes) -> Values:
        return (None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        return (None,)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        (x,), (r,) = xs, rs
        if r is None:
            return (None,)
        if self.name == "count_nonzero":
            near = r if r.dtype.kind == "b" else touches(x, r)
            return (sum_(near.astype(float), axes=axes),)
        if self.name in ("all", "any"):
            near, truth = (r, x) if r.dtype.kind == "b" else (touches(x, r), x != 0)
            if self.name == "any":  # one that is surely there decides
                return (any_(near, axes=axes) & ~any_(truth & ~near, axes=axes),)
            return (any_(near, axes=axes) & all_(truth | near, axes=axes),)
        best = (max_ if self.name == "argmax" else min_)(x, axes=axes)
        near = ~(np.abs(back(best, type_of(x).shape, axes) - x) > r + max_here(r, axes))
        several = (sum_(near.astype(float), axes=axes) > 1) & (max_(r, axes=axes) != 0)
        return (np.where(several, float(extent(type_of(x).shape, axes)), 0),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _arg(find: Any) -> Any:
    def value(x: Any, axes: Axes) -> Any:
        if len(axes) == 1:
            return find(x, axes[0])
        kept = tuple(d for d in range(x.ndim) if d not in axes)
        flat = np.reshape(np.transpose(x, (*kept, *axes)), (*(x.shape[d] for d in kept), -1))
        return find(flat, -1)

    return value


_TRUTH, _WHOLE = np.dtype(bool), np.dtype(np.int64)


def _truths(op: str) -> Any:
    return lambda k, x, *, axes: k.reduce(op, k.cast(x, _TRUTH), axes)


def _arg_lower(op: str) -> Any:
    """The first place of the extreme (of the first nan, if there is one)."""

    def lower(k: Any, x: Any, *, axes: Axes) -> Any:
        if not all(x.shape[a] for a in axes) or x.dtype == bool:
            return NotImplemented
        top = spread(k, k.reduce(op, x, axes), x.shape, axes)
        place = None
        for a in axes:
            here = k.position(x.shape, a)
            extent = k.count([x.shape[a]], _WHOLE)
            place = (
                here
                if place is None
                else k.map(
                    lambda s, p, n, i: s.add(s.mul(p, n), i), place, extent, here, dtype=_WHOLE
                )
            )

        def candidate(s: Any, x: Any, top: Any, i: Any) -> Any:
            hit = s.eq(x, top)
            if x.type[0] == "f":
                hit = s.or_(hit, s.ne(x, x))
            return s.select(hit, i, s.like(2**63 - 1, i))

        return k.reduce("min", k.map(candidate, x, top, place, dtype=_WHOLE), axes)

    return lower


all_ = Counted("all", lambda x, axes: np.logical_and.reduce(x, axes), _truths("and"))
any_ = Counted("any", lambda x, axes: np.logical_or.reduce(x, axes), _truths("or"))
argmax = Counted("argmax", _arg(np.argmax), _arg_lower("max"))
argmin = Counted("argmin", _arg(np.argmin), _arg_lower("min"))
count_nonzero = Counted(
    "count_nonzero",
    lambda x, axes: np.add.reduce(x != 0, axes, dtype=np.int64),
    lambda k, x, *, axes: k.reduce("add", k.cast(k.cast(x, _TRUTH), _WHOLE), axes),
)
