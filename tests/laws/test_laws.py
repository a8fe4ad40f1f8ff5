"""Every primitive obeys every law, at points that hypothesis draws in the domain of its case."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.cases import CASES, ELSEWHERE

from wengert.ir import Primitive
from wengert.ops import (
    PRIMITIVES,
    arithmetic,
    compare,
    exponential,
    index,
    matmul,
    reduce,
    running,
    shape,
    trigonometric,
)
from wengert.testing import LAWS
from wengert.testing.laws import jvp_is_the_slope, pullback_is_the_transpose

ROOT = Path(__file__).parents[2]
TESTED = [law for law in LAWS if law.holds is not None]
MATRIX = [
    pytest.param(law, name, id=f"{law.number}-{name}")
    for name, case in CASES.items()
    for law in TESTED
    if law.number in case.laws
]


@pytest.mark.parametrize(("law", "name"), MATRIX)
@settings(max_examples=max(10, settings().max_examples // 3))  # there are over a thousand of these
@given(data=st.data())
def test_the_law_holds(law, name, data):
    law.holds(data.draw(CASES[name].samples(name)))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("law", "name", "dtype", "setting"),
    [
        pytest.param(law, name, dtype, setting, id=f"{law.number}-{name}-{dtype}-{n}")
        for law, name in (p.values for p in MATRIX)
        for dtype in CASES[name].dtypes
        for n, setting in enumerate(CASES[name].settings)
    ],
)
@given(data=st.data())
def test_the_law_holds_in_every_dtype_and_setting(law, name, dtype, setting, data):
    law.holds(data.draw(CASES[name].samples(name, dtype, [setting])))


ROOMS = (arithmetic, compare, exponential, trigonometric, shape, reduce, running, index, matmul)
HALF = [
    p.name
    for room in ROOMS
    for p in vars(room).values()
    if isinstance(p, Primitive)
    and p.name in CASES
    and CASES[p.name].differentiable
    and "f" in CASES[p.name].dtypes
]


@pytest.mark.parametrize("name", sorted(set(HALF)))
@settings(max_examples=4)
@given(data=st.data())
def test_half_precision_stays_half_precision(name, data):
    sample = data.draw(CASES[name].samples(name, "e"))
    jvp_is_the_slope(sample)
    pullback_is_the_transpose(sample)


def test_no_primitive_is_forgotten():
    assert not set(CASES) & set(ELSEWHERE)
    assert set(CASES) | set(ELSEWHERE) == set(PRIMITIVES)
    for reason in ELSEWHERE.values():
        assert (ROOT / reason.split(":")[0]).exists()


@pytest.mark.parametrize(
    "law", [law for law in LAWS if law.holds is None], ids=lambda law: law.number
)
def test_a_law_without_a_function_says_where_it_is(law):
    assert law.pending


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_pickles_to_itself(name):
    assert pickle.loads(pickle.dumps(PRIMITIVES[name])) is PRIMITIVES[name]
