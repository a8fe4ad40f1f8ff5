"""The user's source text around the lines that a program comes from: whole functions, file by file."""

from __future__ import annotations

import ast
import linecache
import os
from typing import NamedTuple

from wengert.draw.reading import Reading

_AROUND = 2  # lines shown before and after, where no function can be found


class Text(NamedTuple):
    """Some lines of a file, numbered."""

    file: str
    title: str
    lines: tuple[tuple[int, str], ...]


def texts_of(reading: Reading) -> list[Text]:
    """The functions that equations come from, in the order in which they were first entered."""
    wanted: dict[str, list[int]] = {}
    for eqn in reading.program.eqns:
        line = reading.program.line(eqn)
        if line is not None and line.text:
            wanted.setdefault(line.file, []).append(line.line)
    found = []
    for file, numbers in wanted.items():
        lines = linecache.getlines(file)
        ranges = _ranges(lines, numbers)
        for first, last in ranges:
            shown = tuple(
                (n, lines[n - 1].rstrip("\n")) for n in range(first, min(last, len(lines)) + 1)
            )
            found.append(Text(file, os.path.basename(file), shown))
    return found


def _ranges(lines: list[str], numbers: list[int]) -> list[tuple[int, int]]:
    """First and last lines of the outermost functions around these lines; overlaps are joined."""
    try:
        functions = [
            (min([d.lineno for d in node.decorator_list] + [node.lineno]), node.end_lineno or node.lineno)
            for node in ast.walk(ast.parse("".join(lines)))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]  # fmt: skip
    except (SyntaxError, ValueError):  # a notebook's cell with magic, or a doctest
        functions = []
    found: dict[tuple[int, int], None] = {}
    for n in dict.fromkeys(numbers):
        around = [r for r in functions if r[0] <= n <= r[1]]
        found[min(around, default=(max(1, n - _AROUND), n + _AROUND))] = None
    joined: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined
