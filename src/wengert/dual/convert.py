"""convert and gradients: arrays into duals with unit derivatives, and derivatives back into arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.dual.scalar import AutoDiffScalar
from wengert.errors import InputError, ShapeError
from wengert.ir import source


def convert(x: Any, offset: int = 0, size: int = 0) -> AutoDiffScalar:
    """An array as duals: element k (in C order) moves with variable `offset + k` of `size`.

    With `size=0` it is a constant. Convert several arrays with one `size` and offsets that follow
    each other to differentiate with respect to all of them.

    >>> convert(np.array([3.0, 4.0]), 1, 3)
    AutoDiffScalar([3., 4.],
        derivatives=[[0., 1., 0.],
         [0., 0., 1.]])
    """
    dual = AutoDiffScalar(x)
    if size == 0:
        return dual
    shape, count = dual._handle.shape, dual._handle.size
    if offset < 0 or offset + count > size:
        raise ShapeError(
            f"convert: {count} elements at offset {offset} do not fit among {size} derivatives",
            "let size be the number of elements of all arrays that are converted together",
            source.here(),
        )
    unit = np.zeros((size, count), dual._handle.dtype)
    unit[offset + np.arange(count), np.arange(count)] = 1
    dual._handle.node.tangent = unit.reshape(size, *shape)
    return dual


def gradients(loss: Any, *arrays: Any) -> Any:
    """The derivatives of `loss` as arrays shaped like `arrays`: one array, or a tuple of them.

    Each array that `convert` made knows its place among the derivatives; plain arrays take theirs
    in order. Where `loss` is an array too, its shape comes first.

    >>> X, W = convert([1.0, 2.0], 0, 4), convert([3.0, 4.0], 2, 4)
    >>> gradients(np.sum(X * W), X, W)
    (array([3., 4.]), array([1., 2.]))
    """
    if not arrays:
        raise InputError(
            "gradients: with respect to what?",
            "name the arrays: gradients(loss, X, W)",
            source.here(),
        )
    slopes = (
        loss.derivatives() if isinstance(loss, AutoDiffScalar) else np.zeros((*np.shape(loss), 0))
    )
    found, offset = [], 0
    for n, x in enumerate(arrays):
        shape, count = np.shape(x), math.prod(np.shape(x))
        if isinstance(x, AutoDiffScalar):
            offset = _place(x, n)
        if slopes.shape[-1] == 0:  # the loss is a constant
            found.append(np.zeros((*slopes.shape[:-1], *shape), slopes.dtype)[()])
        elif offset + count > slopes.shape[-1]:
            raise ShapeError(
                f"gradients: argument {n + 1} needs derivatives {offset} to {offset + count - 1}, "
                f"and the loss carries {slopes.shape[-1]}",
                "pass the arrays that the loss was computed from",
                source.here(),
            )
        else:
            part = slopes[..., offset : offset + count]
            found.append(np.reshape(part, (*slopes.shape[:-1], *shape))[()])
        offset += count
    return found[0] if len(found) == 1 else tuple(found)


def _place(x: AutoDiffScalar, n: int) -> int:
    """Where the unit derivatives of a converted array begin."""
    x._handle.refresh()
    unit = x._handle.node.tangent
    if isinstance(unit, np.ndarray) and x._handle.size:
        unit = unit.reshape(len(unit), -1)
        start = int(np.argmax(unit[:, 0]))
        block = unit[start : start + unit.shape[1]]
        if np.count_nonzero(unit) == unit.shape[1] and np.array_equal(block, np.eye(unit.shape[1])):
            return start
    elif x._handle.size == 0:
        return 0
    raise InputError(
        f"gradients: argument {n + 1} is no variable: its derivatives are not those of convert(x, offset, size)",
        "pass the converted array itself, not a result computed from it or a constant",
        source.here(),
    )
