"""Rows of layout: elements that are moved twice are moved once, or not at all; and reductions of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ir.program import Const
from wengert.ops.arithmetic import mul, neg
from wengert.ops.index import accumulate, gather, index, part, update
from wengert.ops.literal import Frozen, literal
from wengert.ops.reduce import max_, min_, sum_
from wengert.ops.shape import broadcast, concat, flip, pad, permute, reshape, stack
from wengert.rewrites.rule import Equation, Row, several, wild

x, y = wild("x"), wild("y")
shape, dims, axes, at = wild("shape"), wild("dims"), wild("axes"), wild("at")
inner, inner_dims, value = wild("inner"), wild("inner_dims"), wild("value")

# ---- indices, axis by axis ---------------------------------------------------------------------------


def steps(at: Any, shape: tuple[int, ...]) -> list[Any]:
    """A basic index as one entry per axis: an integer, or (start, step, length)."""
    found: list[Any] = []
    for n, extent in enumerate(shape):
        a = at[n] if n < len(at) else slice(None)
        if isinstance(a, slice):
            r = range(*a.indices(extent))
            found.append((r.start, r.step, len(r)))
        else:
            found.append(int(a) % extent if extent else 0)
    return found


def written(entries: list[Any]) -> tuple[Any, ...]:
    """Entries as a basic index again."""
    at: list[Any] = []
    for e in entries:
        if isinstance(e, int):
            at.append(e)
            continue
        start, step, count = e
        stop = start + step * count
        at.append(slice(start, None if stop < 0 else stop, step) if count else slice(0, 0, 1))
    return tuple(at)


def whole(entries: list[Any], shape: tuple[int, ...]) -> bool:
    """Is everything read, in order?"""
    return all(e == (0, 1, n) for e, n in zip(entries, shape, strict=True))


def _chained(first: list[Any], then: list[Any]) -> list[Any]:
    """The index that reads what `then` reads of what `first` has read."""
    rest = iter(then)
    found: list[Any] = []
    for e in first:
        if isinstance(e, int):
            found.append(e)
            continue
        start, step, _ = e
        f = next(rest)
        if isinstance(f, int):
            found.append(start + step * f)
        else:
            found.append((start + step * f[0], step * f[1], f[2]))
    return found


def _whole_read(editor: Any, found: Any) -> Any:
    t = found["x"].type
    return found["x"] if whole(steps(found["at"], t.shape), t.shape) else None


def _index_index(editor: Any, found: Any) -> Any:
    t = found["x"].type
    first = steps(found["inner"], t.shape)
    between = tuple(e[2] for e in first if not isinstance(e, int))
    at = written(_chained(first, steps(found["at"], between)))
    return editor.emit(index, found["x"], at=at)


def _index_broadcast(editor: Any, found: Any) -> Any:
    """Read x where it can be, and repeat that."""
    t, dims = found["x"].type, found["dims"]
    entries = steps(found["at"], found["shape"])
    shape = tuple(e[2] for e in entries if not isinstance(e, int))
    place = {d: k for k, d in enumerate(d for d, e in enumerate(entries) if not isinstance(e, int))}
    mine = [
        (e if t.shape[k] == found["shape"][d] else 0 if isinstance(e, int) else (0, 1, 1))
        for k, (d, e) in enumerate((d, entries[d]) for d in dims)
    ]
    kept = tuple(place[d] for d in dims if d in place)
    read = found["x"] if whole(mine, t.shape) else editor.emit(index, found["x"], at=written(mine))
    return editor.emit(broadcast, read, shape=shape, dims=kept)


def _index_stack(editor: Any, found: Any) -> Any:
    """One of the stacked values, if the index picks one."""
    axis, parts = found["axis"], found["parts"]
    t = parts[0].type
    entries = steps(found["at"], (*t.shape[:axis], len(parts), *t.shape[axis:]))
    picked = entries.pop(axis)
    if not isinstance(picked, int):
        return None
    x = parts[picked]
    return x if whole(entries, t.shape) else editor.emit(index, x, at=written(entries))


def _index_concat(editor: Any, found: Any) -> Any:
    """A part of one of the joined values, if the index stays within one."""
    axis, parts, start = found["axis"], found["parts"], 0
    total = sum(p.type.shape[axis] for p in parts)
    t = parts[0].type
    entries = steps(found["at"], (*t.shape[:axis], total, *t.shape[axis + 1 :]))
    e = entries[axis]
    if not isinstance(e, int) and e[2] == 0:
        return None
    low, high = (e, e) if isinstance(e, int) else sorted((e[0], e[0] + e[1] * (e[2] - 1)))
    for p in parts:
        extent = p.type.shape[axis]
        if start <= low and high < start + extent:
            entries[axis] = e - start if isinstance(e, int) else (e[0] - start, e[1], e[2])
            return editor.emit(index, p, at=written(entries))
        start += extent
    return None


def _read_back(editor: Any, found: Any) -> Any:
    """What was just written, if exactly that is read."""
    t = found["x"].type
    same = steps(found["inner"], t.shape) == steps(found["at"], t.shape)
    return found["y"] if same else None


def _overwritten(editor: Any, found: Any) -> Any:
    t = found["x"].type
    if whole(steps(found["at"], t.shape), t.shape):
        return found["y"]
    return None


def _padded(editor: Any, found: Any) -> Any:
    """A part written into zeros, as the part padded with zeros."""
    t = editor.type_of_result
    entries = steps(found["at"], t.shape)
    if any(not isinstance(e, int) and (e[1] != 1 or e[2] == 0) for e in entries):
        return None
    extents = tuple(1 if isinstance(e, int) else e[2] for e in entries)
    low = tuple(e if isinstance(e, int) else e[0] for e in entries)
    high = tuple(n - a - k for n, a, k in zip(t.shape, low, extents, strict=True))
    v = found["y"]
    if v.type.shape != extents:
        v = editor.emit(reshape, v, shape=extents)
    return editor.emit(pad, v, low=low, high=high)


def _unpadded(editor: Any, found: Any) -> Any:
    """A read of padding alone, or of what was padded alone."""
    t = found["x"].type
    full = tuple(a + n + b for a, n, b in zip(found["low"], t.shape, found["high"], strict=True))
    entries = steps(found["at"], full)
    inside: list[Any] = []
    for e, low, n in zip(entries, found["low"], t.shape, strict=True):
        if not isinstance(e, int) and e[2] == 0:
            return None
        ends = (e, e) if isinstance(e, int) else sorted((e[0], e[0] + e[1] * (e[2] - 1)))
        if ends[1] < low or ends[0] >= low + n:
            return Const(t.dtype.type(0))
        if ends[0] < low or ends[1] >= low + n:
            return None
        inside.append(e - low if isinstance(e, int) else (e[0] - low, e[1], e[2]))
    return editor.emit(index, found["x"], at=written(inside))


def _gathered_range(editor: Any, found: Any) -> Any:
    """A gather at literal integers in arithmetic progression, as a slice."""
    i, axis = found["value"].array, found["axis"] or 0
    if (found["merged"] or 1) != 1 or i.ndim != 1 or i.size == 0:
        return None
    start = int(i[0])
    step = int(i[1]) - start if i.size > 1 else 1
    if step == 0 or not np.array_equal(i, start + step * np.arange(i.size)):
        return None
    t = found["x"].type
    if not 0 <= min(start, int(i[-1])) <= max(start, int(i[-1])) < t.shape[axis]:
        return None
    entries: list[Any] = [(0, 1, n) for n in t.shape]
    entries[axis] = (start, step, i.size)
    return editor.emit(index, found["x"], at=written(entries))


def _gather_gather(editor: Any, found: Any) -> Any:
    """x[i][j] as x[i[j]], for literal one-dimensional i."""
    i, axis = found["value"].array, found["axis"] or 0
    merged = {found["merged"] or 1, found["then"] or 1}
    if merged != {1} or (found["axis2"] or 0) != axis or i.ndim != 1:
        return None
    j = editor.emit(literal, value=Frozen(i[found["other"].array]))
    return editor.emit(gather, found["x"], j, axis=axis, merged=1)


# ---- movements ---------------------------------------------------------------------------------------


def _same_shape(editor: Any, found: Any) -> Any:
    return found["x"] if found["x"].type.shape == tuple(found["shape"]) else None


def _broadcast_identity(editor: Any, found: Any) -> Any:
    t = found["x"].type
    same = t.shape == tuple(found["shape"]) and found["dims"] == tuple(range(t.ndim))
    return found["x"] if same else None


def _broadcast_broadcast(editor: Any, found: Any) -> Any:
    dims = tuple(found["dims"][d] for d in found["inner_dims"])
    return editor.emit(broadcast, found["x"], shape=found["shape"], dims=dims)


def _unit_free(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _broadcast_reshape(editor: Any, found: Any) -> Any:
    """Axes of extent 1 that were put in, or taken out, before x is repeated: name the others at once."""
    t, between = found["x"].type, found["inner"]
    if _unit_free(t.shape) != _unit_free(between) or t.size == 0:
        return None
    dims = iter(d for d, n in zip(found["dims"], between, strict=True) if n != 1)
    kept = tuple(next(dims) for n in t.shape if n != 1)
    squeezed = found["x"]
    if len(kept) != t.ndim:
        squeezed = editor.emit(reshape, squeezed, shape=_unit_free(t.shape))
        if t.ndim == len(between):  # nothing gained
            return None
    return editor.emit(broadcast, squeezed, shape=found["shape"], dims=kept)


def _reshape_broadcast(editor: Any, found: Any) -> Any:
    """Axes of extent 1 put in or taken out after the repeating."""
    shape, between = tuple(found["shape"]), tuple(found["inner"])
    t = found["x"].type
    if t.shape == ():
        return editor.emit(broadcast, found["x"], shape=shape, dims=())
    if _unit_free(shape) != _unit_free(between) or math.prod(shape) == 0:
        return None
    if any(between[d] == 1 for d in found["dims"]):
        return None
    new = iter(d for d, n in enumerate(shape) if n != 1)
    place = {d: next(new) for d, n in enumerate(between) if n != 1}
    dims = tuple(place[d] for d in found["dims"])
    return editor.emit(broadcast, found["x"], shape=shape, dims=dims)


def _permute_identity(editor: Any, found: Any) -> Any:
    return found["x"] if found["axes"] == tuple(range(len(found["axes"]))) else None


def _permute_permute(editor: Any, found: Any) -> Any:
    return editor.emit(permute, found["x"], axes=tuple(found["inner"][a] for a in found["axes"]))


def _permute_broadcast(editor: Any, found: Any) -> Any:
    axes = found["axes"]
    shape = tuple(found["shape"][a] for a in axes)
    dims = tuple(axes.index(d) for d in found["dims"])
    return editor.emit(broadcast, found["x"], shape=shape, dims=dims)


def _permute_units(editor: Any, found: Any) -> Any:
    """Only axes of extent 1 change their order: the memory is the same."""
    t, axes = found["x"].type, found["axes"]
    moved = [a for a in axes if t.shape[a] != 1]
    if moved != sorted(moved):
        return None
    return editor.emit(reshape, found["x"], shape=tuple(t.shape[a] for a in axes))


def _flip_flip(editor: Any, found: Any) -> Any:
    return found["x"] if set(found["inner"]) == set(found["axes"]) else None


def _no_padding(editor: Any, found: Any) -> Any:
    return found["x"] if not any(found["low"]) and not any(found["high"]) else None


def _uniform(editor: Any, found: Any) -> Any:
    """An array of one value, to the bit."""
    a = found["value"].array
    if a.size == 0 or a.dtype.kind not in "fciub" or a.dtype.itemsize not in (1, 2, 4, 8, 16):
        return None
    flat = np.ascontiguousarray(a).reshape(-1)
    words = flat.view(np.uint8).reshape(flat.size, -1)
    if (words != words[0]).any():
        return None
    return Const(flat[0])


# ---- reductions --------------------------------------------------------------------------------------


def _no_axes(editor: Any, found: Any) -> Any:
    return found["x"] if not found["axes"] else None


def _sum_sum(editor: Any, found: Any) -> Any:
    left = [d for d in range(found["x"].type.ndim) if d not in found["inner"]]
    axes = sorted({*found["inner"], *(left[a] for a in found["axes"])})
    return editor.emit(sum_, found["x"], axes=tuple(axes))


def _repeats(found: Any) -> tuple[list[int], int]:
    """Axes of a broadcast, among those reduced, along which x only repeats; and how often in all."""
    t, shape = found["x"].type, found["shape"]
    real = {d for d, n in zip(found["dims"], t.shape, strict=True) if n == shape[d]}
    gone = [a for a in found["axes"] if a not in real]
    return gone, math.prod(shape[a] for a in gone)


def _without(editor: Any, found: Any, gone: list[int]) -> Any:
    """The broadcast without the axes that are `gone`, and where the other axes are now."""
    shape = found["shape"]
    t = found["x"].type
    place = {d: k for k, d in enumerate(d for d in range(len(shape)) if d not in gone)}
    mine = [0 if d in gone else (0, 1, n) for d, n in zip(found["dims"], t.shape, strict=True)]
    read = found["x"] if whole(mine, t.shape) else editor.emit(index, found["x"], at=written(mine))
    dims = tuple(place[d] for d in found["dims"] if d in place)
    spread = editor.emit(
        broadcast, read, shape=tuple(n for d, n in enumerate(shape) if d not in gone), dims=dims
    )
    return spread, tuple(place[a] for a in found["axes"] if a not in gone)


def _sum_broadcast(editor: Any, found: Any) -> Any:
    gone, count = _repeats(found)
    if not gone or found["x"].type.dtype.kind != "f" or not count:
        return None
    spread, axes = _without(editor, found, gone)
    total = editor.emit(sum_, spread, axes=axes)
    return editor.emit(mul, total, Const(total.type.dtype.type(count)))


def _extremum_broadcast(prim: Any) -> Any:
    def right(editor: Any, found: Any) -> Any:
        gone, count = _repeats(found)
        if not gone or not count:
            return None
        spread, axes = _without(editor, found, gone)
        return editor.emit(prim, spread, axes=axes) if axes else spread

    return right


def _sum_pad(editor: Any, found: Any) -> Any:
    widened = {
        d for d, (a, b) in enumerate(zip(found["low"], found["high"], strict=True)) if a or b
    }
    if not widened <= set(found["axes"]):
        return None
    return editor.emit(sum_, found["x"], axes=found["axes"])


def _sum_permute(editor: Any, found: Any) -> Any:
    """Summed over the same axes before the move; what is left may have to be moved still."""
    inner = found["inner"]
    axes = tuple(sorted(inner[a] for a in found["axes"]))
    left = [inner[d] for d in range(len(inner)) if d not in found["axes"]]
    total = editor.emit(sum_, found["x"], axes=axes)
    order = sorted(left)
    return editor.emit(permute, total, axes=tuple(order.index(d) for d in left))


axis, axis2, low, high, merged, then, other = map(
    wild, ("axis", "axis2", "low", "high", "merged", "then", "other")
)
parts = several("parts")


def at_hand(value: Any) -> Any:
    """A literal array in a pattern."""
    return Equation(literal, (), {"value": value})


ROWS = [
    # broadcast, reshape, permute, flip, pad
    Row("nothing repeated", broadcast(x, shape=shape, dims=dims), _broadcast_identity),
    Row("repeated twice", broadcast(broadcast(x, shape=inner, dims=inner_dims), shape=shape, dims=dims),
        _broadcast_broadcast),
    Row("new axes, then repeated", broadcast(reshape(x, shape=inner), shape=shape, dims=dims),
        _broadcast_reshape),
    Row("repeated, then new axes", reshape(broadcast(x, shape=inner, dims=dims), shape=shape),
        _reshape_broadcast),
    Row("the shape that it has", reshape(x, shape=shape), _same_shape),
    Row("reshaped twice", reshape(reshape(x, shape=inner), shape=shape), reshape(x, shape=shape)),
    Row("no axis moved", permute(x, axes=axes), _permute_identity),
    Row("axes moved twice", permute(permute(x, axes=inner), axes=axes), _permute_permute),
    Row("repeated, then moved", permute(broadcast(x, shape=shape, dims=dims), axes=axes),
        _permute_broadcast),
    Row("axes of extent 1 moved", permute(x, axes=axes), _permute_units),
    Row("reversed twice", flip(flip(x, axes=inner), axes=axes), _flip_flip),
    Row("no padding", pad(x, low=low, high=high), _no_padding),
    Row("joined alone", concat(x, axis=axis), x),
    # arrays that are one number
    Row("a literal of one value", at_hand(value), _uniform),
    # reading
    Row("a part as it is", part(x, at=at), index(x, at=at)),
    Row("all is read", index(x, at=at), _whole_read),
    Row("read twice", index(index(x, at=inner), at=at), _index_index),
    Row("read of what repeats", index(broadcast(x, shape=shape, dims=dims), at=at), _index_broadcast),
    Row("read where it was written", index(update(x, y, at=inner), at=at), _read_back),
    Row("read of padding, or of none", index(pad(x, low=low, high=high), at=at), _unpadded),
    Row("read of one that is stacked", index(stack(parts, axis=axis), at=at), _index_stack),
    Row("read of one that is joined", index(concat(parts, axis=axis), at=at), _index_concat),
    Row("gathered in steps", gather(x, at_hand(value), axis=axis, merged=merged), _gathered_range),
    Row("gathered twice", gather(gather(x, at_hand(value), axis=axis, merged=merged), at_hand(other),
        axis=axis2, merged=then), _gather_gather),
    # writing
    Row("all is overwritten", update(x, y, at=at), _overwritten),
    Row("written into zeros", update(0.0, y, at=at), _padded),
    Row("added to zeros", accumulate(0.0, y, at=at), _padded, "sign of zero"),
    # reductions
    Row("a sum over no axis", sum_(x, axes=axes), _no_axes, "sign of zero"),
    Row("a sum of a sum", sum_(sum_(x, axes=inner), axes=axes), _sum_sum, "rounding"),
    Row("Σ -x = -Σ x", sum_(neg(x), axes=axes), neg(sum_(x, axes=axes)), "sign of zero"),
    Row("Σ of what repeats = n · x", sum_(broadcast(x, shape=shape, dims=dims), axes=axes),
        _sum_broadcast, "rounding"),
    Row("Σ of x and padding", sum_(pad(x, low=low, high=high), axes=axes), _sum_pad, "rounding"),
    Row("Σ after a move of axes", sum_(permute(x, axes=inner), axes=axes), _sum_permute, "rounding"),
    Row("max of what repeats", max_(broadcast(x, shape=shape, dims=dims), axes=axes),
        _extremum_broadcast(max_)),
    Row("min of what repeats", min_(broadcast(x, shape=shape, dims=dims), axes=axes),
        _extremum_broadcast(min_)),
]  # fmt: skip
