"""trace_table: its adjoints are gradients, its local derivatives make them, its texts hold every number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.draw.models import loss, wave

import wengert as wg

W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])


def f(x, y):
    u = x * y
    v = np.sin(x)
    return u * v + y


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_adjoints_are_sums_of_local_derivatives_times_adjoints(x, y):
    rows = wg.trace_table(f)(x, y).rows
    adjoint = {r.name: r.adjoint for r in rows}
    for row in rows[:-1]:
        total = sum(
            adjoint[above.name] * factor.value
            for above in rows
            for factor in above.factors
            if factor.operand == row.name
        )
        np.testing.assert_allclose(row.adjoint, total, rtol=1e-12, atol=1e-12)
    exact = wg.grad(f, argnums=(0, 1))(x, y)
    assert (adjoint["x"], adjoint["y"]) == exact
    assert rows[-1].value == f(x, y)
    assert rows[-1].adjoint == 1


def test_the_articles_layer_as_a_table():
    table = wg.trace_table(loss)(W)
    text = str(table)
    for part in (
        "v1 = X @ W",
        "∂v1/∂W = Xᵀ @ □",
        "∂v2/∂v1 = cos(v1)",
        "Y = np.sin(Z)",
        "2.42266",
        "□ is what",
    ):
        assert part in text
    np.testing.assert_allclose(table.rows[0].adjoint, wg.grad(loss)(W), rtol=1e-12)
    html = table._repr_html_()
    assert html.count("<tr>") == 1 + len(table)
    assert "∂v2/∂v1 = cos(v1)" in html


def test_html_is_escaped():
    table = wg.trace_table(lambda x: np.where(x < 1, x, 0))(0.5)
    assert "x &lt; 1" in table.html()
    assert "x < 1" not in table.html()


def test_of_arrays_the_sum_of_the_results():
    table = wg.trace_table(lambda x: x**2)(np.array([1.0, 2.0]))
    assert "∂Σv1/∂step" in str(table)
    np.testing.assert_array_equal(table.rows[0].adjoint, [2.0, 4.0])


def test_a_value_that_does_not_count_has_no_adjoint():
    def g(x):
        _ = np.exp(x)
        return x * 2

    rows = {r.name: r.adjoint for r in wg.trace_table(g)(1.0).rows}
    assert rows == {"x": 2.0, "v1": None, "v2": 1.0}


def test_long_tables_are_cut_in_print_only(monkeypatch):
    monkeypatch.setattr("wengert.draw.table._MOST", 100)
    table = wg.trace_table(wave)(1.0)
    assert len(table) == 1201
    assert str(table).endswith("1101 more rows are in `rows`")


def test_numbers_of_no_finite_range_say_so():
    table = wg.trace_table(lambda x: np.sum(np.log(x)))(np.array([-1.0, 1, 2, 3, 4, 5, 6, 7]))
    assert "f64[8] 0 … 1.95 and 1 nan" in str(table)


def test_complex_adjoints_are_those_of_grad():
    z = np.array([1 + 2j, 3j])

    def f(z):
        return np.sum(np.abs(z) ** 2)

    np.testing.assert_array_equal(wg.trace_table(f)(z).rows[0].adjoint, wg.grad(f)(z))
    square = wg.trace_table(lambda z: z * z)(1 + 2j).rows[0].adjoint
    assert square == wg.grad(lambda z: z * z, holomorphic=True)(1 + 2j)
