"""vmap and checkpoint: axes, containers, nesting, every primitive in a batch; memory of what is run again."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.cases import CASES

import wengert as wg
from wengert.errors import ConcretizationError, InputError, ShapeError, StructureError
from wengert.ops import PRIMITIVES

A = np.arange(6.0).reshape(2, 3)
W = np.array([[0.5, -0.3, 0.2], [0.1, 0.4, -0.6], [-0.2, 0.3, 0.1]])


# ---- every primitive ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.domains])
@settings(max_examples=8)
@given(data=st.data())
def test_every_primitive_in_a_batch_is_a_loop(name, data):
    sample = data.draw(CASES[name].samples(name))
    prim, params = PRIMITIVES[name], sample.params
    flags = data.draw(st.lists(st.booleans(), min_size=len(sample.args), max_size=len(sample.args)))
    if not any(flags):
        flags[0] = True
    numbers = [a for a in sample.args if np.asarray(a).dtype.kind in "fc"] or sample.args
    again = data.draw(CASES[name].samples(name, str(np.result_type(*numbers).char)))
    if [np.shape(a) for a in again.args] != [np.shape(a) for a in sample.args]:
        again = sample

    def f(*xs):
        ys = prim(*xs, **params)
        return ys if prim.multiple else (ys,)

    rows = [
        sample.args,
        [b if m else a for a, b, m in zip(sample.args, again.args, flags, strict=True)],
    ]
    given_args = [
        np.stack(column) if m else column[0]
        for column, m in zip(zip(*rows, strict=True), flags, strict=True)
    ]
    with np.errstate(all="ignore"):
        together = wg.vmap(f, in_axes=tuple(0 if m else None for m in flags))(*given_args)
        alone = [f(*row) for row in rows]
    for y, column in zip(together, zip(*alone, strict=True), strict=True):
        loop = np.stack(column)
        assert y.dtype == loop.dtype
        scale = np.max(np.abs(loop[np.isfinite(loop)]), initial=1) if loop.dtype.kind in "fc" else 1
        tolerance = 1e3 * np.finfo(loop.dtype).eps if loop.dtype.kind in "fc" else 0
        np.testing.assert_allclose(y, loop, rtol=tolerance, atol=tolerance * scale)


# ---- axes --------------------------------------------------------------------------------------------


def test_in_axes_and_out_axes_are_those_of_the_arrays():
    assert wg.vmap(np.sum, in_axes=1)(A).tolist() == A.sum(0).tolist()
    assert wg.vmap(np.sum, in_axes=-1)(A).tolist() == A.sum(0).tolist()
    assert wg.vmap(lambda x: 2 * x, out_axes=1)(A).tolist() == (2 * A.T).tolist()
    assert wg.vmap(lambda x: 2 * x, in_axes=1, out_axes=-1)(A).tolist() == (2 * A).tolist()
    y, z = wg.vmap(lambda x: (2 * x, {"a": 1.5}), out_axes=(1, None))(A)
    assert y.tolist() == (2 * A.T).tolist()
    assert z == {"a": 1.5}


def test_axes_may_be_given_for_containers_or_parts_of_them():
    def line(p, x):
        return p["w"] * x + p["b"][0]

    p = {"w": np.arange(3.0), "b": [10.0]}
    whole = wg.vmap(line, in_axes=({"w": 0, "b": None}, 0))(p, np.ones(3))
    assert whole.tolist() == [10, 11, 12]
    p = {"w": np.arange(3.0), "b": [np.arange(3.0)]}
    assert wg.vmap(line, in_axes=(0, None))(p, 10.0).tolist() == [0, 11, 22]


def test_keywords_are_batched_and_settings_are_left_alone():
    def f(x, mode, *, scale, flag=True):
        return x * scale if mode == "up" and flag else x

    ys = wg.vmap(f)(np.ones(3), "up", scale=np.arange(3.0), flag=True)
    assert ys.tolist() == [0, 1, 2]


def test_integers_index_in_a_batch():
    assert wg.vmap(lambda x, i: x[i])(A, np.array([0, 2])).tolist() == [0, 5]
    assert wg.vmap(lambda x, i: x[i], in_axes=(None, 0))(A[1], np.array([2, -3])).tolist() == [5, 3]
    slopes = wg.grad(lambda x: np.sum(wg.vmap(lambda i: x[i] ** 2)(np.array([0, 2, 2]))))(A[1])
    assert slopes.tolist() == [6, 0, 20]


def test_writing_in_a_batch_leaves_the_argument_alone():
    def f(x, i):
        x[i] = x[0] * 10
        return x

    x = A + 1
    assert wg.vmap(f)(x, np.array([2, 1])).tolist() == [[1, 2, 10], [4, 40, 6]]
    assert x[0, 2] == 3


def test_the_size_may_be_given_alone():
    assert wg.vmap(lambda x: x + 1, in_axes=None, axis_size=3)(2.0).tolist() == [3, 3, 3]
    assert wg.vmap(lambda: 7, axis_size=2)().tolist() == [7, 7]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 100])
def test_chunks_change_nothing(size):
    xs = np.linspace(-1, 2, 7)

    def f(x, w):
        return wg.while_loop(lambda y: y < 3, lambda y: y * 1.5 + w, np.exp(x)), x * w

    def total(chunk):
        return lambda xs, w: np.sum(sum(wg.vmap(f, (0, None), chunk_size=chunk)(xs, w)))

    for result, whole in zip(
        wg.vmap(f, (0, None), chunk_size=size)(xs, 0.3), wg.vmap(f, (0, None))(xs, 0.3), strict=True
    ):
        assert result.tolist() == whole.tolist()
    for n in (0, 1):
        np.testing.assert_allclose(
            wg.grad(total(size), n)(xs, 0.3), wg.grad(total(None), n)(xs, 0.3), rtol=1e-13
        )


@pytest.mark.eager
def test_chunks_bound_the_memory():
    xs = np.ones((512, 16))

    def peak(chunk):
        f = wg.vmap(lambda x: np.sum(np.sin(x[:, None] * x[None, :])), chunk_size=chunk)
        f(xs)
        tracemalloc.start()
        f(xs)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(16) < peak(None) / 4


def test_empty_batches_are_batches():
    assert wg.vmap(lambda x: np.sin(x) @ x)(np.zeros((0, 3))).shape == (0,)
    loop = wg.vmap(lambda x: wg.while_loop(lambda y: y < 3, lambda y: y + 1, x))
    assert loop(np.zeros(0)).shape == (0,)
    assert wg.vmap(lambda x: wg.cond(x > 0, lambda: x, lambda: -x))(np.zeros(0)).shape == (0,)


def test_what_all_examples_share_is_computed_once_outside():
    program = wg.program(lambda x, w: wg.vmap(lambda x: x @ np.exp(w))(x))(A, W)
    assert [e.prim.name for e in program.eqns] == ["exp", "map"]


def test_cotangents_of_shared_arguments_are_products_not_sums_of_many():
    xs = np.ones((2000, 3))

    def loss(w):
        return np.sum(wg.vmap(lambda x: np.tanh(w @ x))(xs))

    g = wg.grad(loss)(W)
    np.testing.assert_allclose(g, np.outer(2000 * (1 - np.tanh(W.sum(1)) ** 2), np.ones(3)))
    w = np.ones((64, 3))
    wg.grad(loss)(w)
    tracemalloc.start()
    wg.grad(loss)(w)
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert top < 8 * xs.shape[0] * w.size * 2  # one gradient per example would be three times that


def test_vmap_of_grad_and_grad_of_vmap_nest_to_any_depth():
    def f(x, y):
        return np.sin(x @ y) * x[0]

    xs, ys = np.linspace(0, 1, 6).reshape(2, 3), np.linspace(1, 2, 12).reshape(4, 3)
    table = wg.vmap(wg.vmap(wg.grad(f), (None, 0)), (0, None))(xs, ys)
    for i, x in enumerate(xs):
        for k, y in enumerate(ys):
            np.testing.assert_allclose(table[i, k], wg.grad(f)(x, y))
    total = wg.grad(
        lambda xs: np.sum(wg.vmap(lambda x: np.sum(wg.vmap(f, (None, 0))(x, ys) ** 2))(xs))
    )(xs)
    truth = [wg.grad(lambda x: sum(f(x, y) ** 2 for y in ys))(x) for x in xs]
    np.testing.assert_allclose(total, truth)


def test_float32_stays_float32_and_integers_stay_integers():
    x = np.float32([1, 2])
    assert wg.vmap(lambda x: x * 2.0 + 1)(x).dtype == np.float32
    assert wg.vmap(wg.grad(lambda x: x**3 / 2))(x).dtype == np.float32
    assert wg.vmap(lambda i: i * 2)(np.arange(3)).dtype == np.int64
    assert wg.vmap(lambda x: 1)(x).tolist() == [1, 1]


def test_a_batched_function_is_named_pickles_and_binds():
    f = wg.vmap(np.sin, chunk_size=2)
    assert f.__name__ == "vmap(sin)"
    assert pickle.loads(pickle.dumps(f))(np.zeros(3)).tolist() == [0, 0, 0]

    class Model:
        w = 2.0

        @wg.checkpoint
        def forward(self, x):
            return np.sin(self.w * x)

    assert wg.grad(Model().forward)(1.0) == pytest.approx(2 * np.cos(2))


# ---- errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (
            lambda: wg.vmap(lambda x, y: x + y["q"])(np.ones(2), {"q": np.ones(3)}),
            ShapeError,
            r"argument 0 has 2, argument 1 at \['q'\] has 3",
        ),
        (lambda: wg.vmap(lambda x, s: x * s)(np.ones(2), s=np.ones(3)), ShapeError, "argument s has 3"),
        (lambda: wg.vmap(lambda x, y: x)(np.ones(2), 3.0), ShapeError, "argument 1 is f64.. and has no axis 0"),
        (lambda: wg.vmap(np.sum, in_axes=2)(A), ShapeError, "has no axis 2"),
        (lambda: wg.vmap(np.sum, axis_size=3)(A), ShapeError, "axis_size is 3"),
        (lambda: wg.vmap(np.sum, in_axes=None)(A), InputError, "no argument is batched"),
        (lambda: wg.vmap(np.sum, in_axes=(0, 0))(A), StructureError, "2 entries for 1 arguments"),
        (lambda: wg.vmap(np.sum, in_axes=((0, 0),))(A), StructureError, "does not fit"),
        (lambda: wg.vmap(np.sum, in_axes="x")(A), StructureError, "is no axis"),
        (lambda: wg.vmap(lambda x: x, out_axes=None)(A), ShapeError, "differs between examples"),
        (lambda: wg.vmap(lambda x: x if x > 0 else -x)(A[0]), ConcretizationError, r"wg\.cond"),
        (lambda: wg.vmap(lambda x: "text")(A), InputError, "holds a str"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_the_line(f, error, message):
    with pytest.raises(error, match=message) as caught:
        f()
    assert caught.value.where.startswith("test_vmap.py:")
    assert caught.value.way_out


# ---- checkpoint --------------------------------------------------------------------------------------


def chain(x, block):
    for _ in range(30):
        x = block(x)
    return np.sum(x)


def plain(x):
    return np.sin(np.cos(np.sin(np.cos(x))) * x)


@pytest.mark.eager
def test_checkpoint_keeps_less_and_gives_the_same():
    x = np.linspace(0, 1, 4000)

    def run(block):
        wg.grad(lambda x: chain(x, block))(x[:2])
        tracemalloc.start()
        g = wg.grad(lambda x: chain(x, block))(x)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return g, top

    (g, kept), (h, again) = run(plain), run(wg.checkpoint(plain))
    np.testing.assert_array_equal(g, h)
    assert again < kept / 2.5


def test_checkpoint_keeps_what_the_policy_asks_for():
    seen = []

    def policy(equation):
        seen.append(equation.prim.name)
        return equation.prim.name == "matmul"

    f = wg.checkpoint(lambda x: np.sin(np.tanh(x) @ W), policy=policy)
    program = wg.program(wg.grad(lambda x: np.sum(f(x))))(np.ones(3))
    assert {"tanh", "matmul", "sin"} <= set(seen)
    first, second = (e.params["body"] for e in program.eqns if e.prim.name == "remat")
    assert "matmul" in {e.prim.name for e in first.eqns}
    # the product with W is not computed again; the one that is left is its transpose
    assert [e.prim.name for e in second.eqns].count("matmul") == 1


def test_python_may_decide_by_numbers_in_a_checkpoint():
    @wg.checkpoint
    def f(x):
        return x**2 if x > 1 else -x

    assert (f(3.0), f(0.5)) == (9.0, -0.5)
    assert (wg.grad(f)(3.0), wg.grad(f)(0.5)) == (6.0, -1.0)
    assert wg.grad(wg.grad(f))(3.0) == 2.0
    with pytest.raises(ConcretizationError):
        wg.vmap(f)(np.ones(2))


def test_a_checkpoint_sees_what_it_closes_over_and_passes_containers():
    def f(x, y):
        @wg.checkpoint
        def inner(p, name, scale=1.0):
            return {name: np.sin(p["a"] * y) * scale, "n": 3}

        out = inner({"a": x}, "b", scale=2.0)
        return out["b"] * out["n"]

    assert f(0.5, 0.7) == pytest.approx(6 * np.sin(0.35))
    assert wg.grad(f, (0, 1))(0.5, 0.7) == pytest.approx(
        (6 * np.cos(0.35) * 0.7, 6 * np.cos(0.35) * 0.5)
    )
    assert wg.jacfwd(wg.grad(f))(0.5, 0.7) == pytest.approx(-6 * np.sin(0.35) * 0.49)


def test_a_checkpoint_may_write_into_its_own_arrays_and_into_no_others():
    @wg.checkpoint
    def own(x):
        y = x.copy()
        y[0] = np.sin(y[1])
        return y

    np.testing.assert_allclose(wg.grad(lambda x: np.sum(own(x)))(np.ones(2)), [0, 1 + np.cos(1)])

    def f(x):
        y = x * 1.0

        @wg.checkpoint
        def outside(s):
            y[0] = s
            return s

        return outside(x[1]) + y[0]

    with pytest.raises(wg.errors.TracerLeakError):
        wg.grad(f)(np.ones(2))


@pytest.mark.parametrize("chunk", [1, 16, 60, 100])
def test_chunks_bound_the_memory_of_compiled_code_too(chunk):
    pytest.importorskip("llvmlite")
    rng = np.random.default_rng(0)
    xs, w = rng.normal(size=(60, 30)), rng.normal(size=30)

    def f(x, w):
        return np.sum(np.sort(np.outer(np.sin(x), w), axis=0) * x)  # (sort needs memory)

    whole, parts = (
        wg.vmap(wg.grad(f, argnums=(0, 1)), in_axes=(0, None), chunk_size=c) for c in (None, chunk)
    )
    for got, want in zip(wg.jit(parts)(xs, w), whole(xs, w), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    if chunk < 20:
        one, other = (wg.explain_compile(g)(xs, w).workspace for g in (parts, whole))
        assert one < other / 2
    for extent in (5, 33, 64):  # other sizes of the batch
        got = wg.jit(parts)(np.resize(xs, (extent, 30)), w)
        np.testing.assert_allclose(got[0], parts(np.resize(xs, (extent, 30)), w)[0], rtol=1e-12)
