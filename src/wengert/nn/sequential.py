"""Sequential: one layer after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.nn.layer import Layer


class Flatten(Layer):
    """All axes but the first as one."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Of shape `(batch, n)`."""
        first, *rest = np.shape(inputs)
        return np.reshape(inputs, (first, math.prod(rest)))


class Sequential(Layer):
    """Layers, or plain functions, applied in their order.

    >>> from wengert.nn import Dense
    >>> model = Sequential([Flatten(), Dense(3, "tanh"), np.square, Dense(1)])
    >>> model(np.ones((5, 2, 2))).shape
    (5, 1)
    >>> [v.shape for v in model.trainable_variables]
    [(4, 3), (3,), (3, 1), (1,)]
    """

    def __init__(self, layers: Iterable[Layer | Callable[[Any], Any]] = (), **rest: Any) -> None:
        super().__init__(**rest)
        self.steps = list(layers)

    def add(self, layer: Layer | Callable[[Any], Any]) -> None:
        """Put another layer at the end."""
        self.steps.append(layer)

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The last layer's output."""
        for step in self.steps:
            inputs = step(inputs)
        return inputs
