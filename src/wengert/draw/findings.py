"""findings: what can be said about the trustworthiness of one call's value and derivative.

Not finite numbers with the line where they were born, exact zeros with their reasons, the two modes
against each other, and a slope that was measured. Each finding says how it was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import numeric, tree
from wengert.api.error_bound import error_bound
from wengert.api.explain import explain
from wengert.api.explain_zero import explain_zero
from wengert.api.gradients import grad
from wengert.draw.reading import Reading, plain, read
from wengert.draw.written import brief, number
from wengert.errors import WengertError
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn
from wengert.transforms.jvp import push
from wengert.trust import report
from wengert.trust.explain.account import Explanation
from wengert.trust.policies import policy

OK, NOTE, WARNING, WRONG = "ok", "note", "warning", "wrong"
_BUDGET = 3.0  # seconds for settling what is in doubt
_LOST = 1e-3  # a bound larger than this share of the number is a warning
_MOST = 100_000  # numbers in the arguments up to which zeros are explained


class Finding(NamedTuple):
    """One sentence about a call: how grave, what, and the details."""

    kind: str  # "ok", "note", "warning", "wrong"
    title: str
    text: str = ""

    def __str__(self) -> str:
        body = "".join(f"\n    {line}" for line in self.text.splitlines())
        return f"{self.kind:>7}: {self.title}{body}"


def findings_of(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Sequence[int],
    account: Explanation | WengertError | None = None,
) -> list[Finding]:  # fmt: skip
    """What is found about `f(*args, **kwargs)` and its derivatives by the arguments `argnums`.

    `account` is what `explained` has said already.
    """
    f = plain(f)
    reading = read(f, args, kwargs, argnums, "check")
    try:
        adjoints = reading.adjoints()
    except WengertError as why:  # a path without a derivative, or one that hangs on a choice
        return [Finding(WRONG, "there is no derivative", str(why))]
    found = list(_not_finite(reading, adjoints))
    if not found:
        found.append(Finding(OK, "value and derivatives are finite"))
        found += _passing(reading)
        found += _digits(f, args, kwargs, argnums, reading)
        found += _slopes(reading, adjoints)
    found += _explained(explained(f, args, kwargs, argnums) if account is None else account)
    found += _zeros(f, args, kwargs, argnums, reading, adjoints)
    return found


def worst(findings: Sequence[Finding]) -> str:
    """The gravest kind among them."""
    order = [OK, NOTE, WARNING, WRONG]
    return max((x.kind for x in findings), key=order.index, default=OK)


# ---- not finite ------------------------------------------------------------------------------------


def _not_finite(reading: Reading, adjoints: dict[Any, Any]) -> Iterator[Finding]:
    gradients = [adjoints[v] for v in reading.inputs.values() if v in adjoints]
    if report.finite([*reading.results, *gradients]):
        return
    targets = [v for v in reading.outs if v in reading.moving]
    gs = [np.ones(v.type.shape, v.type.dtype)[()] if v in targets else None for v in reading.outs]
    case = report.Case(
        reading.program,
        [reading.values[v] for v in reading.program.inputs],
        len(reading.inputs),
        gs=gs,
    )
    story = report.explain(lambda: case, lambda x: ~np.isfinite(x))
    what = "the value" if not report.finite(reading.results) else "the derivative"
    yield Finding(WRONG, f"{what} is not finite", story.text)


def _passing(reading: Reading) -> Iterator[Finding]:
    """Values on the way that are not finite, though nothing of it is seen in the results."""
    for eqn in reading.program.eqns:
        for k, v in enumerate(eqn.outputs):
            if not report.finite([reading.values[v]]):
                line = reading.program.line(eqn)
                place = f" at {line}:  {line.text}" if line else ""
                told = f"{reading.names[v]} = {reading.formula(eqn, k)} = {brief(reading.values[v])}{place}"
                yield Finding(NOTE, "a value on the way is not finite; the results are", told)
                return


# ---- digits ------------------------------------------------------------------------------------------


def _digits(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Sequence[int],
    reading: Reading,
) -> Iterator[Finding]:  # fmt: skip
    """How many digits rounding leaves, by running error bounds."""
    asked = {"value": f}
    if reading.single and reading.out.type.dtype.kind == "f":
        asked["derivative"] = grad(f, tuple(argnums), trust="off")
    for name, g in asked.items():
        try:
            with np.errstate(all="ignore"):
                found = error_bound(g, tuple(argnums))(*args, **kwargs)
        except WengertError as why:
            yield Finding(NOTE, f"no bound of the rounding error of the {name}", why.what)
            continue
        values, bounds = (
            np.concatenate([np.ravel(np.abs(x)) for x in tree.flatten(part)[0]] or [np.zeros(0)])
            for part in found
        )
        size, bound = float(np.max(values, initial=0.0)), float(np.max(bounds, initial=0.0))
        told = f"size {number(size)}, bound of its rounding error {bound:.1e}"
        if not np.isfinite(bound):
            told = f"size {number(size)}; a decision hangs on lost digits, or an operation has no bound"
            yield Finding(NOTE, f"no bound of the rounding error of the {name}", told)
        elif bound > _LOST * size + 1e-300:  # (underflow rounds too)
            lost = "not one digit" if bound >= size else "few digits"
            yield Finding(WARNING, f"{lost} of the {name} can be certain", told)
        else:
            yield Finding(OK, f"rounding leaves the {name} its digits", told)


def explained(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Sequence[int]
) -> Explanation | WengertError:
    """What `wg.explain` says of a call, in a bounded time; or why it has no answer."""
    try:
        with np.errstate(all="ignore"), policy(action="record", budget=_BUDGET):
            return explain(f, tuple(argnums))(*args, **kwargs)
    except WengertError as why:
        return why


def _explained(account: Explanation | WengertError) -> Iterator[Finding]:
    """The guilty lines, one finding for all numbers that one cause has spoilt."""
    if isinstance(account, WengertError):
        yield Finding(NOTE, "wg.explain has no answer here", account.what)
        return
    if account.trusted:
        told = f"{account.count} numbers looked at"
        yield Finding(OK, "no number is in doubt", told)
    groups: dict[Any, list[Any]] = {}
    for x in account.findings:
        groups.setdefault((x.line, x.cause, x.suggestion), []).append(x)
    for same in groups.values():
        first = max(same, key=lambda x: x.digits - x.bits)
        kind = NOTE if first.bits >= first.digits > 0 else WARNING
        if first.right is None and not np.all(np.isfinite(first.wrong)):
            kind = WRONG
        more = f" and {len(same) - 1} more" if len(same) > 1 else ""
        yield Finding(kind, f"{first.cause}: {first.component}{more}", first.text())


# ---- the slope along one direction, three times -----------------------------------------------------


def _slopes(reading: Reading, adjoints: dict[Any, Any]) -> Iterator[Finding]:
    """Reverse mode, forward mode and differences along one random direction."""
    draw = np.random.default_rng(0)
    moved = {
        v: draw.standard_normal(v.type.shape).astype(v.type.dtype)
        for v in reading.inputs.values()
        if v.type.dtype.kind == "f"
    }
    if not moved or not any(v in reading.moving for v in reading.outs):
        yield Finding(NOTE, "the result does not depend on any real argument")
        return
    eps = max(float(np.finfo(v.type.dtype).eps) for v in moved)
    back = sum(float(np.sum(adjoints[v] * d)) for v, d in moved.items() if v in adjoints)
    size = sum(float(np.sum(np.abs(adjoints[v] * d))) for v, d in moved.items() if v in adjoints)
    forth = _along(reading, moved)
    off = abs(forth - back)
    agree = off <= 1e4 * eps * (size + abs(forth))
    yield Finding(
        OK if agree else WARNING,
        f"forward and reverse mode {'agree' if agree else 'differ'}",
        f"along a random direction {number(forth)} and {number(back)}",
    )
    yield from _measured(reading, moved, back, size, eps)


def _along(reading: Reading, moved: dict[Any, Any]) -> float:
    """The derivative of the sum of the results in forward mode."""
    tangents = dict(moved)

    def see(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        dxs = tuple(tangents.get(a) for a in eqn.inputs)
        if any(dx is not None for dx in dxs):
            types = [a.type for a in eqn.inputs]
            dys = push(eqn.prim, dxs, ins, outs, eqn.params, types)
            tangents.update(
                (v, dy) for v, dy in zip(eqn.outputs, dys, strict=True) if dy is not None
            )

    with np.errstate(all="ignore"):
        evaluate(reading.program, [reading.values[v] for v in reading.program.inputs], observer=see)
    return sum(float(np.sum(tangents[v])) for v in reading.outs if v in tangents)


def _measured(
    reading: Reading, moved: dict[Any, Any], back: float, size: float, eps: float
) -> Iterator[Finding]:
    """The user's own function, called nearby."""

    def along(t: float) -> float:
        shifted = [
            np.asarray(leaf.value + t * moved[v], dtype=v.type.dtype)[()]
            if v in moved
            else leaf.value
            for v, leaf in zip(reading.inputs.values(), reading.call.leaves, strict=True)
        ]
        ys = tree.flatten(reading.call.run(shifted))[0]
        return sum(float(np.sum(y)) for y in ys if np.asarray(y).dtype.kind == "f")

    try:
        with np.errstate(all="ignore"):
            slope, error = numeric.derivative(along, 0.0, method="richardson", error=True)
    except WengertError as why:
        yield Finding(NOTE, "the slope could not be measured", str(why))
        return
    yield from _kink(along, size + abs(slope))
    allowed = 8 * error + (1e-6 + 4e2 * eps**0.5 * (eps > 1e-10)) * (size + abs(slope)) + 1e-9
    told = f"along a random direction {number(back)}, measured {number(slope)} ± {number(error)}"
    if not np.isfinite(slope) or 8 * error > 1e-2 * (size + abs(slope)) + 1e-9:
        yield Finding(NOTE, "differences do not settle here", told)
    elif abs(back - slope) <= allowed:
        yield Finding(OK, "the derivative is what differences measure", told)
    else:
        yield Finding(
            WARNING,
            "the derivative is not what differences measure",
            f"{told}\nat a kink, at a jump, where digits cancel, or where a custom rule is wrong",
        )


def _kink(f: Callable[[float], float], size: float) -> Iterator[Finding]:
    """One-sided slopes that stay apart while the step shrinks."""
    apart = []
    with np.errstate(all="ignore"):
        for h in (2e-3, 2e-4, 2e-5):
            low, mid, high = f(-h), f(0.0), f(h)
            left, right = (mid - low) / h, (high - mid) / h
            noise = 1e-14 * (abs(low) + abs(mid) + abs(high)) / h
            apart.append(abs(right - left) - noise)
    if min(apart) > 0.5 * max(apart) and min(apart) > 1e-3 * (size + abs(left) + abs(right)):
        told = (
            f"along a random direction the one-sided slopes are {number(left)} and {number(right)}"
        )
        yield Finding(NOTE, "there is a kink here", f"{told}; what is returned is in docs/kinks.md")


# ---- zeros -------------------------------------------------------------------------------------------


def _zeros(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Sequence[int],
    reading: Reading, adjoints: dict[Any, Any],
) -> Iterator[Finding]:  # fmt: skip
    if not reading.single or sum(v.type.size for v in reading.inputs.values()) > _MOST:
        return
    nothing = [v for v in reading.inputs.values() if not np.all(adjoints.get(v, 0.0))]
    if not nothing:
        return
    try:
        with np.errstate(all="ignore"):
            told = explain_zero(f, argnums)(*args, **kwargs)
    except WengertError as why:
        yield Finding(NOTE, "some derivatives are exactly zero", str(why))
        return
    lines = [str(row) for row in told.rows]
    yield Finding(
        NOTE, f"{told.zeros} of {told.size} derivatives are exactly zero", "\n".join(lines)
    )
