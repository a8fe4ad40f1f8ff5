"""Printed programs, kept in text files: a change of what is recorded or derived shows as a diff.

`pytest tests/golden --accept` renews the files; read the diff before you commit it.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from wengert.ir.types import type_of
from wengert.trace import program_of
from wengert.transforms import batch, jvp, linearize, sweep, vjp

HERE = Path(__file__).parent


def square(x):
    return x * x + 3.0


def layer(weights, bias, x):
    hidden = np.tanh(x @ weights + bias)
    return np.sum(hidden)


def softplus(x):
    right = x + np.log1p(np.exp(-x))
    left = np.log1p(np.exp(x))
    return np.mean(np.where(x > 0, right, left))


def differences(x):
    return np.sum((x[1:] - x[:-1]) ** 2)


def twice(x):
    a = np.sin(x) * np.sin(x)
    _ = np.exp(x)
    return a + np.sqrt(2.0) * np.sin(x)


def filled(x):
    y = 2 * x
    y[0] = x[-1] ** 2
    y[1:] += x[:-1]
    return np.sum(y)


POINTS = {
    filled: (np.zeros(4),),
    square: (2.0,),
    layer: (np.zeros((3, 2)), np.zeros(2), np.zeros((4, 3))),
    softplus: (np.zeros(5, np.float32),),
    differences: (np.zeros(6),),
    twice: (1.0,),
}


def printed(f, args):
    """A function's program and what the transforms make of it, with lines that do not depend on numbers."""
    program, _ = program_of(lambda *xs: [f(*xs)], [type_of(a) for a in args], name=f.__name__)
    moving = [True] * len(args)
    forward, tangent, _ = linearize(program, moving)
    made = [program, sweep(program), jvp(program, moving), vjp(program, moving), forward, tangent]
    made.append(batch(program, [True] + [False] * (len(args) - 1), 8))
    titles = [
        "traced",
        "swept",
        "jvp",
        "vjp",
        "linearize: forward",
        "linearize: tangent",
        "batch of 8 in the first argument",
    ]
    text = "\n\n".join(f"## {title}\n{p}" for title, p in zip(titles, made, strict=True))
    return re.sub(r"# (\S+\.py):\d+", r"# \1", text) + "\n"


@pytest.mark.parametrize("f", POINTS, ids=lambda f: f.__name__)
def test_the_printed_programs_are_as_accepted(f, accept):
    path = HERE / f"{f.__name__}.txt"
    text = printed(f, POINTS[f])
    if accept:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        "look at the diff; if it is meant: pytest tests/golden --accept"
    )


def test_every_text_belongs_to_a_function():
    assert {p.stem for p in HERE.glob("*.txt")} == {f.__name__ for f in POINTS}
