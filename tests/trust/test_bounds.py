"""Error bounds of whole programs and their gradients: they enclose the truth, and they are not vacuous."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import special
from tests.laws.programs import PROGRAMS
from tests.strategies import points, programs

import wengert as wg
from wengert.ir.evaluate import evaluate
from wengert.trust.detect import detect

WILD = {"complex in between"}  # complex powers are bounded by slopes alone


def single(args):
    return tuple(np.asarray(a, np.float32)[()] for a in args)


def double(args):
    return tuple(np.asarray(a, np.float64)[()] for a in args)


def enclosed(value, bound, truth):
    off = np.abs(np.asarray(value, float) - np.asarray(truth, float))
    return bool(np.all(off <= np.asarray(bound, float) + 1e-12 * np.abs(truth)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_single_precision_is_within_its_bound_of_double_precision(name):
    f, args = PROGRAMS[name]
    numbers = tuple(range(len(args)))
    for g in (f, wg.grad(f, numbers)):
        value, bound = wg.error_bound(g)(*single(args))
        exact = g(*double(single(args)))
        for v, b, t in zip(*map(wg_leaves, (value, bound, exact)), strict=True):
            assert enclosed(v, b, t), (v, b, t)


def wg_leaves(x):
    return list(x) if isinstance(x, tuple) else [x]


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in WILD])
def test_bounds_of_well_conditioned_programs_are_tight(name):
    f, args = PROGRAMS[name]
    value, bound = wg.error_bound(wg.grad(f, tuple(range(len(args)))))(*double(args))
    for v, b in zip(value, bound, strict=True):
        assert np.all(b <= 1e-11 * (1 + np.max(np.abs(v))))


@settings(max_examples=30)
@given(f=programs, x=points)
def test_random_programs_are_within_their_bounds(f, x):
    point = x.astype(np.float32)
    for g in (f, wg.grad(f)):
        value, bound = wg.error_bound(g)(point)
        (exact,) = evaluate(wg.program(g)(point), [point.astype(np.float64)])  # the same constants
        assert enclosed(value, bound, exact)
        assert np.all(np.isfinite(bound))


# functions of one number with a derivative that loses digits, and the same in mpmath
LOSSES = {
    "third order": (lambda x: ((1 + x) - 1) ** 3, lambda x: 3 * x**2, 1e-17),
    "versine": (
        lambda x: (1 - np.cos(x)) / x**2,
        lambda x: mpmath.sin(x) / x**2 - 2 * (1 - mpmath.cos(x)) / x**3,
        1e-8,
    ),
    "difference of roots": (
        lambda x: np.sqrt(x + 1) - np.sqrt(x),
        lambda x: (1 / mpmath.sqrt(x + 1) - 1 / mpmath.sqrt(x)) / 2,
        1e14,
    ),
    "exponential": (
        lambda x: (np.exp(x) - 1) / x,
        lambda x: mpmath.exp(x) / x - mpmath.expm1(x) / x**2,
        1e-7,
    ),
    "logarithms": (
        lambda x: np.log(x + 1) - np.log(x),
        lambda x: 1 / (mpmath.mpf(x) + 1) - 1 / mpmath.mpf(x),
        1e9,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_truth_lies_within_where_digits_are_lost(name):
    f, slope, x = LOSSES[name]
    value, bound = wg.error_bound(wg.grad(f))(x)
    with mpmath.workdps(60):
        off = abs(mpmath.mpf(float(value)) - slope(mpmath.mpf(x)))
        assert off <= mpmath.mpf(float(bound))
        assert off > abs(slope(mpmath.mpf(x))) * 1e-10  # (there is something to find)


def test_a_doubtful_decision_makes_everything_doubtful():
    def f(x):
        y = x / 3 * 3 + (x - x * 0.1 * 10)  # x, or next to it
        return x if y > 1 else x * x

    assert wg.error_bound(f)(1.0).bound == np.inf
    assert wg.error_bound(f)(2.0).bound < 1e-12


def test_a_comparison_of_what_is_exact_is_not_in_doubt():
    value, bound = wg.error_bound(wg.grad(lambda x: np.sum(np.maximum(x, 0))))(np.array([0.0, 1]))
    assert value.tolist() == [0.5, 1]
    assert bound.tolist() == [0, 0]


def loop(x):
    state, steps = wg.scan(lambda c, t: (np.sin(c) * x + t, c * c), x, np.arange(4, dtype=x.dtype))
    return state + np.sum(steps)


def halving(x):
    return wg.while_loop(lambda c: c > 0.3, lambda c: c / 2 * np.cos(x), 5 * x)


def branching(x):
    return wg.cond(x > 0.5, np.exp, lambda x: x * x, x)


FLOWS = {
    "scan": loop,
    "while_loop": halving,
    "cond": branching,
    "checkpoint": wg.checkpoint(lambda x: np.sin(x) * x),
    "vmap": lambda x: np.sum(wg.vmap(lambda t: np.cos(t) * x)(x * np.arange(3, dtype=x.dtype))),
}


@pytest.mark.parametrize("name", FLOWS)
def test_control_flow_carries_radii(name):
    f, point = FLOWS[name], np.float32(0.7)
    for g in (f, wg.grad(f)):
        value, bound = wg.error_bound(g)(point)
        assert enclosed(value, bound, g(np.float64(point)))
        assert 0 < bound < 1e-4


def test_the_end_of_a_loop_may_be_in_doubt():
    def f(x):
        return wg.while_loop(lambda c: c < 1, lambda c: c + x * (0.1 * 10 / 10), 0 * x)

    assert wg.error_bound(f)(0.1).bound == np.inf
    assert wg.error_bound(f)(0.3).bound < 1e-14


def test_in_a_batch_each_example_has_its_own_bound():
    f = wg.grad(lambda x: (1 - np.cos(x)) / x**2)
    x = np.array([1.0, 1e-4, 1e-8])
    value, bound = wg.vmap(lambda x: tuple(wg.error_bound(f)(x)))(x)
    for k in range(3):
        alone = wg.error_bound(f)(x[k])
        assert value[k] == alone.value
        assert bound[k] == pytest.approx(alone.bound, rel=0.5)


def test_linear_algebra_is_as_good_as_its_condition():
    draw = np.random.default_rng(0)
    good, hilbert = (
        draw.standard_normal((6, 6)) + 6 * np.eye(6),
        1 / (np.arange(6)[:, None] + np.arange(6) + 1),
    )
    f = wg.grad(lambda a: np.sum(np.linalg.solve(a, np.ones(6))))
    for a, low, high in ((good, 0, 1e-12), (hilbert, 1e-9, 1e-1)):
        value, bound = wg.error_bound(f)(a)
        relative = np.max(bound) / np.max(np.abs(value))
        assert low <= relative < high


TOLERANCE = 1e-3


def found(f, x):
    """What is detected of the gradient of f at an array of points."""
    gradient = wg.grad(lambda x: np.sum(f(x)), trust="off")
    with np.errstate(over="ignore"):
        program = wg.program(gradient)(x)
        return detect(program, [x], [gradient(x)], lambda dtype: TOLERANCE)


def test_what_is_wrong_is_suspect_and_what_is_right_is_not():
    x = np.array([1.0, 1e-2, 1e-8])
    seen = found(lambda x: (1 - np.cos(x)) / x**2, x)
    assert seen.suspect[0].tolist() == [False, False, True]
    assert seen.bounds[0][0] < 1e-12


def test_lost_exponents_are_no_lost_digits():
    """x² overflows on its way to a root: the gradient is right all the same, or the wider format knows it."""
    x = np.array([1e-200, 1.0, 1e200])
    seen = found(lambda x: np.exp(-x * x), x)
    assert not seen.suspect[0].any()
    deep = found(lambda x: np.sqrt(x * x), x)
    assert np.all(~deep.suspect[0] | (deep.settled[0] == 1))


def test_what_overflows_is_suspect():
    seen = found(lambda x: np.log(1 + np.exp(x)), np.array([1.0, 1000.0]))
    assert seen.suspect[0].tolist() == [False, True]


def test_an_argument_without_a_slope_bounds_nothing_and_is_no_error():
    assert wg.error_bound(lambda x: special.jv((1 + x) - 1, 2.0 * x))(0.3).bound == np.inf
    assert wg.error_bound(lambda x: special.jv(1.5, np.exp(x)))(0.3).bound < 1e-12


def test_orders_stay_exact_in_the_wider_format():
    f = lambda x: special.j1(x) / x
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        got = wg.vmap(wg.grad(f, trust="repair"))(np.array([1.0, 1e-10, 0.0]))
    assert got == pytest.approx([-special.jv(2, 1.0), -1.25e-11, 0.0], rel=1e-9)
    assert wg.last_report().trusted
