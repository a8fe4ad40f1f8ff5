"""jit: the same answers as the plain function, in every composition, for every kind of argument."""

import gc
import pickle
import subprocess
import sys
import threading
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from numpy.polynomial import Polynomial

import wengert as wg
from wengert.errors import InputError, NativeWarning, NonFiniteWarning, ShapeError
from wengert.memo.compiled import Compiled

X = np.linspace(-1.0, 2.0, 10)
A = np.random.default_rng(0).normal(size=(5, 4))


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def model(p, x):
    return np.tanh(x @ p["w"] + p["b"]).sum()


def same(got, wanted, rtol=1e-12):
    got, wanted = wg.tree.flatten(got), wg.tree.flatten(wanted)
    assert got[1] == wanted[1]
    for a, b in zip(got[0], wanted[0], strict=True):
        assert type(a) is type(b)
        if isinstance(b, np.ndarray | np.generic):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
        if isinstance(b, str):
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol, 1e-13)


# ---- composition -------------------------------------------------------------------------------------

COMPOSED = {
    "value": (wg.jit(rosenbrock), rosenbrock),
    "jit(grad)": (wg.jit(wg.grad(rosenbrock)), wg.grad(rosenbrock)),
    "grad(jit)": (wg.grad(wg.jit(rosenbrock)), wg.grad(rosenbrock)),
    "value_and_grad(jit)": (wg.value_and_grad(wg.jit(rosenbrock)), wg.value_and_grad(rosenbrock)),
    "jit(value_and_grad)": (wg.jit(wg.value_and_grad(rosenbrock)), wg.value_and_grad(rosenbrock)),
    "hessian(jit)": (wg.hessian(wg.jit(rosenbrock)), wg.hessian(rosenbrock)),
    "jit(hessian)": (wg.jit(wg.hessian(rosenbrock)), wg.hessian(rosenbrock)),
    "grad(jit(norm of grad(jit)))": (
        wg.grad(wg.jit(lambda x: np.sum(wg.grad(wg.jit(rosenbrock))(x) ** 2))),
        wg.grad(lambda x: np.sum(wg.grad(rosenbrock)(x) ** 2)),
    ),
    "jit(jit)": (wg.jit(wg.jit(rosenbrock)), rosenbrock),
    "jacobian(jit)": (
        wg.jacobian(wg.jit(lambda x: np.sin(x) * x[0])),
        wg.jacobian(lambda x: np.sin(x) * x[0]),
    ),
    "jit(jvp)": (
        wg.jit(lambda x: wg.jvp(rosenbrock, (x,), (x,))),
        lambda x: wg.jvp(rosenbrock, (x,), (x,)),
    ),
    "jvp(jit)": (
        lambda x: wg.jvp(wg.jit(rosenbrock), (x,), (x,)),
        lambda x: wg.jvp(rosenbrock, (x,), (x,)),
    ),
    "vjp(jit)": (
        lambda x: wg.vjp(wg.jit(np.sin), x)[1](x),
        lambda x: wg.vjp(np.sin, x)[1](x),
    ),
    "jit(vjp)": (
        wg.jit(lambda x: wg.vjp(np.sin, x)[1](x)),
        lambda x: wg.vjp(np.sin, x)[1](x),
    ),
    "linearize(jit)": (
        lambda x: wg.linearize(wg.jit(np.sin), x)[1](x),
        lambda x: wg.linearize(np.sin, x)[1](x),
    ),
    "hvp(jit)": (
        lambda x: wg.hvp(wg.jit(rosenbrock), (x,), (x,)),
        lambda x: wg.hvp(rosenbrock, (x,), (x,)),
    ),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_in_any_order(name):
    got, wanted = COMPOSED[name]
    for x in (X, X + 0.5):
        same(got(x), wanted(x), 1e-11)


@pytest.mark.parametrize(
    "got",
    [
        wg.vmap(wg.jit(wg.hessian(rosenbrock))),
        wg.jit(wg.vmap(wg.hessian(rosenbrock))),
        wg.vmap(wg.hessian(wg.jit(rosenbrock))),
    ],
    ids=["vmap(jit)", "jit(vmap)", "vmap(hessian(jit))"],
)
def test_batches_of_hessians(got):
    rows = np.stack([X, X * 0.3, X + 1])
    same(got(rows), wg.vmap(wg.hessian(rosenbrock))(rows), 1e-11)


def test_closures_over_traced_values():
    def outer(x):
        inner = wg.jit(lambda y: np.sin(x) * y)
        return inner(2.0) + inner(x) + wg.grad(inner)(x)

    def plain(x):
        return np.sin(x) * 2.0 + np.sin(x) * x + np.sin(x)

    for wrap in (lambda f: f, wg.grad, lambda f: wg.jit(wg.grad(f))):
        same(wrap(outer)(0.7), wrap(plain)(0.7))


def test_under_a_tape():
    x = wg.Variable(X)
    with wg.GradientTape() as tape:
        y = wg.jit(rosenbrock)(x)
    same(np.asarray(tape.gradient(y, x)), wg.grad(rosenbrock)(X))


def test_methods_and_decorators():
    class Line:
        slope = 3.0

        @wg.jit
        def at(self, x):
            return self.slope * x

        @wg.jit
        @staticmethod
        def twice(x):
            return 2 * x

    line = Line()
    assert line.at(2.0) == 6.0
    assert Line.twice(2.0) == 4.0
    line.slope = 5.0
    assert line.at(2.0) == 10.0


@wg.jit(static_argnames="power")
def raised(x, power=2):
    return x**power if power > 1 else x


def test_it_pickles_and_is_documented():
    again = pickle.loads(pickle.dumps(wg.jit(wg.grad(rosenbrock))))
    same(again(X), wg.grad(rosenbrock)(X))
    assert raised.__name__ == "jit(raised)"
    assert "rosenbrock" in repr(wg.jit(rosenbrock))


# ---- arguments ---------------------------------------------------------------------------------------


def test_static_arguments_by_number_and_name():
    assert raised(3.0) == 9.0
    assert raised(3.0, 3) == 27.0
    assert raised(3.0, power=1) == 3.0
    by_number = wg.jit(lambda n, x: [x * k for k in range(n)], static_argnums=0)
    same(by_number(3, 2.0), [0.0, 2.0, 4.0])
    with pytest.raises(InputError, match="not hashable"):
        by_number([3], 2.0)
    with pytest.raises(InputError, match="static_argnums=7"):
        wg.jit(lambda x: x, static_argnums=7)


def test_strings_and_flags_belong_to_the_program():
    @wg.jit
    def f(x, how, double):
        y = np.sin(x) if how == "sin" else np.cos(x)
        return 2 * y if double else y

    same(f(X, "sin", False), np.sin(X))
    same(f(X, "cos", True), 2 * np.cos(X))


class Pair(NamedTuple):
    a: object
    b: object


def test_containers_in_and_out():
    p = {"w": A.T[:, :2], "b": np.zeros(2)}
    f = wg.jit(wg.grad(model))
    same(f(p, A), wg.grad(model)(p, A))
    g = wg.jit(lambda pair, more: {"sum": pair.a + more[0], "rest": [pair.b, None, "text", 1.5]})
    same(g(Pair(X, 2.0), [X]), {"sum": 2 * X, "rest": [2.0, None, "text", 1.5]})
    same(wg.jit(lambda x: ())(1.0), ())
    same(wg.jit(lambda x: (x, (x, x)))(X), (X, (X, X)))


def test_what_does_not_depend_on_the_arguments():
    f = wg.jit(lambda x: (np.zeros(2), 3, x))
    first, second = f(X), f(X)
    same(first[:2], (np.zeros(2), 3))
    assert first[0] is not second[0]  # nobody writes into another's result


@pytest.mark.parametrize("number", [2.0, 2, 2 + 1j, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), np.array([2.0])],
                         ids=lambda n: type(n).__name__ + str(np.shape(n)))  # fmt: skip
@pytest.mark.parametrize("with_single", [False, True])
def test_kinds_of_numbers(number, with_single):
    def f(x):
        return x * np.ones(3, np.float32) if with_single else x * 2 + 1

    got, again, wanted = wg.jit(f)(number), wg.jit(f)(number), f(number)
    for y in (got, again):
        np.testing.assert_array_equal(y, wanted)
        assert np.asarray(y).dtype == np.asarray(wanted).dtype
        assert np.shape(y) == np.shape(wanted)


def test_integers_are_differentiated_like_floats():
    f = wg.jit(wg.grad(lambda x: x**2))
    assert f(3) == 6.0
    assert f(3.0) == 6.0


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(0, 1, 20)[::2],
        np.linspace(0, 1, 10)[::-1],
        np.broadcast_to(0.5, 10),
        np.linspace(0, 1, 10).astype(">f8"),
        np.frombuffer(b"\0" + np.linspace(0, 1, 10).tobytes(), np.uint8)[1:].view(float),
    ],
    ids=["strided", "reversed", "repeated", "swapped", "misaligned"],
)
def test_odd_layouts(x):
    f = wg.jit(wg.grad(rosenbrock))
    same(f(X), wg.grad(rosenbrock)(X))  # the quick way is there and must not be taken
    same(f(x), wg.grad(rosenbrock)(np.array(x, float)))
    frozen = X.copy()
    frozen.flags.writeable = False
    same(f(frozen), wg.grad(rosenbrock)(X))


def test_orders_of_matrices():
    f = wg.jit(lambda a: a * np.arange(4.0))
    for a in (A, np.asfortranarray(A), A[::-1, ::-1], A.T.copy().T):
        same(f(a), a * np.arange(4.0))


def test_an_error_inside_of_what_is_compiled_names_the_user_s_line():
    with pytest.raises(ShapeError, match=r"^test_jit\.py:\d+: vmap: the sizes"):
        wg.jit(wg.vmap(lambda x, y: x * y))(np.ones(2), np.ones(3))


@pytest.mark.filterwarnings("ignore::wengert.errors.NativeWarning")
def test_what_numpy_makes_of_a_refusal_is_a_refusal():
    """NumPy's Polynomial asks for numbers, and takes an error for a type that it does not know."""
    f = lambda p: (Polynomial(p) * Polynomial([1.0, 2.0]))(0.5)
    assert wg.jit(f)(np.ones(3)) == f(np.ones(3))


def written(x, i):
    y = x * 1.0
    y[i] = 7.0
    return y


@pytest.mark.parametrize("i", [-1, -5, -6, -10, -11, 5, [-1, 0], [-6, 1], [0, 5]])
@pytest.mark.parametrize(
    "f",
    [lambda x, i: x[i], np.take, written, wg.grad(lambda x, i: np.sum(x[i] ** 2))],
    ids=["index", "take", "write", "grad"],
)
def test_an_index_known_only_when_it_runs_counts_from_the_end_once(f, i):
    x, i = np.arange(5.0), np.array(i)
    if np.all((i >= -5) & (i < 5)):
        same(wg.jit(f)(x, i), f(x, i))
    else:
        with pytest.raises(IndexError):
            wg.jit(f)(x, i)


ALL_AT_ONCE = """
import threading, numpy as np, wengert as wg
wrong, start = [], threading.Barrier(8)
def work(k):
    x = np.arange(20.0) + k
    start.wait()
    for n in range(3):
        f = wg.jit(wg.grad(lambda x: np.sum(np.sin(x) ** (n + 2)) * (k % 2 + 1)))
        if not np.allclose(f(x), (n + 2) * np.sin(x) ** (n + 1) * np.cos(x) * (k % 2 + 1)):
            wrong.append(k)
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
[t.start() for t in threads], [t.join() for t in threads]
assert not wrong
"""


def test_the_first_calls_of_a_process_may_come_from_many_threads_at_once():
    for _ in range(3):
        subprocess.run([sys.executable, "-c", ALL_AT_ONCE], check=True)


def test_the_two_kinds_of_64_bit_integers_are_one():
    """NumPy's longlong is equal to its int64 and has another number: the first that came shut the other out."""
    for kind in ("q", "l", "Q", "L", "q"):
        n = np.arange(1, 4).astype(np.dtype(kind))
        same(wg.jit(lambda x, n: x * n)(np.ones(3), n), n * 1.0)
        assert (wg.jit(lambda n: n + n)(n) == n + n).all()


U, I = np.array([1, 7, 2**63], np.uint64), np.array([-3, 7, 5])


@pytest.mark.parametrize(
    ("f", "args"),
    [
        *((f, a) for f in (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal) for a in ((U, I), (I, U), (U, I.astype("i1")))),
        (np.conjugate, (np.array([True, False]),)),
        (np.spacing, (np.array([True, False]),)),
        (np.spacing, (np.array([3, -3], np.int16),)),
        (lambda x: np.modf(x)[0], (np.array([np.inf, -np.inf, np.nan, 2.5, -0.75]),)),
        (lambda x: np.modf(x)[0], (np.array([1, 2], np.int8),)),
        *((f, (x,)) for f in (np.floor, np.ceil, np.trunc) for x in (I, I > 0)),
        (np.logical_or, (np.zeros(3, "f4"), np.array([1j, 0, 1]))),
    ],
)  # fmt: skip
def test_a_ufunc_of_any_dtypes_is_numpy_s(f, args):
    with warnings.catch_warnings():
        warnings.simplefilter("error", NativeWarning)
        found = wg.jit(f)(*args)
    assert found.dtype == f(*args).dtype
    np.testing.assert_array_equal(found, f(*args))


def test_empty_arrays():
    f = wg.jit(lambda x: (np.sum(x), x * 2))
    same(f(np.zeros((0, 3))), (np.float64(0), np.zeros((0, 3))))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i8", "i4", "u1", "?", "f2"])
def test_dtypes(dtype):
    x = np.array([0, 1, 2, 3]).astype(dtype)

    def f(x):
        return x + x, np.where(x == x, x, x), x.astype("f8").sum() if x.dtype.kind != "c" else x[0]

    same(wg.jit(f)(x), f(x), 1e-3 if dtype == "f2" else 1e-6)


def test_subclasses_and_objects_run_the_plain_function_and_it_says_so():
    f = wg.jit(lambda x: x * x)
    with pytest.warns(NativeWarning, match="numpy.MaskedArray"):
        got = f(np.ma.masked_array([1.0, 2.0], [True, False]))
    assert got.mask.tolist() == [True, False]
    with pytest.warns(NativeWarning, match="object"):
        assert list(wg.jit(lambda x: x * x)(np.array([1, "a"], object)[:1])) == [1]


def test_results_are_the_callers_own():
    f = wg.jit(lambda x: x)
    y = f(X)
    assert y is not X
    y[0] = 100.0
    assert X[0] == -1.0
    assert f(X)[0] == -1.0


# ---- out= --------------------------------------------------------------------------------------------


def test_results_may_be_given():
    f = wg.jit(wg.grad(rosenbrock))
    out = np.empty(10)
    assert f(X, out=out) is out
    same(out, wg.grad(rosenbrock)(X))
    x = X.copy()
    f(x, out=x)  # it may be the argument
    same(x, wg.grad(rosenbrock)(X))
    strided = np.zeros(20)[::2]
    f(X, out=strided)
    same(strided, wg.grad(rosenbrock)(X))
    many = {"a": np.empty(10), "b": np.empty(())}
    g = wg.jit(lambda x: {"a": 2 * x, "b": np.sum(x)})
    assert g(X, out=many) is many
    same(many["a"], 2 * X)
    assert many["b"] == X.sum()
    x = np.arange(11.0)
    f(x[:-1], out=x[1:])  # overlapping, shifted
    same(x[1:], wg.grad(rosenbrock)(np.arange(10.0)))


def test_results_may_be_given_quickly():
    f = wg.jit(wg.grad(rosenbrock))
    out, x = np.empty(10), X.copy()
    for k in range(3):
        assert f(X + k, out=out) is out
        same(out, wg.grad(rosenbrock)(X + k))
    f(x, out=x)
    same(x, wg.grad(rosenbrock)(X))
    x = np.arange(11.0)
    f(x[:-1], out=x[1:])
    same(x[1:], wg.grad(rosenbrock)(np.arange(10.0)))
    same(f(X[:5], out=np.empty(5)), wg.grad(rosenbrock)(X[:5]))
    with pytest.raises(InputError, match="out= is"):
        f(X, out=np.empty(9))


def test_large_results_in_containers_are_written_where_they_are_wanted(monkeypatch):
    def f(x, y):
        return {"a": np.sin(x) + y, "b": (np.sum(x), np.cumsum(y)[::-1] * x)}

    g, x, y = wg.jit(f), np.linspace(0, 1, 3000), np.linspace(-1, 3, 3000)
    apart = {"a": np.empty(3000), "b": (np.empty(()), np.empty(3000))}
    assert g(x, y, out=apart) is apart
    fill, calls = Compiled.fill, []
    monkeypatch.setattr(Compiled, "fill", lambda *a: calls.append(fill(*a)) or calls[-1])
    for _ in range(2):
        assert g(x, y, out=apart) is apart
    room = np.zeros(5000)
    strided = {"a": np.zeros(6000)[::2], "b": (np.empty(()), np.empty(3000))}
    shared = {"a": room[:3000], "b": (np.empty(()), room[2000:5000])}
    own = {"a": x.copy(), "b": (np.empty(()), np.empty(3000))}
    for out in (strided, shared):
        g(x, y, out=out)
    g(own["a"], y, out=own)
    assert calls == [True, True, False, False, False]
    wanted = f(x, y)
    for out in (apart, strided, own):
        same(out["a"], wanted["a"])
        np.testing.assert_allclose(out["b"][0], wanted["b"][0], 1e-12)
        same(out["b"][1], wanted["b"][1])
    same(shared["b"][1], wanted["b"][1])  # the last that is written


def test_large_results_that_are_not_finite_are_told_of_although_they_are_given():
    f = wg.grad(lambda x, y: np.sum(np.sqrt(x) * y), argnums=(0, 1))
    x, y, out = np.linspace(-1, 1, 3000), np.ones(3000), (np.empty(3000), np.empty(3000))
    with np.errstate(all="ignore"):
        with pytest.warns(NonFiniteWarning):
            wg.jit(f)(x, y, out=out)
        with pytest.warns(NonFiniteWarning):
            wanted = f(x, y)
    same(out, wanted)


def test_results_that_do_not_fit_are_refused():
    f = wg.jit(np.sin)
    f(X, out=np.empty(10))
    frozen = np.empty(10)
    frozen.flags.writeable = False
    for bad in (
        np.empty(9),
        np.empty(10, "f4"),
        frozen,
        [np.empty(10)],
        "out",
        (np.empty(10),) * 2,
    ):
        with pytest.raises(InputError, match="out= is"):
            f(X, out=bad)


def test_a_parameter_of_the_functions_own_named_out():
    assert wg.jit(lambda x, out: x + out)(1.0, out=2.0) == 3.0


# ---- the world may change ----------------------------------------------------------------------------

FACTOR = 2.0
TABLE = {"factor": 3.0}
ARRAY = np.arange(3.0)
BIG = np.arange(5000.0)


def scaled(x):
    return helper(x) * TABLE["factor"] + ARRAY.sum()


def helper(x):
    return FACTOR * x


def test_globals_are_watched_through_functions_and_containers(monkeypatch):
    f = wg.jit(scaled)
    assert f(1.0) == 9.0
    assert f(1.0) == 9.0
    monkeypatch.setitem(globals(), "FACTOR", 10.0)
    assert f(1.0) == 33.0
    monkeypatch.setitem(TABLE, "factor", 1.0)
    assert f(1.0) == 13.0
    ARRAY[0] = 100.0
    assert f(1.0) == 113.0
    ARRAY[0] = 0.0
    monkeypatch.setitem(globals(), "helper", lambda x: -x)
    assert f(1.0) == 2.0


def test_the_quick_way_watches_names_too(monkeypatch):
    f = wg.jit(lambda x: FACTOR * x)
    assert [f(1.0) for _ in range(3)] == [2.0] * 3
    monkeypatch.setitem(globals(), "FACTOR", 7.0)
    assert [f(1.0) for _ in range(3)] == [7.0] * 3
    monkeypatch.delitem(globals(), "FACTOR")
    with pytest.raises(NameError):
        f(1.0)


def test_cells_are_watched():
    def make():
        k, table = 1.0, [1.0]

        def f(x):
            return k * x + table[0]

        def change(new):
            nonlocal k
            k = new

        return wg.jit(f), change, table

    f, change, table = make()
    assert [f(2.0), f(2.0)] == [3.0, 3.0]
    change(5.0)
    assert [f(2.0), f(2.0)] == [11.0, 11.0]
    table[0] = 0.0
    assert f(2.0) == 10.0


def test_large_arrays_from_outside_are_read_as_they_are():
    f = wg.jit(lambda x: np.sum(x * BIG))
    assert f(1.0) == BIG.sum()
    BIG[0] = 1000.0
    try:
        assert f(1.0) == BIG.sum()
    finally:
        BIG[0] = 0.0


def test_captured_integers_are_constants_by_content():
    i = np.array([2, 0, 1])

    def f(x):
        return x[i]

    g = wg.jit(f)
    same(g(X), X[i])
    i[0] = 5
    same(g(X), X[i])


def test_random_numbers_while_tracing_are_an_error():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="random generator"):
        wg.jit(lambda x: x + rng.normal())(1.0)
    with pytest.raises(InputError, match="random generator"):
        wg.jit(lambda x: x + np.random.normal())(1.0)  # noqa: NPY002


def test_a_python_if_on_numbers_runs_the_plain_function():
    @wg.jit
    def f(x):
        if x > 0:
            return x
        return -x

    with pytest.warns(NativeWarning, match=r"test_jit\.py:\d+.*`if`") as seen:
        assert f(-2.0) == 2.0
    assert len(seen) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f(3.0) == 3.0  # said once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert wg.grad(f)(-2.0) == -1.0


def test_a_key_of_a_set_needs_its_number():
    f = wg.jit(lambda x: 2 * x if x in {0.5, 1.5} else x)
    with pytest.warns(NativeWarning, match="a key of a set"):
        assert [f(0.5), f(0.6)] == [1.0, 0.6]


def test_arrays_of_objects_made_inside_are_arrays_of_numbers():
    def f(x):
        return np.sum(np.array([x[0], x[1] * x[2]], dtype=object))

    same(wg.jit(wg.grad(f))(X), wg.grad(f)(X))


# ---- machine code is shared ------------------------------------------------------------------------------


def test_other_batch_sizes_and_constants_find_the_same_code():
    def step(rate):
        return wg.jit(lambda x: x - rate * np.tanh(x))

    f = step(0.1234)
    sizes = [f(np.ones(n)).shape for n in (100, 101, 5000)]
    g = step(0.5678)
    g(np.ones(300))
    assert sizes == [(100,), (101,), (5000,)]
    versions = [*f.versions.items.values(), *g.versions.items.values()]
    if versions[0].compiled.code is not None:
        assert len({id(v.compiled.code.loaded) for v in versions}) == 1
    np.testing.assert_allclose(g(np.ones(300)), 1 - 0.5678 * np.tanh(1))


def test_versions_are_bounded():
    f = wg.jit(lambda x: 2 * x)
    for n in range(1, 90):
        f(np.ones(n))
    assert len(f.versions.items) <= 64
    same(f(np.ones(1)), np.full(1, 2.0))


def test_functions_go_when_nobody_has_them():
    import weakref

    def make():
        f = wg.jit(lambda x: np.sin(x) * 2)
        f(X)
        f(X)
        return weakref.ref(f)

    ref = make()
    gc.collect()
    assert ref() is None


def test_eight_threads_at_once():
    f = wg.jit(wg.grad(rosenbrock))
    wrong = []

    def work(k):
        for n in (10, 11, 40 + k):
            x = np.linspace(0, k, n)
            wanted = wg.grad(rosenbrock)(x)
            wrong.extend(n for _ in range(20) if not np.allclose(f(x), wanted))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


# ---- without a compiler --------------------------------------------------------------------------------


def test_without_llvmlite_it_runs_and_says_so_once():
    code = """
import sys, warnings
sys.modules["llvmlite"] = None
import numpy as np, wengert as wg
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    f = wg.jit(wg.grad(lambda x: np.sum(x**3)))
    assert (f(np.ones(3)) == 3).all() and (f(np.ones(4)) == 3).all()
    assert (wg.grad(wg.jit(lambda x: np.sum(x**2)))(np.ones(3)) == 2).all()
assert [w.category.__name__ for w in seen] == ["NativeWarning"], seen
assert "llvmlite" in str(seen[0].message)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_stays_quick():
    code = "import sys, wengert; assert 'llvmlite' not in sys.modules and 'scipy.linalg' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
