"""What is computed once, what stands together in memory, and how short arrays go through lanes."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends.code import For, Value
from wengert.backends.compile import compile
from wengert.backends.lowering import lower
from wengert.backends.vary import items_of
from wengert.ir.evaluate import evaluate
from wengert.rewrites.simplify import simplify

pytest.importorskip("llvmlite")

X = np.random.default_rng(0).normal(size=(40, 14))


def program(f, *args):
    return simplify(wg.program(f)(*args))


def count(function, op):
    return sum(x.__class__ is Value and x.op == op for x in items_of(function.body))


def agrees(f, *args):
    p = program(f, *args)
    for found, wanted in zip(compile(p)(*args), evaluate(p, args), strict=True):
        size = float(np.max(np.abs(wanted), initial=0))
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-14 + 1e-13 * size)


def test_what_is_dear_and_read_at_two_places_is_computed_once():
    def f(x):
        y = np.exp(np.sin(x))
        return y[1:] * y[:-1]

    assert count(lower(program(f, X[:, 0])), "exp") == 1
    agrees(f, X[:, 0])


def test_what_is_dear_and_written_to_several_places_is_computed_once():
    def f(x, y):
        a = np.exp(np.sin(x))
        b = np.exp(a * y)
        return np.concatenate([a, b]), np.concatenate([b, a, b])

    assert count(lower(program(f, X[:, 0], X[:, 1])), "exp") == 2
    agrees(f, X[:, 0], X[:, 1])


def recurrent(w, x):
    def step(h, now):
        h = np.tanh(h * w[0] + now) * np.exp(-((h * w[1]) ** 2))
        return h, np.sum(np.exp(h))

    return np.sum(wg.scan(step, w[2], x)[1])


def test_what_a_loop_leaves_to_its_derivative_stands_in_one_array():
    function = lower(program(wg.grad(recurrent), X[:3], X))
    long = [b for b in function.temporaries if not all(isinstance(n, int) for n in b.size)]
    rows = [n for b in long for n in b.size if isinstance(n, int)]
    assert len(rows) == 1
    assert rows[0] > 3 * 14


def test_derivatives_of_a_loop_over_short_arrays_agree_with_numpy():
    agrees(wg.grad(recurrent), X[:3], X)
    agrees(wg.grad(lambda w, x: np.sum(wg.jacrev(recurrent, argnums=0)(w, x) ** 2)), X[:3], X)


def test_a_short_vector_of_a_long_program_is_summed_in_lanes():
    def f(x):
        for _ in range(350):  # so long that what is short is not written out
            x = x * x + 0.1
        return np.sum(np.exp(x)) * x

    function = lower(program(f, 0.1 * X[0]))
    sums = [x for x in items_of(function.body) if isinstance(x, For) and x.reductions]
    assert [s.kind for s in sums] == ["vector"]
    agrees(f, 0.1 * X[0])


@pytest.mark.parametrize("shape", [(17, 3), (5, 17, 3), (40, 2)])
def test_what_was_turned_is_let_go_and_not_what_was_made_of_it(shape):
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    f = lambda x, y: (np.tile(x, 2), np.repeat(y, 2, axis=0))
    for found, wanted in zip(wg.jit(f)(x, -x), f(x, -x), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_scalars_put_into_memory_inside_of_a_loop_are_not_read_before_it():
    def f(x):
        x = x.reshape(5, -1)
        y = np.zeros_like(x)
        places = np.array([0, 1, 0, -1])
        y[places] = x[places[::-1]]
        np.add.at(y, np.array([1, 1, 0]), x[0])
        rows = wg.vmap(lambda r: np.cumsum(r[::-1]) * r, in_axes=1)(x)
        return np.sum(np.sin(rows)) + np.sum(np.sin(y)) + np.sum(np.sin(x))

    x = np.resize(X, (5, 17, 3))
    np.testing.assert_allclose(wg.jit(wg.grad(f))(x), wg.grad(f)(x), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", range(9, 17))
def test_short_rows_are_written_without_touching_their_neighbours(n, dtype):
    x = np.resize(X, (6, n)).astype(dtype)
    y = np.zeros(20, dtype)

    def f(x, y):
        # rows of a larger array, written one by one, from the last to the first
        rows = np.zeros((6, n), dtype) + y[0]
        for k in (5, 4, 3, 2, 1, 0):
            rows[k] = x[k] * x[5 - k]
        return rows, rows[::-1] * x, y * y

    p = program(f, x, y)
    for found, wanted in zip(compile(p)(x, y), evaluate(p, (x, y)), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_long_chains_on_arrays_longer_than_a_vector_are_loops_over_lanes():
    def chain(x, steps):
        for _ in range(steps):
            x = np.sin(x) * 0.5 + x
        return x

    def scalars(x, steps):
        return count(lower(program(lambda x: chain(x, steps), x)), "mul") / steps

    vector, matrix = np.linspace(0, 1, 10), np.ones((3, 3))
    assert scalars(vector, 400) == 1  # each equation once
    assert scalars(vector, 20) == 10  # element by element: quicker to run, and not long
    assert scalars(matrix, 120) == 9  # small matrices are picked apart


def shifted(u):
    u[1:] = u[:-1]


def summed_with_the_one_before(u):
    u[1:] += np.sin(u[:-1])


def turned_round(u):
    u[:] = np.exp(-u[::-1])


def at_places(u):
    u[np.arange(3, 20)] = u[:17]


def added_at_places(u):
    np.add.at(u, np.arange(20, 3, -1), u[:17])


def every_other(u):
    u[1::2] = u[::2] * u[1::2]


def where_it_stands(u):
    u[2:-2] = np.cos(u[2:-2]) * u[2:-2]


@pytest.mark.parametrize(
    "write",
    [shifted, summed_with_the_one_before, turned_round, at_places, added_at_places, every_other, where_it_stands],
)  # fmt: skip
def test_a_write_in_place_reads_what_stood_there_before_it(write):
    def f(u):
        u = u * 2.0
        for k in range(3):  # (the first result has the caller's memory, the others each other's)
            u[k] = 3.0 + u[k + 1]
            write(u)
        u[0] = u[1]
        return u

    u = np.random.default_rng(3).uniform(0.5, 1.0, 40)
    agrees(f, u)
    np.testing.assert_allclose(wg.jit(f)(u), f(u), rtol=1e-13)


def test_a_write_of_what_only_its_own_place_tells_needs_no_other_memory():
    def f(u):
        u = u * 2.0
        u[0] = 3.0
        u[2:-2] = np.cos(u[2:-2]) * u[2:-2]
        u[-1] = 4.0
        return u

    assert len(wg.explain_compile(f)(X[:, 0].copy()).buffers) == 1
