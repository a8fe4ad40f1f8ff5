"""wg.print: in every run of a program, where Python's own print is heard once."""

import numpy as np
import pytest

import wengert as wg


def noisy(x):
    wg.print("start")
    y = x * x
    wg.print("y = {}", y)
    wg.print("y = {}", y)  # an equal equation, and said again
    return y


WAYS = {
    "plain": noisy,
    "jit": wg.jit(noisy),
    "grad": wg.grad(noisy),
    "jit(grad)": wg.jit(wg.grad(noisy)),
    "grad(jit)": wg.grad(wg.jit(noisy)),
    "jvp": lambda x: wg.jvp(noisy, (x,), (1.0,)),
    "checkpoint": wg.checkpoint(noisy),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_run_prints_in_order(way, capsys):
    for x in (2.0, 3.0):
        WAYS[way](x)
        said = f"y = {x * x}\n"
        assert capsys.readouterr().out == "start\n" + 2 * said


@pytest.mark.parametrize("jitted", [False, True])
def test_each_example_of_a_batch_prints(jitted, capsys):
    f = wg.vmap(lambda x: [wg.print("{:.1f}", x), np.sin(x)][1])
    f = wg.jit(f) if jitted else f
    f(np.arange(3.0))
    assert capsys.readouterr().out == "0.0\n1.0\n2.0\n"
    deeper = wg.vmap(wg.vmap(lambda x, y: [wg.print("{} {}", x, y), x][1], (0, None)), (None, 0))
    deeper = wg.jit(deeper) if jitted else deeper
    deeper(np.arange(2.0), np.arange(2.0))
    said = capsys.readouterr().out.splitlines()
    assert sorted(said) == ["0.0 0.0", "0.0 1.0", "1.0 0.0", "1.0 1.0"]


@pytest.mark.parametrize("jitted", [False, True])
def test_loops_print_in_every_round(jitted, capsys):
    def f(x):
        return wg.fori_loop(0, 3, lambda k, s: [wg.print("{} {}", k, s), s * x][1], x)

    (wg.jit(f) if jitted else f)(2.0)
    assert capsys.readouterr().out == "0 2.0\n1 4.0\n2 8.0\n"
    wg.jit(lambda x: wg.cond(x > 0, lambda: [wg.print("yes"), x][1], lambda: x))(-1.0)
    assert capsys.readouterr().out == ""


def test_texts_without_fields_and_values_without_texts(capsys):
    wg.print("x", 1.0, np.arange(2))
    wg.print(np.arange(3))
    wg.print("only {text}")
    assert capsys.readouterr().out == "x 1.0 [0 1]\n[0 1 2]\nonly {text}\n"
