"""Maps that follow each other over one batch become one, and compute the same."""

import numpy as np
import pytest

import wengert as wg
from wengert.ir.check import check
from wengert.ir.evaluate import evaluate
from wengert.rewrites.maps import joined
from wengert.transforms import vjp

X, W = np.linspace(0.5, 2, 12).reshape(4, 3), np.array([0.3, 0.7, 1.1])


def maps(program):
    return [e for e in program.eqns if e.prim.name == "map"]


def one(x):
    return np.sin(x) * np.sum(np.exp(x))


def scaled(x, w):
    return np.sum(np.tanh(x * w))


CASES = {
    "a batch and its sum": (lambda x: np.sum(wg.vmap(one)(x)), (X,), 1),
    "two batches": (lambda x: wg.vmap(np.cos)(wg.vmap(one)(x)), (X,), 1),
    "shared arguments": (lambda x, w: np.sum(wg.vmap(scaled, in_axes=(0, None))(x, w)), (X, W), 1),
    "read by others, too": (
        lambda x: (np.sum(y := wg.vmap(one)(x)), wg.vmap(np.cos)(y), y * 2),
        (X,),
        1,
    ),
    "by way of a sum": (lambda x: wg.vmap(np.cos)((y := wg.vmap(one)(x)) / np.sum(y)), (X,), 2),
    "shared by all": (
        lambda x: wg.vmap(lambda r, all: np.sum(r * all), in_axes=(0, None))(x, wg.vmap(one)(x)),
        (X,),
        2,
    ),
    "batches of two sizes": (lambda x: wg.vmap(np.cos)(wg.vmap(one)(x).T), (X,), 2),
    "in pieces": (lambda x: wg.vmap(np.cos, chunk_size=2)(wg.vmap(one)(x)), (X,), 2),
}


@pytest.mark.parametrize("name", CASES)
def test_joined_maps_compute_the_same(name):
    f, args, count = CASES[name]
    program = wg.program(f)(*args)
    short = joined(program)
    check(short)
    assert len(maps(short)) == count
    for a, b in zip(evaluate(program, args), evaluate(short, args), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_sweep_back_joins_the_sweep_forward():
    program = wg.program(lambda x: np.sum(wg.vmap(one)(x)))(X)
    back = vjp(program, (True,))
    short = joined(back)
    assert (len(maps(back)), len(maps(short))) == (2, 1)
    ys, zs = (evaluate(p, [X, np.float64(1.0)]) for p in (back, short))
    np.testing.assert_array_equal(ys[1], zs[1])
    np.testing.assert_allclose(zs[1], wg.grad(lambda x: np.sum(wg.vmap(one)(x)))(X), rtol=1e-14)


@pytest.mark.parametrize("of", ["grad", "hvp"])
def test_compiled_derivatives_of_a_batch_are_one_loop(of):
    total = lambda x: np.sum(wg.vmap(lambda r: one(np.stack([W, W, W]) @ r))(x))
    plain = wg.grad(total) if of == "grad" else lambda x: wg.hvp(total, (x,), (np.sin(x),))
    compiled = wg.jit(plain)
    x = np.linspace(0.1, 1, 300).reshape(100, 3)
    np.testing.assert_allclose(compiled(x), plain(x), rtol=1e-12)
    (version,) = compiled.versions.items.values()
    assert len(maps(version.compiled.program)) == 1


def test_cotangents_of_what_a_batch_shares_stay_products_of_matrices():
    loss = lambda w: np.sum(wg.vmap(lambda r: one(r * w))(X))
    np.testing.assert_allclose(wg.jit(wg.grad(loss))(W), wg.grad(loss)(W), rtol=1e-12)
    assert not maps(wg.jit(wg.grad(loss)).version_for(W).compiled.program)


def test_lines_are_kept():
    short = joined(wg.program(CASES["two batches"][0])(X))
    (e,) = maps(short)
    body = e.params["body"]
    assert {body.line(q).line for q in body.eqns if q.prim.name in ("sin", "exp")} == {
        one.__code__.co_firstlineno + 1
    }
