"""What one tape saw: its part of the list, walked backwards or pushed forwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.ir.program import Var
from wengert.tape.recorder import Pages, TapeBuilder
from wengert.trace.buffers import unchanged
from wengert.trace.builder import Entry


class Window:
    """The equations between a tape's start and stop, in the place of a builder that has closed.

    If some tape still records on the same list, the saved numbers are given back their names, so
    that the walk is recorded too: this is all there is to second derivatives.
    """

    __slots__ = ("entries", "name", "nested", "stopped", "watched")

    def __init__(self, builder: TapeBuilder, pages: Pages, spans: Iterable[Sequence[int]]) -> None:
        unchanged(pages)
        seen = [n for start, stop in spans for n in range(start, stop)]
        recorded = builder.recording
        self.name = builder.name
        self.stopped = False
        self.watched: list[Any] = []  # (looked at above, on all pages)
        self.nested = builder.nested or recorded
        self.entries = [pages.entries[n] for n in seen]
        if recorded:
            self.entries = [
                _named(builder, entry, pages.held.get(n))
                for n, entry in zip(seen, self.entries, strict=True)
            ]

    def reached(self, nodes: Iterable[Var]) -> set[Any]:
        """Everything that depends on `nodes`, themselves included."""
        found: set[Any] = set(nodes)
        for entry in self.entries:
            wanted = entry[5]
            if wanted is not None and any(
                w and a in found for a, w in zip(entry[1], wanted, strict=True)
            ):
                found.update(entry[3])
        return found

    def leading_to(self, node: Var) -> set[Any]:
        """Everything that `node` depends on, itself included."""
        found: set[Any] = {node}
        for entry in reversed(self.entries):
            wanted = entry[5]
            if wanted is not None and any(v in found for v in entry[3]):
                found.update(a for a, w in zip(entry[1], wanted, strict=True) if w)
        return found


def _named(builder: TapeBuilder, entry: Entry, held: list[Any] | None) -> Entry:
    """An equation whose saved numbers are values of the tape again."""
    prim, inputs, params, outputs, origin, wanted, xs, ys = entry
    if wanted is None:
        return entry
    if held is not None:  # it holds programs: what it saves is derived from its arguments
        args = [
            builder.handle(a, x) if w else x for a, w, x in zip(inputs, wanted, held, strict=True)
        ]
        return *entry[:7], prim.eval_saving(wanted, *args, **params)[1]
    if xs is not None:
        xs = [
            builder.handle(a, x) if w and x is not None else x
            for a, w, x in zip(inputs, wanted, xs, strict=True)
        ]
    if ys is not None:
        ys = tuple(
            builder.handle(v, y) if y is not None and v.type.inexact else y
            for v, y in zip(outputs, ys, strict=True)
        )
    return prim, inputs, params, outputs, origin, wanted, xs, ys
