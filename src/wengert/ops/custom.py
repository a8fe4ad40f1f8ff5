"""Black boxes: operations that know one direction of their derivative, and `stop`, which has none.

A user's rule is written once, as `vjp` (cotangents back) or `push` (tangents forth). The other
direction is its transpose, found by `transforms.turn` where the rule can be traced. A rule that
cannot (it calls `float` or a compiled library) becomes one equation, `Derivative`, whose transpose
is computed entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.errors import NotDifferentiableError, RuleError, WengertError
from wengert.ir import source
from wengert.ir.key import freeze
from wengert.ir.primitive import Handle, Primitive, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Elementwise

LIMIT = 1000  # an opaque rule is turned round by one call per entry: up to so many

stop = Elementwise(np.positive, None, name="stop")


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

    def vjp(self, gs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        """Cotangents of the arguments; every result has one in `gs`."""
        return NotImplemented

    def push(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        """Tangents of the results; every argument has one in `dxs`."""
        return NotImplemented

    @property
    def has_vjp(self) -> bool:
        """Was the backward direction given?"""
        return type(self).vjp is not Blackbox.vjp

    @property
    def has_push(self) -> bool:
        """Was the forward direction given?"""
        return type(self).push is not Blackbox.push

    # ---- the family's answers --------------------------------------------------------------------
    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any) -> Values:
        if not self.has_vjp:
            return NotImplemented
        return self._answer(False, gs, xs, ys, wanted, params)

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        if not self.has_push:
            return NotImplemented
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
            return Derivative(self, params, wanted, results, forward, _said(error)).answer(movers, xs, ys)

    def native(
        self, forward: bool, movers: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], params: Mapping[str, Any]
    ) -> Values:  # fmt: skip
        """The rule's own answer, with zeros for what does not move, held against its contract."""
        here, there = (xs, ys) if forward else (ys, xs)
        filled = tuple(zero(type_of(x)) if m is None else m for m, x in zip(movers, here, strict=True))
        found = self.push(filled, xs, ys, **params) if forward else self.vjp(filled, xs, ys, **params)
        if not isinstance(found, tuple | list) or len(found) != len(there):
            count = len(found) if isinstance(found, tuple | list) else 1
            raise self.broken(forward, f"{count} results for {len(there)} {_SIDES[forward]}s", "return a tuple of them")
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
        raise self.broken(forward, f"the {kind} of {self.part(forward, n)} is {t!r}, and {like!r} is needed", way)

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


def zero(t: ArrayType) -> Any:
    """Zero of a type, a scalar where the shape is (); of an integer, the zero of a tangent."""
    return np.zeros(t.shape, t.dtype if t.inexact else np.float64)[()]


def _said(error: BaseException) -> str:
    while error.__cause__ is not None and not isinstance(error, WengertError):
        error = error.__cause__
    return f"{type(error).__name__}: {error.what if isinstance(error, WengertError) else error}"


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
        self._typed, self._after, self._lines, self._parts, self._key = typed, after, lines, parts, key

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
            self._after(self, forward, xs, ys)
        return found

    def part(self, forward: bool, n: int) -> str:
        return self._parts(forward, n)

    def described(self, forward: bool) -> str:
        line = self._lines[forward]
        return f"the {'jvp' if forward else 'vjp'} of {self.function}{f' ({line})' if line else ''}"

    def __reduce__(self) -> Any:
        return self._key


class Derivative(Primitive):
    """The derivative of a black box at a point, as one equation: `(movers, xs, ys) -> moved`.

    Linear in the movers: tangents of the arguments (`forward`) or cotangents of the results, of
    those that take part. Where the rule speaks the other direction, each entry of the result costs
    one call of it.
    """

    multiple = True

    def __init__(
        self, box: Blackbox, params: Mapping[str, Any], arguments: tuple[bool, ...], results: tuple[bool, ...],
        forward: bool, why: str,
    ) -> None:  # fmt: skip
        self.box, self.params, self.why = box, dict(params), why
        self.arguments, self.results, self.forward = arguments, results, forward
        self.given, self.moved = (arguments, results) if forward else (results, arguments)
        self.name = f"{'push' if forward else 'pull'}[{getattr(box, 'function', box.name)}]"

    def _identity(self) -> Any:
        return self.box, freeze(self.params), self.arguments, self.results, self.forward

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derivative) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> Any:
        return Derivative, (self.box, self.params, self.arguments, self.results, self.forward, self.why)

    @property
    def _spoken(self) -> bool:
        """Is this the direction that the rule itself speaks?"""
        return self.box.has_push if self.forward else self.box.has_vjp

    def _parted(self, args: Values) -> tuple[Values, Values, Values]:
        n = sum(self.given)
        m = n + len(self.arguments)
        return args[:n], args[n:m], args[m:]

    def answer(self, movers: Values, xs: Values, ys: Values) -> Values:
        """In the box's own terms: one mover for each place, one answer for each; None is zero."""
        here = xs if self.forward else ys
        dense = [
            zero(type_of(x)) if m is None else m for m, x, g in zip(movers, here, self.given, strict=True) if g
        ]
        found = iter(self._applied(dense, xs, ys))
        return tuple(next(found) if m else None for m in self.moved)

    def _applied(self, movers: Sequence[Any], xs: Values, ys: Values) -> Values:
        at_numbers = not any(isinstance(a, Handle) for a in (*xs, *ys))
        real = all(type_of(a).dtype.kind != "c" for a in (*xs, *ys))
        if at_numbers and real and not self._spoken and any(isinstance(m, Handle) for m in movers):
            return self._by_matrix(movers, xs, ys)
        return self(*movers, *xs, *ys)  # type: ignore[no-any-return]

    def typeof(self, *types: Any) -> tuple[ArrayType, ...]:
        _, xs, ys = self._parted(types)
        return tuple(t for t, m in zip(ys if self.forward else xs, self.moved, strict=True) if m)

    def eval(self, *args: Any) -> Any:
        movers, xs, ys = self._parted(args)
        return self._native(movers, xs, ys) if self._spoken else self._by_entries(movers, xs, ys)

    def _native(self, movers: Sequence[Any], xs: Values, ys: Values) -> Values:
        rest = iter(movers)
        filled = tuple(next(rest) if g else None for g in self.given)
        found = self.box.native(self.forward, filled, xs, ys, self.arguments, self.params)
        there = ys if self.forward else xs
        return tuple(
            zero(type_of(x)) if a is None else a for a, x, m in zip(found, there, self.moved, strict=True) if m
        )

    # ---- against the rule's own direction ------------------------------------------------------------
    def _columns(self, types: Sequence[ArrayType], xs: Values, ys: Values) -> Any:
        """`(k, answers)` for each entry of the k-th result: what the rule says of its unit vectors."""
        count = sum(t.size for t in types)
        if count > LIMIT:
            mine, other = ("forward", "reverse") if self.forward else ("reverse", "forward")
            raise NotDifferentiableError(
                f"{self.box.described(not self.forward)} cannot be traced ({self.why}); {mine} mode would take "
                f"{count} calls of it, one for each of its numbers, and at most {LIMIT} are made",
                f"use {other} mode, write the rule in plain NumPy, or give the other direction too",
                source.here(),
            )
        turned = Derivative(self.box, self.params, self.arguments, self.results, not self.forward, self.why)
        for n, t in enumerate(types):
            for k in range(t.size):
                answers = []
                for unit in (1, -1j) if t.dtype.kind == "c" else (1,):
                    e = np.zeros(t.size, t.dtype)
                    e[k] = unit
                    units = [e.reshape(t.shape)[()] if m == n else zero(s) for m, s in enumerate(types)]
                    answers.append(turned._native(units, xs, ys))
                yield n, answers

    def _by_entries(self, movers: Values, xs: Values, ys: Values) -> Values:
        types = self.typeof(*map(type_of, (*movers, *xs, *ys)))
        entries: list[list[Any]] = [[] for _ in types]
        for n, answers in self._columns(types, xs, ys):
            parts = [sum(np.sum(a * m).real for a, m in zip(answer, movers, strict=True)) for answer in answers]
            entries[n].append(parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1])
        return tuple(np.array(e, t.dtype).reshape(t.shape)[()] for e, t in zip(entries, types, strict=True))

    def _by_matrix(self, movers: Sequence[Any], xs: Values, ys: Values) -> Values:
        """The point is known and the movers are traced: the matrix once, then products with it."""
        types = self.typeof(*map(type_of, (*movers, *xs, *ys)))
        rows: list[list[Any]] = [[] for _ in types]
        for n, (answer,) in self._columns(types, xs, ys):
            rows[n].append([np.ravel(a) for a in answer])
        flat = [np.reshape(m, (type_of(m).size,)) for m in movers]
        found = []
        for t, row in zip(types, rows, strict=True):
            parts = [
                np.matmul(np.array([r[k] for r in row], t.dtype).reshape(t.size, type_of(m).size), m)
                for k, m in enumerate(flat)
            ]
            found.append(np.reshape(sum(parts[1:], parts[0]), t.shape))
        return tuple(found)

    # ---- its own derivatives: linear in the movers, unknown in the point --------------------------------
    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        movers, points, results = self._parted(xs)
        if any(dx is not None for dx in dxs[len(movers) :]):
            raise self._unknown()
        dense = [zero(type_of(m)) if dx is None else dx for dx, m in zip(dxs, movers, strict=False)]
        return self._applied(dense, points, results)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        movers, xs, ys = self._parted(args)
        if any(wanted[len(movers) :]):
            raise self._unknown()
        back = Derivative(self.box, self.params, self.arguments, self.results, not self.forward, self.why)
        types = self.typeof(*map(type_of, args))
        filled = [zero(t) if g is None else g for g, t in zip(gs, types, strict=True)]
        return (*back._applied(filled, xs, ys), *(None,) * (len(xs) + len(ys)))

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return self.transpose(gs, xs, wanted)

    def _unknown(self) -> NotDifferentiableError:
        return NotDifferentiableError(
            f"{self.box.described(self.forward is self._spoken)} cannot be traced ({self.why}), "
            "so it has no derivative of its own, and a second derivative was asked for",
            "write the rule in functions that wengert traces, or let it call custom functions",
            source.here(),
        )
