"""Extents at run time: what shares machine code, and what is compiled in."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends.compile import compile
from wengert.backends.extents import abstract, run_time_extents

pytest.importorskip("llvmlite")


@pytest.mark.parametrize("step", [1, 2, -1])
def test_a_position_behind_a_position_is_not_taken_for_an_extent_of_equal_value(step):
    def apart(begin):
        return lambda x, y: np.sum(x[begin:].T[:, 10::step] * 2) + np.sum(y)

    x, y = np.arange(180.0).reshape(60, 3), np.ones(29)
    for begin in (3, 19, 25):  # 19 + 10 is the size of y, and 25 shares the code of 19
        assert wg.jit(apart(begin))(x, y) == apart(begin)(x, y)


def picked(count, stride):
    def f(x):
        total = 0.0
        for k in range(count):
            total = total + x[stride * k] ** 2
        return total

    return f


def test_positions_are_run_time_extents_where_they_are_few():
    programs = [wg.program(picked(30, stride))(np.ones(100)) for stride in (2, 3)]
    assert len(run_time_extents(programs[0])) == 22  # 100; 18, 20, …
    assert not abstract(programs[0]).fixed


def test_positions_are_compiled_in_where_they_are_very_many():
    x = np.linspace(0, 1, 300)
    program = wg.program(picked(100, 2))(x)
    assert run_time_extents(program) == (300,)
    compiled = compile(program)
    assert "%n1" not in compiled.text
    np.testing.assert_allclose(compiled(x)[0], picked(100, 2)(x), rtol=1e-14)
    assert abstract(program).key != abstract(wg.program(picked(100, 3))(np.ones(300))).key
    assert abstract(program).key == abstract(wg.program(picked(100, 2))(np.ones(400))).key
