"""page: everything about one call on one HTML page that needs nothing else, no network either."""

from __future__ import annotations

import json
import platform
import re
import tempfile
import time
import warnings
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from html import escape, unescape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from wengert.api.arguments import Argnums
from wengert.api.gradients import grad
from wengert.api.jit import jit
from wengert.draw.code import Text, texts_of
from wengert.draw.findings import Finding, explained, findings_of, worst
from wengert.draw.flow import graph_of
from wengert.draw.graph import Graph
from wengert.draw.profile import Profile, best, profile_of, seconds, size
from wengert.draw.reading import plain, read
from wengert.draw.table import TraceTable, table_of
from wengert.draw.written import brief, html_table, number
from wengert.errors import NativeWarning, WengertError

_SECTIONS = {
    "result": "Result",
    "trust": "Trust",
    "code": "Code",
    "graph": "Graph",
    "trace": "Trace",
    "timing": "Timing",
}
_MOST_COMPILED = 150  # equations up to which compiled times are shown
_NOT_COMPILED = (
    f"Compiled times are shown where there is machine code, up to {_MOST_COMPILED} equations."
)
_HEATS = {
    "time": "time",
    "kept": "bytes kept",
    "made": "bytes made",
    "gradient": "gradient",
    "lost": "bits lost",
}


def page(f: Callable[..., Any], argnums: Argnums | None = None) -> Callable[..., Page]:
    """`page(f)(*args)`: one HTML page about one call, to look at, to keep, to send to somebody.

    The value and the gradient, what can be said about their trustworthiness, the code with the
    cost of each line, the graph with the way back, the table of all values, times. `.open()` shows
    it in the browser, `.save("f.html")` writes it, a notebook shows it in place. Nothing on it
    refers to anything outside of it.

    >>> def f(x):
    ...     return np.sum(np.sin(x) ** 2)
    >>> shown = page(f)(np.array([0.5, 1.0]))
    >>> shown
    <page about f: 3 equations, worst finding: ok>
    >>> "http" in shown.html().replace("http://www.w3.org", "")
    False
    """

    def show(*args: Any, **kwargs: Any) -> Page:
        numbers = tuple(range(len(args))) if argnums is None else argnums
        places = (numbers,) if isinstance(numbers, int) else tuple(numbers)
        return Page(f, args, kwargs, places)

    show.__name__ = f"page({getattr(f, '__name__', 'f')})"
    return show


class Page:
    """What `page` gathered: `findings`, `graph`, `table` and `profile`, and all of it as `html()`."""

    findings: list[Finding]
    graph: Graph
    table: TraceTable
    profile: Profile

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Sequence[int]
    ) -> None:  # fmt: skip
        f = plain(f)
        self._reading = reading = read(f, args, kwargs, argnums, "page")
        try:
            self._adjoints = reading.adjoints()
        except WengertError:  # it stands among the findings
            self._adjoints = {}
        self.title = reading.title
        account = explained(f, args, kwargs, argnums)
        self._lost = {} if isinstance(account, WengertError) else account.heat  # bits, by place
        self.findings = findings_of(f, args, kwargs, argnums, account)
        self.graph = graph_of(reading, derivatives=bool(self._adjoints))
        self.table = table_of(reading, self._adjoints)
        self.profile = profile_of(reading, backwards=bool(self._adjoints))
        small = len(reading.program.eqns) <= _MOST_COMPILED  # (a page should not take minutes)
        self._seconds: dict[str, float] = {"the function itself": self.profile.plain}
        if reading.single and reading.out.type.dtype.kind == "f" and self._adjoints:
            with np.errstate(all="ignore"):
                gradient = grad(f, tuple(argnums), trust="off")
                self._seconds["gradient"] = best(lambda: gradient(*args, **kwargs))
                if small:
                    self._seconds |= _compiled(gradient, args, kwargs, "the gradient, compiled")
        if small:
            self._seconds |= _compiled(f, args, kwargs, "the function, compiled")

    def __repr__(self) -> str:
        count = len(self._reading.program.eqns)
        return (
            f"<page about {self.title}: {count} equations, worst finding: {worst(self.findings)}>"
        )

    def save(self, path: str | Path) -> Path:
        """Write the page."""
        Path(path).write_text(self.html(), encoding="utf-8")
        return Path(path)

    def open(self) -> Path:
        """Write the page to a temporary file and show it in the browser."""
        place = Path(tempfile.mkdtemp(prefix="wengert-")) / f"{_file_name(self.title)}.html"
        webbrowser.open(self.save(place).as_uri())
        return place

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html(), quote=True)}" title="{escape(self.title)}" '
            'style="width:100%;height:80vh;border:1px solid #cbd5e1"></iframe>'
        )

    # ---- the page ------------------------------------------------------------------------------------
    def html(self) -> str:
        """The page as text."""
        room = files("wengert.draw")
        style, script = (
            (room / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
        )
        parts = {
            "result": self._result, "trust": self._trust, "code": self._code,
            "graph": self._graph, "trace": self._trace, "timing": self._timing,
        }  # fmt: skip
        links = "".join(f'<a href="#{k}">{t}</a>' for k, t in _SECTIONS.items())
        body = "".join(
            f'<section id="{k}" aria-labelledby="{k}-head"><h2 id="{k}-head">{t}</h2>{"".join(parts[k]())}</section>'
            for k, t in _SECTIONS.items()
        )
        given = ", ".join(
            f"{name} = {brief(self._reading.values[v])}" for name, v in self._reading.inputs.items()
        )
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)} – wengert</title><style>{style}</style></head><body>"
            '<a class="skip" href="#result">Skip to the result</a>'
            f'<header><h1>{escape(self.title)}</h1><p class="soft">at {escape(given)}</p></header>'
            f'<nav aria-label="Parts of this page">{links}</nav><main>{body}</main>'
            f'<footer class="soft"><p>{escape(_versions())}</p></footer>'
            f"<script>{script}</script></body></html>\n"
        )

    def _result(self) -> Iterator[str]:
        r = self._reading
        yield f"<p>value: <b>{escape('; '.join(map(brief, r.results)))}</b></p>"
        yield _scrolled(
            html_table(
                ("argument", "value", f"∂{r.target}/∂argument"),
                [
                    [
                        name,
                        brief(r.values[v]),
                        brief(self._adjoints.get(v, 0.0)) if self._adjoints else "none",
                    ]
                    for name, v in r.inputs.items()
                ],
            ),
            "arguments and derivatives",
        )
        if not r.single:
            yield '<p class="soft">The derivative of the sum of the results.</p>'

    def _trust(self) -> Iterator[str]:
        for x in self.findings:
            text = f"<pre>{escape(x.text)}</pre>" if x.text else ""
            yield f'<div class="finding {x.kind}"><b>{x.kind}</b>{escape(x.title)}{text}</div>'

    def _code(self) -> Iterator[str]:
        heats = self._heats()
        choices = "".join(
            f'<label><input type="radio" name="heat" value="{k}"{" checked" if k == "time" else ""}> {t}</label>'
            for k, t in _HEATS.items()
        )
        yield f"<fieldset><legend>The heat shows</legend>{choices}</fieldset>"
        blocks = [_block(text, heats) for text in texts_of(self._reading)]
        yield _scrolled(
            f'<div class="code">{"".join(blocks)}</div>', "code with the cost of each line"
        )
        if not blocks:
            yield "<p>The source text of this function cannot be read.</p>"

    def _heats(self) -> dict[tuple[str, int], dict[str, tuple[float, str]]]:
        """Per line and kind of heat: the share of the hottest line, and the cost as text."""
        sizes: dict[tuple[str, int], float] = {}
        for eqn in self._reading.program.eqns:
            line = self._reading.program.line(eqn)
            for v in eqn.outputs if line else ():
                g = self._adjoints.get(v)
                if g is not None and line is not None:
                    place = line.file, line.line
                    sizes[place] = max(sizes.get(place, 0.0), float(np.max(np.abs(g), initial=0)))
        lost: dict[tuple[str, int], float] = {}
        for line, bits in self._lost.items():
            lost[line.file, line.line] = max(lost.get((line.file, line.line), 0.0), bits)
        raw: dict[str, dict[tuple[str, int], tuple[float, str]]] = {k: {} for k in _HEATS}
        for row in self.profile.rows:
            place, t = (row.file, row.line), row.forward + row.backward
            raw["time"][place] = t, seconds(t)
            raw["kept"][place] = float(row.kept), size(row.kept)
            raw["made"][place] = float(row.made), size(row.made)
            g = sizes.get(place, 0.0)
            raw["gradient"][place] = g, f"|∂| ≤ {number(g)}"
            raw["lost"][place] = lost.get(place, 0.0), f"{lost.get(place, 0.0):.0f} bits"
        found: dict[tuple[str, int], dict[str, tuple[float, str]]] = {}
        for kind, costs in raw.items():
            top = max((c for c, _ in costs.values() if np.isfinite(c)), default=0.0) or 1.0
            for place, (c, text) in costs.items():
                share = min(c / top, 1.0) if np.isfinite(c) else 1.0
                found.setdefault(place, {})[kind] = (round(share, 4), text)
        return found

    def _graph(self) -> Iterator[str]:
        yield (
            '<fieldset><label><input type="checkbox" id="fit" checked> fit to the width</label>'
            '<span class="soft">dashed: the way back, with the local derivatives</span></fieldset>'
        )
        yield _scrolled(
            f'<div class="graph fit">{self.graph._repr_html_()}</div>', "graph of the computation"
        )

    def _trace(self) -> Iterator[str]:
        yield (
            '<fieldset><label for="filter">Only rows with</label> <input type="search" id="filter" '
            'placeholder="a name, a call, a line"> <span id="count" class="soft" aria-live="polite"></span></fieldset>'
        )
        yield _scrolled(_searchable(self.table.html()), "every value, local derivative and adjoint")

    def _timing(self) -> Iterator[str]:
        rows = [[name, seconds(t)] for name, t in self._seconds.items()]
        yield _scrolled(html_table(("call", "the best of some"), rows), "times of whole calls")
        notes = [] if len(rows) > 2 else [_NOT_COMPILED]
        yield "".join(f"<p>{escape(t)}</p>" for t in [*self.profile.summary(), *notes])
        yield _scrolled(self.profile.html(), "costs by line")


def _compiled(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> dict[str, float]:
    """The times of the first call and of later ones, where there is machine code for it."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", NativeWarning)
        try:
            fast = jit(f)
            start = time.perf_counter()
            fast(*args, **kwargs)
            first = time.perf_counter() - start
        except (WengertError, NativeWarning):
            return {}
        return {
            f"{name} (the first call {seconds(first)})": best(lambda: fast(*args, **kwargs), 20)
        }


def _scrolled(inside: str, label: str) -> str:
    """A part that scrolls by itself, by keyboard as well."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{inside}</div>'


def _searchable(table: str) -> str:
    """Each row of a table knows its own text, lower case, for the filter."""

    def marked(match: re.Match[str]) -> str:
        text = unescape(re.sub(r"<[^>]*>", " ", match[1])).lower()
        return f'<tr data-text="{escape(text, quote=True)}">{match[1]}</tr>'

    head, body = table.split("<tbody>", 1)
    return head + "<tbody>" + re.sub(r"<tr>(.*?)</tr>", marked, body, flags=re.DOTALL)


def _block(text: Text, heats: dict[tuple[str, int], dict[str, tuple[float, str]]]) -> str:
    """Lines of a file with their heat."""
    rows = [f'<div class="file">{escape(text.title)}</div>']
    for n, line in text.lines:
        heat = heats.get((text.file, n))
        shown = f'<span class="text">{escape(line) or " "}</span>'
        if heat is None:
            rows.append(
                f'<div class="row"><span class="no">{n}</span><span></span>{shown}<span></span></div>'
            )
            continue
        share, cost = heat["time"]
        place = f"{Path(text.file).name}:{n}"
        rows.append(
            f'<div class="row" data-heat="{escape(json.dumps(heat), quote=True)}" style="--share:{0.55 * share:.3f}">'
            f'<button data-line="{escape(place)}" aria-label="line {n}: its rows in the trace">{n}</button>'
            f'<span class="bar" style="width:{4.4 * share:.2f}rem"></span>{shown}'
            f'<span class="cost">{escape(cost)}</span></div>'
        )
    return "".join(rows)


def _file_name(title: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in title) or "page"


def _versions() -> str:
    version = import_module("wengert").__version__  # the roof, which a room does not import
    return f"wengert {version}, NumPy {np.__version__}, Python {platform.python_version()}"
