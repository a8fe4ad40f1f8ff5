"""Five elementwise stages in a row, value and slope: what fusion is worth."""

import numpy

from peers import Case


def chain(np):
    def f(x):
        y = np.tanh(x) * np.exp(-x * x)
        z = np.log1p(y * y) + np.sin(y)
        return np.sum(np.sqrt(1 + z * z) * np.cos(x))

    return f


def cases():
    for n in (1_000_000, 1_000):
        x = numpy.random.default_rng(5).normal(size=n)
        yield Case(f"fused chain, n = {n}", (x,), chain, bytes=2 * x.nbytes)
