"""A blurred picture, made sharp
=============================

Blurring is a product in Fourier space, the penalty is the total variation; 4096 unknowns, one gradient per step.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg

n = 64
rng = np.random.default_rng(0)
rows, columns = np.mgrid[:n, :n]
truth = np.zeros((n, n))
truth[12:30, 10:26] = 1.0
truth[(rows - 42) ** 2 + (columns - 42) ** 2 < 130] = 0.7
truth[20:52:6, 46:58] = 0.5

spot = np.exp(
    -0.5 * (np.minimum(rows, n - rows) ** 2 + np.minimum(columns, n - columns) ** 2) / 1.8**2
)
filter_ = np.fft.rfft2(spot / spot.sum())


def blur(picture):
    return np.fft.irfft2(np.fft.rfft2(picture) * filter_, s=(n, n))


seen = blur(truth) + 0.01 * rng.normal(size=(n, n))


def loss(flat):
    picture = flat.reshape(n, n)
    down, across = np.diff(picture, axis=0)[:, :-1], np.diff(picture, axis=1)[:-1]
    roughness = np.sum(np.sqrt(down**2 + across**2 + 1e-4))
    return 0.5 * np.sum((blur(picture) - seen) ** 2) + 0.003 * roughness


fit = minimize(
    wg.value_and_grad(loss), seen.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 150}
)
sharp = fit.x.reshape(n, n)

# %%

figure, panels = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
for axes, picture, title in zip(
    panels, (truth, seen, sharp), ("truth", "seen", "found"), strict=True
):
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axes.set_title(f"{title}, error {np.sqrt(np.mean((picture - truth) ** 2)):.3f}")
    axes.axis("off")

assert np.mean((sharp - truth) ** 2) < 0.5 * np.mean((seen - truth) ** 2)
