"""Functions of NumPy's, math's and SciPy's that a module has imported by their names."""

import cmath
import functools
import math
import pickle
import sys
import threading
import types
from cmath import exp as cexp
from math import atan2, cos, erf, fsum, hypot, pi, sqrt
from math import exp as e

import numpy as np
import pytest
from numpy import array, linspace, r_, stack, zeros
from numpy import array as arr
from numpy import sum as total
from numpy.linalg import norm, solve
from numpy.random import default_rng

import wengert as wg
from wengert.errors import ConcretizationError

X = np.array([0.3, 0.7, 1.2])

TEXT = """
from math import sin, tanh as squash
from numpy import array as matrix, ones
def rotation(t):
    from math import cos
    return matrix([[cos(t), -sin(t)], [sin(t), cos(t)]])
class Neuron:
    def __init__(self, weight):
        self.weight = weight
    def __call__(self, x):
        return squash(self.weight * x)
    def twice(self, x):
        b = ones(2)
        b[0] = self(x)
        return b @ matrix([self(b[0]), 1.0])
"""
helper = types.ModuleType("wengert_test_helper")
exec(TEXT, vars(helper))
sys.modules["wengert_test_helper"] = helper
from wengert_test_helper import Neuron, rotation  # noqa: E402

TABLE = {"cos": cos, "root": sqrt}
SEVERAL = [math.sin, math.exp]


def slopes(f, x, h=1e-6):
    """Central differences of a scalar function."""
    return np.array([(f(x + h * d) - f(x - h * d)) / (2 * h) for d in np.eye(x.size)])


def closed_over():
    from math import tanh

    def scaled(x):
        return tanh(pi * x)

    return lambda x: scaled(x[0]) * tanh(x[1])


FUNCTIONS = {
    "math": lambda x: cos(x[0]) * sqrt(x[1]) + hypot(x[0], x[2]) + atan2(x[0], x[1]) + erf(x[2]),
    "other names": lambda x: e(x[0]) * total(arr([x[1], e(-x[2])])),
    "arrays": lambda x: total(array([[x[0], cos(x[1])], [x[2], 1.0]]) @ array([x[0], 2.0])),
    "buffers": lambda x: (lambda b: [b.__setitem__(0, x[0] * x[1]), total(b**2)][1])(zeros(2)),
    "lists": lambda x: total([cos(v) for v in x]) + norm([x[0], x[1]]) + fsum([x[0], x[2]]),
    "joined": lambda x: total(r_[x[0], x[1:] ** 2] * stack([x[0], x[1], x[2]])) + total(linspace(x[0], x[1], 4) ** 2),
    "systems": lambda x: solve([[2.0, x[0]], [x[1], 3.0]], [x[2], 1.0])[0],
    "mapped": lambda x: sum(map(cos, x)) + functools.reduce(hypot, x),
    "complex": lambda x: abs(cexp(1j * x[0]) + x[1]),
    "another module": lambda x: total(rotation(x[0]) @ x[1:]) + helper.rotation(x[1])[0, 0],
    "objects": lambda x: Neuron(2.0)(x[0]) + Neuron(x[1]).twice(x[2]),
    "dictionaries and lists": lambda x: TABLE["cos"](x[0]) * TABLE["root"](x[1]) * SEVERAL[1](x[2]),
    "closed over": closed_over(),
    "random": lambda x: default_rng(3).normal(x[0], x[1]) * cos(x[2]),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_names_imported_alone_have_derivatives(name):
    f = FUNCTIONS[name]
    gradient = wg.grad(f)(X)
    np.testing.assert_allclose(gradient, slopes(f, X), rtol=1e-6, atol=1e-8)
    forward = [wg.jvp(f, (X,), (d,))[1] for d in np.eye(3)]
    np.testing.assert_allclose(forward, gradient, rtol=1e-12, atol=1e-14)
    want = [slopes(lambda x, i=i: wg.grad(f)(x)[i], X) for i in range(3)]
    np.testing.assert_allclose(wg.hessian(f)(X), want, rtol=1e-5, atol=1e-6)


def test_a_compiled_function_knows_them_and_is_not_compiled_again():
    f = wg.jit(lambda x: cos(x[0]) * total(arr([x[1], e(x[2])])))
    for _ in range(3):
        f(X)
        wg.grad(lambda x: f(x))(X)
    np.testing.assert_allclose(wg.grad(f)(X), slopes(f, X), rtol=1e-6)
    assert str(wg.why_recompiled(f)).count("compiled") == 1


def test_bodies_batches_tapes_and_methods_know_them():
    np.testing.assert_allclose(wg.vmap(lambda v: cos(v))(X), np.cos(X))
    np.testing.assert_allclose(wg.scan(lambda c, v: (c * cos(v), c), 1.0, X)[0], np.prod(np.cos(X)))
    neuron = Neuron(2.0)
    for f in (neuron, neuron.__call__, functools.partial(Neuron.__call__, neuron)):
        assert wg.grad(f)(0.3) == pytest.approx(2 / np.cosh(0.6) ** 2)
    x = wg.Variable(X)
    with wg.GradientTape() as tape:
        y = cos(x[0]) * x[1]
    np.testing.assert_allclose(tape.gradient(y, x), [-math.sin(0.3) * 0.7, math.cos(0.3), 0])


def unseen():
    names = {}  # (of a module that nobody knows by name)
    exec("from math import cos\nfrom numpy import array", names)
    exec("def number(x): return cos(x[0])\ndef listed(x): return array([x[0], x[1]])", names)
    return types.SimpleNamespace(number=names["number"], listed=names["listed"])


UNSEEN = unseen()


@pytest.mark.parametrize(
    ("f", "way"),
    [(lambda x: UNSEEN.number(x), r"math\.cos"), (lambda x: UNSEEN.listed(x), r"np\.array")],
)
def test_where_they_cannot_be_found_the_error_says_how_to_spell_them(f, way):
    with pytest.raises(ConcretizationError, match=f"call it by its module, {way}"):
        wg.grad(f)(X)


def held():
    return [
        cos is math.cos,
        e is math.exp,
        TABLE["cos"],
        SEVERAL[0],
        vars(helper)["squash"],
        array,
        r_,
        cexp is cmath.exp,
    ]


def test_every_name_is_what_it_was_when_the_trace_has_ended():
    before = held()
    for name in FUNCTIONS:
        wg.grad(FUNCTIONS[name])(X)
    with pytest.raises(KeyError):
        wg.grad(lambda x: {}[cos(x[0])])(X)
    assert held() == before
    assert FUNCTIONS["closed over"].__closure__ is not None
    assert pickle.loads(pickle.dumps(cos)) is math.cos


def test_what_the_function_binds_itself_stays():
    def f(x):
        TABLE["cos"] = abs
        return cos(x[0]) * TABLE["cos"](x[1])

    try:
        np.testing.assert_allclose(wg.grad(f)(X), [-0.7 * math.sin(0.3), math.cos(0.3), 0.0])
        assert TABLE["cos"] is abs
    finally:
        TABLE["cos"] = cos


def test_other_threads_compute_with_plain_numbers_meanwhile():
    stop, wrong = threading.Event(), []

    def plain():
        while not stop.is_set():
            found = cos(0.5), array([0.5, 1.0]).__class__, zeros(2).__class__
            if found != (math.cos(0.5), np.ndarray, np.ndarray):
                wrong.append(found)

    other = threading.Thread(target=plain)
    other.start()
    for _ in range(200):
        wg.grad(FUNCTIONS["arrays"])(X)
    stop.set()
    other.join()
    assert not wrong
