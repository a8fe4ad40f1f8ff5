"""All of wengert in half a minute: read it from top to bottom as a tour."""

import numpy as np
import pytest
from scipy.optimize import minimize

import wengert as wg


def test_a_gradient_of_plain_numpy():
    def loss(w):
        return np.sum(np.tanh(w) ** 2)

    w = np.array([0.5, -1.0])
    gradient = wg.grad(loss)(w)
    np.testing.assert_allclose(gradient, 2 * np.tanh(w) / np.cosh(w) ** 2)


def test_a_value_and_its_gradient_in_one_pass():
    value, gradient = wg.value_and_grad(lambda x: x**3)(2.0)
    assert (value, gradient) == (8.0, 12.0)
    assert type(gradient) is float


def test_python_stays_python():
    def f(x, n, mode):
        total = 0.0
        for k in range(n):
            total += x**k if mode == "power" else x
            if total > 100:
                break
        return total

    assert wg.grad(f)(2.0, 4, "power") == 1 + 2 * 2 + 3 * 4
    assert wg.grad(f)(2.0, 4, "copies") == 4
    assert wg.grad(f)(10.0, 99, "power") == 1 + 2 * 10


def test_containers_come_back_as_containers():
    def f(model, x):
        return np.sum(model["weights"] @ x) * model["more"][0]

    model = {"weights": np.eye(2), "more": [3.0, "a label"]}
    gradient = wg.grad(f)(model, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(gradient["weights"], [[3.0, 6.0], [3.0, 6.0]])
    assert gradient["more"] == [3.0, None]


def test_arrays_may_be_written():
    def f(x):
        y = x * 1.0
        y[1:] += y[:-1] ** 2
        y[0] = 0.0
        return np.sum(y)

    np.testing.assert_array_equal(wg.grad(f)(np.array([1.0, 2.0, 3.0])), [2.0, 5.0, 1.0])


def test_forward_mode_and_the_transpose():
    x, dx = np.array([1.0, 2.0]), np.array([1.0, -1.0])
    _, dy = wg.jvp(np.sin, (x,), (dx,))
    np.testing.assert_allclose(dy, np.cos(x) * dx)
    _, back = wg.vjp(np.sin, x)
    (g,) = back(np.array([3.0, 4.0]))
    np.testing.assert_allclose(g, np.cos(x) * [3.0, 4.0])
    _, slope = wg.linearize(np.sin, x)
    np.testing.assert_allclose(slope(dx), dy)


def test_jacobians_and_hessians():
    def f(x):
        return np.array([1.0, 2.0]) * x[0] * x[1:]

    x = np.array([3.0, 4.0, 5.0])
    expected = [[4.0, 3.0, 0.0], [10.0, 0.0, 6.0]]
    for jacobian in (wg.jacobian, wg.jacfwd, wg.jacrev):
        np.testing.assert_array_equal(jacobian(f)(x), expected)
    np.testing.assert_array_equal(
        wg.hessian(lambda x: np.prod(x))(x), [[0, 5, 4], [5, 0, 3], [4, 3, 0]]
    )


def test_derivatives_of_derivatives():
    f = np.sin
    for expected in (np.cos(1.0), -np.sin(1.0), -np.cos(1.0), np.sin(1.0)):
        f = wg.grad(f)
        assert f(1.0) == pytest.approx(expected)
    # the inner derivative sees x as a constant
    assert wg.grad(lambda x: x * wg.grad(lambda y: x + y)(1.0))(1.0) == 1


def test_kinks_have_documented_answers():
    assert wg.grad(abs)(0.0) == 0
    assert wg.grad(lambda x: np.maximum(x, 0))(0.0) == 0.5
    np.testing.assert_array_equal(wg.grad(np.linalg.norm)(np.zeros(3)), np.zeros(3))
    with np.errstate(divide="ignore"):  # what is not selected is not alive
        assert wg.grad(lambda x: np.where(x > 0, np.log(x), 0.0))(0.0) == 0


def test_slopes_keep_their_digits_far_out():
    assert wg.grad(np.tanh)(20.0) == pytest.approx(1.6993417021166355e-17, rel=1e-15)
    np.testing.assert_allclose(wg.grad(np.hypot, argnums=(0, 1))(3e200, 4e200), [0.6, 0.8])


def test_dtypes_are_kept():
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([0.5, 1.0], dtype)
        assert wg.grad(lambda x: np.sum(np.exp(x) * 2.0))(x).dtype == dtype


def test_complex_gradients_point_uphill():
    z = np.array([1 + 2j])
    np.testing.assert_allclose(wg.grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * z)
    assert wg.grad(np.exp, holomorphic=True)(1j) == pytest.approx(np.exp(1j))


def test_rules_of_your_own_and_values_without_derivative():
    @wg.custom_vjp
    def softplus(x):
        return np.log1p(np.exp(x))

    softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g / (1 + np.exp(-x)),))
    assert wg.grad(softplus)(0.0) == 0.5
    assert wg.grad(wg.grad(softplus))(0.0) == 0.25
    assert wg.grad(lambda x: x * wg.stop_gradient(x))(3.0) == 3


def test_a_tape_as_in_tensorflow():
    x = np.array([1.0, 2.0])
    with wg.GradientTape() as tape:
        x = tape.watch(x)
        y = np.sum(x**2)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


def test_a_program_can_be_looked_at():
    program = wg.program(lambda x: x * np.sin(x))(2.0)
    listing = [line.split("#")[0].strip() for line in str(program).splitlines()]
    assert listing[1:] == ["b: f64[] = sin a", "c: f64[] = mul a b", "return c"]
    assert "test_tiny.py" in str(program)


def test_mistakes_name_the_line_and_the_way_out():
    def f(x):
        return float(x) ** 2

    with pytest.raises(wg.errors.ConcretizationError, match=r"test_tiny\.py:\d+.*\n  Way out: "):
        wg.grad(f)(1.0)
    with pytest.raises(wg.errors.InputError, match="astype"):
        wg.grad(np.sum)(np.array([1, 2, 3]))


def test_derivatives_can_be_checked():
    wg.check_grads(lambda x: np.sum(np.sin(x) * x), (np.array([0.3, 0.7]),), order=2)
    assert not wg.gradcheck(np.sqrt, (0.0,))


def test_a_real_use_with_scipy():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 200)
    data = 3 * np.exp(-2 * (x - 0.25) ** 2)

    def misfit(p):
        height, width, centre = p
        return np.mean((height * np.exp(-width * (x - centre) ** 2) - data) ** 2)

    found = minimize(
        wg.value_and_grad(misfit), np.array([1.0, 1.0, 0.0]), jac=True, method="BFGS", tol=1e-10
    )
    np.testing.assert_allclose(found.x, [3.0, 2.0, 0.25], rtol=1e-5)
