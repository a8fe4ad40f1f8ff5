"""Log-posterior of a Gaussian mixture with a Wishart prior (GradBench and ADBench `gmm`)."""

import math

import numpy
from scipy.special import multigammaln

import native
from peers import Case

GAMMA, M = 1.0, 0


def layout(d):
    """Where each place of a strictly lower triangle, filled column by column, stands in `l` (last: zero)."""
    place = numpy.full((d, d), d * (d - 1) // 2)
    k = 0
    for column in range(d):
        for row in range(column + 1, d):
            place[row, column] = k
            k += 1
    return place


def objective(d, k, n):
    """The posterior as a function of (alpha, mu, q, l) and the points."""
    place = layout(d)
    freedom = d + M + 1
    constant = -n * d * 0.5 * math.log(2 * math.pi)
    prior = freedom * d * math.log(GAMMA / math.sqrt(2)) - multigammaln(0.5 * freedom, d)

    def make(np):
        def logsumexp(x, axis):
            top = np.max(x, axis=axis)
            return top + np.log(np.sum(np.exp(x - top[..., None]), axis=axis))

        def f(alpha, mu, q, l, x):
            scale = np.exp(q)
            lower = np.concatenate([l, l[:, :1] * 0], axis=1)[:, place]
            centred = x - mu[:, None]  # component, point, coordinate
            turned = scale[:, None] * centred + centred @ np.swapaxes(lower, 1, 2)
            inner = alpha[:, None] + np.sum(q, axis=1)[:, None] - 0.5 * np.sum(turned**2, axis=2)
            fit = np.sum(logsumexp(inner.T, 1)) - n * logsumexp(alpha, 0)
            wishart = 0.5 * GAMMA**2 * (np.sum(scale**2) + np.sum(l**2)) - M * np.sum(q)
            return constant + fit - wishart + k * prior

        return f

    return make


def with_torch(d, k, n):
    import torch

    place = torch.as_tensor(layout(d))
    freedom = d + M + 1
    constant = -n * d * 0.5 * math.log(2 * math.pi)
    prior = freedom * d * math.log(GAMMA / math.sqrt(2)) - multigammaln(0.5 * freedom, d)

    def f(alpha, mu, q, l, x):
        scale = torch.exp(q)
        lower = torch.cat([l, l[:, :1] * 0], dim=1)[:, place]
        centred = x - mu[:, None]
        turned = scale[:, None] * centred + centred @ lower.transpose(1, 2)
        inner = alpha[:, None] + q.sum(1)[:, None] - 0.5 * (turned**2).sum(2)
        fit = torch.logsumexp(inner, 0).sum() - n * torch.logsumexp(alpha, 0)
        wishart = 0.5 * GAMMA**2 * ((scale**2).sum() + (l**2).sum()) - M * q.sum()
        return constant + fit - wishart + k * prior

    return f


def cases():
    for d, k, n in ((10, 25, 1000), (10, 50, 10_000), (64, 100, 1000)):
        rng = numpy.random.default_rng(8)
        args = (
            rng.normal(size=k), rng.uniform(size=(k, d)), 0.3 * rng.normal(size=(k, d)),
            0.3 * rng.normal(size=(k, d * (d - 1) // 2)), rng.normal(size=(n, d)),
        )  # fmt: skip
        yield Case(
            f"gmm gradient, d = {d}, K = {k}, n = {n}", args, objective(d, k, n), wrt=(0, 1, 2, 3),
            torch=lambda t, size=(d, k, n): with_torch(*size), flops=3 * n * k * d * (d + 1), rtol=1e-7,
            own={"C++": lambda args=args: native.gmm(*args, GAMMA, M)},
        )  # fmt: skip
