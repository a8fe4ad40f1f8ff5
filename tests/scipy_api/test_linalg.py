"""`scipy.linalg`: values as SciPy's, gradients and second derivatives as differences measure them."""

import numpy as np
import pytest
import scipy.linalg as sl
from tests.scipy_api.slopes import first_holds, holds

import wengert as wg
from wengert.errors import UnsupportedError

rng = np.random.default_rng(3)
A = rng.normal(size=(3, 3)) / 2 + 2 * np.eye(3)
S = A @ A.T  # positive definite
B = rng.normal(size=(3, 2))
V = rng.normal(size=3)
W = np.cos(np.arange(16.0)).reshape(4, 4)


def mixed(*parts):
    """One number that every entry of every part moves."""
    return sum(np.sum(np.sin(1 + np.arange(np.size(p)).reshape(np.shape(p))) * p) for p in parts)


SYSTEMS = {
    "solve": lambda a: sl.solve(a, B),
    "solve, a vector": lambda a: sl.solve(a, V),
    "solve, transposed": lambda a: sl.solve(a, B, transposed=True),
    "solve, symmetric": lambda a: sl.solve(a, B, assume_a="sym"),
    "solve, symmetric, lower": lambda a: sl.solve(a, B, assume_a="sym", lower=True),
    "solve, positive definite": lambda a: sl.solve(a, B, assume_a="pos"),
    "solve_triangular": lambda a: sl.solve_triangular(a, B),
    "solve_triangular, lower": lambda a: sl.solve_triangular(a, V, lower=True),
    "solve_triangular, transposed": lambda a: sl.solve_triangular(a, B, trans="T", lower=True),
    "solve_triangular, unit": lambda a: sl.solve_triangular(a, B, unit_diagonal=True),
    "cholesky": lambda a: sl.cholesky(a),
    "cholesky, lower": lambda a: sl.cholesky(a, lower=True),
    "cho_solve": lambda a: sl.cho_solve(sl.cho_factor(a), B),
    "cho_solve, lower": lambda a: sl.cho_solve(sl.cho_factor(a, lower=True), V),
    "inv": lambda a: sl.inv(a),
    "det": lambda a: sl.det(a),
    "pinv": lambda a: sl.pinv(a[:, :2]),
    "lstsq": lambda a: sl.lstsq(a[:, :2], V)[0],
    "lstsq, residues": lambda a: sl.lstsq(a[:, :2], V)[1],
    "norm": lambda a: sl.norm(a),
    "norm, 2": lambda a: sl.norm(a, 2),
    "eigvalsh": lambda a: sl.eigvalsh(a),
    "eigh": lambda a: mixed(*(np.abs(v) for v in sl.eigh(a))),
    "eigh, upper": lambda a: sl.eigh(a, lower=False, eigvals_only=True),
    "eigh, the largest": lambda a: sl.eigh(a, eigvals_only=True, subset_by_index=[1, 2]),
    "eigh, of a pair": lambda a: sl.eigh(S + np.eye(3), a, eigvals_only=True),
    "eigh, of a pair, vectors": lambda a: np.abs(sl.eigh(a, np.diag([1.0, 2.0, 4.0]) + S / 9)[1]),
    "svdvals": lambda a: sl.svdvals(a),
    "svd": lambda a: mixed(*(np.abs(v) for v in sl.svd(a))),
    "eig": lambda a: mixed(np.real(sl.eig(a)[0] ** 2), np.abs(sl.eig(a)[1])),
    "eigvals": lambda a: mixed(np.imag(sl.eigvals(a)), np.real(sl.eigvals(a, np.eye(len(a)) + 0.1 * a @ a.T))),
    "qr": lambda a: mixed(*sl.qr(a)),
    "qr pivoted": lambda a: mixed(*sl.qr(a, pivoting=True)[:2]),
    "qr of a tall matrix": lambda a: mixed(sl.qr(a[:, :2])[1], sl.qr(a[:, :2], mode="r")[0]),
    "qr, economic": lambda a: mixed(*sl.qr(a[:, :2], mode="economic")),
    "expm": lambda a: sl.expm(a / 3),
    "expm_frechet": lambda a: mixed(*sl.expm_frechet(a / 3, A)),
    "logm": lambda a: sl.logm(a),
    "sqrtm": lambda a: sl.sqrtm(a),
    "cosm": lambda a: sl.cosm(a / 3),
    "sinm": lambda a: sl.sinm(a / 3),
    "tanm": lambda a: sl.tanm(a / 9),
    "coshm": lambda a: sl.coshm(a / 3),
    "sinhm": lambda a: sl.sinhm(a / 3),
    "tanhm": lambda a: sl.tanhm(a / 9),
    "solve_sylvester": lambda a: sl.solve_sylvester(a, A, B @ B.T),
    "solve_continuous_lyapunov": lambda a: sl.solve_continuous_lyapunov(a, S),
    "solve_discrete_lyapunov": lambda a: sl.solve_discrete_lyapunov(a / 20, S),
    "block_diag": lambda a: sl.block_diag(a, a[:1], [a[0, 0]]),
    "toeplitz": lambda a: sl.toeplitz(a[0], a[1]),
    "toeplitz, symmetric": lambda a: sl.toeplitz(a[0]),
    "circulant": lambda a: sl.circulant(a[0]),
    "hankel": lambda a: sl.hankel(a[0], a[:, 0]),
    "khatri_rao": lambda a: sl.khatri_rao(a, a[:2]),
    "lu": lambda a: mixed(*sl.lu(a)[1:]),
    "lu of a tall matrix": lambda a: mixed(*sl.lu(a[:, :2], permute_l=True)),
    "lu_solve": lambda a: sl.lu_solve(sl.lu_factor(a), V, trans=1),
    "polar": lambda a: mixed(*sl.polar(a)),
    "rq": lambda a: mixed(*sl.rq(a[:2], mode="economic")),
    "orth": lambda a: sl.orth(a[:, :2]) @ sl.orth(a[:, :2]).T,
    "null_space": lambda a: sl.null_space(a[:2]) @ sl.null_space(a[:2]).T,
    "subspace_angles": lambda a: sl.subspace_angles(a[:, :1], a[:, 1:]),
    "orthogonal_procrustes": lambda a: mixed(*sl.orthogonal_procrustes(a, A)),
    "solve_banded": lambda a: sl.solve_banded((1, 1), a, V),
    "solveh_banded": lambda a: sl.solveh_banded(a[1:] + np.array([[0.0], [9.0]]), B),
    "cholesky_banded": lambda a: sl.cholesky_banded(a[1:] + np.array([[0.0], [9.0]])),
    "solve_toeplitz": lambda a: sl.solve_toeplitz((a[0], a[1]), V),
    "solve_circulant": lambda a: sl.solve_circulant(a[0], V),
    "eigh_tridiagonal": lambda a: mixed(*sl.eigh_tridiagonal(a[0], a[1, :2])),
    "eigh, of a pair, second kind": lambda a: mixed(*sl.eigh(a, S + np.eye(3), type=2)),
    "pinvh": lambda a: sl.pinvh(a),
    "fractional_matrix_power": lambda a: sl.fractional_matrix_power(a, 0.3),
    "signm": lambda a: sl.signm(a - 2 * np.eye(3)),
    "funm": lambda a: sl.funm(a, np.exp),
    "solve_continuous_are": lambda a: sl.solve_continuous_are(A, np.eye(3), a + a.T, S),
    "solve_discrete_are": lambda a: sl.solve_discrete_are(A, np.eye(3), a + a.T, S),
}  # fmt: skip


# (whether SciPy's funm is real depends on its numbers)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.eager] * (n == "funm")) for n in SYSTEMS]
)
def test_a_function_of_a_matrix_and_its_derivatives(name):
    f = SYSTEMS[name]
    holds(lambda a: mixed(f(a) ** 2), S, tolerance=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda b: sl.solve(A, b),
        lambda b: sl.solve_triangular(A, b),
        lambda b: sl.cho_solve(sl.cho_factor(S), b),
        lambda b: sl.lstsq(A[:, :2], b)[0],
        lambda q: sl.solve_sylvester(A, A, q),
    ],
    ids=["solve", "solve_triangular", "cho_solve", "lstsq", "solve_sylvester"],
)
def test_the_right_side_moves_too(f):
    first_holds(lambda b: mixed(f(b) ** 2), S)


def test_only_the_triangle_that_is_read_has_a_derivative():
    upper = wg.grad(lambda a: np.sum(sl.cholesky(a)))(S)
    np.testing.assert_array_equal(np.tril(upper, -1), 0)
    lower = wg.grad(lambda a: np.sum(sl.solve(a, V, assume_a="pos", lower=True)))(S)
    np.testing.assert_array_equal(np.triu(lower, 1), 0)


def test_a_small_direction_keeps_its_digits_in_expm():
    slope = wg.jvp(sl.expm, (A,), (1e-150 * S,))[1]
    np.testing.assert_allclose(slope * 1e150, sl.expm_frechet(A, S, compute_expm=False), rtol=1e-12)


def test_a_root_that_leaves_the_reals_refuses():
    with pytest.raises(np.linalg.LinAlgError, match="complex"):
        wg.grad(lambda a: np.sum(sl.sqrtm(a)))(-S)


def test_batches_of_expm():
    stack = np.stack([A, S]) / 5
    ours = wg.grad(lambda a: np.sum(sl.expm(a)))(stack)
    each = [wg.grad(lambda a: np.sum(sl.expm(a)))(a) for a in stack]
    np.testing.assert_allclose(ours, each, rtol=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: sl.qr(a, mode="raw")[0],
        lambda a: sl.eigh(a, subset_by_value=[0, 1])[0],
        lambda a: sl.rq(a[:2])[0],
        lambda a: sl.schur(a)[0],
        lambda a: sl.ldl(a)[0],
    ],
    ids=["qr", "eigh", "rq", "schur", "ldl"],
)
def test_options_without_a_rule_refuse(f):
    with pytest.raises(UnsupportedError, match=r"linalg\."):
        wg.grad(lambda a: np.sum(f(a)))(S)
