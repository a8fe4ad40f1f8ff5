"""When a tape records: persistence, pauses, nesting, threads, and what is kept in memory."""

import asyncio
import contextvars
import copy
import math
import pickle
import threading
import weakref

import numpy as np
import pytest

import wengert as wg
from wengert.errors import (
    ConcretizationError,
    InputError,
    ShapeError,
    StructureError,
    TapeError,
    TracerLeakError,
)


def test_a_tape_gives_one_set_of_gradients():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x * x
        z = y * y
    assert tape.gradient(z, x) == 108.0
    for ask in (tape.gradient, tape.jacobian):
        with pytest.raises(
            TapeError, match="A non-persistent GradientTape can only be used to compute one set of"
        ):
            ask(y, x)


def test_a_persistent_tape_gives_many():
    x = wg.constant([1.0, 3.0])
    with wg.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    np.testing.assert_array_equal(tape.gradient(z, x), [4.0, 108.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 6.0])
    np.testing.assert_array_equal(tape.jacobian(y, x), np.diag([2.0, 6.0]))


def test_a_question_with_a_mistake_does_not_use_the_tape_up():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x * x
    with pytest.raises(InputError):
        tape.gradient(y, np.ones(2))
    with pytest.raises(StructureError, match="1 targets, but 2 output_gradients"):
        tape.gradient(y, x, output_gradients=[1.0, 2.0])
    with pytest.raises(
        ShapeError, match=r"output_gradients of shape \(3,\) for a target that is f64\[\]"
    ):
        tape.gradient(y, x, output_gradients=np.ones(3))
    assert tape.gradient(y, x) == 6.0


def test_a_tape_that_was_never_entered_has_recorded_nothing():
    with pytest.raises(TapeError, match="this tape has recorded nothing"):
        wg.GradientTape().gradient(wg.Variable(1.0), wg.Variable(1.0))


def test_an_active_tape_cannot_be_entered_again():
    with wg.GradientTape() as tape, pytest.raises(TapeError, match="still recording"), tape:
        pass


def test_a_tape_can_be_entered_again_and_goes_on():
    x = wg.Variable(3.0)
    with wg.GradientTape(persistent=True) as tape:
        y = x * x
    unseen = y * y
    with tape:
        z = y * y
    assert tape.gradient(z, x) == 108.0
    assert tape.gradient(y, x) == 6.0
    assert type(unseen) is np.float64


def test_a_used_tape_can_be_entered_again_and_begins_anew():
    x = wg.Variable(3.0)
    tape = wg.GradientTape()
    for power in (2, 3):
        with tape:
            y = x**power
        assert tape.gradient(y, x) == power * 3.0 ** (power - 1)


def test_stop_recording_hides_a_block():
    x, y = wg.Variable(2.0), wg.Variable(3.0)
    with wg.GradientTape() as tape:
        square = x * x
        with tape.stop_recording():
            hidden = y * y
        z = square + hidden
    assert type(hidden) is np.float64
    assert tape.gradient(z, {"x": x, "y": y}) == {"x": 4.0, "y": None}


def test_what_is_made_of_tape_values_in_a_pause_is_constant():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        square = x * x
        with tape.stop_recording():
            hidden = square * 10.0
        z = square * hidden
    assert z.numpy() == 160.0
    assert tape.gradient(z, x) == 40.0 * 4.0


def test_gradients_in_a_pause_are_plain_numbers():
    x = wg.Variable(3.0)
    with wg.GradientTape(persistent=True) as tape:
        y = x**3
        with tape.stop_recording():
            slope = tape.gradient(y, x)
        z = y + slope * x
    assert type(slope) is np.float64
    assert tape.gradient(z, x) == 27.0 + 27.0


def test_a_gradient_in_a_pause_uses_a_tape_up_as_well():
    x = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        y = x**3
        with tape.stop_recording():
            slope = tape.gradient(y, x)
        z = x * 2
    assert slope == 27.0
    assert type(z) is np.float64
    assert float(y) == 27.0  # its tape is over, so it is a plain number


def test_a_tape_that_does_not_record_can_neither_stop_nor_be_reset():
    tape = wg.GradientTape()
    with pytest.raises(TapeError, match="stop_recording: this tape is not recording"):
        tape.stop_recording()
    with pytest.raises(TapeError, match="reset: this tape is not recording"):
        tape.reset()


def test_reset_forgets_what_was_recorded():
    x, y = wg.Variable(2.0), wg.Variable(3.0)
    with wg.GradientTape() as tape:
        first = x * x
        tape.reset()
        second = y * y
    assert tape.watched_variables() == (y,)
    slopes = tape.gradient([first, second], [x, y])
    assert slopes == [None, 6.0]


def test_values_made_after_the_with_are_not_recorded():
    x = wg.Variable(2.0)
    with wg.GradientTape(persistent=True) as tape:
        y = x * x
    z = y * y
    assert type(z) is np.float64
    with pytest.raises(TapeError, match="nothing that this tape watches led to it"):
        tape.gradient(z, x)
    assert tape.gradient(z, x, unconnected_gradients="zero") == 0.0


def test_values_of_another_tape_are_unconnected():
    x = wg.Variable(2.0)
    with wg.GradientTape() as first:
        y = x * x
    with wg.GradientTape(persistent=True) as second:
        z = x * y
    assert second.gradient(z, x) == 4.0
    assert second.gradient(z, y) is None
    assert first.gradient(y, x) == 4.0


# ---- several tapes ------------------------------------------------------------------------------------


def test_tapes_side_by_side_watch_their_own():
    x0, x1 = wg.constant(0.5), wg.constant(2.0)
    with wg.GradientTape() as t0, wg.GradientTape() as t1:
        t0.watch(x0)
        t1.watch(x1)
        y = np.sin(x0) + x1**3
    assert t0.gradient(y, [x0, x1])[1] is None
    np.testing.assert_allclose(t1.gradient(y, [x1, x0])[0], 12.0)


def test_each_tape_sees_what_happens_between_its_start_and_its_end():
    x = wg.Variable(2.0)
    with wg.GradientTape(persistent=True) as outer:
        y = x * x
        with wg.GradientTape(persistent=True) as inner:
            z = y * x
        w = z * x
    assert outer.gradient(w, x) == 4 * 2.0**3
    assert inner.gradient(z, x) == 4.0
    assert inner.gradient(z, y) is None  # made before the inner tape began
    assert inner.gradient(w, x) is None  # made after it had ended
    assert outer.gradient(w, y) == 4.0


def test_tapes_may_overlap_without_being_nested():
    x = wg.Variable(3.0)
    first, second = wg.GradientTape(), wg.GradientTape()
    first.__enter__()
    a = x * x
    second.__enter__()
    b = a * x
    first.__exit__()
    c = b * x
    second.__exit__()
    assert first.gradient([a, b], x) == 6.0 + 27.0
    assert second.gradient(c, x) == 9.0 * 6.0


def cube(x):
    return x**3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("f", [np.sin, cube, sigmoid, np.log1p, np.cbrt])
def test_nested_tapes_give_higher_derivatives(f):
    x = wg.Variable(0.7)
    with wg.GradientTape() as t3:
        with wg.GradientTape() as t2:
            with wg.GradientTape() as t1:
                y = f(x)
            dy = t1.gradient(y, x)
        ddy = t2.gradient(dy, x)
    dddy = t3.gradient(ddy, x)
    assert type(dddy) is np.float64
    third = wg.grad(wg.grad(wg.grad(f)))(0.7)
    np.testing.assert_allclose(
        [dy.numpy(), ddy.numpy(), dddy], [wg.grad(f)(0.7), wg.grad(wg.grad(f))(0.7), third]
    )


def looped(x):
    return wg.fori_loop(0, 3, lambda i, s: np.sin(s) * x, x)


def branched(x):
    return wg.cond(x > 0, lambda x: x**3, lambda x: -x, x)


def scanned(x):
    return np.sum(wg.scan(lambda s, k: (s * k, s * s), x, np.array([1.0, 2.0, 3.0]))[1])


@pytest.mark.parametrize("f", [looped, branched, scanned])
def test_nested_tapes_go_through_traced_control_flow(f):
    x = wg.Variable(0.7)
    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            y = f(x)
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(slope.numpy(), wg.grad(f)(0.7), rtol=1e-14)
    np.testing.assert_allclose(outer.gradient(slope, x), wg.grad(wg.grad(f))(0.7), rtol=1e-13)


def test_nested_tapes_do_not_confuse_their_perturbations():
    x = wg.Variable(1.0)
    with wg.GradientTape() as outer:
        y = wg.Variable(2.0)
        with wg.GradientTape() as inner:
            z = x * y
        slope = inner.gradient(z, y)  # x
        result = x * slope
    assert outer.gradient(result, x) == 2.0


def test_a_persistent_tape_can_differentiate_its_own_gradient():
    x = wg.Variable(3.0)
    with wg.GradientTape(persistent=True) as tape:
        y = x**3
        slope = tape.gradient(y, x)
    assert slope.numpy() == 27.0
    assert tape.gradient(slope, x) == 18.0


def test_a_gradient_penalty_trains_through_the_inner_gradient():
    rng = np.random.default_rng(1)
    w, x = wg.Variable(rng.normal(size=(3, 2))), wg.constant(rng.normal(size=(4, 3)))

    def penalty(w, x):
        return np.sum((np.cos(x @ w) @ w.T) ** 2)

    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            inner.watch(x)
            y = np.sum(np.sin(x @ w))
        loss = np.sum(inner.gradient(y, x) ** 2)
    np.testing.assert_allclose(
        outer.gradient(loss, w), wg.grad(penalty)(w.numpy(), x.numpy()), rtol=1e-13
    )


def test_the_jacobian_of_a_gradient_is_the_hessian():
    def f(x):
        return np.sum(np.sin(x) * x[::-1]) + np.prod(x)

    x = wg.Variable([0.3, 1.2, -0.7])
    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            y = f(x)
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.jacobian(slope, x), wg.hessian(f)(x.numpy()), atol=1e-15)


@pytest.mark.parametrize(("n", "m"), [(2, 3), (3, 2), (20, 3), (3, 20)])
def test_jacobians_have_the_shape_of_target_and_source(n, m):
    rng = np.random.default_rng(0)
    w, b = wg.Variable(rng.normal(size=(n, m))), wg.Variable(rng.normal(size=m))
    unused = wg.Variable(1.0)
    with wg.GradientTape(persistent=True) as tape:
        y = np.tanh(rng.normal(size=(2, n)) @ w + b)
        _ = unused * 1.0
    jw, jb, nothing = tape.jacobian(y, [w, b, unused])
    assert jw.shape == (2, m, n, m)
    assert jb.shape == (2, m, m)
    assert nothing is None
    assert tape.jacobian(y, unused, unconnected_gradients="zero").shape == (2, m)
    for i in np.ndindex(2, m):
        one = np.zeros((2, m))
        one[i] = 1
        np.testing.assert_allclose(jw[i], tape.gradient(y, w, one), atol=1e-14)
        np.testing.assert_allclose(jb[i], tape.gradient(y, b, one), atol=1e-14)


def test_a_jacobian_under_an_outer_tape_is_recorded():
    x = wg.Variable([0.5, 2.0, 1.0])
    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            y = x**3
        trace = np.trace(inner.jacobian(y, x))
    np.testing.assert_allclose(outer.gradient(trace, x), 6 * x.numpy())


@pytest.mark.parametrize("m", [2, 15])
def test_the_batch_jacobian_is_the_diagonal_of_the_jacobian(m):
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, m))
    x = wg.Variable(rng.normal(size=(4, 3)))
    with wg.GradientTape(persistent=True) as tape:
        y = np.sin(x @ w)
    full = tape.jacobian(y, x)
    batch = tape.batch_jacobian(y, x)
    assert batch.shape == (4, m, 3)
    for k in range(4):
        np.testing.assert_allclose(batch[k], full[k, :, k], atol=1e-15)


def test_the_batch_jacobian_needs_one_batch():
    x = wg.Variable(np.ones((4, 3)))
    with wg.GradientTape() as tape:
        y = np.sum(x, axis=0)
    with pytest.raises(
        ShapeError, match=r"the target is f64\[3\], the source 'Variable', which is f64\[4,3\]"
    ):
        tape.batch_jacobian(y, x)


def test_a_complex_jacobian_is_an_error():
    z = wg.Variable([1 + 2j])
    with wg.GradientTape() as tape:
        y = z**2
    with pytest.raises(wg.errors.DTypeError, match="no one matrix of slopes"):
        tape.jacobian(y, z)


# ---- tapes and function traces ------------------------------------------------------------------------


def test_a_tape_inside_of_grad_is_differentiated_through():
    def slope(x):
        with wg.GradientTape() as tape:
            x = tape.watch(x)
            y = x**3
        return tape.gradient(y, x)

    assert wg.grad(slope)(3.0) == 18.0
    assert wg.jvp(slope, (3.0,), (1.0,)) == (27.0, 18.0)
    assert wg.grad(wg.grad(slope))(3.0) == 6.0


@pytest.mark.parametrize(
    "result",
    [lambda y: y, lambda y: y * 1.0, lambda y: y[0], lambda y: {"y": y}],
    ids=["y", "y*1", "y[0]", "dict"],
)
def test_a_value_of_a_tape_inside_of_a_function_carries_the_functions_derivative(result):
    def f(x):
        with wg.GradientTape() as tape:
            y = tape.watch(x) ** 2
        return result(y)

    x = np.array([3.0, 4.0])
    value, back = wg.vjp(f, x)
    ones = wg.tree.map_leaves(np.ones_like, value)
    expected = [6.0, 0.0] if np.ndim(wg.tree.flatten(value)[0][0]) == 0 else [6.0, 8.0]
    np.testing.assert_array_equal(back(ones)[0], expected)
    tangent = wg.jvp(f, (x,), (np.ones(2),))[1]
    np.testing.assert_array_equal(np.sum(wg.tree.flatten(tangent)[0][0]), np.sum(expected))


def test_the_gradient_can_be_asked_after_the_values_of_a_tape_in_a_function_have_fallen_back():
    def f(x, w):
        with wg.GradientTape(persistent=True) as tape:
            x = tape.watch(x)
            y = np.sum(x**2) * w
        z = y + 1.0
        return z * np.sum(tape.gradient(y, x))

    x = np.array([1.0, 2.0])
    # (w Σx² + 1) 2 w Σx
    np.testing.assert_allclose(wg.grad(f)(x, 3.0), (2 * 3 * x) * 18 + 16 * 6.0)
    np.testing.assert_allclose(wg.grad(f, argnums=1)(x, 3.0), 5 * 18 + 16 * 6.0)


def test_grad_inside_of_a_tape_is_differentiated_through():
    v = wg.Variable(3.0)
    with wg.GradientTape() as tape:
        slope = wg.grad(lambda x: x**3 * v)(v)  # 3 x² v at x = v
    np.testing.assert_allclose(slope.numpy(), 81.0)
    np.testing.assert_allclose(tape.gradient(slope, v), 81.0)


def test_a_tape_in_a_function_in_a_tape_sees_its_own_and_is_seen():
    w = wg.Variable(2.0)

    def inner(x):
        with wg.GradientTape() as tape:
            x = tape.watch(x)
            y = w * x**3
        return np.sum(tape.gradient(y, x)) * w  # 3 w² x²

    with wg.GradientTape() as outer:
        slope = wg.grad(inner)(5.0)  # 6 w² x
    assert slope.numpy() == 120.0
    assert outer.gradient(slope, w) == 12 * 2.0 * 5.0


def test_variables_and_constants_are_arguments_of_grad():
    v = wg.Variable([1.0, 2.0])
    np.testing.assert_array_equal(
        wg.grad(lambda p: np.sum(p["v"] ** 2 * p["c"]))({"v": v, "c": wg.constant(3.0)})["v"],
        [6, 12],
    )


def test_a_value_of_a_function_cannot_be_watched_by_an_older_tape():
    def f(x):
        return tape.watch(x) ** 2

    with (
        wg.GradientTape() as tape,
        pytest.raises(TapeError, match="start the tape inside of that function"),
    ):
        wg.grad(f)(1.0)


def test_a_tape_kept_from_a_function_that_has_returned_is_a_leak():
    kept = []

    def f(x):
        with wg.GradientTape(persistent=True) as tape:
            x = tape.watch(x)
            y = x**3
        kept.extend([tape, x, y])
        return y

    wg.grad(f)(2.0)
    tape, x, y = kept
    with pytest.raises(TracerLeakError):
        tape.gradient(y, x)


def test_custom_gradients_are_obeyed():
    @wg.custom_gradient(check=False)
    def clipped(x):
        return x, lambda upstream: np.clip(upstream, -0.5, 0.5)

    v = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        output = clipped(v * v)
    assert tape.gradient(output, v) == 0.5 * 4.0


# ---- values that leave --------------------------------------------------------------------------------


def test_a_value_can_be_read_under_its_tape_and_after():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape():
        y = x**2
        np.testing.assert_array_equal(y.numpy(), [1.0, 4.0])
        assert f"{y[1]:.1f}" == "4.0"
        assert "4." in repr(y)
        assert y[1] > 3
    np.testing.assert_array_equal(y.numpy(), [1.0, 4.0])
    assert repr(y) == "array([1., 4.])"
    assert f"{y[1]:.1f} {y[0]}" == "4.0 1.0"
    assert str(np.sum(y)) == "5.0"


def test_a_value_turns_into_an_array_only_when_no_tape_would_lose_it():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape() as outer:
        with wg.GradientTape():
            y = x**2
        for convert in (np.ma.asarray, lambda y: float(y[0])):
            with pytest.raises(ConcretizationError):
                convert(y)
        same = np.asarray(y)
        assert same is y
        with pytest.raises(ConcretizationError):
            np.asarray(x)
    np.testing.assert_array_equal(np.asarray(y), [1.0, 4.0])
    assert float(y[1]) == 4.0
    np.testing.assert_array_equal(outer.gradient(y, x), [2.0, 4.0])


def test_values_pickle_and_copy_after_their_tape():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape():
        y = x**2
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(y)), [1.0, 4.0])
    np.testing.assert_array_equal(copy.deepcopy({"loss": y})["loss"], [1.0, 4.0])


def test_a_value_can_be_written_after_its_tape():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape() as tape:
        y = x**2
        part = y[1:]
        y[0] = 5.0
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 4.0])
    y[1] = 7.0
    y += 1.0
    np.testing.assert_array_equal(y, [6.0, 8.0])
    np.testing.assert_array_equal(part, [4.0])
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_writes_after_the_tape_do_not_reach_what_the_tape_needs():
    x = wg.Variable([1.0, 2.0])
    with wg.GradientTape(persistent=True) as tape:
        y = np.exp(x)
        z = np.sum(y * y)
    expected = tape.gradient(z, x)
    for write in (lambda: np.add(y, 1.0, out=y), lambda: np.copyto(y, 0.0), lambda: y.fill(0.0)):
        with pytest.raises(ValueError, match="read-only"):
            write()
    y.numpy()[0] = 0.0
    np.array(y)[0] = 0.0
    y[0] = 0.0
    np.testing.assert_array_equal(tape.gradient(z, x), expected)
    assert y[0] == 0.0


FUNCTIONS = [
    "np.sum(x)", "x.mean(axis=0)", "np.std(x)", "x.max()", "np.sort(x, axis=None)", "-x", "x**3", "x**2", "2.0**x",
    "abs(x) ** 0.5", "1 / x", "1 - x", "x // 2", "x % 2", "x @ x.T", "np.dot(x, x.T)", "np.einsum('ij,ij->i', x, x)",
    "x.reshape(-1)", "x.T", "x.ravel()", "x.flatten()", "np.concatenate([x, x])", "np.stack([x, np.ones((3, 4))])",
    "np.where(x > 0, x, 0.0)", "np.clip(x, -1, 1)", "x[1]", "x[1, 2]", "x[:, 1:3]", "x[[0, 2]]", "x[x > 0]",
    "x[:, None]", "np.cumsum(x, 0)", "np.diff(x)", "np.pad(x, 1)", "x.astype(np.float32)", "x.copy()", "np.argmax(x)",
    "np.all(x > 0)", "x.real", "np.exp(x)", "np.hypot(x, x)", "+x", "np.linalg.norm(x)", "np.linalg.det(x[:3, :3])",
    "np.diag(x[0])", "np.median(x)", "[r.sum() for r in x][2]", "x.item(1)", "x.tolist()", "len(x)", "float(x[0, 0])",
    "int(x[0, 0])", "bool(x[0, 0] > 0)", "f'{x[0, 0]:.3f}'", "np.asarray(x)", "np.array([x[0], x[1]])", "~(x > 0)",
    "np.add.reduce(x)", "np.interp(x[0], [0.0, 1.0], [0.0, 2.0])", "divmod(x, 2)[1]", "x.shape", "x.dtype", "x.ndim",
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_outside_of_tapes_everything_behaves_as_its_array(function):
    array = np.random.default_rng(0).normal(size=(3, 4))
    variable, constant = wg.Variable(array), wg.constant(array)
    with wg.GradientTape():
        value = variable * 1.0
    expected = eval(function, {"np": np, "x": array})
    for x in (variable, constant, value):
        found = eval(function, {"np": np, "x": x})
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)


# ---- memory and threads -------------------------------------------------------------------------------


def test_what_was_recorded_is_released_with_its_tape():
    x = wg.Variable(np.ones(1000))
    with wg.GradientTape() as tape:
        middle = np.exp(x)
        loss = np.sum(middle * middle)
    numbers = weakref.ref(middle.value)
    del middle
    assert numbers() is not None
    kept = [loss, tape.gradient(loss, x)]
    assert numbers() is None
    assert len(kept) == 2


def test_a_loss_that_is_kept_does_not_hold_its_run():
    x = wg.Variable(np.ones(1000))

    def step():
        with wg.GradientTape():
            middle = np.exp(x)
            loss = np.sum(middle * middle)
        return loss, weakref.ref(middle.value)

    history = [step() for _ in range(3)]
    assert [numbers() for _, numbers in history] == [None, None, None]
    with wg.GradientTape() as tape:
        total = np.sum(x) + sum(loss for loss, _ in history)
    np.testing.assert_array_equal(tape.gradient(total, x), np.ones(1000))


def test_a_tape_in_another_thread_is_another_tape():
    x = wg.Variable(2.0)
    results = {}
    together = threading.Barrier(2)

    def work(power):
        with wg.GradientTape() as tape:
            together.wait()
            y = x**power
            together.wait()
        results[power] = tape.gradient(y, x), tape.watched_variables()

    threads = [threading.Thread(target=work, args=(p,)) for p in (3, 5)]
    with wg.GradientTape() as mine:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        y = x * 1.0
    assert results == {3: (12.0, (x,)), 5: (80.0, (x,))}
    assert mine.gradient(y, x) == 1.0


def test_a_tape_is_not_seen_in_other_contexts():
    x = wg.Variable(2.0)
    with wg.GradientTape():
        assert type(contextvars.Context().run(lambda: x * x)) is np.float64
        assert type(x * x) is not np.float64


def test_a_context_that_outlives_the_tape_it_was_copied_under_records_no_more():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        copied = contextvars.copy_context()
        y = x * x
        inside = copied.run(lambda: y * x)
    after = copied.run(lambda: x * y)
    assert type(after) is np.float64
    assert tape.gradient([y, inside], x) == 4.0 + 12.0


def test_tasks_have_their_own_tapes():
    x = wg.Variable(2.0)

    async def slope(power):
        with wg.GradientTape() as tape:
            y = x
            for _ in range(power - 1):
                await asyncio.sleep(0)
                y = y * x
        return tape.gradient(y, x)

    async def both():
        return await asyncio.gather(slope(3), slope(4))

    assert asyncio.run(both()) == [12.0, 32.0]


def test_lists_math_and_arrays_of_recorded_values_are_recorded():
    y, z = wg.Variable(2.0), wg.Variable(3.0)
    with wg.GradientTape() as tape:
        joined = np.array([[y * z, 1.0], [z * z, y * y]])
        loss = (
            np.sum(joined @ joined)
            + math.sin(y * z)
            + np.sum([y * z, z])
            + np.linalg.norm([y * y, z * z])
        )
    first, second = tape.gradient(loss, [y, z])

    def plain(y, z):
        joined = np.array([[y * z, 1.0], [z * z, y * y]])
        return np.sum(joined @ joined) + math.sin(y * z) + y * z + z + math.hypot(y * y, z * z)

    h = 1e-6
    assert first == pytest.approx((plain(2 + h, 3.0) - plain(2 - h, 3.0)) / (2 * h), rel=1e-7)
    assert second == pytest.approx((plain(2.0, 3 + h) - plain(2.0, 3 - h)) / (2 * h), rel=1e-7)
    assert type(np.array([1.0, 2.0])) is np.ndarray


def test_a_write_into_a_plain_array_says_what_to_do():
    y = wg.Variable(2.0)
    held = [np.zeros(2)]
    with (
        pytest.raises(ConcretizationError, match=r"plain NumPy array(.|\n)*np\.stack"),
        wg.GradientTape(),
    ):
        held[0][0] = y * y
