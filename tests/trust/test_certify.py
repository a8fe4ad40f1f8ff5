"""certify: correctly rounded results with their proofs, or an error that says why there is none."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import wengert as wg
from wengert.errors import NotDifferentiableError, TrustError
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops import PRIMITIVES
from wengert.ops.families import Elementwise
from wengert.trust import exact

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
        (lambda x: np.linalg.eigvals(x * np.eye(2)).real[0], 0.5, "no ball rule for eig"),
        (wg.grad(np.abs), 0.0, "kink"),
        (wg.grad(lambda x: np.sqrt(x) ** 2), 0.0, "infinite slope"),
        (lambda x: x * wg.grad(special.erf)(x), 0.3, "rules round their constants"),
        (lambda x: wg.grad(lambda t: t * t / 3.0)(x), 0.7, "rules round their constants"),
        (lambda x: np.sqrt(np.sin(x) ** 2 + np.cos(x) ** 2 - 1), 0.3, "bits leave"),
    ],
)
def test_where_there_is_no_proof(f, x, why):
    with pytest.raises(TrustError, match=why):
        wg.certify(f)(x)


# functions whose rules are series cut off, or have irrational constants: with mpmath's own
_p = lambda f, *a: lambda x: f(*map(mpmath.mpf, a), x)
SERIES = {
    "sinc": (np.sinc, mpmath.sincpi, [0.0, 0.3, 1e-5, 2.7]),
    "dawsn": (special.dawsn, lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x), [0.0, 0.7, 30.0]),
    "i0e": (special.i0e, lambda x: mpmath.exp(-x) * mpmath.besseli(0, x), [1.3, 40.0]),
    "i1e": (special.i1e, lambda x: mpmath.exp(-x) * mpmath.besseli(1, x), [1.3, 40.0]),
    "gammainc": (lambda x: special.gammainc(2.5, x), _p(lambda a, x: mpmath.gammainc(a, 0, x, regularized=True), 2.5), [0.2, 9.0]),
    "gammaincc": (lambda x: special.gammaincc(2.5, x), _p(lambda a, x: mpmath.gammainc(a, x, regularized=True), 2.5), [0.2, 9.0]),
    "chdtr": (lambda x: special.chdtr(3.0, x), _p(lambda v, x: mpmath.gammainc(v / 2, 0, x / 2, regularized=True), 3.0), [2.0]),
    "pdtr": (lambda x: special.pdtr(3.0, x), _p(lambda k, x: mpmath.gammainc(k + 1, x, regularized=True), 3.0), [2.0]),
    "erf": (special.erf, mpmath.erf, [0.4]),
    "exp2": (np.exp2, lambda x: mpmath.mpf(2) ** x, [0.3]),
    "log10": (np.log10, mpmath.log10, [0.4]),
    "power": (lambda x: x**2.3, lambda x: x ** mpmath.mpf(2.3), [1.7]),
    "thirds": (lambda x: 7 * x**3 / 3.0, lambda x: 7 * x**3 / 3, [0.1, 0.3, 0.7, 1.7]),
    "expn": (lambda x: special.expn(2, x), lambda x: mpmath.expint(2, x), [0.7]),
}  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_first_and_second_derivatives_are_correctly_rounded(name):
    f, exact, points = SERIES[name]
    for x in points:
        with mpmath.workdps(120):
            first, second = (mpmath.diff(exact, mpmath.mpf(x), n) for n in (1, 2))
            first, second = (0 if abs(v) < 1e-50 else v for v in (first, second))
        for derivative, want in (
            (wg.grad(f), first),
            (wg.grad(wg.grad(f)), second),
            (wg.hessian(f), second),
        ):
            found = wg.certify(derivative)(x)
            assert found.value == nearest(want)
            assert found.lower <= want <= found.upper


@pytest.mark.parametrize("x", [1.3, 40.0])
def test_scaled_bessel_functions_of_the_second_kind(x):
    with mpmath.workdps(60):  # (mpmath's own differences of them take minutes)
        k = [mpmath.exp(x) * mpmath.besselk(n, mpmath.mpf(x)) for n in range(3)]
        slopes = {special.k0e: k[0] - k[1], special.k1e: k[1] - (k[0] + k[2]) / 2}
        curved = k[0] - 2 * k[1] + (k[0] + k[2]) / 2
    for f, want in slopes.items():
        assert wg.certify(wg.grad(f))(x).value == nearest(want)
    assert wg.certify(wg.grad(wg.grad(special.k0e)))(x).value == nearest(curved)


INVERSE = {
    "gammaincinv": (lambda p: special.gammaincinv(2.5, p), lambda x: mpmath.gammainc(2.5, 0, x, regularized=True), 0.3),
    "gammainccinv": (lambda p: special.gammainccinv(2.5, p), lambda x: mpmath.gammainc(2.5, x, regularized=True), 1e-30),
    "betaincinv": (lambda p: special.betaincinv(1.5, 2.0, p), lambda x: mpmath.betainc(1.5, 2, 0, x, regularized=True), 0.3),
    "ndtri_exp": (special.ndtri_exp, lambda x: mpmath.log(mpmath.ncdf(x)), -1e4),
}  # fmt: skip


@pytest.mark.parametrize("name", INVERSE)
def test_inverses_are_proved_by_the_values_on_both_sides(name):
    f, forwards, p = INVERSE[name]
    found = wg.certify(f)(p)
    with mpmath.workdps(60):
        ends = sorted(forwards(mpmath.mpf(float(v))) for v in (found.lower, found.upper))
        assert ends[0] <= mpmath.mpf(p) <= ends[1]
        slope = 1 / mpmath.diff(
            forwards, mpmath.findroot(lambda x: forwards(x) - p, float(found.value))
        )
    assert wg.certify(wg.grad(f))(p).value == nearest(slope)


def test_derivatives_inside_that_round_nothing():
    assert wg.certify(lambda x: wg.grad(lambda t: t**3)(x) * x)(0.3).value == float(
        3 * Fraction(0.3) ** 3
    )


def test_a_selection_by_a_constant_is_not_mistaken_for_one_that_stops():
    f = lambda x: np.where(np.array(False), x * x, np.sin(x))
    assert wg.certify(wg.grad(f))(0.3).value == nearest(mpmath.cos(mpmath.mpf(0.3)))


def test_the_budget():
    chaos = lambda x: wg.fori_loop(0, 3000, lambda k, x: 4.0 * x * (1.0 - x), x)
    with pytest.raises(TrustError, match="budget is used up"):
        wg.certify(chaos, budget=1e-3)(0.3)


def test_exact_slopes_hold_no_rounded_constants():
    """What a rule writes as a long float must be known for what it stands for, or the proofs are none."""
    real = ArrayType.of((), np.dtype(float))
    for name, prim in PRIMITIVES.items():
        for k in range(len(prim.slopes) if isinstance(prim, Elementwise) else 0):
            if prim.slopes[k] is None:
                continue
            ins = [Var(real) for _ in prim.slopes]
            try:
                out = Var(prim.typeof(*[real] * len(ins)))
                primal = Program(ins, [Eqn(prim, tuple(ins), {}, (out,), -1)], [out], (), name)
                wide, _ = exact.lifted(primal)
                back = exact.gradient_of(wide, tuple(n == k for n in range(len(ins))))
            except (TypeError, NotDifferentiableError):  # of integers, or without a rule
                continue
            assert not exact.rounded(back), f"slope {k} of {name}: {back}"


def test_slopes_in_parameters():
    for f, at, exact_ in (
        (
            lambda a: special.gammainc(a, 1.3),
            2.5,
            lambda a: mpmath.gammainc(a, 0, mpmath.mpf(1.3), regularized=True),
        ),
        (
            lambda b: special.betainc(1.5, b, 0.3),
            2.0,
            lambda b: mpmath.betainc(1.5, b, 0, mpmath.mpf(0.3), regularized=True),
        ),
        (lambda x: special.zeta(x, 1.0), 3.0, mpmath.zeta),
        (lambda x: special.struve(0.0, x), 2.0, lambda x: mpmath.struveh(0, x)),
        (np.degrees, 0.3, mpmath.degrees),
    ):
        with mpmath.workdps(60):
            want = mpmath.diff(exact_, mpmath.mpf(at))
        assert wg.certify(wg.grad(f))(at).value == nearest(want)
