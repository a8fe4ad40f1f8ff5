"""Call-backs: an equation without loop code is computed by its NumPy evaluation, inside the function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wengert.backends.arrays import Grid
from wengert.backends.code import Callback
from wengert.backends.graph import Node, Step
from wengert.backends.kit import Kit
from wengert.ir.program import Eqn
from wengert.ir.types import StackType

if TYPE_CHECKING:
    from wengert.backends.emit import Region


def callback(kit: Kit, eqn: Eqn, ins: Sequence[Node]) -> tuple[Node, ...]:
    """The step that calls Python."""
    types = tuple(v.type for v in eqn.outputs)
    if any(isinstance(t, StackType) for t in (*types, *(a.type for a in eqn.inputs))):
        raise TypeError(f"{eqn.prim.name} of stacks has no lowering")
    line = kit.line

    def emit(r: Region, step: Step, places: Sequence[Any]) -> list[Any]:
        functions = r.e.function.callbacks
        program, _ = line
        functions.append(
            Callback(
                eqn.prim, eqn.params, tuple(a.type for a in eqn.inputs), types, program.line(eqn)
            )
        )
        pointers = []
        for node in step.operands:
            array = r.e.spilled(node.array) if isinstance(node.array, Grid) else node.array
            if not array.whole:  # a view of what stands outside
                array = r.e.temporary(node.shape, node.dtype)
                r.copy(node, array)
            pointers.append((array.buffer, r.e.place_of(array)))
        pointers += [(place.buffer, r.e.place_of(place)) for place in places]
        problem = r.e.problem("callback", eqn.prim.name, program.line(eqn))
        r.w.call(
            "wg_callback",
            ["context", r.w.index(len(functions) - 1), *pointers],
            [p.buffer for p in places],
            problem,
        )
        return list(places)

    return kit.step(f"call-back {eqn.prim.name}", ins, "whole", types, emit)
