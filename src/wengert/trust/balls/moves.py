"""Ball rules of what only carries elements about: their own `eval`, on object arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ops.control.stacks import Stack
from wengert.trust.balls.number import Undecided, ball, decided, each

_balls = each(ball)


def as_objects(x: Any) -> Any:
    """A value as an object array, also where it is one number."""
    if isinstance(x, np.ndarray):
        return x if x.dtype == object else x.astype(object)
    y = np.empty((), object)
    y[()] = x
    return y


def one(y: Any) -> Any:
    """A result: the number itself where the shape is ()."""
    return y[()] if isinstance(y, np.ndarray) and y.ndim == 0 else y


def filled(y: Any) -> Any:
    """Balls where NumPy has put plain zeros."""
    return _balls(y) if isinstance(y, np.ndarray) and y.dtype == object else y


def plain(*xs: Any) -> bool:
    """Are these all plain arrays or numbers (integers, truth values), with nothing open?"""
    return all(
        x.dtype != object if isinstance(x, np.ndarray) else isinstance(x, np.generic) for x in xs
    )


def move(prim: Primitive, *xs: Any, **params: Any) -> Any:
    """A movement's own `eval`."""
    if plain(*xs):
        return prim.eval(*xs, **params)
    return one(prim.eval(*map(as_objects, xs), **params))


def _stack(prim: Primitive, *xs: Any, axis: int) -> Any:
    return prim.eval(*xs, axis=axis) if plain(*xs) else np.stack(list(map(as_objects, xs)), axis)


def _padded(prim: Primitive, *xs: Any, **params: Any) -> Any:
    return move(prim, *xs, **params) if plain(*xs) else filled(move(prim, *xs, **params))


def _broadcast(prim: Primitive, x: Any, *, shape: Any, dims: Any) -> Any:
    if plain(x):
        return prim.eval(x, shape=shape, dims=dims)
    x = as_objects(x)
    middle = [1] * len(shape)
    for d, n in zip(dims, x.shape, strict=True):
        middle[d] = n
    return one(np.broadcast_to(x.reshape(middle), shape))


def _part(prim: Primitive, x: Any, **params: Any) -> Any:
    return one(prim.eval(x if plain(x) else as_objects(x), **params))


def _write(prim: Primitive, x: Any, v: Any, *rest: Any, **params: Any) -> Any:
    """`update`, `put` and the like, into a copy."""
    if rest and not decided(rest[0]):
        raise Undecided("an index")
    if plain(x, v):
        return prim.eval(x, v, *rest, **params)
    return prim.in_place(np.array(as_objects(x)), v, *rest, **params)


def _gather(prim: Primitive, x: Any, i: Any, **params: Any) -> Any:
    if not decided(i):
        raise Undecided("an index")
    return one(prim.eval(x if plain(x) else as_objects(x), i, **params))


def _empty(prim: Primitive, **params: Any) -> Stack:
    return prim.eval(**params)  # type: ignore[no-any-return]


RULES: dict[str, Callable[..., Any]] = {
    "broadcast": _broadcast,
    "pad": _padded,
    "stack": _stack,
    **dict.fromkeys(("reshape", "permute", "concat", "flip"), move),
    **dict.fromkeys(("index", "part"), _part),
    **dict.fromkeys(("update", "accumulate", "put", "scatter_add"), _write),
    "gather": _gather,
    "empty": _empty,
}
