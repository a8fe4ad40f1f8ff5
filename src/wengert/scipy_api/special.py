"""`scipy.special` on traced values: ufuncs, and the functions around them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.numpy_api import hooks, lists
from wengert.numpy_api.promote import axes_of, cast, dtype_of, inexact, operand, result_dtype
from wengert.numpy_api.table import UFUNCS, unsupported
from wengert.numpy_api.ufuncs import elementwise
from wengert.ops import bessel, elliptic, erf, gamma, hypergeometric, incomplete, logistic, reduce
from wengert.ops.borrowed import Borrowed
from wengert.ops.custom import stop
from wengert.ops.families import Elementwise
from wengert.scipy_api import closed_forms, distributions, orthogonal, table
from wengert.scipy_api.table import implements
from wengert.trace.tracer import Tracer

_PRIMITIVES: dict[str, Elementwise] = {
    p.name: p
    for room in (erf, logistic, gamma, incomplete, bessel, elliptic, hypergeometric)
    for p in vars(room).values()
    if isinstance(p, Elementwise)
    and isinstance(getattr(p, "function", None), Borrowed)
    and p is not elliptic.ellipem1
}
_PARTS: dict[str, tuple[str, ...]] = {
    "fresnel": ("fresnel_s", "fresnel_c"),
    "airy": ("airy_ai", "airy_aip", "airy_bi", "airy_bip"),
    "sici": ("sici_si", "sici_ci"),
    "shichi": ("shichi_shi", "shichi_chi"),
}
# SciPy's own copies of NumPy's ufuncs
_SAME = {"expm1": np.expm1, "log1p": np.log1p, "cbrt": np.cbrt, "exp2": np.exp2, "round": np.rint}


def _together(rules: list[Callable[..., Any]]) -> Callable[..., Any]:
    return lambda x: tuple(rule(x) for rule in rules)


def voigt_profile(x: Any, sigma: Any, gamma: Any) -> Any:
    """The convolution of a normal and a Cauchy density: the real part of wofz."""
    width = math.sqrt(2) * sigma
    return np.real(_wofz((x + 1j * gamma) / width)) / (math.sqrt(math.pi) * width)


_wofz = elementwise(erf.wofz.function, erf.wofz)


def _floating(x: Any) -> Any:
    """An operand of a floating-point dtype."""
    return inexact(operand(x))


def _order(name: str, n: Any) -> int:
    """An order: one plain integer."""
    if isinstance(n, Tracer) or np.ndim(n):
        raise unsupported(
            f"scipy.special.{name} with an array or a traced value as its order",
            "call it once for each order",
        )
    return int(n)


# ---- sums of exponentials ---------------------------------------------------------------------------


@implements("scipy.special.logsumexp")
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log Σ b exp(a), with the largest exponent taken out."""
    x = _floating(a)
    if b is None and not return_sign and dtype_of(x).kind == "f":
        axes = axes_of(axis, np.ndim(x))
        y = reduce.logsumexp(x, axes=axes) if axes else 1 * x
        return np.expand_dims(y, axes) if keepdims and axes else y
    weight = 1.0 if b is None else operand(b)
    x, weight = np.broadcast_arrays(x, weight)
    counts = np.not_equal(weight, 0)
    top = np.max(_plain(np.where(counts, np.real(x), -np.inf)), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    # an infinite exponent has weight 0 or makes everything infinite
    terms = weight * np.exp(np.where(counts, x - top, 0))
    total = np.sum(terms, axis=axis, keepdims=True)
    size = np.abs(total)
    y = top + (np.log(size) if return_sign or dtype_of(total).kind == "f" else np.log(total))
    if dtype_of(total).kind == "f" and not return_sign:
        y = np.where(total < 0, np.nan, y)
    drop = None if axis is None else axis
    if not keepdims:
        y, total, size = (np.squeeze(v, axis=drop) for v in (y, total, size))
    if not return_sign:
        return y
    if dtype_of(total).kind == "c":
        return y, total / np.where(size == 0, 1, size)
    return y, np.sign(total)


def _plain(x: Any) -> Any:
    """x, but its derivative does not count: a shift that cancels."""
    return stop(x) if isinstance(x, Tracer) else x


@implements("scipy.special.softmax")
def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) over its sum; shifted by the largest, so nothing overflows."""
    return np.exp(log_softmax(x, axis))


@implements("scipy.special.log_softmax")
def log_softmax(x: Any, axis: Any = None) -> Any:
    """x - log Σ exp(x)."""
    x = _floating(x)
    return x - logsumexp(x, axis=axis, keepdims=True)


@implements("scipy.special.softplus")
def softplus(x: Any, **kwargs: Any) -> Any:
    """log(1 + exp(x))."""
    return np.logaddexp(0.0, x, **kwargs)


# ---- gamma functions --------------------------------------------------------------------------------


@implements("scipy.special.polygamma")
def polygamma(n: Any, x: Any) -> Any:
    """Derivative number n of ψ."""
    order = _order("polygamma", n)
    x = _floating(x)
    if order == 0:
        return elementwise(gamma.psi.function, gamma.psi)(x)
    return gamma.polygamma(x, order=order)


@implements("scipy.special.zeta")
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    """Hurwitz's zeta function, or Riemann's."""
    if q is not None:
        return _hurwitz(x, q)
    x = _floating(x)
    left = x < -0.5  # there by reflection
    s = np.where(left, x, -1)
    turned = elementwise(gamma.gamma.function, gamma.gamma)(1 - s) * _hurwitz(1 - s, 1.0)
    mirrored = 2**s * math.pi ** (s - 1) * np.sin(0.5 * math.pi * s) * turned
    return np.where(left, mirrored, _hurwitz(np.where(left, 2, x), 1.0))


def _hurwitz(x: Any, q: Any) -> Any:
    x, q = _floating(x), _floating(q)
    dtype = result_dtype(x, q)
    shape = np.broadcast_shapes(np.shape(x), np.shape(q))
    return gamma.zeta(*(np.broadcast_to(cast(v, dtype), shape) for v in (x, q)))


@implements("scipy.special.multigammaln")
def multigammaln(a: Any, d: Any) -> Any:
    """log of the gamma function of d×d matrices."""
    count = _order("multigammaln", d)
    rule = elementwise(gamma.gammaln.function, gamma.gammaln)
    y = count * (count - 1) / 4 * math.log(math.pi)
    for j in range(count):
        y = y + rule(a - 0.5 * j)
    return y


@implements("scipy.special.comb")
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Binomial coefficients, continued between the integers; 0 where there is nothing to choose."""
    if exact:
        raise unsupported("scipy.special.comb with exact=True", "say exact=False")
    n, k = _floating(N), _floating(k)
    if repetition:
        n = n + k - 1
    there = (k <= n) & (n >= 0) & (k >= 0)
    binom = elementwise(gamma.binom.function, gamma.binom)
    return np.where(there, binom(np.where(there, n, 1.0), np.where(there, k, 0.0)), 0.0)


@implements("scipy.special.lambertw")
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """The inverse of w exp(w), complex as in SciPy."""
    z = operand(z)
    dtype = np.result_type(dtype_of(z), np.complex128)
    return elliptic.lambertw(cast(z, dtype), branch=_order("lambertw", k), tol=float(tol))


# ---- Bessel functions -------------------------------------------------------------------------------


def _derivative(name: str, sign: int, factor: int) -> Callable[..., Any]:
    """Derivative number n of a Bessel function: neighbours, n steps away at most."""
    rule = elementwise(_PRIMITIVES[name].function, _PRIMITIVES[name])

    def rule_of_order(v: Any, z: Any, n: Any = 1) -> Any:
        steps = _order(f"{name[0]}vp", n)
        total: Any = 0
        for k in range(steps + 1):
            total = total + sign**k * math.comb(steps, k) * rule(v - steps + 2 * k, z)
        return (0.5 * factor) ** steps * total

    return rule_of_order


implements("scipy.special.jvp")(_derivative("jv", -1, 1))
implements("scipy.special.yvp")(_derivative("yv", -1, 1))
implements("scipy.special.ivp")(_derivative("iv", 1, 1))
implements("scipy.special.kvp")(_derivative("kv", 1, -1))
implements("scipy.special.h1vp")(_derivative("hankel1", -1, 1))
implements("scipy.special.h2vp")(_derivative("hankel2", -1, 1))


def _spherical(prim: Any) -> Callable[..., Any]:
    def rule(n: Any, z: Any, derivative: bool = False) -> Any:
        order = _order(prim.name, n)
        z = _floating(z)
        return prim.slope(None, z, order=order) if derivative else prim(z, order=order)

    return rule


for _prim in (bessel.spherical_jn, bessel.spherical_yn, bessel.spherical_in, bessel.spherical_kn):
    implements(f"scipy.special.{_prim.name}")(_spherical(_prim))


# At the end: a rule above may be the first to load SciPy's module, which is furnished when all are there.
def install(module: ModuleType) -> None:
    """Furnish `scipy.special`."""
    rules = {name: elementwise(prim.function, prim) for name, prim in _PRIMITIVES.items()}
    for name, parts in _PARTS.items():
        rules[name] = _together([rules[part] for part in parts])
    for name, same in _SAME.items():
        rules[name] = UFUNCS[same]
    rules["voigt_profile"] = voigt_profile
    rules["zetac"] = lambda x: zeta(x) - 1
    rules |= orthogonal.RULES | distributions.RULES | closed_forms.RULES
    for name, rule in rules.items():
        function = getattr(module, name, None)
        if isinstance(function, np.ufunc):
            UFUNCS[function] = rule
        else:  # a plain function where SCIPY_ARRAY_API is set
            table.RULES[f"scipy.special.{name}"] = rule
    table.install(module)
    hooks.add(module, lists.ufuncs(module))


if (_loaded := sys.modules.get("scipy.special")) is not None:
    install(_loaded)
