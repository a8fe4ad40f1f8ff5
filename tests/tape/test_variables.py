"""Variables and constants: arrays with an identity."""

import copy
import pickle

import numpy as np
import pytest

import wengert as wg
from wengert.errors import ConcretizationError, DTypeError, InputError, ShapeError


def test_a_variable_has_the_dtype_that_numpy_would_give_it():
    assert wg.Variable(1.0).dtype == np.float64
    assert wg.Variable([1, 2]).dtype == np.int64
    assert wg.Variable([1.0], dtype=np.float32).dtype == np.float32
    assert wg.constant(np.ones(2, np.float32)).dtype == np.float32
    assert wg.Variable(lambda: np.ones((2, 3))).shape == (2, 3)


def test_assign_gives_new_numbers_and_returns_the_variable():
    v = wg.Variable([1.0, 2.0], dtype=np.float32, name="v")
    assert v.assign([3, 4]) is v
    assert v.assign_add(1.0 * v).assign_sub(np.ones(2)) is v
    np.testing.assert_array_equal(v, [5.0, 7.0])
    assert v.dtype == np.float32
    assert repr(v) == "Variable(array([5., 7.], dtype=float32), name='v')"
    assert repr(wg.constant(2.0)) == "constant(np.float64(2.0))"


def test_assign_keeps_the_shape_and_the_kind_of_numbers():
    v = wg.Variable([1.0, 2.0], name="v")
    with pytest.raises(
        ShapeError, match=r"cannot assign an array of shape \(3,\) to 'v', which is f64\[2\]"
    ):
        v.assign(np.ones(3))
    with pytest.raises(ShapeError):
        v.assign_add(np.ones((2, 2)))
    with pytest.raises(DTypeError, match="cannot assign complex128 numbers"):
        v.assign([1j, 2])
    with pytest.raises(DTypeError):
        wg.Variable([1, 2]).assign([1.5, 2.5])
    np.testing.assert_array_equal(v, [1.0, 2.0])


def test_no_other_name_reaches_the_numbers_of_a_variable():
    given = np.ones(2)
    v = wg.Variable(given)
    given[0] = 5.0
    v.numpy()[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        v.value()[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(v)[0] = 5.0
    np.testing.assert_array_equal(v, [1.0, 1.0])


def test_writing_in_place_is_an_error_that_names_assign():
    v, c = wg.Variable([1.0, 2.0], name="v"), wg.constant([1.0, 2.0])
    for write in (
        lambda: v.__setitem__(0, 5.0),
        lambda: np.add(v, 1.0, out=v),
        lambda: np.exp(v, out=(c,)),
        lambda: c.__setitem__(0, 5.0),
    ):
        with pytest.raises(InputError, match="cannot be written in place") as caught:
            write()
        assert "v.assign(…)" in str(caught.value)


def test_only_numbers_fit_into_a_variable():
    for wrong in (["a"], [object()], None):
        with pytest.raises(DTypeError, match="a variable cannot hold"):
            wg.Variable(wrong)


def test_a_value_of_a_tape_may_start_a_variable_but_not_one_of_a_function():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        y = wg.Variable(x * x)
        z = y * x
    assert y.numpy() == 4.0
    assert tape.gradient(z, x) == 4.0  # not through the new variable
    with pytest.raises(ConcretizationError):
        wg.grad(lambda x: wg.Variable(x) * x)(2.0)
    with pytest.raises(ConcretizationError):
        wg.grad(lambda x: y.assign(x) * x)(2.0)


def test_variables_can_be_told_apart_and_kept_in_sets():
    a, b = wg.Variable([1.0, 2.0]), wg.Variable([1.0, 2.0])
    assert len({a, b, a}) == 2
    assert (a == b).all()
    assert not (a != b).any()


def test_variables_pickle_and_copy():
    v = wg.Variable([1.0, 2.0], trainable=False, dtype=np.float32, name="v")
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        v.assign_add([1.0, 1.0])
        np.testing.assert_array_equal(twin, [1.0, 2.0])
        assert (twin.trainable, twin.dtype, twin.name) == (False, np.float32, "v")
        v.assign([1.0, 2.0])
    c = pickle.loads(pickle.dumps(wg.constant([1.0, 2.0])))
    np.testing.assert_array_equal(c, [1.0, 2.0])


def test_variables_answer_python():
    v = wg.Variable([1.0, 2.0, 3.0])
    assert len(v) == 3
    assert [float(x) for x in v] == [1.0, 2.0, 3.0]
    assert (
        f"{wg.Variable(1.5):.2f} {wg.Variable(1.5, name='w')}"
        == "1.50 Variable(np.float64(1.5), name='w')"
    )
    assert float(wg.Variable(1.5)) == 1.5
    assert int(wg.Variable(3)) == 3
    assert [10, 20, 30][wg.Variable(2)] == 30
    assert bool(wg.Variable(0.0)) is False
    assert complex(wg.Variable(1j)) == 1j
    v_before = v
    v += 1.0  # makes an array, as for any immutable value
    assert type(v) is np.ndarray
    np.testing.assert_array_equal(v_before, [1.0, 2.0, 3.0])


def test_a_big_array_that_is_overwritten_between_use_and_gradient_is_an_error():
    x = np.ones(5000)
    w = wg.Variable(np.ones(5000))
    with wg.GradientTape() as tape:
        loss = np.sum(w * x)
    x[:] = 2.0
    with pytest.raises(InputError, match="overwritten after it was used here"):
        tape.gradient(loss, w)
