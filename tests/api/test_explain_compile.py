"""What explain_compile and why_recompiled tell."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError

pytest.importorskip("llvmlite")
X = np.linspace(0, 1, 300)


def sorted_squares(x):
    return np.sum(np.sort(np.sin(x)) ** 2)


def test_it_lists_kernels_call_backs_with_lines_and_times():
    found = wg.explain_compile(sorted_squares)(X)
    assert len(found.kernels) == 2
    assert "over 300" in found.kernels[0]
    assert "reduced by add" in found.kernels[1]
    (callback,) = found.callbacks
    assert callback.startswith("sort  # test_explain_compile.py:14")
    assert "np.sort" in callback
    assert "define i32" in found.llvm
    assert "call wg_callback" in found.loops
    assert {"trace", "simplify", "lower", "print", "link"} <= set(found.seconds)
    text = str(found)
    for word in ("kernels: 2", "call-backs to NumPy: 1", "workspace:", "Python:", "LLVM:"):
        assert word in text


def test_it_says_why_there_is_no_machine_code():
    found = wg.explain_compile(lambda x: x + x)(np.zeros(3, np.float16))
    assert "float16" in str(found)


def test_each_new_kind_of_call_has_its_reason(monkeypatch):
    f = wg.jit(lambda x, how: x * SCALE if how == "up" else x / SCALE)
    f(X, "up"), f(X, "up"), f(X, "down"), f(2.0, "up"), f(np.float32(2), "up")
    monkeypatch.setitem(globals(), "SCALE", 4.5)
    f(X, "up")
    whys = [event.why for event in wg.why_recompiled(f)]
    assert whys[0] == "the first call"
    assert whys[1] == "argument 1: the value 'down' instead of the value 'up'"
    assert "f64[], a Python scalar instead of f64[300]" in whys[2]
    assert whys[-1] == "SCALE has changed"
    assert "its machine code was there" in str(wg.why_recompiled(f)).splitlines()[-1]
    with pytest.raises(InputError, match="why_recompiled"):
        wg.why_recompiled(np.sin)


SCALE = 3.5


def test_what_a_checkpoint_computes_again_is_computed_late():
    """Else all of it would be in memory at once, and nothing saved."""

    def block(x):
        for _ in range(4):
            x = np.sort(np.sin(x)) * 1.01  # (by a call-back: it needs memory)
        return x

    def loss(x, block):
        for _ in range(10):
            x = block(x)
        return np.sum(x)

    x = np.linspace(0.0, 1.0, 4000)
    kept, again = (
        wg.explain_compile(wg.grad(lambda x, b=b: loss(x, b)))(x).workspace
        for b in (block, wg.checkpoint(block))
    )
    assert again < kept / 3
    g = wg.grad(lambda x: loss(x, wg.checkpoint(block)))
    np.testing.assert_allclose(wg.jit(g)(x), g(x), rtol=1e-12)
