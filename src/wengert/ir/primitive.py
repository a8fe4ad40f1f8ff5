"""Primitive: an operation of the language, and every question that may be asked about it.

`typeof` and `eval` are obligatory; each further question buys a capability. Families in
`ops/families.py` answer for their members, so that a member is one line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal, cast

from wengert.ir.types import Type

Tag = Literal["extent", "axis", "value"]
Values = tuple[Any, ...]
Reads = tuple[tuple[bool, ...] | bool, bool]
_UNANSWERED = cast(Values, NotImplemented)


class Handle:
    """What a traced value looks like from here: it names the builder that records it."""

    __slots__ = ()
    builder: Any

    def number(self) -> Any:
        """The number behind it, or None where its trace knows none."""
        return None


class Primitive(ABC):
    """One operation. Arguments are arrays (or tracers), `params` are hashable Python values.

    Shapes and dtypes of arguments are strict: broadcasting and promotion happen at the door
    (`numpy_api`). A primitive with `multiple` results returns a tuple from `typeof` and `eval`.
    """

    name: str
    multiple: ClassVar[bool] = False
    # which integers in params may vary at run time (extent), name an axis, or are plain values
    tags: Mapping[str, Tag] = {}
    # does it read a part, so that cotangents can be collected in one buffer (`collect`)?
    collects: ClassVar[bool] = False
    # do rules look at the types of arguments whose values are not read?
    wants_types: ClassVar[bool] = True
    # does it keep something of its own for its derivative (`eval_saving`)?
    saves: ClassVar[bool] = False
    # are there results that are only fixed up to the choice of a basis (`transforms.degenerate`)?
    settles: ClassVar[bool] = False
    # operand whose memory the result may take over at its last use, or None
    reuses: ClassVar[int | None] = None
    # may its transpose take over the memory of the cotangent (`transpose_reusing`)?
    overwrites: ClassVar[bool] = False

    # `(g, xs, ys, wanted, inputs, params) -> cotangents`: as `pullback` on plain numbers, for one result, but it
    # may leave a nan where `pullback` stops the zero of 0 · inf; who asks looks for nans at the end
    quick: Any = None
    # `(write, g, xs, ys, wanted, inputs, params) -> formulas`, one per wanted argument: `quick` as Python text, where
    # types and params say what it does (`transforms.written`; `write` names a value). None: `quick` itself is called
    spelled: Any = None
    # asked in the same way, on traced values too: it stops those zeros. None: ask `pullback`
    careful: Any = None
    # does its pullback look at the numbers of cotangents (a user's rule may)?
    looks: ClassVar[bool] = False
    # does each cotangent that is wanted always come (never None for a zero)?
    answers: ClassVar[bool] = False
    # does it do something besides its results (print)? Then it is neither dropped nor merged
    effect: ClassVar[bool] = False

    # is the direction that has no rule found anew at each point (a user's rule may look at numbers)?
    at_point: ClassVar[bool] = False

    # where all arguments are doubles: the name of an operation on scalars, or `(s, *xs)`, which is what `lower` says
    of_doubles: Any = None

    # ---- obligatory --------------------------------------------------------------------------
    @abstractmethod
    def typeof(self, *types: Any, **params: Any) -> Any:
        """Types of the results, from the types of the arguments."""

    @abstractmethod
    def eval(self, *args: Any, **params: Any) -> Any:
        """Values of the results, by NumPy."""

    # ---- derivatives -------------------------------------------------------------------------
    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        """Tangents of the results; `None` in `dxs` (or returned) does not move."""
        return _UNANSWERED

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        """Cotangents of the arguments that are `wanted` (and in which this is linear).

        `args` holds the arguments; a wanted one is given as its type. `None` is zero.
        """
        return _UNANSWERED

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        """Cotangents of the arguments at a point: the fast road's question.

        Families answer it from their slopes or their transpose; where nobody does, it is derived
        from `jvp`. Only what `reads` names is present in `xs` and `ys`.
        """
        return _UNANSWERED

    def eval_saving(
        self, wanted: tuple[bool, ...], *args: Any, **params: Any
    ) -> tuple[Values, Any]:
        """`eval`, and what `pullback` is to be given in the place of the results."""
        raise NotImplementedError

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        """Which arguments, and whether the results, `jvp` and `pullback` look at."""
        return True, True

    @cached_property
    def read_plan(self) -> dict[tuple[bool, ...], tuple[tuple[int, ...] | None, bool]]:
        """Answers of `plan`, remembered."""
        return {}

    def plan(self, wanted: tuple[bool, ...]) -> tuple[tuple[int, ...] | None, bool]:
        """`reads` as recording wants it: positions of arguments to drop (None: all), keep results?"""
        xs, ys = self.reads(wanted)
        drop: tuple[int, ...] | None = () if xs is True else None
        if isinstance(xs, tuple) and any(xs):
            drop = tuple(n for n, r in enumerate(xs) if not r)
        self.read_plan[wanted] = drop, ys
        return drop, ys

    # ---- repetition and structure ------------------------------------------------------------
    def batch(self, batched: tuple[bool, ...], *args: Any, **params: Any) -> Any:
        """The operation repeated along a new leading axis of the batched arguments."""
        return NotImplemented

    def depends(self, *args: Any, **params: Any) -> Any:
        """Which outputs depend on which inputs (sparsity)."""
        return NotImplemented

    # ---- other machines and arithmetics (they join with their rooms) ---------------------------
    def lower(self, k: Any, *args: Any, **params: Any) -> Any:
        """The loops this is: one answer for LLVM and C++."""
        return NotImplemented

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Any:
        """Radii of the results `ys` at `xs`, when the arguments are off by up to `rs`, and rounding.

        None is exact. Radii are real and of the results' shapes; those of booleans are booleans
        (may it be the other one?), those of integers are real numbers.
        """
        return NotImplemented

    def ball(self, *args: Any, **params: Any) -> Any:
        """An enclosure of its exact result."""
        return NotImplemented

    # ---- reuse of memory -----------------------------------------------------------------------
    def in_place(self, *args: Any, **params: Any) -> Any:
        """Like `eval`, but may overwrite the argument that `reuses` names."""
        return self.eval(*args, **params)

    # ---- the call ------------------------------------------------------------------------------
    def __call__(self, *args: Any, **params: Any) -> Any:
        """Compute on arrays; record on tracers (in the innermost trace among the arguments)."""
        builder = None
        for arg in args:
            if isinstance(arg, Handle) and (builder is None or arg.builder.serial > builder.serial):
                builder = arg.builder
        if builder is None:
            return self.eval(*args, **params)
        return builder.record(self, args, params)

    def __repr__(self) -> str:
        return self.name


def result_types(types: Any) -> tuple[Type, ...]:
    """`typeof`'s answer as a tuple, whether there is one result or several."""
    return types if isinstance(types, tuple) else (types,)
