"""Curves and polynomials: interpolation, convolution, correlation, polynomial arithmetic, covariance."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.numpy_api.indexing import known
from wengert.numpy_api.moving import part
from wengert.numpy_api.ordering import searchsorted
from wengert.numpy_api.products import pair
from wengert.numpy_api.promote import cast, dtype_of, inexact, operand, shape_of
from wengert.numpy_api.reductions import average
from wengert.numpy_api.table import implements
from wengert.ops import index, reduce
from wengert.ops import matmul as ops
from wengert.trace.tracer import Tracer


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    x, xp = operand(x), operand(xp)
    if dtype_of(operand(fp)).kind != "c" and "c" in (dtype_of(x).kind, dtype_of(xp).kind):
        raise TypeError("Cannot cast array data from dtype('complex128') to dtype('float64')")
    x, xp = (cast(v, np.dtype(np.float64)) for v in (x, xp))
    fp = operand(fp)
    fp = cast(fp, np.dtype(np.complex128 if dtype_of(fp).kind == "c" else np.float64))
    if np.ndim(xp) != 1 or shape_of(fp) != shape_of(xp):
        raise ValueError("fp and xp are not of the same length.")
    if period is not None:
        if period == 0:
            raise ValueError("period must be a non-zero value")
        period = abs(period)
        left = right = None
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(xp)
        xp, fp = index.gather(xp, order), index.gather(fp, order)
        n = shape_of(xp)[0]
        xp = np.concatenate([part(xp, 0, n - 1, n) - period, xp, part(xp, 0, 0, 1) + period])
        fp = np.concatenate([part(fp, 0, n - 1, n), fp, part(fp, 0, 0, 1)])
    n = shape_of(xp)[0]
    # slopes of the pieces, flat before the first knot and behind the last one
    flat = np.zeros(1, dtype_of(fp))
    rise = part(fp, 0, 1, None) - part(fp, 0, 0, n - 1)
    slopes = np.concatenate([flat, rise / (part(xp, 0, 1, None) - part(xp, 0, 0, n - 1)), flat])
    before, behind = searchsorted(xp, x, "left"), searchsorted(xp, x, "right")
    # both are the same piece but on a knot, where the slope is the mean of its neighbours'
    slope = 0.5 * (index.gather(slopes, before) + index.gather(slopes, behind))
    knot = np.clip(behind - 1, 0, n - 1)
    y = index.gather(fp, knot) + slope * (x - index.gather(xp, np.where(behind == 0, 0, knot)))
    if left is not None:
        y = np.where(x < index.index(xp, at=(0,)), left, y)
    if right is not None:
        y = np.where(x > index.index(xp, at=(n - 1,)), right, y)
    return y


def _vectors(a: Any, v: Any) -> tuple[Any, Any]:
    first, second = (np.atleast_1d(x) for x in pair(a, v))
    if np.ndim(first) > 1 or np.ndim(second) > 1:
        raise ValueError("object too deep for desired array")
    return first, second


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = _vectors(a, v)
    n, m = shape_of(a)[0], shape_of(v)[0]
    if not n or not m:
        raise ValueError("a cannot be empty" if not n else "v cannot be empty")
    if n < m:
        a, v, n, m = v, a, m, n
    return _cut(ops.convolve(a, v), n, m, mode)


def _cut(full: Any, n: int, m: int, mode: str) -> Any:
    """The part of a full convolution (n ≥ m) that a mode keeps."""
    if mode == "full":
        return full
    if mode == "same":
        return part(full, 0, (m - 1) // 2, (m - 1) // 2 + n)
    if mode == "valid":
        return part(full, 0, m - 1, n)
    raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    if not np.ndim(a) or not np.ndim(v):
        raise ValueError("object of too small depth for desired array")
    a, v = _vectors(a, v)
    n, m = shape_of(a)[0], shape_of(v)[0]
    full = ops.convolve(a, np.conjugate(np.flip(v)))
    # NumPy swaps a shorter first argument, and turns the result round again
    return _cut(full, n, m, mode) if n >= m else np.flip(_cut(np.flip(full), m, n, mode))


# ---- polynomials, the highest power first -----------------------------------------------------------


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    coefficients, x = operand(p), operand(x)
    y: Any = np.zeros(shape_of(x), dtype_of(x))
    for k in range(len(coefficients)):
        y = y * x + coefficients[k]
    return y


def _same_degree(a1: Any, a2: Any) -> tuple[Any, Any]:
    a, b = (np.atleast_1d(operand(x)) for x in (a1, a2))
    n = max(np.size(a), np.size(b))
    return tuple(np.pad(x, (n - np.size(x), 0)) for x in (a, b))  # type: ignore[return-value]


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    a, b = _same_degree(a1, a2)
    return np.add(a, b)


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    a, b = _same_degree(a1, a2)
    return np.subtract(a, b)


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    return convolve(_leading(a1), _leading(a2))


def _leading(p: Any) -> Any:
    """A polynomial without zeros in front, where the numbers are known."""
    x = operand(p)
    x = x if shape_of(x) else np.reshape(x, (1,))
    number: Any = x.number() if isinstance(x, Tracer) else x
    if number is None or number[0] != 0:
        return x
    return x[int(np.argmax(number != 0)) if np.any(number) else len(number) - 1 :]


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    y = np.atleast_1d(operand(p))
    for _ in range(operator.index(m)):
        n = shape_of(y)[0]
        y = part(y, 0, 0, max(n - 1, 0)) * np.arange(n - 1, 0, -1)
    return y


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    y = np.atleast_1d(operand(p))
    m = operator.index(m)
    constants = np.zeros(m) if k is None else np.atleast_1d(operand(k))
    if shape_of(constants) == (1,) and m > 1:
        constants = np.repeat(constants, m)
    for n in range(m):
        y = np.concatenate(
            [np.true_divide(y, np.arange(shape_of(y)[0], 0, -1)), constants[n : n + 1]]
        )
    return y


@implements(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    x, y = inexact(operand(x)), inexact(operand(y))
    degree = operator.index(deg)
    matrix = np.vander(x, degree + 1)
    target = y
    if w is not None:
        weight = operand(w)
        matrix = matrix * np.reshape(weight, (-1, 1))
        target = target * (np.reshape(weight, (-1, 1)) if np.ndim(y) == 2 else weight)
    size = np.sqrt(np.sum(np.square(matrix), axis=0))
    cut = shape_of(x)[0] * np.finfo(dtype_of(x)).eps if rcond is None else rcond
    scaled = matrix / size
    inverse = np.linalg.pinv(scaled, cut)
    found = np.matmul(inverse, target)
    c = found / (np.reshape(size, (-1, 1)) if np.ndim(found) == 2 else size)
    if not full and not cov:
        return c
    residuals = np.atleast_1d(np.sum(np.square(target - np.matmul(matrix, c)), axis=0))
    if full:
        s = np.linalg.svdvals(scaled)
        return c, residuals, np.linalg.matrix_rank(scaled), s, cut
    base = np.matmul(inverse, np.swapaxes(inverse, -1, -2)) / np.outer(size, size)
    if cov != "unscaled":
        base = base * (residuals / (shape_of(x)[0] - degree - 1))
    return c, base


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    zeros = operand(seq_of_zeros)
    real = dtype_of(zeros).kind != "c"
    if np.ndim(zeros) == 2:
        found = poly(np.linalg.eigvals(zeros))
        return np.real(found) if real else found  # NumPy takes conjugate pairs for real
    if np.ndim(zeros) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    zeros = cast(zeros, np.dtype(np.mintypecode(dtype_of(zeros).char)))
    none = np.zeros(1, zeros.dtype)
    y: Any = np.ones(1, zeros.dtype)
    for k in range(zeros.shape[0]):
        y = np.concatenate([y, none]) - np.concatenate([none, y * zeros[k]])
    return y


@implements(np.roots)
def roots(p: Any) -> Any:
    """Eigenvalues of the companion matrix, after zeros in front and behind are dropped."""
    c = np.atleast_1d(operand(p))
    if c.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    place = np.flatnonzero(known(c, "np.roots", "say the degree by the length of the array"))
    if not place.size:
        return np.zeros(0)
    behind = len(c) - place[-1] - 1
    c = inexact(c[int(place[0]) : int(place[-1]) + 1])
    n = len(c) - 1
    if n < 1:
        return np.zeros(int(behind), c.dtype)
    below = np.eye(n, k=-1, dtype=c.dtype)
    a = np.concatenate([-(c[1:] / c[0])[None], below[1:]]) if n > 1 else -(c[1:] / c[0])[None]
    found = np.linalg.eigvals(a)
    return np.concatenate([found, np.zeros(int(behind), found.dtype)])


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Quotient and remainder, by long division as NumPy does it."""
    a, b = (np.atleast_1d(operand(x)) for x in (u, v))
    kind = np.result_type(dtype_of(a), dtype_of(b), 0.0)
    a, b = cast(a, kind), cast(b, kind)
    m, n = len(a) - 1, len(b) - 1
    scale = 1.0 / b[0]
    parts, rest = [], a
    for k in range(m - n + 1):
        d = scale * rest[k]
        parts.append(d)
        rest = np.concatenate([rest[:k], rest[k : k + n + 1] - d * b, rest[k + n + 1 :]])
    quotient = np.stack(parts) if parts else np.zeros(1, kind)
    number = rest.number() if isinstance(rest, Tracer) else rest
    if number is None:  # compiled: what vanishes at any values; NumPy also drops what happens to
        return quotient, rest[min(len(parts), m) :]
    while len(number) > 1 and np.allclose(number[0], 0, rtol=1e-14):
        number, rest = number[1:], rest[1:]
    return quotient, rest


# ---- covariance -----------------------------------------------------------------------------------


@implements(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    x = np.atleast_2d(operand(m))
    if not rowvar and np.ndim(operand(m)) != 1:
        x = np.swapaxes(x, 0, 1)
    if y is not None:
        other = np.atleast_2d(operand(y))
        if not rowvar and shape_of(other)[0] != 1:
            other = np.swapaxes(other, 0, 1)
        x = np.concatenate([x, other], 0)
    x = cast(x, np.result_type(dtype_of(x), np.float64) if dtype is None else np.dtype(dtype))
    if ddof is None:
        ddof = 0 if bias else 1
    n = shape_of(x)[1]
    if fweights is None and aweights is None:
        d = reduce.centre(x, axes=(1,))
        factor: Any = max(n - ddof, 0)
        weighted = d
    else:
        w: Any = 1.0
        for given in (fweights, aweights):
            if given is not None:
                w = w * operand(given)
        middle, total = average(x, 1, w, True)
        d = x - np.reshape(middle, (-1, 1))
        weighted = d * w
        total = total[0]
        factor = (
            total - ddof
            if ddof == 0 or aweights is None
            else total - ddof * np.sum(w * aweights) / total
        )
    y = np.matmul(weighted, np.conjugate(np.transpose(d))) * np.true_divide(1, factor)
    return np.squeeze(y)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    spread_of = np.sqrt(np.real(np.diagonal(c)))
    c = c / np.reshape(spread_of, (-1, 1)) / spread_of
    bounded = np.clip(np.real(c), -1, 1)
    return bounded + 1j * np.clip(np.imag(c), -1, 1) if dtype_of(c).kind == "c" else bounded
