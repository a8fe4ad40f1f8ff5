"""stabilise: rewrites are kept where balls say that value and derivatives gain, and only there."""

import pickle

import mpmath
import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError, TrustWarning

CASES = [
    (lambda x: (1 - np.cos(x)) / x**2, lambda x: (1 - mpmath.cos(x)) / x**2, 1e-8),
    (lambda x: np.sqrt(x + 1) - np.sqrt(x), lambda x: mpmath.sqrt(x + 1) - mpmath.sqrt(x), 1e12),
    (lambda x: 1 / (x + 1) - 2 / x + 1 / (x - 1), lambda x: 1 / (x + 1) - 2 / x + 1 / (x - 1), 1e6),
    (lambda x: np.log(1 + np.exp(x)), lambda x: mpmath.log(1 + mpmath.exp(x)), 1000.0),
    (lambda x: np.exp(x) - 1, lambda x: mpmath.exp(x) - 1, 1e-12),
    (lambda x: np.sin(x + 1e-9) - np.sin(x), lambda x: mpmath.sin(x + mpmath.mpf(1e-9)) - mpmath.sin(x), 1.0),
    (lambda x: np.log(x + np.sqrt(x * x + 1)), mpmath.asinh, 1e-12),
    (lambda x: np.tan(x + 1e-7) - np.tan(x), lambda x: mpmath.tan(x + mpmath.mpf(1e-7)) - mpmath.tan(x), 0.7),
    (lambda x: np.log(x + 1) - np.log(x), lambda x: mpmath.log(x + 1) - mpmath.log(x), 1e11),
    (lambda x: np.cbrt(x + 1) - np.cbrt(x), lambda x: mpmath.cbrt(x + 1) - mpmath.cbrt(x), 1e10),
    (lambda x: 1 / np.sqrt(x) - 1 / np.sqrt(x + 1), lambda x: 1 / mpmath.sqrt(x) - 1 / mpmath.sqrt(x + 1), 1e9),
    (lambda x: 1 - np.tanh(x), lambda x: 1 - mpmath.tanh(x), 17.0),
    (lambda x: np.sqrt(x * x + 1) - 1, lambda x: mpmath.sqrt(x * x + 1) - 1, 1e-6),
    (lambda x: (np.exp(x) - 2) + np.exp(-x), lambda x: mpmath.exp(x) - 2 + mpmath.exp(-x), 1e-5),
    (lambda x: np.arctan(x + 1) - np.arctan(x), lambda x: mpmath.atan(x + 1) - mpmath.atan(x), 1e7),
]  # fmt: skip


@pytest.mark.eager
@pytest.mark.parametrize(("f", "exact", "x"), CASES)
def test_value_and_slope_become_right(f, exact, x):
    g = wg.stabilise(f)
    with mpmath.workdps(80), np.errstate(all="ignore"):
        value, slope = exact(mpmath.mpf(x)), mpmath.diff(exact, mpmath.mpf(x))
        found = wg.value_and_grad(g)(x)
        plain = wg.value_and_grad(f, trust="off")(x)
        off = [float(abs((a - b) / b)) for a, b in zip(found, (value, slope), strict=True)]
        was = [float(abs((a - b) / b)) for a, b in zip(plain, (value, slope), strict=True)]
    assert max(off) < 4e-15
    assert not max(was) < 1e-11
    assert g.changes


def test_softmax_and_variance_in_rows_with_keepdims():
    def softmax(x):
        return np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)

    x = np.array([[800.0, 1.0, 799.0], [0.1, 0.2, 0.3]])
    g = wg.stabilise(softmax)
    e = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(g(x), e / e.sum(1, keepdims=True), rtol=1e-14)
    variance = wg.stabilise(lambda x: np.mean(x**2, axis=-1) - np.mean(x, axis=-1) ** 2)
    np.testing.assert_allclose(variance(1e8 + np.arange(6.0).reshape(2, 3)), 2 / 3, rtol=1e-14)


def test_a_value_may_gain_where_the_slope_stays_as_it_was():
    g = wg.stabilise(lambda x: (1 + 1 / x) ** x)
    np.testing.assert_allclose(g(1e14), np.exp(1 - 0.5e-14), rtol=1e-15)


def test_a_reshape_in_between_hides_nothing():
    f = lambda x: np.log(np.reshape(np.sum(np.exp(x), axis=1), (1, 2)))
    x = np.array([[1000.0, 0.0], [0.0, 2000.0]])
    np.testing.assert_allclose(wg.stabilise(f)(x), [[1000.0, 2000.0]])


def test_a_rewrite_that_ruins_the_derivative_is_not_kept():
    """(1-x)(1+x) has the better value near 1, and near 0 a derivative that cancels."""
    f = lambda x: 1 - x**2
    near_one, near_zero = wg.stabilise(f), wg.stabilise(f)
    near_one(1 - 1e-10), near_zero(1e-10)
    assert [c.says for c in near_one.changes] == ["1 - x**2 → (1 - x) * (1 + x)"]
    assert near_zero.changes == []
    both = wg.stabilise(f, box=(1e-12, 1 - 1e-10))
    both(0.5)
    assert both.changes == []


def test_a_box_counts_as_a_whole():
    f = lambda x: np.log(1 + x)
    g = wg.stabilise(f, box=(0.0, 1e-3))
    assert g(0.5e-3) == np.log1p(0.5e-3)
    g = wg.stabilise(lambda x, y: x * np.log(1 + y), box=((1.0, 1e-9), (2.0, 1e-6)))
    assert g(1.5, 1e-8) == 1.5 * np.log1p(1e-8)


def test_bodies_of_loops_and_branches_are_rewritten_too():
    def f(x):
        step = lambda c, t: (c + (1 - np.cos(x * t)) / x**2, None)
        total, _ = wg.scan(step, 0.0 * x, np.arange(1.0, 4.0))
        return total

    g = wg.stabilise(f)
    assert abs(g(1e-8) - 7.0) < 1e-13
    assert g.changes
    assert "1 - np.cos(x)" in g.changes[0].says


def test_the_rewritten_function_is_differentiated_batched_and_pickled():
    f = lambda x: np.exp(x) - 1
    g = wg.stabilise(f)
    g(1e-12)
    x = np.array([1e-12, 3e-12])
    np.testing.assert_allclose(wg.vmap(g)(x), np.expm1(x), rtol=1e-15)
    np.testing.assert_allclose(wg.hessian(g)(1e-12), np.exp(1e-12), rtol=1e-15)
    again = pickle.loads(pickle.dumps(wg.stabilise(np.square)))
    assert again(3.0) == 9.0


def test_each_path_through_the_function_is_looked_at():
    def f(x):
        return np.exp(x) - 1 if x < 1e-3 else np.log(1 + x)

    g = wg.stabilise(f)
    g(1e-12), g(2e-3)
    assert len(g.changes) >= 1
    assert g(1e-12) == np.expm1(1e-12)


def test_what_is_right_already_stays_as_it_is():
    g = wg.stabilise(lambda x: np.sum(np.sin(x) * np.exp(-x)))
    x = np.linspace(0.1, 2, 5)
    assert g(x) == np.sum(np.sin(x) * np.exp(-x))
    assert str(g).endswith("no rewrite helps here")


def test_changes_are_printed_with_line_and_bits(capsys):
    g = wg.stabilise(lambda x: np.exp(x) - 1, verbose=True)
    assert "call it" in str(g)
    g(1e-12)
    said = capsys.readouterr().out
    assert "np.exp(x) - 1 → np.expm1(x)" in said
    assert "→ 53 bits" in said
    assert "test_stabilise.py:" in said
    assert said.split() == str(g).split()[2:]


def test_float32_counts_its_own_bits():
    g = wg.stabilise(lambda x: np.exp(x) - np.float32(1))
    assert g(np.float32(1e-5)) == np.expm1(np.float32(1e-5))
    assert g.changes[0].after == 24


@pytest.mark.parametrize("box", [3.0, ((0.0, 1.0, 2.0), (1.0, 2.0, 3.0))])
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(InputError, match="box"):
        wg.stabilise(lambda x: np.exp(x) - 1, box=box)(0.5)


def test_inside_jit_and_vmap_a_box_says_where():
    def f(x):
        return (1 - np.cos(x)) / x**2

    g = wg.grad(wg.stabilise(f, box=(1e-9, 2.0)))
    np.testing.assert_allclose(wg.jit(g)(1e-8), -1e-8 / 12, rtol=1e-14)
    np.testing.assert_allclose(wg.vmap(g)(np.array([1e-8, 1e-6])), [-1e-8 / 12, -1e-6 / 12])


def test_without_numbers_and_without_a_box_it_says_that_nothing_was_done():
    def wavy(x):
        return (1 - np.cos(x)) / x**2

    with pytest.warns(TrustWarning, match="stabilise leaves wavy as it is") as seen:
        wg.vmap(wg.stabilise(wavy))(np.array([0.5, 1.0]))
    assert seen[0].filename == __file__
    assert "box=(low, high)" in str(seen[0].message)
    known = wg.stabilise(wavy)
    known(1e-8)  # a call outside before
    np.testing.assert_allclose(wg.jit(wg.grad(known))(1e-8), -1e-8 / 12, rtol=1e-14)
