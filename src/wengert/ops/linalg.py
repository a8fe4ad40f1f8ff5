"""Linear algebra: solving, inverses and determinants of stacks of matrices.

Matrices lie in the last two axes; all axes before them are a stack, so that a batch is only one
more axis. Cotangents pair bilinearly (no conjugates), as everywhere inside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import ConcretizationError, ShapeError
from wengert.ir import catching, source
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.families import _named, everywhere, extent_of, scale


class Stacked(Primitive):
    """An operation on stacks of matrices; batching is one more axis of the stack."""

    def __call__(self, *args: Any, **params: Any) -> Any:
        unknown = any(isinstance(a, Handle) and a.number() is None for a in args)
        if unknown and catching.caught(catching.FAILED):
            raise ConcretizationError(
                f"`try` asks whether {self.name} fails, which the numbers behind its arguments decide, "
                "and this trace knows only their types",
                "let the caller try, or add what keeps the matrix regular in every case",
                source.here(),
            )
        return super().__call__(*args, **params)

    def batch(self, batched: tuple[bool, ...], *args: Any, **params: Any) -> Any:
        n = extent_of(batched, args)
        return self(
            *(a if b else everywhere(a, n) for a, b in zip(args, batched, strict=True)), **params
        )

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Any:
        from wengert.ops.perturbation import radii

        return radii(self, ys, xs, rs, params)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def transposed(x: Any) -> Any:
    """Every matrix of a stack transposed."""
    return np.swapaxes(x, -1, -2)


def adjoint(x: Any) -> Any:
    """Every matrix of a stack transposed and conjugated."""
    return np.conjugate(transposed(x)) if x.dtype.kind == "c" else transposed(x)


def check_square(what: str, a: ArrayType) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{what} of {a!r}: the last two axes must be square", where=source.here())


def _over(g: Any, x: Any) -> Any:
    """A number per matrix, spread over the matrix."""
    return np.broadcast_to(np.reshape(g, (*np.shape(g), 1, 1)), x.shape)


def _inner(a: Any, b: Any) -> Any:
    """Σᵢⱼ aᵢⱼ bᵢⱼ, matrix by matrix."""
    return np.sum(a * b, axis=(-2, -1))


def real_type(a: ArrayType) -> Any:
    return np.zeros((), a.dtype).real.dtype


class Solve(Stacked):
    """`solve(a, b)`: x with a x = b; b holds columns, or is one vector per matrix."""

    name = "solve"

    def typeof(self, a: ArrayType, b: ArrayType) -> ArrayType:
        check_square("solve", a)
        rows = b.shape[:-1] if b.ndim == a.ndim else b.shape
        if rows != a.shape[:-1]:
            raise ShapeError(f"solve of {a!r} and {b!r}: rows do not match", where=source.here())
        return b

    def eval(self, a: Any, b: Any) -> Any:
        if b.ndim == a.ndim or b.ndim == 1:
            return np.linalg.solve(a, b)
        return np.linalg.solve(a, b[..., None])[..., 0]

    def lower(self, k: Any, a: Any, b: Any) -> Any:
        return k.solve(a, b) if len(b.shape) in (len(a.shape), len(a.shape) - 1) else NotImplemented

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da, db), (a, _), (x,) = dxs, xs, ys
        if da is not None:
            push = np.matmul(da, x) if x.ndim == a.ndim else np.matmul(da, x[..., None])[..., 0]
            db = -push if db is None else db - push
        return (solve(a, db),)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, False), wanted[0]

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return None, solve(transposed(args[0]), gs[0])

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        a = xs[0]
        gb = solve(transposed(a), gs[0])
        if not wanted[0]:
            return None, gb
        (x,) = ys
        if x.ndim < a.ndim:
            return -(gb[..., :, None] * x[..., None, :]), gb
        return -np.matmul(gb, transposed(x)), gb


class Inverse(Stacked):
    """`inv[lenient](a)`; lenient: a singular matrix has an inverse of nan instead of an error."""

    name = "inv"

    def typeof(self, a: ArrayType, *, lenient: bool) -> ArrayType:
        check_square("inv", a)
        return a

    def eval(self, a: Any, *, lenient: bool) -> Any:
        try:
            return np.linalg.inv(a)
        except np.linalg.LinAlgError:
            if not lenient:
                raise
        y = np.full_like(a, np.nan)
        for at in np.ndindex(a.shape[:-2]):
            try:
                y[at] = np.linalg.inv(a[at])
            except np.linalg.LinAlgError:
                continue
        return y

    def lower(self, k: Any, a: Any, *, lenient: bool) -> Any:
        return k.inverse(a, lenient)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, True

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, lenient: bool) -> Values:
        (da,), (y,) = dxs, ys
        return (-np.matmul(np.matmul(y, da), y),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, lenient: bool
    ) -> Values:
        (g,), (y,) = gs, ys
        return (-np.matmul(np.matmul(transposed(y), g), transposed(y)),)


class Det(Stacked):
    """`det(a)`; its slope is the matrix of cofactors, which singular matrices have too."""

    name = "det"

    def typeof(self, a: ArrayType) -> ArrayType:
        check_square("det", a)
        return ArrayType.of(a.shape[:-2], a.dtype)

    def eval(self, a: Any) -> Any:
        return np.linalg.det(a)

    def lower(self, k: Any, a: Any) -> Any:
        return k.map(
            lambda s, sign, size: s.mul(sign, s.exp(size)), *k.determinant(a), dtype=a.dtype
        )

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (np.sum(scale(dxs[0], cofactors(xs[0])), axis=(-2, -1)),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (a,) = xs
        return (scale(_over(gs[0], a), cofactors(a)),)


class Cofactors(Stacked):
    """`cofactors(a)`: ∂det/∂a = det(a) a⁻ᵀ, defined for singular matrices as well."""

    name = "cofactors"

    def typeof(self, a: ArrayType) -> ArrayType:
        check_square("cofactors", a)
        return a

    def eval(self, a: Any) -> Any:
        easy = _by_inverse(a)
        if easy is not None:
            return easy
        known, a = _finite(a)
        u, s, vh = np.linalg.svd(a)
        sign = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
        y = np.where(known, sign, np.nan) * np.matmul(
            u.conj() * _product_of_others(s)[..., None, :], vh.conj()
        )
        return y.astype(a.dtype, copy=False)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        return (cofactor_slope(xs[0], dxs[0]),)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return (cofactor_slope(xs[0], gs[0]),)


def _by_inverse(a: Any) -> Any:
    """det(a) a⁻ᵀ where that is accurate, else None."""
    try:
        with np.errstate(all="ignore"):
            inverse, d = np.linalg.inv(a), np.linalg.det(a)
            condition = np.linalg.norm(a, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
    except np.linalg.LinAlgError:
        return None
    info = np.finfo(d.dtype)
    sound = (condition < 1000) & (np.abs(d) > info.tiny * 1e8) & (np.abs(d) < info.max)
    return d[..., None, None] * transposed(inverse) if np.all(sound) else None


def _finite(a: Any) -> tuple[Any, Any]:
    """Which matrices are finite, and zeros for the others, on which LAPACK would fail where NumPy's det is nan."""
    known = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    return known, a if known.all() else np.where(known, a, 0)


def _product_of_others(s: Any) -> Any:
    """∏ over j ≠ i of s[…, j], for every i, without dividing."""
    one = np.ones_like(s[..., :1])
    before = np.multiply.accumulate(np.concatenate([one, s[..., :-1]], -1), -1)
    after = np.multiply.accumulate(np.concatenate([one, s[..., :0:-1]], -1), -1)[..., ::-1]
    return before * after


class CofactorSlope(Stacked):
    """`cofactor_slope(a, m)`: the slope of the cofactors of a along m. Self-adjoint in m.

    Of two rows the cofactors are linear in a, so that their slope does not depend on it.
    """

    name = "cofactor_slope"

    def typeof(self, a: ArrayType, m: ArrayType) -> ArrayType:
        return m

    def eval(self, a: Any, m: Any) -> Any:
        # a = u s vh makes it a question about diagonal matrices: with p[i, j] the product of all s
        # but the i-th and j-th, entry (i, i) moves by Σⱼ p[i, j] m[j, j], entry (i, j) by -p[i, j] m[j, i]
        known, a = _finite(a)
        u, s, vh = np.linalg.svd(a)
        sign = np.where(known, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None], np.nan)
        inner = np.matmul(np.matmul(adjoint(u), m), adjoint(vh))
        n = s.shape[-1]
        diagonal = np.eye(n, dtype=bool)
        p = np.where(diagonal, 0, _product_of_others(np.where(diagonal, 1, s[..., None, :])))
        moved = -p * transposed(inner)
        moved[..., range(n), range(n)] = np.matmul(
            p, np.diagonal(inner, axis1=-2, axis2=-1)[..., None]
        )[..., 0]
        return (sign * np.matmul(np.matmul(u.conj(), moved), vh.conj())).astype(m.dtype, copy=False)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (True, wanted[0]), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da, dm), (a, m) = dxs, xs
        dy = None if dm is None else cofactor_slope(a, dm)
        if (
            da is not None and a.shape[-1] > 2
        ):  # of regular matrices: y = det(a) (⟨b, m⟩ b - b mᵀ b), b = a⁻ᵀ
            b = transposed(inv(a, lenient=True))
            d = np.reshape(det(a), (*a.shape[:-2], 1, 1))
            db, dd = -np.matmul(np.matmul(b, transposed(da)), b), d * _over(_inner(b, da), a)
            t, dt = _over(_inner(b, m), a), _over(_inner(db, m), a)
            twist = np.matmul(b, transposed(m))
            push = dd * (t * b - np.matmul(twist, b)) + d * (
                dt * b + t * db - np.matmul(np.matmul(db, transposed(m)), b) - np.matmul(twist, db)
            )
            dy = push if dy is None else dy + push
        return (dy,)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return None, cofactor_slope(args[0], gs[0])


class SlogDet(Stacked):
    """`sign, logabs = slogdet(a)`."""

    name = "slogdet"
    multiple = True

    def typeof(self, a: ArrayType) -> tuple[ArrayType, ArrayType]:
        check_square("slogdet", a)
        return ArrayType.of(a.shape[:-2], a.dtype), ArrayType.of(a.shape[:-2], real_type(a))

    def eval(self, a: Any) -> tuple[Any, Any]:
        sign, logabs = np.linalg.slogdet(a)
        return sign, logabs

    def lower(self, k: Any, a: Any) -> Any:
        return k.determinant(a)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (da,), (a,) = dxs, xs
        slope = np.sum(scale(da, transposed(inv(a, lenient=True))), axis=(-2, -1))
        if a.dtype.kind != "c":
            return None, slope
        return 1j * np.imag(slope) * ys[0], np.real(slope)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        (a,) = xs
        if a.dtype.kind == "c":
            return NotImplemented  # type: ignore[no-any-return]
        return (
            None if gs[1] is None else scale(_over(gs[1], a), transposed(inv(a, lenient=True))),
        )


solve, inv, det, cofactors = Solve(), Inverse(), Det(), Cofactors()
cofactor_slope, slogdet = CofactorSlope(), SlogDet()
