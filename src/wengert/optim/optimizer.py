"""Optimizer: what SGD and Adam share. Gradients come in, variables take a step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.errors import InputError, ShapeError
from wengert.ir.source import here
from wengert.tape import Variable
from wengert.tape.recorder import number_of

Rate = float | Callable[[int], float]


class Optimizer:
    """Subclasses answer `begin`, the state of a new variable, and `step`, its change.

    `learning_rate` is a number, or a function of the number of steps taken so far.
    """

    def __init__(self, learning_rate: Rate) -> None:
        self.learning_rate = learning_rate
        self.iterations = 0
        self._states: dict[int, tuple[Variable, list[Any]]] = {}

    def begin(self, like: Any) -> list[Any]:
        """The state that belongs to an array like this."""
        raise NotImplementedError

    def step(self, gradient: Any, state: list[Any], rate: float) -> Any:
        """What to add to the variable; `state` changes."""
        raise NotImplementedError

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(
            self.learning_rate(self.iterations)
            if callable(self.learning_rate)
            else self.learning_rate
        )

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> int:
        """One step, of pairs `zip(gradients, variables)`; returns how many were taken so far.

        A variable whose gradient is None stays as it is, with a warning.
        """
        pairs = [(g, v) for g, v in grads_and_vars]
        missing = [v.name for g, v in pairs if g is None]
        if len(missing) == len(pairs):
            raise InputError(
                f"no gradient for any variable ({', '.join(missing) or 'there are none'})",
                "compute the loss inside of the tape's `with`, from these variables",
                here(),
            )
        if missing:
            warnings.warn(
                f"no gradient for {', '.join(missing)}: they do not reach the loss", stacklevel=2
            )
        rate = self.rate
        self.iterations += 1
        for g, v in pairs:
            if g is not None:
                v.assign_add(self.step(self._fitting(g, v), self._state(v), rate))
        return self.iterations

    def _state(self, variable: Variable) -> list[Any]:
        if id(variable) not in self._states:
            self._states[id(variable)] = variable, self.begin(variable.numpy())
        return self._states[id(variable)][1]

    def _fitting(self, gradient: Any, variable: Variable) -> Any:
        g = np.asarray(number_of(gradient))
        if g.shape != variable.shape:
            raise ShapeError(
                f"a gradient of shape {g.shape} for {variable.name!r}, which is {variable.type!r}",
                "zip gradients and variables in the same order",
                here(),
            )
        return g.astype(variable.dtype, copy=False)
