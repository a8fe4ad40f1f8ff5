"""Heat, seen from outside
=======================

A rod with a hidden conductivity. The temperature solves a linear system; from some thermometers, the conductivity is
found by its gradient through ``np.linalg.solve``.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg

n = 50
x = np.linspace(0, 1, n + 1)
middle = (x[1:] + x[:-1]) / 2
source = 10 * np.exp(-200 * (x[1:-1] - 0.3) ** 2) + 6 * np.exp(-200 * (x[1:-1] - 0.75) ** 2)


def temperature(log_k):
    """-(k u')' = source, u = 0 at both ends."""
    k = np.exp(log_k) * n**2
    A = np.zeros((n - 1, n - 1))
    i = np.arange(n - 1)
    A[i, i] = k[:-1] + k[1:]
    A[i[:-1], i[:-1] + 1] = -k[1:-1]
    A[i[:-1] + 1, i[:-1]] = -k[1:-1]
    return np.linalg.solve(A, source)


truth = np.log(1 + 0.8 * np.sin(2 * np.pi * middle) ** 2)
rng = np.random.default_rng(0)
sensors = np.arange(1, n - 1, 3)
data = temperature(truth)[sensors] + 0.002 * rng.normal(size=sensors.size)


def misfit(log_k):
    smooth = np.sum(np.diff(log_k) ** 2)
    return np.sum((temperature(log_k)[sensors] - data) ** 2) / 0.002**2 + 20 * smooth


fit = minimize(
    wg.value_and_grad(misfit), np.zeros(n), jac=True, method="BFGS", options={"maxiter": 200}
)

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(x[1:-1], temperature(fit.x), label="found")
left.plot(x[1:-1][sensors], data, "o", color="0.3", markersize=4, label="measured")
left.set(title="temperature", xlabel="place")
right.plot(middle, np.exp(truth), "--", color="tab:green", label="truth")
right.plot(middle, np.exp(fit.x), label="found")
right.set(title="conductivity", xlabel="place")
left.legend()
right.legend()

assert np.sqrt(np.mean((fit.x - truth) ** 2)) < 0.12
