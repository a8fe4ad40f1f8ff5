"""gradcheck: a verdict on anybody's gradient, with its reason, and no step to choose."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import StructureError
from wengert.ops.families import Elementwise

wrong_sine = Elementwise(np.sin, lambda y, x: 2 * np.cos(x))
X = np.array([0.3, 1.2, 2.0])


def test_a_right_gradient_is_called_right_and_its_remainder_falls_like_a_square():
    found = wg.gradcheck(lambda x: np.sum(np.sin(x)), (X,), gradient=np.cos)
    assert found
    assert found.reason == "all slopes agree with balls"
    assert abs(found.order - 2) < 0.1


def test_a_wrong_gradient_has_a_remainder_that_falls_like_the_step():
    found = wg.gradcheck(lambda x: np.sum(np.sin(x)), (X,), gradient=lambda x: np.cos(x) + 0.1)
    assert not found
    assert abs(found.order - 1) < 0.1


@pytest.mark.parametrize(
    ("factor", "said"), [(2, "twice"), (-1, "minus"), (0.5, "half"), (1.25, "1.25 times")]
)
def test_a_factor_is_named(factor, said):
    found = wg.gradcheck(lambda x: np.sum(x**3), (X,), gradient=lambda x: factor * 3 * x**2)
    assert found.reason == f"every slope is {said} the true one"


def test_one_wrong_component_is_named():
    def gradient(x):
        g = 3 * x**2
        g[1] *= 2
        return g

    found = wg.gradcheck(lambda x: np.sum(x**3), (X,), gradient=gradient)
    assert found.reason.startswith("args[0][1] is twice the true one")
    assert [f.right for f in found.findings] == [True, False, True, False]


def test_a_forgotten_slope_is_called_zero():
    found = wg.gradcheck(lambda x, y: x * y, (2.0, 3.0), gradient=lambda x, y: (y, 0.0))
    assert "args[1] is zero, and should not be" in found.reason


def test_a_right_gradient_of_a_function_too_noisy_for_differences_is_still_called_right():
    """1e10 swamps what x moves: every difference quotient is rounding alone."""

    def f(x):
        return np.sum(1e10 + 1e-9 * np.sin(x))

    found = wg.gradcheck(f, (X,), gradient=lambda x: 1e-9 * np.cos(x), atol=1e-14)
    assert found
    assert "yours is right; the difference quotient is noisy below" in found.reason


def test_a_kink_is_said_with_both_slopes():
    found = wg.gradcheck(np.abs, (0.0,), gradient=lambda x: 0.0)
    assert found
    assert found.reason.startswith("kink within")
    assert "slopes -1 and 1, yours is their mean" in found.reason
    assert not wg.gradcheck(np.abs, (0.0,), gradient=lambda x: 1.5)
    beside = wg.gradcheck(lambda x: np.maximum(x, 0), (0.0,), gradient=lambda x: 0.0)
    assert beside
    assert "between them" in beside.reason


def test_a_black_box_that_cannot_be_traced_is_held_against_differences():
    def black(x):
        return float(np.sum(np.frombuffer(np.asarray(x, float).tobytes()) ** 2))

    found = wg.gradcheck(black, (X,), gradient=lambda x: 2 * x)
    assert found
    assert found.reason == "all slopes agree with differences"
    assert not wg.gradcheck(black, (X,), gradient=lambda x: 2.001 * x)


def test_a_gradient_may_be_given_as_its_value_in_containers():
    def f(p, s):
        return s * np.sum(p["w"] ** 2) + p["b"]

    args = ({"w": X, "b": 0.5}, 3.0)
    assert wg.gradcheck(f, args, gradient=({"w": 6 * X, "b": 1.0}, np.sum(X**2)))


def test_gradients_of_other_shapes_are_refused():
    with pytest.raises(StructureError, match="one entry per argument"):
        wg.gradcheck(lambda x: np.sum(x), (X,), gradient=lambda x: np.ones(2))
    with pytest.raises(StructureError, match="one real number"):
        wg.gradcheck(lambda x: x, (X,), gradient=lambda x: x)


def test_a_wrong_rule_of_our_own_is_found_with_its_line():
    def f(x):
        y = x * x
        return np.sum(wrong_sine(y))

    found = wg.gradcheck(f, (X,))
    assert not found
    assert "twice the true one" in found.reason
    assert "return np.sum(wrong_sine(y))" in found.reason


def test_our_own_derivatives_pass_at_second_order_in_both_modes():
    found = wg.gradcheck(lambda x: np.sum(np.exp(-x) * np.sin(x)), (X,), order=2)
    assert found
    said = {f.entry.split("(")[1] for f in found.findings}
    assert said == {
        "fwd)", "rev)", "fwd of fwd)", "rev of fwd)", "fwd of rev)", "rev of rev)"
    }  # fmt: skip


def test_a_slope_that_is_infinite_does_not_settle():
    found = wg.gradcheck(np.sqrt, (0.0,))
    assert not found


def test_the_verdict_reads_as_a_table():
    text = str(wg.gradcheck(lambda x: np.sum(x**2), (X,), gradient=lambda x: 4 * x))
    title, head, *rows = text.split("\n")
    assert title == "WRONG: every slope is twice the true one"
    assert head.split() == ["entry", "claimed", "true", "known", "by"]
    assert rows[0].startswith("args[0][0]")
    assert rows[0].endswith("twice the true one")


def test_a_right_gradient_of_a_function_that_cancels_is_called_right():
    cancels = lambda x: (1 - np.cos(x)) / x**2
    assert wg.testing.gradcheck(cancels, (1e-5,), gradient=lambda x: -x / 12)
    assert not wg.testing.gradcheck(cancels, (1e-5,), gradient=lambda x: -x / 6)


def test_noise_of_a_black_box_is_no_kink():
    draw = np.random.default_rng(3)
    a, b, x = draw.normal(size=(4, 3)), draw.normal(size=4), draw.normal(size=3)
    single = lambda x: float(np.float32(np.sum((a @ x - b) ** 2)))
    verdict = wg.testing.gradcheck(single, (x,), gradient=lambda x: 2 * a.T @ (a @ x - b))
    assert verdict
    assert "kink" not in verdict.reason
    assert not wg.testing.gradcheck(single, (x,), gradient=lambda x: 2.2 * a.T @ (a @ x - b))


def test_small_gradients_are_held_to_their_own_size():
    small = lambda x: 1e-12 * np.sum(np.sin(x))
    at = (np.array([0.3, 1.0]),)
    assert wg.testing.gradcheck(small, at, gradient=lambda x: 1e-12 * np.cos(x))
    assert wg.testing.gradcheck(small, at, gradient=lambda x: 2e-12 * np.cos(x)).reason == "every slope is twice the true one"  # fmt: skip
    assert wg.testing.gradcheck(small, at, gradient=lambda x: 2e-12 * np.cos(x), atol=1e-9)
