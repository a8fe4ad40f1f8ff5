"""recast: the same program in another precision, line by line if wanted.

Digits change here on purpose: this is how a program is asked what it would lose in float32 or
float16, and which of its lines may not go there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import result_types
from wengert.ir.program import Atom, Const, Eqn, Program, Var
from wengert.ir.types import ArrayType, StackType
from wengert.ops.arithmetic import convert
from wengert.ops.literal import Frozen

Choice = Callable[[Eqn], Any]  # the float dtype that an equation is to be computed in

_COMPLEX = {2: np.complex64, 4: np.complex64, 8: np.complex128}  # NumPy has no halves


def uniform(to: Any) -> Choice:
    """Everything in one precision."""
    return lambda eqn: to


def lowered(dtype: Any, to: Any) -> np.dtype[Any]:
    """What a dtype becomes when floats become `to`: complex numbers are made of such floats.

    >>> lowered(np.dtype(np.complex128), np.float32), lowered(np.dtype(int), np.float32)
    (dtype('complex64'), dtype('int64'))
    """
    dtype, to = np.dtype(dtype), np.dtype(to)
    if dtype.kind == "c":
        return np.dtype(_COMPLEX[to.itemsize])
    found: np.dtype[Any] = to if dtype.kind == "f" else dtype
    return found


def in_precision(value: Any, to: Any) -> Any:
    """A number, array, type or stack type with its floats as `to`."""
    if isinstance(value, StackType):
        return StackType(in_precision(value.item, to))
    if isinstance(value, ArrayType):
        return ArrayType.of(value.shape, lowered(value.dtype, to))
    value = np.asarray(value)
    with np.errstate(all="ignore"):  # an overflow shows in the digits
        return value.astype(lowered(value.dtype, to))[()]


def recast(program: Program, choose: Choice, inputs: Any = None) -> Program:
    """The program with every equation computed in the precision that `choose` says.

    Values are converted where precisions meet; results come as they are computed. `inputs` is the
    precision of the arguments (None: as they are). The k-th equation that is no conversion of
    ours is the k-th of `program`.
    """
    now: dict[Any, Atom] = {}
    eqns: list[Eqn] = []
    for v in program.inputs:
        now[v] = v if inputs is None else Var(in_precision(v.type, inputs))
    for e in program.eqns:
        to = choose(e)
        ins = tuple(_met(now[a] if isinstance(a, Var) else a, to, e.origin, eqns) for a in e.inputs)
        params = {k: _param(p, to) for k, p in e.params.items()}
        types = result_types(e.prim.typeof(*(a.type for a in ins), **params))
        outs = tuple(Var(t) for t in types)
        eqns.append(Eqn(e.prim, ins, params, outs, e.origin))
        now.update(zip(e.outputs, outs, strict=True))
    outputs = [now[a] if isinstance(a, Var) else a for a in program.outputs]
    given = [now[v] for v in program.inputs]
    return Program(given, eqns, outputs, program.sources, program.name)  # type: ignore[arg-type]


def _met(atom: Atom, to: Any, origin: int, eqns: list[Eqn]) -> Atom:
    """An argument in the precision of the equation that reads it."""
    wanted = in_precision(atom.type, to)
    if atom.type == wanted:
        return atom
    if isinstance(atom, Const):
        return Const(in_precision(atom.value, to))
    if isinstance(wanted, StackType):  # what a loop left behind keeps its precision
        return atom
    out = Var(wanted)
    eqns.append(Eqn(_meeting, (atom,), {"dtype": wanted.dtype}, (out,), origin))
    return out


class _Meeting(type(convert)):  # type: ignore[misc]
    """A conversion that was put in here, told from the program's own."""

    name = "meeting"


_meeting = _Meeting()


def _param(value: Any, to: Any) -> Any:
    if isinstance(value, Program):
        inner = recast(value, uniform(to), inputs=to)
        outputs = [
            Const(in_precision(a.value, to)) if isinstance(a, Const) else a for a in inner.outputs
        ]
        return Program(inner.inputs, inner.eqns, outputs, inner.sources, inner.name)
    if isinstance(value, np.dtype):
        return lowered(value, to)
    if isinstance(value, Frozen):
        return Frozen(in_precision(value.array, to))
    if isinstance(value, ArrayType | StackType):
        return in_precision(value, to)
    return value


def values(program: Program, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Results of each of the program's own equations, and of the program.

    What NumPy's linear algebra does not know in half precision is computed in single and rounded.
    """
    seen: list[Any] = []

    def compute(eqn: Eqn, ins: Sequence[Any]) -> Any:
        try:
            outs = eqn.prim.eval(*ins, **eqn.params)
        except (TypeError, ValueError):
            if not any(np.asarray(x).dtype == np.float16 for x in ins):
                raise
            wide = [in_precision(x, np.float32) for x in ins]
            outs = eqn.prim.eval(*wide, **{k: _param(p, np.float32) for k, p in eqn.params.items()})
            halves = tuple(
                in_precision(y, np.float16) for y in (outs if eqn.prim.multiple else (outs,))
            )
            outs = halves if eqn.prim.multiple else halves[0]
        if not isinstance(eqn.prim, _Meeting):
            seen.append(outs if eqn.prim.multiple else (outs,))
        return outs

    with np.errstate(all="ignore"):
        given = [in_precision(x, v.type.dtype) if isinstance(v.type, ArrayType) and v.type.inexact else x
                 for x, v in zip(args, program.inputs, strict=True)]  # fmt: skip
        results = evaluate(program, given, arithmetic=compute)
    return seen, results
