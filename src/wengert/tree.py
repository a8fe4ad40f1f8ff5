"""Nested containers ⇄ flat leaves (optree), with a fast path for one array.

Dictionaries, lists, tuples, named tuples, and dataclasses (registered on sight).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import optree

NAMESPACE = "wengert"
_seen: set[type] = set()
_plain = (np.ndarray, np.generic, float, int, complex, str, bool)
_known = frozenset((np.ndarray, np.float64, float, int, str))  # surely no containers


class _One:
    """The structure of a single leaf."""

    num_leaves = 1

    def unflatten(self, leaves: Any) -> Any:
        """The leaf itself."""
        (leaf,) = leaves
        return leaf

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _One)

    def __hash__(self) -> int:
        return 1

    def __reduce__(self) -> str:
        return "ONE"

    def __repr__(self) -> str:
        return "*"


ONE = _One()


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Leaves and structure; `unflatten(structure, leaves)` is the way back.

    >>> leaves, structure = flatten({"b": 2.0, "a": [1.0, 3.0]})
    >>> leaves
    [1.0, 3.0, 2.0]
    >>> unflatten(structure, [10, 30, 20])
    {'b': 20, 'a': [10, 30]}
    """
    if isinstance(tree, _plain):
        return [tree], ONE
    leaves, structure = optree.tree_flatten(tree, namespace=NAMESPACE)
    for leaf in leaves:
        if type(leaf) not in _known and dataclasses.is_dataclass(leaf) and register(type(leaf)):
            return flatten(tree)
    return (leaves, ONE) if len(leaves) == 1 and leaves[0] is tree else (leaves, structure)


def register(cls: type) -> bool:
    """Make a dataclass a container; True if it was new."""
    if cls in _seen or not dataclasses.is_dataclass(cls) or not isinstance(cls, type):
        return False
    _seen.add(cls)
    names = tuple(f.name for f in dataclasses.fields(cls))

    def parts(x: Any) -> Any:
        return tuple(getattr(x, n) for n in names), names, names

    def whole(_: Any, values: Any) -> Any:
        new = object.__new__(cls)
        for n, v in zip(names, values, strict=True):
            object.__setattr__(new, n, v)
        return new

    optree.register_pytree_node(cls, parts, whole, namespace=NAMESPACE)  # type: ignore[arg-type]
    return True


def unflatten(structure: Any, leaves: Any) -> Any:
    """The container with these leaves."""
    return structure.unflatten(leaves)


def paths(tree: Any) -> list[str]:
    """Where each leaf stands, for messages: `['w'][0]`; empty for a single leaf.

    >>> paths({"w": [1.0, 2.0]})
    ["['w'][0]", "['w'][1]"]
    """
    flatten(tree)  # registers dataclasses
    accessors = optree.tree_accessors(tree, namespace=NAMESPACE)
    return [a.codify("") for a in accessors]


def map_leaves(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`f` on corresponding leaves."""
    leaves, structure = flatten(tree)
    others = [flatten(t)[0] for t in rest]
    return unflatten(structure, [f(*xs) for xs in zip(leaves, *others, strict=True)])
