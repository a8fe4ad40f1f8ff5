"""The loop: a program on balls, and which rule answers for which primitive.

A plan is made once per program: for each equation a function of its arguments' values. Where a
branch or an index depends on what is not decided, or a primitive has no rule, the results are
balls that contain everything, so that nothing wrong can come out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Const, Eqn, Program
from wengert.ir.types import ArrayType, StackType
from wengert.ops.arithmetic import Convert
from wengert.ops.literal import Literal
from wengert.trust.balls import (
    control,
    elementwise,
    matrices,
    moves,
    reductions,
    special,
    transforms,
)
from wengert.trust.balls.number import (
    MAYBE,
    Undecided,
    ball,
    complex_ball,
    dead,
    decided,
    each,
    entered,
    flint,
    settled_array,
)

Handler = Callable[..., Any]

# primitives without a rule, by what stands in the way
WITHOUT = special.WITHOUT
_ELEMENTWISE = {**elementwise.RULES, **special.RULES}
_WHOLE: dict[str, Handler] = {
    **reductions.RULES,
    **matrices.RULES,
    **transforms.RULES,
    **moves.RULES,
    **control.RULES,
    **special.WHOLE,
}
# elementwise rules that take integers and truth values as they are
_PLAIN = frozenset(
    [
        "ldexp",
        "select",
        "logical_and",
        "logical_or",
        "logical_xor",
        "logical_not",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "invert",
        "left_shift",
        "right_shift",
    ]
)


def has_rule(prim: Primitive) -> bool:
    """Can balls go through this primitive?"""
    name = prim.name
    return (
        name in _ELEMENTWISE
        or name in _WHOLE
        or type(prim).ball is not Primitive.ball
        or isinstance(prim, Convert | Literal)
    )


def unknown(t: Any) -> Any:
    """A value of a type of which nothing is known."""
    if isinstance(t, StackType):
        raise Undecided("a loop's length")
    value = flint().arb("nan") if t.dtype.kind in "fc" else MAYBE
    return np.full(t.shape, value, object) if t.shape else value


# ---- one equation --------------------------------------------------------------------------------------


def handler(
    prim: Primitive, params: Any, ins: Sequence[Any], outs: Sequence[Any], derived: bool = False
) -> Handler:
    """A function from values to the value (or tuple of values) of an equation with these types.

    `derived`: it computes with cotangents or tangents.
    """
    discrete = all(isinstance(t, ArrayType) and t.dtype.kind in "biu" for t in (*ins, *outs))
    if type(prim).ball is not Primitive.ball:
        return lambda *xs: prim.ball(*xs, **params)
    if isinstance(prim, Literal):
        value = entered(params["value"].array, outs[0].dtype)
        return lambda: value
    if isinstance(prim, Convert):
        return _conversion(ins[0].dtype, outs[0])
    rule = elementwise.DERIVED.get(prim.name) if derived else None
    rule = _ELEMENTWISE.get(prim.name) if rule is None else rule
    if rule is not None:
        return _elementwise(prim, rule, ins, outs[0], discrete)
    whole = _WHOLE.get(prim.name)
    if whole is None:
        return lambda *xs: _unknown(outs, prim)
    if discrete:
        return lambda *xs: (
            prim.eval(*xs, **params)
            if all(map(decided, xs))
            else _guarded(whole, xs, params, outs, prim)
        )
    return lambda *xs: _guarded(whole, xs, params, outs, prim)


def _guarded(whole: Handler, xs: Any, params: Any, outs: Sequence[Any], prim: Primitive) -> Any:
    try:
        return whole(prim, *xs, **params)
    except Undecided:
        return _unknown(outs, prim)


def _unknown(outs: Sequence[Any], prim: Primitive) -> Any:
    found = tuple(unknown(t) for t in outs)
    return found if prim.multiple else found[0]


def _elementwise(
    prim: Primitive, rule: Handler, ins: Sequence[Any], out: Any, discrete: bool
) -> Handler:
    complex_in = any(t.dtype.kind == "c" for t in ins)
    plain = prim.name in _PLAIN
    promote = [
        not plain and (t.dtype.kind in "biu" or (complex_in and t.dtype.kind != "c")) for t in ins
    ]
    enter = complex_ball if complex_in else ball
    many = any(t.shape for t in ins)
    function = each(rule, len(ins)) if many else rule
    enter_each = each(enter)
    kind = out.dtype.kind

    def run(*xs: Any) -> Any:
        if discrete and all(map(decided, xs)):
            return prim.eval(*xs)
        if True in promote:
            xs = tuple(
                (enter_each if isinstance(x, np.ndarray) else enter)(x) if p else x
                for x, p in zip(xs, promote, strict=True)
            )
        y = function(*xs)
        if kind in "biu":
            if discrete and kind != "b" and not many and y is not MAYBE and not isinstance(y, bool):
                y = _whole_number(y)
            elif discrete and kind != "b" and many:
                y = each(_whole_number)(y)
            return settled_array(y, out.dtype)
        if kind == "c":
            return each(complex_ball)(y) if many else complex_ball(y)
        return y

    if not discrete and not complex_in and kind == "f" and True not in promote:
        return function
    return run


def _whole_number(x: Any) -> Any:
    """A ball as an integer; MAYBE if it holds several."""
    if x is MAYBE or isinstance(x, bool | int | np.integer | np.bool_):
        return x
    found = x.unique_fmpz() if x.is_finite() else None
    return MAYBE if found is None else int(found)


def _conversion(before: np.dtype[Any], out: ArrayType) -> Handler:
    kind, was = out.dtype.kind, before.kind
    if kind == "f":
        one: Any = elementwise.RULES["real"] if was == "c" else ball
    elif kind == "c":
        one = complex_ball
    elif kind == "b":
        one = elementwise.truth
    elif was in "biu":
        one = lambda x: x if x is MAYBE else int(x)
    else:
        one = lambda x: _whole_number(elementwise.RULES["trunc"](elementwise.RULES["real"](x)))

    def run(x: Any) -> Any:
        if was in "biu" and kind in "biu" and decided(x):
            return x.astype(out.dtype) if isinstance(x, np.ndarray) else out.dtype.type(x)
        y = each(one)(x) if isinstance(x, np.ndarray) else one(x)
        return settled_array(y, out.dtype) if kind in "biu" else y

    return run


# ---- programs ------------------------------------------------------------------------------------------


class Plan:
    """A program, ready to be run on balls."""

    def __init__(self, program: Program) -> None:
        slots: dict[Any, int] = {v: n for n, v in enumerate(program.inputs)}
        self.constants: list[tuple[int, Any]] = []
        self.in_types = program.in_types
        self.missing = sorted(
            {e.prim.name for e in program.eqns if not has_rule(e.prim)}
        )  # what has no rule here

        def slot(atom: Any) -> int:
            if atom not in slots:
                slots[atom] = len(slots)
                if isinstance(atom, Const):
                    self.constants.append((slots[atom], entered(atom.value, atom.type.dtype)))
            return slots[atom]

        seeds = getattr(program, "seeds", 0)
        self.derived: set[Any] = set(program.inputs[len(program.inputs) - seeds :])
        self.steps: list[tuple[Handler, tuple[int, ...], Any, tuple[int, ...]]] = []
        points: set[Any] = set()  # where equality was asked for
        for eqn, dying in zip(program.eqns, program.dying, strict=True):
            if eqn.prim.name == "equal":
                points.update(eqn.outputs)
            derived = any(a in self.derived for a in eqn.inputs)
            if derived:
                self.derived.update(eqn.outputs)
            ins = tuple(
                self._stop(slots) if derived and _is_stop(eqn, a, points) else slot(a)
                for a in eqn.inputs
            )
            outs = tuple(slot(v) for v in eqn.outputs)
            run = _handler_of(eqn, derived)
            self.steps.append(
                (run, ins, outs if eqn.prim.multiple else outs[0], tuple(slots[v] for v in dying))
            )
        self.outputs = tuple(slot(a) for a in program.outputs)
        self.size = len(slots)

    def _stop(self, slots: dict[Any, int]) -> int:
        if "dead" not in slots:
            slots["dead"] = len(slots)
            self.constants.append((slots["dead"], dead()))
        return slots["dead"]

    def run(self, values: Sequence[Any]) -> list[Any]:
        """Values of the outputs; `values` are those of the inputs, entered already."""
        env: list[Any] = [MAYBE] * self.size
        env[: len(values)] = values
        for k, value in self.constants:
            env[k] = value
        for function, ins, out, dying in self.steps:
            if len(ins) == 2:
                y = function(env[ins[0]], env[ins[1]])
            elif len(ins) == 1:
                y = function(env[ins[0]])
            else:
                y = function(*[env[k] for k in ins])
            if out.__class__ is int:
                env[out] = y
            else:
                for k, part in zip(out, y, strict=True):
                    env[k] = part
            for k in dying:
                env[k] = MAYBE
        return [env[k] for k in self.outputs]


def _is_stop(eqn: Eqn, a: Any, points: set[Any]) -> bool:
    """Is it the zero of what a selection leaves out? (A rule for one point leaves nothing out.)"""
    zero = eqn.prim.name == "select" and isinstance(a, Const) and a.type.inexact and a.value == 0
    return zero and eqn.inputs[0] not in points


class Derived(Program):
    """A derivative program: its last `seeds` inputs are cotangents or tangents."""

    seeds: int = 0


def _handler_of(eqn: Eqn, derived: bool) -> Handler:
    ins, outs = tuple(a.type for a in eqn.inputs), tuple(v.type for v in eqn.outputs)
    if eqn.params:
        return handler(eqn.prim, dict(eqn.params), ins, outs, derived)
    return _shared_handler(eqn.prim, ins, outs, derived)


@lru_cache(maxsize=4096)
def _shared_handler(prim: Primitive, ins: Any, outs: Any, derived: bool) -> Handler:
    return handler(prim, {}, ins, outs, derived)


def plan(program: Program) -> Plan:
    """The plan of a program, made once per program object."""
    found = getattr(program, "ball_plan", None)
    if found is None:
        found = Plan(program)
        program.ball_plan = found  # type: ignore[attr-defined]
    return found


def evaluate(program: Program, args: Sequence[Any]) -> list[Any]:
    """Values of the outputs on balls; plain numbers among `args` are exact. Within `precision`."""
    values = [
        entered(a, t.dtype) if isinstance(t, ArrayType) and not _is_entered(a) else a
        for a, t in zip(args, program.in_types, strict=True)
    ]
    return plan(program).run(values)


def _is_entered(a: Any) -> bool:
    return (isinstance(a, np.ndarray) and a.dtype == object) or a.__class__ in _classes()


@lru_cache(maxsize=1)
def _classes() -> tuple[Any, ...]:
    return flint().arb, flint().acb
