r"""
A controller in C++
===================

A car that should park: its cost over a horizon is a plain Python loop, and what a microcontroller needs is
the gradient by the steering, in C++ without Python, without allocation, in code that does not
grow with the horizon. ``wg.export_cpp`` writes it; loops stay loops.
"""

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg


def step(state, control):
    x, y, heading, speed = state
    acceleration, steering = control
    moved = np.stack(
        [
            x + 0.1 * speed * np.cos(heading),
            y + 0.1 * speed * np.sin(heading),
            heading + 0.1 * speed * np.tan(steering) / 2.5,
            speed + 0.1 * acceleration,
        ]
    )
    return moved, moved[:2]


def cost(controls, start, goal):
    last, _ = wg.scan(step, start, controls)
    return 50 * np.sum((last - goal) ** 2) + np.sum(controls**2)


def written_out(controls, start, goal):  # a loop of Python's is written out step by step
    state = start
    for control in controls:
        state, _ = step(state, control)
    return 50 * np.sum((state - goal) ** 2) + np.sum(controls**2)


# %%
# The header: each function with its shapes, the user's lines, and a check of itself.

steps, start, goal = 40, np.array([0.0, 0.0, 0.0, 1.0]), np.array([4.0, 3.0, np.pi / 2, 0.0])
controls = np.zeros((steps, 2))
export = wg.export_cpp(cost, controls, start, goal, what=["value", "gradient"], argnums=0)
text = export.header
print("\n".join(text[text.index("// gradient:") :].splitlines()[:12]))

# %%
# The same text for a horizon of four thousand steps: no line more.


def lines(f, n):
    made = wg.export_cpp(f, np.zeros((n, 2)), start, goal, what="gradient", argnums=0)
    return made.header.split("template <class X>")[0].count("\n")


horizons, few = [20, 40, 400, 4000], [20, 40]
counts, grown = [lines(cost, n) for n in horizons], [lines(written_out, n) for n in few]
assert len(set(counts)) == 1, counts

# %%
# What the C++ program will do, done here: gradient steps with momentum.

slope = wg.jit(wg.grad(cost))
pace, costs = np.zeros_like(controls), []
for _ in range(400):
    pace = 0.9 * pace - 4e-4 * np.clip(slope(controls, start, goal), -100, 100)
    controls = controls + pace
    costs.append(cost(controls, start, goal))
way = wg.scan(step, start, controls)[1]
assert costs[-1] < 0.2 * costs[0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
left.plot(*np.vstack([start[:2], way]).T, "o-", markersize=3)
left.plot(*goal[:2], "k*", markersize=12)
left.set(title="the way to the parking place", xlabel="x in m", ylabel="y in m", aspect="equal")
right.plot(horizons, counts, "o-", label="as a wg.scan")
right.plot(few, grown, "o--", color="gray", label="as a Python loop")
right.set(title="lines of C++", xlabel="steps of the horizon", xscale="log", yscale="log")
right.legend()
figure.tight_layout()
