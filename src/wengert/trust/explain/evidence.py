"""Evidence: every number of a call and of its derivative, as it was computed and as it is in truth.

The truth is in balls, of so many bits that cancellations leave enough. From a wrong number one walks
back through wrong numbers, element by element where elements do not mix, to the equations that were
given right numbers and made a wrong one: the births. So what does not reach the result is not blamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import WengertError
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.trust.balls.evaluate import Derived
from wengert.trust.balls.evaluate import evaluate as on_balls
from wengert.trust.balls.moves import as_objects
from wengert.trust.balls.number import Undecided, ball, precision

_BITS = 640
_MOST = 20_000  # numbers of a call that are looked at in balls
_STEP = 1e-3  # an error counts as made where it is so much of the one that matters

At = tuple[int, ...]


class Birth(NamedTuple):
    """An equation that was given right numbers and made a wrong one, and the element it made."""

    position: int
    at: At
    path: tuple[int, ...]  # positions of the equations from here to the result


class Evidence:
    """The numbers of a program: computed and exact."""

    def __init__(self, program: Program, args: Sequence[Any], seeds: int, tolerance: float) -> None:
        self.program, self.tolerance = program, tolerance
        self.maker = {v: k for k, e in enumerate(program.eqns) for v in e.outputs}
        self.values: dict[Any, Any] = dict(zip(program.inputs, args, strict=True))

        def see(eqn: Eqn, ins: Any, outs: Any) -> None:
            self.values.update(zip(eqn.outputs, outs, strict=True))

        with np.errstate(all="ignore"):
            evaluate(program, list(args), observer=see)
        self.exact = self._truths(args, seeds)
        self._wrong: dict[Any, Any] = {}

    def _truths(self, args: Sequence[Any], seeds: int) -> dict[Any, Any]:
        p = self.program
        every = [v for e in p.eqns for v in e.outputs if isinstance(v.type, ArrayType)]
        if sum(v.type.size for v in every) > _MOST:
            return {}
        whole = Derived(p.inputs, p.eqns, every, p.sources, p.name)
        whole.seeds = seeds
        try:
            with precision(_BITS):
                found = on_balls(whole, args)
        except (Undecided, ArithmeticError, ValueError, WengertError):
            return {}
        return {v: as_objects(y) for v, y in zip(every, found, strict=True) if v.type.inexact}

    # ---- one number --------------------------------------------------------------------------------
    def value(self, atom: Any, at: At) -> Any:
        """A number as it was computed."""
        x = atom.value if isinstance(atom, Const) else self.values[atom]
        x = np.asarray(x)
        return x[at] if within(at, x.shape) else x[()] if x.ndim == 0 else x

    def given(self, eqn: Eqn, at: At) -> list[Any]:
        """What an equation was given for an element of its result: the numbers at its place, or whole arrays."""
        aligned = getattr(eqn.prim, "aligned", False)
        return [self.value(a, at if aligned or not a.type.shape else ()) for a in eqn.inputs]

    def truth(self, atom: Any, at: At) -> Any:
        """The exact number as a ball, or None."""
        if isinstance(atom, Const):
            return ball(atom.value)
        known = self.exact.get(atom)
        if known is None:
            x = np.asarray(self.values[atom])
            return (
                ball(x[at])
                if atom not in self.maker and x.dtype.kind in "fc" and x.ndim == len(at)
                else None
            )
        y = known[at] if within(at, known.shape) else known[()] if known.ndim == 0 else None
        return y if y is not None and hasattr(y, "is_finite") and y.is_finite() else None

    def wrong(self, v: Any) -> Any:
        """A mask of the numbers that are further off than may be."""
        if v not in self._wrong:
            self._wrong[v] = self._looked(v)
        return self._wrong[v]

    def _looked(self, v: Any) -> Any:
        if not isinstance(v.type, ArrayType) or v.type.dtype.kind not in "fc":
            return np.zeros(getattr(v.type, "shape", ()), bool)
        y = np.asarray(self.values[v])
        mask = np.array(~np.isfinite(y))
        if v in self.exact:
            for at in np.ndindex(y.shape):
                if not mask[at]:
                    off = self.off(v, at)
                    mask[at] = off is not None and off > self.tolerance * _STEP
        return mask

    def off(self, v: Any, at: At) -> float | None:
        """Relative error of a finite number; None where the truth is not known."""
        truth, y = self.truth(v, at), self.value(v, at)
        if truth is None or not np.isfinite(y):
            return None
        return relative(y, truth)

    def blamed(self, eqn: Eqn, at: At, found: list[tuple[Any, At]]) -> list[tuple[Any, At]]:
        """Of the wrong arguments of an elementwise operation, those that make its result wrong.

        Each is put right alone, then all together: if the result stays as wrong as it is, the
        operation loses the digits itself, on right arguments.
        """
        if (
            not found
            or not getattr(eqn.prim, "aligned", False)
            or not np.isfinite(self.value(eqn.outputs[0], at))
        ):
            return found
        truth = self.truth(eqn.outputs[0], at)
        if truth is None:
            return found
        plain = [self.value(a, at) for a in eqn.inputs]
        wrong = {
            n: self._rounded(a, at)
            for n, a in enumerate(eqn.inputs)
            if any(a is v for v, _ in found)
        }
        if any(x is None or not np.isfinite(x) or x == 0 for x in wrong.values()):
            return found  # (what the format cannot hold was lost before)
        now = self._error(eqn, plain, truth)
        better = [
            n
            for n, x in wrong.items()
            if self._error(eqn, [*plain[:n], x, *plain[n + 1 :]], truth) < now / 2
        ]
        every = self._error(eqn, [wrong.get(n, x) for n, x in enumerate(plain)], truth)
        if not better and every < now / 2:
            return found
        return [(a, i) for a, i in found if any(eqn.inputs[n] is a for n in better)]

    def _rounded(self, a: Any, at: At) -> Any:
        truth = self.truth(a, at)
        if truth is None:
            return None
        dtype = np.asarray(self.value(a, at)).dtype.type
        with precision(_BITS), np.errstate(all="ignore"):
            return dtype(
                complex(truth.mid())
                if issubclass(dtype, np.complexfloating)
                else float(truth.mid())
            )

    def _error(self, eqn: Eqn, xs: list[Any], truth: Any) -> float:
        with np.errstate(all="ignore"):
            y = np.asarray(eqn.prim.eval(*xs, **eqn.params))[()]
        return relative(y, truth) if np.isfinite(y) else np.inf

    # ---- back to where it was born ---------------------------------------------------------------------
    def births(self, v: Any, at: At) -> list[Birth]:
        """The births that a wrong number goes back to, the first in the program first."""
        found: dict[tuple[int, At], Birth] = {}
        seen: set[tuple[Any, At]] = set()
        work: list[tuple[Any, At, tuple[int, ...]]] = [(v, at, ())]
        while work:
            w, here, path = work.pop()
            if (w, here) in seen or w not in self.maker:
                continue
            seen.add((w, here))
            k = self.maker[w]
            eqn = self.program.eqns[k]
            parents = self.blamed(eqn, here, list(self._wrong_inputs(eqn, here)))
            work.extend((a, i, (k, *path)) for a, i in parents)
            if not parents:
                found.setdefault((k, here), Birth(k, here, path))
        return sorted((self._met(b) for b in found.values()), key=lambda b: b.position)

    def _met(self, birth: Birth) -> Birth:
        """Of an infinity that is true (1/0): where it met a zero or its like, and a nan came out."""
        eqn = self.program.eqns[birth.position]
        out = result(eqn, birth.at)
        y, truth = self.value(out, birth.at), self.truth(out, birth.at)
        if np.ndim(y) or not np.isinf(y) or truth is not None:
            return birth
        for n, k in enumerate(birth.path):
            z = np.asarray(self.values[self.program.eqns[k].outputs[0]])
            if within(birth.at, z.shape) and np.isnan(z[birth.at]):
                return Birth(k, birth.at, birth.path[n + 1 :])
        return birth

    def _wrong_inputs(self, eqn: Eqn, at: At) -> Iterator[tuple[Any, At]]:
        aligned = getattr(eqn.prim, "aligned", False)
        for n, a in enumerate(eqn.inputs):
            if not isinstance(a, Var) or not getattr(a.type, "inexact", False):
                continue
            mask = self.wrong(a)
            if aligned and a.type.shape == eqn.outputs[0].type.shape:
                if mask[at] and not self._left_out(eqn, n, at):
                    yield a, at
            elif mask.any():
                i = _source(eqn, n, at)
                if i is not None:
                    if mask[i]:
                        yield a, i
                else:
                    yield a, tuple(int(q) for q in np.argwhere(mask)[0])

    def _left_out(self, eqn: Eqn, n: int, at: At) -> bool:
        """Of a selection: is it the side that was not taken?"""
        if eqn.prim.name != "select":
            return False
        c = bool(self.value(eqn.inputs[0], at))
        return n == (2 if c else 1)


def within(at: At, shape: tuple[int, ...]) -> bool:
    """Is it the place of an element of such an array?"""
    return len(at) == len(shape) and all(i < n for i, n in zip(at, shape, strict=True))


def result(eqn: Eqn, at: At) -> Any:
    """The result of an equation that an element may be of: of several, a real one of its shape."""
    fits = (v for v in eqn.outputs if getattr(v.type, "inexact", False) and within(at, v.type.shape))  # fmt: skip
    return next(fits, eqn.outputs[0])


def relative(y: Any, truth: Any) -> float:
    """The relative error of a finite number."""
    with precision(_BITS):
        apart, size = abs(ball(y) - truth), abs(truth)
        if not size > 0:
            return 0.0 if y == 0 else np.inf
        return float(apart / size)


def _source(eqn: Eqn, n: int, at: At) -> At | None:
    """Of movements: the element of an argument that an element of the result came from."""
    ids = getattr(eqn.prim, "ids", None)
    if ids is None or any(not isinstance(a.type, ArrayType) for a in eqn.inputs):
        return None
    try:
        place = int(ids(*(a.type for a in eqn.inputs), **eqn.params)[at])
    except (TypeError, ValueError, IndexError):
        return None
    for m, a in enumerate(eqn.inputs):
        if place < a.type.size:
            return tuple(int(i) for i in np.unravel_index(place, a.type.shape)) if m == n else None
        place -= a.type.size
    return None
