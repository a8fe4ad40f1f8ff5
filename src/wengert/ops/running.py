"""Running sums, products and extremes along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Linear, _named, everywhere, extent_of, scale
from wengert.ops.radii import growth, lost, plus
from wengert.ops.shape import flip


class CumSum(Linear):
    """`cumsum[axis](x)`; its transpose runs from the other end."""

    name = "cumsum"
    tags = {"axis": "axis"}
    dense_tangents = False

    def typeof(self, x: ArrayType, *, axis: int) -> ArrayType:
        return x

    def eval(self, x: Any, *, axis: int) -> Any:
        return np.add.accumulate(x, axis, dtype=x.dtype)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axis: int) -> Values:
        return (flip(cumsum(flip(gs[0], axes=(axis,)), axis=axis), axes=(axis,)),)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int) -> Values:
        (x,), (r,) = xs, rs
        if x.dtype.kind not in "fc":
            return (None if r is None else self(r, axis=axis),)
        own = lost(x, type_of(x).shape[axis], underflows=False)
        return (self(plus(r, own), axis=axis),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def lower(self, k: Any, x: Any, *, axis: int) -> Any:
        return k.running(lambda s, t, x: s.add(t, x), [x], axis)


class CumProd(Primitive):
    """`cumprod[axis](x)`. Its tangent is the linear recurrence t[k] = t[k-1] x[k] + y[k-1] dx[k]."""

    name = "cumprod"
    tags = {"axis": "axis"}

    def typeof(self, x: ArrayType, *, axis: int) -> ArrayType:
        return x

    def eval(self, x: Any, *, axis: int) -> Any:
        return np.multiply.accumulate(x, axis, dtype=x.dtype)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axis: int) -> Values:
        (dx,), (x,), (y,) = dxs, xs, ys
        return (recurrence(dx * _before(y, axis), x, axis=axis, reverse=False),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int
    ) -> Values:
        (g,), (x,), (y,) = gs, xs, ys
        return (recurrence(g, x, axis=axis, reverse=True) * _before(y, axis),)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int) -> Values:
        (y,), (x,), (r,) = ys, xs, rs
        own = lost(y, type_of(x).shape[axis])
        if r is None:
            return (own,)
        size = np.abs(x)
        shares = cumsum(np.where(size > 0, r / np.where(size > 0, size, 1), np.inf), axis=axis)
        whole = self(size + r, axis=axis)
        return (plus(own, np.where(shares < 1, np.abs(y) * growth(shares), whole + np.abs(y))),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def lower(self, k: Any, x: Any, *, axis: int) -> Any:
        return k.running(lambda s, t, x: s.mul(t, x), [x], axis)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _before(y: Any, axis: int) -> Any:
    """y shifted by one, 1 in front: the product of everything before."""
    lead = (slice(None),) * axis
    return np.concatenate(
        [np.ones_like(y[(*lead, slice(0, 1))]), y[(*lead, slice(None, -1))]], axis
    )


class Recurrence(Primitive):
    """`recurrence[axis, reverse](b, a)`: t[k] = t[k-1] a[k] + b[k], a running weighted sum.

    With `reverse` the transpose of that: s[k] = s[k+1] a[k+1] + b[k].
    """

    name = "recurrence"
    tags = {"axis": "axis"}

    def typeof(self, b: ArrayType, a: ArrayType, *, axis: int, reverse: bool) -> ArrayType:
        return b

    def eval(self, b: Any, a: Any, *, axis: int, reverse: bool) -> Any:
        t = np.moveaxis(np.array(b), axis, 0)
        w = np.moveaxis(np.asarray(a), axis, 0)
        for k in range(len(t) - 2, -1, -1) if reverse else range(1, len(t)):
            t[k] += t[k + 1] * w[k + 1] if reverse else t[k - 1] * w[k]
        return np.moveaxis(t, 0, axis)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, True), wanted[1]

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axis: int, reverse: bool) -> Values:
        (db, da), (_, a), (t,) = dxs, xs, ys
        drive = db
        if da is not None:
            push = _shift(t * 1, axis, reverse, da)
            drive = push if db is None else db + push
        return (recurrence(drive, a, axis=axis, reverse=reverse),)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axis: int, reverse: bool
    ) -> Values:
        return recurrence(gs[0], args[1], axis=axis, reverse=not reverse), None

    def pullback(
        self,
        gs: Values,
        xs: Values,
        ys: Values,
        wanted: tuple[bool, ...],
        *,
        axis: int,
        reverse: bool,
    ) -> Values:
        (g,), (_, a) = gs, xs
        s = recurrence(g, a, axis=axis, reverse=not reverse)
        # b takes s; a[k] multiplies t[k-1] into t[k] (reverse: t[k] into t[k-1])
        ga = None
        if wanted[1]:
            t = ys[0]
            ga = _shift_down(t, axis) * s if not reverse else t * _shift_down(s, axis)
        return s if wanted[0] else None, ga

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int, reverse: bool) -> Values:
        (t,), (b, a), (r, s) = ys, xs, rs
        weights = np.abs(a) if s is None else np.abs(a) + s
        size = self(np.abs(b), weights, axis=axis, reverse=reverse)
        drive = plus(r, lost(size, 3))
        if s is not None:
            step = np.abs(t)
            drive = drive + (_shift_up(step * s, axis) if reverse else _shift_down(step, axis) * s)
        return (self(drive, weights, axis=axis, reverse=reverse),)

    def batch(self, batched: tuple[bool, ...], b: Any, a: Any, *, axis: int, reverse: bool) -> Any:
        n = extent_of(batched, (b, a))
        b, a = (v if m else everywhere(v, n) for v, m in zip((b, a), batched, strict=True))
        return self(b, a, axis=axis + 1, reverse=reverse)

    def lower(self, k: Any, b: Any, a: Any, *, axis: int, reverse: bool) -> Any:
        # backwards, the weight of a step stands with the one before
        late = (1,) if reverse else ()
        return k.running(lambda s, t, b, a: s.add(s.mul(t, a), b), [b, a], axis, reverse, late)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _shift_down(y: Any, axis: int) -> Any:
    """y[k-1] at k, 0 in front."""
    lead = (slice(None),) * axis
    return np.concatenate(
        [np.zeros_like(y[(*lead, slice(0, 1))]), y[(*lead, slice(None, -1))]], axis
    )


def _shift_up(y: Any, axis: int) -> Any:
    """y[k+1] at k, 0 at the end."""
    lead = (slice(None),) * axis
    return np.concatenate(
        [y[(*lead, slice(1, None))], np.zeros_like(y[(*lead, slice(0, 1))])], axis
    )


def _shift(t: Any, axis: int, reverse: bool, da: Any) -> Any:
    """What a change of the weights drives: t[k-1] da[k], or t[k+1] da[k+1] in reverse."""
    return _shift_up(t * da, axis) if reverse else _shift_down(t, axis) * da


class CumExtreme(Primitive):
    """`cummax[axis](x)`, `cummin[axis](x)`: the extreme so far; elements that tie share its slope."""

    tags = {"axis": "axis"}

    def __init__(self, name: str, function: np.ufunc) -> None:
        self.name, self.function = name, function

    def typeof(self, x: ArrayType, *, axis: int) -> ArrayType:
        return x

    def eval(self, x: Any, *, axis: int) -> Any:
        return self.function.accumulate(x, axis)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axis: int) -> Values:
        there, going, count = _reign(xs[0], ys[0], axis)
        return (recurrence(scale(there, dxs[0]), going, axis=axis, reverse=False) / count,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int
    ) -> Values:
        there, going, count = _reign(xs[0], ys[0], axis)
        return (scale(there, recurrence(gs[0] / count, going, axis=axis, reverse=True)),)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axis: int) -> Values:
        (r,) = rs
        return (None if r is None else cummax(r, axis=axis),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def lower(self, k: Any, x: Any, *, axis: int) -> Any:
        op = "max" if self.name == "cummax" else "min"
        return k.running(lambda s, t, x: s.combine(op, t, x), [x], axis)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _reign(x: Any, y: Any, axis: int) -> tuple[Any, Any, Any]:
    """Where x is the extreme so far; where the extreme is that of the step before; how many share it."""
    lead = (slice(None),) * axis
    there = ((x == y) | ((x != x) & (y != y))).astype(x.dtype)
    now, before = y[(*lead, slice(1, None))], y[(*lead, slice(None, -1))]
    same = ((now == before) | ((now != now) & (before != before))).astype(x.dtype)
    going = np.concatenate([np.zeros_like(y[(*lead, slice(0, 1))]), same], axis)
    return there, going, recurrence(there, going, axis=axis, reverse=False)


cumsum, cumprod, recurrence = CumSum(), CumProd(), Recurrence()
cummax, cummin = CumExtreme("cummax", np.maximum), CumExtreme("cummin", np.minimum)
