"""Bodies: a user's function as a program without captured values, for equations that hold programs.

What a function uses from outside (traced values, arrays) becomes arguments of the equation; what
several functions use, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.forward import finished
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive
from wengert.ir.program import Atom, Const, Eqn, Program, Var
from wengert.ir.types import type_of
from wengert.numpy_api.promote import is_weak, operand
from wengert.numpy_api.table import answers_itself
from wengert.ops.arithmetic import convert
from wengert.trace.body import body as tracing_body
from wengert.trace.body import inside
from wengert.trace.builder import Builder
from wengert.trace.trace import meet, run
from wengert.trace.tracer import Tracer

_TYPED = {bool: np.bool_, int: np.int64, float: np.float64, complex: np.complex128}


class Body:
    """A traced function: its program, whose last inputs are `captured`; the container it returns."""

    __slots__ = ("captured", "program", "structure", "weak")

    def __init__(
        self, program: Program, captured: list[Any], structure: Any, weak: list[bool]
    ) -> None:
        self.program, self.captured, self.structure, self.weak = program, captured, structure, weak

    def cast(self, dtypes: Sequence[np.dtype[Any]]) -> None:
        """Let the outputs have these dtypes."""
        eqns: list[Eqn] = list(self.program.eqns)
        outputs: list[Atom] = []
        for a, dtype in zip(self.program.outputs, dtypes, strict=True):
            if isinstance(a, Const):
                outputs.append(Const(dtype.type(a.value)))
            elif a.type.dtype == dtype:
                outputs.append(a)
            else:
                y = Var(convert.typeof(a.type, dtype=dtype))
                eqns.append(Eqn(convert, (a,), {"dtype": dtype}, (y,)))
                outputs.append(y)
        p = self.program
        self.program = Program(p.inputs, eqns, outputs, p.sources, p.name)


def leaf(x: Any, what: str) -> Any:
    """A number, array or traced value as a typed value; anything else is an InputError."""
    if type(x) in _TYPED:
        return _TYPED[type(x)](x)
    if isinstance(x, str | bytes) or (callable(x) and not hasattr(x, "__array__")):
        raise InputError(
            f"{what} holds a {type(x).__name__}",
            "let the function see it by closing over it",
            source.here(),
        )
    if answers_itself(type(x)):  # a dual
        return x
    found = operand(x)
    return found[()] if isinstance(found, np.ndarray) and found.ndim == 0 else found


def trace_body(
    f: Callable[..., Any], types: Sequence[Any], weak: Sequence[bool], name: str, what: str
) -> Body:
    """Run `f`, which takes traced leaves and returns a container, on types alone."""
    builder = Builder(name)
    return record_body(
        builder, f, [builder.input(t, None, w) for t, w in zip(types, weak, strict=True)], what
    )


def record_body(
    builder: Builder, f: Callable[..., Any], tracers: Sequence[Tracer], what: str
) -> Body:
    """Run `f` in a trace of its own."""
    structure, weak = None, []

    def flat(*xs: Any) -> list[Any]:
        nonlocal structure, weak
        meet(f)
        leaves, structure = tree.flatten(f(*xs))
        weak = [
            is_weak(y) if isinstance(y, Tracer | int | float | complex) else False for y in leaves
        ]
        return [_own(leaf(y, f"the result of {what}")) for y in leaves]

    with inside(builder):
        outputs = run(builder, flat, tracers)
    program = builder.program(outputs)
    return Body(program, [v for _, v in builder.captured], structure, weak)


def _own(y: Any) -> Any:
    """A result that a trace can hold: a dual from outside is captured by looking at it."""
    return np.positive(y) if answers_itself(type(y)) else y


# ---- captured values -------------------------------------------------------------------------------------


def _identity(value: Any) -> Any:
    """Equal for what is the same value."""
    if isinstance(value, Tracer):
        return id(value.builder), id(value.node)
    if value.size <= 512:
        return value.shape, value.dtype.str, value.tobytes()
    return id(value)


def shared(*bodies: Body) -> tuple[list[Program], list[Any]]:
    """Programs that take the captured values of all these bodies first, and these values, each once."""
    values: dict[Any, Any] = {}
    for body in bodies:
        for v in body.captured:
            values.setdefault(_identity(v), v)
    types = [type_of(v) for v in values.values()]
    programs = []
    for body in bodies:
        p, count = body.program, len(body.program.inputs) - len(body.captured)
        firsts = dict(zip(values, map(Var, types), strict=True))
        names: dict[Any, Var] = {
            v: firsts[_identity(x)] for v, x in zip(p.inputs[count:], body.captured, strict=True)
        }
        eqns = [
            Eqn(e.prim, tuple(names.get(a, a) for a in e.inputs), e.params, e.outputs, e.origin)
            for e in p.eqns
        ]
        outputs = [names.get(a, a) for a in p.outputs]
        programs.append(
            Program([*firsts.values(), *p.inputs[:count]], eqns, outputs, p.sources, p.name)
        )
    return programs, list(values.values())


def written(prim: Primitive, *args: Any, **params: Any) -> Any:
    """The results of an equation: in a body it is always written down, of constants alone too."""
    inner = tracing_body.get()
    if inner is None or any(isinstance(a, Handle) for a in args):
        return prim(*args, **params)
    return inner.record(prim, args, params)


def delivered(ys: Sequence[Any], structure: Any) -> Any:
    """Results of an equation in their container."""
    return tree.unflatten(
        structure, [y.builder.shown(y) if isinstance(y, Tracer) else finished(y) for y in ys]
    )


def name_of(f: Any, default: str) -> str:
    """What a program made from a function is called."""
    return str(getattr(f, "__name__", default))
