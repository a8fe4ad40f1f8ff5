"""Packing: functions of mathematics on scalars of straight-line code, several in one call.

A routine computes as many numbers as there are lanes anyway. Values of a run without statements may be
made in any order that respects their arguments, so functions of one name that do not wait for each
other are computed together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wengert.backends.code import MATH, Value
from wengert.backends.spelling import TYPES
from wengert.backends.vecmath import routine

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer

FEWEST = 2


def runs(items: list[Any]) -> Iterator[Any]:
    """The items of a block: lists of values, and single statements."""
    run: list[Value] = []
    for item in items:
        if item.__class__ is Value:
            run.append(item)
            continue
        if run:
            yield run
            run = []
        yield item
    if run:
        yield run


def packed(run: list[Value], p: Printer) -> list[Any]:
    """The values in an order of calls: values, and lists of values of one function."""
    if sum(v.op in MATH for v in run) < FEWEST:
        return run
    level: dict[Value, int] = {}
    plain: dict[int, list[Value]] = {}
    calls: dict[int, dict[tuple[str, str], list[Value]]] = {}
    for v in run:
        at = 0
        for a in v.args:
            at = max(at, level.get(a, 0))
        width = p.native if v.type == "f64" else 2 * p.native
        if v.op in MATH and routine(v.op, v.type, width) is not None:
            at += 1
            calls.setdefault(at, {}).setdefault((v.op, v.type), []).append(v)
        else:
            plain.setdefault(at, []).append(v)
        level[v] = at
    order: list[Any] = []
    for at in range(max(level.values()) + 1):
        for (_, type), values in calls.get(at, {}).items():
            width = p.native if type == "f64" else 2 * p.native
            order += [values[k : k + width] for k in range(0, len(values), width)]
        order += plain.get(at, ())
    return order


def together(p: Printer, values: list[Value]) -> None:
    """One call for several scalars."""
    if len(values) < FEWEST:
        for v in values:
            p.names[v] = p.value(v)
        return
    first = values[0]
    t = TYPES[first.type]
    width = p.native if first.type == "f64" else 2 * p.native
    vector = f"<{width} x {t}>"
    args = []
    for position in range(len(first.args)):
        total = "poison"
        for k in range(width):  # what is left over repeats the last
            x = p.name(values[min(k, len(values) - 1)].args[position])
            total = p.emit(f"insertelement {vector} {total}, {t} {x}, i64 {k}")
        args.append(total)
    found = p.operation(first.op, first.type, [first.type] * len(args), args, width)
    for k, v in enumerate(values):
        p.names[v] = p.emit(f"extractelement {vector} {found}, i64 {k}")
