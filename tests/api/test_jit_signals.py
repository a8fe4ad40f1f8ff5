"""Ctrl-C stops a compiled function that runs for long; a fork may go on with what its parent compiled."""

import os
import signal
import threading

import numpy as np
import pytest

import wengert as wg

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX signals")


def long_while(x):
    return wg.while_loop(lambda s: s < 1e13, lambda s: s + 1.0, x)


def long_for(x):
    return wg.fori_loop(0, 2_000_000_000_000, lambda k, s: np.sin(s) + x, x)


def long_sum(n):
    """Elementwise work in chunks on all threads, minutes of it, in one kernel."""
    x = n + np.arange(100_000.0)
    return np.sum(np.sin(np.exp(np.cos(x[:, None] + x))))


@pytest.mark.parametrize("f", [long_while, long_for, long_sum])
def test_a_long_loop_is_interrupted(f):
    jitted = wg.jit(f)
    jitted.version_for(0.5)  # compiled before, so that it is the loop that is interrupted
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        jitted(0.5)
    timer.join()
    assert wg.jit(lambda x: x + 1)(1.0) == 2.0


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_goes_on():
    f = wg.jit(wg.grad(lambda x: np.sum(np.sin(x) ** 2)))
    x = np.linspace(0, 1, 100_000)
    wanted = f(x)
    child = os.fork()
    if child == 0:
        fine = np.array_equal(f(x), wanted) and f(x[:50]).shape == (50,)
        os._exit(0 if fine else 1)
    assert os.waitpid(child, 0)[1] == 0
