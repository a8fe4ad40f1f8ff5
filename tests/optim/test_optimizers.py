"""Optimisers: their steps by hand, and what they do with odd gradients."""

import math

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError, ShapeError


def steps(optimizer, gradients, start=1.0, dtype=float):
    w = wg.Variable(start, dtype=dtype)
    path = []
    for g in gradients:
        optimizer.apply_gradients([(np.asarray(g, dtype), w)])
        path.append(w.numpy())
    return path


def test_sgd_goes_down_the_gradient():
    assert steps(wg.optim.SGD(0.5), [1.0, -2.0]) == [0.5, 1.5]


def test_momentum_remembers():
    # v = -0.5, then 0.9 (-0.5) - 0.5 = -0.95
    np.testing.assert_allclose(steps(wg.optim.SGD(0.5, momentum=0.9), [1.0, 1.0]), [0.5, -0.45])


def test_nesterov_looks_ahead():
    # v = -0.5: w + 0.9 v - 0.5 = 1 - 0.45 - 0.5; then v = -0.95: - 0.855 - 0.5
    np.testing.assert_allclose(
        steps(wg.optim.SGD(0.5, 0.9, nesterov=True), [1.0, 1.0]), [0.05, -1.305]
    )


def test_adam_by_hand():
    gradients = [3.0, -1.0, 0.5]
    m = v = 0.0
    w, expected = 1.0, []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        w -= 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-7)
        expected.append(w)
    np.testing.assert_allclose(steps(wg.optim.Adam(0.1), gradients), expected, rtol=1e-14)


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    for g in (1e-3, 1.0, 1e6):
        np.testing.assert_allclose(steps(wg.optim.Adam(0.1), [g]), [0.9], atol=1e-3)


def test_epsilon_is_kerass():
    # v = 0.001 g², so its root is 0.0316 g, and epsilon stands beside that
    g = 1e-6
    step = math.sqrt(1 - 0.999) / (1 - 0.9) * 0.1 * g / (math.sqrt(0.001) * g + 1e-7)
    np.testing.assert_allclose(steps(wg.optim.Adam(1.0), [g]), [1 - step], rtol=1e-12)


def test_adams_denominator_counts_sizes_of_complex_gradients():
    (w,) = steps(wg.optim.Adam(0.1), [3 + 4j], dtype=complex)
    np.testing.assert_allclose(w, 1 - 0.1 * (0.6 + 0.8j), atol=1e-6)


@pytest.mark.parametrize("optimizer", [wg.optim.SGD(0.1, 0.9), wg.optim.Adam(0.1)])
def test_float32_stays_float32(optimizer):
    w = wg.Variable([1.0, 2.0], dtype=np.float32)
    optimizer.apply_gradients([(np.ones(2), w)])
    assert w.dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [lambda: wg.optim.SGD(0.05, 0.9, nesterov=True), lambda: wg.optim.Adam(0.05)],
    ids=["sgd", "adam"],
)
def test_a_valley_is_walked_to_its_bottom(make):
    optimizer, x = make(), wg.Variable([-1.0, 2.0])
    for _ in range(600):
        with wg.GradientTape() as tape:
            loss = (1 - x[0]) ** 2 + 5 * (x[1] - x[0]) ** 2
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])
    np.testing.assert_allclose(x, [1.0, 1.0], atol=5e-3)
    assert optimizer.iterations == 600


def test_each_variable_has_its_own_state():
    optimizer = wg.optim.Adam(0.1)
    a, b = wg.Variable(0.0), wg.Variable([0.0, 0.0])
    optimizer.apply_gradients([(1.0, a)])
    optimizer.apply_gradients([(1.0, a), (np.array([1.0, -1.0]), b)])
    np.testing.assert_allclose(b, [-0.1, 0.1], rtol=1e-5)


def test_the_learning_rate_may_be_a_schedule_or_change():
    optimizer = wg.optim.SGD(lambda step: 1.0 / (step + 1))
    assert steps(optimizer, [1.0, 1.0]) == [0.0, -0.5]
    optimizer = wg.optim.SGD(1.0)
    optimizer.learning_rate = 0.25
    assert steps(optimizer, [1.0]) == [0.75]


def test_a_missing_gradient_leaves_its_variable_alone_with_a_warning():
    a, b = wg.Variable(1.0, name="a"), wg.Variable(1.0, name="b")
    with pytest.warns(UserWarning, match="no gradient for b: they do not reach the loss"):
        wg.optim.SGD(0.5).apply_gradients(zip([1.0, None], [a, b], strict=True))
    assert (a.numpy(), b.numpy()) == (0.5, 1.0)


def test_no_gradient_at_all_is_an_error():
    with pytest.raises(InputError, match=r"no gradient for any variable \(a\)"):
        wg.optim.SGD().apply_gradients([(None, wg.Variable(1.0, name="a"))])
    with pytest.raises(InputError, match="there are none"):
        wg.optim.SGD().apply_gradients([])


def test_a_gradient_of_another_shape_is_an_error():
    with pytest.raises(ShapeError, match=r"a gradient of shape \(3,\) for 'w', which is f64\[2\]"):
        wg.optim.SGD().apply_gradients([(np.ones(3), wg.Variable([1.0, 2.0], name="w"))])


def test_a_step_inside_of_an_outer_tape_takes_the_numbers():
    x = wg.Variable(3.0)
    with wg.GradientTape(persistent=True) as tape:
        y = x**2
        wg.optim.SGD(0.5).apply_gradients([(tape.gradient(y, x), x)])
        z = x * 1.0
    assert z.numpy() == 0.0
    assert tape.gradient(z, x) == 1.0
