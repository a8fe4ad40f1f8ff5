"""A tour of wg.GradientTape: TensorFlow's tape, on plain NumPy."""

import numpy as np

import wengert as wg


def slope_of_a_square():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x**2
    print("d(x²)/dx at 3:", tape.gradient(y, x))
    assert y.numpy() == 9.0  # values stay readable after the `with`


def slopes_of_a_model():
    rng = np.random.default_rng(0)
    w, b = wg.Variable(rng.normal(size=(3, 2)), name="w"), wg.Variable(np.zeros(2), name="b")
    x = np.array([[1.0, 2.0, 3.0]])
    with wg.GradientTape(persistent=True) as tape:  # persistent: it can be asked more than once
        y = x @ w + b
        loss = np.mean(y**2)
    slopes = tape.gradient(loss, {"w": w, "b": b})
    print("containers come back as they were:", {name: g.shape for name, g in slopes.items()})
    np.testing.assert_allclose(slopes["b"], y.numpy()[0])
    assert tape.jacobian(y, b).shape == (1, 2, 2)
    assert [v.name for v in tape.watched_variables()] == ["w", "b"]


def what_is_watched():
    variable, fixed, constant = (
        wg.Variable(3.0),
        wg.Variable(3.0, trainable=False),
        wg.constant(3.0),
    )
    with wg.GradientTape() as tape:
        array = tape.watch(np.array([1.0, 2.0]))  # of a plain array, use what watch returns
        y = np.sum(array) * variable**2 * fixed**2 * constant**2
    slopes = tape.gradient(y, [variable, fixed, constant, array])
    print("variable, fixed variable, constant, watched array:", slopes)
    assert slopes[0] == 1458.0
    assert slopes[1] is slopes[2] is None  # zeros with unconnected_gradients="zero"
    np.testing.assert_array_equal(slopes[3], [729.0, 729.0])


def second_derivative():
    x = wg.Variable(1.0)
    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            y = x**3
        slope = inner.gradient(y, x)  # recorded by the outer tape
    curvature = outer.gradient(slope, x)
    print("first and second derivative of x³ at 1:", slope, curvature)
    assert (slope, curvature) == (3.0, 6.0)


def each_example_its_own_jacobian():
    x = wg.Variable(np.linspace(0, 1, 8).reshape(4, 2))
    with wg.GradientTape() as tape:
        y = np.sin(x @ np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]))
    jacobians = tape.batch_jacobian(y, x)
    print("four Jacobians at once:", jacobians.shape)
    np.testing.assert_allclose(jacobians[:, 2, 1], np.cos(x[:, 1]))


def a_line_is_fitted(steps):
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    y = 3.0 * x + 2.0 + rng.normal(size=500)
    w, b = wg.Variable(5.0), wg.Variable(0.0)
    for _ in range(steps):
        with wg.GradientTape() as tape:
            loss = np.mean((w * x + b - y) ** 2)
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
    print(f"y = {w:.2f} x + {b:.2f} after {steps} steps, loss {loss:.3f}")
    return w.numpy(), b.numpy()


def main(steps=100):
    slope_of_a_square()
    slopes_of_a_model()
    what_is_watched()
    second_derivative()
    each_example_its_own_jacobian()
    return a_line_is_fitted(steps)


if __name__ == "__main__":
    np.testing.assert_allclose(main(), [3.0, 2.0], atol=0.1)
