"""Activations: their values and slopes, also far out."""

import math

import numpy as np
import pytest
from scipy.special import erf, expit, log_softmax, softmax

import wengert as wg

FAR = np.array([-1000.0, -745.0, -100.0, -30.0, -1.0, 0.0, 1e-8, 1.0, 30.0, 100.0, 800.0])
TRUTH = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": expit,
    "tanh": np.tanh,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "elu": lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)),
    "gelu": lambda x: np.where(x < -20, 0, 0.5 * x * (1 + erf(x / math.sqrt(2)))),
}
SLOPES = {
    "linear": np.ones_like,
    "relu": lambda x: np.where(x == 0, 0.5, x > 0),
    "sigmoid": lambda x: expit(x) * expit(-x),
    "tanh": lambda x: np.where(np.abs(x) > 300, 0, 1 / np.cosh(np.clip(x, -300, 300)) ** 2),
    "softplus": expit,
    "elu": lambda x: np.exp(np.minimum(x, 0)),
    "gelu": lambda x: np.where(
        x < -20,
        0,
        0.5 * (1 + erf(x / math.sqrt(2)))
        + x * np.exp(-np.minimum(x * x, 1400) / 2) / math.sqrt(2 * math.pi),
    ),
}


@pytest.mark.parametrize("name", TRUTH)
def test_values_and_slopes_are_right_and_finite_far_out(name):
    f = wg.nn.activations.get(name)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = f(FAR)
        slope = wg.grad(lambda x: np.sum(f(x)))(FAR)
    np.testing.assert_allclose(y, TRUTH[name](FAR), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope, SLOPES[name](FAR), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [*TRUTH, "softmax", "log_softmax"])
def test_float32_stays_float32(name):
    f = wg.nn.activations.get(name)
    x = np.linspace(-2, 2, 7, dtype=np.float32)
    assert f(x).dtype == np.float32
    assert wg.grad(lambda x: np.sum(f(x)))(x).dtype == np.float32


def test_gelu_by_tanh_is_near_gelu():
    x = np.linspace(-4, 4, 50)
    np.testing.assert_allclose(
        wg.nn.activations.gelu(x, approximate=True), wg.nn.activations.gelu(x), atol=5e-4
    )


def test_softmax_and_its_logarithm_agree_with_scipys():
    x = np.random.default_rng(0).normal(size=(4, 5)) * 100
    np.testing.assert_allclose(
        wg.nn.activations.softmax(x), softmax(x, axis=-1), rtol=1e-12, atol=1e-300
    )
    np.testing.assert_allclose(
        wg.nn.activations.log_softmax(x, axis=0), log_softmax(x, axis=0), rtol=1e-12
    )


def test_the_jacobian_of_softmax_is_diag_p_minus_p_p():
    x = np.array([0.3, -1.0, 2.0])
    p = softmax(x)
    np.testing.assert_allclose(
        wg.jacobian(wg.nn.activations.softmax)(x), np.diag(p) - np.outer(p, p), atol=1e-15
    )


def test_none_is_linear_and_a_function_stays_itself():
    assert wg.nn.activations.get(None) is wg.nn.activations.linear
    assert wg.nn.activations.get(np.sin) is np.sin
