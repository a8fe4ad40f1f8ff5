"""Where could digits be saved? The places of a program where a stable row matches, and the program with one applied.

Nothing is judged here: `trust.stabilise` weighs what these rewrites do. Bodies of loops and branches
have places, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from wengert.ir.key import freeze
from wengert.ir.primitive import Primitive, result_types
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import add, sub
from wengert.rewrites import stable
from wengert.rewrites.modulo import Seen, fits, shaped, written
from wengert.rewrites.rational import cancelled
from wengert.rewrites.rule import Row, indexed
from wengert.transforms.sweep import sweep

Path = tuple[tuple[int, str], ...]  # equation and param of each program on the way down

RATIONAL = "terms that cancel in a quotient of polynomials"


class Site(NamedTuple):
    """An equation (in the program at `path`) at which a row matches; `row` None: by `rational`."""

    path: Path
    position: int
    row: stable.Stable | None

    @property
    def says(self) -> str:
        """The rewrite in words."""
        return RATIONAL if self.row is None else self.row.says


@cache
def _table() -> tuple[dict[Primitive, list[Any]], dict[Primitive, list[Any]]]:
    def index(rows: list[stable.Stable]) -> dict[Primitive, list[Any]]:
        made = indexed([Row(r.says, r.left, r.right) for r in rows], stable.COMMUTATIVE)
        by_name = {r.says: r for r in rows}
        return {p: [(m.left, by_name[m.says]) for m in ms] for p, ms in made.items()}

    return index(stable.ROWS), index(stable.CANCEL)


def sites(program: Program, path: Path = ()) -> Iterator[Site]:
    """All places where a row matches, those of inner programs included."""
    defined = {v: e for e in program.eqns for v in e.outputs}
    rows, _ = _table()
    for k, e in enumerate(program.eqns):
        for name, value in e.params.items():
            if isinstance(value, Program):
                yield from sites(value, (*path, (k, name)))
        if len(e.outputs) != 1 or not e.outputs[0].type.inexact:
            continue
        tried: set[str] = set()
        for left, row in rows.get(e.prim, ()):
            if row.says not in tried and _matches(left, e, defined) is not None:
                tried.add(row.says)
                yield Site(path, k, row)
        if e.prim in (add, sub) and e.outputs[0].type.dtype.kind == "f":
            yield Site(path, k, None)


def _matches(left: Any, eqn: Eqn, defined: Any) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    return found if fits(left, Seen(eqn.outputs[0]), defined, found) else None


def rewritten(program: Program, site: Site) -> Program | None:
    """The program with the row of a site applied there; None where it does not fit after all."""
    if site.path:
        (k, name), *rest = site.path
        e = program.eqns[k]
        inner = rewritten(e.params[name], site._replace(path=tuple(rest)))
        if inner is None:
            return None
        changed = Eqn(e.prim, e.inputs, {**e.params, name: inner}, e.outputs, e.origin)
        eqns = [*program.eqns[:k], changed, *program.eqns[k + 1 :]]
        return Program(program.inputs, eqns, program.outputs, program.sources, program.name)
    writer = _Writer()
    now: dict[Any, Any] = {}
    for k, e in enumerate(program.eqns):
        writer.origin = e.origin
        ins = tuple(now.get(a, a) if isinstance(a, Var) else a for a in e.inputs)
        if k == site.position:
            y = writer.apply(Eqn(e.prim, ins, e.params, e.outputs, e.origin), site.row)
            if y is None:
                return None
            now[e.outputs[0]] = y
        else:
            now.update(zip(e.outputs, writer.write(e.prim, ins, e.params, e.outputs), strict=True))
    outputs = [now.get(a, a) if isinstance(a, Var) else a for a in program.outputs]
    return sweep(Program(program.inputs, writer.eqns, outputs, program.sources, program.name))


class _Writer:
    """The list that is being written: equal equations once, numbers computed, cancelled terms gone."""

    def __init__(self) -> None:
        self.eqns: list[Eqn] = []
        self.defined: dict[Any, Eqn] = {}
        self.known: dict[Any, tuple[Any, ...]] = {}
        self.origin = -1
        self.cancelling = False

    def apply(self, eqn: Eqn, row: stable.Stable | None) -> Any:
        """The atom that stands for the result of `eqn` once a row was applied."""
        t = eqn.outputs[0].type
        defined = {**self.defined, eqn.outputs[0]: eqn}
        if row is None:
            y = cancelled(Seen(eqn.outputs[0]), defined, t.dtype, self.emit)
            return None if y is None else shaped(y, t, self.emit)
        rows, _ = _table()
        for left, candidate in rows[eqn.prim]:
            if candidate is not row:
                continue
            found = _matches(left, eqn, defined)
            if found is not None:
                return shaped(written(row.right, found, t.dtype, self.emit), t, self.emit)
        return None

    def emit(self, prim: Primitive, *args: Any, **params: Any) -> Any:
        """The result of an equation of one result; what cancels in it is not written."""
        types: tuple[Any, ...] = result_types(prim.typeof(*(a.type for a in args), **params))
        if args and all(isinstance(a, Const) for a in args) and types[0] == ArrayType.of((), types[0].dtype):  # fmt: skip
            with np.errstate(all="ignore"):
                return Const(np.asarray(prim.eval(*(a.value for a in args), **params))[()])
        out = Var(types[0])
        eqn = Eqn(prim, args, params, (out,), self.origin)
        _, cancel = _table()
        defined = {**self.defined, out: eqn} if prim in cancel else self.defined
        for left, row in cancel.get(prim, ()):
            found = _matches(left, eqn, defined)
            if found is not None:
                y = shaped(written(row.right, found, out.type.dtype, self.emit), out.type, self.emit)  # fmt: skip
                if y is not None:
                    return y
        if prim in (add, sub) and not self.cancelling and out.type.dtype.kind == "f":
            self.cancelling = True  # (what is written in there is not looked at again)
            try:
                y = cancelled(Seen(out), {**self.defined, out: eqn}, out.type.dtype, self.emit)
            finally:
                self.cancelling = False
            if y is not None and (y := shaped(y, out.type, self.emit)) is not None:
                return y
        return self.write(prim, args, params, (out,))[0]

    def write(self, prim: Primitive, ins: Any, params: Any, outputs: Any) -> tuple[Any, ...]:
        """The results of an equation, which may be known already."""
        key = (prim, freeze(dict(params)), tuple((freeze(a.value), a.type) if isinstance(a, Const) else a for a in ins))  # fmt: skip
        found: tuple[Any, ...] | None = self.known.get(key)
        if found is None:
            found = self.known[key] = outputs
            eqn = Eqn(prim, ins, params, outputs, self.origin)
            self.eqns.append(eqn)
            for v in outputs:
                self.defined[v] = eqn
        return found
