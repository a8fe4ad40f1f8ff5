"""Reductions over axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Linear, _named, everywhere, extent_of, scale
from wengert.ops.pulling import has_nan
from wengert.ops.radii import growth, lost, plus, unit
from wengert.ops.shape import broadcast

Axes = tuple[int, ...]


def without(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """`shape` with the axes gone."""
    return tuple(n for d, n in enumerate(shape) if d not in axes)


def extent(shape: tuple[int, ...], axes: Axes) -> int:
    """How many elements one result is made of."""
    size = 1
    for a in axes:
        size *= shape[a]
    return size


def back(y: Any, shape: tuple[int, ...], axes: Axes) -> Any:
    """Spread a reduced value over the axes it was reduced from."""
    dims = _others(len(shape), axes)
    if isinstance(y, Handle):
        return broadcast(y, shape=shape, dims=dims)
    return broadcast.eval(y, shape=shape, dims=dims)


@lru_cache(maxsize=1024)
def _others(ndim: int, axes: Axes) -> Axes:
    return tuple(d for d in range(ndim) if d not in axes)


@lru_cache(maxsize=1024)
def _with_ones(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """`shape` with extent 1 along the axes: there NumPy repeats by itself."""
    return tuple(1 if d in axes else n for d, n in enumerate(shape))


class Sum(Linear):
    """`sum[axes](x)`; axes are non-negative and ascending."""

    name = "sum"
    answers = True
    tags = {"axes": "axis"}
    dense_tangents = False

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        return ArrayType.of(without(x.shape, axes), x.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return np.add.reduce(x, axes, dtype=x.dtype)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        return (back(gs[0], type_of(args[0]).shape, axes),)

    def careful(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        return (back(g, inputs[0].type.shape, params["axes"]),)

    quick = careful

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        (x,), (r,) = xs, rs
        return (of_sum(x, r, axes),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def lower(self, k: Any, x: Any, *, axes: Axes) -> Any:
        return k.reduce("add", x, axes)


def of_sum(x: Any, r: Any, axes: Axes) -> Any:
    """Radius of a sum, in whatever order it is made."""
    steps = extent(type_of(x).shape, axes) - 1
    if x.dtype.kind not in "fc":
        return None if r is None else sum_(r.astype(float), axes=axes)
    if steps < 1:
        return None if r is None else sum_(r, axes=axes)
    u, _ = unit(x.dtype)
    own = np.abs(x) * (u * u.dtype.type(steps))
    return sum_(own if r is None else own + r, axes=axes)


class Mean(Linear):
    """`mean[axes](x)`."""

    name = "mean"
    answers = True
    tags = {"axes": "axis"}
    dense_tangents = False

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        return ArrayType.of(without(x.shape, axes), x.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        if x.dtype == np.float16:  # summed in single precision, as NumPy does
            return np.mean(x, axes)
        y = np.add.reduce(x, axes, dtype=x.dtype)
        return y / y.dtype.type(extent(x.shape, axes))

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        (g,), shape = gs, type_of(args[0]).shape
        return (back(g / type_of(g).dtype.type(extent(shape, axes)), shape, axes),)

    def careful(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        t, axes = inputs[0].type, params["axes"]
        return (back(g / t.dtype.type(extent(t.shape, axes)), t.shape, axes),)

    quick = careful

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        (x,), (r,), (y,) = xs, rs, ys
        total = of_sum(x, r, axes)
        return (plus(lost(y), None if total is None else total / extent(type_of(x).shape, axes)),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def lower(self, k: Any, x: Any, *, axes: Axes) -> Any:
        total = k.reduce("add", x, axes)
        size = k.count([x.shape[a] for a in axes], x.dtype)
        return k.map("div", total, size, dtype=x.dtype)


class Centre(Linear):
    """`centre[axes](x)`: x less its mean. A projection, so its transpose is itself."""

    name = "centre"
    tags = {"axes": "axis"}
    dense_tangents = False

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        return x

    def eval(self, x: Any, *, axes: Axes) -> Any:
        total = np.add.reduce(x, axes, dtype=x.dtype, keepdims=True)
        return x - total / total.dtype.type(extent(x.shape, axes))

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        return (centre(gs[0], axes=axes),)

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        (x,), (r,), (y,) = xs, rs, ys
        shape = type_of(x).shape
        middle = of_sum(x, r, axes)
        size = lost(mean(np.abs(x), axes=axes))
        middle = size if middle is None else middle / extent(shape, axes) + size
        return (plus(r, lost(y), back(middle, shape, axes)),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def lower(self, k: Any, x: Any, *, axes: Axes) -> Any:
        average = mean.lower(k, x, axes=axes)
        return k.map("sub", x, spread(k, average, x.shape, axes), dtype=x.dtype)


def spread(k: Any, y: Any, shape: tuple[int, ...], axes: Axes) -> Any:
    """`back` in the words of the kit."""
    return k.affine(y, shape, [(d, 0, 1) for d in range(len(shape)) if d not in axes])


class Reduction(Primitive):
    """A non-linear reduction whose Jacobian is one slope per element: `slope(y, x)`, y spread over x."""

    answers = True
    tags = {"axes": "axis"}

    def __init__(self, name: str, value: Any, slope: Any, lower: Any) -> None:
        self.name, self.value, self.slope = name, value, slope
        self.lower = lower  # type: ignore[method-assign]

    def typeof(self, x: ArrayType, *, axes: Axes) -> ArrayType:
        y = self.value(np.ones((1,) * x.ndim, x.dtype), axes)
        return ArrayType.of(without(x.shape, axes), y.dtype)

    def eval(self, x: Any, *, axes: Axes) -> Any:
        return self.value(x, axes)

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axes: Axes) -> Values:
        (x,), (y,) = xs, ys
        slope = self.slope(back(y, type_of(x).shape, axes), x, axes)
        return (sum_(scale(dxs[0], slope), axes=axes),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        (x,), (y,) = xs, ys
        shape = type_of(x).shape
        return (scale(back(gs[0], shape, axes), self.slope(back(y, shape, axes), x, axes)),)

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        shape, axes = inputs[0].type.shape, params["axes"]
        slope = self.slope(back(ys[0], shape, axes), xs[0], axes)
        return (back(g, shape, axes) * slope,)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return True, True

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes) -> Any:
        return self(x, axes=tuple(a + 1 for a in axes))

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        return (_MOVED[self.name](ys[0], xs[0], rs[0], axes),)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _moved_extremum(y: Any, x: Any, r: Any, axes: Axes) -> Any:
    if r is None:
        return None
    low = back(y, type_of(x).shape, axes)
    # only those that may be it count
    return max_(np.where(np.abs(low - x) > r + max_here(r, axes), 0, r), axes=axes)


def max_here(r: Any, axes: Axes) -> Any:
    """The largest radius along the axes, spread over them."""
    return back(max_(r, axes=axes), type_of(r).shape, axes)


def _moved_product(y: Any, x: Any, r: Any, axes: Axes) -> Any:
    own = lost(y, extent(type_of(x).shape, axes))
    if r is None:
        return own
    size = np.abs(x)
    shares = sum_(np.where(size > 0, r / np.where(size > 0, size, 1), np.inf), axes=axes)
    whole = prod(size + r, axes=axes)
    return plus(own, np.where(shares < 1, np.abs(y) * growth(shares), whole + np.abs(y)))


def _moved_length(y: Any, x: Any, r: Any, axes: Axes) -> Any:
    own = lost(y, extent(type_of(x).shape, axes) + 4)
    return own if r is None else plus(own, length(r, axes=axes))


def _moved_logsumexp(y: Any, x: Any, r: Any, axes: Axes) -> Any:
    own = lost(np.abs(y) + max_(np.abs(x), axes=axes) + 1, 8 * extent(type_of(x).shape, axes))
    return own if r is None else plus(own, max_(r, axes=axes))


# how far they move when the elements do
_MOVED = {
    "max": _moved_extremum,
    "min": _moved_extremum,
    "prod": _moved_product,
    "length": _moved_length,
    "logsumexp": _moved_logsumexp,
}


class Share(Primitive):
    """`share[axes](y, x)`: 1 where x is its extremum y along the axes, divided equally among ties.

    Constant almost everywhere: the slope of `max` and `min`. A nan extremum is where the nans are.
    """

    name = "share"
    tags = {"axes": "axis"}

    def typeof(self, y: ArrayType, x: ArrayType, *, axes: Axes) -> ArrayType:
        return x

    def eval(self, y: Any, x: Any, *, axes: Axes) -> Any:
        there = x == y
        one = np.count_nonzero(there) * extent(np.shape(x), axes) == x.size
        if one and np.count_nonzero(y == y) == x.size:  # no nans, and no ties: three times quicker
            return there.astype(x.dtype)
        count = np.add.reduce(there, axes, keepdims=True, dtype=x.dtype)
        if not count.all():  # a nan is not equal to itself
            there |= (x != x) & (y != y)
            count = np.add.reduce(there, axes, keepdims=True, dtype=x.dtype)
        return there / count

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, *, axes: Axes) -> Values:
        return (None,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], *, axes: Axes
    ) -> Values:
        return None, None

    def batch(self, batched: tuple[bool, ...], *args: Any, axes: Axes) -> Any:
        n = extent_of(batched, args)
        y, x = (a if b else everywhere(a, n) for a, b in zip(args, batched, strict=True))
        return self(y, x, axes=tuple(a + 1 for a in axes))

    def bound(self, ys: Values, xs: Values, rs: Values, *, axes: Axes) -> Values:
        r = rs[1]
        if r is None:
            return (None,)
        y, x = xs
        near = ~(np.abs(y - x) > r + max_here(r, axes))
        tied = back(sum_(near.astype(x.dtype), axes=axes), type_of(x).shape, axes) > 1
        return (np.where(near & tied & (max_here(r, axes) != 0), 1, 0).astype(x.dtype),)

    def lower(self, k: Any, y: Any, x: Any, *, axes: Axes) -> Any:
        def there(s: Any, y: Any, x: Any) -> Any:
            nans = s.and_(s.ne(x, x), s.ne(y, y))
            return s.w.op("cast", s.or_(s.eq(x, y), nans), type=x.type)

        here = k.map(there, y, x, dtype=x.dtype)
        count = spread(k, k.reduce("add", here, axes), x.shape, axes)

        def part(
            s: Any, here: Any, count: Any
        ) -> Any:  # two divisions per count, not one per element
            return s.select(s.ne(here, 0), s.div(1, count), s.div(0, count))

        return k.marked(part, here, count, dtype=x.dtype)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


share = Share()


class Extremum(Reduction):
    """`max[axes](x)` or `min[axes](x)`."""

    def quick(self, g: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        (x,), (y,), axes = xs, ys, params["axes"]
        shape = _with_ones(x.shape, axes)
        there = x == y.reshape(shape)
        # one in each row, or, where nans are, none: then the share is what is compared
        if np.count_nonzero(there) == y.size and not has_nan(y):
            return (g.reshape(shape) * there,)
        return super().quick(g, xs, ys, wanted, inputs, params)


def _share(y: Any, x: Any, axes: Axes) -> Any:
    return share(y, x, axes=axes)


def _product_of_others(y: Any, x: Any, axes: Axes) -> Any:
    """∏ of the other elements, without dividing (a zero element would spoil it)."""
    shape = type_of(x).shape
    if len(axes) == 0:
        return np.ones_like(x)
    kept = tuple(d for d in range(len(shape)) if d not in axes)
    order = (*kept, *axes)
    flat = np.reshape(np.transpose(x, order), (*(shape[d] for d in kept), extent(shape, axes)))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
    others = np.reshape(before * after, tuple(shape[d] for d in order))
    return np.transpose(others, tuple(sorted(range(len(order)), key=order.__getitem__)))


def _length(x: Any, axes: Axes) -> Any:
    """√Σ|x|², computed as NumPy's norm does, and with scaling where that leaves the range."""
    with np.errstate(over="ignore"):
        if len(axes) == x.ndim:
            flat = x.ravel()
            y = np.sqrt(flat.dot(flat))
        else:
            y = np.sqrt(np.add.reduce(np.square(x), axes, dtype=x.dtype))
    low, high = _reach(y.dtype)
    if (y.ndim == 0 and low < y < high) or np.all((y > low) & (y < high)) or x.size == 0:
        return y
    big = np.maximum.reduce(np.abs(x), axes, keepdims=True, initial=0)
    unit = np.where((big == 0) | ~np.isfinite(big), np.ones((), x.dtype), big)
    scaled = np.sqrt(np.add.reduce(np.square(x / unit), axes, dtype=x.dtype)) * unit.reshape(
        y.shape
    )
    return np.where((y > low) & (y < high) | (y != y), y, scaled.astype(y.dtype))[()]


@lru_cache
def _reach(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Lengths between these have squares that neither vanish nor overflow."""
    info = np.finfo(dtype)
    return np.sqrt(info.tiny) * dtype.type(100), info.max


def _soft_share(y: Any, x: Any, axes: Axes) -> Any:
    """exp(x - y): what each adds to the sum of exponentials; shared where x is all of y (also ∞)."""
    return np.where(x == y, _share(y, x, axes), np.exp(np.where(x == y, 0, x - y)))


sum_, mean, centre = Sum(), Mean(), Centre()


def _reducing(op: str) -> Any:
    return lambda k, x, *, axes: k.reduce(op, x, axes)


def _scaled_length(k: Any, x: Any, *, axes: Axes) -> Any:
    """Scaled by the largest, where squares would leave the range."""
    low, high = _reach(x.dtype)
    plain = k.map(
        "sqrt",
        k.reduce("add", k.map(lambda s, x: s.mul(x, x), x, dtype=x.dtype), axes),
        dtype=x.dtype,
    )
    size = k.reduce("max", k.map("abs", x, dtype=x.dtype), axes)

    def unit(s: Any, big: Any) -> Any:
        fits = s.and_(s.gt(big, 0), s.lt(big, float("inf")))  # (of nothing the largest is -inf)
        return s.select(fits, big, 1)

    units = k.map(unit, size, dtype=x.dtype)

    def part(s: Any, x: Any, u: Any) -> Any:
        q = s.div(x, u)
        return s.mul(q, q)

    total = k.reduce("add", k.map(part, x, spread(k, units, x.shape, axes), dtype=x.dtype), axes)

    def chosen(s: Any, y: Any, total: Any, u: Any) -> Any:
        fine = s.or_(s.and_(s.gt(y, float(low)), s.lt(y, float(high))), s.ne(y, y))
        return s.select(fine, y, s.mul(s.sqrt(total), u))

    return k.map(chosen, plain, total, units, dtype=x.dtype)


def _log_of_sum(k: Any, x: Any, *, axes: Axes) -> Any:
    """max + log Σ exp(x - max); an infinite maximum is the result."""
    if not all(x.shape[a] for a in axes):
        return k.reduce("max", x, axes)
    top = k.reduce("max", x, axes)
    base = k.map(lambda s, m: s.select(s.lt(s.abs(m), float("inf")), m, 0), top, dtype=x.dtype)
    parts = k.map(
        lambda s, x, m: s.exp(s.sub(x, m)), x, spread(k, base, x.shape, axes), dtype=x.dtype
    )

    def result(s: Any, total: Any, base: Any, top: Any) -> Any:
        found = s.add(base, s.log(total))
        return s.select(s.lt(s.abs(top), float("inf")), found, top)

    return k.map(result, k.reduce("add", parts, axes), base, top, dtype=x.dtype)


max_ = Extremum("max", lambda x, axes: np.maximum.reduce(x, axes), _share, _reducing("max"))
min_ = Extremum("min", lambda x, axes: np.minimum.reduce(x, axes), _share, _reducing("min"))
prod = Reduction(
    "prod",
    lambda x, axes: np.multiply.reduce(x, axes, dtype=x.dtype),
    _product_of_others,
    _reducing("mul"),
)
# Euclidean length of a real array; 0 is the slope at the origin, by symmetry
length = Reduction("length", _length, lambda y, x, axes: x / np.where(y == 0, 1, y), _scaled_length)
logsumexp = Reduction(
    "logsumexp", lambda x, axes: np.logaddexp.reduce(x, axes), _soft_share, _log_of_sum
)
