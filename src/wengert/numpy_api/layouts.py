"""How NumPy lays its results out in memory, where ours are made in another way.

It decides what `ravel` and `reshape` share: `np.tile(x, (3, 1)).ravel()[0] = 1` changes the tiles. Functions that
make their result anew, in C order, do so here; where NumPy's order depends on more than can be told, the
result says that it is not known, and a write through a reshape of it is an error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy_api.promote import again
from wengert.numpy_api.table import FUNCTIONS
from wengert.ops import shape as ops
from wengert.trace.buffers import memory_of
from wengert.trace.layout import C_ORDER, relaid
from wengert.trace.trace import untraced
from wengert.trace.tracer import Tracer

# results in C order, whatever lies behind them
_ANEW: tuple[Any, ...] = (
    np.tile, np.repeat, np.full, np.take, np.choose, np.select, np.compress, np.delete, np.meshgrid,
)  # fmt: skip
# in an order of NumPy's own, if an argument is not in C order
_OWN: tuple[Any, ...] = (np.gradient, np.polyval, np.pad, np.stack, np.where, np.einsum)


def ordered(x: Any, order: Any) -> Any:
    """A traced array in this order: itself if it lies so, else a copy."""
    if not isinstance(x, Tracer) or x.ndim < 2 or order not in ("C", "F"):
        return x
    memory = memory_of(x)
    if memory is not None and (
        memory.flags.c_contiguous if order == "C" else memory.flags.f_contiguous
    ):
        return x
    return copied(x, order)


def copied(x: Any, order: Any) -> Any:
    """A copy in this order ("K": as x lies, without gaps)."""
    y = again(x)
    if not isinstance(y, Tracer) or y.ndim < 2:
        return y
    memory = memory_of(x)
    if order == "A" and memory is not None:
        order = "F" if memory.flags.fnc else "C"
    if y.number() is None:
        if order == "C":
            y.order = C_ORDER
            return y
        return y if order == "K" and memory is not None else _unknown(y)
    laid = y.number() if memory is None else memory
    return _as(y, np.empty_like(laid, dtype=y.dtype, order=order))


def _as(y: Any, memory: Any) -> Any:
    """The new array y, which knows its number, laid out as `memory`."""
    number = y.number()
    if number.shape == memory.shape and number.strides != memory.strides:
        y.value = relaid(y.value, memory)
    return y


def _unknown(y: Any) -> Any:
    """y in an order that is not known: what is made of it is not known either."""
    turned = tuple(range(y.ndim))[::-1]
    return ops.permute(ops.permute(y, axes=turned), axes=turned)


def fresh(y: Any) -> Any:
    """The result of a function that makes it anew, in C order."""
    if isinstance(y, tuple | list):
        return type(y)(map(fresh, y))
    if type(y) is Tracer and len(y.node.type.shape) > 1:
        number = y.number()
        if y.window is not None or number is None:
            return copied(y, "C")
        if not number.flags.c_contiguous:
            y.value = relaid(y.value, np.empty(number.shape, number.dtype))  # (a dual's too)
    return y


def _anew(rule: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(rule)
    def call(*args: Any, **kwargs: Any) -> Any:
        y = rule(*args, **kwargs)
        return y if kwargs.get("copy") is False else fresh(y)  # (of meshgrid)

    return call


def _turned(x: Any) -> bool:
    """Is it an array that does not lie in C order, or may not?"""
    if isinstance(x, list | tuple):
        return any(map(_turned, x))
    if type(x) is Tracer:
        if len(x.node.type.shape) < 2:
            return False
        x = memory_of(x)
        return x is None or not x.flags.c_contiguous
    return isinstance(x, np.ndarray) and not x.flags.c_contiguous


def _memories(x: Any) -> Any:
    """Arrays that lie as the arguments do."""
    if isinstance(x, list | tuple):
        return type(x)(map(_memories, x))
    return memory_of(x) if isinstance(x, Tracer) else x


def _own(rule: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(rule)
    def call(*args: Any, **kwargs: Any) -> Any:
        y = rule(*args, **kwargs)
        if type(y) is not Tracer or len(y.node.type.shape) < 2 or y.window is not None:
            return y
        number = y.number()
        plain = number is None or number.flags.c_contiguous
        if (plain and not _turned(args)) or kwargs.get("out") is not None:
            return y
        if number is None:
            return _unknown(y)
        with untraced(), np.errstate(all="ignore"):
            named = {key: _memories(v) for key, v in kwargs.items()}
            return _as(y, original(*_memories(args), **named))

    return call


def furnish() -> None:
    """Let the rules of these functions, which are all there now, lay their results out."""
    for f in _ANEW:
        FUNCTIONS[f] = _anew(FUNCTIONS[f])
    for f in _OWN:
        FUNCTIONS[f] = _own(FUNCTIONS[f], f)
