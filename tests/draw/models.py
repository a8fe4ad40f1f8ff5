"""Functions that are drawn in these tests; a file of their own, so that lines are known."""

import numpy as np

X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])


def loss(W):
    Z = X @ W
    Y = np.sin(Z)
    return np.sum(Y**2)


def wave(x):
    for _ in range(300):
        y = np.sin(x) * 0.9
        x = y + x * 0.1
    return x


def overflow(x):
    return 1 / np.exp(x)


def edge(x):
    return np.sqrt(x) * 2


def activation(z):
    return np.log(1 + np.exp(z))


def two_functions(w, x):
    hidden = activation(x * w)
    return np.sum(hidden * hidden)
