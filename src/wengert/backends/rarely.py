"""Sums of which most terms are zero: the slope of a maximum is, of a row, one number among zeros.

What is added there is a product that is stopped where its factor is zero, so a look at the factor tells
that nothing is to be done.
"""

from __future__ import annotations

from wengert.backends.graph import SPREAD, Node

DEEP = 12  # so far the reason of a zero is looked for
DEAR = 8  # operations that are worth a look


def often_zero(node: Node) -> bool:
    """Is this a mark of what was chosen, or such a mark times something?"""
    for _ in range(DEEP):
        if node.op == "mark" or (node.op == "cast" and node.operands[0].dtype.kind == "b"):
            return True
        if node.op == "scale" and node.zero is not None:
            node = node.zero
        elif node.kind == "virtual" and (
            node.op in ("neg", "div", "mul") or node.affine is not None
        ):
            node = node.operands[0]
        else:
            return False
    return False


def harmless(node: Node) -> bool:
    """May it be left out? It is dear, and checks nothing that could fail."""
    if node.cost < DEAR:
        return False
    stack, seen = [node], set()
    while stack:
        node = stack.pop()
        if node in seen or node.kind != "virtual":
            continue
        seen.add(node)
        if node.access == SPREAD and node.affine is None:  # a gather looks at its indices
            return False
        stack.extend(node.operands)
    return True
