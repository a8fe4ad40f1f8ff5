"""Ordinary buffers, literals and math.* inside a traced function."""

import math
import pickle
import threading
import types

import numpy as np
import pytest

import wengert as wg

X = np.array([1.0, 2.0, 3.0])


def slopes(f, x, h=1e-6):
    """Central differences of a scalar function."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])


def zeros_then_writes(x):
    b = np.zeros(3)
    for i in range(3):
        b[i] = x[i] ** 2
    return np.sum(b * x)


def empty_then_rows(x):
    b = np.empty((2, 3))
    b[0] = np.sin(x)
    b[1, ::2] = x[:2]
    b[1, 1] = 7.0
    return np.sum(b[0] * b[1])


def added_to(x):
    b = np.ones(3)
    b += x
    b[1:] *= x[0]
    return np.prod(b)


def literal_written_later(x):
    a = np.array([1.0, 0.0, 2.0])
    a[1] = x[0] * x[2]
    return a @ x


START = np.array([5.0, 6.0, 7.0])


def copied_constant(x):
    b = np.copy(START)
    b[0] = x[0]
    return np.sum(b**2)


def like_others(x):
    a, b, c = np.zeros_like(x), np.ones_like(x), np.full_like(x, 2.0)
    a[0], b[1], c[2] = x[1], x[2], x[0]
    return np.sum(a * b + c * x + np.full(3, x[0]))


def identity_matrix(x):
    a = np.eye(3)
    a[0] += x
    return np.sum(np.linalg.solve(a, np.dot(a, x)) * x)


def rotation(x):
    t = x[0]
    r = np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])
    return np.sum(r @ x[1:] * np.array([1.0, 3.0]))


def nested_literal(x):
    return np.sum(np.asarray([[x[0], 1.0], (2, x[1] * x[2])]) ** 2)


def view_of_a_buffer(x):
    b = np.zeros((2, 2))
    row = b[1]
    row[:] = x[:2]
    return np.sum(b * b) + row[0] ** 3


BUFFERS = [
    zeros_then_writes, empty_then_rows, added_to, literal_written_later, copied_constant, like_others,
    identity_matrix, rotation, nested_literal, view_of_a_buffer,
]  # fmt: skip


@pytest.mark.parametrize("f", BUFFERS, ids=lambda f: f.__name__)
def test_ordinary_buffers_carry_derivatives(f):
    value, gradient = wg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_allclose(gradient, slopes(f, X), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("f", BUFFERS, ids=lambda f: f.__name__)
def test_ordinary_buffers_carry_second_derivatives(f):
    h = 1e-6
    want = np.array([(wg.grad(f)(X + h * e) - wg.grad(f)(X - h * e)) / (2 * h) for e in np.eye(3)])
    np.testing.assert_allclose(wg.hessian(f)(X), want, rtol=1e-6, atol=1e-6)
    v = np.array([1.0, -1.0, 0.5])
    np.testing.assert_allclose(wg.jvp(wg.grad(f), (X,), (v,))[1], want @ v, rtol=1e-6, atol=1e-6)


def test_untouched_buffers_may_be_looked_at_by_anybody():
    def f(x):
        weights = np.linspace(0.0, 1.0, 3)
        assert float(weights[1]) == 0.5
        with pytest.raises(TypeError):
            memoryview(weights)
        assert math.floor(np.ones(2)[0]) == 1
        table = {round(float(w), 1): k for k, w in enumerate(weights)}
        assert f"{weights[1]:.2f}" == "0.50"
        assert np.random.default_rng(0).normal(loc=weights).shape == (3,)
        return np.sum(x * weights) * len(table)

    np.testing.assert_allclose(wg.grad(f)(X), [0.0, 1.5, 3.0])


def test_integer_arrays_stay_plain():
    def f(x):
        order = np.array([2, 0, 1])
        assert type(order) is np.ndarray
        assert type(np.arange(3)) is np.ndarray
        return np.sum(x[order] * np.arange(3))

    np.testing.assert_array_equal(wg.grad(f)(X), [1.0, 2.0, 0.0])


def test_returned_buffers_are_plain_arrays():
    def f(x):
        b, c = np.zeros(2), np.ones(2)
        b[0] = x
        return x * b[0], (b, c)

    g, (b, c) = wg.grad(f, has_aux=True)(2.0)
    assert g == 4.0
    assert type(b) is np.ndarray
    assert type(c) is np.ndarray
    np.testing.assert_array_equal(b, [2.0, 0.0])


def test_numpys_names_are_put_back():
    before = np.zeros, np.array, math.sin

    def f(x):
        assert np.zeros is not before[0]
        raise KeyError("the user's own")

    with pytest.raises(KeyError):
        wg.grad(f)(1.0)
    assert (np.zeros, np.array, math.sin) == before


@pytest.mark.eager
def test_a_name_that_somebody_replaces_keeps_her_meaning(monkeypatch):
    zeros = np.zeros
    monkeypatch.setattr(np, "zeros", zeros)  # puts it back at the end

    def counted(*args):
        calls.append(args)
        return zeros(*args)

    def f(x):
        before.append(np.zeros)
        np.zeros = counted
        return x * np.zeros(2).size

    for _ in range(2):
        calls, before = [], []
        assert wg.grad(f)(1.0) == 2.0
        assert calls == [(2,)]
        assert np.zeros is counted
    assert before == [counted]
    np.zeros = zeros
    wg.grad(lambda x: before.append(np.zeros) or x)(1.0)
    assert before[-1] is not zeros


def test_modules_are_modules_while_a_trace_runs():
    def f(x):
        assert isinstance(np, types.ModuleType)
        assert pickle.loads(pickle.dumps(math)) is math
        with pytest.raises(AttributeError, match="module 'numpy' has no attribute 'zeroes'"):
            np.zeroes  # noqa: B018
        return x

    assert wg.grad(f)(1.0) == 1.0
    assert type(np) is type(math) is types.ModuleType


def test_compiled_callers_get_plain_arrays():
    """NumPy's Cython code calls np.empty and np.zeros without a frame of its own."""

    def f(x):
        rng = np.random.default_rng(3)
        p = rng.dirichlet([1.0, 2.0, 3.0])
        m = rng.multivariate_normal(np.zeros(3), np.eye(3))
        assert type(p) is np.ndarray
        return np.sum(x * p) + np.sum(x * m)

    rng = np.random.default_rng(3)
    want = rng.dirichlet([1.0, 2.0, 3.0]) + rng.multivariate_normal(np.zeros(3), np.eye(3))
    np.testing.assert_allclose(wg.grad(f)(X), want)


def test_another_thread_gets_plain_arrays_while_this_one_traces():
    inside, done, seen = threading.Event(), threading.Event(), []

    def plain_thread():
        inside.wait(5)
        seen.append((type(np.zeros(3)), type(np.array([1.0])), type(math.sin(1.0))))
        done.set()

    def f(x):
        inside.set()
        done.wait(5)
        b = np.zeros(3)
        b[0] = x[0]
        return np.sum(b)

    thread = threading.Thread(target=plain_thread)
    thread.start()
    np.testing.assert_array_equal(wg.grad(f)(X), [1.0, 0.0, 0.0])
    thread.join()
    assert seen == [(np.ndarray, np.ndarray, float)]


def test_a_buffer_written_inside_an_inner_gradient():
    def f(x):
        b = np.zeros(2)

        def inner(y):
            b[0] = y * x
            return b[0] * y

        return wg.grad(inner)(3.0) + b[0]  # 2·3·x + 3·x

    assert wg.grad(f)(2.0) == 9.0


MATH = {
    "sin": 0.3, "cos": 0.3, "tan": 0.3, "asin": 0.3, "acos": 0.3, "atan": 0.3, "sinh": 0.3, "cosh": 0.3, "tanh": 0.3,
    "asinh": 0.3, "acosh": 1.3, "atanh": 0.3, "exp": 0.3, "exp2": 0.3, "expm1": 0.3, "log": 1.3, "log2": 1.3,
    "log10": 1.3, "log1p": 0.3, "sqrt": 1.3, "cbrt": 1.3, "fabs": -1.3, "degrees": 0.3, "radians": 0.3,
}  # fmt: skip


@pytest.mark.parametrize("name", MATH)
def test_math_functions_of_traced_scalars(name):
    f = getattr(math, name)
    x, h = MATH[name], 1e-6
    g = wg.grad(lambda x: getattr(math, name)(x))(x)
    assert g == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-7)


def test_math_functions_of_several_arguments():
    f = lambda x: (
        math.atan2(x[0], x[1]) + math.hypot(x[0], x[1], x[2]) + math.pow(x[0], x[1]) + math.log(x[2], 3)
        + math.dist(x, [0.0, 1.0, 1.0]) + math.fsum([x[0], x[1] ** 2]) + math.prod(x) + math.fmod(x[2], 2.0)
        + math.floor(x[1] + 0.5) * x[0] + math.copysign(x[0], -1.0)
    )  # fmt: skip
    np.testing.assert_allclose(wg.grad(f)(X), slopes(f, X), rtol=1e-7)


def test_filling_is_linear_in_the_number_of_writes():
    """Counted in recorded equations and in bytes copied, not in seconds."""

    def f(x, n):
        b = np.empty(n)
        for k in range(n):
            b[k] = 2.0 * x
        return b.sum()

    for n in (10, 1000):
        assert len(wg.program(lambda x, n=n: f(x, n))(1.0).eqns) <= 2 * n + 3
    assert wg.grad(lambda x: f(x, 1000))(1.0) == 2000.0


def test_rounding_a_traced_scalar_is_what_it_is_for_a_number():
    def f(x):
        assert round(x) == 2
        assert type(round(x)) is int
        return x * round(x) + 0.0 * round(x, 1)

    assert wg.grad(f)(2.25) == 2.0
