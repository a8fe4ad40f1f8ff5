"""Fitting a model with SciPy
==========================

``scipy.optimize.least_squares`` wants a Jacobian; ``jacobian`` is one. The covariance of the parameters, and the
band of the fit, are made of the same matrix.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import least_squares

import wengert as wg

rng = np.random.default_rng(1)
t = np.linspace(0, 10, 60)
truth = np.array([2.0, 0.25, 1.7, 0.4])  # amplitude, decay, frequency, phase


def model(p, t):
    amplitude, decay, frequency, phase = p
    return amplitude * np.exp(-decay * t) * np.cos(frequency * t + phase)


y = model(truth, t) + 0.1 * rng.normal(size=t.size)


def residuals(p):
    return model(p, t) - y


calls = []
fit = least_squares(residuals, [1.0, 0.1, 1.5, 0.0], jac=wg.jacobian(residuals))
J = wg.jacobian(residuals)(fit.x)
variance = np.sum(fit.fun**2) / (t.size - truth.size)
covariance = variance * np.linalg.inv(J.T @ J)
sigma = np.sqrt(np.diag(covariance))
for name, value, s in zip(("amplitude", "decay", "frequency", "phase"), fit.x, sigma, strict=True):
    print(f"{name:>9} = {value:.3f} ± {s:.3f}")

# %%
# The band of two standard deviations, at times where nothing was measured too.

fine = np.linspace(0, 14, 300)
slopes = wg.jacobian(lambda p: model(p, fine))(fit.x)
width = 2 * np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
best = model(fit.x, fine)

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(t, y, ".", color="0.4", label="measured")
axes.plot(fine, best, label="fit")
axes.fill_between(fine, best - width, best + width, alpha=0.25, label="2 σ of the fit")
axes.plot(fine, model(truth, fine), "--", color="tab:green", linewidth=1, label="truth")
axes.set(xlabel="t", title="A damped oscillation")
axes.legend()

assert np.all(np.abs(fit.x - truth) < 4 * sigma)
