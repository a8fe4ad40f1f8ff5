"""`scipy.linalg` on traced values.

Options that change no number (`overwrite_a`, `check_finite`, `lapack_driver`) are taken and let be.
Where SciPy looks at one triangle of a matrix only, only that triangle has a derivative.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from wengert.numpy_api import linalg as door
from wengert.numpy_api.indexing import known
from wengert.numpy_api.promote import cast, dtype_of, inexact, operand, result_dtype
from wengert.numpy_api.table import unsupported
from wengert.ops import linalg as ops
from wengert.ops import matrix, spectral
from wengert.scipy_api import table
from wengert.scipy_api.table import implements, numbers
from wengert.trace.tracer import Tracer


def install(module: ModuleType) -> None:
    """Furnish `scipy.linalg`."""
    from wengert.scipy_api import factors, structured  # noqa: F401  (they fill the table)

    table.install(module)


def _matrices(*xs: Any) -> list[Any]:
    """Floating-point operands of one dtype."""
    found = [inexact(operand(x)) for x in xs]
    dtype = result_dtype(*found)
    return [cast(x, dtype) for x in found]


def _h(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def _t(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _diagonal(x: Any) -> Any:
    return np.where(np.eye(x.shape[-1], dtype=bool), x, 0)


def _assumed(a: Any, assume_a: Any, lower: bool) -> Any:
    """The matrix that SciPy takes `a` for."""
    kind = {
        "general": "gen",
        "symmetric": "sym",
        "hermitian": "her",
        "positive definite": "pos",
    }.get(assume_a, assume_a)
    if kind in (None, "gen"):
        return a
    if kind in ("sym", "her", "pos"):
        turn = _t if kind == "sym" else _h
        half = np.tril(a, -1) if lower else np.triu(a, 1)
        middle = _diagonal(a)
        if kind != "sym" and dtype_of(a).kind == "c":
            middle = cast(np.real(middle), dtype_of(a))
        return half + middle + turn(half)
    if kind == "diagonal":
        return _diagonal(a)
    if kind == "tridiagonal":
        return np.tril(np.triu(a, -1), 1)
    if kind in ("upper triangular", "lower triangular"):
        return np.triu(a) if kind[0] == "u" else np.tril(a)
    if kind == "banded":
        return a
    raise ValueError(f"{assume_a} is not a recognized matrix structure")


def hermitian(a: Any, lower: bool) -> Any:
    """The Hermitian matrix with this triangle."""
    return _assumed(a, "her", lower)


# ---- systems of equations ---------------------------------------------------------------------------


@implements("scipy.linalg.solve")
def solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, assume_a: Any = None, transposed: bool = False,
) -> Any:  # fmt: skip
    """x with a x = b."""
    a, b = _matrices(a, b)
    a = _assumed(a, assume_a, lower)
    return door.solve(_t(a) if transposed else a, b)


@implements("scipy.linalg.solve_triangular")
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    """x with a x = b, where a is triangular."""
    a, b = _matrices(a, b)
    turn = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    if turn not in (0, 1, 2):
        raise ValueError("trans must be 0, 1, 2, 'N', 'T' or 'C'")
    if turn:
        a, lower = (_t, _h)[turn - 1](a), not lower
    return _triangular(a, b, lower, unit_diagonal)


def _triangular(a: Any, b: Any, lower: bool, unit: bool = False) -> Any:
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2] if b.ndim > 1 else ())
    a = np.broadcast_to(a, (*stack, *a.shape[-2:]))
    b = np.broadcast_to(b, (*stack, *(b.shape[-2:] if b.ndim > 1 else b.shape)))
    return matrix.solve_triangular(a, b, lower=bool(lower), unit=bool(unit))


@implements("scipy.linalg.cholesky")
def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The triangle whose product with its adjoint is a."""
    (a,) = _matrices(a)
    return door.cholesky(a, upper=not lower)


@implements("scipy.linalg.cho_factor")
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """For `cho_solve`; the other triangle, where SciPy leaves what was there, is zero."""
    return cholesky(a, lower), lower


@implements("scipy.linalg.cho_solve")
def cho_solve(
    c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """x with a x = b, from the factor of a."""
    c, lower = c_and_lower
    c, b = _matrices(c, b)
    first, second = (c, _h(c)) if lower else (_h(c), c)
    return _triangular(second, _triangular(first, b, True), False)


@implements("scipy.linalg.lstsq")
def lstsq(
    a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, lapack_driver: Any = None,
) -> Any:  # fmt: skip
    """The x that brings a x nearest to b; its slope holds where the rank stays the same."""
    a, b = _matrices(a, b)
    cut = float(np.finfo(dtype_of(a)).eps if cond is None else cond)
    x, residues, rank, s = door.lstsq(a, b, cut)
    if np.ndim(b) == 1 and np.ndim(residues) == 1 and np.shape(residues) == (1,):
        residues = residues[0]
    if isinstance(rank, Tracer) and rank.number() is not None:
        rank = int(rank)
    return x, residues, rank, s


@implements("scipy.linalg.solve_sylvester")
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """x with a x + x b = q."""
    return matrix.sylvester(*_matrices(a, b, q))


@implements("scipy.linalg.solve_continuous_lyapunov", "scipy.linalg.solve_lyapunov")
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """x with a x + x aᴴ = q."""
    a, q = _matrices(a, q)
    return matrix.sylvester(a, _h(a), q)


@implements("scipy.linalg.solve_discrete_lyapunov")
def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """x with a x aᴴ - x + q = 0."""
    a, q = _matrices(a, q)
    n = a.shape[-1]
    system = np.eye(n * n, dtype=dtype_of(a)) - np.kron(a, np.conjugate(a))
    return np.reshape(ops.solve(system, np.reshape(q, n * n)), (n, n))


# ---- inverses, determinants, norms ------------------------------------------------------------------


@implements("scipy.linalg.inv")
def inv(
    a: Any,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: Any = None,
    lower: bool = False,
) -> Any:
    """The inverse."""
    return door.inv(_assumed(_matrices(a)[0], assume_a, lower))


@implements("scipy.linalg.det")
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant."""
    return door.det(_matrices(a)[0])


@implements("scipy.linalg.pinv")
def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """The Moore-Penrose inverse."""
    (a,) = _matrices(a)
    if not (return_rank or atol):
        return door.pinv(a, rtol=rtol)
    number = numbers(a, "scipy.linalg.pinv with atol or return_rank", "say rtol=…")
    s = np.linalg.svdvals(number)
    relative = (
        max(number.shape[-2:]) * np.finfo(number.dtype).eps
        if rtol is None and atol is None
        else rtol or 0
    )
    cut = (atol or 0) + relative * s.max(initial=0)
    y = door.pinv(a, rtol=cut / max(s.max(initial=0), np.finfo(s.dtype).tiny))
    return (y, int(np.sum(s > cut))) if return_rank else y


@implements("scipy.linalg.norm")
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    """The norm of a vector or a matrix."""
    return door.norm(_matrices(a)[0], ord, axis, keepdims)


# ---- factorisations ---------------------------------------------------------------------------------


@implements("scipy.linalg.eigh")
def eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, overwrite_a: bool = False,
    overwrite_b: bool = False, type: int = 1, check_finite: bool = True, subset_by_index: Any = None,
    subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """Eigenvalues and -vectors of a Hermitian matrix, or of a pair a v = λ b v."""
    if subset_by_value is not None:
        raise unsupported("scipy.linalg.eigh with subset_by_value", "say subset_by_index=…")
    first, last = (0, None) if subset_by_index is None else subset_by_index
    chosen = slice(first, None if last is None else last + 1)
    if b is None:
        (a,) = _matrices(a)
        w, v = spectral.eigh(a if lower else _h(a))
    else:
        a, b = _matrices(a, b)
        c = cholesky(b, True) if lower else _h(cholesky(b, False))
        whole = _assumed(a, "her", lower)
        if type == 1:
            inner = _triangular(c, _h(_triangular(c, whole, True)), True)
        else:  # a b v = λ v, or b a v = λ v
            inner = np.matmul(np.matmul(_h(c), whole), c)
        w, v = spectral.eigh(inner)
        v = np.matmul(c, v) if type == 3 else _triangular(_h(c), v, False)
    if not eigvals_only:
        v = signed(v, "eigh", a, b, lower=lower, type=type)
    w = w[..., chosen]
    return w if eigvals_only else (w, v[..., chosen])


def signed(v: Any, name: str, *given: Any, **options: Any) -> Any:
    """Eigenvectors with the signs that a function of SciPy gives them, where numbers are known."""
    import scipy.linalg

    plain = [x.number() if isinstance(x, Tracer) else x for x in given]
    mine = v.number() if isinstance(v, Tracer) else v
    unknown = any(isinstance(x, Tracer) and n is None for x, n in zip(given, plain, strict=True))
    if mine is None or unknown or mine.shape[-1] == 0:
        return v
    theirs = getattr(scipy.linalg, name)(*plain, **options)[1]
    along = np.sum(np.conjugate(mine) * theirs, axis=-2, keepdims=True)
    size, most = np.abs(along), np.sum(np.abs(mine) ** 2, axis=-2, keepdims=True)
    return v * np.where(size > 0.5 * most, along / np.where(size == 0, 1, size), 1)


@implements("scipy.linalg.eigvalsh")
def eigvalsh(a: Any, b: Any = None, *, lower: bool = True, type: int = 1, **options: Any) -> Any:
    """Eigenvalues of a Hermitian matrix."""
    return eigh(a, b, lower=lower, type=type, eigvals_only=True, **options)


@implements("scipy.linalg.eig")
def eig(
    a: Any, b: Any = None, left: bool = False, right: bool = True, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, homogeneous_eigvals: bool = False,
) -> Any:  # fmt: skip
    """Eigenvalues (always complex, as SciPy's) and right eigenvectors of any square matrix."""
    if left or homogeneous_eigvals:
        raise unsupported(
            "scipy.linalg.eig with left or homogeneous_eigvals", "take eig of a.conj().T"
        )
    (a,) = _matrices(a)
    if b is not None:
        a = door.solve(_matrices(b)[0], a)
    w, v = spectral.eig(a)
    number = w.number() if isinstance(w, Tracer) else w
    if dtype_of(a).kind == "f" and number is not None and not np.any(number.imag):
        v = np.real(v)
    return (w, v) if right else w


@implements("scipy.linalg.eigvals")
def eigvals(
    a: Any, b: Any = None, overwrite_a: bool = False, check_finite: bool = True, homogeneous_eigvals: bool = False
) -> Any:  # fmt: skip
    """Eigenvalues of any square matrix."""
    return eig(a, b, right=False, homogeneous_eigvals=homogeneous_eigvals)


@implements("scipy.linalg.svd")
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False,
    check_finite: bool = True, lapack_driver: Any = "gesdd",
) -> Any:  # fmt: skip
    """u, s, vᴴ, or s alone."""
    found = door.svd(_matrices(a)[0], full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


@implements("scipy.linalg.svdvals")
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values."""
    return door.svdvals(_matrices(a)[0])


@implements("scipy.linalg.qr")
def qr(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", pivoting: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """q and r with q r = a."""
    names = {"full": "complete", "economic": "reduced", "r": "complete"}
    if mode not in names:
        raise unsupported(f"scipy.linalg.qr with mode={mode!r}", "say mode='economic'")
    (a,) = _matrices(a)
    order: tuple[Any, ...] = ()
    if pivoting:  # the order of the columns does not move
        import scipy.linalg

        number = known(a, "scipy.linalg.qr with pivoting=True", "leave the pivoting out")
        order = (scipy.linalg.qr(number, mode="r", pivoting=True)[1],)
        a = a[:, order[0]]
    found = tuple(door.qr(a, names[mode]))
    return (*(found[1:] if mode == "r" else found), *order)


# ---- functions of matrices --------------------------------------------------------------------------


@implements("scipy.linalg.expm")
def expm(A: Any) -> Any:
    """exp of a matrix."""
    return matrix.expm(*_matrices(A))


@implements("scipy.linalg.expm_frechet")
def expm_frechet(
    A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """exp of a matrix and its slope along another."""
    a, e = _matrices(A, E)
    slope = matrix.expm_slope(a, e)
    return (matrix.expm(a), slope) if compute_expm else slope


@implements("scipy.linalg.logm")
def logm(A: Any, disp: Any = None) -> Any:
    """log of a matrix; of a real one it must be real."""
    return matrix.logm(*_matrices(A))


@implements("scipy.linalg.sqrtm")
def sqrtm(A: Any, disp: Any = None, blocksize: Any = None) -> Any:
    """The square root of a matrix; of a real one it must be real."""
    return matrix.sqrtm(*_matrices(A))


def _waves(A: Any) -> tuple[Any, Any]:
    (a,) = _matrices(A)
    turned = matrix.expm(1j * a)
    if dtype_of(a).kind == "f":
        return np.real(turned), np.imag(turned)
    back = matrix.expm(-1j * a)
    return 0.5 * (turned + back), -0.5j * (turned - back)


def _growths(A: Any) -> tuple[Any, Any]:
    (a,) = _matrices(A)
    up, down = matrix.expm(a), matrix.expm(-a)
    return 0.5 * (up + down), 0.5 * (up - down)


implements("scipy.linalg.cosm")(lambda A: _waves(A)[0])
implements("scipy.linalg.sinm")(lambda A: _waves(A)[1])
implements("scipy.linalg.tanm")(lambda A: ops.solve(*_waves(A)))
implements("scipy.linalg.coshm")(lambda A: _growths(A)[0])
implements("scipy.linalg.sinhm")(lambda A: _growths(A)[1])
implements("scipy.linalg.tanhm")(lambda A: ops.solve(*_growths(A)))


# ---- matrices made of vectors and blocks ------------------------------------------------------------


@implements("scipy.linalg.block_diag")
def block_diag(*arrs: Any) -> Any:
    """Blocks along the diagonal."""
    blocks = [np.atleast_2d(operand(x)) for x in arrs]
    if any(b.ndim > 2 for b in blocks):
        raise unsupported(
            "scipy.linalg.block_diag of stacks of matrices", "give it one block at a time"
        )
    width = sum(b.shape[1] for b in blocks)
    rows, before = [], 0
    for b in blocks:
        rows.append(np.pad(b, [(0, 0), (before, width - before - b.shape[1])]))
        before += b.shape[1]
    return np.concatenate(rows)


def _vector(x: Any, what: str) -> Any:
    x = operand(x)
    if np.ndim(x) > 1:
        raise unsupported(f"scipy.linalg.{what} of more than one vector", "ravel it first")
    return np.reshape(x, -1)


@implements("scipy.linalg.toeplitz")
def toeplitz(c: Any, r: Any = None) -> Any:
    """Constant diagonals: first column c, first row r."""
    c = _vector(c, "toeplitz")
    r = np.conjugate(c) if r is None else _vector(r, "toeplitz")
    m, n = len(c), len(r)
    return np.concatenate([c[::-1], r[1:]])[(m - 1) - np.arange(m)[:, None] + np.arange(n)]


@implements("scipy.linalg.circulant")
def circulant(c: Any) -> Any:
    """Each column is the one before, rolled on."""
    c = _vector(c, "circulant")
    at = np.arange(len(c))
    return c[(at[:, None] - at) % len(c)]


@implements("scipy.linalg.hankel")
def hankel(c: Any, r: Any = None) -> Any:
    """Constant antidiagonals: first column c, last row r."""
    c = _vector(c, "hankel")
    r = np.zeros_like(c) if r is None else _vector(r, "hankel")
    return np.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


@implements("scipy.linalg.khatri_rao")
def khatri_rao(a: Any, b: Any) -> Any:
    """Kronecker products, column by column."""
    a, b = operand(a), operand(b)
    return np.reshape(a[:, None, :] * b[None, :, :], (a.shape[0] * b.shape[0], a.shape[1]))
