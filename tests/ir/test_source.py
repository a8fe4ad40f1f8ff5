"""Every equation knows the user's line: recorded cheaply, resolved late, never ours."""

import traceback

import numpy as np
import pytest

import wengert as wg
from wengert.ir import source


def lines_of(f, *args):
    """The text of the line of each equation."""
    program = wg.program(f)(*args)
    return [program.line(e).text for e in program.eqns]


def test_each_equation_has_the_line_that_made_it():
    def f(x):
        a = np.sin(x)
        b = a * 2
        return b + 1

    assert lines_of(f, 1.0) == ["a = np.sin(x)", "b = a * 2", "return b + 1"]


def test_a_call_over_several_lines_is_told_by_its_own_line():
    def f(x):
        return np.add(
            np.sin(x),
            np.cos(x),
        )

    assert lines_of(f, 1.0)[:2] == ["np.sin(x),", "np.cos(x),"]


def test_numpys_own_python_code_is_not_the_users():
    def f(x):
        return np.linalg.norm(x - np.mean(x))

    assert set(lines_of(f, np.array([1.0, 2.0]))) == {"return np.linalg.norm(x - np.mean(x))"}


def test_derived_equations_keep_the_primal_line():
    def f(x):
        y = np.exp(x)
        return np.sin(y)

    program = wg.program(wg.grad(f))(1.0)
    for e in program.eqns:
        assert program.line(e).text in ("y = np.exp(x)", "return np.sin(y)")
    assert {program.line(e).text for e in program.eqns} == {"y = np.exp(x)", "return np.sin(y)"}


def test_a_line_has_columns_and_a_short_name():
    def f(x):
        return np.sin(x) + np.cos(x)

    program = wg.program(f)(1.0)
    sine, cosine = (program.line(e) for e in program.eqns[:2])
    assert sine.line == cosine.line
    assert sine.column < sine.end_column <= cosine.column
    assert str(sine) == f"test_source.py:{sine.line}"


def test_code_without_a_file_has_a_line_without_text():
    names = {"np": np}
    exec(compile("def f(x):\n    return np.sin(x)\n", "<made up>", "exec"), names)
    program = wg.program(names["f"])(1.0)
    line = program.line(program.eqns[0])
    assert (line.file, line.line, line.text) == ("<made up>", 2, "")


def test_a_users_exception_has_no_tail_of_our_frames():
    def f(x):
        np.sin(x)
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        wg.grad(f)(1.0)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "f"


def test_our_errors_end_at_the_users_line():
    def f(x):
        return np.sum(x + np.ones(4))

    with pytest.raises(wg.errors.ShapeError) as caught:
        wg.grad(f)(np.ones(3))
    assert (
        traceback.extract_tb(caught.value.__traceback__)[-1].line == "return np.sum(x + np.ones(4))"
    )


def test_a_place_that_is_unknown_resolves_to_nothing():
    assert source.resolve(None) is None
