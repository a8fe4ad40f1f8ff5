"""Perturbation confusion: a derivative inside a derivative never mixes up whose tangent is whose.

Siskind and Pearlmutter, "Nesting forward-mode AD in a functional framework" (2008), show how systems
without tags get these wrong. Here every trace has its own builder, and an outer value is a captured
input of the inner program; these tests hold that to be enough.
"""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import wengert as wg
from wengert.errors import TracerLeakError

grad = wg.grad


def push(f, x, dx=1.0):
    """The forward derivative of a function of one number."""
    return wg.jvp(f, (x,), (dx,))[1]


MODES = pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (grad, grad),
        (lambda f: lambda x: push(f, x), grad),
        (grad, lambda f: lambda x: push(f, x)),
        (lambda f: lambda x: push(f, x),) * 2,
    ],
    ids=[
        "reverse over reverse",
        "forward over reverse",
        "reverse over forward",
        "forward over forward",
    ],
)


@MODES
def test_the_classic_example(outer, inner):
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1


@MODES
def test_the_inner_derivative_sees_the_outer_variable_as_a_constant(outer, inner):
    # d/dx [x · d/dy (x y²) at y = 2] = d/dx [4 x²] = 8 x
    assert outer(lambda x: x * inner(lambda y: x * y * y)(2.0))(3.0) == 24


@MODES
def test_both_variables_have_one_value_and_one_name(outer, inner):
    # d/dx [d/dy (x y) at y = x] is 1, and d/dx [d/dy (y³) at y = x] is 6x
    def x_times(x):
        return inner(lambda y: x * y)(x)

    def cube(x):
        return inner(lambda x: x * x * x)(x)

    assert outer(x_times)(3.0) == 1
    assert outer(cube)(2.0) == 12


@MODES
def test_the_inner_function_may_ignore_its_argument(outer, inner):
    assert outer(lambda x: x + inner(lambda y: x * 1.0)(2.0))(5.0) == 1
    assert outer(lambda x: inner(lambda y: np.sin(x) * 2.0)(2.0) + 0 * x)(5.0) == 0


@MODES
def test_three_levels(outer, inner):
    # x · d/dy [y · d/dz (x y z²) at z = 1] at y = 1: the inner is 2 x y, the middle 4 x y, so 4 x²
    def f(x):
        return x * inner(lambda y: y * inner(lambda z: x * y * z * z)(1.0))(1.0)

    assert outer(f)(3.0) == 24


@MODES
def test_a_derivative_handed_to_a_function_that_differentiates(outer, inner):
    # Siskind and Pearlmutter's generator: D applied to a curried function, at every level of currying
    def shifted(x):
        return lambda g: lambda y: g(x + y)

    def derivative_of(x):
        return inner(shifted(x)(np.sin))(1.0)

    np.testing.assert_allclose(outer(derivative_of)(0.5), -np.sin(1.5), rtol=1e-15)


def test_a_function_made_under_a_derivative_keeps_no_stale_tangent():
    # Manzyuk et al. (2019), "Perturbation confusion in forward AD of higher-order functions"
    made = []

    def f(x):
        made.append(lambda y: x * y)
        return x * x

    push(f, 3.0)
    with pytest.raises(TracerLeakError):
        push(made[0], 1.0)


def test_a_gradient_inside_a_loop_of_gradients():
    def descend(start):
        x = start
        for _ in range(4):
            x = x - 0.25 * grad(lambda y: (y - start) ** 2 + y * y)(x)
        return x

    # x ↦ x - ¼ (2 (x - s) + 2 x) = ½ s: where it lands moves with ½
    assert grad(descend)(3.0) == 0.5
    assert push(descend, 3.0) == 0.5


def test_vectors_and_closures():
    a = np.array([1.0, 2.0])

    def f(x):
        inner = grad(lambda y: np.sum(x * y * y * a))(x)  # 2 a x²
        return np.sum(inner * x)

    np.testing.assert_array_equal(grad(f)(np.array([3.0, 5.0])), 6 * a * np.array([9.0, 25.0]))


def test_an_outer_value_written_inside_keeps_to_its_trace():
    def f(x):
        y = x * 1.0

        def g(z):
            w = y * z
            w[0] = z * 2.0
            return np.sum(w)

        return np.sum(y) * grad(g)(2.0)  # (x0 + x1) (2 + x1)

    np.testing.assert_array_equal(grad(f)(np.array([3.0, 5.0])), [7.0, 15.0])


def test_a_hessian_beside_its_function():
    def f(x):
        return np.sum(wg.hessian(lambda y: np.sum(y**3) * x[0])(x))

    # the Hessian is diagonal with 6 y x0; at y = x its sum is 6 x0 (x0 + x1)
    np.testing.assert_allclose(grad(f)(np.array([2.0, 3.0])), [6 * (2 * 2 + 3), 6 * 2])


def test_two_threads_trace_at_once():
    meet = Barrier(2)

    def slow(k):
        def f(x):
            y = x
            for _ in range(50):
                meet.wait(timeout=20)  # every step of one is between two steps of the other
                y = np.sin(y) * (1 + k)
            return y

        return f

    def plain(k, x):
        y, slope = x, 1.0
        for _ in range(50):
            y, slope = np.sin(y) * (1 + k), np.cos(y) * (1 + k) * slope
        return slope

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda k: grad(slow(k))(0.5), [0.1, 0.2]))
    np.testing.assert_allclose(found, [plain(0.1, 0.5), plain(0.2, 0.5)], rtol=1e-12)


def test_many_threads_get_their_own_answers():
    f = grad(lambda x: np.sum(np.tanh(x) ** 2))
    points = [np.linspace(0, 1, 5) + k for k in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(f, points))
    for x, g in zip(points, found, strict=True):
        np.testing.assert_array_equal(g, f(x))


def test_a_leaked_value_says_where_it_is_used():
    leaked = []

    def f(x):
        leaked.append(x * 2)
        return x * x

    grad(f)(1.0)
    with pytest.raises(TracerLeakError, match=r"test_confusion\.py:\d+.*had returned"):
        leaked[0] + 1.0


def test_a_value_that_leaks_into_a_later_trace_is_refused():
    leaked = []

    def f(x):
        leaked.append(x)
        return x * x

    grad(f)(1.0)
    with pytest.raises(TracerLeakError):
        grad(lambda y: y * leaked[0])(2.0)


def test_an_error_inside_leaves_the_next_call_unharmed():
    def fails(x):
        grad(lambda y: 1 / (0 * "text"))(x)

    with pytest.raises(TypeError):
        grad(fails)(1.0)
    assert grad(lambda x: x * x)(3.0) == 6


def cube(x):
    """A module-level function, so that it pickles."""
    return x**3


DERIVATIVES = {
    "grad": grad(cube),
    "grad of grad": grad(grad(cube)),
    "value_and_grad": wg.value_and_grad(cube),
    "hessian": wg.hessian(cube),
    "jacobian": wg.jacobian(cube),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_derivative_pickles(name):
    f = DERIVATIVES[name]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(f))(2.0), f(2.0))


def test_a_pickled_gradient_runs_in_another_process(tmp_path):
    module = tmp_path / "mymodel.py"
    module.write_text("def cube(x):\n    return x ** 3\n")
    make = "import mymodel, pickle, sys, wengert as wg; sys.stdout.buffer.write(pickle.dumps(wg.grad(wg.grad(mymodel.cube))))"
    use = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(2.0))"
    made = subprocess.run(
        [sys.executable, "-c", make], cwd=tmp_path, capture_output=True, check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", use],
        cwd=tmp_path,
        input=made.stdout,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == b"12.0"
