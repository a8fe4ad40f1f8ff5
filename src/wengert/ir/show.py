"""Printing a program: one line per equation, with the user's line beside it."""

from __future__ import annotations

from itertools import count
from typing import Any

from wengert.ir.program import Const, Eqn, Program


def _names() -> Any:
    for n in count():
        name, n = chr(97 + n % 26), n // 26
        while n:
            name, n = chr(97 + (n - 1) % 26) + name, (n - 1) // 26
        yield name


def _number(value: Any) -> str:
    return repr(value.item() if getattr(value, "shape", None) == () else value)


def _param(value: Any) -> str:
    if isinstance(value, Program):
        return f"<{value.name}>"
    if isinstance(value, slice):
        parts = ["" if q is None else str(q) for q in (value.start, value.stop)]
        return ":".join(parts) + (f":{value.step}" if value.step not in (None, 1) else "")
    if isinstance(value, tuple):
        return "(" + ", ".join(_param(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    return (
        value.name
        if hasattr(value, "name") and not isinstance(value, str)
        else getattr(value, "__name__", repr(value))
    )


def show(program: Program, indent: str = "", sources: bool = True) -> str:
    """The text form of a program.

    >>> import wengert as wg
    >>> print(show(wg.program(lambda x: x * x + 1.0)(2.0), sources=False))
    <lambda>(a: f64[]) -> f64[]:
      b: f64[] = mul a a
      c: f64[] = add b 1.0
      return c
    """
    fresh = _names()
    names: dict[Any, str] = {}

    def name(atom: Any) -> str:
        if isinstance(atom, Const):
            return _number(atom.value)
        if atom not in names:
            names[atom] = next(fresh)
        return names[atom]

    heads = ", ".join(f"{name(v)}: {v.type!r}" for v in program.inputs)
    results = ", ".join(repr(t) for t in program.out_types)
    rows: list[tuple[str, str]] = [(f"{indent}{program.name}({heads}) -> {results}:", "")]
    for e in program.eqns:
        rows.append((f"{indent}  {_equation(e, name)}", _comment(program, e) if sources else ""))
        for value in e.params.values():
            if isinstance(value, Program):
                rows.extend(
                    (line, "") for line in show(value, indent + "    ", sources).split("\n")
                )
    rows.append((f"{indent}  return {', '.join(name(a) for a in program.outputs)}", ""))
    width = min(72, max((len(left) for left, right in rows if right), default=0))
    return "\n".join(f"{left:<{width}}  # {right}" if right else left for left, right in rows)


def _equation(e: Eqn, name: Any) -> str:
    ins = " ".join(name(a) for a in e.inputs)
    params = ", ".join(f"{k}={_param(v)}" for k, v in e.params.items())
    outs = ", ".join(f"{name(v)}: {v.type!r}" for v in e.outputs)
    return f"{outs} = {e.prim.name}{f'[{params}]' if params else ''} {ins}".rstrip()


def _comment(program: Program, e: Eqn) -> str:
    line = program.line(e)
    return "" if line is None else f"{line}  {line.text}".rstrip()
