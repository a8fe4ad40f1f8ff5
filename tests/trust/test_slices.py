"""Slices and like terms: shorter programs that say the same."""

import numpy as np
import pytest

import wengert as wg
from wengert.ir.evaluate import evaluate
from wengert.transforms import vjp
from wengert.trust import guard
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


def versine(r):
    return (1 - np.cos(r[0] * r[1])) / (r[0] * r[1]) ** 2 + np.sum(np.exp(r) * r)


ROWS = np.linspace(0.1, 3, 120).reshape(40, 3)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(wg.vmap(versine)(x)),
        lambda x: np.sum(np.exp(wg.vmap(versine)(x))),
        lambda x: np.sum(np.sum(np.sin(x) * x, 1) ** 2),
        lambda x: np.sum(wg.vmap(lambda r, w: versine(r * w), (0, None))(x, np.ones(3))),
    ],
    ids=["a batch", "and more", "sums within", "with what is shared"],
)
def test_a_few_examples_are_a_program_of_their_own(f):
    program, mask = gradient(f, ROWS), np.zeros((40, 3), bool)
    mask[3, 1] = mask[17] = True
    given = [ROWS, *(np.ones(3) for _ in program.inputs[2:]), ONE]
    part, args, at = sliced(program, given, [mask])
    assert evaluate(part, args)[0].shape == (2, 3)
    np.testing.assert_allclose(evaluate(part, args)[0], evaluate(program, given)[0][at], rtol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(wg.vmap(versine)(x)) ** 2,
        lambda x: np.sum(wg.vmap(versine)(x - np.mean(x, 0))),
        lambda x: np.sum(wg.vmap(versine)(x) * wg.vmap(versine)(x[::-1])),
        lambda x: np.sum(np.cumsum(np.sin(x), 0)),
    ],
    ids=["squared", "centred", "reversed", "cumsum"],
)
def test_examples_that_know_each_other_are_not_told_apart(f):
    program, mask = gradient(f, ROWS), np.zeros((40, 3), bool)
    mask[3] = True
    assert sliced(program, [ROWS, ONE], [mask]) is None


@pytest.mark.parametrize("compiled", [False, True])
def test_what_is_too_large_as_a_whole_is_settled_example_by_example(compiled, monkeypatch):
    monkeypatch.setattr(guard, "_SPEED", 100)
    rows = np.linspace(0.5, 2, 3000).reshape(1000, 3)
    rows[77, 0] = 1e-9
    slope = wg.grad(lambda x: np.sum(wg.vmap(versine)(x)), trust="repair")
    with wg.trust.policy(action="record"):
        found = (wg.jit(slope) if compiled else slope)(rows)
        assert wg.last_report().trusted
        assert wg.last_report().repaired[0][77, 0]
        np.testing.assert_allclose(found[77], wg.grad(versine, trust="repair")(rows[77]))
        wg.grad(lambda x: np.sum(wg.vmap(versine)(x)) ** 2, trust="repair")(rows)
        assert wg.last_report().flagged[0][77, 0]
        wg.grad(lambda x: np.sum(versine(x.T) * np.abs(x[:, 0] - x[3, 0])), trust="repair")(rows)
        assert not wg.last_report().trusted
