"""Levels of trust, and the policy: what happens to a number that cannot be trusted.

The level says how closely derivatives are looked at; the policy, what follows. A policy holds for
the `with` block that it opens, in the current thread or task.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.errors import InputError
from wengert.ir import source
from wengert.trace.trace import running

# from careless to careful: each does what those before it do
LEVELS = ("off", "report", "check", "repair")
ACTIONS = ("warn", "raise", "record")
KINKS = ("mean", "nan", "raise", "left", "right")


def level(trust: str) -> str:
    """A known level of trust, or an error that lists them."""
    if trust not in LEVELS:
        raise InputError(
            f"trust={trust!r} is none of {', '.join(map(repr, LEVELS))}",
            "pass one of them",
            source.here(),
        )
    return trust


def stronger(a: str, b: str) -> str:
    """The more careful of two levels."""
    return a if a == b or LEVELS.index(a) >= LEVELS.index(b) else b


def wish(level: str) -> None:
    """Leave a wish with the traces that are running: their outermost call will look."""
    for builder in running():
        builder.trust = stronger(builder.trust, level)


# the level that all derivatives taken here have at least
least: ContextVar[str] = ContextVar("wengert_least", default="off")


@contextmanager
def careful(level: str) -> Iterator[None]:
    """Inside, derivatives have this level at least, if it is one that looks at every number."""
    if level not in ("check", "repair"):
        yield
        return
    token = least.set(at_least(level))
    try:
        yield
    finally:
        least.reset(token)


def at_least(level: str) -> str:
    """A level, or the one that holds here for all."""
    return stronger(level, least.get())


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts as wrong, and what is done about it.

    `action`: a flagged number warns, raises `TrustError`, or is only recorded (`wg.last_report()`).
    `tolerance`: relative error from which on a number is wrong; None: 1e-3, in single and half
    precision 1e-2. `at_kink`: where the slopes from both sides differ, their mean, nan, an error,
    or one of the sides. `budget`: seconds that one call may spend on settling; what is not settled
    by then stays flagged.
    """

    action: str = "warn"
    tolerance: float | None = None
    at_kink: str = "mean"
    budget: float = 10.0

    def tolerated(self, dtype: Any) -> float:
        """The relative error that a number of this dtype may have."""
        if self.tolerance is not None:
            return self.tolerance
        return 1e-3 if np.finfo(dtype).nmant > 40 else 1e-2


_policy: ContextVar[Policy] = ContextVar("wengert_policy", default=Policy())  # noqa: B039


def current() -> Policy:
    """The policy that holds here."""
    return _policy.get()


@contextmanager
def policy(
    action: str | None = None,
    tolerance: float | None = None,
    at_kink: str | None = None,
    budget: float | None = None,
) -> Iterator[Policy]:
    """Inside, this policy holds; what is not given stays as it is outside.

    `action` is "warn", "raise" or "record"; `tolerance` a relative error; `at_kink` one of "mean",
    "nan", "raise", "left", "right"; `budget` seconds per call. Raises `InputError` for other values.

    >>> import numpy as np
    >>> import wengert as wg
    >>> with wg.trust.policy(at_kink="right", action="record"):
    ...     wg.grad(np.abs, trust="repair")(0.0)
    1.0
    """
    given = {"action": action, "tolerance": tolerance, "at_kink": at_kink, "budget": budget}
    changes: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    for name, known in (("action", ACTIONS), ("at_kink", KINKS)):
        if name in changes and changes[name] not in known:
            raise InputError(
                f"policy: {name}={changes[name]!r} is none of {', '.join(map(repr, known))}",
                "pass one of them",
                source.here(),
            )
    for name in ("tolerance", "budget"):
        if name in changes and not (
            isinstance(changes[name], int | float) and changes[name] > 0 and changes[name] < np.inf
        ):
            raise InputError(
                f"policy: {name}={changes[name]!r} is not a positive number",
                "pass a number above 0",
                source.here(),
            )
    token = _policy.set(replace(_policy.get(), **changes))
    try:
        yield _policy.get()
    finally:
        _policy.reset(token)
