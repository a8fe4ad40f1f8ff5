"""Balls: every primitive has a rule or a reason; nothing undecided is guessed; rounding is right."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as wg
from wengert.ir.types import type_of
from wengert.ops import PRIMITIVES
from wengert.trace.trace import program_of
from wengert.trust.balls import evaluate as balls
from wengert.trust.balls.number import MAYBE, flint, less, powered, precision, rounded


def test_every_primitive_has_a_ball_rule_or_a_reason():
    without = {name for name, prim in PRIMITIVES.items() if not balls.has_rule(prim)}
    assert without == set(balls.WITHOUT) & set(PRIMITIVES)
    assert all(balls.WITHOUT.values())


def run(f, *xs, bits=64):
    program = wg.program(f)(*(np.float64(0.3) if isinstance(x, flint().arb) else x for x in xs))
    with precision(bits):
        return balls.evaluate(program, list(xs))


def test_an_undecided_branch_is_the_hull_of_both():
    x = flint().arb(0, 1e-3)
    (y,) = run(lambda x: np.where(x > 0, x + 1, x - 1), x)
    assert y.contains(1)
    assert y.contains(-1)
    (y,) = run(lambda x: wg.cond(x > 0, lambda x: x + 1, lambda x: x - 1, x), x)
    assert y.contains(1)
    assert y.contains(-1)
    (y,) = run(lambda x: np.max(np.stack([x, -x])), x)
    assert y.contains(1e-3)


def test_an_undecided_loop_or_index_leaves_everything_open():
    x = flint().arb(1, 1e-3)
    body = lambda x: 0.5 * x
    (y,) = run(lambda x: wg.while_loop(lambda x: x > 0.5, body, x), x)
    assert not y.is_finite()
    pick = lambda x: [np.take(np.arange(3.0) * x, np.argmax(np.stack([x, 1 + 0 * x])))]
    program, captured = program_of(pick, [type_of(0.0)])
    with precision(64):
        assert not balls.evaluate(program, [x, *captured])[0].is_finite()
        assert balls.evaluate(program, [np.float64(2), *captured])[0] == 0


def test_the_order_of_overlapping_numbers_is_not_guessed():
    x = flint().arb(1, 1e-3)
    (y,) = run(lambda x: np.sort(np.stack([x, 1 + 0 * x, 3 * x])), x)
    assert y[0].contains(1)
    assert y[0].contains(0.9995)
    assert not y[2].contains(1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(a=st.floats(1e-320, 1e300), k=st.integers(-60, 60))
def test_rounding_is_to_nearest_even(dtype, a, k):
    import fractions

    x = fractions.Fraction(a) + fractions.Fraction(a) * fractions.Fraction(k, 2**60)
    with precision(256):
        exact = flint().arb(flint().fmpq(x.numerator, x.denominator))
        found = rounded(exact, dtype)
    if dtype == np.float64:
        expected = x.numerator / x.denominator
    else:  # nearest of the neighbours, by exact arithmetic
        with np.errstate(over="ignore"):
            near = np.float32(x.numerator / x.denominator)
            around = [np.nextafter(near, np.float32(s)) for s in (-np.inf, np.inf)] + [near]
        around = [v for v in around if np.isfinite(v)]
        distance = lambda v: (abs(fractions.Fraction(float(v)) - x), int(v.view(np.uint32)) & 1)
        if not around or x > fractions.Fraction(float(np.finfo(np.float32).max)):
            return
        expected = min(around, key=distance)
    assert found == expected


def test_ties_between_two_floats_are_seen_exactly():
    one, half = flint().arb(1), flint().arb(2) ** -53
    with precision(200):
        assert rounded(one + half, np.float64) == 1.0  # to even
        assert rounded(one + half + flint().arb(2) ** -150, np.float64) == 1.0 + 2**-52
        assert rounded(one + half + flint().arb(0, 1e-40), np.float64) is None
        single = one + flint().arb(2) ** -24
        assert rounded(single, np.float32) == np.float32(1)
        assert rounded(single + flint().arb(2) ** -100, np.float32) == np.float32(1 + 2**-23)


def test_comparisons_have_three_answers():
    one, wide = flint().arb(1), flint().arb(1, 0.1)
    assert less(one, 2 * one) is True
    assert less(2 * one, one) is False
    assert less(one, wide) is MAYBE


def test_precision_is_given_back_and_threads_take_turns():
    before = flint().ctx.prec
    wrong = []

    def work(bits):
        for _ in range(50):
            with precision(bits):
                if flint().ctx.prec != bits:
                    wrong.append(bits)
                if abs(float(flint().arb(2).sqrt()) - math.sqrt(2)) > 1e-10:
                    wrong.append(bits)

    workers = [threading.Thread(target=work, args=(64 + 10 * n,)) for n in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong
    assert flint().ctx.prec == before


def test_powers_of_what_has_no_bound_on_either_side_are_undecided():
    """Arb itself ends the process there: a midpoint and a radius that are both infinite."""
    with precision(64):
        far = flint().arb(1e200).exp() + flint().arb("inf")
        assert not far.is_finite()
        assert not far.rad().is_finite()
        assert all(powered(far, p).is_nan() for p in (2, 3, flint().arb(0.5), flint().arb(-1)))
    f = lambda x, y: np.sqrt(x) - (np.log(x) + np.exp(y)) ** 3
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        wg.grad(f, (0, 1), trust="repair")(0.0, 1e200)
    assert not wg.last_report().trusted
