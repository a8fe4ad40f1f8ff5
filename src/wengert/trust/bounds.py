"""bounds: running error, carried beside the numbers through any program.

Every value is the middle of a ball that holds the exact one: radii are pushed through each equation by
its primitive's own answer (`Primitive.bound`): first order, second order, and the rounding of the
operation itself. What a program computes in real numbers from its exact inputs lies within the radii
of its outputs. The gradient is a program too, so its error is bounded by the same loop.

The loop computes on arrays and records on tracers; `bounded` is the recorded form, a program again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir import passes, source
from wengert.ir.primitive import Handle
from wengert.ir.program import Const, Eqn, Program
from wengert.ops.control.enclosing import dense, radius_type
from wengert.ops.control.stacks import is_stack
from wengert.ops.radii import Radius, real_of
from wengert.ops.spread import overlap
from wengert.trust.constants import radius_of

_EXTREMA = {"maximum": (0, 1), "minimum": (0, 1), "fmax": (0, 1), "fmin": (0, 1)}

Step = Callable[[Eqn, Sequence[Any], Sequence[Radius]], tuple[Any, Any]]
Observer = Callable[[Eqn, Sequence[Any], Sequence[Radius], Sequence[Any], Sequence[Radius]], None]


class Bounded(NamedTuple):
    """Values, and radii: real, of the values' shapes (booleans for booleans), None where exact."""

    values: list[Any]
    radii: list[Radius]


def run(
    program: Program, xs: Sequence[Any], rs: Sequence[Radius] | None = None, *,
    step: Step | None = None, observer: Observer | None = None,
) -> Bounded:  # fmt: skip
    """The program's outputs at `xs`, with radii, when the inputs are off by up to `rs`.

    `step(eqn, xs, rs)` computes the results and radii of an equation; `observer(eqn, xs, rs, ys,
    radii)` sees every equation. On tracers, everything is recorded.
    """
    step = enclose if step is None else step
    rs = [None] * len(xs) if rs is None else rs
    values: dict[Any, Any] = dict(zip(program.inputs, xs, strict=True))
    radii: dict[Any, Radius] = {
        v: r for v, r in zip(program.inputs, rs, strict=True) if r is not None
    }
    extrema: dict[Any, tuple[Any, ...]] = {}
    inlining = any(isinstance(x, Handle) for x in (*xs, *rs))
    with np.errstate(all="ignore"):
        for eqn, dying in zip(program.eqns, program.dying, strict=True):
            ins = [a.value if type(a) is Const else values[a] for a in eqn.inputs]
            spreads = tuple(_spread(a, radii) for a in eqn.inputs)
            token = source.current.set(eqn.origin) if inlining else None
            try:
                outs, found = step(eqn, ins, spreads)
                if eqn.prim.name == "equal" and extrema:
                    found = _tie(eqn, extrema) or found
            finally:
                if token is not None:
                    source.current.reset(token)
            if eqn.prim.name in _EXTREMA:
                extrema[eqn.outputs[0]] = tuple(zip(eqn.inputs, ins, spreads, strict=True))
            for v, y, r in zip(eqn.outputs, outs, found, strict=True):
                values[v] = y
                if r is not None:
                    radii[v] = r
            if observer is not None:
                observer(eqn, ins, spreads, outs, found)
            for v in dying:
                values.pop(v, None)
                radii.pop(v, None)
        ends = [a.value if isinstance(a, Const) else values[a] for a in program.outputs]
    return Bounded(ends, [_spread(a, radii) for a in program.outputs])


def _spread(a: Any, radii: dict[Any, Radius]) -> Radius:
    """How far a value may be off: constants, too, for the rules of derivatives compute with what they see."""
    return radius_of(a.value) if type(a) is Const else radii.get(a)


def enclose(eqn: Eqn, ins: Sequence[Any], spreads: Sequence[Radius]) -> tuple[Any, Any]:
    """Results and radii of one equation."""
    together = getattr(eqn.prim, "bounded", None)
    if together is not None:  # an equation that holds programs
        found: tuple[Any, Any] = together(ins, spreads, **eqn.params)
        return found
    outs = eqn.prim(*ins, **eqn.params)
    outs = tuple(outs) if eqn.prim.multiple else (outs,)
    return outs, _radii(eqn, outs, ins, spreads)


def _radii(eqn: Eqn, outs: Sequence[Any], ins: Sequence[Any], spreads: Sequence[Radius]) -> Any:
    if any(map(is_stack, outs)):
        return (None,) * len(outs)  # an empty one; what fills them are loops
    try:
        found = eqn.prim.bound(tuple(outs), tuple(ins), tuple(spreads), **eqn.params)
    except NotDifferentiableError:  # no slope is known in an argument that is not exact
        found = NotImplemented
    if found is NotImplemented:  # nothing is known
        return tuple(unbounded(y) if y.dtype.kind in "fc" else None for y in outs)
    return tuple(None if r is None else _sound(r, y) for r, y in zip(found, outs, strict=True))


def _sound(r: Radius, y: Any) -> Radius:
    """A radius of the shape and dtype of its value."""
    if np.shape(r) != np.shape(y):
        r = np.broadcast_to(r, np.shape(y))
    dtype = real_of(y)
    return r if r.dtype == dtype else r.astype(dtype)


def unbounded(y: Any) -> Any:
    """An infinite radius."""
    return np.full_like(y, np.inf, dtype=real_of(y))


def _tie(eqn: Eqn, extrema: dict[Any, Any]) -> Any:
    """`equal(z, x)` where z is the larger (or smaller) of x and y: it asks whether x wins against y."""
    for z, x in (eqn.inputs, eqn.inputs[::-1]):
        pair = extrema.get(z)
        if pair is not None and x in (pair[0][0], pair[1][0]):
            (_, a, r), (_, b, s) = pair
            return (overlap((a, b), (r, s)),)
    return None


# ---- as a program ----------------------------------------------------------------------------------------


@passes.remembered
def bounded(
    program: Program, moving: tuple[bool, ...], required: tuple[bool, ...] = ()
) -> tuple[Program, tuple[bool, ...]]:
    """`(xs, radii of the moving inputs) -> (ys, radii of some outputs)`; which outputs, comes second.

    Outputs that are `required` have radii in any case.
    """
    from wengert.transforms import derive, sweep

    types = [
        *program.in_types,
        *(radius_type(t) for t, m in zip(program.in_types, moving, strict=True) if m),
    ]
    flags: tuple[bool, ...] = ()

    def both(*args: Any) -> list[Any]:
        nonlocal flags
        n = len(program.inputs)
        movers = iter(args[n:])
        found = run(program, args[:n], [next(movers) if m else None for m in moving])
        needed = required or (False,) * len(found.radii)
        flags = tuple(r is not None or q for r, q in zip(found.radii, needed, strict=True))
        return [*found.values, *dense(found.values, found.radii, flags)]

    if not types:  # nothing to trace by
        return program, required or (False,) * len(program.outputs)
    made = derive(both, types, program, f"bounded({program.name})")
    return sweep(made), flags


passes.install(bounded=bounded)
