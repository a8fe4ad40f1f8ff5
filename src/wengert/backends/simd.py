"""Vector loops: every scalar of the body becomes a vector of neighbouring iterations.

A value is *uniform* (the same in all lanes, printed as a scalar), *linear* (an integer that goes up
by a uniform step from lane to lane, printed as that of lane 0) or *varying* (a vector). Reads at a
linear index of step 1 are vector reads, others gathers. The rest of an extent that does not fill a
vector goes through the same code under a mask, so an element's bits do not depend on its place.
Branches and loops inside are done under masks too.
"""

from __future__ import annotations

from typing import Any

from wengert.backends.code import DTYPES, For, If, While
from wengert.backends.lane_flow import Flow
from wengert.backends.lanes import Linear
from wengert.backends.scalars import Numbers, Scalars
from wengert.backends.spelling import TYPES
from wengert.backends.vary import weight

LONG = 60  # bodies of more values are printed once, always under a mask
VERY_LONG = 500
SHORT = 40  # reductions of fewer are printed four times, for four independent sums


class Lanes(Flow):
    """One vector loop being printed."""

    # ---- the loop itself ------------------------------------------------------------------------
    def print(self) -> None:
        """Full vectors, then what is left under a mask."""
        p, s, w = self.p, self.s, self.width
        count = weight(s)
        nested = any(
            isinstance(item, For | While) or (isinstance(item, If) and not item.soft)
            for item in s.block.items
        )
        n = self.extent or p.name(s.extent)
        known = s.extent.data if s.extent.op == "const" else None
        sums = [self.start_of(r) for r in s.reductions]
        if known == 0:
            self.finish([sums], p.name(s.extent))
            return
        if known is not None and (
            known <= w or count * known <= LONG * w or (known <= 2 * w and count <= VERY_LONG)
        ):
            self.finish([self.straight(known, sums)], n)
            return
        harmless = known is None and not self.written & self.read
        once = harmless and not s.reductions  # (a mask for sums would cost in each round)
        if (
            nested
            or once
            or (count > LONG and (harmless or count > VERY_LONG or known is not None))
        ):
            # what is left is done once more from the end on, if that does no harm
            sums = self.run(n, 1, sums, "0", n, masked=not harmless, again=harmless)[0]
            self.finish([sums], n)
            return
        done = "0"
        groups = [sums]
        times = 4 if s.reductions and count <= SHORT else 1
        if times > 1 and (known is None or known >= times * w):
            full = (
                p.emit(f"and i64 {n}, {-times * w}")
                if known is None
                else str(known - known % (times * w))
            )
            groups = self.run(full, times, sums, done, n)
            done = full
        if done == "0" and (known is None or known >= w):
            full = p.emit(f"and i64 {n}, {-w}") if known is None else str(known - known % w)
            groups[0] = self.run(full, 1, groups[0], done, n)[0]
            done = full
        if known is None or known > int(done):
            groups[0] = self.run(n, 1, groups[0], done, n, masked=True)[0]
        self.finish(groups, n)

    def start_of(self, r: Any) -> str:
        """What a vector of sums begins with: nothing. What the reduction begins with joins at the end."""
        return self.identity(r.op, r.value.type)

    def identity(self, op: str, type: str) -> str:
        """What changes nothing, in every lane."""
        number = Scalars(Numbers()).identity(op, DTYPES[type])  # type: ignore[arg-type]
        return self.p.splat(number, type, self.width)

    def run(
        self,
        end: str,
        times: int,
        sums: list[str],
        begin: str,
        n: str,
        masked: bool = False,
        again: bool = False,
    ) -> list[list[str]]:
        """A loop from begin to end in steps of `times` vectors; per vector of a step its sums.

        `again`: the last vector ends at the end, and the lanes that were done before do not count.
        """
        p, s, w = self.p, self.s, self.width
        head, body, after = (p.new_label(h) for h in ("lanes", "body", "after"))
        before, counter = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        empty = [self.start_of(r) for r in s.reductions]
        groups = [[p.fresh() for _ in sums] for _ in range(times)]
        more = p.emit(f"icmp slt i64 {counter}, {end}")
        p.line(f"br i1 {more}, label %{body}, label %{after}")
        p.start(body)
        nexts: list[list[str]] = []
        for k in range(times):
            self.forms.clear()
            self.vectors = [{}]
            fresh: str | None = None
            place = counter if k == 0 else p.emit(f"add i64 {counter}, {k * w}")
            if masked:
                left = p.emit(f"sub i64 {n}, {place}")
                self.mask = p.emit(f"icmp slt {self.longs} {self.iota}, {self.splat(left, 'i64')}")
            if again:
                last = p.emit(f"sub i64 {n}, {w}")
                late = p.intrinsic("i64", "llvm.smin.i64", ("i64", place), ("i64", last))
                old = p.emit(f"sub i64 {place}, {late}")
                fresh = p.emit(f"icmp sge {self.longs} {self.iota}, {self.splat(old, 'i64')}")
                place = late
            at = place if self.begin is None else p.emit(f"add i64 {place}, {self.begin}")
            self.forms[s.index] = Linear(at, 1)
            self.block(s.block)
            nexts.append(
                [
                    self.counted(r, total, self.mask or fresh)
                    for r, total in zip(s.reductions, groups[k], strict=True)
                ]
            )
            self.mask = None
        step = p.emit(f"add i64 {counter}, {times * w}")
        finish = p.label
        p.jump(head)
        text = [f"  {counter} = phi i64 [ {begin}, %{before} ], [ {step}, %{finish} ]"]
        for k, (regs, new) in enumerate(zip(groups, nexts, strict=True)):
            for r, reg, value, first, idle in zip(
                s.reductions, regs, new, sums, empty, strict=True
            ):
                t = p.shaped(r.value.type, w)
                text.append(
                    f"  {reg} = phi {t} [ {first if k == 0 else idle}, %{before} ], [ {value}, %{finish} ]"
                )
        p.lines[slot] = "\n".join(text)
        p.start(after)
        return groups

    def straight(self, known: int, sums: list[str]) -> list[str]:
        """A short loop of known length: vector after vector, without a loop."""
        s, w = self.s, self.width
        for start in range(0, known, w):
            self.forms.clear()
            self.vectors = [{}]
            if known - start < w:
                on = ", ".join(f"i1 {str(k < known - start).lower()}" for k in range(w))
                self.mask, self.few = f"<{on}>", known - start
            self.forms[s.index] = Linear(str(start), 1)
            self.block(s.block)
            sums = [
                self.counted(r, total, self.mask)
                for r, total in zip(s.reductions, sums, strict=True)
            ]
            self.mask, self.few = None, 0
        return sums

    def counted(self, r: Any, total: str, counts: str | None) -> str:
        """A sum with the values of the lanes that count."""
        p, type = self.p, r.value.type
        value = self.vector(r.value)
        if counts is not None:
            t = p.shaped(type, self.width)
            idle = self.identity(r.op, type)
            value = p.emit(f"select {self.bools} {counts}, {t} {value}, {t} {idle}")
        return p.combine(r.op, type, total, value, self.width)

    def finish(self, groups: list[list[str]], n: str) -> None:
        """Sums of all vectors and lanes, two by two."""
        p, s = self.p, self.s
        for k, r in enumerate(s.reductions):
            type = r.value.type
            parts = [group[k] for group in groups]
            while len(parts) > 1:
                parts = [
                    p.combine(r.op, type, a, b, self.width)
                    for a, b in zip(parts[::2], parts[1::2], strict=True)
                ]
            value, width = parts[0], self.width
            while width > 1:
                t, half = p.shaped(type, width), width // 2
                low, high = (
                    p.emit(
                        f"shufflevector {t} {value}, {t} poison, <{half} x i32> "
                        f"<{', '.join(f'i32 {j}' for j in range(start, start + half))}>"
                    )
                    for start in (0, half)
                )
                if half == 1:
                    low, high = (
                        p.emit(f"extractelement <1 x {TYPES[type]}> {v}, i64 0")
                        for v in (low, high)
                    )
                value, width = p.combine(r.op, type, low, high, half), half
            if self.begin is None:
                value = p.combine(r.op, type, p.name(r.init), value, 1)
            p.names[r.result] = value
