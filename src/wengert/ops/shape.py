"""Moving elements without looking at them: broadcast, reshape, permute, join, flip, pad."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from wengert.errors import ShapeError
from wengert.ir import source
from wengert.ir.primitive import Handle, Values
from wengert.ir.types import ArrayType, Shape, type_of
from wengert.ops.families import Movement, everywhere, extent_of

# (while traces run, these names mean something else in the modules that they come from)
_array, _empty, _zeros, _stacked = np.ndarray, np.empty, np.zeros, np.array
_FILL = 4096  # a repeated scalar up to this size is written out: quicker to use than a view


class Broadcast(Movement):
    """`broadcast[shape, dims](x)`: axis k of x becomes axis dims[k] of the result, the rest repeats.

    An axis of extent 1 may grow. The transpose sums what was repeated: un-broadcasting, once.
    """

    name = "broadcast"
    tags = {"shape": "extent", "dims": "axis"}

    def typeof(self, x: ArrayType, *, shape: Shape, dims: tuple[int, ...]) -> ArrayType:
        if any(n not in (1, shape[d]) for n, d in zip(x.shape, dims, strict=True)):
            raise ShapeError(f"cannot broadcast {x!r} to {shape}", where=source.here())
        return ArrayType.of(shape, x.dtype)

    def eval(self, x: Any, *, shape: Shape, dims: tuple[int, ...]) -> Any:
        if type(x) is not np.ndarray:
            if prod(shape) <= _FILL:
                y = _empty(shape, x.dtype)
                y.fill(x)
                return y
            x = np.asarray(x)
        if x.flags.forc and x.size:  # several times quicker than np.broadcast_to
            y = _array(shape, x.dtype, x, 0, _strides(len(shape), dims, x.shape, x.strides))
            y.setflags(write=False)
            return y
        middle = [1] * len(shape)
        for d, n in zip(dims, x.shape, strict=True):
            middle[d] = n
        if list(dims) != sorted(dims):
            x = x.transpose(np.argsort(dims))
        return np.broadcast_to(x.reshape(middle), shape)

    def transpose(
        self,
        gs: Values,
        args: Values,
        wanted: tuple[bool, ...],
        *,
        shape: Shape,
        dims: tuple[int, ...],
    ) -> Values:
        (g,), x = gs, type_of(args[0])
        axes, order = _repeated(shape, dims, x.shape)
        if axes:
            from wengert.ops.reduce import sum_

            g = (sum_ if isinstance(g, Handle) else sum_.eval)(g, axes=axes)
        if order is not None:
            g = permute(g, axes=order)
        return (g if g.shape == x.shape else reshape(g, shape=x.shape),)

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        inner = inputs[0].type.shape
        axes, order = _repeated(params["shape"], params["dims"], inner)
        if axes:
            g = summed(g, axes[0]) if len(axes) == 1 and g.ndim == 2 else np.add.reduce(g, axes)
        if order is not None:
            g = g.transpose(order)
        return (g if g.shape == inner else g.reshape(inner),)

    def spelled(
        self, write: Any, g: str, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any
    ) -> Any:
        """As `quick`, of rows and columns."""
        inner, shape = inputs[0].type.shape, params["shape"]
        axes, order = _repeated(shape, params["dims"], inner)
        if len(axes) != 1 or len(shape) != 2 or order is not None:
            return None
        text = f"{write(summed)}({g}, {axes[0]})"
        return [text if len(inner) == 1 else f"{text}.reshape({inner})"]

    def batch(
        self, batched: tuple[bool, ...], x: Any, *, shape: Shape, dims: tuple[int, ...]
    ) -> Any:
        return self(x, shape=(int(x.shape[0]), *shape), dims=(0, *(d + 1 for d in dims)))

    def lower(self, k: Any, x: Any, *, shape: Shape, dims: tuple[int, ...]) -> Any:
        axes = [
            (None if n == 1 and shape[d] != 1 else d, 0, 1)
            for n, d in zip(x.shape, dims, strict=True)
        ]
        return k.affine(x, tuple(map(int, shape)), axes)


class Reshape(Movement):
    """`reshape[shape](x)`, in C order."""

    name = "reshape"
    tags = {"shape": "extent"}

    def typeof(self, x: ArrayType, *, shape: Shape) -> ArrayType:
        if prod(shape) != x.size:
            raise ShapeError(
                f"cannot reshape {x!r} to {shape}", "keep the number of elements", source.here()
            )
        return ArrayType.of(shape, x.dtype)

    def eval(self, x: Any, *, shape: Shape) -> Any:
        return x.reshape(shape) if type(x) is np.ndarray else np.reshape(x, shape)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, shape: Shape
    ) -> Values:
        return (reshape(gs[0], shape=type_of(args[0]).shape),)

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        return (g.reshape(inputs[0].type.shape),)

    def spelled(
        self, write: Any, g: str, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any
    ) -> Any:
        """As `quick`."""
        return [f"{g}.reshape({inputs[0].type.shape})"]

    def batch(self, batched: tuple[bool, ...], x: Any, *, shape: Shape) -> Any:
        return self(x, shape=(int(x.shape[0]), *shape))

    def lower(self, k: Any, x: Any, *, shape: Shape) -> Any:
        return k.reshape(x, tuple(map(int, shape)))


class Permute(Movement):
    """`permute[axes](x)`: axis k of the result is axis axes[k] of x (NumPy's transpose)."""

    name = "permute"
    tags = {"axes": "axis"}

    def typeof(self, x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
        return ArrayType.of(tuple(x.shape[a] for a in axes), x.dtype)

    def eval(self, x: Any, *, axes: tuple[int, ...]) -> Any:
        return np.asarray(x).transpose(axes)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: tuple[int, ...]
    ) -> Values:
        return (permute(gs[0], axes=tuple(sorted(range(len(axes)), key=axes.__getitem__))),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: tuple[int, ...]) -> Any:
        return self(x, axes=(0, *(a + 1 for a in axes)))

    def lower(self, k: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        back = [(axes.index(d), 0, 1) for d in range(len(axes))]
        return k.affine(x, tuple(x.shape[a] for a in axes), back)


class Concat(Movement):
    """`concat[axis](x, y, …)`: joined along an axis they already have."""

    name = "concat"
    tags = {"axis": "axis"}

    def eval(self, *xs: Any, axis: int) -> Any:
        return np.concatenate(xs, axis)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axis: int) -> Values:
        from wengert.ops.index import index

        (g,), start, parts = gs, 0, []
        for x, w in zip(args, wanted, strict=True):
            n = type_of(x).shape[axis]
            at = (*(slice(None),) * axis, slice(start, start + n))
            parts.append(index(g, at=at) if w else None)
            start += n
        return tuple(parts)

    def batch(self, batched: tuple[bool, ...], *xs: Any, axis: int) -> Any:
        n = extent_of(batched, xs)
        return self(
            *(x if b else everywhere(x, n) for x, b in zip(xs, batched, strict=True)), axis=axis + 1
        )

    def lower(self, k: Any, *xs: Any, axis: int) -> Any:
        shape = list(xs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in xs)
        return k.joined(self, xs, tuple(shape), axis)


class Stack(Movement):
    """`stack[axis](x, y, …)`: joined along a new axis; scalars make a vector."""

    name = "stack"
    tags = {"axis": "axis"}

    def typeof(self, *xs: ArrayType, axis: int) -> ArrayType:
        shape = next((x.shape for x in xs), ())
        if any(x.shape != shape for x in xs):
            raise ShapeError(f"stack of {xs}: shapes differ", "make them equal", source.here())
        return ArrayType.of((*shape[:axis], len(xs), *shape[axis:]), xs[0].dtype)

    def eval(self, *xs: Any, axis: int) -> Any:
        if axis == 0:
            return _stacked(xs)
        return np.stack(xs, axis)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axis: int) -> Values:
        from wengert.ops.index import index

        (g,), lead = gs, (slice(None),) * axis
        return tuple(index(g, at=(*lead, n)) if w else None for n, w in enumerate(wanted))

    def batch(self, batched: tuple[bool, ...], *xs: Any, axis: int) -> Any:
        n = extent_of(batched, xs)
        return self(
            *(x if b else everywhere(x, n) for x, b in zip(xs, batched, strict=True)), axis=axis + 1
        )

    def lower(self, k: Any, *xs: Any, axis: int) -> Any:
        shape = (*xs[0].shape[:axis], len(xs), *xs[0].shape[axis:])
        rows = [k.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in xs]
        return k.joined(concat, rows, shape, axis)


class Flip(Movement):
    """`flip[axes](x)`: reversed along the axes; its own transpose."""

    name = "flip"
    tags = {"axes": "axis"}

    def typeof(self, x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
        return x

    def eval(self, x: Any, *, axes: tuple[int, ...]) -> Any:
        return np.flip(x, axes)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: tuple[int, ...]
    ) -> Values:
        return (flip(gs[0], axes=axes),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: tuple[int, ...]) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def lower(self, k: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        return k.affine(
            x,
            x.shape,
            [(d, (n, -1), -1) if d in axes else (d, 0, 1) for d, n in enumerate(x.shape)],
        )


class Pad(Movement):
    """`pad[low, high](x)`: zeros before and after, per axis."""

    name = "pad"
    tags = {"low": "extent", "high": "extent"}

    def typeof(self, x: ArrayType, *, low: Shape, high: Shape) -> ArrayType:
        return ArrayType.of(
            tuple(n + a + b for n, a, b in zip(x.shape, low, high, strict=True)), x.dtype
        )

    def eval(self, x: Any, *, low: Shape, high: Shape) -> Any:
        shape, there = [], []
        for n, before, after in zip(x.shape, low, high, strict=True):
            shape.append(before + n + after)
            there.append(slice(before, before + n))
        y = _zeros(shape, x.dtype)
        y[tuple(there)] = x
        return y

    def ids(self, *types: ArrayType, **params: Any) -> Any:
        (x,) = types
        return self.eval(np.arange(1, x.size + 1).reshape(x.shape), **params) - 1

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, low: Shape, high: Shape
    ) -> Values:
        from wengert.ops.index import index

        shape = type_of(args[0]).shape
        return (index(gs[0], at=tuple(slice(a, a + n) for a, n in zip(low, shape, strict=True))),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, low: Shape, high: Shape) -> Any:
        return self(x, low=(0, *low), high=(0, *high))

    def lower(self, k: Any, x: Any, *, low: Shape, high: Shape) -> Any:
        shape = tuple(n + a + b for n, a, b in zip(x.shape, low, high, strict=True))
        return k.padded(self, x, shape, low, high)


def summed(g: Any, axis: int) -> Any:
    """The sum of the rows or columns of a matrix of plain numbers; by BLAS, twice as quick, where that pays."""
    count = g.shape[axis]
    if g.size > 512 and count <= _FILL and g.dtype.char in "fd" and g.flags.c_contiguous:
        return g.dot(_ones(count, g.dtype)) if axis else _ones(count, g.dtype).dot(g)
    return np.add.reduce(g, axis)


@lru_cache(maxsize=64)
def _ones(count: int, dtype: Any) -> Any:
    return np.ones(count, dtype)


@lru_cache(maxsize=4096)
def _strides(ndim: int, dims: tuple[int, ...], inner: Shape, steps: Shape) -> Shape:
    """Steps through memory that stand still along the axes that repeat."""
    found = [0] * ndim
    for d, n, s in zip(dims, inner, steps, strict=True):
        found[d] = s if n != 1 else 0
    return tuple(found)


@lru_cache(maxsize=4096)
def _repeated(shape: Shape, dims: tuple[int, ...], inner: Shape) -> tuple[Any, Any]:
    """The axes that repeat, and how what is left is turned (None: not at all)."""
    kept = dict(zip(dims, inner, strict=True))
    axes = tuple(d for d, n in enumerate(shape) if kept.get(d) != n)
    if list(dims) == sorted(dims):
        return axes, None
    left = [d for d in range(len(shape)) if d not in axes]
    return axes, tuple(left.index(d) for d in dims if d in left)


broadcast, reshape, permute = Broadcast(), Reshape(), Permute()
concat, stack, flip, pad = Concat(), Stack(), Flip(), Pad()
