"""Maps: two that follow each other over one batch become one.

What the first leaves to the second then need not be written down for the whole batch: a forward sweep and
the sweep back, above all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.ir.evaluate import evaluate
from wengert.ir.passes import remembered
from wengert.ir.program import Const, Eqn, Program
from wengert.ops.control.map import map_
from wengert.trace.trace import program_of
from wengert.transforms.sweep import sweep


class Pair(NamedTuple):
    """Two equations by their places, and the places of all that comes from the first otherwise."""

    first: int
    second: int
    after: frozenset[int]


@remembered
def joined(program: Program) -> Program:
    """The program with maps joined: the same operations, example by example."""
    if not any(e.prim is map_ for e in program.eqns):
        return program
    eqns, left = list(program.eqns), set(program.outputs)
    while (pair := _pair(eqns)) is not None:
        whole = _one(eqns[pair.first], eqns[pair.second], eqns, left)
        if whole is None:
            return program
        between = range(pair.first + 1, pair.second)
        eqns = [
            *eqns[: pair.first],
            *(eqns[k] for k in between if k not in pair.after),
            whole,
            *(eqns[k] for k in between if k in pair.after),
            *eqns[pair.second + 1 :],
        ]
    if len(eqns) == len(program.eqns):
        return program
    return sweep(Program(program.inputs, eqns, program.outputs, program.sources, program.name))


def _pair(eqns: Sequence[Eqn]) -> Pair | None:
    """A map, and a later one over the same batch that reads its results and nothing else made of them."""
    makers: dict[Any, int] = {v: k for k, e in enumerate(eqns) for v in e.outputs}
    for k, e in enumerate(eqns):
        if e.prim is not map_ or e.params["chunk"] is not None:
            continue
        for a, m in zip(e.inputs, e.params["mapped"], strict=True):
            i = makers.get(a, k) if m else k
            before = eqns[i]
            alike = before.prim is map_ and before.params["chunk"] is None
            if i == k or not alike or before.params["extent"] != e.params["extent"]:
                continue
            after, built = set(), set(before.outputs)
            for n in range(i + 1, k):
                if any(v in built for v in eqns[n].inputs):
                    after.add(n)
                    built.update(eqns[n].outputs)
            pairs = list(zip(e.inputs, e.params["mapped"], strict=True))
            if all(v not in built or (f and v in before.outputs) for v, f in pairs):
                return Pair(i, k, frozenset(after))
    return None


def _one(first: Eqn, second: Eqn, eqns: Sequence[Eqn], left: set[Any]) -> Eqn | None:
    """Both as one equation; None where a body cannot be written anew."""
    used = {a for e in eqns if e is not second for a in e.inputs} | left
    kept = [n for n, v in enumerate(first.outputs) if v in used]
    inner = {v: n for n, v in enumerate(first.outputs)}
    given = [
        (a, m)
        for a, m in zip(second.inputs, second.params["mapped"], strict=True)
        if isinstance(a, Const) or a not in inner
    ]
    one, two = first.params["body"], second.params["body"]
    count = len(first.inputs)

    def body(*xs: Any) -> list[Any]:
        ys = evaluate(one, xs[:count])
        rest = iter(xs[count:])
        args = [
            next(rest) if isinstance(a, Const) or a not in inner else ys[inner[a]]
            for a in second.inputs
        ]
        return [*(ys[n] for n in kept), *evaluate(two, args)]

    types = [*one.in_types, *(t for t, a in zip(two.in_types, second.inputs, strict=True) if isinstance(a, Const) or a not in inner)]  # fmt: skip
    made, captured = program_of(body, types, name=one.name)
    if captured:
        return None
    params = {
        **first.params,
        "body": sweep(made),
        "mapped": (*first.params["mapped"], *(m for _, m in given)),
    }
    outputs = (*(first.outputs[n] for n in kept), *second.outputs)
    return Eqn(map_, (*first.inputs, *(a for a, _ in given)), params, outputs, second.origin)
