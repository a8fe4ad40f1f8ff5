"""Systems of equations and factors by LAPACK's pointers, matrix by matrix.

LAPACK counts columns first. What it overwrites is a copy, so a transposed one costs nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Stored
from wengert.backends.code import Value
from wengert.backends.graph import Node, Step
from wengert.backends.products import LETTERS, Shaped, each
from wengert.backends.scalars import NoLowering

if TYPE_CHECKING:
    from wengert.backends.kit import Kit

I32 = np.dtype(np.int32)


def letter_of(*nodes: Node) -> str:
    """The first letter of routines for matrices of this dtype."""
    if len({n.dtype for n in nodes}) != 1 or nodes[0].dtype not in LETTERS:
        raise NoLowering("dtypes that LAPACK does not know")
    if any(0 in n.shape for n in nodes):
        raise NoLowering("empty matrices")
    return LETTERS[nodes[0].dtype]


class Work:
    """What the routines of one step need: a copy of the matrix, integers (pivots, say), an info."""

    def __init__(self, r: Any, a: Node, line: Any, integers: int = 1) -> None:
        self.r, self.a, self.line = r, a, line
        m, n = a.shape[-2:]
        self.matrix: Stored = r.e.temporary((n, m), a.dtype)
        self.pivots: Stored = r.e.temporary((integers, min(m, n)), I32)
        self.info: Stored = r.e.temporary((1,), I32)

    def copy(self, idx: tuple[Value, ...], turned: bool) -> None:
        """The matrix of this place in the stack, columns first (`turned`), or as it stands."""
        m, n = self.a.shape[-2:]
        self.fill(self.matrix, self.a, idx, (m, n), turned)

    def fill(
        self,
        place: Stored,
        node: Node,
        idx: tuple[Value, ...],
        shape: tuple[int, int],
        turned: bool,
    ) -> None:
        """One matrix of a stack into memory."""
        r = self.r

        def put(at: Any) -> None:
            i, j = at
            place.put(r.e, (j, i) if turned else at, r.at(node, (*idx, i, j)))

        r.over(shape, put, {place.buffer})

    def ok(self) -> Any:
        """Is the info 0?"""
        return self.r.s.eq(self.info.at(self.r.e, (self.r.e.zero,)), 0)

    def call(self, name: str, *args: Any, writes: Sequence[Stored]) -> None:
        """Call a routine; memory stands for a pointer to its first element."""
        given = [(a.buffer, self.r.e.place_of(a)) if isinstance(a, Stored) else a for a in args]
        writes = [*writes, self.info]
        self.r.w.call(
            name, [*given, (self.info.buffer, self.info.offset)], [w.buffer for w in writes]
        )

    def demand(self, text: str) -> None:
        """Stop unless the info is 0."""
        program, eqn = self.line
        problem = self.r.e.problem("LinAlgError", text, program.line(eqn))
        self.r.w.check(self.ok(), problem)


def solve(kit: Kit, a: Node, b: Node, triangle: tuple[bool, bool] | None = None) -> Node:
    """x with a x = b, by elimination with row exchanges, or with a triangle (lower, unit diagonal)."""
    letter, line, stack = letter_of(a, b), kit.line, a.shape[:-2]
    vector = len(b.shape) < len(a.shape)
    columns = kit.reshape(b, (*b.shape, 1)) if vector else b
    n, m = a.shape[-1], columns.shape[-1]

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        (place,) = places
        x, y = step.operands
        work = Work(r, x, line)
        right: Stored = r.e.temporary((m, n), a.dtype)
        size, count = r.e.dim(n), r.e.dim(m)

        def one(idx: tuple[Value, ...]) -> None:
            work.fill(right, y, idx, (n, m), True)
            if triangle is None:
                work.copy(idx, True)
                args = [size, count, work.matrix, size, work.pivots, right, size]
                work.call(f"{letter}gesv", *args, writes=[work.matrix, work.pivots, right])
                work.demand("Singular matrix")
            else:
                lower, unit = triangle
                work.copy(idx, False)
                letters = ["U" if lower else "L", "T", "U" if unit else "N"]
                args = [*letters, size, count, work.matrix, size, right, size]
                work.call(f"{letter}trtrs", *args, writes=[right])
                work.demand("singular matrix: resolution failed at a diagonal element")
            r.over(
                (n, m),
                lambda at: place.put(r.e, (*idx, *at), right.at(r.e, (at[1], at[0]))),
                {place.buffer},
            )

        each(r, stack, one)
        return places

    name = f"{letter}{'gesv' if triangle is None else 'trtrs'}"
    (x,) = kit.step(name, [a, columns], "stored", [Shaped(columns.shape, a.dtype)], emit)
    return kit.reshape(x, b.shape)


def inverse(kit: Kit, a: Node, lenient: bool) -> Node:
    """The inverse; of a singular matrix an error, or nan where `lenient`."""
    letter, line, n = letter_of(a), kit.line, a.shape[-1]

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        (place,), s = places, r.s
        work = Work(r, step.operands[0], line)
        right: Stored = r.e.temporary((n, n), a.dtype)
        size = r.e.dim(n)
        one, zero, nan = (s.number(v, a.dtype) for v in (1, 0, np.nan))

        def invert(idx: tuple[Value, ...]) -> None:
            work.copy(idx, True)
            r.over(
                (n, n),
                lambda at: right.put(r.e, at, s.select(s.eq(at[0], at[1]), one, zero)),
                {right.buffer},
            )
            args = [size, size, work.matrix, size, work.pivots, right, size]
            work.call(f"{letter}gesv", *args, writes=[work.matrix, work.pivots, right])
            if not lenient:
                work.demand("Singular matrix")
            ok = work.ok()
            r.over(
                (n, n),
                lambda at: place.put(
                    r.e, (*idx, *at), s.select(ok, right.at(r.e, (at[1], at[0])), nan)
                ),
                {place.buffer},
            )

        each(r, a.shape[:-2], invert)
        return places

    return kit.step(f"{letter}gesv", [a], "stored", [Shaped(a.shape, a.dtype)], emit)[0]


def determinant(kit: Kit, a: Node) -> tuple[Node, Node]:
    """Sign and logarithm of the size of a determinant, by elimination."""
    letter, line, n = letter_of(a), kit.line, a.shape[-1]
    if letter not in "sd":
        raise NoLowering("determinants of complex matrices")
    shape = a.shape[:-2]

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        s, w, e = r.s, r.w, r.e
        work = Work(r, step.operands[0], line)
        size = e.dim(n)

        def factor(idx: tuple[Value, ...]) -> None:
            work.copy(idx, True)
            args = [size, size, work.matrix, size, work.pivots]
            work.call(f"{letter}getrf", *args, writes=[work.matrix, work.pivots])
            start = [s.number(1, a.dtype), s.number(0, a.dtype)]
            with w.loop(size, inits=start) as loop:
                i = loop.index
                sign, total = loop.params
                d = work.matrix.at(e, (i, i))
                straight = s.eq(
                    w.op("cast", work.pivots.at(e, (e.zero, i)), type="i64"), s.add(i, 1)
                )
                turned = s.ne(straight, s.lt(d, 0))  # is the sign as it was?
                sign = s.select(turned, sign, s.neg(sign))
                loop.carry([sign, s.add(total, s.log(s.abs(d)))])
            sign, total = loop.results
            ok = work.ok()
            places[0].put(e, idx, s.select(ok, sign, 0))
            places[1].put(e, idx, s.select(ok, total, s.number(-np.inf, a.dtype)))

        each(r, shape, factor)
        return places

    types = [Shaped(shape, a.dtype)] * 2
    sign, total = kit.step(f"{letter}getrf", [a], "stored", types, emit)
    return sign, total


def cholesky(kit: Kit, a: Node) -> Node:
    """Lower l with l lᴴ = a."""
    letter, line, n = letter_of(a), kit.line, a.shape[-1]

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        (place,), s = places, r.s
        work = Work(r, step.operands[0], line)
        size = r.e.dim(n)
        zero = s.number(0, a.dtype)

        def factor(idx: tuple[Value, ...]) -> None:
            work.copy(idx, False)  # columns first, it is the transposed (or conjugated) matrix
            work.call(f"{letter}potrf", "U", size, work.matrix, size, writes=[work.matrix])
            work.demand("Matrix is not positive definite")

            def put(at: Any) -> None:
                here = work.matrix.at(r.e, at)
                place.put(r.e, (*idx, *at), s.select(s.le(at[1], at[0]), here, zero))

            r.over((n, n), put, {place.buffer})

        each(r, a.shape[:-2], factor)
        return places

    return kit.step(f"{letter}potrf", [a], "stored", [Shaped(a.shape, a.dtype)], emit)[0]


def searched(kit: Kit, a: Node, v: Node, right: bool) -> Node:
    """Where v would go in the sorted a: by halving, all lanes together."""
    if a.dtype != v.dtype or a.dtype.kind not in "fiu" or len(a.shape) != 1:
        raise NoLowering("searchsorted of other arrays")

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        (place,), s, w, e = places, r.s, r.w, r.e
        x, y = step.operands

        def before(p: Any, q: Any) -> Any:  # nan comes last
            if a.dtype.kind != "f":
                return s.lt(p, q)
            return s.or_(s.lt(p, q), s.and_(s.isnan(q), s.eq(p, p)))

        def find(idx: Any) -> None:
            value = r.at(y, idx)
            with w.repeat([e.zero, e.dim(a.shape[0])]) as repeat:
                low, high = repeat.params
                with repeat.testing():
                    repeat.test(s.lt(low, high))
                middle = s.shr(s.add(low, high), 1)
                here = r.at(x, (middle,))
                up = s.not_(before(value, here)) if right else before(here, value)
                repeat.carry([s.select(up, s.add(middle, 1), low), s.select(up, high, middle)])
            place.put(e, idx, repeat.results[0])

        r.over(v.shape, find, {place.buffer})
        return places

    types = [Shaped(v.shape, np.dtype(np.int64))]
    return kit.step("searchsorted", [a, v], "stored", types, emit)[0]
