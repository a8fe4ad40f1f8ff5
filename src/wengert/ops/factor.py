"""Factorisations of stacks of matrices: Cholesky, QR, pseudo-inverse (`spectral.py` has the eigenvalues)."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.linalg import Stacked, adjoint, check_square, inv, transposed


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

    def lower(self, k: Any, a: Any) -> Any:
        return k.qr(a, full=False)

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


class Chosen(Stacked):
    """`chosen(x, basis)`: x, how vectors move that are any basis of what they span.

    Backwards, a cotangent that depends on which basis it is becomes nan: there is no derivative.
    """

    name = "chosen"

    def typeof(self, x: ArrayType, basis: ArrayType) -> ArrayType:
        return x

    def eval(self, x: Any, basis: Any) -> Any:
        return x

    def lower(self, k: Any, x: Any, basis: Any) -> Any:
        return k.map(lambda s, x: x, x, dtype=x.dtype)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (False, wanted[0]), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (None if dxs[0] is None else self(dxs[0], xs[1]),)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        if not wanted[0]:
            return None, None
        (g,), (_, basis) = gs, args
        m = np.matmul(
            transposed(basis), g
        )  # turning the basis changes the result unless m is Hermitian
        off = np.max(np.abs(m - adjoint(m)), axis=(-2, -1), keepdims=True, initial=0)
        size = np.max(np.abs(g), axis=(-2, -1), keepdims=True, initial=0)
        return np.where(off > 1e-6 * size, np.full((), np.nan, g.dtype), g), None

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return self.transpose(gs, xs, wanted)


class FullQr(Stacked):
    """`q, r = full_qr(a)` with a square q. Its added columns are any basis of what is left.

    They turn no more than the others make them; what depends on the basis itself has no slope.
    """

    name = "full_qr"
    multiple = True
    settles = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        m = a.shape[-2]
        return ArrayType.of((*a.shape[:-1], m), a.dtype), a

    def eval(self, a: Any) -> tuple[Any, Any]:
        q, r = np.linalg.qr(a, mode="complete")
        return q, r

    def lower(self, k: Any, a: Any) -> Any:
        return k.qr(a, full=True)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        q, r = ys
        n = r.shape[-1]
        dq, dr = qr.jvp(dxs, xs, (q[..., :n], r[..., :n, :]))
        rest = q[..., n:]
        turned = chosen(-np.matmul(q[..., :n], np.matmul(adjoint(dq), rest)), rest)
        return np.concatenate([dq, turned], -1), np.concatenate([dr, 0 * r[..., n:, :]], -2)


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


cholesky, qr, full_qr, pinv, chosen = Cholesky(), Qr(), FullQr(), Pinv(), Chosen()
