"""Eigenvalues and singular values of stacks of matrices, with their vectors.

Slopes of vectors divide by gaps between values. Where values repeat, vectors are any basis of what
they span, and the gap is 0: the rules here give nan there, never a finite wrong number. What does not
depend on the basis has a slope all the same, which the fast road finds (`transforms/degenerate.py`).
Repeated values share the slope of one of them, as ties do: a mean that no choice of basis changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.factor import _fold, _mirrored, chosen
from wengert.ops.linalg import Stacked, adjoint, check_square, inv, real_type, transposed
from wengert.ops.matmul import einsum


def repeated(w: Any) -> Any:
    """Which pairs of values are equal up to rounding, each with itself: a matrix of booleans."""
    size = np.max(np.abs(w), axis=-1, keepdims=True, initial=0)[..., None]
    gap = np.abs(w[..., None, :] - w[..., :, None])
    return gap <= 8 * w.shape[-1] * np.finfo(w.dtype).eps * size


def gaps(w: Any) -> Any:
    """1 / (wⱼ - wᵢ); 0 on the diagonal, nan where values repeat."""
    diagonal, same = np.eye(w.shape[-1], dtype=bool), repeated(w)
    gap = w[..., None, :] - w[..., :, None]
    return np.where(diagonal, 0, np.where(same, np.nan, 1 / np.where(same, 1, gap)))


def weighed(m: Any, weights: Any) -> Any:
    """m times weights, element by element; a nan among the weights is no number times zero, either."""
    letters = "abcdefghijkl"[: len(m.shape)]
    return einsum(m, like(weights, m), spec=f"{letters},{letters}->{letters}")


def shared(dw: Any, w: Any) -> Any:
    """Slopes of values, those of repeated values by their mean. Linear in dw, and symmetric."""
    same = repeated(w).astype(real_type(dw.type if hasattr(dw, "type") else dw))
    weights = same / np.sum(same, axis=-1, keepdims=True)
    return np.matmul(weights.astype(dw.dtype), dw[..., None])[..., 0]


def like(x: Any, y: Any) -> Any:
    """x in the dtype of y."""
    return x if x.dtype == y.dtype else x.astype(y.dtype)


def diagonal(x: Any) -> Any:
    return np.diagonal(x, axis1=-2, axis2=-1)


def as_diagonal(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return np.where(np.eye(x.shape[-1], dtype=bool), x[..., None, :], 0)


class Eigh(Stacked):
    """`w, v = eigh(a)`: eigenvalues (ascending) and -vectors of the Hermitian a, lower triangle read.

    Slopes of the vectors divide by differences of eigenvalues; those of the values do not.
    """

    name = "eigh"
    multiple = True
    settles = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        check_square("eigh", a)
        return ArrayType.of(a.shape[:-1], real_type(a)), a

    def eval(self, a: Any) -> tuple[Any, Any]:
        w, v = np.linalg.eigh(a)
        return w, v

    def lower(self, k: Any, a: Any) -> Any:
        return k.eigh(a)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (w, v) = dxs, ys
        m = np.matmul(np.matmul(adjoint(v), _mirrored(da)), v)
        dv = np.matmul(v, weighed(m, gaps(w)))
        return shared(np.real(diagonal(m)), w), turnable(dv, v) if v.dtype.kind == "c" else dv

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (gw, gv), (w, v) = gs, ys
        if v.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        inner: Any = None if gw is None else as_diagonal(shared(gw, w))
        if gv is not None:
            turned = weighed(np.matmul(transposed(v), gv), gaps(w))
            inner = turned if inner is None else inner + turned
        return (self.outer(inner, v),)

    def outer(self, inner: Any, v: Any) -> Any:
        """The cotangent of a from that of vᵀ da v."""
        return _fold(np.matmul(np.matmul(v, inner), transposed(v)))


def turnable(dv: Any, v: Any) -> Any:
    """How columns move, the phase of each of which is free: backwards, what depends on it becomes nan."""
    moved = chosen(transposed(dv)[..., None], transposed(v)[..., None])
    return transposed(moved[..., 0])


class Svd(Stacked):
    """`u, s, vh = svd(a)`, the thin one. Slopes of u and vh need distinct singular values."""

    name = "svd"
    multiple = True
    settles = True

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

    def lower(self, k: Any, a: Any) -> Any:
        return k.svd(a, full=False)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (u, s, vh) = dxs, ys
        k = s.shape[-1]
        p = np.matmul(np.matmul(adjoint(u), da), adjoint(vh))
        row, column = s[..., None, :], s[..., :, None]
        apart = gaps(s) / np.where(np.eye(k, dtype=bool), 1, row + column)
        du = np.matmul(u, weighed(p * row + column * adjoint(p), apart))
        dv = np.matmul(adjoint(vh), weighed(column * p + adjoint(p) * row, apart))
        if p.dtype.kind == "c":  # LAPACK leaves the phases free: all of the turn is given to u
            du = du + u * (1j * np.imag(diagonal(p)) / s)[..., None, :]
        if u.shape[-2] > k:  # what leaves the span of u
            away = np.matmul(da, adjoint(vh))
            du = du + (away - np.matmul(u, p)) / row
        if vh.shape[-1] > k:
            away = np.matmul(adjoint(da), u)
            dv = dv + (away - np.matmul(adjoint(vh), adjoint(p))) / row
        if p.dtype.kind == "c":
            both = np.concatenate([u, adjoint(vh)], -2)
            both = turnable(np.concatenate([du, dv], -2), both)
            du, dv = both[..., : u.shape[-2], :], both[..., u.shape[-2] :, :]
        return du, shared(np.real(diagonal(p)), s), adjoint(dv)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (gu, g, gvh), (u, s, vh) = gs, ys
        if gu is not None or gvh is not None or u.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        return (np.matmul(u * shared(g, s)[..., None, :], vh),)


class FullSvd(Stacked):
    """`u, s, vh = full_svd(a)` with square u and vh. Their added vectors are any basis of what is left.

    They turn no more than the others make them; what depends on the basis itself has no slope.
    """

    name = "full_svd"
    multiple = True
    settles = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ...]:
        *stack, m, n = a.shape
        return (
            ArrayType.of((*stack, m, m), a.dtype),
            ArrayType.of((*stack, min(m, n)), real_type(a)),
            ArrayType.of((*stack, n, n), a.dtype),
        )

    def eval(self, a: Any) -> tuple[Any, ...]:
        return tuple(np.linalg.svd(a))

    def lower(self, k: Any, a: Any) -> Any:
        return k.svd(a, full=True)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        u, s, vh = ys
        k = s.shape[-1]
        du, ds, dvh = svd.jvp(dxs, xs, (u[..., :k], s, vh[..., :k, :]))
        if u.shape[-1] > k:
            rest = -np.matmul(u[..., :k], np.matmul(adjoint(du), u[..., k:]))
            du = np.concatenate([du, chosen(rest, u[..., k:])], -1)
        if vh.shape[-2] > k:
            rest = -np.matmul(np.matmul(vh[..., k:, :], adjoint(dvh)), vh[..., :k, :])
            turned = chosen(transposed(rest), transposed(vh[..., k:, :]))
            dvh = np.concatenate([dvh, transposed(turned)], -2)
        return du, ds, dvh


class Eig(Stacked):
    """`w, v = eig(a)` of any square matrix, complex. Vectors have length 1, their largest entry is real."""

    name = "eig"
    multiple = True
    settles = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        check_square("eig", a)
        kind = np.result_type(a.dtype, np.complex64)
        return ArrayType.of(a.shape[:-1], kind), ArrayType.of(a.shape, kind)

    def eval(self, a: Any) -> tuple[Any, Any]:
        w, v = np.linalg.eig(a)
        kind = np.result_type(a.dtype, np.complex64)
        return w.astype(kind, copy=False), v.astype(kind, copy=False)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (w, v) = dxs, ys
        m = np.matmul(np.matmul(_inverse(w, v), like(da, v)), v)
        dv = np.matmul(v, weighed(m, gaps(w)))
        # what the length and the phase of every vector have to be takes back a multiple of it
        largest = np.argmax(np.abs(v), axis=-2, keepdims=True)
        length = np.sum(np.real(np.conjugate(v) * dv), axis=-2, keepdims=True)
        at = [np.take_along_axis(x, largest, -2) for x in (dv, v)]
        phase = np.imag(at[0] / at[1])
        return shared(diagonal(m), w), dv - v * like(length, v) - v * (1j * phase)


def defective(w: Any, v: Any, inverse: Any) -> Any:
    """Which matrices have repeated eigenvalues and no basis of eigenvectors?"""
    size = np.linalg.norm(v, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
    several = np.sum(repeated(w), axis=(-2, -1)) > w.shape[-1]
    return several & ~(size < _SOUND)


def _inverse(w: Any, v: Any) -> Any:
    """The inverse of the eigenvectors; nan where there is none."""
    inverse = inv(v, lenient=True)
    return np.where(defective(w, v, inverse)[..., None, None], np.nan, inverse)


_SOUND = 1e7  # a basis of eigenvectors may be so badly conditioned

eigh, svd, full_svd, eig = Eigh(), Svd(), FullSvd(), Eig()
