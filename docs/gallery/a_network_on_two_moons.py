"""A small network, from nothing but NumPy
=======================================

Two layers, a loss, and a loop; the parameters stand in a dictionary, and so does the gradient.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg

rng = np.random.default_rng(3)
n = 200
angle = np.pi * rng.uniform(size=n)
side = np.arange(n) % 2
x = np.stack(
    [np.cos(angle) * (1 - 2 * side) + side, (np.sin(angle) - 0.25) * (1 - 2 * side) + 0.25 * side],
    1,
)
x += 0.12 * rng.normal(size=x.shape)

params = {
    "W1": rng.normal(size=(2, 24)), "b1": np.zeros(24),
    "W2": rng.normal(size=(24, 24)) / 5, "b2": np.zeros(24),
    "w3": rng.normal(size=24) / 5, "b3": 0.0,
}  # fmt: skip


def score(p, x):
    hidden = np.tanh(x @ p["W1"] + p["b1"])
    hidden = np.tanh(hidden @ p["W2"] + p["b2"])
    return hidden @ p["w3"] + p["b3"]


def loss(p):
    return np.mean(np.logaddexp(0, (1 - 2 * side) * score(p, x)))


step = wg.value_and_grad(loss)
history, memory = [], {k: np.zeros(np.shape(v)) for k, v in params.items()}
for _ in range(300):
    value, gradient = step(params)
    history.append(value)
    for k in params:
        memory[k] = 0.9 * memory[k] + gradient[k]
        params[k] = params[k] - 0.1 * memory[k]

right = np.mean((score(params, x) > 0) == (side == 1))
print(f"loss {history[0]:.3f} → {history[-1]:.3f}, {right:.1%} right")

# %%

grid = np.stack(np.meshgrid(np.linspace(-1.6, 2.6, 120), np.linspace(-1.2, 1.6, 120)), -1)
figure, (left, other) = plt.subplots(
    1, 2, figsize=(9, 3.6), layout="constrained", width_ratios=(3, 2)
)
left.contourf(
    grid[..., 0], grid[..., 1], np.tanh(score(params, grid)), 20, cmap="RdBu_r", alpha=0.8
)
left.scatter(*x.T, c=side, cmap="RdBu_r", edgecolors="white", s=22)
left.set_title("what it has learnt")
other.semilogy(history)
other.set(title="loss", xlabel="step")

assert right > 0.97
