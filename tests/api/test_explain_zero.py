"""explain_zero: each kind of reason, with its line and its elements."""

import numpy as np
import pytest

import wengert as wg

X = np.array([0.5, -1.0, 3.0])
W = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 1.0]])


def rounded(x):
    y = np.floor(x)  # HERE
    return np.sum(y * y)


def signs(x):
    return np.sum(x[1:]) + np.sign(x[0])  # HERE


def place_of_the_largest(x):
    k = np.argmax(x)  # HERE
    return k * 2.0


def integers(x):
    n = x.astype(int)  # HERE
    return np.sum(n) * 1.5


def branch_on_numbers(x):
    if x[0] > 0:  # HERE
        return x[1] * x[2]
    return x[0]


def cut(x):
    weight = float(wg.stop_gradient(x[0]))  # HERE
    return weight * np.sum(x[1:])


def rectified(x):
    y = 2 * x
    y = np.where(y > 0, y, 0.0)  # HERE
    return np.sum(y)


def larger(x):
    return np.sum(np.maximum(x.reshape(3, 1), 0.0))  # HERE


def largest(x):
    return np.max(x * x)  # HERE


def masked_product(x):
    mask = np.array([0.0, 1.0, 1.0])
    y = x * mask  # HERE
    return np.sum(np.sin(y))


def column_of_zeros(x):
    return np.sum(np.sin(W @ x))  # HERE


def underflow(x):
    return np.sum(np.exp(-1000.0 * np.abs(x)))  # HERE


def kink(x):
    z = x - 0.5
    return np.sum(np.abs(z))  # HERE


def stationary(x):
    return np.sum((x + 1.0) ** 2)  # HERE


def cancelling(x):
    return x[0] + x[1] * x[2] - x[0]  # HERE


def overwritten(x):
    y = x.copy()
    y[1] = 7.0  # HERE
    return np.sum(y)


def unread(x):
    np.cos(x[1])  # HERE
    return x[0] * x[2]


CASES = [
    (rounded, "constant", "floor", [0, 1, 2]), (signs, "constant", "sign", [0]),
    (place_of_the_largest, "constant", "argmax", [0, 1, 2]), (integers, "constant", "conversion to int64", [0, 1, 2]),
    (branch_on_numbers, "comparison", "greater", [0]), (cut, "cut", "stop_gradient", [0]),
    (rectified, "unselected", "np.where", [1]), (larger, "unselected", "maximum", [1]),
    (largest, "unselected", "max", [0, 1]), (masked_product, "zero factor", "mul", [0]),
    (column_of_zeros, "zero factor", "matmul", [1]), (underflow, "saturated", "exp", [1, 2]),
    (kink, "kink", "abs", [0]), (stationary, "stationary", "square", [1]), (cancelling, "cancelled", "cancel", [0]),
    (overwritten, "overwritten", "overwritten", [1]), (unread, "unread", "cos", [1]),
]  # fmt: skip


@pytest.mark.parametrize(("f", "kind", "word", "at"), CASES, ids=[c[0].__name__ for c in CASES])
def test_each_reason_has_its_line_and_its_elements(f, kind, word, at):
    report = wg.explain_zero(f)(X)
    zero = [n for n in range(3) if wg.grad(f)(X)[n] == 0]
    (row,) = report.rows
    assert row.kind == kind
    assert word in row.reason
    assert row.elements == tuple((n,) for n in at)
    assert at == zero
    assert "HERE" in row.line.text
    assert row.line.function == f.__name__
    assert str(row.line) in str(report)
    assert f"{len(zero)} of 3" in str(report)


def test_what_is_not_used_has_no_line():
    (row,) = wg.explain_zero(lambda x: x[0] * x[2])(X).rows
    assert (row.kind, row.line, row.elements) == ("unused", None, ((1,),))
    (row,) = wg.explain_zero(lambda x: 3.0)(X).rows
    assert row.kind == "unused"


def test_nothing_to_explain_gives_no_rows():
    report = wg.explain_zero(lambda x: np.sum(np.sin(x)))(X)
    assert report.rows == []
    assert str(report) == "gradient of <lambda>: 0 of 3 numbers are exactly zero"


def test_several_reasons_for_one_element_are_all_told():
    rows = wg.explain_zero(lambda x: np.sum(np.floor(x)) + np.sum(np.maximum(x, 9.0)))(X).rows
    assert {r.kind for r in rows} == {"constant", "unselected"}
    rows = wg.explain_zero(lambda x: np.sum(np.clip(x, 0.0, 1.0)))(X).rows
    assert [(r.call, r.elements) for r in rows] == [("maximum", ((1,),)), ("minimum", ((2,),))]


def test_containers_and_several_arguments_are_named():
    f = lambda p, s: np.sum(p["w"]) * p["b"] + 0 * s
    rows = wg.explain_zero(f, argnums=(0, 1))({"w": X, "b": 0.0}, 2.0).rows
    assert [(r.argument, r.kind) for r in rows] == [
        ("argument 0 at ['w']", "zero factor"),
        ("argument 1", "zero factor"),
    ]
    assert rows[1].elements == ((),)


def test_a_zero_behind_a_loop_is_brought_back_to_its_elements():
    def f(x):
        b = np.zeros(3)
        for k in range(3):
            b[k] = x[k] * k
        return np.sum(np.sort(b) ** 2)

    rows = wg.explain_zero(f)(X).rows
    assert np.flatnonzero(wg.grad(f)(X) == 0).tolist() == [0]
    assert {r.elements for r in rows} == {((0,),)}


def test_a_result_that_is_no_number_is_refused():
    with pytest.raises(wg.errors.NonScalarOutputError, match="one real number"):
        wg.explain_zero(lambda x: x)(X)


def test_derivatives_and_loops_inside_are_seen_through():
    def f(x):
        return wg.grad(lambda y: np.sum(np.floor(y * x)))(x)[0]

    (row,) = wg.explain_zero(f)(X).rows
    assert (row.kind, row.call) == ("constant", "floor")
    (row,) = wg.explain_zero(lambda x: wg.fori_loop(0, 3, lambda k, c: c * 0.0, x[0]))(X[:1]).rows
    assert row.elements == ((0,),)
    assert row.line is not None


def test_thousands_of_steps_are_followed():
    def f(x):
        y = x
        for _ in range(3000):
            y = y * 1.0
        return np.floor(y)

    (row,) = wg.explain_zero(f)(2.5).rows
    assert row.call == "floor"


def test_lines_inside_of_loops_branches_and_compiled_functions_are_told():
    def body(k, c):
        y = c * 2
        return np.maximum(y, 5.0)

    report = wg.explain_zero(lambda x: wg.fori_loop(0, 3, body, x))(0.5)
    (row,) = report.rows
    assert (row.kind, row.call) == ("unselected", "maximum")
    assert row.line.text == "return np.maximum(y, 5.0)"
    assert row.line.turns == (1,)
    assert "(turn 1 of its loop)" in str(report)
    (row,) = wg.explain_zero(wg.jit(lambda x: np.round(x) * 3))(0.5).rows
    assert row.call == "rint"
    (row,) = wg.explain_zero(lambda x: np.sum(wg.vmap(lambda t: np.floor(t) * 2)(x)))(X).rows
    assert row.call == "floor"
    (row,) = wg.explain_zero(lambda x: wg.cond(x > 0, lambda t: 0.0 * t, lambda t: t, x))(0.5).rows
    assert row.kind == "zero factor"
