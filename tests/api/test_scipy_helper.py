"""for_scipy: any container as a flat vector."""

import numpy as np
import pytest
from scipy.optimize import minimize

import wengert as wg
from wengert.errors import ShapeError

A, B = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([1.0, -1.0])


def loss(p, weight=1.0):
    return weight * (
        p["x"] @ A @ p["x"] / 2 - B @ p["x"] + np.sum((p["y"][0] - 2.0) ** 4) + np.cosh(p["y"][1])
    )


START = {"x": np.zeros(2), "y": [np.float32(1.0), 0.5]}


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "Newton-CG"])
def test_optimisers_reach_the_minimum(method):
    p = wg.for_scipy(loss, START)
    more = {"hessp": p.hessp} if method == "Newton-CG" else {}
    found = minimize(p.fun, p.x0, jac=True, method=method, **more)
    best = p.unflatten(found.x)
    np.testing.assert_allclose(best["x"], np.linalg.solve(A, B), atol=1e-4)
    assert abs(best["y"][1]) < 1e-3
    assert isinstance(best["y"][0], np.float32)


def test_the_way_there_and_back():
    p = wg.for_scipy(loss, START)
    assert p.x0.dtype == np.float64
    assert p.x0.shape == (4,)
    again = p.unflatten(p.x0)
    np.testing.assert_array_equal(p.flatten(again), p.x0)
    value, gradient = p.fun(p.x0)
    assert type(value) is float
    assert gradient.dtype == np.float64
    with pytest.raises(ShapeError, match="4 numbers"):
        p.unflatten(np.zeros(3))


def test_extra_arguments_are_passed_on():
    p = wg.for_scipy(loss, START, weight=3.0)
    q = wg.for_scipy(loss, START)
    assert p.fun(p.x0)[0] == pytest.approx(3 * q.fun(q.x0)[0])
