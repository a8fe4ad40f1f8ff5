"""Rows of a table of rewrites: what is looked for, what stands there instead, what may change.

A pattern is written with the primitives themselves: `mul(x, 1)` on wildcards makes a pattern as on
tracers it makes an equation.

>>> from wengert.ops.arithmetic import mul
>>> x = wild("x")
>>> Row("x · 1 = x", mul(x, 1), x)
Row('x · 1 = x', digits same)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from wengert.ir.primitive import Handle, Primitive

# what of the result may change: nothing; the sign of a zero; the last digits, as sums are reordered
Digits = Literal["same", "sign of zero", "rounding"]


class _Patterns:
    """Stands where a trace has its builder: primitives called on wildcards come here."""

    serial = 1 << 62

    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] | None = None
    ) -> Equation:
        return Equation(prim, args, dict(params or {}))


_patterns = _Patterns()


class Pattern(Handle):
    """What an atom of a program may look like."""

    builder = _patterns


class Wild(Pattern):
    """Any atom, or any value of a parameter; the same one wherever the name stands again."""

    __slots__ = ("constant", "name")

    def __init__(self, name: str, constant: bool = False) -> None:
        self.name = name
        self.constant = constant

    def __repr__(self) -> str:
        return self.name


class Several(Pattern):
    """All the arguments from here on."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{self.name}…"


class Equation(Pattern):
    """The result of an equation with these arguments; parameters that are named must fit."""

    __slots__ = ("args", "params", "prim")

    def __init__(self, prim: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> None:
        self.prim, self.args, self.params = prim, args, params

    def __repr__(self) -> str:
        return f"{self.prim.name}({', '.join(map(repr, self.args))})"


def wild(name: str) -> Any:
    """A wildcard: any value."""
    return Wild(name)


def constant(name: str) -> Any:
    """A wildcard for what is one number everywhere."""
    return Wild(name, constant=True)


def several(name: str) -> Any:
    """A wildcard for any number of arguments."""
    return Several(name)


class Row:
    """One rewrite: `left` is replaced by `right`.

    `right` is a pattern, a number, or a function `(editor, found)` that writes equations and returns
    an atom, or None where the row does not apply after all. The result has the type of what it replaces.
    """

    __slots__ = ("digits", "left", "right", "says")

    def __init__(
        self,
        says: str,
        left: Any,
        right: Pattern | float | Callable[..., Any],
        digits: Digits = "same",
    ) -> None:
        self.says, self.left, self.right, self.digits = says, left, right, digits

    def __repr__(self) -> str:
        return f"Row({self.says!r}, digits {self.digits})"


def indexed(rows: list[Row], commutative: frozenset[Primitive]) -> dict[Primitive, list[Row]]:
    """Rows by the primitive of their last equation; where order is free, both orders are rows."""
    table: dict[Primitive, list[Row]] = {}
    for row in rows:
        for left in _orders(row.left, commutative):
            table.setdefault(left.prim, []).append(Row(row.says, left, row.right, row.digits))
    return table


def _orders(pattern: Any, commutative: frozenset[Primitive]) -> list[Any]:
    if not isinstance(pattern, Equation):
        return [pattern]
    choices: list[list[Any]] = [[]]
    for arg in pattern.args:
        choices = [[*c, a] for c in choices for a in _orders(arg, commutative)]
    found = [Equation(pattern.prim, tuple(c), pattern.params) for c in choices]
    if pattern.prim in commutative:
        found += [Equation(e.prim, e.args[::-1], e.params) for e in found]
    return found
