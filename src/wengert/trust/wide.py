"""wide: the same bounds in the next wider format, for what the quick ones could not clear.

Most false alarms are no lost digits but lost exponents: a square that overflows on its way to
a root, a term that vanishes. NumPy's next format (double for single, extended for double precision)
has room for these, so a program is run there once more, with radii. Where the machine has no
wider format than double precision, nothing is cleared, and more is flagged than need be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.program import Program
from wengert.trust.bounds import Bounded, run

_NEXT = {"e": "f", "f": "d", "d": "g", "F": "D", "D": "G"}


def wider(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """The next wider format, if it has more exponents."""
    found = np.dtype(_NEXT.get(dtype.char, dtype.char))
    more = dtype.kind in "fc" and np.finfo(found).maxexp > np.finfo(dtype).maxexp
    return found if more else None


def widen(x: Any) -> Any:
    """A number or array in the next wider format."""
    dtype = wider(x.dtype) if hasattr(x, "dtype") else None
    return x if dtype is None else x.astype(dtype)


def widened(program: Program, xs: Sequence[Any], rs: Sequence[Any] | None = None) -> Bounded:
    """`run`, every number in the next wider format."""
    rs = [None] * len(xs) if rs is None else [None if r is None else widen(r) for r in rs]
    return run(program, [widen(x) for x in xs], rs, wide=True)
