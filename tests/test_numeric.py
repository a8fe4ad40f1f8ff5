"""Numeric derivatives: as exact as they say, and refused where they would be wrong."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wengert import numeric
from wengert.errors import InputError, NonScalarOutputError, NotDifferentiableError
from wengert.numeric.differences import grid, stencil

EASY = {
    "exp": (np.exp, np.exp, 0.3),
    "log near 0": (np.log, lambda x: 1 / x, 1e-3),
    "cos at 0": (np.cos, lambda x: -np.sin(x), 0.0),
    "tenth power": (lambda x: x**10, lambda x: 10 * x**9, 100.0),
    "square far out": (lambda x: x * x, lambda x: 2 * x, 1e8),
    "root": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.25),
    "wave of period 1/8": (
        lambda x: np.sin(16 * np.pi * x),
        lambda x: 16 * np.pi * np.cos(16 * np.pi * x),
        0.7,
    ),
    "constant": (lambda x: 3.0 + 0 * x, lambda x: 0.0, 2.0),
}


@pytest.mark.parametrize("name", EASY)
@pytest.mark.parametrize(
    ("method", "digits"),
    [("forward", 1e-4), ("central", 2e-5), ("richardson", 1e-11), ("complex", 1e-15)],
)
def test_every_method_is_as_good_as_it_says(name, method, digits):
    f, df, x = EASY[name]
    value, error = numeric.derivative(f, x, method=method, error=True)
    off = abs(value - df(x))
    assert off <= digits * max(abs(df(x)), 1)
    if method != "forward":  # the error of its own error estimate is of the same order
        assert off <= 10 * error + 1e-300


@pytest.mark.parametrize(
    ("f", "truth", "x"),
    [
        (np.log, 1e10, 1e-10),
        (lambda x: np.sin(1e6 * x), 1e6 * np.cos(7e5), 0.7),
        (lambda x: np.exp(-1 / x**2) * np.tanh(50 * x), None, 0.2),
        (np.abs, 1.0, 1e-3),
        (np.sqrt, 0.5e3, 1e-6),
    ],
    ids=["log at 1e-10", "fast wave", "essential", "abs", "root near 0"],
)
def test_richardson_finds_the_scale_by_itself(f, truth, x):
    truth = numeric.derivative(f, x, method="complex") if truth is None else truth
    value, error = numeric.derivative(f, x, error=True)
    assert value == pytest.approx(truth, rel=1e-9)
    assert error < 1e-6 * abs(truth)


@pytest.mark.parametrize("method", ["central", "richardson"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_higher_derivatives_stay_within_their_error(method, order):
    value, error = numeric.derivative(np.exp, 0.5, order, method=method, error=True)
    assert abs(value - np.exp(0.5)) <= 5 * error
    assert error < {"central": 1e-3, "richardson": 1e-6}[method]


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_the_error_of_central_differences_falls_with_the_square_of_the_step(x, scale):
    def off(h):
        found = numeric.derivative(lambda x: np.sin(scale * x), x, method="central", step=h)
        return found - scale * np.cos(scale * x)

    coarse, fine = off(0.02 / scale), off(0.01 / scale)
    assert coarse == pytest.approx(4 * fine, rel=0.01, abs=1e-9 * scale)


@given(st.floats(1, 1.5), st.integers(-40, 40), st.floats(1e-9, 0.1))
def test_points_of_a_stencil_are_exact_numbers(mantissa, exponent, fraction):
    x = mantissa * 2.0**exponent
    step = grid(fraction * x, x, 2.0**-52)
    assert step == pytest.approx(fraction * x, rel=1e-5)
    for k in (-2, -1, 1, 2):
        assert (x + k * step) - x == k * step


def test_a_stencil_of_order_n_is_exact_for_polynomials_of_degree_n():
    for order in (1, 2, 3, 4):
        value, _ = stencil(lambda h, n=order: np.float64(h) ** n, 0.0, 0.5, order)
        assert value == math.factorial(order)


def test_the_complex_step_has_all_digits():
    def f(x):
        return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)

    assert numeric.derivative(f, 1.5, method="complex") == pytest.approx(
        3.62203370071632585, rel=2e-16
    )


def test_single_precision_takes_larger_steps():
    x = np.float32(0.5)
    for method, digits in (("forward", 3e-3), ("central", 3e-4), ("complex", 3e-7)):
        assert numeric.derivative(np.exp, x, method=method) == pytest.approx(
            np.exp(0.5), rel=digits
        )


def test_results_may_be_arrays():
    np.testing.assert_allclose(
        numeric.derivative(lambda t: np.array([[t, t**2]]), 3.0), [[1.0, 6.0]], rtol=1e-12
    )


@dataclass
class Layer:
    w: np.ndarray
    b: float


@pytest.mark.parametrize("method", ["forward", "central", "richardson", "complex"])
def test_gradients_have_the_containers_of_the_argument(method):
    def f(p, scale):
        return scale * np.sum(p["layer"].w ** 2) * p["layer"].b + p["rest"][0]

    p = {"layer": Layer(np.array([[1.0, 2.0]]), 3.0), "rest": (5.0,)}
    g = numeric.grad(f, method=method)(p, 2.0)
    np.testing.assert_allclose(g["layer"].w, [[12.0, 24.0]], rtol=1e-5)
    assert g["layer"].b == pytest.approx(10.0, rel=1e-5)
    assert g["rest"][0] == pytest.approx(1.0, rel=1e-5)
    _, by_scale = numeric.grad(f, (0, 1), method=method)(p, 2.0)
    assert by_scale == pytest.approx(15.0, rel=1e-5)


def test_jacobians_have_result_and_argument_shapes():
    def f(x, y):
        return {"a": x @ y, "b": np.sum(y)}

    x, y = np.arange(6.0).reshape(2, 3), np.array([1.0, -1.0, 2.0])
    found, error = numeric.jacobian(f, (0, 1), error=True)(x, y)
    np.testing.assert_allclose(found["a"][0], np.einsum("ik,j->ikj", np.eye(2), y), atol=1e-9)
    np.testing.assert_allclose(found["a"][1], x, atol=1e-8)
    np.testing.assert_allclose(found["b"][1], np.ones(3), atol=1e-9)
    assert error["a"][1].shape == (2, 3)
    assert np.max(error["a"][1]) < 1e-7


NOT_ANALYTIC = {
    "abs": (np.abs, "np.absolute"),
    "maximum": (lambda x: np.maximum(x, 0), "np.maximum"),
    "comparison": (lambda x: x if x > 0 else -x, "np.greater"),
    "where": (lambda x: np.where(x == 0, x, -x), "np.equal"),
    "truth": (lambda x: x if x else -x, "`if`"),
    "real part": (lambda x: x.real, "the real part"),
    "imaginary part": (lambda x: x.imag + x, "the imaginary part"),
    "np.real": (lambda x: np.real(x) * x, "np.real"),
    "conjugate": (lambda x: np.conj(x) * x, "np.conjugate"),
    "vdot": (lambda x: np.vdot(x, x), "np.vdot"),
    "real only": (lambda x: np.arctan2(x, 1.0), "np.arctan2"),
    "floor": (np.floor, "np.floor"),
    "sorting": (lambda x: np.sort(np.stack([x, 2 * x]))[0], "sorting"),
    "math": (lambda x: math.sin(x), "takes complex numbers"),
    "hidden": (lambda x: abs(np.asarray(x)) * 1j, "Cauchy–Riemann"),
    "hidden and dropped": (lambda x: np.asarray(x).real ** 2 * (1 + 0j), "Cauchy–Riemann"),
}


@pytest.mark.parametrize("name", NOT_ANALYTIC)
def test_the_complex_step_refuses_what_is_not_analytic(name):
    f, words = NOT_ANALYTIC[name]
    with pytest.raises(NotDifferentiableError, match=words) as caught:
        numeric.derivative(f, 2.0, method="complex")
    assert "richardson" in str(caught.value)
    assert "test_numeric.py" in str(caught.value)


def test_analytic_functions_of_arrays_pass_the_watch():
    def f(x):
        y = np.linalg.solve(np.eye(3) + np.outer(x, x), np.sin(x))
        z = np.zeros(3, complex if np.iscomplexobj(x) else float)
        z[:] = y * np.cumsum(x)
        return np.exp(-np.dot(z, z)) + np.prod(x) + np.einsum("i,i", x, z)

    x = np.array([0.3, -0.4, 0.5])
    exact = numeric.grad(f, method="complex")(x)
    np.testing.assert_allclose(numeric.grad(f, method="richardson")(x), exact, rtol=1e-11)


def test_no_check_no_further_calls():
    calls = []

    def f(x):
        calls.append(x)
        return np.exp(x)

    numeric.derivative(f, 1.0, method="complex", check=False)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: numeric.derivative(np.sin, np.ones(2)), InputError, "one number"),
        (lambda: numeric.derivative(np.sin, 1.0, method="magic"), InputError, "magic"),
        (lambda: numeric.derivative(np.sin, 1.0, 2, method="complex"), InputError, "order 2"),
        (lambda: numeric.derivative(np.sin, 1.0, 0), InputError, "order 0"),
        (lambda: numeric.derivative(np.sin, 1j), InputError, "complex128"),
        (lambda: numeric.grad(np.sin)(np.ones(2)), NonScalarOutputError, "one real number"),
        (lambda: numeric.grad(lambda x: 1.0)(()), InputError, "no number"),
        (lambda: numeric.grad(np.sum)(np.array(["a"])), InputError, "moves real numbers"),
    ],
    ids=range(8),
)
def test_a_mistake_is_an_error_with_a_way_out(wrong, error, words):
    with pytest.raises(error, match=words) as caught:
        wrong()
    assert "Way out" in str(caught.value)
