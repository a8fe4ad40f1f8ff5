"""Log of a sum of exponentials, written out (GradBench `lse`)."""

import numpy

from peers import Case


def logsumexp(np):
    def f(x):
        a = np.max(x)
        return a + np.log(np.sum(np.exp(x - a)))

    return f


def by_hand(x):
    e = numpy.exp(x - numpy.max(x))
    e /= numpy.sum(e)
    return e


def cases():
    x = numpy.random.default_rng(1).uniform(-5, 5, size=1_280_000)
    # the maximum, then exponentials and their sum, then one more pass over what was stored
    yield Case("lse, n = 1 280 000", (x,), logsumexp, bytes=4 * x.nbytes,
               own={"numpy": lambda: lambda: by_hand(x)})  # fmt: skip
