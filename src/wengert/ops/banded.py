"""Systems with banded matrices, and LU without pivoting: computed by SciPy and NumPy, matrix by matrix.

A banded matrix is kept as its diagonals, as SciPy keeps it: `ab[above + i - j, j] = a[i, j]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.linalg import Stacked, check_square
from wengert.ops.matrix import solve_triangular


def _shifted(x: Any, by: int) -> Any:
    """Columns moved to the right by so many places; zeros come in."""
    n = x.shape[-1]
    if abs(by) >= n:
        return np.zeros_like(x)
    zeros = np.zeros_like(x[..., : abs(by)])
    parts = [zeros, x[..., : n - by]] if by >= 0 else [x[..., -by:], zeros]
    return np.concatenate(parts, axis=-1)


def turned(ab: Any, below: int, above: int) -> Any:
    """The diagonals of the transposed matrix."""
    return np.stack(
        [_shifted(ab[..., above + d, :], d) for d in range(below, -above - 1, -1)], axis=-2
    )


def times(ab: Any, x: Any, below: int, above: int) -> Any:
    """A banded matrix times columns."""
    x = np.swapaxes(x, -1, -2)  # rows, so that the places of a vector are last
    y = sum(_shifted(ab[..., above + d, None, :] * x, d) for d in range(-above, below + 1))
    return np.swapaxes(y, -1, -2)


class SolveBanded(Stacked):
    """`solve_banded[below, above](ab, b)`: x with a x = b; b holds columns."""

    name = "solve_banded"

    def typeof(self, ab: ArrayType, b: ArrayType, *, below: int, above: int) -> ArrayType:
        if ab.shape[-2] != below + above + 1 or ab.shape[-1] != b.shape[-2]:
            raise ShapeError(
                f"solve_banded of {ab!r} and {b!r}, {below} diagonals below and {above} above: shapes do not match",
                where=source.here(),
            )
        return b

    def eval(self, ab: Any, b: Any, *, below: int, above: int) -> Any:
        import scipy.linalg

        x = np.empty_like(b)
        for at in np.ndindex(b.shape[:-2]):
            x[at] = scipy.linalg.solve_banded((below, above), ab[at], b[at])
        return x

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, False), wanted[0]

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, below: int, above: int) -> Values:
        (da, db), (ab, _), (x,) = dxs, xs, ys
        if da is not None:
            push = times(da, x, below, above)
            db = -push if db is None else db - push
        return (self(ab, db, below=below, above=above),)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, below: int, above: int
    ) -> Values:
        return None, self(turned(args[0], below, above), gs[0], below=above, above=below)


class Lu(Stacked):
    """`l, u = lu(a)`: l u = a, the diagonal of l is 1. No rows are exchanged."""

    name = "lu"
    multiple = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        check_square("lu", a)
        return a, a

    def eval(self, a: Any) -> tuple[Any, Any]:
        a = np.array(a)
        n = a.shape[-1]
        for k in range(n - 1):
            a[..., k + 1 :, k] /= a[..., k, k, None]
            a[..., k + 1 :, k + 1 :] -= a[..., k + 1 :, k, None] * a[..., k, None, k + 1 :]
        return np.tril(a, -1) + np.eye(n, dtype=a.dtype), np.triu(a)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (lower, upper) = dxs, ys
        inner = solve_triangular(lower, da, lower=True, unit=True)
        turned = solve_triangular(
            np.swapaxes(upper, -1, -2), np.swapaxes(inner, -1, -2), lower=True, unit=False
        )
        inner = np.swapaxes(turned, -1, -2)  # l⁻¹ da u⁻¹
        return np.matmul(lower, np.tril(inner, -1)), np.matmul(np.triu(inner), upper)


solve_banded, lu = SolveBanded(), Lu()
