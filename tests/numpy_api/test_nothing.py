"""Arrays without elements, and arguments that NumPy refuses: what plain NumPy says, and no more."""

import numpy as np
import pytest

import wengert as wg

EMPTY = {
    "median": lambda a: np.median(a),
    "median along an axis": lambda a: np.median(a, axis=1, keepdims=True),
    "nanmedian": lambda a: np.nanmedian(a, axis=(0, 1)),
    "resize": lambda a: np.resize(a, (2, 2)),
    "prod": lambda a: np.prod(a, axis=0),
    "prod of nothing": lambda a: np.prod(a, axis=1) * 2,
    "norm, 2": lambda a: np.linalg.norm(a, 2),
    "norm, 1": lambda a: np.linalg.matrix_norm(a, ord=1, keepdims=True),
    "norm, inf": lambda a: np.linalg.vector_norm(a.ravel(), ord=np.inf),
    "sums": lambda a: a.sum() + np.cumsum(a).sum() + np.sum(a, axis=0, initial=3.0).sum(),
    "sorted": lambda a: np.sort(a, axis=0),
    "products": lambda a: a @ a.T,
    "joined": lambda a: np.concatenate([a, a, np.ones((2, 1))], axis=1),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::wengert.errors.NonFiniteWarning")
@pytest.mark.parametrize("name", EMPTY)
def test_what_is_made_of_nothing_is_numpys(name):
    f, a = EMPTY[name], np.zeros((2, 0))
    value, back = wg.vjp(f, a)
    truth = f(a)
    np.testing.assert_array_equal(value, truth)
    assert (np.shape(value), np.asarray(value).dtype) == (np.shape(truth), np.asarray(truth).dtype)
    (g,) = back(np.ones(np.shape(truth)) if np.shape(truth) else 1.0)
    assert g.shape == (2, 0)


REFUSED = {
    "a convolution of matrices": (lambda x: np.convolve(x[:, None], x), ValueError),
    "a correlation of matrices": (lambda x: np.correlate(x[:, None], x), ValueError),
    "a correlation with a number": (lambda x: np.correlate(x[0], x), ValueError),
    "quantiles of complex numbers": (lambda x: np.quantile(x + 1j, 0.3), TypeError),
    "nanquantiles of complex numbers": (lambda x: np.nanquantile(x + 1j, 0.3), TypeError),
    "interpolation at complex places": (lambda x: np.interp(x + 1j, [0.0, 1.0], [1.0, 2.0]), TypeError),
    "lengths of complex numbers": (lambda x: np.hypot.reduce(x + 1j), TypeError),
    "lengths of complex parts": (lambda x: np.hypot.reduceat(x + 1j, [0, 1]), TypeError),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_refused(name):
    f, error = REFUSED[name]
    x = np.array([0.3, 0.5, 0.8])
    with pytest.raises(error):
        f(x)
    with pytest.raises(error):
        wg.vjp(f, x)


def test_reductions_of_ufuncs_leave_out_what_is_masked():
    x = np.array([[1.0, 2.0, 3.0], [0.5, 0.2, 0.1]])
    mask = np.array([[True, False, True], [True, True, False]])
    for ufunc in (np.hypot, np.logaddexp):

        def f(x, ufunc=ufunc):
            return np.sum(ufunc.reduce(x, axis=1, where=mask, initial=0.5))

        h = 1e-6 * np.eye(6).reshape(6, 2, 3)
        slopes = [(f(x + d) - f(x - d)) / 2e-6 for d in h]
        np.testing.assert_allclose(wg.grad(f)(x).ravel(), slopes, rtol=1e-7, atol=1e-8)


def test_a_transform_over_an_axis_that_is_named_twice_is_made_twice():
    x = np.array([0.3, 0.5, 0.8])

    def f(x):
        return np.fft.fftn(x, s=(2, 3), axes=(0, -1)).real @ np.array([1.0, 2.0])

    slopes = [(f(x + 1e-6 * d) - f(x - 1e-6 * d)) / 2e-6 for d in np.eye(3)]
    np.testing.assert_allclose(wg.grad(f)(x), slopes, rtol=1e-7, atol=1e-8)
