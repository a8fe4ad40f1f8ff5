"""print: an equation that prints its arguments whenever the program runs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wengert.ir.primitive import Primitive, Reads, Values
from wengert.ir.types import ArrayType
from wengert.ops.families import _named

Levels = tuple[tuple[bool, ...], ...]


class Print(Primitive):
    """`print[text, batched](*args)` prints `text.format(*args)`.

    `batched` says for each batch, the outermost first, which arguments have an axis for it; each
    example is printed, in order. The result is a flag that says nothing.
    """

    name = "print"
    effect: ClassVar[bool] = True

    def typeof(self, *types: ArrayType, text: str, batched: Levels) -> ArrayType:
        shape = []
        for level, flags in enumerate(batched):
            n = flags.index(True)
            shape.append(types[n].shape[sum(f[n] for f in batched[:level])])
        return ArrayType.of(tuple(shape), np.dtype(np.bool_))

    def eval(self, *args: Any, text: str, batched: Levels) -> Any:
        if not batched:
            said = text.format(*(_number(a) for a in args)) if args else text
            print(said)  # noqa: T201  (what it is for)
            return np.False_
        flags, inner = batched[0], batched[1:]
        rounds = []
        for k in range(len(args[flags.index(True)])):
            one = (a[k] if f else a for a, f in zip(args, flags, strict=True))
            rounds.append(self.eval(*one, text=text, batched=inner))
        return np.array(rounds, bool)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return (None,) * len(wanted)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (None,)

    def batch(self, flags: tuple[bool, ...], *args: Any, text: str, batched: Levels) -> Any:
        return self(*args, text=text, batched=(tuple(flags), *batched))

    def __reduce__(self) -> Any:
        return _named, (self.name,)


print_ = Print()


def _number(x: Any) -> Any:
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x
