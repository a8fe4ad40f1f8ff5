"""Every row of the table applies where it should, and both of its sides are equal."""

from __future__ import annotations

import time
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rewrites.cases import CASES

import wengert as wg
from wengert.ir import Eqn, Program, Var, evaluate
from wengert.ir.check import check
from wengert.ops.literal import Frozen, literal, literal_inputs
from wengert.rewrites import simplify
from wengert.rewrites.simplify import ROWS
from wengert.trace.trace import program_of

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.1, -3.7, 1e-310, 1e300, 2.0**-1060]
DIGITS = {row.says: row.digits for row in ROWS} | {"f of what repeats": "same"}


def _program(says):
    function, types = CASES[says]
    program, captured = program_of(lambda *xs: [function(*xs)], types)
    return literal_inputs(program, captured)


def _values(t, draw):
    if t.dtype.kind == "b":
        return draw(st.lists(st.booleans(), min_size=t.size, max_size=t.size))
    numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(-1e3, 1e3))
    return draw(st.lists(numbers, min_size=t.size, max_size=t.size))


def test_every_row_has_a_case_and_every_case_a_row():
    assert set(CASES) == set(DIGITS)


@pytest.mark.parametrize("says", CASES)
def test_the_row_applies_and_saves_an_equation(says):
    program, fired = _program(says), Counter()
    found = simplify(program, fired)
    assert fired[says] >= 1, f"{fired}\n{program}"
    check(found)
    assert found.in_types == program.in_types
    assert found.out_types == program.out_types


@pytest.mark.parametrize("says", CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_both_sides_are_equal(says, data):
    program = _program(says)
    args = [
        np.array(_values(t, data.draw)).astype(t.dtype).reshape(t.shape) for t in program.in_types
    ]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a cast of complex numbers that drops their imaginary part
        before, after = (np.asarray(evaluate(p, args)[0]) for p in (program, simplify(program)))
    assert before.dtype == after.dtype
    assert before.shape == after.shape
    if DIGITS[says] == "rounding":
        size = np.nansum([np.abs(a[np.isfinite(a)]).sum() for a in args if a.dtype.kind == "f"])
        if size < 1e100:
            np.testing.assert_allclose(after, before, rtol=1e-14, atol=1e-14 * size)
        return
    np.testing.assert_array_equal(after, before)
    if DIGITS[says] == "same" and before.dtype.kind == "f":
        number = before == before
        np.testing.assert_array_equal(np.signbit(after)[number], np.signbit(before)[number])


def test_what_would_lose_a_nan_or_a_sign_stays():
    def kept(function):
        program = program_of(lambda x: [function(x)], CASES["-(-x) = x"][1])[0]
        return [e.prim.name for e in simplify(program).eqns]

    assert kept(lambda x: x + 0.0) == ["add"]  # -0.0 + 0.0 is 0.0
    assert kept(lambda x: x * 0.0) == ["mul"]  # inf · 0 is nan
    assert kept(lambda x: x - x) == ["sub"]
    assert kept(lambda x: x / x) == ["div"]
    assert kept(lambda x: x / 3.0) == ["div"]  # 1/3 is not exact


def test_programs_in_equations_are_simplified_too():
    def f(x):
        return wg.fori_loop(0, 3, lambda k, s: np.negative(-s) * 1.0 + x, x)

    program = wg.program(f)(np.ones(3))
    fired = Counter()
    simplify(program, fired)
    assert fired["-(-x) = x"] == 1
    assert fired["x · 1 = x"] == 1


def test_a_gradient_is_the_same_after_it():
    def f(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = np.linspace(-1, 2, 10)
    program, captured = program_of(lambda x: [wg.grad(f)(x)], [wg.ir.type_of(x)])
    program = literal_inputs(program, captured)
    found = simplify(program)
    assert len(found.eqns) < len(program.eqns)
    np.testing.assert_array_equal(evaluate(found, [x])[0], wg.grad(f)(x))


def test_user_functions_are_called_when_the_program_runs_and_not_before():
    calls = []

    class Noisy(wg.Op):
        name = "noisy"

        def typeof(self, x):
            return x

        def eval(self, x):
            calls.append(x)
            return x

    t = CASES["-(-x) = x"][1][0]
    number, y = Var(t), Var(t)
    eqns = [Eqn(literal, (), {"value": Frozen(np.arange(3.0))}, (number,))]
    program = Program([], [*eqns, Eqn(Noisy(), (number,), {}, (y,))], [y])
    assert [e.prim.name for e in simplify(program).eqns] == ["literal", "noisy"]
    assert calls == []


@pytest.mark.nightly
def test_its_time_grows_as_the_program():
    def times(n):
        def f(x):
            for _ in range(n):
                x = -(np.sin(x) * 1.0 - (-x))
            return x

        program = program_of(lambda x: [f(x)], CASES["-(-x) = x"][1])[0]
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            simplify(program, Counter())
            best = min(best, time.process_time() - start)
        return best

    assert times(1600) < 32 * times(200)  # linear is 8, quadratic 64
