"""Linear algebra at the points where it is awkward: singular, repeated, stacked, refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import wengert as wg
from wengert.testing.differences import directional

RNG = np.random.default_rng(0)


def of_rank(n, rank, seed=0):
    """An n×n matrix of integers of this rank."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-3, 4, (n, rank)) @ rng.integers(-3, 4, (rank, n))).astype(float)


def minors(a):
    """The matrix of cofactors, by its definition."""
    n = len(a)
    y = np.empty_like(a)
    for i, j in itertools.product(range(n), repeat=2):
        rest = np.delete(np.delete(a, i, 0), j, 1)
        y[i, j] = (-1) ** (i + j) * (np.linalg.det(rest) if n > 1 else 1.0)
    return y


@pytest.mark.parametrize(("n", "rank"), [(1, 0), (2, 1), (3, 2), (3, 1), (4, 3), (4, 2), (5, 5)])
def test_the_slope_of_det_is_the_cofactors_also_of_singular_matrices(n, rank):
    a = of_rank(n, rank)
    np.testing.assert_allclose(
        wg.grad(np.linalg.det)(a), minors(a), atol=1e-11 * (1 + np.abs(minors(a)).max())
    )


@given(hnp.arrays(float, (3, 3), elements=st.integers(-4, 4).map(float)))
def test_the_slope_of_det_is_the_cofactors_of_any_matrix(a):
    np.testing.assert_allclose(
        wg.grad(np.linalg.det)(a), minors(a), atol=1e-11 * (1 + np.abs(a).max() ** 2)
    )


@pytest.mark.parametrize(("n", "rank"), [(2, 1), (3, 2), (3, 1), (4, 2)])
def test_det_of_singular_matrices_has_second_slopes(n, rank):
    a, m, v = of_rank(n, rank), RNG.normal(size=(n, n)), RNG.normal(size=(n, n))
    second = wg.grad(lambda a: np.sum(wg.grad(np.linalg.det)(a) * m))(a)
    # ∂²det[m, v] is what minors of a + tv move by
    truth, error = directional(lambda a: np.atleast_1d(np.sum(minors(a) * m)), [a], [v])
    assert abs(np.sum(second * v) - truth[0]) < 1e-8 + 10 * error[0]


def test_det_has_third_slopes():
    a, v = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))

    def f(t):
        return np.linalg.det(a + t * v)

    # along a line the determinant of 3×3 matrices is a cubic with leading coefficient det(v)
    assert wg.grad(wg.grad(wg.grad(f)))(0.3) == pytest.approx(6 * np.linalg.det(v))


def test_a_guarded_slogdet_does_not_spoil_the_gradient():
    def f(a):
        sign, logabs = np.linalg.slogdet(a)
        return np.where(sign > 0, logabs, 0.0).sum()

    stack = np.stack([np.eye(2), np.ones((2, 2))])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(wg.grad(f)(stack), [np.eye(2), np.zeros((2, 2))])


def test_a_singular_system_raises_as_in_numpy():
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        wg.grad(lambda a: np.linalg.solve(a, np.ones(2)).sum())(np.ones((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        wg.grad(lambda a: np.linalg.inv(a).sum())(np.ones((2, 2)))


READS_LOWER = {
    "cholesky": np.linalg.cholesky,
    "eigvalsh": np.linalg.eigvalsh,
    "eigh": lambda a: np.linalg.eigh(a)[0],
}


@pytest.mark.parametrize("name", READS_LOWER)
def test_only_the_triangle_that_is_read_has_slopes(name):
    a = np.array([[4.0, 9.0, 9.0], [1.0, 5.0, 9.0], [0.5, -1.0, 6.0]])
    g = wg.grad(lambda a: np.sum(READS_LOWER[name](a) * (1 + np.arange(3))))(a)
    np.testing.assert_array_equal(np.triu(g, 1), 0)
    assert np.all(np.tril(g)[np.tril_indices(3)] != 0)


def test_repeated_eigenvalues_do_not_spoil_functions_of_the_values():
    np.testing.assert_allclose(
        wg.grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 2))(np.eye(3)), 2 * np.eye(3), atol=1e-15
    )
    np.testing.assert_allclose(
        wg.grad(lambda a: np.sum(np.linalg.svd(a)[1]))(np.eye(3)), np.eye(3), atol=1e-15
    )


@pytest.mark.parametrize("order", [None, 2, 1, 3, 2.5, np.inf])
def test_norms_have_slope_zero_at_the_origin(order):
    np.testing.assert_array_equal(
        wg.grad(lambda x: np.linalg.norm(x, order))(np.zeros(3)), np.zeros(3)
    )


def test_a_norm_of_huge_and_tiny_numbers_neither_overflows_nor_vanishes():
    x = np.array([3.0, 4.0])
    for size in (1e300, 1e-300, 1e-310):
        y, g = wg.value_and_grad(np.linalg.norm)(x * size)
        assert y == pytest.approx(5 * size, rel=1e-12)
        np.testing.assert_allclose(g, x / 5, rtol=1e-12)


def test_ties_in_the_infinity_norm_share():
    np.testing.assert_array_equal(
        wg.grad(lambda x: np.linalg.norm(x, np.inf))(np.array([2.0, -2.0, 1.0])), [0.5, -0.5, 0]
    )


OF_STACKS = {
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "slogdet": lambda a: np.linalg.slogdet(a)[1],
    "cholesky": lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2) + np.eye(3)),
    "eigvalsh": np.linalg.eigvalsh,
    "svd": lambda a: np.linalg.svd(a, full_matrices=False)[0] ** 2,
    "qr": lambda a: np.linalg.qr(a)[1],
    "pinv": np.linalg.pinv,
    "solve": lambda a: np.linalg.solve(a, np.ones((3, 2))),
    "norm": lambda a: np.linalg.norm(a, axis=(-2, -1)),
}


@pytest.mark.parametrize("name", OF_STACKS)
def test_a_stack_of_matrices_is_a_loop_over_them(name):
    f, stack = OF_STACKS[name], np.random.default_rng(2).normal(size=(2, 2, 3, 3))
    gradient = wg.grad(lambda a: np.sum(np.sin(f(a))))
    whole = gradient(stack)
    for at in np.ndindex(2, 2):
        np.testing.assert_allclose(whole[at], gradient(stack[at]), rtol=1e-10, atol=1e-12)


def test_inverse_and_solve_agree():
    a, b = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    ours = wg.grad(lambda a: np.sum(np.linalg.solve(a, b) ** 2))(a)
    np.testing.assert_allclose(
        ours, wg.grad(lambda a: np.sum((np.linalg.inv(a) @ b) ** 2))(a), rtol=1e-10
    )


def test_results_keep_numpys_names():
    def f(a):
        w, v = np.linalg.eigh(a)
        return (
            np.linalg.slogdet(a).logabsdet
            + np.linalg.eigh(a).eigenvalues[0]
            + np.linalg.qr(a).R[0, 0]
            + np.linalg.svd(a).S[0]
            + 0 * w[0] * v[0, 0]
        )

    assert np.all(np.isfinite(wg.grad(f)(np.diag([1.0, 2.0, 4.0]) + 0.1)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_determinant_of_what_is_no_number_has_no_number_for_a_slope(number):
    """Plain det does not fail there: nor does its derivative, and other matrices of a stack keep theirs."""
    stack = np.stack([np.array([[1.0, number], [2.0, 3.0]]), np.ones((2, 2)), np.eye(2)])
    for derivative in (wg.grad, lambda f: wg.jit(wg.grad(f))):
        found = derivative(lambda a: np.sum(np.linalg.det(a)))(stack)
        assert np.isnan(found[0]).all()
        np.testing.assert_allclose(found[1:], [[[1, -1], [-1, 1]], np.eye(2)], atol=1e-14)
    assert np.isnan(wg.hessian(np.linalg.det)(stack[0])).all()
