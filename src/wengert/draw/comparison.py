"""compare: one derivative by all methods, with errors and times. What automatic differentiation buys.

The reference is the exact derivative of the program that was recorded: SymPy's, evaluated with 50
digits at the very numbers given. Where there is none (no SymPy, or an operation without a symbolic
form), it is the middle one of what the methods without truncation give.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wengert import numeric, symbolic
from wengert.api.forward import jvp
from wengert.api.gradients import grad
from wengert.api.jacobians import jacfwd
from wengert.draw.written import aligned, html_table, number
from wengert.errors import InputError, NonScalarOutputError, WengertError
from wengert.ir import source

_MOST_SYMBOLS = 24  # more inputs make expressions that take minutes
_EXACT = ("complex step", "forward mode", "reverse mode")  # up to rounding
_STEPS = np.logspace(-20, 0, 81)


class Row(NamedTuple):
    """One method: its derivative, the largest error (relative), seconds per call; or why there is none."""

    method: str
    value: Any
    error: float | None
    seconds: float | None
    note: str = ""


class Comparison:
    """What `compare` measured: print it, show it in a notebook, or `plot` it."""

    def __init__(
        self,
        name: str,
        f: Callable[[Any], Any],
        x: Any,
        rows: Sequence[Row],
        exact: Any,
        reference: str,
    ) -> None:
        self.name, self.f, self.x = name, f, x
        self.rows, self.exact, self.reference = tuple(rows), exact, reference

    def _cells(self) -> list[list[str]]:
        return [
            [
                r.method,
                "" if r.value is None else _shown(r.value),
                _error(r),
                "" if r.seconds is None else f"{1e6 * r.seconds:.1f} µs",
                r.note,
            ]
            for r in self.rows
        ]

    def __str__(self) -> str:
        heads = ["method", "derivative", "error", "time", ""]
        title = f"the derivative of {self.name} at {number(self.x)}: {_shown(self.exact)}, {self.reference}"
        return "\n".join([title, "", *aligned([heads, *self._cells()])])

    def __repr__(self) -> str:
        return f"<comparison of {len(self.rows)} derivatives of {self.name}>"

    def _repr_html_(self) -> str:
        title = f"∂{self.name} at {number(self.x)}: {_shown(self.exact)}, {self.reference}"
        return f"<p>{escape(title)}</p>" + html_table(
            ("method", "derivative", "error", "time", ""), self._cells()
        )

    def errors(self, method: str, steps: Any = _STEPS) -> Any:
        """The relative error of `forward`, `central` or `complex` for each step."""
        direction = np.ones(np.shape(self.x)) / np.sqrt(np.size(self.x))
        truth = float(np.sum(self.exact * direction))
        found = []
        for h in steps:
            try:
                found.append(_with_step(self.f, self.x, direction, method, h))
            except WengertError:
                return np.full(len(steps), np.nan)
        return np.abs(np.array(found) - truth) / (abs(truth) or 1.0)

    def plot(self, path: str | Path) -> Path:
        """A picture: errors against the step on the left, times on the right."""
        try:
            plt = importlib.import_module("matplotlib.pyplot")
        except ImportError as error:
            raise ImportError("a picture needs Matplotlib: pip install 'wengert[demo]'") from error
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        self.plot_errors(left)
        self._plot_times(right)
        figure.suptitle(f"The derivative of {self.name} by all methods")
        figure.savefig(path, dpi=150)
        plt.close(figure)
        return Path(path)

    def plot_errors(self, axes: Any) -> dict[str, Any]:
        """Draw errors against steps, and the exact slope's beside them; returns what was drawn."""
        floor = 1e-17
        drawn: dict[str, Any] = {"steps": _STEPS}
        names = {
            "forward": "forward difference",
            "central": "central difference",
            "complex": "complex step",
        }
        for k, (method, name) in enumerate(names.items()):
            errors = np.maximum(self.errors(method), floor)
            if np.all(np.isnan(errors)):
                continue
            drawn[name] = errors
            axes.loglog(_STEPS, errors, color=f"C{k}", linewidth=1.6, label=name)
        ours = next(
            (r.error for r in self.rows if r.method == "reverse mode" and r.error is not None), None
        )
        if ours is not None:
            drawn["wengert"] = ours
            axes.axhline(
                max(ours, floor),
                color="black",
                linestyle="--",
                linewidth=1.2,
                label="wengert, no step at all",
            )
        axes.set(
            xlabel="step h",
            ylabel="relative error",
            title="Rounding to the left, truncation to the right",
        )
        axes.set_ylim(floor / 3, 30)
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 0.16))
        axes.grid(alpha=0.3)
        axes.spines[["right", "top"]].set_visible(False)
        return drawn

    def _plot_times(self, axes: Any) -> None:
        timed = [r for r in reversed(self.rows) if r.seconds is not None]
        seconds = [1e6 * (r.seconds or 0) for r in timed]
        ours = [r.method in ("forward mode", "reverse mode") for r in timed]
        bars = axes.barh(
            [r.method for r in timed], seconds, color=["tab:blue" if o else "0.75" for o in ours]
        )
        labels = [f"{t:,.0f} µs, error {_error(r)}" for t, r in zip(seconds, timed, strict=True)]
        axes.bar_label(bars, labels, padding=3, fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(min(seconds) / 2, max(seconds) * 30)
        axes.set(xlabel="µs per derivative", title="Time")
        axes.spines[["right", "top"]].set_visible(False)


def compare(f: Callable[[Any], Any], repeat: int = 5) -> Callable[[Any], Comparison]:
    """`compare(f)(x)`: the derivative of `f` at a number or an array, by every method.

    `f` returns one real number. Each time is the best of `repeat` rounds.

    >>> def f(x):
    ...     return np.sin(x) * np.exp(-x)
    >>> table = compare(f, repeat=1)(0.5)
    >>> [row.method for row in table.rows if row.error is not None and row.error > 1e-12]
    ['forward difference', 'central difference']
    """

    def measure(x: Any) -> Comparison:
        given = np.asarray(x)
        if given.dtype.kind not in "fiu":
            raise InputError(
                "compare needs a real number or array", "pass x.astype(float)", source.here()
            )
        given = given.astype(float)[()]
        if np.shape(f(given)) != ():
            raise NonScalarOutputError(
                "compare needs a function of one real number as its result", "sum it", source.here()
            )
        rows = [
            _symbolic(f, given, repeat),
            *(_row(name, make(f), given, repeat) for name, make in _METHODS.items()),
        ]
        exact, reference = _reference(f, given, rows)
        size = float(np.max(np.abs(exact), initial=0)) or 1.0
        told = [
            r
            if r.value is None
            else r._replace(error=float(np.max(np.abs(r.value - exact), initial=0)) / size)
            for r in rows
        ]
        name = getattr(f, "__name__", "f").replace("<lambda>", "f")
        return Comparison(name, f, given, told, exact, reference)

    return measure


_METHODS: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "forward difference": lambda f: numeric.grad(f, method="forward"),
    "central difference": lambda f: numeric.grad(f, method="central"),
    "Richardson": lambda f: numeric.grad(f, method="richardson"),
    "complex step": lambda f: numeric.grad(f, method="complex", check=False),
    "forward mode": lambda f: (
        lambda x: jvp(f, (x,), (1.0,))[1] if np.ndim(x) == 0 else jacfwd(f)(x)
    ),
    "reverse mode": grad,
}


def _row(name: str, df: Callable[[Any], Any], x: Any, repeat: int) -> Row:
    try:
        value = np.asarray(df(x))[()]
    except WengertError as error:
        return Row(name, None, None, None, f"refused: {error.what}")
    return Row(name, value, None, _time(df, x, repeat))


def _time(df: Callable[[Any], Any], x: Any, repeat: int) -> float:
    """Seconds per call, the best of some rounds."""
    started = time.perf_counter()
    df(x)
    once = time.perf_counter() - started
    count = max(1, min(1000, int(0.01 / max(once, 1e-7))))
    best = once
    for _ in range(repeat):
        started = time.perf_counter()
        for _ in range(count):
            df(x)
        best = min(best, (time.perf_counter() - started) / count)
    return best


def _symbolic(f: Callable[[Any], Any], x: Any, repeat: int) -> Row:
    if np.size(x) > _MOST_SYMBOLS:
        return Row("symbolic", None, None, None, f"left out: {np.size(x)} symbols")
    try:
        started = time.perf_counter()
        variable = symbolic.symbols("x", np.shape(x))
        expr = symbolic.derivative(f)(variable)
        df = symbolic.function(expr, variable)
        built = time.perf_counter() - started
    except ImportError as error:
        return Row("symbolic", None, None, None, str(error))
    except WengertError as error:
        return Row("symbolic", None, None, None, f"refused: {error.what}")
    found = _row("symbolic", df, x, repeat)
    return found._replace(note=f"{symbolic.nodes(expr)} nodes, built in {1e3 * built:.0f} ms")


def _reference(f: Callable[[Any], Any], x: Any, rows: Sequence[Row]) -> tuple[Any, str]:
    """The exact derivative, rounded once, and where it comes from."""
    if rows[0].value is not None:
        variable = symbolic.symbols("x", np.shape(x))
        expr = symbolic.derivative(f, exact=True)(variable)
        at = {
            s: symbolic.number(v, exact=True)
            for s, v in zip(np.ravel(np.asarray(variable, object)), np.ravel(x), strict=True)
        }
        digits = [e.subs(at).evalf(50) for e in np.ravel(np.asarray(expr, object))]
        if all(d.is_Float or d.is_Integer or d.is_zero for d in digits):
            return np.array([float(d) for d in digits]).reshape(np.shape(x))[
                ()
            ], "by SymPy with 50 digits"
    agreed = {r.method: r.value for r in rows if r.method in _EXACT and r.value is not None}
    return np.median(list(agreed.values()), axis=0), f"the middle of {', '.join(agreed)}"


def _with_step(f: Callable[[Any], Any], x: Any, direction: Any, method: str, h: float) -> float:
    """The slope along a direction, by differences with exactly this step."""

    def along(t: Any) -> Any:
        return f(x + t * direction)

    if method == "complex":
        return float(numeric.derivative(along, 0.0, method="complex", step=h, check=False))
    with np.errstate(all="ignore"):
        if method == "central":
            return float((along(h) - along(-h)) / (2 * h))
        return float((along(h) - along(0.0)) / h)


def _error(r: Row) -> str:
    return "" if r.error is None else "0" if r.error == 0 else f"{r.error:.1e}"


def _shown(value: Any) -> str:
    return f"{value:.17g}" if np.ndim(value) == 0 else number(value)
