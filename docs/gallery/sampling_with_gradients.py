"""Sampling with gradients
=======================

Hamiltonian Monte Carlo: a ball rolls over minus the log density, so each proposal follows its gradient. The target is
bent like a banana.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg


def energy(q):
    return 0.5 * q[0] ** 2 + 2 * (q[1] - q[0] ** 2 / 2) ** 2


force = wg.grad(energy)
rng = np.random.default_rng(5)
q, samples, accepted, rolls = np.zeros(2), [], 0, []
for _ in range(600):
    p = rng.normal(size=2)
    new, momentum, roll = q, p - 0.1 * force(q), [q]
    for _ in range(12):
        new = new + 0.2 * momentum
        momentum = momentum - 0.2 * force(new)
        roll.append(new)
    momentum = momentum + 0.1 * force(new)
    if rng.uniform() < np.exp(energy(q) + p @ p / 2 - energy(new) - momentum @ momentum / 2):
        q, accepted = new, accepted + 1
    samples.append(q)
    rolls.append(np.array(roll))
samples = np.array(samples)
print(f"{accepted / len(samples):.0%} accepted, mean {samples.mean(0).round(2)}")

# %%

a, b = np.meshgrid(np.linspace(-3.5, 3.5, 150), np.linspace(-1.5, 6, 150))
figure, axes = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
axes.contourf(a, b, np.exp(-energy(np.stack([a, b]))), 15, cmap="Blues")
axes.plot(*samples.T, ".", color="0.25", markersize=3)
for roll in rolls[:6]:
    axes.plot(*roll.T, "-", color="tab:orange", linewidth=1)
axes.set_title("Samples, and the first rolls of the ball")

assert accepted > 500
assert abs(samples[:, 0].mean()) < 0.35
assert abs(samples[:, 1].mean() - 0.5) < 0.35  # E[q1] = E[q0²] / 2
