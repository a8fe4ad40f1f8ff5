"""The V of numeric differentiation
================================

A difference quotient needs a step. Too large, and the function bends; too small, and the digits cancel. The best of
the valley still loses half of the digits. Automatic differentiation has no step.
"""

import numpy as np

import wengert as wg


def f(x):
    return np.exp(np.sin(3 * x)) / (1 + x**2)


picture = wg.plot.steps(f)(0.7)
picture

# %%
# The numbers behind the picture.

errors = picture.data
best = {name: float(np.min(errors[name])) for name in ("forward difference", "central difference")}
print({name: f"{e:.1e}" for name, e in best.items()}, f"wengert: {errors['wengert']:.1e}")
assert errors["wengert"] < 1e-14 < min(best.values())
