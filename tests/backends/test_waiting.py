"""Values of long straight-line code wait in memory: the same numbers, and code whose making stays linear."""

import numpy as np
import pytest

import wengert as wg
from wengert.backends import waiting
from wengert.backends.compile import compile
from wengert.ir.evaluate import evaluate

pytest.importorskip("llvmlite")


def chain(x):
    values = [x[k] for k in range(12)]
    for k in range(400):
        a, b = values[k % 12], values[(5 * k + 3) % 12]
        values[k % 12] = 0.5 * a * b + 0.25 if k % 3 else np.sin(a) - 0.25 * b
    total = 0.0
    for v in values:
        total = total + v
    return total


X = np.linspace(0.1, 0.9, 12)


def test_values_that_wait_are_stored_and_read_again_with_the_same_bits(monkeypatch):
    program = wg.program(wg.grad(chain))(X)
    waited = compile(program)
    assert "%wait" in waited.text
    monkeypatch.setattr(waiting, "FAR", 10**9)
    held = compile(program)
    assert "= load double, ptr %wait" not in held.text
    np.testing.assert_array_equal(waited(X)[0], held(X)[0])
    np.testing.assert_allclose(waited(X)[0], evaluate(program, [X])[0], rtol=1e-9)


def test_places_in_memory_serve_one_value_after_the_other():
    steps = compile(wg.program(wg.grad(chain))(X))
    size = int(steps.text.split("alloca [")[1].split(" x double")[0])
    stored = sum("store double" in line for line in steps.text.splitlines())
    assert size < 0.8 * stored


def test_elements_of_inputs_are_read_again_instead_of_stored():
    def apart(x):
        y = x[0]
        for _ in range(1200):
            y = y * 0.999 + 0.001
        return y * x[1] + x[0]

    program = wg.program(apart)(X)
    compiled = compile(program)
    assert compiled.text.count("load double, ptr %r") == len(X) + 2
    assert "%wait" not in compiled.text
    assert compiled(X)[0] == evaluate(program, [X])[0]
