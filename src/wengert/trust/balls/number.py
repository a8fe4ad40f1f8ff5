"""Numbers of this arithmetic: balls, integers, truth values that may be undecided.

A real number is an `arb`, a complex one an `acb`: midpoint and radius, of any exponent. Integers
and booleans are plain; where a ball is too wide to tell which, the value is `MAYBE`. Arrays are
object arrays of these. The precision of python-flint is one global number, so a lock goes with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any

import numpy as np

MAYBE = None  # a truth value or an integer that is not decided


class Undecided(Exception):
    """A result depends on a branch, an index or a length that balls cannot tell."""


_lock = RLock()


class Doubts:
    """How often something that is not finite was thrown away by a zero or a selection.

    0 · (1/0) is what a derivative program calls 0, and what mathematics decides by a limit.
    """

    count = 0


@cache
def dead() -> Any:
    """The zero of what was not selected: it stops everything. Known by its identity."""
    return flint().arb(0)


@cache
def flint() -> Any:
    """python-flint, imported when the first ball is made."""
    import flint as module

    return module


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Inside, results are rounded to so many bits. One thread at a time."""
    context = flint().ctx
    with _lock:
        before = context.prec
        context.prec = bits
        try:
            yield
        finally:
            context.prec = before


# ---- in ----------------------------------------------------------------------------------------------


def ball(x: Any) -> Any:
    """One exact number as a ball; balls stay what they are."""
    f = flint()
    if x.__class__ is f.arb or x.__class__ is f.acb:
        return x
    if x is MAYBE:
        return f.arb("nan")
    if isinstance(x, complex | np.complexfloating):
        return f.acb(f.arb(float(x.real)), f.arb(float(x.imag)))
    if isinstance(x, bool | int | np.integer | np.bool_):
        return f.arb(int(x))
    return f.arb(float(x))


def complex_ball(x: Any) -> Any:
    """One number as a complex ball."""
    f = flint()
    return x if x.__class__ is f.acb else f.acb(ball(x))


def each(function: Callable[..., Any], count: int = 1) -> Callable[..., Any]:
    """A function of single numbers, for every element of arrays."""
    return np.frompyfunc(function, count, 1)  # type: ignore[no-any-return]


_balls = each(ball)
_complex_balls = each(complex_ball)


def entered(value: Any, dtype: np.dtype[Any]) -> Any:
    """A plain number or array as a value of this arithmetic: integers and booleans stay plain."""
    if dtype.kind in "biu":
        return value
    convert = _complex_balls if dtype.kind == "c" else _balls
    if isinstance(value, np.ndarray) and value.ndim:
        return np.array(convert(value), object)
    return convert(value[()] if isinstance(value, np.ndarray) else value)


def powered(x: Any, p: Any) -> Any:
    """Arb's power of a ball. (Where midpoint and radius are both infinite, Arb's own ends the process.)"""
    if x.__class__ is flint().arb and not (x.is_finite() or x.rad().is_finite()):
        return flint().arb("nan")
    return x**p


# ---- truth -------------------------------------------------------------------------------------------


def less(x: Any, y: Any) -> Any:
    """x < y, or MAYBE."""
    return True if x < y else False if x >= y else MAYBE


def less_equal(x: Any, y: Any) -> Any:
    """x <= y, or MAYBE."""
    return True if x <= y else False if x > y else MAYBE


def equal(x: Any, y: Any) -> Any:
    """x == y, or MAYBE."""
    return True if x == y else False if x != y else MAYBE


def negated(a: Any) -> Any:
    """not a."""
    return MAYBE if a is MAYBE else not a


def decided(value: Any) -> bool:
    """Are all these truth values or integers known?"""
    if isinstance(value, np.ndarray):
        return value.dtype != object or not any(v is MAYBE for v in value.flat)
    return value is not MAYBE


def settled_array(value: Any, dtype: np.dtype[Any]) -> Any:
    """Integers or booleans as a plain array where all are decided; else as they are."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype == object and decided(value) else value
    return value if value is MAYBE else dtype.type(value)


def hull(x: Any, y: Any) -> Any:
    """A ball around both."""
    if x is y:
        return x
    if x is MAYBE or y is MAYBE or isinstance(x, bool | int | np.integer | np.bool_):
        return x if x is not MAYBE and y is not MAYBE and x == y else MAYBE
    return x.union(y)


# ---- out ---------------------------------------------------------------------------------------------


def _nearest(x: Any, dtype: Any) -> Any:
    """The number of the format next to an exact ball (ties to even), or None at a tie that hides."""
    wide = float(x)
    if dtype == np.float64:
        return wide
    with np.errstate(over="ignore"):
        narrow = dtype(wide)
    # rounding twice goes wrong only where the first rounding fell on the middle between two
    if math.isfinite(wide) and np.isfinite(narrow) and float(narrow) != wide:
        with np.errstate(over="ignore"):
            other = np.nextafter(narrow, dtype(np.inf if wide > float(narrow) else -np.inf))
        if (
            np.isfinite(other)
            and (float(narrow) + float(other)) / 2 == wide
            and x != flint().arb(wide)
        ):
            low, high = sorted((narrow, other))
            return high if x > flint().arb(wide) else low
    return narrow


def rounded(x: Any, dtype: Any, slack: int = 0) -> Any:
    """The number of the format `dtype` that every point of a real ball rounds to; None if several.

    With `slack` the ends of the ball may round to numbers that many steps apart.
    """
    if not x.is_finite():
        return None
    low, high = _nearest(x.lower(), dtype), _nearest(x.upper(), dtype)
    if low == high:
        if low == 0:
            return dtype(0.0) if x.is_zero() or not x < 0 else dtype(-0.0)
        return dtype(low)
    for _ in range(slack):
        with np.errstate(all="ignore"):
            low = np.nextafter(dtype(low), dtype(high))
        if low == high:
            return dtype(_nearest(x.mid(), dtype))
    return None
