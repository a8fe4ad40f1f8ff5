"""Functions of matrices, triangular systems, Sylvester's equation: computed by SciPy.

The slope of a function of a matrix stands in the corner of the function of a block matrix,
f([[a, e], [0, a]]); so it has a slope itself, of any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.linalg import Stacked, check_square, transposed


def _scipy(name: str) -> Callable[..., Any]:
    import scipy.linalg

    function: Callable[..., Any] = getattr(scipy.linalg, name)
    return function


def _each(function: Callable[..., Any], like: Any, *stacks: Any) -> Any:
    """A function of matrices, for every entry of the stacks."""
    y = np.empty_like(like)
    for at in np.ndindex(stacks[0].shape[:-2]):
        y[at] = function(*(stack[at] for stack in stacks))
    return y


class SolveTriangular(Stacked):
    """`solve_triangular[lower, unit](a, b)`: looks at one triangle of a, without its diagonal if `unit`."""

    name = "solve_triangular"

    def typeof(self, a: ArrayType, b: ArrayType, *, lower: bool, unit: bool) -> ArrayType:
        check_square("solve_triangular", a)
        rows = b.shape[:-1] if b.ndim == a.ndim else b.shape
        if rows != a.shape[:-1]:
            raise ShapeError(
                f"solve_triangular of {a!r} and {b!r}: rows do not match", where=source.here()
            )
        return b

    def eval(self, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
        columns = b if b.ndim == a.ndim else b[..., None]

        def one(a: Any, b: Any) -> Any:
            return _scipy("solve_triangular")(
                a, b, lower=lower, unit_diagonal=unit, check_finite=False
            )

        x = _each(one, columns, a, columns)
        return x if b.ndim == a.ndim else x[..., 0]

    def lower(self, k: Any, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
        return k.solve(a, b, (lower, unit))

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, False), wanted[0]

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, lower: bool, unit: bool) -> Values:
        (da, db), (a, _), (x,) = dxs, xs, ys
        if da is not None:
            moved = _triangle(da, lower, unit)
            push = (
                np.matmul(moved, x) if x.ndim == a.ndim else np.matmul(moved, x[..., None])[..., 0]
            )
            db = -push if db is None else db - push
        return (self(a, db, lower=lower, unit=unit),)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, lower: bool, unit: bool
    ) -> Values:
        return None, self(transposed(args[0]), gs[0], lower=not lower, unit=unit)

    def pullback(
        self,
        gs: Values,
        xs: Values,
        ys: Values,
        wanted: tuple[bool, ...],
        *,
        lower: bool,
        unit: bool,
    ) -> Values:
        a = xs[0]
        gb = self(transposed(a), gs[0], lower=not lower, unit=unit)
        if not wanted[0]:
            return None, gb
        (x,) = ys
        outer = (
            gb[..., :, None] * x[..., None, :] if x.ndim < a.ndim else np.matmul(gb, transposed(x))
        )
        return -_triangle(outer, lower, unit), gb


def _triangle(x: Any, lower: bool, unit: bool) -> Any:
    return np.tril(x, -unit) if lower else np.triu(x, int(unit))


class MatrixSlope(Stacked):
    """`expm_slope(a, e)`: how expm(a) moves when a moves along e; linear in e."""

    def __init__(self, function: str) -> None:
        self.name, self.function = f"{function}_slope", function

    def typeof(self, a: ArrayType, e: ArrayType) -> ArrayType:
        return e

    def eval(self, a: Any, e: Any) -> Any:
        # a direction of the size of a: so the block matrix is as well scaled as a is
        size = np.max(np.abs(e), axis=(-2, -1), keepdims=True, initial=0)
        size = np.where(size == 0, 1, size / np.maximum(np.max(np.abs(a), initial=0), 1e-3))
        size = size.astype(e.real.dtype)
        n = a.shape[-1]
        return _computed(self.function, _blocks(a, e / size))[..., :n, n:] * size

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, wanted[0]), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da, de), (a, e) = dxs, xs
        if da is None:
            return (self(a, de),)
        n = a.shape[-1]
        moved = _blocks(da, np.zeros_like(da) if de is None else de)
        return (self(_blocks(a, e), moved)[..., :n, n:],)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return None, self(transposed(args[0]), gs[0])


def _blocks(a: Any, e: Any) -> Any:
    """[[a, e], [0, a]]."""
    upper = np.concatenate([a, e], axis=-1)
    return np.concatenate([upper, np.concatenate([np.zeros_like(a), a], axis=-1)], axis=-2)


def _computed(name: str, a: Any) -> Any:
    function = _scipy(name)
    if name == "expm":
        y = function(a)
    else:
        kind = np.complex128 if a.dtype.kind == "f" else a.dtype
        y = _each(function, a.astype(kind), a)
        if a.dtype.kind == "f":
            if np.any(y.imag != 0):
                raise np.linalg.LinAlgError(
                    f"{name} of a real matrix is complex here: make the matrix complex first (a + 0j)"
                )
            y = y.real
    return y.astype(a.dtype, copy=False)


class MatrixFunction(Stacked):
    """`expm(a)` and the like; of a real matrix the result is real."""

    def __init__(self, slope: MatrixSlope) -> None:
        self.name, self.slope = slope.function, slope

    def typeof(self, a: ArrayType) -> ArrayType:
        check_square(self.name, a)
        return a

    def eval(self, a: Any) -> Any:
        return _computed(self.name, a)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (self.slope(xs[0], dxs[0]),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return (self.slope(transposed(xs[0]), gs[0]),)


class Sylvester(Stacked):
    """`sylvester(a, b, q)`: x with a x + x b = q."""

    name = "sylvester"

    def typeof(self, a: ArrayType, b: ArrayType, q: ArrayType) -> ArrayType:
        check_square("solve_sylvester", a)
        check_square("solve_sylvester", b)
        return q

    def eval(self, a: Any, b: Any, q: Any) -> Any:
        return _each(_scipy("solve_sylvester"), q, a, b, q)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, True, False), wanted[0] or wanted[1]

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da, db, dq), (a, b, _), (x,) = dxs, xs, ys
        if da is not None:
            dq = -np.matmul(da, x) if dq is None else dq - np.matmul(da, x)
        if db is not None:
            dq = -np.matmul(x, db) if dq is None else dq - np.matmul(x, db)
        return (self(a, b, dq),)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        a, b, _ = args
        return None, None, self(transposed(a), transposed(b), gs[0])

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        a, b, _ = xs
        g = self(transposed(a), transposed(b), gs[0])
        ga = -np.matmul(g, transposed(ys[0])) if wanted[0] else None
        gb = -np.matmul(transposed(ys[0]), g) if wanted[1] else None
        return ga, gb, g


solve_triangular, sylvester = SolveTriangular(), Sylvester()
expm_slope, logm_slope, sqrtm_slope = map(MatrixSlope, ("expm", "logm", "sqrtm"))
expm, logm, sqrtm = map(MatrixFunction, (expm_slope, logm_slope, sqrtm_slope))
