"""Names for inputs and outputs of exported functions, after the user's own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from wengert import tree

_KEYWORDS = frozenset(
    [
        "alignas",
        "alignof",
        "and",
        "asm",
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "constexpr",
        "continue",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "operator",
        "or",
        "private",
        "protected",
        "public",
        "register",
        "requires",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "while",
        "xor",
        "work",
        "std",
        "restrict",
        "main",
    ]
)


def identifier(text: str) -> str:
    """A name that C and C++ accept.

    >>> identifier("params['w'][0]"), identifier("double"), identifier("λ")
    ('params_w_0', 'double_', 'u3bb')
    """
    text = "".join(c if c.isascii() else f"u{ord(c):x}" for c in text)
    text = re.sub(r"\W+", "_", text).strip("_") or "x"
    text = re.sub(r"__+", "_", text)
    if text[0].isdigit():
        text = "x" + text
    reserved = text in _KEYWORDS or re.fullmatch(r"[vigtc]\d+", text) or text.startswith("wengert")
    return text + "_" if reserved else text


def leaf_names(fun: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """One name for each leaf, after the parameters and the places in containers."""
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        parameters = []
    heads = []
    for n in range(len(args)):
        p = parameters[min(n, len(parameters) - 1)] if parameters else None
        plain = p is not None and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        heads.append(p.name if plain and n < len(parameters) and p is not None else f"x{n}")
    names = [h + path for h, a in zip(heads, args, strict=True) for path in tree.paths(a)]
    return distinct(map(identifier, names))


def distinct(names: Any, taken: Sequence[str] = ()) -> list[str]:
    """The names, made different from each other and from those taken."""
    found: list[str] = []
    for name in names:
        while name in found or name in taken:
            name += "_"
        found.append(name)
    return found
