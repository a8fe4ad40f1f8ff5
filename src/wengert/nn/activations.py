"""Activations: plain NumPy, written so that no intermediate value overflows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import InputError
from wengert.ir.source import here


def linear(x: Any) -> Any:
    """x itself."""
    return x


def relu(x: Any) -> Any:
    """max(x, 0); its slope at the kink is ½ (docs/kinks.md)."""
    return np.maximum(x, 0)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    >>> import wengert as wg
    >>> with np.errstate(all="raise", under="ignore"):
    ...     print(sigmoid(np.array([-1000.0, 0.0, 1000.0])), wg.grad(sigmoid)(-20.0))
    [0.  0.5 1. ] 2.0611536...e-09
    """
    return np.exp(-np.logaddexp(0, -x))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(x)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), a smooth relu."""
    return np.logaddexp(x, 0)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, alpha (exp(x) - 1) elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0, x)))


def gelu(x: Any, approximate: bool = False) -> Any:
    """x Φ(x), with the normal distribution function Φ or its approximation by tanh."""
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    from scipy.special import erfc  # (SciPy takes a while to import, and this alone needs it)

    return 0.5 * x * erfc(-x * math.sqrt(0.5))


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) over its sum along an axis.

    >>> softmax(np.array([1000.0, 1000.0, 0.0]))
    array([0.5, 0.5, 0. ])
    """
    return np.exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax; the largest element is subtracted first, so that nothing overflows."""
    below = x - np.max(x, axis=axis, keepdims=True)
    return below - np.log(np.sum(np.exp(below), axis=axis, keepdims=True))


_KNOWN = {
    f.__name__: f for f in (linear, relu, sigmoid, tanh, softplus, elu, gelu, softmax, log_softmax)
}


def get(activation: str | Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """An activation by its name; a function as it is; None is linear."""
    if callable(activation):
        return activation
    found = _KNOWN.get(activation or "linear")
    if found is None:
        raise InputError(
            f"there is no activation {activation!r}",
            f"one of {', '.join(_KNOWN)}, or a function",
            here(),
        )
    return found
