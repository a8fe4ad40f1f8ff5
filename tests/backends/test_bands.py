"""Nests that go row by row as one loop: same numbers, one row of memory, any number of threads."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends import threads
from wengert.backends.code import Call, For, If, Value
from wengert.backends.compile import compile
from wengert.backends.lowering import lower
from wengert.backends.vary import items_of
from wengert.ir.evaluate import evaluate
from wengert.rewrites.simplify import simplify

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(37, 29))
WIDE = RNG.normal(size=(4001, 101))
POINTS, CENTRES = RNG.normal(size=(3001, 3)), RNG.normal(size=(70, 3))


def softmax(x):
    e = np.exp(x - np.max(x, axis=1)[:, None])
    return e / np.sum(e, axis=1)[:, None]


def logsumexp(x):
    top = np.max(x, axis=1)
    return top + np.log(np.sum(np.exp(x - top[:, None]), axis=1))


def normed(x):
    centred = x - np.mean(x, axis=1)[:, None]
    return centred / np.sqrt(np.mean(centred**2, axis=1) + 1e-5)[:, None]


def distances(c, p):
    return np.sum(np.min(np.sum((p[:, None] - c) ** 2, axis=-1), axis=1))


def direction(c, p):
    slope = wg.grad(distances)
    return slope(c, p) / wg.jvp(lambda c: slope(c, p), (c,), (c * 0 + 1,))[1]


def mixture(mean, turn, x):
    """Squares of points that each row of parameters moves and turns."""
    turned = (x - mean[:, None]) @ turn
    return np.sum(np.log(np.sum(np.exp(-np.sum(turned**2, axis=2)), axis=0)))


def attention(q, k, v):
    return softmax_last(q @ np.swapaxes(k, 1, 2)) @ v


def softmax_last(x):
    e = np.exp(x - np.max(x, axis=2)[:, :, None])
    return e / np.sum(e, axis=2)[:, :, None]


MEAN, TURN, MANY = (
    RNG.normal(size=(21, 18)),
    RNG.normal(size=(21, 18, 18)) / 9,
    RNG.normal(size=(33, 18)),
)
QUERIES, KEYS, VALUES = (
    RNG.normal(size=(19, 40, 17)),
    RNG.normal(size=(19, 30, 17)),
    RNG.normal(size=(19, 30, 23)),
)

CASES = {
    "products of rows": (mixture, MEAN, TURN, MANY),
    "products of rows, gradient": (wg.grad(mixture, argnums=(0, 1, 2)), MEAN, TURN, MANY),
    "products of rows, Hessian · v": (lambda m, t, x: wg.hvp(lambda m: mixture(m, t, x), (m,), (m,)), MEAN, TURN, MANY),
    "attention": (attention, QUERIES, KEYS, VALUES),
    "attention, gradient": (wg.grad(lambda *a: np.sum(attention(*a) ** 3), argnums=(0, 1, 2)), QUERIES, KEYS, VALUES),
    "products of stacks in rows": (lambda x: np.sum(np.sin(x[:, None] + np.ones((3, 1, 1))) @ x[:, None], axis=1), TURN),
    "products of every other row": (lambda x: np.sum(np.sin(x) @ np.cos(x), axis=2)[::2] + np.sum(x[1::2], axis=1)[0], TURN),
    "products that are results": (lambda x: (np.sin(x) @ x, (np.sin(x) @ x) ** 2), TURN),
    "complex products": (lambda x: np.abs((np.sin(x) + 1j * x) @ (x - 1j)), TURN),
    "softmax": (softmax, X),
    "softmax, gradient": (wg.grad(lambda x: np.sum(softmax(x) ** 3)), X),
    "logsumexp, gradient": (wg.grad(lambda x: np.sum(logsumexp(x) ** 2)), X),
    "layer norm": (normed, X),
    "layer norm, gradient": (wg.grad(lambda x: np.sum(np.sin(normed(x)))), X),
    "layer norm, Hessian · v": (lambda x: wg.hvp(lambda x: np.sum(np.sin(normed(x))), (x,), (x,)), X),
    "distances": (distances, CENTRES, POINTS[:50]),
    "distances, gradient": (wg.grad(distances, argnums=(0, 1)), CENTRES, POINTS[:50]),
    "distances, direction": (direction, CENTRES[:17], POINTS),
    "columns": (lambda x: (np.max(x, 0), np.min(x * x, 0), np.prod(1 + x / 99, 0), np.any(x > 2, 0)), X),
    "rows of rows": (lambda x: softmax(x)[:, :, None] * np.sum(np.sin(x), axis=1)[:, None, None], X),
    "both ways": (lambda x: softmax(x) / np.sum(softmax(x), axis=0), X),
    "all": (lambda x: np.sum((x - np.sum(x, axis=1)[:, None]) ** 2), X),
    "another row": (lambda x: (x - np.sum(x, axis=1)[::-1, None]) / np.sum(x * x), X),
    "complex": (lambda x: np.sum((x + 1j * x**2) * np.sum(x, axis=1)[:, None], axis=0), X),
}  # fmt: skip


def program(f, *args):
    return simplify(wg.program(f)(*args))


@pytest.mark.parametrize("name", CASES)
def test_rows_agree_with_numpy(name):
    f, *args = CASES[name]
    p = program(f, *args)
    for found, wanted in zip(compile(p)(*args), evaluate(p, args), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def long_loops(function):
    return [s for s in function.body.items if isinstance(s, For) and s.kind == "parallel"]


@pytest.mark.parametrize("f", [softmax, logsumexp, normed])
def test_what_goes_row_by_row_is_one_loop_and_needs_one_row(f):
    function = lower(program(wg.grad(lambda x: np.sum(f(x) ** 2)), X))
    assert len(long_loops(function)) == 1
    sizes = [len([n for n in b.size if not isinstance(n, int)]) for b in function.temporaries]
    assert max(sizes) == 1


def test_all_rows_are_wanted_where_they_are_results():
    function = lower(program(lambda x: (np.exp(np.sin(x)), softmax(np.exp(np.sin(x)))), X))
    assert len(long_loops(function)) == 1
    f, x = (lambda x: (np.exp(np.sin(x)), softmax(np.exp(np.sin(x))))), X
    for found, wanted in zip(compile(program(f, x))(x), f(x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_products_of_rows_go_with_what_is_made_of_them_and_need_one_row():
    function = lower(program(mixture, MEAN, TURN, MANY))
    sizes = {
        b.name: len([n for n in b.size if not isinstance(n, int)]) for b in function.temporaries
    }
    assert max(sizes.values()) == 2  # none for all rows
    assert sum(isinstance(x, Call) for s in long_loops(function) for x in items_of(s.block)) == 1
    turned = lower(program(attention, QUERIES, KEYS, VALUES))
    assert len(long_loops(turned)) == 1


def test_what_reads_other_rows_waits_until_all_are_made():
    f, x = CASES["another row"]
    assert len(long_loops(lower(program(f, x)))) == 2


THREADS = {
    "softmax": (softmax, WIDE),
    "gradient": (wg.grad(lambda x: np.sum(normed(x) ** 3)), WIDE),
    "columns": (lambda x: (np.sum(np.exp(x), 0), np.max(x, 0), np.all(x < 4, 0)), WIDE),
    "everything": (lambda x: (np.sum(softmax(x) ** 2), np.max(softmax(x) * x)), WIDE),
    "distances": (direction, CENTRES, POINTS),
    "products": (wg.grad(mixture, argnums=(0, 1)), MEAN, TURN, RNG.normal(size=(2001, 18))),
    "many rows, few columns": (lambda x: np.sum(np.exp(x), 0), RNG.normal(size=(200_001, 17))),
}


@pytest.mark.parametrize("name", THREADS)
def test_bits_of_rows_do_not_depend_on_the_number_of_threads(name):
    f, *args = THREADS[name]
    p = program(f, *args)
    compiled = compile(p)
    assert "wg_parallel" in compiled.text
    found = []
    try:
        for count in (1, 2, 5):
            threads.set_count(count)
            found.append(compiled(*args))
    finally:
        threads.set_count(threads.count())
    for y, z, first, want in zip(*found, evaluate(p, args), strict=True):
        np.testing.assert_array_equal(y, z)
        np.testing.assert_array_equal(y, first)
        np.testing.assert_allclose(y, want, rtol=1e-11, atol=1e-11)


def test_sums_of_chunks_have_a_bounded_room_in_the_workspace():
    function = lower(program(lambda x: np.sum(np.exp(x), 0), WIDE))
    (loop,) = long_loops(function)
    ((op, sums, room),) = loop.sums
    assert op == "add"
    for rows in (1000, 10**9):
        assert room.elements((rows, 101)) == 16 * sums.elements((rows, 101))


def steep(c, p):
    return np.sum(np.min(np.sum(np.abs(p[:, None] - c) ** 0.5, axis=-1), axis=1))


def test_sums_of_which_most_terms_are_zero_leave_these_out():
    function = lower(program(wg.grad(distances), CENTRES, POINTS))
    assert [s.soft for s in items_of(function.body) if isinstance(s, If)] == [True]


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 0.0])
def test_numbers_that_are_not_finite_come_through_sums_of_zeros(value):
    c, p = CENTRES.copy(), POINTS[:100].copy()
    c[3, 1] = p[7, 2] = value
    c[5] = p[11]  # an infinite slope at the nearest
    for f in (wg.grad(distances), wg.grad(steep)):
        with np.errstate(all="ignore"):
            q = program(f, c, p)
            results = evaluate(q, (c, p))
        for found, wanted in zip(compile(q)(c, p), results, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_an_index_out_of_range_is_found_although_its_term_would_be_zero():
    table = np.sin(np.arange(50.0))

    def f(c, x, places, table):
        return np.sum(np.where(x > 3, np.exp(np.sin(c * table[places])), 0.0))

    slope = wg.jit(wg.grad(f))
    places = np.arange(37 * 29).reshape(37, 29) % 50
    np.testing.assert_allclose(
        slope(X[0], X, places, table), wg.grad(f)(X[0], X, places, table), rtol=1e-12, atol=1e-14
    )
    places[30, 20] = 50
    with pytest.raises(IndexError):
        slope(X[0], X, places, table)


def nearest(c, p):
    """Distances by products: |p|² - 2 p·c + |c|²."""
    squares = np.sum(p * p, axis=1)[:, None] + np.sum(c * c, axis=1)
    return np.sum(np.min(squares - 2 * p @ c.T, axis=1))


@pytest.mark.parametrize("f", [nearest, wg.grad(nearest)])
def test_tables_of_short_products_are_turned_before_the_rows(f):
    function = lower(program(f, CENTRES, POINTS))
    (loop,) = long_loops(function)[:1]
    loads = [v for v in items_of(loop.block) if isinstance(v, Value) and v.op == "load"]
    assert not [v for v in loads if v.data in function.inputs and v.args[0].block.depth > 1]
    p = program(f, CENTRES, POINTS)
    for found, wanted in zip(
        compile(p)(CENTRES, POINTS), evaluate(p, (CENTRES, POINTS)), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11)


def test_a_table_that_two_products_read_each_in_its_way_stays_what_it_is():
    def f(p, c):
        near = np.sum(np.exp(p @ c.T), axis=1)
        return near, np.sum(np.sin(p) @ c[:3, :3], axis=1), np.sum(c, axis=0), c.T * 1.0

    q = program(f, POINTS, CENTRES)
    for found, wanted in zip(
        compile(q)(POINTS, CENTRES), evaluate(q, (POINTS, CENTRES)), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


TURNED = {
    "rows of a transposed array": (lambda x: softmax(x.T), WIDE),
    "one softmax by rows, one by columns": (lambda x: softmax(softmax(x).T), WIDE[:301]),
    "products of rows, turned": (
        lambda m, t, x: softmax(np.sum(((x - m[:, None]) @ t) ** 2, axis=2).T), MEAN[:, :9], TURN[:, :9, :9], MANY[:, :9],
    ),
    "the same, gradient": (
        wg.grad(lambda m, t, x: np.sum(softmax(np.sum(((x - m[:, None]) @ t) ** 2, axis=2).T) ** 2), argnums=(0, 1, 2)),
        MEAN[:, :9], TURN[:, :9, :9], MANY[:, :9],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TURNED)
def test_what_is_read_across_agrees_with_numpy(name):
    f, *args = TURNED[name]
    p = program(f, *args)
    for found, wanted in zip(compile(p)(*args), evaluate(p, args), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13)


def test_matrices_that_every_row_reads_are_turned_behind_a_transposition_too():
    f, *args = TURNED["products of rows, turned"]
    function = lower(program(f, *args))
    loads = [
        v
        for loop in long_loops(function)
        for v in items_of(loop.block)
        if v.__class__ is Value and v.op == "load"
    ]
    assert loads
    assert not [
        v for v in loads if v.args[0].op == "mul" and v.args[0].block.depth > 1
    ]  # by steps along the lanes
