"""Dense: a matrix, a bias, an activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir.source import here
from wengert.nn import activations
from wengert.nn.layer import Layer


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, along the last axis of the inputs.

    >>> layer = Dense(2, activation="relu", kernel_initializer="ones")
    >>> layer(np.array([[1.0, 2.0, 3.0]]))
    array([[6., 6.]])
    """

    def __init__(
        self, units: int, activation: str | Callable[[Any], Any] | None = None, use_bias: bool = True,
        kernel_initializer: str | Callable[..., Any] = "glorot_uniform",
        bias_initializer: str | Callable[..., Any] = "zeros", **rest: Any,
    ) -> None:  # fmt: skip
        super().__init__(**rest)
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer

    def build(self, input_shape: Any) -> None:
        """The matrix `(inputs, units)` and the bias `(units,)`."""
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], self.units), self.kernel_initializer
        )
        self.bias = (
            self.add_weight("bias", (self.units,), self.bias_initializer) if self.use_bias else None
        )

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Of shape `(…, units)`."""
        if np.shape(inputs)[-1:] != self.kernel.shape[:1]:
            raise ShapeError(
                f"{self.name} was built for {self.kernel.shape[0]} inputs, and got an array of shape {np.shape(inputs)}",
                "its last axis must have the length that the layer saw first",
                here(),
            )
        y = np.matmul(inputs, self.kernel)
        return self.activation(y if self.bias is None else y + self.bias)
