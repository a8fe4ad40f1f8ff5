"""Branches, loops, maps and stacks as machine code, against NumPy's evaluation."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends.code import For, While
from wengert.backends.compile import compile
from wengert.backends.vary import items_of
from wengert.ir.evaluate import evaluate

pytest.importorskip("llvmlite")

X = np.random.default_rng(0).normal(size=(50, 40))
FEW, P = X[:, :3], X[0, :4]


def branch(x):
    return wg.cond(np.sum(x) > 0.5, np.sin, lambda x: x * 2, x)


def iterated(x):
    return np.sum(wg.fori_loop(0, 20, lambda i, s: np.sin(s) + x, x))


def until(x):
    return np.sum(wg.while_loop(lambda s: np.sum(s) < 100, lambda s: s * 1.5 + np.sin(s), x))


def steps(x):
    return wg.scan(lambda c, r: (c * np.cos(r), np.sin(c * r)), x[0], x)


def inside(x):
    def step(i, s):
        return wg.while_loop(lambda t: np.sum(t) < 5 + i, lambda t: t * 1.1 + np.sin(t), s) * 0.5

    return np.sum(wg.fori_loop(0, 5, step, x))


def residual(p, x):
    return np.sum(np.sin(x * p[:3]) ** 2) * p[3]


def total(x):
    return sum(np.sum(y) for y in steps(x))


def fitted(p):
    return np.sum(wg.vmap(residual, (None, 0))(p, FEW) ** 2)


def shrunk(x):
    """Masks are kept for the derivative: bytes, beside doubles."""
    far = lambda s: np.abs(s) > 0.5
    return np.sum(
        np.sin(wg.while_loop(lambda s: np.any(far(s)), lambda s: np.where(far(s), s * 0.75, s), x))
    )


def mixed(x):
    """Singles and doubles are kept."""

    def step(s):
        a, b = s
        return np.sin(a) * np.float32(0.5), np.cos(b) * a

    a, b = wg.while_loop(lambda s: np.any(s[0] > 0.25), step, (x.astype(np.float32), x))
    return np.sum(a) + np.sum(b)


CASES = {
    "cond, small": (branch, X[0, :10]),
    "cond, large": (branch, X[0]),
    "fori_loop": (iterated, FEW[0]),
    "fori_loop, backwards": (wg.grad(iterated), FEW[0]),
    "fori_loop of arrays, backwards": (wg.grad(iterated), X[0]),
    "while_loop": (until, np.abs(FEW[0])),
    "while_loop, backwards": (wg.grad(until), np.abs(FEW[0])),
    "while_loop of arrays, backwards": (wg.grad(until), np.abs(X[0])),
    "while_loop with masks, backwards": (wg.grad(shrunk), X[0]),
    "while_loop with masks of a few, backwards": (wg.grad(shrunk), X[0, :17]),
    "scan": (steps, X[:, :5]),
    "scan, backwards": (wg.grad(total), X[:, :5]),
    "scan of arrays, backwards": (wg.grad(total), X),
    "stacks in stacks": (wg.grad(inside), np.abs(FEW[0])),
    "map": (lambda p: wg.vmap(residual, (None, 0))(p, FEW), P),
    "map, backwards": (wg.grad(fitted), P),
    "gradients of a batch": (lambda p: wg.vmap(wg.grad(residual), (None, 0))(p, FEW), P),
    "Hessians of a batch": (wg.vmap(wg.hessian(lambda x: np.sum(np.exp(x) * x[::-1]))), FEW),
    "cond in a map": (
        wg.vmap(lambda x: wg.cond(x[0] > 0, lambda x: np.log(x[0]), lambda x: x[1] * 2, x)),
        FEW,
    ),
    "while_loop in a map": (
        wg.vmap(lambda x: wg.while_loop(lambda s: np.sum(s) < 10, lambda s: s * 1.5 + 0.1, x)),
        np.abs(FEW),
    ),
    "fori_loop in a map": (
        wg.vmap(lambda x: wg.fori_loop(0, 30, lambda i, s: s * 0.9 + np.sin(x), x)),
        FEW,
    ),
    "fori_loop in a map, backwards": (
        wg.vmap(wg.grad(lambda x: np.sum(wg.fori_loop(0, 5, lambda i, s: np.sin(x * s), x)))),
        FEW,
    ),
    "checkpoint": (
        wg.grad(lambda x: np.sum(wg.checkpoint(lambda x: np.sin(x) * np.exp(x))(x))),
        X[0],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_machine_code_agrees_with_numpy(name):
    f, x = CASES[name]
    program = wg.program(f)(x)
    compiled = compile(program)
    assert not compiled.function.callbacks
    for y, z in zip(compiled(x), evaluate(program, [x]), strict=True):
        assert (y.shape, y.dtype) == (z.shape, z.dtype)
        np.testing.assert_allclose(y, z, rtol=1e-12, atol=1e-13)


def halved(x):
    """Rows that stop at different steps."""
    rows = wg.vmap(lambda r: wg.while_loop(lambda s: np.sum(s * s) > 1, lambda s: s * 0.5, r))(x)
    return np.sum(rows**2)


@pytest.mark.parametrize(("f", "x", "digits"), [(mixed, np.abs(X[0]), 1e-5), (halved, X, 1e-12)])
def test_tapes_are_read_as_they_were_written_whatever_the_width(f, x, digits):
    np.testing.assert_allclose(wg.jit(wg.grad(f))(x), wg.grad(f)(x), rtol=digits, atol=digits)


def loops(f, x):
    function = compile(wg.program(f)(x)).function
    return [s for s in items_of(function.body) if isinstance(s, For | While)]


def test_a_loop_of_ten_thousand_steps_is_not_written_out():
    def orbit(x):
        return wg.fori_loop(0, 10_000, lambda i, s: s + 1e-3 * np.array([s[1], -s[0]]), x)

    (loop,) = loops(orbit, np.array([1.0, 0.0]))
    assert loop.kind == "serial"
    assert len(loop.carried) == 3  # the counter too


def test_a_gradient_over_a_map_is_one_loop_over_the_batch():
    (loop,) = loops(wg.grad(fitted), P)
    assert loop.kind == "vector"
    assert len(loop.reductions) == 4


def test_a_batch_of_another_size_runs_through_the_same_code():
    f = wg.vmap(wg.grad(lambda x: np.sum(np.exp(x) * x[::-1])))
    small, large = (wg.program(f)(np.ones((n, 3))) for n in (50, 333))
    a, b = compile(small), compile(large)
    assert a.text == b.text
