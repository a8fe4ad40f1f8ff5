"""The quick walk backwards: products first, zeros stopped only if a nan was born."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NonFiniteWarning, NotDifferentiableError
from wengert.ops.families import Elementwise, along

# these zeros are meant to stop, so nobody need be told
pytestmark = pytest.mark.filterwarnings("ignore:.*a zero has stopped:wengert.errors.TrustWarning")


def stopped(inner):
    """0 · sqrt(inner(x)) at inner = 0: the zero stops before the infinite slope."""
    return lambda x: np.sum(0 * np.sqrt(inner(x))) + np.sum(x)


def test_a_zero_stops_at_an_infinite_slope_in_the_quick_walk():
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(wg.grad(stopped(lambda x: x))(x), [1.0, 1.0])
    np.testing.assert_array_equal(wg.grad(stopped(lambda x: x))(x.astype(np.float32)), [1.0, 1.0])
    assert wg.grad(stopped(lambda x: x))(0.0) == 1.0


@pytest.mark.eager
def test_a_rule_that_looks_at_numbers_never_sees_a_nan_of_a_stopped_zero():
    seen = []

    @wg.custom_vjp
    def same(x):
        return 1 * x

    def back(x, g):
        seen.append(g)
        return (np.where(np.isnan(g), 7.0, g),)

    same.defvjp(lambda x: (1 * x, x), back)

    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(wg.grad(stopped(same), trust="off")(x), [1.0, 1.0])
    assert seen
    assert not any(np.isnan(g).any() for g in seen)


def test_a_rule_that_cannot_bear_a_nan_gets_none():
    def exact(g, y, x):
        if np.isnan(g).any():
            raise ValueError("a nan")
        return g

    bearing = Elementwise(np.positive, along(exact), name="bearing")
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(wg.grad(stopped(bearing))(x), [1.0, 1.0])


def test_an_error_of_a_rule_comes_once_and_as_it_is():
    calls = []

    def broken(g, y, x):
        calls.append(g)
        raise ValueError("the rule's own")

    with pytest.raises(ValueError, match="the rule's own"):
        wg.grad(lambda x: np.sum(Elementwise(np.positive, along(broken), name="broken")(x)))(1.0)
    assert len(calls) == 1


def test_a_nan_that_is_there_stays():
    with pytest.warns(NonFiniteWarning), np.errstate(invalid="ignore"):
        g = wg.grad(lambda x: np.sum(np.sqrt(x)))(np.array([-1.0, 4.0]))
    np.testing.assert_array_equal(g, [np.nan, 0.25])


@pytest.mark.eager
def test_slopes_that_are_made_on_the_way_give_their_memory_and_nothing_else_does():
    x = np.linspace(0.1, 1.0, 5000)
    kept = {}

    def f(x):
        kept["y"] = np.exp(x)
        return np.sum(kept["y"] * np.tanh(x) * x)

    first = wg.grad(f)(x)
    y, t = np.exp(x), np.tanh(x)
    np.testing.assert_allclose(first, y * t * x + y * (1 - t * t) * x + y * t, rtol=1e-13)
    _, back = wg.vjp(f, x)
    np.testing.assert_array_equal(back(1.0)[0], back(1.0)[0])
    np.testing.assert_array_equal(back(1.0)[0], first)
    np.testing.assert_array_equal(x, np.linspace(0.1, 1.0, 5000))


def test_large_numbers_raise_no_alarm_where_the_user_wants_one():
    x = np.array([1e-200, 2e-200])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(wg.grad(lambda x: np.sum(1e200 * x))(x), [1e200, 1e200])


def test_an_error_about_a_nan_of_a_stopped_zero_is_none():
    def exact(g, y, x):
        if np.isnan(g).any() or (g != 0).any():
            raise NotDifferentiableError("a cotangent that is not zero", "have none")
        return g

    strict = Elementwise(np.positive, along(exact), name="strict")
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(wg.grad(stopped(strict))(x), [1.0, 1.0])


def test_sums_of_cotangents_are_written_only_where_nobody_else_looks():
    x, y, g = np.linspace(0.1, 1.0, 5000), np.linspace(1.0, 2.0, 5000), np.full(5000, 2.0)
    _, back = wg.vjp(lambda x, y: (x + y, x * y, x + x), x, y)
    for _ in range(2):
        dx, dy = back((g, g, g))
        np.testing.assert_allclose(dx, 2 + 2 * y + 4)
        np.testing.assert_allclose(dy, 2 + 2 * x)
        np.testing.assert_array_equal(g, 2.0)
        assert not np.shares_memory(dx, dy)


@pytest.mark.parametrize("rows", [3, 300, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_that_was_repeated_gets_the_sum_of_the_rows(rows, dtype):
    g = np.random.default_rng(rows).normal(size=(rows, 7)).astype(dtype)
    for weights in (g, np.asfortranarray(g)):
        gradient = wg.grad(lambda b, w: np.sum(w * (np.zeros_like(w) + b)))
        found = gradient(np.zeros(7, dtype), weights)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, g.sum(0, dtype=float), rtol=1e-4, atol=1e-4)


def test_slopes_of_extremes_are_shared_among_ties_and_go_to_nans():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0], [np.nan, 5.0, np.nan]])
    weights = np.array([2.0, 4.0, 8.0])
    slope = wg.grad(lambda x: weights @ np.max(x, axis=1), trust="off")
    np.testing.assert_array_equal(slope(x), [[0, 1, 1], [4, 0, 0], [4, 0, 4]])
    np.testing.assert_array_equal(
        wg.grad(lambda x: weights[:2] @ np.max(x, axis=1))(x[1::-1]), [[2, 0, 0], [0, 2, 2]]
    )
    # as many equal elements as rows: a tie in one row, a nan in the other
    both = np.array([[3.0, 3.0], [np.nan, 1.0]])
    found = wg.grad(lambda x: np.sum(np.max(x, axis=1)), trust="off")(both)
    np.testing.assert_array_equal(found, [[0.5, 0.5], [1, 0]])


@pytest.mark.parametrize("at", [np.s_[1:], np.s_[:-1], np.s_[1:3, :2], np.s_[::2], np.s_[3:1], np.s_[0], np.s_[1:, 1]])  # fmt: skip
def test_parts_go_back_to_their_places_at_second_order(at):
    x = np.arange(1.0, 13.0).reshape(4, 3)
    part = np.zeros_like(x)
    part[at] = 1

    def f(x):
        return np.sum(x[at] ** 3) + np.sum(x[at] ** 2)

    twice = wg.grad(lambda x: np.sum(wg.grad(f)(x) * x))(x)
    np.testing.assert_allclose(twice, part * (9 * x**2 + 4 * x))


def test_a_large_finite_gradient_whose_squares_overflow_is_no_alarm(recwarn):
    g = np.full(5000, 1e200)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(wg.grad(lambda x: np.sum(g * x))(np.ones(5000)), g)
    assert not recwarn


def test_a_nan_of_a_second_derivative_is_told_from_the_line_of_the_function():
    def f(x):
        y = 2 * x
        return np.sum(y ** 1.5)  # fmt: skip

    with pytest.warns(NonFiniteWarning, match=r"y \*\* 1\.5"):
        wg.grad(lambda x: np.sum(wg.grad(f)(x)))(np.array([1.0, 0.0]))


def test_no_primitive_is_asked_quickly_that_must_be_asked_with_care():
    from wengert.ops import PRIMITIVES

    for prim in PRIMITIVES.values():
        if prim.careful is not None:
            slow = [prim.settles, prim.overwrites, prim.collects, prim.looks]
            assert not any(slow), prim.name


def test_a_zero_stops_an_infinite_slope_of_single_numbers_that_a_selection_made():
    def f(x, y):
        return np.where(y > 3, x, np.where(x > 0.1, 1 / x, np.arccos(y)) * x)

    for kind in (np.float64, np.float32):
        with np.errstate(all="ignore"):
            assert wg.grad(f, (0, 1), trust="off")(kind(0.0), kind(4.0)) == (1, 0)
