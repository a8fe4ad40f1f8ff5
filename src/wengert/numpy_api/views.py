"""Through views, down to the root: which elements of the array below a part of a view means.

A view is a way of steps from its root (`trace/buffers.py`). Parts of parts are one basic index of the
root; otherwise the numbers of the elements are followed back, step by step, and no other element is
looked at: reading or writing one element through a view costs the same for any size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import UnsupportedError
from wengert.ir import source
from wengert.numpy_api.places import ALL, Shape, Where, is_all
from wengert.ops import arithmetic
from wengert.ops import index as ops
from wengert.ops import shape as shapes
from wengert.trace.buffers import View
from wengert.trace.tracer import Tracer

# the steps whose elements can be followed; those of all elements, whose transpose leads back
NUMBERED = (ops.part, shapes.reshape, shapes.permute, shapes.flip, ops.gather)
HALVES = (arithmetic.real, arithmetic.imag)
TURNS = (shapes.reshape, shapes.permute, shapes.flip)


def below(view: Tracer, where: Where, start: Any = None) -> tuple[ops.Basic | None, Any]:
    """Places of `view[where]` in the root of the view: a basic index, or the numbers of its elements.

    With `start`, a handle on the way, the places are in that.
    """
    steps = [] if view is start else view.window.steps(start)
    if (
        not where.advanced
        and None not in where.items
        and all(step.prim is ops.part for step in steps)
    ):
        at, _ = where.basic()
        for step in reversed(steps):
            at = _composed(step.params["at"], step.parent.shape, at)
        return at, None
    shape = view.shape
    single = all(type(i) is int for i in where.items)
    ids = _number(where.items, shape) if single else where.numbers(everywhere=True)[2]
    for step in reversed(steps):
        ids = _pulled(step, shape, ids)
        shape = step.parent.shape
    if single:
        return _place(ids, shape), None
    if type(ids) is np.ndarray:
        ids.flags.writeable = False
    return None, ids


def halved(view: Tracer) -> Any:
    """The real or imaginary part (of an array of complex numbers) that this is a view of, or None."""
    handle = view
    while handle.window is not None:
        if handle.window.prim in HALVES:
            return handle
        handle = handle.window.parent
    return None


def writable(view: Tracer) -> None:
    """Raise NumPy's error if a view cannot be written."""
    if any(step.readonly or step.prim is shapes.broadcast for step in view.window.steps()):
        raise ValueError("assignment destination is read-only")


def _number(place: Any, shape: Shape) -> Any:
    """Number of the element at a place, in C order."""
    number: Any = 0
    for i, n in zip(place, shape, strict=True):
        number = number * n + (i % n if type(i) is int else i)
    return number


def _place(number: Any, shape: Shape) -> tuple[Any, ...]:
    """The place of an element from its number."""
    place = []
    for n in reversed(shape):
        place.append(number % n if n else number)
        number = number // n if n else number
    return tuple(reversed(place))


def _composed(outer: ops.Basic, shape: Shape, inner: ops.Basic) -> ops.Basic:
    """`x[outer][inner]` as one basic index of x."""
    at: list[Any] = []
    rest = iter(inner)
    for i, n in zip((*outer, *(ALL,) * (len(shape) - len(outer))), shape, strict=True):
        if isinstance(i, int):
            at.append(i)
            continue
        taken: Any = range(*i.indices(n))[next(rest, ALL)]
        at.append(taken if type(taken) is int else _slice(taken))
    while at and is_all(at[-1]):
        at.pop()
    return tuple(at)


def _slice(taken: range) -> slice:
    if not taken:
        return slice(0, 0)
    stop: int | None = taken[-1] + (1 if taken.step > 0 else -1)
    return slice(taken[0], None if stop == -1 else stop, taken.step)


def _pulled(step: View, outer: Shape, ids: Any) -> Any:
    """Element numbers of `step.prim(x)`, whose shape is `outer`, as element numbers of x."""
    prim, params, inner = step.prim, step.params, step.parent.shape
    if prim is shapes.reshape:
        return ids
    if prim is ops.gather:
        return step.args[0].ravel()[ids]
    places = _place(ids, outer)
    if prim is ops.part:
        at, rest = params["at"], iter(places)
        found = []
        for i, n in zip((*at, *(ALL,) * (len(inner) - len(at))), inner, strict=True):
            if type(i) is int:
                found.append(i % n)
            else:
                start, _, step = i.indices(n)
                found.append(start + step * next(rest))
    elif prim is shapes.permute:
        found = [places[params["axes"].index(d)] for d in range(len(inner))]
    elif prim is shapes.flip:
        found = [
            n - 1 - p if d in params["axes"] else p
            for d, (n, p) in enumerate(zip(inner, places, strict=True))
        ]
    else:
        raise UnsupportedError(
            f"a write through the view {prim.name}(x) is not known here",
            "write into x itself",
            source.here(),
        )
    return 0 * ids + _number(found, inner)  # (the shape, even where all places are fixed)
