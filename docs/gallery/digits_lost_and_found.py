"""
Digits, lost and found
======================

``(1 - cos x) / x²`` is smooth at 0, and every rule of its derivative is exact; yet near 0 the derivative that comes out
is noise, in any system. ``explain`` names the line and the way out, ``stabilise`` takes it.
"""

from math import factorial

import matplotlib.pyplot as plt
import numpy as np

import wengert as wg


def f(x):
    return (1 - np.cos(x)) / x**2


print(wg.explain(f)(1e-8))

# %%
# Relative errors of the derivative; the truth is its series, -x/12 + x³/180 - …

xs = np.logspace(-9, -0.3, 60)
truth = sum((-1) ** k * 2 * k * xs ** (2 * k - 1) / factorial(2 * k + 2) for k in range(1, 9))
stable = wg.stabilise(f, box=(1e-9, 0.6))


def errors(g):
    return np.array([abs(g(x) / t - 1) for x, t in zip(xs, truth, strict=True)]) + 1e-17


plain, mended = errors(wg.grad(f, trust="off")), errors(wg.grad(stable))
bounds = []
for x, t in zip(xs, truth, strict=True):
    bounds.append(float(wg.error_bound(wg.grad(f))(x).bound / abs(t)))

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.loglog(xs, plain, ".-", label="as written")
axes.loglog(xs, bounds, "--", color="0.5", label="its bound, computed along")
axes.loglog(xs, mended, ".-", label="stabilised")
axes.axhline(1, color="tab:red", linewidth=0.8)
axes.set(
    xlabel="x",
    ylabel="relative error of the derivative",
    title="Above the red line not one digit is right",
)
axes.legend()

assert plain.max() > 1e6
assert mended.max() < 1e-13
assert np.all(plain <= np.array(bounds) + 1e-15)
