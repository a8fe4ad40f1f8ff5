"""detect: which numbers of a result cannot be trusted?

The bounds are run beside the program that computed the result (a gradient's own). A number is suspect
when what it may be off by exceeds the tolerance. What the quick bounds suspect is run once more in a
wider format (trust/wide.py): there, lost exponents come back, and a number that was right after all
is cleared. What is not suspect is right to the tolerance, whatever the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle
from wengert.ir.program import Eqn, Program
from wengert.ir.types import ArrayType, type_of
from wengert.ops.radii import Radius, real_of
from wengert.transforms.sweep import sweep
from wengert.trust.bounds import run
from wengert.trust.effort import operations
from wengert.trust.means import machine
from wengert.trust.slices import sliced
from wengert.trust.wide import widened, wider

_ROOM = 1 + 1e-6  # radii are rounded themselves
_SLOW = 3e7  # operations that are too many for a format without quick loops
_DIGITS = 64  # a number that is known to so many ulps is settled
_SHARE = 0.01  # or to this part of what is tolerated


class Detection(NamedTuple):
    """What was found out about the results, one entry each.

    `suspect`: masks. `bounds`: the relative error that each number may have. `settled`: numbers
    that the wider format knows to the last digits, nan where it does not; None: it was not asked.
    """

    suspect: list[Any]
    bounds: list[Any]
    settled: list[Any]
    dropped: bool  # has a rule for one point thrown away something that is not finite?


class Look(NamedTuple):
    """What the quick bounds say: masks and relative bounds per result, and truth values for all.

    `doubt`: may Python have decided otherwise? `dropped`: has a rule for one point thrown away
    something that is not finite? `alarm`: is anything suspect? Bounds that nobody asked for are None.
    """

    suspect: list[Any]
    bounds: list[Any]
    doubt: Any
    dropped: Any
    drops: Sequence[Any] = ()  # masks of where
    alarm: Any = True


def detect(
    program: Program, args: Sequence[Any], results: Sequence[Any], tolerated: Callable[[Any], float],
    quick: Look | None = None,
) -> Detection:  # fmt: skip
    """Look at the `results` of a program at `args`; `tolerated(dtype)` is the relative error allowed.

    Outputs of the program beyond the results are what Python decided by (`if`): where such
    a decision is in doubt, so are all results. `quick` is what the bounds have said already.
    """
    numbers = [np.asarray(g)[()] for g in results]
    tolerances = tuple(tolerated(g.dtype) if g.dtype.kind in "fc" else 0.0 for g in numbers)
    if quick is None:
        quick = _quick(program, args, numbers, tolerances)
    suspects, bounds, doubt = list(quick.suspect), list(quick.bounds), bool(quick.doubt)
    settled: list[Any] = [None] * len(results)
    look = bool(quick.alarm) and (doubt or any(np.any(s) for s in suspects))
    if look and any(wider(np.asarray(a).dtype) for a in args):
        count = len(results)
        small = None if doubt else sliced(_only(program, count), args, suspects)
        part, given, at = (program, args, ...) if small is None else small
        if operations(part) < _SLOW:
            again = widened(part, given)
            doubt = doubt and bool(_doubt(again.radii[count:]))
            for n, (g, y, r) in enumerate(zip(numbers, again.values, again.radii, strict=False)):
                few = np.asarray(g)[at]
                still, bound = _look(few, y, r, tolerances[n])
                suspects[n] = np.array(suspects[n])
                if bounds[n] is not None:
                    bounds[n] = np.array(bounds[n])
                    bounds[n][at] = np.where(suspects[n][at], bound, bounds[n][at])
                suspects[n][at] &= still
                if few.dtype.kind in "fc":
                    settled[n] = np.full(np.shape(g), np.nan, few.dtype)
                    settled[n][at] = _settled(few, y, r, tolerated)
    if doubt:
        suspects = [np.ones_like(s) for s in suspects]
        bounds = [None if b is None else np.full(np.shape(b), np.inf) for b in bounds]
    return Detection(suspects, bounds, settled, bool(quick.dropped))


def _doubt(radii: Sequence[Radius]) -> Any:
    """Is any of these not exact?"""
    total: Any = np.False_
    for r in radii:
        if r is not None:
            total = np.any(r != 0) | total
    return total


def _only(program: Program, count: int) -> Program:
    """The program of its first outputs."""
    kept = program.outputs[:count]
    return sweep(Program(program.inputs, program.eqns, kept, program.sources, program.name))


def _look(result: Any, value: Any, radius: Radius, tolerance: Any) -> tuple[Any, Any]:
    """Is it suspect, and its relative error bound: the exact value lies within `radius` of `value`."""
    mask = _suspect(result, value, radius, tolerance)
    if result.dtype.kind not in "fc":
        return mask, np.where(mask, np.inf, 0.0)
    with np.errstate(all="ignore"):
        size, error = _error(result, value, radius)
        room = size - error  # nan, like everything below, where the result is not finite
        nothing = np.where(error == 0, error, np.inf)
        return mask, np.where(room > 0, error / np.where(room > 0, room, 1), nothing)


def _suspect(result: Any, value: Any, radius: Radius, tolerance: Any) -> Any:
    """May it be off by more than the tolerance, a part of what is right?"""
    if result.dtype.kind not in "fc":
        return result != result if radius is None else radius != 0
    with np.errstate(all="ignore"):
        size, error = _error(result, value, radius)
        tiny = float(np.finfo(result.dtype).tiny)  # below it, numbers have no digits to lose
        part = tolerance / (1 + tolerance)  # of what is right: error <= tolerance * (size - error)
        return ~(((error <= part * size) & (size < np.inf)) | (size + error < tiny))


def _error(result: Any, value: Any, radius: Radius) -> tuple[Any, Any]:
    """How large a result is, and how far it may be off."""
    # (the value is of the wider format, where that looks again)
    given = result if result.dtype == value.dtype else result.astype(value.dtype)
    size = np.abs(given)
    if result is value:
        return size, size * 0 if radius is None else radius * _ROOM
    apart = np.abs(given - value)
    return size, apart if radius is None else (apart + radius) * _ROOM


def _settled(result: Any, value: Any, radius: Radius, tolerated: Callable[[Any], float]) -> Any:
    """The number of the wider format, where that is known to the last digits."""
    dtype = np.asarray(result).dtype
    if dtype.kind not in "fc":
        return None
    with np.errstate(all="ignore"):
        info = np.finfo(dtype)
        share = max(_DIGITS * info.eps, _SHARE * tolerated(dtype))
        room = share * np.maximum(np.abs(value), info.tiny)
        sure = np.isfinite(value) & ((0 if radius is None else radius) <= room)
        return np.where(sure, value, np.nan).astype(dtype)


# ---- the quick run ---------------------------------------------------------------------------------------


class Drops:
    """Does a rule for one point (`where x == 0`) throw away something that is not finite?

    There an infinite slope meets a kink, and what that gives is for limits to say.
    """

    def __init__(self) -> None:
        self.points: set[Any] = set()  # results of comparisons for equality
        self.stopped: set[Any] = set()  # what such a rule has chosen
        self.found: list[Any] = []  # masks

    def see(self, eqn: Eqn, xs: Any, rs: Any, ys: Any, radii: Any) -> None:
        """Look at one equation."""
        if eqn.prim.name == "equal":
            self.points.update(eqn.outputs)
        elif eqn.prim.name == "select" and eqn.inputs[0] in self.points:
            c, _, other = xs
            self.stopped.update(eqn.outputs)
            self._add(c, other)
        elif eqn.prim.name == "scale" and eqn.inputs[0] in self.stopped:
            self._add(xs[0] == 0, xs[1])

    def _add(self, stops: Any, x: Any) -> None:
        if type_of(x).inexact and (isinstance(x, Handle) or not np.all(np.isfinite(x))):
            self.found.append(stops & ~np.isfinite(x))


def any_of(masks: Sequence[Any]) -> Any:
    """Is anything marked? Masks of one shape are put together first, and looked through once."""
    whole: dict[Any, Any] = {}
    for mask in masks:
        shape = np.shape(mask)
        whole[shape] = mask | whole[shape] if shape in whole else mask
    total: Any = np.False_
    for shape, mask in whole.items():
        found = np.any(mask) if shape else mask
        total = found if total is np.False_ else found | total
    return total


_LARGE = 1 << 13  # numbers among the arguments from which on it pays


def _quick(
    program: Program, args: Sequence[Any], results: Sequence[Any], tolerances: Sequence[float]
) -> Look:
    """In the program's own arithmetic."""
    count = len(results)
    if machine and sum(np.size(a) for a in args) >= _LARGE:
        types = tuple(map(type_of, results))
        given = [*args, *results, *as_numbers(tolerances, results)]
        ys = list(machine[-1](judging(program, types))(given))
        return Look(ys[:count], ys[count : 2 * count], ys[-2], ys[-1])
    return _judged(program, args, results, tolerances)[1]


def as_numbers(tolerances: Sequence[float], results: Sequence[Any]) -> list[Any]:
    """Tolerances in the formats of the results."""
    return [real_of(y).type(t) for t, y in zip(tolerances, results, strict=True)]


def _judged(
    program: Program, args: Sequence[Any], results: Sequence[Any] | None, tolerances: Sequence[Any],
    bounds: bool = True,
) -> tuple[list[Any], Look]:  # fmt: skip
    """The program's own results, and what is to be said of `results` (None: of its own)."""
    drops = Drops()
    found = run(program, args, observer=drops.see)
    count = len(tolerances)
    given = found.values[:count] if results is None else results
    look = _look if bounds else lambda *one: (_suspect(*one), None)
    looks = [look(*one) for one in zip(given, found.values, found.radii, tolerances, strict=False)]
    doubt, masks = _doubt(found.radii[count:]), [s for s, _ in looks]
    return found.values[:count], Look(
        masks, [b for _, b in looks], doubt, any_of(drops.found), drops.found
    )


@passes.remembered
def judging(program: Program, types: tuple[Any, ...]) -> Program:
    """`(xs, results, tolerances) -> masks, bounds, doubt, dropped` as a program, for results of these types."""
    n, count = len(program.inputs), len(types)

    def both(*xs: Any) -> list[Any]:
        found = _judged(program, xs[:n], xs[n : n + count], xs[n + count :])[1]
        return [*found.suspect, *found.bounds, found.doubt, found.dropped]

    made = [*program.in_types, *types, *map(_number_of, types)]
    return passes.sweep(passes.derive(both, made, program, f"bounds({program.name})"))


def _number_of(t: Any) -> Any:
    """The type of one real number of a format."""
    return ArrayType.of((), real_of(t))


# ---- in a compiled function ------------------------------------------------------------------------------


@passes.remembered
def guarded(program: Program, types: tuple[Any, ...], plain: bool, near: Program | bool) -> Program:
    """`(xs, tolerances) -> results, masks, alarm, dropped` as a program: the results with their guard.

    `types` are those of the results, the first outputs. Not `plain`: they were computed in
    another way, and are taken before the tolerances. The alarm is given also where `near` says that
    the first inputs may stand on an edge.
    """
    n, count = len(program.inputs), len(types)

    def both(*xs: Any) -> list[Any]:
        given = None if plain else xs[n : n + count]
        ys, found = _judged(program, xs[:n], given, xs[len(xs) - count :], bounds=False)
        there = evaluate(near, xs[: len(near.inputs)]) if isinstance(near, Program) else [near]
        alarm = any_of([*found.suspect, *found.drops, *there])
        return [
            *(ys if given is None else given),
            *found.suspect,
            alarm | found.doubt,
            found.dropped,
        ]

    made = [*program.in_types, *(() if plain else types), *map(_number_of, types)]
    return passes.sweep(passes.derive(both, made, program, f"guarded({program.name})"))


def look_of(ys: Sequence[Any], count: int) -> Look:
    """What `guarded` says beside its results."""
    masks, (alarm, dropped) = [*ys[count : 2 * count]], ys[2 * count :]
    return Look(masks, [None] * count, False, dropped, alarm=alarm)
