"""Duals: the article's numbers, the jvp rules row by row, and everything that must not go silently."""

import copy
import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.cases import CASES
from tests.laws.libraries import assert_repeats, digits

import wengert as wg
from wengert.errors import ConcretizationError, DTypeError, InputError, ShapeError
from wengert.ir.types import type_of
from wengert.transforms.jvp import push

X = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])
W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])
DW = np.array([[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]])
DX = np.array(
    [
        [-0.6270500419, 0.5673434696, 0.7524600503],
        [-0.3502120181, -0.3913277947, 0.4202544217],
        [0.3828766745, 0.4732084394, -0.4594520094],
    ]
)


def my_function(x):
    return 1 / (1 + np.exp(-x))


def layer(x, w):
    return np.sum(np.sin(x @ w) ** 2)


# ---- the article -----------------------------------------------------------------------------------


def test_the_sigmoid_at_two_is_the_article_s():
    y = my_function(wg.AutoDiffScalar(2.0, [1.0]))
    assert y.value() == pytest.approx(0.880797078, abs=1e-9)
    assert y.derivatives() == pytest.approx([0.1049935854], abs=1e-10)


@pytest.mark.parametrize("x", [2, 2.0, 2 + 0j, np.array([2.0, -1.0]), np.float32(2)])
def test_the_same_function_takes_every_kind_of_number(x):
    plain, dual = my_function(x), my_function(wg.AutoDiffScalar(x))
    np.testing.assert_array_equal(dual.value(), plain)
    assert dual.derivatives().shape == (*np.shape(x), 0)


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 2e-6), (np.float64, 2e-6)])
def test_the_layer_has_the_article_s_gradients(dtype, digits):
    x, w = X.astype(dtype), W.astype(dtype)
    size = x.size + w.size
    duals_x, duals_w = wg.convert(x, 0, size), wg.convert(w, x.size, size)
    loss = layer(duals_x, duals_w)
    assert loss.value().dtype == dtype
    assert loss.value() == pytest.approx(2.422664, rel=1e-6)
    dx, dw = wg.gradients(loss, duals_x, duals_w)
    assert dx.dtype == dw.dtype == dtype
    np.testing.assert_allclose(dw, DW, rtol=digits, atol=5 * digits)
    np.testing.assert_allclose(dx, DX, rtol=digits, atol=5 * digits)


def test_gradients_to_the_digits_of_the_article_in_double():
    duals_x = wg.convert(X, 0, X.size)
    np.testing.assert_allclose(wg.gradients(layer(duals_x, W), duals_x), DX, atol=1e-10)


def test_one_array_alone_is_differentiated_with_its_own_size():
    duals_w = wg.convert(W, 0, W.size)
    np.testing.assert_allclose(wg.gradients(layer(wg.convert(X), duals_w), duals_w), DW, rtol=2e-6)


# ---- every primitive, against the jvp rules ----------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.domains])
@given(data=st.data())
def test_all_derivatives_of_a_primitive_are_its_jvps_one_by_one(name, data):
    s = data.draw(CASES[name].samples(name))
    length = data.draw(st.integers(1, 3))
    draw = np.random.default_rng(s.seed)
    rows = [
        draw.standard_normal((length, *t.shape)).astype(t.dtype) if m else None
        for t, m in zip(s.types, s.moving, strict=True)
    ]
    duals = [
        x if dx is None else wg.AutoDiffScalar(x, np.moveaxis(dx, 0, -1))._handle
        for x, dx in zip(s.args, rows, strict=True)
    ]
    ys = s.values(*s.args)
    if not any(s.moving):
        return
    with np.errstate(all="ignore"):
        found = s.prim(*duals, **s.params)
        found = found if s.prim.multiple else (found,)
        alone = [
            push(
                s.prim,
                tuple(None if dx is None else dx[k] for dx in rows),
                s.args,
                ys,
                s.params,
                s.types,
            )
            for k in range(length)
        ]
    for n, (y, dual) in enumerate(zip(ys, found, strict=True)):
        assert_repeats([dual.value], [y], s.prim)
        if not type_of(y).inexact:
            assert dual.node.tangent is None
            continue
        one_by_one = np.stack([np.zeros_like(y) if d[n] is None else d[n] for d in alone])
        assert type_of(dual.node.tangent) == type_of(one_by_one)
        size = np.max(np.abs(one_by_one[np.isfinite(one_by_one)]), initial=0)
        tolerance = digits(s.prim, one_by_one.dtype, 100)
        np.testing.assert_allclose(
            dual.node.tangent, one_by_one, rtol=tolerance, atol=tolerance * size
        )


def several(x):
    y = np.concatenate([np.sin(x), x[::-1] * 2])
    z = np.maximum(y, 0.1) @ np.outer(y, y)
    return np.cumsum(z[1:]) / (1 + np.mean(y * y)) + np.sort(y)[1:]


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=6, unique=True))
def test_a_whole_function_agrees_with_jacfwd_and_jvp(elements):
    x = np.array(elements)
    dual = several(wg.convert(x, 0, x.size))
    jacobian = wg.jacfwd(several)(x)
    np.testing.assert_allclose(dual.derivatives(), jacobian, rtol=1e-11, atol=1e-11)
    value, tangent = wg.jvp(several, (x,), (np.ones_like(x),))
    np.testing.assert_allclose(dual.value(), value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dual.derivatives().sum(-1), tangent, rtol=1e-9, atol=1e-9)


@pytest.mark.nightly
@pytest.mark.parametrize("size", [1, 12, 60])
def test_duals_take_at_most_twice_the_time_of_jacfwd(size):
    def f(x):
        return np.tanh(np.outer(x, x) @ np.sin(x)) / (1 + x * x)

    x = np.linspace(-1, 1, size)
    jacobian, times = wg.jacfwd(f), ([], [])
    for _ in range(100):  # in turns, so that both meet the same load
        for k, run in enumerate(
            (lambda: f(wg.convert(x, 0, size)).derivatives(), lambda: jacobian(x))
        ):
            started = time.perf_counter()
            run()
            times[k].append(time.perf_counter() - started)
    assert min(times[0]) < 2 * min(times[1])


# ---- it behaves like an array ------------------------------------------------------------------------


def test_constants_mix_with_any_length():
    a = wg.AutoDiffScalar(3.0, [1.0, 0.0])
    assert (a * wg.AutoDiffScalar(2.0) + 1).derivatives().tolist() == [2.0, 0.0]
    assert (wg.AutoDiffScalar(2.0) * 5).derivatives().shape == (0,)
    assert (wg.AutoDiffScalar(2.0, np.zeros((0,))) * a).derivatives().tolist() == [2.0, 0.0]


def test_comparisons_look_at_values_and_give_plain_truth():
    a, b = wg.AutoDiffScalar(2.0, [1.0]), wg.AutoDiffScalar(2.0, [5.0])
    assert a == b
    assert a < 3
    assert (a > 3).dtype == bool
    assert (a != 2.0).item() is False
    assert (wg.convert([1.0, -1.0], 0, 2) > 0).tolist() == [True, False]
    assert (a if a > 1 else -a) is a


def test_what_cannot_move_has_zero_derivatives_of_the_same_length():
    assert np.floor(wg.AutoDiffScalar(2.5, [1.0, 2.0])).derivatives().tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "text",
    [
        "x + 1",
        "2 - x",
        "x / 3",
        "3 / x",
        "x**2",
        "2**x",
        "x**x",
        "-x + abs(x)",
        "x % 0.7",
        "x @ np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])",
        "np.ones((2, 3)) @ x",
        "np.array([1.0, 2.0, 3.0]) * x",
        "np.float64(2) * x",
        "x.sum() * x.mean() + x.max()",
        "x.reshape(3, 1) * x.T",
        "np.stack([x, 2 * x], 1)",
        "np.stack([v * v for v in x])",
        "x[::-1] * x[1] + x[[0, 0, 2]]",
        "np.where(x > 0.7, x, x * x)",
        'np.einsum("i,j->ij", x, x)',
        "np.add.reduce(x * x)",
        "np.multiply.outer(x, x)",
        "np.linalg.norm(x)",
        "x.astype(np.float64).copy()",
        "np.clip(x, 0.6, 1.1)",
    ],
)
def test_operators_methods_and_functions_are_an_array_s(text):
    f = eval(f"lambda x: {text}", {"np": np})
    x = np.array([0.5, 1.0, 1.75])
    dual = f(wg.convert(x, 0, 3))
    assert isinstance(dual, wg.AutoDiffScalar)
    np.testing.assert_allclose(dual.value(), f(x), rtol=1e-15)
    np.testing.assert_allclose(dual.derivatives(), wg.jacfwd(f)(x), rtol=1e-12, atol=1e-14)
    assert (dual.shape, dual.ndim, dual.size) == (f(x).shape, f(x).ndim, f(x).size)


def test_writing_in_place_is_seen_by_views_and_aliases():
    x = wg.convert([1.0, 2.0, 3.0], 0, 3)
    y = x * 1
    row, same = y[1:], y
    y[0] = x[2] * x[2]
    y[1:] += 10
    same *= 2
    assert same is y
    assert y.value().tolist() == [18.0, 24.0, 26.0]
    assert y.derivatives().tolist() == [[0, 0, 12], [0, 2, 0], [0, 0, 2]]
    assert row.value().tolist() == [24.0, 26.0]
    assert row.derivatives().tolist() == [[0, 2, 0], [0, 0, 2]]


def test_a_buffer_made_from_a_dual_takes_duals():
    x = wg.convert([1.0, 2.0], 0, 2)
    y = np.zeros_like(x)
    y[1] = x[0] * x[1]
    assert y.derivatives().tolist() == [[0, 0], [2, 1]]


def test_what_it_shows_is_a_copy():
    x = wg.convert([1.0, 2.0], 0, 2)
    x.value()[:] = 7
    x.derivatives()[:] = 7
    assert x.value().tolist() == [1.0, 2.0]
    assert x.derivatives().tolist() == [[1, 0], [0, 1]]


def test_it_prints_value_and_derivatives():
    a = my_function(wg.AutoDiffScalar(2.0, [1.0]))
    assert repr(a) == "AutoDiffScalar(0.880797, derivatives=[0.104994])"
    assert str(a) == "0.8807970779778823"
    assert f"{a:.3f}" == "0.881"
    assert repr(wg.convert([1.0, 2.0], 0, 2)) == (
        "AutoDiffScalar([1., 2.],\n    derivatives=[[1., 0.],\n     [0., 1.]])"
    )


def test_it_pickles_and_copies():
    a = wg.AutoDiffScalar([1.0, 2.0], [[1.0, 0.0], [0.5, 1.0]])
    for b in (pickle.loads(pickle.dumps(a)), copy.copy(a), copy.deepcopy(a)):
        np.testing.assert_array_equal(b.value(), a.value())
        np.testing.assert_array_equal(b.derivatives(), a.derivatives())
    assert pickle.loads(pickle.dumps(wg.AutoDiffScalar(2.0))).derivatives().shape == (0,)


def test_a_python_number_is_weak_and_an_array_is_not():
    single = wg.convert(np.ones(2, np.float32), 0, 2)
    assert (single * wg.AutoDiffScalar(2.0)).dtype == np.float32
    assert (single * wg.AutoDiffScalar(np.float64(2.0))).dtype == np.float64
    assert wg.AutoDiffScalar(np.arange(3)).dtype == np.float64


def test_complex_values_carry_complex_derivatives():
    z = wg.AutoDiffScalar(1 + 2j, [1.0 + 0j])
    np.testing.assert_allclose((z * z * z).derivatives(), [3 * (1 + 2j) ** 2])


# ---- convert and gradients ---------------------------------------------------------------------------


def test_every_array_knows_its_place_whatever_the_order():
    x, w = wg.convert([1.0, 2.0], 0, 4), wg.convert([3.0, 4.0], 2, 4)
    loss = np.sum(x * w)
    assert wg.gradients(loss, w).tolist() == [1.0, 2.0]
    assert [g.tolist() for g in wg.gradients(loss, w, x)] == [[1.0, 2.0], [3.0, 4.0]]


def test_plain_arrays_take_the_derivatives_in_order():
    x = wg.convert([1.0, 2.0], 0, 3)
    y = wg.convert(5.0, 2, 3)
    a, b = wg.gradients(np.sum(x * x) * y, np.zeros(2), 0.0)
    assert a.tolist() == [10.0, 20.0]
    assert b == 5.0


def test_gradients_of_an_array_have_its_shape_first():
    x = wg.convert(np.ones((2, 3)), 0, 6)
    assert wg.gradients(x.sum(axis=1), x).shape == (2, 2, 3)


def test_a_constant_loss_has_zero_gradients():
    x = wg.convert(np.ones((2, 3)), 0, 6)
    assert not wg.gradients(wg.AutoDiffScalar(3.0), x).any()
    assert wg.gradients(3.0, x).shape == (2, 3)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: wg.convert([1.0, 2.0], 1, 2), ShapeError, "2 elements at offset 1 do not fit"),
        (lambda: wg.convert([1.0], -1, 2), ShapeError, "offset -1 do not fit"),
        (lambda: wg.AutoDiffScalar(2.0, 1.0), ShapeError, r"shape \(p,\)"),
        (lambda: wg.AutoDiffScalar([1.0, 2.0], [1.0]), ShapeError, r"shape \(2, p\)"),
        (lambda: wg.AutoDiffScalar(np.float32(1), [1j]), DTypeError, "complex128"),
        (lambda: wg.AutoDiffScalar("x"), InputError, "a dual of a str"),
        (lambda: wg.AutoDiffScalar([[1.0], [1.0, 2.0]]), InputError, "ragged"),
        (
            lambda: wg.AutoDiffScalar(1.0, [1.0]) + wg.AutoDiffScalar(1.0, [1.0, 0.0]),
            ShapeError,
            "a dual with 1 derivatives meets one with 2",
        ),
        (lambda: wg.gradients(wg.AutoDiffScalar(1.0, [1.0])), InputError, "with respect to what"),
        (lambda: wg.gradients(A * A, A * A), InputError, "argument 1 is no variable"),
        (lambda: wg.gradients(A * A, wg.convert([1.0])), InputError, "argument 1 is no variable"),
        (lambda: wg.gradients(A * A, np.ones(2)), ShapeError, "carries 1"),
        (lambda: float(A), ConcretizationError, "float"),
        (lambda: int(A), ConcretizationError, "int"),
        (lambda: complex(A), ConcretizationError, "complex"),
        (lambda: [1, 2][A], ConcretizationError, "index"),
        (lambda: np.array([A, A]), ConcretizationError, r"np\.stack"),
        (lambda: np.asarray(A), ConcretizationError, r"x\.value\(\)"),
        (lambda: wg.grad(lambda x: x)(A), InputError, "AutoDiffScalar"),
    ],
    ids=range(19),
)
def test_a_mistake_is_an_error_that_names_the_line_and_the_way_out(wrong, error, words):
    with pytest.raises(error, match=words) as caught:
        wrong()
    assert "test_dual.py" in str(caught.value)


A = wg.AutoDiffScalar(2.0, [1.0])


def test_a_plain_array_takes_no_dual():
    with pytest.raises(ValueError, match="sequence") as caught:
        np.zeros(2)[0] = A
    assert isinstance(caught.value.__cause__, ConcretizationError)


# ---- duals of duals, duals in traces -------------------------------------------------------------------


def test_duals_of_duals_carry_second_derivatives():
    def f(x):
        return np.sum(x**3) + x[0] * np.sin(x[1])

    x = np.array([1.0, 2.0, 3.0])
    y = f(wg.convert(wg.convert(x, 0, 3), 0, 3))
    assert y.value().value() == pytest.approx(f(x))
    np.testing.assert_allclose(y.derivatives().value(), wg.grad(f)(x), rtol=1e-14)
    np.testing.assert_allclose(y.derivatives().derivatives(), wg.hessian(f)(x), rtol=1e-13)


def test_third_derivatives_nest_too():
    x = wg.AutoDiffScalar(0.5, [1.0])
    x = wg.AutoDiffScalar(wg.AutoDiffScalar(x, [1.0]), [1.0])
    third = np.exp(2 * x).derivatives()[0].derivatives()[0].derivatives()[0]
    assert third == pytest.approx(8 * np.exp(1.0))


def test_an_inner_constant_is_no_constant_outside():
    inner = wg.AutoDiffScalar(3.0, [1.0])
    outer = wg.AutoDiffScalar(wg.AutoDiffScalar(2.0), [1.0])
    y = outer * inner  # d²(xy)/dxdy
    assert y.derivatives().derivatives().tolist() == [[1.0]]


def test_the_value_of_a_dual_may_be_traced():
    w = np.array([1.0, 2.0, 3.0])

    def f(x):
        duals = wg.convert(w * x, 0, 3)
        return np.sum(wg.gradients(np.sum(np.sin(duals) @ np.eye(3)), duals) ** 2)

    x = np.array([0.3, 0.4, 0.5])
    np.testing.assert_allclose(wg.grad(f)(x), -np.sin(2 * w * x) * w, rtol=1e-12)
    np.testing.assert_allclose(
        wg.hessian(f)(x), np.diag(-2 * np.cos(2 * w * x) * w * w), atol=1e-12
    )


@pytest.mark.parametrize(
    "text",
    [
        "x * d",
        "d * x",
        "np.multiply(x, d)",
        "x @ d + np.zeros(3)",
        "np.matmul(x, d) + np.zeros(3)",
        "np.concatenate([x, d])[1:4] * d",
        "np.where([True, False, True], x * d, d)",
        "x / d - d**x",
        "np.dot(x, d) * x",
    ],
)
def test_duals_and_traced_values_meet_on_either_side(text):
    mix = eval(f"lambda x, d: {text}", {"np": np})
    d, x = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25, 2.0])

    def total(x):
        duals = wg.convert(d, 0, 3)
        return np.sum(wg.gradients(np.sum(mix(x, duals) ** 2), duals))

    def same(x):
        return np.sum(wg.grad(lambda d: np.sum(mix(x, d) ** 2))(d))

    assert total(x) == pytest.approx(same(x))
    np.testing.assert_allclose(wg.grad(total)(x), wg.grad(same)(x), rtol=1e-11)


def test_a_custom_rule_is_the_dual_s_rule():
    @wg.custom_jvp
    def f(x):
        return np.sin(x)

    @f.defjvp
    def _(primals, tangents):
        return np.sin(primals[0]), 100 * tangents[0]

    assert f(wg.AutoDiffScalar(2.0, [1.0, 3.0])).derivatives().tolist() == [100.0, 300.0]


@pytest.mark.parametrize(
    "text",
    [
        "wg.cond(x[0] > 0, lambda x: x * x, lambda x: -x, x)",
        "wg.scan(lambda c, v: (c * v, c + v), 1.0, x)[1]",
        "wg.fori_loop(0, 3, lambda i, c: c * c * 0.5, x)",
        "wg.while_loop(lambda c: np.sum(c) < 100, lambda c: c * 2.0, x)",
        "wg.map(np.sin, x)",
    ],
)
def test_control_flow_carries_duals(text):
    f = eval(f"lambda x: {text}", {"np": np, "wg": wg})
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(f(wg.convert(x, 0, 3)).derivatives(), wg.jacfwd(f)(x), rtol=1e-13)


def test_stop_gradient_makes_a_constant():
    assert (A * wg.stop_gradient(A)).derivatives().tolist() == [2.0]


def test_containers_of_duals_go_through_custom_rules():
    @wg.custom_gradient
    def f(p):
        return {"y": p["a"] * p["b"]}, lambda g: {"a": 10 * g["y"], "b": 20 * g["y"]}

    y = f({"a": wg.AutoDiffScalar(2.0, [1.0, 0.0]), "b": wg.AutoDiffScalar(3.0, [0.0, 1.0])})["y"]
    assert y.value() == 6.0
    assert y.derivatives().tolist() == [10.0, 20.0]


def test_derivatives_do_not_warn_where_they_are_infinite():
    assert np.sqrt(wg.AutoDiffScalar(0.0, [1.0, 0.0])).derivatives().tolist() == [np.inf, 0.0]
