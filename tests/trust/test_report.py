"""trust="report": a wrong number in a result is explained once per place, and nothing else is said."""

import threading
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as wg
from wengert.errors import InputError, NonFiniteError, NonFiniteWarning
from wengert.ops.pulling import has_nan
from wengert.trust import report

HERE = "test_report.py"


@pytest.fixture(autouse=True)
def quiet():
    """NumPy's own warnings are not the subject; every test hears ours anew."""
    report.forget()
    with np.errstate(all="ignore"):
        yield


def line_of(function, offset):
    return f"{HERE}:{function.__code__.co_firstlineno + offset}"


def said(call):
    """The text of the one warning of a call."""
    with pytest.warns(NonFiniteWarning) as seen:
        call()
    assert len(seen) == 1
    assert seen[0].filename == __file__
    return str(seen[0].message)


# ---- births --------------------------------------------------------------------------------------------


def norm(x):
    squares = np.sum(x * x)
    return np.sqrt(squares)


def softplus(x):
    e = np.exp(x)
    return np.log(1 + e) / e


def ratio(x):
    return np.sum(x / (x - x))


def inverse(x):
    return np.sum(1 / x)


def logarithm(x):
    return np.sum(np.log(x))


def root(x):
    return np.sum(np.sqrt(x))


def arc(x):
    return np.sum(np.arcsin(x))


def steep(x):
    return 1e200 * (1e200 * (x - 1.0))


ZEROS = np.zeros(3)
BIRTHS = [
    (
        norm,
        ZEROS,
        "derivative",
        "sqrt",
        2,
        ["sqrt(0)", "the slope is infinite", "0·inf = nan", line_of(norm, 1)],
    ),
    (softplus, 1000.0, "value", "exp", 1, ["exp(1000) = inf", "overflow"]),
    (ratio, np.array([0.0, 1.0]), "value", "div", 1, ["0 / 0 = nan at [0]: 0/0"]),
    (inverse, np.array([2.0, 0.0]), "value", "div", 1, ["1 / 0 = inf at [1]: division by zero"]),
    (logarithm, np.array([1.0, 0.0]), "value", "log", 1, ["log(0) = -inf at [1]: the edge"]),
    (logarithm, np.array([-1.0, 1.0]), "value", "log", 1, ["log(-1) = nan at [0]: outside"]),
    (
        root,
        np.array([4.0, 0.0]),
        "derivative",
        "sqrt",
        1,
        ["sqrt(0) at [1]: the slope is infinite", "cotangent 1 became inf"],
    ),
    (arc, np.array([0.0, 2.0]), "value", "arcsin", 1, ["arcsin(2) = nan at [1]: outside"]),
    (
        steep,
        1.0,
        "derivative",
        "mul",
        1,
        ["overflow: the product of the chain", "cotangent 1e+200 became inf"],
    ),
]


@pytest.mark.parametrize(
    ("f", "at", "phase", "name", "line", "parts"),
    BIRTHS,
    ids=[f"{b[0].__name__}-{n}" for n, b in enumerate(BIRTHS)],
)
def test_the_birth_is_named_with_its_line_its_numbers_and_its_kind(f, at, phase, name, line, parts):
    text = said(lambda: wg.value_and_grad(f)(at))
    source = line_of(f, line)
    assert f"Born in the {phase} of `{name}` at {source}:  " in text
    assert (
        text.split(f"{source}:  ")[1].split("\n")[0] in Path(__file__).read_text()
    )  # the source text itself
    for part in parts:
        assert part in text


def test_a_nan_that_came_in_is_not_blamed_on_an_equation():
    assert "came in with an argument, which holds nan at [1]" in said(
        lambda: wg.grad(lambda x: np.sum(x * x))(np.array([1.0, np.nan]))
    )
    outside = np.array([np.inf, 1.0])
    assert "an array from outside, which holds inf at [0]" in said(
        lambda: wg.grad(lambda x: np.sum(x * outside))(np.ones(2))
    )
    _, back = wg.vjp(lambda x: x * x, 2.0)
    assert "came in with the cotangent" in said(lambda: back(np.nan))


def test_cotangents_that_overflow_in_their_sum():
    def f(x):
        a = 1.5e308 * x
        b = 1.5e308 * x
        return a - 1e308 + b

    text = said(lambda: wg.grad(f)(0.5))
    assert "the cotangents that meet at its argument are finite, their sum is inf" in text


def test_the_numbers_do_not_change():
    for f, at, *_ in BIRTHS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loud = wg.value_and_grad(f)(at)
        silent = wg.value_and_grad(f, trust="off")(at)
        for a, b in zip(loud, silent, strict=True):
            np.testing.assert_array_equal(a, b)


# ---- every way of asking ----------------------------------------------------------------------------------


def test_forward_mode_explains_itself():
    text = said(lambda: wg.jvp(root, (np.array([0.0, 1.0]),), (np.ones(2),)))
    assert text.startswith("jvp holds 1 inf")
    assert f"Born in the derivative of `sqrt` at {line_of(root, 1)}" in text
    assert "its tangent 1 became inf" in text


@pytest.mark.parametrize("mode", [wg.jacfwd, wg.jacrev, wg.jacobian])
def test_jacobians_explain_the_first_wrong_entry(mode):
    def roots(x):
        return np.sqrt(x) * 3.0

    text = said(lambda: mode(roots)(np.array([1.0, 0.0])))
    assert "sqrt(0) at [1]: the slope is infinite" in text


def test_the_outermost_call_explains_second_derivatives():
    def f(x):
        return np.sum(x**1.5)

    text = said(lambda: wg.hessian(f)(np.array([0.0, 1.0])))
    assert line_of(f, 1) in text
    assert text.startswith("jacobian")
    assert "grad(" in said(lambda: wg.grad(wg.grad(lambda x: x**1.5))(0.0))


def test_vjp_and_linearize_explain_themselves():
    _, back = wg.vjp(root, np.array([0.0, 1.0]))
    assert "sqrt(0) at [0]" in said(lambda: back(1.0))
    _, slope = wg.linearize(root, np.array([0.0, 1.0]))
    assert "sqrt(0) at [0]" in said(lambda: slope(np.ones(2)))
    assert "log(0) = -inf" in said(lambda: wg.vjp(np.log, 0.0))
    assert "log(0) = -inf" in said(lambda: wg.linearize(np.log, 0.0))


def test_a_level_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="trust='loud' is none of 'off', 'report'"):
        wg.grad(root, trust="loud")


# ---- silence -------------------------------------------------------------------------------------------


def test_off_says_nothing():
    assert np.isinf(wg.grad(root, trust="off")(ZEROS)).all()
    assert np.isinf(wg.jvp(np.sqrt, (0.0,), (1.0,), trust="off")[1])


def test_a_place_is_told_once():
    with pytest.warns(NonFiniteWarning) as seen:
        gradients = [wg.grad(root)(ZEROS) for _ in range(3)]
    assert (len(gradients), len(seen)) == (3, 1)
    assert "sqrt(0)" in said(lambda: wg.grad(root)(ZEROS))  # another place


@given(x=st.floats(-10, -1e-3) | st.just(0.0) | st.floats(1e-3, 10))
def test_numbers_that_do_not_reach_the_result_are_no_alarm(x):
    def f(x):
        safe = np.where(x > 0, np.log(x), 0.0)  # nan or -inf in the branch not taken
        unused = np.sqrt(x) / 0.0
        return safe * x + 0 * wg.stop_gradient(np.where(x > 1e9, unused, 1.0))

    assert np.isfinite(wg.grad(f)(x))
    assert np.isfinite(wg.jvp(f, (x,), (1.0,))[1])


def test_large_finite_numbers_are_no_alarm():
    for dtype in (np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128):
        big = np.finfo(dtype).max
        with np.errstate(all="raise"):
            assert report.finite([np.full(9, big, dtype), dtype(big), -float(np.finfo(float).max)])
        assert not report.finite([np.array([1, np.inf], dtype)])
        assert not report.finite([dtype(np.nan)])
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(1e200 * x))(np.ones(3)), 1e200)


def test_calls_inside_another_trace_leave_it_to_that_one():
    def f(x):
        inner = wg.grad(root)(x)  # inf at 0
        return np.sum(np.where(np.isfinite(inner), inner, 0.0))

    np.testing.assert_array_equal(wg.grad(f)(np.array([0.0, 1.0])), [0.0, -0.25])


# ---- loops and branches -----------------------------------------------------------------------------------


def in_scan(x):
    def step(carry, _):
        return np.sqrt(carry - 1.0), carry

    return wg.scan(step, x, None, length=3)[0]


def in_while(x):
    def step(state):
        return state[0] + 1, np.log(state[1])

    return wg.while_loop(lambda state: state[0] < 2, step, (0, x))[1]


def in_vmap(x):
    def one(a):
        return np.sqrt(a)

    return np.sum(wg.vmap(one)(x))


def in_cond(x):
    def big(x):
        return np.exp(x)

    return wg.cond(x > 0, big, lambda x: x, x)


@pytest.mark.parametrize(
    ("f", "at", "outer", "line", "inside"),
    [
        (in_scan, 1.5, "value of `scan`", 2, "sqrt(-0.292893) = nan: outside"),
        (in_while, 1.0, "value of `while_loop`", 2, "log(0) = -inf: the edge"),
        (in_vmap, np.array([1.0, 0.0]), "derivative of `map`", 2, "0.5 / 0 = inf at [1]: division"),
        (in_cond, 1e3, "value of `cond`", 2, "exp(1000) = inf: overflow"),
    ],
    ids=["scan", "while", "vmap", "cond"],
)
def test_a_birth_in_the_body_of_a_loop_or_a_branch_names_its_line(f, at, outer, line, inside):
    text = said(lambda: wg.value_and_grad(f)(at))
    assert f"Born in the {outer}" in text
    assert f"inside of it, in `{inside.split('(')[0] if '(' in inside else 'div'}`" in text
    assert f" at {line_of(f, line)}:  " in text
    assert inside in text


def test_a_black_box_that_does_not_run_twice_costs_no_result():
    calls = []

    def once(x):
        calls.append(x)
        if len(calls) > 1:
            raise RuntimeError("only once")
        return np.inf

    f = wg.defvjp(once, lambda y, x: lambda g: g * np.inf, check=False)
    text = said(lambda: wg.grad(f)(1.0))
    assert "Evaluated again, the call raises RuntimeError: only once" in text


def test_a_birth_inside_a_custom_function_is_named():
    f = wg.defvjp(lambda x: x * 1.0, lambda y, x: lambda g: g / x, check=False)
    text = said(lambda: wg.grad(f)(0.0))
    assert "Born in the derivative of `custom[<lambda>]`" in text


# ---- detect_anomaly -----------------------------------------------------------------------------------------


def test_an_anomaly_is_raised_at_the_users_line():
    with (
        wg.detect_anomaly(),
        pytest.raises(NonFiniteError, match="Born in the value of `exp`") as caught,
    ):
        wg.grad(softplus)(1000.0)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.name, last.lineno) == (
        __file__, "softplus", softplus.__code__.co_firstlineno + 1,
    )  # fmt: skip
    assert "Way out" in str(caught.value)


def test_an_anomaly_of_a_derivative_is_raised_at_the_line_of_its_equation():
    with wg.detect_anomaly(), pytest.raises(NonFiniteError, match="0·inf = nan") as caught:
        wg.grad(norm)(ZEROS)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.name, last.lineno) == ("norm", norm.__code__.co_firstlineno + 2)


def test_the_value_is_watched_too():
    with wg.detect_anomaly(), pytest.raises(NonFiniteError):
        wg.grad(lambda x: x + wg.stop_gradient(np.exp(x)))(1000.0)


def test_forward_mode_jacobians_and_pullbacks_raise_too():
    x = np.array([0.0, 1.0])
    with wg.detect_anomaly():
        for call in (
            lambda: wg.jvp(root, (x,), (x + 1,)),
            lambda: wg.jacfwd(root)(x),
            lambda: wg.jacrev(root)(x),
            lambda: wg.vjp(root, x)[1](1.0),
            lambda: wg.value_and_grad(root, trust="off")(x),
        ):
            with pytest.raises(NonFiniteError, match=r"sqrt\(0\)"):
                call()


def test_nan_and_inf_are_watched_apart():
    with wg.detect_anomaly(inf=False):
        assert np.isinf(wg.grad(root)(ZEROS)).all()
        with pytest.raises(NonFiniteError):
            wg.grad(norm)(ZEROS)
    with wg.detect_anomaly(nan=False):
        assert np.isnan(wg.grad(logarithm)(np.array([np.nan])))
        with pytest.raises(NonFiniteError):
            wg.grad(root)(ZEROS)


def test_it_ends_with_the_block_and_is_seen_by_this_thread_alone():
    raised = []

    def other():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wg.grad(root)(ZEROS)
            except NonFiniteError as error:
                raised.append(error)

    with wg.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert raised == []
    assert np.isinf(wg.grad(root, trust="off")(ZEROS)).all()


def test_masked_anomalies_do_not_stop_the_program():
    with wg.detect_anomaly():
        assert wg.grad(lambda x: np.where(x > 0, np.log(x), 0.0))(-1.0) == 0.0


def test_a_finite_call_is_untouched_by_detect_anomaly():
    with wg.detect_anomaly():
        assert wg.grad(np.sin)(0.0) == 1.0


LOOKED_AT = [
    ([], True, False),
    ([np.inf], False, False),
    ([np.inf, -np.inf], False, False),
    ([np.nan], False, True),
    ([1.7e308, 1.7e308], True, False),
    ([1.7e308, 1.7e308, -np.inf], False, False),
]


@pytest.mark.parametrize("size", [7, 5000, 50_000])
@pytest.mark.parametrize(("values", "all_finite", "a_nan"), LOOKED_AT)
def test_one_sum_tells_whether_all_numbers_are_finite_at_every_size(
    size, values, all_finite, a_nan
):
    x = np.random.default_rng(0).normal(size=size)
    x[3 : 3 + len(values)] = values
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert report.finite([x]) is all_finite
        assert bool(has_nan(x)) is a_nan
