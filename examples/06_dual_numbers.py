"""Dual numbers: a value and its derivatives go through ordinary functions together.

The C++ half of "Automatic Differentiation with Python and C++ for Deep Learning", with NumPy arrays
in place of Eigen's tensors. The functions know nothing of derivatives.
"""

import numpy as np

import wengert as wg


def my_function(x):
    return 1 / (1 + np.exp(-x))


def custom_layer(inputs, kernel, activation):
    return activation(inputs @ kernel)


def first_derivative():
    """One variable of one: its derivative vector is [1]."""
    x = wg.AutoDiffScalar(2.0, [1.0])
    y = my_function(x)
    print("Y:", y)
    print("derivatives:", y.derivatives())
    assert np.isclose(y.value(), 0.880797078)
    assert np.isclose(y.derivatives()[0], 0.1049935854)
    for plain in (2, 2.0, 2 + 0j, np.array([2.0, -2.0])):  # generic in the number type
        print(f"my_function({plain}) =", my_function(plain))


def layer():
    """Derivatives by the inputs and by the weights, carried along together."""
    x_in = np.array([[-1, 0, 1], [2, 3, 4], [-1, -5, 2]], np.float32)
    w_in = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]], np.float32)

    size = x_in.size + w_in.size
    inputs = wg.convert(x_in, 0, size)
    kernel = wg.convert(w_in, x_in.size, size)

    output = custom_layer(inputs, kernel, np.sin)
    loss = np.sum(output**2)
    d_inputs, d_kernel = wg.gradients(loss, inputs, kernel)
    print("\nloss:", loss)
    print("gradient by the kernel:\n", d_kernel)
    print("gradient by the inputs:\n", d_inputs)
    assert np.isclose(loss.value(), 2.422664)
    np.testing.assert_allclose(
        d_kernel,
        [[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        d_inputs,
        [
            [-0.6270500419, 0.5673434696, 0.7524600503],
            [-0.3502120181, -0.3913277947, 0.4202544217],
            [0.3828766745, 0.4732084394, -0.4594520094],
        ],
        rtol=1e-5,
    )


def curvature():
    """Duals of duals: the derivatives of the derivatives."""
    x = np.array([1.0, 2.0])
    y = np.prod(wg.convert(wg.convert(x, 0, 2), 0, 2) ** 2)
    hessian = y.derivatives().derivatives()
    print("\nHessian of (x0 x1)² at (1, 2):\n", hessian)
    np.testing.assert_allclose(hessian, [[8, 8], [8, 2]])


def main():
    first_derivative()
    layer()
    curvature()


if __name__ == "__main__":
    main()
