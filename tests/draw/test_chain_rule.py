"""chain_rule: every formula is true, every path adds up, every line is the user's."""

import html
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.cases import CASES

import wengert as wg
from wengert.draw import formulas
from wengert.draw.written import composed, latex_name, latex_number, number
from wengert.errors import InputError
from wengert.transforms.jvp import push

X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])
W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def loss(W):
    Z = X @ W
    return np.sum(np.sin(Z) ** 2)


# ---- the formulas ------------------------------------------------------------------------------------


KNOWN = {"np": np, "indicator": lambda c: np.asarray(c, float), "pi": np.pi, "mod": np.remainder}


@pytest.mark.parametrize("name", [n for n, f in formulas.FORMULAS.items() if len(f) > 1])
@given(data=st.data())
def test_every_formula_is_the_operation_and_its_slope(name, data):
    s = data.draw(CASES[name].samples(name, "d"))
    functions = {n: getattr(np, n) for n in dir(np) if not n.startswith("_")} | KNOWN
    letters = dict(zip(formulas.LETTERS, s.args, strict=False), z=s.values(*s.args)[0])
    operation, *slopes = formulas.FORMULAS[name]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            eval(operation, functions | letters), letters["z"], rtol=1e-14, atol=1e-15
        )
        for k, slope in enumerate(slopes):
            if not s.types[k].inexact:
                continue
            ones = [np.ones_like(a) if n == k else None for n, a in enumerate(s.args)]
            dy = push(s.prim, ones, s.args, (letters["z"],), s.params, s.types)[0]
            shown = np.broadcast_to(eval(slope, functions | letters), np.shape(letters["z"]))
            true = np.zeros(np.shape(shown)) if dy is None else dy
            there = np.isfinite(shown)  # a formula may have a removable singularity: sinc at 0
            assert np.any(there) or name == "sinc" or np.size(shown) == 0
            np.testing.assert_allclose(
                np.asarray(shown)[there], np.asarray(true)[there], rtol=1e-8, atol=1e-9
            )


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        ("-x / y**2", "-v1/v2²", r"-\frac{v_{1}}{{v_{2}}^{2}}"),
        ("x - (y - 1)", "v1 - (v2 - 1)", r"v_{1} - \left(v_{2} - 1\right)"),
        ("(x + y) * x", "(v1 + v2)·v1", r"\left(v_{1} + v_{2}\right) v_{1}"),
        ("x * -y", "v1·(-v2)", r"v_{1} \left(-v_{2}\right)"),
        ("(-x)**2", "(-v1)²", r"{\left(-v_{1}\right)}^{2}"),
        ("x / (y / x)", "v1/(v2/v1)", r"\frac{v_{1}}{\frac{v_{2}}{v_{1}}}"),
        ("x**(y - 1)", "v1^(v2 - 1)", r"{v_{1}}^{v_{2} - 1}"),
        ("indicator(x >= y)", "[v1 ≥ v2]", r"[v_{1} \geq v_{2}]"),
        ("sqrt(1 - abs(x))", "√(1 - |v1|)", r"\sqrt{1 - \left|v_{1}\right|}"),
        ("2 * 3 * cos(pi * x)**2", "2·3·cos(π·v1)²", r"2 \cdot 3 \cos^{2}\left(\pi v_{1}\right)"),
    ],
)
def test_formulas_print_with_as_few_brackets_as_they_need(formula, text, latex):
    assert formulas.text(formula, {"x": "v1", "y": "v2"}) == text
    assert formulas.latex(formula, {"x": "v_{1}", "y": "v_{2}"}) == latex


def test_every_formula_is_well_formed_latex():
    parser = pytest.importorskip("matplotlib.mathtext").MathTextParser("path")
    names = {"x": "v_{1}", "y": "v_{2}", "w": r"\mathrm{loss}", "z": "-2.5"}
    for operation in formulas.FORMULAS.values():
        for formula in operation:
            parser.parse(f"${formulas.latex(formula, names)}$")


def test_negative_numbers_are_bracketed_inside():
    assert formulas.text("x * y", {"x": "v1", "y": "-2"}) == "v1·(-2)"
    assert formulas.text("x + y", {"x": "-2", "y": "v1"}) == "-2 + v1"
    assert formulas.text("x**2", {"x": "-2"}) == "(-2)²"


# ---- the article's figures -----------------------------------------------------------------------------


def test_the_chain_of_the_sigmoid_is_told_in_full():
    told = str(wg.chain_rule(sigmoid)(2.0)).splitlines()
    assert told[0] == "sigmoid(x) = 0.880797 at x = 2"
    steps = [re.split(r"\s{2,}", line.strip()) for line in told[2:6]]
    assert [s[:5] for s in steps] == [
        ["v1 = -x", "= -2", "∂v1/∂x", "= -1", "= -1"],
        ["v2 = exp(v1)", "= 0.135335", "∂v2/∂v1", "= exp(v1)", "= 0.135335"],
        ["v3 = 1 + v2", "= 1.13534", "∂v3/∂v2", "= 1", "= 1"],
        ["v4 = 1/v3", "= 0.880797", "∂v4/∂v3", "= -1/v3²", "= -0.775803"],
    ]
    assert steps[0][5].startswith("test_chain_rule.py:")
    assert steps[0][6] == "return 1 / (1 + np.exp(-x))"
    assert told[7:] == [
        "∂v4/∂x = ∂v4/∂v3 · ∂v3/∂v2 · ∂v2/∂v1 · ∂v1/∂x",
        "       = -1/v3² · exp(v1) · (-1)",
        "       = -0.775803 · 1 · 0.135335 · (-1)",
        "       = 0.104994",
    ]


def test_the_loss_of_the_article_reduces_to_one_matrix_product():
    told = wg.chain_rule(loss)(W)
    assert [step.formula for step in told.rows] == ["X @ W", "sin(v1)", "v2²", "sum(v3)"]
    text = str(told)
    assert "= Xᵀ @ (2·v2 · cos(v1))" in text
    assert text.endswith("□ is what comes from above")
    (path,) = told.paths
    np.testing.assert_allclose(path.value, wg.grad(loss)(W), rtol=1e-12)
    np.testing.assert_allclose(told.gradient["W"], path.value, rtol=1e-12)
    np.testing.assert_allclose(told.rows[0].slope, 2 * np.sin(X @ W) * np.cos(X @ W))
    lines = [step.line for step in told.rows]
    assert lines[0].endswith("Z = X @ W")
    assert lines[3].endswith("return np.sum(np.sin(Z) ** 2)")


def test_latex_is_one_block_with_a_row_per_factor_and_path():
    told = wg.chain_rule(loss)(W).latex()
    assert told.startswith("\\begin{aligned}\n")
    assert told.endswith("\n\\end{aligned}")
    rows = told.split("\n")[1:-1]
    assert len(rows) == 5
    assert r"\frac{\partial v_{4}}{\partial W}" in rows[-1]
    assert r"X^{\top}\, \left(2 v_{2} \cdot \cos\left(v_{1}\right)\right)" in rows[-1]
    assert all(row.count("{") == row.count("}") for row in rows)
    assert all(row.replace(r"\\", "").count("&") >= 3 for row in rows)
    assert wg.chain_rule(loss)(W)._repr_latex_() == f"$$\n{told}\n$$"


def test_the_graph_of_figure_3_has_an_edge_per_local_derivative():
    told = wg.chain_rule(loss)(W).dot()
    assert re.findall(r'"(\w+)" -> "(\w+)" \[label="(.*)"\]', told) == [
        ("W", "v1", "Xᵀ @ □"),
        ("v1", "v2", "cos(v1)"),
        ("v2", "v3", "2·v2"),
        ("v3", "v4", "1"),
    ]
    assert '"v1" [label="v1 = X @ W"]' in told


def test_html_holds_every_step_escaped():
    told = wg.chain_rule(lambda x: np.maximum(x, 1.0) * x)(2.0)
    page = told._repr_html_()
    assert page.count("<tr>") == 1 + 3  # head, and a row per factor
    assert html.escape("[x > 1]") in page
    assert "<pre>" in page


# ---- paths -----------------------------------------------------------------------------------------------


@given(st.integers(0, 2**16), st.integers(1, 7))
def test_paths_add_up_to_the_gradient_whatever_the_program(seed, length):
    draw = np.random.default_rng(seed)
    plan = [(draw.integers(5), *draw.integers(0, n + 2, 2)) for n in range(length)]

    def f(x, y):
        values = [x, y]
        for kind, i, k in plan:
            a, b = values[i], values[k]
            step = (a * b, a + b, np.sin(a), a - np.tanh(b), a / (2 + b * b))[kind]
            values.append(step)
        return values[-1] + 0 * x

    told = wg.chain_rule(f)(0.7, -0.4)
    exact = dict(zip("xy", wg.grad(f, (0, 1))(0.7, -0.4), strict=True))
    for name in "xy":
        assert float(told.gradient[name]) == pytest.approx(exact[name], rel=1e-12, abs=1e-14)
        paths = [p for p in told.paths if p.input == name]
        if told.counts[name] <= 6:
            assert len(paths) == told.counts[name]
            assert sum(float(p.value) for p in paths) == pytest.approx(exact[name], abs=1e-12)
        for p in paths:
            numbers = [float(f.value) for f in p.factors]
            assert float(p.value) == pytest.approx(np.prod(numbers), abs=1e-12)


def test_many_paths_are_counted_and_summed():
    def f(x):
        for _ in range(20):
            x = np.sin(x) + np.cos(x)
        return x

    told = wg.chain_rule(f)(0.3)
    assert told.counts == {"x": 2**20}
    assert not told.paths
    assert f"{number(told.gradient['x'])}, the sum of 1048576 paths" in str(told)


def test_inputs_in_containers_have_their_places_as_names():
    told = wg.chain_rule(lambda p, t: p["w"][0] * t + p["b"])({"w": [2.0], "b": 1.0}, 3.0)
    assert set(told.inputs) == {"p['w'][0]", "p['b']", "t"}
    assert told.gradient == {"p['w'][0]": 3.0, "p['b']": 1.0, "t": 2.0}
    assert "∂v2/∂p['b']" in str(told)


def test_an_operand_used_twice_is_one_factor():
    told = wg.chain_rule(lambda x: x * x)(3.0)
    (factor,) = told.rows[0].factors
    assert (factor.formula, factor.latex, float(factor.value)) == ("2·x", "2 x", 6.0)


def test_an_input_without_a_path_has_derivative_zero():
    told = wg.chain_rule(lambda x, y: np.exp(x))(1.0, 2.0)
    assert told.gradient["y"] == 0.0
    assert "∂v1/∂y = 0, no path leads there" in str(told)
    assert "no path" in str(wg.chain_rule(lambda x: 3.0)(1.0))


def test_results_that_are_arrays_have_formulas_without_a_number():
    told = wg.chain_rule(lambda x: 2 * np.tanh(x))(np.array([1.0, 2.0]))
    assert told.paths[0].value is None
    assert str(told).endswith("= 2 · (1 - tanh(x)²)")


def test_comparisons_indices_and_constants_are_steps_without_factors():
    def f(x):
        return np.where(x > 1, x[::-1], 0).sum()

    told = wg.chain_rule(f)(np.array([1.0, 2.0, 3.0]))
    shown = {step.formula: len(step.factors) for step in told.rows}
    assert shown["x > 1"] == 0
    assert shown["x[::-1]"] == 1
    np.testing.assert_array_equal(told.gradient["x"], wg.grad(f)(np.array([1.0, 2.0, 3.0])))


def test_an_operation_without_a_formula_has_a_prime():
    told = wg.chain_rule(lambda x: np.linalg.det(x))(np.eye(2) * 3)
    assert any("′" in f.formula for step in told.rows for f in step.factors)
    np.testing.assert_allclose(told.gradient["x"], 3 * np.eye(2))


def test_argnums_choose_the_inputs():
    told = wg.chain_rule(lambda x, n: x[n] ** 2, argnums=0)(np.array([1.0, 2.0]), 1)
    assert list(told.inputs) == ["x"]
    with pytest.raises(InputError, match="argnums"):
        wg.chain_rule(lambda x, n: x[n])(np.array([1.0, 2.0]), np.array([1]))


# ---- writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("v12", "v_{12}"),
        ("x", "x"),
        ("loss", r"\mathrm{loss}"),
        ("p['w'][0]", r"p_{\mathrm{w, 0}}"),
        ("x[2]", "x_{2}"),
        ("-2.5", "-2.5"),
        ("first_name", r"\mathrm{first\_name}"),
    ],
)
def test_names_in_latex(name, latex):
    assert latex_name(name) == latex


def test_large_arrays_show_their_type_and_small_ones_their_numbers():
    assert number(np.ones((100, 3))) == "f64[100,3]"
    assert number(np.array([[1.0, -0.5]])) == "[[1, -0.5]]"
    assert number(np.array([True, False])) == "[True, False]"
    assert latex_number(np.ones((100, 3))) == r"\in \mathbb{R}^{100 \times 3}"
    assert latex_number(1.5e-7) == r"1.5 \cdot 10^{-7}"


def test_products_leave_ones_out_and_fill_holes():
    assert composed(["1", "2·v2"]) == "2·v2"
    assert composed(["-1/v3²", "-1"]) == "-1/v3² · (-1)"
    assert composed(["v2 + v3", "v1"]) == "(v2 + v3) · v1"
    assert composed(["a", "put(□)", "b", "□ @ Wᵀ"]) == "(put(a) · b) @ Wᵀ"
    assert composed(["1", "Xᵀ @ □"]) == "Xᵀ @ 1"
