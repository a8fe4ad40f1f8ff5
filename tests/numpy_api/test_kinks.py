"""Slopes at kinks, ties and removable singularities of the array functions."""

import math

import numpy as np
import pytest

import wengert as wg

X = np.array([1.0, 3.0, 3.0, 2.0])


def test_a_selection_gives_nothing_to_what_it_did_not_select():
    with np.errstate(all="ignore"):
        for f in (
            lambda x: np.where(x > 0, np.log(x), 0),
            lambda x: np.where(x <= 0, 0, 1 / x),
            lambda x: np.select([x > 0], [np.sqrt(x)], 0),
            lambda x: np.choose((x > 0).astype(int), [0 * x, np.log(x)]),
            lambda x: np.piecewise(x, [x > 0], [np.log, 0.0]),
            lambda x: np.nansum(np.where(x > 0, x, np.log(x - 1))),
            lambda x: np.sum(np.log(x), where=x > 0),
        ):
            first = wg.grad(lambda x, f=f: np.sum(f(x)))
            np.testing.assert_array_equal(first(np.zeros(2)), np.zeros(2))
            np.testing.assert_array_equal(
                wg.grad(lambda x, g=first: np.sum(g(x)))(np.zeros(2)), np.zeros(2)
            )


def function(code):
    """The function of x that a line of code describes."""
    return eval(f"lambda x: {code}", {"np": np})


@pytest.mark.parametrize(
    ("code", "x", "slope"),
    [
        ("np.clip(x, 0, 1)", 1.0, 0.5),
        ("np.clip(x, 0, 1)", 0.0, 0.5),
        ("np.clip(x, 0, 1)", 2.0, 0.0),
        ("np.clip(5.0, x, 9.0)", 5.0, 0.5),
        ("np.interp(x, [0, 1, 3], [0, 2, 3])", 1.0, (2 + 0.5) / 2),
        ("np.interp(x, [0, 1, 3], [0, 2, 3])", 0.0, 1.0),
        ("np.interp(x, [0, 1, 3], [0, 2, 3])", 3.0, 0.25),
        ("np.interp(x, [0, 1, 3], [0, 2, 3])", 7.0, 0.0),
        ("np.interp(1.0, np.stack([0, x, 3]), [0, 2, 3])", 1.0, -(2 + 0.5) / 2),
        ("np.interp(x, [0, 1, 1, 3], [0, 2, 2, 3])", 0.5, 2.0),
        ("np.sinc(x)", 0.0, 0.0),
        ("np.heaviside(x, 0.5)", 0.0, 0.0),
        ("np.nan_to_num(x)", np.nan, 0.0),
        ("np.nan_to_num(x)", 3.0, 1.0),
        ("np.std(np.stack([x, 1.0]))", 1.0, 0.0),
        ("np.ptp(np.stack([x, 1.0]))", 1.0, 0.0),
    ],
)
def test_slope_of_a_number(code, x, slope):
    with np.errstate(all="ignore"):
        assert wg.grad(function(code))(x) == pytest.approx(slope, abs=1e-15)


@pytest.mark.parametrize(
    ("code", "slope"),
    [
        ("np.max(x)", [0, 0.5, 0.5, 0]),
        ("np.maximum.reduce(x)", [0, 0.5, 0.5, 0]),
        ("np.maximum.accumulate(x)[-1]", [0, 0.5, 0.5, 0]),
        ("np.sum(np.maximum.accumulate(x))", [1, 2, 1, 0]),
        ("np.sum(np.minimum.accumulate(-x))", [-1, -2, -1, 0]),
        ("np.linalg.norm(x, np.inf)", [0, 0.5, 0.5, 0]),
        ("np.nanmax(x)", [0, 0.5, 0.5, 0]),
        ("np.median(x)", [0, 0.5, 0, 0.5]),
        ("np.quantile(x, 0.0)", [1, 0, 0, 0]),
        ("np.sum(np.sort(x) * [1, 2, 3, 4])", [1, 3, 4, 2]),
    ],
)
def test_ties_share_and_keep_their_sum(code, slope):
    np.testing.assert_allclose(wg.grad(function(code))(X), slope)


def test_logaddexp_shares_between_equal_infinities():
    for value in (-np.inf, np.inf, 0.0, 1e17):
        x = np.array([value, value])
        np.testing.assert_array_equal(
            wg.grad(lambda x: np.logaddexp.reduce(x), trust="off")(x), [0.5, 0.5]
        )
    x = np.array([-np.inf, 1.0, -np.inf])
    np.testing.assert_array_equal(wg.grad(lambda x: np.logaddexp.reduce(x))(x), [0, 1, 0])


def test_sums_of_exponentials_do_not_overflow():
    np.testing.assert_allclose(
        wg.grad(lambda x: np.logaddexp.reduce(x))(np.array([1000.0, 1000.0, 0.0])), [0.5, 0.5, 0]
    )


def sinc_series(x, order):
    """A derivative of sinc by its power series, which converges everywhere."""
    return math.fsum(
        (-1) ** k
        * math.pi ** (2 * k)
        * x ** (2 * k - order)
        * math.perm(2 * k, order)
        / math.factorial(2 * k + 1)
        for k in range((order + 1) // 2, 40)
    )


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-9, 1e-3, -0.1, 0.25, 0.318, 0.319, -0.5, 1.0, 2.3])
def test_sinc_is_smooth(x):
    first = wg.grad(np.sinc)
    assert first(x) == pytest.approx(sinc_series(x, 1), rel=1e-12, abs=1e-14)
    assert wg.grad(first)(x) == pytest.approx(sinc_series(x, 2), rel=1e-11, abs=1e-12)
    assert wg.grad(wg.grad(first))(x) == pytest.approx(sinc_series(x, 3), rel=1e-10, abs=1e-10)


def test_the_standard_deviation_of_equal_numbers_has_slope_zero():
    for f in (np.std, lambda x: np.std(x, ddof=1), lambda x: np.nanstd(x), lambda x: x.std()):
        np.testing.assert_array_equal(wg.grad(f)(np.ones(3)), np.zeros(3))


def test_products_of_zeros_have_their_slopes():
    np.testing.assert_array_equal(wg.grad(np.prod)(np.array([0.0, 2.0, 3.0])), [6, 0, 0])
    np.testing.assert_array_equal(wg.grad(np.prod)(np.array([0.0, 0.0, 3.0])), [0, 0, 0])
    np.testing.assert_array_equal(
        wg.grad(lambda x: np.cumprod(x)[-1])(np.array([2.0, 0.0, 3.0])), [0, 6, 0]
    )
    np.testing.assert_array_equal(
        wg.grad(lambda x: np.sum(wg.grad(np.prod)(x)))(np.array([0.0, 0.0, 3.0])), [3, 3, 0]
    )


def test_rounding_has_slope_zero_and_unwrapping_slope_one():
    x = np.array([0.2, 4.0, 9.0])
    np.testing.assert_array_equal(
        wg.grad(lambda x: np.sum(np.round(x, 1) + np.fix(x)))(x), np.zeros(3)
    )
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(np.unwrap(x)))(x), np.ones(3))


def test_weak_scalars_leave_the_dtype_alone():
    x = np.ones(3, np.float32)
    for f in (
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.where(x > 0, 2, x),
        lambda x: np.clip(x, 0.5, 2),
        lambda x: np.select([x > 0], [x], 1.0),
        lambda x: np.nan_to_num(x, nan=1.5),
        lambda x: np.max(x, initial=0.5) * 1.0,
        lambda x: np.quantile(x, 0.5),
        lambda x: np.linspace(0, x, 3),
        lambda x: np.linalg.norm(x, 3),
        lambda x: np.average(x),
        lambda x: np.gradient(x, 0.5),
        lambda x: np.trapezoid(x, dx=0.5),
        lambda x: np.std(x, ddof=1),
        lambda x: np.polyval([1.0, 2.0], x)[:0].astype(x.dtype),
    ):
        dtypes = []

        def g(x, f=f, dtypes=dtypes):
            y = f(x)
            dtypes.append(y.dtype)
            return np.sum(y)

        assert wg.grad(g)(x).dtype == np.float32
        assert dtypes == [np.float32]


MINUS = -0.0
CUTS = {
    np.sqrt: [-1 + 0j, complex(-1, MINUS)],
    np.log: [-2 + 0j, complex(-2, MINUS)],
    np.arccos: [1.2 + 0j, complex(1.2, MINUS), -1.2 + 0j, complex(-1.2, MINUS)],
    np.arcsin: [1.2 + 0j, complex(1.2, MINUS), -1.2 + 0j, complex(-1.2, MINUS)],
    np.arccosh: [0.5 + 0j, complex(0.5, MINUS), -2 + 0j, complex(-2, MINUS)],
    np.arctanh: [2 + 0j, complex(2, MINUS), -2 + 0j, complex(-2, MINUS)],
}


@pytest.mark.parametrize("f", CUTS, ids=lambda f: f.__name__)
def test_on_a_cut_the_slope_is_that_of_the_side_that_the_zero_names(f):
    for z in map(np.complex128, CUTS[f]):
        up, down = (np.complex128(complex(z.real + h, z.imag)) for h in (1e-6, -1e-6))
        slope = (f(up) - f(down)) / 2e-6
        assert wg.jvp(f, (z,), (np.complex128(1),))[1] == pytest.approx(slope, rel=1e-8)
