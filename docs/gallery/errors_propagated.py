"""Errors of measurement, propagated
=================================

To first order the covariance of f(x) is J Σ Jᵀ. Here f finds a place from three distances, and a cloud of simulated
measurements tells how good first order is.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg

BEACONS = np.array([[0.0, 0.0], [10.0, 1.0], [3.0, 9.0]])


def place(distances):
    """Newton's method on the squared distances; a loop like any other."""
    p = np.array([4.0, 4.0])
    for _ in range(8):
        offset = p - BEACONS
        miss = np.sum(offset**2, axis=1) - distances**2
        slope = 2 * offset
        p = p - np.linalg.solve(slope.T @ slope, slope.T @ miss)
    return p


truth = np.array([6.0, 3.0])
measured = np.linalg.norm(truth - BEACONS, axis=1)
sigma = np.array([0.15, 0.3, 0.1])

J = wg.jacobian(place)(measured)
covariance = J @ np.diag(sigma**2) @ J.T
print("J =", J, "covariance =", covariance, sep="\n")

rng = np.random.default_rng(0)
cloud = np.array([place(measured + sigma * rng.normal(size=3)) for _ in range(2000)])

# %%

values, axes_of = np.linalg.eigh(covariance)
turn = np.linspace(0, 2 * np.pi, 100)
figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
axes.plot(*cloud.T, ".", color="0.6", markersize=2, label="simulated")
for k in (1, 2):
    ring = truth + k * np.stack([np.cos(turn), np.sin(turn)], 1) * np.sqrt(values) @ axes_of.T
    axes.plot(*ring.T, color="tab:blue", label="J Σ Jᵀ, 1 and 2 σ" if k == 1 else None)
axes.plot(*truth, "*", color="tab:red", markersize=12)
axes.set_aspect("equal")
axes.legend()

np.testing.assert_allclose(np.cov(cloud.T), covariance, atol=0.15 * np.max(covariance))
