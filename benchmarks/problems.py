"""The functions that are differentiated, each written once over a NumPy-like module `np`.

HIPS autograd is handed its `autograd.numpy`, wengert plain NumPy.
"""

import numpy


def rosenbrock(np):
    """The banana valley in n dimensions, on slices."""

    def f(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return f


def mlp(np):
    """Cross-entropy of a 64-128-10 network on a batch of 128."""
    rng = numpy.random.default_rng(1)
    images, labels = rng.normal(size=(128, 64)), numpy.eye(10)[rng.integers(10, size=128)]

    def f(params):
        (w1, b1), (w2, b2) = params
        scores = np.tanh(images @ w1 + b1) @ w2 + b2
        scores = scores - np.max(scores, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(scores), axis=1)) - np.sum(labels * scores, axis=1))

    return f


def lstm(np):
    """A long short-term memory of 32 units, unrolled over 50 steps of a batch of 16."""
    steps, units = numpy.random.default_rng(2).normal(size=(50, 16, 8)), 32

    def sigmoid(x):
        return 0.5 * (np.tanh(0.5 * x) + 1)

    def f(params):
        w, u, b = params
        h = c = numpy.zeros((16, units))
        for x in steps:
            z = x @ w + h @ u + b
            keep, write, show = (sigmoid(z[:, k * units : (k + 1) * units]) for k in range(3))
            c = keep * c + write * np.tanh(z[:, 3 * units :])
            h = show * np.tanh(c)
        return np.sum(h**2)

    return f


def arm(np):
    """Squared distance from the hand of an arm to a target: 4 × 4 matrices made of scalars."""
    target = numpy.array([1.0, 2.0, 0.5, 1.0])
    stack = lambda rows: np.stack([np.stack(row) for row in rows])
    matrix = stack if np is numpy else np.array  # each side its faster spelling

    def joint(angle):
        c, s = np.cos(angle), np.sin(angle)
        return matrix([
            (c, -s, 0.0, c),
            (0.6 * s, 0.6 * c, -0.8, 0.6 * s),
            (0.8 * s, 0.8 * c, 0.6, 0.8 * s),
            (0.0, 0.0, 0.0, 1.0),
        ])  # fmt: skip

    def f(angles):
        hand = numpy.eye(4)
        for k in range(len(angles)):
            hand = hand @ joint(angles[k])
        return np.sum((hand[:, 3] - target) ** 2)

    return f


def problems():
    """Name, function of the module, argument."""
    rng = numpy.random.default_rng(0)
    draw = lambda *shape: 0.3 * rng.normal(size=shape)
    yield "Rosenbrock, n = 10", rosenbrock, draw(10)
    yield "Rosenbrock, n = 1000", rosenbrock, draw(1000)
    yield "MLP 64-128-10, batch 128", mlp, [(draw(64, 128), draw(128)), (draw(128, 10), draw(10))]
    yield "LSTM, 50 steps", lstm, (draw(8, 128), draw(32, 128), draw(128))
    yield "arm of 10 joints", arm, draw(10)


def calls(np):
    """Single calls on a vector of three and a 3 × 3 matrix, by name."""
    return {
        "x + x": lambda x, a: x + x,
        "2 * x": lambda x, a: 2 * x,
        "x ** 2": lambda x, a: x**2,
        "np.sin": lambda x, a: np.sin(x),
        "np.exp": lambda x, a: np.exp(x),
        "np.log": lambda x, a: np.log(x),
        "np.tanh": lambda x, a: np.tanh(x),
        "np.sqrt": lambda x, a: np.sqrt(x),
        "np.maximum": lambda x, a: np.maximum(x, 0.5),
        "np.where": lambda x, a: np.where(x > 0.5, x, 0.0),
        "x[0]": lambda x, a: x[0],
        "x[1:]": lambda x, a: x[1:],
        "x[:, None]": lambda x, a: x[:, None],
        "np.sum": lambda x, a: np.sum(x),
        "np.mean, axis 0": lambda x, a: np.mean(a, axis=0),
        "np.max": lambda x, a: np.max(x),
        "np.reshape": lambda x, a: np.reshape(a, (9,)),
        "a.T": lambda x, a: a.T,
        "a @ x": lambda x, a: a @ x,
        "np.concatenate": lambda x, a: np.concatenate([x, x]),
        "np.stack": lambda x, a: np.stack([x, x]),
    }


def fill(n):
    """Write element by element into a buffer."""

    def f(x):
        y = x.copy()
        for k in range(n):
            y[k] = x[k] ** 2
        return y.sum()

    return f


def read(n):
    """Read element by element."""

    def f(x):
        total = 0.0
        for k in range(n):
            total = total + x[k] ** 2
        return total

    return f
