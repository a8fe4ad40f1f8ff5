"""Walks that were written out: the same numbers as step by step, whatever path a call takes."""

import threading
import warnings

import numpy as np
import pytest
from tests.laws.programs import PROGRAMS

import wengert as wg
from wengert.errors import NonFiniteWarning, TracerLeakError
from wengert.trace import path
from wengert.transforms import written
from wengert.transforms.written import Walk

MANY = (
    written._CALLS + 12
)  # (Python itself counts instructions anew where it has made them quicker)


def walks(gradient):
    """The walks that were written for a gradient."""
    found, rest = [], [gradient.paths.start]
    while rest:
        step = rest.pop()
        rest.extend(step.next())
        found += [w for w in (step.walks or {}).values() if callable(w)]
    return found


def bits(values):
    return [(np.shape(v), np.asarray(v).dtype, np.asarray(v).tobytes()) for v in values]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_call_gives_the_bits_of_the_first(name):
    f, args = PROGRAMS[name]
    gradient = wg.grad(f, argnums=tuple(range(len(args))))
    first = bits(gradient(*args))
    for _ in range(MANY):
        assert bits(gradient(*args)) == first


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_second_derivative_gives_the_bits_of_the_first(name):
    f, args = PROGRAMS[name]
    slope = wg.grad(f, argnums=tuple(range(len(args))))
    second = wg.grad(lambda *xs: sum(np.sum(g * g) for g in slope(*xs)), trust="off")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = bits([second(*args)])
        for _ in range(MANY):
            assert bits([second(*args)]) == first


@pytest.mark.eager
def test_other_numbers_on_the_same_path_give_their_own_slopes():
    rng = np.random.default_rng(0)
    gradient = wg.grad(lambda x: np.sum(np.exp(x[1:]) * np.sin(x[:-1]) + np.tanh(x[0] * x[1:])))
    for _ in range(MANY):
        x = rng.normal(size=6)
        wanted = wg.grad(gradient.fun)(x)
        assert bits([gradient(x)]) == bits([wanted])
    assert walks(gradient)


def test_a_branch_of_python_has_a_path_of_its_own():
    def f(x):
        return np.sum(x**2) if x[0] > 0 else np.sum(np.sin(x))

    gradient = wg.grad(f)
    for k in range(2 * MANY):
        x = np.array([(-1.0) ** k, 2.0])
        np.testing.assert_allclose(gradient(x), np.cos(x) if k % 2 else 2 * x)
    assert len(walks(gradient)) == 2


def test_constants_and_captured_arrays_may_change_from_call_to_call():
    state = {"rate": 0.0, "weights": np.ones(3), "power": 2}

    def f(x):
        return np.sum(state["rate"] * state["weights"] * x ** state["power"])

    gradient = wg.grad(f)
    x = np.array([1.0, 2.0, 3.0])
    for k in range(100):
        state.update(rate=0.1 * k, weights=np.arange(3.0) + k, power=2 + k % 3)
        p = state["power"]
        wanted = 0.1 * k * state["weights"] * p * x ** (p - 1)
        np.testing.assert_allclose(gradient(x), wanted)


def test_zeros_of_either_sign_are_constants_of_their_own():
    state = {"zero": 0.0}
    gradient = wg.grad(lambda x: np.sum(1 / (x * state["zero"] + np.copysign(1, state["zero"]))))
    for k in range(MANY):
        state["zero"] = (-1.0) ** k * 0.0
        assert np.signbit(gradient(np.ones(2))).tolist() == [k % 2 == 0] * 2 or k % 2


@pytest.mark.eager
def test_a_zero_stops_an_infinite_slope_on_a_written_walk_too():
    gradient = wg.grad(
        lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)) + 0 * np.sum(np.sqrt(x)), trust="off"
    )
    for k in range(MANY):
        x = np.array([4.0, 0.0 if k > MANY - 3 else 1.0])
        wanted = [0.25, 0.0 if k > MANY - 3 else 0.5]  # (not nan, which 0 · ∞ is)
        np.testing.assert_array_equal(gradient(x), wanted)
    assert walks(gradient)


def test_a_nan_is_told_from_its_line_after_many_calls():
    gradient = wg.grad(lambda x: np.sum(np.log(x)))
    for _ in range(MANY):
        gradient(np.ones(2))
    with pytest.warns(NonFiniteWarning, match="log"), np.errstate(all="ignore"):
        assert np.isinf(gradient(np.array([0.0, 1.0]))[0])


def test_equal_equations_on_other_lines_are_told_apart():
    def f(x, first):
        if first:
            return np.sum(np.log(x))  # one
        return np.sum(np.log(x))  # other

    gradient = wg.grad(f)
    for k in range(2 * MANY):
        gradient(np.ones(2), k % 2)
    with pytest.warns(NonFiniteWarning, match="# one"), np.errstate(all="ignore"):
        gradient(np.zeros(2), True)
    with pytest.warns(NonFiniteWarning, match="# other"), np.errstate(all="ignore"):
        gradient(np.zeros(2), False)


def test_a_function_may_differentiate_itself():
    def f(x, depth):
        return x**3 if depth == 0 else gradient(x, depth - 1) * x

    gradient = wg.grad(f)
    for _ in range(MANY):
        # f₂ = x d/dx (x d/dx x³) = 9 x³
        np.testing.assert_allclose(gradient(2.0, 2), 27 * 4.0)


def test_threads_share_a_gradient():
    gradient = wg.grad(lambda x: np.sum(np.sin(x) * np.exp(-x * x)))
    wrong = []

    def work(seed):
        x = np.random.default_rng(seed).normal(size=50)
        wanted = np.exp(-x * x) * (np.cos(x) - 2 * x * np.sin(x))
        wrong.extend(seed for _ in range(200) if not np.allclose(gradient(x), wanted))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.eager
def test_what_is_new_at_every_call_does_not_pile_up():
    rng = np.random.default_rng(0)
    gradient = wg.grad(lambda x: np.sum(x * rng.normal()) + np.sum(x[: rng.integers(1, 50)]))
    for _ in range(300):
        gradient(np.ones(50))
    assert gradient.paths.size < 20 * path._BRANCHES**2
    assert gradient.paths.lost > 0


@pytest.mark.eager
def test_a_long_function_goes_on_where_the_paths_end(monkeypatch):
    monkeypatch.setattr(path, "_STEPS", 30)

    def f(x):
        y = x
        for _ in range(100):
            y = np.sin(y) + x
        return np.sum(y)

    gradient, x = wg.grad(f), np.linspace(0, 1, 4)
    first = gradient(x)
    for _ in range(MANY):
        assert bits([gradient(x)]) == bits([first])
    assert gradient.paths.size == 30


def test_a_value_that_outlives_its_call_is_refused():
    kept = []
    gradient = wg.grad(lambda x: (kept.append(np.sin(x)), np.sum(kept[-1] * x))[1])
    for _ in range(MANY):
        gradient(np.ones(3))
    with pytest.raises(TracerLeakError):
        np.exp(kept[0])


def test_large_cotangents_share_no_memory_with_anybody():
    x = np.linspace(0.1, 1.0, 5000)
    gradient = wg.grad(lambda x, y: np.sum(x + y) + np.sum(x * y) + np.sum(x + x), argnums=(0, 1))
    for _ in range(MANY):
        dx, dy = gradient(x, 2 * x)
        np.testing.assert_allclose(dx, 3 + 2 * x)
        np.testing.assert_allclose(dy, 1 + x)
        assert not np.shares_memory(dx, dy)
    np.testing.assert_array_equal(x, np.linspace(0.1, 1.0, 5000))


@pytest.mark.eager
def test_a_walk_is_a_python_function():
    gradient = wg.grad(lambda x: np.sum(x * x))
    for _ in range(MANY):
        gradient(np.ones(2))
    walk: Walk = walks(gradient)[0]
    assert walk.__code__.co_filename == "<wengert: a walk backwards>"


@pytest.mark.eager
def test_a_value_that_is_not_finite_is_told_though_the_slopes_are():
    state = {"more": 1.0}
    gradient = wg.grad(lambda x: np.sum(x) + state["more"])
    for _ in range(MANY):
        gradient(np.ones(2))
    state["more"] = np.inf
    with pytest.warns(NonFiniteWarning) as told:
        np.testing.assert_array_equal(gradient(np.ones(2)), 1.0)
    assert [w.category for w in told] == [NonFiniteWarning]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_walk_in_parts_is_the_same_walk(name, monkeypatch):
    monkeypatch.setattr(written, "_LINES", 3)
    f, args = PROGRAMS[name]
    gradient = wg.grad(f, argnums=tuple(range(len(args))))
    first = bits(gradient(*args))
    for _ in range(MANY):
        assert bits(gradient(*args)) == first


@pytest.mark.eager
def test_a_long_walk_reuses_memory_as_a_short_one_does(monkeypatch):
    x = np.linspace(0.1, 1.0, 5000)

    def f(x):
        y = x
        for _ in range(8):
            y = np.sin(y) * x + y
        return np.sum(y)

    first = wg.grad(f)(x)
    for lines in (5, 600):
        monkeypatch.setattr(written, "_LINES", lines)
        gradient = wg.grad(f)
        for _ in range(MANY):
            assert bits([gradient(x)]) == bits([first])
        assert walks(gradient)
