"""The banana valley: gradient, and Hessian times vector."""

import numpy

from peers import Case


def rosenbrock(np):
    def f(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return f


def along(tool, f, wrt):
    """Hessian times v, forward over reverse."""

    def product(x, v):
        return tool.jvp(tool.grad(f), (x,), (v,))[1]

    return product


def by_hand(x):
    """The gradient as one writes it in NumPy."""
    g = numpy.zeros_like(x)
    t = x[1:] - x[:-1] ** 2
    g[:-1] = -400 * x[:-1] * t - 2 * (1 - x[:-1])
    g[1:] += 200 * t
    return g


def torch_along(x, v):
    import torch

    x = torch.as_tensor(x).requires_grad_()
    v = torch.as_tensor(v)

    def call():
        (g,) = torch.autograd.grad(rosenbrock(torch)(x), x, create_graph=True)
        return torch.autograd.grad(g @ v, x)

    return call


def cases():
    rng = numpy.random.default_rng(0)
    for n in (10, 1000):
        x, v = 0.3 * rng.normal(size=n), rng.normal(size=n)
        yield Case(f"Rosenbrock gradient, n = {n}", (x,), rosenbrock,
                   own={"numpy": lambda x=x: lambda: by_hand(x)})  # fmt: skip
        yield Case(
            f"Rosenbrock Hessian · v, n = {n}", (x, v), rosenbrock, derivative=along,
            own={"torch": lambda x=x, v=v: torch_along(x, v)}, leave_out=("autograd",),
        )  # fmt: skip
