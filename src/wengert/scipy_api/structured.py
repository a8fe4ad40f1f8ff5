"""`scipy.linalg` on traced values: matrices that are bands, Toeplitz, circulant, or made of a vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.numpy_api import linalg as door
from wengert.numpy_api.promote import cast, dtype_of, inexact, operand, result_dtype, shape_of
from wengert.numpy_api.table import unsupported
from wengert.ops import banded, spectral
from wengert.scipy_api import linalg
from wengert.scipy_api.table import implements, numbers


def _arrays(*xs: Any) -> list[Any]:
    found = [inexact(operand(x)) for x in xs]
    dtype = result_dtype(*found)
    return [cast(x, dtype) for x in found]


def _columns(b: Any) -> Any:
    return b if np.ndim(b) > 1 else np.reshape(b, (-1, 1))


# ---- bands ------------------------------------------------------------------------------------------


@implements("scipy.linalg.solve_banded")
def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> Any:  # fmt: skip
    """x with a x = b, where ab holds the diagonals of a."""
    ab, b = _arrays(ab, b)
    below, above = (int(n) for n in l_and_u)
    x = banded.solve_banded(ab, _columns(b), below=below, above=above)
    return np.reshape(x, shape_of(b))


def _both_sides(ab: Any, lower: bool) -> tuple[Any, int]:
    """All diagonals of a Hermitian matrix, of which one side is given."""
    count = shape_of(ab)[0] - 1
    if lower:
        other = np.conjugate(banded.turned(ab, count, 0))
        return np.concatenate([other[:-1], ab]), count
    other = np.conjugate(banded.turned(ab, 0, count))
    return np.concatenate([ab, other[1:]]), count


@implements("scipy.linalg.solveh_banded")
def solveh_banded(
    ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:  # fmt: skip
    """x with a x = b, where a is Hermitian and ab holds its diagonals on one side."""
    ab, b = _arrays(ab, b)
    full, count = _both_sides(ab, lower)
    x = banded.solve_banded(full, _columns(b), below=count, above=count)
    return np.reshape(x, shape_of(b))


def _dense(ab: Any, below: int, above: int) -> Any:
    """The matrix with these diagonals."""
    n = shape_of(ab)[1]
    i, j = np.indices((n, n))
    at = above + i - j
    inside = (at >= 0) & (at <= below + above)
    return np.where(inside, ab[np.where(inside, at, 0), j], 0)


def _hermitian(a_band: Any, lower: bool) -> tuple[Any, int]:
    (ab,) = _arrays(a_band)
    full, count = _both_sides(ab, lower)
    return _dense(full, count, count), count


@implements("scipy.linalg.cholesky_banded")
def cholesky_banded(
    ab: Any, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:
    """The diagonals of the Cholesky factor, from those of a Hermitian matrix."""
    a, count = _hermitian(ab, lower)
    factor = linalg.cholesky(a, lower)
    n = a.shape[0]
    d, j = np.indices((count + 1, n))
    i = j + d if lower else j - (count - d)
    inside = (i >= 0) & (i < n)
    return np.where(
        inside, factor[np.where(inside, i, 0), j], _arrays(ab)[0]
    )  # (SciPy leaves the corner)


@implements("scipy.linalg.cho_solve_banded")
def cho_solve_banded(
    cb_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """x with a x = b, from the diagonals of the Cholesky factor of a."""
    cb, lower = cb_and_lower
    cb, b = _arrays(cb, b)
    count = shape_of(cb)[0] - 1
    sides = (count, 0) if lower else (0, count)
    other = np.conjugate(banded.turned(cb, *sides))
    steps = [(cb, sides), (other, sides[::-1])]
    x = _columns(b)
    for ab, (below, above) in steps if lower else steps[::-1]:
        x = banded.solve_banded(ab, x, below=below, above=above)
    return np.reshape(x, shape_of(b))


@implements("scipy.linalg.eig_banded")
def eig_banded(
    a_band: Any, lower: bool = False, eigvals_only: bool = False, overwrite_a_band: bool = False, select: str = "a",
    select_range: Any = None, max_ev: int = 0, check_finite: bool = True,
) -> Any:  # fmt: skip
    """Eigenvalues and -vectors of a Hermitian matrix of which the diagonals on one side are given."""
    a, _ = _hermitian(a_band, lower)
    return _selected("eig_banded", a, eigvals_only, select, select_range, a_band, lower)


@implements("scipy.linalg.eigvals_banded")
def eigvals_banded(a_band: Any, lower: bool = False, overwrite_a_band: bool = False, select: str = "a", select_range: Any = None, check_finite: bool = True) -> Any:  # fmt: skip
    """Eigenvalues of a Hermitian banded matrix."""
    return eig_banded(a_band, lower, True, select=select, select_range=select_range)


@implements("scipy.linalg.eigh_tridiagonal")
def eigh_tridiagonal(
    d: Any, e: Any, eigvals_only: bool = False, select: str = "a", select_range: Any = None, check_finite: bool = True,
    tol: float = 0.0, lapack_driver: str = "auto",
) -> Any:  # fmt: skip
    """Eigenvalues and -vectors of a real symmetric tridiagonal matrix: its diagonal, and the one beside it."""
    d, e = _arrays(d, e)
    a = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
    return _selected("eigh_tridiagonal", a, eigvals_only, select, select_range, d, e)


@implements("scipy.linalg.eigvalsh_tridiagonal")
def eigvalsh_tridiagonal(d: Any, e: Any, select: str = "a", select_range: Any = None, check_finite: bool = True, tol: float = 0.0, lapack_driver: str = "auto") -> Any:  # fmt: skip
    """Eigenvalues of a real symmetric tridiagonal matrix."""
    return eigh_tridiagonal(d, e, True, select, select_range)


def _selected(name: str, a: Any, only: bool, select: Any, bounds: Any, *given: Any) -> Any:
    """Some eigenvalues and -vectors of a Hermitian matrix, with the signs of SciPy's function for its diagonals."""
    if select not in ("a", "all", 0, "i", "index", 2):
        raise unsupported(f"scipy.linalg.{name} with select={select!r}", "say select='i'")
    first, last = (0, None) if select in ("a", "all", 0) else (bounds[0], bounds[1] + 1)
    w, v = spectral.eigh(a)
    if only:
        return w[first:last]
    return w[first:last], linalg.signed(v, name, *given)[:, first:last]


# ---- Toeplitz, circulant ------------------------------------------------------------------------------


def _toeplitz(c_or_cr: Any) -> Any:
    if isinstance(c_or_cr, tuple):
        return linalg.toeplitz(*c_or_cr)
    return linalg.toeplitz(c_or_cr)


@implements("scipy.linalg.solve_toeplitz")
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """x with t x = b, where t is a Toeplitz matrix."""
    return linalg.solve(_toeplitz(c_or_cr), b)


@implements("scipy.linalg.matmul_toeplitz")
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> Any:
    """t x, where t is a Toeplitz matrix."""
    return np.matmul(*_arrays(_toeplitz(c_or_cr), x))


@implements("scipy.linalg.solve_circulant")
def solve_circulant(
    c: Any, b: Any, singular: str = "raise", tol: Any = None, caxis: int = -1, baxis: int = 0, outaxis: int = 0
) -> Any:  # fmt: skip
    """x with t x = b, where t is the circulant matrix of c: a quotient of Fourier transforms."""
    c, b = _arrays(c, b)
    if np.ndim(c) != 1 or singular != "raise":
        raise unsupported(
            "scipy.linalg.solve_circulant of several c, or with singular", "use scipy.linalg.lstsq"
        )
    b = np.moveaxis(b, baxis, -1)
    x = np.fft.ifft(np.fft.fft(b) / np.fft.fft(c))
    x = np.real(x) if dtype_of(b).kind == "f" else x
    return np.moveaxis(x, -1, outaxis)


# ---- matrices made of vectors -------------------------------------------------------------------------


@implements("scipy.linalg.companion")
def companion(a: Any) -> Any:
    """The matrix whose characteristic polynomial has these coefficients."""
    (a,) = _arrays(a)
    first = -a[..., 1:] / a[..., :1]
    n = shape_of(first)[-1]
    below = np.broadcast_to(np.eye(n - 1, n, dtype=dtype_of(a)), (*shape_of(first)[:-1], n - 1, n))
    return np.concatenate([first[..., None, :], below], -2)


@implements("scipy.linalg.convolution_matrix")
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix that convolves a vector of length n with a."""
    a = operand(a)
    m = shape_of(a)[-1]
    if n <= 0:
        raise ValueError("n must be a positive integer.")
    if mode not in ("full", "valid", "same"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    at = np.arange(m + n - 1)[:, None] - np.arange(n)
    full = np.where((at >= 0) & (at < m), a[..., np.clip(at, 0, m - 1)], 0)
    if mode == "full":
        return full
    cut = (min(m, n) - 1) if mode == "valid" else (min(m, n) - 1) // 2
    rows = max(m, n) - min(m, n) + 1 if mode == "valid" else max(m, n)
    return full[..., cut : cut + rows, :]


@implements("scipy.linalg.leslie")
def leslie(f: Any, s: Any) -> Any:
    """The Leslie matrix of fertilities and survival rates."""
    f, s = _arrays(f, s)
    n = shape_of(f)[-1]
    survive = s[..., :, None] * np.eye(n - 1, n, dtype=dtype_of(s))
    return np.concatenate([f[..., None, :], survive], -2)


@implements("scipy.linalg.fiedler")
def fiedler(a: Any) -> Any:
    """Distances between the numbers."""
    a = np.atleast_1d(operand(a))
    return np.abs(a[..., :, None] - a[..., None, :])


@implements("scipy.linalg.diagsvd")
def diagsvd(s: Any, M: int, N: int) -> Any:
    """The matrix of singular values that svd leaves out."""
    square = np.diag(operand(s))
    if len(s) not in (M, N):
        raise ValueError("Length of s must be M or N.")
    return np.pad(square, [(0, M - len(s)), (0, N - len(s))])


# ---- functions of matrices, Hermitian pseudo-inverses --------------------------------------------------


@implements("scipy.linalg.pinvh")
def pinvh(
    a: Any, atol: Any = None, rtol: Any = None, lower: bool = True, return_rank: bool = False, check_finite: bool = True
) -> Any:  # fmt: skip
    """The Moore-Penrose inverse of a Hermitian matrix, of which one triangle is looked at."""
    (a,) = _arrays(a)
    return linalg.pinv(linalg.hermitian(a, lower), atol=atol, rtol=rtol, return_rank=return_rank)


@implements("scipy.linalg.fractional_matrix_power")
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """exp(t log A); of a whole t the product."""
    (a,) = _arrays(A)
    power = operand(t)
    if isinstance(power, int | float | np.number) and float(power) == math.floor(power):
        return np.linalg.matrix_power(a, int(power))
    return linalg.expm(power * linalg.logm(a))


@implements("scipy.linalg.signm")
def signm(A: Any, disp: Any = None) -> Any:
    """The sign of a matrix: its eigenvalues become ±1."""
    (a,) = _arrays(A)
    return door.solve(linalg.sqrtm(np.matmul(a, a)), a)


@implements("scipy.linalg.funm")
def funm(A: Any, func: Any, disp: Any = None) -> Any:
    """A function of a matrix that has a full set of eigenvectors; of a Hermitian one by `eigh` is better."""
    (a,) = _arrays(A)
    w, v = door.eig(a)
    found = np.matmul(v * func(w), door.inv(v))
    number = found.number() if hasattr(found, "number") else found
    real = dtype_of(a).kind == "f" and dtype_of(found).kind == "c" and number is not None
    if real and np.allclose(
        number.imag, 0, atol=1e3 * np.finfo(number.dtype).eps * np.abs(number).max()
    ):
        return np.real(found)
    return found


# ---- Riccati equations ----------------------------------------------------------------------------------
# Newton's steps from SciPy's solution: each doubles the order of the derivatives that are exact, and
# three of them leave nothing that anybody will ask for.

_STEPS = 3


@implements("scipy.linalg.solve_continuous_are")
def solve_continuous_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """x with aᴴ x + x a - x b r⁻¹ bᴴ x + q = 0."""
    a, b, q, r, x = _riccati("solve_continuous_are", a, b, q, r, e, s)
    g = np.matmul(b, door.solve(r, _h(b)))
    for _ in range(_STEPS):
        closed = a - np.matmul(g, x)
        rest = np.matmul(_h(a), x) + np.matmul(x, a) - np.matmul(np.matmul(x, g), x) + q
        x = x + linalg.solve_sylvester(_h(closed), closed, -rest)
    return x


@implements("scipy.linalg.solve_discrete_are")
def solve_discrete_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True
) -> Any:
    """x with aᴴ x a - x - aᴴ x b (r + bᴴ x b)⁻¹ bᴴ x a + q = 0."""
    a, b, q, r, x = _riccati("solve_discrete_are", a, b, q, r, e, s)
    for _ in range(_STEPS):
        middle = np.matmul(np.matmul(_h(b), x), a)
        gain = door.solve(r + np.matmul(np.matmul(_h(b), x), b), middle)
        rest = np.matmul(np.matmul(_h(a), x), a) - x - np.matmul(_h(middle), gain) + q
        closed = a - np.matmul(b, gain)
        x = x + linalg.solve_discrete_lyapunov(_h(closed), rest)
    return x


def _riccati(name: str, *given: Any) -> tuple[Any, ...]:
    import scipy.linalg

    *matrices, e, s = given
    if e is not None or s is not None:
        raise unsupported(
            f"scipy.linalg.{name} with e or s", "bring the equation into the form without them"
        )
    parts = _arrays(*matrices)
    plain = [numbers(p, f"scipy.linalg.{name}", "give it plain numbers") for p in parts]
    start = getattr(scipy.linalg, name)(*plain)
    return (*parts, cast(start, dtype_of(parts[0])))


def _h(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


# ---- questions -------------------------------------------------------------------------------------------


def _asked(name: str) -> None:
    def rule(a: Any, *args: Any, **kwargs: Any) -> Any:
        import scipy.linalg

        plain = numbers(a, f"scipy.linalg.{name}", "ask it outside of the compiled function")
        return getattr(scipy.linalg, name)(plain, *args, **kwargs)

    implements(f"scipy.linalg.{name}")(rule)


for _name in ("bandwidth", "issymmetric", "ishermitian"):
    _asked(_name)
