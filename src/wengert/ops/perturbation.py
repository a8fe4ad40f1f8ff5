"""Perturbation: how far results of linear algebra move when matrices move, and by rounding.

Rounding inside is met as if the matrix itself were off (backward error). Where an inverse shows how
far a perturbation reaches (solving, inverses, determinants), the bound holds for all of the ball;
else it is the slope along every entry, doubled, as long as the perturbation is small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.primitive import Values
from wengert.ir.types import type_of
from wengert.ops.families import everywhere
from wengert.ops.linalg import inv, transposed
from wengert.ops.radii import growth, lost, plus, real_of, unit

_MANY = 1024  # slopes along so many entries are asked for


def radii(prim: Any, ys: Values, xs: Values, rs: Values, params: Any) -> Any:
    """Radii of the results."""
    off = [_off(x, r) if type_of(x).ndim > 1 else r for x, r in zip(xs, rs, strict=True)]
    special = _SPECIAL.get(prim.name)
    if special is not None:
        return special(prim, ys, xs, rs, off, params)
    return _by_entries(prim, ys, xs, off, params)


def _off(a: Any, r: Any) -> Any:
    """The radius of a matrix that accounts for the rounding of an algorithm too."""
    n = max(type_of(a).shape[-2:])
    u, _ = unit(a.dtype)
    size = np.max(np.abs(a), axis=(-2, -1), keepdims=True)
    own = np.broadcast_to(size * (u * u.dtype.type(8 * n)), type_of(a).shape)
    return plus(r, own)


def _reach(inverse: Any, off: Any) -> tuple[Any, Any]:
    """|a⁻¹|, and 1 - ‖|a⁻¹| off‖: not positive where the ball may hold a singular matrix."""
    size = np.abs(inverse)
    spread = np.max(np.sum(np.matmul(size, off), axis=-1), axis=-1)
    return size, np.reshape(1 - spread, (*type_of(spread).shape, 1, 1))


def _far(moved: Any, room: Any) -> Any:
    """`moved`, of first order, and all further orders, element by element.

    With ‖|a⁻¹| off‖ = κ they are at most κ / (1 - κ) times the largest of each column.
    """
    high = np.max(moved, axis=-2, keepdims=True)
    rest = high * (1 - room) / np.where(room > 0, room, 1)
    return np.where(room > 0, moved + rest, np.inf)


def _solve(prim: Any, ys: Values, xs: Values, rs: Values, off: Any, params: Any) -> Any:
    (x,), (a, b), s = ys, xs, rs[1]
    vector = type_of(b).ndim < type_of(a).ndim
    size, room = _reach(inv(_matrix(a, params), lenient=True), off[0])
    miss = np.matmul(off[0], np.abs(_columns(x, vector)))
    if s is not None:
        miss = miss + _columns(s, vector)
    moved = _far(np.matmul(size, miss), room)
    return (plus(moved[..., 0] if vector else moved, lost(x)),)


def _columns(x: Any, vector: bool) -> Any:
    return x[..., None] if vector else x


def _matrix(a: Any, params: Any) -> Any:
    """What of the matrix a triangular solver looks at."""
    if "lower" not in params:
        return a
    part = np.tril(a, -int(params["unit"])) if params["lower"] else np.triu(a, int(params["unit"]))
    return part + np.eye(type_of(a).shape[-1], dtype=a.dtype) if params["unit"] else part


def _inverse(prim: Any, ys: Values, xs: Values, rs: Values, off: Any, params: Any) -> Any:
    (y,) = ys
    size, room = _reach(y, off[0])
    return (plus(_far(np.matmul(np.matmul(size, off[0]), size), room), lost(y)),)


def _det(prim: Any, ys: Values, xs: Values, rs: Values, off: Any, params: Any) -> Any:
    from wengert.ops.linalg import cofactors

    (y,), (a,) = ys, xs
    share = np.sum(transposed(np.abs(inv(a, lenient=True))) * off[0], axis=(-2, -1))
    near = np.abs(y) * growth(share)
    # of a singular matrix: what each entry weighs, where that is enough
    size = np.sum(np.abs(cofactors(a)) * off[0], axis=(-2, -1))
    rest = np.prod(np.sum(np.abs(a) + off[0], axis=-1), axis=-1) * unit(a.dtype)[0]
    return (plus(np.where(share < 0.5, near, 2 * size + rest), lost(y)),)


def _slogdet(prim: Any, ys: Values, xs: Values, rs: Values, off: Any, params: Any) -> Any:
    (_, value), (a,) = ys, xs
    share = np.sum(transposed(np.abs(inv(a, lenient=True))) * off[0], axis=(-2, -1))
    sure = share < 0.5
    turned = np.where(sure, 2 * share if a.dtype.kind == "c" else 0, 2)
    return turned + np.zeros_like(value), plus(np.where(sure, 2 * share, np.inf), lost(value))


def _eigh(prim: Any, ys: Values, xs: Values, rs: Values, off: Any, params: Any) -> Any:
    w, v = ys
    # (one triangle is read: what moves there moves on both sides)
    both = np.maximum(off[0], transposed(off[0]))
    norm = np.sqrt(np.sum(np.square(both), axis=(-2, -1)))[..., None]
    gaps = np.abs(w[..., :, None] - w[..., None, :])
    alone = np.where(np.eye(type_of(w).shape[-1], dtype=bool), np.inf, gaps)
    room = np.min(alone, axis=-1) - 2 * norm
    turned = np.where(room > 0, 2 * norm / np.where(room > 0, room, 1), np.inf)
    width = norm + np.zeros_like(w)
    return width, np.broadcast_to(turned[..., None, :], type_of(v).shape)


def _by_entries(prim: Any, ys: Values, xs: Values, off: Any, params: Any) -> Any:
    """Twice the slopes along every entry of what moves, weighted by its radius."""
    total: list[Any] = [None] * len(ys)
    for n, r in enumerate(off):
        if r is None:
            continue
        t = type_of(xs[n])
        entries = t.shape[-2] * t.shape[-1] if t.ndim > 1 else t.shape[-1]
        if entries > _MANY:
            return tuple(np.full_like(y, np.inf, dtype=real_of(y)) for y in ys)
        inner = t.shape[-2:] if t.ndim > 1 else t.shape[-1:]
        units = np.reshape(
            np.eye(entries, dtype=t.dtype), (entries, *(1,) * (t.ndim - len(inner)), *inner)
        )
        wide = tuple(everywhere(x, entries) for x in xs)
        results = tuple(everywhere(y, entries) for y in ys)
        moving = [units * r.astype(t.dtype) if k == n else None for k in range(len(xs))]
        try:
            found = prim.jvp(tuple(moving), wide, results, **params)
        except np.linalg.LinAlgError:  # next to a matrix that has no result
            found = NotImplemented
        if found is NotImplemented:
            return tuple(np.full_like(y, np.inf, dtype=real_of(y)) for y in ys)
        for k, dy in enumerate(found):
            if dy is not None:
                total[k] = plus(total[k], np.sum(np.abs(dy), axis=0))
    return tuple(_if_small(y, r) for y, r in zip(ys, total, strict=True))


def _if_small(y: Any, r: Any) -> Any:
    if r is None:
        return None
    axes = (-2, -1) if type_of(y).ndim > 1 else (-1,) if type_of(y).ndim else ()
    size = np.max(np.abs(y), axis=axes, keepdims=True)
    small = np.max(r, axis=axes, keepdims=True) < 0.25 * size
    return np.where(small, 2 * r, np.inf) + lost(np.broadcast_to(size, type_of(y).shape), 8)


_SPECIAL = {
    "solve": _solve,
    "solve_triangular": _solve,
    "inv": _inverse,
    "det": _det,
    "slogdet": _slogdet,
    "eigh": _eigh,
}
