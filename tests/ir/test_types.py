"""Types compare by content, print shortly, and know numbers, arrays and traced values."""

import pickle

import numpy as np
import pytest

import wengert as wg
from wengert.ir import ArrayType, StackType, type_of


def test_equal_types_are_one_object():
    assert ArrayType.of((2, 3), np.dtype("f8")) is ArrayType.of((2, 3), np.dtype(float))


def test_types_differ_by_shape_and_by_dtype():
    assert type_of(np.zeros(2)) != type_of(np.zeros(3))
    assert type_of(np.zeros(2)) != type_of(np.zeros(2, "f4"))
    assert type_of(np.zeros(2)) != type_of(np.zeros((2, 1)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "f64[]"),
        (1, "i64[]"),
        (True, "bool[]"),
        (1j, "c128[]"),
        (np.float32(1), "f32[]"),
        (np.zeros((3, 0), "f2"), "f16[3,0]"),
        (np.zeros(2, "u1"), "u8[2]"),
    ],
)
def test_a_type_prints_its_dtype_and_extents(value, shown):
    assert repr(type_of(value)) == shown


def test_a_traced_value_has_the_type_of_its_number():
    seen = []
    wg.grad(lambda x: seen.append(type_of(x)) or np.sum(x))(np.zeros((2, 3), "f4"))
    assert seen == [type_of(np.zeros((2, 3), "f4"))]


def test_types_pickle():
    for t in (type_of(np.zeros((2, 3))), StackType(type_of(1.0))):
        again = pickle.loads(pickle.dumps(t))
        assert again == t
        assert hash(again) == hash(t)


def test_only_floats_and_complex_numbers_can_move():
    moving = [c for c in "?bilBefdgFD" if type_of(np.zeros(1, c)).inexact]
    assert "".join(moving) == "efdgFD"
