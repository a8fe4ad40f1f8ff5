"""Ball rules of sums, products, extremes, sorting, and what runs along an axis.

Where the order of elements is not decided, what depends on it is the hull of what is possible.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.trust.balls.elementwise import RULES as ONE
from wengert.trust.balls.elementwise import truth
from wengert.trust.balls.moves import as_objects, one
from wengert.trust.balls.number import (
    MAYBE,
    Undecided,
    ball,
    decided,
    each,
    equal,
    flint,
    hull,
    less,
    less_equal,
    settled_array,
)

_balls = each(ball)


def _groups(x: Any, axes: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """The reduced elements in a last axis, and the shape of what is kept."""
    x = as_objects(x)
    kept = [d for d in range(x.ndim) if d not in axes]
    shape = tuple(x.shape[d] for d in kept)
    return np.reshape(np.transpose(x, (*kept, *axes)), (*shape, -1)), shape


def over(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A rule from a function of the list of elements that one result is made of."""

    def rule(prim: Primitive, x: Any, *, axes: tuple[int, ...]) -> Any:
        flat, shape = _groups(x, axes)
        y = np.empty(shape, object)
        for at in np.ndindex(shape):
            xs = list(flat[at])  # (an open truth value or integer leaves the result open)
            y[at] = MAYBE if any(x is MAYBE for x in xs) else function(xs)
        return one(y)

    return rule


def _total(xs: list[Any]) -> Any:
    return reduce(lambda a, b: a + b, xs, ball(0))


def _product(xs: list[Any]) -> Any:
    return reduce(lambda a, b: a * b, xs, ball(1))


def _mean(prim: Primitive, x: Any, *, axes: tuple[int, ...]) -> Any:
    y = over(lambda xs: _total(xs) / len(xs) if xs else flint().arb("nan"))
    return y(prim, x, axes=axes)


def _centre(prim: Primitive, x: Any, *, axes: tuple[int, ...]) -> Any:
    x = as_objects(x)
    mean = np.add.reduce(x, axes, keepdims=True) if axes else x
    count = ball(int(np.prod([x.shape[a] for a in axes])))
    return one(x - mean / count)


def _extreme(name: str) -> Callable[[list[Any]], Any]:
    return lambda xs: reduce(ONE[name], xs)


def _length(xs: list[Any]) -> Any:
    if not xs:
        return ball(0)
    square = _total([x * x for x in xs])
    return square.nonnegative_part().sqrt() if square.is_finite() else square.sqrt()


def _logsumexp(xs: list[Any]) -> Any:
    return reduce(ONE["logaddexp"], xs)


def _share(prim: Primitive, y: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
    x, y = as_objects(x), as_objects(y)
    there = each(equal, 2)(x, y)
    if not decided(there):
        unsure = np.empty(there.shape, object)
        for at in np.ndindex(there.shape):
            unsure[at] = ball(0) if there[at] is False else ball(0).union(ball(1))
        return unsure
    count = np.add.reduce(there.astype(int), axes, keepdims=True)
    return _balls(there.astype(int)) / _balls(np.maximum(count, 1))


def _counted(prim: Primitive, x: Any, *, axes: tuple[int, ...]) -> Any:
    flat, shape = _groups(x, axes)
    y = np.empty(shape, object)
    for at in np.ndindex(shape):
        y[at] = _count(prim.name, list(flat[at]))
    kind = np.dtype(bool) if prim.name in ("all", "any") else np.dtype(np.int64)
    return settled_array(one(y), kind)


def _count(name: str, xs: list[Any]) -> Any:
    if name in ("argmax", "argmin"):
        return _first_extreme([ball(x) for x in xs], name == "argmax")
    found = [truth(x) for x in xs]
    if name == "all":
        return False if False in found else MAYBE if MAYBE in found else True
    if name == "any":
        return True if True in found else MAYBE if MAYBE in found else False
    return MAYBE if MAYBE in found else sum(found)


def _first_extreme(xs: list[Any], highest: bool) -> Any:
    best = 0
    for k in range(1, len(xs)):
        beats = less(xs[best], xs[k]) if highest else less(xs[k], xs[best])
        if beats is MAYBE:
            return MAYBE
        if beats:
            best = k
    return best


# ---- along an axis -------------------------------------------------------------------------------------


def along(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rule from a function of lists along an axis."""

    def rule(prim: Primitive, *xs: Any, axis: int, **params: Any) -> Any:
        rows = [np.moveaxis(as_objects(x), axis, -1) for x in xs]
        y = np.empty(rows[0].shape, object)
        for at in np.ndindex(rows[0].shape[:-1]):
            y[at] = _column(function(*(list(r[at]) for r in rows), **params))
        return np.moveaxis(y, -1, axis)

    return rule


def _column(values: list[Any]) -> Any:
    y = np.empty(len(values), object)
    y[:] = values
    return y


def _running(step: Callable[[Any, Any], Any]) -> Callable[[list[Any]], list[Any]]:
    def function(xs: list[Any]) -> list[Any]:
        for k in range(1, len(xs)):
            xs[k] = step(xs[k - 1], xs[k])
        return xs

    return function


def _recurrence(b: list[Any], a: list[Any], *, reverse: bool) -> list[Any]:
    for k in range(len(b) - 2, -1, -1) if reverse else range(1, len(b)):
        b[k] = b[k] + (b[k + 1] * a[k + 1] if reverse else b[k - 1] * a[k])
    return b


def _order(xs: list[Any]) -> list[int] | None:
    """The stable order of balls; None where it is not decided."""
    found = sorted(range(len(xs)), key=lambda k: _Key(xs[k], k))
    for i, j in pairwise(found):
        in_order = less_equal(xs[i], xs[j]) if i < j else less(xs[i], xs[j])
        if in_order is not True:
            return None
    return found


class _Key:
    """Orders balls by their midpoints, equal ones by their place."""

    __slots__ = ("mid", "place")

    def __init__(self, x: Any, place: int) -> None:
        self.mid, self.place = ball(x).mid(), place

    def __lt__(self, other: _Key) -> bool:
        return bool(self.mid < other.mid) or (
            not bool(self.mid > other.mid) and self.place < other.place
        )


def _sort(xs: list[Any]) -> list[Any]:
    """Sorted lower ends and sorted upper ends enclose the sorted numbers, decided or not."""
    order = _order(xs)
    if order is not None:
        return [xs[k] for k in order]
    if any(x.__class__ is flint().acb or not x.is_finite() for x in map(ball, xs)):
        return [flint().arb("nan")] * len(xs)
    key = lambda x: _Key(x, 0)
    low = sorted((ball(x).lower() for x in xs), key=key)
    high = sorted((ball(x).upper() for x in xs), key=key)
    return [hull(a, b) for a, b in zip(low, high, strict=True)]


def _argsort(prim: Primitive, x: Any, *, axis: int) -> Any:
    def places(xs: list[Any]) -> list[Any]:
        order = _order([ball(v) for v in xs])
        if order is None:
            raise Undecided("the order of two numbers")
        return order

    return along(places)(prim, x, axis=axis).astype(np.intp)


def _searchsorted(prim: Primitive, a: Any, v: Any, *, side: str) -> Any:
    a, v = as_objects(a), as_objects(v)
    y = np.empty(v.shape, object)
    before = less if side == "left" else less_equal
    for at in np.ndindex(v.shape):
        row = a if a.ndim == 1 else a[at[: a.ndim - 1]]
        found = [before(ball(x), ball(v[at])) for x in row]
        y[at] = MAYBE if MAYBE in found else sum(found)
    return settled_array(one(y), np.dtype(np.intp))


RULES: dict[str, Callable[..., Any]] = {
    "sum": over(_total),
    "mean": _mean,
    "centre": _centre,
    "max": over(_extreme("maximum")),
    "min": over(_extreme("minimum")),
    "prod": over(_product),
    "length": over(_length),
    "logsumexp": over(_logsumexp),
    "share": _share,
    **dict.fromkeys(("all", "any", "argmax", "argmin", "count_nonzero"), _counted),
    "cumsum": along(_running(lambda a, b: a + b)),
    "cumprod": along(_running(lambda a, b: a * b)),
    "cummax": along(_running(ONE["maximum"])),
    "cummin": along(_running(ONE["minimum"])),
    "recurrence": along(_recurrence),
    "sort": along(_sort),
    "argsort": _argsort,
    "searchsorted": _searchsorted,
}
