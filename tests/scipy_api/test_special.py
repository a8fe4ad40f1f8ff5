"""`scipy.special`: values as SciPy's, slopes against mpmath to the last digits, also far out."""

import numpy as np
import pytest
import scipy.special as sc
from tests.scipy_api.slopes import first_holds, holds

import wengert as wg
from wengert.errors import NonFiniteWarning, NotDifferentiableError, UnsupportedError

mp = pytest.importorskip("mpmath").mp


def _density(x):
    return mp.npdf(x)


def _boxcox(x, p):
    return (mp.mpf(x) ** p - 1) / p


# name: slope by mpmath (in the last argument), the fixed first arguments, points
SLOPES = {
    "erf": (lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), (), [-6, 0, 1e-10, 2, 7]),
    "erfc": (lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), (), [-3, 0, 20]),
    "erfcx": (lambda x: 2 * x * mp.exp(x * x) * mp.erfc(x) - 2 / mp.sqrt(mp.pi), (), [-20, -0.5, 0, 1, 1.49, 1.51, 3, 30, 1e4, 1e9]),
    "dawsn": (lambda x: 1 - x * mp.sqrt(mp.pi) * mp.exp(-x * x) * mp.erfi(x), (), [-20, 0, 0.5, 9.9, 10.1, 1e5]),
    "ndtr": (_density, (), [-35, -5, 0, 8]),
    "log_ndtr": (lambda x: _density(x) / (mp.erfc(-x / mp.sqrt(2)) / 2), (), [-1e6, -40, -5, 0, 1e-3, 5, 36]),
    "ndtri": (lambda p: 1 / _density(mp.sqrt(2) * mp.erfinv(2 * p - 1)), (), [0.01, 0.5, 0.9]),
    "expit": (lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2, (), [-700, -40, 0, 40, 700]),
    "log_expit": (lambda x: mp.exp(-x) / (1 + mp.exp(-x)), (), [-700, 0, 40, 700]),
    "logit": (lambda x: 1 / (x * (1 - x)), (), [1e-300, 0.5, 0.9999999]),
    "exprel": (lambda x: (mp.exp(x) * (x - 1) + 1) / x**2, (), [-700, -50, -1, 1e-8, 0.99, 1.01, 600]),
    "boxcox": (lambda x, p: (x**p * mp.log(x) - _boxcox(x, p)) / p, (3.0,), [1e-9, 0.5, 2, -2]),
    "inv_boxcox": (lambda y, p: mp.diff(lambda q: (1 + q * y) ** (1 / q), p), (3.0,), [1e-5, 0.1, 0.3, 30]),
    "gamma": (lambda x: mp.gamma(x) * mp.psi(0, x), (), [-3.5, 0.1, 5, 100]),
    "rgamma": (lambda x: -mp.rgamma(x) * mp.psi(0, x), (), [-2.999999, -2.5, 0.3, 0.5, 10]),
    "gammaln": (lambda x: mp.psi(0, x), (), [-2.5, 1e-10, 1, 1e8]),
    "digamma": (lambda x: mp.psi(1, x), (), [-1.5, 0.1, 1e6]),
    "polygamma": (lambda n, x: mp.psi(int(n) + 1, x), (2,), [0.1, 3, 100]),
    "zeta": (lambda s, q: -s * mp.zeta(s + 1, q), (2.5,), [0.1, 3, 100]),
    "gammainc": (lambda a, x: mp.exp((a - 1) * mp.log(x) - x) / mp.gamma(a), (1e4,), [9900, 1e4, 10100]),
    "gammaincc": (lambda a, x: -mp.exp((a - 1) * mp.log(x) - x) / mp.gamma(a), (2.5,), [0.01, 1, 50]),
    "betainc": (lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b), (2.0, 3.0), [0.01, 0.5, 0.99]),
    "stdtr": (lambda v, t: mp.gamma((v + 1) / 2) / mp.gamma(v / 2) / mp.sqrt(v * mp.pi) * (1 + t * t / v) ** (-(v + 1) / 2), (3.0,), [-30, 0, 2]),
    "j1": (lambda x: mp.besselj(1, x, 1), (), [-3, 0, 1, 30]),
    "i0e": (lambda x: mp.exp(-x) * (mp.besseli(1, x) - mp.besseli(0, x)), (), [0.1, 29, 31, 1000]),
    "i1e": (lambda x: mp.exp(-x) * (mp.besseli(1, x, 1) - mp.besseli(1, x)), (), [0.1, 29, 31, 1000]),
    "k0e": (lambda x: mp.exp(x) * (mp.besselk(0, x) - mp.besselk(1, x)), (), [0.01, 29, 31, 1000]),
    "k1e": (lambda x: mp.exp(x) * (mp.besselk(1, x) - (mp.besselk(0, x) + mp.besselk(2, x)) / 2), (), [0.01, 29, 31, 1000]),
    "jv": (lambda v, x: mp.besselj(v, x, 1), (2.5,), [0.01, 1, 30]),
    "yv": (lambda v, x: mp.bessely(v, x, 1), (2.5,), [0.1, 1, 30]),
    "iv": (lambda v, x: (mp.besseli(v - 1, x) + mp.besseli(v + 1, x)) / 2, (2.5,), [0.1, 1, 30]),
    "kv": (lambda v, x: -(mp.besselk(v - 1, x) + mp.besselk(v + 1, x)) / 2, (2.5,), [0.1, 1, 30]),
    "kvp": (lambda v, x: mp.diff(lambda t: mp.besselk(v, t), x, 2), (2,), [0.5, 3]),
    "spherical_jn": (lambda n, z: mp.diff(lambda t: mp.sqrt(mp.pi / 2 / t) * mp.besselj(n + 0.5, t), z), (2,), [0.1, 5]),
    "expn": (lambda n, x: -mp.expint(n - 1, x), (1,), [0.1, 3]),
    "ellipk": (lambda m: (mp.ellipe(m) / (1 - m) - mp.ellipk(m)) / (2 * m), (), [-100, -0.24, -0.26, 0.1, 0.26, 0.9999]),
    "ellipe": (lambda m: (mp.ellipe(m) - mp.ellipk(m)) / (2 * m), (), [-100, -0.24, 0.1, 0.26, 0.9999]),
    "ellipkm1": (lambda p: -(mp.ellipe(1 - p) / p - mp.ellipk(1 - p)) / (2 * (1 - p)), (), [1e-20, 0.1, 0.9, 5]),
    "hyp2f1": (lambda a, b, c, x: a * b / c * mp.hyp2f1(a + 1, b + 1, c + 1, x), (0.5, 1.5, 2.5), [-5, 0, 0.9]),
    "hyp1f1": (lambda a, b, x: a / b * mp.hyp1f1(a + 1, b + 1, x), (0.5, 1.5), [-30, 0, 5]),
    "spence": (lambda x: mp.log(x) / (1 - x), (), [0.01, 0.9999, 1.4, 1.6, 1e5]),
    "wrightomega": (lambda z: mp.lambertw(mp.exp(z)) / (1 + mp.lambertw(mp.exp(z))), (), [-30, 0, 500]),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOPES)
def test_the_slope_is_right_to_the_last_digits(name):
    truth, fixed, points = SLOPES[name]
    function = getattr(sc, name)
    with mp.workdps(60):
        for x in map(float, points):
            want = float(mp.re(truth(*map(mp.mpf, fixed), mp.mpf(x))))
            value, slope = wg.value_and_grad(lambda x: function(*fixed, x))(x)
            np.testing.assert_allclose(slope, want, rtol=4e-13, err_msg=f"{name} at {x}")
            np.testing.assert_allclose(value, function(*fixed, x), rtol=1e-15)


REMAINING = {
    "erfi": [0.7], "erfinv": [0.7], "erfcinv": [0.7], "ndtri_exp": [-0.7], "owens_t": [0.7, 1.3], "voigt_profile": [0.7, 1.1, 0.6],
    "xlogy": [0.7, 1.3], "xlog1py": [0.7, 1.3], "entr": [0.7], "rel_entr": [0.7, 1.3], "kl_div": [0.7, 1.3],
    "huber": [1.1, 0.7], "pseudo_huber": [1.1, 0.7], "cosm1": [0.7], "exp10": [0.7], "expm1": [0.7], "log1p": [0.7], "cbrt": [0.7],
    "exp2": [0.7], "powm1": [0.7, 1.3], "boxcox1p": [0.7, 0.2], "inv_boxcox1p": [0.7, 0.2], "sindg": [20.0], "cosdg": [20.0],
    "tandg": [20.0], "cotdg": [20.0], "radian": [1.0, 2.0, 3.0], "loggamma": [0.7], "beta": [0.7, 1.3], "betaln": [0.7, 1.3],
    "poch": [0.7, 1.3], "binom": [3.7, 1.3], "j0": [0.7], "y0": [0.7], "y1": [0.7], "i0": [0.7], "i1": [0.7], "k0": [0.7], "k1": [0.7],
    "exp1": [0.7], "expi": [0.7], "softplus": [0.7], "sinc": [0.7], "hyp0f1": [], "comb": [3.7, 1.3],
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n, at in REMAINING.items() if at and hasattr(sc, n)])
def test_value_and_two_derivatives_in_every_argument(name):
    function = getattr(sc, name)
    holds(lambda x: function(*x), REMAINING[name])


@pytest.mark.parametrize("name", ["fresnel", "sici", "shichi", "airy"])
def test_functions_with_several_results(name):
    holds(lambda x: sum((n + 1) * y for n, y in enumerate(getattr(sc, name)(x))), 0.7)


FIXED = {
    "jv": "v", "yv": "v", "iv": "v", "kv": "v", "ive": "v", "kve": "v", "expn": "n", "struve": "v", "hyp0f1": "v",
}  # fmt: skip


def _student(v, t):
    half = mp.betainc(v / 2, mp.mpf(0.5), 0, v / (v + t * t), regularized=True) / 2
    return 1 - half if t > 0 else half


# name: the function by mpmath, which argument moves, points
PARAMETERS = {
    "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), 0, [(0.05, 0.01), (0.5, 3.0), (2.5, 0.7), (2.5, 3.5), (10, 9.0), (40, 42.0), (200, 150.0), (200, 300.0)]),
    "gammaincc": (lambda a, x: mp.gammainc(a, x, regularized=True), 0, [(2.5, 0.7), (40, 60.0)]),
    "betainc": (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), 0, [(0.3, 0.4, 0.001), (4.5, 17, 0.2), (30, 2, 0.99), (30, 80, 0.3)]),
    "betaincc": (lambda a, b, x: mp.betainc(a, b, x, 1, regularized=True), 1, [(0.3, 0.4, 0.9), (4.5, 17, 0.2), (30, 2, 0.99)]),
    "stdtr": (_student, 0, [(0.5, -20), (3, -0.1), (3, 2.0), (100, 1.0)]),
    "chdtr": (lambda v, x: mp.gammainc(v / 2, 0, x / 2, regularized=True), 0, [(3, 0.8), (30, 40.0)]),
    "zeta": (lambda x, q: mp.zeta(x, q), 0, [(1.001, 1), (2.5, 0.3), (30.5, 2), (7, 100)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
def test_slopes_in_parameters_are_right_to_many_digits(name):
    truth, moving, points = PARAMETERS[name]
    with mp.workdps(50):
        for point in points:
            at = [mp.mpf(v) for v in point]
            along = lambda t, at=at: truth(*(t if n == moving else v for n, v in enumerate(at)))
            want = float(mp.diff(along, at[moving]))
            got = wg.grad(getattr(sc, name), argnums=moving)(*map(float, point))
            np.testing.assert_allclose(got, want, rtol=1e-10, err_msg=f"{name} at {point}")


def test_inverses_move_with_their_parameters():
    for name, point in {
        "gammaincinv": (3.0, 0.8), "gammainccinv": (3.0, 0.2), "betaincinv": (2.0, 3.0, 0.8), "betainccinv": (2.0, 3.0, 0.3),
        "stdtrit": (3.0, 0.8),
    }.items():  # fmt: skip
        first_holds(lambda x, name=name: getattr(sc, name)(*x), np.array(point))


def test_a_second_derivative_in_a_parameter_is_refused():
    with pytest.raises(
        NotDifferentiableError, match="gammainc has no derivative rule in its argument 'a "
    ):
        wg.grad(wg.grad(sc.gammainc))(2.0, 1.0)


def test_second_derivatives_of_what_is_made_of_others():
    x = np.array([0.3, 0.7])
    for f in (
        lambda x: sc.eval_jacobi(4, x[0], 0.5, x[1]), lambda x: sc.ellipkinc(3 * x[0], x[1]),
        lambda x: sc.ellipeinc(x[0], x[1]), lambda x: sum(sc.ellipj(x[0], x[1])), lambda x: sc.elliprg(x[0], x[1], 0.4),
        lambda x: sc.agm(x[0], x[1]), lambda x: np.real(sc.sph_harm_y(3, 1, x[0], x[1])), lambda x: sc.lpmv(2, 3, x[0]),
        lambda x: sc.struve(1, x[0]) + sc.modstruve(1, x[1]), lambda x: sc.ber(x[0]) + sc.kei(x[1]),
        lambda x: sc.bdtr(2, 5, x[0]) + sc.fdtr(3, 5, x[1]), lambda x: sc.diric(x[0], 4) + sc.factorial(x[1]),
    ):  # fmt: skip
        holds(f, x)


def test_the_complement_of_an_elliptic_integral_bends_right_where_one_minus_it_is_one():
    with mp.workdps(80):
        for p in (1e-30, 1e-17, 1e-3, 0.74, 0.76, 2.0):
            at = mp.mpf(p)
            want = mp.re(mp.diff(lambda t: mp.ellipk(1 - t), at, 2, h=at * mp.mpf("1e-15")))
            np.testing.assert_allclose(wg.grad(wg.grad(sc.ellipkm1))(p), float(want), rtol=1e-13)


@pytest.mark.parametrize("name", FIXED)
def test_an_argument_without_a_formula_is_never_a_silent_zero(name):
    with pytest.raises(NotDifferentiableError, match=f"{name} .*'{FIXED[name]}'"):
        wg.grad(lambda v: getattr(sc, name)(v, 2.0))(2.0)
    with pytest.raises(NotDifferentiableError, match=name):
        wg.jvp(lambda v: getattr(sc, name)(v, 2.0), (2.0,), (1.0,))


def test_a_stopped_order_is_a_constant():
    for order in (wg.stop_gradient, np.floor, lambda x: wg.stop_gradient(x) ** 2 - 2):
        slope = wg.grad(lambda x, order=order: sc.jv(order(x), x))(2.0)
        np.testing.assert_allclose(slope, sc.jvp(2.0, 2.0))
        slope = wg.grad(wg.grad(lambda x, order=order: sc.jv(order(x), x)))(2.0)
        np.testing.assert_allclose(slope, sc.jvp(2.0, 2.0, 2))
    with pytest.raises(NotDifferentiableError):
        wg.grad(lambda x: sc.jv(wg.stop_gradient(x) * x, x))(2.0)


def test_complex_arguments_of_holomorphic_functions():
    z = 0.7 + 0.3j
    for function in (
        sc.erf,
        sc.gamma,
        sc.exp1,
        sc.wofz,
        lambda z: sc.jv(1, z),
        lambda z: sc.hyp2f1(0.5, 1, 1.5, z),
    ):
        h = 1e-6
        want = (function(z + h) - function(z - h)) / (2 * h)
        np.testing.assert_allclose(wg.jvp(function, (z,), (1.0 + 0j,))[1], want, rtol=1e-8)
    with pytest.raises(UnsupportedError, match="complex"):
        wg.jvp(sc.erfcx, (z,), (1.0 + 0j,))


@pytest.mark.parametrize("branch", [0, -1])
def test_lambertw(branch):
    x = -0.2
    w, slope = wg.value_and_grad(lambda x: np.real(sc.lambertw(x, branch)))(x)
    np.testing.assert_allclose(w, sc.lambertw(x, branch).real, rtol=1e-15)
    np.testing.assert_allclose(slope, w / (x * (1 + w)), rtol=1e-13)


# ---- sums of exponentials ---------------------------------------------------------------------------
X = np.array([[0.5, -1.0, 2.0], [3.0, 0.1, -0.7]])
C = np.array([[1.0, -0.5, 2.0], [0.0, 1.5, 0.3]])
EXPONENTIALS = {
    "all": lambda x: sc.logsumexp(x),
    "axis": lambda x: sc.logsumexp(x, axis=0),
    "axes": lambda x: sc.logsumexp(x, axis=(0, 1)),
    "keepdims": lambda x: sc.logsumexp(x, axis=1, keepdims=True),
    "weights": lambda x: sc.logsumexp(x, b=np.abs(C)),
    "weights, along": lambda x: sc.logsumexp(x, axis=1, b=np.abs(C), keepdims=True),
    "weights that move": lambda x: sc.logsumexp(C, axis=1, b=x**2),
    "sign": lambda x: sc.logsumexp(x, axis=1, b=C, return_sign=True)[0],
    "sign itself": lambda x: sc.logsumexp(x, axis=0, b=-np.abs(C) - 1, return_sign=True)[1],
    "softmax": lambda x: sc.softmax(x),
    "softmax, axis": lambda x: sc.softmax(x, axis=1),
    "log_softmax": lambda x: sc.log_softmax(x, axis=0),
    "multigammaln": lambda x: sc.multigammaln(4 + x, 3),
}


@pytest.mark.parametrize("name", EXPONENTIALS)
def test_sums_of_exponentials(name):
    f = EXPONENTIALS[name]
    holds(lambda x: np.sum(np.cos(np.arange(np.size(f(x))).reshape(np.shape(f(x)))) * f(x)), X)


@pytest.mark.eager
def test_exponents_far_out():
    grad = wg.grad(lambda x: sc.logsumexp(x))
    np.testing.assert_allclose(grad(np.array([1e4, 1e4])), [0.5, 0.5])
    np.testing.assert_allclose(grad(np.array([-1e4, -1e4 + np.log(3)])), [0.25, 0.75])
    np.testing.assert_array_equal(grad(np.array([-np.inf, 0.0])), [0, 1])
    with pytest.warns(NonFiniteWarning, match="-inf"):  # (the argument is)
        np.testing.assert_array_equal(grad(np.array([-np.inf, -np.inf])), [0.5, 0.5])
    weighted = wg.grad(lambda x: sc.logsumexp(x, b=np.array([1.0, 3.0])))
    np.testing.assert_allclose(weighted(np.array([1e4, 1e4])), [0.25, 0.75])
    np.testing.assert_array_equal(weighted(np.array([-np.inf, 0.0])), [0, 1])
    hidden = wg.grad(lambda x: sc.logsumexp(x, b=np.array([0.0, 3.0])))
    np.testing.assert_array_equal(hidden(np.array([1e4, 0.0])), [0, 1])
    softmax = wg.grad(lambda x: sc.softmax(x)[0])
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4])), [0.25, -0.25])
    np.testing.assert_array_equal(softmax(np.array([0.0, -np.inf])), [0, 0])


def test_single_precision_stays():
    x = np.float32(0.5)
    for f in (
        sc.erf,
        sc.expit,
        sc.j1,
        sc.gammaln,
        sc.ellipk,
        sc.log_ndtr,
        lambda x: sc.jv(2, x),
        sc.i0e,
    ):
        value, slope = wg.value_and_grad(f)(np.full(2, x)[0])
        assert value.dtype == slope.dtype == np.float32


def test_zero_times_log_zero_does_not_move():
    np.testing.assert_array_equal(wg.grad(lambda p: sc.xlogy(p[0], p[1]))(np.zeros(2)), 0)
    np.testing.assert_array_equal(
        wg.grad(lambda q: np.sum(sc.rel_entr(np.array([0.0, 1.0]), q)))(np.array([0.0, 1.0])),
        [0, -1],
    )


def test_a_gamma_function_at_its_poles():
    np.testing.assert_allclose(
        [wg.grad(sc.rgamma)(-float(n)) for n in range(4)], [1, -1, 2, -6], rtol=1e-13
    )
