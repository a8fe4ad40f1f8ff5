"""The one loop: it computes, inlines, lets others watch or compute, and wastes no memory."""

import weakref

import numpy as np

import wengert as wg
from wengert.ir import type_of
from wengert.ir.evaluate import evaluate
from wengert.ops import PRIMITIVES
from wengert.trace import program_of
from wengert.transforms import vjp


def traced(f, *args):
    """The program of a function without numbers."""
    program, captured = program_of(lambda *xs: [f(*xs)], [type_of(a) for a in args])
    assert captured == []
    return program


def test_on_arrays_it_computes():
    program = traced(lambda x, y: np.sin(x) * y, np.zeros(3), np.zeros(3))
    x, y = np.arange(3.0), np.ones(3)
    np.testing.assert_array_equal(evaluate(program, [x, y])[0], np.sin(x) * y)


def test_on_traced_values_it_inlines_and_keeps_the_lines():
    inner = traced(lambda x: np.sin(x) * 2.0, 1.0)  # the line that both equations belong to
    outer = wg.program(lambda x: evaluate(inner, [x * x])[0])(1.0)
    assert [e.prim.name for e in outer.eqns] == ["mul", "sin", "mul"]
    lines = [outer.line(e).text for e in outer.eqns]
    assert (
        lines[1]
        == lines[2]
        == "inner = traced(lambda x: np.sin(x) * 2.0, 1.0)  # the line that both equations belong to"
    )
    assert lines[0].startswith("outer = ")


def test_an_observer_sees_every_equation_with_its_numbers():
    program = traced(lambda x: np.sin(x * x), 1.0)
    seen = []
    evaluate(program, [2.0], observer=lambda e, ins, outs: seen.append((e.prim.name, *ins, *outs)))
    assert seen == [("mul", 2.0, 2.0, 4.0), ("sin", 4.0, np.sin(4.0))]


def test_another_arithmetic_may_compute():
    program = traced(lambda x: np.sin(x * x) + x, 1.0)
    depth = evaluate(program, [0], arithmetic=lambda e, ins: 1 + max(ins))
    assert depth == [3]


def test_values_are_let_go_at_their_last_use():
    class Watched(np.ndarray):
        """An array that can be referred to weakly."""

    program = traced(lambda x: np.sum(np.cos(np.sin(x))), np.zeros(3))
    alive, most = [], 0

    def compute(eqn, ins):
        nonlocal most
        most = max(most, sum(r() is not None for r in alive))
        y = np.asarray(eqn.prim.eval(*map(np.asarray, ins), **eqn.params)).view(Watched)
        alive.append(weakref.ref(y))
        return y

    evaluate(program, [np.ones(3)], arithmetic=compute)
    assert most == 1


def test_writes_reuse_memory_but_never_the_callers(monkeypatch):
    def f(x):
        y = x * 1.0
        for k in range(8):
            y[k] = 1.0
        return y

    program = traced(f, np.zeros(8))
    assert [e.prim.name for e in program.eqns] == ["mul", *["update"] * 8]
    x, places = np.arange(8.0), []
    update = PRIMITIVES["update"]
    original = update.in_place

    def watched(x, v, *, at):
        places.append(x.ctypes.data)
        return original(x, v, at=at)

    monkeypatch.setattr(update, "in_place", watched)
    (y,) = evaluate(program, [x])
    np.testing.assert_array_equal(y, np.ones(8))
    np.testing.assert_array_equal(x, np.arange(8.0))
    assert places == [y.ctypes.data] * 8  # eight writes, one buffer


def test_a_buffer_that_somebody_else_holds_is_copied():
    def f(x):
        before = x * 1.0
        after = before * 1.0
        after[0] = 5.0
        return before[0] + 10 * after[0]

    program = traced(f, np.zeros(2))
    assert evaluate(program, [np.array([3.0, 4.0])]) == [53.0]

    def g(x):
        y = x * 1.0
        kept = y + 0.0
        z = y.copy()
        z[0] = 7.0
        return np.sum(y) + np.sum(kept) + np.sum(z)

    assert evaluate(traced(g, np.zeros(2)), [np.array([3.0, 4.0])]) == [7 + 7 + 11]


def test_arrays_made_of_constants_stay_equations():
    """A zero of a million elements in a derived program is one equation, not eight megabytes."""
    program = traced(lambda x: x[0] * 2.0, np.zeros(1_000_000))
    derived = vjp(program, [True])
    assert all(e.prim.name != "literal" for e in derived.eqns)
    assert "broadcast" in [e.prim.name for e in derived.eqns]
