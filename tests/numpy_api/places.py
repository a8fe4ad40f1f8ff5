"""Indices of every kind that NumPy knows, for the tests of reading and writing."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def numbers(*shape):
    """Distinct numbers, the same in every run."""
    return np.sin(1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape)


@st.composite
def integer_items(draw, n):
    """A Python or NumPy integer within an axis."""
    i = draw(st.integers(-n, n - 1))
    return draw(st.sampled_from([i, np.int64(i), np.array(i)]))


@st.composite
def mixed(draw, shape):
    """A tuple of integers, slices, index arrays, lists, masks, None and Ellipsis."""
    common = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    true = draw(st.integers(1, 3))  # masks that meet arrays must pick as many, or one
    items, axis = [], 0
    while axis < len(shape):
        n = shape[axis]
        kinds = ["slice", "whole", "none", "stop"]
        kinds += ["integer", "array", "list", "mask", "flag"] if n else ["mask"]
        if axis + 1 < len(shape):
            kinds.append("mask2")
        kind = draw(st.sampled_from(kinds))
        if kind == "stop":
            break
        if kind == "slice":
            items.append(draw(st.slices(n)))
        elif kind == "whole":
            items.append(slice(None))
        elif kind == "integer":
            items.append(draw(integer_items(n)))
        elif kind == "array":
            part = draw(st.sampled_from([common, common[-1:], (1,) * len(common), ()]))
            items.append(draw(hnp.arrays(np.int64, part, elements=st.integers(-n, n - 1))))
        elif kind == "list":
            length = common[-1] if common else 1
            items.append(draw(st.lists(st.integers(-n, n - 1), min_size=length, max_size=length)))
        elif kind in ("mask", "mask2"):
            part = shape[axis : axis + 1 + (kind == "mask2")]
            count = min(true, int(np.prod(part)))
            mask = np.zeros(part, bool)
            mask.flat[draw(st.permutations(range(mask.size)))[:count]] = True
            items.append(mask)
            axis += mask.ndim - 1
        elif kind == "flag":
            items.append(draw(st.sampled_from([True, np.True_, False])))
        else:
            items.append(None)
        axis += kind not in ("none", "flag")
    if draw(st.booleans()):
        items.append(Ellipsis)
    elif axis == len(shape) and items and draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


@st.composite
def places(draw, min_dims=1):
    """(shape, index) such that NumPy accepts the index."""
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=4, min_side=1, max_side=4))
    at = draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
            hnp.integer_array_indices(shape),
            hnp.arrays(bool, shape),
            mixed(shape),
        )
    )
    try:
        np.empty(shape)[at]
    except IndexError:
        at = ...
    return shape, at
