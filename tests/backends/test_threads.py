"""Chunks of a loop on several threads: all of them once, failures, nesting, forks."""

import ctypes
import os
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from wengert.backends import machine, symbols, threads

# x[chunk] += 1; chunk 7 fails where x[0] says so
BODY = """target triple = "{triple}"
define i32 @body(ptr %x, i64 %chunk) {{
  %p = getelementptr double, ptr %x, i64 %chunk
  %v = load double, ptr %p
  %w = fadd double %v, 1.0
  store double %w, ptr %p
  ret i32 0
}}
define i32 @fails(ptr %x, i64 %chunk) {{
  %r = trunc i64 %chunk to i32
  %b = icmp eq i32 %r, 7
  %s = select i1 %b, i32 7, i32 0
  ret i32 %s
}}
declare i32 @wg_parallel(ptr, ptr, i64)
define i32 @inner(ptr %x, i64 %chunk) {{
  %at = mul i64 %chunk, 50
  %p = getelementptr double, ptr %x, i64 %at
  %r = call i32 @wg_parallel(ptr @body, ptr %p, i64 50)
  ret i32 %r
}}
"""
SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


@pytest.fixture(scope="module")
def code():
    return machine.load(BODY.format(triple=machine.machine().triple), ("body", "fails", "inner"))


@pytest.fixture(scope="module")
def parallel():
    yield SIGNATURE(symbols.address("wg_parallel"))
    threads.set_count(threads.count())


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("chunks", [0, 1, 2, 3, 1000])
def test_every_chunk_is_done_once(code, parallel, count, chunks):
    threads.set_count(count)
    x = np.zeros(chunks + 1)
    for k in range(20):
        assert parallel(code.addresses["body"], x.ctypes.data, chunks) == 0
        assert (x[:chunks] == k + 1).all()
    assert x[chunks] == 0


def test_threads_that_come_late_find_the_loop_that_is_open_then(code, parallel):
    threads.set_count(5)
    arrays = [np.zeros(n) for n in (3, 40, 7)]
    for k in range(1500):
        for x in arrays:
            assert parallel(code.addresses["body"], x.ctypes.data, len(x)) == 0
            assert (x == k + 1).all()  # all is done when the caller goes on


def test_a_failure_is_returned(code, parallel):
    for count in (1, 3):
        threads.set_count(count)
        assert parallel(code.addresses["fails"], None, 100) == 7
        assert parallel(code.addresses["fails"], None, 7) == 0


def test_a_loop_in_a_loop_runs_on_its_own_thread(code, parallel):
    threads.set_count(3)
    x = np.zeros(2000)
    assert parallel(code.addresses["inner"], x.ctypes.data, 40) == 0
    assert (x == 1).all()


def test_python_threads_may_all_ask_at_once(code, parallel):
    threads.set_count(2)
    arrays = [np.zeros(100) for _ in range(8)]

    def work(x):
        for _ in range(50):
            parallel(code.addresses["body"], x.ctypes.data, 100)

    workers = [threading.Thread(target=work, args=(x,)) for x in arrays]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert all((x == 50).all() for x in arrays)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_starts_its_own_threads(code, parallel):
    threads.set_count(3)
    x = np.zeros(100)
    parallel(code.addresses["body"], x.ctypes.data, 100)
    child = os.fork()
    if child == 0:
        threads.set_count(3)
        for _ in range(10):
            parallel(code.addresses["body"], x.ctypes.data, 100)
        os._exit(0 if (x == 11).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_environment_says_how_many(monkeypatch):
    monkeypatch.setenv("WENGERT_THREADS", "3")
    assert threads.count() == 3
    monkeypatch.setenv("WENGERT_THREADS", "many")
    assert threads.count() >= 1
