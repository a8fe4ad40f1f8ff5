"""Coverage: which names of NumPy, SciPy and Python's `math` and `cmath` have a derivative, read from the rule tables.

`python docs/coverage.py > docs/coverage.md` renews the page; a test compares them.
"""

from __future__ import annotations

import ast
import cmath
import dis
import inspect
import math
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.special
from numpy.testing.overrides import get_overridable_numpy_array_functions

import wengert  # noqa: F401  (fills the tables)
from wengert.numpy_api.hooks import _replaced
from wengert.numpy_api.random import _NO_PATH, _OURS
from wengert.numpy_api.scalars import CMATH, MATH
from wengert.numpy_api.table import FUNCTIONS, UFUNCS
from wengert.numpy_api.undispatched import _HINTS
from wengert.ops import PRIMITIVES
from wengert.ops.families import Elementwise
from wengert.trace.tracer import Tracer

ROOT = Path(__file__).parent.parent
TESTS = [f for room in ("numpy_api", "scipy_api") for f in (ROOT / "tests" / room).glob("*.py")]
BOARDS = [ROOT / "tests/numpy_api/scoreboard.py", ROOT / "tests/scipy_api/board.py"]
LAWS = ROOT / "tests/laws/cases.py"
DISPATCHING = get_overridable_numpy_array_functions()
WORKS, UNTESTED, REFUSED, NOT_YET, OUTSIDE = (
    "works",
    "has a rule, no test of its own",
    "refused, with its own way out",
    "not yet",
    "not for traced values",
)
VERSIONS = (
    f"NumPy {np.__version__.rpartition('.')[0]} and SciPy {scipy.__version__.rpartition('.')[0]}"
)

HEAD = f"""\
# Coverage

Which names have a derivative. This page is read from the rule tables by `docs/coverage.py`, with
{VERSIONS}; a test compares the two, so it is neither promise nor memory.

- **{WORKS}**: a rule is registered, and a test names the function.
- **{UNTESTED}**: registered; the tests do not name it, so trust it less.
- **{REFUSED}**: an error that names your line and what to write instead.
- **{NOT_YET}**: an error too, that names your line, with general advice.
- **{OUTSIDE}**: NumPy asks nobody else. It takes shapes, dtypes, names or files, or it converts to a
  plain array, which a traced one refuses.

The classes and objects of `np` are not listed; the functions and classes of `np.polynomial` all work, since NumPy's own code runs
on traced values. Some arguments of functions that work are refused too, by name (`np.pad` with some modes, `axes=` of
`np.matmul`). Aliases share a place, joined by `=`.
"""


class Section(NamedTuple):
    """The names of one module, by what becomes of them."""

    title: str
    states: dict[str, list[str]]


# ---- what the tests name ----------------------------------------------------------------------------


def _dotted(node: ast.AST) -> str:
    """`np.linalg.det` of an attribute; `.sum` if its root is an expression or a local name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in (
        "np",
        "math",
        "cmath",
        "scipy",
        "special",
        "linalg",
        "sl",
        "sc",
        "sf",
        "fft",
    ):
        return ".".join([node.id, *reversed(parts)])
    return f".{parts[0]}"


def named_in_tests() -> set[str]:
    """Attributes and strings in the tests of the two doors."""
    found: set[str] = set()
    texts = [file.read_text(encoding="utf-8") for file in TESTS]
    for file in BOARDS:
        board = ast.parse(file.read_text(encoding="utf-8")).body[-1]
        assert isinstance(board, ast.Assign)
        for lines in ast.literal_eval(board.value).values():
            texts += map(str.strip, lines.strip().splitlines())
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                found.add(_dotted(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(f"'{node.value}'")
    return found


def under_the_laws() -> set[str]:
    """Ufuncs whose primitive has a line in the table of cases."""
    nodes = ast.walk(ast.parse(LAWS.read_text(encoding="utf-8")))
    strings = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    primitives = (PRIMITIVES.get(name) for name in strings)
    return {p.function.__name__ for p in primitives if isinstance(p, Elementwise)}


# ---- what becomes of a name -------------------------------------------------------------------------


def only_raises(rule: Any) -> bool:
    """Is there no way to return from this function?"""
    code = getattr(inspect.unwrap(rule), "__code__", None)
    return code is not None and not any(
        i.opname.startswith("RETURN") for i in dis.get_instructions(code)
    )


def state_of(function: Any, rule: Any, tested: bool) -> str:
    """The heading under which a function stands."""
    if rule is not None:
        return REFUSED if only_raises(rule) else WORKS if tested else UNTESTED
    if isinstance(function, np.ufunc) or hasattr(function, "__wengert_original__"):
        return NOT_YET
    by_argument = function in DISPATCHING and "like : " not in (function.__doc__ or "")
    return NOT_YET if by_argument else REFUSED if function.__name__ in _HINTS else OUTSIDE


def section(title: str, entries: Iterable[tuple[str, str]]) -> Section:
    """Names with their states, sorted."""
    states: dict[str, list[str]] = {}
    for name, state in sorted(entries, key=lambda entry: entry[0].lower()):
        states.setdefault(state, []).append(name)
    return Section(title, states)


def of_module(
    module: ModuleType, spellings: tuple[str, ...], wanted: Callable[[Any], bool], title: str
) -> Section:
    """Public functions of a module, aliases together."""
    tests, laws = named_in_tests(), under_the_laws()
    aliases: dict[Any, list[str]] = {}
    for name in dict.fromkeys(module.__all__):
        f = getattr(module, name)
        if (
            hasattr(f, "__name__")
            and not isinstance(f, type | ModuleType)
            and callable(f)
            and wanted(f)
        ):
            aliases.setdefault(f, []).append(name)
    entries = []
    for f, names in aliases.items():
        names.sort(key=lambda name: (name != f.__name__, name))
        hook = _replaced.get(names[0]) if module is np else None
        rule = UFUNCS.get(f) or FUNCTIONS.get(f) or (hook and hook[1])
        tested = any(f"{s}.{n}" in tests for s in spellings for n in names)
        tested |= isinstance(f, np.ufunc) and f.__name__ in laws
        entries.append((" = ".join(names), state_of(f, rule, tested)))
    return section(title, entries)


def of_arrays() -> Section:
    """Methods and attributes of `ndarray`."""
    tests = named_in_tests()
    entries = []
    for name in dir(np.ndarray):
        if name.startswith("_"):
            continue
        member = inspect.getattr_static(Tracer, name, None)
        rule = member.fget if isinstance(member, property) else member
        if rule is None:
            entries.append((name, NOT_YET))
        elif callable(rule) and only_raises(rule):
            entries.append((name, REFUSED))
        else:
            entries.append((name, WORKS if {f".{name}", f"'{name}'"} & tests else UNTESTED))
    return section("Methods and attributes of arrays", entries)


def of_scalars(module: ModuleType, rules: dict[str, Any]) -> Section:
    """Functions of `math` or `cmath`; the rest ask for a plain number, which a traced one refuses to be."""
    tests = named_in_tests()
    entries = []
    for name, f in vars(module).items():
        if not name.startswith("_") and callable(f):
            tested = bool({f"{module.__name__}.{name}", f"'{name}'"} & tests)
            rule = WORKS if tested else UNTESTED
            entries.append((name, rule if name in rules else NOT_YET))
    return section(module.__name__, entries)


def of_generators() -> Section:
    """Distributions of `np.random.Generator` whose samples move with their parameters."""
    tests = named_in_tests()
    ours = {n for n in vars(_OURS[np.random.Generator]) if not n.startswith("_")}
    entries = [(n, WORKS if f".{n}" in tests else UNTESTED) for n in ours]
    entries += [(n, REFUSED) for n in _NO_PATH if n not in ours and hasattr(np.random.Generator, n)]
    return section("np.random.Generator, made inside of the function", entries)


def sections() -> list[Section]:
    """All of it."""
    ufunc = lambda f: isinstance(f, np.ufunc)
    return [
        of_module(np, ("np",), ufunc, "np: elementwise functions (ufuncs)"),
        of_module(np, ("np",), lambda f: not ufunc(f), "np: functions"),
        of_module(np.linalg, ("np.linalg",), callable, "np.linalg"),
        of_module(np.fft, ("np.fft",), callable, "np.fft"),
        of_arrays(),
        of_generators(),
        of_scalars(math, MATH),
        of_scalars(cmath, CMATH),
        of_module(scipy.special, ("scipy.special", "special", "sc"), callable, "scipy.special"),
        of_module(scipy.linalg, ("scipy.linalg", "linalg", "sl"), callable, "scipy.linalg"),
        of_module(scipy.fft, ("scipy.fft", "fft", "sf"), callable, "scipy.fft"),
    ]


# ---- the page ---------------------------------------------------------------------------------------


def page() -> str:
    """The page as it should read."""
    found = sections()
    order = (WORKS, UNTESTED, REFUSED, NOT_YET, OUTSIDE)
    rows = ["| | " + " | ".join(order) + " |", "|---" * (len(order) + 1) + "|"]
    for title, states in found:
        rows.append(f"| {title} | " + " | ".join(str(len(states.get(s, ()))) for s in order) + " |")
    parts = [HEAD, "\n".join(rows) + "\n"]
    for title, states in found:
        parts.append(f"## {title}\n")
        for state in order:
            if names := states.get(state):
                text = f"**{state}** ({len(names)}): " + ", ".join(f"`{n}`" for n in names)
                parts.append(textwrap.fill(text, 110, break_on_hyphens=False) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
