"""Graph: boxes and arrows that print as DOT and Mermaid text, and show as a picture.

The texts need nothing. The picture is drawn by graphviz's `dot` where it is on the PATH, otherwise by
Matplotlib (`layers`).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from wengert.errors import InputError
from wengert.ir import source

# what a box is: fill, border
COLOURS = {
    "input": ("#dbeafe", "#1d4ed8"),
    "constant": ("#f1f5f9", "#64748b"),
    "step": ("#ffffff", "#475569"),
    "folded": ("#ede9fe", "#6d28d9"),
    "result": ("#dcfce7", "#15803d"),
    "wrong": ("#fee2e2", "#b91c1c"),
}
BACK = "#c2410c"  # the derivative's way back
_SECONDS = 60.0  # dot gets no more for one picture


class Node(NamedTuple):
    """A box: its lines of text, what it is (a key of `COLOURS`), the user's line it belongs to."""

    key: str
    lines: tuple[str, ...]
    kind: str
    group: str | None = None
    adjoint: str = ""


class Edge(NamedTuple):
    """An arrow; with `back`, the derivative's, which runs against the computation."""

    tail: str
    head: str
    label: str = ""
    back: bool = False


class Graph:
    """What `draw` made: print it (Mermaid), show it in a notebook, `save` it.

    `nodes`, `edges` and `groups` are the data; `dot()` and `mermaid()` the texts.
    """

    def __init__(
        self, title: str, nodes: Sequence[Node], edges: Sequence[Edge], groups: dict[str, str]
    ) -> None:
        self.title = title
        self.nodes, self.edges, self.groups = tuple(nodes), tuple(edges), dict(groups)

    def __repr__(self) -> str:
        return f"<graph of {self.title}: {len(self.nodes)} boxes, {len(self.edges)} arrows>"

    def __str__(self) -> str:
        return self.mermaid()

    def _members(self) -> list[tuple[str | None, list[Node]]]:
        """The boxes by group, in order of appearance; those of no group first."""
        found: dict[str | None, list[Node]] = {None: []}
        for n in self.nodes:
            found.setdefault(n.group, []).append(n)
        return list(found.items())

    # ---- text ----------------------------------------------------------------------------------------
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        rows = [
            "digraph {",
            f"  graph [label={_quoted(self.title)}, labelloc=t, fontname=Helvetica, rankdir=TB, nodesep=0.3]",
            "  node [shape=box, style=filled, fontname=Helvetica, fontsize=11, margin=0.12]",
            "  edge [fontname=Helvetica, fontsize=10, color=\"#475569\", arrowsize=0.7]",
        ]  # fmt: skip
        for group, nodes in self._members():
            pad = "  "
            if group is not None:
                rows.append(f"  subgraph {_quoted('cluster_' + group)} {{")
                rows.append(
                    f"    label={_quoted(self.groups[group])}; labeljust=l; fontsize=10; fontname=Courier; "
                    'fontcolor="#334155"; color="#cbd5e1"; style="rounded,filled"; fillcolor="#f8fafc"'
                )
                pad = "    "
            rows += [pad + _dot_node(n) for n in nodes]
            if group is not None:
                rows.append("  }")
        rows += [f"  {_dot_edge(e)}" for e in self.edges]
        return "\n".join([*rows, "}"])

    def mermaid(self) -> str:
        """The graph as Mermaid text, which GitHub, JupyterLab and many editors show as a picture."""
        rows = ["flowchart TD"]
        for group, nodes in self._members():
            pad = "  "
            if group is not None:
                rows.append(f'  subgraph {group}["{_mermaid(self.groups[group])}"]')
                pad = "    "
            for n in nodes:
                text = "<br/>".join(map(_mermaid, _texts(n)))
                shape = ('(["{}"])' if n.kind == "input" else '["{}"]').format(text)
                rows.append(f"{pad}{n.key}{shape}:::{n.kind}")
            if group is not None:
                rows.append("  end")
        for k, e in enumerate(self.edges):
            arrow = (
                f'-. "{_mermaid(e.label)}" .->'
                if e.back and e.label
                else ("-.->" if e.back else f'-- "{_mermaid(e.label)}" -->' if e.label else "-->")
            )
            rows.append(f"  {e.tail} {arrow} {e.head}")
            if e.back:
                rows.append(f"  linkStyle {k} stroke:{BACK},color:{BACK}")
        used = {n.kind for n in self.nodes}
        for kind, (fill, border) in COLOURS.items():
            if kind in used:
                rows.append(f"  classDef {kind} fill:{fill},stroke:{border},color:#0f172a")
        return "\n".join(rows)

    # ---- pictures ------------------------------------------------------------------------------------
    def svg(self) -> str:
        """The picture as SVG text.

        Raises ImportError where neither `dot` nor Matplotlib is there.
        """
        drawn = self._by_dot("svg")
        if drawn is None:
            from wengert.draw.layers import picture

            return picture(self).svg()
        text = drawn.decode()
        return text[text.index("<svg") :]

    def save(self, path: str | Path) -> Path:
        """Write a file; its name's end says what: .svg .png .pdf .dot .gv .mmd .html."""
        path = Path(path)
        end = path.suffix.lower().lstrip(".")
        if end in ("dot", "gv"):
            path.write_text(self.dot() + "\n", encoding="utf-8")
        elif end in ("mmd", "mermaid"):
            path.write_text(self.mermaid() + "\n", encoding="utf-8")
        elif end == "svg":
            path.write_text(self.svg(), encoding="utf-8")
        elif end in ("html", "htm"):
            head = f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>{escape(self.title)}</title>"
            path.write_text(f"{head}<body>{self._repr_html_()}</body></html>", encoding="utf-8")
        elif end in ("png", "pdf"):
            drawn = self._by_dot(end)
            if drawn is None:
                from wengert.draw.layers import picture

                return picture(self).save(path)
            path.write_bytes(drawn)
        else:
            raise InputError(
                f"a graph cannot be saved as {path.name!r}",
                "end the name with .svg, .png, .pdf, .dot, .gv, .mmd or .html",
                source.here(),
            )
        return path

    def _by_dot(self, form: str) -> bytes | None:
        """What `dot` draws; None where it is missing, fails, or takes too long."""
        program = shutil.which("dot")
        if program is None:
            return None
        options = ["-Gdpi=120"] if form == "png" else []
        try:
            done = subprocess.run(
                [program, f"-T{form}", *options], input=self.dot().encode(), capture_output=True,
                timeout=_SECONDS, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except ImportError:  # the notebook shows the HTML, then
            return None

    def _repr_html_(self) -> str:
        try:
            return f'<div style="overflow:auto">{self.svg()}</div>'
        except ImportError:  # neither dot nor Matplotlib: the text, which says the same
            return f"<pre>{escape(self.mermaid())}</pre>"


def _texts(n: Node) -> list[str]:
    return [*n.lines, *([n.adjoint] if n.adjoint else [])]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _dot_node(n: Node) -> str:
    fill, border = COLOURS[n.kind]
    style = ', style="filled,rounded"' if n.kind == "input" else ""
    label = "\n".join(_texts(n))
    return f'{n.key} [label={_quoted(label)}, fillcolor="{fill}", color="{border}"{style}]'


def _dot_edge(e: Edge) -> str:
    if not e.back:
        return f"{e.tail} -> {e.head}" + (f" [label={_quoted(e.label)}]" if e.label else "")
    # against the flow: laid out like the arrow of the computation, with its head at the other end
    return (
        f"{e.head} -> {e.tail} [dir=back, style=dashed, color={_quoted(BACK)}, "
        f"fontcolor={_quoted(BACK)}, label={_quoted(e.label)}]"
    )


_MERMAID = str.maketrans(
    {'"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "#": "#35;", "`": "#96;", "\n": "<br/>"}
)


def _mermaid(text: str) -> str:
    return text.translate(_MERMAID)
