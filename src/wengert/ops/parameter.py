"""Slopes in the parameter of a special function, where no function of SciPy is the slope: computed by our own series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.families import _named, along, everywhere, extent_of, is_constant, scale
from wengert.ops.radii import lost, plus


def _floating(*given: Any) -> np.dtype[Any]:
    """The common dtype; of integers float64."""
    dtype = np.result_type(*given)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


class Parameter(Primitive):
    """One slope, computed element by element; `slopes` are its own, `along` where unknown."""

    def __init__(
        self, name: str, value: Callable[..., Any], *slopes: Callable[..., Any] | along
    ) -> None:
        self.name, self.value, self.slopes = name, value, slopes

    def typeof(self, *types: ArrayType) -> ArrayType:
        shape = np.broadcast_shapes(*(t.shape for t in types))
        return ArrayType.of(shape, _floating(*(t.dtype for t in types)))

    def eval(self, *xs: Any) -> Any:
        dtype = _floating(*xs)
        parts = [np.asarray(x, np.float64) for x in np.broadcast_arrays(*xs)]
        with np.errstate(all="ignore"):
            y = self.value(*(np.ravel(p) for p in parts))
        return y.reshape(parts[0].shape).astype(dtype)[()]

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        total = None
        for slope, dx in zip(self.slopes, dxs, strict=True):
            if dx is not None:
                part = slope.rule(dx, None, *xs) if isinstance(slope, along) else scale(dx, slope(*xs))  # fmt: skip
                total = part if total is None else total + part
        return (total,)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return tuple(
            None if not w else self.jvp(tuple(gs[0] if n == m else None for m in range(len(xs))), xs, ys)[0]
            for n, w in enumerate(wanted)
        )  # fmt: skip

    def batch(self, batched: tuple[bool, ...], *args: Any) -> Any:
        n = extent_of(batched, args)
        return self(*(a if b or is_constant(a) else everywhere(a, n) for a, b in zip(args, batched, strict=True)))  # fmt: skip

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        moved = any(r is not None for r in rs)
        return (np.full_like(ys[0], np.inf) if moved else plus(lost(ys[0], 2**14), None),)

    def __reduce__(self) -> Any:
        return _named, (self.name,)
