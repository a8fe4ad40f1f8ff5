"""Arrays of NumPy's own making, into which traced values are written later."""

import gc
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy import zeros

import wengert as wg
from wengert.errors import ConcretizationError, UnsupportedError, WengertError

X = np.array([0.5, 1.2, -0.6, 0.9])
START = np.array([0.3, -0.7, 1.1, 0.4])
TABLE = np.arange(9.0).reshape(3, 3)
HOLDER = types.SimpleNamespace(b=START.copy())


def slopes(f, x, h=1e-6):
    """Central differences of a scalar function."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])


def copy(x):
    b = START.copy()
    b[0] = x[0] ** 2
    return np.sum(b**2)


def operators(x):
    b = START * 1.0
    b[1] += x[0]
    b[1:3] = x[:2] * b[0:2]
    return np.sum(b**3)


def astype(x):
    b = START.astype(np.float64)
    b[1:] = x[1:]
    return np.sum(b**3)


def everything_and_zero(x):
    b = START[...] + 0
    b += x
    return np.sum(b**3)


def tile(x):
    b = np.tile(START, 2)
    b[::2] *= x
    return np.sum(b**3)


def repeat(x):
    b = np.repeat(START, 2)
    b[1:5] += x
    return np.sum(b**3)


def diagonal_matrix(x):
    b = np.diag(START)
    b[0, 1] = x[1]
    b[2] = x
    b[:, 3] = x * x[0]
    return np.sum(b**3)


def name_imported_from_numpy(x):
    b = zeros(4)
    b[len(x) - 1] = x[0]
    b[int(2.0)] = x[1]
    return np.sum(b**3)


def recurrence(x):
    b = START.copy()
    for i in range(1, 4):
        b[i] = b[i - 1] * x[i]
    return b[3]


def one_line_loop(x):
    b = START.copy()
    for i in range(3): b[i] += x[i]  # fmt: skip  # noqa: E701
    return np.sum(b**3)


def two_local_keys(x):
    b = TABLE.copy()
    for i in range(3):
        j = 2 - i
        b[i, j] = x[i]
        b[j, i] += x[i] * x[j]
        b[i][j:] *= x[3]
    k, m = 1, 2
    b[k:m, m] -= x[0]
    return np.sum(b**3)


def _fill(b, v):
    b[0] = v
    b[1] = v * v


def written_in_a_helper(x):
    b = START.copy()
    _fill(b, x[0])
    return np.sum(b**3)


def written_in_a_closure(x):
    b = START.copy()

    def inner():
        b[2] = x[1]

    inner()
    return np.sum(b**3)


def lists_and_masks(x):
    b = START.copy()
    b[[0, 2]] = x[:2]
    b[b > 1] = x[0]
    return np.sum(b**3)


def out_argument(x):
    b = START.copy()
    np.add(b, x, out=b)
    np.add.at(b, [0, 0], x[:2])
    return np.sum(b**3)


def functions_that_write(x):
    b = np.where(START > 0, START, 0.0)
    b[:] = x
    np.copyto(b, x * 2)
    c = TABLE.copy()
    np.fill_diagonal(c, x[0])
    return np.sum(b**3) + np.sum(c**3)


def read_before_it_is_written(x):
    b = START.copy()
    y = np.sum(b * x)
    b[0] = y
    return np.sum(b**3)


def matrix(x):
    a = TABLE.T.copy()
    a[0, :] = x[:3]
    a[1] += x[0]
    a[:, 2] -= x[1:]
    a[1:, 0] += x[:2]
    a[[0, 1], [1, 2]] += x[2:]
    a[0][1] = x[0]
    a *= x[3]
    return np.sum(a**3)


def several_targets(x):
    b = np.sort(START)
    b[0] = b[1] = x[0]
    b[2], b[3] = x[1], x[2]
    return np.sum(b**3)


def time_steps(x):
    u = START.copy()
    for _ in range(3):
        un = u.copy()
        u[1:-1] = un[1:-1] + x[0] * (un[2:] - 2 * un[1:-1] + un[:-2])
    return np.sum(u**3)


def complex_numbers(x):
    b = START.astype(complex)
    b[0] = x[0] + 1j * x[1]
    return np.sum(np.abs(b) ** 3)


def two_names(x):
    b = START.copy()
    c = b
    b += x
    return np.sum(c * b)


def generator(x):
    def parts():
        b = START.copy()
        for i in range(4):
            b[i] = x[i] ** 2
            yield b[i]

    return sum(parts())


WORKS = [
    copy, operators, astype, everything_and_zero, tile, repeat, diagonal_matrix, name_imported_from_numpy, recurrence,
    one_line_loop, two_local_keys,
    written_in_a_helper, written_in_a_closure, lists_and_masks, out_argument, functions_that_write,
    read_before_it_is_written, matrix, several_targets, time_steps, complex_numbers, two_names, generator,
]  # fmt: skip


@pytest.mark.parametrize("f", WORKS, ids=lambda f: f.__name__)
def test_an_array_that_only_the_function_holds_becomes_a_buffer(f):
    value, gradient = wg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_allclose(gradient, slopes(f, X), rtol=1e-6, atol=1e-7)
    forward = [wg.jvp(f, (X,), (e,))[1] for e in np.eye(4)]
    np.testing.assert_allclose(forward, gradient, rtol=1e-12, atol=1e-14)
    want = [slopes(lambda x, i=i: wg.grad(f)(x)[i], X) for i in range(4)]
    np.testing.assert_allclose(wg.hessian(f)(X), want, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("error::wengert.errors.NativeWarning")
@pytest.mark.parametrize(
    "f", [copy, operators, recurrence, matrix, written_in_a_helper], ids=lambda f: f.__name__
)
def test_it_is_compiled_too(f):
    np.testing.assert_allclose(wg.jit(wg.grad(f))(X), wg.grad(f)(X), rtol=1e-12, atol=1e-14)


def global_array(x):
    START[0] = x[0]
    return np.sum(START)


def another_name_of_a_global_array(x):
    b = START
    b[0] = x[0]
    return np.sum(START)


def view_of_the_array(x):
    b = START.copy()
    v = b[1:]
    b[2] = x[0]
    return np.sum(v)


def through_a_view(x):
    b = START.copy()
    v = b[1:]
    v[0] = x[0]
    return np.sum(b)


def held_by_an_object(x):
    b = HOLDER.b
    b[0] = x[0]
    return np.sum(HOLDER.b)


def attribute(x):
    HOLDER.b[0] = x[0]
    return np.sum(HOLDER.b)


def held_by_a_list(x):
    b = START.copy()
    pair = [b]
    b[0] = x[0]
    return np.sum(pair[0])


def added_in_place(x):
    b = START
    b += x
    return np.sum(START)


def part_of_what_a_dictionary_holds(x):
    b = START.copy()
    held = {"b": b}
    b[1:3] += x[:2]
    return np.sum(held["b"])


def iterator(x):
    b = START.copy()
    walk = iter(b)
    b[0] = x[0]
    return next(walk) * b[0]


def reshaped(x):
    b = START.reshape(2, 2)
    b[0, 0] = x[0]
    return np.sum(b)


def memory(x):
    b = START.copy()
    bytes_of_b = memoryview(b)
    b[0] = x[0]
    return np.sum(np.asarray(bytes_of_b))


def integers(x):
    b = np.arange(4)
    b[0] = x[0]
    return np.sum(b)


def loop_body(x):
    b = START.copy()

    def body(_, c):
        b[0] = c[0]
        return c * 2

    return np.sum(wg.fori_loop(0, 3, body, x))


def global_out(x):
    np.add(x, 1, out=START)
    return np.sum(START)


REFUSES = [
    global_array, another_name_of_a_global_array, view_of_the_array, through_a_view, held_by_an_object, attribute,
    held_by_a_list, added_in_place, part_of_what_a_dictionary_holds, iterator, reshaped, memory, integers, loop_body,
    global_out,
]  # fmt: skip


@pytest.mark.parametrize("f", REFUSES, ids=lambda f: f.__name__)
def test_an_array_that_somebody_else_sees_is_refused_at_its_line(f):
    before = START.copy(), HOLDER.b.copy()
    with pytest.raises(
        (ConcretizationError, UnsupportedError), match="plain NumPy array"
    ) as caught:
        wg.grad(f)(X)
    line = int(caught.value.where.removeprefix("test_adoption.py:")) - f.__code__.co_firstlineno
    assert 0 < line < 6
    assert "np.array(a)" in caught.value.way_out or "b = b + x" in caught.value.way_out
    np.testing.assert_array_equal(START, before[0])
    np.testing.assert_array_equal(HOLDER.b, before[1])
    assert "adoption" not in repr(sys.gettrace())


@pytest.mark.eager  # compiled, an argument is the function's own
def test_an_argument_of_the_derivative_is_not_written():
    def f(x, out):
        out[:] = x
        return np.sum(out)

    out = np.zeros(4)
    with pytest.raises(WengertError, match="somebody else holds it too"):
        wg.grad(f)(X, out)
    np.testing.assert_array_equal(out, np.zeros(4))


def test_what_numpy_refuses_leaves_the_array_as_it_was():
    def f(x):
        b = START.copy()
        with pytest.raises(ValueError, match="setting an array element"):
            b[0] = x[:2]
        with pytest.raises(IndexError):
            b[7] = x[0]
        np.testing.assert_array_equal(b, START)
        return np.sum(b * x)

    np.testing.assert_array_equal(wg.grad(f)(X), START)


def test_a_debugger_goes_on_where_it_was():
    seen = []

    def watch(frame, event, arg):
        if frame.f_code is not copy.__code__:
            return None
        seen.append((event, frame.f_lineno - copy.__code__.co_firstlineno))
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        gradient = wg.grad(copy)(X)
    finally:
        sys.settrace(before)
    np.testing.assert_allclose(gradient, slopes(copy, X), rtol=1e-7, atol=1e-7)
    assert [line for event, line in seen if event == "line"] == [1, 2, 3]


def test_under_a_tape_too():
    x = wg.Variable(X)
    with wg.GradientTape() as outer:
        with wg.GradientTape() as inner:
            b = np.zeros(4)
            for i in range(4):
                b[i] = x[i] ** 2
            b[1:3] += x[:2]
            c = np.array([x[0], x[1]])
            y = np.sum(b**2) + np.sum(c**3)
        slope = inner.gradient(y, x)
        z = np.sum(slope**2)

    def f(x):
        b = x**2
        b[1:3] += x[:2]
        return np.sum(b**2) + np.sum(x[:2] ** 3)

    np.testing.assert_allclose(slope.numpy(), slopes(f, X), rtol=1e-6)
    want = wg.grad(lambda x: np.sum(wg.grad(f)(x) ** 2))(X)
    np.testing.assert_allclose(outer.gradient(z, x), want, rtol=1e-12)
    np.testing.assert_allclose(b.numpy(), X**2 + [0, X[0], X[1], 0])


def test_nothing_of_a_trace_stays_behind():
    wg.grad(copy)(X)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20):
        wg.grad(copy)(X)
    gc.collect()
    assert len(gc.get_objects()) < before + 100


def test_eight_threads_trace_and_one_calls_plain_numpy():
    start, stop = threading.Barrier(9), threading.Event()
    want = {f: (f(X), slopes(f, X)) for f in WORKS[:8]}

    def tracer(f):
        start.wait(20)
        for _ in range(15):
            value, gradient = wg.value_and_grad(f)(X)
            assert value == pytest.approx(want[f][0], rel=1e-14)
            np.testing.assert_allclose(gradient, want[f][1], rtol=1e-6, atol=1e-7)
        return sys.gettrace()

    def plain():
        start.wait(20)
        rounds = 0
        while not stop.is_set():
            b = START.copy()
            b[0] = 2.0
            assert type(b) is type(np.zeros(2)) is type(np.sqrt([1.0, 2.0])) is np.ndarray
            assert np.polynomial.Polynomial([1.0, 2.0])(3.0) == 7.0
            rounds += 1
        return rounds

    with ThreadPoolExecutor(9) as pool:
        other = pool.submit(plain)
        traced = [pool.submit(tracer, f) for f in WORKS[:8]]
        try:
            assert all("adoption" not in repr(t.result(60)) for t in traced)
        finally:
            stop.set()
        assert other.result(60) > 0
