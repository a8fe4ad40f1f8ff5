"""What a call costs, line by line
===============================

``plot.profile`` runs the equations of a call one by one, forwards and backwards, and adds them up by line: time, what
is made, and what has to be kept for the derivative.
"""

import numpy as np

import wengert as wg

rng = np.random.default_rng(0)
points = rng.normal(size=(200, 3))


def repulsion(points):
    difference = points[:, None, :] - points[None, :, :]
    squared = np.sum(difference**2, axis=-1) + np.eye(len(points))
    distance = np.sqrt(squared)
    return np.sum(np.triu(1 / distance, 1))


picture = wg.plot.profile(repulsion)(points)
picture

# %%
# As a table:

print(picture.data)

# %%
# The largest line is the one with the 200 × 200 × 3 differences.

rows = {row.text: row for row in picture.data.rows}
largest = max(picture.data.rows, key=lambda row: row.made)
assert "difference" in largest.text
assert largest.made >= 200 * 200 * 3 * 8
