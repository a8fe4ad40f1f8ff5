"""Plain NumPy, line by line: the value is NumPy's, and both roads give the slope that is measured.

A line counts only when value and derivative are right, so the measurement is our own: central
differences of the plain function, extrapolated, with an estimate of their error that bounds what is
believed.
"""

import cmath
import copy
import functools
import inspect
import itertools
import math

import numpy as np
import pytest
from numpy import polynomial
from tests.numpy_api import scoreboard_scripts
from tests.numpy_api.scoreboard import BOARD

import wengert as wg

HERE = {
    "np": np,
    "math": math,
    "cmath": cmath,
    "functools": functools,
    "itertools": itertools,
    "copy": copy,
    "P": polynomial.polynomial, "C": polynomial.chebyshev, "L": polynomial.legendre, "H": polynomial.hermite,
    "HE": polynomial.hermite_e, "LA": polynomial.laguerre,
    **{name: getattr(polynomial, name) for name in polynomial.__all__ if name[0].isupper()},
}  # fmt: skip


def distinct(low, high, *shape, seed):
    """Numbers between two bounds, none near another, nor near a bound."""
    rng = np.random.default_rng(seed)
    n = math.prod(shape)
    return (low + (high - low) * (rng.permutation(n) + 0.2 + 0.6 * rng.random(n)) / n).reshape(
        shape
    )


NUMBERS = {
    "x": distinct(0.2, 0.9, 6, seed=1),
    "y": distinct(-2, 2, 6, seed=2),
    "p": distinct(1.1, 3, 6, seed=3),
    "A": np.array([[1.3, -0.4, 0.9], [0.2, -1.7, 0.5], [-0.8, 1.1, 0.6]]),
    "B": distinct(-2, 2, 3, 4, seed=4),
    "T": distinct(-2, 2, 2, 3, 4, seed=5),
    "s": np.float64(0.7),
    "t": np.float64(-1.3),
    "z": distinct(-2, 2, 4, seed=6) + 1j * distinct(-2, 2, 4, seed=7),
    "Z": distinct(-2, 2, 3, 3, seed=8) + 1j * distinct(-2, 2, 3, 3, seed=9),
}
LINES = [line.strip() for text in BOARD.values() for line in text.strip().splitlines()]
SCRIPTS = [f for _, f in inspect.getmembers(scoreboard_scripts, inspect.isfunction)]


def names_in(code):
    """All names that a piece of code, and the functions in it, read."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= names_in(constant)
    return found


def function_of(line):
    """A line as a function of the numbers it names, and these."""
    names = [n for n in NUMBERS if n in names_in(compile(line, line, "eval"))]
    return eval(f"lambda {', '.join(names)}: {line}", dict(HERE)), [NUMBERS[n] for n in names]


def flat(result):
    """The arrays and numbers in nested lists and tuples."""
    if isinstance(result, list | tuple):
        return [leaf for part in result for leaf in flat(part)]
    return [] if result is None else [result]


def own(args):
    """Arguments that nobody else holds."""
    return [np.copy(a)[()] for a in args]


def plain(f):
    """`f` as a function that gives a list of arrays."""
    return lambda *args: [np.asarray(y) for y in flat(f(*own(args)))]


def total(ys):
    """One number of all results: real and imaginary parts, each with a weight of its own."""
    rng = np.random.default_rng(3)
    found = 0.0
    for y in ys:
        first, second = rng.normal(size=np.shape(y)) + 0.5, rng.normal(size=np.shape(y))
        found = found + np.sum(np.real(y) * first) + np.sum(np.imag(y) * second)
    return found


def measured(f, args, dxs):
    """The slope of a plain function along `dxs`, and an estimate of its error (Richardson)."""

    def difference(h):
        up = f(*[a + h * d for a, d in zip(args, dxs, strict=True)])
        down = f(*[a - h * d for a, d in zip(args, dxs, strict=True)])
        return (up - down) / (2 * h)

    best, error = math.nan, math.inf
    above = []
    for k in range(7):
        row = [difference(2.0 ** -(7 + k))]
        for j in range(1, k + 1):
            row.append(row[j - 1] + (row[j - 1] - above[j - 1]) / (4**j - 1))
            off = max(abs(row[j] - row[j - 1]), abs(row[j] - above[j - 1]))
            if off < error:
                best, error = row[j], off
        above = row
    return best, error


def check(f, args):
    """Value, gradient and tangent of one entry of the board."""
    rng = np.random.default_rng(5)
    dxs = [
        rng.normal(size=a.shape) + (1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else 0)
        for a in args
    ]
    dxs = [dx[()] for dx in dxs]
    truth = plain(f)(*args)
    ours, _ = wg.vjp(lambda *xs: flat(f(*xs)), *own(args))
    assert len(ours) == len(truth)
    for y, other in zip(ours, truth, strict=True):
        assert (np.shape(y), np.asarray(y).dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(y, other, rtol=1e-12, atol=1e-13)
    slope, error = measured(lambda *xs: total(plain(f)(*xs)), args, dxs)
    scale = max(1.0, abs(slope))
    assert error <= 1e-6 * scale, "the point is too rough to measure a slope at"
    gradients = wg.grad(lambda *xs: total(flat(f(*xs))), argnums=tuple(range(len(args))))(
        *own(args)
    )
    along = sum(np.sum(np.real(np.conj(g) * dx)) for g, dx in zip(gradients, dxs, strict=True))
    assert abs(along - slope) <= 1e-8 * scale + 10 * error
    tangent = wg.jvp(lambda *xs: total(flat(f(*xs))), tuple(own(args)), tuple(dxs))[1]
    assert abs(tangent - along) <= 1e-9 * scale


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_numpy_has_its_value_and_its_derivative(line):
    check(*function_of(line))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_its_value_and_its_derivative(script):
    names = script.__code__.co_varnames[: script.__code__.co_argcount]
    check(script, [NUMBERS[n] for n in names])


def test_the_board_is_wide():
    assert len(LINES) == len(set(LINES))
    assert len(LINES) + len(SCRIPTS) > 900
