"""Special points are as tabled in `edges.py`: forward and reverse, on numbers and as programs."""

import math

import numpy as np
import pytest
from tests.laws.edges import CONVENTIONS, EDGES, INTEGERS, SECOND, inf, tiny

import wengert as wg
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.ops import PRIMITIVES
from wengert.ops.families import Elementwise
from wengert.testing import Sample
from wengert.testing.laws import cotangents_by_fast_road
from wengert.trace import program_of
from wengert.transforms import jvp, vjp


def arity(name):
    """How many arguments a primitive of the table takes."""
    return 2 if name == "scale" else len(PRIMITIVES[name].slopes)


ROWS = [pytest.param(n, row, id=f"{n}{row}") for n, rows in EDGES.items() for row in rows]
SLOPES = [
    pytest.param(n, r, id=f"{n}{r}")
    for n, rows in EDGES.items()
    for r in rows
    if len(r) > arity(n) + 1
]
BINARY64 = 4 * np.finfo(float).eps


def parted(name, row):
    """A row's arguments, value and slopes."""
    n = arity(name)
    return row[:n], row[n], row[n + 1 :]


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_the_value_is_as_tabled(name, row):
    args, value, _ = parted(name, row)
    with np.errstate(all="ignore"):
        y = PRIMITIVES[name].eval(*(np.asarray(a)[()] for a in args))
    np.testing.assert_allclose(y, value, rtol=BINARY64, atol=0)
    if name not in ("maximum", "minimum", "fmax", "fmin"):  # either zero will do
        assert math.isnan(value) or np.signbit(np.float64(y)) == np.signbit(np.float64(value))


@pytest.mark.parametrize("shape", [(), (2,)], ids=["number", "array"])
@pytest.mark.parametrize(("name", "row"), SLOPES)
def test_the_slopes_are_as_tabled(name, row, shape):
    args, _, slopes = parted(name, row)
    for n, slope in enumerate(slopes):
        if slope is None:
            continue
        moving = [m == n for m in range(len(args))]
        s = Sample(PRIMITIVES[name], [np.full(shape, a) for a in args], moving=moving)
        one = np.ones(shape)[()]
        s.gs = [one]
        with np.errstate(all="ignore"):
            roads = {
                "jvp": evaluate(jvp(s.program, moving), [*s.args, one])[1],
                "program": evaluate(vjp(s.program, moving), [*s.args, one])[1],
                "fast road": cotangents_by_fast_road(s)[0],
            }
        for road, found in roads.items():
            np.testing.assert_allclose(
                found, np.full(shape, slope), BINARY64, 0, err_msg=f"{road}, argument {n}"
            )


UFUNCS = [
    n
    for n, p in PRIMITIVES.items()
    if isinstance(p, Elementwise) and getattr(np, p.function.__name__, None) is p.function
]


@pytest.mark.parametrize("name", [n for n in UFUNCS if n not in INTEGERS])
def test_every_elementwise_function_of_numpy_is_tried_at_the_special_points(name):
    points = {str(a) for row in EDGES[name] for a in parted(name, row)[0]}
    assert points >= {str(x) for x in (0.0, -0.0, inf, -inf, tiny)}


@pytest.mark.parametrize(
    "name",
    [n for n in EDGES if n not in ("fmax", "fmin", "scale", "power", "float_power", "ldexp")],
)
def test_nan_goes_through(name):
    prim = PRIMITIVES[name]
    with np.errstate(invalid="ignore"):
        y = prim.eval(*[np.float64("nan")] * arity(name))
    assert y.dtype.kind in "bi" or np.isnan(y)


def on_every_road(f, x):
    """The gradient of `f` at `x` in forward and reverse mode, on numbers and as a program."""
    x = np.asarray(x)[()]
    basis = np.eye(x.size).reshape(x.size, *x.shape)
    program, captured = program_of(lambda x: [f(x)], [type_of(x)])
    with np.errstate(all="ignore"):
        moving = [True] + [False] * len(captured)
        one = program.out_types[0].dtype.type(1)
        pushed = jvp(program, moving)
        yield "reverse", wg.grad(f)(x)
        yield "forward", np.reshape([wg.jvp(f, (x,), (e[()],))[1] for e in basis], x.shape)
        yield "vjp program", evaluate(vjp(program, moving), [x, *captured, one])[1]
        yield (
            "jvp program",
            np.reshape([evaluate(pushed, [x, *captured, e[()]])[1] for e in basis], x.shape),
        )


@pytest.mark.filterwarnings("ignore::wengert.errors.NonFiniteWarning")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_convention_holds_on_every_road(name):
    f, x, slope = CONVENTIONS[name]
    for road, found in on_every_road(f, x):
        np.testing.assert_allclose(found, slope, rtol=BINARY64, atol=0, err_msg=road)


@pytest.mark.parametrize("name", SECOND)
def test_the_second_derivative_holds_on_every_road(name):
    f, x, second = SECOND[name]
    x = np.asarray(x)[()]
    basis = np.eye(x.size).reshape(x.size, *x.shape)
    with np.errstate(all="ignore"):
        orders = {
            "forward over reverse": [wg.jvp(wg.grad(f), (x,), (e[()],))[1] for e in basis],
            "reverse over reverse": [
                wg.grad(lambda x, e=e: np.sum(wg.grad(f)(x) * e))(x) for e in basis
            ],
            "reverse over forward": [
                wg.grad(lambda x, e=e: wg.jvp(f, (x,), (e[()],))[1])(x) for e in basis
            ],
            "forward over forward": [
                np.reshape(
                    [
                        wg.jvp(lambda x, e=e: wg.jvp(f, (x,), (e[()],))[1], (x,), (d[()],))[1]
                        for d in basis
                    ],
                    x.shape,
                )
                for e in basis
            ],
        }
    for order, found in orders.items():
        got = np.reshape(found, x.shape * 2)
        np.testing.assert_allclose(
            got, second, rtol=16 * BINARY64, atol=1e-15 if x.ndim else 0, err_msg=order
        )
