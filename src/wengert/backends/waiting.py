"""Values of long straight-line code that wait long for a reader: they wait in memory, not in registers.

They would not find a register for so long, and it takes a compiler time that grows with the square of the length of a
block to find that out. So they are stored when they are made and read again where they are wanted; elements of
inputs are read from the input again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wengert.backends.code import DTYPES, Value
from wengert.backends.cpp_uses import roots, sources
from wengert.backends.spelling import TYPES
from wengert.backends.vary import inside

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer

LEAST = 1000  # steps of a block from which on this is worth its while
FAR = 32  # so many steps between two readers are long: there are no more registers


class Waiting:
    """Which values of a block go to memory after which step, and come back before which.

    A step is a value, a list of values that are made together, or a statement.
    """

    def __init__(self, steps: Sequence[Any], width: int = 1) -> None:
        self.width = width
        touched: dict[Value, int] = {}
        far: set[Value] = set()
        read = [_read(step) for step in steps]
        for k, step in enumerate(steps):
            for v in read[k]:
                if v in touched:
                    if k - touched[v] > FAR and v.type != "bool":
                        far.add(v)
                    touched[v] = k
            touched.update(dict.fromkeys(made(step), k))
        self.places: dict[Value, int] = {}
        self.back: dict[int, list[Value]] = defaultdict(list)
        self.sizes: dict[str, int] = {}
        self.base: dict[str, str] = {}
        self._places(steps, read, far, touched)

    def _places(
        self, steps: Sequence[Any], read: Any, far: set[Value], last: dict[Value, int]
    ) -> None:
        """Places in memory, which serve one value after the other."""
        free: dict[str, list[int]] = defaultdict(list)
        done: dict[int, list[Value]] = defaultdict(list)
        touched: dict[Value, int] = {}
        for k, step in enumerate(steps):
            for v in read[k]:
                if v in far:
                    if k - touched[v] > FAR and v not in self.back[k]:
                        self.back[k].append(v)
                    touched[v] = k
            for v in done.pop(k, ()):
                free[v.type].append(self.places[v])
            for v in made(step):
                if v in far:
                    touched[v] = k
                    if self.width > 1 or not _steady(v):
                        if not free[v.type]:
                            free[v.type].append(self.sizes.get(v.type, 0))
                            self.sizes[v.type] = free[v.type][-1] + 1
                        self.places[v] = free[v.type].pop()
                        done[last[v]].append(v)

    # ---- printing -------------------------------------------------------------------------------
    def open(self, p: Printer) -> None:
        """The memory, in the entry of the function that is being printed."""
        for type, size in self.sizes.items():
            p.count += 1
            self.base[type] = f"%wait{p.count}"
            p.head.append(f"  {self.base[type]} = alloca [{size} x {self._shape(type)}], align 64")

    def _shape(self, type: str) -> str:
        return TYPES[type] if self.width == 1 else f"<{self.width} x {TYPES[type]}>"

    def _at(self, p: Printer, v: Value) -> tuple[str, str, int]:
        t = self._shape(v.type)
        place = p.emit(f"getelementptr {t}, ptr {self.base[v.type]}, i64 {self.places[v]}")
        return t, place, DTYPES[v.type].itemsize * self.width

    def store(self, p: Printer, v: Value, register: str) -> None:
        """A value to its place."""
        t, place, size = self._at(p, v)
        p.line(f"store {t} {register}, ptr {place}, align {size}")

    def load(self, p: Printer, v: Value) -> str:
        """A value from its place, or from where it was read first."""
        if v not in self.places:
            return p.load(v.data, p.name(v.args[0]))
        t, place, size = self._at(p, v)
        return p.emit(f"load {t}, ptr {place}, align {size}")


def made(step: Any) -> Sequence[Value]:
    """The values that a step makes."""
    if step.__class__ is Value:
        return (step,)
    return step if step.__class__ is list else ()


def _read(step: Any) -> Sequence[Value]:
    """The values that a step reads, in it or in the blocks that it holds."""
    if step.__class__ is Value:
        return step.args
    if step.__class__ is list:
        return [a for v in step for a in v.args]
    found: list[Value] = []
    for item in inside(step):
        if item.__class__ is Value:
            found += item.args
        else:
            found += roots(item)
            found += (v for _, made_of in sources(item) for v in made_of)
    return found


def _steady(v: Value) -> bool:
    """Is it an element, at a known place, of memory that nobody writes?"""
    return v.op == "load" and v.data.role in ("input", "constant") and v.args[0].op == "const"
