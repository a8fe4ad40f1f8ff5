"""error_bound: a function's results, and how far each may be off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.arguments import Argnums, Call
from wengert.api.gradients import record_call
from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.ops.radii import real_of
from wengert.trust.bounds import run


class Bounded(NamedTuple):
    """Results, and for each number a bound of its absolute error, in the same containers."""

    value: Any
    bound: Any


def looked_at(builder: Any, leaves: list[Any]) -> tuple[Program, list[Any]]:
    """The program of a recorded call, and the values of its inputs beyond the call's own.

    Its last outputs are what Python decided by while it ran.
    """
    found = builder.program(leaves)
    outputs = [*found.outputs, *dict.fromkeys(node for node, *_ in builder.decisions)]
    program = Program(found.inputs, found.eqns, outputs, found.sources, found.name)
    return program, [value for _, value in builder.captured]


def error_bound(fun: Callable[..., Any], argnums: Argnums | None = None) -> Callable[..., Bounded]:
    """`error_bound(f)(*args)`: what f returns, and a bound of the absolute error of each number.

    The exact result of `f`, computed in real numbers from these very arguments, lies within the
    bound of what was computed, as far as the roundings of its operations are known. A bound is
    infinite where that cannot be told: because a result is not finite, a decision (`if`, a
    comparison, an index) hangs on digits that are lost, or an operation has no answer.
    `f` may be a derivative: `error_bound(grad(f))`. It works under `vmap` and `jit`.

    >>> import numpy as np
    >>> value, bound = error_bound(lambda x: (1 - np.cos(x)) / x**2)(1e-4)
    >>> print(f"{value:.10f}", bound < 1e-6, bound > 1e-9)
    0.4999999970 True True
    """

    def bounded(*args: Any, **kwargs: Any) -> Bounded:
        numbers = tuple(range(len(args))) if argnums is None else argnums
        call = Call(fun, args, kwargs, numbers, None, "error_bound")
        builder, _, out = record_call(call)
        leaves, structure = tree.flatten(out)
        program, rest = looked_at(builder, leaves)
        found = run(program, [*(leaf.value for leaf in call.leaves), *rest])
        values, radii = found.values[: len(leaves)], found.radii[: len(leaves)]
        doubts = [r for r in found.radii[len(leaves) :] if r is not None]
        bounds = [_delivered(y, r, doubts) for y, r in zip(values, radii, strict=True)]
        return Bounded(tree.unflatten(structure, values), tree.unflatten(structure, bounds))

    bounded.__name__ = f"error_bound({getattr(fun, '__name__', 'f')})"
    return bounded


def _delivered(y: Any, r: Any, doubts: list[Any]) -> Any:
    t = type_of(y)
    real = real_of(y) if t.dtype.kind != "b" else np.dtype(bool)
    bound = (
        np.zeros_like(y, dtype=real) if r is None else r * real.type(1 + 1e-6) if t.inexact else r
    )
    for doubt in doubts:
        far = True if t.dtype.kind == "b" else np.inf
        bound = np.where(np.any(doubt != 0), far, bound)
    if t.inexact:
        bound = np.where(np.isfinite(y), bound, np.inf)
    return bound[()] if isinstance(bound, np.ndarray) else bound
