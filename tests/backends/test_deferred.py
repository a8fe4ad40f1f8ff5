"""Straight-line code is made without the guards of its slopes, and with them when a number first needs one."""

import ctypes
import threading

import numpy as np
import pytest

import wengert as wg
from wengert.backends import deferred, machine
from wengert.backends.compile import compile
from wengert.backends.lowering import lower
from wengert.ir import source
from wengert.memo import compiled as memo
from wengert.memo import shelf
from wengert.rewrites.simplify import simplify

pytest.importorskip("llvmlite")
X = np.linspace(0.2, 1.7, 6)
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, 1e200, -1.0]


def mixed(x):
    v = [x[k] for k in range(6)]
    for k in range(18):
        a, b, c = k % 6, (k + 1) % 6, (5 * k + 2) % 6
        v[a] = (
            np.sqrt(v[a]) * v[b],
            v[a] / v[c] - np.log(v[b]),
            v[a] * np.arctan(v[c]) + 0.5 * v[b],
        )[k % 3]
    return sum(v)


def chosen(x):
    total = 0.0
    for k in range(30):
        a, b = x[k % 6], x[(k + 2) % 6]
        total = total + np.where(a > 0.5, np.sqrt(a) * b, np.log(b) * a) * total
    return total + x[0]


def compared(x):
    y = mixed(x)
    return np.maximum(y * x[1], x[2]) * x[0]


CASES = {
    "gradient": wg.grad(mixed),
    "with choices": wg.grad(chosen),
    "with comparisons": wg.grad(compared),
    "rows": wg.jacobian(lambda x: np.stack([mixed(x), mixed(x[::-1]) * x[0]])),
    "twice": wg.grad(lambda x: np.sum(wg.grad(lambda y: np.sqrt(y[0] * y[1]) * mixed(y))(x) * x)),
}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch, tmp_path):
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "code"))
    monkeypatch.setattr(source, "loaded", np.inf)  # (somebody may be at work on wengert's files)
    shelf._state.cache_clear()
    memo.forget()
    yield
    shelf._state.cache_clear()
    memo.forget()


def inputs():
    yield X
    for k, value in enumerate(SPECIAL):
        x = X.copy()
        x[k % 6] = value
        yield x
        x = X.copy()
        x[::2] = value
        yield x
    yield np.zeros(6)
    yield X


def same_bits(found, wanted):
    np.testing.assert_array_equal(found, wanted)
    there = ~np.isnan(wanted)
    assert (np.signbit(found) == np.signbit(wanted))[there].all()


@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_guarded_code_to_the_bit(name):
    program = wg.program(CASES[name])(X)
    guarded = compile(simplify(program))
    assert deferred.quick(guarded.function) is not None
    for fresh in (False, True):
        quick = memo.compiled(program)
        for x in inputs():
            same_bits(quick([x])[0], guarded(x)[0])
            if fresh:
                memo.forget()
                quick = memo.compiled(program)


def loads(monkeypatch):
    texts = []
    load = machine.load

    def counted(text, *args, **kwargs):
        texts.append(text)
        return load(text, *args, **kwargs)

    monkeypatch.setattr(machine, "load", counted)
    return texts


def test_guarded_code_is_made_when_it_is_first_needed_and_used_from_then_on(monkeypatch):
    texts = loads(monkeypatch)
    run = memo.compiled(wg.program(CASES["gradient"])(X))
    first = run([X])[0]
    assert len(texts) == 1
    assert "select" not in texts[0]
    assert np.isfinite(run([np.where(X < 0.5, 0.0, X)])[0]).any()
    assert len(texts) == 2
    assert texts[1].count("select") >= deferred.FEWEST
    same_bits(run([X])[0], first)
    run([np.zeros(6)])
    assert len(texts) == 2


def test_code_from_disk_makes_it_too(monkeypatch):
    program = wg.program(CASES["gradient"])(X)
    memo.compiled(program)
    wanted = compile(simplify(program))(np.zeros(6))[0]
    memo.forget()
    texts = loads(monkeypatch)
    run = memo.compiled(program)
    assert run.code.source is None
    assert texts == []
    same_bits(run([np.zeros(6)])[0], wanted)
    assert len(texts) == 1


def test_threads_of_c_may_be_the_first_to_need_it(monkeypatch):
    texts = loads(monkeypatch)
    f = wg.jit(wg.grad(mixed)).c_function(X)
    zero, out = np.zeros(6), [np.full(6, 7.0) for _ in range(4)]
    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(f.address)

    def one(y):
        ins, outs = (ctypes.c_void_p * 1)(zero.ctypes.data), (ctypes.c_void_p * 1)(y.ctypes.data)
        assert call(ins, outs) == 0

    threads = [threading.Thread(target=one, args=(y,)) for y in out]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum("@kernel" in t and "select i1" in t for t in texts) == 1
    wanted = compile(simplify(wg.program(wg.grad(mixed))(X)))(zero)[0]
    for y in out:
        same_bits(y, wanted)


def test_what_goes_wrong_while_it_is_made_is_raised(monkeypatch):
    run = memo.compiled(wg.program(CASES["gradient"])(X))
    run([X])

    def broken(*args, **kwargs):
        raise KeyboardInterrupt("while it is made")

    monkeypatch.setattr(machine, "load", broken)
    with pytest.raises(KeyboardInterrupt, match="while it is made"):
        run([np.zeros(6)])
    monkeypatch.undo()
    assert run([np.zeros(6)])[0].shape == (6,)


def test_equal_code_without_guards_is_not_shared_where_the_guards_were_others():
    def texts(first):
        def f(x):
            y = [np.sqrt(x[k]) for k in range(6)]
            return sum(a * b * b for a, b in zip(y, y[1:] + y[:1], strict=True)) * x[first]

        program = simplify(wg.program(wg.grad(f))(X))
        return deferred.quick(lower(program)).again

    assert texts(0) == texts(0) != texts(1)


def test_few_guards_stay():
    few = lower(simplify(wg.program(wg.grad(lambda x: np.sqrt(x[0]) * x[1]))(X)))
    assert deferred.quick(few) is None


# ---- loops -------------------------------------------------------------------------------------------------


def chain(x):
    y = x
    for k in range(18):
        y = (np.sqrt(y) * x + 0.1, np.log(y) + 3.0, np.arctan(y) / x)[k % 3]
    return y


def row(r):
    return np.sum(np.sqrt(np.abs(chain(r))) * r[::-1])


LOOPS = {
    "elements": (wg.grad(lambda x: np.sum(chain(x))), (3, 16, 17, 100, 3001)),
    "with a sum": (wg.value_and_grad(lambda x: np.sum(chain(x) * x)), (100, 3001, 40_000)),
    "two loops": (wg.grad(lambda x: np.sum(chain(x / np.max(x)))), (100, 3001)),
    "examples": (wg.grad(lambda x: np.sum(wg.vmap(row)(x.reshape(-1, 4)))), (96, 404)),
    "one for all": (
        wg.grad(lambda x: np.sum(wg.vmap(lambda a: np.sum(chain(a * x[:2])))(x[2:]))),
        (103,),
    ),
}


@pytest.mark.parametrize(("name", "n"), [(name, n) for name, (_, ns) in LOOPS.items() for n in ns])
def test_loops_without_guards_give_the_bits_of_loops_with_them(name, n):
    x = np.linspace(0.2, 1.7, n)
    program = wg.program(LOOPS[name][0])(x)
    guarded = compile(simplify(program))
    quick = memo.compiled(program)
    assert quick.code.needs.again
    cases = [x, x[::-1].copy()]
    for k, value in enumerate(SPECIAL):
        y = x.copy()
        y[(7 * k + 3) % n :: 41] = value
        cases.append(y)
    for fresh in (False, True):
        for y in (*cases, np.zeros(n), x):
            for found, wanted in zip(quick([y]), guarded(y), strict=True):
                same_bits(np.asarray(found), wanted)
            if fresh:
                memo.forget()
                quick = memo.compiled(program)


def test_a_loop_that_needs_guards_leaves_and_is_done_with_them(monkeypatch):
    texts = loads(monkeypatch)
    x = np.linspace(0.2, 1.7, 3001)
    run = memo.compiled(wg.program(LOOPS["elements"][0])(x))
    run([x])
    made = [t for t in texts if "@kernel" in t]
    assert len(made) == 1
    assert "select" not in made[0]
    x[2900] = 0.0
    run([x])
    assert len([t for t in texts if "@kernel" in t]) == 2


def test_what_calls_python_back_keeps_its_guards():
    def f(x):
        return np.sum(np.sort(chain(x)) * np.arange(100))

    program = wg.program(wg.value_and_grad(f))(np.linspace(0.2, 1.7, 100))
    function = lower(simplify(program))
    assert function.callbacks
    assert deferred.quick(function) is None
