"""How results lie in memory: what `ravel` and `reshape` share, and in which order they read, is NumPy's."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import UnsupportedError

Y = np.array([1.0, 2.0, 3.5])


def square(y):
    return np.outer(y, np.sin(y))


MADE = {
    "outer": square,
    "transposed": lambda y: square(y).T + 0,
    "tile": lambda y: np.tile(y, (3, 1)),
    "repeat": lambda y: np.repeat(y[None], 3, 0),
    "columns": lambda y: np.repeat(y[:, None], 3, 1),
    "meshgrid": lambda y: np.meshgrid(y, y)[0],
    "meshgrid, the other": lambda y: np.meshgrid(y, y, indexing="ij")[0],
    "full": lambda y: np.full((3, 3), y),
    "full_like": lambda y: np.full_like(square(y).T, y),
    "zeros_like": lambda y: np.zeros_like(square(y).T) + 0 * y,
    "ones_like, written": lambda y: (lambda z: (z.__setitem__(0, y), z)[1])(
        np.ones_like(square(y).T)
    ),
    "asfortranarray": lambda y: np.asfortranarray(square(y)) * 2,
    "ascontiguousarray": lambda y: np.ascontiguousarray(square(y).T),
    "array, order F": lambda y: np.array([y, y * y, y], order="F"),
    "copy": lambda y: np.copy(square(y).T),
    "copy of a part": lambda y: np.copy(np.concatenate([square(y), square(y)], 1)[:, ::2]),
    "its own copy": lambda y: square(y).T.copy(),
    "take": lambda y: np.take(square(y), [0, 2, 1], 1),
    "picked": lambda y: square(y)[:, [0, 2, 1]],
    "compress": lambda y: np.compress([1, 1, 1], square(y), 1),
    "choose": lambda y: np.choose(np.zeros((3, 3), int), [square(y).T]),
    "select": lambda y: np.select([square(y).T > 1], [square(y).T]),
    "where": lambda y: np.where(square(y).T > 1, y[0], 0.0),
    "stack": lambda y: np.mean(np.stack([square(y).T, 2 * square(y).T]), axis=0),
    "gradient": lambda y: np.gradient(square(y).T, axis=1),
    "polyval": lambda y: np.polyval(y, square(y).T),
    "pad": lambda y: np.pad(square(y).T, 1, mode="edge")[:3, :3],
    "einsum": lambda y: np.einsum("ij,kj->ki", square(y), np.diag(y)),
    "sort": lambda y: np.sort(square(y).T, 0),
    "real": lambda y: (square(y) + 0j).real,
    "solve": lambda y: np.linalg.solve(np.eye(3), square(y).T),
}
SHARED = {
    "ravel": lambda m: m.ravel(),
    "ravel of the transpose": lambda m: m.T.ravel(),
    "reshape": lambda m: m.reshape(-1),
    "rows": lambda m: m.reshape(9, 1)[:, 0],
    "order F": lambda m: m.ravel(order="F"),
    "order K": lambda m: np.ravel(m, "K"),
    "order A": lambda m: m.ravel("A"),
    "reshape, order F": lambda m: m.reshape(-1, order="F"),
    "reshape, order A": lambda m: np.reshape(m, -1, order="A"),
    "a part": lambda m: m[::2].ravel(),
    "a column": lambda m: m[:, 1].ravel(),
    "parts of a column": lambda m: m[:, 1].reshape(-1),
}


@pytest.mark.filterwarnings("ignore::wengert.errors.NativeWarning")
@pytest.mark.parametrize("name", MADE)
def test_a_write_through_another_shape_is_seen_where_numpy_shares(name):
    weights = np.random.default_rng(0).normal(size=(3, 3))
    for shared in SHARED.values():

        def f(y, shared=shared):
            m = MADE[name](y)
            part = shared(m)
            part[1::4] = part[1::4] * 3 - 10 * y[0]
            return np.sum(weights * m) + part[:3] @ y

        truth = f(Y)
        slopes = [(f(Y + d) - f(Y - d)) / 2e-6 for d in 1e-6 * np.eye(3)]
        value, gradient = wg.value_and_grad(f)(Y)
        assert value == pytest.approx(truth, rel=1e-12)
        np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6)
        assert wg.jvp(f, (Y,), (Y,)) == pytest.approx((truth, gradient @ Y), rel=1e-9)
        assert wg.jit(f)(Y) == pytest.approx(truth, rel=1e-12)


def test_where_the_order_is_not_known_it_is_asked_for():
    def f(a):
        return np.sum(np.einsum("ij,jk->ki", a, a).ravel("K") * np.arange(4.0))

    with pytest.raises(UnsupportedError, match="name the order"):
        wg.vmap(f)(np.ones((2, 2, 2)))
