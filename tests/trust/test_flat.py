"""Slopes that are zero because numbers went through steps, or a loop ended: said, not believed."""

import numpy as np
import pytest

import wengert as wg


def newton(x):
    y = 2.0000001 + 0.0 * x
    while np.abs(y * y - x) > 1e-5:
        y = 0.5 * (y + x / y)
    return y


def until_small(x):
    y = 1.0 + 0.0 * x
    while y > x:
        y = y / 2
    return y


def breaking(x):
    y = 2.0 + 0.0 * x
    for _ in range(20):
        if abs(y * y - x) < 1e-3:
            break
        y = 0.5 * (y + x / y)
    return y


def returning(x):
    y = 2.0
    while True:
        if abs(y * y - x) < 1e-3:
            return y + 0 * x
        y = 0.5 * (y + x / y)


def structured(x):
    better = lambda y: 0.5 * (y + x / y)
    return wg.while_loop(lambda y: abs(y * y - x) > 1e-3, better, 2.0 + 0 * x)


def from_table(x):
    table = np.array([1.0, 4.0, 9.0, 16.0])
    return 2 * table[np.floor(x).astype(int)]


ZEROS = {
    "table": (from_table, 2.7, "integer-only path"),
    "rounding": (lambda x: np.round(x * 1000.0) / 1000.0, 0.4567, "integer-only path"),
    "floor": (lambda x: np.floor(x) ** 2, 2.5, "integer-only path"),
    "sign": (lambda x: 3 * np.sign(x), -1.0, "integer-only path"),
    "newton": (newton, 4.0, "early loop exit"),
    "halving": (until_small, 0.3, "early loop exit"),
    "break": (breaking, 4.0, "early loop exit"),
    "return": (returning, 4.0, "early loop exit"),
    "while_loop": (structured, 4.0, "early loop exit"),
}


@pytest.mark.parametrize("name", ZEROS)
@pytest.mark.parametrize("level", ["check", "repair"])
def test_a_slope_that_steps_or_loops_lost_is_flagged(name, level):
    f, x, cause = ZEROS[name]
    with wg.trust.policy(action="record"):
        assert wg.grad(f, trust=level)(x) == 0
    report = wg.last_report()
    assert report.flagged[0]
    assert cause in {c.cause for c in report.components}


def clipped(x):
    return x if x > 0 else 0.0 * x


def guarded(x):
    total = 0 * x
    for _ in range(3):
        if x < -1:
            break
        total = total + x * x
    return total


def counted(x):
    return wg.while_loop(lambda s: s[1] < 5, lambda s: (s[0] * x, s[1] + 1), (x * 1.0, 0))[0]


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (guarded, 0.0),
        (counted, 0.0),
        (clipped, -1.0),
        (lambda x: x - np.floor(x), 1.5),
        (lambda x: x * x, 0.0),
        (newton, 4.1),
    ],
)
def test_honest_slopes_are_not_flagged(f, x):
    with wg.trust.policy(action="record"):
        wg.grad(f, trust="check")(x)
    assert wg.last_report().trusted


def test_zeros_of_a_function_without_a_value_are_flagged():
    empty = lambda v: np.sum(np.where(v > 9, v, 0)) / np.sum(np.where(v > 9, 1.0, 0))
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        for level in ("check", "repair"):
            assert not wg.grad(empty, trust=level)(np.array([1.0, 2.0])).any()
            assert not wg.last_report().trusted
            assert {c.cause for c in wg.last_report().components} == {"domain edge"}
        wg.grad(lambda x: np.exp(1 / np.exp(x)), trust="check")(800.0)  # (computed 1, and flat)
        assert wg.last_report().trusted
        wg.grad(lambda x: 1 / np.exp(1 / np.exp(-x)), trust="check")(800.0)  # (inf on the way)
        assert wg.last_report().trusted
