"""The walk backwards over a path that was gone before, written out as one Python function.

Which rules are asked, in which order, and where their answers go is the same at every call that takes
the same path (`trace.path`). So it is decided once, and what is left are the rules themselves: the
same ones that `reverse` asks step by step, on the same numbers, in the same order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.program import Var
from wengert.ir.types import ArrayType
from wengert.ops.families import Elementwise, along, names_read
from wengert.ops.pulling import product, take_in
from wengert.ops.reduce import extent
from wengert.ops.shape import broadcast
from wengert.trace.path import Step

_CALLS = (
    12  # so often a walk is gone step by step before it is written: writing costs about as much
)
_LINES = 600  # of one function
_LARGE = 2048  # elements; sums and products of more may reuse memory

Walk = Callable[..., list[Any]]


def written(last: Step, targets: Sequence[Var], sources: Sequence[Var], quick: bool) -> Walk | None:
    """The walk from `targets` back to `sources`, `(kept, *gs) -> cotangents`; None if it has none (yet)."""
    key = quick, *targets, None, *sources
    if last.walks is None:
        last.walks = {}
    found = last.walks.get(key, 0)
    if found.__class__ is not int:
        return found  # type: ignore[no-any-return]
    last.walks[key] = found = found + 1
    if found > _CALLS:
        found = last.walks[key] = _Writer(last, targets, sources, quick).function()
    return None if found.__class__ is int else found


class _Cannot(Exception):
    """A step that is better gone than written."""


class _Writer:
    """Lines of a walk, from the last step to the first."""

    def __init__(
        self, last: Step, targets: Sequence[Var], sources: Sequence[Var], quick: bool
    ) -> None:
        self.last, self.targets, self.sources, self.quick = last, targets, sources, quick
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "tell": source.current.set,
            "product": product,
            "sum_of": _sum_of,
        }
        self.there: dict[Any, str] = {}  # cotangents that have arrived, by variable
        self.unsure: set[str] = set()  # names that may be None
        self.thin: dict[str, Any] = {}  # the shapes of those that NumPy still has to repeat
        self.count = 0

    def function(self) -> Walk | None:
        """The function, or None."""
        gs = [f"g{n}" for n in range(len(self.targets))]
        if len(set(self.targets)) != len(self.targets):
            return None
        self.there.update(zip(self.targets, gs, strict=True))
        parts: list[Any] = []
        try:
            for step in reversed(self.last.way()):
                if step.wanted is not None and step.node in self.there:
                    self._step(step)
                if len(self.lines) > _LINES:
                    parts.append(self._part(gs))
                    gs = list(self.there.values())
        except _Cannot:
            return None
        found = ", ".join(
            self._full(self.there[v], v.type) if v in self.there else "None" for v in self.sources
        )
        if parts:
            self._say(f"return [{found}]")
            parts.append(self._part(gs))
            return partial(_in_parts, parts)
        body = "".join(f"    {line}\n" for line in [*self.lines, f"return [{found}]"])
        walk: Walk = self._compiled(f"def walk(k, {', '.join(gs)}):\n{body}")
        return walk

    def _part(self, gs: list[str]) -> Any:
        """What has been written so far as a function of the kept numbers and the cotangents `gs`, in a list.

        Compiling takes much memory at one time, so long walks are compiled in parts.
        """
        lines = [f"{', '.join(gs)}, = gs", "gs.clear()", *self.lines]
        lines.append(f"return [{', '.join(self.there.values())}]")
        found = self._compiled("def walk(k, gs):\n" + "".join(f"    {line}\n" for line in lines))
        self.lines, self.names = [], dict(_NAMES)
        return found

    def _compiled(self, text: str) -> Any:
        exec(compile(text, "<wengert: a walk backwards>", "exec"), self.names)
        return self.names["walk"]

    # ---- names and lines -----------------------------------------------------------------------
    def _say(self, line: str) -> None:
        self.lines.append(line)

    def _new(self) -> str:
        self.count += 1
        return f"c{self.count}"

    def _named(self, value: Any) -> str:
        """A name for a value that the function refers to."""
        self.count += 1
        name = f"v{self.count}"
        self.names[name] = value
        return name

    # ---- steps ---------------------------------------------------------------------------------
    def _step(self, step: Step) -> None:
        stays = step.node in self.sources
        g = self.there[step.node] if stays else self.there.pop(step.node)
        if not all(a.type.__class__ is ArrayType for a in step.inputs):
            raise _Cannot
        xs, y = self._kept(step)
        if not self.quick:
            self._say(f"tell({self._named(step.origin)})")
        prim: Any = step.prim
        if prim.name in ("sum", "mean") and self.quick and g not in self.unsure:
            arrived = self._spread(step, g)
        elif isinstance(prim, Elementwise) and type(prim).pullback is Elementwise.pullback:
            arrived = self._elementwise(step, g, xs, y)
        else:
            full = self._full(g, step.node.type)
            arrived = self._asked(step, full, xs, y, stays and full == g)
            if full != g:
                self._say(f"del {full}")
        if not stays:
            self._say(f"del {g}")
        for atom, c in arrived:
            self._arrive(atom, c)

    def _kept(self, step: Step) -> tuple[list[str] | None, str]:
        """The kept numbers as the function spells them."""
        at, xs = step.first, None
        if step.places is not None:
            xs = ["None"] * len(step.inputs)
            for n in step.places:
                xs[n] = f"k[{at}]"
                at += 1
        return xs, f"k[{at}]" if at < step.first + step.size else "None"

    def _elementwise(
        self, step: Step, g: str, xs: list[str] | None, y: str
    ) -> list[tuple[Any, str]]:
        """Slopes times g, as formulas."""
        prim: Any = step.prim
        read = ", ".join([y, *(xs or ["None"] * len(step.inputs))])
        found = []
        for n, (slope, rule) in enumerate(zip(prim.slopes, prim.rules, strict=True)):
            if slope is None or not step.wanted[n]:  # type: ignore[index]
                continue
            if isinstance(slope, int):
                text = g if slope == 1 else f"-{g}"
            elif isinstance(slope, along) or not self.quick:
                text = f"{self._named(rule)}({g}, {read})"
            else:
                spelled = _argument(slope, [y, *(xs or ["None"] * len(step.inputs))])
                if spelled is None:
                    spelled = f"{self._named(slope)}({read})"
                large = step.node.type.size > _LARGE
                text = f"product({g}, {spelled})" if large else f"{g} * {spelled}"
            c = self._new()
            if g in self.thin:
                shapes = [self.thin[g], *_shapes_read(step, slope)]
                self._is_thin(c, np.broadcast_shapes(*shapes), step.inputs[n].type)
            if g in self.unsure:
                self.unsure.add(c)
                text = f"None if {g} is None else {text}"
            self._say(f"{c} = {text}")
            found.append((step.inputs[n], c))
        return found

    def _spread(self, step: Step, g: str) -> list[tuple[Any, str]]:
        """Of a sum or mean: its cotangent, which whoever reads it repeats along the axes that are gone."""
        (x,), axes = step.inputs, step.params["axes"]
        shape, c = self.thin.get(g, step.node.type.shape), self._new()
        wide = shape
        if shape:
            rest = iter(shape)
            wide = tuple(1 if d in axes else next(rest) for d in range(x.type.ndim))
        if step.prim.name == "mean":
            count = x.type.dtype.type(extent(x.type.shape, axes))
            g = f"({g} / {self._named(count)})"
        self._say(f"{c} = {g}" if wide == shape else f"{c} = {g}.reshape({wide})")
        self._is_thin(c, wide, x.type)
        return [(x, c)]

    def _is_thin(self, name: str, shape: Any, type: Any) -> None:
        if shape != type.shape:
            self.thin[name] = shape

    def _full(self, name: str, type: Any) -> str:
        """The name of a cotangent in its full shape."""
        shape = self.thin.get(name)
        if shape is None:
            return name
        full = self._new()
        params = self._named({"shape": type.shape, "dims": tuple(range(len(shape)))})
        self._say(f"{full} = {self._named(broadcast.eval)}({name}, **{params})")
        return full

    def _asked(
        self, step: Step, g: str, xs: list[str] | None, y: str, stays: bool
    ) -> list[tuple[Any, str]]:
        """The answer of a primitive to the question that `reverse` asks it."""
        prim, wanted, inputs = step.prim, step.wanted, step.inputs
        assert wanted is not None
        pull = prim.quick if self.quick else prim.careful
        if pull is None:
            return self._collected(step, g, xs, y, stays)
        if self.quick and prim.spelled is not None and g not in self.unsure:
            texts = prim.spelled(self._named, g, xs, y, wanted, inputs, step.params)
            if texts is not None:
                return self._said(step, texts)
        args = "None" if xs is None else f"({', '.join(xs)},)"
        static = ", ".join(map(self._named, (wanted, inputs, step.params)))
        ys = "None" if y == "None" else f"({y},)"
        return self._taken(step, g, f"{self._named(pull)}({g}, {args}, {ys}, {static})")

    def _said(self, step: Step, texts: list[str]) -> list[tuple[Any, str]]:
        """Formulas of the cotangents that are wanted."""
        found: list[tuple[Any, str]] = []
        for atom, w in zip(step.inputs, step.wanted or (), strict=True):
            if w:
                c = self._new()
                self._say(f"{c} = {texts[len(found)]}")
                found.append((atom, c))
        return found

    def _taken(self, step: Step, g: str, call: str) -> list[tuple[Any, str]]:
        """The parts of a tuple of cotangents."""
        wanted = step.wanted
        assert wanted is not None
        names = [self._new() if w else "_" for w in wanted]
        if g in self.unsure:
            call = f"({'None, ' * len(wanted)}) if {g} is None else {call}"
        self._say(f"{', '.join(names)}, = {call}")
        found = [(a, name) for a, name in zip(step.inputs, names, strict=True) if name != "_"]
        if g in self.unsure or not step.prim.answers:
            self.unsure.update(name for _, name in found)
        return found

    def _collected(
        self, step: Step, g: str, xs: list[str] | None, y: str, stays: bool
    ) -> list[tuple[Any, str]]:
        """As `reverse` asks readers of parts, and what takes over the memory of its cotangent."""
        prim, wanted, params = step.prim, step.wanted, step.params
        assert wanted is not None
        if not prim.wants_types or g in self.unsure:
            raise _Cannot
        given = [
            self._named(a.type) if xs is None or xs[n] == "None" else xs[n]
            for n, a in enumerate(step.inputs)
        ]
        args = f"[{', '.join(given)}]"
        named, kept = f"**{self._named(params)}", self._named(wanted)
        if prim.collects and wanted[0] and step.inputs[0] in self.there:
            there = self.there[step.inputs[0]]
            if there in self.unsure:
                raise _Cannot
            full = self._full(there, step.inputs[0].type)
            holder, total = self._new(), self._new()
            self._say(f"{holder} = [{full}]")
            self._say(f"del {there}" if full == there else f"del {there}, {full}")
            collect = self._named(prim.collect)
            self._say(f"{total} = {collect}({holder}, {g}, *{args}, {named})")
            self.there[step.inputs[0]] = total
            return []
        if prim.overwrites and self.quick:
            holder = self._new()
            self._say(f"{holder} = [{g}]")
            if not stays:
                self._say(f"{g} = None")
            reusing = self._named(prim.transpose_reusing)
            return self._taken(step, holder, f"{reusing}({holder}, {args}, {kept}, {named})")
        ys = "None" if y == "None" else f"({y},)"
        from wengert.transforms.reverse import pull

        call = f"{self._named(pull)}({self._named(prim)}, ({g},), {args}, {ys}, {kept}, {self._named(params)})"
        return self._taken(step, g, call)

    def _arrive(self, atom: Any, c: str) -> None:
        """Add a cotangent to what is there."""
        there = self.there.get(atom)
        if there is None:
            self.there[atom] = c
            return
        total = self._new()
        if there in self.thin and c in self.thin:
            self._is_thin(total, np.broadcast_shapes(self.thin[there], self.thin[c]), atom.type)
        if there in self.unsure or c in self.unsure:
            self._say(f"{total} = sum_of({there}, {c})")
            if there in self.unsure and c in self.unsure:
                self.unsure.add(total)
        elif atom.type.size > _LARGE:
            self._say(f"{total} = sum_of({there}, {c})")
        else:
            self._say(f"{total} = {there} + {c}")
        self._say(f"del {there}, {c}")
        self.there[atom] = total


def _shapes_read(step: Step, slope: Any) -> list[Any]:
    """Shapes of the arguments and the result that a slope reads."""
    if isinstance(slope, int):
        return []
    shift = 1 if isinstance(slope, along) else 0
    rule = slope.rule if isinstance(slope, along) else slope
    all_ = [step.node.type.shape, *(a.type.shape for a in step.inputs)]
    return [all_[p - shift] for p in names_read(rule) if shift <= p < len(all_) + shift]


def _in_parts(parts: list[Any], k: list[Any], *gs: Any) -> list[Any]:
    """A long walk: each part is given what the one before it left."""
    rest = list(gs)
    for part in parts:
        rest = part(k, rest)
    return rest


def _argument(slope: Callable[..., Any], read: list[str]) -> str | None:
    """Which of its arguments a slope is (`lambda y, x: y`), or None."""
    marks = [object() for _ in read]
    try:
        found = slope(*marks)
    except Exception:
        return None
    return next((name for name, mark in zip(read, marks, strict=True) if mark is found), None)


def _sum_of(there: Any, c: Any) -> Any:
    """The sum of what is there and what arrives, either of which may be nothing."""
    if there is None:
        return c
    if c is None:
        return there
    return take_in(there, c) if sys.getrefcount(there) == _LENT else there + c


def _calibrate() -> int:
    def lent(there: Any) -> int:
        return sys.getrefcount(there)

    x = np.empty(1)
    return lent(x)


_LENT = _calibrate()  # what getrefcount says of the argument of a function that one variable holds


_NAMES: dict[str, Any] = {"tell": source.current.set, "product": product, "sum_of": _sum_of}
