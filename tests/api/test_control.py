"""cond, while_loop, fori_loop, scan, map: values, derivatives in all modes, closures, types, errors."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ops.control_cases import CASES

import wengert as wg
from wengert.errors import (
    ConcretizationError,
    DTypeError,
    InputError,
    ShapeError,
    StructureError,
    TracerLeakError,
)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def x(case):
    return np.array(case.x)


def number(f):
    """A function to one number."""
    return lambda x: np.sum(np.sin(f(x) + np.arange(f(x).size)))


# ---- beside plain Python -----------------------------------------------------------------------------


def test_the_value_is_that_of_plain_python(case, x):
    np.testing.assert_allclose(case.flow(x), case.plain(x), rtol=1e-12)


def test_gradients_and_tangents_are_those_of_plain_python(case, x):
    np.testing.assert_allclose(
        wg.grad(number(case.flow))(x), wg.grad(number(case.plain))(x), rtol=1e-9
    )
    np.testing.assert_allclose(
        wg.jvp(case.flow, (x,), (x * x,))[1],
        wg.jvp(case.plain, (x,), (x * x,))[1],
        rtol=1e-9,
        atol=1e-12,
    )
    value, linear = wg.linearize(case.flow, x)
    np.testing.assert_allclose(value, case.plain(x), rtol=1e-12)
    np.testing.assert_allclose(linear(x), wg.jacrev(case.plain)(x) @ x, rtol=1e-9)


@pytest.mark.parametrize("mode", [wg.jacfwd, wg.jacrev])
def test_jacobians_are_those_of_plain_python(mode, case, x):
    np.testing.assert_allclose(mode(case.flow)(x), wg.jacrev(case.plain)(x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("outer", [wg.jacfwd, wg.jacrev])
@pytest.mark.parametrize("inner", [wg.jacfwd, wg.jacrev])
def test_hessians_are_those_of_plain_python_in_every_order_of_modes(outer, inner, case, x):
    truth = wg.hessian(number(case.plain))(x)
    np.testing.assert_allclose(outer(inner(number(case.flow)))(x), truth, rtol=1e-7, atol=1e-9)


def test_third_derivatives_are_those_of_plain_python(case, x):
    def third(f):
        slope = wg.grad(number(f))
        second = wg.grad(lambda x: np.sum(slope(x) * np.cos(x)))
        return wg.grad(lambda x: np.sum(second(x) * x))(x)

    np.testing.assert_allclose(third(case.flow), third(case.plain), rtol=1e-6, atol=1e-8)


def test_a_batch_is_a_loop_in_every_nesting_with_grad(case, x):
    xs = np.stack([x, 1.1 * x, x + 0.9, 0.5 * x])
    f = number(case.flow)
    slopes = np.stack([wg.grad(number(case.plain))(x) for x in xs])
    curves = np.stack([wg.hessian(number(case.plain))(x) for x in xs])
    np.testing.assert_allclose(
        wg.vmap(case.flow)(xs), np.stack([case.plain(x) for x in xs]), rtol=1e-10
    )
    close = {"rtol": 1e-7, "atol": 1e-9}
    np.testing.assert_allclose(wg.vmap(wg.grad(f))(xs), slopes, **close)
    np.testing.assert_allclose(wg.vmap(wg.grad(f), chunk_size=3)(xs), slopes, **close)
    np.testing.assert_allclose(wg.grad(lambda xs: np.sum(wg.vmap(f)(xs)))(xs), slopes, **close)
    np.testing.assert_allclose(
        wg.grad(lambda xs: np.sum(wg.vmap(f, chunk_size=3)(xs)))(xs), slopes, **close
    )
    np.testing.assert_allclose(wg.vmap(wg.hessian(f))(xs), curves, **close)
    twice = wg.vmap(wg.vmap(wg.grad(f), chunk_size=3), in_axes=1)(np.stack([xs, xs + 0.1], 1))
    np.testing.assert_allclose(twice[0], slopes, **close)


def test_second_derivatives_through_a_batch_are_those_of_a_loop(case, x):
    xs = np.stack([x, 1.1 * x, x + 0.9])

    def twice(total):
        slope = wg.grad(total)
        return wg.grad(lambda xs: np.sum(slope(xs) * np.sin(xs)))(xs)

    np.testing.assert_allclose(
        twice(lambda xs: np.sum(wg.vmap(number(case.flow))(xs))),
        twice(lambda xs: sum(number(case.plain)(xs[k]) for k in range(3))),
        rtol=1e-7,
        atol=1e-9,
    )


@given(st.integers(0, 6), st.floats(-1, 1), st.booleans())
def test_scan_is_a_python_loop(n, x, reverse):
    us = np.linspace(-1, 1, n)

    def flow(x):
        return wg.scan(lambda c, u: (np.sin(c + u * x), c * u), x, us, reverse=reverse)

    def plain(x):
        c, ys = x, []
        for u in us[::-1] if reverse else us:
            c, y = np.sin(c + u * x), c * u
            ys.append(y)
        return c, sum(y * k for y, k in zip(ys[::-1] if reverse else ys, range(n), strict=True))

    carry, ys = flow(x)
    truth, weighted = plain(x)
    assert carry == pytest.approx(truth)
    assert ys.shape == (n,)
    assert np.sum(ys * np.arange(n)) == pytest.approx(weighted)
    both = wg.grad(lambda x: flow(x)[0] + np.sum(flow(x)[1] * np.arange(n)))(x)
    assert both == pytest.approx(wg.grad(lambda x: sum(plain(x)))(x))


# ---- numbers -----------------------------------------------------------------------------------------


def root(a):
    return wg.while_loop(lambda r: np.abs(r * r - a) > 1e-13 * a, lambda r: (r + a / r) / 2, a)


# (1 is its own root, and of no step there is no derivative)
@given(st.floats(0.01, 100).filter(lambda a: abs(a - 1) > 0.01))
def test_newton_has_the_derivatives_of_the_root(a):
    assert root(a) == pytest.approx(a**0.5)
    assert wg.grad(root)(a) == pytest.approx(0.5 * a**-0.5)
    assert wg.grad(wg.grad(root))(a) == pytest.approx(-0.25 * a**-1.5, rel=1e-6)
    assert wg.jvp(wg.grad(root), (a,), (1.0,))[1] == pytest.approx(-0.25 * a**-1.5, rel=1e-6)


def test_ten_thousand_steps_are_one_equation_with_the_right_gradient():
    def decay(k):
        h = 1e-4
        return wg.fori_loop(0, 10_000, lambda i, y: y - h * k * y * np.cos(i * h), 1.0)

    slope = wg.grad(decay)(0.5)
    assert slope == pytest.approx(-np.sin(1) * np.exp(-0.5 * np.sin(1)), rel=1e-4)
    eps = 1e-5
    assert slope == pytest.approx((decay(0.5 + eps) - decay(0.5 - eps)) / (2 * eps), rel=1e-8)
    text = str(wg.program(wg.grad(decay))(0.5))
    assert text.count("\n") < 60
    assert len(text) < 10_000


def test_filling_a_buffer_and_reading_one_are_linear_in_a_loop():
    n = 3000
    x = np.linspace(0, 1, n)

    def f(x):
        def step(i, b):
            b[i] = np.sin(x[i])
            return b

        return np.sum(wg.fori_loop(0, n, step, np.zeros(n) + 0 * x[0]) ** 2)

    program = wg.program(wg.grad(f))(x)
    names = [e.prim.name for e in program.eqns]
    assert names.count("scan") == 2
    back = next(e for e in reversed(program.eqns) if e.prim.name == "scan").params["body"]
    made = [e for e in back.eqns if e.outputs[0].type.shape == (n,)]
    # each step writes into the two buffers, and makes none
    assert {e.prim.name for e in made} <= {"put", "scatter_add"}
    np.testing.assert_allclose(wg.grad(f)(x), np.sin(2 * x), atol=1e-12)


def test_derivatives_of_different_loops_are_not_confused():
    def inner(x):
        return wg.grad(lambda y: wg.fori_loop(0, 3, lambda i, s: s + x * y, 0.0))(1.0)

    assert wg.grad(lambda x: x * inner(x))(2.0) == 12.0

    def nested(x):  # the gradient is taken in the loop, of a loop
        def step(i, s):
            return s + wg.grad(lambda y: wg.fori_loop(0, 2, lambda k, t: t * y * x, 1.0))(x + i)

        return wg.fori_loop(0, 2, step, 0.0)

    # d/dy (xy)² at y = x + i is 2x²(x + i)
    assert nested(3.0) == 2 * 9 * (3 + 4)
    assert wg.grad(nested)(3.0) == pytest.approx(sum(6 * 9 + 4 * 3 * i for i in range(2)))


def test_jvp_and_hessian_work_in_a_loop():
    def f(x):
        return wg.fori_loop(0, 2, lambda i, y: wg.jvp(lambda z: z * z * x, (y,), (1.0,))[1], x)

    assert wg.grad(f)(2.0) == 48.0  # (2x · 2x · x)' = 12x²

    def g(x):
        def step(c, _):
            return c + wg.hessian(lambda z: np.sum(z**3 * x))(c) @ c, None

        return np.sum(wg.scan(step, x, length=2)[0])

    def plain(x):
        once = x + 6 * x * x * x
        return np.sum(once + 6 * once * x * once)

    x = np.array([0.1, 0.2])
    np.testing.assert_allclose(wg.grad(g)(x), wg.grad(plain)(x), rtol=1e-10)


def test_complex_values_are_carried():
    def flow(z):
        return np.abs(wg.fori_loop(0, 3, lambda i, s: s * z + 1j, 1.0 + 0j)) ** 2

    def plain(z):
        return np.abs(((1.0 * z + 1j) * z + 1j) * z + 1j) ** 2

    z = 0.3 + 0.2j
    assert wg.grad(flow)(z) == pytest.approx(wg.grad(plain)(z))
    assert wg.vmap(wg.grad(flow))(np.array([z, 1j]))[0] == pytest.approx(wg.grad(plain)(z))


def test_an_infinite_slope_in_a_loop_is_no_warning_where_nothing_arrives():
    assert wg.grad(lambda a: wg.fori_loop(0, 1, lambda i, s: np.sqrt(s) * a, 0.0))(1.0) == 0.0
    assert (
        wg.jvp(lambda a: wg.cond(True, lambda s: np.sqrt(s) * a, lambda s: s, 0.0), (1.0,), (1.0,))[
            1
        ]
        == 0
    )


def test_the_branch_not_taken_is_never_computed():
    def f(x):
        return wg.cond(x != 0, lambda: 1 / x, lambda: 0 * x)

    with np.errstate(all="raise"):
        assert (f(0.0), wg.grad(f)(0.0), wg.grad(f)(2.0)) == (0.0, 0.0, -0.25)
        xs = np.array([0.0, 2.0, -4.0])
        np.testing.assert_allclose(wg.vmap(f)(xs), [0, 0.5, -0.25])
        np.testing.assert_allclose(wg.vmap(wg.grad(f))(xs), [0, -1 / 4, -1 / 16])
        np.testing.assert_allclose(
            wg.grad(lambda xs: np.sum(wg.vmap(f)(xs)))(xs), [0, -1 / 4, -1 / 16]
        )
        assert wg.vmap(f)(np.zeros(2)).tolist() == [0, 0]


def test_examples_that_have_finished_compute_nothing_beyond_their_end():
    def total(x, n):  # reads x[n - 1] last: x[n] need not exist
        return wg.while_loop(
            lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] + np.sin(x[c[0]])), (0, 0.0)
        )[1]

    x, ns = np.arange(4.0), np.array([0, 2, 4])
    np.testing.assert_allclose(
        wg.vmap(total, (None, 0))(x, ns), [np.sum(np.sin(x[:n])) for n in ns]
    )
    weights = np.array([1.0, 10.0, 100.0])
    slope = wg.grad(lambda x: wg.vmap(lambda n: total(x, n))(ns) @ weights)(x)
    np.testing.assert_allclose(slope, np.cos(x) * [110, 110, 100, 100])


def test_the_trip_count_may_be_traced():
    def power(x, n):
        return wg.fori_loop(0, n, lambda i, y: y * x, 1.0)

    assert wg.grad(power)(3.0, np.int64(4)) == 108.0
    assert wg.vmap(wg.grad(power))(np.array([3.0, 2.0, 5.0]), np.array([4, 0, 1])).tolist() == [
        108,
        0,
        1,
    ]


# ---- containers, closures, types ---------------------------------------------------------------------

Point = namedtuple("Point", "position speed")


@dataclasses.dataclass
class Body:
    """A dataclass, registered on sight."""

    mass: float
    point: Point


def test_carries_may_be_any_containers():
    def fall(g):
        def step(i, body):
            p = body.point
            return Body(body.mass, Point(p.position + 0.1 * p.speed, p.speed - 0.1 * g * body.mass))

        return wg.fori_loop(0, 3, step, Body(2.0, Point(1.0, 0.0)))

    end = fall(10.0)
    assert isinstance(end, Body)
    assert end.point.position == pytest.approx(1 - 0.1 * 2 * (1 + 2))
    assert wg.grad(lambda g: fall(g).point.position)(10.0) == pytest.approx(-0.06)


def test_values_from_outside_are_used_once_each_whatever_they_are():
    w = np.ones((2, 2))

    def f(x, y):
        s = np.sin(x)
        return wg.while_loop(
            lambda c: np.sum(c) < 3 + np.sum(w), lambda c: c + w @ (s * y) + s + w[0], x
        )

    program = wg.program(f)(np.ones(2), np.ones(2))
    loop = next(e for e in program.eqns if e.prim.name == "while_loop")
    # w, its first row, s and y, for condition and body together; and what is carried
    assert len(loop.inputs) <= 5
    assert loop.params["consts"] == len(loop.inputs) - 1


def test_a_python_scalar_takes_the_dtype_that_the_body_gives_it():
    x = np.float32(2)
    assert wg.fori_loop(0, 2, lambda i, s: s + x, 0.0).dtype == np.float32
    seen = []

    def f(x):
        s = wg.fori_loop(0, 2, lambda i, s: s + x, 0)
        seen.append(s.dtype)
        return s

    wg.grad(f)(x)
    wg.grad(f)(2.0)
    assert seen == [np.float32, np.float64]


def test_a_python_scalar_in_the_body_takes_the_dtype_of_the_carry():
    for run in (lambda f, x: f(x), lambda f, x: wg.vmap(f)(x[None])[0]):
        y = run(
            lambda x: wg.while_loop(lambda s: s > 1, lambda s: 0, x),
            np.float32([2.0])[0] * np.ones(()),
        )
        assert y == 0
    down = wg.vmap(lambda x: wg.while_loop(lambda s: s > 1, lambda s: 0, x))(np.float32([2, 1]))
    assert down.dtype == np.float32
    assert down.tolist() == [0, 1]
    both = wg.vmap(lambda x: wg.cond(x > 1, lambda: x, lambda: 0))(np.float32([2, 1]))
    assert both.dtype == np.float32
    assert both.tolist() == [2, 0]


def test_float32_stays_float32_in_every_mode():
    def f(x):
        def step(c, u):
            y = np.sin(c * u) * 0.5 + wg.cond(u > 0, lambda: u, lambda: 2 * u)
            return y, y * c

        c, ys = wg.scan(step, x[0], x)
        return c + np.sum(ys) + wg.while_loop(lambda z: z < 5, lambda z: z * 2 + x[1], c)

    x = np.float32([0.5, -1.0, 2.0])
    assert f(x).dtype == np.float32
    assert wg.grad(f)(x).dtype == np.float32
    assert wg.jacfwd(f)(x).dtype == np.float32
    assert wg.hessian(f)(x).dtype == np.float32
    assert wg.vmap(wg.grad(f))(x[None]).dtype == np.float32


def test_where_nothing_is_traced_loops_just_run():
    data = np.arange(5.0)
    seen = []

    def step(i, s):
        seen.append(i)
        return s + data[i] if s < 100 else s  # numbers: plain Python may decide and index

    assert wg.fori_loop(0, 5, step, 0.0) == 10.0
    assert seen == [0, 1, 2, 3, 4]
    assert wg.scan(lambda c, u: (c + 1 if u > 1 else c, data[c]), 0, data)[0] == 3
    assert wg.cond(True, lambda x: float(x), lambda x: x / 0, 1.0) == 1.0
    assert wg.while_loop(lambda s: bool(s < 3), lambda s: s + 1, 0) == 3


def test_what_just_runs_leaves_its_arguments_alone():
    init, xs = np.zeros(3), np.ones((2, 3))

    def step(c, u):
        c[0] += 1
        u[1] = 7
        return c, u

    carry, ys = wg.scan(step, init, xs)
    assert carry.tolist() == [2, 0, 0]
    assert ys[:, 1].tolist() == [7, 7]
    assert init.tolist() == [0, 0, 0]
    assert xs.tolist() == np.ones((2, 3)).tolist()


def test_a_plain_array_is_read_at_a_traced_integer():
    data = np.arange(5.0)

    def f(x):
        return wg.fori_loop(0, 5, lambda i, s: s + np.array(data)[i] * x, 0.0)

    assert wg.grad(f)(1.0) == 10.0
    with pytest.raises(ConcretizationError, match=r"np\.array\(a\)\[i\]"):
        wg.grad(lambda x: wg.fori_loop(0, 5, lambda i, s: s + data[i] * x, 0.0))(1.0)


def test_duals_and_tapes_go_through_control_flow():
    def f(x):
        s = wg.fori_loop(0, 3, lambda i, s: s * x + np.sin(s), x)
        return wg.cond(s > 0, lambda: s * x, lambda: s) + wg.while_loop(
            lambda c: c < 5, lambda c: c * 1.5 + x, x
        )

    def closed(x):
        return wg.while_loop(lambda c: c < 5, lambda c: c * 1.5 + np.sin(x), 1.0) + wg.cond(
            x > 0, lambda: x, lambda: x
        )

    assert closed(wg.AutoDiffScalar(0.7, [1.0])).derivatives()[0] == pytest.approx(
        wg.grad(closed)(0.7)
    )
    y = wg.AutoDiffScalar(2.0, [1.0])
    np.testing.assert_array_equal(
        wg.vmap(lambda u: u * y)(np.arange(3.0)).derivatives(), [[0], [1], [2]]
    )
    z = wg.AutoDiffScalar(np.arange(3.0), np.eye(3))
    for f in (wg.vmap(lambda u: u * u), wg.checkpoint(lambda u: u * u)):
        np.testing.assert_array_equal(f(z).derivatives(), np.diag([0, 2, 4]))

    def made_inside(i, s):
        d = wg.AutoDiffScalar(s, [1.0])
        return s + (d * d).derivatives()[0]

    assert wg.grad(lambda x: wg.fori_loop(0, 2, made_inside, x))(1.0) == 9.0
    slope = wg.grad(f)(0.7)
    dual = f(wg.AutoDiffScalar(0.7, [1.0, 2.0]))
    assert dual.value() == f(0.7)
    np.testing.assert_allclose(dual.derivatives(), [slope, 2 * slope])
    x = wg.Variable(0.7)
    with wg.GradientTape() as tape:
        y = f(x)
    assert tape.gradient(y, x) == pytest.approx(slope)


# ---- errors ------------------------------------------------------------------------------------------


def traced(f):
    """Run `f` in a trace, on types alone."""
    wg.vmap(lambda x: f(x))(np.ones(2))


WRONG = {
    "branches of other structure": (
        lambda x: wg.cond(True, lambda: x, lambda: (x, x)), StructureError,
        r"branches return different structures, one value and \(\*, \*\)",
    ),
    "branches of other shape": (
        lambda x: wg.cond(True, lambda: {"a": x}, lambda: {"a": np.ones(3) * x}), ShapeError,
        r"branches return f64\[\] and f64\[3\] at \['a'\]",
    ),
    "branches of other dtype": (
        lambda x: wg.cond(True, lambda: x.astype(np.float32), lambda: x), DTypeError,
        r"branches return f32\[\] and f64\[\]",
    ),
    "a predicate that is no scalar": (
        lambda x: wg.cond(np.ones(2) * x, lambda: x, lambda: x), ShapeError, "decides by one boolean",
    ),
    "a condition that is no boolean": (
        lambda x: wg.while_loop(lambda x: x, lambda x: x, x), StructureError, r"must return one boolean, and returns f64\[\]",
    ),
    "another structure": (
        lambda x: wg.while_loop(lambda x: x < 1, lambda x: [x], 0 * x), StructureError,
        r"returns \[\*\] for a carry that is one value",
    ),
    "another shape": (
        lambda x: wg.fori_loop(0, 3, lambda i, c: (c[0], np.stack([x, x])), (x, 1.0)), ShapeError,
        r"returns f64\[2\] for a carry that is f64\[\] at \[1\]",
    ),
    "another dtype": (
        lambda x: wg.fori_loop(0, 3, lambda i, c: 0.5 * c, np.arange(3)), DTypeError,
        r"returns f64\[3\] for a carry that is i64\[3\]",
    ),
    "no pair": (
        lambda x: wg.scan(lambda c, u: c, x, np.ones(3)), StructureError, "must return a pair",
    ),
    "other lengths": (
        lambda x: wg.scan(lambda c, u: (c, u), x, {"a": np.ones(3), "b": np.ones(2)}), ShapeError,
        r"xs\['a'\] has 3, xs\['b'\] has 2",
    ),
    "a length that differs": (
        lambda x: wg.scan(lambda c, u: (c, u), x, np.ones(3), length=4), ShapeError, "length is 4",
    ),
    "a scalar to run over": (
        lambda x: wg.scan(lambda c, u: (c, u), x, {"a": np.ones(3), "b": 2.0}), ShapeError, r"xs at \['b'\] is a scalar",
    ),
    "nothing to run over": (
        lambda x: wg.scan(lambda c, u: (c, u), x), InputError, "neither xs nor length",
    ),
    "text": (
        lambda x: wg.scan(lambda c, u: (c, u), "a", length=2), InputError, "initial value holds a str",
    ),
    "a bound that is no integer": (
        lambda x: wg.fori_loop(0, 2.5, lambda i, c: c, x), DTypeError, "upper bound is f64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("run", [traced, wg.grad], ids=["types", "numbers"])
def test_what_does_not_fit_is_named_with_both_sides_and_the_line(name, run):
    f, error, message = WRONG[name]
    with pytest.raises(error, match=message) as caught:
        run(f) if run is traced else run(f)(np.float64(1.0))
    assert caught.value.where.startswith("test_control.py:")
    assert caught.value.way_out


@pytest.mark.parametrize("name", [n for n, (_, e, _) in WRONG.items() if "branches" not in n])
def test_it_is_the_same_where_nothing_is_traced(name):
    f, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        f(1.0)


def test_python_cannot_decide_by_a_number_that_the_body_does_not_know():
    def absolute(i, x):
        return x if x > 0 else -x

    with pytest.raises(ConcretizationError, match=r"wg\.cond") as caught:
        wg.grad(lambda x: wg.fori_loop(0, 3, absolute, x))(1.0)
    assert "test_control.py" in str(caught.value)


def test_a_body_does_not_write_into_what_it_was_not_given():
    def f(x):
        def step(i, s):
            x[0] = s
            return s

        return wg.fori_loop(0, 3, step, 1.0)

    with pytest.raises(TracerLeakError, match="return the changed array"):
        wg.grad(f)(np.ones(3))


def test_an_error_of_the_user_comes_out_as_it_is():
    def step(c, u):
        raise KeyError("mine")

    for run in (
        lambda: wg.scan(step, 0.0, np.ones(2)),
        lambda: wg.grad(lambda x: wg.scan(step, x, np.ones(2)))(1.0),
    ):
        with pytest.raises(KeyError, match="mine"):
            run()
