"""Operators, methods and attributes that a traced array shares with an ndarray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert.numpy_api.ufuncs  # noqa: F401  (fills the table that the operators read)
from wengert.numpy_api.promote import is_weak
from wengert.numpy_api.table import UFUNCS
from wengert.trace.tracer import Tracer

_OPERAND = (Tracer, np.ndarray, np.generic, int, float, complex, list, tuple)


def _binary(ufunc: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any]]:
    rule = UFUNCS[ufunc]

    def forward(self: Tracer, other: Any) -> Any:
        if other.__class__ is Tracer and not self.weak:
            return rule(self, other)
        if not isinstance(other, _OPERAND):
            return NotImplemented
        y = rule(self, other)
        if self.weak and is_weak(other):
            y.weak = True
        return y

    def reflected(self: Tracer, other: Any) -> Any:
        if not isinstance(other, _OPERAND):
            return NotImplemented
        y = rule(other, self)
        if self.weak and is_weak(other):
            y.weak = True
        return y

    return forward, reflected


def _inplace(forward: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Tracer, other: Any) -> Any:
        y = forward(self, other)
        if y is NotImplemented or self.ndim == 0:  # NumPy's scalars are immutable
            return y
        if not np.can_cast(y.dtype, self.dtype, "same_kind"):
            raise TypeError(f"cannot change {self.type!r} in place by {y.dtype}: the result would be cast down")
        if y.shape != self.shape:
            raise ValueError(f"non-broadcastable output operand with shape {self.shape} for {y.shape}")
        self[...] = y
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
    if self.dtype.kind in "fc" and isinstance(other, int | float) and not isinstance(other, np.generic):
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


Tracer.__pow__ = _pow  # type: ignore[attr-defined]
Tracer.__rpow__ = _binary(np.power)[1]  # type: ignore[attr-defined]
Tracer.__ipow__ = _inplace(_pow)  # type: ignore[attr-defined]
Tracer.__neg__ = _unary(np.negative)  # type: ignore[attr-defined]
Tracer.__pos__ = _unary(np.positive)  # type: ignore[attr-defined]
Tracer.__abs__ = _unary(np.absolute)  # type: ignore[attr-defined]
Tracer.__invert__ = _unary(np.invert)  # type: ignore[attr-defined]
Tracer.__matmul__ = lambda self, other: (  # type: ignore[attr-defined]
    UFUNCS[np.matmul](self, other) if isinstance(other, _OPERAND) else NotImplemented
)
Tracer.__rmatmul__ = lambda self, other: (  # type: ignore[attr-defined]
    UFUNCS[np.matmul](other, self) if isinstance(other, _OPERAND) else NotImplemented
)
Tracer.__divmod__ = lambda self, other: np.divmod(self, other)  # type: ignore[attr-defined]
Tracer.__rdivmod__ = lambda self, other: np.divmod(other, self)  # type: ignore[attr-defined]


def _len(self: Tracer) -> int:
    if self.ndim == 0:
        raise TypeError("len() of unsized object")
    return self.shape[0]


def _iter(self: Tracer) -> Iterator[Any]:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d array")
    return (self[n] for n in range(self.shape[0]))


Tracer.__len__ = _len  # type: ignore[attr-defined]
Tracer.__iter__ = _iter  # type: ignore[attr-defined]


def _method(function: Any) -> Any:
    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    call.__name__ = function.__name__
    call.__doc__ = f"As `ndarray.{function.__name__}`."
    return call


for _function in (
    np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.argmax, np.argmin, np.argsort, np.all,
    np.any, np.cumsum, np.cumprod, np.clip, np.dot, np.trace, np.diagonal, np.squeeze, np.swapaxes,
    np.repeat, np.take, np.round, np.ravel, np.copy, np.searchsorted, np.compress, np.choose, np.nonzero, np.ptp,
):  # fmt: skip
    setattr(Tracer, _function.__name__, _method(_function))
Tracer.flatten = lambda self, order="C": np.ravel(self, order).copy()  # type: ignore[attr-defined]
Tracer.conj = Tracer.conjugate = _method(np.conjugate)  # type: ignore[attr-defined]


def _reshape(self: Tracer, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)


def _transpose(self: Tracer, *axes: Any) -> Any:
    return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)


def _astype(self: Tracer, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True, copy: Any = True) -> Any:
    from wengert.numpy_api.promote import cast

    y = cast(self, np.dtype(dtype))
    return np.positive(self) if y is self and copy and self.dtype.kind in "fc" else y


def _item(self: Tracer, *at: Any) -> Any:
    if at:
        return self[at[0] if len(at) == 1 and self.ndim == 1 else at] if len(at) > 1 or self.ndim == 1 else np.ravel(self)[at[0]]
    if self.size != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    return np.reshape(self, ())


def _sort(self: Tracer, axis: int = -1, kind: Any = None, order: Any = None) -> None:
    self[...] = np.sort(self, axis)  # type: ignore[index, call-overload]


def _fill(self: Tracer, value: Any) -> None:
    self[...] = value  # type: ignore[index]


def _tolist(self: Tracer) -> Any:
    return [x.tolist() for x in self] if self.ndim else self  # type: ignore[attr-defined]


def _dot_item(self: Tracer) -> int:
    return self.dtype.itemsize


Tracer.reshape = _reshape  # type: ignore[attr-defined]
Tracer.transpose = _transpose  # type: ignore[attr-defined]
Tracer.astype = _astype  # type: ignore[attr-defined]
Tracer.item = _item  # type: ignore[attr-defined]
Tracer.sort = _sort  # type: ignore[attr-defined]
Tracer.fill = _fill  # type: ignore[attr-defined]
Tracer.tolist = _tolist  # type: ignore[attr-defined]
Tracer.T = property(lambda self: np.transpose(self))  # type: ignore[attr-defined]
Tracer.mT = property(lambda self: np.swapaxes(self, -1, -2))  # type: ignore[attr-defined]
Tracer.real = property(lambda self: np.real(self))  # type: ignore[attr-defined]
Tracer.imag = property(lambda self: np.imag(self))  # type: ignore[attr-defined]
Tracer.flat = property(lambda self: np.ravel(self))  # type: ignore[attr-defined]
Tracer.itemsize = property(_dot_item)  # type: ignore[attr-defined]
Tracer.nbytes = property(lambda self: self.size * self.dtype.itemsize)  # type: ignore[attr-defined]
