"""A robot arm reaches
===================

Forward kinematics is a loop over the joints; its Jacobian turns a wished movement of the hand into one of the joints.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg

LENGTHS = np.array([1.0, 0.8, 0.6, 0.5, 0.3])


def joints(angles):
    """The places of all joints; the last is the hand."""
    turned = np.cumsum(angles)
    steps = LENGTHS[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def hand(angles):
    return joints(angles)[-1]


reach = wg.jacobian(hand)
angles = np.full(5, 0.3)
goal = np.array([-1.2, 1.6])
path = [angles]
for _ in range(60):
    miss = goal - hand(angles)
    J = reach(angles)
    angles = angles + 0.25 * J.T @ np.linalg.solve(J @ J.T + 1e-4 * np.eye(2), miss)  # damped
    path.append(angles)

# %%

figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
shown = path[:: len(path) // 12]
for k, a in enumerate(shown):
    axes.plot(*joints(a).T, "o-", color=plt.cm.viridis(k / len(shown)), markersize=3, linewidth=1.5)
axes.plot(*np.array([hand(a) for a in path]).T, color="tab:red", linewidth=1)
axes.plot(*goal, "x", color="tab:red", markersize=12, markeredgewidth=3)
axes.set_aspect("equal")
axes.set_title("Sixty steps to the cross")

np.testing.assert_allclose(hand(angles), goal, atol=1e-5)
