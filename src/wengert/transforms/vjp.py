"""vjp and linearize as program transforms: jvp, split, transpose. The second road to a derivative."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.ir.program import Program
from wengert.transforms.jvp import jvp
from wengert.transforms.split import split
from wengert.transforms.sweep import sweep
from wengert.transforms.transpose import transpose


def linearize(program: Program, moving: Sequence[bool]) -> tuple[Program, Program, int]:
    """`forward(xs) -> (ys, residuals)` and `tangent(residuals, dxs) -> dys`, linear in dxs.

    The number of outputs of `program` comes third.
    """
    both = sweep(jvp(program, moving, parted=True))
    n, count = len(program.inputs), len(program.outputs)
    forward, tangent, _ = split(
        both,
        [True] * n + [False] * (len(both.inputs) - n),
        [True] * count + [False] * (len(both.outputs) - count),
    )
    return (
        forward.named(f"forward({program.name})"),
        tangent.named(f"tangent({program.name})"),
        count,
    )


def vjp(program: Program, moving: Sequence[bool]) -> Program:
    """`(xs, gs of the inexact outputs) -> (ys, cotangents of the moving inputs)`."""
    from wengert.ir.evaluate import evaluate
    from wengert.transforms.derive import derive

    forward, tangent, count = linearize(program, moving)
    movers = sum(moving)
    residuals = len(tangent.inputs) - movers
    back = transpose(tangent, [False] * residuals + [True] * movers)

    def both(*args: object) -> list[object]:
        n = len(program.inputs)
        outs = evaluate(forward, args[:n])
        return [*outs[:count], *evaluate(back, [*outs[count:], *args[n:]])]

    types = [*program.in_types, *(t for t in program.out_types if t.inexact)]
    return sweep(derive(both, types, program, f"vjp({program.name})"))
