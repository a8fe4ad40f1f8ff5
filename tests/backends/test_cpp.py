"""The printer of C++ against the interpreter: every operation, to the bit."""

import ctypes
import subprocess

import numpy as np
import pytest

from wengert.backends.code import DTYPES, Buffer, Function
from wengert.backends.cpp import Body
from wengert.backends.cpp_words import C99, CPP, helper, number
from wengert.backends.interpret import Interpreter
from wengert.backends.tidy import tidy
from wengert.backends.writer import Writer
from wengert.cpp import toolchain
from wengert.errors import CppError

FLOATS = np.array([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 1e300, 3.7e9, -1e-310, 0.5, 7.0])
INTEGERS = np.array([0, 1, -1, 5, -7, 2**63 - 1, -(2**63), 2**31, 255, -129, 1000, 3])
FLOAT_OPS = ["add", "sub", "mul", "div", "copysign", "neg", "abs", "sqrt", "floor", "ceil", "trunc", "rint",
             "lt", "le", "gt", "ge", "eq", "ne"]  # fmt: skip
INTEGER_OPS = ["add", "sub", "mul", "neg", "abs", "and", "or", "xor", "not", "lt", "le", "eq", "ne"]
ONE = {"neg", "abs", "sqrt", "floor", "ceil", "trunc", "rint", "not"}
N = len(FLOATS)


def everything():
    """A loop over two arrays of each type, one output per operation."""
    f = Function("everything", (20,))
    w = Writer(f)
    outs = []

    def store(loop, v, name):
        b = Buffer(f"out{len(outs)}_{name}", v.type, (N,), "output")
        outs.append(b)
        w.store(b, loop.index, v)

    ins = {
        t: [Buffer(f"in_{t}_{k}", t, (N,), "input") for k in "ab"] for t in DTYPES if t != "bool"
    }
    f.inputs = [b for pair in ins.values() for b in pair]
    with w.loop(w.index(N)) as loop:
        loaded = {t: [w.load(b, loop.index) for b in pair] for t, pair in ins.items()}
        for t, (a, b) in loaded.items():
            ops = FLOAT_OPS if t[0] == "f" else INTEGER_OPS
            for op in ops:
                if op in ("neg", "abs") and t[0] == "u":
                    continue
                store(loop, w.op(op, a) if op in ONE else w.op(op, a, b), op)
            store(loop, w.op("select", w.op("lt", a, b), b, a), "select")
            for to in DTYPES:
                if not (
                    t[0] == "f" and to[0] in "u"
                ):  # (beyond an integer's range NumPy does not say)
                    store(loop, w.op("cast", a, type=to), f"{t}_to_{to}")
        for t in ("i64", "i32"):
            a, b = loaded[t]
            three = w.const(3, t)
            store(loop, w.op("tdiv", a, three), "tdiv")
            store(loop, w.op("trem", a, three), "trem")
            store(loop, w.op("shl", a, three), "shl")
            store(loop, w.op("shr", a, three), "shr")
        store(loop, w.op("bits", loaded["f64"][0], type="i64"), "bits")
        store(loop, w.op("bits", loaded["i32"][0], type="f32"), "bits")
        yes = w.op("and", w.op("lt", *loaded["f64"]), w.op("not", w.op("eq", *loaded["i64"])))
        store(loop, w.op("xor", yes, w.op("or", yes, w.op("gt", *loaded["i8"]))), "logic")
    f.outputs = outs
    return f


def statements():
    """Loops both ways, carried pairs that swap, a while, branches with results, reductions, a check."""
    f = Function("statements", (20,))
    w = Writer(f)
    x, y = Buffer("x", "f64", (N,), "input"), Buffer("y", "f64", (12,), "output")
    t = Buffer("t", "f64", (N,), "temporary")
    f.inputs, f.outputs, f.temporaries, f.slots = [x], [y], [t], [(t,)]
    zero, one = w.const(0, "f64"), w.const(1, "f64")
    with w.loop(w.index(N), inits=[zero, one], reverse=True) as loop:
        a, b = loop.params
        v = w.load(x, loop.index)
        w.store(t, loop.index, w.op("sub", v, a))
        loop.carry([b, w.op("add", a, w.op("cast", loop.index, type="f64"))])
        loop.reduce("max", v, w.const(-np.inf, "f64"))
    w.store(y, w.index(0), loop.results[0])
    w.store(y, w.index(1), loop.results[1])
    with w.loop(w.index(N), "vector") as loop:
        v = w.load(t, loop.index)
        found = [
            loop.reduce(op, v, w.const(i, "f64")) for op, i in (("add", 0), ("mul", 1), ("min", 5))
        ]
        finite = loop.reduce("and", w.op("eq", v, v), w.const(True, "bool"))
    for k, r in enumerate(found):
        w.store(y, w.index(2 + k), r)
    w.store(y, w.index(5), w.op("cast", finite, type="f64"))
    with w.repeat([one, zero]) as repeat:
        a, n = repeat.params
        with repeat.testing():
            repeat.test(w.op("lt", a, w.const(100, "f64")))
        repeat.carry([w.op("mul", w.op("add", a, n), w.const(1.5, "f64")), a])
    w.store(y, w.index(6), repeat.results[0])
    w.store(y, w.index(7), repeat.results[1])
    with w.branch(w.op("gt", w.load(x, w.index(2)), zero)) as branch:
        with branch.then():
            left = w.op("exp", w.load(x, w.index(2)))
        with branch.otherwise():
            w.store(y, w.index(8), one)
        branch.give([left, one], [zero, left if False else zero])
    w.store(y, w.index(8), branch.results[0])
    w.store(y, w.index(9), branch.results[1])
    w.store(y, w.index(10), zero)
    w.store(y, w.index(11), w.op("fma", one, w.const(2, "f64"), w.load(x, w.index(10))))
    w.check(w.op("ne", w.load(x, w.index(2)), w.const(9, "f64")), 7)
    return f


def compiled(f, dialect, place, stack=4096):
    try:
        compiler = toolchain.find_compiler()
    except CppError as error:
        pytest.skip(error.what)
    body = Body(f, {}, dialect, False, stack, "")
    cpp = dialect is CPP
    lines = [f"#include <{h}>" for h in (
        ("cmath", "cstdint", "cstring", "limits") if cpp else ("math.h", "stdint.h", "string.h", "stdbool.h")
    )]  # fmt: skip
    for name in sorted(body.helpers):
        lines += helper(name, dialect, "")
    parts = [f"const {body.type(b.type)}* {b.name}" for b in f.inputs]
    parts += [f"{body.type(b.type)}* {b.name}" for b in f.outputs]
    lines += [
        f"{'extern ' + chr(34) + 'C' + chr(34) if cpp else ''} int {f.name}({', '.join(parts)}, void* work) {{"
    ]
    lines += [*body.constants(), "    (void)work;", *body.lines, "    return 0;", "}"]
    source, target = place / ("f.cpp" if cpp else "f.c"), place / f"f{cpp}{stack}.so"
    source.write_text("\n".join(lines))
    if not cpp:
        compiler = compiler.replace("clang++", "clang").replace("g++", "gcc")
    flags = ["-std=c++17"] if cpp else ["-std=c99"]
    flags += [
        "-O2",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Werror",
        "-shared",
        "-fPIC",
    ]
    done = subprocess.run(
        [compiler, *flags, source, "-o", target, "-lm"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:2000]
    function = getattr(ctypes.CDLL(str(target)), f.name)

    def call(ins, outs):
        work = np.empty(body.work_bytes + 8)
        return function(*(ctypes.c_void_p(a.ctypes.data) for a in (*ins, *outs, work)))

    return call


def pairs():
    found = []
    for t, dtype in DTYPES.items():
        if t == "bool":
            continue
        base = FLOATS if t[0] == "f" else INTEGERS
        with np.errstate(all="ignore"):
            a = base.astype(dtype)
        found += [a, np.roll(a, 5)]
    return found


@pytest.mark.parametrize("dialect", [CPP, C99], ids=["c++17", "c99"])
def test_every_operation_means_what_the_interpreter_says(dialect, tmp_path):
    f, ins = everything(), pairs()
    right, found = ([np.empty(N, DTYPES[b.type]) for b in f.outputs] for _ in range(2))
    assert Interpreter(f)(ins, right) == compiled(f, dialect, tmp_path)(ins, found) == 0
    for b, r, y in zip(f.outputs, right, found, strict=True):
        if b.name.endswith(("to_i32", "to_i16", "to_i8")) and "_f" in b.name:
            fits = np.abs(FLOATS) < 100  # (beyond an integer's range NumPy does not say)
            r, y = r[fits], y[fits]
        np.testing.assert_array_equal(y, r, err_msg=b.name)
        if r.dtype.kind == "f":
            np.testing.assert_array_equal(
                np.signbit(y[y == y]), np.signbit(r[r == r]), err_msg=b.name
            )


@pytest.mark.parametrize("stack", [4096, 0], ids=["local arrays", "workspace"])
@pytest.mark.parametrize("dialect", [CPP, C99], ids=["c++17", "c99"])
def test_every_statement_means_what_the_interpreter_says(dialect, stack, tmp_path):
    f = statements()
    for changed in (f, tidy(f)):
        call = compiled(changed, dialect, tmp_path, stack)
        for point in (1.5, -1.5, np.nan, 9.0):
            x = np.linspace(-1, 1, N)
            x[2] = point
            right, found = np.zeros(12), np.zeros(12)
            assert Interpreter(f)([x], [right]) == call([x], [found])
            np.testing.assert_allclose(found, right, rtol=1e-15)


def test_numbers_are_printed_to_the_last_bit():
    for x in (0.1, 1e300, 5e-324, -0.0, 1 / 3, 123456789.0):
        assert float(number(x, "f64")) == x
    for x in np.float32([0.1, 3e38, 1e-45, -0.0, 1 / 3, 16777217.0]):
        assert np.float32(number(float(x), "f32").rstrip("f")) == x
    assert number(1e300, "f32") == "std::numeric_limits<float>::infinity()"
    assert number(np.nan, "f64") == "std::numeric_limits<double>::quiet_NaN()"
    assert number(-np.inf, "f32", C99) == "-((float)(INFINITY))"
