"""Holding: the family of primitives that hold programs.

Each answers two questions. `fused`: which equation computes values and tangents together? `part`:
when some arguments are not known yet, what can be computed now, with what left for later? All
derivatives follow. Forward mode runs the fused equation. To linearise, the fused equation is parted
with the tangents unknown: what is left is linear in them, and its transpose is the reverse mode.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from wengert.ir import passes
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.program import Atom, Const, Eqn, Program, Var
from wengert.ir.types import StackType, type_of
from wengert.ops.control.stacks import empty, zero
from wengert.ops.families import _named
from wengert.ops.shape import broadcast

Flags = tuple[bool, ...]


class Fused(NamedTuple):
    """The equation for values and tangents together.

    Its arguments are `[*xs, *dxs of the moving]` in the order `order`; `values` and `tangents` say
    where among its results each result and its tangent stand (None: it does not move).
    """

    params: dict[str, Any]
    moving: Flags
    order: tuple[int, ...]
    values: tuple[int, ...]
    tangents: tuple[int | None, ...]


class Rest(NamedTuple):
    """An equation that waits for the arguments that are None: `rest(values)` computes it."""

    prim: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]

    def __call__(self, values: Sequence[Any]) -> Any:
        it = iter(values)
        return self.prim(*(next(it) if a is None else a for a in self.args), **self.params)


class Tangent:
    """The derivative of one equation at a point: a linear equation that waits for the tangents.

    `moving` says which arguments it waits for (they have the types `types`), `results` which of its
    results belongs to which result of the equation.
    """

    __slots__ = ("holes", "moving", "rest", "results", "types")

    def __init__(
        self,
        rest: Rest,
        moving: Flags,
        types: Sequence[Any],
        holes: Sequence[int],
        results: Sequence[Any],
    ):
        self.rest, self.moving, self.types, self.holes, self.results = (
            rest,
            moving,
            types,
            holes,
            results,
        )

    def push(self, dxs: Values) -> Values:
        """Tangents of the results."""
        if all(n is None for n in self.results):
            return (None,) * len(self.results)
        given = filled(dxs, self.moving, self.types, like(*dxs, *self.rest.args))
        found = self.rest([given[n] for n in self.holes])
        return tuple(None if n is None else found[n] for n in self.results)

    def pull(self, gs: Values) -> Values:
        """Cotangents of the arguments."""
        count = sum(n is not None for n in self.results)
        given: list[Any] = [None] * count
        for n, g in zip(self.results, gs, strict=True):
            if n is not None:
                given[n] = g
        back: list[Any] = [None] * len(self.moving)
        if all(g is None for g in given):
            return tuple(back)
        wanted = tuple(a is None for a in self.rest.args)
        moving = iter(self.holes)
        places = [next(moving) if w else None for w in wanted]
        args = tuple(
            a if n is None else self.types[n] for a, n in zip(self.rest.args, places, strict=True)
        )
        found = self.rest.prim.transpose(tuple(given), args, wanted, **self.rest.params)
        for n, g in zip(places, found, strict=True):
            if n is not None:
                back[n] = g
        return tuple(back)


class Holding(Primitive):
    """A primitive whose params hold programs: control flow, `map`, `remat`."""

    multiple = True
    wants_types = False
    saves: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    @abstractmethod
    def fused(self, moving: Flags, parted: bool, **params: Any) -> Fused:
        """The equation for values and tangents together; `parted`: of what its programs hold, too."""

    @abstractmethod
    def part(self, unknown: Flags, *args: Any, **params: Any) -> tuple[list[Any], Rest]:
        """Results that can be computed now (None where not), and the equation for the others.

        Arguments that are `unknown` are None; the rest waits for them, in their order.
        """

    # ---- derivatives -----------------------------------------------------------------------------
    def jvp_with_value(
        self, dxs: Values, xs: Values, parted: bool = False, **params: Any
    ) -> tuple[Values, Values]:
        """Results and their tangents; `parted`, by one equation each."""
        types = tuple(map(type_of, xs))
        moving = tuple(dx is not None and t.inexact for dx, t in zip(dxs, types, strict=True))
        if parted:
            ys, tangent = self.linearized(moving, *xs, **params)
            return ys, tangent.push(dxs)
        plan = self.fused(moving, False, **params)
        dense = filled(dxs, plan.moving, types, like(*dxs, *xs))
        both = [*xs, *(dx for dx, m in zip(dense, plan.moving, strict=True) if m)]
        with _quiet():
            outs = self(*(both[n] for n in plan.order), **plan.params)
        return (
            tuple(outs[n] for n in plan.values),
            tuple(None if n is None else outs[n] for n in plan.tangents),
        )

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return self.jvp_with_value(dxs, xs, **params)[1]

    def eval_saving(self, wanted: Flags, *args: Any, **params: Any) -> tuple[Values, Tangent]:
        return self.linearized(wanted, *args, **params)

    def linearized(self, wanted: Flags, *args: Any, **params: Any) -> tuple[Values, Tangent]:
        """Results, and the derivative at this point in the arguments that are `wanted`."""
        plan = self.fused(wanted, True, **params)
        movers = [n for n, m in enumerate(plan.moving) if m]
        places = [n if n < len(args) else None for n in plan.order]
        unknown = tuple(n is None for n in places)
        with _quiet():
            found, rest = self.part(
                unknown, *(None if n is None else args[n] for n in places), **plan.params
            )
        left = {n: k for k, n in enumerate(n for n, y in enumerate(found) if y is None)}
        tangent = Tangent(
            rest,
            plan.moving,
            tuple(map(type_of, args)),
            [movers[n - len(args)] for n in plan.order if n >= len(args)],
            [None if n is None else left.get(n) for n in plan.tangents],
        )
        return tuple(found[n] for n in plan.values), tangent

    def pullback(self, gs: Values, xs: Values, ys: Any, wanted: Flags, **params: Any) -> Values:
        back: Values = ys.pull(gs)
        return back

    def reads(self, wanted: Flags) -> Reads:
        return False, True

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _quiet() -> Any:
    """Slopes may be infinite where values are not: of a loop for both, no warnings are heard."""
    return np.errstate(all="ignore")


def like(*values: Any) -> Any:
    """Among these, one of the innermost trace, or None."""
    handles = [v for v in values if isinstance(v, Handle)]
    return max(handles, key=lambda h: h.builder.serial) if handles else None


def filled(dxs: Values, moving: Flags, types: Sequence[Any], like: Any) -> list[Any]:
    """Tangents of what moves, zeros where they are missing."""
    return [
        None if not m else zero(t, like) if dx is None else dx
        for dx, m, t in zip(dxs, moving, types, strict=True)
    ]


# ---- programs ----------------------------------------------------------------------------------------


def reaches(program: Program, flags: Sequence[bool], inexact: bool = False) -> Flags:
    """Which outputs depend on the flagged inputs (by way of real and complex values only)."""
    found: set[Any] = {v for v, f in zip(program.inputs, flags, strict=True) if f}
    for eqn in program.eqns:
        if any(a in found for a in eqn.inputs):
            found.update(v for v in eqn.outputs if v.type.inexact or not inexact)
    return tuple(a in found for a in program.outputs)


def grown(
    program: Program, flags: Sequence[bool], first: int, count: int, inexact: bool = False
) -> Flags:
    """The flags after any number of steps: of `count` inputs from `first` on, outputs are the next."""
    now = list(flags)
    while True:
        reached = reaches(program, now, inexact)[:count]
        then = [
            *now[:first],
            *(a or b for a, b in zip(now[first : first + count], reached, strict=True)),
            *now[first + count :],
        ]
        if then == now:
            return tuple(now)
        now = then


def rearranged(
    program: Program, inputs: Sequence[Var], outputs: Sequence[Atom], name: str = ""
) -> Program:
    """The same equations between other inputs and outputs, swept."""
    return passes.sweep(
        Program(inputs, program.eqns, outputs, program.sources, name or program.name)
    )


def zero_atom(t: Any, eqns: list[Eqn]) -> Atom:
    """Zero of a type in a program under construction."""
    if isinstance(t, StackType):
        v = Var(t)
        eqns.append(Eqn(empty, (), {"item": t.item}, (v,)))
        return v
    if t.shape == ():
        return Const(t.dtype.type(0))
    v = Var(t)
    eqns.append(Eqn(broadcast, (Const(t.dtype.type(0)),), {"shape": t.shape, "dims": ()}, (v,)))
    return v


def take(values: Sequence[Any], flags: Sequence[bool], which: bool = True) -> list[Any]:
    """The values whose flag is set (or is not)."""
    return [v for v, f in zip(values, flags, strict=True) if f is which]


class Dual(NamedTuple):
    """A program and its derivative: where values and tangents stand in the inputs and outputs."""

    program: Program
    inputs: tuple[Var, ...]
    dinputs: tuple[Var, ...]
    outputs: tuple[Atom, ...]
    doutputs: tuple[Atom | None, ...]  # None: it does not move


def dual(body: Program, moving: Flags, parted: bool, moved: Sequence[bool]) -> Dual:
    """The derivative of a body; results that are not `moved` have no tangent."""
    both = passes.jvp(body, moving, parted)
    n, m = len(body.inputs), len(body.outputs)
    found = iter(both.outputs[m:])
    tangents = [next(found) if a.type.inexact else None for a in body.outputs]
    return Dual(
        both,
        both.inputs[:n],
        both.inputs[n:],
        both.outputs[:m],
        tuple(t if f else None for t, f in zip(tangents, moved, strict=True)),
    )


# ---- bodies that run once, or once for each example --------------------------------------------------


@passes.remembered
def fused_body(body: Program, moving: Flags, parted: bool) -> Any:
    """A body with its tangents behind its results, and where each tangent stands (None: it does not move)."""
    moved = reaches(body, moving, inexact=True)
    both = dual(body, moving, parted, moved)
    program = rearranged(
        both.program, both.program.inputs, [*both.outputs, *take(both.doutputs, moved)], body.name
    )
    places = iter(range(len(moved), len(moved) + sum(moved)))
    return program, tuple(next(places) if m else None for m in moved)


@passes.remembered
def parted_body(body: Program, unknown: Flags) -> Any:
    """Which results come later; the first body, what of its arguments is passed on, the second body."""
    later_outs = reaches(body, unknown)
    first, second, _ = passes.split(body, [not u for u in unknown], [not u for u in later_outs])
    residuals = second.inputs[: len(second.inputs) - sum(unknown)]
    passed = [v for v in residuals if v in first.inputs]
    made = [v for v in residuals if v not in passed]
    count = later_outs.count(False)
    return (
        later_outs,
        rearranged(first, first.inputs, [*first.outputs[:count], *made]),
        tuple(first.inputs.index(v) for v in passed),
        rearranged(second, [*passed, *made, *second.inputs[len(residuals) :]], second.outputs),
    )


@passes.remembered
def transposed_body(body: Program, linear: Flags) -> Any:
    """Which results the linear inputs reach; `(plain inputs, their cotangents) -> cotangents`."""
    outs = reaches(body, linear)
    return outs, passes.transpose(rearranged(body, body.inputs, take(body.outputs, outs)), linear)
