"""Carry: what a loop hands from step to step, and how its types are settled.

A step must give back what it takes. A value that comes from a Python scalar takes the dtype that
the step gives it, and a Python scalar that the step returns takes the dtype of what it replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.body import Body, delivered, leaf
from wengert.errors import DTypeError, ShapeError, StructureError
from wengert.ir import source
from wengert.ir.types import ArrayType, type_of
from wengert.numpy_api.promote import cast, is_weak
from wengert.trace.trace import tracing
from wengert.trace.tracer import Tracer

_ZERO = {"f": 0.0, "c": 0j, "i": 0}


def common(a: np.dtype[Any], weak_a: bool, b: np.dtype[Any], weak_b: bool) -> np.dtype[Any] | None:
    """The dtype of two values that must agree: a weak one (from a Python scalar) yields."""
    if a == b:
        return a
    if weak_a and weak_b:
        return np.result_type(a, b)
    if weak_a or weak_b:
        strong, yields = (b, a) if weak_a else (a, b)
        found = np.result_type(strong, _ZERO[yields.kind])
        return found if found == strong else None
    return None


def place(structure: Any, n: int) -> str:
    """Where leaf n stands, for messages."""
    path = tree.paths(tree.unflatten(structure, list(range(structure.num_leaves))))[n]
    return f" at {path}" if path else ""


def described(structure: Any) -> str:
    """A structure for messages."""
    return (
        "one value"
        if structure is tree.ONE
        else str(structure).removeprefix("PyTreeSpec(").removesuffix(")").split(", namespace=")[0]
    )


class Carry:
    """The values carried: their leaves, structure, settled types, and which are weak."""

    def __init__(self, init: Any, what: str) -> None:
        self.what = what
        self.raw, self.structure = tree.flatten(init)
        self.given = [leaf(x, f"{what}: the initial value") for x in self.raw]
        self.types = [type_of(x) for x in self.given]
        self.weak = [is_weak(x) for x in self.raw]

    @property
    def values(self) -> list[Any]:
        """The initial values in the settled dtypes."""
        return [cast(x, t.dtype) for x, t in zip(self.given, self.types, strict=True)]

    def settle(
        self, trace: Callable[[list[Any], list[bool]], Body], pick: Callable[[Any], Any]
    ) -> Body:
        """Trace until the body returns the types that it takes; `pick` finds the carry in its result."""
        while True:
            body = trace(self.types, self.weak)
            count = len(self.types)
            before = self.types, self.weak
            self.meet(pick(body.structure), body.program.out_types[:count], body.weak[:count])
            if (self.types, self.weak) == before:
                dtypes = [t.dtype for t in (*self.types, *body.program.out_types[count:])]
                body.cast(dtypes)
                return body

    def meet(self, structure: Any, types: Sequence[Any], weak: Sequence[bool]) -> None:
        """Settle with what a step returns, or say how it differs."""
        if structure != self.structure:
            raise StructureError(
                f"{self.what}: the body returns {described(structure)} for a carry that is {described(self.structure)}",
                "return the containers that it was given, with the same keys and lengths",
                source.here(),
            )
        met = [self._met(n, t, w) for n, (t, w) in enumerate(zip(types, weak, strict=True))]
        self.types, self.weak = [t for t, _ in met], [w for _, w in met]

    def _met(self, n: int, new: Any, new_weak: bool) -> tuple[Any, bool]:
        old, weak = self.types[n], self.weak[n]
        where = place(self.structure, n)
        if old.shape != new.shape:
            raise ShapeError(
                f"{self.what}: the body returns {new!r} for a carry that is {old!r}{where}",
                "start with a value of the shape that the body returns",
                source.here(),
            )
        dtype = common(old.dtype, weak, new.dtype, new_weak)
        if dtype is None or (not weak and dtype != old.dtype):
            raise DTypeError(
                f"{self.what}: the body returns {new!r} for a carry that is {old!r}{where}",
                f"start with .astype({new.dtype.name!r}), or return .astype({old.dtype.name!r})",
                source.here(),
            )
        return ArrayType.of(old.shape, dtype), weak and new_weak

    # ---- steps that are taken at once, by plain Python ---------------------------------------------
    def start(self) -> Any:
        """The initial value; arrays are copies, which the steps may overwrite."""
        return tree.unflatten(self.structure, [own(x) for x in self.raw])

    def step(self, result: Any) -> Any:
        """What a step has returned, held against what it was given."""
        leaves, structure = tree.flatten(result)
        if structure == self.structure and all(
            isinstance(y, np.ndarray | np.generic) and type_of(y) == t and not w
            for y, t, w in zip(leaves, self.types, self.weak, strict=True)
        ):  # as before: the common case
            return result
        typed = [leaf(y, f"the result of the body of {self.what}") for y in leaves]
        self.meet(structure, [type_of(y) for y in typed], [is_weak(y) for y in leaves])
        return tree.unflatten(
            structure,
            [
                y if w or v.dtype == t.dtype else cast(v, t.dtype)
                for y, v, t, w in zip(leaves, typed, self.types, self.weak, strict=True)
            ],
        )

    def end(self, value: Any) -> Any:
        """The last value, of arrays and NumPy's scalars."""
        leaves = [leaf(y, self.what) for y in tree.flatten(value)[0]]
        return delivered(
            [
                y if y.dtype == t.dtype else cast(y, t.dtype)
                for y, t in zip(leaves, self.types, strict=True)
            ],
            self.structure,
        )


def own(x: Any) -> Any:
    """An array that is nobody else's."""
    return np.array(x) if isinstance(x, np.ndarray) else x


def is_plain(leaves: Sequence[Any]) -> bool:
    """Is nothing traced here, so that a loop can just run?"""
    return not tracing() and not any(isinstance(x, Tracer) for x in leaves)
