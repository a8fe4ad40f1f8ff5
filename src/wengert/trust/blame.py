"""blame: where was a nan or an infinity born?

The call is evaluated again with everything kept, and walked from what is wrong in the result back
to where it came from: through wrong values as long as an argument was wrong too, element by
element where elements do not mix. So numbers that do not reach the result are never blamed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from wengert.ir.evaluate import Observer, evaluate, watching
from wengert.ir.primitive import Values
from wengert.ir.program import Eqn, Program, Var
from wengert.transforms.jvp import push
from wengert.transforms.reverse import pull

Bad = Callable[[Any], Any]  # elementwise: is this number one that is looked for?


class Birth(NamedTuple):
    """The first wrong number of those that reached the result."""

    phase: str  # "value", "derivative"; "argument" or "seed" when it came in with an input
    position: int  # of the equation in the program, or of the input
    element: Any  # index of the number in the equation's result; None where all elements mix
    inner: Any = None  # a wrong cotangent (or tangent) as it was born
    outer: Any = None  # the sound cotangent (or tangent) that it was born from
    slot: int = 0  # which argument (or result) it belongs to
    summed: bool = False  # finite parts met, and their sum is wrong
    spread: int | None = None  # position of the equation where an infinity became a nan


def within(call: Callable[[], Any], bad: Bad) -> tuple[Replay, Birth] | None:
    """The first birth in the programs that are evaluated inside `call`, the deepest one."""
    runs: list[Replay] = []

    def watch(program: Program, args: Sequence[Any]) -> Observer:
        runs.append(Replay(program, args, 0, bad, run=False))
        return runs[-1].see

    token = watching.set(watch)
    try:
        with np.errstate(all="ignore"):
            call()
    finally:
        watching.reset(token)
    for run in runs:
        birth = run.value_birth([a for a in run.program.outputs if a in run.values])
        if birth is not None and birth.phase == "value":
            eqn, ins, _ = run.steps[birth.position]
            holds = eqn.prim.saves
            return (within(partial(eqn.prim.eval, *ins, **eqn.params), bad) if holds else None) or (
                run,
                birth,
            )
    return None


class Replay:
    """A call evaluated again: all values, and who made them."""

    def __init__(
        self, program: Program, args: Sequence[Any], movers: int, bad: Bad, run: bool = True
    ) -> None:
        self.program, self.bad, self.movers = program, bad, movers
        self.values: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))
        self.maker: dict[Any, int] = {}
        self.steps: list[tuple[Eqn, Values, Values]] = []
        if run:
            with np.errstate(all="ignore"):
                evaluate(program, list(args), observer=self.see)

    def see(self, eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
        """Keep one equation and its numbers."""
        for v, y in zip(eqn.outputs, outs, strict=True):
            self.values[v] = y
            self.maker[v] = len(self.steps)
        kept = outs if isinstance(outs, tuple) else tuple(outs)
        self.steps.append((eqn, tuple(ins), kept))

    def wrong(self, x: Any, like: Any = None) -> bool:
        """Is an element wrong (of those where `like` is wrong too, if the shapes agree)?"""
        number = isinstance(x, np.ndarray | np.inexact | float | complex)
        if not number or np.asarray(x).dtype.kind not in "fc":
            return False
        found = self.bad(x)
        if like is not None and np.shape(like) == np.shape(x):
            found = found & self.bad(like)
        return bool(np.any(found))

    # ---- values --------------------------------------------------------------------------------------
    def value_birth(self, atoms: Sequence[Any], gs: Sequence[Any] | None = None) -> Birth | None:
        """The earliest birth among the ancestors of wrong values (of those with a cotangent in `gs`)."""
        births: list[Birth] = []
        seen: set[Any] = set()
        seen_by = [None] * len(atoms) if gs is None else [0 if g is None else g for g in gs]
        work = [
            a
            for a, g in zip(atoms, seen_by, strict=True)
            if isinstance(a, Var)
            and self.wrong(self.values[a] if g is None else np.where(g == 0, 0, self.values[a]))
        ]
        while work:
            v = work.pop()
            if v in seen:
                continue
            seen.add(v)
            if v not in self.maker:
                births.append(
                    Birth("argument", self.program.inputs.index(v), self._first(self.values[v]))
                )
                continue
            k = self.maker[v]
            parents = self._wrong_inputs(k, self.values[v])
            work.extend(parents)
            if not parents:
                births.append(
                    Birth(
                        "value",
                        k,
                        self._first(self.values[v]),
                        slot=self.steps[k][0].outputs.index(v),
                    )
                )
        inputs = [b for b in births if b.phase == "argument"]
        return inputs[0] if inputs else min(births, key=lambda b: b.position, default=None)

    def _wrong_inputs(self, k: int, like: Any) -> list[Any]:
        eqn, ins, _ = self.steps[k]
        near = like if getattr(eqn.prim, "aligned", False) else None
        return [
            a
            for a, x in zip(eqn.inputs, ins, strict=True)
            if isinstance(a, Var) and self.wrong(x, near)
        ]

    def _first(self, x: Any) -> Any:
        found = np.argwhere(self.bad(np.asarray(x)))
        return tuple(int(i) for i in found[0]) if len(found) else None

    # ---- cotangents ----------------------------------------------------------------------------------
    def backward(self, targets: Sequence[Any], gs: Sequence[Any]) -> Birth | None:
        """Where the wrong cotangents of the inputs come from, when `targets` have cotangents `gs`."""
        moved = self._moved()
        pending: dict[Any, Any] = {}
        shares: dict[Any, list[tuple[int, int, Any]]] = {}
        given: dict[int, Values] = {}
        for a, g in zip(targets, gs, strict=True):
            if isinstance(a, Var) and g is not None:
                pending[a] = pending[a] + g if a in pending else g
        with np.errstate(all="ignore"):
            for k in range(len(self.steps) - 1, -1, -1):
                eqn, ins, outs = self.steps[k]
                back = tuple(pending.get(v) for v in eqn.outputs)
                wanted = tuple(a in moved and a.type.inexact for a in eqn.inputs)
                if all(g is None for g in back) or not any(wanted):
                    continue
                given[k] = back
                kept = (
                    eqn.prim.eval_saving(wanted, *ins, **eqn.params)[1] if eqn.prim.saves else outs
                )
                for n, c in enumerate(pull(eqn.prim, back, ins, kept, wanted, eqn.params)):
                    a = eqn.inputs[n]
                    if wanted[n] and c is not None:
                        pending[a] = pending[a] + c if a in pending else c
                        shares.setdefault(a, []).append((k, n, c))
        return self._search(
            [v for v in self.program.inputs[: self.movers] if self.wrong(pending.get(v))],
            pending, shares, given, lambda k: self.steps[k][0].outputs, False,
        )  # fmt: skip

    # ---- tangents --------------------------------------------------------------------------------------
    def forward(self, dxs: Sequence[Any]) -> Birth | None:
        """Where the wrong tangents of the outputs come from, when the inputs move along `dxs`."""
        tangents: dict[Any, Any] = dict(zip(self.program.inputs, dxs, strict=False))
        shares: dict[Any, list[tuple[int, int, Any]]] = {}
        given: dict[int, Values] = {}
        with np.errstate(all="ignore"):
            for k, (eqn, ins, outs) in enumerate(self.steps):
                moving = tuple(tangents.get(a) for a in eqn.inputs)
                if all(dx is None for dx in moving):
                    continue
                given[k] = moving
                types = [a.type for a in eqn.inputs]
                for n, dy in enumerate(push(eqn.prim, moving, ins, outs, eqn.params, types)):
                    if dy is not None:
                        tangents[eqn.outputs[n]] = dy
                        shares[eqn.outputs[n]] = [(k, n, dy)]
        ends = [
            a for a in self.program.outputs if isinstance(a, Var) and self.wrong(tangents.get(a))
        ]
        return self._search(ends, tangents, shares, given, lambda k: self.steps[k][0].inputs, True)

    # ---- both ------------------------------------------------------------------------------------------
    def _search(
        self, ends: Sequence[Any], totals: dict[Any, Any], shares: dict[Any, list[tuple[int, int, Any]]],
        given: dict[int, Values], before: Callable[[int], Sequence[Any]], forth: bool,
    ) -> Birth | None:  # fmt: skip
        births: list[Birth] = []
        blamed: list[Any] = []  # values that were wrong already
        crossed: list[int] = []  # equations where an infinity became a nan
        seen: set[Any] = set()
        work = list(ends)
        while work:
            v = work.pop()
            if v in seen:
                continue
            seen.add(v)
            total = totals[v]
            if v not in shares:
                births.append(Birth("seed", -1, self._first(total)))
            parts = [s for s in shares.get(v, []) if self.wrong(s[2], total)]
            if not parts and shares.get(v):  # finite parts, and a sum that is not
                k, n, c = shares[v][-1]
                births.append(Birth("derivative", k, self._first(total), total, c, n, True))
            for k, n, c in parts:
                eqn, ins, outs = self.steps[k]
                aligned = getattr(eqn.prim, "aligned", False)
                like = c if aligned else None
                parents = [
                    a
                    for a, g in zip(before(k), given[k], strict=True)
                    if isinstance(a, Var) and self.wrong(g, like)
                ]
                if parents:
                    work.extend(parents)
                    if np.any(np.isnan(c)) and not any(
                        np.any(np.isnan(g)) for g in given[k] if g is not None
                    ):
                        crossed.append(k)
                    continue
                atoms = [
                    a
                    for a, x in zip((*eqn.inputs, *eqn.outputs), (*ins, *outs), strict=True)
                    if isinstance(a, Var) and self.wrong(x, like)
                ]
                if atoms:
                    blamed.extend(atoms)
                else:
                    sound = next(g for g in given[k] if g is not None)
                    births.append(Birth("derivative", k, self._first(c), c, sound, n))
        found = self.value_birth(blamed)
        if found is not None:
            return found
        if not births:
            return None
        first = (min if forth else max)(births, key=lambda b: b.position)
        spread = max((k for k in crossed if k != first.position), default=None)
        return first._replace(spread=spread)

    def _moved(self) -> set[Any]:
        moved: set[Any] = set(self.program.inputs[: self.movers])
        for eqn in self.program.eqns:
            if any(a in moved for a in eqn.inputs):
                moved.update(eqn.outputs)
        return moved
