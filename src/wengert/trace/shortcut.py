"""Shortcuts: a call that was made at this place of a path before is made again without its door.

A door (`numpy_api`) looks at shapes and dtypes, promotes, broadcasts and reads defaults, and ends in
one or two equations. On a path (`trace.path`) the answers stand in the steps that followed. So what is
left is written out as a Python function: are these the arguments of that time, on that line? Then
NumPy's own calls, what must be kept, and the step that this leads to. It answers None where they are not.

Only for doors that never look at numbers.
"""

from __future__ import annotations

import operator
import sys
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.program import Const
from wengert.trace.body import body
from wengert.trace.path import Step
from wengert.trace.tracer import Tracer

_CALLS = 10  # so often a door is asked before a shortcut is made, and so often one may be of no use
_SHORTCUTS = 5  # so many are made for one step
_INFIX = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/"}
_STATIC = (int, float, bool, np.float64, np.float32, type(None), type(np._NoValue))
_MADE = "weak, {0}.window, {0}.order, {0}.version, {0}.still = False, None, None, 0, None"


def consider(step: Step, door: Any, args: tuple[Any, ...], y: Any) -> None:
    """`door(*args)` has been asked at `step`, and `y` is its answer: is it time for a shortcut?"""
    if type(y) is not Tracer or y.builder.nested:  # (values of a trace around go their own way)
        return
    step.heat += 1
    if step.heat >= _CALLS:
        step.heat = -1
        writer = _Writer(step, args)
        if writer.write(y):
            step.door, step.go, step.bound = door, _compiled(writer.text), tuple(writer.bound)


def missed(step: Step, builder: Any) -> None:
    """A shortcut was of no use: if that goes on, another one is made.

    (Python counts instructions anew where it makes them quicker, and then the line is not found.)
    """
    if builder.nested:
        return
    step.heat -= 1
    if step.heat < -_CALLS:
        step.door, step.made = None, step.made + 1
        step.heat = 0 if step.made < _SHORTCUTS else -1


_names: dict[str, Any] = {
    "Tracer": Tracer, "new": object.__new__, "told": source.current.get, "body": body.get, "frame": sys._getframe,
    "array": np.ndarray,
}  # fmt: skip


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
    """The function of a text: steps that do the same share one, and bind what they speak of."""
    found = dict(_names)
    exec(compile(text, "<wengert: a shortcut>", "exec"), found)
    return found["go"]


class _Writer:
    """Writes the shortcut of one step: `text` is a function of the step, how many frames are skipped, and the arguments.

    (Operators ask for it themselves, instead of the door that they would call.)
    """

    def __init__(self, step: Step, args: tuple[Any, ...]) -> None:
        self.step, self.args = step, args
        self.text = ""
        self.bound: list[Any] = []  # what the text calls n0, n1, …
        self.checks: list[str] = []
        self.lines: list[str] = []
        self.value: dict[Any, str] = {}  # what the values of variables are called
        self.narrow: dict[Any, str] = {}  # the same, where NumPy repeats by itself
        self.waiting: dict[Any, str] = {}  # how a value is computed that nobody has read yet

    def write(self, y: Any) -> bool:
        """Write the shortcut that leads to `y`, if there is one."""
        builder, steps = self._way(y)
        if builder is None or not self._where(steps) or not self._arguments(builder, steps):
            return False
        kept: list[str] = []
        for step in steps:
            if not self._step(step, kept):
                return False
        last = steps[-1]
        self._of(last.node)
        first = next(n for n, a in enumerate(self.args) if type(a) is Tracer)
        if kept:
            self.lines += ["k = b.kept", *(f"k.append({name})" for name in kept)]
        self.lines += [
            f"b.path = {self._named(last)}",
            "t = new(Tracer)",
            f"t.builder, t.node, t.value = b, {self._named(last.node)}, {self.value[last.node]}",
            f"t.{_MADE.format('t')}",
            "return t",
        ]
        asked = " and ".join(["b.quick", "not b.nested", "body() is None", *self.checks])
        body = "".join(f"    {line}\n" for line in self.lines)
        names = ", ".join(["s", "up", *(f"a{n}" for n in range(len(self.args)))])
        bound = ", ".join(f"n{n}" for n in range(len(self.bound)))
        self.text = (
            f"def go({names}):\n    if type(a{first}) is not Tracer:\n        return None\n"
            f"    {bound}, = s.bound\n    b = a{first}.builder\n    if not ({asked}):\n        return None\n{body}"
        )
        return True

    def _named(self, value: Any) -> str:
        self.bound.append(value)
        return f"n{len(self.bound) - 1}"

    def _way(self, y: Any) -> tuple[Any, list[Step]]:
        """The builder and the steps that the call became."""
        if type(y) is not Tracer or y.weak or y.window is not None or y.order is not None:
            return None, []
        found, step = [], y.builder.path
        while step is not None and step is not self.step:
            found.append(step)
            step = step.behind
        if step is None or not found or found[0].node is not y.node:
            return None, []
        return y.builder, found[::-1]

    def _arguments(self, builder: Any, steps: list[Step]) -> bool:
        """Look at the arguments: which are they, and how is it told that they are the same again?"""
        places = {v: k for k, (v, _) in enumerate(builder.captured)}
        captured = {a for s in steps for a in s.inputs if a in places}
        for n, a in enumerate(self.args):
            name = f"a{n}"
            if type(a) is Tracer:
                if a.weak or a.builder is not builder or builder.nested or a.boxed:
                    return False
                if self.value:  # (not the first)
                    self.checks += [f"type({name}) is Tracer", f"{name}.builder is b"]
                self.checks += [
                    f"{name}.node is {self._named(a.node)}", f"not {name}.weak",
                    f"({name}.window is None or {name}.window.root.version == {name}.window.seen)",
                ]  # fmt: skip
                self.value[a.node] = f"{name}.value"
            elif type(a) is np.ndarray:
                if len(captured) != 1:
                    return False
                (found,) = captured
                if found.type.shape != a.shape or found.type.dtype != a.dtype:
                    return False
                self.checks += [
                    f"type({name}) is array", f"{name}.dtype is {self._named(a.dtype)}",
                    f"{name}.shape == {self._named(a.shape)}", f"len(b.captured) == {self._named(places[found])}",
                ]  # fmt: skip
                self.lines.append(f"w{n} = b.recapture({self._named(found)}, {name})")
                self.value[found] = f"w{n}"
            elif type(a) in _STATIC and (
                a or not isinstance(a, float | np.float32)
            ):  # (0.0 == -0.0)
                same = self._named(a)
                self.checks.append(
                    f"({name} is {same} or (type({name}) is {self._named(type(a))} and {name} == {same}))"
                )
            elif type(a) is tuple and all(type(i) is int for i in a):
                self.checks += [f"type({name}) is tuple", f"{name} == {self._named(a)}"]
            else:
                return False
        return True

    def _where(self, steps: list[Step]) -> bool:
        """All on one line of the user's, who is found where she is now."""
        origin, code, lasti = steps[0].origin, steps[0].code, steps[0].lasti
        if source.current.get() is not None:
            self.checks.append(
                f"(told() is {self._named(origin)} or told() == n{len(self.bound) - 1})"
            )
            return all(s.origin is origin or s.origin == origin for s in steps)
        if code is None or any(s.code is not code or s.lasti != lasti for s in steps):
            return False
        for deep in range(4, 12):  # (`consider`, `function` and this are called too)
            frame = sys._getframe(deep)
            if frame.f_code is code and frame.f_lasti == lasti:
                self.lines += [
                    f"f = frame({self._named(deep - 2)} - up)",
                    f"if f.f_lasti != {self._named(lasti)} or f.f_code is not {self._named(code)}:",
                    "    return None",
                ]
                return True
        return False

    def _of(self, atom: Any) -> str | None:
        """The value of an argument of a step; None if it came from elsewhere."""
        if type(atom) is Const:
            return self._named(atom.value)
        if atom in self.waiting:
            self.lines.append(f"{self.value[atom]} = {self.waiting.pop(atom)}")
        return self.value.get(atom)

    def _step(self, step: Step, kept: list[str]) -> bool:
        """Compute one step."""
        prim: Any = step.prim
        places = step.places or ()
        values = []
        for n, atom in enumerate(step.inputs):
            narrow = getattr(prim, "aligned", False) and n not in places
            name = self.narrow.get(atom) if narrow else None
            name = name or self._of(atom)
            if name is None:
                return False
            values.append(name)
        infix, name = _INFIX.get(prim.eval), f"r{step.number - self.step.number}"
        if infix is not None:
            text = f"{values[0]} {infix} {values[1]}"
        else:
            params = f", **{self._named(step.params)}" if step.params else ""
            text = f"{self._named(prim.eval)}({', '.join(values)}{params})"
        self.value[step.node] = name
        if prim.name == "broadcast" and _is_last(**step.params):
            self.narrow[step.node], self.waiting[step.node] = values[0], text
        else:
            self.lines.append(f"{name} = {text}")
        kept += [values[n] for n in places]
        if len(places) < step.size:
            kept.append(name)
        return True


def _is_last(shape: tuple[int, ...], dims: tuple[int, ...]) -> bool:
    """Does this repeat along the first axes, as NumPy does by itself?"""
    return dims == tuple(range(len(shape) - len(dims), len(shape)))
