"""Functions written in C++ as differentiable functions in Python.

The C++ half of "Automatic Differentiation with Python and C++ for Deep Learning", compiled as it
stands there: once with wengert's dual numbers, once with Eigen's AutoDiffScalar.
"""

import numpy as np

import wengert as wg
from wengert.cpp.toolchain import find_compiler, find_eigen

MY_FUNCTION = """
template<typename T>
T my_function(const T& x)
{
    T result = T(1)/(T(1) + exp(-x));
    return result;
}
"""

CUSTOM_LAYER = """
#include <unsupported/Eigen/CXX11/Tensor>

template <typename T>
Eigen::Tensor<T, 2> CustomLayer(Eigen::Tensor<T, 2> &X, Eigen::Tensor<T, 2> &W,
                                std::function<Eigen::Tensor<T, 2>(Eigen::Tensor<T, 2>&)> activation)
{
    Eigen::array<Eigen::IndexPair<Eigen::Index>, 1> dims = { Eigen::IndexPair<Eigen::Index>(1, 0) };
    Eigen::Tensor<T, 2> Z = X.contract(W, dims);
    Eigen::Tensor<T, 2> result = activation(Z);
    return result;
};

template <typename T>
T sine(T t) { return sin(t); }

template <typename T>
Eigen::Tensor<T, 2> sin_activation(Eigen::Tensor<T, 2> & P) {
    Eigen::Tensor<T, 2> result = P.unaryExpr(std::ref(sine<T>));
    return result;
};

template <typename T>
T loss(Eigen::Tensor<T, 2> &X, Eigen::Tensor<T, 2> &W) {
    Eigen::Tensor<T, 2> Y = CustomLayer<T>(X, W, sin_activation<T>);
    Eigen::Tensor<T, 0> sum = (Y * Y).sum();
    return sum(0);
}
"""


def first_derivative(backend):
    my_function = wg.cpp_function(MY_FUNCTION, "my_function", backend=backend)
    slope = wg.grad(my_function)(2.0)
    print(f"{backend}: Y = {my_function(2.0):.6f}, derivative {slope:.6f}")
    assert np.isclose(my_function(2.0), 0.880797078)
    assert np.isclose(slope, 0.1049935854)
    x = np.linspace(-4, 4, 9)  # a batch of points, and second derivatives: nothing more to write
    curvature = wg.vmap(wg.grad(wg.grad(my_function)))(x)
    np.testing.assert_allclose(curvature, -np.sinh(x / 2) / (4 * np.cosh(x / 2) ** 3), atol=1e-12)


def layer(backend):
    loss = wg.cpp_function(CUSTOM_LAYER, "loss", backend=backend)
    X = np.array([[-1, 0, 1], [2, 3, 4], [-1, -5, 2]], np.float32)
    W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]], np.float32)
    dX, dW = wg.grad(loss, (0, 1))(X, W)
    print(f"{backend}: loss {loss(X, W):.6f}, gradient by W:\n{dW}\nand by X:\n{dX}")
    np.testing.assert_allclose(loss(X, W), 2.422664, rtol=1e-6)
    expected = [[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]]
    np.testing.assert_allclose(dW, expected, rtol=2e-6)  # as TensorFlow, and example 03, have it
    np.testing.assert_allclose(dX[0], [-0.6270500, 0.5673435, 0.7524600], rtol=1e-5)


def main():
    try:
        find_compiler()
    except wg.errors.CppError as error:
        return print("This example needs a C++ compiler:", error.what)
    first_derivative("wengert")
    if find_eigen() is None:
        return print("Its second half needs Eigen (Debian, Ubuntu: apt-get install libeigen3-dev).")
    first_derivative("eigen")
    layer("wengert")
    return layer("eigen")


if __name__ == "__main__":
    main()
