"""The picture of a graph without graphviz: layers from top to bottom, drawn by Matplotlib.

Sugiyama's steps in their simplest form: arrows that close a cycle are left out of the ranking, a
box stands one layer below its lowest predecessor, and boxes of a layer are sorted by the mean place of
their neighbours, some times down and up.
"""

from __future__ import annotations

from collections.abc import Iterable

from wengert.draw.graph import BACK, COLOURS, Graph
from wengert.draw.picture import Picture, new_figure

_SWEEPS = 8
_CHARACTER, _LINE = 0.073, 0.165  # inches


def layers(keys: Iterable[str], arrows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The boxes of each layer, from left to right.

    >>> layers("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    [['a'], ['b', 'c'], ['d']]
    """
    keys = list(keys)
    place = {k: n for n, k in enumerate(keys)}
    # what is written down later comes later: only folded graphs have arrows that run back
    forth = [(a, b) for a, b in dict.fromkeys(arrows) if place[a] < place[b]]
    above: dict[str, list[str]] = {k: [] for k in keys}
    below: dict[str, list[str]] = {k: [] for k in keys}
    for a, b in forth:
        above[b].append(a)
        below[a].append(b)
    rank: dict[str, int] = {}
    for k in keys:
        rank[k] = max((rank[a] + 1 for a in above[k]), default=0)
    for k in reversed(keys):  # what has no predecessor stands just above what it is for
        if not above[k] and below[k]:
            rank[k] = min(rank[b] for b in below[k]) - 1
    rows: list[list[str]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for k in keys:
        rows[rank[k]].append(k)
    at = {k: float(n) for row in rows for n, k in enumerate(row)}
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            row.sort(key=lambda k: sum(at[a] for a in near[k]) / len(near[k]) if near[k] else at[k])
            at.update((k, n - (len(row) - 1) / 2) for n, k in enumerate(row))
    return rows


def picture(graph: Graph) -> Picture:
    """The graph as a figure. Raises ImportError without Matplotlib."""
    figure = new_figure(4, 3, None)
    boxes = {n.key: n for n in graph.nodes}
    texts = {
        k: "\n".join([*n.lines, *([n.adjoint] if n.adjoint else [])]) for k, n in boxes.items()
    }
    size = {
        k: (
            0.3 + _CHARACTER * max(map(len, t.split("\n")), default=1),
            0.12 + _LINE * (t.count("\n") + 1),
        )
        for k, t in texts.items()
    }
    arrows = [(e.tail, e.head) for e in graph.edges if not e.back]
    rows = layers(boxes, arrows)
    told = any(e.label for e in graph.edges)
    gap = 0.9 if told else 0.5
    centre: dict[str, tuple[float, float]] = {}
    y, width = 0.0, 0.0
    for row in rows:
        tall = max(size[k][1] for k in row)
        across = sum(size[k][0] for k in row) + 0.4 * (len(row) - 1)
        x = -across / 2
        for k in row:
            centre[k] = x + size[k][0] / 2, y - tall / 2
            x += size[k][0] + 0.4
        y -= tall + gap
        width = max(width, across)
    lines = list(graph.groups.items())
    height = -y + 0.6 + 0.2 * len(lines)
    figure.set_size_inches(min(width + 0.6, 60), min(height, 60))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-width / 2 - 0.3, width / 2 + 0.3), ylim=(y - 0.2 * len(lines), 0.6))
    axes.axis("off")
    number = {g: n for n, (g, _) in enumerate(lines, 1)}
    for e in graph.edges:
        (xa, ya), (xb, yb) = centre[e.tail], centre[e.head]
        sign = 1 if e.back else -1
        side = 0.14 if e.back else 0.0  # beside the arrow of the computation
        axes.annotate(
            "", (xb + side, yb - sign * size[e.head][1] / 2), (xa + side, ya + sign * size[e.tail][1] / 2),
            arrowprops={
                "arrowstyle": "->", "color": BACK if e.back else "#475569", "linestyle": "--" if e.back else "-",
                "shrinkA": 1, "shrinkB": 1,
            },
        )  # fmt: skip
        if e.label:
            axes.text(
                (xa + xb) / 2 + side + 0.06, (ya + yb) / 2, e.label, fontsize=7, va="center",
                color=BACK if e.back else "#475569",
            )  # fmt: skip
    for k, n in boxes.items():
        fill, border = COLOURS[n.kind]
        mark = f"  ({number[n.group]})" if n.group is not None else ""
        axes.text(
            *centre[k], texts[k] + mark, ha="center", va="center", fontsize=8.5,
            bbox={"boxstyle": "round,pad=0.4" if n.kind == "input" else "square,pad=0.4",
                  "facecolor": fill, "edgecolor": border},
        )  # fmt: skip
    axes.text(0, 0.4, graph.title, ha="center", fontsize=11)
    for g, text in lines:
        axes.text(
            -width / 2 - 0.1, y - 0.2 * (number[g] - 1), f"({number[g]})  {text}", fontsize=8,
            family="monospace", color="#334155", va="top",
        )  # fmt: skip
    return Picture(figure, graph.title, graph)
