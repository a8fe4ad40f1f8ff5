"""wg.explain in loops and branches: the line in the body is named, and the turn in which it goes wrong."""

import inspect
import json

import numpy as np
import pytest

import wengert as wg
from wengert.trust.explain import causes

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


# fmt: off
def overflowing(x):
    def body(i, c):
        a = c * 1.0
        b = np.exp(a * 300)                        # guilty
        return np.log(1 + b)
    return wg.fori_loop(0, 3, body, x)


def cancelling(x):
    def step(c, t):
        d = c + 1e8
        d = d - 1e8                                # guilty
        return d * t, d
    return wg.scan(step, x, np.array([1.0, 2.0, 3.0]))[0]


def leaving(x):
    def body(i, c):
        return np.sqrt(c - 1.0)                    # guilty
    return wg.fori_loop(0, 3, body, x)


def spinning(x):
    def step(s):
        n, y = s
        return n + 1, (1 - np.cos(y)) / y**2       # guilty
    return wg.while_loop(lambda s: s[0] < 2, step, (0, x))[1]


def each(x):
    def one(t):
        return (1 - np.cos(t)) / t**2              # guilty
    return np.sum(wg.map(one, x))


def branching(x):
    def small(t):
        return (1 - np.cos(t)) / t**2              # guilty
    return wg.cond(x > 1, lambda t: t, small, x)


def meeting(x):
    def body(i, c):
        inner = np.maximum(c, 2 * c)               # guilty
        return np.maximum(inner, 3 * c)
    return wg.fori_loop(0, 3, body, x)


def stepping(x):
    def body(i, c):
        y = c + 0.5
        return c + 0.25 + np.floor(y)              # guilty
    return wg.fori_loop(0, 3, body, x)


def nested(x):
    def inner(j, c):
        return c - 0.5 * np.log(c)                 # guilty
    def outer(i, c):
        return wg.fori_loop(0, 2, inner, c) - 1.0
    return wg.fori_loop(0, 3, outer, x)
# fmt: on

CASES = [
    (overflowing, 5.0, causes.OVERFLOW, (1,)),
    (cancelling, 1e-9, causes.CANCELLATION, (3,)),
    (leaving, 3.0, causes.DOMAIN, (3,)),
    (spinning, 1e-8, causes.CANCELLATION, (1,)),
    (each, np.array([1.0, 1e-8]), causes.CANCELLATION, (2,)),
    (branching, 1e-8, causes.CANCELLATION, ()),
    (meeting, 0.0, causes.KINK, (1,)),
    (stepping, 0.0, causes.JUMP, (3,)),
    (nested, 2.6, causes.DOMAIN, (1, 3)),
]


@pytest.mark.parametrize(("f", "x", "cause", "turns"), CASES, ids=[f.__name__ for f, *_ in CASES])
def test_the_line_in_the_body_and_the_turn_are_named(f, x, cause, turns):
    account = wg.explain(f)(x)
    found = [q for q in account.findings if q.cause == cause]
    assert found, account.text()
    lines, start = inspect.getsourcelines(f)
    guilty = next(start + n for n, text in enumerate(lines) if "# guilty" in text)
    assert {q.line.line for q in found} == {guilty}
    assert turns in {q.line.turns for q in found}
    if turns:
        assert f"in turn {turns[0]} of its loop" in account.text()
    assert json.loads(account.json())["findings"][0]["turns"] is not None


def test_lines_of_the_heat_map_are_told_once():
    account = wg.explain(overflowing)(5.0)
    assert len({(k.file, k.line) for k in account.heat}) == len(
        {k._replace(column=0, end_column=0) for k in account.heat}
    )


def test_long_loops_are_named_by_their_call():
    f = lambda x: wg.fori_loop(0, 2000, lambda i, c: (c + 1e8) - 1e8, x)
    assert wg.explain(f)(1e-9).findings[0].operation == "scan"


def test_decisions_of_python_beside_loops():
    def f(x):
        if x == 0:  # guilty
            return 0.0 * x
        return wg.fori_loop(0, 3, lambda i, c: 2 * c, x)

    def g(x):
        y = wg.fori_loop(0, 3, lambda i, c: 2 * c, x)
        if y == 0:
            return 0.0 * y
        return y

    for h in (f, g):
        found = wg.explain(h)(0.0).findings
        assert [q.cause for q in found] == [causes.EQUALITY]
        assert found[0].line.text.startswith("if")
        assert found[0].right == 8
