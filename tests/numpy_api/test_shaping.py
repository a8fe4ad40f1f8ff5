"""What moves elements moves their slopes the same way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import wengert as wg
from wengert.errors import ShapeError, WengertError

MOVES = {
    "ravel": np.ravel, "transpose": np.transpose, "flip": np.flip, "atleast_3d": np.atleast_3d, "tile": lambda x: np.tile(x, (2, 3)),
    "repeat": lambda x: np.repeat(x, 2), "roll": lambda x: np.roll(x, 2), "squeeze": np.squeeze, "copy": np.copy,
    "expand": lambda x: np.expand_dims(x, -1), "stack": lambda x: np.stack([x, x], -1), "concatenate": lambda x: np.concatenate([x, x], None),
    "broadcast": lambda x: np.broadcast_to(x, (2, *x.shape)), "pad": lambda x: np.pad(x, 1, "edge"), "wrap": lambda x: np.pad(x, (0, 2), "wrap"),
    "insert": lambda x: np.insert(x, 0, x.ravel()[0]), "delete": lambda x: np.delete(x, 0), "resize": lambda x: np.resize(x, (2, 3)),
    "split": lambda x: np.array_split(x.ravel(), 2)[1], "vstack": lambda x: np.vstack([x, x]), "append": lambda x: np.append(x, x),
    "reshape": lambda x: np.reshape(x, (-1,), order="F"), "diagflat": lambda x: np.diagonal(np.diagflat(x)), "rot90": lambda x: np.rot90(np.atleast_2d(x)),
    "meshgrid": lambda x: np.meshgrid(x, x)[1], "unravel": lambda x: x.T.reshape(x.shape), "window": lambda x: np.lib.stride_tricks.sliding_window_view(x.ravel(), 1),
}  # fmt: skip
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)


@pytest.mark.parametrize("name", MOVES)
@given(shape=SHAPES)
def test_slopes_go_back_where_the_elements_came_from(name, shape):
    move = MOVES[name]
    x = np.random.default_rng(0).normal(size=shape)
    ids = move(np.arange(x.size).reshape(shape))
    w = np.random.default_rng(1).normal(size=ids.shape)
    value, g = wg.value_and_grad(lambda x: np.sum(w * move(x)))(x)
    assert value == pytest.approx(np.sum(w * x.ravel()[ids]))
    np.testing.assert_allclose(g.ravel(), np.bincount(ids.ravel(), w.ravel(), x.size), atol=1e-12)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("np.reshape(x, (4, 2))", ShapeError),
        ("x.reshape(-1, 4)", ShapeError),
        ("np.reshape(x, (-1, -1))", ShapeError),
        ("np.concatenate([x, np.ones((3, 3))], 1)", ShapeError),
        ("np.stack([x, np.ones(3)])", ValueError),
        ("np.transpose(x, (0, 0))", ValueError),
        ("np.squeeze(x, 0)", ValueError),
        ("np.split(x, 2, axis=1)", ValueError),
        ("np.moveaxis(x, 0, 5)", np.exceptions.AxisError),
        ("np.sum(x, axis=2)", np.exceptions.AxisError),
        ("np.sum(x, axis=(0, 0))", ValueError),
        ("np.broadcast_to(x, (3, 3))", ShapeError),
        ("np.pad(x, -1)", ValueError),
        ("x + np.ones((5, 3))", ShapeError),
        ("np.max(x, axis=0, where=np.ones(3, bool))", ValueError),
        ("np.max(x[:0])", ValueError),
    ],
)
def test_what_does_not_fit_raises_as_in_numpy(code, error):
    f = eval(compile(f"lambda x: {code}", "users_file.py", "eval"), {"np": np})
    with pytest.raises(error) as caught:
        wg.grad(lambda x: np.sum(f(x)))(np.ones((2, 3)))
    if isinstance(caught.value, WengertError):
        assert caught.value.where == "users_file.py:1"


def test_views_see_writes_and_copies_do_not():
    def f(x):
        x = x.copy()
        column, flat, own = x.T[0], x.ravel(), x.copy()
        x[0, 0] = 10 * x[1, 1]
        return column[0] + 2 * flat[0] + own[0, 0]

    g = wg.grad(f)(np.ones((2, 2)))
    np.testing.assert_array_equal(g, [[1, 0], [0, 30]])


def test_the_view_of_a_view_is_a_view():
    def f(x):
        x = x.copy()
        view = np.squeeze(x[None]).reshape(2, 2).swapaxes(0, 1)
        view[0, 1] = 5 * view[0, 0]
        return x[2] + x[0]

    np.testing.assert_array_equal(wg.grad(f)(np.ones(4)), [6, 0, 0, 0])


@given(SHAPES, st.data())
def test_reductions_take_any_axes(shape, data):
    x = np.random.default_rng(3).normal(size=shape)
    axes = data.draw(
        st.none() | st.integers(-len(shape), len(shape) - 1) | hnp.valid_tuple_axes(len(shape))
    )
    keepdims = data.draw(st.booleans())
    f = data.draw(
        st.sampled_from(
            [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, np.ptp, np.median, np.nansum]
        )
    )
    if axes == () and f is np.median:
        return
    truth = f(x, axis=axes, keepdims=keepdims)
    w = np.random.default_rng(4).normal(size=np.shape(truth))
    value, g = wg.value_and_grad(lambda x: np.sum(w * f(x, axis=axes, keepdims=keepdims)))(x)
    assert value == pytest.approx(np.sum(w * truth))
    assert g.shape == shape
