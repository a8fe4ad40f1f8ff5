"""program: look at what a function does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert import tree
from wengert.api.arguments import Call
from wengert.api.gradients import record_call
from wengert.ir.program import Program
from wengert.ops.literal import literal_inputs
from wengert.transforms.sweep import sweep


def program(fun: Callable[..., Any], argnums: Any = None) -> Callable[..., Program]:
    """`program(f)(*args)`: the Program of a call, with the user's lines; print it.

    All positional arguments are opened; `argnums` restricts that. Arrays from outside are
    literals, so the program stands alone.

    >>> print(program(lambda x, y: x * y + 1.0)(2.0, 3.0))  # doctest: +ELLIPSIS
    <lambda>(a: f64[], b: f64[]) -> f64[]:
      c: f64[] = mul a b ...
      d: f64[] = add c 1.0 ...
      return d
    """

    def show(*args: Any, **kwargs: Any) -> Program:
        numbers = tuple(range(len(args))) if argnums is None else argnums
        call = Call(fun, args, kwargs, numbers, None, "program")
        builder, _, out = record_call(call)
        leaves, _ = tree.flatten(out)
        found = builder.program(leaves)
        return sweep(literal_inputs(found, [value for _, value in builder.captured]))

    show.__name__ = f"program({getattr(fun, '__name__', 'f')})"
    return show
