"""Derivative programs for exact arithmetic.

Derived as always, but so that nothing is rounded on the way: constants of the program come in as
arguments, for rules compute with what they see; and irrational constants that a rule writes as a
float (π in the slope of erf) are put back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.transforms.jvp import jvp
from wengert.transforms.sweep import sweep
from wengert.transforms.vjp import vjp
from wengert.trust import constants
from wengert.trust.balls.evaluate import Derived
from wengert.trust.balls.number import flint
from wengert.trust.exact_rules import exactly

Flags = tuple[bool, ...]


def _pi() -> Any:
    return flint().arb.pi()


def _root_pi() -> Any:
    return flint().arb.pi().sqrt()


def _log(n: int) -> Any:
    return flint().arb(n).log()


# constants of derivative rules: their float, and what it stands for
_KNOWN: list[tuple[float, Callable[[], Any]]] = [
    (math.pi, _pi),
    (math.pi / 2, lambda: _pi() / 2),
    (2 * math.pi, lambda: 2 * _pi()),
    (math.pi / 8, lambda: _pi() / 8),
    (math.pi / 180, lambda: _pi() / 180),
    (180 / math.pi, lambda: 180 / _pi()),
    (math.sqrt(math.pi), _root_pi),
    (0.5 / math.sqrt(2 * math.pi), lambda: 1 / (8 * _pi()).sqrt()),
    (math.pi / 180 / 60, lambda: _pi() / 10800),
    (math.pi / 180 / 3600, lambda: _pi() / 648000),
    (2 / math.sqrt(math.pi), lambda: 2 / _root_pi()),
    (math.sqrt(math.pi) / 2, lambda: _root_pi() / 2),
    (1 / math.sqrt(2 * math.pi), lambda: 1 / (2 * _pi()).sqrt()),
    (2 / math.sqrt(2 * math.pi), lambda: 2 / (2 * _pi()).sqrt()),
    (math.sqrt(0.5), lambda: flint().arb(0.5).sqrt()),
    (math.log(2), lambda: _log(2)),
    (math.log(10), lambda: _log(10)),
]
_BY_VALUE = {v: n for n, (v, _) in enumerate(_KNOWN)}
_BY_SINGLE = {float(np.float32(v)): n for v, n in _BY_VALUE.items()}


def rounded(program: Program) -> bool:
    """May numbers in it have been rounded by the rules of derivatives that were taken inside of it?

    Such rules compute with the constants that they see. Sums, products and quotients of short
    numbers come out exact or long; and irrational constants are long.
    """
    return any(
        isinstance(a, Const) and a.type.dtype.kind in "fc" and not constants.short(a.value)
        for e in program.eqns
        for a in (*e.inputs, *program.outputs)
    ) or any(isinstance(p, Program) and rounded(p) for e in program.eqns for p in e.params.values())


class Constant(Primitive):
    """`constant[which, negative, turned]()`: an irrational number that a rule is made with; `turned`: times i."""

    name = "constant"

    def typeof(self, *, which: int, negative: bool, turned: bool, dtype: Any) -> ArrayType:
        return ArrayType.of((), dtype)

    def eval(self, *, which: int, negative: bool, turned: bool, dtype: Any) -> Any:
        value = -_KNOWN[which][0] if negative else _KNOWN[which][0]
        return dtype.type(complex(0, value) if turned else value)

    def ball(self, *, which: int, negative: bool, turned: bool, dtype: Any) -> Any:
        value = -_KNOWN[which][1]() if negative else _KNOWN[which][1]()
        if dtype.kind == "c":
            return flint().acb(0, value) if turned else flint().acb(value)
        return value

    def reads(self, wanted: Flags) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (None,)


constant = Constant()


def lifted(program: Program) -> tuple[Program, list[Any]]:
    """The program with its float constants as last inputs, and their values; its rules are exact ones."""
    wide, values = constants.lifted(exactly(program), lambda x: True)
    return wide, [*values.values()]


def restored(program: Program) -> Program:
    """A derived program with the irrational constants of its rules put back."""
    made: list[Eqn] = []
    known: dict[Any, Var] = {}

    def atom(a: Any) -> Any:
        if not isinstance(a, Const) or a.type.dtype.kind not in "fc":
            return a
        value = complex(a.value)
        turned = value.imag != 0
        part = value.imag if turned else value.real
        if turned and value.real:
            return a
        wide = a.type.dtype in (np.float64, np.complex128)
        which = (_BY_VALUE if wide else _BY_SINGLE).get(abs(part))
        if which is None:
            return a
        key = which, part < 0, turned, a.type.dtype
        if key not in known:
            known[key] = Var(a.type)
            params = dict(zip(("which", "negative", "turned", "dtype"), key, strict=True))
            made.append(Eqn(constant, (), params, (known[key],)))
        return known[key]

    eqns = [
        Eqn(e.prim, tuple(map(atom, e.inputs)), e.params, e.outputs, e.origin) for e in program.eqns
    ]
    outputs = [*map(atom, program.outputs)]
    return Program(program.inputs, [*made, *eqns], outputs, program.sources, program.name)


@passes.remembered
def gradient_of(program: Program, moving: Flags) -> Program:
    """`(xs, gs of the inexact outputs) -> cotangents of the moving inputs`, of a lifted program."""
    return _derived(vjp(program, moving), program)


@passes.remembered
def tangent_of(program: Program, moving: Flags) -> Program:
    """`(xs, dxs of the moving inputs) -> dys of the inexact outputs`, of a lifted program."""
    return _derived(jvp(program, moving), program)


def _derived(whole: Program, primal: Program) -> Derived:
    """The derivatives alone, of a program that gives values first."""
    slopes = whole.outputs[len(primal.outputs) :]
    swept = sweep(Program(whole.inputs, whole.eqns, slopes, whole.sources, whole.name))
    return _seeded(restored(swept), len(whole.inputs) - len(primal.inputs))


def _seeded(program: Program, seeds: int) -> Derived:
    found = Derived(program.inputs, program.eqns, program.outputs, program.sources, program.name)
    found.seeds = seeds
    return found


def pulled(
    program: Program, args: Sequence[Any], movers: int, gs: Sequence[Any]
) -> tuple[Program, list[Any]]:
    """A program and its arguments whose outputs are the cotangents of the first `movers` inputs."""
    wide, values = lifted(program)
    moving = tuple(n < movers and v.type.inexact for n, v in enumerate(wide.inputs))
    given = [g for g, a in zip(gs, program.outputs, strict=True) if a.type.inexact]
    return gradient_of(wide, moving), [*args, *values, *given]


def pushed(
    program: Program, args: Sequence[Any], movers: int, dxs: Sequence[Any]
) -> tuple[Program, list[Any]]:
    """A program and its arguments whose outputs are the tangents of the inexact outputs."""
    wide, values = lifted(program)
    moving = tuple(n < movers and v.type.inexact for n, v in enumerate(wide.inputs))
    given = [dx for dx, m in zip(dxs, moving, strict=False) if m]
    return tangent_of(wide, moving), [*args, *values, *given]


def restricted(program: Program, outputs: Sequence[bool]) -> Program:
    """Only these outputs, and what they need."""
    if all(outputs):
        return program
    kept = [a for a, k in zip(program.outputs, outputs, strict=True) if k]
    found = sweep(Program(program.inputs, program.eqns, kept, program.sources, program.name))
    return _seeded(found, getattr(program, "seeds", 0))
