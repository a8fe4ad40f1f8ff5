"""Random numbers whose parameters are traced: the sample is rebuilt from a standard one.

`rng.normal(loc, scale)` is `loc + scale * z` with z from the same stream: the numbers are those of
plain NumPy, and the derivative is that of the path on which this very sample moves. Generators are
compiled classes that nobody can extend afterwards, so that those made *inside* of a traced function
are of a subclass, while a trace runs; `np.random.default_rng(rng)` is one on the stream of a
generator from outside. Elsewhere the conversion to plain numbers is refused, with the formula to
write. Distributions without such a formula (poisson, beta, …) are refused everywhere.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.random

from wengert.numpy_api import hooks
from wengert.numpy_api.promote import cast, operand, shape_of
from wengert.trace import trace, tracer
from wengert.trace.idle import plain
from wengert.trace.tracer import Tracer

_FLOAT = np.dtype(np.float64)
_random = sys.modules["numpy.random"]  # (numpy has no name for it while it is being imported)
_NEW, _OLD = _random.Generator, _random.RandomState  # (their names mean others while tracing)


class Distribution(NamedTuple):
    """A standard sample (`draw(generator, size)`) and the formula (`build(z, *parameters)`)."""

    defaults: dict[str, Any]
    draw: Callable[..., Any]
    build: Callable[..., Any]
    written: str  # how one writes it oneself


def _triangular(u: Any, left: Any, mode: Any, right: Any) -> Any:
    base, rise = right - left, mode - left
    return np.where(
        u <= rise / base,
        left + np.sqrt(u * (rise * base)),
        right - np.sqrt((1.0 - u) * ((right - mode) * base)),
    )


def _affine(name: str) -> Distribution:
    return Distribution(
        {"loc": 0.0, "scale": 1.0},
        lambda r, size: getattr(r, name)(0.0, 1.0, size),
        lambda z, loc, scale: loc + scale * z,
        f"loc + scale * {{rng}}.{name}(size=size)",
    )


_EXPONENTIAL = lambda r, size: r.standard_exponential(size)
DISTRIBUTIONS = {
    "normal": Distribution(
        {"loc": 0.0, "scale": 1.0}, lambda r, size: r.standard_normal(size),
        lambda z, loc, scale: loc + scale * z, "loc + scale * {rng}.standard_normal(size)",
    ),
    "lognormal": Distribution(
        {"mean": 0.0, "sigma": 1.0}, lambda r, size: r.standard_normal(size),
        lambda z, mean, sigma: np.exp(mean + sigma * z), "np.exp(mean + sigma * {rng}.standard_normal(size))",
    ),
    "uniform": Distribution(
        {"low": 0.0, "high": 1.0}, lambda r, size: r.random(size),
        lambda u, low, high: low + (high - low) * u, "low + (high - low) * {rng}.random(size)",
    ),
    "exponential": Distribution(
        {"scale": 1.0}, _EXPONENTIAL, lambda z, scale: scale * z, "scale * {rng}.standard_exponential(size)",
    ),
    "laplace": _affine("laplace"),
    "gumbel": _affine("gumbel"),
    "logistic": _affine("logistic"),
    "rayleigh": Distribution(
        {"scale": 1.0}, lambda r, size: r.rayleigh(1.0, size), lambda z, scale: scale * z,
        "scale * {rng}.rayleigh(size=size)",
    ),
    "weibull": Distribution(
        {"a": None}, _EXPONENTIAL, lambda z, a: z ** (1.0 / a), "{rng}.standard_exponential(size) ** (1 / a)",
    ),
    "pareto": Distribution(
        {"a": None}, _EXPONENTIAL, lambda z, a: np.expm1(z / a), "np.expm1({rng}.standard_exponential(size) / a)",
    ),
    "power": Distribution(
        {"a": None}, _EXPONENTIAL, lambda z, a: (-np.expm1(-z)) ** (1.0 / a),
        "(-np.expm1(-{rng}.standard_exponential(size))) ** (1 / a)",
    ),
    "triangular": Distribution(
        {"left": None, "mode": None, "right": None}, lambda r, size: r.random(size), _triangular,
        "the inverse of its distribution function at u = {rng}.random(size)",
    ),
}  # fmt: skip

# the old generators round two of them otherwise
_OLDER = {
    "pareto": DISTRIBUTIONS["pareto"]._replace(build=lambda z, a: np.exp(z / a) - 1.0),
    "power": DISTRIBUTIONS["power"]._replace(build=lambda z, a: (1.0 - np.exp(-z)) ** (1.0 / a)),
}

# generators of no importance, which NumPy's own checks of parameters may draw from
_SCRATCH: dict[type, Any] = {
    _NEW: _NEW(_random.PCG64(0)),
    _OLD: _OLD(0),
}


def _numbers(parameters: list[Any]) -> list[Any] | None:
    """The numbers of parameters, or None if a trace knows types alone."""
    found = [p.number() if isinstance(p, Tracer) else p for p in parameters]
    return None if any(n is None for n in found) else found


def _parameter(value: Any) -> Any:
    return cast(operand(plain(value)), _FLOAT)


def _extents(size: Any, parameters: list[Any]) -> Any:
    """The shape of the sample; None for a single number."""
    common = np.broadcast_shapes(*map(shape_of, parameters))
    if size is None:
        return common or None
    shape = tuple(size) if np.iterable(size) else (int(size),)
    if np.broadcast_shapes(shape, common) != shape:
        raise ValueError(
            f"Output size {shape} is not compatible with broadcast dimensions of inputs {common}."
        )
    return shape


def _sample(kind: type, name: str, source: Any, parameters: list[Any], size: Any) -> Any:
    distribution = (_OLDER if kind is _OLD else {}).get(name) or DISTRIBUTIONS[name]
    given = [_parameter(p) for p in parameters]
    shape = _extents(size, given)
    numbers = _numbers(given)
    if numbers is not None:
        getattr(_SCRATCH[kind], name)(*numbers)  # NumPy says what is wrong with them
    y = distribution.build(distribution.draw(source, shape), *given)
    if shape is None:  # NumPy returns a Python float
        y.weak = True
    return y


def _reparametrised(kind: type, name: str) -> Callable[..., Any]:
    """The method `name` of generators of this kind: `(source of plain numbers, *args)`."""
    defaults = DISTRIBUTIONS[name].defaults

    def draw(source: Any, *args: Any, **kwargs: Any) -> Any:
        given = {**defaults, **dict(zip((*defaults, "size"), args, strict=False)), **kwargs}
        parameters = [given.get(key) for key in defaults]
        return _sample(kind, name, source, parameters, given.get("size"))

    return draw


def _gamma(source: Any, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    """Linear in the scale; the way of a sample with the shape has no formula."""
    form, factor = plain(shape), _parameter(scale)
    y = factor * source.standard_gamma(form, _extents(size, [operand(form), factor]))
    if y.shape == () and size is None:
        y.weak = True
    return y


def _normal_vector(kind: type) -> Callable[..., Any]:
    def multivariate_normal(
        source: Any, mean: Any, cov: Any, size: Any = None, check_valid: str = "warn", tol: float = 1e-8, *,
        method: str = "svd",
    ) -> Any:  # fmt: skip
        mean, cov = _parameter(mean), _parameter(cov)
        numbers = _numbers([mean, cov])
        old = kind is _OLD
        if numbers is not None:
            more = {} if old else {"method": method}
            _SCRATCH[kind].multivariate_normal(*numbers, None, check_valid, tol, **more)
        lead = () if size is None else tuple(size) if np.iterable(size) else (int(size),)
        n = shape_of(mean)[0]
        z = source.standard_normal((*lead, n)).reshape(-1, n)
        if not old and method == "cholesky":
            factor = np.linalg.cholesky(cov).T
        elif not old and method == "eigh":
            s, u = np.linalg.eigh(cov)
            factor = (u * np.sqrt(s)).T
        else:
            u, s, v = np.linalg.svd(cov)
            factor = np.sqrt(s)[:, None] * v if old else (u * np.sqrt(s)).T
        return (mean + z @ factor).reshape((*lead, n))

    return multivariate_normal


# ---- orders: the numbers are constants, and what is put in order may be traced ----------------------


def _choice(source: Any, a: Any, size: Any = None, *args: Any, **kwargs: Any) -> Any:
    axis = kwargs.get("axis", args[2] if len(args) > 2 else 0)
    x = operand(plain(a))
    return np.take(x, source.choice(shape_of(x)[axis], size, *args, **kwargs), axis)


def _numbered(x: Any, axis: int) -> Any:
    """Indices along an axis, as an array of as many axes (NumPy has another way for each count)."""
    return np.arange(x.shape[axis]).reshape(
        [-1 if d == axis % x.ndim else 1 for d in range(x.ndim)]
    )


def _permutation(source: Any, x: Any, axis: int = 0) -> Any:
    x = operand(x)
    order = source.permutation(_numbered(x, axis), **({"axis": axis} if axis else {}))
    return np.take(x, order.ravel(), axis)


def _shuffle(source: Any, x: Any, axis: int = 0) -> None:
    order = _numbered(x, axis)
    source.shuffle(order, **({"axis": axis} if axis else {}))
    x[...] = np.take(x, order.ravel(), axis)


def _permuted(source: Any, x: Any, *, axis: Any = None, out: Any = None) -> Any:
    x = operand(x)
    order = source.permuted(np.arange(x.size).reshape(x.shape), axis=axis)
    y = np.ravel(x)[order]
    if out is None:
        return y
    out[...] = y
    return out


def _methods(kind: type) -> dict[str, Callable[..., Any]]:
    found = {name: _reparametrised(kind, name) for name in DISTRIBUTIONS}
    found |= {"gamma": _gamma, "multivariate_normal": _normal_vector(kind), "choice": _choice}
    found |= {"permutation": _permutation, "shuffle": _shuffle, "permuted": _permuted}
    if kind is _OLD:  # the older way to the same laws, with other digits
        del found["permuted"]
    return found


# ---- generators ------------------------------------------------------------------------------------


def _is_traced(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_traced, value))
    return isinstance(plain(value), Tracer)


def _any_traced(args: Any, kwargs: Any) -> bool:
    return any(map(_is_traced, args)) or any(map(_is_traced, kwargs.values()))


class _Substitute(type):
    """Stands for a class of NumPy: makes its subclass while tracing, and is otherwise the class."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        base: Any = cls.__base__
        return super().__call__(*args, **kwargs) if trace.tracing() else base(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__base__)  # type: ignore[arg-type]

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__base__)  # type: ignore[arg-type]


def _method(kind: type, name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    original = getattr(kind, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not _any_traced(args, kwargs):
            return original(self, *args, **kwargs)
        return rule(super(_OURS[kind], self), *args, **kwargs)

    return method


def _substitute(kind: type) -> Any:
    members: dict[str, Any] = {n: _method(kind, n, rule) for n, rule in _methods(kind).items()}
    members |= {"__module__": kind.__module__, "__doc__": kind.__doc__}
    return _Substitute(kind.__name__, (kind,), members)


_OURS = {kind: _substitute(kind) for kind in _SCRATCH}
_default_rng = _random.default_rng


@functools.wraps(_default_rng)
def default_rng(seed: Any = None) -> Any:
    """As NumPy's; while tracing, on a generator from outside it is one of ours on the same stream."""
    rng = _default_rng(seed)
    ours = _OURS[_NEW]
    return rng if not trace.tracing() or type(rng) is ours else ours(rng.bit_generator)


def _of_module(name: str, rule: Callable[..., Any]) -> tuple[Any, Any]:
    original = getattr(_random, name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if trace.tracing() and _any_traced(args, kwargs):
            return rule(original.__self__, *args, **kwargs)
        return original(*args, **kwargs)

    return original, call


REPLACED: dict[str, tuple[Any, Any]] = {
    "default_rng": (_default_rng, default_rng),
    **{kind.__name__: (kind, ours) for kind, ours in _OURS.items()},
    **{n: _of_module(n, rule) for n, rule in _methods(_OLD).items()},
}


def install(module: ModuleType) -> None:
    """Furnish `numpy.random`, which NumPy itself imports when it is first named."""
    hooks.add(module, REPLACED)


# ---- what to write instead ---------------------------------------------------------------------------

_WRITTEN = {
    **{name: distribution.written for name, distribution in DISTRIBUTIONS.items()},
    "multivariate_normal": "mean + {rng}.standard_normal((n, d)) @ np.linalg.cholesky(cov).T",
    "choice": "x[{rng}.choice(len(x), size)] for traced x (traced probabilities have no derivative here)",
    "permutation": "x[{rng}.permutation(len(x))]",
    "permuted": "x[{rng}.permutation(len(x))]",
    "shuffle": "x = x[{rng}.permutation(len(x))]",
}
_NO_PATH = frozenset(
    [
        "beta",
        "binomial",
        "chisquare",
        "dirichlet",
        "f",
        "gamma",
        "geometric",
        "hypergeometric",
        "logseries",
        "multinomial",
        "multivariate_hypergeometric",
        "negative_binomial",
        "noncentral_chisquare",
        "noncentral_f",
        "poisson",
        "standard_gamma",
        "standard_t",
        "vonmises",
        "wald",
        "zipf",
        "integers",
        "randint",
    ]
)


def way_out(call: str) -> tuple[str, str] | None:
    """What happened and what to write, if the user's call draws random numbers.

    >>> way_out("rng.normal")[1].splitlines()[0]
    'write loc + scale * rng.standard_normal(size)'
    """
    rng, _, name = call.rpartition(".")
    if not rng:
        return None
    if name in _WRITTEN:
        rng = "rng" if rng == "(…)" else rng
        formula = _WRITTEN[name].replace("{rng}", rng)
        return (
            f"{call} meets a traced value; a generator made outside of the traced function (or by a name "
            "imported from numpy.random) is compiled code, which keeps no derivative",
            f"write {formula}\n  or draw from the same stream inside the function: "
            f"np.random.default_rng({rng}).{name}(…)",
        )
    if name in _NO_PATH:
        linear = f"; in its scale: scale * {rng}.standard_gamma(shape, size)" * (name == "gamma")
        return (
            f"{call} meets a traced parameter, and its samples have no pathwise derivative here",
            "use the score function: draw z with plain numbers (wg.stop_gradient(parameter)) and differentiate "
            "wg.stop_gradient(h(z)) * log_density(z, parameter); its mean is the derivative of the mean of h"
            + linear,
        )
    return None


tracer.ways_out.append(way_out)


install(_random)  # whoever named `numpy.random` first, the user or this room
