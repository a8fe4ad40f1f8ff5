"""`np.linalg`: solving, inverses, determinants, norms, factorisations."""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.numpy_api.promote import (
    axes_of,
    axis_of,
    cast,
    common_shape,
    dtype_of,
    operand,
    shape_of,
    spread,
)
from wengert.numpy_api.table import implements, unsupported
from wengert.ops import arithmetic, factor, linalg, reduce, spectral
from wengert.trace.tracer import Tracer

_NONE = np._NoValue


def _matrices(a: Any) -> Any:
    """Stacked matrices of floating-point numbers."""
    x = operand(a)
    if len(shape_of(x)) < 2:
        raise np.linalg.LinAlgError(
            f"{np.ndim(x)}-dimensional array given. Array must be at least two-dimensional"
        )
    return x if dtype_of(x).kind in "fc" else cast(x, np.dtype(np.float64))


def _squares(a: Any) -> Any:
    x = _matrices(a)
    if x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return x


@lru_cache
def _result(name: str) -> Any:
    """NumPy's own named tuple for the results of a function."""
    return type(getattr(np.linalg, name)(np.eye(1)))


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    a, b = _squares(a), operand(b)
    if a.dtype != dtype_of(b):
        dtype = np.result_type(a.dtype, dtype_of(b)) if dtype_of(b).kind in "fc" else a.dtype
        a, b = cast(a, dtype), cast(b, dtype)
    sa, sb = a.shape, shape_of(b)
    vector = len(sb) == 1
    if len(sb) == 0 or sb[0 if vector else -2] != sa[-1]:
        raise ValueError(f"solve: {sa[-1]} equations meet a right side of shape {sb}")
    if vector:
        return linalg.solve(a, spread(b, sa[:-1]))
    if sa[:-2] == sb[:-2]:
        return linalg.solve(a, b)
    stack = common_shape("solve", [sa[:-2], sb[:-2]])
    return linalg.solve(spread(a, (*stack, *sa[-2:])), spread(b, (*stack, *sb[-2:])))


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    return linalg.inv(_squares(a), lenient=False)


@implements(np.linalg.det)
def det(a: Any) -> Any:
    return linalg.det(_squares(a))


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    return _result("slogdet")(*linalg.slogdet(_squares(a)))


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    x = _squares(a)
    if not upper:
        return factor.cholesky(x)
    return np.conjugate(np.swapaxes(factor.cholesky(np.conjugate(np.swapaxes(x, -1, -2))), -1, -2))


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _NONE) -> Any:
    x = _matrices(a)
    cut = rcond if rtol is _NONE else rtol
    if cut is None:
        cut = max(x.shape[-2:]) * np.finfo(x.dtype).eps if rtol is None else 1e-15
    if np.ndim(cut) or isinstance(cut, Tracer):
        raise unsupported("np.linalg.pinv with an array of cut-offs")
    return factor.pinv(x, rcond=float(cut))


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = _matrices(a), operand(b)
    if a.ndim != 2:
        raise np.linalg.LinAlgError(
            f"{a.ndim}-dimensional array given. Array must be two-dimensional"
        )
    m, n = a.shape
    cut = np.finfo(a.dtype).eps * max(m, n) if rcond is None else max(float(rcond), 0)
    x = np.matmul(factor.pinv(a, rcond=float(cut)), b)
    s = spectral.svd(a)[1]
    rank = np.count_nonzero(s > cut * s[0])
    if m > n and not (isinstance(rank, Tracer) and rank.number() is not None and int(rank) < n):
        residuals = np.atleast_1d(np.sum(np.square(np.abs(b - np.matmul(a, x))), axis=0))
    else:
        residuals = np.zeros(0, _real_type(a))
    return x, residuals, rank, s


# ---- norms ----------------------------------------------------------------------------------------


def _euclidean(x: Any, axes: tuple[int, ...]) -> Any:
    return reduce.length(arithmetic.modulus(x) if x.dtype.kind == "c" else x, axes=axes)


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...]) -> Any:
    if order is None or order == 2:
        return _euclidean(x, axes)
    if order == 0:
        return np.sum(cast(np.not_equal(x, 0), _real_type(x)), axis=axes)
    size = np.abs(x)
    if order == np.inf:
        return _largest(size, axes)
    if order == -np.inf:
        return np.min(size, axis=axes)
    if order == 1:
        return np.sum(size, axis=axes)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    p = cast(operand(order), _real_type(x))
    if isinstance(p, Tracer) or p < 1:
        return np.sum(size**p, axis=axes) ** (1 / p)
    total = np.sum(size**p, axis=axes)
    origin = np.equal(total, 0)  # where the slope is 0, by symmetry
    return np.where(origin, 0, np.where(origin, 1, total) ** (1 / p))


def _largest(size: Any, axis: Any) -> Any:
    """The largest of sizes, 0 where there are none."""
    return np.max(size, axis=axis) if size.size else np.max(size, axis=axis, initial=0)


def _real_type(x: Any) -> Any:
    """The dtype of the absolute value of x."""
    return np.zeros((), x.dtype).real.dtype


def _matrix_norm(x: Any, order: Any, axes: tuple[int, int]) -> Any:
    row, column = axes
    if order in (None, "fro", "f"):
        return _euclidean(x, tuple(sorted(axes)))
    if order in (1, -1, np.inf, -np.inf):
        along, across = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=along)
        pick = _largest if order > 0 else np.min
        return pick(sums, axis=across - (across > along))
    if order in (2, -2, "nuc"):
        s = spectral.svd(np.moveaxis(x, axes, (-2, -1)))[1]
        return (
            np.sum(s, axis=-1)
            if order == "nuc"
            else _largest(s, -1)
            if order == 2
            else np.min(s, axis=-1)
        )
    raise ValueError("Invalid norm order for matrices.")


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = operand(x)
    if dtype_of(x).kind not in "fc":
        x = cast(x, np.dtype(np.float64))
    n = x.ndim
    if axis is None:
        listed: tuple[int, ...] = tuple(range(n))
        if ord is None:
            y = _euclidean(x, listed)
        elif n == 1:
            y = _vector_norm(x, ord, listed)
        elif n == 2:
            y = _matrix_norm(x, ord, (0, 1))
        else:
            raise ValueError("Improper number of dimensions to norm.")
    else:
        listed = tuple(axis_of(d, n) for d in (axis if isinstance(axis, tuple) else (axis,)))
        if len(listed) == 1:
            y = _vector_norm(x, ord, listed)
        elif len(listed) == 2:
            if listed[0] == listed[1]:
                raise ValueError("Duplicate axes given.")
            y = _matrix_norm(x, ord, (listed[0], listed[1]))
        else:
            raise ValueError("Improper number of dimensions to norm.")
    return (
        np.reshape(y, tuple(1 if d in listed else k for d, k in enumerate(x.shape)))
        if keepdims
        else y
    )


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = operand(x)
    axes = axes_of(axis, x.ndim)
    y = _vector_norm(x, ord, axes)
    return (
        np.reshape(y, tuple(1 if d in axes else n for d, n in enumerate(x.shape)))
        if keepdims
        else y
    )


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return norm(x, ord, (-2, -1), keepdims)


# ---- factorisations -------------------------------------------------------------------------------


def _lower(a: Any, UPLO: str) -> Any:
    """The Hermitian matrix in question, such that its lower triangle holds it."""
    x = _squares(a)
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return x if UPLO.upper() == "L" else np.conjugate(np.swapaxes(x, -1, -2))


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    return _result("eigh")(*spectral.eigh(_lower(a, UPLO)))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return spectral.eigh(_lower(a, UPLO))[0]


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    x = _matrices(a)
    if not compute_uv:
        return spectral.svd(x)[1]
    if full_matrices and x.shape[-1] != x.shape[-2]:
        return _result("svd")(*spectral.full_svd(x))
    return _result("svd")(*spectral.svd(x))


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return spectral.svd(_matrices(x))[1]


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    x = _matrices(a)
    m, n = x.shape[-2:]
    if mode not in ("reduced", "complete", "r"):
        raise unsupported(f"np.linalg.qr with mode={mode!r}", "say mode='reduced'")
    if mode == "complete" and m > n:
        return _result("qr")(*factor.full_qr(x))
    q, r = factor.qr(x if m >= n else x[..., :m])
    if m < n:
        r = np.concatenate([r, np.matmul(np.conjugate(np.swapaxes(q, -1, -2)), x[..., m:])], -1)
    return r if mode == "r" else _result("qr")(q, r)


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    x = _matrices(x)
    if p is None or p in (2, -2):
        s = spectral.svd(x)[1]
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    x = operand(A)
    if x.ndim < 2:
        return cast(np.any(np.not_equal(x, 0)), np.dtype(int))
    s = spectral.svd(_matrices(x))[1]
    if tol is None:
        cut = (
            max(x.shape[-2:]) * np.finfo(s.dtype).eps
            if rtol is None
            else np.asarray(rtol)[..., None]
        )
        tol = np.max(s, axis=-1, keepdims=True) * cut
    else:
        tol = np.asarray(tol)[..., None]
    return np.count_nonzero(s > tol, axis=-1)


@implements(np.linalg.eig)
def eig(a: Any) -> Any:
    """Eigenvalues and -vectors; real where NumPy's are (complex in a trace that knows no numbers)."""
    x = _squares(a)
    w, v = spectral.eig(x)
    number = w.number() if isinstance(w, Tracer) else w
    if x.dtype.kind == "f" and number is not None and not np.any(number.imag):
        w, v = np.real(w), np.real(v)
    return _result("eig")(w, v)


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    return eig(a)[0]


# ---- tensors as matrices --------------------------------------------------------------------------


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = operand(a), operand(b)
    if axes is not None:
        order = [d for d in range(a.ndim) if d not in axes] + list(axes)
        a = np.transpose(a, order)
    shape = a.shape[-(a.ndim - np.ndim(b)) :]
    n = math.prod(shape)
    if a.size != n**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return np.reshape(solve(np.reshape(a, (n, n)), np.ravel(b)), shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    x = operand(a)
    ind = operator.index(ind)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows, columns = x.shape[:ind], x.shape[ind:]
    return np.reshape(inv(np.reshape(x, (math.prod(rows), -1))), (*columns, *rows))
