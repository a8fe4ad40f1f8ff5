"""Variable and constant: arrays that a tape can watch where they are.

NumPy cannot tell a tape that a plain array was used. These can: they answer NumPy's protocols, and
under a tape that watches them they hand out traced values instead of their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.errors import DTypeError, InputError, ShapeError
from wengert.ir import source
from wengert.ir.types import ArrayType, type_of
from wengert.tape.recorder import number_of, recording
from wengert.tape.standin import StandIn

# Who may object to new variables here (a layer that is running, see nn.layer), or None.
guard: ContextVar[Callable[[Any], None] | None] = ContextVar("wengert_variable_guard", default=None)


class Watchable(StandIn):
    """An array with a name; what it stands for depends on who looks on."""

    __slots__ = ("__weakref__", "_value", "name")
    trainable = False
    name: str
    _value: Any

    def value(self) -> Any:
        """What it stands for now: its array, or a traced value under a tape that watches it."""
        value = self._value
        tapes = recording.get()
        if tapes:
            builders = {tape.builder for tape in tapes if tape.on and tape.sees(self)}
            for builder in sorted(builders, key=lambda b: b.serial):
                value = builder.read(self, value)
        return value

    __wengert__ = value

    def numpy(self) -> Any:
        """A copy of its number, which you may change."""
        return np.array(self._value)[()]

    @property
    def type(self) -> ArrayType:
        """Shape and dtype, as programs print them."""
        return type_of(self._value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._value.size  # type: ignore[no-any-return]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(out, Watchable) for out in kwargs.get("out") or ()):
            self[...] = None
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __setitem__(self, at: Any, value: Any) -> None:
        raise InputError(
            f"{self.name!r} cannot be written in place: a derivative may still need its numbers",
            "use v.assign(…) to give a wg.Variable new numbers",
            source.here(),
        )

    def __len__(self) -> int:
        return len(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec) if spec else repr(self)


class Variable(Watchable):
    """An array that keeps its identity while `assign` gives it new numbers.

    Outside of tapes it behaves as its array. A tape watches every trainable variable of floats that
    is read while it records; the gradient is that with respect to the values read. `assign` is not
    differentiated through: it stores numbers.

    >>> import wengert as wg
    >>> w = Variable([1.0, 2.0], name="w")
    >>> with wg.GradientTape() as tape:
    ...     loss = np.sum(w**2)
    >>> tape.gradient(loss, w)
    array([2., 4.])
    >>> w.assign_sub([0.5, 0.5])
    Variable(array([0.5, 1.5]), name='w')
    """

    __slots__ = ("trainable",)

    def __init__(
        self, initial_value: Any, trainable: bool = True, dtype: Any = None, name: str | None = None
    ) -> None:
        objects = guard.get()
        if objects is not None:
            objects(self)
        self._value = frozen(initial_value() if callable(initial_value) else initial_value, dtype)
        self.trainable = trainable
        self.name = "Variable" if name is None else name

    def assign(self, value: Any) -> Variable:
        """Give it new numbers, of the same shape; its dtype stays."""
        new = np.asarray(number_of(value))
        if new.shape != self.shape:
            raise ShapeError(
                f"cannot assign an array of shape {new.shape} to {self.name!r}, which is {self.type!r}",
                "a variable keeps its shape: make a new one for another",
                source.here(),
            )
        if not np.can_cast(new.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"cannot assign {new.dtype} numbers to {self.name!r}, which is {self.type!r}",
                "convert them first, for example with .real or .astype",
                source.here(),
            )
        self._value = frozen(new, self.dtype)
        return self

    def assign_add(self, delta: Any) -> Variable:
        """Add to its numbers."""
        return self.assign(self._value + number_of(delta))

    def assign_sub(self, delta: Any) -> Variable:
        """Subtract from its numbers."""
        return self.assign(self._value - number_of(delta))

    def __reduce__(self) -> Any:
        return Variable, (self.numpy(), self.trainable, self.dtype, self.name)

    def __repr__(self) -> str:
        return f"Variable({self._value!r}, name={self.name!r})"


class Constant(Watchable):
    """An array that never changes and that a tape can watch; made by `constant`."""

    __slots__ = ()

    def __init__(self, value: Any, dtype: Any = None) -> None:
        self._value = frozen(value, dtype)
        self.name = "constant"

    def __reduce__(self) -> Any:
        return Constant, (self.numpy(), self.dtype)

    def __repr__(self) -> str:
        return f"constant({self._value!r})"


def constant(value: Any, dtype: Any = None) -> Constant:
    """An immutable array whose use under a tape is recorded once the tape watches it.

    >>> import wengert as wg
    >>> x = constant([1.0, 2.0])
    >>> with wg.GradientTape() as tape:
    ...     x = tape.watch(x)
    ...     y = np.sum(x**3)
    >>> tape.gradient(y, x)
    array([ 3., 12.])
    """
    return Constant(value, dtype)


def frozen(value: Any, dtype: Any) -> Any:
    """A copy that nobody can write: an array, or a NumPy scalar."""
    array = np.array(number_of(value), dtype=dtype)
    if array.dtype.kind not in "biufc":
        raise DTypeError(
            f"a variable cannot hold {array.dtype} values", "pass numbers", source.here()
        )
    array.flags.writeable = False
    return array if array.ndim else array[()]
