"""NumPy's ufuncs on traced values: promotion, broadcasting, `out=`, `where=`, and their methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import UnsupportedError
from wengert.ir import source
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
from wengert.numpy_api.table import (
    UFUNC_ACCUMULATIONS,
    UFUNC_METHODS,
    UFUNC_REDUCTIONS,
    UFUNCS,
    ufunc_name,
    unsupported,
)
from wengert.ops import arithmetic, compare, exponential, trigonometric
from wengert.ops.families import Elementwise
from wengert.trace.tracer import Tracer


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
        return prim(*together(name, [cast(x, d) for x, d in zip(xs, dtypes, strict=False)]))

    loops: dict[Any, bool] = {}  # dtypes that the loop computes in as they are

    def as_is(dtype: Any) -> bool:
        try:
            found = bool(loop_dtypes(ufunc, (dtype,) * ufunc.nin)[0] == dtype)
        except TypeError:
            found = False
        loops[dtype] = found
        return found

    def unary(x: Any, out: Any = None, *, where: Any = True, dtype: Any = None, **rest: Any) -> Any:
        if out is None and where is True and dtype is None and x.__class__ is Tracer:
            d = x.node.type.dtype
            if loops[d] if d in loops else as_is(d):
                return x.builder.record(prim, (x,))
        return finish(general((x,), dtype), out, where)

    def binary(
        x: Any, y: Any, out: Any = None, *, where: Any = True, dtype: Any = None, **rest: Any
    ) -> Any:
        if out is None and where is True and dtype is None:
            cx, cy = x.__class__, y.__class__
            if cx is Tracer:
                t = x.node.type
                d = t.dtype
                if not x.weak and (loops[d] if d in loops else as_is(d)):
                    if cy is Tracer:
                        if d is y.node.type.dtype and not y.weak:
                            if t is not y.node.type:
                                x, y = aligned(name, x, y, t.shape, y.node.type.shape)
                            builder = x.builder
                            return (
                                builder.record(prim, (x, y)) if builder is y.builder else prim(x, y)
                            )
                    elif (cy is float or cy is int) and d.kind == "f":
                        return x.builder.record(prim, (x, d.type(y)))
                    elif cy is np.ndarray and y.dtype is d:
                        if y.shape != t.shape:
                            x, y = aligned(name, x, y, t.shape, y.shape)
                        return x.builder.record(prim, (x, y))
            elif cy is Tracer:
                t = y.node.type
                d = t.dtype
                if not y.weak and (loops[d] if d in loops else as_is(d)):
                    if (cx is float or cx is int) and d.kind == "f":
                        return y.builder.record(prim, (d.type(x), y))
                    if cx is np.ndarray and x.dtype is d:
                        if x.shape != t.shape:
                            x, y = aligned(name, x, y, x.shape, t.shape)
                        return y.builder.record(prim, (x, y))
        return finish(general((x, y), dtype), out, where)

    def several(
        *args: Any, out: Any = None, where: Any = True, dtype: Any = None, **rest: Any
    ) -> Any:
        xs, given = args[: ufunc.nin], args[ufunc.nin :]
        return finish(general(xs, dtype), given[0] if given else out, where)

    rules: dict[int, Callable[..., Any]] = {1: unary, 2: binary}
    return rules.get(ufunc.nin, several)


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


def _absolute(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    x = operand(x)
    prim: Any = arithmetic.modulus if x.dtype.kind == "c" else arithmetic.absolute
    return finish(prim(x), out, where)


def _conjugate(x: Any, out: Any = None, *, where: Any = True, **rest: Any) -> Any:
    return finish(arithmetic.conj(x) if x.dtype.kind == "c" else again(x), out, where)


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


def _divmod(x: Any, y: Any) -> Any:
    return np.floor_divide(x, y), np.remainder(x, y)


def _modf(x: Any) -> Any:
    whole = np.trunc(x)
    return x - whole, whole


UFUNCS[np.divmod] = _divmod
UFUNCS[np.modf] = _modf

# ---- ufunc methods ---------------------------------------------------------------------------------


def _reduce(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = np._NoValue, where: Any = True,
) -> Any:  # fmt: skip
    x = operand(x)
    if dtype is not None:
        x = cast(x, np.dtype(dtype))
    options: dict[str, Any] = {} if where is True else {"where": where}
    if initial is not np._NoValue and initial is not None:
        options["initial"] = initial
    rule = UFUNC_REDUCTIONS.get(ufunc)
    if rule is not None:
        return finish(rule(x, axis=axis, keepdims=keepdims, **options), out, True)
    if ufunc.nin != 2 or "where" in options:
        raise unsupported(f"np.{ufunc.__name__}.reduce")
    y = options.get("initial")
    for part in np.moveaxis(x, axis, 0):
        y = part if y is None else ufunc(y, part)
    return finish(np.expand_dims(y, axis) if keepdims else y, out, True)  # type: ignore[arg-type]


def _accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    rule = UFUNC_ACCUMULATIONS.get(ufunc)
    if rule is not None:
        return rule(x, axis, dtype, out)
    if ufunc.nin != 2:
        raise unsupported(f"np.{ufunc.__name__}.accumulate")
    x = operand(x) if dtype is None else cast(operand(x), np.dtype(dtype))
    steps: list[Any] = []
    for part in np.moveaxis(x, axis, 0):
        steps.append(ufunc(steps[-1], part) if steps else part)
    return finish(np.stack(steps, axis), out, True)


def _outer(ufunc: np.ufunc, x: Any, y: Any, **kwargs: Any) -> Any:
    x, y = operand(x), operand(y)
    return ufunc(np.reshape(x, (*shape_of(x), *(1,) * len(shape_of(y)))), y, **kwargs)


def _at(ufunc: np.ufunc, x: Any, i: Any, v: Any = None) -> None:
    if not isinstance(x, Tracer):
        deliver(x, v)
    if ufunc is np.add or ufunc is np.subtract:
        from wengert.numpy_api.writing import add_at

        add_at(x, i, v if ufunc is np.add else np.negative(v))
    elif v is None:
        x[i] = ufunc(x[i])
    else:
        raise unsupported(
            f"np.{ufunc.__name__}.at",
            f"write x[i] = np.{ufunc.__name__}(x[i], v) if no index repeats",
        )


def _reduceat(ufunc: np.ufunc, x: Any, indices: Any, axis: int = 0, **kwargs: Any) -> Any:
    n = x.shape[axis]
    starts = [int(i) for i in indices]
    ends = [*starts[1:], n]
    lead = (slice(None),) * (axis % x.ndim)
    parts = [
        ufunc.reduce(x[(*lead, slice(a, b))], axis=axis) if b > a else x[(*lead, a)]
        for a, b in zip(starts, ends, strict=True)
    ]
    return np.stack(parts, axis)


UFUNC_METHODS.update(
    reduce=_reduce, accumulate=_accumulate, outer=_outer, at=_at, reduceat=_reduceat
)
