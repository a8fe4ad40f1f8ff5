"""What was found out about the numbers of one call: the record, and how it is said.

A call under `trust="check"` or `"repair"` leaves a `Report`; `last_report()` gives it back. What is
done about numbers that stay flagged, the policy says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from wengert.errors import TrustError, TrustWarning
from wengert.ir import source
from wengert.trust.policies import Policy

_SHOWN = 6  # so many components are listed in a message
_told: set[Any] = set()  # places that were warned at


@dataclass(slots=True)
class Component:
    """One number of a result that was looked at closely.

    `how` says what settled it: "confirmed" (the plain number is right after all), "wide" (a wider format), "balls", "limit",
    "kink", "rewrite"; or "" where nothing could, and the number stays flagged. `cause` is a class
    of causes, or a reason why it could not be settled. Not `proved` are limits that were inferred from
    difference quotients.
    """

    leaf: int
    index: tuple[int, ...]
    plain: Any
    value: Any
    how: str = ""
    cause: str = ""
    bits: int = 0
    line: str = ""
    proved: bool = True

    def __str__(self) -> str:
        at = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        name = f"leaf {self.leaf}{at}"
        why = f" ({self.cause})" if self.cause else ""
        place = f" at {self.line}" if self.line else ""
        if not self.how:
            return f"{name}: {_short(self.plain)} cannot be trusted{why}{place}"
        if self.how == "confirmed":
            return f"{name}: {_short(self.plain)} is right"
        means = {
            "balls": f"certified with {self.bits} bits",
            "wide": "known in a wider format",
            "kink": "by the policy at kinks",
            "limit": f"by its limit, {'proved' if self.proved else 'inferred'}",
        }
        said = means.get(self.how, f"by {self.how}")
        return f"{name}: {_short(self.plain)} was wrong, {_short(self.value)} is right, {said}{why}{place}"


def _short(x: Any) -> str:
    x = np.asarray(x)[()]
    return f"{x:.6g}"


@dataclass(slots=True)
class Report:
    """What is known about the results of one call.

    Lists have one entry per result (leaf): masks of the numbers that are `flagged` (not to be
    trusted), `repaired` (they differ from what the program computed), and `suspected` (looked at
    closely); `bounds` are relative error bounds, where they were computed (not by compiled
    derivatives, which only compare with the tolerance).
    """

    what: str
    level: str
    policy: Policy
    flagged: list[Any]
    repaired: list[Any]
    suspected: list[Any]
    bounds: list[Any] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    seconds: float = 0.0
    place: Any = None
    escalated: list[Any] = field(default_factory=list)  # masks of the numbers that balls were asked
    _advice: Callable[[], Any] | None = field(default=None, repr=False)

    def advice(self) -> Any:
        """What to write instead, as Python to paste; None where no row of the table of rewrites helps.

        Tried when it is asked for: a rewrite is told only if balls say that value and derivative are right
        with it, at the point and around it. Print it; `steps` and `code` are its parts.

        >>> import numpy as np
        >>> import wengert as wg
        >>> with wg.trust.policy(action="record"):
        ...     g = wg.grad(lambda x: (1 - np.cos(x)) / x**2, trust="repair")(1e-8)
        >>> print(wg.last_report().advice().steps[0][2])
        np.sinc(x / (2 * np.pi))**2 / 2
        """
        return None if self._advice is None else self._advice()

    @property
    def trusted(self) -> bool:
        """Is no number flagged?"""
        return not any(np.any(m) for m in self.flagged)

    def count(self, masks: Sequence[Any]) -> int:
        """How many numbers a list of masks marks."""
        return int(sum(np.count_nonzero(m) for m in masks))

    @property
    def size(self) -> int:
        """How many numbers the results hold."""
        return int(sum(np.size(m) for m in self.flagged))

    def __str__(self) -> str:
        line = source.resolve(self.place) if self.place is not None else None
        parts = [f"{self.what}: {self.size} number{'s' * (self.size != 1)}"]
        parts.append(f"{self.count(self.suspected)} looked at closely")
        parts.append(f"{self.count(self.repaired)} repaired")
        parts.append(f"{self.count(self.flagged)} not to be trusted")
        text = ", ".join(parts) + (f"  ({line})" if line is not None else "")
        chosen = [c for c in self.components if c.how != "confirmed"]
        chosen.sort(key=lambda c: bool(c.how))
        lines = [f"  {c}" for c in chosen[:_SHOWN]]
        if len(chosen) > _SHOWN:
            lines.append(f"  … and {len(chosen) - _SHOWN} more")
        return "\n".join([text, *lines])


def joined(reports: Sequence[Report], shape: tuple[int, ...], policy: Policy) -> Report:
    """One report of a block of slopes of examples, of one report per element of an example's result.

    Each is about arrays `(example, *argument)`; the block is `(example, *shape, *argument)`.
    """

    def rows(masks: Sequence[Sequence[Any]]) -> list[Any]:
        wide = [np.moveaxis(np.stack(row), 0, 1) for row in zip(*masks, strict=True)]
        return [np.reshape(m, (len(m), *shape, *m.shape[2:])) for m in wide]

    def placed(c: Component, n: int) -> Component:
        example, *rest = c.index
        at = (int(k) for k in np.unravel_index(n, shape)) if shape else ()
        return replace(c, index=(example, *at, *rest))

    first = reports[0]
    return Report(
        first.what, first.level, policy, rows([r.flagged for r in reports]), rows([r.repaired for r in reports]),
        rows([r.suspected for r in reports]), rows([r.bounds for r in reports]),
        [placed(c, n) for n, r in enumerate(reports) for c in r.components],
        sum(r.seconds for r in reports), first.place, rows([r.escalated for r in reports]),
        next((r._advice for r in reports if r._advice is not None), None),
    )  # fmt: skip


_last: ContextVar[Report | None] = ContextVar("wengert_last_report", default=None)


def last_report() -> Report | None:
    """The report of the last call under `trust="check"` or `"repair"` in this thread or task.

    None before the first such call.

    >>> import numpy as np
    >>> import wengert as wg
    >>> with wg.trust.policy(action="record"):
    ...     g = wg.grad(lambda x: (1 - np.cos(x)) / x**2, trust="repair")(1e-8)
    >>> print(f"{g:.6g}", wg.last_report().count(wg.last_report().repaired))
    -8.33333e-10 1
    """
    return _last.get()


def clear() -> None:
    """No report is the last one."""
    _last.set(None)


def forget() -> None:
    """Forget what was said, and where: warnings come again."""
    _told.clear()


def nothing(what: str, level: str, policy: Policy, masks: list[Any]) -> None:
    """Remember that nothing was found: `masks` are those of the suspects, and mark none."""
    _last.set(
        Report(what, level, policy, masks, masks, masks, place=source.caller(), escalated=masks)
    )


def deliver(report: Report) -> None:
    """Remember a report and do what its policy says.

    Flagged numbers warn or raise; a repair is always said, once per place.
    """
    report.place = source.caller() if report.place is None else report.place
    _last.set(report)
    action = report.policy.action
    if action == "raise" and not report.trusted:
        raise TrustError(
            str(report),
            "look at wg.last_report(); `with wg.trust.policy(action='warn')` lets the numbers through",
            source.here(),
        )
    if action != "warn" or (report.trusted and not report.count(report.repaired)):
        return
    key = report.place, report.trusted
    if key in _told:
        return
    _told.add(key)
    source.warn(str(report), TrustWarning, report.place)
