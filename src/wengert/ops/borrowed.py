"""SciPy's special functions as elementwise primitives, borrowed when they are first needed.

wengert starts without SciPy: a primitive here knows the name of its function, and looks the ufunc
up when somebody asks for a number or a dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn, cast

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir import source
from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.families import Elementwise, Slope, _named, along, scale
from wengert.ops.radii import lost, plus


class Borrowed:
    """A ufunc of `scipy.special` by its name; of several results the one that `part` says."""

    def __init__(self, name: str, nin: int, part: int | None, holomorphic: bool) -> None:
        self.__name__, self.nin, self.part, self.holomorphic = name, nin, part, holomorphic

    @cached_property
    def ufunc(self) -> Any:
        """The ufunc itself; brings SciPy in."""
        from scipy.special import (
            _ufuncs,  # `scipy.special` has plain functions under SCIPY_ARRAY_API
        )

        return getattr(_ufuncs, self.__name__)

    @property
    def nout(self) -> int:
        """How many results the ufunc has."""
        nout: int = self.ufunc.nout
        return nout

    def resolve_dtypes(self, dtypes: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
        """Dtypes of the loop; complex ones only where the slope is that of a holomorphic function."""
        found: tuple[np.dtype[Any], ...] = self.ufunc.resolve_dtypes(dtypes)
        if not self.holomorphic and any(d.kind == "c" for d in found):
            raise TypeError(
                f"no derivative rule for complex arguments of scipy.special.{self.__name__}"
            )
        return found

    def __call__(self, *xs: Any) -> Any:
        y = self.ufunc(*xs)
        return y if self.part is None else y[self.part]


def special(
    name: str,
    *slopes: Slope | along,
    part: int | None = None,
    named: str | None = None,
    holomorphic: bool = False,
    lower: str | Callable[..., Any] | None = None,
) -> Elementwise:
    """The primitive of `scipy.special.<name>`, one slope per argument (as for `Elementwise`)."""
    borrowed, called = Borrowed(name, len(slopes), part, holomorphic), named or name

    def formula(s: Any, *xs: Any) -> Any:
        return s.special(called, *xs) if lower is None else s.widened(lower, xs)

    return Elementwise(cast(np.ufunc, borrowed), *slopes, name=called, lower=formula)


class Family(Primitive):
    """Functions of one argument, told apart by parameters: `polygamma[order](x)`.

    `value(x, **params)` computes, `slope(y, x, **params)` is the formula, often of a neighbour.
    """

    def __init__(
        self, name: str, value: Callable[..., Any], slope: Callable[..., Any], dtypes: str = "f"
    ) -> None:
        self.name, self.value, self.slope, self.dtypes = name, value, slope, dtypes

    def typeof(self, x: ArrayType, **params: Any) -> ArrayType:
        if x.dtype.kind not in self.dtypes:
            raise NotDifferentiableError(
                f"{self.name} has no derivative rule for {x!r}",
                "pass real numbers, or ask for fewer derivatives",
                source.here(),
            )
        return x

    def eval(self, x: Any, **params: Any) -> Any:
        return np.asarray(self.value(x, **params), x.dtype)[()]

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (scale(dxs[0], self.slope(ys[0], xs[0], **params)),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.jvp(gs, xs, ys, **params)

    def batch(self, batched: tuple[bool, ...], x: Any, **params: Any) -> Any:
        return self(x, **params)

    def lower(self, k: Any, x: Any, **params: Any) -> Any:
        if (
            list(params) != ["order"]
            or not self.name.startswith("spherical")
            or x.dtype.kind != "f"
        ):
            return NotImplemented
        order = k.number(params["order"], x.dtype)
        return k.map(lambda s, n, x: s.special(self.name, n, x), order, x, dtype=x.dtype)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        from wengert.ops.spread import by_slope

        (y,), (x,), (r,) = ys, xs, rs
        own = lost(np.abs(y) + np.where(np.real(x) < 0, np.ones_like(np.abs(x)), 0), 64)
        value, slope = (lambda t: self(t, **params)), (lambda y, t: self.slope(y, t, **params))
        return (own if r is None else plus(own, by_slope(value, slope, y, x, r)),)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def of_scipy(name: str) -> Callable[..., Any]:
    """A function of `scipy.special` that is no ufunc."""
    import scipy.special

    return cast(Callable[..., Any], getattr(scipy.special, name))


def unknown(name: str, argument: str) -> along:
    """The slope in an argument for which no formula is known: an error, never a silent zero."""

    def refuse(g: Any, y: Any, *xs: Any) -> NoReturn:
        raise NotDifferentiableError(
            f"scipy.special.{name} has no derivative rule in its argument {argument!r}",
            f"keep {argument!r} out of the derivative with wg.stop_gradient, "
            "or give the function a rule of your own with @wg.custom_jvp",
            source.here(),
        )

    return along(refuse)


def number(x: Any, value: float) -> Any:
    """A constant of x's dtype: an order, a parameter."""
    return x.dtype.type(value)


def series(coefficients: list[float]) -> Callable[[Any], Any]:
    """The polynomial with these coefficients, the constant one first (Horner)."""

    def polynomial(t: Any) -> Any:
        total: Any = coefficients[-1]
        for c in coefficients[-2::-1]:
            total = total * t + c
        return total

    return polynomial
