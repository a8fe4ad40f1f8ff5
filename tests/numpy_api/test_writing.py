"""Writing: every form of `x[…] = v` beside plain NumPy, in value and derivative, on every road."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.numpy_api.places import numbers, places

import wengert as wg
from wengert.errors import (
    ConcretizationError,
    DataDependentShapeError,
    DTypeError,
    ShapeError,
    UnsupportedError,
)
from wengert.ir import ArrayType, evaluate
from wengert.ir.check import check
from wengert.trace import program_of


def abstractly(f, *xs):
    """`f` traced on types alone, then evaluated."""
    program, captured = program_of(
        lambda *a: [f(*a)], [ArrayType.of(np.shape(x), np.asarray(x).dtype) for x in xs]
    )
    return evaluate(check(program), [*xs, *captured])[0]


def check_linear(f, *xs):
    """Value, tangent, cotangent and second derivative of a function that is linear in its arguments."""
    y, dxs = f(*xs), tuple(numbers(*np.shape(x)) ** 2 for x in xs)
    g, dy = numbers(*np.shape(y)) + 0.5, f(*dxs)
    before = [np.array(x) for x in xs]
    value, back = wg.vjp(f, *xs)
    assert np.array_equal(value, y)
    assert all(np.array_equal(a, b) for a, b in zip(xs, before, strict=True))
    gs = back(g)
    assert np.isclose(sum(np.sum(a * b) for a, b in zip(gs, dxs, strict=True)), np.sum(g * dy))
    assert np.array_equal(wg.jvp(f, xs, dxs)[1], dy)
    assert np.array_equal(abstractly(f, *xs), y)
    cubes = lambda *xs: np.sum(g * f(*xs) ** 3)
    slopes = wg.grad(cubes, argnums=tuple(range(len(xs))))
    along = lambda *xs: sum(np.sum(a * b) for a, b in zip(dxs, slopes(*xs), strict=True))
    assert np.isclose(along(*xs), np.sum(3 * g * y**2 * dy))
    bent = wg.grad(along, argnums=tuple(range(len(xs))))(*xs)
    assert np.isclose(
        sum(np.sum(a * b) for a, b in zip(bent, dxs, strict=True)), np.sum(6 * g * y * dy**2)
    )


def broadcast_down(draw, shape):
    """A shape that broadcasts to `shape`."""
    part = [1 if draw(st.integers(0, 4)) == 0 else n for n in shape]
    return tuple(part[draw(st.integers(0, len(part))) :])


@given(places(), st.data())
def test_every_form_of_index_writes_as_in_numpy(place, data):
    shape, at = place
    v = numbers(*broadcast_down(data.draw, np.empty(shape)[at].shape)) - 3

    def f(x, v):
        y = x.copy()
        y[at] = v
        return y

    check_linear(f, numbers(*shape), v)


@given(places(), st.data())
def test_add_at_counts_repeated_places(place, data):
    shape, at = place
    part = np.empty(shape)[at].shape
    v = numbers(*broadcast_down(data.draw, part)) - 3

    def f(x, v):
        y = 2 * x
        np.add.at(y, at, v + np.zeros(part))  # (NumPy 2.4 adds wrongly where it has to broadcast)
        np.subtract.at(y, at, np.broadcast_to(3 * v, part))
        return y

    if isinstance(f(numbers(*shape), v), np.ndarray):
        check_linear(f, numbers(*shape), v)


@given(places())
def test_a_part_is_changed_in_place(place):
    shape, at = place

    def f(x):
        x = 1 * x
        x[at] *= 3
        x[at] += x[at]
        x[at] -= 1.5 * x.sum()
        return x

    check_linear(f, numbers(*shape))


@given(places(), st.sampled_from(["T", "flip", "ravel", "axis", "part"]))
def test_every_form_of_index_writes_through_views(place, how):
    shape, at = place
    views = {
        "T": (shape[::-1], lambda y: y.T),
        "flip": (shape, lambda y: np.flip(y, 0)),
        "ravel": ((int(np.prod(shape)),), lambda y: y.reshape(shape)),
        "axis": ((*shape, 1), lambda y: np.squeeze(y, -1)),
        "part": ((2, *(n + 2 for n in shape)), lambda y: y[(1, *[slice(1, -1)] * len(shape))]),
    }
    below, view = views[how]
    v = np.array(2.5)

    def f(x, v):
        y = x.copy()
        view(y)[at] = v
        view(y)[at] += view(y)[at]
        return y

    check_linear(f, numbers(*below), v)


def test_of_repeated_places_the_last_one_wins():
    def f(x, v):
        x = 1 * x
        x[[0, 1, 0]] = v
        x[[[1], [1]]] += 10 * v[0]
        return x

    check_linear(f, numbers(3), numbers(3))
    assert np.array_equal(
        wg.vjp(f, numbers(3), numbers(3))[1](np.array([1.0, 0.0, 0.0]))[1], [0.0, 0.0, 1.0]
    )


def test_a_value_is_cast_to_the_dtype_of_the_array():
    def f(x, v):
        y = x.copy()
        y[1] = v
        return y

    x, v = np.ones(2, np.float32), np.float64(0.1)
    value, back = wg.vjp(f, x, v)
    assert np.array_equal(value, f(x, v))
    assert value.dtype == np.float32
    gx, gv = back(np.ones(2, np.float32))
    assert np.array_equal(gx, [1, 0])
    assert gv == 1.0
    assert gv.dtype == np.float64
    assert wg.grad(lambda x: f(x, True)[1] + f(x, 3)[0])(x).dtype == np.float32

    def g(x):
        n = np.argsort(x)
        n[0] = x[0] * 10  # truncated, as NumPy does
        return x[n[0]]

    assert np.array_equal(wg.grad(g)(np.array([0.15, 0.5])), [0.0, 1.0])


def test_complex_numbers_are_not_written_into_a_real_array():
    def f(x):
        x[0] = 1j * x[1]
        return np.sum(x)

    with pytest.raises(DTypeError, match=r"(?s)test_writing.py:\d+: .*imaginary.*Way out: .*real"):
        wg.grad(f)(numbers(3))
    for value in (1j, np.complex64(2), numbers(3) + 0j):
        with pytest.raises(DTypeError):
            wg.grad(lambda x, value=value: x.__setitem__(..., value))(numbers(3))

    def z(x):
        y = x + 0j
        y[0] = x[1] * (1 + 2j)
        return np.abs(y[0]) ** 2

    assert np.allclose(wg.grad(z)(np.array([1.0, 3.0])), [0, 30])


@pytest.mark.parametrize(
    "at", [slice(0, 2), [0, 1], np.array([True, True, False])], ids=["slice", "list", "mask"]
)
def test_a_value_that_does_not_fit_fails_as_in_numpy(at):
    v = np.ones(3)
    with pytest.raises(ValueError, match=r"could not|cannot"):
        np.ones(3)[at] = v
    with pytest.raises(ShapeError, match=r"(?s)test_writing.py:\d+.*could not.*Way out: "):
        wg.grad(lambda x: x.__setitem__(at, v))(np.ones(3))
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 3"):
        wg.grad(lambda x: x.__setitem__(5, 1.0))(np.ones(3))
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 3"):
        wg.grad(lambda x: x.__setitem__(5, x[0]))(np.ones(3))


# ---- in place, and out= ------------------------------------------------------------------------------------


def test_in_place_operators_change_every_name_of_an_array():
    def f(x):
        x = x * 1
        y = x
        y += x[0]
        y *= 2.0
        y[1:] -= x[:-1]
        x /= 4
        return y

    check_linear(f, numbers(4))


def test_scalars_are_immutable():
    def f(x):
        t = x[0]
        t += 1
        u = x.sum()
        v = u
        v *= 2
        return x * (t + u)

    x = numbers(3)
    assert np.array_equal(wg.vjp(f, x)[0], f(x))


def test_an_array_without_axes_is_written_through_its_view():
    def f(x):
        x = 1 * x
        y = x[1, ...]
        y += x[0]
        y[...] = y * 2
        y[()] = y + x[0]
        return x

    check_linear(f, numbers(3))


def test_results_are_delivered_into_out():
    def f(x):
        y = np.zeros(3) * x
        np.multiply(x, 2.0, out=y)
        z = y[::-1]
        np.add(y, x, out=z)
        np.negative(y, out=y, where=[True, False, True])
        np.cumsum(y, out=y)
        s = x[:1] * 0
        np.sum(y, keepdims=True, out=s)
        return np.concatenate([y, s])

    check_linear(f, numbers(3))


def test_a_result_is_not_cast_down_into_out():
    def f(x):
        n = np.argsort(x)
        np.add(x, 1.0, out=n)

    with pytest.raises(TypeError, match=r"Cannot cast .* with casting rule 'same_kind'"):
        wg.grad(f)(np.arange(3.0))


@pytest.mark.parametrize(
    "text",
    [
        "np.copyto(y, v)",
        "np.copyto(y, v, where=[[True, False, True], [False] * 3])",
        "np.copyto(y.T, v[0, 0])",
        "np.put(y, [0, -1, 4], v)",
        "np.put(y.T, [0, 1, 4], v)",
        "np.put(y, [7, -9, 2], v[0, :2], mode='wrap')",
        "np.put(y, [70, 2], v[0, 0], mode='clip')",
        "y.put([0, 2], v)",
        "np.put(y, [], [])",
        "np.put_along_axis(y, np.array([[1, 0, 0]]), v[:1], axis=0)",
        "np.put_along_axis(y, np.array([[1], [2]]), v[:, :1], axis=1)",
        "np.putmask(y, [[True, False, True], [True, True, False]], v[0, :2])",
        "np.place(y, [[True, False, True], [True, True, False]], v[1])",
        "np.place(y, [[True, False, True], [False] * 3], v)",
        "y.fill(2.0)",
        "y.T.fill(2.0)",
        "y.sort(axis=0)",
    ],
)
def test_the_functions_that_write_agree_with_numpy(text):
    change = eval(compile(f"lambda y, v: {text}", "here", "eval"), {"np": np})

    def f(x, v):
        y = x + 0.5 * v
        change(y, v)
        return y * 1

    x, v = numbers(2, 3), numbers(2, 3)[::-1] + 2.0
    assert np.array_equal(wg.vjp(f, x, v)[0], f(x, v))
    if "fill" not in text and "sort" not in text:
        check_linear(f, x, v)


# ---- masks -------------------------------------------------------------------------------------------------


def test_a_masked_part_is_changed_where_its_numbers_are_known():
    def f(x):
        y = x.copy()
        y[x > 0] *= 2
        y[x < -0.5] = 3.0 * x[0]
        y[(x > 0) & (x < 0.5)] += x[x > 0.6].sum()
        return np.sum(y**2)

    x = np.array([0.7, -0.9, 0.2, -0.1])
    y = np.array([1.4, 2.1, 1.1, -0.1])
    slope = [2 * y[0] * 2 + 2 * y[1] * 3 + 2 * y[2], 0, 2 * y[2] * 2, 2 * y[3]]
    assert np.allclose(wg.grad(f)(x), slope)
    hessian = np.array([[28, 0, 4, 0], [0, 0, 0, 0], [4, 0, 8, 0], [0, 0, 0, 2.0]])
    assert np.allclose(wg.hessian(f)(x), hessian)


@pytest.mark.parametrize(
    "text",
    [
        "y[x > 0] = 2.0",
        "y[x > 0] = y[0, 0]",
        "y[x > 0] = [5.0]",
        "y[x[:, 0] > 0] = y[1]",
        "y[x[:, 0] > 0] = y[:1] * 3",
        "y[:, x[0] > 0] = y[2, 2]",
        "y[1, x[0] > 0] = 7.0",
        "y[..., x[0] > 0] = 7.0",
        "np.add.at(y, x > 0, y[0, 0])",
    ],
)
def test_a_mask_with_unknown_numbers_selects(text):
    def f(x):
        y = x**2
        exec(text, {"np": np, "x": x, "y": y})
        return y

    x = numbers(3, 3)
    assert np.array_equal(wg.vjp(f, x)[0], f(x))
    assert np.array_equal(abstractly(f, x), f(x))


@pytest.mark.parametrize("text", ["y[x > 0] = x[0]", "y[x > 0] *= 2", "y[[0, 1], x[0] > 0] = 1.0"])
def test_a_mask_with_unknown_numbers_refuses_what_needs_their_count(text):
    def f(x):
        exec(text, {"x": x, "y": 1 * x})
        return x

    with pytest.raises(DataDependentShapeError, match=r"Way out: .*np.where"):
        abstractly(f, numbers(3, 3))


def test_a_computed_place_is_written_where_it_is_unknown():
    def f(x):
        y = x**2
        y[np.argmax(x)] = x[0]
        y[np.argsort(x)[:2]] += x[1:]
        return y

    x = np.array([0.2, 0.9, 0.4])
    assert np.array_equal(abstractly(f, x), f(x))
    assert np.array_equal(wg.vjp(f, x)[0], f(x))
    assert np.allclose(
        wg.vjp(f, x)[1](np.array([1.0, 10.0, 100.0]))[0], [0.4 + 10, 1.0, 80.0 + 100]
    )


# ---- what cannot be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["b[0] = x[0]", "b[:] = x", "b[1:] = x[1:]", "b[0] += x[0]", "b[[0, 1]] = x[:2]"],
)
def test_a_plain_array_cannot_keep_a_traced_value(text):
    b = np.zeros(3)

    def f(x):
        exec(compile(text, "user.py", "exec"), {"x": x, "b": b})
        return np.sum(b)

    with pytest.raises(
        ConcretizationError, match=r"(?s)^user.py:1: .*written into a plain NumPy array"
    ) as e:
        wg.grad(f)(np.arange(3.0))
    assert "np.stack" in e.value.way_out


def test_the_ways_out_of_a_plain_array_work():
    def stacked(x):
        return np.stack([x[0] ** 2, x[1]])

    def started(x):
        b = 0 * x
        b[0] = x[0] ** 2
        b[1] = x[1]
        return b

    for f in (stacked, started):
        assert np.array_equal(wg.jacobian(f)(np.array([3.0, 1.0])), [[6, 0], [0, 1]])


@pytest.mark.parametrize(
    "text", ["np.add(x, 1, out=b)", "b.__iadd__(x)", "np.copyto(b, x)", "np.put(b, [0], x[0])"]
)
def test_a_plain_array_is_no_place_for_a_result(text):
    b = np.zeros(3)

    def f(x):
        exec(compile(text, "user.py", "exec"), {"x": x, "b": b, "np": np})
        return x[0]

    with pytest.raises(
        (UnsupportedError, ConcretizationError),
        match=r"(?s)^user.py:1: .*plain NumPy array.*Way out: ",
    ):
        wg.grad(f)(np.arange(3.0))
