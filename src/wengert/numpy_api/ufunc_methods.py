"""The methods of ufuncs on traced values: `reduce`, `accumulate`, `reduceat`, `outer` and `at`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, operand, shape_of
from wengert.numpy_api.table import (
    UFUNC_ACCUMULATIONS,
    UFUNC_METHODS,
    UFUNC_REDUCTIONS,
    ufunc_name,
    unsupported,
)
from wengert.numpy_api.ufuncs import buffer, finish
from wengert.trace.tracer import Tracer


def reduce(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = np._NoValue, where: Any = True,
) -> Any:  # fmt: skip
    """`ufunc.reduce`: its own rule, or element after element, as NumPy documents it."""
    x = operand(x)
    if dtype is not None:
        x = cast(x, np.dtype(dtype))
    options: dict[str, Any] = {} if where is True else {"where": where}
    if initial is not np._NoValue and initial is not None:
        options["initial"] = initial
    rule = UFUNC_REDUCTIONS.get(ufunc)
    if rule is not None:
        return finish(rule(x, axis=axis, keepdims=keepdims, **options), out, True)
    if ufunc.nin != 2 or "where" in options:
        raise unsupported(
            f"{ufunc_name(ufunc)}.reduce" + (" with where=" if "where" in options else ""),
            "put a value that changes nothing where the mask is False: np.where(mask, x, …)",
        )
    _known_to(ufunc, x)
    y = options.get("initial")
    for part in np.moveaxis(x, axis, 0):
        y = part if y is None else ufunc(y, part)
    return finish(np.expand_dims(y, axis) if keepdims else y, out, True)  # type: ignore[arg-type]


def _known_to(ufunc: np.ufunc, x: Any) -> None:
    """Raise NumPy's TypeError for numbers that the ufunc does not take."""
    if x.dtype.kind == "c":
        ufunc.resolve_dtypes((x.dtype, x.dtype, None))


def accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """`ufunc.accumulate`."""
    rule = UFUNC_ACCUMULATIONS.get(ufunc)
    if rule is not None:
        return rule(x, axis, dtype, out)
    if ufunc.nin != 2:
        raise unsupported(f"{ufunc_name(ufunc)}.accumulate")
    x = operand(x) if dtype is None else cast(operand(x), np.dtype(dtype))
    steps: list[Any] = []
    for part in np.moveaxis(x, axis, 0):
        steps.append(ufunc(steps[-1], part) if steps else part)
    return finish(np.stack(steps, axis), out, True)


def outer(ufunc: np.ufunc, x: Any, y: Any, **kwargs: Any) -> Any:
    """`ufunc.outer`: every element of x with every element of y."""
    x, y = operand(x), operand(y)
    return ufunc(np.reshape(x, (*shape_of(x), *(1,) * len(shape_of(y)))), y, **kwargs)


def reduceat(
    ufunc: np.ufunc, x: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    """`ufunc.reduceat`: reductions between the indices."""
    _known_to(ufunc, x)
    n = x.shape[axis]
    starts = [int(i) for i in indices]
    ends = [*starts[1:], n]
    lead = (slice(None),) * (axis % x.ndim)
    x = x if dtype is None else cast(x, np.dtype(dtype))
    parts = [
        ufunc.reduce(x[(*lead, slice(a, b))], axis=axis) if b > a else x[(*lead, a)]
        for a, b in zip(starts, ends, strict=True)
    ]
    return finish(np.stack(parts, axis), out, True)


def at(ufunc: np.ufunc, x: Any, i: Any, v: Any = None) -> None:
    """`ufunc.at`: x changed at the indices, once per occurrence, in their order."""
    from wengert.numpy_api.places import Where
    from wengert.numpy_api.writing import add_at

    x = buffer(x, v)
    if ufunc is np.add or ufunc is np.subtract:
        return add_at(x, i, v if ufunc is np.add else np.negative(v))
    *_, ids = Where(i, x.shape).numbers(everywhere=True)
    if isinstance(ids, Tracer):
        raise unsupported(
            f"{ufunc_name(ufunc)}.at with indices that this trace does not know",
            f"write x[i] = {ufunc_name(ufunc)}(x[i], v) if no index repeats",
        )
    values = None if v is None else np.broadcast_to(operand(v), ids.shape)
    ids = ids.ravel()
    flat = None if values is None else np.reshape(values, -1)
    rank = _occurrences(ids)
    for k in range(int(rank.max(initial=-1)) + 1):
        now = np.flatnonzero(rank == k)
        place = np.unravel_index(ids[now], x.shape)
        old = x[place]
        x[place] = ufunc(old) if flat is None else ufunc(old, flat[now])
    return None


def _occurrences(ids: Any) -> Any:
    """For each element, how many equal ones stand before it."""
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    start = np.maximum.accumulate(
        np.where(np.diff(ranked, prepend=-1) != 0, np.arange(ids.size), 0)
    )
    rank = np.empty(ids.size, int)
    rank[order] = np.arange(ids.size) - start
    return rank


UFUNC_METHODS.update(reduce=reduce, accumulate=accumulate, outer=outer, at=at, reduceat=reduceat)
