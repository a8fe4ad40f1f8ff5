"""Sample: a primitive at a point, with directions to move in; what laws are held against."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, result_types
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import type_of
from wengert.testing.differences import wide


class LawBroken(AssertionError):
    """A primitive does not keep a promise; the message says which, where and by how much."""


class Sample:
    """A primitive at a point, with directions to move in.

    `moving` says which arguments move (by default all that can). Tangents and cotangents are
    drawn from `seed`, sized like their arguments, so that steps along them stay near the point.
    """

    def __init__(
        self,
        prim: Primitive,
        args: Sequence[Any],
        params: dict[str, Any] | None = None,
        moving: Sequence[bool] | None = None,
        seed: int = 0,
    ) -> None:
        self.prim, self.params, self.seed = prim, params or {}, seed
        self.args = tuple(np.asarray(a)[()] for a in args)
        self.types = tuple(map(type_of, self.args))
        able = tuple(t.inexact for t in self.types)
        self.moving = (
            able if moving is None else tuple(m and a for m, a in zip(moving, able, strict=True))
        )

    def values(self, *args: Any, **params: Any) -> tuple[Any, ...]:
        """Results as a tuple, by `eval`."""
        with np.errstate(all="ignore"):
            ys = self.prim.eval(*args, **(params or self.params))
        return ys if self.prim.multiple else (ys,)

    @cached_property
    def out_types(self) -> tuple[Any, ...]:
        """What `typeof` says."""
        return result_types(self.prim.typeof(*self.types, **self.params))

    @cached_property
    def program(self) -> Program:
        """The primitive as a program of one equation."""
        ins, outs = tuple(map(Var, self.types)), tuple(map(Var, self.out_types))
        return Program(ins, [Eqn(self.prim, ins, self.params, outs)], outs, name=self.prim.name)

    @property
    def differentiable(self) -> bool:
        """Does something move, and can a result follow?"""
        return any(self.moving) and any(t.inexact for t in self.out_types)

    @cached_property
    def dxs(self) -> list[Any]:
        """Tangents of the arguments that move."""
        draw = np.random.default_rng(self.seed)
        found = []
        for x, t, m in zip(self.args, self.types, self.moving, strict=True):
            direction = drawn(draw, t)
            if m:
                found.append((direction * near(x)).astype(t.dtype)[()])
        return found

    @cached_property
    def gs(self) -> list[Any]:
        """Cotangents of the results that can carry one."""
        draw = np.random.default_rng(self.seed + 1)
        return [drawn(draw, t).astype(t.dtype)[()] for t in self.out_types if t.inexact]

    def spread(self, movers: Sequence[Any]) -> list[Any]:
        """One entry per argument: `movers` where it moves, None where it rests."""
        remaining = iter(movers)
        return [next(remaining) if m else None for m in self.moving]

    def breaks(self, law: type[LawBroken], how: str) -> LawBroken:
        """The exception that says so."""
        shown = ", ".join(
            np.array2string(np.asarray(a), precision=8, threshold=8) for a in self.args
        )
        params = "".join(f", {k}={v!r}" for k, v in self.params.items())
        return law(f"{self.prim.name}({shown}{params}): {how}".replace("\n", ""))


def drawn(draw: Any, t: Any) -> Any:
    """Random numbers of a type, complex ones where it is complex."""
    x = draw.standard_normal(t.shape)
    return np.asarray(x + 1j * draw.standard_normal(t.shape) if t.dtype.kind == "c" else x)


def near(x: Any) -> Any:
    """The size of a step that stays near x: its own size, at most 1; at zero 1."""
    size = np.abs(x)
    return np.where(size == 0, 1, np.minimum(size, 1))


def pairing(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    """Re Σ x·y: the bilinear pairing that transposes are meant in, complex numbers included.

    >>> pairing([2.0, 1j], [3.0, 1j])
    5.0
    """
    return float(sum(np.real(np.sum(wide(x) * wide(y))) for x, y in zip(xs, ys, strict=True)))
