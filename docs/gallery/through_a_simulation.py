"""Through a simulation
====================

An ordinary loop, a Runge–Kutta step written into a buffer: predators and prey. The gradient goes through all of it,
so that the parameters can be found from measurements of the course.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import wengert as wg

STEPS, H = 150, 0.1


def change(state, p):
    prey, predators = state
    return np.array([prey * (p[0] - p[1] * predators), predators * (p[2] * prey - p[3])])


def course(p):
    path = np.zeros((STEPS + 1, 2))
    path[0] = p[4], p[5]
    for k in range(STEPS):
        s = path[k]
        k1 = change(s, p)
        k2 = change(s + H / 2 * k1, p)
        k3 = change(s + H / 2 * k2, p)
        k4 = change(s + H * k3, p)
        path[k + 1] = s + H / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return path


truth = np.array([1.1, 0.4, 0.1, 0.4, 10.0, 5.0])
rng = np.random.default_rng(0)
seen = np.arange(0, STEPS + 1, 10)
data = course(truth)[seen] * np.exp(0.05 * rng.normal(size=(seen.size, 2)))


def misfit(log_p):
    return np.mean((np.log(course(np.exp(log_p))[seen]) - np.log(data)) ** 2)


start = np.log(np.array([0.9, 0.3, 0.13, 0.5, 8.0, 6.0]))
fit = minimize(wg.value_and_grad(misfit), start, jac=True, method="BFGS", options={"maxiter": 40})
print("found", np.round(np.exp(fit.x), 3), "true", truth)

# %%

time = H * np.arange(STEPS + 1)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for axes, p, title in zip(
    panels, (start, fit.x), ("before", f"after {fit.nit} steps"), strict=True
):
    for k, (name, colour) in enumerate((("prey", "tab:green"), ("predators", "tab:red"))):
        axes.plot(time, course(np.exp(p))[:, k], color=colour, label=name)
        axes.plot(time[seen], data[:, k], "o", color=colour, markersize=4)
    axes.set(title=title, xlabel="years")
panels[0].legend()

assert fit.fun < 0.05**2 * 1.5
np.testing.assert_allclose(np.exp(fit.x), truth, rtol=0.1)
