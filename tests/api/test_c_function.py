"""Compiled functions called from C: by ctypes and by SciPy."""

import ctypes
import gc

import numpy as np
import pytest
from scipy import integrate, ndimage

import wengert as wg
from wengert.errors import InputError

pytest.importorskip("llvmlite")

X = np.linspace(-1.0, 2.0, 10)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def pointers(*arrays):
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))


def test_by_its_address():
    f = wg.jit(wg.value_and_grad(rosenbrock))
    with pytest.raises(InputError, match="has not been called"):
        f.address  # noqa: B018
    f(X)
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(f.address)
    value, slope = np.empty(()), np.empty(10)
    assert call(pointers(X), pointers(value, slope)) == 0
    wanted = wg.value_and_grad(rosenbrock)(X)
    np.testing.assert_allclose(value, wanted[0])
    np.testing.assert_allclose(slope, wanted[1])


def test_captured_arrays_and_workspace():
    a = np.random.default_rng(0).normal(size=(30, 30))
    made = wg.jit(lambda x: np.sort(a @ np.sin(x)) @ a).c_function(np.ones(30))
    call = made.ctypes()
    del made
    gc.collect()
    x, y = np.linspace(0, 1, 30), np.empty(30)
    assert call(pointers(x), pointers(y)) == 0
    np.testing.assert_allclose(y, np.sort(a @ np.sin(x)) @ a)


def test_scipy_integrates_it():
    slope = wg.jit(wg.grad(lambda x: np.sin(x) * x)).c_function(1.0, signature="double (double)")
    got = integrate.quad(slope.low_level_callable(), 0.0, 2.0)[0]
    assert abs(got - 2 * np.sin(2.0)) < 1e-12
    plane = wg.jit(lambda x, y: x * y**2)
    made = plane.c_function(1.0, 1.0, signature="double (int, double *)")
    got = integrate.nquad(made.low_level_callable(), [(0, 1), (0, 3)])[0]
    assert abs(got - 4.5) < 1e-12


def test_scipy_filters_with_it():
    class Filter:
        made = wg.jit(lambda x: np.sum(x * x)).c_function(
            np.ones(3), signature="double (int, double *, void *)"
        )

    call = Filter.made.ctypes()
    x = np.array([1.0, 2.0, 3.0])
    assert call(3, x.ctypes.data_as(ctypes.POINTER(ctypes.c_double)), None) == 14.0
    assert ndimage.generic_filter(X, lambda w: w @ w, 3).shape == X.shape


def test_failures_are_nan_or_a_status():
    i = wg.jit(lambda x, k: x[k.astype(int)][0])
    made = i.c_function(X, np.array([50.0]))
    assert made.ctypes()(pointers(X, np.array([500.0])), pointers(np.empty(()))) != 0


@pytest.mark.parametrize("signature", ["double (double)", "double (int, double *)", "char (char)"])
def test_signatures_that_do_not_fit_are_refused(signature):
    with pytest.raises(InputError, match="does not say"):
        wg.jit(lambda x: x * 2).c_function(X, signature=signature)
