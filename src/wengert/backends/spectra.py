"""Eigenvalues, singular values and orthogonal factors by LAPACK's pointers, by the routines that NumPy calls.

Work space is counted in products of the extents of the matrix, at least what LAPACK asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wengert.backends.arrays import Stored
from wengert.backends.code import Value
from wengert.backends.graph import Node, Step
from wengert.backends.lapack import Work, letter_of
from wengert.backends.products import Shaped, each
from wengert.backends.scalars import NoLowering

if TYPE_CHECKING:
    from wengert.backends.kit import Kit


def _real_letter(a: Node) -> str:
    letter = letter_of(a)
    if letter not in "sd":
        raise NoLowering("complex matrices")
    return letter


def _times(r: Any, factor: int, *extents: int) -> Value:
    """A product of extents."""
    total: Value = r.w.index(factor)
    for n in extents:
        total = r.w.op("mul", total, r.e.dim(n))
    return total


def _give(r: Any, place: Stored, idx: tuple[Value, ...], columns: Stored) -> None:
    """A matrix whose columns stand one after the other into its place in the stack."""
    n, m = columns.shape
    r.over(
        (m, n),
        lambda at: place.put(r.e, (*idx, *at), columns.at(r.e, (at[1], at[0]))),
        {place.buffer},
    )


def eigh(kit: Kit, a: Node) -> tuple[Node, ...]:
    """Eigenvalues and -vectors of a symmetric matrix, its lower triangle read."""
    letter, line, n = _real_letter(a), kit.line, a.shape[-1]

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        values, vectors = places
        work = Work(r, step.operands[0], line, integers=8)
        found: Stored = r.e.temporary((n,), a.dtype)
        space: Stored = r.e.temporary((9, n, n), a.dtype)
        size, length, integers = r.e.dim(n), _times(r, 9, n, n), _times(r, 8, n)

        def one(idx: tuple[Value, ...]) -> None:
            work.copy(idx, True)
            args = ["V", "L", size, work.matrix, size, found, space, length, work.pivots, integers]
            writes = [work.matrix, found, space, work.pivots]
            work.call(f"{letter}syevd", *args, writes=writes)
            work.demand("Eigenvalues did not converge")
            r.over(
                (n,), lambda at: values.put(r.e, (*idx, *at), found.at(r.e, at)), {values.buffer}
            )
            _give(r, vectors, idx, work.matrix)

        each(r, a.shape[:-2], one)
        return places

    types = [Shaped(a.shape[:-1], a.dtype), Shaped(a.shape, a.dtype)]
    return kit.step(f"{letter}syevd", [a], "stored", types, emit)


def svd(kit: Kit, a: Node, full: bool) -> tuple[Node, ...]:
    """u, s, vh of a matrix; square u and vh where `full`."""
    letter, line = _real_letter(a), kit.line
    (*stack, m, n), k = a.shape, min(a.shape[-2:])
    left, right = (m, n) if full else (k, k)

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        work = Work(r, step.operands[0], line, integers=8)
        u: Stored = r.e.temporary((left, m), a.dtype)
        s: Stored = r.e.temporary((k,), a.dtype)
        vh: Stored = r.e.temporary((n, right), a.dtype)
        space: Stored = r.e.temporary((14, m, n), a.dtype)
        rows, columns = r.e.dim(m), r.e.dim(n)
        length, short = _times(r, 14, m, n), r.e.dim(right)

        def one(idx: tuple[Value, ...]) -> None:
            work.copy(idx, True)
            args: list[Any] = ["A" if full else "S", rows, columns, work.matrix, rows, s, u, rows]
            args += [vh, short, space, length, work.pivots]
            writes = [work.matrix, s, u, vh, space, work.pivots]
            work.call(f"{letter}gesdd", *args, writes=writes)
            work.demand("SVD did not converge")
            _give(r, places[0], idx, u)
            r.over(
                (k,), lambda at: places[1].put(r.e, (*idx, *at), s.at(r.e, at)), {places[1].buffer}
            )
            _give(r, places[2], idx, vh)

        each(r, stack, one)
        return places

    shapes = [(*stack, m, left), (*stack, k), (*stack, right, n)]
    types = [Shaped(tuple(shape), a.dtype) for shape in shapes]
    return kit.step(f"{letter}gesdd", [a], "stored", types, emit)


def qr(kit: Kit, a: Node, full: bool) -> tuple[Node, ...]:
    """q, r of a matrix; a square q where `full`."""
    letter, line = letter_of(a), kit.line
    (*stack, m, n), k = a.shape, min(a.shape[-2:])
    wide = m if full else k
    make = f"{letter}{'orgqr' if letter in 'sd' else 'ungqr'}"

    def emit(r: Any, step: Step, places: Sequence[Any]) -> Any:
        work = Work(r, step.operands[0], line)
        scales: Stored = r.e.temporary((k,), a.dtype)
        q: Stored = r.e.temporary((wide, m), a.dtype)
        space: Stored = r.e.temporary((16, m, n), a.dtype)
        rows, columns, rank = r.e.dim(m), r.e.dim(n), r.e.dim(k)
        length, count = _times(r, 16, m, n), r.e.dim(wide)
        zero = r.s.number(0, a.dtype)

        def one(idx: tuple[Value, ...]) -> None:
            work.copy(idx, True)
            args: list[Any] = [rows, columns, work.matrix, rows, scales, space, length]
            work.call(f"{letter}geqrf", *args, writes=[work.matrix, scales, space])
            work.demand("QR did not work")
            r.over((k, m), lambda at: q.put(r.e, at, work.matrix.at(r.e, at)), {q.buffer})
            args = [rows, count, rank, q, rows, scales, space, length]
            work.call(make, *args, writes=[q, space])
            work.demand("QR did not work")
            _give(r, places[0], idx, q)

            def upper(at: Any) -> None:
                here = work.matrix.at(r.e, (at[1], at[0]))
                places[1].put(r.e, (*idx, *at), r.s.select(r.s.le(at[0], at[1]), here, zero))

            r.over((wide, n), upper, {places[1].buffer})

        each(r, stack, one)
        return places

    types = [Shaped((*stack, m, wide), a.dtype), Shaped((*stack, wide, n), a.dtype)]
    return kit.step(f"{letter}geqrf", [a], "stored", types, emit)
