"""Suspects: which numbers of a finished call does it pay to look at closely?

Those whose error bound exceeds the tolerance (trust/detect.py), and those that stand on an edge
(trust/edges.py): there, a slope may be that of one side, or of a path which holds at this point alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import WengertError
from wengert.ir import passes
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program, Var
from wengert.ir.types import repeated
from wengert.rewrites.maps import joined
from wengert.transforms.jvp import jvp
from wengert.transforms.sweep import sweep
from wengert.transforms.vjp import vjp
from wengert.trust import edges, policies
from wengert.trust.constants import kept_apart
from wengert.trust.detect import Detection, Look, detect, guarded
from wengert.trust.likes import collected
from wengert.trust.question import Question, Recorded, unit
from wengert.trust.slices import aligned


class Suspects(NamedTuple):
    """Per result: masks, relative error bounds, and numbers that are known already (nan: not; None: none)."""

    masks: list[Any]
    bounds: list[Any]
    settled: list[Any]


class Part(NamedTuple):
    """Some results as the first outputs of a program, and what the quick bounds say of them, if they were asked.

    `plain`: does it compute as the call did, or were like terms collected?
    """

    chosen: list[int]
    program: Program
    args: list[Any]
    plain: bool = True
    quick: Look | None = None


def of_question(
    question: Question, policy: policies.Policy, parts: Sequence[Part] | None = None
) -> Suspects:
    """The suspects among the results of a call; `parts` is what the bounds have said already."""
    recorded, results = question.recorded, question.results
    found: list[Any] = [None] * len(results)
    dropped = False
    parts = float_programs(question) if parts is None else parts
    for chosen, program, args, _, quick in parts:
        numbers = [_plain(results[n]) for n in chosen]
        try:
            seen = detect(program, args, numbers, policy.tolerated, quick)
        except WengertError:  # a loop or a black box that cannot be looked into
            continue
        dropped = dropped or seen.dropped
        for k, n in enumerate(chosen):
            found[n] = _one(seen, k, results[n].conjugate)
    masks, bounds, settled = [], [], []
    everything = dropped or policy.at_kink != "mean"
    quiet = bool(parts) and not any(p.quick is None or p.quick.alarm for p in parts)
    on_edges = None if everything or quiet else _edge_masks(recorded, parts, results)
    for n, (result, one) in enumerate(zip(results, found, strict=True)):
        shape = np.shape(result.number)
        suspect, bound, known = one or (np.ones(shape, bool), np.full(shape, np.inf), None)
        mask = np.ones(shape, bool) if everything else np.asarray(suspect, bool)
        if on_edges is not None:
            mask = mask | on_edges[n]
            known = None if known is None else np.where(on_edges[n], np.nan, known)
        masks.append(mask)
        bounds.append(bound)
        settled.append(None if everything else known)
    return Suspects(masks, bounds, settled)


def _plain(result: Any) -> Any:
    number = np.asarray(result.number)
    return np.conjugate(number) if result.conjugate else number


def _one(seen: Detection, k: int, conjugate: bool) -> tuple[Any, Any, Any]:
    known = seen.settled[k]
    return (
        seen.suspect[k],
        seen.bounds[k],
        np.conjugate(known) if conjugate and known is not None else known,
    )


def _looking(recorded: Recorded) -> Program:
    """The recorded program without what it prints; what Python decided by comes last among its outputs."""
    p = recorded.program
    eqns = [e for e in p.eqns if not e.prim.effect]
    nodes = dict.fromkeys(node for node, *_ in recorded.decisions if isinstance(node, Var))
    return Program(p.inputs, eqns, [*p.outputs, *nodes], p.sources, p.name)


def float_programs(question: Question, collects: bool = True) -> list[Part]:
    """Programs in the call's own arithmetic whose first outputs are these results.

    With like terms collected, unless every step is wanted as it was computed.
    """
    recorded, results = question.recorded, question.results
    whole = _looking(recorded)
    moving = tuple(n < recorded.movers and v.type.inexact for n, v in enumerate(whole.inputs))
    leaves = [n for n, m in enumerate(moving) if m]
    count = len(recorded.program.outputs)
    inexact = [n for n, t in enumerate(recorded.program.out_types) if t.inexact]
    found: list[Part] = []
    plain = [n for n, r in enumerate(results) if r.is_value or (not r.rows and r.leaf is not None)]
    if plain:
        gs = next((r.gs for n, r in enumerate(results) if n in plain and not r.is_value), None)
        if gs is None:
            program, given, same = whole, [], True
            places = [results[n].output for n in plain]
        else:
            program, same = _pulled(whole, moving, collects)
            types = recorded.program.out_types
            given = [
                np.zeros(types[n].shape, types[n].dtype)[()] if gs[n] is None else gs[n]
                for n in inexact
            ]
            first = len(whole.outputs)
            places = [
                results[n].output
                if results[n].is_value
                else first + leaves.index(results[n].leaf or 0)
                for n in plain
            ]
        rest = range(count, len(whole.outputs))
        chosen = _outputs(program, [*places, *rest])
        found.append(Part(plain, chosen, [*recorded.args, *given], same))
    for output in sorted({r.output for r in results if r.rows and r.leaf is not None}):
        mine = [
            n for n, r in enumerate(results) if r.rows and r.output == output and r.leaf is not None
        ]
        order = [results[n].leaf or 0 for n in mine]
        rows = _by_rows(recorded, whole, moving, output, order, collects)
        found.append(Part(mine, *rows))
    along = [n for n, r in enumerate(results) if r.leaf is None and r.dxs is not None]
    if along:
        dxs = results[along[0]].dxs
        assert dxs is not None
        moves = [
            dxs[n] if dxs[n] is not None else np.zeros(whole.inputs[n].type.shape) for n in leaves
        ]
        first = len(whole.outputs)
        places = [first + inexact.index(results[n].output) for n in along]
        program, same = _pushed(whole, moving, collects)
        program = _outputs(program, [*places, *range(count, len(whole.outputs))])
        found.append(Part(along, program, [*recorded.args, *moves], same))
    return found


def _by_rows(
    recorded: Recorded,
    whole: Program,
    moving: tuple[bool, ...],
    output: int,
    leaves: list[int],
    collects: bool,
) -> tuple[Program, list[Any], bool]:
    """A whole Jacobian: the pullback of every unit vector of the output, as one batch."""
    types = recorded.program.out_types
    t = types[output]
    rows = [unit(t, at) for at in np.ndindex(t.shape)]
    inexact = [n for n, s in enumerate(types) if s.inexact]
    seeds = [
        np.stack(rows) if n == output else np.zeros((len(rows), *types[n].shape), types[n].dtype)
        for n in inexact
    ]
    order = [n for n, m in enumerate(moving) if m]
    pulled, same = _pulled(whole, moving, collects)
    count = len(recorded.program.outputs)
    places = [len(whole.outputs) + order.index(k) for k in leaves]
    chosen = _outputs(pulled, [*places, *range(count, len(whole.outputs))])
    flags = (False,) * len(whole.inputs) + (True,) * len(seeds)
    wide = passes.batch(chosen, flags, len(rows))

    def shaped(*xs: Any) -> list[Any]:
        ys = evaluate(wide, xs)
        return [
            np.reshape(y, (*t.shape, *np.shape(y)[1:])) if n < len(places) else y
            for n, y in enumerate(ys)
        ]

    given = [
        s if not f else repeated(s, len(rows)) for s, f in zip(chosen.in_types, flags, strict=True)
    ]
    program = sweep(passes.derive(shaped, given, chosen, chosen.name))
    return program, [*recorded.args, *seeds], same


@passes.remembered
def _pulled(program: Program, moving: tuple[bool, ...], collects: bool) -> tuple[Program, bool]:
    found = joined(kept_apart(vjp, program, moving))
    return _collected(found) if collects else (found, True)


@passes.remembered
def _pushed(program: Program, moving: tuple[bool, ...], collects: bool) -> tuple[Program, bool]:
    found = sweep(kept_apart(jvp, program, moving))
    return _collected(found) if collects else (found, True)


def _collected(program: Program) -> tuple[Program, bool]:
    """Like terms collected, and whether there were none."""
    found = collected(program)
    return found, found is program


def _outputs(program: Program, places: Sequence[int]) -> Program:
    return _chosen(program, tuple(places))


@passes.remembered
def _chosen(program: Program, places: tuple[int, ...]) -> Program:
    kept = [program.outputs[n] for n in places]
    return sweep(Program(program.inputs, program.eqns, kept, program.sources, program.name))


_MANY = 200  # so many numbers beside a kink are taken to limits; conventions hold for more


def _edge_masks(
    recorded: Recorded, parts: Sequence[Part], results: Sequence[Any]
) -> list[Any] | None:
    """Per result: which numbers an edge that the call stands on makes doubtful; None: it stands on none."""
    nodes = {id(node) for node, *_ in recorded.decisions}
    whole = _looking(recorded)
    asked = [n for n, a in enumerate(whole.outputs) if id(a) in nodes]
    found = edges.look(whole, recorded.args, [True] * recorded.movers, asked)
    if not found.doubt:
        return None
    masks = [np.ones(np.shape(r.number), bool) for r in results]
    for chosen, program, *_ in parts:
        for n in chosen:
            if (
                found.mask is not None
                and np.shape(found.mask) == masks[n].shape
                and aligned(program, masks[n].shape)
            ):
                masks[n] &= found.mask
    if not found.hard and sum(int(np.count_nonzero(m)) for m in masks) > _MANY:
        return None
    return masks


# ---- batches -----------------------------------------------------------------------------------------------


def of_batch(
    program: Program, args: Sequence[Any], flags: Sequence[bool], extent: int, found: Sequence[Any],
    policy: policies.Policy, quick: Look | None = None,
) -> tuple[Any, Suspects]:  # fmt: skip
    """Which examples of a batch to look at, and the suspects among all its numbers.

    `program` is that of one example; `flags` say which `args` are batches of `extent` examples.
    """
    wide = _batched(program, tuple(flags), extent)
    seen = detect(wide, args, found, policy.tolerated, quick)
    open_ = [
        s if k is None else s & ~np.isfinite(k)
        for s, k in zip(seen.suspect, seen.settled, strict=True)
    ]
    look = np.zeros(extent, bool)
    for mask in open_:
        look |= np.reshape(mask, (extent, -1)).any(1)
    if quick is None or quick.alarm:
        look |= _on_edges(wide, args, flags, extent)
    if policy.at_kink != "mean":
        look[:] = True
    return look, Suspects(list(seen.suspect), list(seen.bounds), list(seen.settled))


@passes.remembered
def _batched(program: Program, flags: tuple[bool, ...], extent: int) -> Program:
    return sweep(passes.batch(collected(program), flags, extent, (True,) * len(program.outputs)))


@passes.remembered
def guarded_example(program: Program, flags: tuple[bool, ...]) -> Program:
    """`(xs, tolerances) -> results, masks, alarm` of one example; `flags`: which inputs are its own."""
    found, same = _collected(program)
    count, n = len(program.outputs), len(program.inputs)
    judged = guarded(found, program.out_types, same, edges.near(found, flags))

    def both(*xs: Any) -> list[Any]:
        ys = [] if same else evaluate(program, xs[:n])
        return evaluate(judged, [*xs[:n], *ys, *xs[n:]])[:-1]

    types = [*program.in_types, *judged.in_types[len(judged.in_types) - count :]]
    return sweep(passes.derive(both, types, program, judged.name))


def _on_edges(program: Program, args: Sequence[Any], flags: Sequence[bool], extent: int) -> Any:
    """Examples that stand on an edge."""
    found = edges.look(program, args, flags, ())
    if not found.doubt:
        return np.zeros(extent, bool)
    rows = np.ndim(found.mask) and np.shape(found.mask)[0] == extent
    return np.reshape(found.mask, (extent, -1)).any(1) if rows else np.ones(extent, bool)
