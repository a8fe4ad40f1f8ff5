"""The derivative of a black box whose rule cannot be traced: one equation, linear in what moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.errors import NotDifferentiableError
from wengert.ir import source
from wengert.ir.key import freeze
from wengert.ir.primitive import Handle, Primitive, Values
from wengert.ir.types import ArrayType, type_of

if TYPE_CHECKING:
    from wengert.ops.custom import Blackbox

LIMIT = 1000  # an opaque rule is turned round by one call per entry: up to so many


def zero(t: ArrayType) -> Any:
    """Zero of a type, a scalar where the shape is (); of an integer, the zero of a tangent."""
    return np.zeros(t.shape, t.dtype if t.inexact else np.float64)[()]


class Derivative(Primitive):
    """The derivative of a black box at a point, as one equation: `(movers, xs, ys) -> moved`.

    Linear in the movers: tangents of the arguments (`forward`) or cotangents of the results, of
    those that take part. Where the rule speaks the other direction, each entry of the result costs
    one call of it.
    """

    multiple = True
    looks = True

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
        return Derivative, (
            self.box,
            self.params,
            self.arguments,
            self.results,
            self.forward,
            self.why,
        )

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
            zero(type_of(x)) if m is None else m
            for m, x, g in zip(movers, here, self.given, strict=True)
            if g
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
            zero(type_of(x)) if a is None else a
            for a, x, m in zip(found, there, self.moved, strict=True)
            if m
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
        turned = Derivative(
            self.box, self.params, self.arguments, self.results, not self.forward, self.why
        )
        for n, t in enumerate(types):
            for k in range(t.size):
                answers = []
                for unit in (1, -1j) if t.dtype.kind == "c" else (1,):
                    e = np.zeros(t.size, t.dtype)
                    e[k] = unit
                    units = [
                        e.reshape(t.shape)[()] if m == n else zero(s) for m, s in enumerate(types)
                    ]
                    answers.append(turned._native(units, xs, ys))
                yield n, answers

    def _by_entries(self, movers: Values, xs: Values, ys: Values) -> Values:
        types = self.typeof(*map(type_of, (*movers, *xs, *ys)))
        entries: list[list[Any]] = [[] for _ in types]
        for n, answers in self._columns(types, xs, ys):
            parts = [
                sum(np.sum(a * m).real for a, m in zip(answer, movers, strict=True))
                for answer in answers
            ]
            entries[n].append(parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1])
        return tuple(
            np.array(e, t.dtype).reshape(t.shape)[()] for e, t in zip(entries, types, strict=True)
        )

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
                np.matmul(
                    np.array([r[k] for r in row], t.dtype).reshape(t.size, type_of(m).size), m
                )
                for k, m in enumerate(flat)
            ]
            found.append(np.reshape(sum(parts[1:], parts[0]), t.shape))
        return tuple(found)

    # ---- its own derivatives: linear in the movers, unknown in the point --------------------------------
    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        movers, points, results = self._parted(xs)
        if any(dx is not None for dx in dxs[len(movers) :]):
            raise self._unknown()
        dense = [zero(type_of(m)) if dx is None else dx for dx, m in zip(dxs, movers, strict=False)]
        return self._applied(dense, points, results)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        movers, xs, ys = self._parted(args)
        if any(wanted[len(movers) :]):
            raise self._unknown()
        back = Derivative(
            self.box, self.params, self.arguments, self.results, not self.forward, self.why
        )
        types = self.typeof(*map(type_of, args))
        filled = [zero(t) if g is None else g for g, t in zip(gs, types, strict=True)]
        return (*back._applied(filled, xs, ys), *(None,) * (len(xs) + len(ys)))

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose(gs, xs, wanted)

    def _unknown(self) -> NotDifferentiableError:
        return NotDifferentiableError(
            f"{self.box.described(self.forward is self._spoken)} cannot be traced ({self.why}), "
            "so it has no derivative of its own, and a second derivative was asked for",
            "write the rule in functions that wengert traces, or let it call custom functions",
            source.here(),
        )
