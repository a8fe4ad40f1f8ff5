"""Finished calls as questions of trust: who computed what, and how to look at it closely.

What looks closely is imported when it is asked for: `import wengert` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.api import asked
from wengert.api.arguments import Call, split_aux
from wengert.api.asked import CLOSE
from wengert.ir.primitive import Handle
from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.trace.trace import tracing
from wengert.trust import means, policies

if TYPE_CHECKING:
    from wengert.trust import question

# filled with the derivatives that are taken inside of a trace, where somebody wants to know
inner: ContextVar[list[str] | None] = ContextVar("wengert_inner", default=None)


def _native(program: Program) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A program as machine code, for the bounds of large arrays."""
    from wengert.memo.compiled import compiled, regular

    ready, types = compiled(program), program.in_types
    return lambda args: ready([regular(x, t) for x, t in zip(args, types, strict=True)])


means.machine.append(_native)


def closely(level: str) -> bool:
    """Does this level, or the policy, ask to look at every number?"""
    return policies.at_least(level) in CLOSE


def later(numbers: Sequence[Any]) -> bool:
    """Is this inside of another trace, whose calls are looked at when they are made?"""
    return tracing() or any(isinstance(x, Handle) for x in numbers)


def wanted(level: str, builder: Any, results: Sequence[Any]) -> str:
    """The level to look at these results with; "" where that is left to a call around.

    The strongest of the wishes inside counts. Inside another trace, the wish is left with it.
    """
    if (taken := inner.get()) is not None and tracing():
        taken.append(builder.name)
    level = policies.at_least(policies.stronger(level, builder.trust))
    if level not in CLOSE:
        return ""
    if asked.here() is not None:
        return level
    if later(results):
        policies.wish(level)
        return ""
    return level


def _examined(question: question.Question, level: str, call: Call, has_aux: bool) -> list[Any]:
    """The results, looked at now; or, in a compiled function, after each of its calls."""
    from wengert.trust import guard

    if asked.here() is None:
        return guard.examine(question, level)
    at = call.changed(asked.kept)

    def again(get: asked.Get) -> Callable[..., Any]:
        return lambda *xs: split_aux(at.changed(get).run(xs), has_aux)[0]

    return asked.ask(question, level, (call.args, call.kwargs), again)


def recorded(
    call: Call, builder: Builder, outs: Sequence[Any], has_aux: bool = False
) -> question.Recorded:
    """A recorded call: its program at its numbers, and the function to run again."""
    from wengert.trust import question

    program = builder.program(outs)
    args = [*(leaf.value for leaf in call.leaves), *(value for _, value in builder.captured)]
    weak = [leaf.weak for leaf in call.leaves]

    def function(*xs: Any) -> Any:
        return split_aux(call.run(xs), has_aux)[0]

    return question.Recorded(
        program,
        args,
        len(call.leaves),
        builder.decisions,
        function,
        weak,
        call.names,
        builder.taken,
    )


def gradients(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], gs: Sequence[Any],
    found: Sequence[Any], values: Sequence[Any] = (), holomorphic: bool = False,
    has_aux: bool = False, refusal: str = "",
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Values of the outputs (where given) and cotangents `found` of the leaves, looked at."""
    from wengert.trust import question

    results = [question.Result(number=y, output=n) for n, y in enumerate(values)]
    for n, (g, leaf) in enumerate(zip(found, call.leaves, strict=True)):
        number = g if isinstance(g, Handle) else np.asarray(g, leaf.type.dtype)
        conjugate = leaf.type.dtype.kind == "c" and not holomorphic
        results.append(question.Result(number, leaf=n, gs=gs, conjugate=conjugate))
    seen = recorded(call, builder, outs, has_aux)
    asks = question.Question(what, results, seen, refusal=refusal)
    ys = _examined(asks, level, call, has_aux)
    return ys[: len(values)], ys[len(values) :]


def blocks(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], rows: list[list[Any]],
    has_aux: bool = False,
) -> list[list[Any]]:  # fmt: skip
    """A Jacobian: per output, per leaf, an array of shape `(*output, *leaf)`."""
    from wengert.trust import question

    seen = recorded(call, builder, outs, has_aux)
    moving = [n for n, t in enumerate(seen.program.out_types) if t.inexact]
    results = [
        question.Result(rows[n][k], output=n, rows=True, leaf=k)
        for n in moving
        for k in range(len(call.leaves))
    ]
    found = iter(_examined(question.Question(what, results, seen), level, call, has_aux))
    return [[next(found) for _ in row] if n in moving else row for n, row in enumerate(rows)]


def results(
    what: str, level: str, builder: Builder, inputs: Sequence[Any], leaves: Sequence[Any],
    again: Callable[[Sequence[Any]], Any],
) -> list[Any]:  # fmt: skip
    """Results of a compiled function, looked at after each of its calls; `again` runs it on values."""
    from wengert.trust import question

    shown = [y for y in leaves if isinstance(y, Handle) or np.asarray(y).dtype.kind in "fciub"]
    traced = builder.program(shown)
    order = sorted(range(len(inputs)), key=lambda n: not inputs[n].type.inexact)  # movers first
    movers = sum(x.type.inexact for x in inputs)
    places = [*(traced.inputs[n] for n in order), *traced.inputs[len(inputs) :]]
    program = Program(places, traced.eqns, traced.outputs, traced.sources, traced.name)
    args = [*(inputs[n] for n in order), *(value for _, value in builder.captured)]
    weak = [inputs[n].weak for n in order[:movers]]
    seen = question.Recorded(program, args, movers, builder.decisions, None, weak)
    mine = [n for n, y in enumerate(shown) if isinstance(y, Handle) and type_of(y).inexact]
    rest = [asked.kept(x) for x in args[movers : len(inputs)]]

    def function(get: asked.Get) -> Callable[..., Any]:
        def run(*xs: Any) -> Any:
            at = dict(zip(order, [*xs, *map(get, rest)], strict=True))
            return again([at[n] for n in range(len(order))])

        return run

    asked_for = question.Question(what, [question.Result(shown[n], output=n) for n in mine], seen)
    found = asked.ask(asked_for, level, list(inputs), function)
    answers = {id(shown[n]): y for n, y in zip(mine, found, strict=True)}
    return [_as(answers.get(id(y), y), y) for y in leaves]


def _as(y: Any, like: Any) -> Any:
    """A value of a trace, handed out as another one was."""
    if y is not like:
        y.weak, y.boxed = like.weak, like.boxed
    return y


def tangents(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], dxs: Sequence[Any],
    values: Sequence[Any], moved: Sequence[Any], has_aux: bool = False,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Values and tangents of the outputs, moved along `dxs`; those of integers stay as they are."""
    from wengert.trust import question

    seen = recorded(call, builder, outs, has_aux)
    moving = [n for n, t in enumerate(seen.program.out_types) if t.inexact]
    results = [question.Result(number=y, output=n) for n, y in enumerate(values)]
    results += [question.Result(moved[n], output=n, dxs=dxs) for n in moving]
    found = _examined(question.Question(what, results, seen), level, call, has_aux)
    ys, slopes = found[: len(values)], dict(zip(moving, found[len(values) :], strict=True))
    return ys, [slopes.get(n, dy) for n, dy in enumerate(moved)]
