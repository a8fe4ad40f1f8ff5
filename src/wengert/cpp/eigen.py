"""Overloads of exported functions for Eigen's vectors and matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wengert.cpp.header import Piece, Printed, by_value, shaped
from wengert.cpp.kinds import Port

_STACK = 4096  # numbers of a matrix whose size is part of its type


def taken(port: Port) -> bool:
    """Is it a vector or a matrix of real numbers?"""
    return len(port.type.shape) in (1, 2) and port.type.dtype.kind != "c"


def matrix(p: Printed, port: Port, order: str = "Eigen::RowMajor") -> str:
    """Eigen's type of a port; of large ones the size is known to the assertions only."""
    shape = port.type.shape
    fixed = 0 < port.type.size <= _STACK
    dims = [str(n) if fixed else "Eigen::Dynamic" for n in shape]
    if len(shape) == 1:
        return f"Eigen::Matrix<{p.scalar(port)}, {dims[0]}, 1>"
    column = fixed and shape[1] == 1
    return f"Eigen::Matrix<{p.scalar(port)}, {dims[0]}, {dims[1]}{'' if column else ', ' + order}>"


def overloads(p: Printed) -> Iterator[str]:
    """The part of a header that Eigen's users see."""
    pieces = [x for x in p.pieces if any(map(taken, (*x.what.inputs, *x.what.outputs)))]
    if not pieces:
        return
    yield "#ifdef EIGEN_CORE_H  // include Eigen before, and vectors and matrices are taken as they are"
    yield f"namespace {p.name} {{"
    for piece in pieces:
        orders = [True]
        if any(map(_by_columns, piece.what.outputs)):
            orders.append(False)
        for rows in orders:
            yield ""
            yield from _overload(p, piece, rows)
    yield ""
    yield f"}}  // namespace {p.name}"
    yield "#endif"
    yield ""


def _by_columns(port: Port) -> bool:
    """Is it a matrix of which Eigen's usual order is another one?"""
    shape = port.type.shape
    return taken(port) and len(shape) == 2 and 0 < port.type.size <= _STACK and 1 not in shape


def _overload(p: Printed, piece: Piece, rows: bool) -> Iterator[str]:
    what = piece.what
    parts, before, after, args = [], [], [], []
    for x in what.inputs:
        if taken(x):
            parts.append(f"const Eigen::Ref<const {matrix(p, x)}>& {x.name}")
            before.append(_check(x))
            args.append(f"{x.name}.data()")
        else:
            parts.append(
                f"{p.scalar(x)} {x.name}" if by_value(x) else f"const {p.scalar(x)}* {x.name}"
            )
            args.append(x.name)
    for x in what.outputs:
        if not taken(x):
            parts.append(f"{p.scalar(x)}{'&' if by_value(x) else '*'} {x.name}")
            args.append(f"&{x.name}" if by_value(x) else x.name)
        elif not rows and _by_columns(x):
            parts.append(f"Eigen::Ref<{matrix(p, x, 'Eigen::ColMajor')}> {x.name}")
            before.append(f"    {matrix(p, x)} {x.name}_rows;")
            after.append(f"    {x.name} = {x.name}_rows;")
            args.append(f"{x.name}_rows.data()")
        else:
            parts.append(f"Eigen::Ref<{matrix(p, x)}> {x.name}")
            before.append(_check(x))
            args.append(f"{x.name}.data()")
    parts.append("void* work" + ("" if piece.body.work_bytes else " = nullptr"))
    if any(map(_by_columns, what.outputs)):
        names = ", ".join(shaped(x) for x in what.outputs if _by_columns(x))
        yield f"// {names} {'row by row' if rows else 'column by column, as Eigen has it by itself'}"
    yield f"inline int {what.kind}({', '.join(parts)}) {{"
    yield from (line for line in before if line)
    yield f"    const int status = {what.kind}({', '.join([*args, 'work'])});"
    yield from after
    yield "    return status;"
    yield "}"


def _check(x: Port) -> str:
    """An assertion of Eigen's, where the size is no part of the type."""
    if 0 < x.type.size <= _STACK:
        return ""
    shape = x.type.shape
    sizes = f"{x.name}.rows() == {shape[0]}"
    return f"    eigen_assert({sizes}{f' && {x.name}.cols() == {shape[1]}' if len(shape) == 2 else ''});"


def overload_call(
    p: Printed, piece: Piece, work: str, scope: str, differences: Sequence[str]
) -> Iterator[str]:
    """In a test program: the overload on maps of the stored arrays."""
    what = piece.what
    if not any(map(taken, (*what.inputs, *what.outputs))):
        return
    yield "#ifdef EIGEN_CORE_H"
    args = []
    for x in what.inputs:
        if not taken(x):
            args.append(f"in_{x.name}[0]" if by_value(x) else f"in_{x.name}")
            continue
        size = ", ".join(map(str, x.type.shape))
        args.append(f"Eigen::Map<const {matrix(p, x)}>(in_{x.name}, {size})")
    maps = []
    for x in what.outputs:
        name = f"mapped_{x.name}"
        storage = "static " if x.type.size > 1000 else ""
        count = max(1, x.type.size * (2 if x.type.dtype.kind == "c" else 1))
        maps.append(f"    {storage}{p.scalar(x)} {name}[{count}];")
        size = ", ".join(map(str, x.type.shape))
        if taken(x):
            args.append(f"Eigen::Map<{matrix(p, x)}>({name}, {size})")
        else:
            args.append(f"{name}[0]" if by_value(x) else name)
    yield from maps
    yield f"    if ({scope}{what.kind}({', '.join([*args, work])}) != 0) failures += 1;"
    for x, text in zip(what.outputs, differences, strict=True):
        yield f'    report("{what.kind}: {x.name} by Eigen", {text});'
    yield "#endif"
