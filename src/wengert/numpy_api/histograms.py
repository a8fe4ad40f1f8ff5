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


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, list[Any]]:
    points = np.asarray(known(_points(sample), "np.histogramdd", _WAY_OUT))
    counts, edges = np.histogramdd(points, bins, range, weights=None)
    w: Any = None if weights is None else operand(weights)
    if type(w) is Tracer:
        at, inside = np.zeros(len(points), int), np.ones(len(points), bool)
        for x, places in zip(points.T, edges, strict=True):
            k = np.searchsorted(places, x, "right") - 1
            k[x == places[-1]] = len(places) - 2
            inside &= (k >= 0) & (k < len(places) - 1)
            at = at * (len(places) - 1) + k
        found = np.flatnonzero(inside)
        blank = index.blank(ArrayType.of((counts.size,), dtype_of(w)), w)
        counts = np.reshape(index.scatter_add(blank, np.take(w, found), at[found]), counts.shape)
    elif w is not None:
        counts = np.histogramdd(points, bins, range, weights=w)[0]
    if density:
        total = counts.sum()
        for d, places in enumerate(edges):
            counts = counts / np.diff(places).reshape([-1 if d == e else 1 for e in np.arange(counts.ndim)])  # fmt: skip
        counts = counts / total
    return counts, list(edges)


def _points(sample: Any) -> Any:
    x: Any = (
        sample
        if isinstance(sample, Tracer | np.ndarray)
        else np.stack([operand(v) for v in sample], -1)
    )
    return x if x.ndim > 1 else x[:, None]


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    count = len(list(bins)) if np.iterable(bins) else 1
    each = [np.asarray(bins)] * 2 if count not in (1, 2) else bins
    h, edges = histogramdd([x, y], each, range, density, weights)
    return h, edges[0], edges[1]
