"""Symbolic derivatives: programs read as expressions, and back."""

import builtins
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.cases import CASES

import wengert as wg
from wengert import symbolic
from wengert.errors import ConcretizationError, InputError, UnsupportedError
from wengert.ops import PRIMITIVES
from wengert.symbolic import _rules

sp = pytest.importorskip("sympy")
x = sp.Symbol("x", real=True)
W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])
X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: 1 / (1 + np.exp(-x)), 1 / (1 + sp.exp(-x))),
        (lambda x: np.sqrt(x) ** 3 + 0.5, x ** sp.Rational(3, 2) + sp.Rational(1, 2)),
        (lambda x: np.where(x > 0, x, 0), sp.Piecewise((x, x > 0), (0, True))),
        (lambda x: np.maximum(x, 2) + abs(x), sp.Max(x, 2) + sp.Abs(x)),
        (lambda x: np.pi * x + 0.1, sp.pi * x + sp.Float(0.1)),
        (lambda x: np.arctan2(x, 1) + np.log2(x), sp.atan2(x, 1) + sp.log(x) / sp.log(2)),
        (lambda x: (x > 1) * x, x * sp.Piecewise((1, x > 1), (0, True))),
    ],
    ids=range(7),
)
def test_programs_read_as_a_mathematician_writes_them(f, expected):
    assert symbolic.expression(f)("x") == expected


def test_numbers_may_be_the_fractions_that_they_are():
    assert symbolic.expression(lambda x: 0.1 * x, exact=True)("x") == sp.Rational(0.1) * x


def test_variables_are_names_symbols_or_the_parameters():
    y = sp.Symbol("y")
    f = lambda first, second: first * second
    assert str(symbolic.expression(f)()) == "first*second"
    assert symbolic.expression(f)("x", y) == x * y
    assert symbolic.expression(f)("x", 3) == 3 * x


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in CASES.items()
        if name in _rules(sp) and case.differentiable and "d" in case.dtypes
    ],
)
@given(data=st.data())
def test_every_elementary_operation_means_the_same_to_sympy(name, data):
    s = data.draw(CASES[name].samples(name, "d"))
    args = [a.ravel()[0] if np.size(a) else None for a in s.args]
    if any(a is None or np.asarray(a).dtype.kind != "f" for a in args):
        return
    names = [sp.Symbol(f"x{n}", real=True) for n in range(len(args))]
    expr = _rules(sp)[name](*names)
    value = expr.subs({v: sp.Float(float(a), 30) for v, a in zip(names, args, strict=True)}).evalf(
        25
    )
    with np.errstate(all="ignore"):
        expected = PRIMITIVES[name].eval(*args, **s.params)
    # (SymPy's loggamma is complex left of 0; ours is its real part)
    assert float(sp.re(value)) == pytest.approx(float(expected), rel=1e-12, abs=1e-14)


def layer(w):
    return np.sum(np.sin(X @ w) ** 2)


def test_small_arrays_are_unrolled():
    w = symbolic.symbols("w", (3, 2))
    loss = symbolic.function(symbolic.expression(layer)(w), w)
    slopes = symbolic.function(symbolic.derivative(layer)(w), w)
    assert loss(W) == pytest.approx(layer(W), rel=1e-14)
    np.testing.assert_allclose(slopes(W), wg.grad(layer)(W), rtol=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "np.cumsum(v)[::-1] * v[0]",
        "np.concatenate([v, v[1:] ** 2])",
        "np.linalg.norm(v) * v",
        "np.max(v) + np.min(v * v)",
        "np.prod(v) + np.mean(v)",
        "np.einsum('i,j->ij', v, v) @ v",
        "np.stack([v, 2 * v]).T.reshape(-1)",
        "v[np.array([2, 0, 0])]",
        "np.outer(v, np.arange(3.0)) - 1",
        "np.broadcast_to(v, (2, 3)).sum(axis=0)",
        "np.tanh(v) / np.cosh(v) + np.hypot(v, 1) - np.cbrt(v)",
        "np.std(v) * np.logaddexp.reduce(v) + np.var(v)",
        "v % 0.75 + np.sign(v) * v - np.fmod(v, 0.7) + np.floor(v) * v",
    ],
)
def test_array_functions_and_their_jacobians_agree_with_numpy_and_wengert(text):
    f = eval(f"lambda v: {text}", {"np": np})
    v, point = symbolic.symbols("v", 3), np.array([0.5, 1.25, 2.0])
    value = symbolic.function(symbolic.expression(f)(v), v)(point)
    np.testing.assert_allclose(value, f(point), rtol=1e-13)
    slopes = symbolic.function(symbolic.derivative(f)(v), v)(point)
    np.testing.assert_allclose(slopes, wg.jacobian(f)(point), rtol=1e-12, atol=1e-13)


def test_writing_in_place_is_read():
    def f(v):
        y = np.zeros_like(v)
        y[0] = v[1] ** 2
        y[1:] += v[0]
        return y

    assert [str(e) for e in symbolic.expression(f)(symbolic.symbols("v", 3))] == [
        "v_1**2",
        "v_0",
        "v_0",
    ]


def test_second_derivatives_and_several_results():
    assert symbolic.derivative(lambda x: x**4, order=2)("x") == 12 * x**2
    y, z = symbolic.expression(lambda x: (x, x * x))("x")
    assert (y, z) == (x, x**2)


def test_a_program_is_as_good_as_a_function():
    program = wg.program(lambda x: np.sin(x) * 2)(1.0)
    assert symbolic.expression(program)("x") == 2 * sp.sin(x)


def test_functions_take_arrays_for_symbols():
    slope = symbolic.function(symbolic.derivative(np.sin)("x"))
    np.testing.assert_array_equal(slope(np.array([0.0, 1.0])), np.cos([0.0, 1.0]))
    constant = symbolic.function(symbolic.derivative(lambda x: 3 * x)("x"), "x")
    assert constant(1.0) == 3


def test_latex_of_expressions_and_arrays():
    assert symbolic.latex(symbolic.derivative(np.log)("x")) == r"\frac{1}{x}"
    assert r"\begin{matrix}" in symbolic.latex(symbolic.symbols("w", (2, 2)))


def test_derivatives_swell_and_programs_do_not():
    def logistic(n):
        def f(x):
            for _ in range(n):
                x = 4 * x * (1 - x)
            return x

        return f

    sizes = [symbolic.nodes(symbolic.derivative(logistic(n))("x")) for n in (2, 4, 6)]
    equations = [len(wg.program(wg.grad(logistic(n)))(0.3).eqns) for n in (2, 4, 6)]
    assert sizes[1] > 8 * sizes[0]
    assert sizes[2] > 6 * sizes[1]
    assert equations[2] - equations[1] == equations[1] - equations[0]  # linear


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (
            lambda: symbolic.expression(ranked)(symbolic.symbols("v", 3)),
            UnsupportedError,
            "sort",
        ),
        (
            lambda: symbolic.expression(lambda x: x if x > 0 else -x)("x"),
            ConcretizationError,
            "number behind",
        ),
        (lambda: symbolic.expression(np.sum)(symbolic.symbols("v", 5000)), InputError, "5000"),
        (lambda: symbolic.expression(np.sum)(["a", "b"]), InputError, "a name, a symbol"),
    ],
    ids=range(4),
)
def test_what_has_no_symbolic_form_is_an_error_at_its_line(wrong, error, words):
    with pytest.raises(error, match=words) as caught:
        wrong()
    assert "test_symbolic.py" in str(caught.value)


def ranked(v):
    return np.sort(v)[0]


def test_without_sympy_the_extra_is_named(monkeypatch):
    def without(name, *args, **kwargs):
        if name == "sympy":
            raise ImportError(name)
        return importlib.__import__(name, *args, **kwargs)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=r"wengert\[symbolic\]"):
        symbolic.expression(builtins.abs)("x")
