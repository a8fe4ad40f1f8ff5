"""Like terms: what cancels whatever the numbers are.

x - x, or two equal contributions to a cotangent with opposite signs, are exactly zero. In balls such
a zero is never quite reached, and error bounds have nothing relative to say of it; in the program it
is seen at once.
"""

from __future__ import annotations

from typing import Any

from wengert.ir.passes import remembered
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ops.arithmetic import neg
from wengert.ops.shape import broadcast
from wengert.transforms.sweep import sweep
from wengert.trust.constants import radius_of

_MOST = 12  # so many terms of a sum are kept apart

Form = dict[Any, int]


@remembered
def collected(program: Program) -> Program:
    """The program with sums whose terms cancel written shorter: equal wherever all is finite."""
    forms: dict[Any, Form] = {}
    same: dict[Any, Any] = {}
    eqns: list[Eqn] = []
    products: dict[Any, tuple[Var, int]] = {}
    changed = False

    def form(a: Any) -> Form:
        return forms.get(a, {a: 1})

    for e in program.eqns:
        ins = tuple(same.get(a, a) if isinstance(a, Var) else a for a in e.inputs)
        e = e if ins == e.inputs else Eqn(e.prim, ins, e.params, e.outputs, e.origin)
        eqns.append(e)
        if e.prim.name in ("mul", "div", "scale") and e.outputs[0].type.dtype.kind in "fc":
            forms[e.outputs[0]] = _product(e, form, products)
            continue
        if e.prim.name not in ("add", "sub", "neg") or not _alike(e):
            continue
        signs = {"add": (1, 1), "sub": (1, -1), "neg": (-1,)}[e.prim.name]
        terms = [form(a) for a in ins]
        total = _sum(terms, signs)
        (out,) = e.outputs
        if len(total) <= _MOST:
            forms[out] = total
        if len(total) < sum(map(len, terms)) and e.prim is not neg:
            short = _written(total, out, e, eqns)
            if short is not None:
                same[out], changed = short, True
    if not changed:
        return program
    outputs = [same.get(a, a) if isinstance(a, Var) else a for a in program.outputs]
    return sweep(Program(program.inputs, eqns, outputs, program.sources, program.name))


def _alike(e: Eqn) -> bool:
    t = e.outputs[0].type
    return t.dtype.kind in "fc" and all(a.type == t for a in e.inputs)


def _product(e: Eqn, form: Any, products: dict[Any, tuple[Var, int]]) -> Form:
    """A product as plus or minus the first one of the same factors."""
    factors, sign = [], 1
    for a in e.inputs:
        one = form(a)
        if len(one) == 1 and next(iter(one.values())) == -1:
            a, sign = next(iter(one)), -sign
        factors.append(a)
    key = e.prim.name, *(a if isinstance(a, Var) else _constant(a, e) for a in factors)
    first, its = products.setdefault(key, (e.outputs[0], sign))
    return {first: sign * its}


def _constant(a: Const, e: Eqn) -> Any:
    """What a constant is told from others by: one that may be rounded is like those of its own line alone."""
    key = a.type, a.value.tobytes()
    return key if radius_of(a.value) is None else (*key, e.origin)


def _sum(terms: list[Form], signs: tuple[int, ...]) -> Form:
    total: Form = {}
    for one, sign in zip(terms, signs, strict=True):
        for a, k in one.items():
            total[a] = total.get(a, 0) + sign * k
    return {a: k for a, k in total.items() if k}


def _written(total: Form, out: Var, e: Eqn, eqns: list[Eqn]) -> Any:
    """A sum of no or one term as an atom; None for others."""
    if not total:
        zero = Const(out.type.dtype.type(0))
        if not out.type.shape:
            return zero
        y = Var(out.type)
        eqns.append(Eqn(broadcast, (zero,), {"shape": out.type.shape, "dims": ()}, (y,), e.origin))
        return y
    if len(total) == 1:
        ((a, k),) = total.items()
        if k == 1:
            return a
        if k == -1:
            y = Var(out.type)
            eqns.append(Eqn(neg, (a,), {}, (y,), e.origin))
            return y
    return None
