"""A function with a derivative of its own, and the forms in which its rule may be given.

Every call on traced values becomes one equation `custom[name]` on flat leaves (`ops.custom`); the
direction that was not given is the transpose of the one that was. The function may be a black box:
it gets plain arrays and is never traced while numbers are known.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.signature import Fixed, Signature
from wengert.errors import RuleError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.numpy_api.table import answers_itself
from wengert.trace.idle import plain
from wengert.trace.trace import untraced
from wengert.trace.tracer import Tracer

_SIGNATURES = 256  # so many call signatures of one function are remembered

_BY_NAME_ONLY = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


class CustomFunction:
    """A function with a derivative of its own. The subclasses are the forms that a rule may take.

    `nondiff` are arguments that are no numbers to differentiate by (functions, options); rules get
    them first. `check=False` switches off the comparison with differences at first use.
    """

    form = ""  # how the rule is given, for messages
    keeps = False  # does `forward` leave something for `backward`?

    def __init__(
        self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] | int = (),
        nondiff_argnames: Sequence[str] | str = (), check: bool = True,
    ) -> None:  # fmt: skip
        self.fun, self.check = fun, check
        self.name = getattr(fun, "__name__", type(fun).__name__)
        self._parameters = _parameters(fun)
        numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        names = (
            (nondiff_argnames,) if isinstance(nondiff_argnames, str) else tuple(nondiff_argnames)
        )
        self.nondiff = tuple(sorted({*numbers, *(self._parameters.index(n) for n in names)}))
        self._signatures: dict[Any, Signature] = {}
        self.checked: set[Any] = set()
        functools.update_wrapper(self, fun, updated=())

    # ---- the rule, asked by Signature ----------------------------------------------------------------
    @property
    def ready(self) -> bool:
        """Has the rule been given?"""
        raise AssertionError

    @property
    def rules(self) -> tuple[Any, Any]:
        """The functions that answer backward and forward, for the line in messages; or None."""
        raise AssertionError

    def forward(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        """`(value, what the backward rule needs)`."""
        return self.fun(*args), ()

    def plain(self, args: tuple[Any, ...]) -> Any:
        """The value alone."""
        return self.fun(*args)

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        """A cotangent for each argument that is not nondiff."""
        raise AssertionError

    def push(self, args: tuple[Any, ...], tangents: tuple[Any, ...], y: Any) -> Any:
        """`(value, tangent)`; tangents of arguments that are not nondiff."""
        raise AssertionError

    # ---- the call ------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        traced = False
        for n, x in enumerate(leaves):
            if isinstance(x, Tracer):
                leaves[n] = plain(x)
                traced = traced or isinstance(leaves[n], Tracer)
        args, kwargs = tree.unflatten(structure, leaves)
        if not traced:
            guest = next((x for x in leaves if answers_itself(type(x))), None)
            if guest is not None:
                return guest.__array_function__(self, (type(guest),), args, kwargs)
            with untraced():
                return self.plain(self._positional(args, kwargs))
        if not self.ready:
            raise RuleError(
                f"{self.name} has no rule yet", f"give it one with {self.form}", source.here()
            )
        return self._traced(self._positional(args, kwargs))

    def _traced(self, args: tuple[Any, ...]) -> Any:
        structures: list[Any] = []
        found: list[Any] = []
        key: list[Any] = []
        for n, a in enumerate(args):
            if n in self.nondiff:
                structures.append((None, [Fixed(a)]))
                key.append((None, type(a), a))
                self._refuse_tracers(n, a)
                continue
            leaves, structure = tree.flatten(a)
            places: list[Any] = []
            for x in leaves:
                number = _number(x)
                places.append(Fixed(x) if number is None else len(found))
                key.append(structure if number is not None else (structure, type(x), x))
                if number is not None:
                    found.append(number)
            structures.append((structure, places))
        signature = self._signature(tuple(key), structures)
        ys = signature.custom(*found)
        return signature.unflatten([type_of(x) for x in found], ys)

    def _signature(self, key: Any, structures: list[Any]) -> Signature:
        try:
            known = self._signatures.get(key)
        except (TypeError, ValueError):  # a fixed argument that does not hash or compare
            return Signature(self, structures)
        if known is None:
            if len(self._signatures) >= _SIGNATURES:
                self._signatures.clear()
            known = self._signatures[key] = Signature(self, structures)
        return known

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if not kwargs and len(args) == len(self._parameters):
            return args
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except ValueError:  # a builtin without a signature
            return args
        named = [n for n in bound.arguments if bound.signature.parameters[n].kind in _BY_NAME_ONLY]
        if named:
            raise RuleError(
                f"{self.name} takes {', '.join(named)} by keyword only, and rules get their "
                "arguments by position",
                "make them ordinary arguments (nondiff_argnames, if they are options)",
                source.here(),
            )
        bound.apply_defaults()
        return bound.args

    def _refuse_tracers(self, n: int, a: Any) -> None:
        leaves, _ = tree.flatten(a)
        if any(isinstance(x, Tracer) for x in leaves):
            raise RuleError(
                f"{self.argument(n)} of {self.name} is nondiff, and a traced value was passed for it",
                "make it an ordinary argument, whose cotangent may be None",
                source.here(),
            )

    def argument(self, n: int) -> str:
        """How messages name an argument."""
        return f"argument {self._parameters[n]!r}" if n < len(self._parameters) else f"argument {n}"

    def opened(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that are not nondiff."""
        return tuple(a for n, a in enumerate(args) if n not in self.nondiff)

    def closed(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The nondiff arguments."""
        return tuple(args[n] for n in self.nondiff)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        path = getattr(self, "__qualname__", self.name)
        found: Any = sys.modules.get(self.__module__)
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is self:  # a decorated function: pickled by its name, as functions are
            return path
        state = {
            k: v
            for k, v in vars(self).items()
            if k not in ("_signatures", "checked", "__wrapped__")
        }
        return _rebuilt, (type(self), state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _rebuilt(cls: type[CustomFunction], state: dict[str, Any]) -> CustomFunction:
    new = object.__new__(cls)
    vars(new).update(state, _signatures={}, checked=set(), __wrapped__=state["fun"])
    return new


def _parameters(fun: Callable[..., Any]) -> list[str]:
    if isinstance(fun, np.ufunc):  # without `out` and its like
        return [f"x{n + 1}" for n in range(fun.nin)]
    try:
        return list(inspect.signature(fun).parameters)
    except (ValueError, TypeError):
        return []


def _number(x: Any) -> Any:
    """A leaf that goes through the equation; None for one that is an option (flags, strings, ints)."""
    if isinstance(x, Tracer | np.ndarray | np.generic):
        return x
    if isinstance(x, float):
        return np.float64(x)
    return np.complex128(x) if isinstance(x, complex) else None
