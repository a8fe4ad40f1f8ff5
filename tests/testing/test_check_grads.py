"""check_grads: agrees with right derivatives, and shows wrong ones in a table with their line."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

import wengert as wg
from wengert.ops.families import Elementwise

wrong_sine = Elementwise(np.sin, lambda y, x: np.cos(x) + 0.01)


def guilty(x):
    y = np.exp(x)
    z = wrong_sine(y)
    return np.sum(z * 2.0)


@dataclass
class Model:
    weights: np.ndarray
    scale: float
    name: str = "model"


def test_right_derivatives_pass_in_both_modes_and_orders():
    wg.check_grads(
        lambda x, y: np.sum(np.tanh(x @ y)) * y[0], (np.ones((2, 3)) / 3, np.arange(3.0)), order=2
    )


def test_containers_several_results_and_constants_pass():
    def f(model, batch):
        h = np.tanh(batch["x"] * model.weights)
        return {"loss": np.sum(h), "hidden": [h, model.scale * h], "count": 3}

    wg.check_grads(f, (Model(np.array([0.2, 0.4]), 3.0), {"x": np.array([1.0, 2.0])}), order=2)


def test_a_single_argument_needs_no_tuple():
    wg.check_grads(np.sin, 0.5)


def test_complex_functions_pass():
    wg.check_grads(lambda z: np.exp(z) * z, (np.array([0.3 + 0.2j, -1j]),), order=2)
    wg.check_grads(lambda z: np.sum(np.abs(z) ** 2), (np.array([0.3 + 0.2j, -1j]),))


def test_float32_passes_with_its_own_digits():
    wg.check_grads(lambda x: np.sum(np.log1p(x) * x), (np.array([0.3, 2.0], np.float32),), order=2)


def test_small_and_large_arguments_pass():
    wg.check_grads(lambda x: np.sum(np.log(x)), (np.array([1e-9, 1.0, 1e9]),), order=2)


def test_many_entries_are_sampled():
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(x * x)

    wg.check_grads(f, (np.linspace(0, 1, 100_000),), modes=("rev",))
    assert len(calls) < 5000


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_a_wrong_rule_is_shown_with_its_line(mode):
    with pytest.raises(AssertionError) as caught:
        wg.check_grads(guilty, (np.array([0.1, 0.2]),), modes=(mode,))
    title, head, *rows = str(caught.value).split("\n")
    assert re.match(rf"3 of 3 slopes of guilty are not what differences measure \({mode}\)", title)
    assert re.split(r"  +", head) == ["entry", "ours", "numeric", "error", "source line"]
    assert [row.split()[0] for row in rows] == ["args[0][0]", "args[0][1]", "all"]
    _, ours, numeric, error, line, text = re.split(r"  +", rows[0])
    assert abs(abs(float(ours) - float(numeric)) - float(error)) < 0.05 * float(error)
    assert re.fullmatch(r"test_check_grads\.py:\d+", line)
    assert text == "z = wrong_sine(y)"


def test_a_rule_that_is_wrong_at_second_order_only_is_found():
    cosine_without_slope = Elementwise(np.cos, None)
    sine = Elementwise(np.sin, lambda y, x: cosine_without_slope(x))
    wg.check_grads(sine, (0.5,))
    with pytest.raises(wg.testing.GradientsDiffer, match="fwd of fwd"):
        wg.check_grads(sine, (0.5,), order=2)


def test_a_slope_that_does_not_settle_is_not_called_right():
    assert not wg.gradcheck(np.sqrt, (0.0,))
    steep = lambda x: np.sqrt(np.abs(x))
    with pytest.raises(wg.testing.GradientsDiffer):
        wg.check_grads(steep, (1e-200,))
    assert wg.gradcheck(steep, (1e-200,))  # (balls can take a step that small)


def test_a_function_that_hides_a_dependence_is_found():
    def hides(x):
        return x * (x.number() if hasattr(x, "number") else x)

    assert not wg.gradcheck(hides, (0.5,))


def test_tolerances_are_the_callers():
    nearly = Elementwise(np.sin, lambda y, x: np.cos(x) * (1 + 1e-4))
    assert not wg.gradcheck(nearly, (0.5,))
    assert wg.gradcheck(nearly, (0.5,), rtol=1e-3)
    assert wg.gradcheck(nearly, (0.5,), atol=1e-3)
