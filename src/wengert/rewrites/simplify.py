"""simplify: a program that computes the same with less work, in one pass from the first equation on.

Each equation is written again, on what its arguments have become: constants are computed, rows of the
table are tried, equal equations are written once; last, what nobody uses goes. What a row writes is
looked at in the same way, so the work is linear in the program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ir import passes
from wengert.ir.key import freeze
from wengert.ir.primitive import Primitive, result_types
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import convert
from wengert.ops.compare import select
from wengert.ops.control import call
from wengert.ops.custom import Blackbox
from wengert.ops.index import index
from wengert.ops.literal import Frozen, literal
from wengert.ops.opaque import Derivative
from wengert.ops.shape import broadcast, permute, reshape
from wengert.rewrites import algebra, layout
from wengert.rewrites.chunks import has_chunks, in_chunks
from wengert.rewrites.maps import joined
from wengert.rewrites.match import instantiate, match, number
from wengert.rewrites.rule import Equation, Row, Several, Wild, indexed

ROWS = [*algebra.ROWS, *layout.ROWS]
_TABLE = indexed(ROWS, algebra.COMMUTATIVE)
# by primitive and kinds of arguments: rows that may fit; may the result be known now?
_fitting: dict[Any, tuple[Sequence[Row], bool]] = {}
_SMALL = 1024  # an array made of constants is computed now up to this size
_KINDS = 10_000  # so many sets of arguments are known
_CARRYING = frozenset([convert, reshape, permute, index])  # of one number they make the same number
_NUMBER, _ANY = (True, None), (False, None)  # kinds of arguments
_DEEP = 20  # rows applied to what rows have written; the table is made so that few are enough


def simplify(program: Program, fired: Counter[str] | None = None) -> Program:
    """`program` with less work; `fired` counts the rows that were applied.

    Digits change where a row of the table says so: sums may be reordered, a zero may change its sign.

    >>> import numpy as np, wengert as wg
    >>> print(simplify(wg.program(lambda x: -(-x) * 1.0 + np.sin(x) - (-np.sin(x)))(2.0)))
    <lambda>(a: f64[]) -> f64[]:
      b: f64[] = sin a ...
      c: f64[] = add a b ...
      d: f64[] = add c b ...
      return d
    """
    if fired is None:
        found: Program = _remembered(program)
        return found
    return _simplified(program, fired)


@passes.remembered
def _remembered(program: Program) -> Program:
    return _simplified(program, Counter())


def _simplified(program: Program, fired: Counter[str]) -> Program:
    editor, program = Editor(fired), joined(program)
    outputs = editor.program(program, program.inputs)
    alive: set[Any] = set(outputs)
    used = []
    for e in reversed(editor.eqns):
        if not alive.isdisjoint(e.outputs) or e.has_effect:
            used.append(e)
            alive.update(e.inputs)
    return Program(program.inputs, reversed(used), outputs, program.sources, program.name)


def _inner(value: Any, fired: Counter[str]) -> Any:
    """Programs that an equation holds are simplified, too."""
    if isinstance(value, Program):
        return simplify(value, fired)
    if isinstance(value, tuple) and any(isinstance(v, Program) for v in value):
        return tuple(_inner(v, fired) for v in value)
    return value


class Editor:
    """The list that is being written. Rows write with `emit`, and ask with `finite`."""

    def __init__(self, fired: Counter[str]) -> None:
        self.eqns: list[Eqn] = []
        self.defined: dict[Any, Eqn] = {}
        self.kinds: dict[Any, Any] = {}  # is it one number everywhere? which primitive made it?
        self.seen: dict[Any, tuple[Any, ...]] = {}
        self.same: dict[Any, Any] = {}  # of equal constants the first
        self.fired = fired
        self.origin = -1
        self.depth = 0
        self.type_of_result: Any = None

    def program(self, program: Program, args: Sequence[Any]) -> list[Any]:
        """Write a program's equations down, with other atoms for its inputs. Atoms for its outputs."""
        now: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))
        whole = args is program.inputs
        for e in program.eqns:
            if whole:
                self.origin = e.origin
            ins = tuple([now[a] if a.__class__ is Var else a for a in e.inputs])
            if e.prim is call:  # (its lines are told as that of the call)
                ys: Sequence[Any] = self.program(e.params["body"], ins)
            elif not e.params:
                ys = self.write(e.prim, ins, e.params, e if whole else None)
            else:
                params = {k: _inner(v, self.fired) for k, v in e.params.items()}
                if has_chunks(e.prim, tuple(a.type for a in ins), params):
                    ys = in_chunks(self, ins, params)
                else:
                    ys = self.write(e.prim, ins, params, e if whole else None)
            now.update(zip(e.outputs, ys, strict=True))
        return [a if isinstance(a, Const) else now[a] for a in program.outputs]

    def emit(self, prim: Primitive, *args: Any, **params: Any) -> Any:
        """The result of an equation of one result."""
        (y,) = self.write(prim, args, params, None)
        return y

    def write(
        self,
        prim: Primitive,
        ins: tuple[Any, ...],
        params: Mapping[str, Any],
        old: Eqn | None,
    ) -> tuple[Any, ...]:
        """Atoms for the results; `old` is the equation that this one is, if it stays as it is."""
        if old is None:
            types = result_types(prim.typeof(*(a.type for a in ins), **params))
        else:
            types = tuple([v.type for v in old.outputs])
        if not prim.multiple:
            t: Any = types[0]
            wide = getattr(prim, "aligned", False) and t.shape != ()
            if wide:
                ins = self._scalars(ins, t)
            rows, known = self._rows(prim, ins)
            y = self._folded(prim, ins, params, t) if known else None
            if y is None and wide and self.depth < _DEEP:
                y = self._repeated_later(prim, ins, params, t)
            if y is None and rows and self.depth < _DEEP:
                y = self._rewritten(rows, ins, params, t)
            if y is not None:
                return (y,)
        coded = tuple([a if a.__class__ is Var else self._same(a) for a in ins])
        key = (prim, coded, freeze(params) if params else None)
        there = None if prim.effect else self.seen.get(key)
        if there is None:
            if old is not None and ins == old.inputs and _is_same(params, old.params):
                eqn = old
            else:
                outputs = tuple(map(Var, types)) if old is None else old.outputs
                eqn = Eqn(prim, ins, params, outputs, self.origin)
            there = self.seen[key] = eqn.outputs
            self.eqns.append(eqn)
            kind = (prim is broadcast and ins[0].__class__ is Const, prim)
            for v in there:
                self.defined[v], self.kinds[v] = eqn, kind
        return there

    def _same(self, const: Any) -> Any:
        """Of equal constants the first."""
        found = self.same.get(const)
        if found is None:
            key = (freeze(const.value), const.type)
            found = self.same[const] = self.same.setdefault(key, const)
        return found

    # ---- constants ---------------------------------------------------------------------------------
    def _scalars(self, ins: tuple[Any, ...], t: Any) -> tuple[Any, ...]:
        """Repeated constants as numbers, where an operation on equal shapes lets numbers join."""
        if not any(self._kind(a)[0] and a.__class__ is not Const for a in ins):
            return ins
        plain = tuple(
            a if (value := number(a, self.defined)) is None else Const(value) for a in ins
        )
        return plain if any(a.type.shape == t.shape for a in plain) else ins

    def _folded(self, prim: Primitive, ins: tuple[Any, ...], params: Any, t: Any) -> Any:
        """The value of an equation on constants; one number everywhere stays one number."""
        if not isinstance(t, ArrayType):
            return None
        if getattr(prim, "aligned", False):
            values = [number(a, self.defined) for a in ins]
            if all(v is not None for v in values):
                return self.spread(_number(prim, values, params), t)
        if prim in _CARRYING:
            value = number(ins[0], self.defined)
            if value is not None and t.size:
                return self.spread(_number(prim, [value], params) if prim is convert else value, t)
        if t.size > _SMALL or prim is broadcast:
            return None
        arrays = [self._array(a) for a in ins]
        if any(a is None for a in arrays) or any(isinstance(p, Program) for p in params.values()):
            return None
        if all(a.size == 0 for a in arrays) or _impure(prim):
            return None
        with np.errstate(all="ignore"):
            y = prim.eval(*arrays, **params)
        if t.shape == ():
            return Const(np.asarray(y)[()])
        return self.emit(literal, value=Frozen(y))

    def _array(self, atom: Any) -> Any:
        """The value of a constant or literal, or None."""
        if isinstance(atom, Const):
            return atom.value
        eqn = self.defined.get(atom)
        if eqn is None:
            return None
        if eqn.prim is literal:
            return eqn.params["value"].array
        value = number(atom, self.defined)
        return None if value is None or atom.type.size > _SMALL else np.full(atom.type.shape, value)

    def spread(self, value: Any, t: ArrayType) -> Any:
        """A number as a value of type `t`."""
        const = value if isinstance(value, Const) else Const(value)
        if t.shape == ():
            return const
        return self.emit(broadcast, const, shape=t.shape, dims=())

    def finite(self, atom: Any, depth: int = 6) -> bool:
        """Is it certain that no element is infinite or nan?"""
        value = number(atom, self.defined)
        if value is not None:
            return bool(np.isfinite(value))
        if not atom.type.inexact:
            return True
        eqn = self.defined.get(atom)
        if eqn is None or depth == 0:
            return False
        if eqn.prim is literal:
            return bool(np.isfinite(eqn.params["value"].array).all())
        if eqn.prim in (broadcast, reshape, permute, index):
            return self.finite(eqn.inputs[0], depth - 1)
        if eqn.prim is convert:  # (a smaller format may overflow)
            source = eqn.inputs[0].type.dtype
            return (source.kind == "b" or np.can_cast(source, atom.type.dtype)) and self.finite(
                eqn.inputs[0], depth - 1
            )
        if eqn.prim is select:
            return all(self.finite(a, depth - 1) for a in eqn.inputs[1:])
        return False

    # ---- rows --------------------------------------------------------------------------------------
    def _rewritten(
        self, rows: Sequence[Row], ins: tuple[Any, ...], params: Mapping[str, Any], t: Any
    ) -> Any:
        """What the first row that fits makes of an equation."""
        for row in rows:
            found: dict[str, Any] = {}
            if not match(row.left, ins, params, self.defined, found):
                continue
            self.depth += 1
            try:
                self.type_of_result = t
                y = (
                    row.right(self, found)
                    if callable(row.right) and not isinstance(row.right, Primitive)
                    else instantiate(row.right, found, t.dtype, self.emit)
                )
            finally:
                self.depth -= 1
            if y is not None and isinstance(y, Const) and y.type.dtype == t.dtype:
                y = self.spread(y, t)
            if y is not None and y.type == t:
                self.fired[row.says] += 1
                return y
        return None

    def _kind(self, a: Any) -> Any:
        return _NUMBER if a.__class__ is Const else self.kinds.get(a, _ANY)

    def _rows(self, prim: Primitive, ins: tuple[Any, ...]) -> tuple[Sequence[Row], bool]:
        """Rows that may fit, by what the arguments are (numbers, or results of which primitive); may it be computed now?"""
        kinds = tuple([_NUMBER if a.__class__ is Const else self.kinds.get(a, _ANY) for a in ins])
        found = _fitting.get((prim, kinds))
        if found is None:
            rows = [row for row in _TABLE.get(prim, ()) if _may_fit(row.left.args, kinds)]
            moved = prim in _CARRYING and kinds[0][0]
            known = bool(ins) and (moved or all(n or p is literal for n, p in kinds))
            found = rows, known
            if len(_fitting) < _KINDS:
                _fitting[prim, kinds] = found
        return found

    def _repeated_later(self, prim: Primitive, ins: tuple[Any, ...], params: Any, t: Any) -> Any:
        """f(broadcast x, broadcast y) = broadcast f(x, y): computed before it is repeated."""
        parts: list[Any] = []
        way: Any = None
        for a in ins:
            if isinstance(a, Const):
                parts.append(a)
                continue
            eqn = self.defined.get(a)
            if eqn is None or eqn.prim is not broadcast:
                return None
            mine = eqn.inputs[0].type.shape, eqn.params["dims"]
            if way is not None and way != mine:
                return None
            way = mine
            parts.append(eqn.inputs[0])
        if way is None or np.prod(way[0]) >= t.size:
            return None
        self.fired["f of what repeats"] += 1
        y = self.emit(prim, *parts, **params)
        return self.emit(broadcast, y, shape=t.shape, dims=way[1])


def _may_fit(patterns: Sequence[Any], kinds: Sequence[Any]) -> bool:
    """Could arguments of these kinds be what the patterns want?"""
    if patterns and isinstance(patterns[-1], Several):
        return True
    return len(patterns) == len(kinds) and all(
        prim is p.prim
        if isinstance(p, Equation)
        else is_number or (isinstance(p, Wild) and not p.constant)
        for p, (is_number, prim) in zip(patterns, kinds, strict=True)
    )


def _is_same(params: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return params is old or all(v is old[k] for k, v in params.items())


def _number(prim: Primitive, values: list[Any], params: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(prim.eval(*values, **params))[()]


def _impure(prim: Primitive) -> bool:
    """Does it call the user's own code, which may count its calls or print?"""
    return isinstance(prim, Blackbox | Derivative)
