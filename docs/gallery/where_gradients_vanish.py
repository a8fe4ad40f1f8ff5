"""Where gradients vanish
======================

Twelve layers of tanh. With small weights the signal dies on its way forwards and the gradient on its way back;
``plot.gradients`` shows how much of it each layer is left with.
"""

import numpy as np

import wengert as wg

rng = np.random.default_rng(0)
x, target = rng.normal(size=(64, 32)), rng.normal(size=(64, 32))


def layers(scale):
    return [scale * rng.normal(size=(32, 32)) / np.sqrt(32) for _ in range(12)]


def loss(weights):
    y = x
    for w in weights:
        z = y @ w
        y = np.tanh(z)
    return np.mean((y - target) ** 2)


small = wg.plot.gradients(loss)(layers(0.4))
small

# %%
# Scaled so that a layer keeps the size of what passes through it:

good = wg.plot.gradients(loss)(layers(1.1))
good

# %%


def largest(picture):
    return max(picture.data["parameters"].values())


print(f"the largest gradient of a layer: {largest(small):.1e} and {largest(good):.1e}")
assert largest(small) < 1e-5 < 1e-3 < largest(good)
