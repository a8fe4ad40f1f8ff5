"""The table of NumPy's names, and the two protocols (NEP 13, NEP 18) that look things up in it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from wengert import tree
from wengert.errors import UnsupportedError, WengertError
from wengert.ir import source
from wengert.trace.tracer import Tracer

UFUNCS: dict[np.ufunc, Callable[..., Any]] = {}
# for rules of one or two arguments, what they are without options
PLAIN: dict[Callable[..., Any], Callable[..., Any]] = {}
UFUNC_METHODS: dict[str, Callable[..., Any]] = {}
UFUNC_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {}  # quicker and finer than folding
UFUNC_ACCUMULATIONS: dict[np.ufunc, Callable[..., Any]] = {}
FUNCTIONS: dict[Any, Callable[..., Any]] = {}

F = TypeVar("F", bound=Callable[..., Any])


def implements(*names: Any) -> Callable[[F], F]:
    """Register what a NumPy function does on traced values."""

    def register(f: F) -> F:
        for name in names:
            FUNCTIONS[name] = f
        return f

    return register


def unsupported(name: str, hint: str = "") -> UnsupportedError:
    """The error for a NumPy or SciPy name without a rule."""
    return UnsupportedError(
        f"{name} has no derivative rule in wengert",
        hint
        or "write it with functions that have one, wrap it with @wg.custom_vjp, "
        "or keep traced values out of it with wg.stop_gradient(x) and plain numbers",
        source.here(),
    )


def array_ufunc(self: Tracer, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NEP 13: every ufunc call that meets a tracer arrives here."""
    if method == "__call__":
        rule = UFUNCS.get(ufunc)
        if rule is not None:
            try:
                return rule(*inputs, **kwargs) if kwargs else PLAIN.get(rule, rule)(*inputs)
            except WengertError:
                if any(answers_itself(type(x)) for x in inputs):
                    return NotImplemented
                raise
        if "(vectorized)" in ufunc.__name__:
            return of_objects(ufunc, inputs)
        raise unsupported(ufunc_name(ufunc))
    return UFUNC_METHODS[method](ufunc, *inputs, **kwargs)


def of_objects(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """A ufunc made by `np.frompyfunc`: its Python function meets one traced element after the other."""
    shape = np.broadcast_shapes(*map(np.shape, inputs))
    columns = [np.ravel(np.broadcast_to(x, shape)) for x in inputs]
    objects = [np.empty(len(c), object) for c in columns]
    for column, row in zip(columns, objects, strict=True):
        for n in range(len(row)):
            row[n] = column[n]
    ys = ufunc(*objects)
    several = ys if isinstance(ys, tuple) else (ys,)
    found = tuple(np.reshape(FUNCTIONS[np.stack](list(y)), shape) for y in several)
    return found if isinstance(ys, tuple) else found[0]


def array_function(self: Tracer, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """NEP 18: every array function that meets a tracer arrives here."""
    if len(types) > 1 and any(answers_itself(t) for t in types):
        return NotImplemented
    rule = FUNCTIONS.get(func)
    if rule is None:
        raise unsupported(
            f"{getattr(func, '__module__', 'numpy')}.{func.__name__}".replace("numpy", "np", 1)
        )
    return rule(*args, **kwargs)


def answers_itself(cls: type) -> bool:
    """Does this class have the protocols too (a dual, say)? Then NumPy asks it after us."""
    return (
        cls is not Tracer and not issubclass(cls, np.ndarray) and hasattr(cls, "__array_function__")
    )


def overridable(function: F) -> F:
    """A function of ours that asks guests among its arguments first, as NumPy asks us (NEP 18)."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for x in tree.flatten((args, kwargs))[0]:
            if answers_itself(type(x)):
                return x.__array_function__(call, (type(x),), args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def ufunc_name(ufunc: np.ufunc) -> str:
    """How people write this ufunc: `np.exp`, `scipy.special.erf`."""
    return (
        f"np.{ufunc.__name__}" if hasattr(np, ufunc.__name__) else f"scipy.special.{ufunc.__name__}"
    )


Tracer.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tracer.__array_function__ = array_function  # type: ignore[attr-defined]
