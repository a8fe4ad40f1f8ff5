"""NumPy's ufuncs on traced values: promotion, broadcasting, `out=`, `where=`, and their methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import UnsupportedError
from wengert.ir import source
from wengert.ir.program import constant
from wengert.numpy_api.promote import (
    again,
    aligned,
    cast,
    dtype_of,
    kind,
    loop_dtypes,
    operand,
    shape_of,
    together,
)
from wengert.numpy_api.table import PLAIN, UFUNCS, ufunc_name, unsupported
from wengert.ops import arithmetic, compare, custom, exponential, trigonometric
from wengert.ops.families import Elementwise
from wengert.trace import adoption
from wengert.trace.body import body
from wengert.trace.shortcut import consider, missed
from wengert.trace.tracer import Tracer

_body = body.get
_NOTHING: dict[str, Any] = {}
_ONE, _FIRST, _SECOND, _BOTH = (True,), (True, False), (False, True), (True, True)


def elementwise(ufunc: np.ufunc, prim: Elementwise) -> Callable[..., Any]:
    """The rule for a ufunc that is one elementwise primitive."""
    name = ufunc.__name__

    def general(args: tuple[Any, ...], dtype: Any = None) -> Any:
        xs = [operand(x) for x in args]
        kinds = tuple(kind(x) for x in xs) if dtype is None else (np.dtype(dtype),) * len(xs)
        try:
            dtypes = loop_dtypes(ufunc, kinds)
        except TypeError:
            raise unsupported(
                f"{ufunc_name(ufunc)} of {', '.join(getattr(k, '__name__', str(k)) for k in kinds)}",
                "convert the arguments first",
            ) from None
        if len(xs) == 2 and dtypes[0] != dtypes[1] and dtypes[2].kind == "b":
            return _compared(ufunc, *xs)
        return prim(*together(name, [cast(x, d) for x, d in zip(xs, dtypes, strict=False)]))

    evaluate: Any = prim.eval
    loops: dict[Any, Any] = {}  # what the loop returns for dtypes that it computes in as they are

    def loop(dtype: Any) -> Any:
        try:
            found = loop_dtypes(ufunc, (dtype,) * ufunc.nin)
            loops[dtype] = found[-1] if found[0] == dtype else None
        except TypeError:
            loops[dtype] = None
        return loops[dtype]

    def one(x: Any) -> Any:
        if type(x) is Tracer and (step := x.builder.path) is not None:
            if step.door is one:
                y = step.go(step, 0, x)
                if y is not None:
                    return y
                missed(step, x.builder)
            elif step.heat >= 0:
                y = asked(x)
                consider(step, one, (x,), y)
                return y
        return asked(x)

    def asked(x: Any) -> Any:
        if type(x) is Tracer:
            node = x.node
            t = node.type
            d = t.dtype
            result = loops[d] if d in loops else loop(d)
            if result is not None:
                builder, window = x.builder, x.window
                if (
                    builder.quick and t.inexact and _body() is None
                    and (window is None or window.root.version == window.seen)
                ):  # fmt: skip
                    v = x.value
                    y = one(v) if builder.nested else evaluate(v)
                    same = t if result is d else None
                    return builder.note(prim, node, None, _NOTHING, _ONE, v, None, y, same)
                return builder.record(prim, (x,))
        return general((x,))

    def two(x: Any, y: Any) -> Any:
        mine = x if type(x) is Tracer else y
        if type(mine) is Tracer and (step := mine.builder.path) is not None:
            if step.door is two:
                z = step.go(step, 0, x, y)
                if z is not None:
                    return z
                missed(step, mine.builder)
            elif step.heat >= 0:
                z = asked_two(x, y)
                consider(step, two, (x, y), z)
                return z
        return asked_two(x, y)

    def asked_two(x: Any, y: Any) -> Any:
        first, second = type(x) is Tracer, type(y) is Tracer
        mine, other = (x, y) if first else (y, x)  # a traced value, which says the dtype
        if type(mine) is not Tracer or mine.weak:
            return general((x, y))
        t = mine.node.type
        d = t.dtype
        result = loops[d] if d in loops else loop(d)
        if result is None:
            return general((x, y))
        if first and second:
            if y.weak or y.node.type.dtype is not d:
                return general((x, y))
            if y.node.type is not t:
                x, y = aligned(name, x, y, t.shape, y.node.type.shape)
                t = x.node.type
            if x.builder is not y.builder:
                return prim(x, y)
            mine, a, v, b, w, wanted = x, x.node, x.value, y.node, y.value, _BOTH
            window = y.window
        elif d.kind == "f" and (
            type(other) is float or type(other) is int or type(other) is d.type
        ):
            const, window = constant(d, other), None
            if first:
                y = w = const.value
                a, v, b, wanted = x.node, x.value, const, _FIRST
            else:
                x = v = const.value
                a, b, w, wanted = const, y.node, y.value, _SECOND
        elif type(other) is np.ndarray and other.dtype is d:
            if other.shape != t.shape:
                x, y = aligned(name, x, y, x.shape, y.shape)
            return mine.builder.record(prim, (x, y))
        else:
            return general((x, y))
        builder = mine.builder
        if (
            builder.quick and t.inexact and _body() is None
            and (window is None or window.root.version == window.seen)
            and (mine.window is None or mine.window.root.version == mine.window.seen)
        ):  # fmt: skip
            z = two(v, w) if builder.nested else evaluate(v, w)
            same = t if result is d else None
            return builder.note(prim, a, b, _NOTHING, wanted, v, w, z, same)
        return builder.record(prim, (x, y))

    def unary(x: Any, out: Any = None, *, where: Any = True, dtype: Any = None, **rest: Any) -> Any:
        y = one(x) if dtype is None else general((x,), dtype)
        return y if out is None and where is True else finish(y, out, where)

    def binary(
        x: Any, y: Any, out: Any = None, *, where: Any = True, dtype: Any = None, **rest: Any
    ) -> Any:
        z = two(x, y) if dtype is None else general((x, y), dtype)
        return z if out is None and where is True else finish(z, out, where)

    def several(
        *args: Any, out: Any = None, where: Any = True, dtype: Any = None, **rest: Any
    ) -> Any:
        xs, given = args[: ufunc.nin], args[ufunc.nin :]
        return finish(general(xs, dtype), given[0] if given else out, where)

    if ufunc.nin > 2:
        return several
    rule: Callable[..., Any] = unary if ufunc.nin == 1 else binary
    PLAIN[rule] = one if ufunc.nin == 1 else two
    return rule


def finish(y: Any, out: Any, where: Any) -> Any:
    """Deliver into `out`, only where `where`."""
    if isinstance(out, tuple):
        out = out[0]
    if where is not True:
        y = np.where(where, y, np.zeros((), y.dtype) if out is None else out)
    return y if out is None else deliver(out, y)


def deliver(out: Any, y: Any) -> Any:
    """Write a result into an `out=` argument."""
    if isinstance(out, Tracer):
        if shape_of(y) != out.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {out.shape} for {shape_of(y)}"
            )
        if not np.can_cast(dtype_of(y), out.dtype, "same_kind"):
            raise TypeError(
                f"Cannot cast output from {dtype_of(y)!r} to {out.dtype!r} with casting rule 'same_kind'"
            )
        out[...] = y  # type: ignore[index]
        return out
    return deliver(buffer(out, y), y)


def buffer(out: Any, y: Any) -> Any:
    """What y can be written into, in the place of `out`: itself, or the buffer that the user's variables hold from now on."""
    if isinstance(out, Tracer):
        return out
    found = adoption.given(out, y)
    if found is not None:
        return found
    raise UnsupportedError(
        "a traced value would be written into a plain NumPy array (by `out=` or `+=`), which cannot keep its derivative",
        "make a new array (`b = b + x`), or start from a traced one (`b = 0 * x`)",
        source.here(),
    )


_TABLE: dict[np.ufunc, Elementwise] = {
    p.function: p
    for room in (arithmetic, exponential, trigonometric, compare)
    for p in vars(room).values()
    if isinstance(p, Elementwise)
}
for _ufunc, _prim in _TABLE.items():
    UFUNCS[_ufunc] = elementwise(_ufunc, _prim)


def _compared(ufunc: np.ufunc, x: Any, y: Any) -> Any:
    """Comparison of integers, one signed and one not, that have no integer dtype in common."""
    signed, plain = (x, y) if x.dtype.kind == "i" else (y, x)
    whole = cast(np.maximum(signed, 0), np.dtype(np.uint64))
    plain = cast(plain, np.dtype(np.uint64))
    pair, below = ((whole, plain), (-1, 0)) if signed is x else ((plain, whole), (0, -1))
    return np.where(signed < 0, bool(ufunc(*below)), ufunc(*pair))


def _absolute(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    x = operand(x)
    prim: Any = arithmetic.modulus if x.dtype.kind == "c" else arithmetic.absolute
    return finish(prim(x), out, where)


def _conjugate(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    if x.dtype.kind == "c":
        return finish(arithmetic.conj(x), out, where)
    (*_, dtype) = loop_dtypes(np.conjugate, (kind(x),))  # of flags NumPy makes integers
    return finish(again(x) if x.dtype == dtype else cast(x, dtype), out, where)


def _positive(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    return finish(1 * x, out, where)


_real_sign = UFUNCS[np.sign]


def _sign(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    x = operand(x)
    if x.dtype.kind != "c":
        return _real_sign(x, out, where=where, **rest)
    size = _absolute(x)  # z / |z| turns with z: no step
    return finish(x / np.where(size == 0, 1, size), out, where)


UFUNCS[np.sign] = _sign
UFUNCS[np.absolute] = _absolute
UFUNCS[np.conjugate] = _conjugate
UFUNCS[np.positive] = _positive


def _several(*parts: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a ufunc with several results, each of which may have an `out`."""

    def rule(*xs: Any, out: Any = None, where: Any = True, **rest: Any) -> tuple[Any, ...]:
        outs = (None,) * len(parts) if out is None else out
        return tuple(finish(p(*xs), o, where) for p, o in zip(parts, outs, strict=True))

    return rule


def _mantissa(x: Any) -> Any:
    return np.ldexp(x, -arithmetic.exponent(operand(x)))


def _fraction(x: Any) -> Any:
    x = _floating(x)
    return np.where(np.isinf(x), 0, x - np.trunc(x))  # (of an infinity nothing is left)


def _floating(x: Any) -> Any:
    x = operand(x)
    return cast(x, loop_dtypes(np.modf, (kind(x),))[0])


def _spacing(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    x = operand(x)
    x = cast(x, loop_dtypes(np.spacing, (kind(x),))[0])
    size = _absolute(x)
    step = custom.stop(np.nextafter(size, np.inf) - size)  # the distance does not move
    return finish(np.where(np.less(x, 0), -step, step), out, where)


UFUNCS[np.spacing] = _spacing
UFUNCS[np.divmod] = _several(np.floor_divide, np.remainder)
UFUNCS[np.modf] = _several(_fraction, lambda x: np.trunc(_floating(x)))
UFUNCS[np.frexp] = _several(_mantissa, lambda x: arithmetic.exponent(operand(x)))
