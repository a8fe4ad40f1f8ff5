"""What a tape gives: the derivative of what was recorded, whatever Python did on the way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as wg

KERNEL = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]], np.float32)
INPUT = np.array([[-1, 0, 1], [2, 3, 4], [-1, -5, 2]], np.float32)
SLOPE = [[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]]


def numeric(f, x, step=1e-6):
    """Central differences of a function of an array, as far as they are good."""
    x = np.array(x, float)
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        found[place] = (f(up) - f(down)) / (2 * step)
    return found


def test_the_layer_of_the_article_has_its_loss_and_its_gradient():
    kernel = wg.Variable(KERNEL, name="kernel")
    with wg.GradientTape() as tape:
        output = np.sin(np.matmul(wg.constant(INPUT), kernel))
        loss = np.sum(output**2)
    (gradient,) = tape.gradient(loss, [kernel])
    assert loss.numpy().dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(loss.numpy(), 2.422664, rtol=1e-6)
    np.testing.assert_allclose(gradient, SLOPE, rtol=2e-6, atol=1e-5)


def test_a_square_has_twice_its_side():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x**2
    slope = tape.gradient(y, x)
    assert slope == 6.0
    assert type(slope) is np.float64


@pytest.mark.parametrize(
    "f", ["x + y", "(x * y).T", "x.reshape(-1) + y.ravel()", "x[::-1] + y", "2 * x - y"]
)
def test_the_gradient_of_an_array_is_a_plain_array_of_its_own(f):
    x, y = wg.Variable(np.ones((3, 2))), wg.Variable(np.ones((3, 2)))
    with wg.GradientTape() as tape:
        z = np.sum(eval(f))
    gx, gy = tape.gradient(z, (x, y))
    for g in (gx, gy):
        assert type(g) is np.ndarray
        assert g.flags.writeable
        assert g.flags.owndata
    assert not np.shares_memory(gx, gy)


def test_sources_come_back_in_their_containers():
    w, b = wg.Variable(np.ones((3, 2))), wg.Variable(np.zeros(2))
    with wg.GradientTape(persistent=True) as tape:
        y = np.mean((np.array([[1.0, 2.0, 3.0]]) @ w + b) ** 2)
    slopes = tape.gradient(y, {"w": w, "rest": [b, None]})
    assert slopes["w"].shape == (3, 2)
    np.testing.assert_array_equal(slopes["rest"][0], tape.gradient(y, b))
    np.testing.assert_array_equal(tape.gradient(y, [w, b])[0], slopes["w"])


def test_plain_numpy_on_variables_is_recorded():
    v, w = wg.Variable([1.0, 2.0]), wg.Variable([[1.0, 0.5], [0.0, 2.0]])
    with wg.GradientTape() as tape:
        y = (
            np.sin(v)[0]
            + v[1] * (v @ w)[1]
            + np.sum(np.stack([v, 2 * v]) ** 2)
            + v.sum()
            + abs(-v).max()
        )

    def same(v):
        m = np.array([[1.0, 0.5], [0.0, 2.0]])
        return (
            np.sin(v)[0] + v[1] * (v @ m)[1] + np.sum(np.stack([v, 2 * v]) ** 2) + v.sum() + v.max()
        )

    np.testing.assert_allclose(tape.gradient(y, v), numeric(same, [1.0, 2.0]), rtol=1e-8)


MIXES = [
    "a + v", "a * v", "np.add(a, v)", "a @ v", "np.concatenate([a, v])", "np.where(a > 0, v, a)", "a[0] * v",
    "np.multiply.outer(a, v)", "np.dot(a, v)", "a**v", "np.maximum(a, v)", "np.linalg.norm(v - a)", "2.0 - v / a",
    "np.einsum('i,i->', a, v)", "(v - a).T[::-1]", "divmod(v, a)[1]", "(v > a) * v", "sum(v) * a",
    "[x * y for x, y in zip(v, a)][1]", "np.arctan2(v, a)", "np.arctan2(a, v)", "np.stack([a, v])", "a.dot(v)",
]  # fmt: skip


def mixed(mix, v, a):
    return np.sum(eval(mix, {"np": np, "a": a, "v": v}))


@pytest.mark.parametrize("mix", [m for m in MIXES if m != "a.dot(v)"])
@pytest.mark.parametrize("other", [np.array, wg.Variable, wg.constant])
def test_a_variable_mixes_with_arrays_variables_and_constants_on_either_side(mix, other):
    a = np.array([1.3, 0.4, 2.0])
    v = wg.Variable([0.5, 1.5, 1.1])
    with wg.GradientTape() as tape:
        y = mixed(mix, v, other(a))
    np.testing.assert_allclose(y.numpy(), mixed(mix, v.numpy(), a), rtol=1e-15)
    slope = numeric(lambda x: mixed(mix, x, a), v.numpy())
    np.testing.assert_allclose(tape.gradient(y, v), slope, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("other", [wg.Variable, wg.constant])
def test_a_traced_value_mixes_with_variables_and_constants_on_either_side(mix, other):
    v, a = wg.Variable([0.5, 1.5, 1.1]), other([1.3, 0.4, 2.0])
    with wg.GradientTape(persistent=True) as tape:
        t = v * v
        y, z = mixed(mix, t, a), mixed(mix, a, t)
    slope = numeric(lambda x: mixed(mix, x * x, a.numpy()), v.numpy())
    np.testing.assert_allclose(tape.gradient(y, v), slope, rtol=1e-7, atol=1e-9)
    slope = numeric(lambda x: mixed(mix, a.numpy(), x * x), v.numpy())
    np.testing.assert_allclose(
        tape.gradient(z, v, unconnected_gradients="zero"), slope, rtol=1e-7, atol=1e-9
    )


def test_the_gradient_of_an_array_is_that_of_its_sum():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        y = x * np.array([3.0, 4.0])
    assert tape.gradient(y, x) == 7.0


def test_the_gradient_of_several_targets_is_that_of_their_sum():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        targets = {"square": x**2, "inverse": [1 / x, 5.0]}
    assert tape.gradient(targets, x) == 4 - 1 / 4


def test_output_gradients_weigh_the_targets():
    x = wg.Variable([1.0, 2.0, 3.0])
    with wg.GradientTape(persistent=True) as tape:
        y, z = x**2, np.sum(x)
    weight = np.array([1.0, 0.0, -1.0])
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=weight), [2, 0, -6])
    np.testing.assert_array_equal(
        tape.gradient([y, z], x, output_gradients=[weight, 10.0]), [12, 10, 4]
    )
    np.testing.assert_array_equal(tape.gradient([y, z], x, [None, 10.0]), [12, 14, 16])
    np.testing.assert_array_equal(weight, [1, 0, -1])
    handed = tape.gradient(x, x, output_gradients=weight)
    assert handed is not weight


def test_the_target_may_be_the_variable_itself():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape() as tape:
        pass
    np.testing.assert_array_equal(tape.gradient(x, x), [1, 1])


def test_pythons_control_flow_decides_what_is_recorded():
    a, b, x = wg.Variable(2.0), wg.Variable(3.0), wg.constant(1.0)
    with wg.GradientTape(persistent=True) as tape:
        tape.watch(x)
        result = a if x > 0.0 else b**2
        for _ in range(3):
            result = result * x
    assert tape.gradient(result, a) == 1.0
    assert tape.gradient(result, x) == 6.0
    assert tape.gradient(result, b) is None


def test_an_intermediate_value_can_be_a_source():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x * x
        z = y * y
    assert tape.gradient(z, [x, y]) == [108.0, 18.0]


def test_complex_gradients_point_uphill():
    z = wg.Variable(1 + 2j)
    with wg.GradientTape(persistent=True) as tape:
        length, square = np.abs(z) ** 2, z**2
    np.testing.assert_allclose(tape.gradient(length, z), 2 + 4j, rtol=1e-15)
    assert tape.gradient(square, z) == np.conj(2 * (1 + 2j))


@pytest.mark.eager
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=5), st.floats(0.1, 2))
def test_the_tape_and_grad_agree(numbers, scale):
    def f(x):
        for _ in range(3):
            x = np.tanh(scale * x) + x * np.exp(-x * x)
        return np.sum(x[::-1] ** 2) + np.max(x)

    x = wg.Variable(np.array(numbers))
    with wg.GradientTape() as tape:
        y = f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), wg.grad(f)(np.array(numbers)))


def test_a_loop_of_training_steps_finds_the_line():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = 3.0 * x + 2.0 + 0.01 * rng.normal(size=200)
    w, b = wg.Variable(5.0), wg.Variable(0.0)
    for _ in range(200):
        with wg.GradientTape() as tape:
            loss = np.mean((w * x + b - y) ** 2)
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
    assert math.isclose(w.numpy(), 3.0, abs_tol=0.01)
    assert math.isclose(b.numpy(), 2.0, abs_tol=0.01)
