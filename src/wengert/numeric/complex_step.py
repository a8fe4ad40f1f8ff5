"""The complex step: f'(x) = Im f(x + ih) / h. Nothing is subtracted, so h may be as small as 1e-100.

It holds for analytic functions alone (Squire, Trapp, "Using complex variables to estimate
derivatives of real functions", SIAM Review 40, 1998; Martins, Sturdza, Alonso, "The complex-step
derivative approximation", ACM TOMS 29, 2003). Two watchmen see to that. The complex argument is an
array that refuses what is not analytic (absolute values, comparisons, parts, conjugates) at the
user's line. And where f slips through (`np.vdot`, compiled code), the Cauchy–Riemann equations are
tried: the slope along i must be the slope along 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir import source

_UFUNCS = {
    np.absolute, np.fabs, np.conjugate, np.sign, np.maximum, np.minimum, np.fmax, np.fmin,
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
}  # fmt: skip
_FUNCTIONS = {np.real, np.imag, np.angle, np.real_if_close, np.vdot, np.iscomplex, np.isreal}
_WAY_OUT = 'use method="richardson", which asks for no complex numbers'


class Watched(np.ndarray[Any, Any]):
    """A complex array that lets analytic operations through and refuses the others."""

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: Any, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        if ufunc in _UFUNCS:
            _refuse(f"np.{ufunc.__name__}")
        if out is not None:
            kwargs["out"] = tuple(o.view(np.ndarray) if isinstance(o, Watched) else o for o in out)
        plain = [x.view(np.ndarray) if isinstance(x, Watched) else x for x in inputs]
        try:
            found = getattr(ufunc, method)(*plain, **kwargs)
        except TypeError as error:
            if "not supported for the input types" in str(error):
                _refuse(f"np.{ufunc.__name__}" if hasattr(np, ufunc.__name__) else ufunc.__name__)
            raise
        if out is not None:
            return out[0]
        return tuple(map(watched, found)) if isinstance(found, tuple) else watched(found)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in _FUNCTIONS:
            _refuse(f"np.{func.__name__}")
        found = super().__array_function__(func, types, args, kwargs)
        return watched(found) if isinstance(found, np.ndarray) else found

    @property  # type: ignore[misc]
    def real(self) -> NoReturn:  # type: ignore[override]
        """Refused."""
        _refuse("the real part")

    @property  # type: ignore[misc]
    def imag(self) -> NoReturn:  # type: ignore[override]
        """Refused."""
        _refuse("the imaginary part")

    def __bool__(self) -> bool:
        _refuse("`if`, `while`, `and`, `or` or `not`")

    def _ordered(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: complex numbers have no order."""
        _refuse("sorting")

    sort = argsort = argmax = argmin = partition = argpartition = _ordered


def watched(x: Any) -> Any:
    """Complex numbers under watch; everything else as it is."""
    x = np.asarray(x)
    return x.view(Watched) if x.dtype.kind == "c" else x[()]


def _refuse(what: str) -> NoReturn:
    raise NotDifferentiableError(
        f"the complex step needs an analytic function, and {what} is not", _WAY_OUT, source.here()
    )


def size_of_step(x: float, dtype: Any) -> float:
    """So small that h² is nothing beside 1, and h times a slope still a normal number."""
    relative, smallest = (1e-100, 1e-290) if np.dtype(dtype).itemsize >= 8 else (1e-20, 1e-35)
    return max(abs(x) * relative, smallest) if x != 0 else relative


def complex_step(f: Callable[[Any], Any], h: float) -> Any:
    """Im f(ih) / h, where `f` takes the (complex) displacement."""
    try:
        y = f(complex(0.0, h))
    except TypeError as error:
        if isinstance(error, NotDifferentiableError):
            raise
        raise NotDifferentiableError(
            f"the complex step needs a function that takes complex numbers, and this one does not: {error}",
            _WAY_OUT,
            source.here(),
        ) from error
    return np.asarray(y).view(np.ndarray).imag / h


def agree(slope: Any, real_slope: Any, error: Any) -> None:
    """Raise where the slope along i is not the slope along 1 (as far as that could be measured)."""
    size = np.abs(slope) + np.abs(real_slope)
    off = (np.abs(slope - real_slope) > 20 * error + 1e-3 * size) & (error < 1e-3 * size)
    if np.any(off):
        k = int(np.argmax(off))
        raise NotDifferentiableError(
            "the complex step needs an analytic function, and this one breaks the Cauchy–Riemann equations: "
            f"its slope is {np.ravel(slope)[k]:.6g} along i and {np.ravel(real_slope)[k]:.6g} along 1",
            _WAY_OUT,
            source.here(),
        )
