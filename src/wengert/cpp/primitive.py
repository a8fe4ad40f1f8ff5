"""A C++ function as a primitive, and its derivatives of every order as one more.

`Derivative` is D^(k+l) f(x)[v1, ..., vk, ., ...] with k directions given and l axes left open. Its own
derivatives are of the same kind: a tangent adds a direction, a cotangent opens an axis. Any
argument may have leading axes more: a batch of points, which the compiled code runs over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from wengert.cpp.bound import Bound
from wengert.cpp.target import Flags, Shape
from wengert.errors import RuleError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import everywhere, scale
from wengert.trust import rule_check


class _Compiled(Primitive):
    """What value and derivatives share: the function, and how batches are told from points."""

    def __init__(self, bound: Bound, check: bool) -> None:
        self.function, self.check = bound, check
        self.target, self.arguments = bound.target, bound.arguments

    def ranks(self, **params: Any) -> tuple[int, ...]:
        """The rank of each argument at one point."""
        return tuple(p.rank for p in self.arguments)

    def lead(self, args: Sequence[Any], **params: Any) -> Shape:
        """The leading axes: those of the arguments that have any."""
        for a, rank in zip(args, self.ranks(**params), strict=True):
            t = type_of(a)
            if t.ndim > rank:
                return t.shape[: t.ndim - rank]
        return ()

    def base(self, args: Sequence[Any]) -> np.dtype[Any]:
        """The dtype that T stands for."""
        return next(
            (type_of(a).dtype for a, p in zip(args, self.arguments, strict=False) if p.active),
            np.dtype(np.float64),
        )

    def cores(self, args: Sequence[Any]) -> tuple[Shape, ...]:
        """Shapes of the arguments at one point."""
        return tuple(
            type_of(a).shape[type_of(a).ndim - p.rank :]
            for a, p in zip(args, self.arguments, strict=False)
        )

    def batch(self, batched: tuple[bool, ...], *args: Any, **params: Any) -> Any:
        ranks = self.ranks(**params)
        inner = self.lead(
            [
                ArrayType.of(type_of(a).shape[1:], type_of(a).dtype) if b else a
                for a, b in zip(args, batched, strict=True)
            ],
            **params,
        )
        extent = next(type_of(a).shape[0] for a, b in zip(args, batched, strict=True) if b)
        given = []
        for a, b, rank in zip(args, batched, ranks, strict=True):
            own = type_of(a).ndim - rank - b
            if not b and own:
                a = everywhere(a, extent)
            elif b and inner and not own:
                shape = type_of(a).shape
                wide = np.reshape(a, (extent, *(1,) * len(inner), *shape[1:]))
                a = np.broadcast_to(wide, (extent, *inner, *shape[1:]))
            given.append(a)
        return self(*given, **params)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.function == other.function

    def __hash__(self) -> int:
        return hash((type(self), self.function))

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.function.identity, self.check)

    # ---- from arrays to flat vectors and back ------------------------------------------------------------
    def flat(self, parts: Any, values: Sequence[Any], shapes: Sequence[Shape], lead: Shape) -> Any:
        """All active numbers in one vector, per point where any of them has points; None is zero."""
        if all(
            v is None or type_of(v).ndim == len(core)
            for v, core in zip(values, shapes, strict=True)
        ):
            lead = ()
        base = next(type_of(v).dtype for v in values if v is not None)
        pieces = []
        for p, v, core in zip(parts, values, shapes, strict=True):
            if not p.active:
                continue
            size = int(np.prod(core, dtype=int))
            if v is None:
                pieces.append(np.zeros((*lead, size), base))
                continue
            own = type_of(v).shape[: type_of(v).ndim - len(core)]
            piece = np.reshape(v, (*own, size))
            pieces.append(piece if own == lead else np.broadcast_to(piece, (*lead, size)))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)

    def parted(self, vector: Any, parts: Any, taken: Flags, shapes: Sequence[Shape]) -> list[Any]:
        """Slices of a vector per point, for the parts that were taken; None for others."""
        found: list[Any] = []
        lead, start = type_of(vector).shape[:-1], 0
        for p, t, core in zip(parts, taken, shapes, strict=True):
            if not (p.active and t):
                found.append(None)
                continue
            size = int(np.prod(core, dtype=int))
            found.append(np.reshape(vector[..., start : start + size], (*lead, *core)))
            start += size
        return found


def _summed_to(value: Any, rank: int, like: Any) -> Any:
    """A cotangent of an argument that a batch shares: the sum over the points."""
    extra = type_of(value).ndim - type_of(like).ndim
    return np.sum(value, axis=tuple(range(extra))) if extra else value


def _contracted(g: Any, tensor: Any, lead: int) -> Any:
    """Sum over everything but the leading and the last axis of g . tensor; zero stops anything."""
    shape = type_of(tensor).shape
    wide = np.broadcast_to(np.reshape(g, (*type_of(g).shape, 1)), shape)
    return np.sum(scale(wide, tensor), axis=tuple(range(lead, len(shape) - 1)))


class Call(_Compiled):
    """The function itself."""

    multiple = True

    def __init__(self, bound: Bound, check: bool = True) -> None:
        super().__init__(bound, check)
        self.name = f"cpp[{self.target.short}]"
        self.derivative = Derivative(bound, check)
        self._checked: set[Any] = set()

    def typeof(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        base, lead = self.base(types), self.lead(types)
        shapes = self.function.shapes(base, self.cores(types))
        return tuple(
            ArrayType.of((*lead, *s), p.dtype(base))
            for s, p in zip(shapes, self.target.results, strict=True)
        )

    def eval(self, *args: Any) -> Any:
        found = self.function.call(self.base(args), 0, args, self.lead(args), [], ())
        return tuple(y[()] for y in found)

    def reads(self, wanted: tuple[bool, ...]) -> Any:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return self._looked_at(True, dxs, xs, tuple(dx is not None for dx in dxs))

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: Flags) -> Values:
        return self._looked_at(False, gs, xs, tuple(wanted))

    def native(
        self, forward: bool, movers: Values, xs: Values, ys: Any, wanted: Flags, params: Any
    ) -> Values:
        """Tangents of the results, or cotangents of the arguments that are wanted."""
        target, cores, lead = self.target, self.cores(xs), self.lead(xs)
        shapes = self.function.shapes(self.base(xs), cores)
        active = tuple(p.active for p in target.results)
        if forward:
            v = self.flat(self.arguments, movers, cores, lead)
            moved = self.derivative(*xs, v, along=1, full=())
            return tuple(self.parted(moved, target.results, active, shapes))
        moving = tuple(w and p.active for w, p in zip(wanted, self.arguments, strict=True))
        if not any(moving) or all(g is None for g in movers):
            return (None,) * len(xs)
        slopes = self.derivative(*xs, along=0, full=(moving,))
        g = self.flat(target.results, movers, shapes, lead)
        back = self.parted(_contracted(g, slopes, len(lead)), self.arguments, moving, cores)
        return tuple(
            None if b is None else _summed_to(b, len(c), x)
            for b, c, x in zip(back, cores, xs, strict=True)
        )

    def _looked_at(self, forward: bool, movers: Values, xs: Values, wanted: Flags) -> Values:
        """The rule's answer; at its first use on numbers, held against differences."""
        if not any(isinstance(a, Handle) for a in (*movers, *xs)):
            self._compare(forward, xs, wanted)
        return self.native(forward, movers, xs, None, wanted, {})

    def _compare(self, forward: bool, xs: Values, wanted: Flags) -> None:
        key = forward, wanted, tuple(map(type_of, xs))
        if key in self._checked or not self.check or not rule_check.enabled():
            return
        self._checked.add(key)
        moving = tuple(w and p.active for w, p in zip(wanted, self.arguments, strict=True))
        rule_check.against_differences(
            cast(Any, self), forward, lambda *points: list(self.eval(*points)), xs, self.eval(*xs), moving
        )  # fmt: skip

    def described(self, forward: bool) -> str:
        """How messages name the rule."""
        return f"the derivative of the C++ function {self.target.short} ({self.target.place})"

    def broken(self, forward: bool, what: str, way: str) -> RuleError:
        """The error of a rule that breaks its contract."""
        return RuleError(f"{self.described(forward)}: {what}", way, source.here())


class Derivative(_Compiled):
    """`D^(along+len(full)) f`: arguments, then `along` directions; result `lead + (rows, *columns)`."""

    def __init__(self, bound: Bound, check: bool = True) -> None:
        super().__init__(bound, check)
        self.name = f"cpp_derivative[{self.target.short}]"

    def ranks(self, *, along: int, full: tuple[Flags, ...]) -> tuple[int, ...]:
        return (*super().ranks(), *(1,) * along)

    def typeof(self, *types: ArrayType, along: int, full: tuple[Flags, ...]) -> ArrayType:
        target, base, cores = self.target, self.base(types), self.cores(types)
        shapes = self.function.shapes(base, cores)
        rows = sum(
            int(np.prod(s, dtype=int))
            for s, p in zip(shapes, target.results, strict=True)
            if p.active
        )
        columns = tuple(
            sum(int(np.prod(c, dtype=int)) for c, m in zip(cores, moving, strict=True) if m)
            for moving in full
        )
        return ArrayType.of((*self.lead(types, along=along, full=full), rows, *columns), base)

    def eval(self, *args: Any, along: int, full: tuple[Flags, ...]) -> Any:
        n = len(self.arguments)
        lead = self.lead(args, along=along, full=full)
        return self.function.call(self.base(args), along, args[:n], lead, args[n:], full)

    def reads(self, wanted: tuple[bool, ...]) -> Any:
        return True, False

    def jvp(
        self, dxs: Values, xs: Values, ys: Values, along: int, full: tuple[Flags, ...]
    ) -> Values:
        n = len(self.arguments)
        points, directions = xs[:n], xs[n:]
        parts = []
        if any(dx is not None for dx in dxs[:n]):
            cores = self.cores(points)
            lead = self.lead(xs, along=along, full=full)
            v = self.flat(self.arguments, dxs[:n], cores, lead)
            parts.append(self(*points, *directions, v, along=along + 1, full=full))
        for k, dv in enumerate(dxs[n:]):
            if dv is not None:
                moved_along = [*directions[:k], dv, *directions[k + 1 :]]
                parts.append(self(*points, *moved_along, along=along, full=full))
        return (sum(parts[1:], parts[0]) if parts else None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: Flags, along: int, full: tuple[Flags, ...]
    ) -> Values:
        n, arguments = len(self.arguments), self.arguments
        points, directions, g = xs[:n], xs[n:], gs[0]
        lead = len(self.lead(xs, along=along, full=full))
        moving = tuple(w and p.active for w, p in zip(wanted[:n], arguments, strict=True))
        found: list[Any] = [None] * n
        if any(moving):
            tensor = self(*points, *directions, along=along, full=(*full, moving))
            cores = self.cores(points)
            back = self.parted(_contracted(g, tensor, lead), arguments, moving, cores)
            found = [
                None if b is None else _summed_to(b, len(c), x)
                for b, c, x in zip(back, cores, points, strict=True)
            ]
        everyone = tuple(p.active for p in arguments)
        for k, w in enumerate(wanted[n:]):
            if not w:
                found.append(None)
                continue
            rest = [*directions[:k], *directions[k + 1 :]]
            tensor = self(*points, *rest, along=along - 1, full=(*full, everyone))
            shape = (*type_of(g).shape[:lead], *type_of(tensor).shape[-2 - len(full) :])
            tensor = np.broadcast_to(tensor, shape)  # without this direction it may have no batch
            found.append(_summed_to(_contracted(g, tensor, lead), 1, directions[k]))
        return tuple(found)

    def transpose(
        self, gs: Values, args: Values, wanted: Flags, along: int, full: tuple[Flags, ...]
    ) -> Values:
        """Linear in each direction: the cotangent of a direction, whatever its value."""
        return self.pullback(gs, args, (), wanted, along, full)


def _restored(cls: Any, identity: Any, check: bool) -> Any:
    from wengert.cpp.function import target_of

    target, options = identity
    return cls(Bound(target_of(target), options), check)
