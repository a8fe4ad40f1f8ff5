"""Levels: derivatives of derivatives as one program, nothing rounded on the way.

A derivative that is taken inside of a function is traced with its rules' own constants, which are
rounded. Here every level is derived from the program of the one below, as `trust/exact.py` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import type_of
from wengert.transforms.derive import derive
from wengert.trust import exact
from wengert.trust.balls.evaluate import Derived


class Level:
    """A program with its arguments; the last `seeds` are cotangents of the levels below."""

    def __init__(self, program: Program, args: Sequence[Any], movers: int, seeds: int = 0) -> None:
        self.program, self.args, self.movers, self.seeds = program, list(args), movers, seeds

    def gradient(self) -> Level:
        """The slopes of one number in every argument that moves."""
        one = self.program.out_types[0].dtype.type(1)
        back, given = self.pulled(self.program, self.args, self.movers, [one])
        return Level(back, given, self.movers, self.seeds + 1)

    def jacobian(self) -> Level:
        """The slopes of every output in every argument that moves: arrays `(*output, *argument)`."""
        parts: list[tuple[Program, list[Any]]] = []
        shapes = [t.shape for t in self.program.out_types]
        for n, t in enumerate(self.program.out_types):
            for at in np.ndindex(t.shape):
                gs = [np.zeros(s.shape, s.dtype)[()] for s in self.program.out_types]
                gs[n] = np.array(gs[n])
                gs[n][at] = 1
                parts.append(self.pulled(self.program, self.args, self.movers, [g[()] for g in gs]))
        seeds = self.seeds + len(shapes)
        count = len(parts[0][1]) - seeds
        rows = [given[count:] for _, given in parts]
        leaves = len(parts[0][0].outputs)

        def whole(*xs: Any) -> list[Any]:
            rest, found, at = xs[count:], [], 0
            ys = [
                evaluate(back, [*xs[:count], *rest[k * seeds : (k + 1) * seeds]])
                for k, (back, _) in enumerate(parts)
            ]
            for shape in shapes:
                size = int(np.prod(shape))
                for leaf in range(leaves):
                    one = np.stack([ys[at + k][leaf] for k in range(size)])
                    found.append(np.reshape(one, (*shape, *np.shape(ys[at][leaf]))))
                at += size
            return found

        given = [*parts[0][1][:count], *(g for row in rows for g in row)]
        back = derive(whole, list(map(type_of, given)), parts[0][0], self.program.name)
        return Level(back, given, self.movers, seeds * len(parts))

    def pulled(
        self, program: Program, args: Sequence[Any], movers: int, gs: Sequence[Any]
    ) -> tuple[Program, list[Any]]:
        """Cotangents of the arguments that move, as `exact.pulled`; all seeds come last."""
        back, given = exact.pulled(program, args, movers, gs)
        return self._seeds_last(back, given, len(args))

    def pushed(
        self, program: Program, args: Sequence[Any], movers: int, dxs: Sequence[Any]
    ) -> tuple[Program, list[Any]]:
        """Tangents of the outputs, as `exact.pushed`."""
        forth, given = exact.pushed(program, args, movers, dxs)
        return self._seeds_last(forth, given, len(args))

    def _seeds_last(
        self, program: Program, given: list[Any], own: int
    ) -> tuple[Program, list[Any]]:
        new = getattr(program, "seeds", 0)
        first, old = own - self.seeds, range(own - self.seeds, own)
        order = [*range(first), *range(own, len(given) - new), *old, *range(len(given) - new, len(given))]  # fmt: skip
        found = Derived(
            [program.inputs[n] for n in order], program.eqns, program.outputs, program.sources, program.name
        )  # fmt: skip
        found.seeds = new + self.seeds
        return found, [given[n] for n in order]
