"""Writing numbers, names and products for the reader: in text, LaTeX and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from wengert.draw.formulas import HOLE, LATEX_HOLE
from wengert.ir.types import type_of

_SMALL = 12  # elements of an array that is still written out


def number(value: Any) -> str:
    """A number, a small array in one line, or the type of a larger one."""
    if np.ndim(value) == 0:
        return f"{value:.6g}" if np.asarray(value).dtype.kind in "fc" else str(value)
    if np.size(value) > _SMALL:
        return repr(type_of(value))
    text = np.array2string(
        np.asarray(value), separator=", ", formatter={"float_kind": lambda x: f"{x:.4g}"}
    )
    return re.sub(r"\s+", " ", text).replace("[ ", "[")


def brief(value: Any) -> str:
    """A number or a small array; of a larger one its type and its range.

    >>> print(brief(np.linspace(-1, 2, 50)))
    f64[50] -1 … 2
    """
    if isinstance(value, tuple | list):  # what a loop of unknown length leaves behind
        return f"{len(value)} items"
    array = np.asarray(value)
    if array.ndim == 0 or array.size <= 6:
        return number(value)
    if array.dtype.kind not in "fiu":
        return repr(type_of(array))
    known = array[~np.isnan(array)] if array.dtype.kind == "f" else array
    unknown = array.size - known.size
    if not known.size:
        return f"{type_of(array)!r} all nan"
    told = f"{type_of(array)!r} {np.min(known):.3g} … {np.max(known):.3g}"
    return told + (f" and {unknown} nan" if unknown else "")


def is_single(value: Any) -> bool:
    """Is it one number?"""
    return value is not None and np.ndim(value) == 0


def equals(value: Any) -> str:
    """`= value`, or nothing."""
    return "" if value is None else f"= {number(value)}"


def bracketed(text: str) -> str:
    """In brackets if it begins with a sign."""
    return f"({text})" if text.startswith("-") else text


def composed(terms: Sequence[str], latex: bool = False) -> str:
    """The product of local derivatives; one with a hole (`Xᵀ @ □`) is put around those before it.

    >>> composed(["2·v2", "cos(v1)", "Xᵀ @ □"])
    'Xᵀ @ (2·v2 · cos(v1))'
    """
    times, hole = (r" \cdot ", LATEX_HOLE) if latex else (" · ", HOLE)
    around = r"\left({}\right)" if latex else "({})"
    factors: list[str] = []
    for term in terms:
        if hole in term:
            inner = times.join(factors) or "1"
            infix = not term.endswith(f"({hole})")
            factors = [
                term.replace(hole, around.format(inner) if infix and len(factors) > 1 else inner)
            ]
        elif factors in (["1"], [r"\mathbf{1}"]):
            factors = [term]
        elif term != "1" or not factors:
            loose = (factors and term.startswith("-")) or re.search(r" [+-] ", term)
            factors.append(around.format(term) if loose and len(terms) > 1 else term)
    return times.join(factors)


def aligned(rows: Iterable[list[str]]) -> list[str]:
    """A table in text: columns of one width."""
    table = list(rows)
    widths = (
        [max((len(r[k]) for r in table), default=0) for k in range(len(table[0]))] if table else []
    )
    return ["  ".join(f"{c:<{w}}" for c, w in zip(r, widths, strict=True)).rstrip() for r in table]


def at(index: Any) -> str:
    """An index as it is written."""
    if isinstance(index, slice):
        ends = ["" if e is None else str(e) for e in (index.start, index.stop)]
        return ":".join(ends) + (f":{index.step}" if index.step not in (None, 1) else "")
    return str(index)


def partial(of: str, by: str) -> str:
    """∂of/∂by in LaTeX."""
    return rf"\frac{{\partial {latex_name(of)}}}{{\partial {latex_name(by)}}}"


def latex_name(name: str) -> str:
    """v1 → v_{1}; loss → \\mathrm{loss}; p['w'] → p_{\\mathrm{w}}."""
    match = re.fullmatch(r"([A-Za-z]+)_?(\d*)((?:\[.*\])*)", name)
    if match is None:
        return name if re.match(r"-?[\d.]", name) else rf"\mathrm{{{name}}}".replace("_", r"\_")
    head, digits, path = match.groups()
    head = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    inside = ", ".join(part.strip("'\"") for part in re.findall(r"\[(.*?)\]", path))
    below = digits or (inside if inside.isdigit() or not inside else rf"\mathrm{{{inside}}}")
    return f"{head}_{{{below}}}".replace("__", "_") if below else head


def latex_number(value: Any) -> str:
    """A number or a small matrix; of a larger one its space."""
    value = np.asarray(value)
    if value.ndim == 0:
        text = number(value[()])
        return re.sub(r"e([+-])0*(\d+)", lambda m: rf" \cdot 10^{{{m[1].strip('+')}{m[2]}}}", text)
    if value.size > _SMALL or value.ndim > 2:
        return r"\in \mathbb{R}^{" + r" \times ".join(map(str, value.shape)) + "}"
    rows = [" & ".join(f"{x:.4g}" for x in row) for row in np.atleast_2d(value)]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for a notebook."""
    head = "".join(f"<th style='text-align:left'>{escape(h)}</th>" for h in heads)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(c)}</td>" for c in r) + "</tr>"
        for r in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_lines(lines: Iterable[str]) -> str:
    """Lines of text as they are."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"
