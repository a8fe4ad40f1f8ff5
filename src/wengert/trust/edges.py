"""Edges: where operations jump or turn, and does a call stand there?

One table says for each operation what to look for among its arguments. It is asked of the numbers as
they were computed (here: cheap, of every call that is looked at closely), and of exact ones
(trust/ties.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.ir import passes
from wengert.ir.evaluate import evaluate, watching
from wengert.ir.passes import remembered
from wengert.ir.primitive import Handle
from wengert.ir.program import Eqn, Program
from wengert.ir.types import ArrayType
from wengert.transforms.sweep import sweep
from wengert.trust.explain.flatten import flattened

# the value may jump; a comparison turns; the slope jumps, between sides whose mean the rule gives;
# and more sides meet than its mean is right for
STEP, TURN, KINK, CROWD = "step", "turn", "kink", "crowd"

EQUALITIES = frozenset(["equal", "not_equal"])
COMPARISONS = EQUALITIES | {"less", "less_equal", "greater", "greater_equal"}
# results that do not move with the argument but in jumps
STEPS = frozenset(["floor", "ceil", "trunc", "rint", "floor_divide", "sign", "heaviside"])


class Numbers(NamedTuple):
    """What can be asked of numbers of one kind."""

    same: Callable[[Any, Any], Any]  # may they be equal? A mask
    whole: Callable[[Any], Any]  # may they be whole numbers? A mask
    sorted: Callable[[Any, int], Any]


def _whole(x: Any) -> Any:
    return (np.floor(x) == x) & np.isfinite(x)


FLOATS = Numbers(lambda x, y: x == y, _whole, np.sort)

Rule = Callable[[Numbers, Sequence[Any], Any, Any], list[tuple[str, Any]]]


def _compared(kind: str) -> Rule:
    return lambda n, xs, ys, p: [(kind, n.same(xs[0], xs[1]))]


def _at_zero(kind: str) -> Rule:
    return lambda n, xs, ys, p: [(kind, n.same(xs[0], 0))]


def _quotient(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    return [(STEP, n.whole(xs[0] / xs[1]))]


def _converted(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    to = p["dtype"].kind
    if to == "b":
        return [(TURN, n.same(xs[0], 0))]
    return [(STEP, n.whole(xs[0]))] if to in "iu" else []


def _both_zero(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    return [(KINK, n.same(xs[0], 0) & n.same(xs[1], 0))]


def _cut(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    """An angle jumps on the negative half axis, and has none at the origin."""
    return [(STEP, n.same(xs[0], 0) & np.where(xs[1] > 0, False, True))]


def _copied(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    return [(KINK, n.same(xs[0], 0)), (STEP, n.same(xs[1], 0))]


def _extremum(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    count = _tied(n, xs[0], ys, p["axes"])
    return [(KINK, count > 1), (CROWD, count > 2)]


def _place(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    if not p["axes"]:
        return []
    low = n.sorted(xs[0], p["axes"][0]) if len(p["axes"]) == 1 else n.sorted(np.ravel(xs[0]), 0)
    return [(TURN, _neighbours(n, low, p["axes"][0] if len(p["axes"]) == 1 else 0, low))]


def _tied(n: Numbers, x: Any, y: Any, axes: Any) -> Any:
    """How many elements are the extremum?"""
    return np.sum(n.same(x, np.expand_dims(y, axes)), axis=axes)


def _neighbours(n: Numbers, s: Any, axis: int, x: Any) -> Any:
    """Of sorted numbers: which are as large as their neighbour?"""
    lead = (slice(None),) * axis
    return n.same(s[(*lead, slice(1, None))], s[(*lead, slice(None, -1))])


def _sorted(kind: str) -> Rule:
    def rule(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
        axis = p["axis"] % np.ndim(xs[0])
        return [(kind, _neighbours(n, n.sorted(xs[0], axis), axis, xs[0]))]

    return rule


def _searched(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    a, v = xs
    inner = np.ndim(v) - (np.ndim(a) - 1)
    rows = np.reshape(a, (*np.shape(a)[:-1], *(1,) * inner, np.shape(a)[-1]))
    return [(TURN, np.any(n.same(rows, np.expand_dims(v, -1)), axis=-1))]


def _origin(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    return [(KINK, np.all(n.same(xs[0], 0), axis=p["axes"]))]


def _running(n: Numbers, xs: Any, ys: Any, p: Any) -> Any:
    """A running extremum: some number as large as the one before it."""
    axis = p["axis"] % np.ndim(xs[0])
    lead = (slice(None),) * axis
    return [(CROWD, n.same(xs[0][(*lead, slice(1, None))], ys[(*lead, slice(None, -1))]))]


_REAL = np.dtype(float)
_RULES: dict[str, Rule] = {
    **dict.fromkeys(COMPARISONS, _compared(TURN)),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _compared(KINK)),
    **dict.fromkeys(("floor", "ceil", "trunc"), lambda n, xs, ys, p: [(STEP, n.whole(xs[0]))]),
    "rint": lambda n, xs, ys, p: [(STEP, n.whole(xs[0] + 0.5))],
    **dict.fromkeys(("floor_divide", "mod", "fmod"), _quotient),
    **dict.fromkeys(("sign", "heaviside", "signbit"), _at_zero(STEP)),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), lambda n, xs, ys, p: [
        (TURN, n.same(x, 0)) for x in xs if getattr(x, "dtype", _REAL).kind not in "biu"]),
    "logical_not": _at_zero(TURN),
    **dict.fromkeys(("abs", "fabs", "modulus"), _at_zero(KINK)),
    "copysign": _copied,
    "convert": _converted,
    "hypot": _both_zero,
    "arctan2": _cut,
    **dict.fromkeys(("max", "min"), _extremum),
    **dict.fromkeys(("argmax", "argmin"), _place),
    "count_nonzero": _at_zero(TURN),
    **dict.fromkeys(("any", "all"), _at_zero(TURN)),
    "length": _origin,
    "sort": _sorted(CROWD),
    "argsort": _sorted(TURN),
    "searchsorted": _searched,
    **dict.fromkeys(("cummax", "cummin"), _running),
}  # fmt: skip
TOLD = frozenset(_RULES)


def of(eqn: Eqn, xs: Sequence[Any], ys: Any, numbers: Numbers = FLOATS) -> list[tuple[str, Any]]:
    """The kinds of edges that an equation stands on, with masks of where; none where it does not."""
    rule = _RULES.get(eqn.prim.name)
    if rule is None or not any(_real(a.type) for a in eqn.inputs):
        return []
    return [(kind, mask) for kind, mask in rule(numbers, xs, ys, eqn.params) if np.any(mask)]


def _real(t: Any) -> bool:
    return isinstance(t, ArrayType) and t.inexact


class Edges(NamedTuple):
    """What a call stands on: are its slopes in doubt there, and of which elements (None: of all)?

    `hard`: no convention says what they are (a step, a branch on equality, a decision of Python's).
    """

    doubt: bool = False
    hard: bool = False
    mask: Any = None


class Watch:
    """Looks at the equations of a program, and of those that it holds, as they are evaluated."""

    def __init__(self, moving: set[Any], asked: Sequence[Any] = ()) -> None:
        self.moving, self.asked = moving, asked
        self.behind: set[Any] = set()  # what depends on a kink that the call stands on
        self.masks: list[Any] = []
        self.hard = False
        self.inner = 0

    def see(self, eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        """Look at one equation."""
        nested = any(a in self.behind for a in eqn.inputs)
        if nested:
            self.behind.update(eqn.outputs)
        if eqn.prim.name not in _RULES or not any(a in self.moving for a in eqn.inputs):
            return
        with np.errstate(all="ignore"):
            found = of(eqn, ins, outs[0])
        for kind, mask in found:
            if kind == KINK:
                self.behind.update(eqn.outputs)
            if kind != KINK or nested:
                self.masks.append(mask)
                self.hard |= kind == STEP or eqn.prim.name in EQUALITIES
                self.hard |= any(v in self.asked for v in eqn.outputs)

    def within(self, program: Program, args: Sequence[Any]) -> Callable[..., None]:
        """An observer of a program that an equation holds: there, anything may move."""
        held = Watch({*program.inputs})

        def see(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
            if any(isinstance(x, Handle) for x in ins):
                return
            if any(a in held.moving for a in eqn.inputs):
                held.moving.update(eqn.outputs)
            before, kinks = len(held.masks), len(held.behind)
            held.see(eqn, ins, outs)
            self.inner += len(held.behind) > kinks
            if len(held.masks) > before or self.inner > 1:  # (kinks of several turns may be nested)
                self.masks.append(np.True_)
                self.hard |= held.hard

        return see


def moved(program: Program, movers: Sequence[bool]) -> set[Any]:
    """Variables that depend on these inputs in any way."""
    found: set[Any] = {v for v, m in zip(program.inputs, movers, strict=False) if m}
    for e in program.eqns:
        if any(a in found for a in e.inputs):
            found.update(e.outputs)
    return found


def look(
    program: Program, args: Sequence[Any], movers: Sequence[bool], asked: Sequence[int]
) -> Edges:
    """Does `program` at `args`, as computed in floats, stand on an edge that makes its slopes doubtful?

    `movers` are the arguments that move; `asked`: the outputs that Python decided by.
    """
    asking = _asking(flattened(program), tuple(movers), tuple(asked))
    if asking is None:
        return Edges()
    short, moving, decisions = asking
    watch = Watch(moving, decisions)
    token = watching.set(watch.within)
    try:
        with np.errstate(all="ignore"):
            evaluate(short, list(args), observer=watch.see)
    finally:
        watching.reset(token)
    if not watch.masks:
        return Edges()
    shapes = {np.shape(m) for m in watch.masks}
    mask = np.any(watch.masks, axis=0) if len(shapes) == 1 else None
    return Edges(True, watch.hard, mask)


@remembered
def near(program: Program, movers: tuple[bool, ...]) -> Program | bool:
    """`xs -> masks of where a call stands on an edge` as a program; or whether it may at all.

    Any edge counts: whether it makes slopes doubtful, `look` says.
    """
    asking = _asking(flattened(program), tuple(movers), ())
    if asking is None:
        return False
    short, moving, _ = asking
    mine = [e for e in short.eqns if e.prim.name in _RULES and any(a in moving for a in e.inputs)]
    if any(_may(e) and e not in mine for e in short.eqns):  # in a loop or a branch
        return True
    pairs = [a for e in mine for a in (*e.inputs, e.outputs[0])]
    kept = sweep(Program(short.inputs, short.eqns, pairs, short.sources, short.name))

    def asked(*xs: Any) -> list[Any]:
        values, found = iter(evaluate(kept, xs)), []
        for e in mine:
            ins = [next(values) for _ in e.inputs]
            rule = _RULES[e.prim.name]
            found += [mask for _, mask in rule(FLOATS, ins, next(values), e.params)]
        return found

    return passes.sweep(passes.derive(asked, program.in_types, program, f"edges({program.name})"))


@remembered
def _asking(program: Program, movers: tuple[bool, ...], asked: tuple[int, ...]) -> Any:
    """The part of a program that decides on which side of an edge it is; None if there are none."""
    moving = moved(program, movers)
    told = [e for e in program.eqns if _may(e) and any(a in moving for a in e.inputs)]
    if not told:
        return None
    outputs = list(dict.fromkeys(v for e in told for v in e.outputs))
    kept = sweep(Program(program.inputs, program.eqns, outputs, program.sources, program.name))
    return kept, moving, [program.outputs[n] for n in asked]


def _may(e: Eqn) -> bool:
    """May it, or a program that it holds, stand on an edge?"""
    held = [p for p in e.params.values() if isinstance(p, Program)]
    if held:
        return any(_may(inner) for p in held for inner in p.eqns)
    if e.prim.name == "convert" and e.params["dtype"].kind not in "biu":
        return False
    return e.prim.name in _RULES and any(_real(a.type) for a in e.inputs)
