"""Operators, methods and attributes that a traced array shares with an ndarray."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert.numpy_api.ufuncs  # noqa: F401  (fills the table that the operators read)
from wengert.errors import UnsupportedError
from wengert.ir import source
from wengert.numpy_api import (  # noqa: F401  (they fill the table that the methods read)
    creation,
    indexing,
    ordering,
    products,
    reductions,
    running,
    selection,
    writing,
)
from wengert.numpy_api.layouts import copied
from wengert.numpy_api.promote import again, cast, is_weak
from wengert.numpy_api.scalars import python_asks
from wengert.numpy_api.table import FUNCTIONS, PLAIN, UFUNCS
from wengert.ops.index import gather
from wengert.trace.buffers import View, memory_of
from wengert.trace.tracer import Tracer, refuse

_QUICK = frozenset((Tracer, np.ndarray, float, int))
_REAL = (int, float)
_OPERAND = (Tracer, np.ndarray, np.generic, int, float, complex, list, tuple)


# of Python's own numbers these may raise an error, where NumPy's say inf or nan
_RAISE: dict[np.ufunc, Callable[..., Any]] = {
    np.true_divide: operator.truediv, np.floor_divide: operator.floordiv, np.remainder: operator.mod,
    np.power: operator.pow,
}  # fmt: skip


def _binary(ufunc: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any]]:
    rule = PLAIN[UFUNCS[ufunc]]
    pythons = _RAISE.get(ufunc)

    def forward(self: Tracer, other: Any) -> Any:
        if not self.weak and type(other) in _QUICK:
            if (step := self.builder.path) is not None and step.door is rule:
                y = step.go(step, 1, self, other)
                if y is not None:
                    return y
            return rule(self, other)
        if not isinstance(other, _OPERAND):
            return NotImplemented
        weak = self.weak and is_weak(other)
        if weak and pythons is not None:
            python_asks(pythons, (self, other))
        y = rule(self, other)
        if weak:
            y.weak = True
        return y

    def reflected(self: Tracer, other: Any) -> Any:
        if not self.weak and type(other) in _QUICK:
            if (step := self.builder.path) is not None and step.door is rule:
                y = step.go(step, 1, other, self)
                if y is not None:
                    return y
            return rule(other, self)
        if not isinstance(other, _OPERAND):
            return NotImplemented
        weak = self.weak and is_weak(other)
        if weak and pythons is not None:
            python_asks(pythons, (other, self))
        y = rule(other, self)
        if weak:
            y.weak = True
        return y

    return forward, reflected


def _inplace(forward: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Tracer, other: Any) -> Any:
        y = forward(self, other)
        if y is NotImplemented or (
            self.ndim == 0 and self.window is None
        ):  # NumPy's scalars are immutable
            return y
        if not np.can_cast(y.dtype, self.dtype, "same_kind"):
            raise TypeError(
                f"cannot change {self.type!r} in place by {y.dtype}: the result would be cast down"
            )
        if y.shape != self.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {self.shape} for {y.shape}"
            )
        self[...] = y  # type: ignore[index]
        return self

    return change


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
    "floordiv": np.floor_divide, "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}.items():  # fmt: skip
    _forward, _reflected = _binary(_ufunc)
    setattr(Tracer, f"__{_name}__", _forward)
    setattr(Tracer, f"__r{_name}__", _reflected)
    setattr(Tracer, f"__i{_name}__", _inplace(_forward))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Tracer, f"__{_name}__", _binary(_ufunc)[0])


_square = UFUNCS[np.square]


def _pow(self: Tracer, other: Any) -> Any:
    # NumPy takes these shortcuts for arrays, with the same digits
    cls = type(other)
    if self.node.type.inexact and (
        cls is int
        or cls is float
        or (isinstance(other, _REAL) and not isinstance(other, np.generic))
    ):
        if self.weak and isinstance(python_asks(operator.pow, (self, other)), complex):
            self = cast(self, np.dtype(np.complex128))
            self.weak = True
        if other == 2:
            y = _square(self)
        elif other == 1:
            y = UFUNCS[np.positive](self)
        elif other == 0.5 and self.ndim:
            y = UFUNCS[np.sqrt](self)
        elif other == -1:
            y = UFUNCS[np.reciprocal](self)
        else:
            y = UFUNCS[np.power](self, other)
        y.weak = self.weak
        return y
    return _binary(np.power)[0](self, other)


def _unary(ufunc: np.ufunc) -> Callable[..., Any]:
    rule = UFUNCS[ufunc]

    def apply(self: Tracer) -> Any:
        y = rule(self)
        y.weak = self.weak
        return y

    return apply


def _matmul(self: Tracer, other: Any) -> Any:
    return UFUNCS[np.matmul](self, other) if isinstance(other, _OPERAND) else NotImplemented


def _rmatmul(self: Tracer, other: Any) -> Any:
    return UFUNCS[np.matmul](other, self) if isinstance(other, _OPERAND) else NotImplemented


def _len(self: Tracer) -> int:
    if self.ndim == 0:
        raise TypeError("len() of unsized object")
    if self.ndim > 1 and source.called().endswith(
        ".shuffle"
    ):  # it would swap views of rows, and lose some
        refuse(self, "a shuffle in place")
    return self.shape[0]


def _round(self: Tracer, digits: int | None = None) -> Any:
    if self.ndim:
        raise TypeError("type numpy.ndarray doesn't define __round__ method")
    y: Any = np.round(self, digits or 0)
    if self.weak and isinstance(y, Tracer) and y is not self:
        y.weak = True
    number = y.number()
    return y if digits is not None or number is None else int(number)


def _iter(self: Tracer) -> Iterator[Any]:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d array")
    return (self[n] for n in range(self.shape[0]))  # type: ignore[index]


for _name, _operator in {
    "pow": _pow, "rpow": _binary(np.power)[1], "ipow": _inplace(_pow), "neg": _unary(np.negative),
    "pos": _unary(np.positive), "abs": _unary(np.absolute), "invert": _unary(np.invert), "matmul": _matmul,
    "rmatmul": _rmatmul, "imatmul": _inplace(_matmul), "divmod": lambda self, other: np.divmod(self, other),
    "rdivmod": lambda self, other: np.divmod(other, self), "len": _len, "iter": _iter, "round": _round,
    "contains": lambda self, value: bool(np.any(self == value)), "copy": again,
    "deepcopy": lambda self, memo: again(self), "array_namespace": lambda self, api_version=None: np,
}.items():  # fmt: skip
    setattr(Tracer, f"__{_name}__", _operator)


# ---- methods that are NumPy's functions ------------------------------------------------------------


def _method(function: Any) -> Any:
    rule = FUNCTIONS[function]

    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return rule(self, *args, **kwargs)

    call.__name__ = function.__name__
    call.__doc__ = f"As `ndarray.{function.__name__}`."
    return call


_FUNCTIONS: tuple[Any, ...] = (
    np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.argmax, np.argmin, np.argsort, np.argpartition,
    np.all, np.any, np.cumsum, np.cumprod, np.clip, np.dot, np.trace, np.diagonal, np.squeeze, np.swapaxes,
    np.repeat, np.round, np.ravel, np.searchsorted, np.choose, np.take, np.put, np.nonzero,
)  # fmt: skip
for _function in _FUNCTIONS:
    setattr(Tracer, _function.__name__, _method(_function))


def _set_half(name: str) -> Callable[[Tracer, Any], None]:
    def change(self: Tracer, v: Any) -> None:
        if self.dtype.kind == "c":
            getattr(self, name)[...] = v
        elif name == "real":
            self[...] = v  # type: ignore[index]
        else:
            raise TypeError("array does not have imaginary part to set")

    return change


def _flat(self: Tracer) -> Any:
    """The elements one after the other: a view of any array, unlike `ravel`."""
    y = FUNCTIONS[np.ravel](self)
    if y.window is None and y is not self and self.ndim > 1:
        params = {"axis": 0, "merged": self.ndim}
        y.window = View(self, gather, params, (np.arange(self.size),))
    return y


def _laid(self: Tracer) -> Any:
    memory = memory_of(self)
    if memory is None:
        _refused("strides")(self)
    return memory[...] if memory.flags.writeable else np.empty_like(memory)


class Methods:
    """The rest of ndarray's methods and attributes, put on traced arrays below."""

    def copy(self: Any, order: Any = "C") -> Any:
        """As `ndarray.copy`: in C order, unlike `np.copy`."""
        return copied(self, order)

    def flatten(self: Any, order: Any = "C") -> Any:
        """As `ndarray.flatten`: a copy, unlike `ravel`."""
        return again(FUNCTIONS[np.ravel](self, order))

    def reshape(self: Any, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """As `ndarray.reshape`; the shape may come in parts."""
        return FUNCTIONS[np.reshape](
            self, shape[0] if len(shape) == 1 else shape, order=order, copy=copy
        )

    def transpose(self: Any, *axes: Any) -> Any:
        """As `ndarray.transpose`; the axes may come in parts."""
        return FUNCTIONS[np.transpose](self, axes[0] if len(axes) == 1 else axes or None)

    def astype(
        self: Any,
        dtype: Any,
        order: Any = "K",
        casting: Any = "unsafe",
        subok: Any = True,
        copy: Any = True,
    ) -> Any:
        """As `ndarray.astype`."""
        kind = np.dtype(dtype)
        if not np.can_cast(self.dtype, kind, casting):
            raise TypeError(
                f"Cannot cast array data from {self.dtype!r} to {kind!r} according to the rule {casting!r}"
            )
        y = cast(self, kind)
        return again(y) if y is self and copy else y

    def conjugate(self: Any) -> Any:
        """As `ndarray.conjugate`."""
        return np.conjugate(self)

    conj = conjugate

    def item(self: Any, *at: Any) -> Any:
        """One element, still traced."""
        if len(at) == 1 and isinstance(at[0], tuple):
            at = at[0]
        if len(at) == self.ndim:
            return self[at]
        if at:
            return self[tuple(int(i) for i in np.unravel_index(at[0] % self.size, self.shape))]
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self if self.ndim == 0 else self[(0,) * self.ndim]

    def tolist(self: Any) -> Any:
        """Nested lists of traced scalars."""
        return [x.tolist() for x in self] if self.ndim else self

    def sort(
        self: Any, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None
    ) -> None:
        """Sorts in place."""
        self[...] = np.sort(self, axis)

    def partition(
        self: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
    ) -> None:
        """Partitions in place."""
        self[...] = np.partition(self, kth, axis)

    def fill(self: Any, value: Any) -> None:
        """Writes one value everywhere."""
        self[...] = value

    def compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """As `ndarray.compress`: the condition comes first in the function."""
        return FUNCTIONS[np.compress](condition, self, axis, out)

    def view(self: Any, dtype: Any = None, type: Any = None) -> Any:
        """As `ndarray.view`, in the same dtype: another handle on the same elements."""
        if type is not None or (dtype is not None and np.dtype(dtype) != self.dtype):
            return _refused("view")(self)
        return self[...]

    def to_device(self: Any, device: Any, /, *, stream: Any = None) -> Any:
        """As `ndarray.to_device`: there is one device."""
        if device != "cpu":
            raise ValueError(f"Unsupported device: {device!r}")
        return self

    @property
    def flags(self: Any) -> Any:
        """As `ndarray.flags`, of an array that lies in memory as this one would."""
        return _laid(self).flags

    @property
    def strides(self: Any) -> tuple[int, ...]:
        """As `ndarray.strides`."""
        return tuple(_laid(self).strides)

    @property
    def base(self: Any) -> Any:
        """The array that this is a view of."""
        return None if self.window is None else self.window.root

    T = property(lambda self: FUNCTIONS[np.transpose](self))
    mT = property(lambda self: FUNCTIONS[np.matrix_transpose](self))
    real = property(lambda self: FUNCTIONS[np.real](self), _set_half("real"))
    imag = property(lambda self: FUNCTIONS[np.imag](self), _set_half("imag"))
    flat = property(_flat, lambda self, v: np.put(self, np.arange(self.size), v))
    itemsize = property(lambda self: self.dtype.itemsize)
    device = property(lambda self: "cpu")
    nbytes = property(lambda self: self.size * self.dtype.itemsize)


for _name, _member in vars(Methods).items():
    if not _name.startswith("__"):
        setattr(Tracer, _name, _member)


# ---- what would let the numbers out without their derivative --------------------------------------


def _refused(name: str) -> Any:
    def refused(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        raise UnsupportedError(
            f"ndarray.{name} looks at the memory of an array, and a traced {self.type!r} has none",
            "stay with NumPy's functions, or take the value out of the derivative with wg.stop_gradient(x)",
            source.here(),
        )

    return refused


for _name in (
    "byteswap",
    "dump",
    "dumps",
    "getfield",
    "resize",
    "setfield",
    "setflags",
    "tobytes",
    "tofile",
):
    setattr(Tracer, _name, _refused(_name))
for _name in ("ctypes", "data"):
    setattr(Tracer, _name, property(_refused(_name)))
