"""Second order: downhill with Newton and with the gradient
========================================================

Rosenbrock's valley from the same start, by steepest descent and by SciPy's trust region with exact Hessian-vector
products (``hvp``), which never makes the Hessian.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


start = np.array([-1.2, 1.0])
gradient = wg.grad(rosenbrock)

# steepest descent
slow = [start]
for _ in range(200):
    slow.append(slow[-1] - 1e-3 * gradient(slow[-1]))
slow = np.array(slow)

# trust region, Newton, conjugate gradients
fast = [start]
found = minimize(
    rosenbrock, start, jac=gradient, hessp=lambda x, v: wg.hvp(rosenbrock, (x,), (v,)), method="trust-ncg",
    callback=lambda x: fast.append(x.copy()), options={"gtol": 1e-10},
)  # fmt: skip
fast = np.array(fast)

# %%

a, b = np.meshgrid(np.linspace(-1.6, 1.4, 200), np.linspace(-0.6, 1.6, 200))
height = 100 * (b - a**2) ** 2 + (1 - a) ** 2
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.contourf(a, b, np.log10(height + 1e-3), 24, cmap="Blues_r")
axes.plot(
    *slow.T,
    ".-",
    color="tab:orange",
    markersize=3,
    label=f"steepest descent, {len(slow) - 1} steps",
)
axes.plot(*fast.T, "o-", color="white", markersize=4, label=f"Newton, {len(fast) - 1} steps")
axes.plot(1, 1, "*", color="tab:red", markersize=14)
axes.set_title("Rosenbrock's valley")
axes.legend(facecolor="0.5")

np.testing.assert_allclose(found.x, 1.0, atol=1e-7)
assert np.linalg.norm(slow[-1] - 1) > 0.1  # the other is still on its way
