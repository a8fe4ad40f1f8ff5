"""Fourier transforms: linear maps whose transposes are Fourier transforms again.

The matrix of a transform is symmetric, so a complex transform is its own transpose. The real ones
keep half of the spectrum: their transposes count the half that was left out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.ir.primitive import Values
from wengert.ir.types import ArrayType, type_of
from wengert.ops.families import Linear
from wengert.ops.radii import real_of, unit

OTHER = {"backward": "forward", "forward": "backward", "ortho": "ortho"}  # the same factor, turned
Axes = tuple[int, ...]


def _later(axes: Axes) -> Axes:
    """The axes behind a new leading one."""
    return tuple(a + 1 for a in axes)


def _complex(dtype: Any) -> Any:
    return np.result_type(dtype, np.complex64)


def _real(dtype: Any) -> Any:
    return np.zeros((), dtype).real.dtype


def _spread(prim: Any, y: Any, x: Any, r: Any, params: Any) -> Any:
    """No result moves by more than ‖r‖₁ and what n log n additions cost, times what `norm` scales by."""
    axes = params.get("axes") or (params["axis"],)
    size = math.prod(type_of(y).shape[a] for a in axes)
    u, _ = unit(y.dtype)
    own = np.abs(x) * (u * u.dtype.type(16 * (1 + math.log2(max(size, 2)))))
    total = np.sum(own if r is None else own + r, axis=axes, keepdims=True)
    scale = {"fft": 1.0, "rfft": 1.0, "irfft": 2.0}.get(prim.name, 4.0)
    inverse = params.get("inverse", prim.name == "irfft")
    norm = params.get("norm")
    if prim.name in ("fft", "rfft", "irfft") and norm == "ortho":
        scale = scale / math.sqrt(size)
    elif prim.name in ("fft", "rfft", "irfft") and inverse == (norm != "forward"):
        scale = scale / size
    return np.broadcast_to(total * scale, type_of(y).shape).astype(real_of(y))


class Fft(Linear):
    """`fft[axes, norm, inverse](x)`: the whole spectrum of a real or complex array."""

    name = "fft"
    tags = {"axes": "axis"}

    def typeof(self, x: ArrayType, *, axes: Axes, norm: Any, inverse: bool) -> ArrayType:
        return ArrayType.of(x.shape, _complex(x.dtype))

    def eval(self, x: Any, *, axes: Axes, norm: Any, inverse: bool) -> Any:
        return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)

    def transpose(
        self,
        gs: Values,
        args: Values,
        wanted: tuple[bool, ...],
        *,
        axes: Axes,
        norm: Any,
        inverse: bool,
    ) -> Values:
        back = self(gs[0], axes=axes, norm=norm, inverse=inverse)
        return (back if args[0].dtype.kind == "c" else np.real(back),)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (_spread(self, ys[0], xs[0], rs[0], params),)

    def batch(
        self, batched: tuple[bool, ...], x: Any, *, axes: Axes, norm: Any, inverse: bool
    ) -> Any:
        return self(x, axes=_later(axes), norm=norm, inverse=inverse)


class Rfft(Linear):
    """`rfft[axes, norm](x)`: the half spectrum of a real array; halved along the last of the axes."""

    name = "rfft"
    tags = {"axes": "axis"}

    def typeof(self, x: ArrayType, *, axes: Axes, norm: Any) -> ArrayType:
        shape = list(x.shape)
        shape[axes[-1]] = shape[axes[-1]] // 2 + 1
        return ArrayType.of(tuple(shape), _complex(x.dtype))

    def eval(self, x: Any, *, axes: Axes, norm: Any) -> Any:
        return np.fft.rfftn(x, axes=axes, norm=norm)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, axes: Axes, norm: Any
    ) -> Values:
        (g,), n = gs, args[0].shape[axes[-1]]
        if len(axes) > 1:
            g = fft(g, axes=axes[:-1], norm=norm, inverse=False)
        half = np.conjugate(g) / _count(n, axes[-1], g)
        return (irfft(half, n=n, axes=axes[-1:], norm=OTHER[norm]),)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (_spread(self, ys[0], xs[0], rs[0], params),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, axes: Axes, norm: Any) -> Any:
        return self(x, axes=_later(axes), norm=norm)


class Irfft(Linear):
    """`irfft[n, axes, norm](h)`: the real array of length n that has this half spectrum."""

    name = "irfft"
    tags = {"n": "extent", "axes": "axis"}

    def typeof(self, h: ArrayType, *, n: int, axes: Axes, norm: Any) -> ArrayType:
        shape = list(h.shape)
        shape[axes[-1]] = n
        return ArrayType.of(tuple(shape), _real(h.dtype))

    def eval(self, h: Any, *, n: int, axes: Axes, norm: Any) -> Any:
        extents = [h.shape[a] for a in axes[:-1]]
        return np.fft.irfftn(h, s=[*extents, n], axes=axes, norm=norm)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, n: int, axes: Axes, norm: Any
    ) -> Values:
        full = rfft(gs[0], axes=axes[-1:], norm=OTHER[norm])
        back = np.conjugate(full) * _count(n, axes[-1], full)
        if len(axes) > 1:
            back = fft(back, axes=axes[:-1], norm=norm, inverse=True)
        return (back,)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (_spread(self, ys[0], xs[0], rs[0], params),)

    def batch(self, batched: tuple[bool, ...], h: Any, *, n: int, axes: Axes, norm: Any) -> Any:
        return self(h, n=n, axes=_later(axes), norm=norm)


def _count(n: int, axis: int, like: Any) -> Any:
    """How often each entry of a half spectrum stands in the whole one: twice, but the ends once."""
    m = n // 2 + 1
    count = np.full(m, 2, _real(like.dtype))
    count[0] = 1
    if n % 2 == 0:
        count[-1] = 1
    return count.reshape([m if d == axis else 1 for d in range(like.ndim)])


class Trigonometric(Linear):
    """`dct[kind, axis](x)` and `dst`, without norm: cosines or sines of a real or complex array.

    Kinds 4, and sines of kind 1, are symmetric; 2 and 3 are each other's transposes but for
    a factor at one end, cosines of kind 1 but for a factor at both.
    """

    tags = {"axis": "axis"}

    def __init__(self, name: str) -> None:
        self.name = name

    def typeof(self, x: ArrayType, *, kind: int, axis: int) -> ArrayType:
        return x

    def eval(self, x: Any, *, kind: int, axis: int) -> Any:
        import scipy.fft

        return getattr(scipy.fft, self.name)(x, kind, axis=axis)

    def transpose(
        self, gs: Values, args: Values, wanted: tuple[bool, ...], *, kind: int, axis: int
    ) -> Values:
        (g,) = gs
        ends = np.ones(g.shape[axis], _real(g.dtype))
        if self.name == "dct" and kind == 1:
            ends[1:-1] = 2
        elif kind in (2, 3):
            ends[0 if self.name == "dct" else -1] = 2 if kind == 2 else 0.5
        ends = ends.reshape([-1 if d == axis else 1 for d in range(g.ndim)])
        if kind == 1:
            return (ends * self(g / ends, kind=1, axis=axis),)
        if kind == 2:
            return (self(ends * g, kind=3, axis=axis),)
        return (ends * self(g, kind=2, axis=axis) if kind == 3 else self(g, kind=4, axis=axis),)

    def bound(self, ys: Values, xs: Values, rs: Values, **params: Any) -> Values:
        return (_spread(self, ys[0], xs[0], rs[0], params),)

    def batch(self, batched: tuple[bool, ...], x: Any, *, kind: int, axis: int) -> Any:
        return self(x, kind=kind, axis=axis + 1)


fft, rfft, irfft = Fft(), Rfft(), Irfft()
dct, dst = Trigonometric("dct"), Trigonometric("dst")
