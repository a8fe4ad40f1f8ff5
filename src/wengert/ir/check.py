"""Is this a legal program? Every transform's output is checked in tests."""

from __future__ import annotations

from typing import Any

from wengert.errors import InternalError
from wengert.ir.primitive import result_types
from wengert.ir.program import Const, Program, Var


def check(program: Program) -> Program:
    """Return `program` if every variable is made once, before use, with the type its primitive says.

    Raises InternalError with the printed program otherwise.
    """
    made: set[Any] = set()

    def fail(why: str) -> InternalError:
        return InternalError(
            f"illegal program: {why}\n{program}", "please report this with the program above"
        )

    for v in program.inputs:
        if v in made:
            raise fail("an input stands twice")
        made.add(v)
    for e in program.eqns:
        for a in e.inputs:
            if isinstance(a, Var) and a not in made:
                raise fail(f"{e.prim.name} uses a variable before it is made")
            if isinstance(a, Const) and a.type.shape != ():
                raise fail(f"{e.prim.name} has a constant that is no scalar")
        said = result_types(e.prim.typeof(*(a.type for a in e.inputs), **e.params))
        if said != tuple(v.type for v in e.outputs):
            raise fail(
                f"{e.prim.name} gives {said}, but its results are typed {[v.type for v in e.outputs]}"
            )
        for v in e.outputs:
            if v in made:
                raise fail("a variable is made twice")
            made.add(v)
        for value in e.params.values():
            if isinstance(value, Program):
                check(value)
    for a in program.outputs:
        if isinstance(a, Var) and a not in made:
            raise fail("an output is never made")
    return program
