"""Random programs: machine code against NumPy's evaluation, for values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as wg
from wengert.backends.compile import compile
from wengert.ir.evaluate import evaluate

pytest.importorskip("llvmlite")

SHAPES = [(), (3,), (17,), (3, 20), (20, 3), (17, 20), (2, 3, 4), (4, 17, 3), (18, 18)]
INDEX = np.array([2, 0, -1, 1, 0])


def axis(x, k):
    return k % x.ndim


def matched(x, y):
    """y in a shape that broadcasts against x."""
    if y.shape == x.shape:
        return y
    if y.ndim and x.ndim and y.shape[-1] == x.shape[-1]:
        return y.reshape(-1, y.shape[-1])[0]
    return np.sum(y) * 0.01


def written(x, y, k):
    z = x * 1.0
    z[k % 2 : -1] = z[k % 2 : -1] * 0.5 + np.sum(y) * 0.1
    z[::-1][1] += 2.0
    return z


def product(x, y, k):
    if x.ndim < 1 or y.ndim < 1:
        return x * np.sum(y)
    y = y.reshape(-1, y.shape[-1])
    x = x.reshape(-1, x.shape[-1])
    return x @ y.T * 0.1 if x.shape[1] == y.shape[1] else x.T @ x * 0.1


STEPS = {
    "sin": lambda x, y, k: np.sin(x),
    "gauss": lambda x, y, k: np.exp(-x * x),
    "tanh": lambda x, y, k: np.tanh(x) + k,
    "root": lambda x, y, k: np.sqrt(x * x + 1),
    "add": lambda x, y, k: x + matched(x, y),
    "mul": lambda x, y, k: x * matched(x, y),
    "quotient": lambda x, y, k: x / (1 + matched(x, y) ** 2),
    "where": lambda x, y, k: np.where(x > 0.1, x, matched(x, y)),
    "maximum": lambda x, y, k: np.maximum(x, matched(x, y)),
    "sum": lambda x, y, k: np.sum(x, axis=axis(x, k)) if x.ndim else x * 2,
    "mean, kept": lambda x, y, k: x - np.mean(x, axis(x, k), keepdims=True) if x.ndim else x,
    "softmax": lambda x, y, k: (
        np.exp(x) / np.sum(np.exp(x), axis(x, k), keepdims=True) if x.ndim else np.exp(-(x**2))
    ),
    "max": lambda x, y, k: np.max(x, axis=axis(x, k)) if x.ndim else x,
    "transpose": lambda x, y, k: x.T,
    "flat": lambda x, y, k: x.reshape(-1),
    "new axis": lambda x, y, k: x[..., None] * np.ones(2 + k) if x.ndim < 3 else x,
    "reversed": lambda x, y, k: np.flip(x, axis(x, k)) if x.ndim else x,
    "slice": lambda x, y, k: x[1:] if x.ndim and x.shape[0] > 2 else x,
    "every other": lambda x, y, k: x[..., ::2] if x.ndim else x,
    "differences": lambda x, y, k: x[1:] - x[:-1] if x.ndim and x.shape[0] > 2 else x,
    "one": lambda x, y, k: x[k % x.shape[0]] if x.ndim else x,
    "joined": lambda x, y, k: np.concatenate([x, x[::-1] * 0.5]) if x.ndim else x,
    "stacked": lambda x, y, k: (
        np.stack([x, matched(x, y) + x], axis=k % (x.ndim + 1)) if x.ndim < 3 else x
    ),
    "gather": lambda x, y, k: x[INDEX % x.shape[0]] if x.ndim else x,
    "gather last": lambda x, y, k: x[..., INDEX % x.shape[-1]] if x.ndim else x,
    "write": lambda x, y, k: written(x, y, k) if x.ndim and x.shape[0] > 2 else x,
    "cumsum": lambda x, y, k: np.cumsum(x, axis(x, k)) * 0.1 if x.ndim else x,
    "matmul": product,
    "norm": lambda x, y, k: np.linalg.norm(x, axis=axis(x, k)) if x.ndim else np.abs(x),
    "map": lambda x, y, k: wg.vmap(lambda r: np.sum(np.sin(r)) * r)(x) if x.ndim in (1, 2) else x,
    "loop": lambda x, y, k: wg.fori_loop(0, 3, lambda i, s: np.sin(s) * 0.9 + x, x),
    "branch": lambda x, y, k: wg.cond(np.sum(x * x) > 3, lambda s: s * 2, np.cos, x),
}
NAMES = sorted(STEPS)


def function(steps):
    def f(x):
        pool = [x, np.sum(x) * 0.1 + x]
        for name, a, b, k in steps:
            y = STEPS[name](pool[-1 - a % len(pool)], pool[-1 - b % len(pool)], k)
            if np.size(y) <= 20_000:
                pool.append(y)
        return pool[-3:]

    return f


plans = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)),
    min_size=1,
    max_size=9,
)


def agree(program, x):
    compiled = compile(program)
    for y, z in zip(compiled(x), evaluate(program, [x]), strict=True):
        assert (y.shape, y.dtype) == (np.shape(z), np.asarray(z).dtype)
        size = float(np.max(np.abs(z), initial=1))
        np.testing.assert_allclose(y, z, rtol=1e-10, atol=1e-10 * size, err_msg=str(program))


@settings(deadline=None, max_examples=40)
@given(plan=plans, shape=st.sampled_from(SHAPES), seed=st.integers(0, 3))
def test_values_and_gradients_agree(plan, shape, seed):
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, shape)
    f = function(plan)
    agree(wg.program(f)(x), x)
    agree(wg.program(wg.grad(lambda x: sum(np.sum(y) for y in f(x))))(x), x)
