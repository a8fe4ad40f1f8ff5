"""Bands: loop nests one after the other that go row by row become one loop over the rows.

A softmax takes the maximum of a row, then a sum along it, then divides: three nests over the same rows. Where each
reads what the others make at its own row alone, a row can go through all of them before the next one
begins. What nobody else reads then needs memory for one row, which stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

from wengert.backends.code import SMALL
from wengert.backends.graph import SAME, Node

if TYPE_CHECKING:
    from wengert.backends.plan import Unit

MOST = 200  # units of longer programs stay alone


def same_row(node: Node, op: Node) -> bool:
    """Does a node, at an index, read its operand at rows of the same number only?"""
    if not op.shape or not node.shape or op.shape[0] != node.shape[0]:
        return False
    if node.affine is not None:
        return bool(node.affine[0] == (0, 0, 1))
    return (node.access == SAME and op.shape == node.shape) or (
        node.kind == "virtual" and bool(node.axes) and 0 not in node.axes
    )


def banded(units: Sequence[Unit], kept: set[Node]) -> list[Unit]:
    """The units, with what goes row by row put together; in an order in which they can be done."""
    units = list(units)
    first = [u.loops[0] if u.by_rows() else 0 for u in units]
    many = [n for u, n in zip(units, first, strict=True) if n and len(u.loops) > 1]
    if len(units) > MOST or len(many) == len(set(many)):
        return units
    plan = _Bands(units, first)
    for number, unit in enumerate(units):
        if first[number] and len(unit.loops) > 1:
            plan.join(number)
    return plan.ordered(kept)


class _Bands:
    """Who reads what of whom, and who goes with whom."""

    def __init__(self, units: list[Unit], first: list[int]) -> None:
        self.units, self.first = units, first
        self.band = list(range(len(units)))  # the number of the band of each unit
        self.members = {k: [k] for k in range(len(units))}
        made = {node: k for k, unit in enumerate(units) for node in unit.makes()}
        self.made = made
        self.reads: list[dict[Node, bool]] = []  # what each reads that is made; by rows?
        self.through: dict[Node, set[int]] = {}  # made later, but computed by these themselves
        for number, unit in enumerate(units):
            self.reads.append(self._reads(number, unit))
        effects = [k for k, unit in enumerate(units) if unit.step is not None and unit.step.effect]
        self.after = [{self.made[node] for node in found} for found in self.reads]
        for a, b in pairwise(effects):
            self.after[b].add(a)

    def _reads(self, number: int, unit: Unit) -> dict[Node, bool]:
        found: dict[Node, bool] = {}
        seen: set[tuple[Node, bool]] = set()
        stack = [(node, rows) for node, rows in unit.sources()]
        while stack:
            node, rows = stack.pop()
            if (node, rows) in seen:
                continue
            seen.add((node, rows))
            maker = self.made.get(node)
            if maker is not None and maker < number:
                found[node] = found.get(node, True) and rows
                continue
            if maker is not None and maker != number:
                self.through.setdefault(node, set()).add(number)
            if node.kind == "virtual":
                stack.extend((op, rows and same_row(node, op)) for op in node.operands)
        return found

    # ---- joining ----------------------------------------------------------------------------------
    def join(self, number: int) -> None:
        """Let a unit go with those whose rows it reads, and with what stands in between."""
        bands = {self.band[k] for k in self.after[number] if self.first[k] == self.first[number]}
        for k in {k for b in bands for k in self.after[b]}:  # also by way of one number per row
            if self.first[k] == self.first[number]:
                bands.add(self.band[k])
        for band in sorted(bands, key=lambda b: -max(self.members[b])):
            here = self.members.get(band, ())
            if band == self.band[number] or all(len(self.units[k].loops) == 1 for k in here):
                continue
            between = self._between(band, self.band[number])
            group = {band, self.band[number], *between}
            if all(self._fits(b, group, self.first[number]) for b in group):
                for other in group - {band}:
                    self.members[band] += self.members.pop(other)
                for k in self.members[band]:
                    self.band[k] = band

    def _fits(self, band: int, group: set[int], extent: int) -> bool:
        for k in self.members[band]:
            if self.first[k] != extent:
                return False
            for node, rows in self.reads[k].items():
                if self.band[self.made[node]] in group and not (rows and _has_rows(node)):
                    return False
        return True

    def _between(self, start: int, end: int) -> set[int]:
        """Bands on a way from one to the other."""
        needed = self._reach([end], lambda k: self.after[k])
        users: dict[int, set[int]] = {}
        for k, found in enumerate(self.after):
            for other in found:
                users.setdefault(other, set()).add(k)
        using = self._reach([start], lambda k: users.get(k, set()))
        return (needed & using) - {start, end}

    def _reach(self, bands: Iterable[int], onward: object) -> set[int]:
        found: set[int] = set()
        stack = list(bands)
        while stack:
            band = stack.pop()
            if band in found:
                continue
            found.add(band)
            for k in self.members[band]:
                stack.extend(self.band[other] for other in onward(k))  # type: ignore[operator]
        return found

    # ---- the result ---------------------------------------------------------------------------------
    def ordered(self, kept: set[Node]) -> list[Unit]:
        """One unit per band, each after what it reads."""
        waiting = {
            b: {self.band[o] for k in ks for o in self.after[k]} - {b}
            for b, ks in self.members.items()
        }
        users: dict[int, list[int]] = {}
        for b, others in waiting.items():
            for other in others:
                users.setdefault(other, []).append(b)
        ready: list[tuple[int, int]] = []
        for b, others in waiting.items():
            if not others:
                heappush(ready, (max(self.members[b]), b))
        found: list[Unit] = []
        while ready:
            _, b = heappop(ready)
            found.append(self._unit(b, kept))
            for user in users.get(b, ()):
                waiting[user].discard(b)
                if not waiting[user]:
                    heappush(ready, (max(self.members[user]), user))
        assert len(found) == len(self.members), "bands that wait for each other"
        return found

    def _unit(self, band: int, kept: set[Node]) -> Unit:
        members = sorted(self.members[band])
        unit = self.units[members[-1]]
        if len(members) == 1:
            return unit
        readers: dict[Node, set[int]] = {}
        for k, found in enumerate(self.reads):
            for node in found:
                readers.setdefault(node, set()).add(self.band[k])
        whole = type(unit)(unit.key, unit.loops, False)
        whole.parts = [self.units[k] for k in members]
        whole.roots = [root for part in whole.parts for root in part.roots]
        for root in whole.makes():
            alone = readers.get(root) == {band} and not root.dests and root not in kept
            alone = alone and all(self.band[k] == band for k in self.through.get(root, ()))
            if alone and len(root.shape) > 1 and _has_rows(root):
                whole.short.add(root)
        return whole


def _has_rows(node: Node) -> bool:
    """Is what is made here made row by row?"""
    return node.kind in ("virtual", "result") or (node.kind == "reduce" and 0 not in node.axes)


def goes_by_rows(source: Node, axes: tuple[int, ...]) -> bool:
    """Can the first axis of what is looped over be the rows of a band?"""
    return bool(axes) and axes[0] == 0 and source.shape[0] > SMALL
