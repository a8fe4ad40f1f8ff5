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

from wengert.ir.program import Eqn, Program
from wengert.ops.radii import Radius, real_of
from wengert.trust.bounds import Bounded, enclose, run

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
    return run(program, [widen(np.asarray(x)[()]) for x in xs], rs, step=_step)


def _step(eqn: Eqn, ins: Sequence[Any], spreads: Sequence[Radius]) -> tuple[Any, Any]:
    """`enclose` in a format that the program does not know, and that some libraries do not have."""
    dtype = eqn.params.get("dtype")
    if isinstance(dtype, np.dtype) and wider(dtype) is not None:
        eqn = Eqn(eqn.prim, eqn.inputs, {**eqn.params, "dtype": wider(dtype)}, eqn.outputs)
    if not hasattr(eqn.prim, "bounded"):  # (what is held has its formats fixed)
        try:
            return enclose(eqn, ins, spreads)
        except TypeError:
            pass
    types = [
        getattr(a.type, "dtype", None) for a in eqn.inputs
    ]  # None: a stack, which stays as it is
    narrow = [x if t is None else x.astype(t) for x, t in zip(ins, types, strict=True)]
    near = []
    for x, y, r, t in zip(ins, narrow, spreads, types, strict=True):
        if t is None or t.kind not in "fc":
            near.append(r if t is None else None)
            continue
        lost = np.abs(x - y)
        exact = r is None and not np.any(lost)
        near.append(None if exact else (lost if r is None else lost + r).astype(real_of(y)))
    outs, radii = enclose(eqn, narrow, near)
    return tuple(map(widen, outs)), tuple(None if r is None else widen(r) for r in radii)
