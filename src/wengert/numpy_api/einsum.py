"""`np.einsum` in all its forms, brought to one: products of two operands with distinct letters.

A recipe is worked out once for a spec and shapes: diagonals for repeated letters, sums over letters
of one operand alone, then products of pairs in the order that NumPy's own path finder prefers.
"""

from __future__ import annotations

import string
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from wengert.numpy_api.moving import diagonal
from wengert.numpy_api.promote import cast, dtype_of, operand, shape_of
from wengert.numpy_api.table import implements
from wengert.numpy_api.ufuncs import finish
from wengert.ops import matmul, reduce
from wengert.ops import shape as moves

_LETTERS = string.ascii_letters


@implements(np.einsum)
def einsum(
    *operands: Any, out: Any = None, dtype: Any = None, optimize: Any = False, **rest: Any
) -> Any:
    spec, arrays = (
        (operands[0], operands[1:]) if isinstance(operands[0], str) else _from_lists(operands)
    )
    xs = [operand(x) for x in arrays]
    dtypes = [dtype_of(x) for x in xs] if dtype is None else [np.dtype(dtype)]
    common = dtypes[0] if dtypes.count(dtypes[0]) == len(dtypes) else np.result_type(*dtypes)
    xs = [cast(x, common) for x in xs]
    recipe = _recipe(spec, tuple(map(shape_of, xs)))
    if len(xs) == 1 and all(name in ("diagonal", "permute") for name, _ in recipe.prepare[0]):
        return finish(_viewed(xs[0], recipe.prepare[0]), out, True)
    xs = [_prepared(x, steps) for x, steps in zip(xs, recipe.prepare, strict=True)]
    for i, j, pair_spec in recipe.products:
        b, a = xs.pop(j), xs.pop(i)
        xs.append(matmul.matmul(a, b) if pair_spec is None else matmul.einsum(a, b, spec=pair_spec))
    return finish(xs[0], out, True) if out is not None else xs[0]


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    spec, arrays = (
        (operands[0], operands[1:]) if isinstance(operands[0], str) else _from_lists(operands)
    )
    blanks = (np.broadcast_to(np.zeros(()), shape_of(operand(x))) for x in arrays)
    return np.einsum_path(spec, *blanks, optimize=optimize)


def _prepared(x: Any, steps: Any) -> Any:
    for name, value in steps:
        if name == "diagonal":
            x = np.diagonal(x, 0, *value)
        elif name == "reshape":
            x = moves.reshape(x, shape=value)
        elif name == "sum":
            x = reduce.sum_(x, axes=value)
        else:
            x = moves.permute(x, axes=value)
    return x


def _viewed(x: Any, steps: Any) -> Any:
    """`_prepared` where nothing is summed: NumPy gives a view, which may be written."""
    for name, value in steps:
        x = diagonal(x, 0, *value, readonly=False) if name == "diagonal" else np.transpose(x, value)
    return x


class Recipe(NamedTuple):
    """What is done to each operand, and which pairs are multiplied then (places and spec)."""

    prepare: list[list[tuple[str, Any]]]
    products: list[tuple[int, int, str | None]]


def _from_lists(operands: Any) -> tuple[str, tuple[Any, ...]]:
    """`einsum(x, [0, 1], y, [1, 2], [0, 2])` as a string."""
    *lists, last = operands if len(operands) % 2 else (*operands, None)

    def letters(labels: Any) -> str:
        return "".join("..." if n is Ellipsis else _LETTERS[n] for n in labels)

    spec = ",".join(letters(labels) for labels in lists[1::2])
    return (spec if last is None else f"{spec}->{letters(last)}"), tuple(lists[::2])


@lru_cache(maxsize=1024)
def _recipe(spec: str, shapes: tuple[tuple[int, ...], ...]) -> Recipe:
    terms, out = _letters(spec, shapes)
    extents: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for c, n in zip(term, shape, strict=True):
            if extents.setdefault(c, n) == 1:
                extents[c] = n
            elif n not in (1, extents[c]):
                raise ValueError(f"einsum '{spec}': the letter {c} is both {extents[c]} and {n}")
    prepare: list[list[tuple[str, Any]]] = []
    for n, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        steps, terms[n] = _alone(term, shape, extents)
        prepare.append(steps)
    for n, term in enumerate(terms):  # letters that nobody else has: summed before any product
        others = {c for m, t in enumerate(terms) if m != n for c in t} | set(out)
        prepare[n] += _sums(term, others)
        terms[n] = "".join(c for c in term if c in others)
    if len(terms) == 1:
        prepare[0] += _turn(terms[0], out)
        return Recipe(prepare, [])
    products = []
    for i, j in _order(terms, out, extents):
        right, left = terms.pop(j), terms.pop(i)
        needed = set(out).union(*terms)
        result = (
            out if not terms else "".join(dict.fromkeys(c for c in left + right if c in needed))
        )
        products.append((i, j, _pair(left, right, result)))
        terms.append(result)
    return Recipe(prepare, products)


def _letters(spec: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[list[str], str]:
    """Letters of every operand and of the result; axes under an ellipsis get letters of their own."""
    spec = spec.replace(" ", "")
    ins, arrow, out = spec.partition("->")
    terms = ins.split(",")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum '{spec}' names {len(terms)} operands, and {len(shapes)} are given"
        )
    used = set(spec)
    free = [c for c in _LETTERS if c not in used]
    widths = [len(s) - len(t.replace("...", "")) for t, s in zip(terms, shapes, strict=True)]
    for t, width in zip(terms, widths, strict=True):
        if width < 0 or (width > 0 and "..." not in t) or t.count(".") not in (0, 3):
            raise ValueError(
                f"einsum '{spec}': '{t}' does not fit an operand of {len(shapes[terms.index(t)])} axes"
            )
    wide = "".join(free[: max(widths, default=0)])
    full = [
        t.replace("...", wide[len(wide) - w :] if w else "")
        for t, w in zip(terms, widths, strict=True)
    ]
    if arrow:
        result = out.replace("...", wide)
    else:  # what appears once, in alphabetical order, after the axes of the ellipsis
        count = Counter(c for t in terms for c in t if c != ".")
        result = wide + "".join(sorted(c for c, n in count.items() if n == 1))
    known = {c for t in full for c in t}
    if len(set(result)) != len(result) or not set(result) <= known:
        raise ValueError(
            f"einsum '{spec}': letters of the result must appear once there and in an operand"
        )
    return full, result


def _alone(
    term: str, shape: tuple[int, ...], extents: dict[str, int]
) -> tuple[list[tuple[str, Any]], str]:
    """Diagonals for repeated letters; axes of extent 1 that are wider elsewhere are dropped."""
    steps: list[tuple[str, Any]] = []
    letters, sizes = list(term), list(shape)
    if any(n == 1 != extents[c] for c, n in zip(letters, sizes, strict=True)):
        kept = [(c, n) for c, n in zip(letters, sizes, strict=True) if not n == 1 != extents[c]]
        letters, sizes = [c for c, _ in kept], [n for _, n in kept]
        steps.append(("reshape", tuple(sizes)))
    while len(set(letters)) < len(letters):
        c = next(c for c in letters if letters.count(c) > 1)
        i = letters.index(c)
        j = letters.index(c, i + 1)
        steps.append(("diagonal", (i, j)))
        letters = [x for k, x in enumerate(letters) if k not in (i, j)] + [c]
    return steps, "".join(letters)


def _sums(term: str, kept: set[str]) -> list[tuple[str, Any]]:
    axes = tuple(d for d, c in enumerate(term) if c not in kept)
    return [("sum", axes)] if axes else []


def _turn(term: str, out: str) -> list[tuple[str, Any]]:
    return [] if term == out else [("permute", tuple(term.index(c) for c in out))]


def _order(terms: list[str], out: str, extents: dict[str, int]) -> list[tuple[int, int]]:
    """Which two operands to multiply, step by step; the product goes to the end of the list."""
    if len(terms) == 2:
        return [(0, 1)]
    blanks = [np.broadcast_to(np.zeros(()), tuple(extents[c] for c in t)) for t in terms]
    path = np.einsum_path(f"{','.join(terms)}->{out}", *blanks, optimize="greedy")[0][1:]
    steps: list[tuple[int, int]] = []
    alive = list(range(len(terms)))
    for group in path:
        total, *rest = [alive[k] for k in group]
        for other in rest:
            i, j = sorted((alive.index(total), alive.index(other)))
            steps.append((i, j))
            total = len(terms) + len(steps)
            alive = [*(name for k, name in enumerate(alive) if k not in (i, j)), total]
    return steps


def _pair(left: str, right: str, out: str) -> str | None:
    """The spec of a product of two; None where it is a matrix product as it stands."""
    shared = set(left) & set(right)
    small = 0 < len(left) <= 2 and 0 < len(right) <= 2
    if small and shared == {left[-1]} == {right[0]} and left[:-1] + right[1:] == out:
        return None
    return f"{left},{right}->{out}"
