"""A Gaussian process learns its length scale
==========================================

The log marginal likelihood goes through a Cholesky decomposition and a solve; its gradient too.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg

rng = np.random.default_rng(2)
x = np.sort(rng.uniform(0, 10, 25))
y = np.sin(1.3 * x) + 0.2 * x + 0.15 * rng.normal(size=25)


def kernel(a, b, log_scale, log_size):
    return np.exp(2 * log_size - 0.5 * (a[:, None] - b[None, :]) ** 2 / np.exp(2 * log_scale))


def surprise(p):
    """Minus the log marginal likelihood of the data."""
    K = kernel(x, x, p[0], p[1]) + np.exp(2 * p[2]) * np.eye(x.size)
    L = np.linalg.cholesky(K)
    white = np.linalg.solve(L, y)
    return 0.5 * white @ white + np.sum(np.log(np.diag(L))) + 0.5 * x.size * np.log(2 * np.pi)


start = np.array([-1.0, 0.0, -0.5])
fit = minimize(wg.value_and_grad(surprise), start, jac=True, method="BFGS")
print(f"length {np.exp(fit.x[0]):.2f}, size {np.exp(fit.x[1]):.2f}, noise {np.exp(fit.x[2]):.2f}")

# %%

fine = np.linspace(-0.5, 10.5, 300)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for axes, p, title in zip(panels, (start, fit.x), ("guessed", "learnt"), strict=True):
    K = kernel(x, x, p[0], p[1]) + np.exp(2 * p[2]) * np.eye(x.size)
    across = kernel(fine, x, p[0], p[1])
    mean = across @ np.linalg.solve(K, y)
    spread = np.exp(2 * p[1]) - np.sum(across * np.linalg.solve(K, across.T).T, axis=1)
    width = 2 * np.sqrt(np.maximum(spread, 0))
    axes.fill_between(fine, mean - width, mean + width, alpha=0.25)
    axes.plot(fine, mean)
    axes.plot(x, y, "o", color="0.3", markersize=4)
    axes.set_title(f"{title}: surprise {surprise(p):.1f}")

assert np.linalg.norm(fit.jac) < 1e-3
assert 0.05 < np.exp(fit.x[2]) < 0.35  # the noise, which was 0.15
