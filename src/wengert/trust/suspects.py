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
from wengert.transforms.jvp import jvp
from wengert.transforms.sweep import sweep
from wengert.transforms.vjp import vjp
from wengert.trust import edges, policies
from wengert.trust.detect import Detection, detect
from wengert.trust.likes import collected
from wengert.trust.question import Question, Recorded, unit
from wengert.trust.slices import aligned


class Suspects(NamedTuple):
    """Per result: masks, relative error bounds, and numbers that are known already (nan: not; None: none)."""

    masks: list[Any]
    bounds: list[Any]
    settled: list[Any]


def of_question(question: Question, policy: policies.Policy) -> Suspects:
    """The suspects among the results of a call."""
    recorded = question.recorded
    results = question.results
    found: list[Any] = [None] * len(results)
    dropped = False
    programs = float_programs(question)
    for chosen, program, args in programs:
        numbers = [_plain(results[n]) for n in chosen]
        try:
            seen = detect(program, args, numbers, policy.tolerated)
        except WengertError:  # a loop or a black box that cannot be looked into
            continue
        dropped = dropped or seen.dropped
        for k, n in enumerate(chosen):
            found[n] = _one(seen, k, results[n].conjugate)
    masks, bounds, settled = [], [], []
    everything = dropped or policy.at_kink != "mean"
    on_edges = None if everything else _edge_masks(recorded, programs, results)
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
    """The recorded program; what Python decided by comes last among its outputs."""
    p = recorded.program
    nodes = dict.fromkeys(node for node, *_ in recorded.decisions if isinstance(node, Var))
    return Program(p.inputs, p.eqns, [*p.outputs, *nodes], p.sources, p.name)


def float_programs(question: Question) -> list[tuple[list[int], Program, list[Any]]]:
    """Programs in the call's own arithmetic whose first outputs are these results."""
    recorded, results = question.recorded, question.results
    whole = _looking(recorded)
    moving = tuple(n < recorded.movers and v.type.inexact for n, v in enumerate(whole.inputs))
    leaves = [n for n, m in enumerate(moving) if m]
    count = len(recorded.program.outputs)
    inexact = [n for n, t in enumerate(recorded.program.out_types) if t.inexact]
    found: list[tuple[list[int], Program, list[Any]]] = []
    plain = [n for n, r in enumerate(results) if r.is_value or (not r.rows and r.leaf is not None)]
    if plain:
        gs = next((r.gs for n, r in enumerate(results) if n in plain and not r.is_value), None)
        if gs is None:
            program, given = whole, []
            places = [results[n].output for n in plain]
        else:
            program = _pulled(whole, moving)
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
        found.append((plain, _outputs(program, [*places, *rest]), [*recorded.args, *given]))
    for output in sorted({r.output for r in results if r.rows and r.leaf is not None}):
        mine = [
            n for n, r in enumerate(results) if r.rows and r.output == output and r.leaf is not None
        ]
        found.append(
            (mine, *_by_rows(recorded, whole, moving, output, [results[n].leaf or 0 for n in mine]))
        )
    along = [n for n, r in enumerate(results) if r.leaf is None and r.dxs is not None]
    if along:
        dxs = results[along[0]].dxs
        assert dxs is not None
        moves = [
            dxs[n] if dxs[n] is not None else np.zeros(whole.inputs[n].type.shape) for n in leaves
        ]
        first = len(whole.outputs)
        places = [first + inexact.index(results[n].output) for n in along]
        program = _outputs(_pushed(whole, moving), [*places, *range(count, len(whole.outputs))])
        found.append((along, program, [*recorded.args, *moves]))
    return found


def _by_rows(
    recorded: Recorded, whole: Program, moving: tuple[bool, ...], output: int, leaves: list[int]
) -> tuple[Program, list[Any]]:
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
    pulled = _pulled(whole, moving)
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
    return sweep(passes.derive(shaped, given, chosen, chosen.name)), [*recorded.args, *seeds]


@passes.remembered
def _pulled(program: Program, moving: tuple[bool, ...]) -> Program:
    return collected(vjp(program, moving))


@passes.remembered
def _pushed(program: Program, moving: tuple[bool, ...]) -> Program:
    return collected(sweep(jvp(program, moving)))


def _outputs(program: Program, places: Sequence[int]) -> Program:
    return _chosen(program, tuple(places))


@passes.remembered
def _chosen(program: Program, places: tuple[int, ...]) -> Program:
    kept = [program.outputs[n] for n in places]
    return sweep(Program(program.inputs, program.eqns, kept, program.sources, program.name))


_MANY = 200  # so many numbers beside a kink are taken to limits; conventions hold for more


def _edge_masks(recorded: Recorded, programs: Any, results: Sequence[Any]) -> list[Any] | None:
    """Per result: which numbers an edge that the call stands on makes doubtful; None: it stands on none."""
    nodes = {id(node) for node, *_ in recorded.decisions}
    whole = _looking(recorded)
    asked = [n for n, a in enumerate(whole.outputs) if id(a) in nodes]
    found = edges.look(whole, recorded.args, [True] * recorded.movers, asked)
    if not found.doubt:
        return None
    masks = [np.ones(np.shape(r.number), bool) for r in results]
    for chosen, program, _ in programs:
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
    policy: policies.Policy,
) -> tuple[Any, Suspects]:  # fmt: skip
    """Which examples of a batch to look at, and the suspects among all its numbers.

    `program` is that of one example; `flags` say which `args` are batches of `extent` examples.
    """
    wide = _batched(program, tuple(flags), extent)
    seen = detect(wide, args, found, policy.tolerated)
    settled = [
        np.full(np.shape(y), np.nan) if s is None else s
        for y, s in zip(found, seen.settled, strict=True)
    ]
    open_ = [s & ~np.isfinite(k) for s, k in zip(seen.suspect, settled, strict=True)]
    look = np.zeros(extent, bool)
    for mask in open_:
        look |= np.reshape(mask, (extent, -1)).any(1)
    look |= _on_edges(wide, args, flags, extent)
    if policy.at_kink != "mean":
        look[:] = True
    return look, Suspects(list(seen.suspect), list(seen.bounds), settled)


@passes.remembered
def _batched(program: Program, flags: tuple[bool, ...], extent: int) -> Program:
    return sweep(passes.batch(collected(program), flags, extent, (True,) * len(program.outputs)))


def _on_edges(program: Program, args: Sequence[Any], flags: Sequence[bool], extent: int) -> Any:
    """Examples that stand on an edge."""
    found = edges.look(program, args, flags, ())
    if not found.doubt:
        return np.zeros(extent, bool)
    rows = np.ndim(found.mask) and np.shape(found.mask)[0] == extent
    return np.reshape(found.mask, (extent, -1)).any(1) if rows else np.ones(extent, bool)
