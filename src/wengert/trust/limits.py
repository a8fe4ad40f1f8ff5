"""Limits: the slope of a function of one real variable at a point where its program has none.

Values are taken in balls at x ± δ for shrinking δ, and difference quotients of them from each side.
What they tend to, fast and from where, tells a removable singularity from a kink, an infinite
slope, a jump, or no derivative at all. No derivative rule takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

from wengert.trust.balls.number import Undecided, flint, precision

# h(sign, exponent, offset) at 2^-exponent, with everything else shifted by 2^-offset (0: not at all)
Values = Callable[[Any, Any], Any]

_EXPONENTS = (64, 128, 256, 512, 1024)
_DIGITS = 72  # so many bits of a quotient must agree
_MOST = 20_000  # bits


class Side(NamedTuple):
    """What a function does on one side of a point."""

    kind: str  # "finite", "infinite", "wild" (no limit), "outside" (no values)
    slope: Any = None  # a ball, or ±1 for an infinite slope
    start: Any = None  # the value that it starts from, a ball


class Limit(NamedTuple):
    """What the two sides make of a point."""

    kind: str  # "smooth", "edge", "kink", "infinite", "jump", "none"
    left: Any = None
    right: Any = None
    slope: Any = None  # a ball (smooth, edge), ±1 (infinite)


def find(h: Values, until: float, size: int = 0) -> Limit:
    """The limit of the slope of h at 0; `h(t, shift)` is a ball, for exact balls t.

    `shift` moves everything else by a little: used where h has no values otherwise. The point has
    numbers of size 2^size and larger, so that δ begins far below that. Raises Undecided when the
    time is up.
    """
    middle = _value(h, flint().arb(0), flint().arb(0))
    found = _both(h, middle, None, until, size)
    if found.kind in ("none", "jump") and all(
        s is None or s.kind in ("outside", "wild") for s in (found.left, found.right)
    ):
        for sign in (1, -1):
            beside = _both(h, middle, sign, until, size)
            if beside.kind in ("smooth", "edge", "kink", "infinite"):
                return beside
    return found


def shared(h: Values, until: float, size: int = 0) -> bool:
    """Does a kink go away when everything else moves by more than h does: is it a tie of several numbers?"""
    return all(_both(h, None, sign, until, size, 0.25).kind == "smooth" for sign in (1, -1))


def steady(h: Values, slope: Any, until: float, size: int = 0) -> bool:
    """Does a slope stay what it is when everything else moves by more than h does?

    Where several numbers tie, a function may have slopes along each of them and no derivative.
    """
    for sign in (1, -1):
        found = _both(h, None, sign, until, size, 0.25)
        if found.kind not in ("smooth", "edge"):
            return False
        with precision(256):
            if abs(found.slope - slope) > (1 + abs(slope)) * 1e-9:
                return False
    return True


def value(lines: Sequence[Values], until: float, size: int = 0) -> Any:
    """The limit at 0 of functions that are one function along several lines; None if they differ."""
    found = []
    for h in lines:
        for sign in (1, -1):
            for exponent in (256, 1024):
                if perf_counter() > until:
                    raise Undecided("the time that the policy allows is up")
                pair = _quotient(h, sign, exponent, None, size)
                if pair is None:
                    return None
                found.append(pair[1])
    with precision(256):
        first = found[-1]
        near = all(_near(first, v) for v in found[1::2])
        return first if near and _joined(found) else None


def _value(h: Values, t: Any, shift: Any) -> Any:
    """A finite ball, or None."""
    try:
        with precision(256):
            y = h(t, shift)
    except (Undecided, ArithmeticError, ValueError):
        return None
    return y if y.is_finite() else None


def _both(
    h: Values, middle: Any, beside: int | None, until: float, size: int, power: float = 4.0
) -> Limit:
    right = _side(h, 1, beside, until, size, power)
    left = _side(h, -1, beside, until, size, power)
    there = [s for s in (left, right) if s.kind != "outside"]
    if not there or any(s.kind == "wild" for s in there):
        return Limit("none", left, right)
    if not _joined([s.start for s in there] + ([] if middle is None else [middle])):
        return Limit("jump", left, right)
    if len(there) == 1:
        (only,) = there
        return Limit("infinite" if only.kind == "infinite" else "edge", left, right, only.slope)
    kinds = {s.kind for s in there}
    if kinds == {"infinite"}:
        same = left.slope == right.slope
        return Limit("infinite" if same else "kink", left, right, left.slope if same else None)
    if kinds == {"finite"}:
        with precision(256):
            if _near(left.slope, right.slope):
                return Limit("smooth", left, right, (left.slope + right.slope) / 2)
        return Limit("kink", left, right)
    return Limit("kink", left, right)


def _joined(starts: list[Any]) -> bool:
    """Do the sides and the point itself meet in one value?"""
    with precision(256):
        size = max((abs(s).mid() for s in starts), key=_Ordered)
        gap = max(((a - b).abs_upper() for a in starts for b in starts), key=_Ordered)
        return bool(gap <= size * 1e-3) or bool(gap < 1e-12)


class _Ordered:
    """Orders exact balls."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __lt__(self, other: _Ordered) -> bool:
        return bool(self.x < other.x)


def _near(a: Any, b: Any) -> bool:
    gap, size = (a - b).abs_upper(), max(a.abs_upper(), b.abs_upper(), key=_Ordered)
    return bool(gap <= size * flint().arb(2) ** -30) or bool(gap < flint().arb(2) ** -1080)


def _side(h: Values, sign: int, beside: int | None, until: float, size: int, power: float) -> Side:
    slopes: list[Any] = []
    start = None
    for exponent in _EXPONENTS:
        if perf_counter() > until:
            raise Undecided("the time that the policy allows is up")
        pair = _quotient(h, sign, exponent, beside, size, power)
        if pair is None:
            return Side("outside" if not slopes else "wild")
        slope, start = pair
        slopes.append(slope)
    return _judged(slopes, start)


def _quotient(
    h: Values, sign: int, exponent: int, beside: int | None, size: int, power: float = 4.0
) -> Any:
    """(h(2δ) - h(δ)) / δ to enough bits, and h(δ); None where there are no values.

    What is `beside` lies δ to the `power` away.
    """
    arb = flint().arb
    bits = (2 * exponent + 192 if beside is None else 6 * exponent) - size // 2
    while bits <= _MOST:
        try:
            with precision(bits):
                step = sign * arb(2) ** (size - exponent)
                shift = (
                    arb(0) if beside is None else beside * arb(2) ** (size - int(power * exponent))
                )
                near, far = h(step, shift), h(2 * step, shift)
                slope = (far - near) / step
        except (Undecided, ArithmeticError, ValueError):
            return None
        if slope.is_finite():
            if slope.rel_accuracy_bits() >= _DIGITS or slope.is_zero():
                return slope, near
            if slope.abs_upper() < arb(2) ** (2 * size - 2 * exponent - 1100):
                return arb(0), near
        elif bits > 4 * exponent - 2 * size + 2048:
            return None
        bits = 2 * bits
    return None


def _judged(slopes: list[Any], start: Any) -> Side:
    """What a sequence of quotients tends to, δ being squared from one to the next."""
    with precision(256):
        last, before = slopes[-1], slopes[-2]
        gap = (last - before).abs_upper()
        if gap <= abs(last).abs_upper() * flint().arb(2) ** -30:
            return Side("finite", last, start)
        sizes = [abs(s).mid() for s in slopes]
        tiny = flint().arb(2) ** -200
        if all(b < a for a, b in pairwise(sizes[1:])) and sizes[-1] < tiny:
            return Side("finite", flint().arb(0), start)  # it shrinks with δ
        if gap < tiny and sizes[-1] < tiny:
            return Side("finite", flint().arb(0), start)
        signs = {1 if s > 0 else -1 for s in slopes[1:]}
        grows = all(b > a * 1.2 for a, b in pairwise(sizes[1:]))
        if len(signs) == 1 and grows:
            return Side("infinite", signs.pop(), start)
    return Side("wild", None, start)
