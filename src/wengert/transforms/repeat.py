"""repeat: an operation without a batch rule, once per example.

Where the operation can be traced, its program is batched; a black box runs in a Python loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.key import freeze
from wengert.ir.primitive import Primitive, Values, result_types
from wengert.ir.types import ArrayType, type_of
from wengert.ops.opaque import zero
from wengert.ops.reduce import sum_
from wengert.trace.trace import program_of


class Repeated(Primitive):
    """`prim` for each element of a leading axis of its batched arguments, and of all its results."""

    multiple = True
    at_point = True
    looks = True

    def __init__(
        self, prim: Primitive, batched: Sequence[bool], extent: int, params: Mapping[str, Any]
    ) -> None:
        self.prim, self.batched, self.extent, self.params = (
            prim,
            tuple(batched),
            extent,
            dict(params),
        )
        self.name = f"repeat[{prim.name}, {extent}]"
        self._opaque = False

    def _identity(self) -> Any:
        return self.prim, self.batched, self.extent, freeze(self.params)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repeated) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> Any:
        return Repeated, (self.prim, self.batched, self.extent, self.params)

    def typeof(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        single: tuple[Any, ...] = result_types(
            self.prim.typeof(*map(_example_type, types, self.batched), **self.params)
        )
        return tuple(ArrayType.of((self.extent, *t.shape), t.dtype) for t in single)

    def eval(self, *xs: Any) -> Any:
        if not self._opaque:
            try:
                return tuple(_over(lambda *one: self._values(one), self.batched, self.extent, xs))
            except Exception:  # what cannot be traced is a black box; it runs on numbers below
                self._opaque = True
        rows = [
            self._values([x[k] if b else x for x, b in zip(xs, self.batched, strict=True)])
            for k in range(self.extent)
        ]
        return tuple(np.stack(column) for column in zip(*rows, strict=True))

    def _values(self, xs: Sequence[Any]) -> Any:
        ys = self.prim.eval(*xs, **self.params)
        return ys if self.prim.multiple else (ys,)

    # ---- derivatives: those of the operation, repeated ---------------------------------------------
    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        from wengert.transforms.jvp import push

        moving = tuple(dx is not None for dx in dxs)
        moved = [type_of(y).inexact for y in ys]
        n = len(xs)

        def one(*args: Any) -> Any:
            points, results, movers = args[:n], args[n : n + len(ys)], iter(args[n + len(ys) :])
            given = [next(movers) if m else None for m in moving]
            types = [type_of(x) for x in points]
            dys = push(self.prim, given, points, results, self.params, types)
            return [_present(dy, y) for dy, y, m in zip(dys, results, moved, strict=True) if m]

        flags = (
            *self.batched,
            *(True,) * len(ys),
            *(b for b, m in zip(self.batched, moving, strict=True) if m),
        )
        found = iter(
            _over(one, flags, self.extent, (*xs, *ys, *(dx for dx in dxs if dx is not None)))
        )
        return tuple(next(found) if m else None for m in moved)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        from wengert.transforms.reverse import pull

        n = len(xs)
        arrived = [g is not None for g in gs]

        def one(*args: Any) -> Any:
            points, results, movers = args[:n], args[n : n + len(ys)], iter(args[n + len(ys) :])
            given = tuple(next(movers) if a else None for a in arrived)
            back = pull(self.prim, given, points, results, wanted, self.params)
            return [_present(c, x) for c, x, w in zip(back, points, wanted, strict=True) if w]

        flags = (*self.batched, *(True,) * (len(ys) + sum(arrived)))
        found = _over(one, flags, self.extent, (*xs, *ys, *(g for g in gs if g is not None)))
        return self._shared(iter(found), wanted)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        rest = [k for k, w in enumerate(wanted) if not w]
        types = [_example_type(type_of(a), b) for a, b in zip(args, self.batched, strict=True)]
        arrived = [g is not None for g in gs]

        def one(*args: Any) -> Any:
            points, movers = dict(zip(rest, args, strict=False)), iter(args[len(rest) :])
            full = tuple(points.get(k, t) for k, t in enumerate(types))
            given = tuple(next(movers) if a else None for a in arrived)
            back = self.prim.transpose(given, full, wanted, **self.params)
            return [_present(c, t) for c, t, w in zip(back, types, wanted, strict=True) if w]

        flags = (*(self.batched[k] for k in rest), *(True,) * sum(arrived))
        found = _over(
            one, flags, self.extent, (*(args[k] for k in rest), *(g for g in gs if g is not None))
        )
        return self._shared(iter(found), wanted)

    def _shared(self, found: Any, wanted: Sequence[bool]) -> Values:
        """Cotangents of arguments that all examples share are summed."""
        return tuple(
            None if not w else next(found) if b else sum_(next(found), axes=(0,))
            for b, w in zip(self.batched, wanted, strict=True)
        )


def repeated(
    prim: Primitive,
    batched: Sequence[bool],
    xs: Sequence[Any],
    extent: int,
    params: Mapping[str, Any],
) -> Any:
    """`prim` over a leading axis: its results, one or several as the primitive has."""
    ys = Repeated(prim, batched, extent, params)(*xs)
    return ys if prim.multiple else ys[0]


def _example_type(t: ArrayType, batched: bool) -> ArrayType:
    return ArrayType.of(t.shape[1:], t.dtype) if batched else t


def _present(a: Any, like: Any) -> Any:
    return zero(type_of(like)) if a is None else a


def _over(
    f: Callable[..., Any], flags: Sequence[bool], extent: int, args: Sequence[Any]
) -> list[Any]:
    """`f`, which takes and gives single examples, on batches: traced once and batched."""
    from wengert.transforms.batch import batch

    types = [_example_type(type_of(a), b) for a, b in zip(args, flags, strict=True)]
    program, captured = program_of(f, types)
    wide = batch(program, [*flags, *(False,) * len(captured)], extent)
    return evaluate(wide, [*args, *captured])
