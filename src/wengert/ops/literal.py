"""Literal: an array that belongs to a program, such as the index range inside a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.program import Eqn, Program
from wengert.ir.types import ArrayType, type_of


class Frozen:
    """A read-only array that compares and hashes by its content."""

    __slots__ = ("array", "key")

    def __init__(self, array: Any) -> None:
        self.array = np.array(array)
        self.array.flags.writeable = False
        self.key = (self.array.shape, self.array.dtype.str, self.array.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frozen) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __reduce__(self) -> Any:
        return Frozen, (self.array,)

    def __repr__(self) -> str:
        text = np.array2string(self.array, threshold=6, edgeitems=2, separator=", ").replace(
            "\n", ""
        )
        return text if len(text) < 60 else f"<{type_of(self.array)!r}>"


class Literal(Primitive):
    """`literal[value]()`: an array constant."""

    name = "literal"

    def typeof(self, *, value: Frozen) -> ArrayType:
        return type_of(value.array)

    def bound(self, ys: Any, xs: Any, rs: Any, *, value: Frozen) -> Any:
        return (None,)

    def eval(self, *, value: Frozen) -> Any:
        return value.array

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, value: Frozen) -> Values:
        return (None,)

    def lower(self, k: Any, *, value: Frozen) -> Any:
        return k.constant(value.array)

    def __reduce__(self) -> Any:
        from wengert.ops.families import _named

        return _named, (self.name,)


literal = Literal()


def literal_inputs(program: Program, values: list[Any]) -> Program:
    """Turn the program's last inputs into literals."""
    count = len(program.inputs) - len(values)
    eqns = [
        Eqn(literal, (), {"value": Frozen(v)}, (var,))
        for var, v in zip(program.inputs[count:], values, strict=True)
    ]
    return Program(
        program.inputs[:count],
        [*eqns, *program.eqns],
        program.outputs,
        program.sources,
        program.name,
    )
