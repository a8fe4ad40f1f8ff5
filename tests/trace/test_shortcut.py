"""Calls that go without their door: never another number, dtype, line or error than through it."""

import numpy as np
import pytest

import wengert as wg
from wengert.trace import shortcut

MANY = shortcut._CALLS + 12
X = np.array([[0.3, -0.7, 1.1], [0.2, 0.9, -0.4]])


def doors(gradient):
    """The doors that shortcuts go without, on all paths."""
    found, rest = [], [gradient.paths.start]
    while rest:
        step = rest.pop()
        rest.extend(step.next())
        found += [step] * (step.door is not None)
    return found


def warmed(f, *args):
    """A gradient that has taken its shortcuts, which is held against a new one."""
    gradient = wg.grad(f)
    for _ in range(MANY):
        gradient(*args)
    assert doors(gradient)
    return gradient


def same(gradient, *args):
    """Does it give what a gradient gives that remembers nothing?"""
    found, wanted = gradient(*args), wg.grad(gradient.fun)(*args)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


CALLS = {
    "x + x": lambda x, a: x + x * x,
    "2 * x": lambda x, a: 2 * x / 3.0,
    "0 - x": lambda x, a: 0 - x,
    "a * x": lambda x, a: a * x,
    "x / a": lambda x, a: x / (1 + a * a),
    "a @ x": lambda x, a: a @ x.T,
    "x @ x": lambda x, a: x @ x.T,
    "x - row": lambda x, a: (x - x[0]) * x[1],
    "column * row": lambda x, a: x[:, :1] * x[0],
    "np.exp": lambda x, a: np.exp(x) * np.tanh(x),
    "np.maximum": lambda x, a: np.maximum(x, 0.5) + np.maximum(x, 0),
    "np.abs": lambda x, a: np.abs(x) * np.sign(x),
    "np.power": lambda x, a: np.power(x * x + 1, 1.5),
    "np.arctan2": lambda x, a: np.arctan2(x, a),
    "comparison": lambda x, a: np.where(x > 0.1, x, x * x),
    "sum": lambda x, a: x * np.sum(x, axis=1, keepdims=True) + np.sum(x),
    "x.sum": lambda x, a: x * x.sum(axis=0),
    "mean": lambda x, a: x - np.mean(x, axis=(0, 1)),
    "max": lambda x, a: np.exp(x - np.max(x, axis=1, keepdims=True)),
    "min": lambda x, a: x * np.min(x, 0),
    "scalars": lambda x, a: x[0, 0] * x[0, 1] + np.sin(x[1, 1]) * 2.0,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_call_gives_what_its_door_gives(name, dtype):
    f = lambda x, a: np.sum(CALLS[name](x, a) ** 2)
    a = np.linspace(1, 2, 6).reshape(2, 3).astype(dtype)
    gradient = warmed(f, X.astype(dtype), a)
    rng = np.random.default_rng(0)
    for _ in range(3):
        same(gradient, rng.normal(size=(2, 3)).astype(dtype), rng.normal(size=(2, 3)).astype(dtype))


@pytest.mark.parametrize("name", CALLS)
def test_other_types_of_arguments_go_through_the_door(name):
    f = lambda x, a: np.sum(CALLS[name](x, a) ** 2)
    a = np.linspace(1, 2, 6).reshape(2, 3)
    gradient = warmed(f, X, a)
    for x, b in (
        (X.astype(np.float32), a),
        (X, a.astype(np.float32)),
        (X, np.arange(6).reshape(2, 3)),
        (X, a[0]),
        (X, a[:1]),
        (np.tile(X, (1, 2)), np.tile(a, (1, 2))),
        (X, np.asfortranarray(a)),
    ):
        if name == "a @ x" and b.ndim == 1:
            continue
        try:
            wg.grad(f)(x, b)
        except Exception as error:  # (shapes that do not fit)
            with pytest.raises(type(error)):
                gradient(x, b)
            continue
        same(gradient, x, b)
        same(gradient, X, a)


def test_other_scalars_of_the_same_line_are_not_taken_for_each_other():
    state = {"c": 2.0}
    gradient = warmed(lambda x: np.sum(x * state["c"] + state["c"]), X)
    for c in (
        3.0,
        2,
        True,
        0.0,
        -0.0,
        np.float64(2.0),
        np.float32(2.0),
        np.array(5.0),
        np.arange(3),
    ):
        state["c"] = c
        same(gradient, X)


def test_zeros_keep_their_sign():
    state = {"c": 0.0}
    gradient = warmed(lambda x: np.sum(np.copysign(x, state["c"]) * 2.0), X)
    state["c"] = -0.0
    same(gradient, X)


def test_a_captured_array_may_be_overwritten_afterwards():
    weights = np.ones((2, 3))

    def f(x):
        y = np.sum(weights * x * x)
        weights[...] = 7.0
        return y

    gradient = warmed(f, X)
    weights[...] = 2.0
    np.testing.assert_array_equal(gradient(X), 4 * X)


def test_a_view_looks_at_what_was_written():
    def f(x, write):
        y = x * 1.0
        row = y[0]
        if write:
            y[0] = 2 * y[1]
        return np.sum(row * row)

    gradient = warmed(f, X, False)
    same(gradient, X, False)
    same(gradient, X, True)
    same(gradient, X, False)


def test_another_axis_at_the_same_place_is_another_call():
    state = {"axis": 0, "keepdims": False}
    gradient = warmed(lambda x: np.sum(np.sum(x * x, **state) ** 2), X)
    for axis, keepdims in (
        (1, False),
        (None, False),
        ((0, 1), True),
        (0, True),
        (-1, False),
        (0, False),
    ):
        state.update(axis=axis, keepdims=keepdims)
        same(gradient, X)


def test_lines_are_those_of_the_user():
    def f(x):
        y = x * x
        z = np.log(y)  # the line that is told
        return np.sum(z)

    gradient = warmed(f, X)
    with (
        pytest.warns(wg.errors.NonFiniteWarning, match="the line that is told"),
        np.errstate(all="ignore"),
    ):
        gradient(0 * X)


def test_numbers_of_a_trace_around_are_not_lost():
    gradient = warmed(lambda x: np.sum(np.sin(x) * x), X)
    second = wg.grad(lambda x: np.sum(gradient(x) ** 2))
    wanted = wg.grad(lambda x: np.sum((np.cos(x) * x + np.sin(x)) ** 2))(X)
    for _ in range(MANY):
        np.testing.assert_allclose(second(X), wanted, rtol=1e-13)
    for _ in range(2):
        np.testing.assert_allclose(wg.jit(gradient)(X), np.cos(X) * X + np.sin(X), rtol=1e-13)
        np.testing.assert_allclose(wg.vmap(gradient)(X), np.cos(X) * X + np.sin(X), rtol=1e-13)


def test_steps_that_do_the_same_share_their_code():
    def f(x):
        for _ in range(40):
            x = np.sin(x) * x
        return np.sum(x)

    gradient = warmed(f, X)
    codes = {step.go for step in doors(gradient)}
    assert len(doors(gradient)) > 80
    assert len(codes) < 10


def test_an_error_comes_out_at_the_users_line():
    state = {"b": np.ones((3, 2))}
    gradient = warmed(lambda x: np.sum(x @ state["b"]), X)
    state["b"] = np.ones((4, 2))
    with pytest.raises(wg.errors.ShapeError, match=r"test_shortcut\.py"):
        gradient(X)


def test_what_is_traced_may_change_places_with_what_is_not():
    a = np.linspace(1, 2, 6).reshape(2, 3)

    def f(x, turn):
        p, q = (a, x) if turn else (x, a)
        return np.sum(p / q) + np.sum(p @ q.T) + np.sum(p * (q if turn else 2.0))

    for first in (False, True):
        gradient = warmed(f, X, first)
        for turn in (not first, first, not first):
            same(gradient, X, turn)


def test_calls_inside_of_another_trace_take_no_shortcut_away():
    gradient = warmed(lambda x: np.sum(np.sin(x) * x), X)
    second = wg.grad(lambda x: np.sum(gradient(x) ** 2))
    before = len(doors(gradient))
    for _ in range(2 * MANY):
        second(X)
    assert len(doors(gradient)) == before
    same(gradient, X)
