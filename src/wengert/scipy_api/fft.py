"""`scipy.fft` on traced values: NumPy's Fourier transforms, and those of cosines and sines."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.numpy_api import fft as door
from wengert.numpy_api.promote import cast, dtype_of, operand, shape_of
from wengert.numpy_api.table import unsupported
from wengert.ops import fft as ops
from wengert.scipy_api import table
from wengert.scipy_api.table import implements
from wengert.trace.tracer import Tracer


def install(module: ModuleType) -> None:
    """Furnish `scipy.fft`."""
    table.install(module)


# ---- Fourier transforms -----------------------------------------------------------------------------
# `overwrite_x` and `workers` change no number


def _along(rule: Callable[..., Any]) -> Callable[..., Any]:
    def one(
        x: Any, n: Any = None, axis: Any = -1, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        return rule(x, None if n is None else (n,), (axis,), norm)

    return one


def _over(rule: Callable[..., Any], default: Any) -> Callable[..., Any]:
    def several(
        x: Any, s: Any = None, axes: Any = default, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        return rule(x, _tuple(s), _tuple(axes), norm)

    return several


def _tuple(values: Any) -> Any:
    return values if values is None or np.iterable(values) else (values,)


for _name, _rule in {
    "fft": door.forward, "ifft": door.backward, "rfft": door.real_transform, "irfft": door.real_inverse,
    "hfft": door.hermitian, "ihfft": door.hermitian_inverse,
}.items():  # fmt: skip
    implements(f"scipy.fft.{_name}")(_along(_rule))
    implements(f"scipy.fft.{_name}2")(_over(_rule, (-2, -1)))
    implements(f"scipy.fft.{_name}n")(_over(_rule, None))
implements("scipy.fft.fftshift")(door.fftshift)
implements("scipy.fft.ifftshift")(door.ifftshift)


# ---- cosines and sines ------------------------------------------------------------------------------


def _trigonometric(
    prim: Any, x: Any, kind: int, axis: int, norm: Any, orthogonalize: Any, inverse: bool
) -> Any:
    """One axis: SciPy's conventions around the transform without norm."""
    name = norm or "backward"
    if name not in ops.OTHER:
        raise ValueError(f'Invalid norm value {norm!r}, should be "backward", "ortho" or "forward"')
    if kind not in (1, 2, 3, 4):
        raise ValueError(f"invalid type {kind}, must be 1, 2, 3 or 4")
    orthogonal = name == "ortho" if orthogonalize is None else orthogonalize
    if inverse:
        kind, name = {2: 3, 3: 2}.get(kind, kind), ops.OTHER[name]
    n = shape_of(x)[axis]
    cosine = prim is ops.dct
    period = 2 * (n + {True: -1, False: 1}[cosine]) if kind == 1 else 2 * n
    root = _ends(x, n, axis, kind, cosine) if orthogonal else None
    if root is not None and kind in (1, 3):
        x = x * root
    y = prim(x, kind=kind, axis=axis)
    if root is not None and kind in (1, 2):
        y = y / root
    factor = {"backward": 1.0, "ortho": 1 / math.sqrt(period), "forward": 1 / period}[name]
    return y if factor == 1 else y * factor


def _ends(x: Any, n: int, axis: int, kind: int, cosine: bool) -> Any:
    """√2 where a transform has to be mended to be orthogonal, else 1."""
    if kind == 4 or (kind == 1 and not cosine):
        return None
    root = np.ones(n, np.zeros((), dtype_of(x)).real.dtype)
    root[[0, -1] if kind == 1 else 0 if cosine else -1] = math.sqrt(2)
    return root.reshape([n if d == axis else 1 for d in range(len(shape_of(x)))])


def _ready(x: Any) -> Any:
    x = operand(x)
    kind = dtype_of(x)
    if kind.kind in "fc" and kind.itemsize > 2:
        return x
    return cast(x, np.dtype(np.float32 if kind.char == "e" else np.float64))


def _one(prim: Any, inverse: bool) -> Callable[..., Any]:
    def rule(
        x: Any, type: int = 2, n: Any = None, axis: int = -1, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        x = _ready(x)
        (where,), extents = door.plan(x, None if n is None else (n,), (axis,))
        x = door.resized(x, extents)
        return _trigonometric(prim, x, type, where, norm, orthogonalize, inverse)

    return rule


def _several(prim: Any, inverse: bool) -> Callable[..., Any]:
    def rule(
        x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: Any = None, overwrite_x: bool = False,
        workers: Any = None, orthogonalize: Any = None,
    ) -> Any:  # fmt: skip
        x = _ready(x)
        where, extents = door.plan(x, _tuple(s), _tuple(axes))
        x = door.resized(x, extents)
        for axis in where:
            x = _trigonometric(prim, x, type, axis, norm, orthogonalize, inverse)
        return x

    return rule


for _name, _prim in {"dct": ops.dct, "dst": ops.dst}.items():
    implements(f"scipy.fft.{_name}")(_one(_prim, False))
    implements(f"scipy.fft.i{_name}")(_one(_prim, True))
    implements(f"scipy.fft.{_name}n")(_several(_prim, False))
    implements(f"scipy.fft.i{_name}n")(_several(_prim, True))


# ---- Hankel transforms ------------------------------------------------------------------------------


def _hankel(name: str) -> Callable[..., Any]:
    """Linear in its samples: their matrix is what SciPy makes of the unit vectors."""

    def rule(x: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
        import scipy.fft

        x = _ready(x)
        options = (dln, mu, offset, bias)
        if any(isinstance(v, Tracer) for v in options):
            raise unsupported(
                f"scipy.fft.{name} in dln, mu, offset or bias", "give it plain numbers there"
            )
        unit = np.eye(shape_of(x)[-1], dtype=dtype_of(x))
        return np.matmul(x, getattr(scipy.fft, name)(unit, *options).astype(dtype_of(x)))

    return rule


for _name in ("fht", "ifht"):
    implements(f"scipy.fft.{_name}")(_hankel(_name))
