"""`np.fft`: padding, cutting and norms at the door; inside there are three linear primitives."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from wengert.numpy_api.promote import axis_of, cast, dtype_of, operand, shape_of
from wengert.numpy_api.table import implements, unsupported
from wengert.numpy_api.ufuncs import finish
from wengert.ops import fft as ops
from wengert.ops.fft import OTHER


def resized(x: Any, extents: dict[int, int]) -> Any:
    """x cut, or padded with zeros, to these extents along these axes."""
    shape = shape_of(x)
    for axis, n in extents.items():
        if n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
        if n < shape[axis]:
            x = x[(*(slice(None),) * axis, slice(n))]
    widths = [(0, max(extents.get(d, k) - k, 0)) for d, k in enumerate(shape)]
    return np.pad(x, widths) if any(high for _, high in widths) else x


def _norm(norm: Any) -> str:
    name = norm or "backward"
    if name not in OTHER:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return str(name)


def _floating(a: Any) -> Any:
    x = operand(a)
    kind = dtype_of(x)
    if kind.kind in "fc" and kind.itemsize > 2:
        return x
    return cast(x, np.dtype(np.float32 if kind.char == "e" else np.float64))


def plan(x: Any, s: Any, axes: Any) -> tuple[tuple[int, ...], dict[int, int]]:
    """Axes of a transform in several dimensions, and the extents that are asked for."""
    ndim = len(shape_of(x))
    if axes is None:
        count = ndim if s is None else len(s)
        axes = range(ndim - count, ndim)
    where = tuple(axis_of(d, ndim) for d in axes)
    if s is None:
        return where, {}
    if len(s) != len(where):
        raise ValueError("Shape and axes have different lengths.")
    extents = {d: operator.index(n) for d, n in zip(where, s, strict=True) if n is not None}
    return where, {d: shape_of(x)[d] if n == -1 else n for d, n in extents.items()}


def _distinct(planned: tuple[tuple[int, ...], dict[int, int]]) -> Any:
    if len(set(planned[0])) != len(planned[0]) or not planned[0]:
        raise unsupported(
            "a real Fourier transform with repeated axes, or none", "name each axis once"
        )
    return planned


def transform(a: Any, s: Any, axes: Any, norm: Any, inverse: bool) -> Any:
    """`fftn` and `ifftn`."""
    x = _floating(a)
    where, extents = plan(x, s, axes)
    if len(set(where)) != len(where):  # one after the other, the last first
        lengths = [None] * len(where) if s is None else list(s)
        for d, n in zip(reversed(where), reversed(lengths), strict=True):
            x = transform(x, None if n is None else (n,), (d,), norm, inverse)
        return x
    x = resized(x, extents)
    if not where:
        return cast(x, np.result_type(dtype_of(x), np.complex64))
    return ops.fft(x, axes=where, norm=_norm(norm), inverse=inverse)


def real_transform(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`rfftn`."""
    x = _floating(a)
    if dtype_of(x).kind == "c":
        raise TypeError("a real transform of a complex array: take its real part first")
    where, extents = _distinct(plan(x, s, axes))
    return ops.rfft(resized(x, extents), axes=where, norm=_norm(norm))


def real_inverse(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`irfftn`."""
    x = _floating(a)
    if dtype_of(x).kind != "c":
        x = cast(x, np.result_type(dtype_of(x), np.complex64))
    where, extents = _distinct(plan(x, s, axes))
    last = where[-1]
    n = extents.get(last, 2 * (shape_of(x)[last] - 1))
    return ops.irfft(resized(x, {**extents, last: n // 2 + 1}), n=n, axes=where, norm=_norm(norm))


def hermitian(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`hfftn`: the real spectrum of an array of which half is given."""
    return real_inverse(np.conjugate(_floating(a)), s, axes, OTHER[_norm(norm)])


def hermitian_inverse(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`ihfftn`."""
    return np.conjugate(real_transform(a, s, axes, OTHER[_norm(norm)]))


def forward(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`fftn`."""
    return transform(a, s, axes, norm, False)


def backward(a: Any, s: Any, axes: Any, norm: Any) -> Any:
    """`ifftn`."""
    return transform(a, s, axes, norm, True)


def _along(rule: Any) -> Any:
    def one(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
        return finish(rule(a, None if n is None else (n,), (axis,), norm), out, True)

    return one


def _over(rule: Any, default: Any) -> Any:
    def several(
        a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None
    ) -> Any:
        return finish(rule(a, s, axes, norm), out, True)

    return several


for _name, _rule in {
    "fft": forward, "ifft": backward, "rfft": real_transform, "irfft": real_inverse,
}.items():  # fmt: skip
    implements(getattr(np.fft, _name))(_along(_rule))
    implements(getattr(np.fft, f"{_name}2"))(_over(_rule, (-2, -1)))
    implements(getattr(np.fft, f"{_name}n"))(_over(_rule, None))
implements(np.fft.hfft)(_along(hermitian))
implements(np.fft.ihfft)(_along(hermitian_inverse))


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    """Frequency 0 to the middle."""
    return _rolled(x, axes, lambda n: n // 2)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """Frequency 0 back to the front."""
    return _rolled(x, axes, lambda n: -(n // 2))


def _rolled(x: Any, axes: Any, shift: Any) -> Any:
    x = operand(x)
    where = range(x.ndim) if axes is None else axes if np.iterable(axes) else (axes,)
    return np.roll(x, [shift(x.shape[d]) for d in where], tuple(where))
