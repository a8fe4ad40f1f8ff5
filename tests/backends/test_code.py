"""Loop code: what is written once, folded, moved out of loops, and what it means."""

import numpy as np

from wengert.backends.code import Buffer, Function, Value
from wengert.backends.interpret import Interpreter
from wengert.backends.writer import Writer


def square_sum():
    f = Function("square_sum", (20,))
    w = Writer(f)
    n = w.extents[20]
    x, y = Buffer("x", "f64", (n,), "input"), Buffer("y", "f64", (1,), "output")
    f.inputs, f.outputs = [x], [y]
    with w.loop(n, "vector") as loop:
        v = w.load(x, loop.index)
        assert w.load(x, loop.index) is v
        total = loop.reduce("add", w.op("mul", v, v), w.const(0, "f64"))
    w.store(y, w.index(0), total)
    return f


def test_the_interpreter_runs_a_reduction():
    f, y = square_sum(), np.empty(1)
    assert Interpreter(f)([np.arange(20.0)], [y]) == 0
    assert y[0] == np.sum(np.arange(20.0) ** 2)
    assert Interpreter(f)([np.arange(3.0)], [y], [3]) == 0
    assert y[0] == 5


def test_it_prints_itself():
    assert str(square_sum()).splitlines()[3:] == [
        "  vector for i0 < n0:",
        "    v1 = x[i0]",
        "    v2 = mul v1 v1",
        "    v3 = add of v2 from 0.0",
        "  y[0] = v3",
    ]


def test_a_value_stands_in_the_outermost_loop_that_knows_its_arguments():
    f = Function("f", (20,))
    w = Writer(f)
    n = w.extents[20]
    with w.loop(n) as outer, w.loop(n) as inner:
        inside = w.op("add", w.op("mul", outer.index, n), inner.index)
        assert w.op("add", w.op("mul", outer.index, n), inner.index) is inside
    product = inside.args[0]
    assert product.block is outer.statement.block
    assert inside.block is inner.statement.block


def test_constants_fold_as_numpy_computes_them():
    w = Writer(Function("f"))
    assert w.op("div", w.const(1, "f64"), w.const(0, "f64")).data == np.inf
    assert w.op("add", w.const(2**63 - 1, "i64"), w.const(1, "i64")).data == -(2**63)
    assert w.op("lt", w.const(np.nan, "f64"), w.const(1, "f64")).data is False
    x = w.op("exp", w.const(1, "f64"))
    assert w.op("mul", x, w.const(1, "f64")) is x
    assert w.op("sub", x, w.const(0, "f64")) is x
    assert w.op("add", x, w.const(0, "f64")) is not x  # -0.0 + 0.0 is 0.0


def test_a_mark_is_divided_before_the_loop():
    f = Function("f", (20,))
    w = Writer(f)
    n = w.extents[20]
    x, y = Buffer("x", "f64", (n,), "input"), Buffer("y", "f64", (n,), "output")
    f.inputs, f.outputs = [x], [y]
    ties = w.load(x, w.index(0))
    with w.loop(n, "vector") as loop:
        mark = w.op("cast", w.op("lt", w.load(x, loop.index), ties), type="f64")
        w.store(y, loop.index, w.op("div", mark, ties))
    assert not [v for v in loop.statement.block.items if isinstance(v, Value) and v.op == "div"]
    for first in (3.0, -7.0, 0.0, -0.0, np.inf, np.nan):
        values, found = np.array([first, 1.0, 5.0, -9.0]), np.empty(4)
        Interpreter(f)([values], [found], [4])
        with np.errstate(all="ignore"):
            wanted = (values < first).astype(float) / first
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
