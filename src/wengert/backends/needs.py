"""What machine code needs besides its arguments: workspace, constants, reasons to stop, call-backs.

It is all that a call has to know of the loop code: so code that was kept on disk can be called without its loop code.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from wengert.backends.code import DTYPES, Callback, Function, Problem, whole_lines


class Needs(NamedTuple):
    """Of one function: its name; per slot of the workspace bytes, to be multiplied by these run-time extents."""

    name: str
    slots: tuple[tuple[int, tuple[int, ...]], ...]
    constants: tuple[np.ndarray[Any, Any], ...]
    problems: tuple[Problem, ...]
    callbacks: tuple[Callback, ...]
    again: bool  # is it without guards, so that it asks for a function with them (`deferred`)?

    @classmethod
    def of(cls, function: Function, again: bool) -> Needs:
        """Those of loop code."""
        slots = []
        for first, *_ in function.slots:
            known = prod(n for n in first.size if isinstance(n, int))
            varying = tuple(n.data for n in first.size if not isinstance(n, int))
            slots.append((known * DTYPES[first.type].itemsize, varying))
        return cls(
            function.name,
            tuple(slots),
            tuple(np.ascontiguousarray(b.array) for b in function.constants),
            tuple(function.problems),
            tuple(function.callbacks),
            again,
        )

    def work_bytes(self, extents: Sequence[int]) -> int:
        """How large the workspace must be, given the run-time extents."""
        return sum(whole_lines(n * prod(extents[k] for k in varying)) for n, varying in self.slots)
