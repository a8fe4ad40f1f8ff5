"""Machine code is shared by programs that differ in their large extents alone: it must do for all what it does for one."""

from typing import Any

import numpy as np
import pytest
from tests.laws.cases import CASES
from tests.laws.domains import Setting
from tests.laws.libraries import PRODUCTS, by_a_library
from tests.laws.machine import distance, sample, settings_of
from tests.laws.test_machine import CALLED_BACK, CANCELLING, allowed

from wengert.errors import ShapeError
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import repeated
from wengert.memo import compiled as memo
from wengert.ops import PRIMITIVES
from wengert.ops.control import map_

pytest.importorskip("llvmlite")

# of many terms or factors, whose roundings add up
LONG = CANCELLING | PRODUCTS | {"logsumexp", "prod"}
# large random matrices have few digits: sizes of factors are tried in tests/backends/test_spectra.py
MATRICES = {n for n in CASES if by_a_library(PRIMITIVES[n])} - PRODUCTS - {"chosen"}
DELICATE = CALLED_BACK | {"svd", "full_svd", "eigh"}


def grown(value: Any, times: int) -> Any:
    """Extents times an integer, so that they are large."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value * times if value > 1 else value
    if isinstance(value, slice):
        return slice(grown(value.start, times), grown(value.stop, times), value.step)
    return type(value)(grown(v, times) for v in value) if isinstance(value, tuple) else value


def large(name: str, setting: Setting, times: int, seed: int) -> Any:
    """A primitive at a point with large arrays."""
    tags = PRIMITIVES[name].tags
    shapes = tuple(grown(s, times) for s in setting.shapes)
    params = {
        k: grown(v, times) if tags.get(k) == "extent" else v for k, v in setting.params.items()
    }
    return sample(name, Setting(shapes, params), CASES[name].dtypes[0], seed)


def agrees(name: str, got: Any, want: Any, args: Any) -> None:
    numbers = (*args, *want) if by_a_library(PRIMITIVES[name]) else args
    numbers = [a for a in numbers if np.asarray(a).dtype.kind in "fc"]
    scale = max((float(np.max(np.abs(a), initial=0)) for a in numbers), default=0)
    limit = allowed(name, args, want)[0] * (16 if name in LONG else 1)
    for y, z in zip(got, want, strict=True):
        off = distance(np.asarray(y), np.asarray(z), scale)
        assert off <= limit, f"{name}: {off} ulp"


def few(name: str) -> list[Setting]:
    """Settings with an axis that grows, and not too many."""
    found = settings_of(name, CASES[name].dtypes[0])
    return [s for s in found if s.shapes and any(n > 1 for x in s.shapes for n in x)][:3]


# (the condition of matrices grows with their size, and NumPy takes long for some: they are tried in batches below)
@pytest.mark.parametrize("name", sorted(set(CASES) - MATRICES - CALLED_BACK))
def test_code_for_one_size_does_for_another(name):
    for seed, setting in enumerate(few(name)):
        if sum(int(np.prod(s)) for s in setting.shapes) > 400:
            continue
        memo.forget()
        for times in (18, 23):
            try:
                s = large(name, setting, times, seed)
                program = s.program
            except ShapeError:  # a slice with a step does not grow so
                break
            compiled = memo.compiled(program)
            assert compiled.code is not None, f"{name}{setting}: {compiled.why}"
            agrees(name, compiled(s.args), s.values(*s.args), s.args)


@pytest.mark.parametrize(
    ("name", "times"), [(n, t) for n in CASES for t in (1, 9) if t == 1 or n not in DELICATE]
)
def test_code_for_one_batch_does_for_another(name, times):
    """Batches of small examples (one loop), and of large ones (the batch rules)."""
    for seed, setting in enumerate(few(name)[:2]):
        if sum(int(np.prod(s)) for s in setting.shapes) > 100:
            continue
        s = large(name, setting, times, seed)
        p = s.program
        memo.forget()
        for extent in (33, 64):
            ins = tuple(Var(repeated(t, extent)) for t in p.in_types)
            outs = tuple(Var(repeated(t, extent)) for t in p.out_types)
            params = {"body": p, "mapped": (True,) * len(ins), "extent": extent, "chunk": None}
            compiled = memo.compiled(Program(ins, [Eqn(map_, ins, params, outs)], outs))
            assert compiled.code is not None, f"{name}{setting}: {compiled.why}"
            args = [
                np.ascontiguousarray(np.broadcast_to(a, (extent, *np.shape(a)))) for a in s.args
            ]
            found = compiled(args)
            for row in (0, extent - 1):
                agrees(name, [y[row] for y in found], s.values(*s.args), s.args)
