"""Paths: what one function was seen to do, kept from call to call.

A function that is called again mostly does again what it did. So the equations that it recorded are
kept as steps, each of which knows the steps that have followed it: a tree, since Python may branch.
A trace that records an equation that was seen here before finds the step, and with it all that was
found out about it: the variable and its type, what must be kept for the derivative, the user's line.
What hangs on the last step of a path holds for every call that takes the same path.

Numbers are no part of a path, except constants and what stands in params.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.primitive import Primitive
from wengert.ir.program import Const, Var
from wengert.ir.types import type_of
from wengert.trace.tracer import Tracer

_current, _getframe = source.current.get, sys._getframe
_NOTHING: dict[str, Any] = {}
_STEPS = 20_000  # of all paths of one function together
_BRANCHES = 16  # steps that may follow one step
_EXACT = (int, str, type(None), np.dtype)  # params of these types are the same if they are equal


@lru_cache(maxsize=1024)
def _places(count: int, drop: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in range(count) if n not in drop)


class Step:
    """One equation on a path. `ahead` is the step that came next most recently."""

    __slots__ = (
        "a", "ahead", "b", "behind", "bound", "code", "deep", "door", "first", "following", "go", "heat", "inputs", "keep", "lasti", "made", "node", "number",
        "origin", "outputs", "params", "places", "prim", "size", "walks", "wanted",
    )  # fmt: skip

    def __init__(
        self, behind: Step | None, prim: Any, inputs: tuple[Any, ...], params: Mapping[str, Any],
        wanted: tuple[bool, ...], origin: Any, type: Any,
    ) -> None:  # fmt: skip
        self.behind, self.prim, self.inputs, self.params = behind, prim, inputs, params
        self.a, self.b = (*inputs, None)[:2] if 0 < len(inputs) < 3 else (None, None)
        self.origin = origin
        self.code: Any = None
        self.lasti = -1
        if origin.__class__ is tuple:
            self.code, self.lasti = origin
        self.deep = 0  # so many frames above `note` was the user's
        self.node = Var(type)
        self.outputs = (self.node,)
        self.ahead: Step | None = None
        # which door was asked next, and the way that does without it (trace.shortcut)
        self.door: Any = None
        self.go: Any = None
        self.bound: tuple[Any, ...] = ()
        self.heat = self.made = 0
        self.following: dict[Any, Step] | None = (
            None  # where it is more than one that may come next
        )
        self.walks: dict[Any, Any] | None = None  # ways back from here (transforms.written)
        # what of its numbers is kept: arguments at these places (None: no list is made of them), the result?
        self.wanted, self.places, y = None, None, False
        if True in wanted:
            self.wanted = wanted
            drop, y = prim.read_plan.get(wanted) or prim.plan(wanted)
            if drop is not None:
                self.places = _places(len(inputs), drop)
        places = self.places or ()
        self.keep = sum(1 << n for n in places) + (y << len(inputs))
        self.size: int = len(places) + y
        self.number: int = 0 if behind is None else behind.number + 1
        # its place in what is kept
        self.first: int = 0 if behind is None else behind.first + behind.size

    def values(self, kept: list[Any]) -> tuple[Any, Any]:
        """The numbers of arguments and results that were kept of this step, as its rules read them."""
        at, xs = self.first, None
        if self.places is not None:
            xs = [None] * len(self.inputs)
            for n in self.places:
                xs[n] = kept[at]
                at += 1
        return xs, (kept[at],) if at < self.first + self.size else None

    def key(self) -> Any:
        """What tells it from other steps that follow the same one."""
        return _key(self.prim, self.inputs, self.params, self.origin)

    def next(self) -> list[Step]:
        """The steps that have followed this one."""
        if self.following is None:
            return [] if self.ahead is None else [self.ahead]
        return list(self.following.values())

    def find(self, key: Any) -> Step | None:
        """The step that has followed this one with that key."""
        if self.following is not None:
            return self.following.get(key)
        ahead = self.ahead
        return ahead if ahead is not None and ahead.key() == key else None

    def lead_to(self, found: Step) -> None:
        """A new step follows this one."""
        if self.ahead is not None:
            if self.following is None:
                self.following = {self.ahead.key(): self.ahead}
            self.following[found.key()] = found
        self.ahead = found

    def way(self) -> list[Step]:
        """The steps from the beginning to this one."""
        found, step = [], self
        while step.behind is not None:
            found.append(step)
            step = step.behind
        return found[::-1]


_START: Any = object()


class Paths:
    """The paths of one function. One trace at a time walks on them (`lock`): variables are theirs."""

    __slots__ = ("last", "lock", "lost", "shared", "size", "start", "variables")

    def __init__(self) -> None:
        self.lock = Lock()
        self.start = Step(None, _START, (), {}, (), None, None)
        self.variables: dict[Any, Var] = {}  # of inputs and captured values
        # the same, those of the last call
        self.last: dict[str, list[Var]] = {"input": [], "captured": []}
        self.shared: dict[Any, Any] = {}  # lines, params, who wants cotangents
        self.size = 0
        self.lost = 0  # traces that went where no path leads

    def variable(self, what: str, number: int, type: Any) -> Var:
        """The variable of an input or captured value, told by its number and type."""
        last = self.last[what]
        if number < len(last) and last[number].type is type:
            return last[number]
        key = what, number, type
        found = self.variables.get(key)
        if found is None:
            found = self.variables[key] = Var(type)
        last[number:] = [found]
        return found

    def onward(
        self, step: Step, prim: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any],
        wanted: tuple[bool, ...], origin: Any, type: Any,
    ) -> Step | None:  # fmt: skip
        """The step that follows `step` with this equation, perhaps a new one; None where there is no path."""
        key = _key(prim, inputs, params, origin)
        found = None if key is None else step.find(key)
        if found is None:
            if (
                key is None
                or self.size >= _STEPS
                or len(step.following or ()) >= _BRANCHES
                or prim.looks or prim.at_point or prim.effect or prim.settles or prim.saves or prim.multiple
            ):  # fmt: skip
                return None
            self.size += 1
            _, _, exact, place = key  # (most steps share these with others)
            origin = self.shared.setdefault(place, origin)
            params = self.shared.setdefault(exact, params) if exact else _NOTHING
            wanted = self.shared.setdefault(wanted, wanted)
            found = Step(step, prim, inputs, params, wanted, origin, type)
            step.lead_to(found)
        step.ahead = found
        return found


def _key(prim: Any, inputs: tuple[Any, ...], params: Mapping[str, Any], origin: Any) -> Any:
    """What tells steps apart; None where that cannot be said."""
    try:
        place = (id(origin[0]), *origin[1:]) if origin.__class__ is tuple else origin
        return (
            id(prim),
            tuple(map(_atom, inputs)),
            tuple((name, _exact(value)) for name, value in params.items()),
            place,
        )
    except TypeError:
        return None


def _atom(atom: Any) -> Any:
    if atom.__class__ is Const:
        return atom.type, atom.value.tobytes()
    return id(atom)


def _exact(value: Any) -> Any:
    """A param as something hashable that is equal to what means the same, and to nothing else."""
    if value.__class__ is tuple:
        return tuple(map(_exact, value))
    if value.__class__ is slice:
        return slice, _exact(value.start), _exact(value.stop), _exact(value.step)
    if isinstance(value, _EXACT):
        return value.__class__, value
    raise TypeError


# ---- the user's lines ------------------------------------------------------------------------------


def is_here(ahead: Step, y: Any, above: int) -> bool:
    """Is the user's line that runs now (or was told, or that an outer trace has just found) that of a step?

    `y` is the result; `note`, by which the step is told, is so many frames above this one.
    """
    origin: Any = _current()
    if origin is None and type(y) is not Tracer:
        try:
            frame = _getframe(ahead.deep + above)
        except ValueError:
            return False
        return frame.f_lasti == ahead.lasti and frame.f_code is ahead.code
    origin = origin or last_origin(y)
    return origin is ahead.origin or bool(origin == ahead.origin)


def last_origin(y: Any) -> Any:
    """The user's line of a value that an outer trace has just written down; None if it is not its last."""
    outer = y.builder
    if outer.path is not None:
        return outer.path.origin if outer.path.node is y.node else None
    last = outer.list[-1] if outer.list else None
    return last[4] if last is not None and last[3][0] is y.node else None


def onward(
    builder: Any, step: Step, prim: Primitive, inputs: tuple[Any, ...], params: Mapping[str, Any],
    wanted: tuple[bool, ...], y: Any, kind: Any,
) -> Step | None:  # fmt: skip
    """The step for an equation that is not the expected one; without any, the trace leaves the paths."""
    origin: Any = _current()
    if origin is None and type(y) is Tracer:
        origin = last_origin(y)
    if origin is None:
        origin = source.caller()
    t = y.node.type if type(y) is Tracer else type_of(y) if kind is None else kind
    found: Step | None = builder.paths.onward(step, prim, inputs, params, wanted, origin, t)
    if found is None:
        builder.leave()
    elif found.code is not None:
        found.deep = _frames_above(found)
    return found


def _frames_above(step: Step) -> int:
    """How many frames above `note` is the user's frame that a step names; 0 if none is."""
    for deep in range(1, 14):
        try:
            frame = _getframe(deep + 2)
        except ValueError:
            return 0
        if frame.f_code is step.code and frame.f_lasti == step.lasti:
            return deep
    return 0
