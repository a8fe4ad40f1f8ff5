"""Batches under trust: examples that are suspected are computed again, one by one, and settled.

A batch runs as one program, in which Python took no decisions. An example on its own is a call like
any other: its path, its kinks and its limits are found as always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from wengert import tree
from wengert.trust import guard, policies, suspects, verdict


def examine(
    what: str, level: str, found: Sequence[Any], example: Callable[[int], Any],
    look: Any, seen: suspects.Suspects,
) -> list[Any]:  # fmt: skip
    """The results of a batch, those of suspected examples settled; delivers one report for all.

    `found` are the results, examples along axis 0; `example(k)` computes one alone, under the same
    level of trust. `look` marks the examples to look at alone, `seen` is what the bounds say of all.
    """
    start, policy = perf_counter(), policies.current()
    bounds = [b for b in seen.bounds if b is not None]
    results = [np.array(y) for y in found]
    flagged = [np.zeros(y.shape, bool) for y in results]
    looked = [np.array(mask, bool) for mask in seen.masks]
    repaired = [
        _known(y, m, k, policy, level)
        for y, m, k in zip(results, seen.masks, seen.settled, strict=True)
    ]
    if level != "repair":
        flagged, repaired = repaired, flagged
    components: list[verdict.Component] = []
    advice = None
    escalated = [np.zeros(y.shape, bool) for y in results]
    for k in np.flatnonzero(look):
        one, report = _alone(example, int(k))
        ys = tree.flatten(one)[0]
        fits = report is not None and len(report.flagged) == len(ys)
        for n, y in enumerate(ys):
            if level == "repair":
                results[n][k] = y
            looked[n][k] = escalated[n][k] = True
            if report is None:
                continue
            flagged[n][k] |= report.flagged[n] if fits else not report.trusted
            repaired[n][k] |= report.repaired[n] if fits else bool(report.count(report.repaired))
        if report is not None:
            advice = advice or report._advice
            components += [_placed(c, int(k)) for c in report.components if c.how != "confirmed"]
    seconds = perf_counter() - start
    verdict.deliver(
        verdict.Report(
            what,
            level,
            policy,
            flagged,
            repaired,
            looked,
            bounds,
            components,
            seconds,
            escalated=escalated,
            _advice=advice,
        )
    )
    return results if level == "repair" else list(found)


def _known(y: Any, suspect: Any, known: Any, policy: policies.Policy, level: str) -> Any:
    """Put in what a wider format knows; where that differs from what was computed, as a mask."""
    sure = None if known is None else suspect & np.isfinite(known)
    if sure is None or not sure.any():
        return np.zeros(y.shape, bool)
    tolerance, tiny = policy.tolerated(y.dtype), float(np.finfo(y.dtype).tiny)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(known), tiny)
        wrong = sure & ~(np.abs(y / size - known / size) <= tolerance)
    if level == "repair":
        y[wrong] = known[wrong]
    return wrong


def _alone(example: Callable[[int], Any], k: int) -> tuple[Any, verdict.Report | None]:
    """One example by itself, and what was said about it."""
    verdict.clear()
    token = guard.assumed.set(True)
    try:
        with policies.policy(action="record"), np.errstate(all="ignore"):
            one = example(k)
    finally:
        guard.assumed.reset(token)
    return one, verdict.last_report()


def _placed(c: verdict.Component, k: int) -> verdict.Component:
    c.index = (k, *c.index)
    return c
