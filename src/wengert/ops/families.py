"""Families: what many primitives have in common, answered once.

*Elementwise* asks only for slopes. *Linear* asks for its transpose. *Movement* only carries
elements about, so its effect on element numbers tells everything. *Multilinear* asks for its
transpose in each operand. *Blackbox* asks for `eval` and `vjp`.

Rules are plain NumPy: on tracers they are recorded, so higher derivatives, batching and compiling
of rules come free. They never branch on numbers and never lift a dtype.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np

from wengert.errors import DTypeError, ShapeError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive, Reads, Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.pulling import applied, has_nan, product, pulling, transposed
from wengert.ops.radii import dense, lost, scaled

Slope = Callable[..., Any] | int | None


class along:
    """Marks an elementwise rule that is given the tangent (or cotangent) itself: `g, y, *xs`.

    The Jacobian of an elementwise operation is diagonal, so the same formula pushes and pulls.
    Use it where a selection says it better than a product.
    """

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule


@lru_cache(maxsize=4096)
def elementwise_type(function: np.ufunc, *types: ArrayType) -> ArrayType:
    """Result type of a ufunc on arguments of one shape (scalars, being constants, may join)."""
    shape: tuple[int, ...] = ()
    for t in types:
        if t.shape != ():
            if shape not in ((), t.shape):
                raise ShapeError(
                    f"{function.__name__} on {types}: shapes differ", where=source.here()
                )
            shape = t.shape
    try:
        dtype = function.resolve_dtypes((*(t.dtype for t in types), *([None] * function.nout)))[-1]
    except TypeError as error:
        raise DTypeError(
            f"{function.__name__} has no loop for {types}", where=source.here()
        ) from error
    return ArrayType.of(shape, dtype)


def names_read(rule: Any) -> frozenset[int]:
    """Positions of the parameters that a rule's code really loads (so others need not be kept)."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return frozenset(range(8))
    loaded: set[str] = set(code.co_cellvars)
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("LOAD_FAST"):
            value = instruction.argval
            loaded.update(value if isinstance(value, tuple) else (value,))
    return frozenset(
        n for n, name in enumerate(code.co_varnames[: code.co_argcount]) if name in loaded
    )


def everywhere(value: Any, extent: int) -> Any:
    """Repeat an unbatched argument along a new leading axis."""
    from wengert.ops.shape import broadcast

    t = type_of(value)
    return broadcast(value, shape=(extent, *t.shape), dims=tuple(range(1, t.ndim + 1)))


def extent_of(batched: tuple[bool, ...], args: tuple[Any, ...]) -> int:
    """Length of the leading axis of the batched arguments."""
    return next(int(type_of(a).shape[0]) for a, b in zip(args, batched, strict=True) if b)


def is_constant(value: Any) -> bool:
    """A scalar known without a trace: it fits any shape."""
    return not isinstance(value, Handle) and np.ndim(value) == 0


class Elementwise(Primitive):
    """`y[i] = f(x[i], …)`; one slope per argument, result first: `log = Elementwise(np.log, lambda y, x: 1 / x)`.

    A slope is a formula, a number (1 or -1), `along(rule)`, or None where the derivative is zero
    almost everywhere. Arguments have one shape; scalar constants may join any shape.
    """

    aligned = True
    wants_types = False

    def __init__(
        self,
        function: np.ufunc,
        *slopes: Slope | along,
        name: str | None = None,
        value: Callable[..., Any] | None = None,
        lower: str | Callable[..., Any] | None = None,
    ) -> None:
        self.function = function
        self.formula = (
            lower  # of scalars: the name of an operation, or `(s, *xs)`; None: its own name
        )
        self.name = name or function.__name__
        self.slopes = slopes or (None,) * function.nin
        self.eval = value or function  # type: ignore[method-assign]
        self.rules = tuple(
            None
            if s is None
            else s
            if isinstance(s, int)
            else (s.rule if isinstance(s, along) else applied(_stopped, s, len(self.slopes)))
            for s in self.slopes
        )
        self.careful = pulling(self.rules)
        self.quick = pulling(
            [
                applied(product, s, len(self.slopes)) if callable(s) else r
                for s, r in zip(self.slopes, self.rules, strict=True)
            ]
        )

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        positions: set[int] = set()
        for s, w in zip(self.slopes, wanted, strict=True):
            if w and s is not None and not isinstance(s, int):
                shift = 1 if isinstance(s, along) else 0
                rule = s.rule if isinstance(s, along) else s
                positions |= {p - shift for p in names_read(rule)}
        xs = tuple(n + 1 in positions for n in range(len(self.slopes)))
        return (xs if any(xs) else False), 0 in positions

    def typeof(self, *types: ArrayType) -> ArrayType:
        return elementwise_type(self.function, *types)

    def eval(self, *args: Any) -> Any:  # replaced per instance by the function itself
        return self.function(*args)

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        dy = None
        for rule, dx in zip(self.rules, dxs, strict=True):
            if rule is None or dx is None:
                continue
            part = (dx if rule == 1 else -dx) if isinstance(rule, int) else rule(dx, ys[0], *xs)
            dy = part if dy is None else dy + part
        return (dy,)

    def pullback(self, gs: Values, xs: Any, ys: Any, wanted: tuple[bool, ...]) -> Values:
        return self.careful(gs[0], xs, ys, wanted)  # type: ignore[no-any-return]

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        return self.pullback(gs, args, None, wanted)

    def batch(self, batched: tuple[bool, ...], *args: Any) -> Any:
        n = extent_of(batched, args)
        return self(
            *(
                a if b or is_constant(a) else everywhere(a, n)
                for a, b in zip(args, batched, strict=True)
            )
        )

    def depends(self, *args: Any) -> Any:
        return "elementwise"

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        from wengert.ops.spread import spread

        return (spread(self, ys[0], xs, rs),)

    def lower(self, k: Any, *args: Any) -> Any:
        dtypes = tuple([a.dtype for a in args])
        loop = _loop(self.function, dtypes)
        if loop[:-1] != dtypes:
            args = tuple([k.cast(a, t) for a, t in zip(args, loop, strict=False)])
        name = _OF_FLAGS.get(self.name, self.name) if loop[0].kind == "b" else self.name
        return k.map(self.formula or name, *args, dtype=loop[-1])

    @cached_property
    def of_doubles(self) -> Any:
        double = np.dtype(np.float64)
        if type(self).lower is not Elementwise.lower or self.function.nout != 1:
            return None
        try:
            loop = _loop(self.function, (double,) * self.function.nin)
        except TypeError:
            return None
        return (self.formula or self.name) if set(loop) == {double} else None

    def __reduce__(self) -> Any:
        return _named, (self.name,)


@lru_cache(maxsize=4096)
def _loop(function: Any, dtypes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dtypes with which NumPy computes: those of the arguments, and of the results."""
    found: tuple[Any, ...] = function.resolve_dtypes((*dtypes, *([None] * function.nout)))
    return found


_OF_FLAGS = {"add": "or", "mul": "and"}  # what sums and products of booleans are


def _stopped(g: Any, s: Any) -> Any:
    """`scale(g, s)`."""
    if type(s) is np.ndarray and type(g) is np.ndarray:
        z = g * s
        return z if z.dtype.char in "fd" and not has_nan(z) else mended(z, g)
    return scale(g, s)


def mended(y: Any, g: Any) -> Any:
    """`y = g · slope` with zeros where g is zero and the slope was not finite."""
    if np.isnan(y).any():
        if not isinstance(y, np.ndarray):  # (what NumPy makes of arrays without axes)
            return y.dtype.type(0) if np.all(g == 0) else y
        np.copyto(y, 0, where=np.isnan(y) & (g == 0))
    return y


class Linear(Primitive):
    """Linear in all its array arguments together; asks for `transpose`."""

    # several operands: the jvp needs a tangent for each, so zeros are made for those that rest
    dense_tangents: ClassVar[bool] = True

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return False, False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        return (self(*dxs, **params),)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose(gs, xs, wanted, **params)

    quick: Any = transposed
    careful: Any = transposed

    def __reduce__(self) -> Any:
        return _named, (self.name,)


class Movement(Linear):
    """Carries elements about without looking at them: `eval` works on any dtype, ids included."""

    answers: ClassVar[bool] = True

    def ids(self, *types: ArrayType, **params: Any) -> Any:
        """For each element of the result, the number of the element it came from (-1: none)."""
        start, sources = 0, []
        for t in types:
            sources.append(np.arange(start, start + t.size).reshape(t.shape))
            start += t.size
        return self.eval(*sources, **params)

    def typeof(self, *types: ArrayType, **params: Any) -> ArrayType:
        # shapes by running on arrays without memory: strides of zero
        blanks = [np.broadcast_to(np.zeros((), t.dtype), t.shape) for t in types]
        try:
            y = self.eval(*blanks, **params)
        except (ValueError, IndexError) as error:
            raise ShapeError(f"{self.name} of {types}: {error}", where=source.here()) from error
        return ArrayType.of(np.shape(y), y.dtype)

    def depends(self, *args: Any, **params: Any) -> Any:
        return self.ids(*map(type_of, args), **params)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (None if all(r is None for r in rs) else self(*dense(xs, rs), **params),)

    def chosen(self, k: Any, *args: Any, **params: Any) -> Any:
        """Lowering of small arrays: each element is picked by its number."""
        types = [ArrayType.of(a.shape, a.dtype) for a in args]
        places = np.concatenate(
            [np.empty((0, 2), np.int64)]
            + [np.stack([np.full(t.size, n), np.arange(t.size)], -1) for n, t in enumerate(types)]
        )
        ids = np.asarray(self.ids(*types, **params))
        shapes, dtype = [t.shape for t in types], types[0].dtype

        def pick(r: Any, idx: Any) -> Any:
            number = ids[tuple(i.data for i in idx)]
            if number < 0:
                return r.s.number(0, dtype)
            n, place = places[number]
            return r.at(
                args[n], tuple(map(r.w.index, map(int, np.unravel_index(place, shapes[n]))))
            )

        return k.choose(ids.shape, dtype, args, pick)


class Multilinear(Primitive):
    """Linear in each operand; asks for `transpose`, its jvp is the product rule."""

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        # operand i is read by the rules of all the others
        count = sum(wanted)
        return tuple(count - w > 0 for w in wanted), False

    def jvp(self, dxs: Values, xs: Values, ys: Values, **params: Any) -> Values:
        dy = None
        for n, dx in enumerate(dxs):
            if dx is not None:
                part = self(*xs[:n], dx, *xs[n + 1 :], **params)
                dy = part if dy is None else dy + part
        return (dy,)

    def pullback(
        self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...], **params: Any
    ) -> Values:
        return self.transpose(gs, xs, wanted, **params)

    quick: Any = transposed
    careful: Any = transposed

    def __reduce__(self) -> Any:
        return _named, (self.name,)


class Scale(Primitive):
    """`scale(g, slope) = g * slope`, where a zero of `g` stops even an infinite slope.

    Bilinear, with its own jvp and transpose: a selection on `g == 0` would make mixed second
    derivatives wrong (∂²(x sin y)/∂x∂y at x = 0 is cos y).
    """

    name = "scale"
    answers: ClassVar[bool] = True
    aligned = True
    wants_types = False

    def __call__(self, g: Any, slope: Any) -> Any:
        if isinstance(g, Handle):
            if isinstance(slope, Handle) and slope.builder.serial > g.builder.serial:
                return slope.builder.record(self, (g, slope))
            return g.builder.record(self, (g, slope))
        if isinstance(slope, Handle):
            return slope.builder.record(self, (g, slope))
        return self.eval(g, slope)

    def typeof(self, g: ArrayType, slope: ArrayType) -> ArrayType:
        return elementwise_type(np.multiply, g, slope)

    def eval(self, g: Any, slope: Any) -> Any:
        y = g * slope
        if y.ndim == 0:
            return y if y == y else y.dtype.type(0) if g == 0 else y
        if type(slope) is np.float64 and slope - slope == 0:  # finite: a zero stays a zero
            return y
        return y if y.dtype.char in "fd" and not has_nan(y) else mended(y, g)

    def reads(self, wanted: tuple[bool, ...]) -> Reads:
        return (wanted[1], wanted[0]), False

    def jvp(self, dxs: Values, xs: Values, ys: Values) -> Values:
        (dg, dslope), (g, slope) = dxs, xs
        parts = [scale(dg, slope)] if dg is not None else []
        if dslope is not None:
            parts.append(scale(g, dslope))
        return (parts[0] if len(parts) == 1 else parts[0] + parts[1] if parts else None,)

    def transpose(self, gs: Values, args: Values, wanted: tuple[bool, ...]) -> Values:
        (h,), (g, slope) = gs, args
        return (scale(h, slope) if wanted[0] else None, scale(h, g) if wanted[1] else None)

    def pullback(self, gs: Values, xs: Values, ys: Values, wanted: tuple[bool, ...]) -> Values:
        return self.transpose(gs, xs, wanted)

    def quick(self, h: Any, xs: Any, ys: Any, wanted: Any, inputs: Any, params: Any) -> Values:
        g, slope = xs
        return (h * slope if wanted[0] else None, h * g if wanted[1] else None)

    careful: Any = transposed

    def of_doubles(self, s: Any, g: Any, slope: Any) -> Any:
        return _stopping(s, g, slope)

    def batch(self, batched: tuple[bool, ...], *args: Any) -> Any:
        n = extent_of(batched, args)
        return self(
            *(
                a if b or is_constant(a) else everywhere(a, n)
                for a, b in zip(args, batched, strict=True)
            )
        )

    def bound(self, ys: Values, xs: Values, rs: Values) -> Values:
        (g, slope), (r, s) = xs, rs
        return (scaled(g, slope, r, s, lost(ys[0])),)

    def lower(self, k: Any, g: Any, slope: Any) -> Any:
        dtype = self.typeof(
            ArrayType.of(g.shape, g.dtype), ArrayType.of(slope.shape, slope.dtype)
        ).dtype
        return k.stopped(_stopping, k.cast(g, dtype), k.cast(slope, dtype), dtype)

    def __reduce__(self) -> Any:
        return _named, (self.name,)


def _stopping(s: Any, g: Any, slope: Any) -> Any:
    """The product; where g is zero and the slope not finite, zero."""
    y, zero = s.mul(g, slope), s.like(0, g)
    null = s.eq(g, zero)
    if getattr(null, "op", "") == "const":
        return zero if null.data else y
    return s.select(s.and_(null, s.isnan(y)), zero, y)


scale = Scale()


def _named(name: str) -> Primitive:
    """Find a primitive by name (pickling)."""
    from wengert.ops import PRIMITIVES

    return PRIMITIVES[name]
