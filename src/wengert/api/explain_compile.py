"""explain_compile and why_recompiled: what a compiled function consists of, and why it was compiled again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.api.jit import Event, Jitted, Version
from wengert.backends.code import For, If, Value, While
from wengert.errors import InputError
from wengert.ir import source
from wengert.memo.signature import Fixed

_PYTHON = ("trace", "simplify", "key", "lower", "print")
_LLVM = ("parse", "optimise", "emit", "link", "cache")


class Compilation:
    """What became of one kind of call. Print it; its parts are attributes.

    `program` as traced and `simplified`; `loops`, the loop code, and `llvm`, LLVM's text, of the machine
    code; `callbacks`, the equations that NumPy computes in between, each with the user's line; `calls` to functions outside;
    `buffers`; `seconds` per stage. Where there is no machine code `why` says so.
    """

    def __init__(self, name: str, version: Version) -> None:
        made = version.compiled
        self.name = name
        self.seconds = {"trace": version.trace.seconds, **made.seconds}  # (what the call took)
        self.program, self.simplified = version.trace.program, made.program
        self.why = made.why
        self.loops, self.llvm = "", ""
        self.cached = self.shared = False
        self.callbacks: list[str] = []
        self.calls: list[str] = []
        self.kernels: list[str] = []
        self.buffers: list[str] = []
        if made.code is not None:
            self._native(made)

    def _native(self, made: Any) -> None:
        code = made.code
        function = made.source.function
        self.seconds |= code.seconds
        self.cached, self.shared = code.loaded.cached, not made.fresh
        self.loops, self.llvm = str(function), made.source.text
        self.kernels = [
            *function.notes,
            *(_kernel(x, made.extents) for x in function.body.items if isinstance(x, For | While)),
        ]
        self.callbacks = [
            f"{c.prim.name}{f'  # {c.line}  {c.line.text}' if c.line is not None else ''}"
            for c in function.callbacks
        ]
        called = (
            line.split("call ", 1)[1].split("(")[0]
            for line in self.loops.splitlines()
            if "call " in line
        )
        self.calls = sorted({c for c in called if c != "wg_callback"})
        for group in (function.constants, function.temporaries, function.privates, function.tapes):
            for b in group:
                size = "·".join(
                    str(f if isinstance(f, int) else made.extents[f.data]) for f in b.size
                )
                self.buffers.append(f"{b.role} {b.name}: {b.type}[{size or 1}]")
        self.workspace = function.work_bytes(made.extents)

    def __str__(self) -> str:
        before, after = len(self.program.eqns), len(self.simplified.eqns)
        lines = [self.name, f"  program: {before} equations, {after} after simplification"]
        if self.why:
            lines.append(f"  no machine code: {self.why}")
        else:
            came = ", shared with a program of the same structure" if self.shared else ""
            came = came or (", read from the cache" if self.cached else "")
            lines.append(f"  machine code: {len(self.llvm.splitlines())} lines of LLVM{came}")
            for title, rows in (
                ("kernels", self.kernels),
                ("call-backs to NumPy", self.callbacks),
                ("calls", self.calls),
                ("buffers", self.buffers),
            ):
                lines.append(f"  {title}: {len(rows) or 'none'}")
                lines += [f"    {row}" for row in rows]
            lines.append(f"  workspace: {self.workspace} bytes")
        lines += [
            f"  {title}: {_times(stages, self.seconds)}"
            for title, stages in (("Python", _PYTHON), ("LLVM", _LLVM))
            if any(s in self.seconds for s in stages)
        ]
        return "\n".join(lines)

    __repr__ = __str__


def _kernel(loop: For | While, extents: Any) -> str:
    """A loop nest in a few words: over what, how much is done in it."""
    inside, nested = 0, 0
    pending = [loop.block]
    while pending:
        for item in pending.pop().items:
            if isinstance(item, For | While):
                nested += 1
                pending.append(item.block)
            elif isinstance(item, If):
                pending += [item.then, item.otherwise]
            elif isinstance(item, Value):
                inside += 1
    within = f", {nested} loops in it" if nested > 1 else ", one loop in it" if nested else ""
    if isinstance(loop, While):
        return f"while: {inside} operations{within}"
    n = loop.extent
    extent = n.data if n.op == "const" else extents[n.data] if n.op == "extent" else "…"
    sums = "".join(f", reduced by {r.op}" for r in loop.reductions)
    return f"{loop.kind} over {extent}: {inside} operations{within}{sums}"


def _times(stages: tuple[str, ...], seconds: dict[str, float]) -> str:
    found = [(s, seconds[s]) for s in stages if s in seconds]
    total = sum(t for _, t in found)
    return f"{1e3 * total:.1f} ms ({', '.join(f'{s} {1e3 * t:.1f}' for s, t in found)})"


def explain_compile(fun: Callable[..., Any]) -> Callable[..., Compilation]:
    """`explain_compile(f)(*args)`: what `wg.jit(f)` makes of such a call, without running it.

    Kernels, buffers, calls and call-backs (with your lines), and the time per stage.

    >>> import numpy as np, wengert as wg
    >>> print(
    ...     wg.explain_compile(lambda x: np.sum(np.sin(x) ** 2))(np.ones(1000))
    ... )  # doctest: +ELLIPSIS
    jit(<lambda>)
      program: 3 equations, 3 after simplification
    ...
    """
    jitted = fun if isinstance(fun, Jitted) else Jitted(fun, None, None)

    def explain(*args: Any, **kwargs: Any) -> Compilation:
        version = jitted.version_for(*args, **kwargs)
        return Compilation(jitted.__name__, version)

    explain.__name__ = f"explain_compile({jitted.__name__})"
    return explain


class Recompilations(list[Event]):
    """The events of a compiled function, in order; prints one line for each."""

    def __str__(self) -> str:
        if not self:
            return "it has not been called yet"
        return "\n".join(
            f"{n + 1}. {_kind(e.key)}: {e.why}{_reused(e)}" for n, e in enumerate(self)
        )

    __repr__ = __str__


def _reused(event: Event) -> str:
    version = event.version
    if version is None:
        return ""
    if version.compiled.code is None:
        return "; no machine code"
    return "; compiled" if version.compiled.fresh else "; traced, its machine code was there"


def _kind(key: Any) -> str:
    if not isinstance(key, tuple):
        return "(…)"
    return f"({', '.join(repr(x) if isinstance(x, Fixed) else repr(x.type) for x in key[1])})"


def why_recompiled(fun: Any) -> Recompilations:
    """Each time that a compiled function was traced or compiled, and what was new about the call.

    >>> import numpy as np, wengert as wg
    >>> f = wg.jit(lambda x: np.sum(x * x))
    >>> _ = f(np.ones(3)), f(np.ones(3)), f(np.ones(4))
    >>> for event in wg.why_recompiled(f):
    ...     print(event.why)
    the first call
    argument 0: f64[4] instead of f64[3]
    """
    if not isinstance(fun, Jitted):
        raise InputError(
            f"why_recompiled is given a {type(fun).__name__}",
            "pass the function that wg.jit returned, and call it before",
            source.here(),
        )
    return Recompilations(fun.events)
