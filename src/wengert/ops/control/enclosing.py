"""Enclosing: equations that hold programs, with a radius beside every value.

What is held is replaced by its bounded form (`passes.bounded`), which takes radii and gives radii;
loops carry them along. Where it is in doubt which branch is taken, or how often a loop turns, the
results may be anything: their radii are infinite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, StackType, type_of
from wengert.ops.control.holding import Flags, like, rearranged, take
from wengert.ops.control.stacks import zero
from wengert.ops.radii import real_of

Enclosed = tuple[list[Any], list[Any]]  # results, and their radii (None: exact)


def radius_type(t: Any) -> Any:
    """The type of the radii of a value of type `t`."""
    if isinstance(t, StackType):
        return StackType(radius_type(t.item))
    return ArrayType.of(t.shape, real_of(t))


def flags_of(rs: Sequence[Any]) -> Flags:
    """Which of these are not exact?"""
    return tuple(r is not None for r in rs)


def in_place(values: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    """The values where the flags are set, None elsewhere."""
    it = iter(values)
    return [next(it) if f else None for f in flags]


def dense(xs: Sequence[Any], rs: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    """Radii where the flags are set, zeros where they are missing."""
    near = like(*xs, *(r for r in rs if r is not None))
    return [
        zero(radius_type(type_of(x)), near) if r is None else r
        for x, r, f in zip(xs, rs, flags, strict=True)
        if f
    ]


def remat(body: Program, ins: Sequence[Any], rs: Sequence[Any]) -> Enclosed:
    """A program in the place of its equation."""
    program, outs = passes.bounded(body, flags_of(rs), ())
    found = evaluate(program, [*ins, *take(rs, flags_of(rs))])
    n = len(body.outputs)
    return found[:n], in_place(found[n:], outs)


def called(prim: Any, body: Program, ins: Sequence[Any], rs: Sequence[Any]) -> Enclosed:
    """A program as one equation, radii and all: compiled where the program is."""
    program, outs = passes.bounded(body, flags_of(rs), ())
    found = prim(*ins, *take(rs, flags_of(rs)), body=program)
    n = len(body.outputs)
    return list(found[:n]), in_place(found[n:], outs)


def mapped(prim: Any, ins: Sequence[Any], rs: Sequence[Any], params: Any) -> Enclosed:
    """A program for every example; radii of what is mapped are mapped."""
    flags = flags_of(rs)
    program, outs = passes.bounded(params["body"], flags, ())
    moved = take(params["mapped"], flags)
    given = {**params, "body": program, "mapped": (*params["mapped"], *moved)}
    found = prim(*ins, *take(rs, flags), **given)
    n = len(params["body"].outputs)
    return list(found[:n]), in_place(found[n:], outs)


def branches(prim: Any, ins: Sequence[Any], rs: Sequence[Any], true: Program, false: Program) -> Enclosed:  # fmt: skip
    """One of two programs; both are given radii for the results of either."""
    flags = flags_of(rs[1:])
    either = [passes.bounded(p, flags, ())[1] for p in (true, false)]
    outs = tuple(a or b for a, b in zip(*either, strict=True))
    pair = [passes.bounded(p, flags, outs)[0] for p in (true, false)]
    found = prim(*ins, *take(rs[1:], flags), true=pair[0], false=pair[1])
    n = len(true.outputs)
    ys, radii = list(found[:n]), in_place(found[n:], outs)
    if rs[0] is not None:
        radii = [doubtful(y, r, rs[0]) for y, r in zip(ys, radii, strict=True)]
    return ys, radii


def doubtful(y: Any, r: Any, doubt: Any) -> Any:
    """A radius that is infinite where it is in doubt what happens at all."""
    from wengert.ops.control.stacks import is_stack, on_items

    t = type_of(y)
    if is_stack(y):
        near = like(y, doubt)
        r = zero(radius_type(t), near) if r is None else r
        return on_items(lambda a, b, d: doubtful(a, b, d), y, r, doubt, shared=1)
    if t.dtype.kind == "b":
        return np.broadcast_to(doubt, t.shape) if r is None else r | doubt
    if not t.inexact:
        return np.where(doubt, np.inf, 0.0 if r is None else r) + np.zeros(t.shape)
    kind = radius_type(t).dtype
    return np.where(doubt, kind.type(np.inf), kind.type(0) if r is None else r) + np.zeros(
        t.shape, kind
    )


def _steady(body: Program, flags: Flags, consts: int, carry: int) -> tuple[Flags, Flags]:
    """Flags of what a loop is given, when what it carries stays as exact as it is; of its results."""
    while True:
        outs = passes.bounded(body, flags, ())[1]
        state = flags[consts : consts + carry]
        then = tuple(a or b for a, b in zip(state, outs[:carry], strict=True))
        if then == state:
            return flags, (*state, *outs[carry:])
        flags = (*flags[:consts], *then, *flags[consts + carry :])


def _interleaved(program: Program, flags: Flags, outs: Flags, consts: int, carry: int) -> Program:
    """Constants and their radii, the state and its radii, slices and theirs: as a loop wants it."""
    n, m = len(flags), len(outs)
    radii = in_place(program.inputs[n:], flags)
    ends = in_place(program.outputs[m:], outs)
    inputs: list[Any] = []
    for part in (slice(0, consts), slice(consts, consts + carry), slice(consts + carry, n)):
        inputs += [*program.inputs[:n][part], *(r for r in radii[part] if r is not None)]
    outputs: list[Any] = []
    for part in (slice(0, carry), slice(carry, m)):
        outputs += [*program.outputs[:m][part], *(r for r in ends[part] if r is not None)]
    return rearranged(program, inputs, outputs)


def scanned(prim: Any, ins: Sequence[Any], rs: Sequence[Any], params: Any) -> Enclosed:
    """A loop over slices that carries radii with its values."""
    body, consts, carry = params["body"], params["consts"], params["carry"]
    last, m = consts + carry, len(body.outputs)
    flags, outs = _steady(body, flags_of(rs), consts, carry)
    program = _interleaved(passes.bounded(body, flags, outs)[0], flags, outs, consts, carry)
    counts = {"consts": consts + sum(flags[:consts]), "carry": carry + sum(flags[consts:last])}
    given: list[Any] = []
    for part in (slice(0, consts), slice(consts, last), slice(last, len(ins))):
        given += [*ins[part], *dense(ins[part], rs[part], flags[part])]
    found = prim(*given, **{**params, **counts, "body": program})
    return _sorted(found, outs, carry, m)


def _sorted(found: Sequence[Any], outs: Flags, carry: int, m: int) -> Enclosed:
    state = carry + sum(outs[:carry])
    ys = [*found[:carry], *found[state : state + m - carry]]
    radii = [
        *in_place(found[carry:state], outs[:carry]),
        *in_place(found[state + m - carry :], outs[carry:]),
    ]
    return ys, radii


def repeated_while(prim: Any, ins: Sequence[Any], rs: Sequence[Any], params: Any) -> Enclosed:
    """A loop of unknown length that carries radii, and whether it is in doubt how often it turns."""
    cond, body, consts = params["cond"], params["body"], params["consts"]
    carry, m = len(ins) - consts, len(body.outputs)
    flags, outs = _steady(body, flags_of(rs), consts, carry)
    inner = _interleaved(passes.bounded(body, flags, outs)[0], flags, outs, consts, carry)
    asked, unsure = passes.bounded(cond, flags, ())
    fixed, moving = consts + sum(flags[:consts]), carry + sum(flags[consts:])

    def parts(xs: Sequence[Any]) -> list[Any]:
        """Arguments of the condition: values, then radii."""
        a, b = xs[:fixed], xs[fixed : fixed + moving]
        return [*a[:consts], *b[:carry], *a[consts:], *b[carry:]]

    def goes_on(*xs: Any) -> list[Any]:
        return [evaluate(cond, [*xs[:consts], *xs[fixed : fixed + carry]])[0]]

    def step(*xs: Any) -> list[Any]:
        doubt = xs[fixed + moving]
        if unsure[0]:
            doubt = doubt | evaluate(asked, parts(xs))[1]
        found = evaluate(inner, xs[: fixed + moving])
        return [*found[:moving], doubt, *found[moving:]]

    truth = ArrayType.of((), np.dtype(bool))
    types = [*inner.in_types, truth]
    settings = {
        "cond": passes.sweep(passes.derive(goes_on, types, cond, cond.name)),
        "body": passes.sweep(passes.derive(step, types, body, body.name)),
        "consts": fixed,
    }
    given = [
        *ins[:consts], *dense(ins[:consts], rs[:consts], flags[:consts]),
        *ins[consts:], *dense(ins[consts:], rs[consts:], flags[consts:]),
    ]  # fmt: skip
    found = list(prim(*given, zero(truth, like(*given)), **settings))
    doubt = found.pop(moving)
    if unsure[0]:  # the last answer counts too
        doubt = doubt | evaluate(asked, parts([*given[:fixed], *found[:moving]]))[1]
    ys, radii = _sorted(found, outs, carry, m)
    if unsure[0]:
        radii = [doubtful(y, r, doubt) for y, r in zip(ys, radii, strict=True)]
    return ys, radii
