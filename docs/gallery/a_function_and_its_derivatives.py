"""A function and its derivatives
==============================

``grad`` returns a function, so it can be applied again. ``plot`` does that, and draws.
"""

import numpy as np

import wengert as wg


def bump(x):
    return np.exp(-(x**2)) * np.cos(3 * x)


picture = wg.plot(bump, orders=3)(np.linspace(-3, 3, 241))
picture

# %%
# The same by hand, at one point: the third derivative is the gradient of the gradient of the gradient.

third = wg.grad(wg.grad(wg.grad(bump)))(0.5)
x = 0.5
by_hand = np.exp(-(x**2)) * (
    (-8 * x**3 + 12 * x) * np.cos(3 * x)
    + 3 * (-(4 * x**2 - 2)) * 3 * np.sin(3 * x)
    + 3 * (-2 * x) * -9 * np.cos(3 * x)
    + 27 * np.sin(3 * x)
)
print(third, by_hand)
assert np.isclose(third, by_hand, rtol=1e-13)
