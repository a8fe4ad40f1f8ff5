"""Custom rules against differences, once, at their first use.

A rule may be meant to differ from the slope (clipped, reversed, straight-through gradients), so a
disagreement is a warning. The difference quotient is believed only where it agrees with itself:
at kinks, at infinities and in noise nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.errors import RuleError, RuleWarning
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.ops.custom import Custom

_SEED, _DIRECTIONS, _TOLERANCE = 0, 2, 0.05
_enabled: ContextVar[bool] = ContextVar("wengert_rule_checks", default=True)


class rule_checks:
    """Switch the check of custom rules at first use on or off; with `with`, for a while.

    It holds for the current context (thread or task). `check=False` does it for one function.

    >>> import wengert as wg
    >>> with wg.rule_checks(False):
    ...     pass
    """

    def __init__(self, on: bool) -> None:
        self._before = _enabled.get()
        _enabled.set(bool(on))

    def __enter__(self) -> rule_checks:
        return self

    def __exit__(self, *_: object) -> None:
        _enabled.set(self._before)


def enabled() -> bool:
    """Are rules checked here?"""
    return _enabled.get()


def against_differences(
    custom: Custom, forward: bool, values: Callable[..., Any], xs: tuple[Any, ...],
    ys: tuple[Any, ...], moving: tuple[bool, ...],
) -> None:  # fmt: skip
    """Warn if a rule disagrees with how the function's values move along random directions."""
    draw = np.random.default_rng(_SEED)
    with np.errstate(all="ignore"):
        try:
            at_point = values(*xs)
        except Exception:
            return
        _same_value(custom, at_point, ys)
        try:
            compared = (_compare_push if forward else _compare_pull)(
                custom, values, xs, ys, moving, draw, at_point
            )
        except RuleError:
            raise
        except Exception:  # the function fails beside the point: nothing can be measured
            return
    worst = max(compared, key=lambda pair: pair[2], default=None)
    if worst is None or worst[2] <= 1:
        return
    measured, said, _ = worst
    where = source.caller()
    text = (
        f"{custom.described(forward)} disagrees with the function: along a random direction its values move by "
        f"{measured:.6g}, by the rule it would be {said:.6g}. If that is meant (clipped, reversed, straight-through), "
        "say check=False where the rule is made; wg.rule_checks(False) switches all such checks off."
    )
    source.warn(text, RuleWarning, where)


def _same_value(custom: Custom, plain: Sequence[Any], ys: Sequence[Any]) -> None:
    here, there = [type_of(v) for v in plain], [type_of(y) for y in ys]
    if here != there:
        raise custom.broken(
            False,
            f"the forward rule gives {there}, the function itself {here}",
            "both must return the same value",
        )


def _direction(draw: Any, x: Any) -> Any:
    t = type_of(x)
    d = draw.standard_normal(t.shape)
    if t.dtype.kind == "c":
        d = d + 1j * draw.standard_normal(t.shape)
    size, limits = np.abs(x), np.finfo(t.dtype)
    step = np.where(size < limits.tiny / limits.eps, 0, np.minimum(size, 1))  # too coarse to step
    return (d * np.where(size == 0, 1, step)).astype(t.dtype)[()]


def _slope(
    values: Callable[..., Any], xs: Any, dxs: Any, at_point: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """How each result moves, and how far that measurement is to be believed."""
    eps = max(
        float(np.finfo(type_of(x).dtype).eps)
        for x, dx in zip(xs, dxs, strict=True)
        if dx is not None
    )
    least = max(float(np.finfo(y.dtype).tiny) for y in at_point if type_of(y).inexact)
    h = eps**0.2

    def at(step: float) -> Any:
        return values(
            *(
                x if d is None else (x + step * d).astype(x.dtype)[()]
                for x, d in zip(xs, dxs, strict=True)
            )
        )

    rows = [(at(h), at(-h), h), (at(h / 2), at(-h / 2), h / 2)]
    slopes, errors = [], []
    for n, y in enumerate(at_point):
        if not type_of(y).inexact:
            continue
        (up, down, _), (near_up, near_down, _) = ((r[0][n], r[1][n], r[2]) for r in rows)
        coarse, fine = (up - down) / (2 * h), (near_up - near_down) / h
        kink = np.abs(near_up - 2 * y + near_down) / h  # one-sided slopes differ by this
        noise = (eps * (np.abs(near_up) + np.abs(near_down)) + least) / h
        slopes.append((4 * fine - coarse) / 3)
        errors.append(np.abs(fine - coarse) + kink + noise)
    return slopes, errors


def _compare_push(
    custom: Custom, values: Any, xs: Any, ys: Any, moving: Any, draw: Any, at_point: Any
) -> list[tuple[Any, Any, float]]:  # fmt: skip
    found: list[tuple[Any, Any, float]] = []
    for _ in range(_DIRECTIONS):
        dxs = tuple(_direction(draw, x) if m else None for x, m in zip(xs, moving, strict=True))
        dys = custom.native(True, dxs, xs, ys, moving, {})
        slopes, errors = _slope(values, xs, dxs, at_point)
        said = [
            np.zeros_like(y) if dy is None else dy
            for dy, y in zip(dys, ys, strict=True)
            if type_of(y).inexact
        ]
        for s, e, dy in zip(slopes, errors, said, strict=True):
            found.extend(
                _scored(a, b, c)
                for a, b, c in zip(np.ravel(s), np.ravel(dy), np.ravel(e), strict=True)
            )
    return found


def _compare_pull(
    custom: Custom, values: Any, xs: Any, ys: Any, moving: Any, draw: Any, at_point: Any
) -> list[tuple[Any, Any, float]]:  # fmt: skip
    directions = [
        tuple(_direction(draw, x) if m else None for x, m in zip(xs, moving, strict=True))
        for _ in range(_DIRECTIONS)
    ]
    measured = [_slope(values, xs, dxs, at_point) for dxs in directions]
    gs: list[Any] = []
    k = 0
    for y in ys:
        if not type_of(y).inexact:
            gs.append(None)
            continue
        sound = np.ones(np.shape(y), bool)
        for slopes, errors in measured:
            sound &= np.isfinite(slopes[k]) & np.isfinite(errors[k])
        g = draw.standard_normal(np.shape(y)) + (
            1j * draw.standard_normal(np.shape(y)) if y.dtype.kind == "c" else 0
        )
        gs.append(np.where(sound, g, 0).astype(y.dtype)[()])
        k += 1
    if not any(np.any(g) for g in gs if g is not None):
        return []
    back = custom.native(False, tuple(gs), xs, ys, moving, {})
    weights = [g for g in gs if g is not None]
    found = []
    for dxs, (slopes, errors) in zip(directions, measured, strict=True):
        moved = sum(
            np.sum(np.where(g == 0, 0, g * s)).real for g, s in zip(weights, slopes, strict=True)
        )
        error = sum(
            np.sum(np.where(g == 0, 0, np.abs(g) * e)) for g, e in zip(weights, errors, strict=True)
        )
        said = sum(
            np.sum(c * d).real
            for c, d in zip(back, dxs, strict=True)
            if c is not None and d is not None
        )
        size = sum(
            np.sum(np.where(g == 0, 0, np.abs(g * s))) for g, s in zip(weights, slopes, strict=True)
        )
        found.append(_scored(moved, said, error, size))
    return found


def _scored(measured: Any, said: Any, error: Any, size: Any = 0.0) -> tuple[Any, Any, float]:
    """The pair, and how many times the tolerance they differ by (0 where nothing can be said)."""
    off = float(np.abs(measured - said))
    allowed = float(_TOLERANCE * max(np.abs(measured), np.abs(said), np.abs(size)) + 10 * error)
    return (
        measured,
        said,
        off / allowed if np.isfinite(off) and np.isfinite(allowed) and allowed > 0 else 0.0,
    )
