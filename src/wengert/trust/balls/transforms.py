"""Ball rules of Fourier transforms: their definitions, with exact roots of unity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import ball, complex_ball, each, flint


def along(x: Any, axis: int, function: Callable[[list[Any]], list[Any]]) -> Any:
    """A function of lists, along an axis of an object array."""
    rows = np.moveaxis(x, axis, -1)
    found = None
    for at in np.ndindex(rows.shape[:-1]):
        values = function(list(rows[at]))
        if found is None:
            found = np.empty((*rows.shape[:-1], len(values)), object)
        found[at] = values
    return np.moveaxis(rows if found is None else found, -1, axis)


def _angle(k: int, n: int) -> Any:
    """k/n, exactly."""
    return flint().fmpq(k, n)


def _spectrum(xs: list[Any], sign: int) -> list[Any]:
    """Σⱼ xⱼ exp(sign 2πi jk/n) for every k."""
    n = len(xs)
    f = flint()
    roots = [
        f.acb(f.arb.cos_pi_fmpq(_angle(2 * k, n)), sign * f.arb.sin_pi_fmpq(_angle(2 * k, n)))
        for k in range(n)
    ]
    return [sum((x * roots[j * k % n] for j, x in enumerate(xs)), f.acb(0)) for k in range(n)]


def _factor(n: int, norm: str, inverse: bool) -> Any:
    one = ball(1)
    if norm == "ortho":
        return one / ball(n).sqrt()
    return one / n if (norm == "forward") != inverse else one


def _whole(x: Any, axes: Any, norm: str, inverse: bool) -> Any:
    y = each(complex_ball)(as_objects(x))
    for axis in axes:
        n = y.shape[axis]
        y = along(y, axis, lambda xs: _spectrum(xs, 1 if inverse else -1))
        y = y * _factor(n, norm, inverse)
    return y


def _fft(prim: Primitive, x: Any, *, axes: Any, norm: str, inverse: bool) -> Any:
    return _whole(x, axes, norm, inverse)


def _rfft(prim: Primitive, x: Any, *, axes: Any, norm: str) -> Any:
    half = as_objects(x).shape[axes[-1]] // 2 + 1
    y = _whole(x, axes[-1:], norm, False)
    y = np.take(y, range(half), axis=axes[-1])
    return _whole(y, axes[:-1], norm, False)


def _irfft(prim: Primitive, h: Any, *, n: int, axes: Any, norm: str) -> Any:
    y = _whole(h, axes[:-1], norm, True)

    def mirrored(hs: list[Any]) -> list[Any]:
        hs = [*hs, *[flint().acb(0)] * (n // 2 + 1 - len(hs))][: n // 2 + 1]
        hs[0] = flint().acb(hs[0].real)
        if n % 2 == 0:
            hs[-1] = flint().acb(hs[-1].real)
        return [*hs, *(v.conjugate() for v in hs[(n - 1) // 2 : 0 : -1])]

    whole = along(y, axes[-1], mirrored)
    return each(lambda v: v.real)(_whole(whole, axes[-1:], norm, True))


def _trigonometric(prim: Primitive, x: Any, *, kind: int, axis: int) -> Any:
    f = flint()
    sine = prim.name == "dst"
    wave = f.arb.sin_pi_fmpq if sine else f.arb.cos_pi_fmpq

    def function(xs: list[Any]) -> list[Any]:
        n = len(xs)
        shift = int(sine)
        found = []
        for k in range(n):
            if kind == 1:
                terms = [
                    v * wave(_angle((j + shift) * (k + shift), n + 1 if sine else n - 1))
                    * (1 if not sine and j in (0, n - 1) else 2)
                    for j, v in enumerate(xs)
                ]  # fmt: skip
            elif kind == 2:
                terms = [
                    2 * v * wave(_angle((2 * j + 1) * (k + shift), 2 * n)) for j, v in enumerate(xs)
                ]
            elif kind == 3:
                end = n - 1 if sine else 0
                terms = [
                    v * wave(_angle((j + shift) * (2 * k + 1), 2 * n)) * (1 if j == end else 2)
                    for j, v in enumerate(xs)
                ]
            else:
                terms = [
                    2 * v * wave(_angle((2 * j + 1) * (2 * k + 1), 4 * n)) for j, v in enumerate(xs)
                ]
            found.append(sum(terms, ball(0)))
        return found

    return along(as_objects(x), axis, function)


RULES: dict[str, Callable[..., Any]] = {
    "fft": _fft,
    "rfft": _rfft,
    "irfft": _irfft,
    "dct": _trigonometric,
    "dst": _trigonometric,
}
