"""Exact rules: slopes in formulas that hold in the reals, where the usual ones are series cut off.

A rule for floats may be right to rounding only: a truncated series near a point, an asymptotic one
far away. In balls, digits can be had for the asking, so these primitives are read as twins of the same
name and values, whose slopes are the plain formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Eqn, Program
from wengert.ops import bessel, elliptic, erf, gamma, hypergeometric, incomplete, special
from wengert.ops.borrowed import number
from wengert.ops.families import Elementwise


class Twin(Elementwise):
    """A primitive with its own values and other slopes."""

    def __init__(self, original: Elementwise, *slopes: Any) -> None:
        super().__init__(original.function, *slopes, name=original.name, value=original.eval)
        self.original = original

    def typeof(self, *types: Any) -> Any:
        """That of the original."""
        return self.original.typeof(*types)


def _sinc_slope(y: Any, x: Any) -> Any:
    """sinc is ₀F₁(; 3/2; -(πx)²/4)."""
    t = math.pi * x
    return -math.pi * t / 3 * hypergeometric.hyp0f1(number(x, 2.5), -t * t / 4)


def _i1e_slope(y: Any, x: Any) -> Any:
    return 0.5 * (bessel.i0e(x) + bessel.ive(number(x, 2), x)) - np.sign(x) * y


def _k1e_slope(y: Any, x: Any) -> Any:
    return y - 0.5 * (bessel.k0e(x) + bessel.kve(number(x, 2), x))


def _density(a: Any, x: Any) -> Any:
    """That of the gamma distribution."""
    return x ** (a - 1) * np.exp(-x) * gamma.rgamma(a)


def _twin(original: Elementwise, slope: Callable[..., Any], position: int = 0) -> Twin:
    """With another slope in the argument at this position, the last one."""
    return Twin(original, *original.slopes[:position], slope)


def _inverse_in_a(x: Any, a: Any, p: Any) -> Any:
    return -incomplete.gammainc_a(a, x) / _density(a, x)


TWINS: dict[Primitive, Primitive] = {
    twin.original: twin
    for twin in (
        _twin(special.sinc, _sinc_slope),
        _twin(erf.dawsn, lambda y, x: 1 - 2 * x * y),
        _twin(bessel.i0e, lambda y, x: bessel.i1e(x) - np.sign(x) * y),
        _twin(bessel.i1e, _i1e_slope),
        _twin(bessel.k0e, lambda y, x: y - bessel.k1e(x)),
        _twin(bessel.k1e, _k1e_slope),
        _twin(elliptic.ellipkm1, lambda y, p: -elliptic.first_kind_slope(1 - p, p)),
        _twin(incomplete.gammainc, lambda y, a, x: _density(a, x), 1),
        _twin(incomplete.gammaincc, lambda y, a, x: -_density(a, x), 1),
        Twin(incomplete.gammaincinv, _inverse_in_a, lambda x, a, p: 1 / _density(a, x)),
        Twin(incomplete.gammainccinv, _inverse_in_a, lambda x, a, p: -1 / _density(a, x)),
        _twin(incomplete.chdtr, lambda y, v, x: 0.5 * _density(0.5 * v, 0.5 * x), 1),
        _twin(incomplete.chdtrc, lambda y, v, x: -0.5 * _density(0.5 * v, 0.5 * x), 1),
        _twin(incomplete.pdtr, lambda y, k, m: -_density(np.floor(k) + 1, m), 1),
        _twin(incomplete.pdtrc, lambda y, k, m: _density(np.floor(k) + 1, m), 1),
    )
}


def exactly(program: Program) -> Program:
    """The program with these primitives as their twins, also inside of loops and branches."""
    if not _concerns(program):
        return program
    eqns = [
        Eqn(
            TWINS.get(e.prim, e.prim),
            e.inputs,
            {k: exactly(p) if isinstance(p, Program) else p for k, p in e.params.items()},
            e.outputs,
            e.origin,
        )
        for e in program.eqns
    ]
    return Program(program.inputs, eqns, program.outputs, program.sources, program.name)


def _concerns(program: Program) -> bool:
    return any(
        e.prim in TWINS or any(isinstance(p, Program) and _concerns(p) for p in e.params.values())
        for e in program.eqns
    )
