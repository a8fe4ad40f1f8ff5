"""Ball rules of control flow: branches, loops, batches.

An undecided branch gives the hull of both. A loop whose end is undecided has an unknown result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Program
from wengert.ir.types import StackType, repeated, single
from wengert.ops.control.stacks import Stack, length_of, plain_zero, stacked
from wengert.trust.balls.moves import as_objects, one
from wengert.trust.balls.number import MAYBE, Undecided, each, entered, hull, settled_array

_LONGEST = 1_000_000  # so many trips of a loop are followed


def _run(program: Program, args: Sequence[Any]) -> list[Any]:
    from wengert.trust.balls.evaluate import evaluate

    return evaluate(program, args)


def hull_of(a: Any, b: Any) -> Any:
    """A value around both, element by element."""
    if isinstance(a, Stack) or isinstance(b, Stack):
        if not (isinstance(a, Stack) and isinstance(b, Stack)) or len(a.items) != len(b.items):
            raise Undecided("a loop's length")
        return Stack(a.type, [hull_of(x, y) for x, y in zip(a.items, b.items, strict=True)])
    if isinstance(a, np.ndarray):
        y = each(hull, 2)(as_objects(a), as_objects(b))
        return settled_array(y, a.dtype) if a.dtype != object else y
    return hull(a, b)


def _cond(prim: Primitive, which: Any, *args: Any, true: Program, false: Program) -> Any:
    if which is MAYBE:
        both = zip(_run(true, args), _run(false, args), strict=True)
        return tuple(hull_of(a, b) for a, b in both)
    return tuple(_run(true if which else false, args))


def _while_loop(prim: Primitive, *args: Any, cond: Program, body: Program, consts: int) -> Any:
    fixed, state = args[:consts], list(args[consts:])
    carry = len(state)
    stacks: list[list[Any]] = [[] for _ in body.outputs[carry:]]
    for _ in range(_LONGEST):
        goes_on = _run(cond, [*fixed, *state])[0]
        if goes_on is MAYBE:
            raise Undecided("the end of a loop")
        if not goes_on:
            break
        found = _run(body, [*fixed, *state])
        state = found[:carry]
        for items, y in zip(stacks, found[carry:], strict=True):
            items.append(y)
    else:
        raise Undecided("the end of a loop")
    types = map(StackType, body.out_types[carry:])
    return (*state, *(Stack(t, items) for t, items in zip(types, stacks, strict=True)))


def _zero(t: Any) -> Any:
    """Zero of a type, entered."""
    value = plain_zero(t)
    return value if isinstance(value, Stack) else entered(value, t.dtype)


def _item(value: Any, k: int) -> Any:
    if isinstance(value, Stack):
        return value.items[k] if k < len(value.items) else _zero(value.type.item)
    return one(value[k]) if isinstance(value, np.ndarray) else value


def _scan(
    prim: Primitive, *args: Any, body: Program, consts: int, carry: int, length: int | None,
    reverse: bool, record: bool = False,
) -> Any:  # fmt: skip
    last = consts + carry
    fixed, state, over = args[:consts], list(args[consts:last]), args[last:]
    steps = length_of(over) if length is None else length
    rows: list[list[Any]] = [[MAYBE] * steps for _ in body.outputs[carry:]]
    for k in range(steps - 1, -1, -1) if reverse else range(steps):
        found = _run(body, [*fixed, *state, *(_item(x, k) for x in over)])
        state = found[:carry]
        for row, y in zip(rows, found[carry:], strict=True):
            row[k] = y
    types = [stacked(t, length) for t in body.out_types[carry:]]
    return (*state, *(collected(row, t) for row, t in zip(rows, types, strict=True)))


def collected(row: list[Any], t: Any) -> Any:
    """Values along a new leading axis, or in a stack."""
    if isinstance(t, StackType):
        return Stack(t, row)
    y = np.empty(t.shape, object)
    for k, value in enumerate(row):
        y[k] = value
    return settled_array(y, t.dtype) if t.dtype.kind in "biu" else y


def _example(value: Any, k: int) -> Any:
    """What example k of a batch sees of a value (of each item of a stack)."""
    if isinstance(value, Stack):
        return Stack(single(value.type), [_example(v, k) for v in value.items])
    return _item(value, k)


def _batch(column: list[Any], t: Any, extent: int) -> Any:
    """The results of all examples, of type t each; shorter stacks are zero beyond their end."""
    if not isinstance(t, StackType):
        return collected(column, stacked(t, extent))
    length = max((len(s.items) for s in column), default=0)
    zero = _zero(t.item)
    rows = [[s.items[k] if k < len(s.items) else zero for s in column] for k in range(length)]
    return Stack(repeated(t, extent), [_batch(row, t.item, extent) for row in rows])


def _map(
    prim: Primitive, *args: Any, body: Program, mapped: Any, extent: int, chunk: int | None
) -> Any:
    rows: list[list[Any]] = [[] for _ in body.outputs]
    for k in range(extent):
        row = [_example(a, k) if m else a for a, m in zip(args, mapped, strict=True)]
        for column, y in zip(rows, _run(body, row), strict=True):
            column.append(y)
    types = body.out_types
    return tuple(_batch(column, t, extent) for column, t in zip(rows, types, strict=True))


def _remat(prim: Primitive, *args: Any, body: Program, policy: Any) -> Any:
    return tuple(_run(body, args))


def _call(prim: Primitive, *args: Any, body: Program) -> Any:
    return tuple(_run(body, args))


def _silent(prim: Primitive, *args: Any, text: str, batched: Any) -> Any:
    """`print`: it was said when the call was made."""
    return np.False_ if not batched else np.zeros(np.shape(args[batched[0].index(True)])[:1], bool)


RULES: dict[str, Callable[..., Any]] = {
    "call": _call,
    "print": _silent,
    "cond": _cond,
    "while_loop": _while_loop,
    "scan": _scan,
    "map": _map,
    "remat": _remat,
}
