"""Least squares of a polynomial against a step (GradBench `llsq`)."""

import numpy

from peers import Case


def objective(np):
    def f(x, t, s):
        left, power = s, t * 0 + 1
        for j in range(x.shape[0]):
            left = left - x[j] * power
            power = power * t
        return 0.5 * np.sum(left * left)

    return f


def matrix_form(np):
    """The same with all powers in one table: the quick spelling for tools that work array by array."""

    def f(x, t, s):
        left = s - t[:, None] ** np.arange(x.shape[0]) @ x
        return 0.5 * np.sum(left * left)

    return f


def by_hand(x, t, s):
    powers = numpy.vander(t, len(x), increasing=True)
    return powers.T @ (powers @ x - s)


def cases():
    n, m = 16392, 128
    t = numpy.linspace(-1.0, 1.0, n)
    s = numpy.sign(t)
    x = numpy.random.default_rng(2).normal(size=m)
    args = (x, t, s)
    for name, f in (("written as a loop", objective), ("as a matrix", matrix_form)):
        torch = lambda t: lambda x, p, s: matrix_form_torch(t, x, p, s)
        yield Case(f"llsq {name}, n = {n}, m = {m}", args, f, torch=torch, flops=6 * n * m,
                   own={"numpy": lambda: lambda: by_hand(*args)}, rtol=1e-7)  # fmt: skip


def matrix_form_torch(torch, x, t, s):
    import torch

    left = s - (t[:, None] ** torch.arange(x.shape[0])) @ x
    return 0.5 * torch.sum(left * left)
