"""explain_zero: why is a gradient exactly zero?

The call is evaluated again with everything kept and pulled back once. Then the elements whose
gradient is zero are followed forwards, as masks: through operations that received nothing from
behind, up to those that received a cotangent and gave none back. These are the reasons; each is
brought back to the elements of the argument that it holds for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.arguments import Call
from wengert.api.gradients import record_call
from wengert.errors import NonScalarOutputError
from wengert.ir import source
from wengert.ir.program import Var
from wengert.ir.types import type_of
from wengert.ops.families import Elementwise, Linear, Movement
from wengert.transforms.jvp import push
from wengert.transforms.reverse import pull
from wengert.trust.blame import Replay

_SHOWN = 8  # elements that are listed
_FACTORS = ("mul", "scale", "matmul", "einsum", "convolve", "dot")
_CHOICES = ("select", "maximum", "minimum", "fmax", "fmin", "max", "min")
_SPELLED = {"select": "np.where"}
_KINKS = ("abs", "fabs", "copysign", "modulus")
_READERS = ("gather", "sort")  # what they leave out is simply not read
_WEAK = ("comparison", "unread")  # told where nothing else explains an element


class Row(NamedTuple):
    """One reason: of which argument, for which elements, through which call at which line."""

    argument: str
    elements: tuple[tuple[int, ...], ...]
    kind: str
    reason: str
    call: str
    line: source.Line | None

    def __str__(self) -> str:
        at = ""
        if self.elements != ((),):
            listed = " ".join(str(list(e)) for e in self.elements[:_SHOWN])
            more = len(self.elements) - _SHOWN
            at = f" at {listed}" + (f" and {more} more" if more > 0 else "")
        turn = f" (turn {self.line.turns[0]} of its loop)" if self.line and self.line.turns else ""
        place = f"\n      {self.line}{turn}  {self.line.text}" if self.line else ""
        return f"{self.argument}{at}: {self.reason}{place}"


class ZeroReport:
    """What `explain_zero` found: print it, or read `rows`."""

    def __init__(self, name: str, zeros: int, size: int, rows: list[Row]) -> None:
        self.name, self.zeros, self.size, self.rows = name, zeros, size, rows

    def __str__(self) -> str:
        head = f"gradient of {self.name}: {self.zeros} of {self.size} numbers are exactly zero"
        return "\n".join([head, *(f"  {row}" for row in self.rows)])

    def __repr__(self) -> str:
        return str(self)


def explain_zero(fun: Callable[..., Any], argnums: Any = 0) -> Callable[..., ZeroReport]:
    """`explain_zero(f)(x)`: for every element with a gradient of exactly zero, through which call.

    >>> import numpy as np
    >>> print(explain_zero(lambda x: np.floor(x) + 0 * x)(2.5))  # doctest: +ELLIPSIS
    gradient of <lambda>: 1 of 1 numbers are exactly zero
      argument 0: the derivative of `floor` is zero almost everywhere
      ...
      argument 0: multiplied by exactly 0 in `mul`
      ...
    """

    def explain(*args: Any, **kwargs: Any) -> ZeroReport:
        call = Call(fun, args, kwargs, argnums, None, "explain_zero")
        builder, _, out = record_call(call)
        leaves, _ = tree.flatten(out)
        if any(type_of(y).shape != () for y in leaves) or len(leaves) != 1:
            raise NonScalarOutputError(
                "explain_zero explains the gradient of one real number, and the function returns another thing",
                "sum it, or pick an element",
                source.here(),
            )
        program = builder.program(leaves)
        values = [leaf.value for leaf in call.leaves] + [value for _, value in builder.captured]
        from wengert.trust.explain.unroll import unrolled  # (only who asks waits for it)

        written = unrolled(program, values)
        if written is not None:  # loops and branches as they went: lines inside of them are told
            program, values = written[:2]
        search = _Search(Replay(program, values, len(call.leaves), np.isnan))
        rows: list[Row] = []
        zeros = 0
        names = _names(call)
        for name, v in zip(names, program.inputs, strict=False):
            zero = search.cotangent(v) == 0
            zeros += int(zero.sum())
            if zero.any():
                rows += search.rows(name, v, zero)
        size = sum(leaf.type.size for leaf in call.leaves)
        return ZeroReport(getattr(fun, "__name__", "f"), zeros, size, rows)

    return explain


def _names(call: Call) -> list[str]:
    found: list[str] = []
    for slot, (structure, places) in zip(call.slots, call.structures, strict=True):
        paths = tree.paths(tree.unflatten(structure, places))
        base = f"argument {slot!r}"
        found += [
            f"{base} at {path}" if path else base
            for path, p in zip(paths, places, strict=True)
            if isinstance(p, int)
        ]
    return found


class _Reason(NamedTuple):
    position: int
    atom: Any
    mask: Any
    kind: str
    text: str


class _Search:
    """One pass backwards for the cotangents; then one forwards per argument, with masks."""

    def __init__(self, replay: Replay) -> None:
        self.program, self.steps = replay.program, replay.steps
        self.total: dict[Any, Any] = {}
        self.shares: dict[Any, list[tuple[int, Any]]] = {}
        self.back: dict[tuple[int, int], Any] = {}
        for a in self.program.outputs:
            if isinstance(a, Var) and a.type.inexact:
                self.total[a] = np.ones((), a.type.dtype)[()]
        with np.errstate(all="ignore"):
            for k in range(len(self.steps) - 1, -1, -1):
                self._pull(k)

    def _pull(self, k: int) -> None:
        eqn, ins, outs = self.steps[k]
        gs = tuple(self.total.get(v) for v in eqn.outputs)
        wanted = tuple(isinstance(a, Var) and a.type.inexact for a in eqn.inputs)
        if all(g is None for g in gs) or not any(wanted):
            return
        kept = eqn.prim.eval_saving(wanted, *ins, **eqn.params)[1] if eqn.prim.saves else outs
        for n, c in enumerate(pull(eqn.prim, gs, ins, kept, wanted, eqn.params)):
            a = eqn.inputs[n]
            if wanted[n] and c is not None:
                self.back[k, n] = c
                self.shares.setdefault(a, []).append((k, c))
                self.total[a] = self.total[a] + c if a in self.total else c

    def cotangent(self, v: Any) -> Any:
        """The cotangent that arrived at a value; zeros where none did."""
        g = self.total.get(v)
        return np.zeros(v.type.shape) if g is None else np.asarray(g)

    # ---- forwards ------------------------------------------------------------------------------------
    def rows(self, name: str, leaf: Any, zero: Any) -> list[Row]:
        """The reasons for the zeros of one argument."""
        reasons, hops = self._follow(leaf, zero)
        found: dict[Any, tuple[_Reason, Any]] = {}
        for r in reasons:
            mask = self._brought_back(r, leaf, hops) & zero
            key = r.position, r.kind, r.text
            found[key] = (r, mask | found[key][1]) if key in found else (r, mask)
        strong = np.zeros(zero.shape, bool)
        for r, mask in found.values():
            if r.kind not in _WEAK:
                strong |= mask
        rows = []
        explained = np.zeros(zero.shape, bool)
        for r, mask in found.values():
            left = mask & ~strong if r.kind in _WEAK else mask
            explained |= mask
            if left.any():
                eqn = self.steps[r.position][0]
                line = source.resolve(self.program.sources[eqn.origin]) if eqn.origin >= 0 else None
                rows.append(Row(name, _places(left), r.kind, r.text, eqn.prim.name, line))
        if (zero & ~explained).any():
            text = "the result does not depend on it: it is not used"
            rows.append(Row(name, _places(zero & ~explained), "unused", text, "", None))
        return rows

    def _follow(self, leaf: Any, zero: Any) -> tuple[list[_Reason], list[Any]]:
        masks: dict[Any, Any] = {leaf: zero}
        reasons: list[_Reason] = []
        hops: list[tuple[int, int, Any, dict[Any, Any]]] = []
        last: dict[Any, int] = {}
        used: set[Any] = set(self.program.outputs)
        with np.errstate(all="ignore"):
            for k, (eqn, _, _) in enumerate(self.steps):
                for n, a in enumerate(eqn.inputs):
                    mask = masks.get(a) if isinstance(a, Var) else None
                    if mask is None or not mask.any():
                        continue
                    used.add(a)
                    last[a] = k
                    onward, found = self._cross(k, n, mask)
                    reasons += found
                    if any(m.any() for m in onward.values()):
                        hops.append((k, n, mask, onward))
                        for v, m in onward.items():
                            masks[v] = masks[v] | m if v in masks else m
        made = {v: k for k, (eqn, _, _) in enumerate(self.steps) for v in eqn.outputs}
        for v, mask in masks.items():
            several = np.zeros(v.type.shape, bool)
            for _, c in self.shares.get(v, []):
                several |= np.asarray(c) != 0
            several = several & mask
            if several.any():
                text = "its contributions cancel each other exactly"
                reasons.append(_Reason(last[v], v, several, "cancelled", text))
            if v not in used and v in made:
                text = f"`{self.steps[made[v]][0].prim.name}` is computed from it, and does not reach the result"
                reasons.append(_Reason(made[v], v, mask, "unread", text))
        return reasons, hops

    def _cross(self, k: int, n: int, mask: Any) -> tuple[dict[Any, Any], list[_Reason]]:
        """What goes on behind an operation, and what ends in it."""
        eqn, ins, _ = self.steps[k]
        a, prim = eqn.inputs[n], eqn.prim
        cut = self._cut(k, n)
        if cut is not None:
            return {}, [_Reason(k, a, mask, *cut)]
        silent = mask & (np.asarray(self.back.get((k, n), 0)) == 0)
        arrived = {v: self.cotangent(v) != 0 for v in eqn.outputs}
        if getattr(prim, "aligned", False) and eqn.outputs[0].type.shape == mask.shape:
            got = arrived[eqn.outputs[0]]
            here = silent & got
            found = [_Reason(k, a, m, *why) for m, why in self._why(k, n, here)]
            return {eqn.outputs[0]: silent & ~got}, found
        if isinstance(prim, Linear) or prim.name in _READERS:
            moving = [silent.astype(a.type.dtype) if m == n else None for m in range(len(ins))]
            touched = {
                v: np.zeros(v.type.shape, bool) if dy is None else np.asarray(dy) != 0
                for v, dy in zip(eqn.outputs, self._push(k, moving), strict=True)
            }
            kept = self._pulled(k, n, touched) & silent
            lost, found = silent & ~kept, []
            if not isinstance(prim, Movement) and prim.name not in _READERS and lost.any():
                found = [_Reason(k, a, m, *why) for m, why in self._why(k, n, lost)]
            return {v: m & ~arrived[v] for v, m in touched.items()}, found
        if any(m.any() for m in arrived.values()):
            return {}, [_Reason(k, a, m, *why) for m, why in self._why(k, n, silent)]
        return {v: np.ones(v.type.shape, bool) for v in eqn.outputs if v.type.inexact}, []

    def _push(self, k: int, moving: list[Any]) -> Sequence[Any]:
        eqn, ins, outs = self.steps[k]
        return push(eqn.prim, moving, ins, outs, eqn.params, [a.type for a in eqn.inputs])  # type: ignore[no-any-return]

    def _pulled(self, k: int, n: int, masks: dict[Any, Any]) -> Any:
        """Elements of an argument that the marked elements of the results are made of."""
        eqn, ins, outs = self.steps[k]
        shape = eqn.inputs[n].type.shape
        if not any(m.any() for m in masks.values()):
            return np.zeros(shape, bool)
        gs = tuple(
            masks[v].astype(v.type.dtype)[()] if v in masks and v.type.inexact else None
            for v in eqn.outputs
        )
        wanted = tuple(m == n for m in range(len(ins)))
        kept = eqn.prim.eval_saving(wanted, *ins, **eqn.params)[1] if eqn.prim.saves else outs
        c = pull(eqn.prim, gs, ins, kept, wanted, eqn.params)[n]
        return np.zeros(shape, bool) if c is None else np.asarray(c) != 0

    def _brought_back(self, reason: _Reason, leaf: Any, hops: list[Any]) -> Any:
        """The elements of the argument that a reason holds for."""
        masks = {reason.atom: reason.mask}
        for k, n, mask, onward in reversed(hops):
            parts = {v: masks[v] & m for v, m in onward.items() if v in masks}
            if k > reason.position or not any(m.any() for m in parts.values()):
                continue
            eqn = self.steps[k][0]
            a = eqn.inputs[n]
            if getattr(eqn.prim, "aligned", False) and len(parts) == 1:
                there = next(iter(parts.values())) & mask
            else:
                there = self._pulled(k, n, parts) & mask
                there = there if there.any() else mask
            masks[a] = masks[a] | there if a in masks else there
        return masks.get(leaf, np.zeros(leaf.type.shape, bool))

    # ---- reasons -------------------------------------------------------------------------------------
    def _cut(self, k: int, n: int) -> tuple[str, str] | None:
        """Does this operation have no derivative in this argument, whatever the numbers?"""
        eqn = self.steps[k][0]
        prim = eqn.prim
        if prim.name == "stop":
            return "cut", "the path is cut by stop_gradient"
        if not any(v.type.inexact for v in eqn.outputs):
            dtype = eqn.outputs[0].type.dtype
            if dtype.kind == "b":
                return (
                    "comparison",
                    f"only compared (`{prim.name}`): a comparison is a constant to derivatives",
                )
            what = f"conversion to {dtype}" if prim.name == "convert" else f"`{prim.name}`"
            return "constant", f"{what} gives integers, whose derivative is zero almost everywhere"
        if isinstance(prim, Elementwise) and prim.slopes[n] is None:
            return "constant", f"the derivative of `{prim.name}` is zero almost everywhere"
        return None

    def _why(self, k: int, n: int, mask: Any) -> list[tuple[Any, tuple[str, str]]]:
        """Why an operation that received a cotangent gives none to these elements."""
        if not mask.any():
            return []
        eqn, ins, _ = self.steps[k]
        name = eqn.prim.name
        x = np.asarray(ins[n])
        if name in _CHOICES:
            return [(mask, ("unselected", f"`{_SPELLED.get(name, name)}` chose another value"))]
        if name in ("update", "put"):
            return [(mask, ("overwritten", "overwritten before it was used"))]
        nothing = name == "div" and n == 1 and not np.any(np.broadcast_to(ins[0], mask.shape)[mask])
        if name in _FACTORS or nothing:
            return [(mask, ("zero factor", f"multiplied by exactly 0 in `{name}`"))]
        if name in _KINKS:
            return [
                (mask, ("kink", f"at the kink of `{name}`, whose slope there is 0 by convention"))
            ]
        if not isinstance(eqn.prim, Elementwise):
            return [(mask, ("flat", f"the slope of `{name}` is exactly 0 here"))]
        steep = mask & (self._slope_nearby(k, n, x) != 0)
        value = _shown(x[steep] if steep.any() else x[mask])
        found = []
        if steep.any():
            text = f"the slope of `{name}` is exactly 0 at {value}"
            found.append((steep, ("stationary", text)))
        if (mask & ~steep).any():
            text = f"the slope of `{name}` is exactly 0 at and around {_shown(x[mask & ~steep])}: underflow or saturation"
            found.append((mask & ~steep, ("saturated", text)))
        return found

    def _slope_nearby(self, k: int, n: int, x: Any) -> Any:
        eqn, ins, _ = self.steps[k]
        near = [*ins]
        near[n] = (x + np.where(x == 0, 1, x) * x.dtype.type(1e-3)).astype(x.dtype)[()]
        wanted = tuple(m == n for m in range(len(ins)))
        y = eqn.prim.eval(*near)
        return np.asarray(pull(eqn.prim, (np.ones_like(y),), near, (y,), wanted, eqn.params)[n])


def _places(mask: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(i) for i in at) for at in np.argwhere(mask)) if mask.ndim else ((),)


def _shown(x: Any) -> str:
    return f"{np.ravel(x)[0]:.6g}"
