"""Arrays as sets of values: unique values, unions, intersections, differences.

The numbers of the trace say which elements are equal; the values follow the first of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.numpy_api.ordering import number_of
from wengert.numpy_api.promote import axis_of, operand
from wengert.numpy_api.table import implements
from wengert.ops import index
from wengert.trace.tracer import Tracer


class UniqueAllResult(NamedTuple):
    """As NumPy's."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """As NumPy's."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """As NumPy's."""

    values: Any
    inverse_indices: Any


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None, *,
    equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    x = operand(ar)
    number = number_of(x, "np.unique")
    _, first, inverse, counts = np.unique(number, True, True, True, axis, equal_nan=equal_nan)
    values = (
        index.gather(x, first, merged=x.ndim)
        if axis is None
        else index.gather(x, first, axis=axis_of(axis, x.ndim))
    )
    found = [values]
    for wanted, extra in (
        (return_index, first),
        (return_inverse, inverse),
        (return_counts, counts),
    ):
        if wanted:
            found.append(extra)
    return found[0] if len(found) == 1 else tuple(found)


@implements(np.unique_all)
def unique_all(x: Any) -> Any:
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False))


@implements(np.unique_counts)
def unique_counts(x: Any) -> Any:
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False))


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False))


@implements(np.unique_values)
def unique_values(x: Any) -> Any:
    x = operand(x)
    return _first_of(x, np.unique_values(number_of(x, "np.unique_values")))


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Any:
    x, among = operand(element), np.ravel(operand(test_elements))
    found = np.any(np.equal(np.expand_dims(x, -1), among), axis=-1)
    return ~found if invert else found


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return unique(np.concatenate([np.ravel(operand(ar1)), np.ravel(operand(ar2))]))


def _first_of(x: Any, values: Any) -> Any:
    """The elements of x that have these (sorted) values: where each is seen first."""
    number = np.ravel(x.number() if isinstance(x, Tracer) else x)
    _, first = np.unique(number, return_index=True)
    return index.gather(x, first[np.searchsorted(number[first], values)], merged=x.ndim)


@implements(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    x, y = operand(ar1), operand(ar2)
    values, at_x, at_y = np.intersect1d(
        number_of(x, "np.intersect1d"),
        number_of(y, "np.intersect1d"),
        assume_unique,
        return_indices=True,
    )
    common = _first_of(x, values)
    return (common, at_x, at_y) if return_indices else common


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    x = operand(ar1)
    values = np.setdiff1d(number_of(x, "np.setdiff1d"), number_of(operand(ar2), "np.setdiff1d"))
    return _first_of(x, values)


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    x, y = operand(ar1), operand(ar2)
    values = np.setxor1d(number_of(x, "np.setxor1d"), number_of(y, "np.setxor1d"))
    return _first_of(np.concatenate([np.ravel(x), np.ravel(y)]), values)
