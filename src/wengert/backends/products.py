"""Products of arrays: a few terms are written out, sums of vectors are loops, matrices go to BLAS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.backends.arrays import Stored
from wengert.backends.code import SMALL, Value
from wengert.backends.graph import SPREAD, Node, Step
from wengert.backends.scalars import PARTS, NoLowering

if TYPE_CHECKING:
    from wengert.backends.kit import Kit

FEW = 16  # terms of a sum that are written out
LETTERS = {
    np.dtype(np.float64): "d",
    np.dtype(np.float32): "s",
    np.dtype(np.complex128): "z",
    np.dtype(np.complex64): "c",
}


def contract(kit: Kit, left: str, right: str, out: str, a: Node, b: Node) -> Node:
    """`einsum(left, right -> out)` of two arrays of one dtype."""
    sizes = {**dict(zip(left, a.shape, strict=True)), **dict(zip(right, b.shape, strict=True))}
    for letters, x in ((left, a), (right, b)):  # what stands in one operand alone is summed first
        gone = [
            d for d, c in enumerate(letters) if c not in out and (c not in left or c not in right)
        ]
        if gone:
            rest = "".join(c for d, c in enumerate(letters) if d not in gone)
            less = kit.reduce("add", x, gone)
            if x is a and letters == left:
                return contract(kit, rest, right, out, less, b)
            return contract(kit, left, rest, out, a, less)
    inner = [c for c in left if c not in out]
    shape = tuple(sizes[c] for c in out)
    terms = math.prod(sizes[c] for c in inner)
    small = kit.region.is_small
    if not inner or (all(sizes[c] <= SMALL for c in inner) and terms <= FEW):
        return _written(kit, left, right, out, inner, sizes, a, b)
    if small(a.shape) and small(b.shape) and small(shape):
        return _written(kit, left, right, out, inner, sizes, a, b)
    rows = [c for c in left if c in out and c not in right]
    columns = [c for c in right if c in out and c not in left]
    if not rows or not columns or a.dtype not in LETTERS:
        return _summed(kit, left, right, out, inner, sizes, a, b)
    if 0 in a.shape or 0 in b.shape:
        return kit.affine(kit.identity("add", a.dtype), shape, ())
    stack = [c for c in left if c in right and c in out]
    return _matrices(kit, left, right, out, (stack, rows, inner, columns), sizes, a, b)


def _spread(kit: Kit, x: Node, letters: str, all_: str, sizes: dict[str, int]) -> Node:
    return kit.affine(x, tuple(sizes[c] for c in all_), [(all_.index(c), 0, 1) for c in letters])


def _summed(
    kit: Kit,
    left: str,
    right: str,
    out: str,
    inner: list[str],
    sizes: dict[str, int],
    a: Node,
    b: Node,
) -> Node:
    """A product, reduced: in the order of the axes of the larger operand."""
    lead = left if math.prod(a.shape) >= math.prod(b.shape) else right
    order = lead + "".join(c for c in left + right if c not in lead)
    order = "".join(dict.fromkeys(order))
    product = kit.map(
        "mul",
        _spread(kit, a, left, order, sizes),
        _spread(kit, b, right, order, sizes),
        dtype=a.dtype,
    )
    total = kit.reduce("add", product, [order.index(c) for c in inner])
    kept = [c for c in order if c not in inner]
    return kit.permuted(total, [kept.index(c) for c in out])


def _written(
    kit: Kit,
    left: str,
    right: str,
    out: str,
    inner: list[str],
    sizes: dict[str, int],
    a: Node,
    b: Node,
) -> Node:
    """Σ of few products, for each element."""
    shape = tuple(sizes[c] for c in out)
    extents = [sizes[c] for c in inner]
    if a.dtype.kind not in "fciub":
        raise NoLowering(f"products of {a.dtype}")

    def pull(r: Any, idx: Any) -> Any:
        at = dict(zip(out, idx, strict=True))
        total = None
        for point in np.ndindex(*extents):
            for c, k in zip(inner, point, strict=True):
                at[c] = r.w.index(k)
            x = r.at(a, tuple(at[c] for c in left))
            y = r.at(b, tuple(at[c] for c in right))
            if total is None:
                total = r.s.mul(x, y) if a.dtype.kind != "b" else r.s.and_(x, y)
            elif a.dtype.kind == "f":
                total = r.s.fma(x, y, total)
            elif a.dtype.kind == "b":
                total = r.s.or_(total, r.s.and_(x, y))
            else:
                total = r.s.add(total, r.s.mul(x, y))
        return r.s.number(0, a.dtype) if total is None else total

    terms = max(math.prod(extents), 1)
    node = Node("virtual", shape, a.dtype, (a, b), SPREAD, pull, terms)
    node.letters = (left, right, out, "".join(inner))
    return kit.add(node)


# ---- matrices ---------------------------------------------------------------------------------------


def _matrices(
    kit: Kit,
    left: str,
    right: str,
    out: str,
    groups: tuple[list[str], list[str], list[str], list[str]],
    sizes: dict[str, int],
    a: Node,
    b: Node,
) -> Node:
    """A (stack of) products of matrices: operands as they lie in memory where BLAS can read them so."""
    stack, rows, inner, columns = groups
    result = [*stack, *rows, *columns]
    shape = tuple(sizes[c] for c in result)
    x = kit.permuted(a, [left.index(c) for c in (*stack, *rows, *inner)])
    y = kit.permuted(b, [right.index(c) for c in (*stack, *inner, *columns)])
    if len(rows) > 1 or len(inner) > 1:
        x = _merged(kit, x, sizes, stack, rows, inner)
    if len(columns) > 1 or len(inner) > 1:
        y = _merged(kit, y, sizes, stack, inner, columns)
    dtype = a.dtype
    letter = LETTERS[dtype]

    def emit(r: Any, step: Step, places: Sequence[Any], row: tuple[Value, ...] = ()) -> Any:
        (place,) = places
        (p, ta), (q, tb) = (matrix(r, node, len(stack), row) for node in step.operands)
        m, k, n = (r.e.size([sizes[c] for c in group]) for group in (rows, inner, columns))

        def product(idx: tuple[Value, ...]) -> None:
            # row-major C = A B is column-major Cᵀ = Bᵀ Aᵀ
            args = ["T" if tb else "N", "T" if ta else "N", n, m, k, 1.0]
            at = [_start(r, v, idx) for v in (q, p, place)]
            args += [(q.buffer, at[0]), _leading(q, len(stack), tb), (p.buffer, at[1])]
            args += [_leading(p, len(stack), ta), 0.0, (place.buffer, at[2]), n]
            r.w.call(f"{letter}gemm", args, [place.buffer])

        r.memo.clear()
        each(r, [sizes[c] for c in stack], product, row, "serial" if row else "parallel")
        return places

    (node,) = kit.step(f"{letter}gemm", [x, y], "stored", [Shaped(shape, dtype)], emit)
    if stack:
        node.step.emit_row = lambda r, step, places, i: emit(r, step, places, (i,))
    return kit.permuted(node, [result.index(c) for c in out])


class Shaped:
    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype


def _merged(
    kit: Kit, x: Node, sizes: dict[str, int], stack: list[str], first: list[str], second: list[str]
) -> Node:
    """Groups of axes as one axis each, if that extent is one of the program's; else there is no way."""
    shape = tuple(sizes[c] for c in stack)
    merged = tuple(math.prod(sizes[c] for c in group) for group in (first, second))
    for group, n in zip((first, second), merged, strict=True):
        if len(group) > 1 and n > SMALL and n not in kit.region.e.w.extents:
            raise NoLowering("an extent that the program does not know")
    return kit.reshape(x, (*shape, *merged))


def each(
    r: Any, extents: Sequence[int], do: Any, idx: tuple[Value, ...] = (), kind: str = "serial"
) -> None:
    """`do(index)` for each matrix of a stack."""
    if len(idx) == len(extents):
        do(idx)
        return
    with r.w.loop(r.e.dim(extents[len(idx)]), kind) as loop:
        each(r, extents, do, (*idx, loop.index), kind)


def _start(r: Any, v: Stored, idx: tuple[Value, ...]) -> Value:
    place = v.offset
    for i, stride in zip(idx, v.strides, strict=False):
        place = r.w.op("add", place, r.w.op("mul", i, stride))
    found: Value = r.w.op("mul", place, r.e.two) if v.dtype in PARTS else place
    return found


def _leading(v: Stored, stack: int, turned: bool) -> Value:
    return v.strides[stack + 1] if turned else v.strides[stack]


def matrix(r: Any, node: Node, stack: int, row: tuple[Value, ...] = ()) -> tuple[Stored, bool]:
    """Memory in which one of the last two axes is dense; is it the one before the last (turned)?

    Of one row, where it is given: there may be memory for one only.
    """
    view = r.view(node)
    if view is not None:
        rows, columns = view.strides[stack], view.strides[stack + 1]
        m, n = node.shape[stack], node.shape[stack + 1]
        if _is_one(columns) and _reaches(r, rows, n):
            return view, False
        if _is_one(rows) and _reaches(r, columns, m):
            return view, True
    if row:
        from wengert.backends.emit import one_row

        place = one_row(r.e, node)
        r.over(
            node.shape[1:],
            lambda idx: place.put(r.e, (*row, *idx), r.at(node, (*row, *idx))),
            {place.buffer},
        )
        return place, False
    place = r.e.temporary(node.shape, node.dtype)
    r.copy(node, place)
    return place, False


def _is_one(stride: Value) -> bool:
    return stride.op == "const" and stride.data == 1


def _reaches(r: Any, stride: Value, n: int) -> bool:
    """Is the stride of lines at least their length? (A product of extents, or a number.)"""
    if stride.op == "const":
        return n <= SMALL and stride.data >= max(n, 1)
    extent = r.e.dim(n)
    return (
        stride is extent or extent.op == "const" or (stride.op == "mul" and extent in stride.args)
    )
