"""ChainRule: how a derivative comes about, step by step, as a textbook would write it.

What `reading` finds in a recorded call, as text, as LaTeX and as HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from wengert.draw.formulas import HOLE
from wengert.draw.written import (
    aligned,
    bracketed,
    composed,
    equals,
    html_lines,
    html_table,
    is_single,
    latex_name,
    latex_number,
    number,
    partial,
)


class Factor(NamedTuple):
    """A local derivative: of a step, by one of its operands."""

    operand: str
    formula: str
    latex: str
    value: Any  # a number, the slopes of each element, or None where it is no product


class Step(NamedTuple):
    """An elementary step: `name = formula`, at `line` of the user's code."""

    name: str
    formula: str
    latex: str
    value: Any
    line: str
    factors: tuple[Factor, ...]
    slope: Any  # of the result by this step; None where the result is no single number


class Path(NamedTuple):
    """One way from the result back to an input, and what it contributes to the derivative."""

    input: str
    names: tuple[str, ...]  # result, …, input
    factors: tuple[Factor, ...]
    value: Any


class ChainRule:
    """What `chain_rule` found: print it, or take `rows`, `paths` and `gradient`.

    `counts` says how many paths lead to each input; where there are many, only their sum is told.
    """

    def __init__(
        self, name: str, inputs: Mapping[str, Any], result: str, value: Any, rows: Sequence[Step],
        paths: Sequence[Path], counts: Mapping[str, int], gradient: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.name, self.inputs, self.result, self.value = name, dict(inputs), result, value
        self.rows, self.paths = tuple(rows), tuple(paths)
        self.counts, self.gradient = dict(counts), dict(gradient)

    def __repr__(self) -> str:
        return f"<chain rule of {self.name}: {len(self.rows)} steps>"

    # ---- text --------------------------------------------------------------------------------------
    def __str__(self) -> str:
        given = ", ".join(f"{k} = {number(v)}" for k, v in self.inputs.items())
        lines = [f"{self.name}({', '.join(self.inputs)}) = {number(self.value)} at {given}", ""]
        lines += aligned(self._text_rows())
        for name in self.inputs:
            lines += ["", *self._text_of_paths(name)]
        if any(HOLE in f.formula for step in self.rows for f in step.factors):
            lines += ["", f"{HOLE} is what comes from above"]
        return "\n".join(lines)

    def _text_rows(self) -> Iterator[list[str]]:
        told = ""
        for step in self.rows:
            head, line = [f"  {step.name} = {step.formula}", f"= {number(step.value)}"], step.line
            for f in step.factors or (None,):
                local = (
                    ["", "", ""]
                    if f is None
                    else [f"∂{step.name}/∂{f.operand}", f"= {f.formula}", equals(f.value)]
                )
                yield [*head, *local, "" if line == told else line]
                head, told = ["", ""], line

    def _text_of_paths(self, name: str) -> list[str]:
        """The derivative by one input: each path as symbols, formulas, numbers; then their sum."""
        left, total = f"∂{self.result}/∂{name}", self.gradient[name]
        paths = [p for p in self.paths if p.input == name]
        if not paths:
            count = self.counts[name]
            if not count:
                return [f"{left} = 0, no path leads there"]
            return [f"{left} = {number(total)}, the sum of {count} paths"]
        if len(paths) == 1:
            return _chain(left, _readings(paths[0]))
        lines = []
        for p in paths:
            lines += [f"{left} along {' → '.join(reversed(p.names))}", *_chain("   ", _readings(p))]
        return [*lines, f"{left} = {number(total)}, the sum of {len(paths)} paths"]

    # ---- LaTeX and HTML ----------------------------------------------------------------------------
    def latex(self) -> str:
        """The steps and the products as one `aligned` block."""
        rows = []
        for step in self.rows:
            head = f"{latex_name(step.name)} &= {step.latex}"
            for f in step.factors:
                value = latex_number(f.value) if f.value is not None else f.latex
                told = f.latex if value == f.latex else f"{f.latex} = {value}"
                rows.append(f"{head} & {partial(step.name, f.operand)} &= {told}")
                head = "&"
            if not step.factors:
                rows.append(f"{head} & &")
        for p in self.paths:
            product = r" \cdot ".join(partial(a, b) for a, b in pairwise(p.names))
            terms = [product, composed([f.latex for f in p.factors], latex=True)]
            if p.value is not None:
                terms.append(latex_number(p.value))
            terms = list(dict.fromkeys(terms[len(p.factors) == 1 :]))
            rows.append(f"{partial(self.result, p.input)} &= {' = '.join(terms)} & &")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def dot(self) -> str:
        """The graph of the computation in Graphviz's language, local derivatives on its edges."""
        lines = ["digraph {", "  rankdir=LR", "  node [shape=box]"]
        lines += [f"  {_quoted(name)} [style=rounded]" for name in self.inputs]
        for step in self.rows:
            lines.append(
                f"  {_quoted(step.name)} [label={_quoted(f'{step.name} = {step.formula}')}]"
            )
            for f in step.factors:
                lines.append(
                    f"  {_quoted(f.operand)} -> {_quoted(step.name)} [label={_quoted(f.formula)}]"
                )
        return "\n".join([*lines, "}"])

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def _repr_html_(self) -> str:
        heads = ("step", "value", "local derivative", "", f"∂{self.result}/∂step", "line")
        cells = []
        for step in self.rows:
            first = [f"{step.name} = {step.formula}", number(step.value)]
            last = ["" if step.slope is None else number(step.slope), step.line]
            for f in step.factors or (None,):
                local = (
                    ["", ""]
                    if f is None
                    else [f"∂{step.name}/∂{f.operand} = {f.formula}", equals(f.value)]
                )
                cells.append([*first, *local, *last])
                first, last = ["", ""], ["", ""]
        return html_table(heads, cells) + "".join(
            html_lines(self._text_of_paths(name)) for name in self.inputs
        )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _readings(p: Path) -> list[str]:
    """A path in symbols, in formulas, in numbers, and its value."""
    terms = [" · ".join(f"∂{a}/∂{b}" for a, b in pairwise(p.names))] if len(p.factors) > 1 else []
    terms.append(composed([f.formula for f in p.factors]))
    if len(p.factors) > 1 and all(is_single(f.value) for f in p.factors):
        values = [number(f.value) for f in p.factors]
        terms.append(" · ".join([values[0], *map(bracketed, values[1:])]))
    if p.value is not None:
        terms.append(number(p.value))
    return list(dict.fromkeys(terms))


def _chain(left: str, terms: Sequence[str]) -> list[str]:
    """left = first, and the others below it."""
    return [f"{left if n == 0 else ' ' * len(left)} = {term}" for n, term in enumerate(terms)]
