"""Products are linear in each factor, and say so when shapes do not fit."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as wg
from wengert.errors import ShapeError, UnsupportedError


@st.composite
def sums(draw):
    """A valid spec of an Einstein sum, with operands."""
    letters = string.ascii_lowercase[: draw(st.integers(1, 4))]
    extents = {c: draw(st.integers(1, 3)) for c in letters}
    terms = draw(st.lists(st.text(letters, max_size=3), min_size=1, max_size=3))
    known = sorted({c for t in terms for c in t})
    out = "".join(draw(st.permutations(known))[: draw(st.integers(0, len(known)))])
    spec = ",".join(terms) + draw(st.sampled_from(["", f"->{out}"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return spec, [rng.normal(size=tuple(extents[c] for c in t)) for t in terms]


@given(sums())
def test_any_einstein_sum_is_numpys_and_linear_in_each_factor(case):
    spec, xs = case

    def f(*xs):
        y = np.einsum(spec, *xs)
        return np.sum(y * np.cos(1 + np.arange(y.size)).reshape(y.shape))

    value, gradients = wg.value_and_grad(f, argnums=tuple(range(len(xs))))(*xs)
    scale = 1 + sum(np.abs(x).sum() for x in xs) ** len(xs)
    assert abs(value - f(*xs)) <= 1e-13 * scale
    for g, x in zip(gradients, xs, strict=True):  # Euler: a linear function is its slope times x
        assert abs(np.sum(g * x) - value) <= 1e-13 * scale


@given(sums())
def test_the_slope_of_an_einstein_sum_moves_with_the_other_factors(case):
    spec, xs = case

    def f(*xs):
        return np.sum(np.sin(np.einsum(spec, *xs)))

    first = wg.grad(f)
    rest = [np.ones_like(x) for x in xs]
    nested = wg.grad(lambda *xs: np.sum(first(*xs) * rest[0]), argnums=tuple(range(len(xs))))(*xs)
    h = 1e-6
    for k, x in enumerate(xs):
        v = np.cos(np.arange(x.size)).reshape(x.shape)
        up, down = ([y + s * h * v if n == k else y for n, y in enumerate(xs)] for s in (1, -1))
        slope = (np.sum(first(*up)) - np.sum(first(*down))) / (2 * h)
        assert np.sum(nested[k] * v) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    "spec", ["ij,jk->iz", "ij,jk->ii", "ijk,jk->i", "i,jk->ik", "ij->ij,", "ij,kk->ij"]
)
def test_a_spec_that_does_not_fit_raises(spec):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="einsum"):
        wg.grad(lambda x: np.sum(np.einsum(spec, x, x)))(x)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (4, 2)), ((3,), (2, 3)), ((2, 2, 3), (4, 5)), ((2, 2, 3), (4, 3, 2))]
)
def test_matmul_of_shapes_that_do_not_fit_names_the_line(shapes):
    a, b = map(np.ones, shapes)
    with pytest.raises(ShapeError, match=r"test_products\.py:\d+: matmul"):
        wg.grad(lambda a: np.sum(a @ b))(a)


def test_tensordot_of_shapes_that_do_not_fit_names_the_line():
    with pytest.raises(ShapeError, match=r"test_products\.py:\d+: tensordot"):
        wg.grad(lambda a: np.sum(np.tensordot(a, np.ones((4, 2)), 1)))(np.ones((2, 3)))


def test_matmul_with_axes_says_what_to_do():
    with pytest.raises(UnsupportedError, match=r"np\.moveaxis"):
        wg.grad(lambda a: np.sum(np.matmul(a, a, axes=[(0, 1)] * 3)))(np.ones((2, 2)))


def test_products_with_no_elements_to_sum_are_zero():
    g = wg.grad(
        lambda a: np.sum(a @ np.ones((0, 2))) + np.sum(np.tensordot(a, np.ones((0, 4)), 1))
    )(np.ones((3, 0)))
    assert g.shape == (3, 0)
    assert wg.grad(lambda a: np.sum(np.einsum("ij,jk", np.ones((2, 0)), a)))(
        np.ones((0, 3))
    ).shape == (0, 3)


def test_out_receives_the_product():
    def f(a):
        y = np.zeros_like(a)
        np.dot(a, a, out=y)
        np.multiply(y, 2.0, out=y)
        return np.sum(y)

    a = np.random.default_rng(0).normal(size=(2, 2))
    np.testing.assert_allclose(wg.grad(f)(a), wg.grad(lambda a: 2 * np.sum(a @ a))(a))


def test_a_chain_of_matrices_is_multiplied_in_the_cheapest_order():
    seen = []

    def f(a, b, c):
        y = np.linalg.multi_dot([a, b, c])
        seen.append(y)
        return np.sum(y)

    a, b, c = np.ones((9, 1)), np.ones((1, 9)), np.ones((9, 1))
    program = wg.program(f)(a, b, c)
    shapes = [e.outputs[0].type.shape for e in program.eqns if e.prim.name == "matmul"]
    assert shapes == [(1, 1), (9, 1)]


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from(["full", "same", "valid"]))
def test_convolution_is_linear_in_each_factor(n, m, mode):
    rng = np.random.default_rng(n + 10 * m)
    a, b = rng.normal(size=n), rng.normal(size=m)
    for function in (np.convolve, np.correlate):
        w = rng.normal(size=function(a, b, mode).shape)
        value, (ga, gb) = wg.value_and_grad(
            lambda a, b, f=function, w=w: np.sum(w * f(a, b, mode)), argnums=(0, 1)
        )(a, b)
        assert np.sum(ga * a) == pytest.approx(value)
        assert np.sum(gb * b) == pytest.approx(value)


@pytest.mark.parametrize("terms", [1, 2, 3, 6])
def test_a_compiled_polynomial_division_leaves_what_division_leaves(terms):
    """NumPy trims zeros by their values; compiled code knows those that division makes at any values."""
    p = np.array([1.9, 2.7, 2.5, 1.5, 2.1, 1.3])
    q = np.linspace(2.0, 1.0, terms)
    for got, want in zip(wg.jit(np.polydiv)(p, q), np.polydiv(p, q), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-13)
