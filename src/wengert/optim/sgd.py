"""SGD: steps down the gradient, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.optim.optimizer import Optimizer, Rate


class SGD(Optimizer):
    """`v ← momentum v - rate g`, then `w ← w + v` (Nesterov: `w ← w + momentum v - rate g`).

    >>> import wengert as wg
    >>> w = wg.Variable([1.0, 2.0])
    >>> SGD(0.1).apply_gradients([(np.array([1.0, -1.0]), w)])
    1
    >>> w.numpy()
    array([0.9, 2.1])
    """

    def __init__(
        self, learning_rate: Rate = 0.01, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        super().__init__(learning_rate)
        self.momentum, self.nesterov = momentum, nesterov

    def begin(self, like: Any) -> list[Any]:
        """The velocity."""
        return [np.zeros_like(like)]

    def step(self, gradient: Any, state: list[Any], rate: float) -> Any:
        """What to add to the variable."""
        fall = -rate * gradient
        state[0] = self.momentum * state[0] + fall
        return self.momentum * state[0] + fall if self.nesterov else state[0]
