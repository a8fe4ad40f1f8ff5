"""Black boxes: operations that know one direction of their derivative, and `stop`, which has none.

A user's rule is written once, as `vjp` (cotangents back) or `push` (tangents forth). The other
direction is its transpose, found by `transforms.turn` where the rule can be traced. A rule that
cannot (it calls `float` or a compiled library) becomes one equation, `Derivative`, whose transpose
is computed entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from wengert.errors import RuleError, WengertError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Elementwise
from wengert.ops.opaque import Derivative, zero

stop = Elementwise(np.positive, None, name="stop", lower=lambda s, x: x)

_UNANSWERED = cast(Values, NotImplemented)


class Results(tuple[Any, ...]):
    """Results of a black box, and what its forward rule left for the backward rule."""

    memory: Any = None


class Blackbox(Primitive):
    """An operation of your own: a class with `typeof`, `eval` and `vjp` (or `push`).

    `vjp(gs, xs, ys)` gives one cotangent per argument, `push(dxs, xs, ys)` one tangent per result;
    `None` is zero. Either is enough. On traced values a rule is traced, so it may itself be
    differentiated; it may also be opaque, then it has first derivatives only.

    >>> import wengert as wg
    >>> class Cube(wg.Op):
    ...     name = "cube"
    ...
    ...     def typeof(self, x):
    ...         return x
    ...
    ...     def eval(self, x):
    ...         return x**3
    ...
    ...     def vjp(self, gs, xs, ys):
    ...         return (gs[0] * 3 * xs[0] ** 2,)
    >>> cube = Cube()
    >>> wg.grad(cube)(2.0), wg.grad(wg.grad(cube))(2.0), wg.jvp(cube, (2.0,), (1.0,))[1]
    (12.0, 12.0, np.float64(12.0))
    """

    name = "blackbox"
    at_point: ClassVar[bool] = True
    looks: ClassVar[bool] = True

    def vjp(self, gs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        """Cotangents of the arguments; every result has one in `gs`."""
        return _UNANSWERED

    def push(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        """Tangents of the results; every argument has one in `dxs`."""
        return _UNANSWERED

    @property
    def has_vjp(self) -> bool:
        """Was the backward direction given?"""
        return type(self).vjp is not Blackbox.vjp

    @property
    def has_push(self) -> bool:
        """Was the forward direction given?"""
        return type(self).push is not Blackbox.push

    # ---- the family's answers --------------------------------------------------------------------
    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        if not self.has_vjp:
            return _UNANSWERED
        return self._answer(False, gs, xs, ys, wanted, params)

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        if not self.has_push:
            return _UNANSWERED
        return self._answer(True, dxs, xs, ys, tuple(dx is not None for dx in dxs), params)

    def _answer(
        self, forward: bool, movers: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], params: Mapping[str, Any]
    ) -> Values:  # fmt: skip
        """Ask the rule; where it cannot be traced, stand for its answer with one equation."""
        try:
            return self.native(forward, movers, xs, ys, wanted, params)
        except RuleError:
            raise
        except Exception as error:
            if not any(isinstance(a, Handle) for a in (*movers, *xs)):
                raise
            results = tuple(type_of(y).inexact for y in ys)
            return Derivative(self, params, wanted, results, forward, _said(error)).answer(
                movers, xs, ys
            )

    def native(
        self, forward: bool, movers: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], params: Mapping[str, Any]
    ) -> Values:  # fmt: skip
        """The rule's own answer, with zeros for what does not move, held against its contract."""
        here, there = (xs, ys) if forward else (ys, xs)
        filled = tuple(
            zero(type_of(x)) if m is None else m for m, x in zip(movers, here, strict=True)
        )
        ask: Any = self.push if forward else self.vjp
        found = ask(filled, xs, ys, **params)
        if not isinstance(found, tuple | list) or len(found) != len(there):
            count = len(found) if isinstance(found, tuple | list) else 1
            raise self.broken(
                forward,
                f"{count} results for {len(there)} {_SIDES[forward]}s",
                "return a tuple of them",
            )
        flags = (True,) * len(there) if forward else wanted
        return tuple(
            self.fitted(forward, n, a, type_of(x)) if w else None
            for n, (a, x, w) in enumerate(zip(found, there, flags, strict=True))
        )

    def fitted(self, forward: bool, n: int, found: Any, like: ArrayType) -> Any:
        """One tangent or cotangent in the type of what it belongs to; RuleError if it is another."""
        if found is None or not like.inexact:
            return None
        if isinstance(found, int | float) and like.shape == ():
            return like.dtype.type(found)
        if isinstance(found, Handle):
            mine: Any = found
            if mine.type.dtype != like.dtype and mine.weak:
                found = mine.astype(like.dtype)
        else:
            found = np.asarray(found)[()]
        t = type_of(found)
        if t == like:
            return found
        kind = _KINDS[forward]
        way = f"give the {kind} the shape and dtype of its {_SIDES[forward]}"
        if t.dtype.kind == "c" and like.dtype.kind == "f":
            way += ": np.real of it, where the argument is real"
        elif t.shape == like.shape:
            way += f", e.g. by .astype({like.dtype.name!r})"
        raise self.broken(
            forward, f"the {kind} of {self.part(forward, n)} is {t!r}, and {like!r} is needed", way
        )

    def part(self, forward: bool, n: int) -> str:
        """How messages name a tangent's result or a cotangent's argument."""
        return f"{_SIDES[forward]} {n}"

    def described(self, forward: bool) -> str:
        """How messages name the rule."""
        return f"the {'jvp' if forward else 'vjp'} of {self.name}"

    def broken(self, forward: bool, what: str, way: str) -> RuleError:
        """The error of a rule that breaks its contract."""
        return RuleError(f"{self.described(forward)}: {what}", way, source.here())


_KINDS, _SIDES = ("cotangent", "tangent"), ("argument", "result")  # backward, forward


def _said(error: BaseException) -> str:
    while error.__cause__ is not None and not isinstance(error, WengertError):
        error = error.__cause__
    return error.what if isinstance(error, WengertError) else f"{type(error).__name__}: {error}"


class Custom(Blackbox):
    """A user's function with its rules, on flat leaves; `api.custom` makes one per call signature.

    `value(xs) -> (ys, memory)`; `vjp(gs, xs, ys, memory)` and `push(dxs, xs, ys)` or None;
    `typed(types)` answers for the results; `after` looks at the first answers on numbers.
    """

    multiple = True

    def __init__(
        self, name: str, value: Callable[..., Any], vjp: Callable[..., Any] | None, push: Callable[..., Any] | None,
        typed: Callable[..., Any], after: Callable[..., None], lines: tuple[str, str], parts: Callable[[bool, int], str],
        key: Any,
    ) -> None:  # fmt: skip
        self.name = f"custom[{name}]"
        self.function = name
        self._value, self._vjp, self._push = value, vjp, push
        self._typed, self._after, self._lines, self._parts, self._key = (
            typed,
            after,
            lines,
            parts,
            key,
        )

    @property
    def has_vjp(self) -> bool:
        return self._vjp is not None

    @property
    def has_push(self) -> bool:
        return self._push is not None

    def typeof(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return self._typed(types)  # type: ignore[no-any-return]

    def eval(self, *xs: Any) -> Any:
        ys, memory = self._value(xs)
        results = Results(ys)
        results.memory = memory
        return results

    def vjp(self, gs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        assert self._vjp is not None
        return self._vjp(gs, xs, ys, getattr(ys, "memory", None))  # type: ignore[no-any-return]

    def push(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        assert self._push is not None
        return self._push(dxs, xs, ys)  # type: ignore[no-any-return]

    def native(
        self, forward: bool, movers: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], params: Mapping[str, Any]
    ) -> Values:  # fmt: skip
        found = super().native(forward, movers, xs, ys, wanted, params)
        if not any(isinstance(a, Handle) for a in (*movers, *xs)):
            self._after(self, forward, xs, ys, tuple(wanted))
        return found

    def part(self, forward: bool, n: int) -> str:
        return self._parts(forward, n)

    def described(self, forward: bool) -> str:
        line = self._lines[forward]
        return f"the {'jvp' if forward else 'vjp'} of {self.function}{f' ({line})' if line else ''}"

    def __reduce__(self) -> Any:
        return self._key
