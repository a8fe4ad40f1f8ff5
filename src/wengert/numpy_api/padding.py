"""`np.pad` in all its modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.numpy_api.moving import by_numbers, part
from wengert.numpy_api.promote import cast, operand, shape_of, spread
from wengert.numpy_api.table import implements, unsupported
from wengert.ops import shape as ops


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    x = operand(array)
    if not x.ndim:  # (nothing to pad)
        return np.copy(x)
    if isinstance(pad_width, dict):
        given = [(0, 0)] * x.ndim
        for d, w in pad_width.items():
            given[d] = (int(w), int(w)) if np.ndim(w) == 0 else (int(w[0]), int(w[1]))
        pad_width = given
    widths = [(int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))]
    if any(a < 0 or b < 0 for a, b in widths):
        raise ValueError("index can't contain negative values")
    odd = kwargs.get("reflect_type", "even") == "odd"
    if mode in ("edge", "wrap") or (mode in ("reflect", "symmetric") and not odd):
        return by_numbers(lambda numbers: np.pad(numbers, widths, mode, **kwargs), x)
    if mode == "empty" or (mode == "constant" and not kwargs):
        return ops.pad(x, low=tuple(a for a, _ in widths), high=tuple(b for _, b in widths))
    if callable(mode):
        return _padded_by(mode, x, widths, kwargs)
    sides = _SIDES.get(mode)
    if sides is None:
        raise unsupported(f"np.pad with mode={mode!r}", "build the border with np.concatenate")
    for d, width in enumerate(widths):
        options = {name: _pair(value, x.ndim, d) for name, value in kwargs.items()}
        before, after = sides(x, d, width, **options)
        x = np.concatenate([*before, x, *after], d)
    return x


def _pair(value: Any, ndim: int, axis: int) -> Any:
    """An option of np.pad for one axis: (before, after)."""
    if isinstance(value, str) or value is None:
        return value
    v = operand(value)
    full = spread(v, (ndim, 2)) if shape_of(v) != (ndim, 1) else np.repeat(v, 2, 1)
    return full[axis, 0], full[axis, 1]


def _block(x: Any, value: Any, axis: int, width: int) -> Any:
    """`value` repeated `width` times along an axis, elsewhere as wide as x."""
    return spread(cast(value, x.dtype), (*x.shape[:axis], width, *x.shape[axis + 1 :]), x)


def _constant(x: Any, axis: int, width: tuple[int, int], constant_values: Any = (0, 0)) -> Any:
    return tuple([_block(x, v, axis, w)] for v, w in zip(constant_values, width, strict=True))


def _statistic(function: Any) -> Any:
    def sides(x: Any, axis: int, width: tuple[int, int], stat_length: Any = None) -> Any:
        n = x.shape[axis]
        left, right = (n, n) if stat_length is None else (min(int(s), n) for s in stat_length)
        parts = part(x, axis, 0, left), part(x, axis, n - right, n)
        found = []
        for beside, w in zip(parts, width, strict=True):
            y = function(beside, axis=axis, keepdims=True)
            found.append([_block(x, np.round(y) if x.dtype.kind in "iu" else y, axis, w)])
        return tuple(found)

    return sides


def _ramp(x: Any, axis: int, width: tuple[int, int], end_values: Any = (0, 0)) -> Any:
    n = x.shape[axis]
    edges = np.squeeze(part(x, axis, 0, 1), axis), np.squeeze(part(x, axis, n - 1, n), axis)
    before, after = (
        np.linspace(end, edge, w, endpoint=False, dtype=x.dtype, axis=axis)
        for end, edge, w in zip(end_values, edges, width, strict=True)
    )
    return [before], [np.flip(after, axis)]


def _odd_reflection(edge: int) -> Any:
    """2·edge - mirror image, as often as the width needs; the image holds the edge itself if `edge`."""

    def sides(x: Any, axis: int, width: tuple[int, int], reflect_type: Any = "odd") -> Any:
        left, right = width
        skip = 1 - edge
        if x.shape[axis] == 1 and not edge:  # nothing to mirror: NumPy repeats the edge
            return [_block(x, x, axis, left)], [_block(x, x, axis, right)]
        period = x.shape[axis] - skip
        y = x
        while left or right:
            n = y.shape[axis]
            most = (n - skip) // period * period  # NumPy mirrors whole periods
            a, b = min(left, most), min(right, most)
            first, last = part(y, axis, 0, 1), part(y, axis, n - 1, n)
            before = 2 * first - np.flip(part(y, axis, skip, a + skip), axis)
            after = 2 * last - np.flip(part(y, axis, n - skip - b, n - skip), axis)
            y = np.concatenate([before, y, after], axis)
            left, right = left - a, right - b
        end = y.shape[axis]
        return [part(y, axis, 0, width[0])], [part(y, axis, end - width[1], end)]

    return sides


def _padded_by(function: Any, x: Any, widths: list[tuple[int, int]], kwargs: Any) -> Any:
    """`np.pad` by a function of the user's, which writes the borders of one row after the other."""
    y = ops.pad(x, low=tuple(a for a, _ in widths), high=tuple(b for _, b in widths))
    for d, width in enumerate(widths):
        rows = np.moveaxis(y, d, -1)
        for at in np.ndindex(rows.shape[:-1]):
            row = rows[at]
            function(row, width, d, kwargs)
    return y


_SIDES: dict[str, Any] = {
    "constant": _constant,
    "maximum": _statistic(np.max),
    "minimum": _statistic(np.min),
    "mean": _statistic(np.mean),
    "median": _statistic(np.median),
    "linear_ramp": _ramp,
    "reflect": _odd_reflection(0),
    "symmetric": _odd_reflection(1),
}
