"""What can be read from the C++ text without a compiler: names of parameters, the function's line."""

from __future__ import annotations

import re

_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_OPEN, _CLOSE = "(<[{", ")>]}"


def without_comments(text: str) -> str:
    """The text with comments and strings blanked, every character else in its place."""
    return _NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def definition(text: str, name: str) -> tuple[int, list[str]] | None:
    """Line of the definition of a function, and its parameters' texts; None if it is not found.

    >>> definition("template <class T>\\nT f(const T& x, std::array<T, 2> y) { return x; }", "f")
    (2, ['const T& x', 'std::array<T, 2> y'])
    """
    code = without_comments(text)
    for found in re.finditer(rf"\b{re.escape(name)}\s*\(", code):
        end = _matching(code, found.end())
        if end is None or not re.match(r"\s*(noexcept\b[^{;]*|->[^{;]*)?\{", code[end + 1 :]):
            continue
        line = code.count("\n", 0, found.start()) + 1
        return line, _split(code[found.end() : end])
    return None


def parameter_names(parameters: list[str]) -> list[str] | None:
    """Names of the parameters; None where one has none.

    >>> parameter_names(["const T& x", "std::array<T, 2> y", "int n = 3"])
    ['x', 'y', 'n']
    """
    names = []
    for p in parameters:
        p = p.partition("=")[0].strip()
        found = re.search(r"[\s&>*](\w+)$", p)
        if found is None or found.group(1) in ("T", "int", "double", "float", "bool", "const"):
            return None
        names.append(found.group(1))
    return names if len(set(names)) == len(names) else None


def _matching(code: str, start: int) -> int | None:
    depth = 1
    for n in range(start, len(code)):
        depth += (code[n] == "(") - (code[n] == ")")
        if depth == 0:
            return n
    return None


def _split(parameters: str) -> list[str]:
    depth, start, parts = 0, 0, []
    for n, c in enumerate(parameters):
        depth += (c in _OPEN) - (c in _CLOSE)
        if c == "," and depth == 0:
            parts.append(parameters[start:n])
            start = n + 1
    parts.append(parameters[start:])
    return [" ".join(p.split()) for p in parts if p.strip()]
