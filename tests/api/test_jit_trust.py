"""Compiled derivatives that are not finite, or are to be looked at: said and mended as plain ones are."""

import warnings

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NonFiniteError, NonFiniteWarning
from wengert.trust import report


def distance(x):
    return np.sqrt(np.sum(x * x))


def unstable(x):
    return (1 - np.cos(x)) / x**2


@pytest.fixture(autouse=True)
def as_if_never_said():
    report.forget()


@pytest.mark.parametrize("shape", [(3,), (40,), (41,)])
def test_what_is_not_finite_is_reported_with_the_line(shape):
    f = wg.jit(wg.grad(distance))
    x = np.ones(shape)
    for _ in range(2):
        f(x)
    with pytest.warns(NonFiniteWarning, match="test_jit_trust.py"):
        assert np.isnan(f(np.zeros(shape))).all()
    np.testing.assert_allclose(f(x), x / np.sqrt(x.size))


def test_each_place_of_a_long_result_is_looked_at():
    f = wg.jit(wg.grad(lambda x: np.sum(np.sqrt(x))))
    f(np.ones(21)), f(np.ones(21))
    for n in range(21):
        report.forget()
        x = np.ones(21)
        x[n] = 0.0
        with pytest.warns(NonFiniteWarning):
            assert np.isinf(f(x)).tolist() == (x == 0).tolist()


def test_values_are_nobodys_business():
    f = wg.jit(lambda x: 1 / x)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NonFiniteWarning)
        assert np.isinf(f(np.zeros(3))).all()
        quiet = wg.jit(wg.grad(distance, trust="off"))
        assert np.isnan(quiet(np.zeros(3))).all()


def test_anomalies_are_errors_there_too():
    f = wg.jit(wg.grad(distance))
    f(np.ones(3))
    with wg.detect_anomaly(), pytest.raises(NonFiniteError):
        f(np.zeros(3))


def test_the_strongest_wish_inside_counts():
    inner = wg.jit(wg.grad(distance))
    outer = wg.jit(lambda x: inner(x) * 2)
    outer(np.ones(3)), outer(np.ones(3))
    with pytest.warns(NonFiniteWarning):
        outer(np.zeros(3))
