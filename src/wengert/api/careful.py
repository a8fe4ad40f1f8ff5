"""Careful: the quick call of a compiled function whose numbers are looked at.

The builtin (`backends.entry`) gives the results and what the bounds say of them; in the common case that is
one truth value, and all that is left to do in Python is to remember that nothing was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.api.jit_trace import Trace
from wengert.backends.entry import Slot
from wengert.backends.entry_table import Kind
from wengert.memo.compiled import Compiled, regular, result_slot
from wengert.trace.trace import tracing
from wengert.trust import policies

_DOUBLE = np.dtype(np.float64)
_MISSED: Any = object()


class Careful:
    """A quick call; `settle(args, values, ys)` does what is left where something is suspected."""

    def __init__(self, trace: Trace, entry: Any, settle: Callable[..., Any]) -> None:
        assert trace.answers is not None
        self.trace, self.entry, self.settle, self.answers = trace, entry, settle, trace.answers
        self.otherwise: Callable[..., Any] = _missed
        self.types = trace.program.in_types
        self.held: Any = (None, ())  # a policy, and its tolerances

    def go_elsewhere(self, otherwise: Callable[..., Any]) -> None:
        """Let another callable have the arguments that are not as expected."""
        self.otherwise = otherwise

    def call(self, *args: Any) -> Any:
        """What the function returns, looked at."""
        policy, (of, tolerances) = policies.current(), self.held
        if policy is not of:
            tolerances = [float(t) for t in self.answers.tolerances()]
            self.held = policy, tolerances
        ys = _MISSED if tracing() else self.entry.call(*args, *tolerances)
        if ys is _MISSED:
            return self.otherwise(*args)
        if self.answers.quiet((), ys):
            return self.trace.built(ys)
        values = [regular(x, t) for x, t in zip((*args, *tolerances), self.types, strict=False)]
        return self.settle(args, values, ys)


def careful(
    trace: Trace, ready: Compiled, arguments: Sequence[Slot], settle: Callable[..., Any]
) -> Careful | None:
    """The quick call, for arguments of these kinds; None where there is none."""
    answers = trace.answers
    if answers is None or any(f != _DOUBLE for f in answers.formats):
        return None
    if trace.trust != "off" and answers.others(answers.outputs):
        return None  # those are looked at, too
    own = list(zip(trace.program.out_types, trace.weak, trace.boxed, strict=False))
    results = [Slot(Kind.ARRAY, t.dtype, ()) if b and not t.shape else result_slot(t, w) for t, w, b in own]  # fmt: skip
    if any(w and r.kind == Kind.SCALAR for r, (_, w, _) in zip(results, own, strict=True)):
        return None
    results += [result_slot(t) for t in trace.program.out_types[len(own) :]]
    given = [*arguments, *(Slot(Kind.FLOAT, _DOUBLE, ()) for _ in answers.formats)]
    types = trace.program.in_types[len(given) :]
    entry = ready.entry(
        given,
        results,
        _missed,
        captured=[regular(v, t) for v, t in zip(trace.captured, types, strict=True)],
        guards=trace.guards.by_identity(),
    )
    return Careful(trace, entry, settle)


def _missed(*args: Any) -> Any:
    return _MISSED
