"""Reductions and running reductions over axes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Linear, _named, scale
from wengert.ops.shape import broadcast, flip

Axes = tuple[int, ...]


def without(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """`shape` with the axes gone."""
    return tuple(n for d, n in enumerate(shape) if d not in axes)


def back(y: Any, shape: tuple[int, ...], axes: Axes) -> Any:
    """Spread a reduced value over the axes it was reduced from."""
    return broadcast(y, shape=shape, dims=tuple(d for d in range(len(shape)) if d not in axes))


class Sum(Linear):
    """`sum[axes](x)`; axes are non-negative and ascending."""

    name = "sum"
    tags = {"axes": "axis"}
    dense_tangents = False

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        return ArrayType.of(without(x.shape, axes), x.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return np.add.reduce(x, axes, dtype=x.dtype)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: Axes) -> Values:
        return (back(gs[0], type_of(args[0]).shape, axes),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))


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

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)


class Reduction(Primitive):
    """A non-linear reduction whose Jacobian is one slope per element: `slope(y, x)`, y spread over x."""

    tags = {"axes": "axis"}
    same_dtype: ClassVar[bool] = True

    def __init__(self, name: str, value: Any, slope: Any) -> None:
        self.name, self.value, self.slope = name, value, slope

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        y = self.value(np.ones((1,) * x.ndim, x.dtype), axes)
        return ArrayType.of(without(x.shape, axes), y.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return self.value(x, axes)

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axes: Axes) -> Values:
        (x,), (y,) = xs, ys
        slope = self.slope(back(y, type_of(x).shape, axes), x, axes)
        return (sum_(scale(dxs[0], slope), axes=axes),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axes: Axes) -> Values:
        (x,), (y,) = xs, ys
        shape = type_of(x).shape
        return (scale(back(gs[0], shape, axes), self.slope(back(y, shape, axes), x, axes)),)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _share(y: Any, x: Any, axes: Axes) -> Any:
    """1 at the extremum; shared equally among ties (a nan extremum is where the nans are)."""
    there = ((x == y) | ((x != x) & (y != y))).astype(type_of(x).dtype)
    return there / back(sum_(there, axes=axes), type_of(x).shape, axes)


def _product_of_others(y: Any, x: Any, axes: Axes) -> Any:
    """∏ of the other elements, without dividing (a zero element would spoil it)."""
    shape = type_of(x).shape
    if len(axes) == 0:
        return np.ones_like(x)
    kept = tuple(d for d in range(len(shape)) if d not in axes)
    order = (*kept, *axes)
    flat = np.reshape(np.transpose(x, order), (*(shape[d] for d in kept), -1))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    others = np.reshape(before * after, tuple(shape[d] for d in order))
    return np.transpose(others, tuple(sorted(range(len(order)), key=order.__getitem__)))


def _length(x: Any, axes: Axes) -> Any:
    """√Σ|x|², computed as NumPy's norm does, and with scaling where that leaves the range."""
    y = np.sqrt(np.add.reduce(np.square(x), axes, dtype=x.dtype))
    low, high = np.sqrt(np.finfo(y.dtype).tiny), np.finfo(y.dtype).max
    if np.all((y > low * 1e4) & (y < high)) or x.size == 0:
        return y
    big = np.maximum.reduce(np.abs(x), axes, keepdims=True, initial=0)
    unit = np.where((big == 0) | ~np.isfinite(big), np.ones((), x.dtype), big)
    scaled = np.sqrt(np.add.reduce(np.square(x / unit), axes, dtype=x.dtype)) * unit.reshape(y.shape)
    return np.where((y > low * 1e4) & (y < high) | (y != y), y, scaled.astype(y.dtype))[()]


sum_, cumsum = Sum(), CumSum()
max_ = Reduction("max", lambda x, axes: np.maximum.reduce(x, axes), _share)
min_ = Reduction("min", lambda x, axes: np.minimum.reduce(x, axes), _share)
prod = Reduction("prod", lambda x, axes: np.multiply.reduce(x, axes, dtype=x.dtype), _product_of_others)
# Euclidean length of a real array; 0 is the slope at the origin, by symmetry
length = Reduction("length", _length, lambda y, x, axes: x / np.where(y == 0, 1, y))


class Counted(Primitive):
    """Reductions whose results are integers or booleans: constants for the derivative."""

    tags = {"axes": "axis"}

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        y = self.value(np.ones((1,) * x.ndim, x.dtype), axes)
        return ArrayType.of(without(x.shape, axes), y.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return self.value(x, axes)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axes: Axes) -> Values:
        return (None,)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axes: Axes) -> Values:
        return (None,)

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


all_ = Counted("all", lambda x, axes: np.logical_and.reduce(x, axes))
any_ = Counted("any", lambda x, axes: np.logical_or.reduce(x, axes))
argmax = Counted("argmax", _arg(np.argmax))
argmin = Counted("argmin", _arg(np.argmin))
count_nonzero = Counted("count_nonzero", lambda x, axes: np.add.reduce(x != 0, axes, dtype=np.int64))


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

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int) -> Values:
        return (None,)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


argsort = ArgSort()


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

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int) -> Values:
        (g,), (x,), (y,) = gs, xs, ys
        return (recurrence(g, x, axis=axis, reverse=True) * _before(y, axis),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axis: int) -> Any:
        return self(x, axis=axis + 1)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _before(y: Any, axis: int) -> Any:
    """y shifted by one, 1 in front: the product of everything before."""
    lead = (slice(None),) * axis
    return np.concatenate([np.ones_like(y[(*lead, slice(0, 1))]), y[(*lead, slice(None, -1))]], axis)


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

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axis: int, reverse: bool) -> Values:
        return recurrence(gs[0], args[1], axis=axis, reverse=not reverse), None

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axis: int, reverse: bool
    ) -> Values:
        (g,), (_, a) = gs, xs
        s = recurrence(g, a, axis=axis, reverse=not reverse)
        # b takes s; a[k] multiplies t[k-1] into t[k] (reverse: t[k] into t[k-1])
        ga = None
        if wanted[1]:
            t = ys[0]
            ga = _shift_down(t, axis) * s if not reverse else t * _shift_down(s, axis)
        return s if wanted[0] else None, ga

    def batch(self, batched: tuple[bool, ...], b: Any, a: Any, *, axis: int, reverse: bool) -> Any:
        from wengert.ops.families import everywhere, extent_of

        n = extent_of(batched, (b, a))
        b, a = (v if m else everywhere(v, n) for v, m in zip((b, a), batched, strict=True))
        return self(b, a, axis=axis + 1, reverse=reverse)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _shift_down(y: Any, axis: int) -> Any:
    """y[k-1] at k, 0 in front."""
    lead = (slice(None),) * axis
    return np.concatenate([np.zeros_like(y[(*lead, slice(0, 1))]), y[(*lead, slice(None, -1))]], axis)


def _shift_up(y: Any, axis: int) -> Any:
    """y[k+1] at k, 0 at the end."""
    lead = (slice(None),) * axis
    return np.concatenate([y[(*lead, slice(1, None))], np.zeros_like(y[(*lead, slice(0, 1))])], axis)


def _shift(t: Any, axis: int, reverse: bool, da: Any) -> Any:
    """What a change of the weights drives: t[k-1] da[k], or t[k+1] da[k+1] in reverse."""
    return _shift_up(t * da, axis) if reverse else _shift_down(t, axis) * da


cumprod, recurrence = CumProd(), Recurrence()
