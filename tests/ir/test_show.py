"""A printed program can be read aloud: one line per equation, the user's line beside it."""

import numpy as np

import wengert as wg
from wengert.ir.show import show


def test_one_line_per_equation_with_types_params_and_lines():
    def model(weights, x):
        hidden = np.tanh(weights @ x)
        return np.sum(hidden, axis=0)

    text = str(wg.program(model)(np.zeros((2, 3)), np.zeros(3)))
    rows = [row.split("# ") for row in text.splitlines()]
    assert [row[0].strip() for row in rows] == [
        "model(a: f64[2,3], b: f64[3]) -> f64[]:",
        "c: f64[2] = matmul a b",
        "d: f64[2] = tanh c",
        "e: f64[] = sum[axes=(0,)] d",
        "return e",
    ]
    assert rows[1][1].endswith("hidden = np.tanh(weights @ x)")
    assert rows[3][1].startswith("test_show.py:")


def test_without_lines_nothing_but_the_program_is_shown():
    program = wg.program(lambda x: x[1:, ::2] * 3)(np.zeros((3, 4)))
    assert "#" not in show(program, sources=False)
    assert "index[at=(1:, ::2)] a" in show(program, sources=False)
    assert "mul b 3.0" in show(program, sources=False)


def test_names_go_on_after_z():
    def long(x):
        for _ in range(60):
            x = np.sin(x)
        return x

    names = [
        row.split(":")[0].strip()
        for row in show(wg.program(long)(1.0), sources=False).splitlines()[1:-1]
    ]
    assert len(set(names)) == 60
    assert names[24:27] == ["z", "aa", "ab"]
    assert names[50:52] == ["az", "ba"]


def test_results_that_are_arguments_or_constants_are_shown_as_such():
    text = show(wg.program(lambda x: (x, 2.5))(1.0), sources=False)
    assert text.splitlines()[-1].strip() == "return a, 2.5"
