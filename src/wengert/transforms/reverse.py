"""reverse: the fast road. Walk the recorded equations backwards on the numbers of the trace.

No transform and no second forward run. The numbers may be tracers of an outer trace: then the walk
is recorded there, and that is all there is to higher derivatives of un-jitted calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle, Primitive, result_types
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType, type_of
from wengert.ops.control.stacks import plus
from wengert.ops.pulling import added, has_nan, total
from wengert.trace.buffers import unchanged
from wengert.trace.builder import Builder
from wengert.transforms.degenerate import settled
from wengert.transforms.derive import derive, zeros
from wengert.transforms.jvp import push
from wengert.transforms.split import split
from wengert.transforms.sweep import sweep
from wengert.transforms.transpose import transpose
from wengert.transforms.written import written


def reverse(
    builder: Builder,
    targets: Sequence[Var],
    gs: Sequence[Any],
    sources: Sequence[Var],
    observer: Any = None,
) -> list[Any]:
    """Cotangents of `sources` when `targets` have the cotangents `gs`; None where nothing arrives.

    `observer(entry, gs, cotangents)` sees every step.
    """
    if builder.watched:
        unchanged(builder)
    inlining = builder.nested or any(isinstance(g, Handle) for g in gs)
    if observer is None:
        found = _gone_before(builder, targets, gs, sources, inlining)
        if found is not None:
            return found
    if inlining or observer is not None:
        return _walk(builder, targets, gs, sources, observer, inlining, False)
    try:
        return _walk(builder, targets, gs, sources, None, False, True)
    except _Nan:
        builder.stopped = True
        return _walk(builder, targets, gs, sources, None, False, False)


def _gone_before(
    builder: Builder,
    targets: Sequence[Var],
    gs: Sequence[Any],
    sources: Sequence[Var],
    inlining: bool,
) -> list[Any] | None:
    """The walk as it was written out for this path; None where it was not, or comes to no end."""
    path = getattr(builder, "path", None)
    if path is None:
        return None
    walk = written(path, targets, sources, not inlining)
    if walk is None or any(g is None for g in gs):
        return None
    line = source.current.set(None) if inlining else None
    try:
        with np.errstate(all="ignore"):
            found = walk(builder.kept, *gs)
            if not inlining:
                builder.finite = _are_finite(found)
                if not builder.finite and any(map(_has_nan, found)):
                    return None
            return found
    except Exception:  # step by step it is told what is wrong
        return None
    finally:
        if line is not None:
            source.current.reset(line)


_NOTHING = [(None,) * n for n in range(4)]  # cotangents of a reader of parts, which it has added up
_NUMBERS = np.ndarray, np.generic, float
_tell = source.current.set  # whose line the equations recorded from here on belong to


class _Nan(Exception):
    """A nan arrives, or reaches a rule that looks at numbers, or is too much for one."""


def _has_nan(x: Any) -> bool:
    """Is there a nan?"""
    if type(x) is np.ndarray and x.dtype.char in "fd":
        return has_nan(x)
    if isinstance(x, _NUMBERS):
        return bool(np.any(x != x))
    return x is not None  # (a stack: nobody has looked)


def _are_finite(found: list[Any]) -> bool:
    """Are the numbers surely finite? (Squares of large ones are not.)"""
    for x in found:
        if type(x) is np.ndarray and x.dtype.char in "fd":
            x = total(x if x.ndim == 1 else x.ravel())
        elif x is None:
            continue
        elif not isinstance(x, float | np.float32):
            return False
        if x - x != 0:
            return False
    return True


def _walk(
    builder: Builder, targets: Sequence[Var], gs: Sequence[Any], sources: Sequence[Var], observer: Any, inlining: bool,
    quick: bool,
) -> list[Any]:  # fmt: skip
    """One way back. A quick one lets nans be born of 0 · inf, since most walks meet none."""
    pending: dict[Any, Any] = {}
    for v, g in zip(targets, gs, strict=True):
        pending[v] = g if v not in pending else plus(pending[v], g)
    kept = set(sources)
    look, take = pending.get, pending.pop
    line = source.current.set(None) if inlining else None
    try:
        with np.errstate(all="ignore"):
            for entry in reversed(builder.entries):
                prim, inputs, params, outputs, origin, wanted, xs, ys = entry
                if wanted is None:
                    continue
                if len(outputs) == 1:
                    (out,) = outputs
                    g = take(out, None) if out not in kept else look(out)
                    if g is None:
                        continue
                    pull = prim.quick if quick else prim.careful
                    # a list hands over its only reference, so that the memory may be taken over
                    given: Any = (
                        [g] if pull is None and prim.overwrites and observer is None else (g,)
                    )
                    del g
                else:
                    pull = None
                    given = tuple(look(v) if v in kept else take(v, None) for v in outputs)
                    if all(g is None for g in given):
                        continue
                if inlining:
                    _tell(origin)
                try:
                    if pull is not None:
                        back = pull(given[0], xs, ys, wanted, inputs, params)
                    elif quick and (prim.looks or prim.settles) and any(map(_has_nan, given)):
                        raise _Nan
                    elif (
                        not prim.settles
                        or (back := settled(builder, targets, gs, entry, given)) is None
                    ):
                        back = _cotangents(entry, given, pending)
                except NotDifferentiableError as error:
                    if quick and any(map(_has_nan, given)):
                        raise _Nan from error
                    reached = _reached(builder, sources, entry)
                    if reached == wanted:
                        raise
                    back = _cotangents((*entry[:5], reached, *entry[6:]), given, pending)
                except Exception as error:
                    if quick and not isinstance(error, _Nan) and any(map(_has_nan, given)):
                        raise _Nan from error
                    raise
                if observer is not None:
                    observer(entry, given, back)
                del given
                for n, c in enumerate(back):
                    if c is not None and wanted[n]:
                        atom = inputs[n]
                        if atom not in pending:
                            pending[atom] = c
                        elif type(atom.type) is ArrayType:
                            pending[atom] = added(take(atom), c)
                        else:
                            pending[atom] = plus(take(atom), c)
                back = c = None
            found = [look(v) for v in sources]
            if quick and any(map(_has_nan, found)):
                raise _Nan
        return found
    finally:
        if line is not None:
            source.current.reset(line)


def _reached(builder: Builder, sources: Sequence[Var], entry: Any) -> tuple[bool, ...]:
    """Which arguments of an equation the sources can really move (not through `stop` or a step)."""
    moving: set[Any] = set(sources)
    for prim, inputs, _, outputs, _, wanted, *_ in builder.entries:
        slopes = getattr(prim, "slopes", None) or (True,) * len(inputs)
        there = [v in moving and s is not None for v, s in zip(inputs, slopes, strict=False)]
        if outputs is entry[3]:
            return tuple(w and t for w, t in zip(wanted, there, strict=True))
        if any(there):
            moving.update(outputs)
    return entry[5]  # type: ignore[no-any-return]


def _cotangents(entry: Any, given: Any, pending: Any) -> Any:
    """One equation's cotangents; readers of parts add into the buffer that is already there."""
    prim, inputs, params, _, _, wanted, xs, ys = entry
    if prim.wants_types:
        if xs is None:
            xs = [inputs[0].type] if len(inputs) == 1 else [a.type for a in inputs]
        else:
            xs = [inputs[n].type if x is None else x for n, x in enumerate(xs)]
        if type(given) is list:
            return prim.transpose_reusing(given, xs, wanted, **params)
        if prim.collects and wanted[0] and inputs[0] in pending:
            buffer = [pending.pop(inputs[0])]
            pending[inputs[0]] = prim.collect(buffer, given[0], *xs, **params)
            return _NOTHING[len(wanted)]
    return pull(prim, given, xs, ys, wanted, params)


def pull(prim: Primitive, gs: Any, xs: Any, ys: Any, wanted: tuple[bool, ...], params: Any) -> Any:
    """Cotangents of one operation's arguments, from its own rule or derived from its jvp."""
    back = prim.pullback(gs, xs, ys, wanted, **params)
    if back is not NotImplemented:
        return back
    if prim.at_point:
        from wengert.transforms.turn import cotangents

        return cotangents(prim, gs, xs, ys, wanted, params)
    return _derived(prim, gs, xs, ys, wanted, params)


def _derived(
    prim: Primitive, gs: Any, xs: Any, ys: Any, wanted: tuple[bool, ...], params: Any
) -> Any:
    """The pullback of a primitive that only knows its jvp: linearised and transposed, remembered.

    Like the jvp it looks at those arguments and results only that the primitive reads.
    """
    ins = tuple(Var(type_of(x)) for x in xs)
    outs = tuple(map(Var, result_types(prim.typeof(*(v.type for v in ins), **params))))
    given = [g for g in gs if g is not None]  # what nobody asks for is not looked at
    asked = [v for v, g in zip(outs, gs, strict=True) if g is not None]
    forward, back = _pullback(Program(ins, [Eqn(prim, ins, params, outs)], asked), wanted)
    residuals = evaluate(forward, [*xs, *(ys or [v.type for v in outs])])
    found = iter(evaluate(back, [*residuals, *given]))
    return [next(found) if w else None for w in wanted]


@lru_cache(maxsize=512)
def _pullback(program: Program, wanted: tuple[bool, ...]) -> tuple[Program, Program]:
    """`(xs, ys) -> residuals` and `(residuals, gs) -> cotangents` of a program of one equation."""
    (eqn,) = program.eqns
    count, movers = len(program.inputs), sum(wanted)
    point = [*program.in_types, *(v.type for v in eqn.outputs)]

    def tangent(*args: Any) -> list[Any]:
        xs, ys, dxs = args[:count], args[count : len(point)], iter(args[len(point) :])
        given = [next(dxs) if w else None for w in wanted]
        dys = push(eqn.prim, given, xs, ys, eqn.params, program.in_types)
        moved = dict(zip(eqn.outputs, dys, strict=True))
        asked = ((moved[v], v.type) for v in program.outputs)  # type: ignore[index]
        return [zeros(t, args[-1]) if dy is None else dy for dy, t in asked]

    types = [*point, *(t for t, w in zip(program.in_types, wanted, strict=True) if w)]
    linear = sweep(derive(tangent, types, program, f"tangent({program.name})"))
    known = [True] * len(point) + [False] * movers
    first, later, _ = split(linear, known, [False] * len(linear.outputs))
    residuals = len(later.inputs) - movers
    return first, sweep(transpose(later, [False] * residuals + [True] * movers))
