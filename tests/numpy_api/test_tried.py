"""Errors that a function catches: they are raised where plain numbers raise them, in every mode."""

import math

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ConcretizationError, NativeWarning


def indefinite(x):
    try:
        return np.linalg.cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]) * x)[0, 0]
    except np.linalg.LinAlgError:
        return x**3


def jitter(x):
    for more in (0.0, 1e-8, 2.0, 5.0):
        try:
            factor = np.linalg.cholesky(np.array([[x, 2.0], [2.0, 1.0]]) + more * np.eye(2))
            break
        except (KeyError, np.linalg.LinAlgError):
            continue
    return np.log(np.diag(factor)).sum()


def singular(x):
    try:
        with np.errstate(all="ignore"):
            return np.linalg.inv(np.array([[x, x], [x, x]])).sum()
    except IndexError:
        return x
    except Exception:
        return x**2


def only_tried(x):
    try:
        np.linalg.cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]) * x)  # (nobody reads it)
    except:  # noqa: E722
        return x**3
    return x


def helper(x):
    return np.linalg.solve(np.array([[x, x], [x, x]]), np.ones(2))


def in_a_helper(x):
    try:
        return np.sum(helper(x))
    except np.linalg.LinAlgError:
        return 2 * x
    finally:
        pass


def divided(x):
    try:
        return 1 / (x - 1.3)
    except ZeroDivisionError:
        return 7 * x


def logarithm(x):
    try:
        y = math.log(x - 2)
    except ValueError:
        y = x * x
    return 3 * y


def too_large(x):
    try:
        y = math.exp(1000 * x)
    except OverflowError:
        y = x**3
    return y


def power(x):
    try:
        y = (1e200 * x) ** 3
    except ArithmeticError:
        y = 5 * x
    return y


def root_of_a_negative(x):
    return abs((-x) ** (1 / 3))  # (of Python's floats, this is complex)


def with_an_inf(x):
    try:
        with np.errstate(all="raise"):
            return np.sum(np.exp(1000 * x * np.ones(2)))
    except FloatingPointError:
        return 4 * x


FUNCTIONS = [
    with_an_inf,
    indefinite,
    jitter,
    singular,
    only_tried,
    in_a_helper,
    divided,
    logarithm,
    too_large,
    power,
    root_of_a_negative,
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_what_is_caught_is_what_plain_numbers_raise(f):
    x = 1.3
    slope = (f(x * (1 + 1e-7)) - f(x * (1 - 1e-7))) / (2e-7 * x)
    slope = 7.0 if f is divided else slope  # (a hole in the plain function)
    value, gradient = wg.value_and_grad(f)(x)
    assert value == pytest.approx(f(x), rel=1e-14)
    assert gradient == pytest.approx(slope, rel=1e-6)
    assert wg.jvp(f, (x,), (1.0,))[1] == pytest.approx(gradient, rel=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS[:10], ids=lambda f: f.__name__)
def test_such_a_function_is_not_compiled_and_says_so(f):
    with pytest.warns(NativeWarning, match="`try` asks|errstate"):
        compiled = wg.jit(wg.grad(f))(1.3)
    assert compiled == wg.grad(f)(1.3)


@pytest.mark.filterwarnings("error::wengert.errors.NativeWarning")
def test_a_try_for_other_errors_is_compiled():
    def f(x):
        try:
            return np.linalg.inv(np.array([[x, 1.0], [1.0, 5.0]])).sum()
        except (KeyError, IndexError):
            return x

    assert wg.jit(wg.grad(f))(1.3) == pytest.approx(wg.grad(f)(1.3))


@pytest.mark.filterwarnings("error::wengert.errors.NativeWarning")
def test_what_is_only_silenced_is_compiled():
    def f(x):
        with np.errstate(all="ignore", over="warn"):
            return x**2

    assert wg.jit(wg.grad(f))(1.3) == 2.6


def test_errors_of_numpy_wanted_on_types_alone_are_refused():
    with pytest.raises(
        ConcretizationError, match=r"test_tried\.py:\d+: np.errstate\(all='raise'\)"
    ):
        wg.vmap(with_an_inf)(np.ones(2))


@pytest.mark.filterwarnings("ignore")
def test_where_nobody_catches_it_an_infinity_or_nan_tells_where_it_was_born():
    assert np.isnan(wg.grad(lambda x: math.sqrt(-x))(1.3))
    assert wg.value_and_grad(lambda x: 1 / (x - 1.3))(1.3)[0] == np.inf


def converted(x):
    try:
        y = float(x)
    except Exception:
        y = 0.0
    return x * y


def unknown_library(x):
    try:
        return np.sum(np.ma.masked_array(x, False)) * x
    except (TypeError, KeyError):
        return x


@pytest.mark.parametrize("f", [converted, unknown_library], ids=lambda f: f.__name__)
def test_a_refusal_that_the_function_catches_is_raised_at_its_end(f):
    for derivative in (
        wg.grad(f),
        wg.grad(wg.grad(f)),
        lambda x: wg.jvp(f, (x,), (x,)),
    ):
        with pytest.raises(ConcretizationError, match=r"test_tried\.py:\d+: "):
            derivative(1.3)


def test_who_catches_it_by_name_knows_it():
    def f(x):
        try:
            return float(x) * x
        except ConcretizationError:
            return 2 * x

    assert wg.grad(f)(1.3) == 2.0


def test_what_numpy_itself_catches_is_no_refusal():
    def f(x):
        try:
            return np.sum(np.asarray(x) * np.sin([x, x]))
        except Exception:
            return 0 * x

    assert wg.grad(f)(1.3) == pytest.approx(2 * math.sin(1.3) + 2 * 1.3 * math.cos(1.3))
