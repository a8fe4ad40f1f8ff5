"""Where Python and NumPy would let a derivative slip: it works, or the error names call, line and way."""

import cmath
import copy
import functools
import itertools
import math
import numbers
import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_almost_equal

import wengert as wg
from wengert.errors import ConcretizationError, UnsupportedError, WengertError

X = np.array([0.3, 0.7, 1.2])
A = np.arange(9.0).reshape(3, 3)
OUTSIDE = np.zeros(3)


def slopes(f, x, h=1e-6):
    """Central differences of a scalar function."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])


@np.vectorize
def decorated(a, b):
    return a * b + 1.0 if a < b else a


def written_one_by_one(x):  # trap 1
    b = np.zeros(3)
    b[0] = x[0] ** 2
    b[1:] = x[1:] * x[0]
    return np.sum(b * b)


def added_in_place(x):  # trap 3
    b = np.zeros(3)
    b += x
    return np.sum(b * b)


def enumerated(x):
    return sum(v * (at[0] + 1) for at, v in np.ndenumerate(x * x))


def indexed(x):
    return sum(x[at] * at[0] for at in np.ndindex(x.shape))


def unpacked(x):
    a, *rest = x
    b, c = rest
    return a * b + c


def through_a_dictionary(x):
    table = {"a": x[0], "b": x * x}
    return table["a"] * table["b"][2]


WORKS = {
    "buffers": written_one_by_one,
    "idle A.dot(x)": lambda x: np.sum(np.ones((3, 3)).dot(x) * x),
    "b += x": added_in_place,
    "math.sin": lambda x: math.sin(x[0]) * math.exp(x[1]),
    "if": lambda x: x[0] * x[1] if x[0] < 1 else x[2],
    "plain array at argmax": lambda x: A[np.argmax(x)].sum() * x[1],
    "2.0 * x": lambda x: np.sum(2.0 * x / 3.0 - 1.0 * x**2),
    "np.float64 * x": lambda x: np.float64(2.0) * x[0],
    "A * x": lambda x: np.sum(A * x * x),
    "list * x": lambda x: np.sum([1.0, 2.0, 3.0] * x * x),
    "np.array of scalars": lambda x: np.sum(np.array([[x[0], -x[1]], [x[1], x[0]]]) @ x[1:]),
    "np.array with a dtype": lambda x: np.sum(np.array([x[0], x[1]], dtype=float) ** 2),
    "np.array of objects": lambda x: np.sum(np.array([x[0], x[1] * x[2]], dtype=object)),
    "np.full": lambda x: np.sum(np.full(3, x[0]) * x),
    "vectorize": lambda x: np.sum(np.vectorize(lambda v: v * v if v < 1 else 3 * v)(x)),
    "vectorize of a closure": lambda x: np.sum(np.vectorize(lambda v: v * x[0] ** 2)(np.arange(3.0))),
    "vectorize made before": lambda x: np.sum(decorated(x[:, None], x * x)),
    "vectorize with tuples": lambda x: np.sum(np.vectorize(lambda v: (v, v**2))(x)[1]),
    "vectorize with a signature": lambda x: np.sum(np.vectorize(np.dot, signature="(n),(n)->()")(np.outer(x, x), x)),
    "vectorize with excluded": lambda x: np.sum(np.vectorize(lambda p, v: p[0] * v * v, excluded=[0])([2.0], x)),
    "apply_along_axis": lambda x: np.sum(np.apply_along_axis(lambda r: np.sum(r * r) * r[0], 0, np.outer(x, x))),
    "apply_along_axis of a closure": lambda x: np.sum(np.apply_along_axis(lambda r: r * x[0] ** 2, 0, A)),
    "fromfunction": lambda x: np.sum(np.fromfunction(lambda i, j: i * x[0] + j * x[1] ** 2, (2, 3))),
    "piecewise": lambda x: np.sum(np.piecewise(x, [x < 0.5, x >= 0.5], [lambda v: v**2, np.sin])),
    "ndenumerate": enumerated,
    "ndindex": indexed,
    "r_": lambda x: np.sum(np.r_[x, 1.0, x[0], 0:3] ** 2 * np.arange(8.0)),
    "r_ of rows": lambda x: np.sum(np.r_["0,2", x, x * x] @ x),
    "c_": lambda x: np.sum(np.c_[x, x**2, np.ones(3)] @ x),
    "sliding_window_view": lambda x: np.sum(np.lib.stride_tricks.sliding_window_view(x, 2) ** 2),
    "meshgrid": lambda x: np.sum(np.prod(np.stack(np.meshgrid(x, x**2)), axis=0) ** 2),
    "ix_ as index": lambda x: np.sum(np.outer(x, x)[np.ix_([0, 1], [0, 2])]),
    "ix_ of traced": lambda x: np.sum(np.ix_(x, x)[0] * np.ix_(x, x**2)[1]),
    "block": lambda x: np.sum(np.block([[np.outer(x, x), x[:, None]], [x, x[0]]]) ** 2),
    "modf": lambda x: np.sum(np.modf(x * 2)[0] ** 2) + np.sum(np.modf(x * 2)[1] * x),
    "divmod": lambda x: np.sum(divmod(x * 2, 0.5)[1] ** 2) + np.sum(np.divmod(5.0, x)[1] ** 2),
    "ldexp": lambda x: np.sum(np.ldexp(x, np.array([1, 2, 3])) ** 2),
    "float_power": lambda x: np.sum(np.float_power(x, x)),
    "sinc": lambda x: np.sum(np.sinc(x)),
    "heaviside": lambda x: np.sum(np.heaviside(x - 0.5, 0.5) * x),
    "copysign": lambda x: np.sum(np.copysign(x, [-1, 1, -1]) * x),
    "a.clip(0, z)": lambda x: np.sum(A.clip(0, 4 * x[1]) * x[0]),
    "polynomial.polyval": lambda x: np.polynomial.polynomial.polyval(x[0], [1.0, 2.0, 3.0]),
    "sum": lambda x: sum([x[0], x[1] * x[1]]) + sum(x * x),
    "max": lambda x: max(x * x) + max(x[0], x[1] ** 2) + min(x, key=lambda v: -v),
    "sorted": lambda x: sorted(-x * x)[0] * 2,
    "zip, enumerate, reversed": lambda x: sum(n * a * b for n, (a, b) in enumerate(zip(x, reversed(x), strict=True))),
    "reduce and accumulate": lambda x: functools.reduce(lambda a, b: a * b, x) + list(itertools.accumulate(x * x))[-1],
    "in": lambda x: x[0] * (2.0 if 0.1 in x else 3.0),
    "any": lambda x: x[0] ** 2 * any(x > 1),
    "isscalar": lambda x: x[0] ** 2 * (3.0 if np.isscalar(x[0]) and not np.isscalar(x) else 4.0),
    "iterable": lambda x: x[0] ** 2 * (3.0 if np.iterable(x) and not np.iterable(x[0]) else 4.0),
    "copy": lambda x: np.sum(copy.copy(x) ** 2) + np.sum(copy.deepcopy([x, 2 * x])[1] ** 2),
    "unpacking": unpacked,
    "in a dictionary": through_a_dictionary,
    "== None": lambda x: x[0] ** 2 * (1.0 if x[0] == None else 2.0),  # noqa: E711
    "is None": lambda x: x[0] ** 2 * (1.0 if x is None else 2.0),
    "chained comparison": lambda x: x[0] ** 2 * (5.0 if 0 < x[0] < 1 else 2.0),
    "item and tolist": lambda x: x[0].item() ** 2 + sum(x.tolist()),
    "round": lambda x: round(x[0] * 1.01, 1) * x[1] + round(x[2]) * x[0],
    "index helpers": lambda x: np.outer(x, x)[np.diag_indices(3)].sum() + np.outer(x, x)[np.tril_indices(3)].sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKS)
def test_these_work_with_value_and_derivative(name):
    f = WORKS[name]
    value, gradient = wg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-14)
    np.testing.assert_allclose(gradient, slopes(f, X), rtol=1e-6, atol=1e-7)


def outside_by_element(x):
    OUTSIDE[0] = x[0]


def outside_by_slice(x):
    OUTSIDE[:] = x


def outside_in_place(x):
    b = OUTSIDE
    b += x


REFUSES = {
    "b[0] = z outside": (outside_by_element, "written into a plain NumPy array", "np.stack"),  # trap 1
    "b[:] = x outside": (outside_by_slice, "written into a plain NumPy array", "0 * x"),
    "A.dot(x)": (lambda x: A.dot(x), "A.dot wants plain numbers", "A @ x"),  # trap 2
    "A @ list": (lambda x: A @ [x[0], x[1], x[2]], "meets a plain array in an operator", "np.array"),
    "A * list": (lambda x: [x[0], x[1], x[2]] * A, "meets a plain array in an operator", "np.array"),
    "A.sum(initial=z)": (lambda x: A.sum(initial=x[0]), "A.sum wants plain numbers", "A.sum() + start"),
    "b += x outside": (outside_in_place, "is written into a plain NumPy array", "np.array(a)"),  # trap 3
    "float(z)": (lambda x: float(x[0]), "float()", "leave it out"),  # trap 4
    "range(z)": (lambda x: range(x[0]), "used as an index or in range()", "x.shape[0]"),
    "a[z]": (lambda x: A[x[0]], "conversion to a plain NumPy array", "stop_gradient"),
    "nditer": (lambda x: list(np.nditer(x, flags=["external_loop"])), "np.nditer", "x.ravel()"),  # trap 6
    "as_strided": (lambda x: np.lib.stride_tricks.as_strided(x, (2,), (8,)), "as_strided", "sliding_window_view"),
    "np.int64(z)": (lambda x: np.int64(x[0]), "np.int64", "stop_gradient"),
    "np.asmatrix": (lambda x: np.asmatrix(x), "np.asmatrix", "A @ B"),
    "np.bmat": (lambda x: np.bmat([[x[:, None]]]), "np.bmat", "np.block"),
    "np.ma": (lambda x: np.ma.sum(x), "np.ma.sum", "np.where"),
    "a function that is nobody's name": (lambda x, f=math.cos: f(x[0]), "f asks for the float()", "math.cos"),
    "np.save": (lambda x: np.save("never.npy", x), "np.save", "stop_gradient"),
    "shares_memory": (lambda x: np.shares_memory(x, A), "np.shares_memory", "stop_gradient"),
    "view in another dtype": (lambda x: x.view(np.int64), "ndarray.view", "stop_gradient"),
    "packbits": (lambda x: np.packbits(x), "np.packbits", "custom_vjp"),
    "pickle": (lambda x: pickle.dumps(x), "is pickled", "has_aux=True"),
    "tobytes": (lambda x: x.tobytes(), "ndarray.tobytes", "stop_gradient"),
    "ctypes": (lambda x: x.ctypes, "ndarray.ctypes", "stop_gradient"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("name", REFUSES)
def test_these_refuse_and_name_call_line_and_way_out(name):
    f, what, way_out = REFUSES[name]
    with pytest.raises(WengertError) as caught:
        wg.grad(f)(X)
    assert isinstance(caught.value, ConcretizationError | UnsupportedError)
    assert what in caught.value.what
    assert way_out in caught.value.way_out
    line = int(caught.value.where.removeprefix("test_traps.py:"))
    first = f.__code__.co_firstlineno
    assert first <= line <= first + 2


def test_nothing_is_looked_up_on_a_traced_value_behind_our_back():  # trap 7
    def f(x):
        for name in ("__array_interface__", "__array_struct__", "__buffer__", "nonsense"):
            assert not hasattr(x, name)
        with pytest.raises(TypeError):
            memoryview(x)
        return x[0]

    assert wg.grad(f)(X)[0] == 1.0


def kinds(*values):
    """What users ask a value: one letter for each answer that is yes."""
    asked = {
        "A": np.ndarray, "g": np.generic, "f": float, "F": np.floating, "d": np.float64, "s": np.float32, "c": complex,
        "C": np.complexfloating, "i": int, "I": np.integer, "b": bool, "B": np.bool_, "N": numbers.Number,
        "R": numbers.Real, "S": Sequence,
    }  # fmt: skip
    return ["".join(k for k, v in asked.items() if isinstance(x, v)) for x in values]


ASKED = {
    "array": lambda x, s: kinds(x, x[0], x[:1], x[..., 0], x.sum(), np.sum(x, keepdims=True)),
    "number": lambda x, s: kinds(s, s + 1, math.sin(s), -s, s * x, np.sin(s), s > 0, np.array(s), x[0] * s),
    "integers": lambda x, s: kinds(x > 0, np.argmax(x), np.floor(x), (x > 0)[0], np.argsort(x)),
    "buffers": lambda x, s: kinds(np.zeros(3), np.ones(2)[0], np.array([x[0], 1.0]), np.array(x[0]), np.zeros(())),
    "complex": lambda x, s: kinds(1j * x, np.complex128(1j) * x[0], np.fft.fft(x)[1], abs(x[0] + 1j)),
    "single": lambda x, s: kinds(x.astype(np.float32), x.astype("f4")[0], np.float32(2) * x[0], x.astype("f4")[0] * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_a_traced_value_is_an_instance_of_what_it_stands_for(name):  # trap 8
    f, seen = ASKED[name], []
    wanted = f(X, 0.7)
    wg.grad(lambda x, s: seen.append(f(x, s)) or x[0] * s)(X, 0.7)
    wg.jvp(lambda x, s: seen.append(f(x, s)) or x[0] * s, (X, 0.7), (X, 1.0))
    wg.hvp(lambda x, s: seen.append(f(x, s)) or x[0] ** 2 * s, (X, 0.7), (X, 1.0))
    assert seen == [wanted] * len(seen)


def test_a_ufunc_takes_lists_in_a_file_that_imports_numpy():
    # (Python compiles calls of an imported module's functions otherwise than in a line that is evaluated)
    def f(x):
        return np.sum(
            np.sin([x[0], x[1]])
            * np.maximum([x[1], 2 * x[2]], np.hypot.outer([x[0]], [x[1]]).ravel())
        )

    np.testing.assert_allclose(wg.grad(f)(X), slopes(f, X), rtol=1e-7, atol=1e-8)
    table = {np.add: 2.0, np.multiply: 3.0}
    assert wg.grad(lambda x: table[np.add] * x[0] + table[np.multiply] * x[1])(X)[1] == 3.0


def test_a_number_of_pythons_own_functions_does_not_lift_a_dtype():
    x = np.ones(3, np.float32)

    def kept(s):
        found = [
            math.sin(s), math.hypot(s, 2), math.log(s, 3.0), math.erf(s), math.fsum([s, s]), round(s, 1), math.modf(s)[0],
            cmath.sin(s), math.sqrt(x[0] * s),
        ]  # fmt: skip
        return [(x * a).dtype for a in found]

    seen = []
    wg.grad(lambda s: seen.append(kept(s)) or s)(0.7)
    wg.jvp(lambda s: seen.append(kept(s)) or s, (0.7,), (1.0,))
    assert seen == [kept(0.7)] * 2
    single = wg.grad(lambda x: math.sqrt(x[0]) * x[1])(x * np.float32(0.3))
    np.testing.assert_allclose(
        single,
        wg.grad(lambda x: math.sqrt(x[0]) * x[1])(np.float64(x * np.float32(0.3))),
        rtol=1e-7,
    )


def test_classes_choose_the_branch_that_plain_numbers_choose():
    @functools.singledispatch
    def twice(x):
        raise TypeError(type(x))

    twice.register(np.ndarray, lambda x: 2 * np.sum(x))
    twice.register(float, lambda x: 2 * x)

    def f(x):
        match x[0]:
            case np.ndarray():
                factor = 0.0
            case float():
                factor = 3.0
        return twice(x) + factor * twice(x[0])

    np.testing.assert_array_equal(wg.grad(f)(X), [8.0, 2.0, 2.0][: X.size])


def test_numpys_own_tests_of_traced_values_see_their_numbers():
    def f(x):
        y = np.sin(x)
        np.testing.assert_allclose(y, [np.sin(v) for v in x], rtol=1e-12)
        np.testing.assert_equal([y, {"a": y[0]}], [y, {"a": y[0]}])
        assert_almost_equal(y[0], y[0] + 1e-9)
        np.testing.assert_array_less(y, 1.1)
        return np.sum(y)

    np.testing.assert_allclose(wg.grad(f)(X), np.cos(X), rtol=1e-15)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        wg.grad(lambda x: np.testing.assert_allclose(x, 2 * x) or x[0])(X)


def test_a_conversion_to_an_array_never_drops_a_derivative():  # traps 9 and 10
    for convert in (lambda x: x.__array__(), lambda x: np.ma.asarray(x)):
        with pytest.raises(WengertError, match=r"test_traps\.py:"):
            wg.grad(lambda x, convert=convert: np.sum(convert(x)))(X)


def test_scalars_are_found_among_equal_keys_as_numpys_are():
    def f(x):
        assert x[0] in {0.3, 5.0}
        assert {0.3: "a"}[x[0]] == "a"
        assert {x[1]: "b"}[0.7] == "b"
        return x[0] ** 2

    np.testing.assert_allclose(wg.grad(f)(X), [0.6, 0.0, 0.0])


def test_truth_of_an_array_is_as_ambiguous_as_numpys():
    for f in (lambda x: x[0] if x else 2.0, lambda x: x[0] * (0 < x < 1)):
        with pytest.raises(ValueError, match="ambiguous"):
            wg.grad(f)(X)


def test_vectorize_is_put_back():
    before = np.vectorize.__call__
    wg.grad(lambda x: np.sum(decorated(x, 1.0)))(X)
    assert np.vectorize.__call__ is before
    np.testing.assert_array_equal(decorated(X, 1.0), [1.3, 1.7, 1.2])


def test_two_threads_trace_and_one_calls_plain_numpy_at_the_same_time():
    start, stop = threading.Barrier(3), threading.Event()

    def f(x, power):
        b = np.zeros(3)
        for k in range(3):
            b[k] = math.exp(x[k]) ** power
        rng = np.random.default_rng(3)
        return (
            np.sum(b)
            + rng.normal(x[0], x[1])
            + np.sum(np.vectorize(lambda v: v * v)(x))
            + np.sum(np.r_[x, x])
        )

    z = np.random.default_rng(3).standard_normal()

    def tracer(power):
        start.wait(10)
        for _ in range(60):
            want = power * np.exp(power * X) + 2 * X + 2 + np.array([1.0, z, 0.0])
            np.testing.assert_allclose(wg.grad(lambda x: f(x, power))(X), want, rtol=1e-12)

    def plain():
        start.wait(10)
        rounds = 0
        while not stop.is_set():
            assert type(np.zeros(3)) is np.ndarray
            assert type(np.array([1.0])) is np.ndarray
            assert type(np.r_[1.0, 2.0]) is np.ndarray
            assert type(math.sin(1.0)) is float
            assert type(np.vectorize(lambda v: v * v)(X)) is np.ndarray
            assert isinstance(np.random.default_rng(3).normal(), float)
            assert isinstance(np.random.RandomState(3), np.random.RandomState)
            assert float(f(X, 2)) == pytest.approx(
                np.sum(np.exp(2 * X)) + 0.3 + 0.7 * z + np.sum(X * X) + 2 * np.sum(X)
            )
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        other = pool.submit(plain)
        traced = [pool.submit(tracer, power) for power in (1, 2)]
        try:
            for t in traced:
                t.result(60)
        finally:
            stop.set()
        assert other.result(60) > 0
    assert not hasattr(np.zeros, "__wrapped__")
