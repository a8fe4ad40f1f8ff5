"""StandIn: an array-like that stands for something else, an array or a traced value.

It answers operators, methods and NumPy's protocols by what it stands for at that moment.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert.numpy_api.methods  # noqa: F401  (puts on traced values what they share with ndarrays)
from wengert.trace.tracer import Tracer


class StandIn:
    """Forwards what an ndarray can do to what `__wengert__()` returns."""

    __slots__ = ()

    def __wengert__(self) -> Any:
        """What it stands for now."""
        raise NotImplementedError

    # ---- NumPy's protocols -----------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(
            *map(plain, inputs), **{k: plain(v) for k, v in kwargs.items()}
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return func(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.__wengert__(), dtype=dtype, copy=copy)

    # ---- Python's --------------------------------------------------------------------------------
    def __getitem__(self, at: Any) -> Any:
        return self.__wengert__()[plain(at)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__wengert__())

    def __len__(self) -> int:
        return len(self.__wengert__())

    def __hash__(self) -> int:
        return id(self)

    def __format__(self, spec: str) -> str:
        return format(self.__wengert__(), spec)


def plain(x: Any) -> Any:
    """`x` with stand-ins, also inside of lists and dictionaries, replaced by what they stand for."""
    if isinstance(x, StandIn):
        return x.__wengert__()
    if type(x) is list or type(x) is tuple:
        return type(x)(map(plain, x))
    if type(x) is dict:
        return {k: plain(v) for k, v in x.items()}
    return x


def _unary(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: function(self.__wengert__())


def _binary(function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    return (lambda self, other: function(self.__wengert__(), plain(other))), (
        lambda self, other: function(plain(other), self.__wengert__())
    )


def _method(name: str) -> Callable[..., Any]:
    def call(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.__wengert__(), name)(
            *map(plain, args), **{k: plain(v) for k, v in kwargs.items()}
        )

    call.__name__ = name
    call.__doc__ = f"As `ndarray.{name}`."
    return call


for _name in ("neg", "pos", "abs", "invert", "index"):
    setattr(StandIn, f"__{_name}__", _unary(getattr(operator, _name)))
for _name, _function in {"bool": bool, "int": int, "float": float, "complex": complex}.items():
    setattr(StandIn, f"__{_name}__", _unary(_function))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(StandIn, f"__{_name}__", _binary(getattr(operator, _name))[0])
_ARITHMETIC = {
    name.rstrip("_"): getattr(operator, name)
    for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift", "and_", "or_", "xor",
    )
}  # fmt: skip
for _name, _function in _ARITHMETIC.items():  # `y += 1` makes a new value and lets y name it
    _forward, _reflected = _binary(_function)
    setattr(StandIn, f"__{_name}__", _forward)
    setattr(StandIn, f"__i{_name}__", _forward)
    setattr(StandIn, f"__r{_name}__", _reflected)
for _name, _function in zip(("__divmod__", "__rdivmod__"), _binary(divmod), strict=True):
    setattr(StandIn, _name, _function)
StandIn.dot = _binary(np.dot)[0]  # type: ignore[attr-defined]  # (ndarray.dot takes no traced values)
# all that a traced value shares with an ndarray
for _name, _attribute in vars(Tracer).items():
    if not (_name.startswith("_") or hasattr(StandIn, _name)) and hasattr(np.ndarray, _name):
        _is_property = isinstance(_attribute, property)
        setattr(
            StandIn,
            _name,
            property(_unary(operator.attrgetter(_name))) if _is_property else _method(_name),
        )
