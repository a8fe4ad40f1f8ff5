"""Page: an explanation as HTML: findings, the user's lines coloured by the bits they lose, the way of the error."""

from __future__ import annotations

import linecache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wengert.trust.explain.account import Explanation

_STYLE = """
.wengert{font:14px/1.45 system-ui,sans-serif;color:#1b1b1b;background:#fff;padding:1em;max-width:60em}
.wengert pre,.wengert code{font:13px/1.5 ui-monospace,monospace}
.wengert .finding{border-left:4px solid #c0392b;padding:.2em .9em;margin:1em 0;background:#fbf6f5}
.wengert .cause{font-weight:600;color:#a02819}.wengert .do{color:#14632a;white-space:pre-wrap;font:13px/1.5 ui-monospace,monospace}
.wengert mark{background:#f5b7b1;padding:0 .1em}.wengert table{border-collapse:collapse;width:100%}
.wengert td{padding:.05em .5em;white-space:pre;font:13px/1.5 ui-monospace,monospace}
.wengert .bits{text-align:right;color:#777;width:5em}
"""


def page(explanation: Explanation) -> str:
    """The page; it needs no other file."""
    parts = [f"<style>{_STYLE}</style><div class='wengert'>"]
    parts.append(f"<h3>{escape(explanation.text().splitlines()[0])}</h3>")
    for f, *same in explanation.groups()[:50]:
        parts.append(f"<div class='finding'><b>{escape(f.component)}</b>: {escape(f.said)}")
        if f.line is not None:
            raw = linecache.getline(f.line.file, f.line.line).rstrip("\n")
            a, b = f.line.column, f.line.end_column
            shown = f"{escape(raw[:a])}<mark>{escape(raw[a:b])}</mark>{escape(raw[b:])}".strip()
            parts.append(f"<br><code>{escape(str(f.line))}</code><pre>{shown}</pre>")
        numbers = f": {escape(f.numbers)}" if f.numbers else ""
        parts.append(f"<span class='cause'>{escape(f.cause)}</span>{numbers}")
        if f.path:
            parts.append(f"<br>then {escape(' → '.join(f.path))}")
        parts.append(f"<div class='do'>{escape(f.suggestion)}</div>")
        if same:
            parts.append(f"the same: {escape(', '.join(g.component for g in same[:50]))}")
        parts.append("</div>")
    parts.append(_heat(explanation))
    parts.append(_graph(explanation))
    parts.append("</div>")
    return "".join(parts)


def _heat(explanation: Explanation) -> str:
    """The lines that were differentiated, coloured by the bits that they lose."""
    if not explanation.heat:
        return ""
    lost: dict[tuple[str, int], float] = {}
    for line, bits in explanation.heat.items():
        key = line.file, line.line
        lost[key] = max(lost.get(key, 0.0), bits)
    rows = []
    for file, number in sorted(lost):
        bits = lost[file, number]
        text = escape(linecache.getline(file, number).rstrip("\n"))
        shade = f"background:rgba(192,57,43,{min(bits / 53, 1) * 0.6:.2f})"
        rows.append(
            f"<tr style='{shade}'><td class='bits'>{number}</td><td>{text}</td><td class='bits'>-{bits:.0f} bits</td></tr>"
        )
    return f"<h4>Bits lost, line by line</h4><table>{''.join(rows)}</table>"


def _graph(explanation: Explanation) -> str:
    """The equations on the way of the first finding, from where the error was born to the result."""
    steps = explanation.graph[:14]
    if not steps:
        return ""
    height = 34 * len(steps) + 10
    drawn = []
    for n, (name, said, bits) in enumerate(steps):
        y = 34 * n + 8
        shade = int(255 - min(bits / 53, 1) * 130)
        if n:
            drawn.append(f"<line x1='110' y1='{y - 10}' x2='110' y2='{y}' stroke='#555'/>")
        drawn.append(
            f"<rect x='10' y='{y}' width='200' height='24' rx='4' fill='rgb(255,{shade},{shade})' stroke='#555'/>"
        )
        drawn.append(
            f"<text x='20' y='{y + 16}' font-size='12' font-family='monospace'>{escape(name)}</text>"
        )
        drawn.append(
            f"<text x='220' y='{y + 16}' font-size='12' font-family='monospace' fill='#555'>{escape(said)}</text>"
        )
    return f"<h4>The way of the error</h4><svg width='720' height='{height}' role='img'>{''.join(drawn)}</svg>"
