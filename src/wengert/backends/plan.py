"""Planning: which arrays get memory, and what shares a loop nest.

The level of a node is the number of barriers (reductions, steps) on the longest way to it. What
has one level and one space of iteration shares one nest. A virtual array that is dear to compute gets
memory as soon as another level reads it, or its elements are read more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from wengert.backends.again import own_operands, turns
from wengert.backends.bands import banded, goes_by_rows, same_row
from wengert.backends.code import SMALL
from wengert.backends.graph import MOVED, SAME, Node

DEAR = 16  # operations that are not worth a second time
DEEP = 200  # nodes of a chain that nobody keeps
LONG = 1024
MOST = 1 << 20  # what several read counts several times, which must have an end
FEW = 8
UNROLL = 32  # trailing small axes are written out up to so many elements


def unrolled(shape: Sequence[int], limit: int = UNROLL) -> tuple[int, ...]:
    """The trailing axes that are written out in a nest over this shape."""
    size, axes = 1, []
    for d in range(len(shape) - 1, -1, -1):
        if shape[d] > SMALL:
            break
        size *= shape[d]
        axes.append(d)
    else:  # few elements are written out, more are a loop
        return tuple(range(len(shape))) if size <= FEW else ()
    return tuple(reversed(axes)) if size <= limit else ()


class Unit:
    """What is emitted at once: a nest with its roots, small arrays, or a step."""

    __slots__ = ("flat", "key", "loops", "parts", "roots", "short", "step")

    def __init__(self, key: Any, loops: tuple[int, ...] = (), flat: bool = False) -> None:
        self.key, self.loops, self.flat = key, loops, flat
        self.roots: list[Node] = []
        self.step: Any = None
        self.parts: list[Unit] = []  # of a band: nests that share the loop over rows
        self.short: set[Node] = set()  # roots of which there is one row at a time

    def makes(self) -> list[Node]:
        """The arrays that are there afterwards."""
        found = list(self.roots)
        for step in self.steps():
            found += step.results
        return found

    def steps(self) -> list[Any]:
        """The step that it is, or those of a band."""
        return [part.step for part in self.parts or [self] if part.step is not None]

    def sources(self) -> list[tuple[Node, bool]]:
        """What is looked at, and whether row by row."""
        rows = self.by_rows()
        if self.step is not None:
            return [(op, rows) for op in self.step.operands]
        found = []
        for root in self.roots:
            if root.kind == "reduce":
                found.append((root.operands[0], rows))
            else:
                found += [(op, rows and same_row(root, op)) for op in root.operands]
        return found

    def by_rows(self) -> bool:
        """Can it be a part of a band?"""
        if self.step is not None:
            return bool(self.loops)
        if self.key[1] != 1 or self.flat or not self.loops:
            return False
        return all(
            goes_by_rows(source, loops_of(source.shape, source.written_out)[0])
            for source in (r.operands[0] if r.kind == "reduce" else r for r in self.roots)
        )


def plan(
    nodes: Sequence[Node], outputs: Sequence[Node], is_small: Any, bands: bool = True
) -> list[Unit]:
    """Set levels and what is stored; the units in the order in which they are done."""
    live: set[Node] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in live:
            live.add(node)
            stack.extend(node.operands)
    ordered = [n for n in nodes if n in live]
    for node in live:
        node.readers = []
    for node in ordered:
        for op in node.operands:
            op.readers.append(node)  # type: ignore[attr-defined]
    placed: list[Node] = []
    for node in ordered:
        own = own_operands(node) if node.kind == "step" and bands else []
        for new in (*own, node):
            _place(new, is_small)
            placed.append(new)
        for new in own:  # made right before
            new.level = node.level
    ordered = placed
    for node in outputs:
        if not node.small and node.kind == "virtual":
            node.stored = True
    units = _units(ordered)
    return banded(units, set(outputs)) if bands else units


def _available(op: Node) -> int:
    """The level from which a node can be read as memory."""
    return op.level + 1


def _readable(op: Node) -> int:
    """The level from which a node can be read at all."""
    return _available(op) if op.kind in ("reduce", "result") else op.level


def _place(node: Node, is_small: Any) -> None:
    if node.kind == "given":
        node.small = node.array.__class__.__name__ == "Grid"
        node.cost, node.flat = 1, getattr(node.array, "whole", False)
        return
    if node.kind == "result":
        node.level = node.operands[0].level
        node.cost, node.flat = 1, True
        return
    earliest = max((_readable(op) for op in node.after), default=0)
    if node.kind == "step":
        _apart(node.step)
        needed = zip(node.operands, node.step.needs, strict=True)
        node.level = max((_for_step(op, need) for op, need in needed), default=0)
        node.level = max(node.level, earliest)
        return
    node.small = node.kind == "virtual" and is_small(node.shape)
    level, cost, flat = earliest, node.own, node.kind == "virtual"
    flat = flat and (bool(node.operands) or node.access == SAME)  # (a position wants its axes)
    reads: list[Node] = []
    for k, op in enumerate(node.operands):
        access, times = _access(node, k)
        if op.kind in ("reduce", "result"):
            level = max(level, _available(op))
            cost += 1
        elif op.kind == "given":
            cost += 1
        elif op.small:
            level = max(level, op.level)
            cost += 1
        elif op.stored:
            level = max(level, op.level if access == SAME else _available(op))
            cost += 1
        elif (
            (access == SAME and op.depth < DEEP)
            or (access == MOVED and op.depth < DEEP and not _elsewhere(op, node))
            or (access == "row" and (op.cost <= DEAR or op.access in (SAME, MOVED)))
            or (op.cost <= 2 and access != "whole")
        ):
            level = max(level, op.level)
            cost += op.cost * times
            reads.append(op)
        else:
            op.stored = True
            level = max(level, _available(op))
            cost += 1
    for op in node.operands:
        if op.shape != ():
            made = op.kind in ("reduce", "result") or (op.stored and op.level < level)
            flat = flat and node.access == SAME and not op.small and (op.flat or made)
    for op in reads:  # dear things of an earlier level are kept
        if op.level < level and op.cost > DEAR:
            op.stored = True
            cost -= op.cost - 1
    node.depth = 1 + max((op.depth for op in reads if not op.stored), default=0)
    node.level, node.cost, node.flat = level, min(cost, MOST), flat or node.shape == ()
    if node.access != "whole" and not node.written_out:
        node.written_out = any(
            op.written_out and not op.stored and len(op.shape) <= len(node.shape) + 2
            for op in node.operands
            if op.kind == "virtual"
        )


def _access(node: Node, k: int) -> tuple[str, int]:
    """How an operand is read, and how many of its elements for one of the node's."""
    op = node.operands[k]
    if node.letters is None:
        return node.access, prod(op.shape[d] for d in node.axes)
    own, out = node.letters[k], node.letters[2]
    _, inner = loops_of(node.shape, node.written_out)
    # elements that several read, all of them in one go of the loops, are computed once
    shared = all(c in own or d in inner for d, c in enumerate(out))
    terms = prod(op.shape[d] for d, c in enumerate(own) if c not in out)
    return "row" if shared else node.access, terms


def _for_step(op: Node, need: str) -> int:
    if op.kind in ("reduce", "result"):
        return _available(op)
    if need == "pulled":
        _keep(op)
    elif op.kind == "virtual" and not op.small:
        if need == "stored" and turns(op) and op.operands[0].kind == "virtual":
            op.operands[0].stored = True  # (as it lies: others read it so, too)
        view = op.affine is not None and need == "stored" and _rooted(op.operands[0])
        if not view:
            op.stored = True
        elif op.operands[0].kind != "given":
            return max(op.level, _available(op.operands[0]))
    return op.level


def _apart(step: Any) -> None:
    """What a write pulls may read the array that it writes only where it writes: else it is computed before.

    `x[1:] = x[:-1]` in the memory of x would read what it has just written.
    """
    if step.reuses is None:
        return
    x = step.operands[step.reuses]
    for op in step.operands:
        if op is not x and op.kind == "virtual" and not op.small and op.shape != ():
            op.stored = op.stored or not _only_there(op, x, step.writes)
        elif op is x and step.operands.count(x) > 1:
            step.reuses = None


def _only_there(node: Node, x: Node, writes: Any) -> bool:
    """Does a node read x, if at all, element by element where `writes` (as of `affine`) puts its own?"""
    everywhere = [(d, 0, 1) for d in range(len(x.shape))]
    stack, seen = [(node, True)], set()
    while stack:
        at = here, same = stack.pop()  # is the index still that of the write?
        if at in seen:
            continue
        seen.add(at)
        if here is x:
            if not (same and writes == everywhere):
                return False
        elif here.kind == "virtual" and not (here.stored or here.small):
            if same and here.affine is not None and here.operands[0] is x:
                if writes != list(here.affine):
                    return False
            else:
                stack += [(op, same and here.access == SAME) for op in here.operands]
    return True


def _keep(op: Node) -> None:
    """What a step pulls is computed in loops of its own: what is dear and read by others, too, is kept."""
    if op.kind == "virtual" and not op.small and not op.stored and op.cost > DEAR:
        if len(op.readers) > 1:
            op.stored = True
        else:
            for inner in op.operands:
                _keep(inner)


def _elsewhere(op: Node, node: Node) -> bool:
    """Would a dear array that others read, too, be computed once more in another nest?"""
    if op.cost <= DEAR or len(op.readers) < 2 or op.kind != "virtual":
        return False
    loops, others = ([x.shape[d] for d in loops_of(x.shape)[0]] for x in (op, node))
    return loops != others


def _rooted(op: Node) -> bool:
    return op.kind in ("given", "reduce", "result") or op.stored


def loops_of(
    shape: tuple[int, ...], written_out: bool = False
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Axes that are looped over, and axes that are written out."""
    inner = unrolled(shape, LONG if written_out else UNROLL)
    return tuple(d for d in range(len(shape)) if d not in inner), inner


def _units(ordered: Sequence[Node]) -> list[Unit]:
    units: dict[Any, Unit] = {}
    for position, node in enumerate(ordered):
        if node.kind == "step":
            shape = node.step.results[0].shape if node.step.emit_row is not None else ()
            unit = Unit((node.level, 2, position), shape if shape and shape[0] > SMALL else ())
            unit.step = node.step
            units[node] = unit
            continue
        if node.kind in ("given", "result") or not (
            node.small or node.stored or node.kind == "reduce"
        ):
            continue
        if node.small:
            key: Any = (node.level, 0)
            if key not in units:
                units[key] = Unit((node.level, 0, position))
        else:
            source = node.operands[0] if node.kind == "reduce" else node
            flat = source.flat and (node.kind != "reduce" or len(node.axes) == len(source.shape))
            flat = flat and len(source.shape) > 1 and not _alone(source.shape)
            if flat:
                loops = tuple(sorted(source.shape))
            else:
                loops = tuple(
                    source.shape[d] for d in loops_of(source.shape, source.written_out)[0]
                )
            key = (node.level, 1, loops, flat)
            if key not in units:
                units[key] = Unit((node.level, 1, position), loops, flat)
        units[key].roots.append(node)
    return sorted(units.values(), key=lambda u: u.key)


def _alone(shape: tuple[int, ...]) -> bool:
    """Does one axis make up the whole array?"""
    return sum(n != 1 for n in shape) <= 1
