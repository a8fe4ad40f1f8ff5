"""Pulling back quickly: what the walk backwards asks of primitives whose numbers are plain.

Most of a walk is spent here, on small arrays, so there is little between the question and NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import ALONE
from wengert.ir.primitive import Primitive, Values

_FEW = 10_000  # numbers of whose product OpenBLAS makes no threads
_LARGE = 2048  # elements; below, a new array costs less than the question whether it is needed
_UNREAD = None, None


def pulling(rules: Sequence[Any]) -> Callable[..., Values]:
    """The pullback of an elementwise primitive by rules `(g, y, *xs) -> cotangent`, one per argument.

    A rule may be 1, -1 or None (does not move).
    """
    called = [_called(rule, len(rules)) for rule in rules]
    left, right = called[0], called[-1]

    # (what is not used has a name all the same: packing it would take longer)
    def one(
        g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any = None, params: Any = None
    ) -> Values:
        return (left(g, None if ys is None else ys[0], None if xs is None else xs[0]),)

    def two(
        g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any = None, params: Any = None
    ) -> Values:
        y = None if ys is None else ys[0]
        a, b = _UNREAD if xs is None else xs
        if wanted[0]:
            return left(g, y, a, b), right(g, y, a, b) if wanted[1] else None
        return None, right(g, y, a, b)

    def several(g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any = None, params: Any = None) -> Values:  # fmt: skip
        read = (None if ys is None else ys[0], *(xs or (None,) * len(called)))
        return tuple(rule(g, *read) if w else None for rule, w in zip(called, wanted, strict=True))

    return {1: one, 2: two}.get(len(called), several)


def _called(rule: Any, count: int) -> Callable[..., Any]:
    if callable(rule):
        return rule  # type: ignore[no-any-return]
    if rule is None:
        return lambda g, *yxs: None
    if count == 1:
        return (lambda g, y, x: g) if rule == 1 else lambda g, y, x: -g
    if count == 2:
        return (lambda g, y, a, b: g) if rule == 1 else lambda g, y, a, b: -g
    return lambda g, *yxs: g if rule == 1 else -g


def applied(times: Callable[[Any, Any], Any], slope: Callable[..., Any], count: int) -> Any:
    """The rule `times(g, slope)` of a slope of so many arguments."""
    if count == 1:
        return lambda g, y, x: times(g, slope(y, x))
    if count == 2:
        return lambda g, y, a, b: times(g, slope(y, a, b))
    return lambda g, *yxs: times(g, slope(*yxs))


def total(flat: Any) -> Any:
    """A sum of numbers, or of their squares: not finite if one of them is not, nan if one is nan.

    One sum is quicker than a look at each. BLAS is quickest; its threads run in circles afterwards.
    """
    if flat.size <= _FEW:
        return flat.dot(flat)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.add.reduce(flat)


def has_nan(y: Any) -> bool:
    """Is there a nan in an array of single or double precision?"""
    flat = y if y.ndim == 1 else y.ravel()
    found = total(flat)
    return found != found and (flat.size <= _FEW or bool(np.isnan(flat).any()))  # (inf - inf)


def product(g: Any, s: Any) -> Any:
    """`g * s`; a large slope that nobody else has gives its memory to it."""
    if (
        type(s) is np.ndarray
        and s.size > _LARGE
        and sys.getrefcount(s) == ALONE
        and s.base is None
        and type(g) is np.ndarray
        and s.dtype is g.dtype
        and s.shape == g.shape
    ):
        return np.multiply(g, s, s)
    return g * s


def added(there: Any, c: Any) -> Any:
    """`there + c`; a large sum that nobody else has takes the new part in."""
    return take_in(there, c) if sys.getrefcount(there) == ALONE else there + c


def take_in(there: Any, c: Any) -> Any:
    """`there + c`, in the memory of `there` (which nobody else has) where that pays."""
    if (
        type(there) is np.ndarray
        and there.size > _LARGE
        and there.base is None
        and there.flags.writeable
        and type(c) is np.ndarray
        and c.dtype is there.dtype
        and c.shape == there.shape
    ):
        return np.add(there, c, there)
    return there + c


def transposed(
    prim: Primitive, g: Any, xs: Any, ys: Any, wanted: tuple[bool, ...], inputs: Any, params: Any
) -> Values:
    """`Primitive.quick` of what asks for its transpose: types stand for the values that are not kept."""
    if xs is None:
        xs = (inputs[0].type,) if len(inputs) == 1 else [a.type for a in inputs]
    else:
        xs = [inputs[n].type if x is None else x for n, x in enumerate(xs)]
    return prim.pullback((g,), xs, ys, wanted, **params)
