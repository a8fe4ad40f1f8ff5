"""compare: every method in one table, against the exact derivative, with a picture."""

import importlib

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError, NonScalarOutputError

METHODS = [
    "symbolic",
    "forward difference",
    "central difference",
    "Richardson",
    "complex step",
    "forward mode",
    "reverse mode",
]


def f(x):
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.fixture(scope="module")
def table():
    pytest.importorskip("sympy")
    return wg.compare(f, repeat=1)(1.5)


def test_every_method_has_a_row_with_error_and_time(table):
    assert [row.method for row in table.rows] == METHODS
    assert all(row.seconds > 0 and row.error is not None for row in table.rows)


def test_the_reference_is_exact_to_the_last_digit(table):
    # 3.62203370071632585…, from SymPy with 50 digits; the function is Squire and Trapp's example
    assert table.exact == 3.6220337007163259
    assert table.reference == "by SymPy with 50 digits"


def test_errors_are_those_of_the_methods(table):
    error = {row.method: row.error for row in table.rows}
    assert 1e-9 < error["forward difference"] < 1e-6
    assert 1e-12 < error["central difference"] < 1e-8
    assert error["Richardson"] < 1e-11
    for exact in ("symbolic", "complex step", "forward mode", "reverse mode"):
        assert error[exact] < 1e-15


def test_the_curve_of_errors_is_a_v_for_differences_and_flat_for_the_complex_step(table):
    steps = np.array([1e-15, 1e-8, 1e-5, 1e-1])
    forward, central = table.errors("forward", steps), table.errors("central", steps)
    assert forward[1] < 1e-6 < forward[0]
    assert forward[1] < forward[3]
    assert central[2] < 1e-9 < central[0]
    assert central[2] < central[3]
    assert table.errors("complex", np.array([1e-20, 1e-15, 1e-10])).max() < 1e-15


def test_it_prints_and_shows_in_a_notebook(table):
    told = str(table)
    assert told.startswith(
        "the derivative of f at 1.5: 3.6220337007163259, by SymPy with 50 digits"
    )
    assert all(method in told for method in METHODS)
    assert "nodes, built in" in told
    assert table._repr_html_().count("<tr>") == 1 + len(METHODS)
    assert repr(table) == "<comparison of 7 derivatives of f>"


def test_the_picture_is_written(table, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    path = table.plot(tmp_path / "compare.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 20_000


def test_arrays_are_compared_by_their_largest_error():
    x = np.array([0.3, -0.4, 1.2, 0.7])
    table = wg.compare(rosenbrock, repeat=1)(x)
    np.testing.assert_allclose(table.exact, wg.grad(rosenbrock)(x), rtol=1e-15)
    assert max(row.error for row in table.rows) < 1e-6


def test_a_method_that_refuses_says_why():
    table = wg.compare(lambda x: np.sum(np.sort(np.maximum(x, 0.1)) ** 2), repeat=1)(np.ones(3) * 2)
    rows = {row.method: row for row in table.rows}
    assert "sort" in rows["symbolic"].note
    assert "np.maximum" in rows["complex step"].note
    assert rows["complex step"].value is None
    assert rows["reverse mode"].error == 0.0
    assert table.reference == "the middle of forward mode, reverse mode"
    assert np.all(np.isnan(table.errors("complex", np.array([1e-3]))))


def test_without_sympy_the_others_are_left(monkeypatch):
    def without(name, *args):
        if name == "sympy":
            raise ImportError(name)
        return importlib.__import__(name, *args)

    monkeypatch.setattr(importlib, "import_module", without)
    table = wg.compare(np.sin, repeat=1)(0.5)
    assert "wengert[symbolic]" in table.rows[0].note
    assert table.exact == np.cos(0.5)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: wg.compare(np.sin)(1j), InputError),
        (lambda: wg.compare(np.sin)(np.ones(2)), NonScalarOutputError),
    ],
    ids=["complex", "not one number"],
)
def test_what_cannot_be_compared_is_an_error(wrong, error):
    with pytest.raises(error, match=r"test_compare\.py"):
        wrong()
