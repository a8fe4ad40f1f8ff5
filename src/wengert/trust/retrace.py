"""Retracing: the user's Python once more, on exact numbers.

A trace whose numbers are balls: comparisons are decided by exact values, so that Python's `if` and
`while` take the branch that the mathematics takes, also at points that no float can name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.ir import source
from wengert.ir.primitive import Primitive, result_types
from wengert.ir.program import Program, Var
from wengert.ir.types import ArrayType, type_of
from wengert.trace.body import body
from wengert.trace.builder import Builder
from wengert.trace.idle import plain
from wengert.trace.trace import run
from wengert.trace.tracer import Tracer
from wengert.trust.balls.evaluate import handler
from wengert.trust.balls.number import MAYBE, Undecided, entered

_NOTHING: dict[str, Any] = {}


class BallBuilder(Builder):
    """A builder whose traced values know their balls instead of their numbers."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name, saving=True)

    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Compute one equation on balls and write it down."""
        inner = body.get()
        if inner is not None and inner.serial > self.serial:
            return inner.record(prim, args, params)
        atoms, values, types = [], [], []
        for arg in args:
            if isinstance(arg, Tracer):
                arg.refresh()
            if isinstance(arg, Tracer) and arg.builder is self:
                atoms.append(arg.node)
                values.append(arg.value)
                types.append(arg.node.type)
                continue
            atom, value = self.lift(plain(arg) if isinstance(arg, Tracer) else arg)
            atoms.append(atom)
            types.append(type_of(value))
            values.append(
                entered(value, types[-1].dtype) if isinstance(types[-1], ArrayType) else value
            )
        outs = result_types(prim.typeof(*types, **params))
        ys = handler(prim, dict(params), types, outs)(*values)
        return self._written(prim, tuple(atoms), params, outs, ys)

    def reveal(self, value: Any, weak: bool) -> Tracer:
        """A captured number or array as a traced value that knows its balls."""
        handle = super().reveal(value, weak)
        return Tracer(self, handle.node, entered(handle.value, type_of(value).dtype), weak)

    def _written(self, prim: Primitive, atoms: Any, params: Any, outs: Any, ys: Any) -> Any:
        variables = tuple(map(Var, outs))
        origin = source.current.get()
        if origin is None:
            origin = source.caller()
        self.entries.append((prim, atoms, params, variables, origin, None, None, None))
        found = ys if prim.multiple else (ys,)
        handles = tuple(Tracer(self, v, y) for v, y in zip(variables, found, strict=True))
        return handles if prim.multiple else handles[0]

    def change(
        self, handle: Tracer, prim: Primitive, args: Sequence[Any], params: Mapping[str, Any] = _NOTHING
    ) -> None:  # fmt: skip
        """A write into a handle: the new value is computed, nothing is reused."""
        self.borrow(handle)
        self.bind(handle, self.record(prim, (handle.snapshot(), *args), params))

    def decide(self, node: Any, answer: Any) -> bool:
        """The answer of a comparison that Python asks for."""
        if answer is MAYBE or (isinstance(answer, np.ndarray) and answer.dtype == object):
            raise Undecided("a branch")
        return super().decide(node, answer)


class Retraced:
    """One exact run: the values of the results (balls), and the program of the path taken."""

    __slots__ = ("builder", "outputs", "values")

    def __init__(self, builder: BallBuilder | None, outputs: list[Any], values: list[Any]) -> None:
        self.builder, self.outputs, self.values = builder, outputs, values

    def program(self) -> tuple[Program, list[Any]]:
        """The path as a program, and what it captured."""
        assert self.builder is not None
        return self.builder.program(self.outputs), [v for _, v in self.builder.captured]


def retrace(
    f: Callable[..., Any], types: Sequence[Any], weak: Sequence[bool], values: Sequence[Any]
) -> Retraced:
    """Run `f` at balls (within `precision`); raises Undecided where a branch is open."""
    builder = BallBuilder(getattr(f, "__name__", "f"))
    tracers = [
        Tracer(builder, builder.input(t).node, v, w)
        for t, v, w in zip(types, values, weak, strict=True)
    ]
    with np.errstate(all="ignore"):
        out = run(builder, lambda *xs: (f(*xs),), tracers)[0]
    leaves, _ = tree.flatten(out)
    outputs = [y for y in leaves if isinstance(y, Tracer) or np.asarray(y).dtype.kind in "fciub"]
    found = []
    for y in outputs:
        if isinstance(y, Tracer):
            y.refresh()
        if isinstance(y, Tracer) and y.builder is builder:
            found.append(y.value)
        else:
            number = plain(y)
            found.append(entered(number, type_of(number).dtype))
    return Retraced(builder, outputs, found)
