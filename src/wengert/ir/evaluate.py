"""The one loop: on arrays it computes, on tracers it inlines.

Every transform is this loop with another reading of an equation.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.program import Const, Eqn, Program

Observer = Callable[[Eqn, Sequence[Any], Sequence[Any]], None]
Arithmetic = Callable[[Eqn, Sequence[Any]], Any]

# gives an observer for each program that is evaluated here without one: those that equations hold
watching: ContextVar[Callable[[Program, Sequence[Any]], Observer] | None] = ContextVar(
    "wengert_watching", default=None
)


def evaluate(
    program: Program,
    args: Sequence[Any],
    *,
    observer: Observer | None = None,
    arithmetic: Arithmetic | None = None,
    owned: bool = False,
) -> list[Any]:
    """Values of the outputs of `program` at `args` (arrays, numbers or tracers).

    `observer(eqn, ins, outs)` sees every equation; `arithmetic(eqn, ins)` computes instead of
    `eqn.prim` (balls, bounds, patterns). A value is dropped at its last use, and an equation
    that may reuse its operand's memory does so there. `owned`: the list `args` is emptied, so that
    arguments too may give their memory.

    >>> import wengert as wg
    >>> evaluate(wg.program(lambda x: 3 * x * x)(2.0), [5.0])
    [np.float64(75.0)]
    """
    if observer is None and (watch := watching.get()) is not None:
        observer = watch(program, args)
    inlining = any(isinstance(a, Handle) for a in args)
    abstract = False  # does the trace know no numbers? Then arrays made of constants stay equations
    if inlining:  # a program derived from this one keeps indices into the same sources
        builder = max((a.builder for a in args if isinstance(a, Handle)), key=lambda b: b.serial)
        abstract = not builder.saving
        derived = builder.sources is program.sources
        inlining = (
            derived or builder.sources is None
        )  # elsewhere, the line of the equation it stands for
    env: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))
    if owned:
        args.clear()  # type: ignore[attr-defined]
    sources = program.sources
    for eqn, dying in zip(program.eqns, program.dying, strict=True):
        ins = [a.value if type(a) is Const else env[a] for a in eqn.inputs]
        if inlining:
            known = 0 <= eqn.origin < len(sources)
            token = source.current.set(
                eqn.origin if derived else sources[eqn.origin] if known else None
            )
        try:
            if arithmetic is not None:
                outs = arithmetic(eqn, ins)
            elif abstract and all(type(a) is Const for a in eqn.inputs):
                outs = builder.record(eqn.prim, tuple(ins), eqn.params)
            elif eqn.prim.reuses is not None and observer is None:
                operand = eqn.inputs[eqn.prim.reuses]
                ins[eqn.prim.reuses] = None
                holder = [
                    env.pop(operand)
                    if operand in dying
                    else env.get(operand, getattr(operand, "value", None))
                ]
                outs = call_reusing(eqn.prim, holder, ins, eqn.params)
            else:
                outs = eqn.prim(*ins, **eqn.params)
        finally:
            if inlining:
                source.current.reset(token)
        if not eqn.prim.multiple:
            outs = (outs,)
        env.update(zip(eqn.outputs, outs, strict=True))
        if observer is not None:
            observer(eqn, ins, outs)
        del ins, outs
        for v in dying:
            env.pop(v, None)
    return [a.value if isinstance(a, Const) else env[a] for a in program.outputs]


def call_reusing(prim: Any, holder: list[Any], args: list[Any], params: Any) -> Any:
    """Apply `prim`, overwriting the operand in `holder` if nobody else can see its memory.

    `holder` owns the operand (a one-element list that is emptied); `args` has a hole in its place.
    The reference count says whether somebody else holds it: views hold their base.
    """
    position = prim.reuses
    operand = holder.pop()
    builder = operand.builder if isinstance(operand, Handle) else None
    for arg in args:
        if isinstance(arg, Handle) and (builder is None or arg.builder.serial > builder.serial):
            builder = arg.builder
    if builder is None:
        mine = _mine(sys.getrefcount(operand), operand)
        args[position] = operand if mine else np.array(operand)
        try:
            return prim.in_place(*args, **params)
        except BaseException:  # whoever lent the operand has it back
            holder.append(operand)
            raise
    if isinstance(operand, Handle) and operand.builder is builder:
        holder.append(operand)
        del operand
        return builder.record_reusing(prim, holder, args, params)
    args[position] = operand
    return builder.record(prim, tuple(args), params)


def _mine(count: int, x: Any) -> bool:
    """Can nobody else see the memory of x, which `count` references lead to? (Counted before x is passed.)"""
    return bool(count == ALONE and type(x) is np.ndarray and x.base is None and x.flags.writeable)


def owned(holder: list[Any]) -> Any:
    """The array in `holder` (which is emptied), or a copy if somebody else can see its memory."""
    x = holder.pop()
    return x if _mine(sys.getrefcount(x), x) else np.array(x)


def alone(holder: list[Any]) -> bool:
    """Does only `holder` know the object in it?"""
    x = holder.pop()
    count = sys.getrefcount(x)
    holder.append(x)
    return count == ALONE


def _calibrate() -> int:
    holder = [np.empty(1)]
    x = holder.pop()
    return sys.getrefcount(x)


ALONE = _calibrate()  # what getrefcount says of a value that only a local variable holds
