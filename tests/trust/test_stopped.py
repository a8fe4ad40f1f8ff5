"""Zeros that stop infinite slopes: told where they are the function's own, not where a branch was left out."""

import warnings

import numpy as np
import pytest

import wengert as wg
from wengert.errors import TrustWarning
from wengert.trust import report

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def root_squared(x):
    return np.sum(np.sqrt(x) ** 2)


def of_tape():
    x = wg.Variable(0.0)
    with wg.GradientTape() as tape:
        y = root_squared(x)
    return tape.gradient(y, x)


REVERSE = {
    "grad": lambda: wg.grad(root_squared)(0.0),
    "value_and_grad": lambda: wg.value_and_grad(root_squared)(0.0)[1],
    "vjp": lambda: wg.vjp(root_squared, 0.0)[1](1.0)[0],
    "jacrev": lambda: wg.jacrev(root_squared)(0.0),
    "tape": of_tape,
}


@pytest.mark.parametrize("how", REVERSE)
def test_a_zero_of_the_function_that_stops_an_infinite_slope_is_told(how):
    report.forget()
    with pytest.warns(
        TrustWarning, match=r"stopped the infinite slope of `sqrt` \(test_stopped.py"
    ):
        assert REVERSE[how]() == 0


def test_it_is_told_once_per_place_and_not_at_all_when_nobody_asks():
    report.forget()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            wg.grad(root_squared)(0.0)
        wg.grad(root_squared, trust="off")(0.0)
    assert len(told) == 1


SILENT = {
    "a root": lambda x: np.where(x > 0, np.sqrt(x), 0.0),
    "a root beside zero times x": lambda x: np.where(x > 0, np.sqrt(x), 0 * x),
    "a logarithm": lambda x: np.where(x > 0, x * np.log(x), 0.0),
    "a norm": lambda x: np.linalg.norm(np.stack([x, x])),
    "a root twice selected": lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0.0),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_a_selection_leaves_out_is_no_alarm(name):
    report.forget()
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrustWarning)
        assert wg.grad(SILENT[name])(0.0) == 0


TOLD = {
    "cubed cube root": lambda x: np.cbrt(x) ** 3,
    "zero times": lambda x: 0 * np.sqrt(x),
    "a mask": lambda x: (x > 0) * np.sqrt(x),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told(name):
    report.forget()
    with pytest.warns(TrustWarning, match="stopped the infinite slope"):
        assert wg.grad(TOLD[name])(0.0) == 0
