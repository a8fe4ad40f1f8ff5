"""What is computed again rather than read: operands that spread small arrays over a large one.

Points minus each of many means are an array as large as all rows together. A product by BLAS needs it in memory; where
it goes row by row, it has a row of its own made for it, and whoever else reads the same numbers subtracts again.
"""

from __future__ import annotations

from math import prod

from wengert.backends.graph import Node

CHEAP = 6  # operations that are quicker than reading what they make


def own_operands(node: Node) -> list[Node]:
    """Operands that are made for a step alone, and elsewhere computed again: what spreads small arrays."""
    step = node.step
    found: list[Node] = []
    if step.emit_row is None:
        return found
    for k, op in enumerate(step.operands):
        base = op.operands[0] if turns(op) else op
        if (
            step.needs[k] == "stored" and base.kind == "virtual" and base.affine is None
            and not base.stored and not base.small and base.cost <= CHEAP and len(base.readers) > 1
            and 2 * sum(prod(x.shape) for x in _leaves(base)) <= prod(base.shape)
        ):  # fmt: skip
            own = _copied(base, base.operands)
            found.append(own)
            if op is not base:
                own = _copied(op, (own,))
                found.append(own)
            op.readers = [x for x in op.readers if x is not node]
            own.readers = [node]
            step.operands = node.operands = tuple(
                own if d == k else x for d, x in enumerate(step.operands)
            )
    return found


def _copied(node: Node, operands: tuple[Node, ...]) -> Node:
    new = Node("virtual", node.shape, node.dtype, operands, node.access, node.pull, node.own)
    new.op, new.axes, new.zero, new.line = node.op, node.axes, node.zero, node.line
    new.after, new.affine, new.written_out = node.after, node.affine, node.written_out
    new.readers = []
    for op in operands:
        op.readers = [*op.readers, new]
    return new


def turns(node: Node) -> bool:
    """Are its axes those of its operand in another order?"""
    if node.affine is None or len(node.affine) != len(node.shape):
        return False
    return set(node.affine) == {(d, 0, 1) for d in range(len(node.shape))}


def _leaves(node: Node) -> set[Node]:
    """The arrays in memory that a node is computed from."""
    found, seen, stack = set(), set(), list(node.operands)
    while stack:
        op = stack.pop()
        if op not in seen:
            seen.add(op)
            if op.kind == "virtual" and not op.stored and not op.small:
                stack.extend(op.operands)
            else:
                found.add(op)
    return found
