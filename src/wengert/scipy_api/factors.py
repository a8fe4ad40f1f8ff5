"""`scipy.linalg` on traced values: LU, polar and RQ factors, spaces and angles, tridiagonal eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api import linalg as door
from wengert.numpy_api.promote import cast, dtype_of, inexact, operand, result_dtype
from wengert.numpy_api.table import unsupported
from wengert.ops import banded, matrix
from wengert.scipy_api.table import implements, numbers


def _matrices(*xs: Any) -> list[Any]:
    found = [inexact(operand(x)) for x in xs]
    dtype = result_dtype(*found)
    return [cast(x, dtype) for x in found]


def _h(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def _triangular(a: Any, b: Any, lower: bool, unit: bool = False) -> Any:
    return matrix.solve_triangular(a, b, lower=lower, unit=unit)


# ---- LU ---------------------------------------------------------------------------------------------


def _lu(what: str, a: Any) -> tuple[Any, Any, Any]:
    """The order of the rows (which does not move), and the factors of the matrix in this order."""
    import scipy.linalg

    if a.ndim != 2:
        raise unsupported(f"{what} of stacks of matrices", "give it one matrix at a time")
    number = numbers(a, what, "solve with np.linalg.solve, which chooses its rows while it runs")
    place = scipy.linalg.lu(number, p_indices=True)[0]
    order = np.argsort(place)
    a = a[order]
    m, n = a.shape
    k = min(m, n)
    lower, upper = banded.lu(a[:k, :k])
    if m > k:  # (triangular systems for the rows, or the columns, that are left)
        rest = _triangular(np.swapaxes(upper, 0, 1), np.swapaxes(a[k:], 0, 1), True)
        lower = np.concatenate([lower, np.swapaxes(rest, 0, 1)])
    if n > k:
        upper = np.concatenate([upper, _triangular(lower, a[:, k:], True, True)], 1)
    return place, lower, upper


@implements("scipy.linalg.lu")
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:  # fmt: skip
    """p, l, u with p l u = a. The order of the rows is that of SciPy, and does not move."""
    (a,) = _matrices(a)
    place, lower, upper = _lu("scipy.linalg.lu", a)
    if permute_l:
        return lower[place], upper
    if p_indices:
        return place, lower, upper
    real = np.zeros((), dtype_of(a)).real.dtype
    return np.eye(len(place), dtype=real)[place], lower, upper


@implements("scipy.linalg.lu_factor")
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Both factors in one matrix, and LAPACK's exchanges of rows."""
    import scipy.linalg

    (a,) = _matrices(a)
    _, lower, upper = _lu("scipy.linalg.lu_factor", a)
    number = numbers(a, "scipy.linalg.lu_factor", "solve with np.linalg.solve")
    m, n = a.shape
    k = min(m, n)
    lower = np.tril(lower, -1)
    both = upper if n > m else lower
    square = lower[:k] + upper[:, :k]
    if n > m:
        both = np.concatenate([square, upper[:, k:]], 1)
    elif m > n:
        both = np.concatenate([square, lower[k:]])
    else:
        both = square
    return both, scipy.linalg.lu_factor(number)[1]


@implements("scipy.linalg.lu_solve")
def lu_solve(
    lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """x with a x = b, from the factors of a."""
    both, exchanges = lu_and_piv
    both, b = _matrices(both, b)
    order = np.arange(len(exchanges))
    for i, j in enumerate(exchanges):
        order[[i, j]] = order[[j, i]]
    if trans == 0:
        return _triangular(both, _triangular(both, b[order], True, True), False)
    if trans not in (1, 2):
        raise ValueError("trans must be 0, 1 or 2")
    turned = np.swapaxes(both, 0, 1) if trans == 1 else _h(both)
    inner = _triangular(turned, b, True)
    return _triangular(turned, inner, False, True)[np.argsort(order)]


# ---- polar, RQ --------------------------------------------------------------------------------------


@implements("scipy.linalg.polar")
def polar(a: Any, side: str = "right") -> Any:
    """u p = a, or p u = a: a rotation and a stretching."""
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    w, s, vh = door.svd(_matrices(a)[0], False)
    stretch = np.matmul(_h(vh) * s, vh) if side == "right" else np.matmul(w * s, _h(w))
    return np.matmul(w, vh), stretch


@implements("scipy.linalg.rq")
def rq(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", check_finite: bool = True
) -> Any:  # fmt: skip
    """r q = a: the QR factors of the matrix read backwards, with LAPACK's signs."""
    import scipy.linalg

    (a,) = _matrices(a)
    m, n = a.shape
    if m > n or (m < n and mode == "full"):
        raise unsupported(
            f"scipy.linalg.rq of a {m}×{n} matrix with mode={mode!r}",
            "say mode='economic' where there are fewer rows than columns, or take qr of a.conj().T",
        )
    number = numbers(a, "scipy.linalg.rq", "take np.linalg.qr of a.conj().T")
    q, r = door.qr(_h(a[::-1]))
    r, q = _h(r)[::-1, ::-1], _h(q)[::-1]
    mine = np.diagonal(r)
    mine = mine.number() if hasattr(mine, "number") else mine
    sign = np.diagonal(scipy.linalg.rq(number, mode="economic")[0]) / mine
    sign = (sign / np.abs(sign)).astype(dtype_of(a))
    r = r * sign
    return r if mode == "r" else (r, np.conjugate(sign)[:, None] * q)


# ---- spaces, angles, rotations ------------------------------------------------------------------------


def _count(s: Any, what: str, rcond: Any, shape: Any) -> int:
    number = numbers(s, what, "say how many columns: np.linalg.svd(a)[0][:, :r]")
    cut = np.finfo(number.dtype).eps * max(shape) if rcond is None else rcond
    return int(np.sum(number > np.max(number, initial=0) * cut))


@implements("scipy.linalg.orth")
def orth(A: Any, rcond: Any = None) -> Any:
    """A basis of the space of the columns. What depends on the basis itself has no derivative."""
    (a,) = _matrices(A)
    u, s, _ = door.svd(a, False)
    return u[:, : _count(s, "scipy.linalg.orth", rcond, a.shape)]


@implements("scipy.linalg.null_space")
def null_space(
    A: Any, rcond: Any = None, *, overwrite_a: bool = False, check_finite: bool = True, lapack_driver: str = "gesdd"
) -> Any:  # fmt: skip
    """A basis of what the matrix maps to 0. What depends on the basis itself has no derivative."""
    (a,) = _matrices(A)
    _, s, vh = door.svd(a, True)
    return _h(vh[_count(s, "scipy.linalg.null_space", rcond, a.shape) :])


@implements("scipy.linalg.subspace_angles")
def subspace_angles(A: Any, B: Any) -> Any:
    """Angles between the spaces of the columns of two matrices, the largest first."""
    p, q = orth(A), orth(B)
    inner = np.matmul(_h(p), q)
    cosines = door.svdvals(inner)
    rest = q - np.matmul(p, inner) if p.shape[1] >= q.shape[1] else p - np.matmul(q, _h(inner))
    sines = door.svdvals(rest)[: len(cosines)]
    small = np.square(cosines) >= 0.5
    number = numbers(small, "scipy.linalg.subspace_angles", "take np.arccos of the singular values")
    # (the one that is not chosen may stand at the end of its domain)
    by_sine = np.arcsin(np.where(number, np.clip(sines, -1, 1), 0))
    by_cosine = np.arccos(np.where(number, 0, np.clip(cosines, -1, 1))[::-1])
    return np.where(number, by_sine, by_cosine)


@implements("scipy.linalg.orthogonal_procrustes")
def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    """The rotation that brings A nearest to B, and the sum of the singular values."""
    a, b = _matrices(A, B)
    u, s, vh = door.svd(np.swapaxes(np.matmul(np.swapaxes(np.conjugate(b), 0, 1), a), 0, 1), False)
    return np.matmul(u, vh), np.sum(s)


# ---- why not ------------------------------------------------------------------------------------------


def _refused(name: str, why: str, hint: str) -> None:
    def rule(*args: Any, **kwargs: Any) -> Any:
        raise unsupported(f"scipy.linalg.{name} ({why})", hint)

    implements(f"scipy.linalg.{name}")(rule)


_TURNS = "its factors turn abruptly where eigenvalues cross, and no basis in them is preferred"
_refused(
    "schur",
    _TURNS,
    "take np.linalg.eigvals(a) or eigh of a Hermitian matrix, or expm, logm, sqrtm of it",
)
_refused("hessenberg", _TURNS, "take np.linalg.eigvals(a), or np.linalg.qr(a)")
_refused("qz", _TURNS, "take scipy.linalg.eigvals(a, b)")
_refused("ordqz", _TURNS, "take scipy.linalg.eigvals(a, b)")
_refused("cossin", "its factors are bases", "take scipy.linalg.svdvals of the blocks")
_refused(
    "matrix_balance", "it scales by powers of 2 that jump", "leave it out: it changes no eigenvalue"
)
