"""Composite functions as a user writes them, for tests that hold one way to a derivative against another.

A row is a function and its arguments; all arguments are differentiated. Every function returns one
real number, smooth at its point.
"""

import math

import numpy as np

rng = np.random.default_rng(0)


def draw(*shape):
    """A fixed point of the given shape."""
    return rng.uniform(0.25, 1.25, shape)


def mlp(weights, bias, out, x):
    hidden = np.tanh(x @ weights + bias)
    return np.mean((hidden @ out - 1.0) ** 2)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logsumexp(x):
    high = np.max(x, axis=1, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(x - high), axis=1)) + high[:, 0])


def softmax_loss(x, labels_as_weights):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return -np.sum(labels_as_weights * np.log(e / np.sum(e, axis=-1, keepdims=True)))


def writes(x):
    y = np.zeros_like(x) + x * 0
    y[0] = x[1] * x[2]
    y[1:3] = np.sin(x[:2])
    y[-1] += x[0]
    y *= 2.0
    return np.sum(y * x)


def views(x):
    y = x * 1.0
    y[::2] = y[1::2] ** 2
    y[1:] *= y[:-1]
    return np.sum(y**2)


def running(x):
    total = x[0]
    for k in range(1, len(x)):
        total = total * 0.5 + np.sin(x[k]) * x[k - 1]
    return total


def branches(x):
    if x[0] > 10:
        return np.sum(x)
    return np.prod(x) if x[1] > 0 else np.sum(np.exp(x))


def chain(*angles):
    state = np.eye(3)
    for a in angles:
        c, s = np.cos(a), np.sin(a)
        rows = [np.stack([c, -s, 0.0]), np.stack([s, c, a]), np.stack([0.0, 0.0, 1.0])]
        state = np.stack(rows) @ state
    return np.sum(state**3)


def newton(a):
    x = 1.0
    for _ in range(6):
        x = x - (x * x - a) / (2 * x)
    return x


def gaussian(mean, spread, x):
    z = (x - mean) / spread
    return -0.5 * np.sum(z * z) - len(x) * np.log(spread) - 0.5 * len(x) * math.log(2 * math.pi)


def pairs(x):
    apart = x[:, None, :] - x[None, :, :]
    far = np.sqrt(np.sum(apart**2, axis=-1) + 0.1)
    return np.sum(1 / far) + np.sum(np.triu(far, 1))


def gathers(x, table):
    rows = np.array([2, 0, 2, 1])
    return np.sum(table[rows] * x[rows, None]) + np.sum(table[[0, 1], [1, 0]])


PROGRAMS = {
    "polynomial": (lambda x: 3 * x**3 - 2 * x + 1 / x, (0.7,)),
    "mlp": (mlp, (draw(4, 5), draw(5), draw(5, 2), draw(3, 4))),
    "rosenbrock": (rosenbrock, (draw(6),)),
    "logsumexp": (logsumexp, (draw(3, 4),)),
    "softmax loss": (softmax_loss, (draw(3, 4), draw(3, 4))),
    "cumulative product": (lambda x: np.sum(np.cumprod(x) * np.cumsum(x)), (draw(5),)),
    "product over axes": (lambda x: np.sum(np.prod(x, axis=0) * np.prod(x, axis=1)), (draw(3, 3),)),
    "matrix chain": (lambda a, b, c: np.trace(a @ b @ c @ c), (draw(3, 4), draw(4, 3), draw(3, 3))),
    "bilinear": (lambda x, a, y: x @ a @ y, (draw(3), draw(3, 4), draw(4))),
    "batched matmul": (lambda a, b: np.sum(np.matmul(a, b) ** 2), (draw(2, 3, 4), draw(2, 4, 2))),
    "outer": (lambda x, y: np.sum(np.outer(x, y) ** 2), (draw(3), draw(2))),
    "einsum": (lambda a, b: np.sum(np.einsum("ij,kj->ik", a, b) ** 2), (draw(2, 3), draw(4, 3))),
    "tensordot": (lambda a, b: np.sum(np.tensordot(a, b, axes=([1], [0])) ** 2), (draw(2, 3), draw(3, 2, 2))),
    "where": (lambda x: np.sum(np.where(x > 0.7, np.log(x), x * x)), (draw(5),)),
    "maximum and clip": (lambda x: np.sum(np.maximum(x, 0.5) * np.clip(x, 0.3, 0.9)), (draw(5),)),
    "norm": (lambda x: np.linalg.norm(x) + np.sum(np.linalg.norm(x, axis=0)), (draw(3, 2),)),
    "standard deviation": (lambda x: np.std(x) * np.var(x, axis=0)[1] + np.mean(x), (draw(4, 2),)),
    "broadcasting": (lambda x, y, z: np.sum((x[:, None] + y) * z), (draw(3), draw(4), 0.3)),
    "reshaping": (lambda x: np.sum(np.reshape(x.T, (2, 6))[:, ::-1] * np.reshape(x, (2, 6))), (draw(4, 3),)),
    "joining": (lambda x, y: np.sum(np.concatenate([x, y, x * y]) * np.stack([x, y, y]).ravel()), (draw(3), draw(3))),
    "slicing": (lambda x: np.sum(x[1:, ::-1] * x[:-1]) + x[0, -1] * x[-1, 0], (draw(3, 3),)),
    "gathering": (gathers, (draw(3), draw(3, 2))),
    "writing": (writes, (draw(4),)),
    "writing through views": (views, (draw(6),)),
    "a loop": (running, (draw(5),)),
    "a branch": (branches, (draw(3),)),
    "rotations from scalars": (chain, (0.3, 0.5, 0.7)),
    "newton": (newton, (2.5,)),
    "gaussian": (gaussian, (0.4, 1.2, draw(5))),
    "all pairs": (pairs, (draw(4, 2),)),
    "trigonometry": (lambda x: np.sum(np.arctan2(np.sin(x), np.cos(2 * x)) * np.hypot(x, 1.0)), (draw(4),)),
    "hyperbolic": (lambda x: np.sum(np.arcsinh(np.sinh(x)) * np.arctanh(np.tanh(x) * 0.5)), (draw(4),)),
    "powers": (lambda x, p: np.sum(x**p + np.float_power(x, 3) + np.sqrt(x)), (draw(4), 1.7)),
    "complex in between": (lambda x: np.sum(np.abs(np.exp(1j * x) + x) ** 2) + np.real((1j + x[0]) ** 3 + np.sign(x[1] + 1j)), (draw(4),)),
    "quotient and remainder": (lambda x: np.sum(np.mod(5 * x, 0.33) + x / (x + 1)), (draw(4),)),
    "sorting": (lambda x: np.sum(np.sort(x) * np.arange(4.0)) + np.max(x) * np.min(x), (draw(4),)),
}  # fmt: skip
