"""Watchable: an array that a tape can watch where it is.

NumPy cannot tell a tape that a plain array was used. A watchable can: it answers NumPy's protocols,
and under a tape that watches it, it hands out a traced value instead of its number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.types import ArrayType, type_of
from wengert.tape.recorder import recording


class Watchable:
    """An array-like with a name: a number, and NumPy's protocols that know whether a tape looks on."""

    __slots__ = ("__weakref__", "_value", "name")
    trainable = False
    name: str
    _value: Any

    def value(self) -> Any:
        """What it stands for now: its array, or a traced value under a tape that watches it."""
        value = self._value
        tapes = recording.get()
        if tapes:
            builders = {tape.builder for tape in tapes if tape.sees(self)}
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

    # ---- NumPy's protocols -----------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(out, Watchable) for out in kwargs.get("out") or ()):
            self._fixed()
        return getattr(ufunc, method)(
            *map(plain, inputs), **{k: plain(v) for k, v in kwargs.items()}
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return func(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.value(), dtype=dtype, copy=copy)

    def __getitem__(self, at: Any) -> Any:
        return self.value()[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        self._fixed()

    def _fixed(self) -> NoReturn:
        raise InputError(
            f"{self!r} cannot be written in place: a derivative may still need its numbers",
            "use v.assign(…) to give a wg.Variable new numbers",
            source.here(),
        )

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value())

    def __hash__(self) -> int:
        return id(self)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec) if spec else repr(self)


def plain(x: Any) -> Any:
    """`x` with variables and constants, also inside of lists and dictionaries, read."""
    if isinstance(x, Watchable):
        return x.value()
    if x.__class__ is list or x.__class__ is tuple:
        return x.__class__(map(plain, x))
    if x.__class__ is dict:
        return {k: plain(v) for k, v in x.items()}
    return x


def _unary(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: function(self.value())


def _binary(function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    return (lambda self, other: function(self.value(), plain(other))), (
        lambda self, other: function(plain(other), self.value())
    )


for _name in ("neg", "pos", "abs", "invert", "index"):
    setattr(Watchable, f"__{_name}__", _unary(getattr(operator, _name)))
for _name, _function in {"bool": bool, "int": int, "float": float, "complex": complex}.items():
    setattr(Watchable, f"__{_name}__", _unary(_function))
for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and_", "or_", "xor",
):  # fmt: skip
    _plain, _reflected = _binary(getattr(operator, _name))
    setattr(Watchable, f"__{_name.rstrip('_')}__", _plain)
    setattr(Watchable, f"__r{_name.rstrip('_')}__", _reflected)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Watchable, f"__{_name}__", _binary(getattr(operator, _name))[0])
for _name, _function in zip(("__divmod__", "__rdivmod__"), _binary(divmod), strict=True):
    setattr(Watchable, _name, _function)


def _method(name: str) -> Callable[..., Any]:
    def call(self: Watchable, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.value(), name)(*map(plain, args), **kwargs)

    call.__name__ = name
    call.__doc__ = f"As `ndarray.{name}`."
    return call


for _name in (
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "conj", "conjugate", "copy", "cumprod", "cumsum",
    "diagonal", "dot", "flatten", "item", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape",
    "round", "squeeze", "std", "sum", "swapaxes", "take", "tolist", "trace", "transpose", "var",
):  # fmt: skip
    setattr(Watchable, _name, _method(_name))
for _name in ("T", "mT", "real", "imag", "flat", "nbytes", "itemsize"):
    setattr(Watchable, _name, property(_unary(operator.attrgetter(_name))))
