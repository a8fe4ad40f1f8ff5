"""Views, handles and memory: a write is seen where NumPy shows it, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.numpy_api.places import numbers

import wengert as wg
from wengert.errors import InputError, TracerLeakError, UnsupportedError
from wengert.ir import ArrayType, evaluate
from wengert.trace import program_of
from wengert.trace.buffers import fingerprint


def complex_step(f, x, dx):
    """Value and directional derivative of a polynomial in plain NumPy, exact to rounding."""
    y = f(x + 1e-30j * dx)
    return y.real, y.imag * 1e30


def check(f, *shape, size=1.0, unsure=False):
    """Value, both first derivatives and the second, of a function made of sums and products.

    `unsure`: may a trace on types alone refuse, since NumPy lays an array out in an order of its own?
    """
    x = size * numbers(*shape)
    dx, d2 = numbers(*shape) ** 2 - 0.3, np.cos(numbers(*shape))
    y, dy = complex_step(f, x, dx)
    assert np.allclose(wg.vjp(f, x)[0], y, rtol=1e-13)
    assert np.allclose(wg.jvp(f, (x,), (dx,))[1], dy)
    g = numbers(*np.shape(y)) + 0.5
    weighed = lambda x: np.sum(g * f(x))
    slope = wg.grad(weighed)
    assert np.isclose(np.sum(slope(x) * dx), np.sum(g * dy))
    h = 1e-5
    second = (complex_step(f, x + h * d2, dx)[1] - complex_step(f, x - h * d2, dx)[1]) / (2 * h)
    bent = wg.grad(lambda x: np.sum(slope(x) * dx))(x)
    assert np.isclose(np.sum(bent * d2), np.sum(g * second), rtol=1e-6, atol=1e-6)
    try:
        program, captured = program_of(lambda x: [f(x)], [ArrayType.of(x.shape, x.dtype)])
    except UnsupportedError:
        assert unsure
        return
    assert np.allclose(evaluate(program, [x, *captured])[0], y)


# ---- views -------------------------------------------------------------------------------------------------


def test_a_write_into_the_base_is_seen_through_the_view():
    def f(x):
        x = 1 * x
        y = x[1:3]
        x[0:2] = 5 * x[3]
        return x * np.sum(y**2)

    check(f, 4)


def test_a_write_into_the_view_is_seen_in_the_base():
    def f(x):
        x = 1 * x
        y, z = x[1:3], x[::2]
        y[0] = 7 * x[3]
        y += x[0]
        z[...] = z[::-1] * 2
        return np.concatenate([x, y, z])

    check(f, 5)


def test_a_row_can_be_held_and_written():
    def f(a):
        a = 1 * a
        row = a[1]
        row[:] = a[0] * a[2]
        row[0] = row[1] * row[2]
        a[1, 2] = 3 * row[0]
        row *= row
        return a * row

    check(f, 3, 4)


def test_views_of_views_lead_down_to_the_root():
    def f(a):
        a = 1 * a
        first = a[:, 1:]
        second = first[::-1, ::2]
        third = second[1]
        third[1] = 2 * third[0]
        second[0] = third * third
        first[0, 1] = second[0, 0]
        return a

    check(f, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "a.T",
        "np.transpose(a, (1, 0))",
        "np.swapaxes(a, 0, 1)",
        "np.moveaxis(a, 0, -1)",
        "a.reshape(-1)",
        "a.reshape(2, 2, 3)",
        "a.ravel()",
        "np.ravel(a)[2:7]",
        "a[None]",
        "a[:, None, :2]",
        "np.expand_dims(a, (0, 2))",
        "np.squeeze(a[:1])",
        "a[:1].squeeze(0).reshape(3, 1)",
        "np.flip(a, 1)",
        "a[::-1].T[1:]",
        "np.atleast_3d(a)",
        "a.T.reshape(3, 2, 2)[1]",  # a copy in NumPy: nothing is shared
        "a[:, :2].reshape(-1)",  # likewise
        "a.T.ravel()",
        "np.reshape(a, (2, 6), order='F')",
        "a.flatten()",
        "a.copy()",
        "np.array_split(a, 2)[1]",
        "np.hsplit(a, 3)[0]",
        "np.broadcast_to(a, (2, 4, 3))",
        "a[[0, 1]]",
        "a[1, ...]",
        "a[...]",
        "a[:]",
        "np.rot90(a)",
        "np.fliplr(a)",
        "a + 0",
        "np.positive(a)",
        "a.astype(a.dtype)",
    ],
)
def test_views_share_what_they_share_in_numpy(text):
    view = eval(compile(f"lambda a: {text}", "here", "eval"), {"np": np})

    def f(a):
        a = 1 * a
        y = view(a)
        a[0, 1] = a[2, 2] * 3
        a[1] *= a[0]
        total = np.sum(y)
        if not text.startswith("np.broadcast_to"):
            y[..., 0] = total
            y += y * y[..., :1]
        return np.concatenate([np.reshape(a, -1), np.reshape(y, -1)])

    check(f, 4, 3)


def test_a_view_of_a_repeated_array_is_read_only():
    with pytest.raises(ValueError, match="assignment destination is read-only"):
        wg.grad(lambda x: np.broadcast_to(1 * x, (2, 3)).__setitem__(0, 1.0))(numbers(3))


def test_conjugating_real_numbers_gives_another_array():
    def f(x):
        y = np.conj(x)
        y[0] = 5.0
        return x[0] * x[1]

    assert np.array_equal(wg.grad(f)(np.array([2.0, 3.0])), [3, 2])


def test_a_reshape_is_a_view_of_an_array_that_lies_so_in_memory():
    def f(a):
        b = a.T * 2  # in Fortran's order, as its number is in NumPy
        flat, turned = b.ravel(), b.T.ravel()
        b[0, 0] = 5.0
        return np.concatenate([flat, turned])

    x = numbers(2, 3)
    assert np.array_equal(wg.vjp(f, x)[0], f(x))


def test_a_stale_view_can_be_returned():
    def f(x):
        x = 1 * x
        y = x[1:]
        x[2] = x[0] ** 2
        return y

    check(f, 4)
    assert np.array_equal(wg.grad(lambda x: f(x)[1:2].sum())(np.ones(4)), [2, 0, 0, 0])


@st.composite
def scripts(draw):
    """Statements about arrays that are made, viewed, written and read.

    (No row is assigned to an overlapping column: NumPy 2.4 reads what it has just written there.)
    """
    lines = []
    count = 1
    for _ in range(draw(st.integers(2, 8))):
        a, b = (f"v[{draw(st.integers(0, count - 1))}]" for _ in range(2))
        i, j = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        new = [f"{a}.T", f"{a}[::-1]", f"{a}[:, ::-1]", f"{a}.reshape(9)[::-1].reshape(3, 3)", f"1 * {a}", f"{a}.copy()",
               f"np.swapaxes({a}, 0, 1)[::-1, :]", f"{a}[[0, 2, 1]]", f"{a}[:, [1, 0, 2]]", f"np.copy({a})", f"{a} * {b}[{i}]"]  # fmt: skip
        old = [f"{a}[{i}, {j}] = {b}[{j}, {i}] * 2", f"{a}[{i}] = 1 * {b}[{j}]", f"{a}[:, {i}] += {b}[{j}]",
               f"{a}[1:] *= {b}[:-1]", f"{a}[...] = {b}", f"{a}[[{i}, {j}]] = {b}[1:]", f"np.add.at({a}, [{i}, {j}], {b}[1:])",
               f"{a}[np.tri(3) > 0] *= {b}[{i}, {j}]", f"{a}[{i}][:] = {b}[{j}] * {b}[0]", f"{a}[:, 1:][{i}] -= {b}[{j}, :2]",
               f"np.multiply({a}, {b}, out={a})"]  # fmt: skip
        if draw(st.booleans()):
            lines.append(f"v.append({draw(st.sampled_from(new))})")
            count += 1
        else:
            lines.append(draw(st.sampled_from(old)))
    return "\n".join(lines)


@given(scripts())
def test_any_script_of_views_and_writes_does_what_numpy_does(script):
    code = compile(script, "script", "exec")

    def f(x):
        v = [1 * x]
        exec(code, {"np": np, "v": v})
        return np.stack(v)

    check(f, 3, 3, size=0.5, unsure="[:, [1, 0, 2]]" in script)


@pytest.mark.parametrize(
    "text",
    [
        "a[:, [1, 0, 2]]",
        "np.copy(a[:, [1, 0, 2]])",
        "a[:, [1, 0, 2]] * 2",
        "np.copy(a.T)",
        "a.T * 2",
    ],
)
@pytest.mark.parametrize("written", ["b[0, 1] = 5.0", "flat[1] = 5.0"])
def test_types_alone_do_not_tell_what_a_reshape_shares_where_numpy_has_its_own_order(text, written):
    code = compile(f"b = {text}\nflat = b.reshape(-1)\n{written}\nd = b * flat[1]", "here", "exec")

    def f(a):
        names = {"np": np, "a": a}
        exec(code, names)
        return names["d"]

    check(f, 3, 3, unsure=True)
    with pytest.raises(UnsupportedError, match="depends on how NumPy lays the array out"):
        program_of(lambda a: [f(a)], [ArrayType.of((3, 3), np.dtype(float))])


@pytest.mark.parametrize(
    "text",
    [
        "a[:, [1, 0, 2]].copy()",
        "a.T.copy()",
        "a * 2",
        "a[1:] + a[:1]",
        "a[[0, 2, 1]]",
        "a @ a",
        "np.ones((3, 3)) * a[0]",
    ],
)
def test_types_alone_know_what_lies_in_c_order(text):
    code = compile(
        f"b = {text}\nflat = b.reshape(-1)\nflat[1] = a[1, 1]\nb[0, 0] = 7 * a[0, 1]\nd = b * flat[0]",
        "here",
        "exec",
    )

    def f(a):
        names = {"np": np, "a": a}
        exec(code, names)
        return names["d"]

    check(f, 3, 3)


def test_an_array_that_is_written_over_stays_as_it_lies_in_memory():
    def f(a):
        b = a.copy()
        b[...] = 3 * a.T
        flat = b.reshape(-1)
        flat[1] = a[0, 0]
        return b

    check(f, 3, 3)


# ---- aliases and what has been saved -----------------------------------------------------------------------


def test_numbers_that_a_derivative_needs_never_change():
    def f(x):
        y = x * x  # needs x
        x[0] = 3.0
        z = x * y  # needs the new x, and y
        y[1] = z[0]
        w = np.sin(y)
        y *= 0
        return np.sum(z * w + x[1] * y)

    x = np.array([1.5, 0.5, 2.0])
    assert np.allclose(wg.grad(f)(x), [slope(f, x, n) for n in range(3)], atol=1e-8)
    assert np.array_equal(x, [1.5, 0.5, 2.0])


def slope(f, x, n, h=1e-6):
    """Central difference along one axis, each time on a fresh array."""
    step = h * (np.arange(x.size) == n)
    return (f(x + step) - f(x - step)) / (2 * h)


def test_another_name_is_the_same_array_and_a_copy_is_not():
    def f(x):
        same, copied, added = x, x.copy(), x + 0
        same[0] = 10 * x[1]
        copied[1] = 7.0
        added *= copied
        return np.concatenate([x, same, copied, added])

    def g(x):
        return f(1 * x)

    check(g, 3)
    x = numbers(3)
    assert np.array_equal(wg.vjp(f, x)[0], f(x.copy()))
    assert np.array_equal(x, numbers(3))


def test_the_arguments_of_the_user_are_never_changed():
    x, w = numbers(1000), numbers(1000)

    def f(x, c):
        x *= 2
        x[3] = 1.0
        y = c * x
        y[:] = 0
        return np.sum(x**2) + np.sum(y)

    assert np.allclose(wg.grad(f)(x, w), 8 * numbers(1000) * (np.arange(1000) != 3))
    wg.jvp(lambda x: f(x, w), (x,), (w,))
    assert np.array_equal(x, numbers(1000))
    assert np.array_equal(w, numbers(1000))


def test_small_plain_arrays_may_be_overwritten_after_use():
    b = np.empty(3)

    def f(x):
        total = 0.0
        for n in range(3):
            b[:] = n + 1
            total = total + np.sum(b * x)
        return total

    assert np.array_equal(wg.grad(f)(np.ones(3)), [6, 6, 6])


def test_a_large_plain_array_that_is_overwritten_before_its_derivative_is_an_error():
    b = np.ones(5000)  # (made inside of f it would be one of its own arrays)

    def f(x, use):
        b[:] = 1.0
        y = use(b, x)
        b[:] = 2.0
        return np.sum(y)

    x = np.ones(5000)
    with pytest.raises(
        InputError,
        match=r"(?s)test_buffers.py:\d+: the derivative of mul .*overwritten.*Way out: .*copy",
    ):
        wg.grad(lambda x: f(x, lambda b, x: b * x))(x)
    with pytest.raises(InputError, match="overwritten"):
        wg.grad(lambda x: f(x, lambda b, x: np.dot(b, x)))(x)
    assert np.array_equal(
        wg.grad(lambda x: f(x, lambda b, x: b + x))(x), x
    )  # no derivative reads it
    assert np.array_equal(wg.grad(lambda x: f(x, lambda b, x: b.copy() * x))(x), x)
    assert np.array_equal(wg.grad(lambda x: np.sum(x * b + x * b))(x), 4 * x)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16", "i1", "i8", "?"])
def test_a_fingerprint_notices_that_an_array_was_overwritten(dtype):
    for a in (
        np.ones((40, 50), dtype),
        np.ones((2, 60_000), dtype),
        np.ones((60, 50), dtype)[::2, 1:].T,
    ):
        repeated = np.broadcast_to(a, (3, *a.shape))
        before = fingerprint(a), fingerprint(repeated)
        assert (fingerprint(a), fingerprint(repeated)) == before
        a[...] = 0
        assert fingerprint(a) != before[0]
        assert fingerprint(repeated) != before[1]


def test_a_fingerprint_notices_an_exchange():
    a = np.arange(600.0)
    before = fingerprint(a)
    a[:] = a[::-1].copy()
    assert fingerprint(a) != before


@pytest.mark.parametrize("size", [5, 600])
def test_a_derivative_that_is_asked_for_later_is_of_the_numbers_of_then(size):
    x = np.linspace(0.1, 1, size)
    slope = np.exp(x) * (1 + x)
    f = lambda x: np.exp(x) * x
    value, back = wg.vjp(f, x)
    also, push = wg.linearize(f, x)
    for a in (x, value, also):
        a[:] = 0
    assert np.allclose(back(np.ones(size))[0], slope)
    assert np.allclose(push(np.ones(size)), slope)


def test_a_derivative_that_is_asked_for_later_inside_a_trace_is_of_the_numbers_of_then():
    def f(x, ask):
        y = 1 * x
        value, derivative = ask(lambda t: np.exp(t), y)
        value[0] = 0.0
        value *= 0
        y *= 0
        found = derivative(np.ones(3))
        return np.sum(found[0] if isinstance(found, tuple) else found)

    x = numbers(3)
    for ask in (wg.vjp, wg.linearize):
        value, slope = wg.value_and_grad(f)(x, ask)
        assert np.isclose(value, np.sum(np.exp(x)))
        assert np.allclose(slope, np.exp(x))


def test_a_tangent_is_not_changed_by_writes():
    def f(x):
        y, d = 1 * x, 2 * x

        def inner(t):
            d[0] = 100.0
            y[0] = 50.0
            t[1] = 0.0
            return t

        value, tangent = wg.jvp(inner, (y,), (d,))
        tangent[2] = 7.0
        return np.sum(value) + np.sum(tangent * x) + np.sum(d) + np.sum(y)

    def by_hand(x):
        return (
            x[0]
            + x[2]
            + 2 * x[0] ** 2
            + 7 * x[2]
            + (100 + 2 * x[1] + 2 * x[2])
            + (50 + x[1] + x[2])
        )

    x = numbers(3)
    value, slopes = wg.value_and_grad(f)(x)
    assert np.isclose(value, by_hand(x))
    assert np.allclose(slopes, [slope(by_hand, x, n) for n in range(3)])


# ---- handles of an outer trace -----------------------------------------------------------------------------


def test_a_handle_from_outside_keeps_its_primal_value_after_the_inner_trace():
    def f(x):
        y = 1 * x

        def inner(t):
            y[0] = t * x[1]
            return np.sum(y**2) * t

        slope = wg.grad(inner)(x[2])  # y² at t: (t²x1² + …)·t
        return slope * np.sum(y)

    def by_hand(x):
        t, rest = x[2], x[1] ** 2 + x[2] ** 2
        return (3 * t**2 * x[1] ** 2 + rest) * (t * x[1] + x[1] + x[2])

    x = np.array([0.3, 0.7, 1.1])
    assert np.isclose(wg.value_and_grad(f)(x)[0], by_hand(x))
    assert np.allclose(wg.grad(f)(x), wg.grad(by_hand)(x))
    assert np.allclose(wg.hessian(f)(x), wg.hessian(by_hand)(x))


@pytest.mark.parametrize("how", ["number", "outer", "inner", "whole", "view", "in place"])
def test_every_way_to_write_outside_falls_back(how):
    def f(x, slope_of):
        y, seen = 1 * x, []
        view = y[1:]

        def inner(t):
            if how == "number":
                y[1] = 5.0
            elif how == "outer":
                y[1] = x[0] * 2
            elif how == "inner":
                y[1] = t * x[0]
            elif how == "whole":
                y[...] = np.stack([t, t * t, x[0]])
            elif how == "view":
                view[0] = t**2
            else:
                y[1:] *= t
            seen.append(np.sum(view**2))
            return np.sum(y * y[::-1]) + seen[-1]

        slope = slope_of(inner)(2.0)
        return slope + np.sum(view * y[:2]) + np.sum(y)

    stepped = lambda inner: lambda t: inner(t + 1e-30j).imag * 1e30
    plainly = lambda x: f((1 + 0j) * x, stepped).real
    x = np.array([0.3, 0.7, 1.1])
    value, slopes = wg.value_and_grad(f)(x, wg.grad)
    assert np.isclose(value, plainly(x))
    assert np.allclose(slopes, [slope(plainly, x, n) for n in range(3)], atol=1e-7)


def test_a_handle_from_outside_can_be_what_the_inner_function_returns():
    def f(x):
        y = 1 * x
        view = y[:2]

        def inner(t):
            y[0] = t * x[1]
            return view

        _, back = wg.vjp(inner, 2.0)
        return back(np.array([1.0, 10.0]))[0] * y[0]

    assert np.allclose(wg.grad(f)(np.array([1.0, 3.0, 5.0])), [0, 12, 0])


def test_writes_fall_back_through_three_traces():
    def f(x):
        y = 1 * x

        def second(s):
            def third(t):
                y[0] = t * s * x[1]
                return y[0] ** 2

            return wg.grad(third)(3.0 * s) * y[0]  # 6 s⁴… of y[0] = 3 s² x1

        slope = wg.grad(second)(1.0)
        return slope + y[0]

    # third: d/dt (t s x1)² at t = 3s: 6 s³ x1²; second: 18 s⁵ x1³, slope 90 x1³; then y[0] = 3 x1
    assert np.isclose(wg.grad(f)(np.array([1.0, 2.0]))[1], 270 * 4 + 3)


def test_an_inner_function_that_fails_leaves_the_outer_handle_usable():
    def f(x):
        y = 1 * x

        def inner(t):
            y[0] = t * x[1]
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            wg.grad(inner)(4.0)
        return np.sum(y**2)

    assert np.array_equal(wg.grad(f)(np.array([1.0, 2.0])), [0, 68])


def test_a_body_traced_on_types_alone_cannot_write_outside():
    def f(x, value):
        y = 1 * x

        def body(t):
            y[0] = value(t)
            return [t]

        program_of(body, [ArrayType.of((), np.dtype(float))])
        return np.sum(y)

    for value in (lambda t: 1.0, lambda t: t, lambda t: 2 * t):
        with pytest.raises(
            TracerLeakError, match=r"(?s)test_buffers.py:\d+: .*outside of body.*Way out: return"
        ):
            wg.grad(lambda x, value=value: f(x, value))(numbers(3))


def test_a_handle_that_leaked_cannot_be_written():
    leaked = []
    wg.grad(lambda x: leaked.append(x) or np.sum(x))(numbers(3))
    for at in (0, ..., [0, 1]):
        with pytest.raises(TracerLeakError):
            leaked[0][at] = 1.0


def test_what_an_inner_trace_has_used_is_what_it_was():
    def f(x):
        y = 1 * x
        value, back = wg.vjp(lambda t: t * y[0] ** 2 + t * y[1], x[1])
        y[0] = 100.0
        y *= 3
        return back(1.0)[0] * value

    def by_hand(x):
        return (x[0] ** 2 + x[1]) ** 2 * x[1]

    x = np.array([0.5, 2.0])
    assert np.isclose(wg.value_and_grad(f)(x)[0], by_hand(x))
    assert np.allclose(wg.grad(f)(x), wg.grad(by_hand)(x))


# ---- memory ------------------------------------------------------------------------------------------------


def copies(f, n):
    """How many arrays of n elements are made while `f` runs."""
    made = []
    array, zeros, copy = np.array, np.zeros, np.copy

    def counted(x, *args, **kwargs):
        made.append(np.size(x) >= n)
        return array(x, *args, **kwargs)

    np.array = counted
    try:
        f()
    finally:
        np.array = array
    assert (zeros, copy) == (np.zeros, np.copy)
    return sum(made)


@pytest.mark.parametrize(
    "text",
    [
        "y[k] = x[k] ** 2",
        "y[k] += x[k]",
        "y[k] = 1.0",
        "y[k] = y[k - 1] * 0.5 + x[k]",
        "y[k : k + 2] = y[k - 1 : k + 1]",
        "y[[k, k + 1]] = x[k]",
        "np.add.at(y, [k, k], x[k])",
        "view[k] = view[k - 1] * x[k]",
        "view[k : k + 2] *= 2",
        "flat[k] = flat[k - 1] + x[k]",
        "turned[k, 0] = turned[k - 1, 0] + x[k]",
        "row = turned[k]; row += x[k]; row *= y[k - 1]",
    ],
)
@pytest.mark.parametrize("order", [1, 2])
def test_many_writes_do_not_copy_the_array_each_time(text, order):
    code = compile(text, "here", "exec")
    size = 400

    def f(x, steps):
        y = 1 * x
        names = {
            "np": np,
            "x": x,
            "y": y,
            "view": y[1:-1],
            "flat": y.reshape(20, 20).reshape(-1),
            "turned": y[::-1, None],
        }
        for k in range(1, steps + 1):
            exec(code, {**names, "k": k})
        return np.sum(y)

    def run(steps):
        g = wg.grad(lambda x: f(x, steps))
        if order == 2:
            g = wg.grad(lambda x, g=g: np.sum(g(x) * x))
        return g(0.5 + 0.1 * numbers(size))

    run(3)
    assert copies(lambda: run(60), size) <= copies(lambda: run(10), size) + 2
