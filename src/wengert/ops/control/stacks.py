"""Stacks: what loops of unknown length leave behind for their derivative.

A stack is zero beyond its end, so the empty stack is the zero of its type and two stacks of
different lengths can be added. What is done to all items of a stack is a `scan` over it, and that
scan has all the rules: stacks need none of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType, type_of
from wengert.ops import families
from wengert.ops.arithmetic import add
from wengert.ops.compare import select
from wengert.ops.index import blank, gather
from wengert.ops.reduce import sum_
from wengert.ops.shape import broadcast


class Stack:
    """Items of one type, in the order in which a loop made them.

    >>> s = Stack(StackType(type_of(0.0)), [1.5])
    >>> s, s.at(0), s.at(7)
    (Stack[f64[]] of 1, 1.5, np.float64(0.0))
    """

    __slots__ = ("items", "type")

    def __init__(self, type: StackType, items: list[Any]) -> None:
        self.type = type
        self.items = items

    def at(self, k: int) -> Any:
        """Item k, zero beyond the end."""
        return self.items[k] if k < len(self.items) else plain_zero(self.type.item)

    def __repr__(self) -> str:
        return f"{self.type!r} of {len(self.items)}"


class Empty(Primitive):
    """`empty[item]()`: the stack without items, which is zero."""

    name = "empty"

    def typeof(self, *, item: Any) -> StackType:
        return StackType(item)

    def eval(self, *, item: Any) -> Stack:
        return Stack(StackType(item), [])

    def lower(self, k: Any, *, item: Any) -> Any:
        return k.stack(item)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (None,)

    def __reduce__(self) -> Any:
        return families._named, (self.name,)


empty = Empty()


def plain_zero(t: Any) -> Any:
    """Zero of a type, as a number, an array or a stack."""
    return Stack(t, []) if isinstance(t, StackType) else np.zeros(t.shape, t.dtype)[()]


def zero(t: Any, like: Any) -> Any:
    """Zero of a type, in the trace that `like` belongs to."""
    if not isinstance(t, StackType):
        return blank(t, like) if t.shape else t.dtype.type(0)
    if isinstance(like, Handle):
        return like.builder.record(empty, (), {"item": t.item})
    return Stack(t, [])


def is_stack(value: Any) -> bool:
    """Is it a stack, or does it stand for one?"""
    return type(value) is Stack or (
        isinstance(value, Handle) and isinstance(type_of(value), StackType)
    )


def plus(a: Any, b: Any) -> Any:
    """The sum of two arrays or two stacks."""
    return on_items(plus, a, b) if is_stack(a) else add(a, b)


def everywhere(value: Any, extent: int) -> Any:
    """Repeat along a new leading axis (of each item)."""
    if is_stack(value):
        return on_items(lambda item: everywhere(item, extent), value)
    return families.everywhere(value, extent)


def swapped(value: Any) -> Any:
    """The first two axes (of each item) in the other order."""
    return on_items(swapped, value) if is_stack(value) else np.moveaxis(value, 0, 1)


def total(value: Any) -> Any:
    """The sum over the leading axis (of each item)."""
    return on_items(total, value) if is_stack(value) else sum_(value, axes=(0,))


def rows(value: Any, i: Any) -> Any:
    """Rows `i` of the leading axis (of each item)."""
    return on_items(rows, value, i, shared=1) if is_stack(value) else gather(value, i)


def choose(mask: Any, a: Any, b: Any) -> Any:
    """a where the mask, which has the first axes of a (or of its items), is set; else b."""
    if is_stack(a):
        return on_items(lambda x, y, m: choose(m, x, y), a, b, mask, shared=1)
    shape = type_of(a).shape
    spread = broadcast(mask, shape=shape, dims=tuple(range(type_of(mask).ndim)))
    return select(spread, a, b)


def on_items(f: Callable[..., Any], *args: Any, shared: int = 0) -> Any:
    """The stack of `f(*items, *shared)`; the last arguments are the shared ones."""
    from wengert.ops.control.scan import scan

    count = len(args) - shared
    stacks, rest = args[:count], args[count:]
    types = [*map(type_of, rest), *(slice_type(type_of(s)) for s in stacks)]
    body = passes.derive(lambda *xs: [f(*xs[shared:], *xs[:shared])], types, _NOBODY, "items")
    settings = {"consts": shared, "carry": 0, "length": None, "reverse": False}
    return scan(*rest, *stacks, body=body, **settings)[0]


_NOBODY = Program((), (), ())


# ---- what loops run over and leave behind ----------------------------------------------------------------


def stacked(t: Any, length: int | None) -> Any:
    """The type of `length` values of a type: an array where the length is known and they are arrays."""
    if length is None or isinstance(t, StackType):
        return StackType(t)
    return ArrayType.of((length, *t.shape), t.dtype)


def room(t: Any, length: int) -> Any:
    """Room for so many values of a loop, to be filled by `[k] =`."""
    return [None] * length if isinstance(t, StackType) else np.empty(t.shape, t.dtype)


def collected(room: Any, t: Any) -> Any:
    """What has been filled, as the value of its type."""
    return Stack(t, room) if isinstance(t, StackType) else room


def length_of(values: Any) -> int:
    """How far the longest of these stacks goes."""
    return max((len(v.items) for v in values if type(v) is Stack), default=0)


def slice_type(t: Any) -> Any:
    """What one step of a loop sees of a type that it runs over."""
    return t.item if isinstance(t, StackType) else ArrayType.of(t.shape[1:], t.dtype)


def item(value: Any, k: int) -> Any:
    """What step k of a loop sees of a value that it runs over."""
    return value.at(k) if type(value) is Stack else value[k]
