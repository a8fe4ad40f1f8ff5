"""Large loops on threads: the same bits for every number of threads, and errors that come through."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends import threads
from wengert.backends.compile import compile
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.index import gather

pytest.importorskip("llvmlite")

LONG = np.linspace(-3, 3, 500_001)
WIDE = np.random.default_rng(0).normal(size=(3001, 301))
CASES = {
    "elementwise": (lambda x: np.exp(x) * x + 1, LONG),
    "sums": (lambda x: np.stack([np.sum(np.sin(x)), np.max(x * x), np.min(x)]), LONG),
    "rows": (lambda x: np.sum(np.exp(x), axis=1), WIDE),
    "columns": (lambda x: np.sum(np.exp(x), axis=0), WIDE),
    "maps": (wg.vmap(lambda r: r[:3] * np.sin(r[0])), np.repeat(LONG, 3).reshape(-1, 3)),
    "gradient": (wg.grad(lambda x: np.sum(wg.vmap(lambda r: np.sum(r) ** 3)(x))), WIDE[:, :4]),
    "chunks end anywhere": (lambda x: np.sum(x) + np.tanh(x), LONG[: 3 * 131_072 + 1]),
}


@pytest.mark.parametrize("name", CASES)
def test_bits_do_not_depend_on_the_number_of_threads(name):
    f, x = CASES[name]
    program = wg.program(f)(x)
    compiled = compile(program)
    assert "wg_parallel" in compiled.text
    found = []
    for count in (1, 2, 5):
        threads.set_count(count)
        found.append(compiled(x))
    threads.set_count(threads.count())
    for y, z, first, want in zip(*found, evaluate(program, [x]), strict=True):
        np.testing.assert_array_equal(y, z)
        np.testing.assert_array_equal(y, first)
        np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-9)


def test_an_index_out_of_range_stops_all_threads():
    n = 400_000
    x, i = Var(ArrayType.of((50,), np.dtype("d"))), Var(ArrayType.of((n,), np.dtype("l")))
    y = Var(ArrayType.of((n,), np.dtype("d")))
    compiled = compile(Program([x, i], [Eqn(gather, (x, i), {}, (y,))], [y]))
    places = np.arange(n) % 50
    np.testing.assert_array_equal(compiled(np.arange(50.0), places)[0], places)
    places[n - 7] = 50
    with pytest.raises(IndexError):
        compiled(np.arange(50.0), places)


def test_loops_that_do_the_same_on_other_memory_share_a_function():
    def steps(x, count):
        for _ in range(count):
            x = x + 0.01 * np.sin(np.concatenate((x[1:], x[:1])))
        return x

    x = np.linspace(0, 1, 1001)
    few, many = (compile(wg.program(lambda x, n=n: steps(x, n))(x)) for n in (6, 12))
    assert few.text.count("define internal") == many.text.count("define internal")
    np.testing.assert_allclose(many(x)[0], steps(x, 12), rtol=1e-14)


def test_loops_that_differ_in_a_number_do_not_share_a_function():
    x = np.linspace(0, 1, 1001)
    compiled = compile(wg.program(lambda x: (np.sum(x + 1.5), np.sum(x + 2.5)))(x))
    np.testing.assert_allclose(compiled(x), [np.sum(x + 1.5), np.sum(x + 2.5)], rtol=1e-14)


def test_very_many_pointers_are_read_from_tables_where_they_are_wanted():
    def shifted(*xs):
        total = np.zeros_like(xs[0])
        for k, x in enumerate(xs):
            total = np.concatenate((total[1:], total[:1])) + np.sin(x) * x[k]
        return total, np.sum(total)

    xs = [np.random.default_rng(k).normal(size=60) for k in range(40)]
    program = wg.program(shifted)(*xs)
    compiled = compile(program)
    assert "%slots = alloca" in compiled.text
    assert "%q.x0" not in compiled.text
    for found, wanted in zip(compiled(*xs), evaluate(program, xs), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_rows_that_lie_far_apart_are_asked_for_before_they_are_written():
    """A processor foresees one stream of writes, not eight rows at a time."""
    x = np.random.default_rng(1).normal(size=(1003, 5))
    turn = wg.vmap(wg.jacrev(lambda r: np.array([np.sin(r[0]) * r[1], r[1] * r[2] / r[4]])))
    program = wg.program(turn)(x)
    compiled = compile(program)
    if "x double>" in compiled.text:  # (where there are vectors)
        assert "@llvm.prefetch.p0(ptr" in compiled.text
    np.testing.assert_allclose(compiled(x)[0], turn(x), rtol=1e-14)
    dense = compile(wg.program(lambda x: np.sin(x) * x)(x))
    assert "llvm.prefetch" not in dense.text
