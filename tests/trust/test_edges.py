"""Edges: where kinks meet and functions jump, numbers are right or flagged, with the right class."""

import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
stack = lambda *xs: np.stack(xs)


def asked(f, x, level="repair", derivative=wg.grad, **policy):
    """The derivative, and the report."""
    with wg.trust.policy(**{"action": "record", **policy}), np.errstate(all="ignore"):
        g = derivative(f, trust=level)(x)
    return g, wg.last_report()


# function, point, one-sided derivatives
MEETING = {
    "maximum of a maximum": (lambda x: np.maximum(np.maximum(x, 2 * x), 3 * x), 0, 1, 3),
    "minimum of a minimum": (lambda x: np.minimum(np.minimum(x, 2 * x), 3 * x), 0, 3, 1),
    "maximum of a minimum": (lambda x: np.maximum(np.minimum(x, 2 * x), 3 * x), 0, 2, 3),
    "fmax of an fmax": (lambda x: np.fmax(np.fmax(x, 2 * x), 2 * x), 0, 1, 2),
    "a tie of three": (lambda x: np.max(stack(x, 2 * x, 2 * x)), 0, 1, 2),
    "a tie of four, with nans": (lambda x: np.nanmax(stack(x, 2 * x, 3 * x, 3 * x)), 0, 1, 3),
    "the least of a sorted three": (lambda x: np.sort(stack(x, 2 * x, 3 * x))[0], 0, 3, 1),
    "the middle of a sorted three": (lambda x: np.median(stack(x, 2 * x, -3 * x)), 0, 1, 1),
    "indexed by argmax": (lambda x: stack(x, 2 * x)[np.argmax(stack(x, 2 * x))], 0, 1, 2),
    "abs of relu": (lambda x: np.abs(np.maximum(x, 0)), 0, 0, 1),
    "abs of abs and more": (lambda x: np.abs(np.abs(x) + x), 0, 0, 2),
    "relu of relu and more": (lambda x: np.maximum(np.maximum(x, 0) + x, 0.0), 0, 0, 2),
    "clip of clip": (lambda x: np.clip(np.clip(x, 0, 1), 0, 2), 0, 0, 1),
    "maximum of a norm": (lambda x: np.maximum(np.linalg.norm(stack(x, x)), 3 * x), 0, -(2**0.5), 3),
    "a sign of itself": (lambda x: np.copysign(x, x), 0, 1, 1),
    "curves of curves": (lambda x: np.interp(np.interp(x, [0, 1, 3], [0, 2, 3]), [0, 2, 3], [0, 2, 2]), 1, 2, 0),
    "a step times its argument": (lambda x: np.floor(x) * x, 0, -1, 0),
    "a remainder times its argument": (lambda x: np.mod(x, 1.0) * x, 0, 1, 0),
    "a loop of maxima": (lambda x: wg.fori_loop(0, 3, lambda i, c: np.maximum(c, 2 * c), x), 0, 1, 8),
    "a while loop of maxima": (
        lambda x: wg.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, np.maximum(c[1], 2 * c[1])), (0, x))[1], 0, 1, 8),
    "maxima in a compiled function": (wg.jit(lambda x: np.maximum(np.maximum(x, 2 * x), 3 * x)), 0, 1, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", MEETING)
def test_where_kinks_meet_the_answer_is_the_mean_of_the_functions_own_limits(name):
    f, x, left, right = MEETING[name]
    want = (left + right) / 2
    plain, report = asked(f, float(x), "check")
    assert report.trusted == bool(abs(plain - want) < 1e-3)
    got, report = asked(f, float(x))
    assert got == pytest.approx(want)
    assert report.trusted
    assert report.components[0].cause in ("kink", "branch on equality")


@pytest.mark.parametrize("name", MEETING)
def test_the_policy_chooses_a_side(name):
    f, x, left, right = MEETING[name]
    assert asked(f, float(x), at_kink="left")[0] == pytest.approx(left)
    assert asked(f, float(x), at_kink="right")[0] == pytest.approx(right)


FORWARD = {
    "jvp": lambda f, trust: lambda x: wg.jvp(f, (x,), (1.0,), trust=trust)[1],
    "jacfwd": lambda f, trust: wg.jacfwd(f, trust=trust),
    "jacobian": lambda f, trust: wg.jacobian(f, trust=trust),
    "vjp": lambda f, trust: lambda x: wg.vjp(f, x, trust=trust)[1](1.0)[0],
}


@pytest.mark.parametrize("how", FORWARD)
@pytest.mark.parametrize(
    "name", ["maximum of a maximum", "clip of clip", "a tie of three", "a sign of itself"]
)
def test_every_derivative_sees_the_same_edges(name, how):
    f, x, left, right = MEETING[name]
    got, report = asked(f, np.float64(x), derivative=FORWARD[how])
    assert got == pytest.approx((left + right) / 2)
    assert report.trusted
    assert not asked(f, np.float64(x), "check", FORWARD[how])[1].trusted


@pytest.mark.parametrize("how", FORWARD)
def test_a_zero_that_meets_an_infinite_slope_is_settled_in_every_direction(how):
    f = lambda x: np.sum(np.sqrt(x) ** 2)
    assert asked(f, 0.0, derivative=FORWARD[how])[0] == 1
    assert not asked(f, 0.0, "check", FORWARD[how])[1].trusted


JUMPS = {
    "floor": (lambda x: np.floor(x) * x, 2.0),
    "ceil": (lambda x: np.ceil(x) * x, 2.0),
    "trunc": (lambda x: np.trunc(x) * x, 2.0),
    "fix": (lambda x: np.fix(x) * x, 3.0),
    "round": (lambda x: np.round(x) * x, 2.5),
    "round to digits": (lambda x: np.round(x, 1) + x, 0.25),
    "sign": (lambda x: np.sign(x) * (x + 1), 0.0),
    "sawtooth": (lambda x: x - np.floor(x), 3.0),
    "mod": (lambda x: np.mod(x, 1.0), 3.0),
    "fmod": (lambda x: np.fmod(x, 1.0), 3.0),
    "floor_divide": (lambda x: x // 2.0 * x, 4.0),
    "divmod": (lambda x: np.divmod(x, 2.0)[1], 4.0),
    "modf": (lambda x: np.modf(x)[0] + x, 3.0),
    "heaviside": (lambda x: np.heaviside(x, 0.5) * (x + 1), 0.0),
    "copysign": (lambda x: np.copysign(1.0, x) * (x + 1), 0.0),
    "where": (lambda x: np.where(x > 0, x + 1, x), 0.0),
    "a mask": (lambda x: (x > 0) * (x + 1), 0.0),
    "if": (lambda x: x + 1 if x > 0 else 2 * x, 0.0),
    "whole numbers": (lambda x: x * x.astype(int), 3.0),
    "searchsorted": (lambda x: np.array([1.0, 5, 9])[np.searchsorted(np.array([0.0, 1]), x)] * x, 1.0),
    "cond": (lambda x: wg.cond(x > 0, lambda t: t + 1, lambda t: 3 * t, x), 0.0),
    "in a loop": (lambda x: wg.fori_loop(0, 3, lambda i, c: c + np.floor(c), x), 1.0),
    "compiled": (wg.jit(lambda x: np.floor(x) * x), 2.0),
}  # fmt: skip


@pytest.mark.parametrize("level", ["check", "repair"])
@pytest.mark.parametrize("name", JUMPS)
def test_a_function_that_jumps_is_flagged(name, level):
    f, x = JUMPS[name]
    got, report = asked(f, np.float64(x), level)
    assert got == wg.grad(f)(np.float64(x))
    assert not report.trusted
    assert report.components[-1].cause == "jump"


SMOOTH = {
    "beside the step": (lambda x: np.floor(x) * x, 2.5, 2),
    "a step that does not jump": (lambda x: np.trunc(x) + x, 0.0, 1),
    "flat enough": (lambda x: np.sign(x) * x**2, 0.0, 0),
    "glued": (lambda x: np.where(x > 1, x**2, 2 * x - 1), 1.0, 2),
    "the same on both sides": (lambda x: np.where(x >= 0, x**2 + x, x), 0.0, 1),
    "a remainder at its middle": (lambda x: np.fmod(x, 3.0) + x, 0.0, 2),
    "cut and put together": (lambda x: np.maximum(x, 0) - np.maximum(-x, 0), 0.0, 1),
    "a cube of abs": (lambda x: np.abs(x) ** 3, 0.0, 0),
}


@pytest.mark.parametrize("level", ["check", "repair"])
@pytest.mark.parametrize("name", SMOOTH)
def test_an_edge_that_makes_no_difference_is_no_alarm(name, level):
    f, x, want = SMOOTH[name]
    got, report = asked(f, x, level)
    assert got == want
    assert report.trusted


def test_a_selection_follows_its_branch():
    for f, want in (
        (lambda x: np.where(x > 0, x, 3 * x), 3),
        (lambda x: x if x > 0 else 3 * x, 3),
        (lambda x: (x > 0) * x, 0),
    ):
        got, report = asked(f, 0.0)
        assert got == want
        assert report.trusted


def test_ties_of_several_numbers_keep_their_shares():
    got, report = asked(np.max, np.array([1.0, 1.0, 1.0, 0.0]))
    assert got == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert report.trusted
    got, _ = asked(
        lambda x: np.maximum(np.maximum(x[0], 2 * x[0]), 3 * x[0]) + x[1] ** 2, np.array([0.0, 1])
    )
    assert got.tolist() == [2, 2]  # (a tie of one number with itself)


def test_slopes_along_each_number_are_no_derivative():
    for f in (np.median, lambda x: np.quantile(x, 0.5), lambda x: np.sort(x)[1]):
        got, report = asked(f, np.ones(3))  # each alone moves nothing, all together do
        assert got.sum() == pytest.approx(1)
        assert report.trusted
        assert "kink" in [c.cause for c in report.components]


def test_only_the_elements_on_the_edge_are_flagged():
    x = np.array([1.0, 1.5, 2.5, 3.0, *[0.5] * 20])
    _, report = asked(lambda x: np.sum(np.floor(x) * x), x)
    assert np.flatnonzero(report.flagged[0]).tolist() == [0, 3]
    with wg.trust.policy(action="record"):
        got = wg.vmap(wg.grad(lambda x: np.floor(x) * x, trust="repair"))(np.array([0.0, 1, 2.5]))
    assert got[0] == -0.5
    assert wg.last_report().flagged[0].tolist() == [False, True, False]


def test_of_many_numbers_jumps_are_flagged_and_conventions_stand():
    _, report = asked(lambda x: np.sum(np.floor(x) * x), np.arange(1000.0), "check")
    assert report.flagged[0].all()
    got, report = asked(lambda x: np.sum(np.where(x > 0, x, 0)), np.zeros(1000))
    assert not got.any()
    assert report.trusted


def test_second_derivatives_at_kinks():
    assert not asked(np.abs, 0.0, derivative=wg.hessian)[1].trusted  # the slope jumps
    assert asked(lambda x: np.abs(x) ** 3, 0.0, derivative=wg.hessian)[0] == 0
    assert asked(lambda x: np.maximum(x, 0) ** 2, 0.0, derivative=wg.hessian)[0] == 1  # of 0 and 2


def test_edges_of_complex_functions_are_flagged():
    for f, z in (
        (lambda z: np.floor(z.real) * z.real, 2 + 0j),
        (lambda z: np.where(z.real > 0, 1 + z.real, z.real), 0j),
    ):
        _, report = asked(f, np.complex128(z))
        assert not report.trusted
        assert "complex" in report.components[0].cause


def test_loops_of_unknown_length_are_looked_at():
    f = lambda x: wg.while_loop(
        lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * c[1] - c[1]), (0, x)
    )[1]
    got, report = asked(f, 1e-9, "check")
    assert report.trusted
    assert got == wg.grad(f)(1e-9)
