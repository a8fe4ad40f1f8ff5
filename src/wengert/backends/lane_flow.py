"""Statements inside a vector loop: branches and loops under masks, all lanes together."""

from __future__ import annotations

from typing import Any

from wengert.backends import rows
from wengert.backends.code import Block, Check, For, If, Reserve, Store, Value, While
from wengert.backends.lanes import Uniform, Values, Varying


class Flow(Values):
    """The statements of one vector loop being printed."""

    # ---- statements -----------------------------------------------------------------------------
    def block(self, block: Block) -> None:
        """The body, or a part of it."""
        p = self.p
        outer, before, waiting = self.here, self.ready, self.waiting
        self.here, self.ready, self.waiting = block, {}, {}
        if block not in self.rows:
            self.rows[block] = rows.Rows(block, self.written, self.read, self.width)
        for item in block.items:
            if item.__class__ is Value:
                self.forms[item] = self.value(item)
            elif isinstance(item, Store):
                self.store(item)
            elif isinstance(item, Check):
                self.check(item)
            elif isinstance(item, For):
                self.inner(item)
            elif isinstance(item, While):
                self.repeat(item)
            elif isinstance(item, If):
                self.branch(item)
            elif isinstance(item, Reserve):
                form = self.form(item.size)
                assert isinstance(form, Uniform)
                p.reserve(item.buffer, form.reg)
        for (buffer, base, _), mine in self.waiting.items():
            rows.write(self, buffer, base, tuple(sorted(mine)), mine)
        self.here, self.ready, self.waiting = outer, before, waiting

    def any(self, mask: str) -> str:
        """Is one lane on?"""
        name = f"llvm.vector.reduce.or.v{self.width}i1"
        return self.p.intrinsic("i1", name, (self.bools, mask))

    def both(self, a: str | None, b: str) -> str:
        """Two masks."""
        return b if a is None else self.p.emit(f"and {self.bools} {a}, {b}")

    def check(self, s: Check) -> None:
        """Stop if a lane that is on fails."""
        p = self.p
        form = self.form(s.ok)
        if isinstance(form, Uniform):
            p.check(form.reg, s.problem)
            return
        bad = p.emit(f"xor {self.bools} {self.vector(s.ok)}, splat (i1 true)")
        p.check(p.emit(f"xor i1 {self.any(self.both(self.mask, bad))}, true"), s.problem)

    def carried(self, v: Value) -> bool:
        """Does a carried value differ from lane to lane?"""
        return v in self.varying

    def text_of(self, v: Value, varies: bool) -> str:
        """A value as what is carried."""
        if varies:
            return self.vector(v)
        form = self.form(v)
        assert isinstance(form, Uniform)
        return form.reg

    def inner(self, s: For) -> None:
        """A loop inside the body: all lanes go through it together."""
        p = self.p
        n = self.text_of(s.extent, False)
        flags = [self.carried(c.param) for c in s.carried] + [True] * len(s.reductions)
        params = [c.param for c in s.carried] + [r.result for r in s.reductions]
        inits = [self.text_of(c.init, f) for c, f in zip(s.carried, flags, strict=False)]
        inits += [self.vector(r.init) for r in s.reductions]
        head, body, after = (p.new_label(h) for h in ("for", "body", "after"))
        begin, counter = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        regs = [p.fresh() for _ in params]
        for param, reg, f in zip(params, regs, flags, strict=True):
            self.forms[param] = Varying(reg) if f else Uniform(reg)
        more = p.emit(f"icmp slt i64 {counter}, {n}")
        p.line(f"br i1 {more}, label %{body}, label %{after}")
        p.start(body)
        self.vectors.append({})
        place = counter
        if s.reverse:
            place = p.emit(f"sub i64 {p.emit(f'sub i64 {n}, 1')}, {counter}")
        self.forms[s.index] = Uniform(place)
        self.block(s.block)
        nexts = [self.text_of(c.next, f) for c, f in zip(s.carried, flags, strict=False)]
        for r, reg in zip(s.reductions, regs[len(s.carried) :], strict=True):
            nexts.append(p.combine(r.op, r.value.type, reg, self.vector(r.value), self.width))
        self.vectors.pop()
        step = p.emit(f"add i64 {counter}, 1")
        end = p.label
        p.jump(head)
        text = [f"  {counter} = phi i64 [ 0, %{begin} ], [ {step}, %{end} ]"]
        for param, reg, a, b, f in zip(params, regs, inits, nexts, flags, strict=True):
            t = p.shaped(param.type, self.width if f else 1)
            text.append(f"  {reg} = phi {t} [ {a}, %{begin} ], [ {b}, %{end} ]")
        p.lines[slot] = "\n".join(text)
        p.start(after)
        for c in s.carried:
            self.forms[c.result] = self.forms[c.param]

    def branch(self, s: If) -> None:
        """Both sides, each under its mask and only if a lane wants it."""
        p = self.p
        form = self.form(s.test)
        if s.soft:
            self.softly(s, form)
            return
        uniform = isinstance(form, Uniform)
        test = form.reg if isinstance(form, Uniform) else self.vector(s.test)
        outer, few = self.mask, self.few
        sides: list[tuple[str, list[str]]] = []
        flags = [result in self.varying for *_, result in s.results]
        after = p.new_label("after")
        if uniform:
            yes, no = p.new_label("then"), p.new_label("else")
            p.line(f"br i1 {test}, label %{yes}, label %{no}")
            for label, block, k in ((yes, s.then, 0), (no, s.otherwise, 1)):
                p.start(label)
                self.vectors.append({})
                self.block(block)
                given = [self.text_of(r[k], f) for r, f in zip(s.results, flags, strict=True)]
                self.vectors.pop()
                sides.append((p.label, given))
                p.jump(after)
            p.start(after)
            for (*_, result), f, a, b in zip(
                s.results, flags, sides[0][1], sides[1][1], strict=True
            ):
                t = p.shaped(result.type, self.width if f else 1)
                reg = p.emit(f"phi {t} [ {a}, %{sides[0][0]} ], [ {b}, %{sides[1][0]} ]")
                self.forms[result] = Varying(reg) if f else Uniform(reg)
            return
        no_mask = p.emit(f"xor {self.bools} {test}, splat (i1 true)")
        values: list[list[str]] = []
        for mask, block, k in ((test, s.then, 0), (no_mask, s.otherwise, 1)):
            self.mask, self.few = self.both(outer, mask), 0
            some = self.any(self.mask)
            yes, after = p.new_label("then"), p.new_label("after")
            begin = p.label
            p.line(f"br i1 {some}, label %{yes}, label %{after}")
            p.start(yes)
            self.vectors.append({})
            self.block(block)
            given = [self.vector(r[k]) for r in s.results]
            self.vectors.pop()
            end = p.label
            p.jump(after)
            p.start(after)
            found = []
            for (*_, result), x in zip(s.results, given, strict=True):
                t = p.shaped(result.type, self.width)
                found.append(p.emit(f"phi {t} [ zeroinitializer, %{begin} ], [ {x}, %{end} ]"))
            values.append(found)
        self.mask, self.few = outer, few
        for (*_, result), a, b in zip(s.results, *values, strict=True):
            t = p.shaped(result.type, self.width)
            self.forms[result] = Varying(p.emit(f"select {self.bools} {test}, {t} {a}, {t} {b}"))

    def softly(self, s: If, form: Any) -> None:
        """For all lanes the first block if one of them wants it, else for all the second."""
        p = self.p
        some = form.reg if isinstance(form, Uniform) else self.any(self.both(self.mask, form.reg))
        labels = [p.new_label(h) for h in ("then", "else", "after")]
        p.line(f"br i1 {some}, label %{labels[0]}, label %{labels[1]}")
        sides: list[tuple[str, list[str]]] = []
        for label, block, k in zip(labels, (s.then, s.otherwise), (0, 1), strict=False):
            p.start(label)
            self.vectors.append({})
            self.block(block)
            given = [self.vector(r[k]) for r in s.results]
            self.vectors.pop()
            sides.append((p.label, given))
            p.jump(labels[2])
        p.start(labels[2])
        for (*_, result), a, b in zip(s.results, sides[0][1], sides[1][1], strict=True):
            t = p.shaped(result.type, self.width)
            reg = p.emit(f"phi {t} [ {a}, %{sides[0][0]} ], [ {b}, %{sides[1][0]} ]")
            self.forms[result] = Varying(reg)

    def repeat(self, s: While) -> None:
        """As long as a lane goes on; the others keep what they have."""
        p = self.p
        varies = s.test in self.varying
        flags = [self.carried(c.param) for c in s.carried]
        inits = [self.text_of(c.init, f) for c, f in zip(s.carried, flags, strict=True)]
        outer, few = self.mask, self.few
        head, body, after = (p.new_label(h) for h in ("while", "body", "after"))
        begin, active = p.label, p.fresh()
        p.jump(head)
        p.start(head)
        slot = len(p.lines)
        p.lines.append("")
        regs = [p.fresh() for _ in flags]
        for c, reg, f in zip(s.carried, regs, flags, strict=True):
            self.forms[c.param] = Varying(reg) if f else Uniform(reg)
        self.vectors.append({})
        if varies:
            self.mask, self.few = active, 0
        self.block(s.before)
        if varies:
            still = p.emit(f"and {self.bools} {active}, {self.vector(s.test)}")
            go = self.any(still)
            self.mask = still
        else:
            still, go = "", self.text_of(s.test, False)
        p.line(f"br i1 {go}, label %{body}, label %{after}")
        p.start(body)
        self.vectors.append({})
        self.block(s.block)
        nexts = []
        for c, reg, f in zip(s.carried, regs, flags, strict=True):
            new = self.text_of(c.next, f)
            if varies:
                t = p.shaped(c.param.type, self.width)
                new = p.emit(f"select {self.bools} {still}, {t} {new}, {t} {reg}")
            nexts.append(new)
        self.vectors.pop()
        self.vectors.pop()
        end = p.label
        p.jump(head)
        text = []
        if varies:
            first = outer or "splat (i1 true)"
            text.append(f"  {active} = phi {self.bools} [ {first}, %{begin} ], [ {still}, %{end} ]")
        for c, reg, a, b, f in zip(s.carried, regs, inits, nexts, flags, strict=True):
            t = p.shaped(c.param.type, self.width if f else 1)
            text.append(f"  {reg} = phi {t} [ {a}, %{begin} ], [ {b}, %{end} ]")
        p.lines[slot] = "\n".join(text)
        p.start(after)
        self.mask, self.few = outer, few
        for c in s.carried:
            self.forms[c.result] = self.forms[c.param]
