"""Runge and Kutta's method on a chain of products (GradBench `ode`, from cmpad)."""

import numpy

from peers import Case


def last_of_solution(steps):
    def make(np):
        def slope(x, y):
            return np.concatenate([x[:1], x[1:] * y[:-1]])

        def f(x):
            y, h = x * 0, 2.0 / steps
            for _ in range(steps):
                k1 = slope(x, y)
                k2 = slope(x, y + h * k1 / 2)
                k3 = slope(x, y + h * k2 / 2)
                k4 = slope(x, y + h * k3)
                y = y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
            return y[-1]

        return f

    return make


def cases():
    x = numpy.random.default_rng(3).uniform(0.5, 1.5, size=1000)
    torch = lambda steps: lambda t: _with_cat(steps)
    yield Case("ode, n = 1000, s = 10", (x,), last_of_solution(10), torch=torch(10))


def _with_cat(steps):
    import types

    import torch

    return last_of_solution(steps)(types.SimpleNamespace(concatenate=torch.cat))
