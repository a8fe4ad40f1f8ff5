"""Adam: steps of a size that the recent gradients' mean and spread set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.optim.optimizer import Optimizer, Rate


class Adam(Optimizer):
    """Kingma and Ba's method, with Keras's `epsilon`: 1e-7, beside the square root before its bias is corrected.

    `m` and `v` are running means of g and g²; after t steps
    `w ← w - rate √(1 - β₂ᵗ) / (1 - β₁ᵗ) m / (√v + epsilon)`.

    >>> import wengert as wg
    >>> w = wg.Variable([1.0, 2.0])
    >>> Adam(0.1).apply_gradients([(np.array([3.0, -0.001]), w)])
    1
    >>> w.numpy().round(2)
    array([0.9, 2.1])
    """

    def __init__(
        self,
        learning_rate: Rate = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def begin(self, like: Any) -> list[Any]:
        """The running means, and how often this variable has moved."""
        return [np.zeros_like(like), np.zeros_like(abs(like)), 0]

    def step(self, gradient: Any, state: list[Any], rate: float) -> Any:
        """What to add to the variable."""
        m, v, t = state
        m = m + (1 - self.beta_1) * (gradient - m)
        v = v + (1 - self.beta_2) * (np.square(np.abs(gradient)) - v)
        t += 1
        state[:] = m, v, t
        size = rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return -size * m / (np.sqrt(v) + self.epsilon)
