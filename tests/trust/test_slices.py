"""Slices and like terms: shorter programs that say the same."""

import numpy as np
import pytest

import wengert as wg
from wengert.ir.evaluate import evaluate
from wengert.transforms import vjp
from wengert.trust.likes import collected
from wengert.trust.slices import sliced

X, ONE = np.linspace(0.1, 3, 40), np.float64(1)


def gradient(f, *xs):
    """The gradient of a scalar function, as a program of xs and the cotangent."""
    program = wg.program(f)(*xs)
    both = vjp(program, [True] * len(xs))
    from wengert.ir.program import Program
    from wengert.transforms import sweep

    return sweep(Program(both.inputs, both.eqns, both.outputs[1:], both.sources, both.name))


def test_a_few_elements_are_a_program_of_their_own():
    f = lambda x: np.sum(np.sin(x) * np.exp(-x) / (1 + x * x))
    program, mask = gradient(f, X), np.zeros(40, bool)
    mask[[3, 7]] = True
    part, args, at = sliced(program, [X, ONE], [mask])
    assert evaluate(part, args)[0].shape == (2,)
    assert np.array_equal(evaluate(part, args)[0], evaluate(program, [X, ONE])[0][at])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x) ** 2,
        lambda x: x @ x,
        lambda x: np.sum(np.cumsum(np.sin(x))),
        lambda x: np.sum(np.sin(x) * np.sin(x[::-1])),
        lambda x: np.max(x),
    ],
    ids=["sum squared", "dot", "cumsum", "reversed", "max"],
)
def test_where_elements_mix_nothing_is_sliced(f):
    mask = np.zeros(40, bool)
    mask[3] = True
    found = sliced(gradient(f, X), [X, ONE], [mask])
    if found is not None:  # then it is right
        part, args, at = found
        assert np.allclose(evaluate(part, args)[0], evaluate(gradient(f, X), [X, ONE])[0][at])


def test_many_elements_or_small_arrays_are_not_sliced():
    f = lambda x: np.sum(np.sin(x))
    assert sliced(gradient(f, X), [X, ONE], [np.ones(40, bool)]) is None
    assert sliced(gradient(f, X[:5]), [X[:5], ONE], [np.arange(5) == 1]) is None


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: (x - x) / y,
        lambda x, y: (x + y) - x,
        lambda x, y: x * y - y * x + (-x) * y + x * y,
        lambda x, y: np.sin(x + y - x) - np.sin(y),
        lambda x, y: x - (y - (y - x)),
    ],
    ids=["zero", "one", "products", "inside", "nested"],
)
def test_terms_that_cancel_are_gone(f):
    program = vjp(wg.program(f)(0.3, 0.7), [True, True])
    short = collected(program)
    assert len(short.eqns) < len(program.eqns)
    for xs in (np.array([0.3, 0.7, 1.0]), np.array([2.0, -5.0, 3.0])):
        assert np.allclose(evaluate(short, xs), evaluate(program, xs))


def test_wrong_elements_of_a_large_array_cost_what_they_are():
    x = np.full(20_000, 0.7)
    x[5] = 1e-8
    with wg.trust.policy(action="record"):
        g = wg.grad(lambda x: np.sum((1 - np.cos(x)) / x**2), trust="repair")(x)
    assert g[5] == pytest.approx(-1e-8 / 12)
    assert wg.last_report().count(wg.last_report().escalated) == 1
