"""A report's advice: what to write instead, tried when it is asked for, with the user's own names."""

import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def versine(t):
    return (1 - np.cos(t)) / t**2


def report_of(derivative, *args):
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        derivative(*args)
    return wg.last_report()


@pytest.mark.parametrize("level", ["check", "repair"])
def test_the_advice_can_be_pasted_and_holds(level):
    advice = report_of(wg.grad(versine, trust=level), 1e-8).advice()
    place, before, after = advice.steps[0]
    assert place.startswith("test_instead.py:")
    assert before == "(1 - np.cos(t)) / t**2"
    better = eval(f"lambda t: {after}", {"np": np})
    assert wg.grad(better)(1e-8) == pytest.approx(-1e-8 / 12)
    assert "checked with balls" in str(advice)


@pytest.mark.parametrize(
    "derivative",
    [
        wg.vmap(wg.grad(versine, trust="repair")),
        wg.jit(wg.vmap(wg.grad(versine, trust="repair"))),
    ],
)
def test_batches_and_compiled_functions_have_it_too(derivative):
    assert "np.sinc" in str(report_of(derivative, np.array([1.0, 1e-8])).advice())


def test_without_a_row_that_helps_or_a_wrong_number_there_is_none():
    assert report_of(wg.grad(lambda x: x - np.sin(x), trust="repair"), 1e-9).advice() is None
    assert report_of(wg.grad(versine, trust="repair"), 1.0).advice() is None


def test_the_calls_of_large_arrays_are_not_kept():
    f = lambda x: np.sum(versine(x))
    report = report_of(wg.grad(f, trust="repair"), np.full(1000, 1e-8))
    assert report.count(report.repaired) == 1000
    assert report.advice() is None
