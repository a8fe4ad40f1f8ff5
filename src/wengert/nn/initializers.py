"""Initializers: first values of weights, called as `initializer(shape, dtype)`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.errors import InputError
from wengert.ir.source import here

_TRUNCATED = 0.87962566103423978  # standard deviation of a normal variable cut at two of them


class Initializer:
    """Random numbers from `seed`: an integer gives the same at every call, None gives new ones."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """First values of a weight."""
        return np.asarray(self.draw(np.random.default_rng(self.seed), tuple(shape)), dtype)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        """Numbers of this shape."""
        raise NotImplementedError

    def __repr__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({given})"


class Constant(Initializer):
    """One number everywhere, or a given array."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return np.broadcast_to(np.asarray(self.value, dtype), tuple(shape)).copy()


class RandomNormal(Initializer):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return rng.normal(self.mean, self.stddev, shape)


class RandomUniform(Initializer):
    """Uniform numbers."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return rng.uniform(self.minval, self.maxval, shape)


class VarianceScaling(Initializer):
    """Variance `scale / n`, with n the inputs, the outputs, or the mean of both of a weight.

    >>> w = VarianceScaling(2.0, "fan_in", "uniform", seed=0)((100, 200))
    >>> bool(abs(np.var(w) - 2 / 100) < 1e-3)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        field = math.prod(shape[:-2])
        fan_in = field * (shape[-2] if len(shape) > 1 else math.prod(shape))
        fan_out = field * (shape[-1] if len(shape) > 1 else math.prod(shape))
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == "uniform":
            return rng.uniform(-math.sqrt(3) * deviation, math.sqrt(3) * deviation, shape)
        return deviation / _TRUNCATED * _truncated(rng, shape)


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Normal numbers within two standard deviations: those outside are drawn again."""
    z = rng.normal(size=shape)
    while np.any(outside := abs(z) > 2):
        z = np.where(outside, rng.normal(size=shape), z)
    return z


def zeros(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Zeros."""
    return np.zeros(shape, dtype)


def ones(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Ones."""
    return np.ones(shape, dtype)


def glorot_uniform(seed: int | None = None) -> Initializer:
    """Uniform, variance 2 / (inputs + outputs): for layers whose activation is near the identity at 0."""
    return VarianceScaling(1.0, "fan_avg", "uniform", seed)


def glorot_normal(seed: int | None = None) -> Initializer:
    """Truncated normal, variance 2 / (inputs + outputs)."""
    return VarianceScaling(1.0, "fan_avg", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> Initializer:
    """Uniform, variance 2 / inputs: for relu."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> Initializer:
    """Truncated normal, variance 2 / inputs: for relu."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


_KNOWN: dict[str, Callable[[], Any]] = {
    "zeros": lambda: zeros, "ones": lambda: ones, "random_normal": RandomNormal, "random_uniform": RandomUniform,
    "glorot_uniform": glorot_uniform, "glorot_normal": glorot_normal, "he_uniform": he_uniform, "he_normal": he_normal,
}  # fmt: skip


def get(initializer: str | Callable[..., Any]) -> Callable[..., Any]:
    """An initializer by its name; a function of shape and dtype as it is."""
    if callable(initializer):
        return initializer
    found = _KNOWN.get(initializer)
    if found is None:
        raise InputError(
            f"there is no initializer {initializer!r}",
            f"one of {', '.join(_KNOWN)}, or a function",
            here(),
        )
    made: Callable[..., Any] = found()
    return made
