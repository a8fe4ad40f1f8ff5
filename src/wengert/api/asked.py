"""Asked: questions of trust inside of a compiled function.

The error bounds are compiled with the derivative: one program gives both. After each call, what the
bounds suspect, and only that, is settled outside, as un-jitted calls settle theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.errors import WengertError
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program, Var
from wengert.ir.types import ArrayType, type_of
from wengert.ops.radii import real_of
from wengert.trace.trace import innermost
from wengert.trace.tracer import Tracer
from wengert.trust import policies, verdict

if TYPE_CHECKING:
    from wengert.trust.question import Question

CLOSE = ("check", "repair")  # levels that look at every number
Get = Callable[[Any], Any]  # what a value of the trace is in this call


class Found(NamedTuple):
    """What a question comes to in one call."""

    suspect: bool  # is there a number to look at closely?
    settle: Callable[
        [], list[Any]
    ]  # delivers the report; the results, settled where that is wished


class Asked(NamedTuple):
    """A question. Values of the trace are known by their variables."""

    what: str
    level: str
    results: list[Any]
    masks: list[Any]  # those of the results that are suspect
    alarms: list[Any]  # truth values: where all are false, there is nothing to look at
    slopes: list[Any]  # results that are to be looked at, too, where they are zero throughout
    needs: list[Var]  # what `find` will ask for beside these
    alone: bool  # is the function known that it is about, or does that hold values of the trace?
    find: Callable[[Get], Found]

    def doubtful(self, get: Get) -> bool:
        """Is there something to look at?"""
        if any(get(a) for a in self.alarms):
            return True
        return any(map(_all_zero, map(get, self.slopes)))


def _all_zero(y: Any) -> bool:
    if not isinstance(y, np.ndarray):
        return not y
    return bool(y.size and not y.flat[0] and not y.any())


class Collector:
    """The questions of one trace, and the inputs that it has for tolerances."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.asked: list[Asked] = []
        self.tolerances: dict[Any, Tracer] = {}  # by the format of the results

    def tolerance(self, t: Any) -> Tracer:
        """The tolerance for results of a type."""
        dtype = real_of(t)
        if dtype not in self.tolerances:
            self.tolerances[dtype] = self.builder.input(ArrayType.of((), dtype))
        return self.tolerances[dtype]

    def add(self, one: Asked) -> None:
        """Take a question; what was wished inside of it is done with."""
        self.asked.append(one)
        if self.builder.trust in CLOSE:
            self.builder.trust = "report"


collecting: ContextVar[Collector | None] = ContextVar("wengert_collecting", default=None)


def here() -> Collector | None:
    """Who takes the questions that are asked here: the compiled function whose trace is the innermost."""
    found = collecting.get()
    return found if found is not None and innermost() is found.builder else None


class Answers(NamedTuple):
    """The questions of a finished trace, ready for its calls.

    `places` says where the needed values stand: among the program's inputs (from the end, -1 being the
    first), or its outputs. `outputs` are the function's own; `direct`: is none of them, and
    no question, computed from results that may be repaired?
    """

    asked: tuple[Asked, ...]
    formats: tuple[Any, ...]
    places: dict[Var, int]
    outputs: tuple[Any, ...]
    direct: bool

    def tolerances(self) -> list[Any]:
        """The inputs behind the arguments: the tolerances of the policy that holds."""
        policy = policies.current()
        return [dtype.type(policy.tolerated(dtype)) for dtype in self.formats]

    def others(self, ys: Sequence[Any]) -> list[Any]:
        """Those of the function's results that no question is about."""
        mine = {v for one in self.asked for v in one.results if type(v) is Var}
        return [y for y, v in zip(ys, self.outputs, strict=False) if v not in mine]

    def quiet(self, values: Sequence[Any], ys: Sequence[Any]) -> bool:
        """Is there nothing to look at? Then the reports say so."""
        get, policy = self._get(values, ys), policies.current()
        if policy.at_kink != "mean" or any(one.doubtful(get) for one in self.asked):
            return False
        for one in self.asked:
            verdict.nothing(one.what, one.level, policy, [*map(get, one.masks)])
        return True

    def _get(self, values: Sequence[Any], ys: Sequence[Any]) -> Get:
        places = self.places

        def get(x: Any) -> Any:
            if type(x) is not Var:
                return x
            k = places[x]
            return ys[k] if k >= 0 else values[-1 - k]

        return get

    def settled(self, values: Sequence[Any], ys: Sequence[Any]) -> list[Any] | None:
        """The function's results, looked at; None where only the plain function can settle them."""
        if self.quiet(values, ys):
            return [*ys[: len(self.outputs)]]
        get = self._get(values, ys)
        found = [one.find(get) for one in self.asked]
        for one, what in zip(self.asked, found, strict=True):
            fixed = any(v.__class__ is not Var for v in one.results)  # a number, whatever is called
            takes = one.level != "repair" or (self.direct and not fixed)
            if what.suspect and not (one.alone and takes):
                return None
        answers = dict(zip(self.outputs, ys, strict=False))
        for one, what in zip(self.asked, found, strict=True):
            pairs = zip(one.results, what.settle(), strict=True)
            answers.update({v: y for v, y in pairs if type(v) is Var})
        return [answers[v] for v in self.outputs]


def answers(collector: Collector, program: Program, count: int) -> Answers | None:
    """The questions of a trace whose program has `count` outputs of the function's own, then what `needed` names."""
    if not collector.asked:
        return None
    places = {v: k for k, v in enumerate(program.outputs) if isinstance(v, Var)}
    places.update({v: -1 - k for k, v in enumerate(program.inputs)})
    results = {v for one in collector.asked for v in _names(one.results)}
    built = set(results)  # what may be repaired, and what is computed from it
    for e in program.eqns:
        if any(a in built for a in e.inputs):
            built.update(e.outputs)
    needs = {v for one in collector.asked for v in one.needs}
    own = program.outputs[:count]
    direct = not any(v in built and v not in results for v in own) and not needs & built
    known = {v: places[v] for one in collector.asked for v in _asked_for(one)}
    return Answers(tuple(collector.asked), tuple(collector.tolerances), known, own, direct)


def _asked_for(one: Asked) -> list[Var]:
    return _names([one.results, one.masks, one.alarms, one.needs])


def needed(collector: Collector, outputs: Sequence[Tracer]) -> list[Tracer]:
    """What the questions need beside the trace's inputs and outputs."""
    there = {*collector.builder.inputs, *map(kept, outputs)}
    names = dict.fromkeys(v for one in collector.asked for v in _asked_for(one) if v not in there)
    return [Tracer(collector.builder, v, None) for v in names]


# ---- questions about one call ------------------------------------------------------------------------------


def ask(question: Question, level: str, outside: Any, again: Callable[[Get], Any]) -> list[Any]:
    """The results of a question with their bounds, as equations of the trace; the rest comes after each call.

    `outside` are the arguments of the function; `again(get)` is the function to run again, at what
    they are in a call.
    """
    from wengert.trust import detect, edges, series, suspects

    collector = here()
    assert collector is not None
    recorded = question.recorded
    ys = [r.number for r in question.results]
    parts: list[suspects.Part] = []
    near = edges.near(recorded.program, (True,) * recorded.movers)
    for part in suspects.float_programs(question):
        mine = [(ys[n], question.results[n].conjugate) for n in part.chosen]
        types = tuple(type_of(y) for y, _ in mine)
        try:
            judged = detect.guarded(part.program, types, part.plain, near)
        except WengertError:  # a loop or a black box that cannot be looked into
            continue
        near = False  # (the first one says it for all)
        given = [] if part.plain else [_turned(y, c) for y, c in mine]
        found = evaluate(judged, [*part.args, *given, *map(collector.tolerance, types)])
        if part.plain:
            for n, y, (_, c) in zip(part.chosen, found, mine, strict=False):
                ys[n] = _turned(y, c)
        quick = detect.Look(*_known(kept, tuple(detect.look_of(found, len(types)))))
        parts.append(part._replace(args=[*map(kept, part.args)], quick=quick))
    alone = _reached(recorded.args[recorded.movers :], outside)
    template = [
        replace(r, number=kept(y), gs=_known(kept, r.gs), dxs=_known(kept, r.dxs))
        for r, y in zip(question.results, ys, strict=True)
    ]
    args = [*map(kept, recorded.args)]
    names: Any = None if recorded.names is None else partial(list, recorded.names())
    # (nothing that is asked later keeps the trace)
    what, bare = question.what, replace(recorded, args=[], function=None, names=names)

    def find(get: Get) -> Found:
        from wengert.trust import guard
        from wengert.trust.question import Question

        results = [
            replace(r, number=get(r.number), gs=_known(get, r.gs), dxs=_known(get, r.dxs))
            for r in template
        ]
        function = again(get) if alone else None
        now = Question(what, results, replace(bare, args=[*map(get, args)], function=function))
        known = [
            p._replace(args=[*map(get, p.args)], quick=detect.Look(*_known(get, p.quick)))
            for p in parts
        ]
        seen = suspects.of_question(now, policies.current(), known)
        doubtful = any(np.any(m) for m in seen.masks)
        return Found(doubtful, lambda: guard.examine(now, level, seen))

    masks: list[Any] = [None] * len(ys)
    for p in parts:
        for n, mask in zip(p.chosen, p.quick.suspect if p.quick else (), strict=True):
            masks[n] = mask
    looks = [(p.quick.alarm, p.quick.dropped) for p in parts if p.quick]
    alarms = [*(a for a, _ in looks), any(m is None for m in masks)]
    leaves = [(r.leaf, r.number) for r in template if r.leaf is not None]
    alarms.append(any(series.possible(recorded, leaf) for leaf, _ in leaves))
    weights = [[r.gs, r.dxs] for r in template]
    needs = _names([[p.args for p in parts], weights, args, _known(kept, outside) if alone else ()])
    needs += _names([d for _, d in looks])
    numbers = [r.number for r in template]
    collector.add(
        Asked(what, level, numbers, masks, alarms, [y for _, y in leaves], needs, alone, find)
    )
    return ys


def _turned(y: Any, conjugate: bool) -> Any:
    return np.conjugate(y) if conjugate else y


# ---- questions about a batch -------------------------------------------------------------------------------


def ask_batch(
    what: str, level: str, program: Program, args: Sequence[Any], flags: Sequence[bool], extent: int,
    mapped: Callable[[Program, Sequence[Any]], list[Any]], outside: Any,
    example: Callable[[Get, int], Any],
) -> list[Any]:  # fmt: skip
    """The results of a batch with their bounds; `program` is that of one example.

    `flags` say which `args` are batches. `mapped(body, more)` is a program for all examples, given what
    else they share; `example(get, k)` is one example alone.
    """
    from wengert.trust import detect, suspects

    collector = here()
    assert collector is not None
    count = len(program.outputs)
    judged = suspects.guarded_example(program, tuple(flags))
    found = mapped(judged, [*map(collector.tolerance, program.out_types)])
    ys, masks, alarm = found[:count], [*map(kept, found[count:-1])], kept(np.any(found[-1]))
    given, names = [*map(kept, args)], [*map(kept, ys)]
    quick = detect.Look(masks, [None] * count, False, False, alarm=alarm)
    shared = [a for a, f in zip(args, flags, strict=True) if not f]
    alone = _reached(shared, outside)

    def find(get: Get) -> Found:
        from wengert.trust import batches

        now = [*map(get, names)]
        seen = detect.Look(*_known(get, quick))
        look, those = suspects.of_batch(
            program, [*map(get, given)], flags, extent, now, policies.current(), seen
        )

        def settle() -> list[Any]:
            return batches.examine(what, level, now, lambda k: example(get, k), look, those)

        return Found(any(np.any(m) for m in those.masks) or bool(look.any()), settle)

    needs = _names([given, _known(kept, outside) if alone else ()])
    collector.add(Asked(what, level, names, masks, [alarm], [], needs, alone, find))
    return ys


# ---- values of the trace ----------------------------------------------------------------------------------


def kept(x: Any) -> Any:
    """A value of the trace by its name; anything else as it is."""
    if isinstance(x, Tracer):
        x.refresh()
        return x.node
    return x


def _known(change: Get, values: Any) -> Any:
    """Containers of values, each changed."""
    return None if values is None else tree.map_leaves(change, values)


def _names(values: Any) -> list[Var]:
    """The names among values."""
    return [v for v in tree.flatten(values)[0] if isinstance(v, Var)]


def _reached(values: Sequence[Any], arguments: Any) -> bool:
    """Are all values of the trace among these arguments? Else the function knows them from outside."""
    known = set(_names(_known(kept, arguments)))
    return all(v in known for v in _names([*map(kept, values)]))
