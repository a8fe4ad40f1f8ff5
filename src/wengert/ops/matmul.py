"""Products of arrays: matrix products and Einstein sums."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Multilinear, everywhere, extent_of
from wengert.ops.pulling import transposed
from wengert.ops.radii import plus, unit
from wengert.ops.shape import pad


class MatMul(Multilinear):
    """`matmul(a, b)`: of two matrices, a matrix and a vector, two vectors, or two equal batches of matrices."""

    name = "matmul"
    answers = True

    def typeof(self, a: ArrayType, b: ArrayType) -> ArrayType:
        inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
        if a.shape[-1] != inner or ((a.ndim > 2 or b.ndim > 2) and a.shape[:-2] != b.shape[:-2]):
            raise ShapeError(
                f"matmul of {a!r} and {b!r}: {a.shape[-1]} columns meet {inner} rows",
                "transpose or reshape one of them",
                source.here(),
            )
        rows = a.shape[:-1] if a.ndim > 1 else ()
        return ArrayType.of((*rows, *(b.shape[-1:] if b.ndim > 1 else ())), a.dtype)

    def eval(self, a: Any, b: Any) -> Any:
        return np.matmul(a, b)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (a, b) = gs, args
        ta, tb = type_of(a), type_of(b)
        if ta.ndim == 2 and tb.ndim == 2:
            return g @ b.T if wanted[0] else None, a.T @ g if wanted[1] else None
        if ta.ndim == 1 and tb.ndim == 1:
            return g * b if wanted[0] else None, g * a if wanted[1] else None
        if ta.ndim == 1:  # g[j] = a[i] b[i,j]
            return (
                np.matmul(b, g) if wanted[0] else None,
                np.reshape(a, (-1, 1)) * np.reshape(g, (1, -1)) if wanted[1] else None,
            )
        if tb.ndim == 1:  # g[i] = a[i,j] b[j]
            return (
                np.reshape(g, (-1, 1)) * np.reshape(b, (1, -1)) if wanted[0] else None,
                np.matmul(g, a) if wanted[1] else None,
            )
        return (
            np.matmul(g, np.swapaxes(b, -1, -2)) if wanted[0] else None,
            np.matmul(np.swapaxes(a, -1, -2), g) if wanted[1] else None,
        )

    def careful(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        first, second = inputs[0].type, inputs[1].type
        if first.ndim == second.ndim == 2:  # only what is read is there
            return g @ xs[1].T if wanted[0] else None, xs[0].T @ g if wanted[1] else None
        return transposed(self, g, xs, ys, wanted, inputs, params)

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        first, second = inputs[0].type, inputs[1].type
        if first.ndim == second.ndim == 2:  # (`dot` is `@`, with less around it)
            return g.dot(xs[1].T) if wanted[0] else None, xs[0].T.dot(g) if wanted[1] else None
        return transposed(self, g, xs, ys, wanted, inputs, params)

    def spelled(
        self, write: Any, g: str, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any
    ) -> Any:
        """As `quick`, of two matrices."""
        if inputs[0].type.ndim == inputs[1].type.ndim == 2:
            both = f"{g}.dot({xs[1]}.T)", f"{xs[0]}.T.dot({g})"
            return [text for text, w in zip(both, wanted, strict=True) if w]
        return None

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        return (of_products(self, type_of(xs[0]).shape[-1], ys[0], xs, rs),)

    def batch(self, batched: tuple[bool, ...], a: Any, b: Any) -> Any:
        ta, tb = type_of(a), type_of(b)
        na, nb = ta.ndim - batched[0], tb.ndim - batched[1]
        if na <= 2 and nb <= 2 and not batched[1] and na >= 1:  # rows of rows: one larger product
            if na == 2:
                flat = np.reshape(a, (ta.shape[0] * ta.shape[1], ta.shape[2]))
                y = np.matmul(flat, b)
                return np.reshape(y, (ta.shape[0], ta.shape[1], *type_of(y).shape[1:]))
            return np.matmul(a, b)
        n = extent_of(batched, (a, b))
        a = a if batched[0] else everywhere(a, n)
        b = b if batched[1] else everywhere(b, n)
        if na == 1:
            a = np.expand_dims(a, 1)
        if nb == 1:
            b = np.expand_dims(b, -1)
        y = np.matmul(a, b)
        if nb == 1:
            y = y[..., 0]
        return y[:, 0] if na == 1 else y

    def lower(self, k: Any, a: Any, b: Any) -> Any:
        stack = "abcdefgh"[: max(len(a.shape), len(b.shape)) - 2] if len(a.shape) > 2 else ""
        left = stack + ("ik" if len(a.shape) > 1 else "k")
        right = stack + ("kj" if len(b.shape) > 1 else "k")
        out = stack + "".join(c for c in "ij" if c in left + right)
        return k.contract(left, right, out, a, b)


def of_products(prim: Any, terms: int, y: Any, xs: Values, rs: Values, **params: Any) -> Any:
    """Radius of sums of products: |a| (s + γ |b|) + r (|b| + s), and so on for more operands."""
    u, eta = unit(y.dtype)
    gamma = u * u.dtype.type(terms + len(xs) - 1)
    sizes = [np.abs(x) for x in xs]
    last = gamma * sizes[-1] if rs[-1] is None else rs[-1] + gamma * sizes[-1]
    total = prim(*sizes[:-1], last, **params) + eta * u.dtype.type(terms)
    above = sizes[-1] if rs[-1] is None else sizes[-1] + rs[-1]
    for n in range(len(xs) - 2, -1, -1):
        if rs[n] is not None:
            wide = [
                x if r is None else x + r
                for x, r in zip(sizes[n + 1 : -1], rs[n + 1 : -1], strict=True)
            ]
            total = plus(total, prim(*sizes[:n], rs[n], *wide, above, **params))
    return total


matmul = MatMul()


class Einsum(Multilinear):
    """`einsum[spec](x, y, …)` with distinct letters in each operand and an explicit result.

    Every letter of an operand is in the result or in another operand (the door sees to it), so
    that the cotangent of one operand is an Einstein sum of the others with g.
    """

    name = "einsum"
    answers = True

    def typeof(self, *xs: ArrayType, spec: str) -> ArrayType:
        ins, out = spec.split("->")
        extents: dict[str, int] = {}
        for letters, x in zip(ins.split(","), xs, strict=True):
            for letter, n in zip(letters, x.shape, strict=True):
                if extents.setdefault(letter, n) != n:
                    raise ShapeError(f"einsum '{spec}' of {xs}: letter {letter} is both {extents[letter]} and {n}",
                                     where=source.here())  # fmt: skip
        return ArrayType.of(tuple(extents[letter] for letter in out), xs[0].dtype)

    def eval(self, *xs: Any, spec: str) -> Any:
        if len(xs) != 2:
            return np.einsum(spec, *xs, optimize=len(xs) > 2)
        plan = pair_plan(spec)
        return np.einsum(spec, *xs) if plan is None else plan.eval(*xs)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, spec: str) -> Values:
        ins, out = spec.split("->")
        letters = ins.split(",")
        found: list[Any] = []
        for n, w in enumerate(wanted):
            if not w:
                found.append(None)
                continue
            others = [a for m, a in enumerate(args) if m != n]
            terms = ",".join([out, *(s for m, s in enumerate(letters) if m != n)])
            found.append(self(gs[0], *others, spec=f"{terms}->{letters[n]}"))
        return tuple(found)

    def bound(self, ys: Values, xs: Values, rs: Values, *, spec: str) -> Values:
        ins, out = spec.split("->")
        extents = {
            c: n
            for s, x in zip(ins.split(","), xs, strict=True)
            for c, n in zip(s, type_of(x).shape, strict=True)
        }
        terms = math.prod(n for c, n in extents.items() if c not in out)
        return (of_products(self, terms, ys[0], xs, rs, spec=spec),)

    def batch(self, batched: tuple[bool, ...], *xs: Any, spec: str) -> Any:
        ins, out = spec.split("->")
        new = next(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in spec)
        terms = ",".join(new + s if b else s for s, b in zip(ins.split(","), batched, strict=True))
        return self(*xs, spec=f"{terms}->{new}{out}")

    def lower(self, k: Any, *xs: Any, spec: str) -> Any:
        ins, out = spec.split("->")
        letters = ins.split(",")
        if len(xs) == 1:
            gone = [d for d, c in enumerate(letters[0]) if c not in out]
            left = [c for c in letters[0] if c in out]
            return k.permuted(k.reduce("add", xs[0], gone), [left.index(c) for c in out])
        y, have = xs[0], letters[0]
        for n, x in enumerate(xs[1:], 1):
            later = "".join(letters[n + 1 :]) + out
            union = have + "".join(c for c in letters[n] if c not in have)
            keep = out if n == len(xs) - 1 else "".join(c for c in union if c in later)
            y, have = k.contract(have, letters[n], keep, y, x), keep
        return y


class PairPlan:
    """How an Einstein sum of two operands becomes one (stacked) matrix product."""

    def __init__(self, left: str, right: str, out: str) -> None:
        batch = [c for c in left if c in right and c in out]
        inner = [c for c in left if c in right and c not in out]
        rows, columns = ([c for c in s if c not in batch and c not in inner] for s in (left, right))
        self.left_axes = tuple(left.index(c) for c in (*batch, *rows, *inner))
        self.right_axes = tuple(right.index(c) for c in (*batch, *inner, *columns))
        result = [*batch, *rows, *columns]
        self.out_axes = tuple(result.index(c) for c in out)
        self.sizes = len(batch), len(rows), len(inner)
        self.contracts = bool(inner) and bool(rows or columns)

    def eval(self, a: Any, b: Any) -> Any:
        """The sum itself."""
        a, b = a.transpose(self.left_axes), b.transpose(self.right_axes)
        batch, rows, inner = self.sizes
        stack, across, along = (
            a.shape[:batch],
            a.shape[batch : batch + rows],
            a.shape[batch + rows :],
        )
        down = b.shape[batch + inner :]
        size = math.prod(along)
        y = np.matmul(
            a.reshape((*stack, math.prod(across), size)), b.reshape((*stack, size, math.prod(down)))
        )
        return y.reshape((*stack, *across, *down)).transpose(self.out_axes)


@lru_cache(maxsize=2048)
def pair_plan(spec: str) -> PairPlan | None:
    """The plan of a spec; None where NumPy's own loop is as good (nothing to sum, or inner products)."""
    ins, out = spec.split("->")
    left, right = ins.split(",")
    plan = PairPlan(left, right, out)
    return plan if plan.contracts else None


class Convolve(Multilinear):
    """`convolve(a, b)` along the last axis, in full: y[k] = Σᵢ a[i] b[k - i], for each row of a stack."""

    name = "convolve"

    def typeof(self, a: ArrayType, b: ArrayType) -> ArrayType:
        if a.shape[:-1] != b.shape[:-1] or not a.shape[-1] or not b.shape[-1]:
            raise ShapeError(
                f"convolve of {a!r} and {b!r}", "give both at least one element", source.here()
            )
        return ArrayType.of((*a.shape[:-1], a.shape[-1] + b.shape[-1] - 1), a.dtype)

    def eval(self, a: Any, b: Any) -> Any:
        if a.ndim == 1:
            return np.convolve(a, b)
        y = np.empty((*a.shape[:-1], a.shape[-1] + b.shape[-1] - 1), a.dtype)
        for at in np.ndindex(a.shape[:-1]):
            y[at] = np.convolve(a[at], b[at])
        return y

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (g,), (a, b) = gs, args
        return _correlated(g, b, a) if wanted[0] else None, _correlated(g, a, b) if wanted[
            1
        ] else None

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        terms = min(type_of(x).shape[-1] for x in xs)
        return (of_products(self, terms, ys[0], xs, rs),)

    def batch(self, batched: tuple[bool, ...], a: Any, b: Any) -> Any:
        n = extent_of(batched, (a, b))
        return self(a if batched[0] else everywhere(a, n), b if batched[1] else everywhere(b, n))

    def lower(self, k: Any, a: Any, b: Any) -> Any:
        """The shorter one is written out, if it is short: Σᵢ of shifted, padded copies of the longer."""
        if a.shape[-1] < b.shape[-1]:
            a, b = b, a
        few, m = b.shape[-1], a.shape[-1] + b.shape[-1] - 1
        if few > 16 or a.dtype.kind not in "fciu":
            return NotImplemented
        lead = len(a.shape) - 1
        wide, total = (*a.shape[:-1], m), None
        for i in range(few):
            low, high = (0,) * lead + (i,), (0,) * lead + (few - 1 - i,)
            shifted = pad.lower(k, a, low=low, high=high)
            one = k.affine(b, wide, [*((d, 0, 1) for d in range(lead)), (None, i, 1)])
            part = k.map("mul", shifted, one, dtype=a.dtype)
            total = part if total is None else k.map("add", total, part, dtype=a.dtype)
        return total


def _correlated(g: Any, b: Any, like: Any) -> Any:
    """Σₖ g[k] b[k - i] for every i of `like`."""
    start, n = type_of(b).shape[-1] - 1, type_of(like).shape[-1]
    return convolve(g, b[..., ::-1])[..., start : start + n]


einsum, convolve = Einsum(), Convolve()
