"""The quick call: what it takes, what it leaves to others, and that nothing leaks."""

import ctypes
import gc
import sys
import threading
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as wg
from wengert.backends import entry, machine
from wengert.backends.entry import Entry, Kind, Slot, ready

F = np.dtype(float)

# y = x + c[0] for n elements, z = Σ x; fails with status n where x[0] is negative
KERNEL = """target triple = "{triple}"
define i32 @k(ptr %ins, ptr %outs, ptr %extents, ptr %work) {{
entry:
  %x = load ptr, ptr %ins
  %cp = getelementptr ptr, ptr %ins, i64 1
  %c = load ptr, ptr %cp
  %c0 = load double, ptr %c
  %y = load ptr, ptr %outs
  %zp = getelementptr ptr, ptr %outs, i64 1
  %z = load ptr, ptr %zp
  %n = load i64, ptr %extents
  %first = load double, ptr %x
  %bad = fcmp olt double %first, 0.0
  br i1 %bad, label %fail, label %loop
fail:
  ret i32 5
loop:
  %i = phi i64 [0, %entry], [%i1, %loop]
  %s = phi double [0.0, %entry], [%s1, %loop]
  %px = getelementptr double, ptr %x, i64 %i
  %v = load double, ptr %px
  %w = fadd double %v, %c0
  %pw = getelementptr double, ptr %work, i64 %i
  store double %w, ptr %pw, align 64
  %u = load double, ptr %pw
  %py = getelementptr double, ptr %y, i64 %i
  store double %u, ptr %py
  %s1 = fadd double %s, %v
  %i1 = add i64 %i, 1
  %m = icmp slt i64 %i1, %n
  br i1 %m, label %loop, label %done
done:
  store double %s1, ptr %z
  ret i32 0
}}
"""
C = np.array([10.0])


def otherwise(*args):
    return "otherwise", args


def failed(status):
    raise ArithmeticError(status)


def make(n, argument=Kind.ARRAY, total=Kind.SCALAR, **kwargs):
    code = machine.load(
        KERNEL.format(triple=machine.machine().triple).replace(", align 64", ""), "k"
    )
    shape = (n,) if argument == Kind.ARRAY else ()
    return Entry(
        code.address,
        [Slot(argument, F, shape)],
        [Slot(Kind.ARRAY, F, shape), Slot(total, F)],
        otherwise,
        failed,
        bound=[C.ctypes.data],
        extents=[n],
        work_bytes=8 * n,
        single=False,
        keep=code,
        **kwargs,
    )


@pytest.fixture(scope="module")
def add():
    assert ready()
    return make(5).call


def test_results_are_fresh_plain_arrays_and_numbers(add):
    x = np.arange(5.0)
    y, z = add(x)
    np.testing.assert_array_equal(y, x + 10)
    assert type(y) is np.ndarray
    assert y.flags.owndata
    assert type(z) is np.float64
    assert z == 10
    assert add(x)[0] is not y


@pytest.mark.parametrize(
    "x",
    [
        np.arange(6.0),
        np.arange(10.0)[::2],
        np.arange(5.0)[::-1],
        np.arange(5),
        np.arange(5.0, dtype="f4"),
        np.arange(5.0).astype(">f8"),
        np.arange(5.0).reshape(1, 5),
        np.zeros((5, 0)),
        np.frombuffer(b"x" * 48, np.uint8)[3:43].view(float),  # misaligned
        np.ma.masked_array(np.arange(5.0)),
        np.arange(5.0).view(type("Sub", (np.ndarray,), {})),
        [0.0] * 5,
        1.0,
        None,
    ],
    ids=[
        "longer",
        "strided",
        "reversed",
        "integers",
        "single",
        "swapped",
        "deeper",
        "empty",
        "misaligned",
        "masked",
        "subclass",
        "list",
        "number",
        "none",
    ],
)
def test_whatever_is_not_expected_goes_elsewhere(add, x):
    where, (got,) = add(x)
    assert where == "otherwise"
    assert got is x


def test_so_do_calls_with_other_counts(add):
    x = np.arange(5.0)
    assert add()[0] == "otherwise"
    assert add(x, x)[0] == "otherwise"
    assert (
        add(x, x, np.array(0.0))[0] == "otherwise"
    )  # results are not given where that is not said


def test_read_only_arrays_are_read(add):
    x = np.arange(5.0)
    x.flags.writeable = False
    np.testing.assert_array_equal(add(x)[0], x + 10)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.FLOAT, 2.0, np.float64(2.0)),
        (Kind.DOUBLE, np.float64(2.0), 2.0),
        (Kind.FLOAT, 2.0, 2),
        (Kind.DOUBLE, np.float64(2.0), np.float32(2.0)),
    ],
    ids=["float", "double", "integer", "single"],
)
def test_numbers_by_their_kind(kind, good, bad):
    call = make(1, kind, Kind.FLOAT).call
    y, z = call(good)
    assert y == 12
    assert y.shape == ()
    assert type(z) is float
    assert call(bad)[0] == "otherwise"


def test_integers_that_fit():
    code = machine.load(
        f'''target triple = "{machine.machine().triple}"
define i32 @twice(ptr %ins, ptr %outs, ptr %extents, ptr %work) {{
  %x = load ptr, ptr %ins
  %y = load ptr, ptr %outs
  %v = load i64, ptr %x
  %w = add i64 %v, %v
  store i64 %w, ptr %y
  ret i32 0
}}''',
        "twice",
    )
    integer = np.dtype(np.int64)
    call = Entry(
        code.address, [Slot(Kind.INT, integer)], [Slot(Kind.SCALAR, integer)], otherwise, failed, keep=code
    ).call  # fmt: skip
    assert call(21) == 42
    assert call(-1) == -2  # what PyLong_AsLongLong says of an error, too
    assert type(call(3)) is np.int64
    assert call(2**70)[0] == "otherwise"
    assert call(True)[0] == "otherwise"


def test_a_failure_raises_and_leaks_nothing(add):
    with pytest.raises(ArithmeticError, match="5"):
        add(-np.ones(5))


def test_results_may_be_given():
    call = make(5, given=True).call
    x, y, z = np.arange(5.0), np.empty(5), np.empty(())
    got = call(x, y, z)
    assert got[0] is y
    assert got[1] is z
    np.testing.assert_array_equal(y, x + 10)
    assert z == 10
    frozen = np.empty(5)
    frozen.flags.writeable = False
    for bad in (frozen, np.empty(6), np.empty(10)[::2], np.empty(5, "f4")):
        assert call(x, bad, z)[0] == "otherwise"
        assert call(x, y, bad)[0] == "otherwise"


def test_reference_counts_stay():
    x = np.arange(5.0)
    call = make(5, given=True).call
    y, z, bad = np.empty(5), np.empty(()), np.full(5, -1.0)
    for _ in range(10):  # NumPy's and Python's own lists of free blocks fill up first
        call(x)
    gc.collect()
    counts = [sys.getrefcount(o) for o in (x, y, z, F, otherwise, failed)]
    tracemalloc.start()
    for _ in range(1000):
        call(x), call(x, y, z), call(1.0), call(x, y, x)
        with pytest.raises(ArithmeticError):
            call(bad)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    after = [sys.getrefcount(o) for o in (x, y, z, F, otherwise, failed)]
    assert abs(after.pop(3) - counts.pop(3)) < 500  # everybody's dtype: others let go of it, too
    assert after == counts
    assert grown < 100_000


def test_the_builtin_holds_what_it_needs():
    call = make(5).call
    gc.collect()
    np.testing.assert_array_equal(call(np.arange(5.0))[0], np.arange(5.0) + 10)


@pytest.mark.parametrize("frees", [False, True])
def test_many_threads_at_once(frees):
    call = make(2000, frees=frees).call
    wrong = []

    def work(k):
        x = np.full(2000, float(k))
        for _ in range(200):
            y, z = call(x)
            if (y != k + 10).any() or z != 2000 * k:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_the_definition_of_a_builtin_outlives_it():
    where = entry._definition()
    for _ in range(20):  # an entry and its builtin hold each other: they go together, in any order
        made = wg.jit(lambda x: x * 2.0)
        assert made(1.5) == 3.0
        del made
        gc.collect()
    assert entry._definition() == where
    assert ctypes.c_void_p.from_address(where + 8).value == entry._code().address
