"""Reading: every form of `x[…]` beside plain NumPy, in value and derivative, on every road."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.numpy_api.places import numbers, places

import wengert as wg
from wengert.errors import DataDependentShapeError
from wengert.ir import ArrayType, evaluate
from wengert.trace import program_of


def abstractly(f, *xs):
    """`f` traced on types alone, then evaluated."""
    program, captured = program_of(lambda *a: [f(*a)], [ArrayType.of(x.shape, x.dtype) for x in xs])
    return evaluate(program, [*xs, *captured])[0]


def written(text):
    """The function of x that `text` says."""
    return eval(compile(f"lambda x: {text}", "here", "eval"), {"np": np})


def check_reading(f, x):
    """Value, tangent, cotangent and second derivative of a function that only picks elements."""
    y, dx = f(x), numbers(*x.shape) ** 2
    g = numbers(*np.shape(y)) + 0.5
    value, back = wg.vjp(f, x)
    assert np.array_equal(value, y)
    assert np.shape(value) == np.shape(y)
    ids = f(np.arange(x.size).reshape(x.shape))
    expected = np.zeros(x.size)
    np.add.at(expected, np.ravel(ids), np.ravel(g))
    assert np.allclose(back(g)[0], expected.reshape(x.shape))
    assert np.array_equal(wg.jvp(f, (x,), (dx,))[1], f(dx))
    assert np.array_equal(abstractly(f, x), y)
    bent = wg.grad(lambda x: np.sum(dx * wg.grad(lambda x: np.sum(g * f(x) ** 3))(x)))(x)
    expected = np.zeros(x.size)
    np.add.at(expected, np.ravel(ids), np.ravel(6 * g * f(x) * f(dx)))
    assert np.allclose(bent, expected.reshape(x.shape))


@given(places())
def test_every_form_of_index_reads_as_in_numpy(place):
    shape, at = place
    check_reading(lambda x: x[at], numbers(*shape))


@given(places(), st.data())
def test_reading_through_a_view_is_reading_its_base(place, data):
    shape, at = place
    x = numbers(*shape[::-1])
    check_reading(lambda x: x.T[at], x)


@pytest.mark.parametrize(
    "at",
    [
        (slice(None), [0, 2], slice(None), [1, 1]),  # arrays apart: their axes come first
        (0, slice(None), [1, 0]),
        ([0, 1], slice(None), 0),
        (slice(None), 1, [0, 1]),
        ([[0], [1]], [[0, 2]], None, 1),
        (None, [0, 1], ..., None),
        (np.array([[True, False, True], [False, True, False]]), slice(1, None)),
        (slice(None, None, -1), [2, 0, -1]),
        (..., [3, 0]),
        ([], [0]),
        (True, 0),
        (False,),
        (np.int64(1), np.uint8(2), -1, 3),
    ],
    ids=str,
)
def test_the_axes_of_the_result_lie_where_numpy_puts_them(at):
    check_reading(lambda x: x[at], numbers(2, 3, 2, 4))


def test_a_number_without_axes_can_be_indexed():
    for at in [(), ..., None, (None, ...), True]:
        x = np.array(2.0)
        value, back = wg.vjp(lambda x, at=at: x[at], x)
        assert np.array_equal(value, x[at])
        assert np.shape(value) == np.shape(x[at])
        assert back(np.ones(np.shape(value)))[0] == 1.0


@pytest.mark.parametrize(
    "at",
    [
        3,
        -4,
        (0, 0, 0, 0),
        (0, 4),
        [0, 3],
        np.array([[0], [-5]]),
        (slice(None), [0, 9]),
        ([0, 1], [0, 1, 2]),
        1.0,
        "name",
        [0.5, 1.0],
        (..., 0, ...),
        np.ones(2, bool),
        (0, np.ones((3, 3), bool)),
        np.ones((3, 4, 2, 1), bool),
    ],
    ids=str,
)
def test_a_wrong_index_fails_as_in_numpy(at):
    x = numbers(3, 4, 2)
    with pytest.raises(IndexError) as theirs:
        x[at]
    with pytest.raises(IndexError) as ours:
        wg.grad(lambda x: np.sum(x[at]))(x)
    assert str(ours.value) == str(theirs.value)
    with pytest.raises(IndexError):
        abstractly(lambda x: x[at], x)


def test_an_index_that_was_computed_is_followed():
    x, g = np.array([0.5, 2.0, 1.0]), np.array([0.0, 4.0, 0.0])
    f = lambda x: x[np.argmax(x)] ** 2
    assert np.array_equal(wg.grad(f)(x), g)
    assert abstractly(f, x) == 4.0
    order = lambda x: np.sum(x[np.argsort(x)] * np.array([1.0, 10.0, 100.0]))
    assert np.array_equal(wg.grad(order)(x), [1.0, 100.0, 10.0])
    assert abstractly(order, x) == order(x)
    both = lambda a: a[np.argmax(a[:, 0]), np.argmin(a, axis=1)]
    a = numbers(3, 3)
    check_reading_of_traced_indices(both, a)
    check_reading_of_traced_indices(lambda a: a[:, np.argsort(a[0])[::-1], None], a)
    check_reading_of_traced_indices(lambda a: a[np.argmax(a[0]) - 3], a)  # from the end
    check_reading_of_traced_indices(lambda a: a[[np.argmax(a[0]), 1]], a)


def check_reading_of_traced_indices(f, a):
    y = f(a)
    g = numbers(*np.shape(y))
    assert np.array_equal(wg.vjp(f, a)[0], y)
    assert np.array_equal(abstractly(f, a), y)
    expected = np.zeros(a.size)
    # the same elements of an array of element numbers, chosen by a
    carried = f(a + 1j * np.arange(a.size).reshape(a.shape)).imag
    np.add.at(expected, np.ravel(carried).astype(int), np.ravel(g))
    assert np.allclose(wg.vjp(f, a)[1](g)[0], expected.reshape(a.shape))


def test_a_mask_that_was_computed_picks_the_same_elements():
    x = numbers(4, 3)
    check_reading(lambda y: y[x > 0], x)
    f = lambda x: np.sum(x[x > 0] ** 2)
    assert np.allclose(wg.grad(f)(x), np.where(x > 0, 2 * x, 0))


@pytest.mark.parametrize(
    "text",
    [
        "x[x > 0]",
        "x[: np.argmax(x)]",
        "np.nonzero(x)",
        "np.argwhere(x > 0)",
        "np.flatnonzero(x > 0)",
        "np.compress(x > 0, x)",
        "np.extract(x > 0, x)",
        "np.where(x > 0)",
    ],
)
def test_a_shape_that_depends_on_numbers_is_refused_where_they_are_unknown(text):
    with pytest.raises(DataDependentShapeError, match=r"here:1: .*\n  Way out: ") as e:
        abstractly(written(text), numbers(3))
    assert isinstance(e.value, TypeError)


@pytest.mark.parametrize(
    "text",
    [
        "np.take(x, 3)",
        "np.take(x, [[0, 2], [-1, 5]])",
        "np.take(x, [1, 0, 1], axis=1)",
        "np.take(x, -1, axis=0)",
        "np.take(x, [7, -9], axis=0, mode='wrap')",
        "np.take(x, [7, -9], axis=1, mode='clip')",
        "x.take([], axis=1)",
        "np.take_along_axis(x, np.array([[0, 1, 0], [1, 1, 0]]), axis=0)",
        "np.take_along_axis(x, np.array([[2], [-3]]), axis=1)",
        "np.take_along_axis(x, np.array([3, 0]), axis=None)",
        "np.compress([False, True], x, axis=0)",
        "x.compress([True, False, True], axis=1)",
        "np.compress([False, True], x)",
        "np.extract([[True, False, True], [False, True, False]], x)",
        "x[np.ix_([1, 0], [True, False, True])]",
        "x[np.nonzero([[0, 1, 0], [1, 0, 1]])]",
        "x.flat[[3, 1]]",
    ],
)
def test_the_functions_that_pick_agree_with_numpy(text):
    check_reading(written(text), numbers(2, 3))


def test_integers_from_a_trace_index_plain_arrays():
    table = numbers(4)
    f = lambda x: np.take_along_axis(table, np.argsort(x), 0) * x
    x = np.array([0.3, 0.1, 0.2, 0.4])
    assert np.allclose(abstractly(f, x), f(x))
    assert np.allclose(wg.vjp(f, x)[1](np.ones(4))[0], table[np.argsort(x)])


def test_positions_of_a_traced_value_are_plain_integers():
    seen = []
    x = np.array([0.0, 2.0, 0.0, 1.0])
    wg.grad(
        lambda x: (
            seen.extend([np.nonzero(x), np.flatnonzero(x), np.argwhere(x), np.where(x > 1)]) or x[0]
        )
    )(x)
    for ours, theirs in zip(
        seen, [np.nonzero(x), np.flatnonzero(x), np.argwhere(x), np.where(x > 1)], strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_a_part_keeps_its_dtype():
    x = numbers(3).astype(np.float32)
    assert wg.grad(lambda x: np.sum(x[[0, 0, 1]]))(x).dtype == np.float32
    z = numbers(3) + 1j
    assert np.array_equal(wg.grad(lambda z: np.sum(np.abs(z[1:]) ** 2))(z), 2 * z * [0, 1, 1])


def test_iterating_and_unpacking_read_row_by_row():
    def f(x):
        (a, b), *rest = x
        return a * b + sum(np.sum(r) for r in rest) + len(x)

    assert np.array_equal(wg.grad(f)(np.array([[2.0, 3.0], [1.0, 1.0]])), [[3.0, 2.0], [1.0, 1.0]])
