"""stabilise: a function that keeps more digits, its value and its derivatives, and says what was changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Call
from wengert.api.gradients import record_call
from wengert.errors import InputError, TrustWarning
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import ArrayType
from wengert.trace.tracer import Tracer
from wengert.trust.stabilise import Change, stabilised

_KEPT = 128  # programs of one function that are remembered
_AROUND = (1.0, 1 + 2.0**-20, 1 - 2.0**-12, 1.01, 0.95, 1.3)


class Stabilised:
    """`f`, rewritten where that saves digits. Call it like `f`, differentiate it like `f`; print it.

    `changes` are the rewrites so far, one list per path through f that was met.
    """

    def __init__(self, fun: Callable[..., Any], box: Any, samples: int, verbose: bool) -> None:
        self.fun, self.box, self.samples, self.verbose = fun, box, samples, verbose
        self.__name__ = f"stabilise({getattr(fun, '__name__', 'f')})"
        self._known: dict[Any, tuple[Program, list[Change]]] = {}

    @property
    def changes(self) -> list[Change]:
        """What was changed, program by program."""
        return [c for _, made in self._known.values() for c in made]

    def __str__(self) -> str:
        name = getattr(self.fun, "__name__", "f")
        if not self._known:
            return f"{name}: call it, and it is rewritten around the arguments of that call"
        if not self.changes:
            return f"{name}: no rewrite helps here"
        return "\n".join([f"{name}, rewritten:", *(f"  {c}" for c in self.changes)])

    __repr__ = __str__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self.fun, args, kwargs, tuple(range(len(args))), None, "stabilise")
        with np.errstate(all="ignore"):  # what overflows here may not, when it is rewritten
            builder, _, out = record_call(call)
        leaves, structure = tree.flatten(out)
        program = builder.program(leaves)
        given = [
            *(leaf.value for leaf in call.leaves), *(value for _, value in builder.captured)
        ]  # fmt: skip
        found = self._rewritten(program, call, given)
        results = evaluate(found, given)
        return tree.unflatten(structure, results)

    def _rewritten(self, program: Program, call: Call, given: list[Any]) -> Program:
        known = self._known.get(program)
        if known is None:
            numbers, count = [_number(x) for x in given], len(call.leaves)
            needed = numbers if self.box is None else numbers[count:]
            if any(x is None for x in needed):  # traced on types alone
                self._left_as_it_was()
                return program
            moving = [n < count and t.inexact for n, t in enumerate(program.in_types)]
            points = [[*p, *numbers[count:]] for p in self._points(call, program, numbers[:count])]
            known = stabilised(program, moving, points)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[program] = known
            if self.verbose and known[1]:
                sys.stdout.write("\n".join(map(str, known[1])) + "\n")
        return known[0]

    def _left_as_it_was(self) -> None:
        name = getattr(self.fun, "__name__", "f")
        source.warn(
            f"stabilise leaves {name} as it is: inside jit, vmap or a loop the numbers of its arguments are "
            "unknown, and around them it looks for digits\n"
            f"  Way out: say where, stabilise({name}, box=(low, high)), or call it once outside first",
            TrustWarning,
            source.caller(),
        )

    def _points(self, call: Call, program: Program, numbers: list[Any]) -> list[list[Any]]:
        """Points of the box, its corners first; without one, points around the arguments."""
        if self.box is None:
            return [[_times(x, s) for x in numbers] for s in _AROUND]
        low, high = (_leaves(side, call) for side in _sides(self.box))
        types = program.in_types[: len(numbers)]
        draw = np.random.default_rng(0)
        between = [
            [_between(draw, a, b, t.shape, k % 2) for a, b, t in zip(low, high, types, strict=True)]
            for k in range(self.samples)
        ]
        return [[_like(v, t) for v, t in zip(p, types, strict=True)] for p in (low, high, *between)]

    def __reduce__(self) -> Any:
        return Stabilised, (self.fun, self.box, self.samples, self.verbose)


def stabilise(
    fun: Callable[..., Any] | None = None, *, box: Any = None, samples: int = 16, verbose: bool = False
) -> Any:  # fmt: skip
    """`fun` with its digits saved: rewritten where balls say that value and derivatives gain by it.

    `box` is a pair (low, high) of arguments, each a number or a container like the arguments (one
    argument needs no tuple): rewrites must help somewhere in it and hurt nowhere, at its corners and
    at `samples` points. Without a box, the arguments of the call and their surroundings count. The
    first call on each path through `fun` does the work, later ones use it. Inside `jit`, `vmap` and loops
    arguments have no numbers: there a box is needed, or a call outside before (`TrustWarning`, if neither is).
    `verbose` says what was changed as it happens; `print` says it any time.

    >>> import numpy as np, wengert as wg
    >>> def f(x):
    ...     return (1 - np.cos(x)) / x**2
    >>> wg.grad(f)(1e-8), wg.grad(wg.stabilise(f))(1e-8)
    (99999999.99999999, -8.333333333333334e-10)
    """
    if fun is None:
        return lambda f: Stabilised(f, box, samples, verbose)
    return Stabilised(fun, box, samples, verbose)


def _number(x: Any) -> Any:
    return x.number() if isinstance(x, Tracer) else x


def _sides(box: Any) -> tuple[Any, Any]:
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise InputError(
            f"stabilise: box is a pair (low, high), and got {box!r}",
            "write box=(0.0, 1.0), or box=((0.0, -1.0), (1.0, 1.0)) for two arguments",
            source.here(),
        )
    return box[0], box[1]


def _leaves(side: Any, call: Call) -> list[Any]:
    """One corner, leaf by leaf; a lone number is that of every leaf."""
    values = tree.flatten(side)[0] if isinstance(side, tuple | list | dict) else [side]
    if len(values) == 1:
        values = values * len(call.leaves)
    if len(values) != len(call.leaves):
        raise InputError(
            f"stabilise: a side of the box has {len(values)} numbers, the arguments have {len(call.leaves)} leaves",
            "give one number (or array) per leaf, or one for all",
            source.here(),
        )
    return values


def _like(value: Any, type: ArrayType) -> Any:
    """A number or array of a type."""
    return np.broadcast_to(np.asarray(value), type.shape).astype(type.dtype)[()]


def _times(x: Any, s: float) -> Any:
    x = np.asarray(x)
    return (x * x.dtype.type(s))[()] if x.dtype.kind in "fc" else x[()]


def _between(draw: Any, low: Any, high: Any, shape: tuple[int, ...], logarithmic: int) -> Any:
    """A point between two; every other one with logarithms that are even, where signs allow."""
    low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
    u: Sequence[float] = draw.random(shape)
    plain = low + u * (high - low)
    if logarithmic:
        bottom = np.where(low > 0, low, np.abs(high) * 2.0**-40)
        positive = (low >= 0) & (high > 0)
        with np.errstate(all="ignore"):
            plain = np.where(
                positive, bottom * (high / np.where(bottom == 0, 1, bottom)) ** u, plain
            )
    return plain
