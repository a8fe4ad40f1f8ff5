"""Newton's direction for the centres of k-means (GradBench `kmeans`): gradient over diagonal Hessian."""

import numpy

from peers import Case


def cost(np):
    def f(centres, points):
        # |p|² - 2 p·c + |c|², so that the products are one matrix product
        squares = np.sum(points * points, axis=1)[:, None] + np.sum(centres * centres, axis=1)
        return np.sum(np.min(squares - 2 * points @ centres.T, axis=1))

    return f


def plain_cost(np):
    def f(centres, points):
        return np.sum(np.min(np.sum((points[:, None] - centres) ** 2, axis=-1), axis=1))

    return f


def direction(tool, f, wrt):
    """g / h: the Hessian is diagonal, so times a vector of ones it is its own diagonal."""

    def newton(centres, points):
        slope = tool.grad(f)
        g, h = tool.jvp(lambda c: slope(c, points), (centres,), (centres * 0 + 1,))
        return g / h

    return newton


def by_hand(centres, points):
    squares = (centres * centres).sum(1) - 2 * points @ centres.T
    nearest = squares.argmin(1)
    counts = numpy.bincount(nearest, minlength=len(centres))
    sums = numpy.stack(
        [numpy.bincount(nearest, points[:, j], len(centres)) for j in range(points.shape[1])],
        axis=1,
    )
    return centres - sums / counts[:, None]


def torch_direction(centres, points):
    import torch

    c, p = torch.as_tensor(centres).requires_grad_(), torch.as_tensor(points)
    ones = torch.ones_like(c)

    def call():
        near = ((p[:, None] - c) ** 2).sum(-1)
        (g,) = torch.autograd.grad(near.amin(1).sum(), c, create_graph=True)
        (h,) = torch.autograd.grad(g, c, ones)
        return g / h

    return call


def cases():
    rng = numpy.random.default_rng(4)
    k, n, d = 100, 10_000, 8
    points = rng.normal(size=(n, d))
    centres = points[rng.choice(n, k, replace=False)].copy()
    args = (centres, points)
    own = {
        "numpy": lambda: lambda: by_hand(*args),
        "torch": lambda: torch_direction(*args),
    }
    for name, f in (("as distances", plain_cost), ("by a matrix product", cost)):
        yield Case(f"kmeans {name}, k = {k}, n = {n}, d = {d}", args, f, derivative=direction, own=own,
                   leave_out=("autograd",), flops=3 * n * k * d, rtol=1e-6)  # fmt: skip
