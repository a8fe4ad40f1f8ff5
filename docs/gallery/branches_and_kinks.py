"""Branches, kinks, and the trap of where
======================================

What is a gradient where there is none? One rule, written down: at a kink the mean of the two slopes; a selection
follows the selected branch, and the other branch cannot make a nan.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg

xs = np.linspace(-2, 2, 401)
functions = {
    "|x|": np.abs,
    "max(x, 0)": lambda x: np.maximum(x, 0),
    "where(x > 0, √x, 0)": lambda x: np.where(x > 0, np.sqrt(x), 0),
    "clip(x, -1, 1)": lambda x: np.clip(x, -1, 1),
}

figure, panels = plt.subplots(2, 4, figsize=(11, 4.5), sharex=True, layout="constrained")
at_zero = {}
for (name, f), column in zip(functions.items(), panels.T, strict=True):
    with np.errstate(all="ignore"):
        slopes = np.array([wg.grad(f, trust="off")(x) for x in xs])
        at_zero[name] = wg.grad(f, trust="off")(0.0)
        column[0].plot(xs, f(xs))
    column[1].plot(xs, np.minimum(slopes, 4), ".", markersize=2, color="tab:orange")
    column[0].set_title(name)
    for x in {"clip(x, -1, 1)": (-1.0, 1.0)}.get(name, (0.0,)):
        column[1].plot(x, wg.grad(f, trust="off")(x), "o", color="tab:red")
panels[0, 0].set_ylabel("f")
panels[1, 0].set_ylabel("f′")

# %%
# The branch that was not taken is the root of a negative number. Its slope is nan; times the zero of the selection
# that would be nan too, in most systems. Here it does not count.

print(at_zero)
assert at_zero["|x|"] == 0.0
assert at_zero["max(x, 0)"] == 0.5
assert at_zero["where(x > 0, √x, 0)"] == 0.0
assert wg.grad(functions["clip(x, -1, 1)"])(1.0) == 0.5
