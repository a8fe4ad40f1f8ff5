"""Factorisations of stacks of matrices: Cholesky, eigenvalues, singular values, QR, pseudo-inverse.

Slopes of vectors divide by gaps between values. Where values repeat the gap is 0: what depends on
the choice of a basis there becomes infinite or nan, never a finite wrong number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.families import scale
from wengert.ops.linalg import Stacked, adjoint, check_square, inv, real_type, transposed


class Cholesky(Stacked):
    """`cholesky(a)`: lower l with l lᴴ = a. Only the lower triangle of a is looked at, as in NumPy."""

    name = "cholesky"

    def typeof(self, a: ArrayType) -> ArrayType:
        check_square("cholesky", a)
        return a

    def eval(self, a: Any) -> Any:
        return np.linalg.cholesky(a)

    def lower(self, k: Any, a: Any) -> Any:
        return k.cholesky(a)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (y,) = dxs, ys
        inverse = inv(y, lenient=True)
        return (
            np.matmul(
                y, _lower_half(np.matmul(np.matmul(inverse, _mirrored(da)), adjoint(inverse)))
            ),
        )

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (y,) = gs, ys
        if y.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        inverse = inv(y, lenient=True)
        return (
            _fold(
                np.matmul(
                    np.matmul(transposed(inverse), _lower_half(np.matmul(transposed(y), g))),
                    inverse,
                )
            ),
        )


def _lower_half(x: Any) -> Any:
    """The lower triangle, the diagonal halved."""
    return np.tril(x, -1) + 0.5 * _diagonal_part(x)


def _diagonal_part(x: Any) -> Any:
    return np.where(np.eye(x.shape[-1], dtype=bool), x, 0)


def _mirrored(x: Any) -> Any:
    """The Hermitian matrix with this lower triangle."""
    low = np.tril(x, -1)
    on = _diagonal_part(x)
    return low + adjoint(low) + (np.real(on) if x.dtype.kind == "c" else on)


def _fold(x: Any) -> Any:
    """Transpose of `_mirrored` for real matrices."""
    return np.tril(x + transposed(x), -1) + _diagonal_part(x)


class Eigh(Stacked):
    """`w, v = eigh(a)`: eigenvalues (ascending) and -vectors of the Hermitian a, lower triangle read.

    Slopes of the vectors divide by differences of eigenvalues; those of the values do not.
    """

    name = "eigh"
    multiple = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        check_square("eigh", a)
        return ArrayType.of(a.shape[:-1], real_type(a)), a

    def eval(self, a: Any) -> tuple[Any, Any]:
        w, v = np.linalg.eigh(a)
        return w, v

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (w, v) = dxs, ys
        m = np.matmul(np.matmul(adjoint(v), _mirrored(da)), v)
        dw = np.real(np.diagonal(m, axis1=-2, axis2=-1))
        return dw, np.matmul(v, scale(_off_diagonal(m), _like(_gaps(w), m)))

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (gw, gv), (w, v) = gs, ys
        if v.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        inner: Any = None if gw is None else _as_diagonal(gw)
        if gv is not None:
            turned = scale(_off_diagonal(np.matmul(transposed(v), gv)), _gaps(w))
            inner = turned if inner is None else inner + turned
        return (_fold(np.matmul(np.matmul(v, inner), transposed(v))),)


def _like(x: Any, y: Any) -> Any:
    """x in the dtype of y."""
    return x if x.dtype == y.dtype else x.astype(y.dtype)


def _off_diagonal(x: Any) -> Any:
    return np.where(np.eye(x.shape[-1], dtype=bool), 0, x)


def _as_diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return np.where(np.eye(x.shape[-1], dtype=bool), x[..., None, :], 0)


def _gaps(w: Any) -> Any:
    """1 / (wⱼ - wᵢ), 1 on the diagonal, where nobody looks."""
    gap = w[..., None, :] - w[..., :, None]
    return 1 / np.where(np.eye(w.shape[-1], dtype=bool), 1, gap)


class Svd(Stacked):
    """`u, s, vh = svd(a)`, the thin one. Slopes of u and vh need distinct singular values."""

    name = "svd"
    multiple = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ...]:
        *stack, m, n = a.shape
        k = min(m, n)
        return (
            ArrayType.of((*stack, m, k), a.dtype),
            ArrayType.of((*stack, k), real_type(a)),
            ArrayType.of((*stack, k, n), a.dtype),
        )

    def eval(self, a: Any) -> tuple[Any, ...]:
        return tuple(np.linalg.svd(a, full_matrices=False))

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (u, s, vh) = dxs, ys
        k = s.shape[-1]
        p = np.matmul(np.matmul(adjoint(u), da), adjoint(vh))
        ds = np.real(np.diagonal(p, axis1=-2, axis2=-1))
        row, column = s[..., None, :], s[..., :, None]
        gaps = _like(_gaps(s) / np.where(np.eye(k, dtype=bool), 1, row + column), p)
        du = np.matmul(u, scale(_off_diagonal(p * row + column * adjoint(p)), gaps))
        dv = np.matmul(adjoint(vh), scale(_off_diagonal(column * p + adjoint(p) * row), gaps))
        if p.dtype.kind == "c":  # LAPACK leaves the phases free: all of the turn is given to u
            du = du + u * (1j * np.imag(np.diagonal(p, axis1=-2, axis2=-1)) / s)[..., None, :]
        if u.shape[-2] > k:  # what leaves the span of u
            away = np.matmul(da, adjoint(vh))
            du = du + (away - np.matmul(u, p)) / row
        if vh.shape[-1] > k:
            away = np.matmul(adjoint(da), u)
            dv = dv + (away - np.matmul(adjoint(vh), adjoint(p))) / row
        return du, ds, adjoint(dv)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (gu, g, gvh), (u, _, vh) = gs, ys
        if gu is not None or gvh is not None or u.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        return (np.matmul(u * g[..., None, :], vh),)


class Qr(Stacked):
    """`q, r = qr(a)` of matrices with at least as many rows as columns."""

    name = "qr"
    multiple = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        n = a.shape[-1]
        return a, ArrayType.of((*a.shape[:-2], n, n), a.dtype)

    def eval(self, a: Any) -> tuple[Any, Any]:
        q, r = np.linalg.qr(a)
        return q, r

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (q, r) = dxs, ys
        moved = np.matmul(da, inv(r, lenient=True))
        m = np.matmul(adjoint(q), moved)
        low = np.tril(m, -1)
        turn = low - adjoint(low)  # skew, so that q stays orthogonal; the rest of m is r's
        if m.dtype.kind == "c":
            turn = turn + 1j * np.imag(_diagonal_part(m))
        return moved - np.matmul(q, m - turn), np.matmul(m - turn, r)


class Pinv(Stacked):
    """`pinv[rcond](a)`: the Moore-Penrose inverse; its slope holds where the rank stays the same."""

    name = "pinv"

    def typeof(self, a: ArrayType, *, rcond: Any) -> ArrayType:
        return ArrayType.of((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)

    def eval(self, a: Any, *, rcond: Any) -> Any:
        return np.linalg.pinv(a, rcond)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, rcond: Any) -> Values:
        (da,), (a,), (y,) = dxs, xs, ys
        dh, yh = adjoint(da), adjoint(y)
        left = np.matmul(y, np.matmul(yh, dh))
        right = np.matmul(np.matmul(dh, yh), y)
        left = left - np.matmul(np.matmul(left, a), y)
        right = right - np.matmul(y, np.matmul(a, right))
        return (left + right - np.matmul(np.matmul(y, da), y),)


cholesky, eigh, svd, qr, pinv = Cholesky(), Eigh(), Svd(), Qr(), Pinv()
