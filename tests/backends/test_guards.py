"""Guards of slopes in two versions: the same bits as with every guard, also where one acts."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends import guards, llvm
from wengert.backends.code import For, If, Value
from wengert.backends.compile import compile
from wengert.backends.vary import items_of
from wengert.ir.evaluate import evaluate
from wengert.rewrites.simplify import simplify

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 4))
SPECIAL = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e308, 5e-324]


def roots(r):
    y = np.sqrt(np.abs(r[0])) * np.log(np.abs(r[1])) + np.sqrt(np.abs(r[2] * r[3])) / r[0]
    return y * np.abs(r[1]) ** 0.5 + np.sqrt(np.abs(r[3])) * np.exp(r[2]) + np.tan(y * r[0])


def chosen(r):
    y = np.sqrt(np.abs(r[0] * r[1])) * np.exp(r[2] / r[3])
    return np.where(r[0] > 0, y, np.sqrt(np.abs(r[1]))) + np.maximum(y, r[3]) * r[1] ** 0.5


def compared(r):
    def inner(a):
        return np.sqrt(np.abs(a[0])) * np.log(np.abs(a[1] * a[2])) * np.sqrt(np.abs(a[3]))

    g = wg.grad(inner)(r)
    h = wg.grad(roots)(r)
    return np.sum(np.where(g > 0, g, g * g * r)) + np.sum(np.hypot(g, r)) + np.sum(h * h)


def total(f):
    return lambda x: np.sum(wg.vmap(f)(x))


CASES = {
    "rows": wg.vmap(wg.grad(roots)),
    "rows, twice": wg.vmap(wg.hessian(roots)),
    "choices": wg.vmap(wg.grad(chosen)),
    "a slope that is compared": wg.vmap(wg.grad(compared)),
    "sums": lambda x: np.sum(wg.hvp(total(roots), (x,), (x,)), axis=0),
    "long": wg.grad(lambda x: np.sum(np.sqrt(np.abs(x)) ** 3 * np.log(np.abs(x)) * np.sin(1 / x))),
}


def special(x):
    x = x.copy()
    for k in range(0, len(x), 3):
        x[k, k % 4] = SPECIAL[k // 3 % len(SPECIAL)]
        if k % 2:
            x[k, (k + 1) % 4] = SPECIAL[k // 5 % len(SPECIAL)]
    return x


@pytest.mark.parametrize("name", CASES)
def test_both_versions_give_the_bits_of_the_guarded_one(name, monkeypatch):
    p = simplify(wg.program(CASES[name])(X))
    quick = compile(p)
    monkeypatch.setattr(llvm.guards, "lifted", lambda function: function)
    plain = compile(p)
    assert name in ("choices", "long") or quick.text != plain.text
    for x in (X, special(X), np.zeros_like(X), X * np.inf):
        for found, wanted in zip(quick(x), plain(x), strict=True):
            np.testing.assert_array_equal(found, wanted)
            there = ~np.isnan(found)
            assert (np.signbit(found) == np.signbit(wanted))[there].all()


@pytest.mark.parametrize("name", ["rows", "choices", "long"])
def test_guarded_slopes_agree_with_numpy(name):
    p = simplify(wg.program(CASES[name])(X))
    for x in (X, special(X)):
        with np.errstate(all="ignore"):
            results = evaluate(p, [x])
        for found, wanted in zip(compile(p)(x), results, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-300)


def test_a_guard_whose_value_is_compared_stays():
    function = compile(simplify(wg.program(CASES["a slope that is compared"])(X))).function
    branches = [s for s in items_of(function.body) if isinstance(s, If)]
    assert [s.soft for s in branches] == [True]
    loops = [s for s in function.body.items if isinstance(s, For)]
    assert any(isinstance(v, Value) and guards.guard(v) for s in loops for v in s.block.items)
