"""The chain rule, seen
====================

A derivative is taken of a list of elementary steps. Here is the layer of the article "Automatic
Differentiation with Python and C++ for Deep Learning": its steps forwards, and dashed the way back, with each local
derivative on its arrow and the derivative of the loss in each box.
"""

import numpy as np

import wengert as wg

X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])
W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])


def loss(W):
    Z = X @ W
    Y = np.sin(Z)
    return np.sum(Y**2)


graph = wg.draw(loss, derivatives=True)(W)
graph

# %%
# The same as the classroom's table.

table = wg.trace_table(loss)(W)
table

# %%
# And as a product, which is what the steps amount to.

told = wg.chain_rule(loss)(W)
print(told)

# %%
# All three are one derivative.

by_hand = X.T @ (2 * np.sin(X @ W) * np.cos(X @ W))
np.testing.assert_allclose(wg.grad(loss)(W), by_hand, rtol=1e-14)
np.testing.assert_allclose(table.rows[0].adjoint, by_hand, rtol=1e-14)
