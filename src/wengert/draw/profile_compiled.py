"""The profile of a compiled function: its lines compiled one by one, and timed on the numbers of a call.

Machine code has no lines: equations of several are fused into one loop. So each run of equations of
one line is compiled for itself, as the whole is, and their times stand beside the whole's: what the sum
is longer than the whole, fusing across lines has saved. Runs of equal structure share their code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.api.jit import Jitted
from wengert.draw.profile import LineCost, Profile, best, bytes_of
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.memo.compiled import compiled

_MOST = 2000  # runs that are compiled
_CALLS = 20  # in a row, for one time


def compiled_profile(
    f: Jitted, args: Sequence[Any], kwargs: dict[str, Any], repeat: int = 3
) -> Profile:
    """Costs of a call of a compiled function, by the user's lines."""
    version = f.version_for(*args, **kwargs)
    program, captured = version.compiled.program, version.trace.captured
    opened = f.signature.open(tuple(args), kwargs)
    values: dict[Any, Any] = {
        v: np.asarray(x, v.type.dtype)[()]
        for v, x in zip(program.inputs, [*opened.values, *captured], strict=True)
    }

    def keep(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        values.update(zip(eqn.outputs, outs, strict=True))

    with np.errstate(all="ignore"):
        evaluate(program, [values[v] for v in program.inputs], observer=keep)
    runs = _runs(program)
    if len(runs) > _MOST:
        raise InputError(
            f"the program of {f.__name__} changes between lines {len(runs)} times",
            "profile a part of it, or a loop as wg.scan",
            source.here(),
        )
    own = _own_time(repeat)
    costs: dict[Any, list[Any]] = {}
    for line, part in runs:
        code = compiled(part)
        given = [values[v] for v in part.inputs]
        code(given)  # compiles
        took = max(0.0, _timed(code, given, repeat) - own)
        row = costs.setdefault(line and (line.file, line.line), [line, 0, 0.0, 0])
        row[1] += len(part.eqns)
        row[2] += took
        row[3] += sum(bytes_of(values[v]) for v in part.outputs if isinstance(v, Var))
    rows = [
        LineCost(line.file, line.line, line.text, count, took, 0.0, made, 0)
        if line
        else LineCost("", 0, "", count, took, 0.0, made, 0)
        for line, count, took, made in costs.values()
    ]
    whole = best(lambda: f(*args, **kwargs), 5 * repeat)
    name = f.__name__.removeprefix("jit(").removesuffix(")")
    return Profile(f"jit({name})", rows, whole, compiled=True)


def _runs(program: Program) -> list[tuple[source.Line | None, Program]]:
    """Neighbouring equations of one line as programs of their own."""
    groups: list[tuple[Any, list[Eqn]]] = []
    for eqn in program.eqns:
        line = program.line(eqn)
        place = line and (line.file, line.line)
        if not groups or groups[-1][0] != place:
            groups.append((place, []))
        groups[-1][1].append(eqn)
    last: dict[Any, int] = {a: len(groups) for a in program.outputs if isinstance(a, Var)}
    for k in range(len(groups) - 1, -1, -1):
        for eqn in groups[k][1]:
            for a in eqn.inputs:
                if isinstance(a, Var):
                    last[a] = max(last.get(a, -1), k)
    found = []
    for k, (_, eqns) in enumerate(groups):
        made = {v for e in eqns for v in e.outputs}
        inputs = dict.fromkeys(
            a for e in eqns for a in e.inputs if isinstance(a, Var) and a not in made
        )
        outputs = [v for e in eqns for v in e.outputs if last.get(v, -1) > k]
        part = Program(tuple(inputs), eqns, outputs, program.sources, "line")
        found.append((program.line(eqns[0]), part))
    return found


def _timed(code: Any, given: Sequence[Any], repeat: int) -> float:
    def many() -> None:
        for _ in range(_CALLS):
            code(given)

    return best(many, repeat) / _CALLS


def _own_time(repeat: int) -> float:
    """What calling a compiled program costs by itself."""
    x = Var(ArrayType.of((), np.dtype(float)))
    return _timed(compiled(Program((x,), [], [x], (), "line")), [1.0], repeat)
