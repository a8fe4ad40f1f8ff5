"""Functions of `scipy.special` on traced values that are made of others which have rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numpy_api.promote import cast, dtype_of, inexact, operand
from wengert.numpy_api.table import unsupported
from wengert.ops import bessel, elliptic, gamma
from wengert.scipy_api.later import later
from wengert.scipy_api.orthogonal import RULES as POLYNOMIALS
from wengert.trace.tracer import Tracer

_gamma, _jv, _kv = later(gamma.gamma), later(bessel.jv), later(bessel.kv)
_hankel1, _hankel2, _ellipkm1 = (
    later(bessel.hankel1),
    later(bessel.hankel2),
    later(elliptic.ellipkm1),
)


def _floating(x: Any) -> Any:
    return inexact(operand(x))


def _whole(name: str, *numbers: Any) -> list[int]:
    for n in numbers:
        if isinstance(n, Tracer) or np.ndim(n) or int(n) != n:
            raise unsupported(
                f"scipy.special.{name} of a degree or order that is not one whole number",
                "call it once for each, with plain integers",
            )
    return [int(n) for n in numbers]


# ---- gamma, agm -------------------------------------------------------------------------------------


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """Γ(n + 1); 0 where n is negative."""
    if exact or extend != "zero":
        raise unsupported("scipy.special.factorial with exact or extend", "say exact=False")
    x = _floating(n)
    there = np.greater_equal(x, 0)
    return np.where(there, _gamma(np.where(there, x, 0) + 1), 0)


def agm(a: Any, b: Any) -> Any:
    """The arithmetic-geometric mean of two positive numbers."""
    a, b = _floating(a), _floating(b)
    total = a + b
    return math.pi / 4 * total / _ellipkm1(4 * a * b / np.square(total))


def diric(x: Any, n: Any) -> Any:
    """sin(nx/2) / (n sin(x/2)), a polynomial of cos(x/2)."""
    (count,) = _whole("diric", n)
    return POLYNOMIALS["eval_chebyu"](count - 1, np.cos(0.5 * _floating(x))) / count


# ---- Bessel functions of complex arguments ------------------------------------------------------------


def _turned(x: Any, eighths: int) -> tuple[Any, Any]:
    turn = complex(math.cos(eighths * math.pi / 4), math.sin(eighths * math.pi / 4))
    x = _floating(x)
    return cast(x, np.result_type(dtype_of(x), np.complex64)) * turn, turn


def _be(x: Any) -> Any:
    z, _ = _turned(x, 3)
    return _jv(0, z)


def _ke(x: Any) -> Any:
    z, _ = _turned(x, 1)
    return _kv(0, z)


def _bep(x: Any) -> Any:
    z, turn = _turned(x, 3)
    return -turn * _jv(1, z)


def _kep(x: Any) -> Any:
    z, turn = _turned(x, 1)
    return -turn * _kv(1, z)


def _part(f: Callable[..., Any], part: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: part(f(x))


# ---- spherical harmonics, Legendre functions ----------------------------------------------------------


def _legendre(n: int, m: int, x: Any, height: Any) -> Any:
    """P of degree n and order m ≥ 0, where `height` is √(1 - x²): (-1)ᵐ (2m - 1)!! heightᵐ C(n - m; m + ½)."""
    if m > n:
        return 0 * x
    odd = math.prod(range(1, 2 * m, 2))
    return (-1) ** m * odd * height**m * POLYNOMIALS["eval_gegenbauer"](n - m, m + 0.5, x)


def lpmv(m: Any, v: Any, x: Any) -> Any:
    """The associated Legendre function of whole order and degree."""
    order, degree = _whole("lpmv", m, v)
    if degree < 0:
        raise unsupported("scipy.special.lpmv of a negative degree", "take degree -v - 1")
    x = _floating(x)
    size = abs(order)
    # an even power needs no root, which would have no slope at ±1
    square = (1 - x) * (1 + x)
    height = square ** (size // 2) * (np.sqrt(square) if size % 2 else 1)
    odd = math.prod(range(1, 2 * size, 2))
    if size > degree:
        return 0 * x
    y = (-1) ** size * odd * height * POLYNOMIALS["eval_gegenbauer"](degree - size, size + 0.5, x)
    if order < 0:
        y = y * ((-1) ** size * math.factorial(degree - size) / math.factorial(degree + size))
    return y


def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any) -> Any:
    """The spherical harmonic of whole degree and order."""
    degree, order = _whole("sph_harm_y", n, m)
    if degree < 0:
        raise unsupported("scipy.special.sph_harm_y of a negative degree", "say n ≥ 0")
    theta, phi = _floating(theta), _floating(phi)
    size = abs(order)
    ratio = math.factorial(max(degree - size, 0)) / math.factorial(degree + size)
    scale = math.sqrt((2 * degree + 1) / (4 * math.pi) * ratio) * (-1) ** (size * (order < 0))
    height = _legendre(degree, size, np.cos(theta), np.sin(theta))
    return scale * height * np.exp(1j * order * phi)


# ---- elliptic integrals and functions ---------------------------------------------------------------------
# Carlson's duplication: every step brings the arguments four times nearer to each other, so that after
# these many their mean says it all; written out, it has all derivatives.

_STEPS = 24


def elliprf(x: Any, y: Any, z: Any) -> Any:
    """Carlson's symmetric integral of the first kind."""
    x, y, z = (_floating(v) for v in (x, y, z))
    for _ in range(_STEPS):
        a, b, c = np.sqrt(x), np.sqrt(y), np.sqrt(z)
        both = a * b + b * c + c * a
        x, y, z = (x + both) / 4, (y + both) / 4, (z + both) / 4
    return 1 / np.sqrt((x + y + z) / 3)


def elliprd(x: Any, y: Any, z: Any) -> Any:
    """Carlson's symmetric integral of the second kind."""
    x, y, z = (_floating(v) for v in (x, y, z))
    total: Any = 0.0
    scale = 1.0
    for _ in range(_STEPS):
        a, b, c = np.sqrt(x), np.sqrt(y), np.sqrt(z)
        both = a * b + b * c + c * a
        total = total + scale / (c * (z + both))
        scale /= 4
        x, y, z = (x + both) / 4, (y + both) / 4, (z + both) / 4
    mean = (x + y + 3 * z) / 5
    return 3 * total + scale / (mean * np.sqrt(mean))


def elliprg(x: Any, y: Any, z: Any) -> Any:
    """Carlson's completely symmetric integral of the second kind."""
    x, y, z = (_floating(v) for v in (x, y, z))
    first = z * elliprf(x, y, z) - (x - z) * (y - z) * elliprd(x, y, z) / 3
    return 0.5 * (first + np.sqrt(x * y / z))


def _reduced(phi: Any) -> tuple[Any, Any, Any]:
    """How many half turns, and sine and cosine of what is left."""
    phi = _floating(phi)
    turns = np.round(phi / math.pi)
    rest = phi - turns * math.pi
    return turns, np.sin(rest), np.square(np.cos(rest))


def ellipkinc(phi: Any, m: Any) -> Any:
    """The incomplete elliptic integral of the first kind."""
    m = _floating(m)
    turns, s, cc = _reduced(phi)
    return s * elliprf(cc, 1 - m * s * s, 1.0) + 2 * turns * elliprf(0.0, 1 - m, 1.0)


def ellipeinc(phi: Any, m: Any) -> Any:
    """The incomplete elliptic integral of the second kind."""
    m = _floating(m)
    turns, s, cc = _reduced(phi)
    delta = 1 - m * s * s
    part = s * elliprf(cc, delta, 1.0) - m * s * s * s / 3 * elliprd(cc, delta, 1.0)
    whole = elliprf(0.0, 1 - m, 1.0) - m / 3 * elliprd(0.0, 1 - m, 1.0)
    return part + 2 * turns * whole


def ellipj(u: Any, m: Any) -> tuple[Any, Any, Any, Any]:
    """Jacobi's elliptic functions sn, cn, dn and the amplitude, by descending to circles; m in [0, 1)."""
    u, m = _floating(u), _floating(m)
    a, b = 1.0, np.sqrt(1 - np.where((m >= 0) & (m < 1 - 1e-9), m, np.nan))
    ratios = []
    for _ in range(9):
        a, b, c = 0.5 * (a + b), np.sqrt(a * b), 0.5 * (a - b)
        ratios.append(c / a)
    phi = 2.0 ** len(ratios) * a * u
    for ratio in reversed(ratios):
        phi = 0.5 * (phi + np.arcsin(ratio * np.sin(phi)))
    sn, cn = np.sin(phi), np.cos(phi)
    return sn, cn, np.sqrt(1 - m * sn * sn), phi


RULES: dict[str, Callable[..., Any]] = {
    "factorial": factorial, "agm": agm, "diric": diric, "lpmv": lpmv, "sph_harm_y": sph_harm_y,
    "elliprf": elliprf, "elliprd": elliprd, "elliprg": elliprg, "elliprc": lambda x, y: elliprf(x, y, y),
    "ellipkinc": ellipkinc, "ellipeinc": ellipeinc, "ellipj": ellipj,
    "hankel1e": lambda v, z: _hankel1(v, z) * np.exp(-1j * operand(z)),
    "hankel2e": lambda v, z: _hankel2(v, z) * np.exp(1j * operand(z)),
    "ber": _part(_be, np.real), "bei": _part(_be, np.imag), "ker": _part(_ke, np.real), "kei": _part(_ke, np.imag),
    "berp": _part(_bep, np.real), "beip": _part(_bep, np.imag), "kerp": _part(_kep, np.real),
    "keip": _part(_kep, np.imag), "kelvin": lambda x: (_be(x), _ke(x), _bep(x), _kep(x)),
}  # fmt: skip
