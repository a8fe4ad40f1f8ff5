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

    The number of outputs of `program` comes third. Tangents that turn out constant (zero) are
    kept as outputs of `tangent`.
    """
    moving = tuple(moving)
    both = sweep(jvp(program, moving))
    count = len(program.outputs)
    tangents = both.outputs[count:]
    known = [True] * len(program.inputs) + [False] * (len(both.inputs) - len(program.inputs))
    first, later, flags = split(both, known)
    # tangents that are known do not depend on dxs: pass them through as residuals
    residual = list(first.outputs[sum(flags) :])
    still = [a for a, f in zip(tangents, flags[count:], strict=True) if f and hasattr(a, "type") and a not in residual]
    extra = [a for a in dict.fromkeys(still) if a.__class__.__name__ == "Var"]
    ys = both.outputs[:count]
    forward = Program(first.inputs, first.eqns, [*ys, *residual, *extra], program.sources, f"forward({program.name})")
    dxs = both.inputs[len(program.inputs) :]
    tangent = Program([*residual, *extra, *dxs], later.eqns, tangents, program.sources, f"tangent({program.name})")
    return forward, tangent, count


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
