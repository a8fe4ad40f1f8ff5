"""Rows in vector loops: what stands side by side in memory for one iteration is moved as a whole.

Lanes that read `base + 0, base + 1, …` would gather each of these alone. Instead every lane's row is
read at once, and the square of rows is turned by shuffles; writes go the other way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wengert.backends.code import DTYPES, Block, Buffer, Check, Store, Value
from wengert.backends.spelling import MEMORY

if TYPE_CHECKING:
    from wengert.backends.lanes import Values as Lanes

AHEAD = 2  # so many iterations before it is written, the memory of a row is asked for
FEWEST = 2  # so many neighbours make a row worth while
Key = tuple[Buffer, Value]


def split(index: Value) -> tuple[Value, int]:
    """An index as a base and a number added to it."""
    if index.op == "add":
        for a, b in (index.args, index.args[::-1]):
            if a.op == "const":
                base, more = split(b)
                return base, a.data + more
    return index, 0


class Rows:
    """Which reads and writes of a block are parts of rows."""

    def __init__(self, block: Block, written: set[Buffer], read: set[Buffer], width: int) -> None:
        reads: dict[Key, set[int]] = {}
        stores: dict[Key, set[int]] = {}
        both = written & read
        updated = _updated(block, both) if both else set()
        for item in block.items:
            if item.__class__ is Value:
                if item.op == "load" and (item.data not in both or item.data in updated):
                    base, offset = split(item.args[0])
                    reads.setdefault((item.data, base), set()).add(offset)
            elif isinstance(item, Store) and (item.buffer not in both or item.buffer in updated):
                base, offset = split(item.index)
                stores.setdefault((item.buffer, base), set()).add(offset)
        self.reads = _chunks(reads, width)
        self.stores = _chunks(stores, width)

    def chunk(self, table: dict[Any, Any], buffer: Buffer, index: Value) -> Any:
        """The row that an element belongs to, and its place in it."""
        base, offset = split(index)
        found = table.get((buffer, base, offset))
        return None if found is None else (base, found, offset - found[0])


def _updated(block: Block, both: set[Buffer]) -> set[Buffer]:
    """Buffers of which this block alone reads each element before it writes it, all in one row."""
    bases: dict[Buffer, set[Value]] = {b: set() for b in both}
    stored: dict[Buffer, set[int]] = {b: set() for b in both}
    good = set(both)
    for item in block.items:
        if item.__class__ is Value:
            if item.op == "load" and item.data in both:
                base, offset = split(item.args[0])
                bases[item.data].add(base)
                if offset in stored[item.data]:
                    good.discard(item.data)
        elif isinstance(item, Store):
            if item.buffer in both:
                base, offset = split(item.index)
                bases[item.buffer].add(base)
                stored[item.buffer].add(offset)
        elif not isinstance(item, Check):
            return set()
    return {b for b in good if len(bases[b]) == 1}


def _chunks(groups: dict[Key, set[int]], width: int) -> dict[Any, tuple[int, ...]]:
    """Per element its row: neighbouring offsets, at most as many as lanes."""
    table: dict[Any, tuple[int, ...]] = {}
    for (buffer, base), offsets in groups.items():
        left = sorted(offsets)
        while left:
            row = tuple(o for o in left if o < left[0] + width)
            left = left[len(row) :]
            if len(row) >= FEWEST and 2 * len(row) >= row[-1] - row[0] + 1:
                table.update(((buffer, base, o), row) for o in row)
    return table


def turned(lanes: Lanes, rows: list[str], type: str) -> list[str]:
    """A square of vectors, transposed: log₂ stages of pairwise exchanges."""
    p, w = lanes.p, len(rows)
    vector = f"<{w} x {type}>"
    rows = list(rows)
    distance = w // 2
    while distance:
        low = ", ".join(f"i32 {c if not c & distance else w + c - distance}" for c in range(w))
        high = ", ".join(f"i32 {c + distance if not c & distance else w + c}" for c in range(w))
        for i in range(w):
            if not i & distance:
                a, b = rows[i], rows[i + distance]
                rows[i], rows[i + distance] = (
                    a
                    if a == b == "poison"
                    else p.emit(f"shufflevector {vector} {a}, {vector} {b}, <{w} x i32> <{mask}>")
                    for mask in (low, high)
                )
        distance //= 2
    return rows


def places(lanes: Lanes, buffer: Buffer, base: Value, first: int) -> list[str]:
    """A pointer to the row of each lane."""
    from wengert.backends.lanes import Linear

    p, t = lanes.p, MEMORY[buffer.type]
    form = lanes.form(base)
    found = []
    if isinstance(form, Linear):
        start = p.address(buffer, form.reg)
        for k in range(lanes.width):
            if isinstance(form.step, int):
                at: str = str(k * form.step + first)
            else:
                at = p.emit(f"mul i64 {form.step}, {k}") if k else "0"
                at = p.emit(f"add i64 {at}, {first}") if first else at
            found.append(p.emit(f"getelementptr {t}, ptr {start}, i64 {at}"))
        return found
    vector = lanes.vector(base)
    for k in range(lanes.width):
        one = p.emit(f"extractelement {lanes.longs} {vector}, i64 {k}")
        at = p.emit(f"add i64 {one}, {first}") if first else one
        found.append(p.address(buffer, at))
    return found


def _mask(present: set[int], width: int) -> str:
    return f"<{', '.join(f'i1 {str(k in present).lower()}' for k in range(width))}>"


def read(lanes: Lanes, buffer: Buffer, base: Value, row: tuple[int, ...]) -> dict[int, str]:
    """All elements of a row, a vector over the lanes for each offset."""
    p, w = lanes.p, lanes.width
    t, size = MEMORY[buffer.type], DTYPES[buffer.type].itemsize
    vector = f"<{w} x {t}>"
    present = {o - row[0] for o in row}
    loaded = []
    for place in places(lanes, buffer, base, row[0]):
        if len(present) == w:
            loaded.append(p.emit(f"load {vector}, ptr {place}, align {size}"))
        else:
            loaded.append(
                p.intrinsic(
                    vector,
                    f"llvm.masked.load.v{w}{short(t)}.p0",
                    ("ptr", place),
                    ("i32", str(size)),
                    (lanes.bools, _mask(present, w)),
                    (vector, "poison"),
                )
            )
    columns = turned(lanes, loaded, t)
    return {o: columns[o - row[0]] for o in row}


def write(
    lanes: Lanes, buffer: Buffer, base: Value, row: tuple[int, ...], values: dict[int, str]
) -> None:
    """All elements of a row."""
    from wengert.backends.lanes import Linear

    p, w = lanes.p, lanes.width
    t, size = MEMORY[buffer.type], DTYPES[buffer.type].itemsize
    vector = f"<{w} x {t}>"
    columns = ["poison"] * w
    for o, value in values.items():
        columns[o - row[0]] = value
    present = {o - row[0] for o in row}
    form = lanes.form(base)
    # rows that are far apart are no stream that a processor would foresee
    step = form.step if isinstance(form, Linear) and isinstance(form.step, int) else 0
    ahead = AHEAD * step * w if step >= w else 0
    for place, value in zip(
        places(lanes, buffer, base, row[0]), turned(lanes, columns, t), strict=True
    ):
        if ahead:
            lanes.ask(p.emit(f"getelementptr {t}, ptr {place}, i64 {ahead}"))
        if len(present) == w:
            p.line(f"store {vector} {value}, ptr {place}, align {size}")
        else:
            lanes.masked(
                f"llvm.masked.store.v{w}{short(t)}.p0",
                (vector, value), ("ptr", place), ("i32", str(size)), (lanes.bools, _mask(present, w)),
            )  # fmt: skip


def short(t: str) -> str:
    """LLVM's name of a type inside names of intrinsics."""
    return {"double": "f64", "float": "f32"}.get(t, t)
