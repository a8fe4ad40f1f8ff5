"""gradcheck: is this gradient right, and if not, what is it? For anybody's gradient, with no step to choose.

Every slope is held against the strongest witness that can be had: balls where the function can be
traced and every step has an enclosure, the complex step where it is analytic, else extrapolated
differences with their own error. The verdict says what was found in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Call
from wengert.errors import StructureError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.numeric.complex_step import complex_step, size_of_step, watched
from wengert.testing.check_grads import (
    Direction,
    directions_of,
    drawn_like,
    forward_slopes,
    guilty,
    names_of,
    paired,
    reverse_slopes,
    stacked_modes,
)
from wengert.testing.differences import wide
from wengert.testing.evidence import Evidence, gather, remainder_order
from wengert.testing.quotients import Quotients

_FACTORS = {
    2.0: "twice", 0.5: "half", -1.0: "minus", 3.0: "three times", 4.0: "four times",
    -2.0: "minus twice", -0.5: "minus half", 0.25: "a quarter of",
}  # fmt: skip


@dataclass(slots=True)
class Finding:
    """One slope: what was claimed, what is true (`how` it is known, within `error`), and the reason."""

    entry: str
    claimed: float
    true: float
    error: float
    how: str
    right: bool
    reason: str


@dataclass(slots=True)
class Verdict:
    """Truthy if every slope is right; `reason` says it in words, `findings` slope by slope.

    `order` is the power with which the remainder of Taylor's theorem falls along a random direction:
    2 for a right gradient, 1 for a wrong one, None where nothing but rounding is left.
    """

    ok: bool
    reason: str
    findings: list[Finding] = field(default_factory=list)
    order: float | None = None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = [f"{'right' if self.ok else 'WRONG'}: {self.reason}"]
        shown = [f for f in self.findings if not f.right or f.reason] or self.findings[:4]
        rows = [["entry", "claimed", "true", "known by", ""]]
        for f in shown[:12]:
            about = f" ± {f.error:.1g}" if f.error > 1e-6 * abs(f.true) else ""
            rows.append([f.entry, f"{f.claimed:.9g}", f"{f.true:.9g}{about}", f.how, f.reason])
        widths = [max(len(r[k]) for r in rows) for k in range(5)]
        lines += ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]  # fmt: skip
        if len(shown) > 12:
            lines.append(f"… and {len(shown) - 12} more")
        return "\n".join(lines)


def gradcheck(
    f: Callable[..., Any], args: Any, gradient: Any = None, *, order: int = 1,
    modes: Sequence[str] = ("fwd", "rev"), eps: float | None = None, atol: float | None = None,
    rtol: float | None = None,
) -> Verdict:  # fmt: skip
    """Is the gradient of `f` at `args` (a tuple, one entry per argument) right?

    Without `gradient`, wengert's own derivatives are on trial, in both modes, forward against
    reverse, up to `order`. With it, anybody's: a function called like `f`, or its value; one entry
    per argument, in the arguments' containers (a lone argument needs no tuple). `f` then need only
    be callable with arrays and return one real number: torch's, JAX's, a simulator. `eps` is the
    largest step tried, of the size of the arguments; nobody needs to choose it.

    >>> import numpy as np
    >>> bool(gradcheck(np.sqrt, (0.3,))), bool(gradcheck(np.sqrt, (0.0,)))
    (True, False)
    >>> print(
    ...     gradcheck(
    ...         lambda x: np.sum(x**2), (np.array([1.0, 3.0]),), gradient=lambda x: 4 * x
    ...     ).reason
    ... )
    every slope is twice the true one
    """
    given = args if isinstance(args, tuple) else (args,)
    call = Call(f, given, {}, tuple(range(len(given))), None, "gradcheck")
    leaves = [leaf.value for leaf in call.leaves]
    digits = max((float(np.finfo(leaf.type.dtype).eps) for leaf in call.leaves), default=0.0)
    rtol = max(1e-6, 4 * digits**0.5) if rtol is None else rtol
    least = max(1e-9, 4e2 * digits) if atol is None else atol
    trial = _Trial(call, leaves, names_of(call), least, rtol, eps or 1.0, atol is not None)
    if gradient is not None:
        return trial.of_theirs(f, given, gradient)
    return trial.of_ours(order, modes)


class _Trial:
    """The function, the arguments, what may differ."""

    def __init__(
        self, call: Call, leaves: list[Any], names: list[str], atol: float, rtol: float, reach: float, given: bool
    ) -> None:  # fmt: skip
        self.call, self.leaves, self.names = call, leaves, names
        self.atol, self.rtol, self.reach, self.given = atol, rtol, reach, given
        self.least = atol  # what may differ, whatever the size; of small slopes less
        self.draw = np.random.default_rng(0)
        self.name = getattr(call.f, "__name__", "f")

    # ---- whose gradient ----------------------------------------------------------------------------
    def of_theirs(self, f: Any, given: tuple[Any, ...], gradient: Any) -> Verdict:
        """A gradient that somebody hands in."""
        found = gradient(*given) if callable(gradient) else gradient
        slopes = _opened(found, self.call)
        directions = directions_of(self.draw, self.leaves, self.names)

        def run(*xs: Any) -> list[Any]:
            return [_number(self.call.run(xs))]

        claimed = [paired(slopes, d.tangents) for d in directions]
        traced = lambda *xs: [self.call.run(xs)]
        findings, order = self.hold(run, [1.0], directions, claimed, traced)
        return self.verdict(findings, order, "")

    def of_ours(self, order: int, modes: Sequence[str]) -> Verdict:
        """wengert's own, mode by mode."""

        def flat(*xs: Any) -> list[Any]:
            return [y for y in tree.flatten(self.call.run(xs))[0] if type_of(y).inexact]

        findings: list[Finding] = []
        taylor = None
        for said, f, nested in stacked_modes(self.draw, flat, self.leaves, order, modes):
            with np.errstate(all="ignore"):
                ys = f(*self.leaves)
            weights = [drawn_like(self.draw, y) for y in ys]
            directions = directions_of(self.draw, self.leaves, self.names)
            claims = {}
            with np.errstate(all="ignore"):
                for mode in modes:
                    slopes = forward_slopes if mode == "fwd" else reverse_slopes
                    claims[mode] = slopes(f, self.leaves, weights, directions)
            for mode, claimed in claims.items():
                traced = f if not nested else None
                new, taylor = self.hold(f, weights, directions, claimed, traced)
                for finding in new:
                    finding.entry += f" ({mode}{said})"
                findings += new
        return self.verdict(findings, taylor, guilty(self.call))

    # ---- the trial itself ------------------------------------------------------------------------------
    def hold(
        self, f: Any, weights: list[Any], directions: list[Direction], claimed: Sequence[float],
        traced: Any,
    ) -> tuple[list[Finding], float | None]:  # fmt: skip
        """Every claimed slope against its witness; and the order of the remainder."""
        exact = None if traced is None else Quotients.of(traced, self.leaves, weights)
        heard = []
        steep = 0.0  # the largest slope that there is, or may be expected
        for direction in directions:
            scale = self.reach * (direction.size or 1.0)
            phi = self.moved(f, weights, direction)
            seen = gather(phi, scale)
            true, error, how = self.witness(f, weights, direction, exact, seen, scale)
            heard.append((seen, true, error, how))
            steep = max(steep, *(abs(s) for s in (true, phi(0.0) / scale) if np.isfinite(s)), 0.0)
        findings = []
        self.least = self.atol if self.given else self.atol * min(1.0, steep)
        for direction, mine, (seen, true, error, how) in zip(
            directions, claimed, heard, strict=True
        ):
            right, reason = self.judge(mine, true, error, how, seen)
            findings.append(Finding(direction.name, mine, true, error, how, right, reason))
        last = directions[-1]
        with np.errstate(all="ignore"):
            phi = self.moved(f, weights, last)
            order = remainder_order(phi, claimed[-1], self.reach * (last.size or 1.0))
        return findings, order

    def moved(self, f: Any, weights: list[Any], direction: Direction) -> Callable[[float], float]:
        """φ(t) = ⟨w, f(x + t d)⟩, in the widest dtype."""
        xs, ds = [wide(x) for x in self.leaves], [wide(t) for t in direction.tangents]

        def phi(t: float) -> float:
            with np.errstate(all="ignore"):
                ys = f(*((x + t * d)[()] for x, d in zip(xs, ds, strict=True)))
            return float(paired(weights, ys))

        return phi

    def witness(
        self, f: Any, weights: list[Any], d: Direction, exact: Quotients | None, seen: Evidence,
        scale: float,
    ) -> tuple[float, float, str]:  # fmt: skip
        """The slope as it is best known, its error, and by what."""
        if exact is not None and seen.kink_within is None:
            found = exact.along(d.tangents, scale)
            # (what tracing did not see, differences do)
            if found is not None and (
                _agree(found[0], seen)
                or not seen.both.settled
                or _noise_alone(self.moved(f, weights, d), exact, d, scale)
            ):
                return *found, "balls"
        both = seen.both.slope, seen.both.error, "differences"
        if any(np.asarray(x).dtype.kind == "c" for x in self.leaves):
            return both

        def displaced(h: complex) -> Any:
            xs = [watched(wide(x) + h * wide(t)) for x, t in zip(self.leaves, d.tangents, strict=True)]  # fmt: skip
            ys = f(*xs)
            return sum(
                np.sum(np.asarray(w) * np.asarray(y)) for w, y in zip(weights, ys, strict=True)
            )

        try:
            with np.errstate(all="ignore"):
                slope = float(complex_step(displaced, size_of_step(scale, np.float64)))
        except Exception:  # (whatever a stranger's function raises at complex numbers)
            return both
        if not np.isfinite(slope) or not _agree(slope, seen):
            return both
        return slope, 1e-14 * abs(slope), "complex step"

    def judge(
        self, mine: float, true: float, error: float, how: str, seen: Evidence
    ) -> tuple[bool, str]:
        """Right or wrong, and why."""
        allowed = self.least + self.rtol * max(abs(true), abs(mine)) + 8 * error
        known = (
            how != "differences" or 8 * error <= 1e-2 * (abs(true) + abs(mine)) + 1e3 * self.least
        )
        if seen.kink_within is not None:
            low, high = sorted((seen.left.slope, seen.right.slope))
            where = f"kink within {seen.kink_within:.0e} of x: slopes {seen.left.slope:.4g} and {seen.right.slope:.4g}"
            if low - allowed <= mine <= high + allowed:
                middle = abs(mine - (low + high) / 2) <= allowed
                return True, f"{where}, yours is {'their mean' if middle else 'between them'}"
            return False, f"{where}, yours is neither nor between them"
        if not np.isfinite(mine):
            return False, "not finite"
        if abs(mine - true) <= allowed:
            if not known:
                return False, "neither right nor wrong: the slope does not settle here"
            noisy = how != "differences" and not abs(seen.both.slope - true) <= allowed
            if noisy or (how != "differences" and seen.both.error > 1e-3 * abs(true)):
                return (
                    True,
                    f"yours is right; the difference quotient is noisy below {seen.noisy_below:.0e}",
                )
            return True, ""
        if not known:
            return False, "the slope does not settle here: steep, or full of noise"
        return False, _ratio(mine, true)

    def verdict(self, findings: list[Finding], order: float | None, line: str) -> Verdict:
        """All findings in a sentence."""
        wrong = [f for f in findings if not f.right]
        if not wrong:
            special = list(dict.fromkeys(f.reason for f in findings if f.reason))
            how = " and ".join(dict.fromkeys(f.how for f in findings))
            return Verdict(True, special[0] if special else f"all slopes agree with {how}", findings, order)  # fmt: skip
        reasons = list(dict.fromkeys(f.reason for f in wrong))
        place = f": {line}" if line else ""
        if len(wrong) == len(findings) and len(reasons) == 1:
            return Verdict(False, f"every slope is {reasons[0]}{place}", findings, order)
        first = wrong[0]
        more = f", and {len(wrong) - 1} more are wrong" if len(wrong) > 1 else ""
        return Verdict(False, f"{first.entry} is {first.reason}{more}{place}" if _is_ratio(first) else
                       f"{first.entry}: {first.reason}{more}{place}", findings, order)  # fmt: skip


def _agree(slope: float, seen: Evidence) -> bool:
    """Can differences have meant this slope?"""
    return abs(slope - seen.both.slope) <= 20 * seen.both.error + 1e-3 * abs(slope)


def _noise_alone(
    phi: Callable[[float], float], exact: Quotients, d: Direction, scale: float
) -> bool:
    """Do computed and exact values differ by noise, and not by something that tracing did not see?

    What was not seen grows with the step; noise does not.
    """
    off = []
    for step in (1 / 8, 1 / 128, 1 / 2048, 1 / 32768):
        apart = []
        for t in (step * scale, 0.0, -step * scale):
            value = exact.value(d.tangents, t)
            if value is None:
                return False
            apart.append(phi(t) - value)
        off.append(max(abs(apart[0] - apart[1]), abs(apart[2] - apart[1])))
    return bool(max(off[2:]) > 0.02 * max(off[:2]))


def _ratio(mine: float, true: float) -> str:
    """How a wrong slope relates to the right one."""
    if true != 0:
        for factor, word in _FACTORS.items():
            if abs(mine / true - factor) < 1e-5 * abs(factor):
                return f"{word} the true one"
        if mine == 0:
            return "zero, and should not be"
        return f"{mine / true:.6g} times the true one"
    return "not zero, and should be"


def _is_ratio(f: Finding) -> bool:
    return f.reason.endswith("the true one") or f.reason.startswith(("zero", "not zero"))


def _number(y: Any) -> Any:
    """A stranger's result as one real number."""
    value = np.asarray(y.detach() if hasattr(y, "detach") else y)
    if value.size != 1 or value.dtype.kind == "c":
        raise StructureError(
            f"gradcheck with a gradient needs one real number from f, and got shape {value.shape} of {value.dtype}",
            "sum it, or check its rows one by one",
            source.here(),
        )
    return value.reshape(())[()]


def _opened(found: Any, call: Call) -> list[Any]:
    """The leaves of a gradient, in the order of the arguments' leaves."""
    if len(call.args) == 1 and not (isinstance(found, tuple) and len(found) == 1):
        found = (found,)
    leaves = [np.asarray(g.detach() if hasattr(g, "detach") else g) for g in tree.flatten(found)[0]]
    shapes = [np.shape(leaf.value) for leaf in call.leaves]
    if [a.shape for a in leaves] != shapes:
        raise StructureError(
            f"gradcheck: the gradient has shapes {[a.shape for a in leaves]}, the arguments {shapes}",
            "give one entry per argument, in the arguments' containers",
            source.here(),
        )
    return leaves
