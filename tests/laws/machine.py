"""Law 5 made ready: points of every primitive in every dtype, of shapes that show every way through."""

from typing import Any

import numpy as np
from tests.laws.cases import CASES
from tests.laws.domains import GAP, Domain, Setting

from wengert.ops import PRIMITIVES
from wengert.testing import Sample

# of elementwise primitives: a number, a few, none, one, and more than fill vectors, with odd tails
SHAPES = ((), (3,), (37,), (5, 19), (0,), (1, 2), (18, 3))
ODD = 4  # of these, tried in one dtype only


def points(domain: Domain, rng: np.random.Generator, shape: Any, dtype: np.dtype) -> Any:
    """Elements of a domain."""
    kind = np.dtype(domain.dtype or dtype)
    size = int(np.prod(shape))
    if domain.distinct:
        step = (domain.high - domain.low) / max(size, 1)
        return (domain.low + (rng.permutation(size) + 0.5) * step).reshape(shape).astype(kind)
    if kind.kind in "biu":
        low, high = int(domain.low), int(domain.high)
        if kind.kind == "u":
            low = max(low, 0)
        values = rng.integers(low, high + 1, 4 * size + 4)
    else:
        values = rng.uniform(domain.low, domain.high, 4 * size + 4)
        values[rng.random(len(values)) < 0.1] = np.round(values[0])
    for a in domain.away:
        values = values[np.abs(values - a) >= GAP]
    values = np.resize(values, size).reshape(shape)
    if kind.kind == "c":
        values = values + 1j * rng.uniform(-0.75, 0.75, shape)
    return values.astype(kind)


def settings_of(name: str, dtype: str) -> list[Setting]:
    """Settings of a case; of elementwise primitives one per shape."""
    case = CASES[name]
    shapes = SHAPES if dtype == case.dtypes[0] else SHAPES[:ODD]
    found = []
    for setting in case.settings:
        if setting.shapes is None:
            found += [Setting((s,) * len(case.domains), setting.params) for s in shapes]
        else:
            found.append(setting)
    return found


def sample(name: str, setting: Setting, dtype: str, seed: int) -> Sample:
    """A primitive at a point."""
    case, rng = CASES[name], np.random.default_rng(seed)
    shapes = setting.shapes
    domains = case.domains * (len(shapes) if len(case.domains) == 1 else 1)
    args = [points(d, rng, s, np.dtype(dtype)) for d, s in zip(domains, shapes, strict=True)]
    if case.via is not None:
        args = [np.asarray(a, dtype)[()] for a in case.via(*args)]
    return Sample(PRIMITIVES[name], args, setting.params)


def distance(got: Any, want: Any, scale: Any = 0) -> float:
    """Largest distance in units in the last place (of the value, or of `scale` if that is larger)."""
    got, want = np.asarray(got), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), (got, want)
    if want.size == 0:
        return 0.0
    if want.dtype.kind not in "fc":
        return 0.0 if np.array_equal(got, want) else np.inf
    if want.dtype.kind == "c":  # against the size of the whole number
        size = np.maximum(np.abs(want), scale)
        return max(distance(got.real, want.real, size), distance(got.imag, want.imag, size))
    same = (got == want) | ((got != got) & (want != want))
    if same.all():
        return 0.0
    with np.errstate(all="ignore"):
        unit = np.spacing(np.maximum(np.abs(want), scale).astype(want.dtype))
        return float(
            np.max(np.where(same, 0, np.abs(got.astype(float) - want.astype(float)) / unit))
        )
