"""certify: correctly rounded results with their proofs, or an error that says why there is none."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import wengert as wg
from wengert.errors import TrustError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def nearest(x):
    """An mpmath number as the nearest float."""
    return float(x)


@given(st.floats(1e-12, 700))
def test_values_are_correctly_rounded(x):
    with mpmath.workprec(3000):
        exact = mpmath.log(1 + mpmath.exp(mpmath.mpf(x)))
    found = wg.certify(lambda x: np.log(1 + np.exp(x)))(x)
    assert found.value == nearest(exact)
    assert found.lower <= found.value <= found.upper


@given(st.floats(1e-100, 1e5))
def test_gradients_are_correctly_rounded(x):
    with mpmath.workprec(4000):
        x_ = mpmath.mpf(x)
        exact = (x_ * mpmath.sin(x_) - 2 * (1 - mpmath.cos(x_))) / x_**3
    found = wg.certify(wg.grad(lambda x: (1 - np.cos(x)) / x**2))(x)
    assert found.value == nearest(exact)


def test_rational_functions_by_fractions():
    a, b = 0.1, 1e17
    exact = (Fraction(a) + Fraction(b)) - Fraction(b) + Fraction(1, 3) * Fraction(3)
    found = wg.certify(lambda a, b: (a + b) - b + 1.0)(a, b)
    assert found.value == float(exact)


def test_single_precision():
    x = np.float32(1e-4)
    found = wg.certify(wg.grad(lambda x: (1 - np.cos(x)) / x**2))(x)
    assert found.value.dtype == np.float32
    with mpmath.workprec(500):
        t = mpmath.mpf(float(x))
        exact = (t * mpmath.sin(t) - 2 * (1 - mpmath.cos(t))) / t**3
    assert found.value == np.float32(float(exact))
    assert found.upper == np.nextafter(found.lower, np.float32(1)) or found.upper == found.lower


def test_hessians_jacobians_and_containers():
    f = lambda p: np.sum(np.sin(p["a"]) * p["b"]) + np.exp(p["b"][0])
    p = {"a": np.array([0.1, 0.2]), "b": np.array([1.0, 2.0])}
    found = wg.certify(wg.grad(f))(p)
    assert found.value["b"] == pytest.approx(np.sin(p["a"]) + np.array([np.e, 0]), rel=1e-15)
    assert found.bits["a"].tolist() == [64, 64]
    rosenbrock = lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    x = np.array([0.1, -0.7, 1.3])
    found = wg.certify(wg.hessian(rosenbrock))(x)
    assert found.value == pytest.approx(wg.hessian(rosenbrock)(x), rel=1e-12)
    exact = -400 * Fraction(x[0])
    assert found.value[0, 1] == float(exact)
    value, slope = wg.certify(wg.value_and_grad(lambda x: x**3))(0.1).value
    assert value == float(Fraction(0.1) ** 3)
    assert slope == float(3 * Fraction(0.1) ** 2)


def test_parts_of_a_result():
    found = wg.certify(lambda x: np.cumsum(np.exp(x)), where=1)(np.array([0.1, 0.2, 0.3]))
    assert np.isnan(found.value).tolist() == [True, False, True]
    assert found.bits.tolist() == [0, 64, 0]


def test_matrices_and_loops():
    a = 1 / (np.arange(5)[:, None] + np.arange(5) + 1.0)
    found = wg.certify(np.linalg.det)(a)
    exact = mpmath.matrix(5, 5)
    with mpmath.workprec(600):
        for i in range(5):
            for j in range(5):
                exact[i, j] = mpmath.mpf(a[i, j])
        assert found.value == nearest(mpmath.det(exact))
    loop = lambda x: wg.fori_loop(0, 60, lambda k, x: 4.0 * x * (1.0 - x), x)
    y = Fraction(0.3)
    for _ in range(14):  # (fractions double their digits in every turn)
        y = 4 * y * (1 - y)
    assert wg.certify(lambda x: wg.fori_loop(0, 14, lambda k, x: 4.0 * x * (1.0 - x), x))(
        0.3
    ).value == float(y)
    assert wg.certify(loop)(0.3).bits > 64


def test_the_path_of_exact_numbers_is_taken():
    f = lambda x: 2 * x if x + 1e-20 > x else -x
    assert wg.certify(f)(1.0).value == 2.0
    assert wg.certify(wg.grad(f))(1.0).value == 2.0


def test_exact_zeros_and_ties_that_are_exact():
    assert wg.certify(lambda x: np.sin(x) - np.sin(x))(0.3).value == 0
    assert wg.certify(lambda x: x + 2.0**-53)(1.0).value == 1.0  # to even
    assert wg.certify(lambda x: x + 2.0**-53 + 2.0**-150)(1.0).value == 1 + 2**-52


@pytest.mark.parametrize(
    ("f", "x", "why"),
    [
        (lambda x: special.owens_t(x, x), 0.5, "no ball rule for owens_t"),
        (wg.grad(np.abs), 0.0, "kink"),
        (wg.grad(lambda x: np.sqrt(x) ** 2), 0.0, "infinite slope"),
        (wg.grad(np.sinc), 0.3, "slopes of sinc are known to rounding only"),
        (lambda x: wg.grad(special.erf)(x), 0.3, "slopes of erf are known to rounding only"),
        (lambda x: np.sqrt(np.sin(x) ** 2 + np.cos(x) ** 2 - 1), 0.3, "bits leave"),
    ],
)
def test_where_there_is_no_proof(f, x, why):
    with pytest.raises(TrustError, match=why):
        wg.certify(f)(x)


def test_the_budget():
    chaos = lambda x: wg.fori_loop(0, 3000, lambda k, x: 4.0 * x * (1.0 - x), x)
    with pytest.raises(TrustError, match="budget is used up"):
        wg.certify(chaos, budget=1e-3)(0.3)
