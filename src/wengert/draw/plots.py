"""plot: functions with their derivatives, errors against steps, sizes of gradients, costs by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.api.arguments import Argnums
from wengert.api.gradients import grad
from wengert.api.jit import Jitted
from wengert.draw.comparison import compare
from wengert.draw.picture import Picture, new_figure
from wengert.draw.profile import Profile, profile_of, seconds
from wengert.draw.profile_compiled import compiled_profile
from wengert.draw.reading import Reading, read
from wengert.errors import InputError
from wengert.ir import source

_BARS = 30  # at most that many lines or layers are drawn


class Plots:
    """`plot(f)(xs)`, and `plot.steps`, `plot.gradients`, `plot.profile`: each gives a `Picture`.

    A picture shows itself in a notebook; `.save("f.png")` writes it, `.figure` is Matplotlib's,
    `.data` holds the numbers.
    """

    def __call__(self, f: Callable[[Any], Any], orders: int = 2) -> Callable[..., Picture]:
        """`plot(f, orders=3)(xs)`: a function of one number and its derivatives, over the numbers `xs`.

        >>> picture = plot(np.tanh, orders=2)(np.linspace(-3, 3, 61))
        >>> sorted(picture.data)
        ['tanh', "tanh'", "tanh''"]
        >>> float(picture.data["tanh'"][30])
        1.0
        """
        if orders < 0:
            raise InputError(f"orders={orders} is negative", "pass 0 or more", source.here())

        def drawn(xs: Any) -> Picture:
            return _derivatives(f, orders, xs)

        return drawn

    def steps(self, f: Callable[[Any], Any]) -> Callable[..., Picture]:
        """`plot.steps(f)(x)`: the V of numeric differentiation, and the exact slope's error beside it.

        To the left of the bottom rounding, to the right truncation. The exact derivative is
        SymPy's where it is there, see `wg.compare`.
        """

        def drawn(x: Any) -> Picture:
            table = compare(f, repeat=1)(x)
            figure = new_figure(6, 4)
            axes = figure.add_subplot()
            data = table.plot_errors(axes)
            return Picture(figure, f"the error of the slope of {table.name} against the step", data)

        return drawn

    def gradients(
        self, f: Callable[..., Any], argnums: Argnums | None = None
    ) -> Callable[..., Picture]:
        """`plot.gradients(f)(params)`: how large the gradient is, by parameter and by line.

        To the left the root mean square of the gradient of each parameter (each layer, where
        they stand in a container); to the right, of the derivative by the values that each line
        makes, in the order of the lines: where a gradient vanishes or explodes.
        """

        def drawn(*args: Any, **kwargs: Any) -> Picture:
            return _magnitudes(read(f, args, kwargs, argnums, "plot.gradients"))

        return drawn

    def profile(
        self, f: Callable[..., Any], argnums: Argnums | None = None
    ) -> Callable[..., Picture]:
        """`plot.profile(f)(*args)`: time and bytes of a call by line; `.data` is the table, to be printed.

        Of a compiled function (`wg.jit(f)`) the lines are compiled one by one, and stand beside
        the whole; what is shorter is what fusing across lines saves.
        """

        def drawn(*args: Any, **kwargs: Any) -> Picture:
            return _costs(measure(f, args, kwargs, argnums))

        return drawn


plot = Plots()


def measure(f: Callable[..., Any], args: Any, kwargs: Any, argnums: Argnums | None) -> Profile:
    """The profile of one call."""
    if isinstance(f, Jitted):
        return compiled_profile(f, args, kwargs)
    return profile_of(read(f, args, kwargs, argnums, "plot.profile"))


# ---- the pictures ----------------------------------------------------------------------------------


def _derivatives(f: Callable[[Any], Any], orders: int, xs: Any) -> Picture:
    places = np.asarray(xs, float)
    if places.ndim != 1 or places.size < 2:
        raise InputError(
            f"plot draws over a row of numbers, and got shape {places.shape}",
            "pass np.linspace(low, high, 200)",
            source.here(),
        )
    name = getattr(f, "__name__", "f").replace("<lambda>", "f")
    data: dict[str, Any] = {}
    g = f
    with np.errstate(all="ignore"):
        for order in range(orders + 1):
            label = name + ("'" * order if order <= 3 else f"^({order})")
            data[label] = np.array([float(g(x)) for x in places])
            g = grad(g, trust="off")
    figure = new_figure(6, 1.2 + 1.5 * len(data))
    panels = figure.subplots(len(data), 1, sharex=True, squeeze=False)[:, 0]
    for k, (axes, (label, ys)) in enumerate(zip(panels, data.items(), strict=True)):
        axes.axhline(0, color="0.8", linewidth=0.8)
        axes.plot(places, np.where(np.isfinite(ys), ys, np.nan), color=f"C{k}", linewidth=1.8)
        axes.set_ylabel(label)
        _tidy(axes)
    panels[-1].set_xlabel("x")
    figure.suptitle(f"{name} and its derivatives")
    return Picture(figure, f"{name} and its derivatives", data)


def _magnitudes(reading: Reading) -> Picture:
    adjoints = reading.adjoints()
    params = {name: _rms(adjoints.get(v, 0.0)) for name, v in reading.inputs.items()}
    lines: dict[str, list[Any]] = {}
    for eqn in reading.program.eqns:
        line = reading.program.line(eqn)
        place = "—" if line is None else f"{line}  {line.text[:36]}"
        lines.setdefault(place, []).extend(adjoints[v] for v in eqn.outputs if v in adjoints)
    by_line = {k: _rms(np.concatenate([np.ravel(g) for g in gs])) for k, gs in lines.items() if gs}
    figure = new_figure(10, 1.4 + 0.28 * max(len(params), len(by_line), 4))
    left, right = figure.subplots(1, 2)
    _bars(left, params, "by parameter")
    _bars(right, by_line, "by line (of the values made there)")
    figure.suptitle(f"Root mean square of the gradient of {reading.title}")
    data = {"parameters": params, "lines": by_line}
    return Picture(figure, f"gradients of {reading.title}", data)


def _bars(axes: Any, values: dict[str, float], title: str) -> None:
    shown = dict(list(values.items())[:_BARS])
    names = [f"{k}  ({v:.2g})" for k, v in shown.items()]
    sizes = np.array(list(shown.values()))
    there = sizes[(sizes > 0) & np.isfinite(sizes)]
    low = (there.min() if there.size else 1.0) / 3
    tall = (there.max() if there.size else 1.0) * 3
    heights = np.where(np.isfinite(sizes), np.maximum(sizes, low), tall)
    colours = ["tab:red" if not np.isfinite(s) or s == 0 else "tab:blue" for s in sizes]
    axes.barh(range(len(names)), heights, left=0, color=colours)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set(xscale="log", xlim=(low, tall))
    axes.set_title(title + (f", first {_BARS} of {len(values)}" if len(values) > _BARS else ""), fontsize=9)  # fmt: skip
    _tidy(axes)


def _costs(found: Profile) -> Picture:
    rows = found.rows[:_BARS]
    figure = new_figure(10, 1.6 + 0.3 * max(len(rows), 3))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    names = [f"{r.place}  {r.text[:36]}" for r in rows]
    at = np.arange(len(rows))
    forth, back = (np.array([1e6 * getattr(r, k) for r in rows]) for k in ("forward", "backward"))
    left.barh(at, forth, color="tab:blue", label="machine code" if found.compiled else "forwards")
    if not found.compiled:
        left.barh(at, back, left=forth, color="tab:orange", label="backwards")
    left.set_yticks(at, names, fontsize=7)
    left.set(
        xlabel="µs",
        title=f"time, {seconds(found.forward + found.backward)} in all"
        + (f"; compiled as a whole {seconds(found.plain)}" if found.compiled else ""),
    )
    made, kept = (np.array([getattr(r, k) / 1e3 for r in rows]) for k in ("made", "kept"))
    right.barh(at - 0.2, made, 0.4, color="0.75", label="made")
    if not found.compiled:
        right.barh(at + 0.2, kept, 0.4, color="tab:red", label="kept for the derivative")
    right.set_yticks(at, [""] * len(rows))
    right.set(xlabel="kB", title="memory")
    for axes in (left, right):
        axes.invert_yaxis()
        axes.legend(fontsize=7, loc="lower right")
        _tidy(axes)
    figure.suptitle(f"What a call of {found.title} costs, by line")
    return Picture(figure, f"profile of {found.title}", found)


def _rms(g: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.abs(g) ** 2))) if np.size(g) else 0.0


def _tidy(axes: Any) -> None:
    axes.spines[["right", "top"]].set_visible(False)
    axes.grid(alpha=0.25)
