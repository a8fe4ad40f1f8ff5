"""A rocket lands
==============

Optimal control by plain descent: a simulated flight, a price for fuel and for the touchdown, and the gradient by every
thrust of every moment.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg

STEPS, H, G = 60, 0.1, 1.0


def fly(thrust):
    """Places and velocities; a loop, and lists that grow."""
    place, velocity = np.array([4.0, 6.0]), np.array([-1.0, 0.0])
    path, speeds = [place], [velocity]
    for k in range(STEPS):
        velocity = velocity + H * (
            thrust[k] - np.array([0.0, G]) - 0.05 * velocity * np.sqrt(velocity @ velocity + 1e-6)
        )
        place = place + H * velocity
        path.append(place)
        speeds.append(velocity)
    return np.stack(path), np.stack(speeds)


def price(flat):
    thrust = flat.reshape(STEPS, 2)
    path, speeds = fly(thrust)
    touchdown = np.sum(path[-1] ** 2) + np.sum(speeds[-1] ** 2)
    below = np.sum(np.minimum(path[:, 1], 0) ** 2)
    return 0.05 * H * np.sum(thrust**2) + 20 * touchdown + 50 * below


start = np.zeros(2 * STEPS)
fit = minimize(
    wg.value_and_grad(price), start, jac=True, method="L-BFGS-B", options={"maxiter": 100}
)
path, speeds = fly(fit.x.reshape(STEPS, 2))
print(f"price {price(start):.1f} → {fit.fun:.3f}, touchdown at {np.round(path[-1], 3)}")

# %%

figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
axes.plot(*fly(np.zeros((STEPS, 2)))[0].T, "--", color="0.6", label="engine off")
axes.plot(*path.T, ".-", color="tab:blue", label="found")
axes.quiver(
    *path[:-1:3].T, *-fit.x.reshape(STEPS, 2)[::3].T, color="tab:orange", width=0.004, scale=20
)
axes.axhline(0, color="0.3")
axes.set(xlim=(-4, 5), ylim=(-2, 6.5), title="Thrust, and where it leads")
axes.legend()

assert np.linalg.norm(path[-1]) < 0.1
assert np.linalg.norm(speeds[-1]) < 0.1
