"""Programs are values: structure makes them equal, and nothing else."""

import pickle

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InternalError
from wengert.ir import Const, Eqn, Program, Var, type_of
from wengert.ir.check import check
from wengert.ir.evaluate import evaluate
from wengert.ops import PRIMITIVES

add, mul, sin, index = (PRIMITIVES[n] for n in ("add", "mul", "sin", "index"))
F64 = type_of(1.0)


def straight(*steps, inputs=1, outputs=1):
    """A program over f64 numbers: each step is a primitive and the places of its operands."""
    made = [Var(F64) for _ in range(inputs)]
    given, eqns = tuple(made), []
    for prim, *places in steps:
        ins = tuple(made[p] if isinstance(p, int) else p for p in places)
        made.append(Var(F64))
        eqns.append(Eqn(prim, ins, {}, (made[-1],)))
    return Program(given, eqns, made[-outputs:])


def test_equal_structure_is_equal():
    one, two = straight((mul, 0, 0), (sin, 1)), straight((mul, 0, 0), (sin, 1))
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two}) == 1


def test_names_and_lines_do_not_count():
    first = wg.program(lambda x: x * 2.0)(1.0)
    second = wg.program(lambda y: y * 2.0)(5.0)
    assert first.key == second.key
    assert str(first).split("#")[1] != ""


@pytest.mark.parametrize(
    "other",
    [
        straight((mul, 0, 0), (sin, 0)),
        straight((add, 0, 0), (sin, 1)),
        straight((mul, 0, 0)),
        straight((mul, 0, 0), (sin, 1), inputs=2),
        straight((mul, 0, 0), (sin, 1), outputs=2),
    ],
    ids=["operand", "primitive", "length", "inputs", "outputs"],
)
def test_other_structure_is_another_program(other):
    assert straight((mul, 0, 0), (sin, 1)) != other


def test_constants_count_by_their_bits_and_dtype():
    def times(c):
        return straight((mul, 0, Const(c)))

    assert times(np.float64(2)) == times(np.float64(2))
    assert times(np.float64("nan")) == times(np.float64("nan"))
    assert times(np.float64(0.0)) != times(np.float64(-0.0))
    assert times(np.float64(1)) != times(np.float32(1))


def test_parameters_count():
    x = np.arange(4.0)
    programs = [
        wg.program(f)(x)
        for f in (lambda x: x[1:], lambda x: x[:1], lambda x: x[1], lambda x: x[::-1])
    ]
    assert len(set(programs)) == 4
    assert wg.program(lambda x: x[1:])(x) == programs[0]


def test_a_python_constant_is_the_same_after_pickling():
    program = straight((mul, 0, Const(2.0)))
    again = pickle.loads(pickle.dumps(program))
    assert again == program
    assert evaluate(again, [3.0]) == [6.0]


def test_a_pickled_program_keeps_the_lines():
    program = wg.program(lambda x: x * np.sin(x))(1.0)
    again = pickle.loads(pickle.dumps(program))
    assert [str(again.line(e)) for e in again.eqns] == [str(program.line(e)) for e in program.eqns]
    assert "test_program.py" in str(again)


def test_a_variable_dies_at_its_last_use():
    program = straight((mul, 0, 0), (sin, 1), (add, 1, 2))
    x, (a, b, c) = program.inputs[0], [e.outputs[0] for e in program.eqns]
    assert program.dying == ((x,), (), (a, b))
    assert c in program.outputs


def test_an_unused_result_dies_where_it_is_made():
    program = straight((sin, 0), (mul, 0, 0))
    assert program.eqns[0].outputs[0] in program.dying[0]


# ---- legality ------------------------------------------------------------------------------------

x, y, z = Var(F64), Var(F64), Var(F64)
wide = Var(type_of(np.zeros(3)))


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (Program((x, x), (), (x,)), "input stands twice"),
        (
            Program((x,), [Eqn(mul, (x, y), {}, (z,))], (z,)),
            "mul uses a variable before it is made",
        ),
        (Program((x,), [Eqn(sin, (x,), {}, (wide,))], (wide,)), "sin gives"),
        (Program((x,), [Eqn(sin, (x,), {}, (y,)), Eqn(sin, (x,), {}, (y,))], (y,)), "made twice"),
        (Program((x,), [Eqn(sin, (x,), {}, (x,))], (x,)), "made twice"),
        (Program((x,), (), (y,)), "never made"),
        (
            Program((wide,), [Eqn(mul, (wide, Const(np.zeros(3))), {}, (Var(wide.type),))], ()),
            "no scalar",
        ),
    ],
    ids=["inputs", "order", "type", "twice", "input again", "output", "constant"],
)
def test_an_illegal_program_is_refused_and_shown(program, why):
    with pytest.raises(InternalError, match=why) as caught:
        check(program)
    assert "program(a: f64[" in str(caught.value)


def test_a_legal_program_comes_back_itself():
    program = straight((mul, 0, 0), (sin, 1))
    assert check(program) is program
