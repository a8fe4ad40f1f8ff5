"""AutoDiffScalar: what the user holds. A value and its derivatives, two dense arrays.

It goes through NumPy like an array: each operator, method and protocol is the traced array's own,
applied to the handle inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

import wengert.numpy_api  # noqa: F401  (fills the class whose operators are taken over)
from wengert import tree
from wengert.dual.arithmetic import DualBuilder, builder_above
from wengert.errors import ConcretizationError, DTypeError, InputError, ShapeError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.trace.tracer import Tracer


class AutoDiffScalar:
    """A number, or an array of numbers, with the derivatives of each.

    `value` has a shape `s`, `derivatives` the shape `(*s, p)`: derivative k of element i stands at
    `[i, k]`. Without derivatives it is a constant, which mixes with any p. The value may itself be
    an AutoDiffScalar: that carries second derivatives.

    >>> def sigmoid(x):
    ...     return 1 / (1 + np.exp(-x))
    >>> y = sigmoid(AutoDiffScalar(2.0, [1.0]))
    >>> y
    AutoDiffScalar(0.880797, derivatives=[0.104994])
    >>> y.value(), y.derivatives()
    (np.float64(0.8807970779778823), array([0.10499359]))
    """

    __slots__ = ("__weakref__", "_handle")
    _handle: Tracer

    def __init__(self, value: Any, derivatives: Any = None) -> None:
        value, weak = _opened(value)
        partials = None if derivatives is None else _partials(inside(derivatives), value)
        builder = builder_above(value, partials)
        self._handle = builder.moving(type_of(value), value, weak, partials)

    # ---- looking at it ---------------------------------------------------------------------------
    def value(self) -> Any:
        """The value: a number or an array of shape `shape` (an AutoDiffScalar, for duals of duals)."""
        self._handle.refresh()
        value = self._handle.value
        return value.copy() if isinstance(value, np.ndarray) else outside(value)

    def derivatives(self) -> Any:
        """The derivatives, of shape `(*shape, p)`; p is 0 for a constant."""
        self._handle.refresh()
        partials = self._handle.node.tangent
        if partials is None:
            return np.zeros((*self._handle.shape, 0), self._handle.dtype)
        found = np.moveaxis(partials, 0, -1)
        return outside(found) if isinstance(found, Tracer) else np.array(found, order="C")

    def __repr__(self) -> str:
        value, slopes = _shown(self.value()), _shown(self.derivatives())
        if "\n" in value + slopes:
            return f"AutoDiffScalar({_indented(value)},\n    derivatives={_indented(slopes)})"
        return f"AutoDiffScalar({value}, derivatives={slopes})"

    def __str__(self) -> str:
        return str(self.value())

    def __format__(self, spec: str) -> str:
        value = self.value()
        return format(value.item() if isinstance(value, np.generic) else value, spec)

    # ---- NumPy's protocols -----------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        answer: Any = Tracer.__array_ufunc__  # type: ignore[attr-defined]
        return outside(answer(self._handle, ufunc, method, *inside(inputs), **inside(kwargs)))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """NumPy's array functions come here, and wengert's own (custom rules, `stop_gradient`)."""
        found = func(*inside(args), **inside(kwargs))
        # a new buffer of this kind can hold duals
        return (
            AutoDiffScalar(found) if func in _LIKE and found.dtype.kind in "fc" else outside(found)
        )

    def __iter__(self) -> Iterator[Any]:
        return map(outside, iter(self._handle))  # type: ignore[call-overload]

    # ---- what would drop the derivatives -----------------------------------------------------------
    def _refuse(self, asked: str, way_out: str = "write x.value() for the value alone") -> NoReturn:
        raise ConcretizationError(
            f"{asked} asks a dual number for a plain one, which would silently drop its derivatives",
            way_out,
            source.here(),
        )

    def __float__(self) -> float:
        self._refuse("float()")

    def __int__(self) -> int:
        self._refuse("int()")

    def __complex__(self) -> complex:
        self._refuse("complex()")

    def __index__(self) -> int:
        self._refuse("an index or a range")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self._refuse("np.array()", "join duals with np.stack; write x.value() for the value alone")

    def __hash__(self) -> int:
        return id(self._handle)

    def __reduce__(self) -> Any:
        constant = self._handle.node.tangent is None
        return AutoDiffScalar, (self.value(), None if constant else self.derivatives())


_LIKE = (np.zeros_like, np.ones_like, np.empty_like, np.full_like)


def inside(x: Any) -> Any:
    """Handles in place of duals, in containers too."""
    cls = type(x)
    if cls is AutoDiffScalar:
        return x._handle
    if cls is tuple:
        return tuple([inside(v) for v in x])
    if cls is list:
        return [inside(v) for v in x]
    if cls is dict:
        return {k: inside(v) for k, v in x.items()}
    return tree.map_leaves(inside, x) if _is_container(cls) else x


def outside(x: Any) -> Any:
    """Duals in place of handles; what carries no derivative (comparisons, indices) is plain again."""
    cls = type(x)
    if cls is Tracer and isinstance(x.builder, DualBuilder):
        if not x.type.inexact:
            x.refresh()
            return outside(x.value)
        new = object.__new__(AutoDiffScalar)
        new._handle = x
        return new
    if cls is list:
        return [outside(v) for v in x]
    if cls is tuple:
        return tuple([outside(v) for v in x])
    if cls is dict:
        return {k: outside(v) for k, v in x.items()}
    return tree.map_leaves(outside, x) if _is_container(cls) else x


def _is_container(cls: type) -> bool:
    """A named tuple or a dataclass."""
    return hasattr(cls, "_fields") or hasattr(cls, "__dataclass_fields__")


def _opened(value: Any) -> tuple[Any, bool]:
    """A value as a dual holds it, and whether it came from a Python scalar (NEP 50)."""
    value = inside(value)
    if isinstance(value, Tracer):
        if value.window is not None:
            value.refresh()
        return (value if value.type.inexact else value.astype(float)), value.weak  # type: ignore[attr-defined]
    weak = isinstance(value, int | float | complex) and not isinstance(value, np.generic)
    try:
        array = np.array(value)
    except ValueError as error:
        raise InputError(
            f"a dual of a ragged list: {error}", "make the rows equally long", source.here()
        ) from None
    if array.dtype.kind not in "fc":
        if array.dtype.kind not in "biu":
            raise InputError(
                f"a dual of a {type(value).__name__}", "pass numbers or NumPy arrays", source.here()
            )
        array = array.astype(np.float64)
    return array[()], weak


def _partials(derivatives: Any, value: Any) -> Any:
    """Derivatives as a dual holds them: the dtype of the value, the derivative axis first."""
    t = type_of(value)
    given = derivatives if isinstance(derivatives, Tracer) else np.asarray(derivatives)
    if given.ndim != t.ndim + 1 or given.shape[:-1] != t.shape:
        wanted = ", ".join([*map(str, t.shape), "p"])
        raise ShapeError(
            f"derivatives of shape {given.shape} for a value of shape {t.shape}",
            f"give them the shape ({wanted}{',' if t.shape == () else ''}): p derivatives for each element",
            source.here(),
        )
    if not np.can_cast(given.dtype, t.dtype, "same_kind"):
        raise DTypeError(
            f"derivatives of dtype {given.dtype} for a value of dtype {t.dtype}",
            f"pass the value as {given.dtype}",
            source.here(),
        )
    if given.shape[-1] == 0:
        return None
    leading: Any = np.moveaxis(given, -1, 0)  # type: ignore[type-var]
    return (
        leading.astype(t.dtype)
        if isinstance(given, Tracer)
        else np.ascontiguousarray(leading, t.dtype)
    )


def _shown(x: Any) -> str:
    if isinstance(x, np.ndarray | np.generic):
        with np.printoptions(precision=6):
            return np.array2string(np.asarray(x), separator=", ")
    return repr(x)


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


# ---- what an ndarray has and a traced array answers: applied to the handle -------------------------


def _lifted(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: AutoDiffScalar, *args: Any, **kwargs: Any) -> Any:
        handle = self._handle
        found = rule(handle, *[inside(a) for a in args], **inside(kwargs))
        return self if found is handle else outside(found)

    method.__name__ = name
    method.__doc__ = rule.__doc__
    return method


def _property(name: str) -> property:
    return property(lambda self: outside(getattr(self._handle, name)), doc=f"As `ndarray.{name}`.")


for _name, _member in list(vars(Tracer).items()):
    if _name in dir(np.ndarray) and _name not in {*vars(AutoDiffScalar), "__class__"}:
        _rule = _property(_name) if isinstance(_member, property) else _lifted(_name, _member)
        setattr(AutoDiffScalar, _name, _rule)
