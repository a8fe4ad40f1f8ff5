"""Programs as machine code: what fuses, what is unrolled, what is moved, against NumPy's evaluation."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends.compile import compile
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import ArrayType
from wengert.ops.index import gather

pytest.importorskip("llvmlite")

X = np.random.default_rng(0).normal(size=(50, 40))
Y = np.random.default_rng(1).normal(size=(40, 30))
I = np.array([3, 1, 0, 49, -1])


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def writes(x):
    y = np.zeros_like(x)
    y[3:10] = x[:7]
    y[::2] += x[::2]
    y[:, 1] = 2.0
    return y.sum(0)


CASES = {
    "chain": (lambda x: np.exp(x) * x + 1, X),
    "sum of all": (lambda x: np.sum(x * x), X),
    "sum of columns": (lambda x: np.sum(x * x, axis=0), X),
    "sum of rows": (lambda x: np.sum(x * x, axis=1), X),
    "centred": (lambda x: x - np.mean(x, axis=1, keepdims=True), X),
    "softmax": (softmax, X),
    "softmax of few": (softmax, X[:, :7]),
    "softmax, small": (softmax, X[:4, :3]),
    "transposed": (lambda x: np.sum(np.sin(x.T) * 3), X),
    "joined": (lambda x: np.concatenate([x, x[::-1]], axis=0), X),
    "stacked": (lambda x: np.stack([x, 2 * x], axis=-1), X),
    "differences": (lambda x: x[1:] - x[:-1], X),
    "argmax": (lambda x: np.argmax(x, axis=1), X),
    "reshaped": (lambda x: x.reshape(-1)[3:50] * 2, X),
    "rows": (lambda x: x[I] * 2, X),
    "columns": (lambda x: x[:, I[:3]] * 2, X),
    "writes": (writes, X),
    "norms": (lambda x: np.linalg.norm(x, axis=1), X),
    "remainders": (lambda x: x % 0.7 + x // 0.3, X),
    "whole numbers": (lambda x: (x * 10).astype(int) // 3 + (x * 10).astype(int) % 7, X),
    "complex": (lambda x: np.exp(x * 1j) / (x + 2j) + np.log(x + 0j), X),
    "complex sum": (lambda x: np.sum(x * (1 + 2j) * x[0]), X),
    "scattered": (wg.grad(lambda x: np.sum(x[I] ** 2 * np.cos(x[1:6]))), X),
    "rosenbrock": (wg.grad(rosenbrock), X[0, :10]),
    "rosenbrock, long": (wg.grad(rosenbrock), np.linspace(0, 1, 1000)),
    "rosenbrock, twice": (wg.hessian(rosenbrock), X[0, :10]),
    "product": (lambda x: np.tanh(x @ Y), X),
    "product, backwards": (wg.grad(lambda x: np.sum(np.tanh(x @ Y))), X),
    "transposed product": (lambda x: Y.T @ x.T, X),
    "product of slices": (lambda x: (x * 2).T @ x[:, ::-1], X),
    "matrix and vector": (lambda x: x @ Y[:, 0] + Y[:, 1] @ Y.sum(1), X),
    "vector and matrix": (lambda x: x[0] @ Y, X),
    "few terms": (lambda x: x[:, :3] @ Y[3:6, :], X),
    "einsum": (lambda x: np.einsum("ij,jk,i->k", x, Y, x[:, 0]), X),
    "stacks of matrices": (lambda x: np.matmul(np.stack([x, x * 2]), np.stack([Y, Y])), X),
    "complex product": (lambda x: (x + 1j) @ Y, X),
    "running": (lambda x: np.cumsum(x, axis=0) + np.cumprod(x, 1) + np.maximum.accumulate(x, 0), X),
    "running, small": (lambda x: np.cumsum(x, axis=0) + np.cumsum(x, axis=1), X[:3, :3]),
    "convolved": (lambda x: np.convolve(x[0], x[1, :3]), X),
}


@pytest.mark.parametrize("name", CASES)
def test_machine_code_agrees_with_numpy(name):
    f, x = CASES[name]
    program = wg.program(f)(x)
    for y, z in zip(compile(program)(x), evaluate(program, [x]), strict=True):
        assert (y.shape, y.dtype) == (z.shape, z.dtype)
        np.testing.assert_allclose(y, z, rtol=1e-13, atol=1e-13)


def test_an_index_out_of_range_is_an_error():
    x, i = (Var(ArrayType.of(s, np.dtype(d))) for s, d in (((50, 40), "d"), ((3,), "l")))
    y = Var(ArrayType.of((3, 40), np.dtype("d")))
    compiled = compile(Program([x, i], [Eqn(gather, (x, i), {}, (y,))], [y]))
    with pytest.raises(IndexError):
        compiled(X, np.array([0, 50, 1]))
    np.testing.assert_array_equal(compiled(X, np.array([0, -50, 1]))[0], X[[0, 0, 1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_powers_of_negative_numbers_and_special_ones_are_numpys(dtype):
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max
    some = [0, 0.5, 1, 2, 3, 7, 1e6, 2.0**60, tiny, huge, np.inf]
    numbers = np.array([*some, *(-x for x in map(float, some)), np.nan], dtype)
    with np.errstate(all="ignore"):
        x, n = (a.ravel() for a in np.meshgrid(numbers, numbers))
        wanted = x**n
    compiled = compile(wg.program(lambda x, n: x**n)(np.ones(7, dtype), np.ones(7, dtype)))
    for k in range(0, len(x) - 6, 7):  # seven at a time
        (found,) = compiled(x[k : k + 7], n[k : k + 7])
        np.testing.assert_allclose(found, wanted[k : k + 7], rtol=4 * np.finfo(dtype).eps)
        there = ~np.isnan(found)
        assert (np.signbit(found) == np.signbit(wanted[k : k + 7]))[there].all()
