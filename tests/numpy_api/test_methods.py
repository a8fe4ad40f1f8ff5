"""A traced array has ndarray's methods and attributes, or refuses by name; unknown names raise."""

import copy
import re

import numpy as np
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions

import wengert as wg
from wengert.errors import UnsupportedError
from wengert.numpy_api.table import FUNCTIONS
from wengert.trace.tracer import Tracer

REFUSED = (
    "byteswap",
    "ctypes",
    "data",
    "dump",
    "dumps",
    "getfield",
    "resize",
    "setfield",
    "setflags",
    "tobytes",
    "tofile",
)


def test_every_public_name_of_ndarray_is_there():
    assert [
        name for name in dir(np.ndarray) if not name.startswith("_") and not hasattr(Tracer, name)
    ] == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_looks_at_memory_is_refused_with_the_users_line(name):
    def f(x):
        found = getattr(x, name)
        return found() if callable(found) else found

    with pytest.raises(
        UnsupportedError, match=rf"test_methods\.py:\d+: ndarray\.{name} looks at the memory"
    ):
        wg.grad(f)(np.ones(3))


UNKNOWN = {
    "np.packbits": np.packbits,
    "np.save": lambda x: np.save("x.npy", x),
    "np.power.reduce with where=": lambda x: np.power.reduce(x, where=[True, False, True]),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_without_a_rule_raises_with_the_users_line(name):
    with pytest.raises(UnsupportedError, match=rf"test_methods\.py:\d+: {name}(.|\n)*Way out"):
        wg.grad(lambda x: UNKNOWN[name](x))(np.ones(3))


def test_no_function_of_numpy_is_silent():
    """Every function that may meet a traced array has a rule, or raises before it computes."""
    for function in get_overridable_numpy_array_functions() - set(FUNCTIONS):
        with pytest.raises(UnsupportedError, match=re.escape(function.__name__)):
            Tracer.__array_function__(None, function, (Tracer,), (), {})  # type: ignore[attr-defined]


def test_methods_are_numpys_functions():
    x = np.array([[3.0, -1.0, 2.0], [0.5, 4.0, 1.5]])
    calls = {
        "sum": (1,), "prod": (), "mean": (0,), "var": (), "std": (1,), "max": (), "min": (0,), "clip": (0, 2), "round": (),
        "trace": (), "diagonal": (1,), "repeat": (2, 0), "swapaxes": (0, 1), "take": ([0, 2],), "ravel": (), "squeeze": (), "cumsum": (1,),
        "cumprod": (), "flatten": (), "conj": (), "dot": (np.ones(3),), "argmax": (), "argsort": (0,), "all": (), "any": (1,),
        "reshape": (3, 2), "transpose": (1, 0), "compress": ([True, False], 0), "item": (4,), "argpartition": (1,),
    }  # fmt: skip
    for name, args in calls.items():
        found = []

        def f(y, name=name, args=args, found=found):
            found.append(getattr(y, name)(*args))
            return np.sum(found[0]) * 1.0

        value = wg.value_and_grad(f)(x)[0]
        plain = getattr(x, name)(*args)
        assert found[0].shape == np.shape(plain)
        assert value == pytest.approx(np.sum(plain))


def test_sorting_and_filling_happen_in_place():
    def f(x):
        x = x.copy()
        x.sort()
        first = x[0] * 1.0
        x.partition(1)
        x.fill(2 * first)
        return np.sum(x) + first

    np.testing.assert_array_equal(wg.grad(f)(np.array([3.0, 1.0, 2.0])), [0, 7, 0])


def test_items_and_lists_stay_traced():
    def f(x):
        rows = x.tolist()
        return (
            rows[0][1] * x.item(2)
            + x[1, 0].item()
            + copy.deepcopy(x)[1, 1]
            + copy.copy(x).item(0, 0)
        )

    np.testing.assert_array_equal(wg.grad(f)(np.array([[1.0, 2.0], [3.0, 4.0]])), [[1, 3], [3, 1]])


def test_membership_and_length_look_without_losing_anything():
    assert wg.grad(lambda x: (x[0] if 2.0 in x else x[1]) * len(x))(
        np.array([1.0, 2.0])
    ).tolist() == [2, 0]


def test_a_matrix_may_be_multiplied_in_place():
    def f(x):
        x = x.copy()
        x @= x
        return np.sum(x)

    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(wg.grad(f)(a), wg.grad(lambda a: np.sum(a @ a))(a))


def test_integer_results_are_constants():
    def f(x):
        order = np.argsort(x)  # 0 2 1
        largest = np.unravel_index(np.argmax(x), x.shape)
        steps = np.sum(np.sign(x) + np.floor(x) + (x > 1) + np.searchsorted([1.0, 2.0], x))
        return np.sum(x[order] * [1, 2, 3]) + x[largest] * np.count_nonzero(x > 0) + steps

    np.testing.assert_array_equal(wg.grad(f)(np.array([0.3, 2.4, 1.2])), [1, 3 + 3, 2])
