"""Slopes that are right for the program, and not what its author meant: said, not changed."""

import numpy as np
import pytest

import wengert as wg


def flagged(f, x):
    with wg.trust.policy(action="record"):
        got = wg.grad(f, trust="repair")(x)
    report = wg.last_report()
    assert got == wg.grad(f)(x)
    return report.components[-1].cause if not report.trusted else ""


@pytest.mark.parametrize(
    ("f", "far", "near"),
    [
        (lambda x: x - x**3 / 6 + x**5 / 120, 2.0, 0.1),
        (lambda x: 3 * (1 + x + x**2 / 2 + x**3 / 6 + x**4 / 24), 3.0, 0.01),
        (lambda x: x - x * x / 2 + x * x * x / 3 - x**4 / 4, 0.9, 0.01),
        (lambda x: 1 - x**2 / 2 * (1 - x**2 / 12 * (1 - x**2 / 30)), 3.0, 0.1),
    ],
    ids=["sin", "exp", "log1p", "cos"],
)
def test_a_series_is_seen_where_it_has_left_its_function(f, far, near):
    assert flagged(f, far) == "truncated series"
    assert flagged(f, near) == ""


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1 + x + x**2 + x**3,
        lambda x: 1 + x + x**2 / 2,
        lambda x: x**5 - 3 * x**3 + x,
        lambda x: x - x**3 / 6 + x**5 / 100,
        lambda x: 2 * x,
    ],
    ids=["geometric", "quadratic", "quintic", "almost sin", "line"],
)
def test_other_polynomials_are_not_accused(f):
    assert flagged(f, 2.0) == ""


def test_steps_and_loops():
    assert flagged(lambda x: np.round(x * 1000) / 1000, 0.4565) == "integer-only path"

    def newton(x):
        y = 1.0 + 0.0 * x
        while np.abs(y * y - x) > 1e-3:
            y = 0.5 * (y + x / y)
        return y

    assert flagged(newton, 1.0) == "early loop exit"
