"""A target with its options given: what is left takes arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.cpp.target import Flags, Part, Shape, Target


class Bound(NamedTuple):
    """A target, and for each of its arguments a number (an option) or None (an array to come).

    Shapes of results may depend on options, so options are part of the primitive and known wherever
    a program is made.
    """

    target: Target
    options: tuple[Any, ...]

    @property
    def arguments(self) -> tuple[Part, ...]:
        """The arguments that are still to come."""
        return tuple(
            p for p, o in zip(self.target.arguments, self.options, strict=True) if o is None
        )

    def _whole(self, given: Sequence[Any], rest: Any) -> tuple[Any, ...]:
        """One value for every argument: given ones, and `rest(option)` for the options."""
        values = iter(given)
        return tuple(next(values) if o is None else rest(o) for o in self.options)

    def shapes(self, base: np.dtype[Any], cores: Sequence[Shape]) -> tuple[Shape, ...]:
        """Shapes of the results at one point."""
        options = self._whole([None] * len(cores), lambda o: o)
        return self.target.shapes(base, self._whole(cores, lambda o: ()), options)

    def call(
        self, base: np.dtype[Any], along: int, args: Sequence[Any], lead: Shape, directions: Sequence[Any],
        full: tuple[Flags, ...],
    ) -> Any:  # fmt: skip
        """The results, or a derivative (`Target.call`)."""
        masks = tuple(self._whole(moving, lambda o: False) for moving in full)
        given = self._whole(args, lambda o: o)
        return self.target.call(base, along, given, lead, directions, masks)

    @property
    def identity(self) -> Any:
        """What makes two of them the same."""
        return self.target.identity, self.options
