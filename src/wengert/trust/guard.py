"""The guard: looks closely at the numbers of a finished call, and settles those that are wrong.

Balls settle what exact arithmetic can; where the program has no derivative, limits. What is
delivered differs from what was computed only in numbers that were found wrong, and the report says
which. What cannot be settled is flagged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any

import numpy as np

from wengert.errors import TrustError, WengertError
from wengert.ir import source
from wengert.ir.program import Eqn, Program
from wengert.trust import edges, flat, instead, ladder, policies, series, suspects, ties, verdict
from wengert.trust.balls.number import Undecided, precision
from wengert.trust.effort import operations
from wengert.trust.exact import restricted
from wengert.trust.question import Question, Recorded, Result, programs
from wengert.trust.slices import sliced
from wengert.trust.tending import Tended, tend

_SPEED = 3e5  # operations on balls that one second is enough for, at least
_MANY = (
    200  # so many numbers that stand on a tie are taken to limits; conventions hold for the rest
)


# examples of a batch that are suspected already are not asked whether they are
assumed: ContextVar[bool] = ContextVar("wengert_assumed", default=False)


def examine(question: Question, level: str, found: suspects.Suspects | None = None) -> list[Any]:
    """The results, settled where `level` is "repair"; delivers the report as the policy says.

    `found` are the numbers to look at; None: those that the error bounds suspect.
    """
    policy, settled = policies.current(), None
    if found is None and assumed.get():
        suspected = [np.ones(np.shape(r.number), bool) for r in question.results]
    else:
        found = suspects.of_question(question, policy) if found is None else found
        suspected, settled = found.masks, found.settled
        question.bounds = [b for b in found.bounds if b is not None]
    inquiry = Inquiry(question, policy, suspected, settled)
    inquiry.run()
    report = inquiry.report(level)
    verdict.deliver(report)
    if level != "repair":
        return [r.number for r in question.results]
    return [v[()] if np.ndim(v) == 0 else v for v in inquiry.values]


class Inquiry:
    """One question on its way to an answer."""

    def __init__(
        self,
        question: Question,
        policy: policies.Policy,
        suspected: Sequence[Any],
        known: Sequence[Any] | None = None,
    ) -> None:
        self.question, self.policy, self.known = question, policy, known
        self.started = perf_counter()
        self.until = self.started + policy.budget
        self.plain = [np.asarray(r.number) for r in question.results]
        self.suspected = [np.asarray(mask, bool) for mask in suspected]
        quiet = not any(mask.any() for mask in self.suspected)  # the common case costs little
        self.values = self.plain if quiet else [np.array(p) for p in self.plain]
        # what is not settled yet
        self.open = self.suspected if quiet else [mask.copy() for mask in self.suspected]
        self.flagged = [np.zeros(p.shape, bool) for p in self.plain]
        self.repaired = [np.zeros(p.shape, bool) for p in self.plain]
        self.escalated = [np.zeros(p.shape, bool) for p in self.plain]
        self.settled: list[ladder.Settled] = []
        self.causes: list[str] = [""] * len(self.plain)
        self.components: list[verdict.Component] = []
        self.standing = ties.Standing()

    # ---- the way -------------------------------------------------------------------------------
    def run(self) -> None:
        """Climb the ladder, then judge number by number."""
        self._take_known()
        self._settle()
        for n, result in enumerate(self.question.results):
            why = "" if result.leaf is None else self._meant(n, result.leaf)
            for at in _places(~self.flagged[n]) if why else ():
                self._flag(n, at, why, 0)

    def _meant(self, n: int, leaf: int) -> str:
        """Why a slope that is right may not be what was meant; "" if nothing speaks for that."""
        recorded = self.question.recorded
        values = self.values[n]
        if values.size and not values.flat[0] and not values.any():
            limits = any(
                c.leaf == n and c.cause == "removable singularity" for c in self.components
            )
            return flat.cause(recorded, leaf, whole=not limits)
        return series.cause(recorded, leaf, self.policy.tolerated(self.plain[n].dtype))

    def _settle(self) -> None:
        if not any(m.any() for m in self.open):
            return
        self.escalated = [m.copy() for m in self.open]
        self.settled = [ladder.Settled(p) for p in self.plain]
        recorded = self.question.recorded
        if self.question.refusal:
            for n, mask in enumerate(self.open):
                for at in _places(mask):
                    self._flag(n, at, self.question.refusal, 0)
            return
        work = operations(recorded.program)
        # not even once within the budget: then only what can be looked at by itself, far from edges
        large = work > _SPEED * self.policy.budget
        flags = [True] * recorded.movers
        if not (large and edges.look(recorded.program, recorded.args, flags, ()).doubt):
            self._climb(recorded.program, recorded.args, large)
        if not large:
            self._stand(recorded)
        for n, mask in enumerate(self.open):
            result, one = self.question.results[n], self.settled[n]
            for at in _places(mask):
                if large and (not one.bits[at] or one.doubtful):
                    self._flag(n, at, f"too large for balls: {work:.1g} operations", 0)
                else:
                    self._judge(n, result, at)

    def _take_known(self) -> None:
        """Numbers that the detector knows already, from a wider format."""
        for n, known in enumerate(self.known or ()):
            if known is None or not self.open[n].any():
                continue
            sure = self.open[n] & np.isfinite(known)
            self.open[n] &= ~sure
            for at in _places(sure):
                plain, value = self.plain[n][at], known[at]
                right = self._agree(plain, value)
                if not right:
                    self.repaired[n][at] = True
                    self.values[n][at] = value
                self._note(n, at, value, "confirmed" if right else "wide", "", 0)

    def _climb(self, program: Program, args: Sequence[Any], large: bool = False) -> None:
        recorded = self.question.recorded
        try:
            parts = [*programs(self.question.results, program, args, recorded.movers)]
        except WengertError as error:  # no rule for this derivative as a program
            self.causes = [error.what] * len(self.plain)
            return
        for places, part, given in parts:
            wanted = [
                n >= 0 and bool(np.any(self.open[n] if at is None else self.open[n][at]))
                for n, at in places
            ]
            if not any(wanted):
                continue
            chosen = [p for p, w in zip(places, wanted, strict=True) if w]
            part = restricted(part, wanted)
            plain = [self.plain[n] if at is None else self.plain[n][at] for n, at in chosen]
            masks = [self.open[n] if at is None else self.open[n][at] for n, at in chosen]
            if large:
                small = sliced(part, given, masks)
                if small is None or operations(small[0]) > _SPEED * self.policy.budget:
                    continue
            try:
                found = ladder.climb(part, given, plain, masks, until=self.until)
            except (Undecided, ArithmeticError, ValueError) as error:
                for n, _ in chosen:
                    self.causes[n] = str(error)
                continue
            for (n, at), one in zip(chosen, found, strict=True):
                here = ... if at is None else at
                self.settled[n].values[here] = one.values
                self.settled[n].bits[here] = one.bits
                self.settled[n].doubtful |= one.doubtful
                if names := ladder.missing(part):
                    self.causes[n] = f"no ball rule for {', '.join(names)}"

    def _stand(self, recorded: Recorded) -> None:
        """Where does the program stand; if Python took another path than exact numbers: that path."""
        bits = max((int(s.bits.max(initial=0)) for s in self.settled), default=0)
        try:
            self.standing = ties.look(
                recorded.program, recorded.args, recorded.movers, recorded.decisions, max(bits, 128)
            )
        except (Undecided, ArithmeticError, ValueError):
            return
        if not self.standing.doubtful and any(map(_holds, recorded.program.eqns)):
            flags = [True] * recorded.movers
            self.standing.inside = edges.look(recorded.program, recorded.args, flags, ()).doubt
        if self.standing.wrong_path and recorded.function is not None:
            for one in self.settled:
                one.bits[...] = 0
            try:
                with precision(256):
                    path, captured = recorded.at(recorded.here()).program()
            except (Undecided, WengertError, ArithmeticError, ValueError):
                return
            self._climb(path, [*recorded.args[: recorded.movers], *captured])

    # ---- one number ----------------------------------------------------------------------------
    def _judge(self, n: int, result: Result, at: tuple[int, ...]) -> None:
        plain, one = self.plain[n][at], self.settled[n]
        bits = int(one.bits[at])
        value = one.values[at] if bits else None
        if value is not None and result.conjugate:
            value = np.conjugate(value)
        how, cause, proved = "balls", self._tie(), True
        found = self.tended(n, result, at, value) if self._doubtful(n, result, value) else None
        if found is not None:
            how, cause, value, proved = found
        elif one.doubtful and bits and not result.is_value and not self._clear(n, at):
            value = None  # a zero met something infinite, and no limit says what that gives
        elif self.standing.steps and self._too_many(n) and not result.is_value:
            value, cause = None, "jump"  # it may be no jump: too many numbers to look at each
        if value is None:
            self._flag(n, at, cause or self.causes[n] or "not settled by balls", bits)
            return
        if how == "kink" and self.policy.at_kink == "raise":
            raise TrustError(
                f"{self.question.what} stands on a kink: the slopes from both sides differ",
                "move off the point, or choose another policy: `wg.trust.policy(at_kink=...)`",
                source.here(),
            )
        right = self._agree(plain, value)
        if right:
            how = "confirmed"
        else:
            self.repaired[n][at] = True
            self.values[n][at] = value
        self._note(n, at, value, how, cause, bits, proved)

    def _clear(self, n: int, at: tuple[int, ...]) -> bool:
        """Is it another number of the same result that a zero met something infinite for?"""
        mask = np.zeros(self.plain[n].shape, bool)
        if mask.size < 2:
            return False
        mask[at] = True
        recorded = self.question.recorded
        parts = programs(self.question.results, recorded.program, recorded.args, recorded.movers)
        for places, part, given in parts:
            mine = [k == n and place is None for k, place in places]
            if any(mine):
                small = sliced(restricted(part, mine), given, [mask], 2)
                if small is None:
                    return False
                (found,) = ladder.climb(
                    small[0],
                    small[1],
                    [self.plain[n][small[2]]],
                    [mask[small[2]]],
                    until=self.until,
                )
                return not found.doubtful
        return False

    def _tie(self) -> str:
        if self.standing.equality or self.recorded_decisions:
            return "branch on equality"
        return "kink" if self.standing.kinks else ""

    @property
    def recorded_decisions(self) -> bool:
        """Did Python decide by a comparison that turns here?"""
        asked = {node for node, *_ in self.question.recorded.decisions}
        return any(e.outputs[0] in asked for e in self.standing.comparisons)

    def _doubtful(self, n: int, result: Result, value: Any) -> bool:
        """Should limits have a look?"""
        if value is None or self.settled[n].doubtful:
            return True
        if self.standing.firm or self._too_many(n) or result.is_value:
            return False
        return self.standing.doubtful or self.policy.at_kink != "mean"

    def _too_many(self, n: int) -> bool:
        return int(np.count_nonzero(self.open[n])) > _MANY

    def tended(self, n: int, result: Result, at: tuple[int, ...], value: Any) -> Tended | None:
        """How, why and what the number tends to; None where limits tell nothing."""
        found = tend(
            self.question.recorded, result, at, self.plain[n].dtype, value, self.standing,
            self.policy.at_kink, self.until, not self.settled[n].doubtful,
        )  # fmt: skip
        if isinstance(found, str):
            self.causes[n] = self.causes[n] or found
            return None
        return found

    def _agree(self, plain: Any, value: Any) -> bool:
        """Is the plain number as right as the policy wants it?"""
        if plain == value or (plain != plain and value != value):
            return True
        if not (np.isfinite(plain) and np.isfinite(value)):
            return False
        info = np.finfo(self.plain[0].dtype if np.ndim(plain) else np.asarray(plain).dtype)
        tolerance = self.policy.tolerated(info.dtype)
        tiny = float(info.tiny)
        size = max(abs(complex(value)), tiny)
        return abs(complex(plain) / size - complex(value) / size) <= tolerance

    def _flag(self, n: int, at: tuple[int, ...], cause: str, bits: int) -> None:
        self.flagged[n][at] = True
        self._note(n, at, self.plain[n][at], "", cause, bits)

    def _note(
        self, n: int, at: tuple[int, ...], value: Any, how: str, cause: str, bits: int,
        proved: bool = True,
    ) -> None:  # fmt: skip
        plain, index = self.plain[n][at], tuple(map(int, at))
        self.components.append(
            verdict.Component(n, index, plain, value, how, cause, bits, proved=proved)
        )

    # ---- the report ----------------------------------------------------------------------------
    def report(self, level: str) -> verdict.Report:
        """What was found; under "check", what is wrong is flagged and nothing is repaired."""
        flagged, repaired = self.flagged, self.repaired
        if level != "repair":
            flagged = [f | r for f, r in zip(flagged, repaired, strict=True)]
            repaired = [np.zeros_like(r) for r in repaired]
        return verdict.Report(
            self.question.what, level, self.policy, flagged, repaired, self.suspected,
            self.question.bounds, self.components, perf_counter() - self.started, self.question.place,
            self.escalated, self._advice(),
        )  # fmt: skip

    def _advice(self) -> Callable[[], Any] | None:
        """How to find what to write instead, where something is wrong and the call is small enough to try it."""
        if not any(m.any() for m in (*self.flagged, *self.repaired)):
            return None
        return instead.advice(self.question.recorded)


def _holds(eqn: Eqn) -> bool:
    return any(isinstance(p, Program) for p in eqn.params.values())


def _places(mask: Any) -> list[tuple[int, ...]]:
    if mask.ndim == 0:
        return [()] if mask else []
    return list(zip(*np.nonzero(mask), strict=True))
