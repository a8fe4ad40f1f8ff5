"""Softmax and cross-entropy of a batch of scores."""

import numpy

from peers import Case


def loss(np):
    def f(scores, labels):
        shifted = scores - np.max(scores, axis=1)[:, None]
        return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - np.sum(labels * shifted, axis=1))

    return f


def with_torch(torch):
    def f(scores, labels):
        shifted = scores - scores.amax(dim=1, keepdim=True)
        return torch.mean(shifted.exp().sum(1).log() - (labels * shifted).sum(1))

    return f


def by_hand(scores, labels):
    e = numpy.exp(scores - scores.max(1, keepdims=True))
    e /= e.sum(1, keepdims=True)
    e -= labels
    e /= len(e)
    return e


def cases():
    rng = numpy.random.default_rng(6)
    for rows, columns in ((128, 10), (4096, 1000)):
        scores = rng.normal(size=(rows, columns))
        labels = numpy.eye(columns)[rng.integers(columns, size=rows)]
        args = (scores, labels)
        yield Case(f"softmax cross-entropy {rows} × {columns}", args, loss, torch=with_torch,
                   bytes=3 * scores.nbytes, own={"numpy": lambda args=args: lambda: by_hand(*args)})  # fmt: skip
