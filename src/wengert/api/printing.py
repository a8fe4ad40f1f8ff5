"""wg.print: print from inside of compiled functions, loops and batches."""

from __future__ import annotations

from typing import Any

from wengert.ir.primitive import Handle
from wengert.numpy_api.promote import operand
from wengert.ops.printing import print_
from wengert.trace.body import body
from wengert.trace.trace import innermost


def print(text: Any, *args: Any) -> None:
    """Print `text.format(*args)` whenever this place of the program runs; also where it is compiled.

    Python's own `print` runs while a function is traced, so of a compiled function only once. Of a
    batch (`vmap`) each example prints. Without format fields the arguments are printed behind the text.

    >>> import wengert as wg
    >>> @wg.jit
    ... def f(x):
    ...     wg.print("x is {:.2f}", x)
    ...     return x * x
    >>> f(2.0), f(3.0)
    x is 2.00
    x is 3.00
    (4.0, 9.0)
    """
    if not isinstance(text, str):
        text, args = "{}", (text, *args)
    if args and "{" not in text:
        text += " {}" * len(args)
    values = tuple(operand(a) for a in args)
    params = {"text": text, "batched": ()}
    builder = body.get() or innermost()
    if builder is not None and not any(isinstance(a, Handle) for a in values):
        builder.record(print_, values, params)
    else:
        print_(*values, **params)
