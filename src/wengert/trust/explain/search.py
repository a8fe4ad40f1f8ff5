"""Search: from a question about a finished call to the account of what is wrong with its numbers.

The guard settles every number first (balls, limits, ties): that says what is true, and of some
causes all there is to say. For the others the evidence is searched for the equation at which the
error was born.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertError
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.trust import edges, policies, suspects, verdict
from wengert.trust.balls.number import Undecided, precision
from wengert.trust.explain import causes
from wengert.trust.explain.account import Explanation, Finding
from wengert.trust.explain.advice import repair, segment
from wengert.trust.explain.corners import at_corner
from wengert.trust.explain.evidence import At, Birth, Evidence, result
from wengert.trust.explain.meeting import meeting
from wengert.trust.explain.unroll import here
from wengert.trust.guard import Inquiry
from wengert.trust.question import Question

_ALL = 256  # of fewer numbers, all are looked at; of more, those that the bounds suspect
_LONG = 1500  # equations; the colours of longer programs are not worth a search each
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "scale": "*", "div": "/", "power": "**"}
_KINKED = (causes.KINK, causes.INFINITE)  # told also where a convention gives the number
_CHAOTIC = 15  # so many equations of one line make a wrong derivative of it chaos


def explain(question: Question, names: Sequence[str], components: Sequence[str]) -> Explanation:
    """The account of a question; `names` are those of the arguments, `components` those of the results."""
    policy = policies.current()
    size = sum(np.size(r.number) for r in question.results)
    everything = [np.ones(np.shape(r.number), bool) for r in question.results]
    masks = everything if size <= _ALL else suspects.of_question(question, policy).masks
    inquiry = Inquiry(question, policy, masks)
    inquiry.run()
    told = _Account(question, inquiry, names, components)
    return told.made(size)


class _Account:
    """An account in the making."""

    def __init__(
        self, question: Question, inquiry: Inquiry, names: Sequence[str], components: Sequence[str]
    ) -> None:
        self.question, self.inquiry = question, inquiry
        self.recorded = question.recorded
        self.names, self.components = names, components
        self.parts = suspects.float_programs(question, collects=False)
        self.evidence: dict[int, Evidence] = {}
        self.repairs: list[Any] = []
        self.heat: dict[Any, float] = {}
        self.graph: list[tuple[str, str, float]] = []

    def made(self, count: int) -> Explanation:
        findings = []
        for c in self.inquiry.components:
            kinked = c.how == "kink" or self._stands_on_edge(c)
            if c.how != "confirmed" or kinked:
                findings.append(self._finding(c, kinked))
        self._heat()
        return Explanation(self.question.what, findings, count, self.heat, self.graph)

    def _stands_on_edge(self, c: verdict.Component) -> bool:
        """Is it right only by a convention: do the slopes of this very number differ on both sides?"""
        if c.how != "confirmed" or c.cause not in _KINKED or self._is_value(c):
            return False
        if c.cause == causes.INFINITE:
            return True
        found = self.inquiry.tended(c.leaf, self.question.results[c.leaf], tuple(c.index), c.value)
        return found is not None and found.how == "kink"

    def _is_value(self, c: verdict.Component) -> bool:
        return self.question.results[c.leaf].is_value

    # ---- one number --------------------------------------------------------------------------------
    def _finding(self, c: verdict.Component, kinked: bool) -> Finding:
        at = f"[{', '.join(map(str, c.index))}]" if c.index else ""
        dtype = np.asarray(c.plain).dtype
        digits = np.finfo(dtype).nmant + 1
        right = c.value if c.how else None
        f = Finding(f"{self.components[c.leaf]}{at}", "", c.plain, right, c.how, certified=c.bits,
                    bits=_bits(c.plain, right, digits), digits=digits, flagged=not c.how, proved=c.proved)  # fmt: skip
        f.cause = c.cause if c.cause in causes.CAUSES else ""
        if f.cause == causes.KINK and not c.how and not np.isfinite(c.plain):
            f.cause = ""  # it has no slope on either side: what made that, the numbers say
        if f.right is not None and np.isinf(f.right):
            f.cause = causes.INFINITE
        found = self._birth(c)
        born = causes.of_birth(*found) if found is not None else ""
        if found is not None and (born == causes.SPECTRUM or not c.how):
            near = causes.spectrum(found[0])
            if near is not None:
                self._tell(f, *found)
                f.cause, f.right, f.numbers = causes.SPECTRUM, None, near[1]
                f.line, f.operation = found[0].program.line(near[0]), near[0].prim.name
                return f
        if born == causes.DEAD:
            f.cause = ""
        elif self.inquiry.standing.comparisons and f.cause == causes.REMOVABLE:
            f.cause = causes.EQUALITY if self.recorded.decisions else f.cause
        if f.cause:
            self._tell_edge(f, found)
        elif found is not None:
            f.cause = born
            self._tell(f, *found)
        if f.cause in (causes.CANCELLATION, causes.CONDITION, causes.OVERFLOW, ""):
            self._condition(f, c)
        f.cause = f.cause or causes.CONDITION
        if kinked and not f.cause:
            f.cause = causes.KINK
        if f.cause not in (
            causes.KINK,
            causes.JUMP,
            causes.INFINITE,
            causes.EQUALITY,
            causes.LOOP,
            causes.INTEGER,
            causes.CHAOS,
            causes.CONDITION,
        ):
            f.repair = self._repair()
        return f

    def _birth(self, c: verdict.Component) -> tuple[Evidence, Birth] | None:
        for k, (chosen, program, args, *_) in enumerate(self.parts):
            if c.leaf not in chosen:
                continue
            if k not in self.evidence:
                seeds = len(program.inputs) - len(self.recorded.args)
                tolerance = policies.current().tolerated(np.asarray(c.plain).dtype)
                self.evidence[k] = Evidence(program, args, seeds, tolerance)
            evidence = self.evidence[k]
            end = program.outputs[chosen.index(c.leaf)]
            if not isinstance(end, Var) or len(c.index) != len(end.type.shape):
                return None
            births = evidence.births(end, tuple(c.index))
            dead = [d for b in births if (d := causes.dead_product(evidence, b)) is not None]
            return (evidence, (dead or births)[0]) if births else None
        return None

    def _tell(self, f: Finding, evidence: Evidence, birth: Birth) -> None:
        eqn = evidence.program.eqns[birth.position]
        f.line = self._line(evidence, birth.position, birth.at)
        f.operation = eqn.prim.name
        f.numbers = _numbers(evidence, eqn, birth.at)
        f.path = _path(evidence.program, birth)
        if not self.graph:
            steps = [birth.position, *birth.path]
            self.graph = [_step(evidence, k, self._line(evidence, k)) for k in steps]

    def _line(self, evidence: Evidence, k: int, at: At | None = None) -> Any:
        """The user's line of an equation; of a sum of contributions, where these meet."""
        eqn = evidence.program.eqns[k]
        if at is None:
            if len(evidence.program.eqns) > _LONG:
                return evidence.program.line(eqn)
            at = (0,) * len(getattr(eqn.outputs[0].type, "shape", ()))
        met = meeting(evidence, k, at, self.recorded.program)
        return evidence.program.line(eqn) if met is None else self.recorded.program.line(met)

    def _tell_edge(self, f: Finding, found: tuple[Evidence, Birth] | None) -> None:
        """The line of a kink, an edge, a tie or a step."""
        if found is not None and f.cause in (causes.REMOVABLE, causes.INFINITE):
            self._tell(f, *found)
            return
        program = self.recorded.program
        eqn = self._guilty(f.cause)
        if eqn is not None:
            f.line, f.operation = program.line(eqn), eqn.prim.name
            f.numbers = (
                f"`{segment(f.line) or eqn.prim.name}` is where both sides meet"
                if f.cause != causes.INTEGER
                else f"the result depends on the argument through `{eqn.prim.name}` alone"
            )
        elif found is not None:
            self._tell(f, *found)

    def _guilty(self, cause: str) -> Eqn | None:
        program, standing = self.recorded.program, self.inquiry.standing
        if cause == causes.INTEGER:
            moving = edges.moved(program, [True] * self.recorded.movers)
            return next(
                (
                    e
                    for e in program.eqns
                    if e.prim.name in edges.STEPS and any(a in moving for a in e.inputs)
                ),
                None,
            )
        if cause in (causes.LOOP, causes.EQUALITY):
            asked = {n for n, *_ in self.recorded.decisions}
            decided = [e for e in program.eqns if e.outputs[0] in asked]
            if standing.comparisons and cause == causes.EQUALITY:
                return standing.comparisons[0]
            return decided[-1] if decided else None
        if cause == causes.JUMP and (found := [*standing.steps, *standing.comparisons]):
            return found[0]
        if standing.kinks:
            return standing.kinks[0]
        return standing.comparisons[0] if standing.comparisons else at_corner(self.recorded)

    def _condition(self, f: Finding, c: verdict.Component) -> None:
        """How much the true number changes when an argument changes in its last digit."""
        truth = _truth_at(self.question, c, 0)
        moved = _truth_at(self.question, c, 1)
        if truth is None or moved is None:
            return
        with precision(512):
            size = abs(truth)
            if not size > 0:
                return
            change = float(abs(moved - truth) / size)
        f.change, f.condition = change, change / float(np.finfo(np.asarray(c.plain).dtype).eps)
        if change > policies.current().tolerated(np.asarray(c.plain).dtype):
            f.cause = causes.CHAOS if self._repeats() else causes.CONDITION

    def _repeats(self) -> bool:
        """Does the function do one thing over and over?"""
        counts: dict[Any, int] = {}
        for e in self.recorded.program.eqns:
            if e.prim.name in ("scan", "while_loop"):
                return True
            line = here(self.recorded.program.line(e))
            counts[line] = counts.get(line, 0) + 1
        return max(counts.values(), default=0) >= _CHAOTIC

    def _repair(self) -> Any:
        if not self.repairs:
            r = self.recorded
            outs = [a for a in r.program.outputs if a.type.inexact]
            plain = Program(
                r.program.inputs, r.program.eqns, outs, r.program.sources, r.program.name
            )
            self.repairs.append(repair(plain, r.args, r.movers, self.names))
        return self.repairs[0]

    # ---- lines -------------------------------------------------------------------------------------
    def _heat(self) -> None:
        for evidence in self.evidence.values():
            for k, e in enumerate(evidence.program.eqns):
                line = here(self._line(evidence, k))
                if line is None:
                    continue
                lost = 0.0
                for v in e.outputs:
                    if v in evidence.exact:
                        for at in np.ndindex(v.type.shape):
                            lost = max(lost, _lost(evidence, v, at))
                self.heat[line] = max(self.heat.get(line, 0.0), lost)


def _lost(evidence: Evidence, v: Any, at: At) -> float:
    if not v.type.inexact:
        return 0.0
    digits = float(np.finfo(v.type.dtype).nmant + 1)
    if not np.isfinite(evidence.value(v, at)):
        return digits
    off = evidence.off(v, at)
    return (
        0.0
        if not off
        else float(np.clip(digits + np.log2(off), 0, digits))
        if np.isfinite(off)
        else digits
    )


def _bits(wrong: Any, right: Any, digits: int) -> float:
    if wrong == right:
        return float(digits)
    if right is None or not np.isfinite(wrong) or not np.isfinite(right):
        return 0.0
    with np.errstate(all="ignore"):
        off = abs(wrong - right) / abs(right) if right != 0 else np.inf
    return float(np.clip(-np.log2(off), 0.0, digits)) + 0.0 if off > 0 else float(digits)


def _step(evidence: Evidence, k: int, line: Any) -> tuple[str, str, float]:
    e = evidence.program.eqns[k]
    v = e.outputs[0]
    lost = (
        max((_lost(evidence, v, at) for at in np.ndindex(v.type.shape)), default=0.0)
        if isinstance(v.type, ArrayType)
        else 0.0
    )
    return e.prim.name, f"{line}  {line.text[:60]}" if line else "", lost


def _path(program: Program, birth: Birth) -> list[str]:
    said: list[str] = []
    for k in birth.path:
        e = program.eqns[k]
        line = program.line(e)
        step = f"{e.prim.name} ({line})" if line else e.prim.name
        if not said or said[-1] != step:
            said.append(step)
    return said if len(said) <= 6 else [*said[:3], "…", *said[-2:]]


def _numbers(evidence: Evidence, eqn: Eqn, at: At) -> str:
    """`1 - 1 = 0, exactly 5e-17`."""
    shown = [*map(_shown, evidence.given(eqn, at))]
    sign = _SIGNS.get(eqn.prim.name)
    call = (
        f"{shown[0]} {sign} {shown[1]}"
        if sign and len(shown) == 2
        else f"{eqn.prim.name}({', '.join(shown)})"
    )
    out = result(eqn, at)
    y, truth = evidence.value(out, at), evidence.truth(out, at)
    told = f"{call} = {_shown(y)}"
    if truth is not None and np.ndim(y) == 0:
        with precision(64):
            told += f", exactly {_exactly(truth)}"
    return told


def _exactly(truth: Any) -> str:
    if not hasattr(truth, "mid"):
        return str(truth)
    return "0" if truth.contains(0) else str(truth.mid().str(6, radius=False))


def _shown(x: Any) -> str:
    x = np.asarray(x)
    return f"{x[()]:.6g}" if x.ndim == 0 else f"<{x.size} numbers>"


def _truth_at(question: Question, c: verdict.Component, steps: int) -> Any:
    """The exact number, with every argument moved by so many units in its last place, as a ball."""
    from wengert.trust.balls.evaluate import evaluate as on_balls
    from wengert.trust.balls.moves import as_objects
    from wengert.trust.question import programs

    recorded = question.recorded
    args = [
        _moved(a, steps) if n < recorded.movers and np.asarray(a).dtype.kind == "f" else a
        for n, a in enumerate(recorded.args)
    ]
    try:
        for places, part, given in programs(
            question.results, recorded.program, args, recorded.movers
        ):
            for k, (n, at) in enumerate(places):
                if n != c.leaf:
                    continue
                lead = 0 if at is None else len(at)
                if at is not None and tuple(c.index[:lead]) != tuple(at):
                    continue
                with precision(512):
                    y = as_objects(on_balls(part, given)[k])[tuple(c.index[lead:])]
                return y if hasattr(y, "is_finite") and y.is_finite() else None
    except (Undecided, WengertError, ArithmeticError, ValueError):
        return None
    return None


def _moved(a: Any, steps: int) -> Any:
    """Every number by so many units in its last place, up or down without a pattern that may cancel."""
    a = np.asarray(a)
    signs = np.array([1 - 2 * (k.bit_count() % 2) for k in range(a.size)]).reshape(a.shape)
    with np.errstate(all="ignore"):
        return (a * (1 + steps * signs * np.finfo(a.dtype).eps)).astype(a.dtype)[()]
