"""One step of gradient descent of a 784-256-128-10 network in float32."""

from itertools import pairwise

import numpy

from peers import Case


def loss(np):
    def f(params, images, labels):
        (w1, b1), (w2, b2), (w3, b3) = params
        h = np.maximum(images @ w1 + b1, 0)
        h = np.maximum(h @ w2 + b2, 0)
        scores = h @ w3 + b3
        shifted = scores - np.max(scores, axis=1)[:, None]
        return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - np.sum(labels * shifted, axis=1))

    return f


def step(tool, f, wrt):
    """The parameters after one step, and the loss before it."""

    def stepped(params, images, labels):
        value, slopes = tool.value_and_grad(f)(params, images, labels)
        moved = [
            tuple(a - 0.1 * g for a, g in zip(layer, slope, strict=True))
            for layer, slope in zip(params, slopes, strict=True)
        ]
        return moved, value

    return stepped


def torch_step(params, images, labels):
    import torch

    layers = [tuple(torch.as_tensor(a).requires_grad_() for a in layer) for layer in params]
    images, labels = torch.as_tensor(images), torch.as_tensor(labels)
    leaves = [a for layer in layers for a in layer]

    def call():
        (w1, b1), (w2, b2), (w3, b3) = layers
        h = torch.relu(torch.relu(images @ w1 + b1) @ w2 + b2)
        shifted = h @ w3 + b3
        shifted = shifted - shifted.amax(1, keepdim=True)
        value = torch.mean(shifted.exp().sum(1).log() - (labels * shifted).sum(1))
        slopes = torch.autograd.grad(value, leaves)
        with torch.no_grad():
            return [a - 0.1 * g for a, g in zip(leaves, slopes, strict=True)], value

    return call


def by_hand(params, images, labels):
    (w1, b1), (w2, b2), (w3, b3) = params
    a1 = images @ w1 + b1
    h1 = numpy.maximum(a1, 0)
    a2 = h1 @ w2 + b2
    h2 = numpy.maximum(a2, 0)
    shifted = h2 @ w3 + b3
    shifted -= shifted.max(1, keepdims=True)
    e = numpy.exp(shifted)
    total = e.sum(1, keepdims=True)
    value = numpy.mean(numpy.log(total[:, 0]) - (labels * shifted).sum(1))
    g3 = (e / total - labels) / numpy.float32(len(images))
    g2 = (g3 @ w3.T) * (a2 > 0)
    g1 = (g2 @ w2.T) * (a1 > 0)
    rate = numpy.float32(0.1)
    moved = [
        (w1 - rate * (images.T @ g1), b1 - rate * g1.sum(0)),
        (w2 - rate * (h1.T @ g2), b2 - rate * g2.sum(0)),
        (w3 - rate * (h2.T @ g3), b3 - rate * g3.sum(0)),
    ]
    return moved, value


def cases():
    rng = numpy.random.default_rng(7)
    sizes, batch = (784, 256, 128, 10), 128
    draw = lambda *shape: (0.05 * rng.normal(size=shape)).astype(numpy.float32)
    params = [(draw(m, n), draw(n)) for m, n in pairwise(sizes)]
    images = rng.normal(size=(batch, 784)).astype(numpy.float32)
    labels = numpy.eye(10, dtype=numpy.float32)[rng.integers(10, size=batch)]
    args = (params, images, labels)
    products = sum(m * n for m, n in pairwise(sizes))
    yield Case(
        "MLP step 784-256-128-10, batch 128, float32", args, loss, derivative=step, rtol=2e-4,
        flops=2 * batch * (3 * products - sizes[0] * sizes[1]), leave_out=("autograd",),
        own={"torch": lambda: torch_step(*args), "numpy": lambda: lambda: by_hand(*args)},
    )  # fmt: skip
