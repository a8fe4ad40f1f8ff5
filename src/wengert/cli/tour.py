"""`wengert tour`: what this is, on one screen, with everything run in front of the reader."""

from __future__ import annotations

import argparse
import doctest
import io
import linecache
import sys
import time
from contextlib import redirect_stdout

from wengert.cli.failure import FINE
from wengert.cli.output import say

TEXT = """\
A function, in plain NumPy. Nothing about it is special.

>>> import numpy as np
>>> import wengert as wg
>>> def energy(x):
...     return np.sum(np.sin(x) ** 2)

Its gradient, exact to rounding:

>>> x = np.array([0.0, 0.5, 1.0])
>>> wg.grad(energy)(x)

Loops, branches, writing in place: it is your Python that runs.

>>> def steps(x):
...     y = np.zeros(3)
...     for k in range(3):
...         y[k] = x[k] ** 2 if x[k] > 0.4 else x[k]
...     return y
>>> wg.jacobian(steps)(x)

How? It writes down what your function did, a list of equations, and walks that list backwards.

>>> def f(x):
...     return x * np.exp(-x)
>>> print(wg.trace_table(f)(2.0))

Where a derivative does not exist you get a written answer; of a zero, the reason.

>>> print(wg.grad(np.abs)(0.0))
>>> print(wg.explain_zero(lambda x: 3 * np.maximum(x, 0))(-1.0))

To go on: wg.draw(f)(x), wg.page(f)(x).open(), wengert --help, and the page docs/everything.md.
"""


def tour_command(options: argparse.Namespace) -> int:
    """Print the tour; each example is run as it is shown."""
    names: dict[str, object] = {}
    parser = doctest.DocTestParser()
    pause = 0.0 if options.fast or not sys.stdout.isatty() else 0.6
    for n, part in enumerate(parser.parse(TEXT)):
        if isinstance(part, str):
            if part.strip():
                say(f"\n{part.strip()}\n")
            continue
        lines = part.source.rstrip("\n").split("\n")
        say("\n".join((">>> " if k == 0 else "... ") + line for k, line in enumerate(lines)))
        place = f"<tour {n}>"  # where the lines that it names can be read
        linecache.cache[place] = len(part.source), None, part.source.splitlines(True), place
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(part.source, place, "single"), names)
        if out.getvalue().strip():
            say(out.getvalue().rstrip("\n"))
        time.sleep(pause)
    return FINE
