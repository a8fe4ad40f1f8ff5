"""`math` and `cmath` of traced scalars: NumPy's functions, and the few that NumPy has not."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import catching, source
from wengert.numpy_api.promote import cast, inexact, operand
from wengert.ops import erf, gamma
from wengert.trace import trace
from wengert.trace.tracer import Tracer

_NOTHING: dict[str, Any] = {}


def python_asks(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any = _NOTHING) -> Any:
    """What a function of Python's says of the numbers; None where they are not known, or it says nothing.

    Its errors are raised where the user's code would catch them; elsewhere an inf or a nan tells more.
    """
    home = trace.innermost()
    types = home is not None and not home.saving  # (of a branch that may never run)
    numbers = [None if types else _number(a) for a in args]
    if any(n is None for n in numbers):
        if catching.caught(catching.OUTSIDE) and (types or not all(map(_is_known, args))):
            raise ConcretizationError(
                "`try` asks whether the numbers are in the domain of a function, and this trace knows only their types",
                "use np.where or wg.cond here",
                source.here(),
            )
        return None
    try:
        return function(*numbers, **kwargs)
    except (ValueError, ArithmeticError):
        if catching.caught(catching.OUTSIDE):
            raise
    except TypeError:  # (of complex numbers)
        pass
    return None


def _is_known(x: Any) -> bool:
    return not isinstance(x, Tracer) or x.number() is not None


def _number(x: Any) -> Any:
    if isinstance(x, list | tuple):
        found = [_number(v) for v in x]
        return None if any(v is None for v in found) else found
    if isinstance(x, Tracer):
        value = x.number()
        plain = isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "fciub"
        return value.item() if plain and value.ndim == 0 else None
    return x


def doubled(x: Any) -> Any:
    """What Python computes with: numbers in double precision, also in lists."""
    if isinstance(x, list | tuple):
        return type(x)(map(doubled, x))
    if isinstance(x, Tracer) and x.dtype.kind in "fc" and x.dtype.char not in "dD":
        return cast(x, np.dtype(np.float64 if x.dtype.kind == "f" else np.complex128))
    return x


def pythons(y: Any, args: tuple[Any, ...]) -> Any:
    """A result as one of Python's own numbers, which do not lift the dtype of an array."""
    if isinstance(y, tuple):
        return tuple(pythons(part, args) for part in y)
    if isinstance(y, Tracer) and not y.weak and not y.shape:
        if any(y is a for a in args):
            y = y.snapshot()
        y.weak = True
    return y


def _rounding(ufunc: Any) -> Callable[..., Any]:
    def rule(x: Any) -> Any:
        number = ufunc(x).number()
        return int(number) if number is not None else ufunc(x).astype(np.int64)

    return rule


def _remainder(x: Any, y: Any) -> Any:
    """IEEE's: from the nearest multiple of y, of two equally near the even one."""
    return x - np.rint(x / y) * y


def _isclose(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Any:
    size = np.maximum(np.abs(a), np.abs(b))
    return (a == b) | (np.abs(a - b) <= np.maximum(rel_tol * size, abs_tol))


def _of_special(prim: Any) -> Callable[..., Any]:
    return lambda x: prim(inexact(operand(x)))


MATH: dict[str, Callable[..., Any]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt,
    "fabs": np.abs, "fmod": np.fmod, "copysign": np.copysign, "degrees": np.degrees, "radians": np.radians,
    "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "isclose": _isclose,
    "pow": lambda x, y: np.power(x, y),
    "log": lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
    "hypot": lambda *xs: functools.reduce(np.hypot, xs) if len(xs) > 1 else np.abs(xs[0]),
    "dist": lambda p, q: math.hypot(*(a - b for a, b in zip(p, q, strict=True))),
    "fsum": lambda xs: sum(xs),
    "prod": lambda xs, *, start=1: functools.reduce(lambda a, b: a * b, xs, start),
    "sumprod": lambda p, q: sum(a * b for a, b in zip(p, q, strict=True)),
    "fma": lambda x, y, z: x * y + z,
    "floor": _rounding(np.floor), "ceil": _rounding(np.ceil), "trunc": _rounding(np.trunc),
    "erf": _of_special(erf.erf), "erfc": _of_special(erf.erfc),
    "gamma": _of_special(gamma.gamma), "lgamma": _of_special(gamma.gammaln),
    "modf": lambda x: np.modf(x), "frexp": lambda x: np.frexp(x), "ldexp": lambda x, n: np.ldexp(x, n),
    "remainder": _remainder, "nextafter": lambda x, y: np.nextafter(x, y), "ulp": lambda x: np.spacing(np.abs(x)),
}  # fmt: skip

# these take their numbers in lists
OF_LISTS = {"fsum", "prod", "dist", "sumprod"}


def _complex(ufunc: Any) -> Callable[..., Any]:
    def rule(z: Any) -> Any:
        x = operand(z)
        return ufunc(x if x.dtype.kind == "c" else cast(x, np.dtype(np.complex128)))

    return rule


def _polar(z: Any) -> Any:
    return np.abs(z), np.angle(z)


def _rect(r: Any, phi: Any) -> Any:
    return r * (np.cos(phi) + 1j * np.sin(phi))


CMATH: dict[str, Callable[..., Any]] = {
    **{name: _complex(MATH[name]) for name in (
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp",
        "log10", "sqrt")},
    "log": lambda z, base=None: _complex(np.log)(z) if base is None else _complex(np.log)(z) / _complex(np.log)(base),
    "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "isclose": _isclose,
    "phase": lambda z: np.angle(z), "polar": _polar, "rect": _rect,
}  # fmt: skip
