"""Are the derivatives of this function right? Ours, in both modes, beside measured differences.

The function is weighted to one number, ⟨w, f(x)⟩ with random w, and its slope along every entry of
every argument is held against central differences. Where they disagree, the equations of the
function are held against the laws one by one, and the line of the first that breaks one is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.arguments import Call
from wengert.api.forward import jvp
from wengert.api.gradients import record_call, vjp
from wengert.errors import WengertError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program, Var
from wengert.ir.types import type_of
from wengert.testing.differences import STEP, directional, wide
from wengert.testing.laws import LAWS
from wengert.testing.sample import LawBroken, Sample, drawn, near, pairing

_ENTRIES = 64  # of larger arguments that many entries are drawn, and one direction moves them all


class GradientsDiffer(AssertionError):
    """A derivative is not what differences measure; the message is a table of the entries."""


class Direction(NamedTuple):
    """Where to move, and what to call it in the table."""

    name: str
    tangents: list[Any]
    size: float  # of the entry that moves, so that the steps fit


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 1,
    modes: Sequence[str] = ("fwd", "rev"),
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
) -> None:
    """Hold the derivatives of `f` at `args` (a tuple, one entry per argument) against differences.

    `order=2` checks the derivatives of the derivatives too, in all combinations of `modes`. `eps` is
    the largest step tried; `atol` and `rtol` are what may differ (by default some digits of the
    coarsest dtype). Raises `GradientsDiffer` with a table.

    >>> check_grads(lambda x: np.sin(x) ** 2, (np.array([0.5, 1.0]),), order=2)
    >>> check_grads(np.sqrt, (0.0,))
    Traceback (most recent call last):
    wengert.testing.check_grads.GradientsDiffer: 2 of 2 slopes of sqrt are not what differences measure (fwd)
    ...
    """
    given = args if isinstance(args, tuple) else (args,)
    call = Call(f, given, {}, tuple(range(len(given))), None, "check_grads")
    leaves = [leaf.value for leaf in call.leaves]
    digits = max((float(np.finfo(leaf.type.dtype).eps) for leaf in call.leaves), default=0.0)
    rtol = max(1e-6, 4 * digits**0.5) if rtol is None else rtol
    atol = max(1e-9, 4e2 * digits) if atol is None else atol

    def flat(*values: Any) -> list[Any]:
        found = tree.flatten(call.run(values))[0]
        return [y for y in found if type_of(y).inexact]

    for said, ours, directions, measured in _slopes(
        flat, leaves, names_of(call), order, modes, eps or STEP
    ):
        rows = []
        for direction, mine, (slope, error) in zip(directions, ours, measured, strict=True):
            allowed = atol + rtol * max(abs(slope), abs(mine)) + 8 * error
            settled = 8 * error <= 1e-2 * (abs(slope) + abs(mine)) + 1e3 * atol
            if not (abs(mine - slope) <= allowed and settled):
                rows.append((direction.name, mine, slope, error))
        if rows:
            name = getattr(f, "__name__", "f")
            title = f"{len(rows)} of {len(directions)} slopes of {name} are not what differences measure ({said})"
            raise GradientsDiffer(f"{title}\n{_table(rows, guilty(call))}")


# ---- ours and the measured -----------------------------------------------------------------------


def _slopes(
    f: Callable[..., list[Any]],
    leaves: list[Any],
    names: list[str],
    order: int,
    modes: Sequence[str],
    eps: float,
) -> Any:
    """Per combination of modes: its name, our slopes, the directions, the measured slopes."""
    draw = np.random.default_rng(0)
    for outer, g, _ in stacked_modes(draw, f, leaves, order, modes):
        with np.errstate(all="ignore"):
            ys = g(*leaves)
        weights = [drawn_like(draw, y) for y in ys]
        directions = directions_of(draw, leaves, names)
        measured = [_measured(g, leaves, weights, d, eps) for d in directions]
        for mode in modes:
            with np.errstate(all="ignore"):
                slopes = forward_slopes if mode == "fwd" else reverse_slopes
                ours = slopes(g, leaves, weights, directions)
            yield f"{mode}{outer}", ours, directions, measured


def stacked_modes(
    draw: Any, f: Callable[..., list[Any]], leaves: list[Any], order: int, modes: Sequence[str], outer: str = ""
) -> Any:  # fmt: skip
    """f, then its derivatives in all combinations of modes up to below `order`: name, function, nested?"""
    yield outer, f, bool(outer)
    if order < 2:
        return
    with np.errstate(all="ignore"):
        weights = [drawn_like(draw, y) for y in f(*leaves)]
    along = [(drawn_like(draw, x) * near(x)).astype(type_of(x).dtype)[()] for x in leaves]
    derivatives = {
        "fwd": lambda *xs: list(jvp(f, xs, along, trust="off")[1]),
        "rev": lambda *xs: list(vjp(f, *xs, trust="off")[1](weights)),
    }
    for mode in modes:
        yield from stacked_modes(
            draw, derivatives[mode], leaves, order - 1, modes, f" of {mode}{outer}"
        )


def forward_slopes(
    f: Any, leaves: list[Any], weights: list[Any], directions: list[Direction]
) -> list[float]:
    return [paired(weights, jvp(f, leaves, d.tangents, trust="off")[1]) for d in directions]


def reverse_slopes(
    f: Any, leaves: list[Any], weights: list[Any], directions: list[Direction]
) -> list[float]:
    gradient = vjp(f, *leaves, trust="off")[1](weights)
    return [paired(gradient, d.tangents) for d in directions]


def _measured(
    f: Any, leaves: list[Any], weights: list[Any], d: Direction, eps: float
) -> tuple[float, float]:
    """Slope of ⟨w, f⟩ along a direction, and its error: by steps of the size of 1, or of the entry."""

    def weighted(*xs: Any) -> Any:
        return np.atleast_1d(paired(weights, f(*xs)))

    found = []
    moved = [wide(x) for x in leaves], [wide(t) for t in d.tangents]
    for step in (eps * max(1.0, d.size), eps * d.size):
        if step > 0:
            (slope,), (error,) = directional(weighted, *moved, step)
            found.append((error / (abs(slope) + 1e-6), float(slope), float(error)))
            if found[-1][0] < 1e-8:
                break
    _, slope, error = min(found, key=lambda f: f[0] if f[0] == f[0] else np.inf)
    return slope, error


def paired(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    """Re Σ conj(x) y: the descent convention of complex gradients."""
    return pairing([np.conjugate(x) for x in xs], ys)


def drawn_like(draw: Any, y: Any) -> Any:
    t = type_of(y)
    return drawn(draw, t).astype(t.dtype)[()]


def directions_of(draw: Any, leaves: list[Any], names: list[str]) -> list[Direction]:
    """Every entry alone (64 of them at most; imaginary parts too), then all together."""
    entries = [
        (n, k, part)
        for n, x in enumerate(leaves)
        for k in np.ndindex(np.shape(x))
        for part in _parts(x)
    ]
    if len(entries) > _ENTRIES:
        entries = [entries[k] for k in sorted(draw.choice(len(entries), _ENTRIES, replace=False))]
    found = []
    for n, k, part in entries:
        tangents = [np.zeros_like(x) for x in leaves]
        tangents[n][k] = part
        suffix = "".join(f"[{i}]" for i in k) + (".imag" if part == 1j else "")
        found.append(
            Direction(
                names[n] + suffix,
                [t[()] for t in tangents],
                float(np.abs(np.asarray(leaves[n])[k])),
            )
        )
    together = [(drawn_like(draw, x) * near(x)).astype(type_of(x).dtype)[()] for x in leaves]
    return [*found, Direction("all at once", together, 1.0)]


def _parts(x: Any) -> tuple[complex, ...]:
    return (1.0, 1j) if np.asarray(x).dtype.kind == "c" else (1.0,)


def names_of(call: Call) -> list[str]:
    """What to call each leaf: `args[0]['w']`."""
    found = []
    for n, (value, (_, places)) in enumerate(zip(call.args, call.structures, strict=True)):
        for path, place in zip(tree.paths(value), places, strict=True):
            if isinstance(place, int):
                found.append(f"args[{n}]{path}")
    return found


# ---- the report ----------------------------------------------------------------------------------


def _table(rows: list[tuple[str, float, float, float]], line: str) -> str:
    cells = [("entry", "ours", "numeric", "error", "source line")]
    for name, ours, slope, error in rows:
        unsettled = f" ± {error:.1g}" if not error <= 1e-4 * abs(slope) else ""
        cells.append(
            (name, f"{ours:.9g}", f"{slope:.9g}{unsettled}", f"{abs(ours - slope):.2g}", line)
        )
    widths = [max(len(row[k]) for row in cells) for k in range(5)]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def guilty(call: Call) -> str:
    """The line of the first equation that breaks a law; failing that, where the function begins."""
    builder, _, out = record_call(call)
    program = builder.program([y for y in tree.flatten(out)[0] if type_of(y).inexact])
    broken: list[str] = []

    def hold(eqn: Any, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        moving = [isinstance(a, Var) for a in eqn.inputs]
        sample = Sample(eqn.prim, ins, dict(eqn.params), moving)
        if broken or any(isinstance(v, Program) for v in eqn.params.values()):
            return
        try:
            for law in LAWS:
                if law.holds is not None and law.number in (2, 3, 6):
                    law.holds(sample)
        except LawBroken:
            broken.append(_shown(program.line(eqn)) or eqn.prim.name)
        except WengertError:  # without a rule for some direction it is not the one that misleads
            pass

    evaluate(
        program,
        [*(leaf.value for leaf in call.leaves), *(v for _, v in builder.captured)],
        observer=hold,
    )
    code = getattr(call.f, "__code__", None)
    if broken or code is None:
        return broken[0] if broken else repr(call.f)
    return _shown(source.Line(code.co_filename, code.co_firstlineno, code.co_name))


def _shown(line: source.Line | None) -> str:
    return "" if line is None else f"{line}  {line.text[:80]}".rstrip()
