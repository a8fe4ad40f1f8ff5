"""Spelling: a program as Python that a user can paste, in her own names; checked by running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Eqn, Program
from wengert.ops.borrowed import Borrowed
from wengert.ops.families import Elementwise

# how strongly operators bind, and how they are written
_BINARY = {
    "add": ("+", 1),
    "sub": ("-", 1),
    "mul": ("*", 2),
    "div": ("/", 2),
    "scale": ("*", 2),
    "power": ("**", 4),
}
_REDUCED = {"sum": "np.sum", "mean": "np.mean", "max": "np.max", "min": "np.min", "prod": "np.prod",
            "length": "np.linalg.norm", "logsumexp": "special.logsumexp"}  # fmt: skip
_ATOM = 9


def spelled(program: Program, names: Sequence[str], args: Sequence[Any]) -> str | None:
    """Lines of Python that compute the program's one output; None where that has no plain spelling.

    The text is run at `args` and must give what the program gives.
    """
    if len(program.outputs) != 1 or len(names) < len(program.inputs):
        return None
    lines = _lines(program, names)
    if lines is None:
        return None
    text = "\n".join(lines)
    return text if _runs(program, text, names, args) else None


def _lines(program: Program, names: Sequence[str]) -> list[str] | None:
    uses = Counter(a for e in program.eqns for a in e.inputs if not isinstance(a, Const))
    said: dict[Any, tuple[str, int]] = {
        v: (n, _ATOM) for v, n in zip(program.inputs, names, strict=False)
    }
    lines: list[str] = []
    fresh = (n for n in "tuvwpqrsmk" if n not in names)
    for e in program.eqns:
        found = _expression(e, said)
        if found is None:
            return None
        v = e.outputs[0]
        if uses[v] > 1 and found[1] < _ATOM + 1 and len(found[0]) > 8:
            name = next(fresh, None)
            if name is None:
                return None
            lines.append(f"{name} = {found[0]}")
            found = name, _ATOM
        said[v] = found
    (end,) = program.outputs
    return [*lines, f"return {_atom(end, said)[0]}"]


def _atom(a: Any, said: dict[Any, tuple[str, int]]) -> tuple[str, int]:
    if isinstance(a, Const):
        value = a.value.item()
        text = f"{value:.17g}" if isinstance(value, float) else repr(value)
        text = repr(value) if isinstance(value, float) and float(repr(value)) == value else text
        text = text.removesuffix(".0") if len(text) < 8 else text
        return text, 0 if value < 0 else _ATOM
    return said[a]


def _expression(e: Eqn, said: dict[Any, tuple[str, int]]) -> tuple[str, int] | None:
    if len(e.outputs) != 1 or any(not isinstance(a, Const) and a not in said for a in e.inputs):
        return None
    parts = [_atom(a, said) for a in e.inputs]
    name = e.prim.name
    if name in _BINARY:
        sign, strength = _BINARY[name]
        left, right = parts
        lower = strength + (name == "power")
        a = left[0] if left[1] >= lower else f"({left[0]})"
        # brackets say in which order it is computed: digits hang on that
        b = right[0] if right[1] > strength else f"({right[0]})"
        return f"{a}{sign}{b}" if name == "power" else f"{a} {sign} {b}", strength
    if name == "neg":
        return f"-{parts[0][0] if parts[0][1] >= 2 else f'({parts[0][0]})'}", 2
    if name == "square":
        return f"{parts[0][0] if parts[0][1] >= 5 else f'({parts[0][0]})'}**2", 4
    if name in _REDUCED:
        rank = e.inputs[0].type.ndim
        axes = e.params["axes"]
        axis = "" if len(axes) == rank else f", axis={axes[0] if len(axes) == 1 else axes}"
        return f"{_REDUCED[name]}({parts[0][0]}{axis})", _ATOM
    if name == "broadcast" and e.inputs[0].type.shape == ():
        return parts[0]
    if isinstance(e.prim, Elementwise):
        function: Any = e.prim.function
        home = "special" if isinstance(function, Borrowed) else "np"
        return f"{home}.{function.__name__}({', '.join(p[0] for p in parts)})", _ATOM
    return None


def _runs(program: Program, text: str, names: Sequence[str], args: Sequence[Any]) -> bool:
    """Does the text compute what the program computes?"""
    import scipy.special

    body = "\n".join(f"    {line}" for line in text.splitlines())
    space: dict[str, Any] = {"np": np, "special": scipy.special}
    try:
        with np.errstate(all="ignore"):
            exec(f"def spelled({', '.join(names[: len(args)])}):\n{body}", space)
            found, wanted = space["spelled"](*args), evaluate(program, list(args))[0]
    except Exception:  # whatever was written, it is not Python then
        return False
    return bool(np.allclose(found, wanted, rtol=1e-12, atol=0, equal_nan=True))
