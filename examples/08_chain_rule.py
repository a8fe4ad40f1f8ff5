"""The chain rule, written out: each elementary step, its local derivative, and their product.

Figures 3 to 7 of "Automatic Differentiation with Python and C++ for Deep Learning", for the
article's layer and for a function with two paths.
"""

import numpy as np

import wengert as wg

X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])
W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])


def loss(W):
    Z = X @ W
    Y = np.sin(Z)
    return np.sum(Y**2)


def product_and_sum(x, y):
    return x * y + np.sin(x)


def main():
    told = wg.chain_rule(loss)(W)
    print(told)
    assert "Xᵀ @ (2·v2 · cos(v1))" in str(told)
    by_hand = X.T @ (2 * np.sin(X @ W) * np.cos(X @ W))
    np.testing.assert_allclose(told.gradient["W"], by_hand)

    print("\n" + "-" * 80 + "\n")
    told = wg.chain_rule(product_and_sum)(2.0, 3.0)
    print(told)
    along = [float(path.value) for path in told.paths if path.input == "x"]
    assert np.isclose(sum(along), 3 + np.cos(2))

    print("\nThe same in LaTeX:\n")
    print(told.latex())


if __name__ == "__main__":
    main()
