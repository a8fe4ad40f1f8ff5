"""Custom rules: one is given, the rest is derived and checked; black boxes and `stop_gradient`."""

import ctypes
import ctypes.util
import math
import pickle
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert as wg
from wengert import testing, tree
from wengert.errors import ConcretizationError, NotDifferentiableError, RuleError, RuleWarning
from wengert.ir.check import check as legal
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.trace.trace import program_of
from wengert.transforms.batch import batch
from wengert.transforms.jvp import jvp as pushed
from wengert.transforms.vjp import vjp as pulled

X = np.array([0.5, -1.0, 2.0])


def plain_softplus(x):
    return np.logaddexp(x, 0)


@wg.custom_vjp
def by_vjp(x):
    return np.logaddexp(x, 0)


by_vjp.defvjp(lambda x: (np.logaddexp(x, 0), x), lambda x, g: (g / (1 + np.exp(-x)),))


@wg.custom_jvp
def by_jvp(x):
    return np.logaddexp(x, 0)


@by_jvp.defjvp
def _(primals, tangents):
    (x,), (dx,) = primals, tangents
    return by_jvp(x), dx / (1 + np.exp(-x))


@wg.custom_jvp
def by_jvps(x):
    return np.logaddexp(x, 0)


by_jvps.defjvps(lambda dx, y, x: dx / (1 + np.exp(-x)))


@wg.custom_gradient
def by_gradient(x):
    return np.logaddexp(x, 0), lambda upstream: upstream / (1 + np.exp(-x))


by_autograd = wg.defvjp(plain_softplus, lambda ans, x: lambda g: g / (1 + np.exp(-x)))
by_slopes = wg.custom_slopes(plain_softplus, lambda y, x: 1 / (1 + np.exp(-x)))
FORMS = {
    f.__name__ if f.__name__ != "plain_softplus" else f"{type(f).__name__}": f
    for f in (by_vjp, by_jvp, by_jvps, by_gradient, by_autograd, by_slopes)
}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def softplus(request):
    return request.param


# ---- every form, every transform ---------------------------------------------------------------------


def test_a_custom_function_of_plain_numbers_is_the_function(softplus):
    np.testing.assert_array_equal(softplus(X), plain_softplus(X))


@pytest.mark.parametrize(
    "derivative", [wg.grad, wg.value_and_grad, wg.jacfwd, wg.jacrev, wg.hessian]
)
def test_every_form_derives_every_derivative(softplus, derivative):
    mine = derivative(lambda x: np.sum(softplus(x * x) ** 2))(X)
    true = derivative(lambda x: np.sum(plain_softplus(x * x) ** 2))(X)
    for a, b in zip(tree.flatten(mine)[0], tree.flatten(true)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@given(x=st.floats(-5, 5), dx=st.floats(-2, 2))
def test_forward_and_reverse_mode_are_transposes(x, dx):
    for f in FORMS.values():
        _, pushed_dx = wg.jvp(f, (x,), (dx,))
        _, back = wg.vjp(f, x)
        np.testing.assert_allclose(pushed_dx, back(1.0)[0] * dx, rtol=1e-12, atol=1e-300)


def test_derivatives_nest(softplus):
    third = wg.grad(wg.grad(wg.grad(softplus)))(1.0)
    s = 1 / (1 + math.exp(-1.0))
    assert third == pytest.approx(s * (1 - s) * (1 - 2 * s), rel=1e-12)
    assert wg.jvp(wg.grad(softplus), (1.0,), (1.0,))[1] == pytest.approx(s * (1 - s), rel=1e-12)
    along = wg.grad(lambda x: wg.jvp(softplus, (x,), (1.0,))[1])(1.0)
    assert along == pytest.approx(s * (1 - s), rel=1e-12)


def test_the_program_shows_one_equation_with_the_name():
    text = str(wg.program(lambda x: 2 * by_vjp(x))(X))
    assert "b: f64[3] = custom[by_vjp] a" in text
    assert Path(__file__).name in text


def test_the_program_road_agrees_with_the_fast_road(softplus):
    program = wg.program(lambda x: softplus(x) * x)(X)
    both = legal(pushed(program, [True]))
    _, dy = evaluate(both, [X, np.ones(3)])
    _, g = evaluate(legal(pulled(program, [True])), [X, np.ones(3)])
    slope = wg.jacfwd(lambda x: softplus(x) * x)(X).diagonal()
    np.testing.assert_allclose(dy, slope, rtol=1e-12)
    np.testing.assert_allclose(g, slope, rtol=1e-12)


def test_a_batch_is_a_loop(softplus):
    rows = np.stack([X, X + 1, X - 1])
    program = wg.program(lambda x: np.sum(softplus(x) * x))(X)
    wide = legal(batch(program, [True], 3))
    np.testing.assert_allclose(
        evaluate(wide, [rows])[0], [np.sum(plain_softplus(r) * r) for r in rows]
    )
    gradients = batch(pulled(program, [True]), [True, False], 3)
    expected = [wg.grad(lambda x: np.sum(plain_softplus(x) * x))(r) for r in rows]
    np.testing.assert_allclose(
        evaluate(gradients, [rows, np.float64(1.0)])[1], expected, rtol=1e-12
    )


def test_every_form_works_in_vmap_loops_and_branches(softplus):
    def slope(x):
        return 1 / (1 + np.exp(-x))

    def thrice(f, x):
        return wg.scan(lambda carry, _: (f(carry), carry), x, None, length=3)[0]

    same = {"rtol": 1e-12}
    np.testing.assert_allclose(wg.vmap(wg.grad(softplus))(X), slope(X), **same)
    np.testing.assert_allclose(wg.vmap(wg.hessian(softplus))(X), slope(X) * (1 - slope(X)), **same)
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(wg.vmap(softplus)(x)))(X), slope(X), **same)
    assert wg.grad(lambda x: wg.cond(x > 0, softplus, lambda x: 2 * x, x))(1.0) == slope(1.0)
    expected = wg.grad(lambda x: plain_softplus(plain_softplus(plain_softplus(x))))(1.0)
    assert wg.grad(lambda x: thrice(softplus, x))(1.0) == pytest.approx(expected, rel=1e-12)
    assert wg.jacfwd(lambda x: thrice(softplus, x))(1.0) == pytest.approx(expected, rel=1e-12)
    assert wg.grad(wg.checkpoint(softplus))(1.0) == slope(1.0)


def test_a_traceable_function_is_batched_as_a_program_not_as_a_loop():
    calls = []

    @wg.custom_vjp
    def counted(x):
        return x * x

    def forward(x):
        calls.append(1)
        return x * x, x

    counted.defvjp(forward, lambda x, g: (2 * g * x,))
    program = wg.program(counted)(1.0)
    calls.clear()
    squares = evaluate(batch(program, [True], 50), [np.arange(50.0)])[0]
    np.testing.assert_array_equal(squares, np.arange(50.0) ** 2)
    assert len(calls) < 5


# ---- one rule in its own words -------------------------------------------------------------------------


def test_several_arguments_and_results_and_containers():
    @wg.custom_vjp
    def f(p, t):
        return {"value": p["a"] * np.sin(t), "pair": (p["b"] * t, t)}

    def backward(residuals, g):
        p, t = residuals
        da = np.sum(g["value"] * np.sin(t))
        db = np.sum(g["pair"][0] * t)
        dt = g["value"] * p["a"] * np.cos(t) + g["pair"][0] * p["b"] + g["pair"][1]
        return {"a": da, "b": db}, dt

    f.defvjp(lambda p, t: (f.fun(p, t), (p, t)), backward)

    def loss(function):
        def value(p, t):
            y = function(p, t)
            return np.sum(y["value"] ** 2 + y["pair"][0] * y["pair"][1])

        return value

    at = {"a": 2.0, "b": 3.0}, X
    mine = wg.grad(loss(f), argnums=(0, 1))(*at)
    true = wg.grad(loss(f.fun), argnums=(0, 1))(*at)
    assert mine[0] == pytest.approx(true[0])
    np.testing.assert_allclose(mine[1], true[1], rtol=1e-12)
    moved = wg.jvp(f, at, ({"a": 1.0, "b": 0.0}, X))[1]
    np.testing.assert_allclose(moved["value"], np.sin(X) + 2 * np.cos(X) * X, rtol=1e-12)


def test_dataclasses_are_containers():
    @dataclass
    class Line:
        slope: float
        offset: float

    @wg.custom_gradient
    def at(line, x):
        return line.slope * x + line.offset, lambda g: (Line(g * x, g), g * line.slope)

    found = wg.grad(at, argnums=(0, 1))(Line(2.0, 1.0), 3.0)
    assert found == (Line(3.0, 1.0), 2.0)


def test_a_rule_may_return_none_for_zero():
    @wg.custom_vjp
    def first(x, y):
        return 1.0 * x

    first.defvjp(lambda x, y: (1.0 * x, None), lambda _, g: (g, None))
    assert wg.grad(first, argnums=(0, 1))(2.0, 3.0) == (1.0, 0.0)


def test_nondiff_arguments_come_first_and_may_be_functions():
    @wg.custom_vjp(nondiff_argnums=(0,))
    def apply(f, x):
        return f(x)

    apply.defvjp(lambda f, x: (f(x), x), lambda f, x, g: (g * (f(x + 1e-6) - f(x - 1e-6)) / 2e-6,))
    assert wg.grad(lambda x: apply(math.sin, x))(0.3) == pytest.approx(math.cos(0.3), rel=1e-8)

    @wg.custom_jvp(nondiff_argnames="power")
    def raised(x, power):
        return x**power

    @raised.defjvp
    def _(power, primals, tangents):
        (x,), (dx,) = primals, tangents
        return x**power, power * x ** (power - 1) * dx

    assert wg.grad(lambda x: raised(x, power=3))(2.0) == 12.0
    assert wg.grad(lambda x: raised(x, 4))(2.0) == 32.0


def test_options_pass_through_by_name_and_default():
    @wg.primitive
    def scaled(x, factor=2.0, label="none", times=1):
        assert isinstance(label, str)
        assert isinstance(times, int)
        return x * factor * times

    wg.defvjp(scaled, lambda ans, x, factor, label, times: lambda g: g * factor * times)
    assert wg.grad(scaled)(1.0) == 2.0
    assert wg.grad(lambda x: scaled(x, label="here", times=5))(1.0) == 10.0
    assert wg.grad(lambda x: scaled(x, factor=3.0))(1.0) == 3.0


def test_methods_can_be_custom():
    class Spring:
        stiffness = 3.0

        @wg.custom_jvp
        def energy(self, x):
            return self.stiffness * x * x / 2

        energy.defjvps(None, lambda dx, y, self, x: self.stiffness * x * dx)

    assert wg.grad(Spring().energy)(2.0) == 6.0


@pytest.mark.eager
def test_the_backward_rule_uses_what_the_forward_rule_kept():
    calls = []

    @wg.custom_vjp
    def f(x):
        return x * x

    def forward(x):
        calls.append("forward")
        return x * x, {"twice": 2 * x, "note": "any object"}

    def backward(kept, g):
        assert kept["note"] == "any object"
        return (g * kept["twice"],)

    f.defvjp(forward, backward)
    with wg.rule_checks(False):
        assert wg.grad(f)(3.0) == 6.0
    assert calls == ["forward"]


def test_slopes_broadcast_and_may_be_numbers():
    hyper = wg.custom_slopes(
        lambda x, y: np.hypot(x, y), lambda r, x, y: x / r, lambda r, x, y: y / r
    )
    a, b = np.array([[3.0], [6.0]]), np.array([4.0, 8.0])
    mine = wg.grad(lambda x, y: np.sum(hyper(x, y)), argnums=(0, 1))(a, b)
    true = wg.grad(lambda x, y: np.sum(np.hypot(x, y)), argnums=(0, 1))(a, b)
    for m, t in zip(mine, true, strict=True):
        np.testing.assert_allclose(m, t, rtol=1e-12)
    shifted = wg.custom_slopes(lambda x, y: x - y, 1, -1)
    assert wg.grad(shifted, argnums=(0, 1))(1.0, 2.0) == (1.0, -1.0)
    steps = wg.custom_slopes(np.floor, None)
    assert wg.grad(steps)(1.5) == 0.0
    assert wg.jvp(hyper, (3.0, 4.0), (1.0, 0.0))[1] == pytest.approx(0.6)


def test_a_custom_gradient_of_several_results_gets_several_cotangents():
    @wg.custom_gradient
    def both(x, y):
        return (x * y, x + y), lambda a, b: (a * y + b, a * x + b)

    def total(x, y):
        product, s = both(x, y)
        return 2 * product + 3 * s

    assert wg.grad(total, argnums=(0, 1))(5.0, 7.0) == (17.0, 13.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_stay(softplus, dtype):
    x = X.astype(dtype)
    assert wg.grad(lambda x: np.sum(softplus(x)))(x).dtype == dtype
    assert wg.jvp(softplus, (x,), (x,))[1].dtype == dtype


def test_complex_rules_pair_without_conjugation():
    @wg.custom_vjp
    def square(z):
        return z * z

    square.defvjp(lambda z: (z * z, z), lambda z, g: (2 * g * z,))
    z = 1.0 + 2.0j
    assert wg.grad(square, holomorphic=True)(z) == 2 * z
    mine = wg.grad(lambda z: np.real(square(z)))(z)
    assert mine == pytest.approx(wg.grad(lambda z: np.real(z * z))(z))
    assert wg.jvp(square, (z,), (1j,))[1] == 2 * z * 1j


# ---- black boxes ---------------------------------------------------------------------------------------


@wg.custom_vjp
def box(x, y):
    return np.array([math.sin(float(x)) * float(y), math.cos(float(x))])


def _box_forward(x, y):
    return box.fun(x, y), (float(x), float(y))


def _box_backward(kept, g):
    x, y = kept
    return float(g[0]) * math.cos(x) * y - float(g[1]) * math.sin(x), float(g[0]) * math.sin(x)


box.defvjp(_box_forward, _box_backward)


def plain_box(x, y):
    return np.stack([np.sin(x) * y, np.cos(x)])


AT = (0.3, 0.7)


def test_a_black_box_gets_plain_numbers_and_has_gradients():
    weights = np.array([2.0, 3.0])
    mine = wg.grad(lambda x, y: np.sum(weights * box(x, y)), argnums=(0, 1))(*AT)
    true = wg.grad(lambda x, y: np.sum(weights * plain_box(x, y)), argnums=(0, 1))(*AT)
    assert mine == pytest.approx(true, rel=1e-12)


def test_forward_mode_through_an_opaque_vjp_costs_one_call_per_output():
    mine = wg.jvp(box, AT, (1.0, 2.0))
    true = wg.jvp(plain_box, AT, (1.0, 2.0))
    for m, t in zip(mine, true, strict=True):
        np.testing.assert_allclose(m, t, rtol=1e-12)
    for mode in (wg.jacfwd, wg.jacrev, wg.jacobian):
        for m, t in zip(mode(box, (0, 1))(*AT), mode(plain_box, (0, 1))(*AT), strict=True):
            np.testing.assert_allclose(m, t, rtol=1e-12, atol=1e-15)
    _, slope = wg.linearize(box, *AT)
    np.testing.assert_allclose(slope(1.0, 2.0), true[1], rtol=1e-12)


def test_reverse_mode_through_an_opaque_jvp():
    @wg.custom_jvp
    def f(x):
        return np.array([math.exp(float(x[0])), float(x[0]) * float(x[1])])

    @f.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        a, b, da, db = float(x[0]), float(x[1]), float(dx[0]), float(dx[1])
        return f.fun(x), np.array([math.exp(a) * da, a * db + b * da])

    x = np.array([0.5, 3.0])
    true = np.array([[math.exp(0.5), 0.0], [3.0, 0.5]])
    for mode in (wg.jacfwd, wg.jacrev):
        np.testing.assert_allclose(mode(f)(x), true, rtol=1e-12)
    np.testing.assert_allclose(wg.grad(lambda x: f(x)[1])(x), [3.0, 0.5], rtol=1e-12)


def test_an_opaque_rule_is_not_turned_round_for_many_outputs():
    @wg.custom_vjp
    def f(x):
        return np.full(2000, float(x))

    f.defvjp(lambda x: (np.full(2000, float(x)), None), lambda _, g: (float(np.sum(g)),))
    assert wg.grad(lambda x: np.sum(f(x)))(1.0) == 2000.0
    with pytest.raises(NotDifferentiableError, match=r"2000 calls of it.* at most 1000"):
        wg.jvp(f, (1.0,), (1.0,))


def test_an_opaque_rule_has_no_second_derivative_and_says_why():
    for second in (
        wg.grad(wg.grad(lambda x: box(x, 1.0)[0])),
        wg.hessian(lambda x: box(x, 1.0)[0]),
    ):
        with pytest.raises(
            NotDifferentiableError, match=r"float\(\) of a traced .* second derivative"
        ):
            second(0.3)


def test_a_rule_may_be_another_custom_function():
    """The derivative of the black box sin is the black box cos, and so on for ever."""
    sin = wg.defvjp(lambda x: math.sin(float(x)), lambda y, x: lambda g: g * cos(x))
    cos = wg.defvjp(lambda x: math.cos(float(x)), lambda y, x: lambda g: -g * sin(x))
    f = sin
    for expected in (math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x)):
        f = wg.grad(f)
        assert f(0.3) == pytest.approx(expected(0.3), rel=1e-12)


def test_a_black_box_in_a_batch_runs_example_by_example():
    program = wg.program(lambda x: np.sum(box(x, 1.0)))(0.3)
    xs = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(
        evaluate(batch(program, [True], 3), [xs])[0], np.sin(xs) + np.cos(xs)
    )
    gradients = batch(pulled(program, [True]), [True, False], 3)
    np.testing.assert_allclose(
        evaluate(gradients, [xs, np.float64(1.0)])[1], np.cos(xs) - np.sin(xs)
    )
    tangents = batch(pushed(program, [True]), [True, False], 3)
    np.testing.assert_allclose(
        evaluate(tangents, [xs, np.float64(1.0)])[1], np.cos(xs) - np.sin(xs)
    )


def test_a_black_box_works_in_vmap_loops_and_checkpoints():
    sin = wg.defvjp(
        lambda x: math.sin(float(x)), lambda y, x: lambda g: float(g) * math.cos(float(x))
    )

    def thrice(f, x):
        return wg.fori_loop(0, 3, lambda _, carry: f(carry), x)

    same = {"rtol": 1e-12}
    np.testing.assert_allclose(wg.vmap(sin)(X), np.sin(X), **same)
    np.testing.assert_allclose(wg.vmap(wg.grad(sin))(X), np.cos(X), **same)
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(wg.vmap(sin)(x)))(X), np.cos(X), **same)
    np.testing.assert_allclose(wg.jacfwd(wg.vmap(sin))(X), np.diag(np.cos(X)), **same)
    expected = wg.grad(lambda x: thrice(np.sin, x))(1.0)
    assert wg.grad(lambda x: thrice(sin, x))(1.0) == pytest.approx(expected, rel=1e-12)
    assert wg.jvp(lambda x: thrice(sin, x), (1.0,), (1.0,))[1] == pytest.approx(expected, rel=1e-12)
    assert wg.grad(wg.checkpoint(lambda x: sin(x)))(1.0) == math.cos(1.0)


def test_a_shared_argument_of_a_batch_collects_the_cotangents_of_all_examples():
    program = wg.program(lambda x, y: np.sum(box(x, y)))(*AT)
    wide = batch(program, [True, False], 3)
    xs = np.array([0.1, 0.2, 0.3])
    _, gx, gy = evaluate(pulled(wide, [True, True]), [xs, np.float64(0.7), np.ones(3)])
    np.testing.assert_allclose(gx, 0.7 * np.cos(xs) - np.sin(xs), rtol=1e-12)
    np.testing.assert_allclose(gy, np.sum(np.sin(xs)), rtol=1e-12)
    tangents = evaluate(
        pushed(wide, [True, True]), [xs, np.float64(0.7), np.ones(3), np.float64(1.0)]
    )[1]
    np.testing.assert_allclose(tangents, 0.7 * np.cos(xs) - np.sin(xs) + np.sin(xs), rtol=1e-12)


def test_a_compiled_library_is_differentiated_in_five_lines():
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    libm.j0.restype = libm.j1.restype = ctypes.c_double
    libm.j0.argtypes = libm.j1.argtypes = [ctypes.c_double]
    bessel = wg.defvjp(lambda x: libm.j0(x), lambda y, x: lambda g: -g * libm.j1(x))
    assert wg.grad(bessel)(1.5) == pytest.approx(-0.5579365079100996)


def test_a_black_box_may_fill_plain_arrays():
    @wg.custom_vjp
    def f(x):
        y = np.zeros(3)
        ctypes.memset(y.ctypes.data, 0, y.nbytes)
        y[:] = [float(v) ** 2 for v in x]
        return y

    f.defvjp(lambda x: (f(x), x), lambda x, g: (2 * g * x,))
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(f(x)))(X), 2 * X)


def test_a_black_box_whose_trial_run_fails_says_what_to_do():
    @wg.custom_vjp
    def picky(x):
        if float(x) < 100:
            raise ValueError("too small")
        return float(x)

    picky.defvjp(lambda x: (picky.fun(x), None), lambda _, g: (g,))
    with pytest.raises(
        ConcretizationError, match=r"black box.*made-up numbers fails with ValueError: too small"
    ):
        by_types(picky)(200.0)
    assert wg.grad(picky)(200.0) == 1.0
    assert by_types(picky)(200.0)[0].out_types == (type_of(1.0),)


def by_types(f):
    """`f` traced on types alone."""
    return lambda *xs: program_of(lambda *ts: [f(*ts)], [type_of(x) for x in xs])


def test_a_rule_that_is_not_linear_in_its_cotangent_works_in_both_modes():
    @wg.custom_vjp(check=False)
    def clipped(x):
        return 1.0 * x

    clipped.defvjp(lambda x: (1.0 * x, None), lambda _, g: (np.clip(g, -1.0, 1.0),))
    np.testing.assert_array_equal(wg.grad(lambda x: np.sum(100 * clipped(x) ** 2))(X), np.sign(X))
    np.testing.assert_array_equal(wg.jvp(clipped, (X,), (X,))[1], X)
    assert np.all(np.isfinite(wg.hessian(lambda x: np.sum(clipped(x) ** 2 / 10))(X)))


# ---- contracts -----------------------------------------------------------------------------------------


def backward_of(f):
    @wg.custom_vjp
    def g(x, y):
        return np.sum(x) * y

    g.defvjp(lambda x, y: (np.sum(x) * y, (x, y)), f)
    return lambda: wg.grad(g, argnums=(0, 1))(X, 2.0)


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (lambda r, g: (g, g), r"the cotangent of argument 'x' is f64\[\], and f64\[3\] is needed"),
        (lambda r, g: (np.ones(3, np.float32), g), r"is f32\[3\], and f64\[3\] is needed"),
        (lambda r, g: (np.ones(3) * 1j, g), r"is c128\[3\], and f64\[3\] is needed"),
        (lambda r, g: (np.ones(3),), "returns 1 cotangents for 2 arguments"),
        (lambda r, g: np.ones(3), r"returns a single f64\[3\] for 2 arguments"),
        (lambda r, g: (np.ones(3), np.ones(2)), r"argument 'y' is f64\[2\], and f64\[\]"),
    ],
    ids=["shape", "dtype", "complex", "count", "no tuple", "second"],
)
def test_a_broken_vjp_is_named_with_both_types_and_its_line(rule, what):
    with pytest.raises(RuleError, match=what) as caught:
        backward_of(rule)()
    message = str(caught.value)
    assert f"the vjp of g ({Path(__file__).name}:{rule.__code__.co_firstlineno})" in message
    assert message.startswith(f"{Path(__file__).name}:{backward_of.__code__.co_firstlineno + 6}: ")
    assert "Way out" in message


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (
            lambda p, t: (np.sum(p[0]), t[0]),
            r"the tangent of the result is f64\[3\], and f64\[\] is needed",
        ),
        (lambda p, t: np.sum(t[0]), r"returns a single f64\[\]"),
        (
            lambda p, t: (p[0], np.sum(t[0])),
            r"its value has type f64\[3\] at the result, that of f is f64\[\]",
        ),
        (lambda p, t: (np.sum(p[0]), np.float32(1)), r"is f32\[\], and f64\[\] is needed"),
    ],
    ids=["shape", "no pair", "value", "dtype"],
)
def test_a_broken_jvp_is_named_too(rule, what):
    @wg.custom_jvp
    def f(x):
        return np.sum(x)

    f.defjvp(rule)
    with pytest.raises(RuleError, match=what):
        wg.grad(f)(X)
    with pytest.raises(RuleError, match=what):
        wg.jvp(f, (X,), (X,))


def test_other_containers_are_a_broken_rule():
    @wg.custom_vjp
    def f(p):
        return p["a"] * p["b"]

    f.defvjp(lambda p: (p["a"] * p["b"], p), lambda p, g: ({"a": g * p["b"]},))
    with pytest.raises(RuleError, match="the cotangent of argument 'p' has other containers"):
        wg.grad(f)({"a": 1.0, "b": 2.0})


def test_a_function_without_a_rule_says_so():
    @wg.custom_vjp
    def f(x):
        return x

    assert f(1.0) == 1.0
    with pytest.raises(RuleError, match=r"f has no rule yet[\s\S]*f.defvjp\(fwd, bwd\)"):
        wg.grad(f)(1.0)


def test_a_missing_vjp_of_an_argument_says_so():
    f = wg.defvjp(lambda x, y: x * y, lambda ans, x, y: lambda g: g * y)
    assert wg.grad(lambda x: f(x, 3.0))(2.0) == 3.0
    with pytest.raises(RuleError, match="no vjp for argument 'y'"):
        wg.grad(lambda y: f(3.0, y))(2.0)


@pytest.mark.eager
def test_a_traced_value_from_outside_is_refused():
    def f(w):
        @wg.custom_vjp
        def inner(x):
            return x * w

        inner.defvjp(lambda x: (x * w, None), lambda _, g: (g * w,))
        return inner(2.0 * w)

    with pytest.raises(RuleError, match="got plain numbers and returns a traced value"):
        wg.grad(f)(3.0)


def test_a_traced_nondiff_argument_is_refused():
    @wg.custom_vjp(nondiff_argnums=0)
    def f(a, x):
        return a * x

    f.defvjp(lambda a, x: (a * x, None), lambda a, _, g: (a * g,))
    assert wg.grad(lambda x: f(3.0, x))(1.0) == 3.0
    with pytest.raises(RuleError, match="argument 'a' of f is nondiff"):
        wg.grad(lambda a: f(a, 1.0))(3.0)


# ---- the check at first use ------------------------------------------------------------------------------


def halved(**options):
    @wg.custom_vjp(**options)
    def f(x):
        return x**2

    f.defvjp(lambda x: (x**2, x), lambda x, g: (g * x,))  # the factor 2 is missing
    return f


@pytest.mark.eager
def test_wrong_numbers_are_warned_about_once():
    f = halved()
    with pytest.warns(
        RuleWarning, match=r"the vjp of f \(test_custom.py:\d+\) disagrees with the function"
    ) as seen:
        assert wg.grad(f)(3.0) == 3.0
    assert seen[0].filename == __file__
    assert wg.grad(f)(3.0) == 3.0  # warnings are errors here: a second one would raise


def test_a_wrong_jvp_is_warned_about():
    @wg.custom_jvp
    def f(x):
        return np.sin(x)

    f.defjvps(lambda dx, y, x: dx * y)
    with pytest.warns(RuleWarning, match="the jvp of f"):
        wg.jvp(f, (1.0,), (1.0,))


def test_the_check_can_be_switched_off():
    assert wg.grad(halved(check=False))(3.0) == 3.0
    with wg.rule_checks(False):
        assert wg.grad(halved())(3.0) == 3.0
    wg.rule_checks(False)
    try:
        assert wg.grad(halved())(3.0) == 3.0
    finally:
        wg.rule_checks(True)


@pytest.mark.eager
def test_switching_off_is_seen_by_this_thread_alone():
    seen = []
    with wg.rule_checks(False):

        def other():
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                wg.grad(halved())(3.0)
            seen.extend(found)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert [w.category for w in seen] == [RuleWarning]


@given(x=st.floats(-3, 3), scale=st.sampled_from([1e-8, 1.0, 1e6]))
def test_a_true_rule_is_never_warned_about(x, scale):
    for make in (
        lambda: wg.defvjp(np.tanh, lambda y, x: lambda g: g * (1 - y * y)),
        lambda: wg.defvjp(np.sin, lambda y, x: lambda g: g * np.cos(x)),
        lambda: wg.defvjp(np.exp, lambda y, x: lambda g: g * y),
        lambda: wg.defvjp(np.abs, lambda y, x: lambda g: g * np.where(x < 0, -1.0, 1.0)),
        lambda: wg.defvjp(np.sqrt, lambda y, x: lambda g: g / (2 * y)),
    ):
        with np.errstate(all="ignore"):
            wg.grad(make(), trust="off")(x * scale)


@pytest.mark.parametrize("x", [0.0, -0.0, np.inf, -np.inf, np.nan])
def test_nothing_is_said_at_kinks_and_infinities(x):
    relu = wg.defvjp(lambda x: max(float(x), 0.0), lambda y, x: lambda g: g * float(x > 0))
    wg.grad(relu, trust="off")(x)


@pytest.mark.eager
def test_a_forward_rule_with_another_value_is_broken():
    @wg.custom_vjp
    def f(x):
        return np.sum(x)

    f.defvjp(lambda x: (x, None), lambda _, g: (g,))
    with pytest.raises(
        RuleError, match=r"forward rule gives \[f64\[3\]\], the function itself \[f64\[\]\]"
    ):
        wg.jacrev(f)(X)


# ---- a class of one's own ----------------------------------------------------------------------------------


class Cube(wg.Op):
    """The third power, as a user would write it."""

    name = "cube"

    def typeof(self, x):
        return x

    def eval(self, x):
        return x**3

    def vjp(self, gs, xs, ys):
        return (gs[0] * 3 * xs[0] ** 2,)


class Rotation(wg.Op):
    """Two results, and the forward rule alone."""

    name = "rotation"
    multiple = True

    def typeof(self, x, y, *, angle):
        return x, y

    def eval(self, x, y, *, angle):
        c, s = math.cos(angle), math.sin(angle)
        return c * x - s * y, s * x + c * y

    def push(self, dxs, xs, ys, *, angle):
        c, s = math.cos(angle), math.sin(angle)
        return c * dxs[0] - s * dxs[1], s * dxs[0] + c * dxs[1]


def test_an_op_obeys_the_laws():
    testing.check(Cube(), X)
    testing.check(Cube(), np.float64(0.5))
    testing.check(Rotation(), X, X + 1, angle=0.3)


def test_an_op_is_called_like_a_function():
    rotation = Rotation()

    def f(x):
        a, b = rotation(x, x * x, angle=math.pi / 2)
        return a * b

    assert wg.grad(f)(2.0) == pytest.approx(-3 * 2.0**2)
    assert "rotation[angle=" in str(wg.program(f)(2.0))


def test_a_wrong_op_breaks_the_laws():
    class Wrong(Cube):
        def vjp(self, gs, xs, ys):
            return (gs[0] * xs[0] ** 2,)

    with pytest.raises(testing.LawBroken):
        testing.check(Wrong(), X)


# ---- the rest -------------------------------------------------------------------------------------------


def test_decorated_functions_pickle_by_name():
    assert pickle.loads(pickle.dumps(by_vjp)) is by_vjp
    copy = pickle.loads(pickle.dumps(wg.custom_slopes(np.tanh, 1.0)))
    assert copy(0.0) == 0.0


@pytest.mark.parametrize("softplus", [by_vjp, by_jvp, by_jvps, by_gradient])
def test_programs_and_derivatives_of_custom_functions_pickle(softplus):
    program = wg.program(lambda x: softplus(x) * x)(X)
    copy = pickle.loads(pickle.dumps(program))
    assert str(copy) == str(program)
    np.testing.assert_array_equal(evaluate(copy, [X])[0], evaluate(program, [X])[0])
    back = pickle.loads(pickle.dumps(pulled(copy, [True])))
    np.testing.assert_allclose(
        evaluate(back, [X, np.ones(3)])[1], evaluate(pulled(program, [True]), [X, np.ones(3)])[1]
    )
    assert pickle.loads(pickle.dumps(wg.grad(softplus)))(0.0) == 0.5


def test_equal_calls_are_one_equation(softplus):
    program = wg.program(lambda x: softplus(x) + softplus(x))(X)
    assert [e.prim.name.split("[")[0] for e in program.eqns] == ["custom", "add"]


def test_stop_gradient_is_a_constant_in_every_mode_and_container():
    def f(p):
        q = wg.stop_gradient(p)
        return p["a"] * q["a"] + np.sum(q["b"][0] ** 2)

    at = {"a": 3.0, "b": [X]}
    found = wg.grad(f)(at)
    assert found["a"] == 3.0
    np.testing.assert_array_equal(found["b"][0], 0)
    assert wg.jvp(f, (at,), ({"a": 1.0, "b": [X]},))[1] == 3.0
    assert wg.hessian(lambda x: x * wg.stop_gradient(x * x))(2.0) == 0.0
    assert "stop" in str(wg.program(lambda x: wg.stop_gradient(x) * x)(2.0))


def test_stop_gradient_leaves_everything_else_alone():
    assert wg.stop_gradient(3) == 3
    assert wg.stop_gradient("text") == "text"
    given = {"n": np.arange(3), "none": None}
    assert wg.stop_gradient(given)["n"] is given["n"]
    z = wg.grad(lambda z: np.real(z * wg.stop_gradient(z)))(1 + 2j)
    assert z == np.conj(1 + 2j)
