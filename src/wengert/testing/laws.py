"""Laws: what every primitive promises, as functions that anybody's primitive can be held against.

A `Sample` is a primitive at a point; a law takes a sample, returns nothing, and raises the
`LawBroken` that says which promise failed and by how much. `check` holds one primitive against all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir.check import check as legal
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Primitive
from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.testing.differences import directional, flat, wide, widened
from wengert.testing.enclosure import ball_contains_the_value
from wengert.testing.sample import LawBroken, Sample, pairing
from wengert.trace.builder import Builder
from wengert.transforms.batch import batch
from wengert.transforms.jvp import jvp, push
from wengert.transforms.reverse import reverse
from wengert.transforms.vjp import vjp


class TypeofLies(LawBroken):
    """`typeof` and `eval` disagree, or `eval` changes its arguments."""


class JvpIsNotTheSlope(LawBroken):
    """`jvp` is not what differences measure."""


class NotTheTranspose(LawBroken):
    """⟨ȳ, J ẋ⟩ and ⟨Jᵀ ȳ, ẋ⟩ differ, on one of the roads."""


class BatchIsNoLoop(LawBroken):
    """`batch` and a loop over `eval` differ."""


class SecondDerivativesDiffer(LawBroken):
    """Forward over reverse, reverse over forward, reverse over reverse: not all one number."""


def _size(xs: Sequence[Any]) -> float:
    return float(np.linalg.norm(flat(xs)))


def _digits(s: Sample) -> float:
    """The coarsest rounding among arguments and results."""
    return max(
        (float(np.finfo(t.dtype).eps) for t in (*s.types, *s.out_types) if t.inexact), default=0.0
    )


# ---- the laws ------------------------------------------------------------------------------------


def typeof_tells_the_truth(s: Sample) -> None:
    """Law 1: shapes and dtypes come out as announced, and the arguments stay as they were."""
    before = [np.array(a) for a in s.args]
    ys = s.values(*s.args)
    found = tuple(map(type_of, ys))
    if found != s.out_types:
        raise s.breaks(TypeofLies, f"typeof says {s.out_types}, eval gives {found}")
    for n, (a, b) in enumerate(zip(s.args, before, strict=True)):
        if np.asarray(a).tobytes() != b.tobytes():
            raise s.breaks(TypeofLies, f"eval changes its argument {n}, which was {b}")


def jvp_is_the_slope(s: Sample) -> None:
    """Law 2: tangents are what differences measure, in the dtype of the result."""
    if not s.differentiable:
        _nothing_moves(s)
        return
    program = legal(jvp(s.program, s.moving))
    with np.errstate(all="ignore"):
        dys = evaluate(program, [*s.args, *s.dxs])[len(s.out_types) :]
        direct = push(s.prim, s.spread(s.dxs), s.args, s.values(*s.args), s.params, s.types)
    moved = [t for t in s.out_types if t.inexact]
    if [type_of(dy) for dy in dys] != moved:
        raise s.breaks(
            JvpIsNotTheSlope, f"tangents are typed {list(map(type_of, dys))}, results {moved}"
        )
    _close(
        s,
        JvpIsNotTheSlope,
        flat(dys),
        flat(_filled(direct, s.out_types)),
        "on numbers jvp says {1}, as a program {0}",
    )
    params = {k: widened(v) if isinstance(v, np.dtype) else v for k, v in s.params.items()}
    dxs = s.spread([wide(dx) for dx in s.dxs])
    slope, error = directional(
        lambda *xs: flat(s.values(*xs, **params)), [wide(a) for a in s.args], dxs
    )
    ours, size = flat(dys), np.abs(flat(s.values(*s.args)))
    if not np.all(error <= 1e-4 * (np.abs(slope) + size) + 1e-9):
        raise s.breaks(JvpIsNotTheSlope, f"no slope can be measured here: {slope} ± {error}")
    digits = _digits(s)
    allowed = (
        8 * error
        + np.sqrt(digits) / 4 * np.abs(slope)
        + 1e3 * digits * (np.max(np.abs(slope), initial=0) + np.max(size, initial=0))
    )
    _within(s, JvpIsNotTheSlope, ours, slope, allowed, "jvp says {0}, differences {1}")


def pullback_is_the_transpose(s: Sample) -> None:
    """Law 3: ⟨ȳ, J ẋ⟩ = ⟨Jᵀ ȳ, ẋ⟩, by the transposed program and by the fast road."""
    if not s.differentiable:
        return
    with np.errstate(all="ignore"):
        both = evaluate(jvp(s.program, s.moving), [*s.args, *s.dxs])
        ys, dys = both[: len(s.out_types)], both[len(s.out_types) :]
        forth = pairing(s.gs, dys)
        program, fast = _by_program(s), cotangents_by_fast_road(s)
        for road, back in (("transposed program", program), ("fast road", fast)):
            wanted = [t for t, m in zip(s.types, s.moving, strict=True) if m]
            if [type_of(b) for b in back] != wanted:
                raise s.breaks(
                    NotTheTranspose,
                    f"{road}: cotangents are typed {list(map(type_of, back))}, arguments {wanted}",
                )
            found = pairing(back, s.dxs)
            around = _size(s.gs) * (_size(dys) + _size(ys)) + _size(back) * _size(s.dxs)
            allowed = 1e3 * _digits(s) * around
            if not abs(forth - found) <= allowed:
                raise s.breaks(
                    NotTheTranspose,
                    f"{road}: ⟨ȳ, J ẋ⟩ = {forth!r} but ⟨Jᵀ ȳ, ẋ⟩ = {found!r}, off by "
                    f"{abs(forth - found):.3g} (allowed {allowed:.3g})",
                )
    _close(s, NotTheTranspose, flat(fast), flat(program), "fast road {0}, transposed program {1}")


def batch_is_a_loop(s: Sample) -> None:
    """Law 4: along a new leading axis, each element is what `eval` gives for it alone."""
    if not s.args:
        return
    draw = np.random.default_rng(s.seed)
    n, batched = int(draw.integers(1, 4)), draw.random(len(s.args)) < 0.6
    batched[draw.integers(len(s.args))] = True
    rows = [
        [_neighbour(a, k) if b else a for a, b in zip(s.args, batched, strict=True)]
        for k in range(n)
    ]
    program = legal(batch(s.program, [bool(b) for b in batched], n))
    given = [
        np.stack(column) if b else column[0]
        for column, b in zip(zip(*rows, strict=True), batched, strict=True)
    ]
    with np.errstate(all="ignore"):
        together = evaluate(program, given)
    alone = [s.values(*row) for row in rows]
    for k, y in enumerate(together):
        loop = np.stack([ys[k] for ys in alone])
        if type_of(np.asarray(y)) != type_of(loop):
            raise s.breaks(BatchIsNoLoop, f"batch gives {type_of(y)}, a loop {type_of(loop)}")
        if loop.dtype.kind in "fc":
            what = f"batch {batched.tolist()} of {n} gives {{0}}, a loop {{1}}"
            _within(s, BatchIsNoLoop, flat([y]), flat([loop]), _rounding(s, loop), what)
        elif not np.array_equal(y, loop):
            raise s.breaks(
                BatchIsNoLoop, f"batch {batched.tolist()} of {n} gives {y}, a loop {loop}"
            )


def second_derivatives_commute(s: Sample) -> None:
    """Law 6: the Hessian of ⟨ȳ, f⟩ along ẋ, by three orders of the modes and by differences."""
    if not s.differentiable:
        return
    count = len(s.out_types)
    gradient = _gradient(s)
    still = [False] * len(s.gs)
    with np.errstate(all="ignore"):
        forward_reverse = evaluate(
            legal(jvp(gradient, [*s.moving, *still])), [*s.args, *s.gs, *s.dxs]
        )
        first, forward_reverse = forward_reverse[: len(s.dxs)], forward_reverse[len(s.dxs) :]
        tangent = jvp(s.program, s.moving)
        tangent = Program(tangent.inputs, tangent.eqns, tangent.outputs[count:])
        along = [*s.moving, *[False] * len(s.dxs)]
        reverse_forward = evaluate(legal(vjp(tangent, along)), [*s.args, *s.dxs, *s.gs])[
            len(s.gs) :
        ]
        reverse_reverse = _twice_by_fast_road(s)
        other = flat(forward_reverse)
        around = _size(first) + _size(s.gs) * _size(s.values(*s.args))
        for name, found in (
            ("reverse over forward", reverse_forward),
            ("reverse over reverse", reverse_reverse),
        ):
            _close(
                s,
                SecondDerivativesDiffer,
                flat(found),
                other,
                name + " {0}, forward over reverse {1}",
                around,
            )
        if _digits(s) > np.finfo(float).eps:
            return
        slope, error = directional(
            lambda *xs: flat(evaluate(gradient, [*xs, *s.gs])), s.args, s.spread(s.dxs)
        )
    if np.all(np.isfinite(error)):
        allowed = (
            8 * error + 1e-7 * np.abs(slope) + 1e-10 * np.max(np.abs(slope), initial=0) + 1e-12
        )
        _within(
            s,
            SecondDerivativesDiffer,
            flat(forward_reverse),
            slope,
            allowed,
            "the Hessian says {0}, differences {1}",
        )


class Law(NamedTuple):
    """A numbered promise: its sentence, and the function that holds a sample against it."""

    number: int
    sentence: str
    holds: Callable[[Sample], None] | None
    pending: str = ""  # why there is no function yet, or where it is tested instead


LAWS = (
    Law(1, "typeof tells the truth about eval", typeof_tells_the_truth),
    Law(2, "jvp is the slope", jvp_is_the_slope),
    Law(3, "⟨ȳ, J ẋ⟩ = ⟨Jᵀ ȳ, ẋ⟩", pullback_is_the_transpose),
    Law(4, "batch is a loop", batch_is_a_loop),
    Law(5, "machine code agrees with NumPy", None, "joins with the room `backends`"),
    Law(6, "second derivatives commute", second_derivatives_commute),
    Law(7, "the ball contains the value", ball_contains_the_value),
    Law(8, "special points are as tabled", None, "a table, not a property: tests/laws/edges.py"),
)


def check(op: Primitive, *args: Any, seed: int = 0, **params: Any) -> None:
    """Hold a primitive against every law at a point; raises `LawBroken` where one does not hold.

    `args` are its arrays (broadcast and promoted already: inside a program they are strict),
    `params` its parameters. The point should be a smooth one, a little away from kinks. A rule that
    says itself that it has first derivatives only is let off the law about the second.

    >>> from wengert.ops.families import Elementwise
    >>> check(Elementwise(np.exp, lambda y, x: y), np.array([0.5, -1.0]))
    >>> check(Elementwise(np.exp, lambda y, x: y * y), np.array([0.5, -1.0]))
    Traceback (most recent call last):
    wengert.testing.laws.JvpIsNotTheSlope: exp([ 0.5 -1. ]): jvp says 0.17..., differences 0.10... at element 0: ...
    """
    for moving in _subsets(len(args)):
        sample = Sample(op, args, params, moving, seed)
        for law in LAWS:
            try:
                if law.holds is not None:
                    law.holds(sample)
            except NotDifferentiableError:
                if law.number != 6:
                    raise


# ---- roads and comparisons -----------------------------------------------------------------------


def _subsets(n: int) -> Iterator[list[bool]]:
    """All arguments move; then each alone."""
    yield [True] * n
    if n > 1:
        for k in range(n):
            yield [m == k for m in range(n)]


def _gradient(s: Sample) -> Program:
    """`(xs, gs) -> cotangents of the moving arguments`, as a program."""
    both = vjp(s.program, s.moving)
    return Program(both.inputs, both.eqns, both.outputs[len(s.out_types) :])


def _by_program(s: Sample) -> list[Any]:
    return evaluate(legal(_gradient(s)), [*s.args, *s.gs])


def cotangents_by_fast_road(s: Sample, args: Sequence[Any] | None = None) -> list[Any]:
    """Cotangents of the moving arguments by walking a recorded trace backwards."""
    builder = Builder(saving=True)
    given = [
        builder.input(t, x) if m else x
        for x, t, m in zip(args or s.args, s.types, s.moving, strict=True)
    ]
    ys = s.prim(*given, **s.params)
    ys = ys if s.prim.multiple else (ys,)
    targets = [y.node for y in ys if y.type.inexact]
    movers: list[Any] = [x for x, m in zip(given, s.moving, strict=True) if m]
    back = reverse(builder, targets, s.gs, [x.node for x in movers])
    return [
        np.zeros(x.type.shape, x.type.dtype) if b is None else b
        for x, b in zip(movers, back, strict=True)
    ]


def _twice_by_fast_road(s: Sample) -> list[Any]:
    """The Hessian of ⟨ȳ, f⟩ along ẋ: the fast road along the fast road."""
    outer = Builder(saving=True)
    given = [
        outer.input(t, x) if m else x for x, t, m in zip(s.args, s.types, s.moving, strict=True)
    ]
    movers: list[Any] = [x for x, m in zip(given, s.moving, strict=True) if m]
    first: list[Any] = cotangents_by_fast_road(s, given)
    pairs = [
        (c, dx) for c, dx in zip(first, s.dxs, strict=True) if getattr(c, "builder", None) is outer
    ]
    back = reverse(
        outer, [c.node for c, _ in pairs], [dx for _, dx in pairs], [x.node for x in movers]
    )
    return [
        np.zeros(x.type.shape, x.type.dtype) if b is None else b
        for x, b in zip(movers, back, strict=True)
    ]


def _nothing_moves(s: Sample) -> None:
    dys = (
        evaluate(jvp(s.program, s.moving), [*s.args, *s.dxs])[len(s.out_types) :] if s.args else []
    )
    if any(np.any(dy) for dy in dys):
        raise s.breaks(JvpIsNotTheSlope, "a result moves although no argument does")


def _filled(dys: Sequence[Any], types: Sequence[Any]) -> list[Any]:
    """Tangents of the inexact results, zeros for those that do not move."""
    return [
        np.zeros(t.shape, t.dtype) if dy is None else dy
        for dy, t in zip(dys, types, strict=True)
        if t.inexact
    ]


def _neighbour(a: Any, k: int) -> Any:
    """A variation of an argument that stays in any reasonable domain."""
    if np.asarray(a).dtype.kind in "fc":
        return (a * np.asarray(1 - k / 64, a.dtype)).astype(a.dtype)[()]
    return np.flip(a) if k % 2 else a


def _rounding(s: Sample, y: Any) -> Any:
    size = np.abs(flat([y]))
    return 1e2 * _digits(s) * (size + np.max(size, initial=0, where=np.isfinite(size)))


def _close(
    s: Sample, law: type[LawBroken], ours: Any, theirs: Any, what: str, around: float = 0.0
) -> None:
    """Equal up to rounding, of numbers that are as large as `around` on the way."""
    size = max(np.max(np.abs(ours), initial=around), np.max(np.abs(theirs), initial=around))
    _within(s, law, ours, theirs, 1e4 * _digits(s) * size + 1e-300, what)


def _within(
    s: Sample, law: type[LawBroken], ours: Any, theirs: Any, allowed: Any, what: str
) -> None:
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):  # infinities of one sign
        off = np.where(same, 0, np.abs(ours - theirs))
    fine = same | (off <= allowed)
    if np.all(fine):
        return
    allowed = np.broadcast_to(allowed, off.shape)
    k = int(np.argmax(np.where(fine, -1, np.where(np.isnan(off), np.inf, off))))
    said = what.format(ours[k], theirs[k])
    raise s.breaks(law, f"{said} at element {k}: off by {off[k]:.3g} (allowed {allowed[k]:.3g})")
