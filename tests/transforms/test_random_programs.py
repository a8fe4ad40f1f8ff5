"""On any small program: reverse is forward is the complex step, at first and second order."""

import numpy as np
from hypothesis import given
from tests.strategies import points, programs

import wengert as wg
from wengert.ir.check import check
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.trace import program_of
from wengert.transforms import jvp, sweep, vjp

CLOSE = {"rtol": 1e-9, "atol": 1e-11}
BASIS = np.eye(6).reshape(6, 2, 3)


def by_complex_step(f, x):
    """The gradient to the last digit: no difference is taken, so nothing cancels."""
    return np.reshape([np.imag(f(x + 1e-30j * e)) / 1e-30 for e in BASIS], x.shape)


@given(programs, points)
def test_reverse_is_the_complex_step(f, x):
    np.testing.assert_allclose(wg.grad(f)(x), by_complex_step(f, x), **CLOSE)


@given(programs, points)
def test_forward_is_the_complex_step(f, x):
    ours = np.reshape([wg.jvp(f, (x,), (e,))[1] for e in BASIS], x.shape)
    np.testing.assert_allclose(ours, by_complex_step(f, x), **CLOSE)


@given(programs, points)
def test_the_program_road_is_the_complex_step(f, x):
    program, captured = program_of(lambda x: [f(x)], [type_of(x)])
    moving = [True] + [False] * len(captured)
    back, pushed = check(vjp(program, moving)), check(sweep(jvp(program, moving)))
    truth = by_complex_step(f, x)
    np.testing.assert_allclose(evaluate(back, [x, *captured, np.float64(1)])[1], truth, **CLOSE)
    forward = [evaluate(pushed, [x, *captured, e])[1] for e in BASIS]
    np.testing.assert_allclose(np.reshape(forward, x.shape), truth, **CLOSE)


@given(programs, points)
def test_second_derivatives_agree_in_every_order_of_the_modes(f, x):
    v = np.cos(np.arange(6.0)).reshape(2, 3)
    forward_reverse = wg.jvp(wg.grad(f), (x,), (v,))[1]
    reverse_reverse = wg.grad(lambda x: np.sum(wg.grad(f)(x) * v))(x)
    reverse_forward = wg.grad(lambda x: wg.jvp(f, (x,), (v,))[1])(x)
    np.testing.assert_allclose(reverse_reverse, forward_reverse, **CLOSE)
    np.testing.assert_allclose(reverse_forward, forward_reverse, **CLOSE)


@given(programs, points)
def test_in_float32_nothing_is_lifted(f, x):
    single = x.astype(np.float32)
    value, gradient = wg.value_and_grad(f)(single)
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, wg.grad(f)(x), rtol=2e-3, atol=2e-4)
