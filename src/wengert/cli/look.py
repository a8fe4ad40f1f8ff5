"""`wengert draw`, `trace` and `page`: pictures and tables of a call."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from wengert.cli.call import job
from wengert.cli.failure import FINE, UsageError
from wengert.cli.output import collected, complain, say, tell
from wengert.draw.flow import draw
from wengert.draw.page import page
from wengert.draw.table import trace_table


def draw_command(options: argparse.Namespace) -> int:
    """The graph: as text, or into a file."""
    call = job(options)
    graph = call.ask(
        lambda f: draw(
            f, call.argnums, derivatives=options.derivatives, by=options.by, limit=options.limit
        )
    )
    if options.json:
        tell(
            {
                "title": graph.title,
                "nodes": [n._asdict() for n in graph.nodes],
                "edges": [e._asdict() for e in graph.edges],
                "groups": graph.groups,
            }
        )
    elif options.out:
        say(str(_saved(graph, options.out)))
    else:
        say(graph.dot() if options.form == "dot" else graph.mermaid())
    return FINE


def trace_command(options: argparse.Namespace) -> int:
    """The table of every value, local derivative and adjoint."""
    call = job(options)
    table = call.ask(lambda f: trace_table(f, call.argnums))
    if options.json:
        rows = [
            {
                "name": r.name, "formula": r.formula, "value": r.value, "adjoint": r.adjoint, "line": r.line,
                "local": [f._asdict() for f in r.factors],
            }
            for r in table.rows
        ]  # fmt: skip
        tell({"title": table.title, "rows": rows})
    else:
        say(str(table))
    return FINE


def page_command(options: argparse.Namespace) -> int:
    """The HTML page about a call."""
    call = job(options)
    with collected() as said:
        made = call.ask(lambda f: page(f, call.argnums))
    path = Path(options.out or f"{call.name.replace('.', '_')}.html")
    _folder(path)
    made.save(path)
    if options.json:
        findings = [x._asdict() for x in made.findings]
        tell({"file": str(path), "findings": findings, "warnings": said})
    else:
        say(str(path))
        for text in said:
            complain(text)
    if options.open:
        webbrowser.open(path.resolve().as_uri())
    return FINE


def _saved(graph: object, out: str) -> Path:
    path = Path(out)
    _folder(path)
    return graph.save(path)  # type: ignore[attr-defined, no-any-return]


def _folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", "make it first")
