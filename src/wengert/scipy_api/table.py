"""The table of SciPy's names, and the dispatcher that stands at each of them.

Rules are registered by name, so that filling the table does not bring SciPy in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import source
from wengert.numpy_api import alone
from wengert.numpy_api.promote import operand
from wengert.numpy_api.table import FUNCTIONS
from wengert.trace.tracer import Tracer

RULES: dict[str, Callable[..., Any]] = {}  # "scipy.linalg.solve": what it does on traced values

F = TypeVar("F", bound=Callable[..., Any])


def implements(*names: str) -> Callable[[F], F]:
    """Register what a function of SciPy does on traced values."""

    def register(f: F) -> F:
        for name in names:
            RULES[name] = f
        return f

    return register


def numbers(x: Any, what: str, way_out: str) -> Any:
    """The numbers of a value that a function of SciPy decides by: which rows are exchanged, say."""
    x = operand(x)
    found = x.number() if isinstance(x, Tracer) else np.asarray(x)
    if found is None:
        raise ConcretizationError(
            f"{what} needs the numbers behind {x.type!r}, and this trace knows only its type",
            way_out,
            source.here(),
        )
    return found


def answering(args: Any) -> Any:
    """The first value, also inside of lists, that answers NumPy's functions itself; or None."""
    for x in args:
        cls = type(x)
        if cls is Tracer:
            return x
        if cls is np.ndarray or cls is float or cls is int:
            continue
        if cls is list or cls is tuple:
            found = answering(x)
            if found is not None:
                return found
        elif hasattr(cls, "__array_function__") and not isinstance(x, np.ndarray | np.generic):
            return x
    return None


def dispatcher(module: ModuleType, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, but a traced value among the arguments brings in our rule (or our refusal)."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        value = answering(args)
        if value is None and kwargs:
            value = answering(kwargs.values())
        if value is None:
            return original(*args, **kwargs)
        return value.__array_function__(call, (type(value),), args, kwargs)

    # where pickle finds it
    call.__module__, call.__name__, call.__qualname__ = module.__name__, name, name
    call.__wengert_original__ = original  # type: ignore[attr-defined]
    rule = RULES.get(f"{module.__name__}.{name}")
    if rule is not None:
        FUNCTIONS[call] = rule
    return call


def install(module: ModuleType) -> None:
    """Put dispatchers on all public functions of a module of SciPy, with and without a rule."""
    for name in public_functions(module):
        original = getattr(module, name)
        if not hasattr(original, "__wengert_original__"):
            call = dispatcher(module, name, original)
            setattr(module, name, call)
            alone.learn({name: (original, call)})  # (it may have been imported before us)


def _ruled(module: ModuleType) -> list[str]:
    prefix = module.__name__ + "."
    names = [n.removeprefix(prefix) for n in RULES if n.startswith(prefix)]
    return [n for n in names if hasattr(module, n)]


def public_functions(module: ModuleType) -> list[str]:
    """Names of the functions that a module of SciPy means for its users."""
    found = []
    for name in {*module.__all__, *_ruled(module)}:
        f = getattr(module, name, None)
        ours = f"{module.__name__}.{name}" in RULES
        plain = callable(f) and hasattr(f, "__name__") and not isinstance(f, np.ufunc | type)
        if ours or (plain and f not in FUNCTIONS):
            found.append(name)
    return found
