"""Histograms: which bin an element falls into does not move; edges and weights do."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.types import ArrayType
from wengert.numpy_api.indexing import known
from wengert.numpy_api.promote import cast, dtype_of, operand
from wengert.numpy_api.table import implements
from wengert.ops import index
from wengert.trace.tracer import Tracer

_WAY_OUT = "count with a smooth weight instead, e.g. a sigmoid of (edge - x)"


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    x = operand(a)
    if np.ndim(bins) == 1:
        return operand(bins)
    number = known(x, "np.histogram_bin_edges", _WAY_OUT)
    if isinstance(bins, str):  # how many there are is counted, where they lie moves
        bins = len(np.histogram_bin_edges(number, bins, range, weights)) - 1
    if range is None:
        if not number.size:
            return np.histogram_bin_edges(number, bins)
        low, high = np.min(x), np.max(x)
    else:
        low, high = (operand(v) for v in range)
    if bool(low == high):
        low, high = low - 0.5, high + 0.5
    kind = np.result_type(dtype_of(low), dtype_of(high), dtype_of(x))
    kind = np.result_type(kind, float) if kind.kind in "iu" else kind
    return np.linspace(low, high, int(bins) + 1, dtype=kind)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any]:
    edges = histogram_bin_edges(a, bins, range, weights)
    number = np.ravel(known(a, "np.histogram", _WAY_OUT))
    places = np.asarray(known(edges, "np.histogram", _WAY_OUT))
    if weights is None:
        counts: Any = np.histogram(number, places)[0]
    else:
        w = np.ravel(operand(weights))
        at = np.searchsorted(places, number, "right") - 1
        at[number == places[-1]] = len(places) - 2
        inside = np.flatnonzero((at >= 0) & (at < len(places) - 1))
        kind = dtype_of(w)
        if isinstance(w, Tracer):
            blank = index.blank(ArrayType.of((len(places) - 1,), kind), w)
            counts = index.scatter_add(blank, w[inside], at[inside])
        else:
            counts = np.histogram(number, places, weights=w)[0]
    if density:
        width = cast(np.diff(edges), np.dtype(float))
        return counts / width / counts.sum(), edges
    return counts, edges
