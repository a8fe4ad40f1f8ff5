"""The bound encloses the truth: every primitive, in single precision against double precision.

Arguments are drawn, with radii around them; wherever in these balls the true arguments lie, the exact
result (computed in double precision) lies within the radius of what single precision computed.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.cases import CASES

from wengert.ir.types import StackType, type_of
from wengert.trust.bounds import run

SINGLE = {"d": "f", "f": "f", "D": "F", "F": "F"}
WIDE = {"f": np.float64, "F": np.complex128}
# computed in double precision whatever they are given, so that there is no single precision to test
NAMES = sorted(n for n, c in CASES.items() if set(c.dtypes) & set("fdFD"))


def narrowed(x):
    return x.astype(SINGLE[x.dtype.char]) if x.dtype.char in SINGLE else x


def widened(x):
    return x.astype(WIDE[x.dtype.char]) if x.dtype.char in WIDE else x


@pytest.mark.filterwarnings("ignore:logm result")
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=max(5, settings().max_examples // 6))
@given(
    data=st.data(), width=st.sampled_from((0.0, 1e-7, 1e-5, 1e-3, 0.05)), seed=st.integers(0, 99)
)
def test_the_bound_encloses_the_truth(name, data, width, seed):
    dtype = "f" if "f" in CASES[name].dtypes else data.draw(st.sampled_from(CASES[name].dtypes))
    sample = data.draw(CASES[name].samples(name, dtype))
    if any(isinstance(t, StackType) for t in sample.types):
        return
    draw = np.random.default_rng(seed)
    xs = [narrowed(np.asarray(x))[()] for x in sample.args]
    rs = [
        np.asarray(width * np.abs(x) * draw.random(np.shape(x)), np.asarray(x).real.dtype)[()]
        if width and m and x.dtype.kind in "fc" else None
        for x, m in zip(xs, sample.moving, strict=True)
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        found = run(sample.program, xs, rs)
        for _ in range(3):
            inside = [
                widened(x) if r is None else widened(x) + r * np.sign(draw.standard_normal(np.shape(x)))
                * draw.choice([1, 1, 0.5], np.shape(x))
                for x, r in zip(xs, rs, strict=True)
            ]  # fmt: skip
            try:
                truth = sample.values(*inside)
            except np.linalg.LinAlgError:
                continue
            for y, r, t in zip(found.values, found.radii, truth, strict=True):
                assert_enclosed(y, r, t)


def assert_enclosed(y, r, t):
    if type_of(y).__class__ is StackType:
        return
    y, t = np.asarray(y), np.asarray(t)
    if y.dtype.kind == "b":
        assert np.all((y == t) | (False if r is None else r))
        return
    off = np.abs(y.astype(t.dtype) - t)
    if y.dtype.kind in "iu":
        assert np.all(off <= (0 if r is None else r)), (y, r, t)
        return
    if r is None:
        assert np.all((off == 0) | np.isnan(off)), (y, t)
        return
    assert np.shape(r) == np.shape(y)
    sure = np.isfinite(y) & np.isfinite(t) & ~np.isnan(r)
    own = (
        256 * np.finfo(t.dtype).eps * np.abs(t) + 1e-6 * r
    )  # double precision is not the truth either
    assert np.all(~sure | (off <= r + own)), (y, r, t, off - r)
