"""A map with chunks, as compiled code needs it: a loop over the chunks, and a map of each."""

from __future__ import annotations

from typing import Any

from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType, repeated
from wengert.ops.control import map_, scan
from wengert.ops.index import index
from wengert.ops.shape import concat, reshape


def has_chunks(prim: Any, types: tuple[Any, ...], params: dict[str, Any]) -> bool:
    """Is it a map of arrays that is to be done in more than one chunk?"""
    return (
        prim is map_
        and params["chunk"] is not None
        and params["chunk"] < params["extent"]
        and all(isinstance(t, ArrayType) for t in (*types, *params["body"].out_types))
    )


def in_chunks(editor: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """Write the loop down, and a map of what is left over. Atoms of the results."""
    body, mapped, size = params["body"], params["mapped"], params["chunk"]
    count, rest = divmod(params["extent"], size)
    fixed = [a for a, m in zip(args, mapped, strict=True) if not m]
    rows = [a for a, m in zip(args, mapped, strict=True) if m]

    def part(a: Any, begin: int, end: int) -> Any:
        return editor.emit(index, a, at=(slice(begin, end, 1),))

    chunks = [
        editor.emit(reshape, part(a, 0, count * size), shape=(count, size, *a.type.shape[1:]))
        for a in rows
    ]
    loop = {"body": _of_chunk(body, mapped, size), "consts": len(fixed), "carry": 0}
    loop |= {"length": count, "reverse": False, "record": False}
    ys = editor.write(scan, (*fixed, *chunks), loop, None)
    ys = [editor.emit(reshape, y, shape=(count * size, *y.type.shape[2:])) for y in ys]
    if not rest:
        return tuple(ys)
    left = iter([part(a, count * size, params["extent"]) for a in rows])
    given = tuple(next(left) if m else a for a, m in zip(args, mapped, strict=True))
    last = editor.write(map_, given, {**params, "extent": rest, "chunk": None}, None)
    return tuple(editor.emit(concat, y, z, axis=0) for y, z in zip(ys, last, strict=True))


def _of_chunk(body: Program, mapped: tuple[bool, ...], size: int) -> Program:
    """The map of one chunk, its shared arguments first."""
    given = [
        Var(repeated(v.type, size) if m else v.type)
        for v, m in zip(body.inputs, mapped, strict=True)
    ]
    outputs = tuple(Var(repeated(t, size)) for t in body.out_types)
    params = {"body": body, "mapped": mapped, "extent": size, "chunk": None}
    order = sorted(range(len(given)), key=lambda k: mapped[k])
    inputs = [given[k] for k in order]
    return Program(inputs, [Eqn(map_, tuple(given), params, outputs)], outputs, name=body.name)
