"""Layer: a function with variables, made when it first sees an input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.errors import TapeError
from wengert.ir.source import here
from wengert.nn import initializers
from wengert.tape import Variable
from wengert.tape.variable import guard


class Layer:
    """Subclasses make their weights in `build(input_shape)` and use them in `call(inputs)`.

    >>> import wengert as wg
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", shape=[input_shape[-1]], initializer="ones")
    ...
    ...     def call(self, inputs):
    ...         return self.factor * inputs
    >>> layer = Scale()
    >>> with wg.GradientTape() as tape:
    ...     loss = np.sum(layer(np.array([[1.0, 2.0], [3.0, 4.0]])))
    >>> tape.gradient(loss, layer.trainable_variables)
    [array([4., 6.])]
    """

    def __init__(self, trainable: bool = True, dtype: Any = None, name: str | None = None) -> None:
        self.trainable = trainable
        self.dtype = dtype
        self.name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        self.built = False
        self._own: list[Variable] = []

    # ---- to be written by subclasses -------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Make the weights; called once, before the first `call`."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes."""
        raise NotImplementedError

    # ---- running -----------------------------------------------------------------------------------
    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the layer if it is new, then call it."""
        first = not self._is_built()
        if first:
            if self.dtype is None:
                self.dtype = _dtype_of(inputs)
            with _guarded(None):
                self.build(_shape_of(inputs))
            self.built = True
        with _guarded(None if first else self._refuse):
            return self.call(inputs, *args, **kwargs)

    def _is_built(self) -> bool:
        if not hasattr(self, "_own"):
            raise TapeError(
                f"{type(self).__name__} was not initialised",
                "call super().__init__() in its __init__",
                here(),
            )
        return self.built

    def _refuse(self, variable: Variable) -> None:
        raise TapeError(
            f"{self.name}.call makes a new wg.Variable each time it runs, which would begin anew and never learn",
            "make it once, in __init__ or in build, with self.add_weight(…)",
            here(),
        )

    def add_weight(
        self,
        name_or_shape: str | Sequence[int] | int | None = None,
        /,
        shape: Sequence[int] | int | None = None,
        initializer: str | Callable[..., Any] = "glorot_uniform",
        dtype: Any = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer; its dtype is that of the layer, which is that of the inputs.

        `add_weight("kernel", [3, 2], "zeros")` and `add_weight([3, 2], "zeros", name="kernel")` mean
        the same: older and newer Keras.
        """
        if self._is_built():
            raise TapeError(
                f"{self.name} is built already, and gets another weight",
                "make all weights in build",
                here(),
            )
        if isinstance(name_or_shape, str):
            name = name_or_shape
        elif name_or_shape is not None:
            if shape is not None:
                initializer = shape  # type: ignore[assignment]
            shape = name_or_shape
        extents = (shape,) if isinstance(shape, int | np.integer) else tuple(shape or ())
        kind = np.dtype(dtype or self.dtype or float)
        first = initializers.get(initializer)(tuple(int(n) for n in extents), kind)
        variable = Variable(first, trainable, kind, name or "weight")
        self._own.append(variable)
        return variable

    # ---- what is inside ----------------------------------------------------------------------------
    @property
    def variables(self) -> list[Variable]:
        """All variables of this layer and of the layers in its attributes, lists and dictionaries."""
        found: dict[int, Variable] = {}
        self._collect(found, set())
        return list(found.values())

    weights = variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those that an optimiser may change."""
        found: dict[int, Variable] = {}
        self._collect(found, set(), frozen=False)
        return [v for v in found.values() if v.trainable]

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The others."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    non_trainable_weights = non_trainable_variables

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside of this one."""
        found: dict[int, Layer] = {id(x): x for x in _inside(vars(self)) if isinstance(x, Layer)}
        return list(found.values())

    def count_params(self) -> int:
        """How many numbers its variables hold."""
        return sum(v.size for v in self.variables)

    def _collect(self, found: dict[int, Variable], seen: set[int], frozen: bool = True) -> None:
        """Own variables first, then those of inner layers; without those of `frozen` layers on request."""
        if id(self) in seen or not (frozen or self.trainable):
            return
        seen.add(id(self))
        inside = list(_inside(vars(self)))
        found.update((id(x), x) for x in inside if isinstance(x, Variable))
        for layer in inside:
            if isinstance(layer, Layer):
                layer._collect(found, seen, frozen)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.count_params() if self.built else 'not built'}>"


def _inside(x: Any) -> Iterator[Any]:
    """Variables and layers in an attribute, also in lists, tuples and dictionaries."""
    if isinstance(x, Variable | Layer):
        yield x
    elif isinstance(x, dict):
        for value in x.values():
            yield from _inside(value)
    elif isinstance(x, list | tuple):
        for value in x:
            yield from _inside(value)


@contextmanager
def _guarded(objection: Callable[[Any], None] | None) -> Iterator[None]:
    token = guard.set(objection)
    try:
        yield
    finally:
        guard.reset(token)


def _shape_of(inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return {k: _shape_of(x) for k, x in inputs.items()}
    if isinstance(inputs, list | tuple) and any(np.ndim(x) for x in inputs):
        return [_shape_of(x) for x in inputs] if _several(inputs) else np.shape(inputs)
    return np.shape(inputs)


def _several(inputs: Sequence[Any]) -> bool:
    """Are these several arrays, rather than one array as nested lists?"""
    return any(hasattr(x, "dtype") for x in inputs)


def _dtype_of(inputs: Any) -> Any:
    while isinstance(inputs, dict | list | tuple) and inputs:
        inputs = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs[0]
    dtype = np.dtype(getattr(inputs, "dtype", float))
    return dtype if dtype.kind in "fc" else np.dtype(float)
