"""The slopes of traced NumPy code are those that central differences measure, at two orders."""

import numpy as np
import pytest
from tests.numpy_api.table import ROWS, Row

import wengert as wg
from wengert import tree
from wengert.testing.differences import directional

MOVING = [row for row in ROWS if row.moves and any(np.prod(s) for s in row.shapes)]


def weighed(f, seed=5):
    """One real number made of all that `f` returns, each element with a weight of its own."""

    def total(*xs):
        rng = np.random.default_rng(seed)
        parts = []
        for y in tree.flatten(f(*xs))[0]:
            if y.dtype.kind in "fc":
                weight = rng.normal(size=y.shape)
                if y.dtype.kind == "c":
                    weight = weight + 1j * rng.normal(size=y.shape)
                parts.append(np.real(np.sum(np.where(np.isnan(y), 0, y) * weight)))
        return sum(parts[1:], parts[0])

    return total


def directions(args, seed=9):
    """Random tangents, one per argument."""
    rng = np.random.default_rng(seed)
    found = []
    for x in args:
        v = rng.normal(size=np.shape(x))
        if np.asarray(x).dtype.kind == "c":
            v = v + 1j * rng.normal(size=np.shape(x))
        found.append(v[()])
    return found


def along(gradients, dxs):
    """The slope in the direction `dxs`: gradients of real functions point where they grow."""
    return sum(np.sum(np.real(np.conj(g) * dx)) for g, dx in zip(gradients, dxs, strict=True))


def close(slope, measured, error):
    """Equal within what was measured; a measurement that says nothing does not count as agreement."""
    scale = max(1.0, abs(measured))
    assert error < 1e-4 * scale, "the point is too rough to measure a slope at"
    assert abs(slope - measured) <= 1e-8 * scale + 10 * error


CASES = [pytest.param(row, d, id=f"{row} {d}") for row in MOVING for d in row.dtypes if d in "dD"]


@pytest.mark.parametrize(("row", "dtype"), CASES)
def test_the_gradient_is_the_slope(row: Row, dtype):
    args = row.args(dtype, seed=3)
    loss, dxs = weighed(row.f), directions(args)
    gradients = wg.grad(loss, argnums=tuple(range(len(args))))(*args)
    for g, x in zip(gradients, args, strict=True):
        assert np.shape(g) == np.shape(x)
        assert np.asarray(g).dtype == np.asarray(x).dtype
    measured, error = directional(lambda *xs: np.atleast_1d(loss(*xs)), args, dxs, step=2.0**-10)
    close(along(gradients, dxs), measured[0], error[0])
    forward = wg.jvp(loss, tuple(args), tuple(dxs))[1]
    assert abs(forward - along(gradients, dxs)) <= 1e-9 * max(1.0, abs(forward))


@pytest.mark.parametrize(("row", "dtype"), CASES)
def test_the_gradient_of_a_slope_is_its_slope(row: Row, dtype):
    args = row.args(dtype, seed=4)
    dxs, dus = directions(args), directions(args, seed=10)
    argnums = tuple(range(len(args)))
    loss = weighed(row.f)
    gradient = wg.grad(lambda *xs: loss(*xs) ** 2 / 2 + loss(*xs), argnums=argnums)

    def slope(*xs):
        return along(gradient(*xs), dxs)

    second = wg.grad(slope, argnums=argnums)(*args)
    measured, error = directional(lambda *xs: np.atleast_1d(slope(*xs)), args, dus, step=2.0**-10)
    close(along(second, dus), measured[0], error[0])


SINGLE = [
    pytest.param(row, id=str(row)) for row in MOVING if "f" in row.dtypes and "d" in row.dtypes
]


@pytest.mark.parametrize("row", SINGLE)
def test_single_precision_stays_single(row: Row):
    args = row.args("f", seed=3)
    argnums = tuple(range(len(args)))
    loss = weighed(
        lambda *xs: [y.astype("f8") for y in tree.flatten(row.f(*xs))[0] if y.dtype.kind in "fc"]
    )
    single = wg.grad(loss, argnums=argnums)(*args)
    double = wg.grad(loss, argnums=argnums)(*(x.astype("d") for x in args))
    for g, truth in zip(single, double, strict=True):
        assert np.asarray(g).dtype == np.float32
        np.testing.assert_allclose(
            g, truth, rtol=1e-2, atol=1e-3 * max(1.0, np.max(np.abs(truth), initial=0))
        )
