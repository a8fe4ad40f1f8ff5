"""Finished calls as questions of trust: who computed what, and how to look at it closely.

What looks closely is imported when it is asked for: `import wengert` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.api.arguments import Call, split_aux
from wengert.ir.primitive import Handle
from wengert.ir.program import Program
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
CLOSE = ("check", "repair")  # levels that look at every number


def wanted(level: str, builder: Any, results: Sequence[Any]) -> str:
    """The level to look at these results with; "" where that is left to a call around.

    The strongest of the wishes inside counts. Inside another trace, the wish is left with it.
    """
    if (taken := inner.get()) is not None and tracing():
        taken.append(builder.name)
    level = policies.stronger(level, builder.trust)
    if level not in CLOSE:
        return ""
    if tracing() or any(isinstance(r, Handle) for r in results):
        policies.wish(level)
        return ""
    return level


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

    return question.Recorded(program, args, len(call.leaves), builder.decisions, function, weak)


def gradients(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], gs: Sequence[Any],
    found: Sequence[Any], values: Sequence[Any] = (), holomorphic: bool = False,
    has_aux: bool = False,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Values of the outputs (where given) and cotangents `found` of the leaves, looked at."""
    from wengert.trust import guard, question

    results = [question.Result(number=y, output=n) for n, y in enumerate(values)]
    for n, (g, leaf) in enumerate(zip(found, call.leaves, strict=True)):
        number = np.asarray(g, leaf.type.dtype)
        conjugate = leaf.type.dtype.kind == "c" and not holomorphic
        results.append(question.Result(number, leaf=n, gs=gs, conjugate=conjugate))
    seen = recorded(call, builder, outs, has_aux)
    ys = guard.examine(question.Question(what, results, seen), level)
    return ys[: len(values)], ys[len(values) :]


def blocks(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], rows: list[list[Any]],
    has_aux: bool = False,
) -> list[list[Any]]:  # fmt: skip
    """A Jacobian: per output, per leaf, an array of shape `(*output, *leaf)`."""
    from wengert.trust import guard, question

    seen = recorded(call, builder, outs, has_aux)
    moving = [n for n, t in enumerate(seen.program.out_types) if t.inexact]
    results = [
        question.Result(rows[n][k], output=n, rows=True, leaf=k)
        for n in moving
        for k in range(len(call.leaves))
    ]
    found = iter(guard.examine(question.Question(what, results, seen), level))
    return [[next(found) for _ in row] if n in moving else row for n, row in enumerate(rows)]


def tangents(
    what: str, level: str, call: Call, builder: Builder, outs: Sequence[Any], dxs: Sequence[Any],
    values: Sequence[Any], moved: Sequence[Any], has_aux: bool = False,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Values and tangents of the outputs, moved along `dxs`; those of integers stay as they are."""
    from wengert.trust import guard, question

    seen = recorded(call, builder, outs, has_aux)
    moving = [n for n, t in enumerate(seen.program.out_types) if t.inexact]
    results = [question.Result(number=y, output=n) for n, y in enumerate(values)]
    results += [question.Result(moved[n], output=n, dxs=dxs) for n in moving]
    found = guard.examine(question.Question(what, results, seen), level)
    ys, slopes = found[: len(values)], dict(zip(moving, found[len(values) :], strict=True))
    return ys, [slopes.get(n, dy) for n, dy in enumerate(moved)]
