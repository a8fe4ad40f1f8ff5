"""Passes: the transforms, for primitives that hold programs and derive others from them.

The language stands below the transforms and cannot import them: they are put here when their room
is opened (`transforms/__init__.py`). All but `derive` sweep what they make.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from wengert.ir.program import Program

Derivation = TypeVar("Derivation", bound=Callable[..., Any])

derive: Callable[
    ..., Program
]  # (f, types, like, name): the program of f, told from the lines of `like`
jvp: Callable[..., Program]  # (program, moving, parted)
split: Callable[..., Any]  # (program, known, known_outputs) -> now, later, flags
transpose: Callable[..., Program]  # (program, linear, seeded)
batch: Callable[..., Program]  # (program, batched, extent, outputs)
sweep: Callable[..., Program]  # (program)
bounded: Callable[..., Any]  # (program, moving, required) -> program with radii, which outputs have


def install(**transforms: Callable[..., Any]) -> None:
    """Put the transforms in their places."""
    globals().update(transforms)


def remembered(derivation: Derivation) -> Derivation:
    """A memo, bounded, for functions from programs and settings to programs and settings.

    Programs of equal structure share an entry if they also tell the same lines.
    """

    @lru_cache(maxsize=1024)
    def found(told: Any, *args: Any) -> Any:
        return derivation(*args)

    @wraps(derivation)
    def ask(*args: Any) -> Any:
        return found(tuple(a.told for a in args if isinstance(a, Program)), *args)

    return ask  # type: ignore[return-value]
