"""Slopes by central differences of the plain function, and the comparison with ours."""

import numpy as np

import wengert as wg
from wengert.testing.differences import directional


def gradient(f, x):
    """The gradient of a plain function of one array, measured."""
    x = np.asarray(x, float)
    found, error = np.zeros(x.shape), 0.0
    for at in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[at] = 1.0
        slope, off = directional(lambda v: np.atleast_1d(f(v)), [x], [step], 2.0**-8)
        found[at], error = slope[0], max(error, off[0])
    return found, error


def first_holds(f, x, tolerance=1e-6):
    """Value and gradient of `f` at x are those of the plain function."""
    x = np.asarray(x, float)
    value, ours = wg.value_and_grad(f)(x)
    np.testing.assert_allclose(value, f(x), rtol=1e-12, atol=1e-300)
    measured, error = gradient(f, x)
    assert error < 1e-5 * (1 + np.max(np.abs(measured)))
    np.testing.assert_allclose(ours, measured, rtol=tolerance, atol=tolerance + 8 * error)


def holds(f, x, tolerance=1e-6):
    """Value, gradient and Hessian times vector are those of the plain function."""
    x = np.asarray(x, float)
    first_holds(f, x, tolerance)
    turn = np.cos(np.arange(x.size)).reshape(x.shape)
    second = wg.grad(lambda v: np.sum(wg.grad(f)(v) * turn))(x)
    measured, error = gradient(lambda v: np.sum(wg.grad(f)(v) * turn), x)
    np.testing.assert_allclose(second, measured, rtol=1e-5, atol=1e-5 + 8 * error)
