"""Each transform alone: a program goes in, a program comes out, and says what it should."""

import numpy as np
import pytest

from wengert.errors import NotDifferentiableError
from wengert.ir import Const, Eqn, Primitive, Program, Var, type_of
from wengert.ir.check import check
from wengert.ir.evaluate import evaluate
from wengert.ops import PRIMITIVES
from wengert.trace import Builder, program_of
from wengert.transforms import batch, jvp, linearize, reverse, split, sweep, transpose, vjp

X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.0, 3.0, -2.0])


def traced(f, *args):
    """The program of a function (which returns a list) without numbers."""
    program, captured = program_of(f, [type_of(a) for a in args])
    assert captured == []
    return check(program)


def names(program):
    """The primitives of a program, in order."""
    return [e.prim.name for e in program.eqns]


# ---- jvp -----------------------------------------------------------------------------------------


def test_tangents_come_after_the_results():
    program = jvp(traced(lambda x, y: [x * y, np.sin(x)], X, Y), [True, True])
    xy, sine, dxy, dsine = evaluate(check(program), [X, Y, np.ones(3), 2 * np.ones(3)])
    np.testing.assert_array_equal(xy, X * Y)
    np.testing.assert_array_equal(sine, np.sin(X))
    np.testing.assert_array_equal(dxy, Y + 2 * X)
    np.testing.assert_array_equal(dsine, np.cos(X))


def test_only_what_moves_is_pushed():
    program = jvp(traced(lambda x, y: [x * y, y + 1.0], X, Y), [True, False])
    assert len(program.inputs) == 3
    *_, first, second = evaluate(program, [X, Y, np.ones(3)])
    np.testing.assert_array_equal(first, Y)
    np.testing.assert_array_equal(second, np.zeros(3))


def test_integer_results_have_no_tangents():
    program = jvp(traced(lambda x: [np.argsort(x), x * 2.0, x > 0], X), [True])
    assert [t.dtype.kind for t in program.out_types] == ["i", "f", "b", "f"]


def test_a_result_that_is_an_argument_moves_as_it_does():
    program = jvp(traced(lambda x: [x, 1.5], X), [True])
    *_, dx, dc = evaluate(program, [X, Y])
    np.testing.assert_array_equal(dx, Y)
    assert dc == 0


# ---- split, linearize, transpose, vjp ------------------------------------------------------------


def test_split_puts_everything_known_into_the_first_part():
    program = traced(lambda x, y: [np.sin(x) * np.cos(x) + y, np.exp(x)], X, Y)
    first, second, flags = split(program, [True, False])
    assert names(first) == ["sin", "cos", "mul", "exp"]
    assert names(second) == ["add"]
    assert flags == [False, True]
    exp, *residuals = evaluate(check(first), [X])
    (total,) = evaluate(check(second), [*residuals, Y])
    np.testing.assert_array_equal(exp, np.exp(X))
    np.testing.assert_array_equal(total, np.sin(X) * np.cos(X) + Y)


def test_the_tangent_program_is_linear_and_keeps_only_what_it_needs():
    program = traced(lambda x: [np.sum(np.sin(np.exp(x)) * 3.0)], X)
    forward, tangent, count = linearize(program, [True])
    value, *residuals = evaluate(check(forward), [X])
    assert count == 1
    assert value == np.sum(np.sin(np.exp(X)) * 3)
    assert len(residuals) == 2  # exp x and cos exp x

    def push(dx):
        return evaluate(check(tangent), [*residuals, dx])[0]

    np.testing.assert_allclose(push(2 * X - 3 * Y), 2 * push(X) - 3 * push(Y))


def test_transposing_twice_gives_the_program_back():
    program = traced(lambda x: [np.sum(x[1:] * 2.0) + x[0], x[::-1] * 3.0], X)
    once = check(transpose(program, [True]))
    (g,) = evaluate(once, [np.float64(5), Y])
    np.testing.assert_array_equal(g, [5, 10, 10] + 3 * Y[::-1])
    again = check(transpose(once, [True, True]))
    for a, b in zip(evaluate(again, [X]), evaluate(program, [X]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_input_that_nothing_depends_on_gets_zeros():
    program = vjp(traced(lambda x, y: [np.sum(x)], X, Y), [True, True])
    _, gx, gy = evaluate(program, [X, Y, np.float64(2)])
    np.testing.assert_array_equal(gx, [2, 2, 2])
    np.testing.assert_array_equal(gy, np.zeros(3))


def test_a_constant_result_gives_zeros():
    program = vjp(traced(lambda x: [1.5], X), [True])
    np.testing.assert_array_equal(evaluate(program, [X, np.float64(1)])[1], np.zeros(3))


def test_the_transposed_program_does_what_is_known_first():
    program = traced(lambda x, y: [np.sin(y) * x], X, Y)
    (g,) = evaluate(check(transpose(program, [True, False])), [Y, X])
    np.testing.assert_array_equal(g, np.sin(Y) * X)


def test_what_is_not_linear_has_no_transpose():
    argsort, gather = PRIMITIVES["argsort"], PRIMITIVES["gather"]

    class Opaque(Primitive):
        name = "opaque"

        def typeof(self, x):
            return x

        def eval(self, x):
            return x

    program = traced(lambda x: [Opaque()(x)], X)
    with pytest.raises(NotDifferentiableError, match="opaque has no transpose"):
        transpose(program, [True])
    with pytest.raises(NotDifferentiableError, match="opaque has no derivative rule"):
        jvp(program, [True])
    sort = traced(lambda x: [gather(x, argsort(x, axis=0))], X)  # integers in between do no harm
    np.testing.assert_array_equal(
        evaluate(vjp(sort, [True]), [X, Y])[1], Y[np.argsort(np.argsort(X))]
    )


# ---- batch ---------------------------------------------------------------------------------------


def test_every_result_of_a_batch_has_the_new_axis():
    program = batch(traced(lambda x, y: [x * y, np.cos(y), 2.5, y], X, Y), [True, False], 2)
    assert [t.shape for t in check(program).out_types] == [(2, 3), (2, 3), (2,), (2, 3)]
    xs = np.stack([X, 2 * X])
    product, cosine, constant, same = evaluate(program, [xs, Y])
    np.testing.assert_array_equal(product, xs * Y)
    np.testing.assert_array_equal(cosine, [np.cos(Y)] * 2)
    np.testing.assert_array_equal(constant, [2.5, 2.5])
    np.testing.assert_array_equal(same, [Y, Y])


def test_what_does_not_vary_is_computed_once():
    program = batch(traced(lambda x, y: [x * np.cos(y)], X, Y), [True, False], 50)
    (cosine,) = (e for e in program.eqns if e.prim.name == "cos")
    assert cosine.outputs[0].type.shape == (3,)


def test_a_batch_of_batches_has_two_axes():
    program = traced(lambda x, a: [a @ np.sin(x)], X, np.zeros((2, 3)))
    twice = check(batch(batch(program, [True, False], 4), [False, True], 5))
    draw = np.random.default_rng(0)
    xs, a = draw.standard_normal((4, 3)), draw.standard_normal((5, 2, 3))
    np.testing.assert_allclose(evaluate(twice, [xs, a])[0], np.einsum("bij,kj->bki", a, np.sin(xs)))


def test_a_primitive_without_a_batch_rule_is_repeated():
    class Lonely(Primitive):
        name = "lonely"

        def typeof(self, x):
            return x

        def eval(self, x):
            assert x.shape == (3,)
            return np.sort(x)

    program = check(batch(traced(lambda x: [Lonely()(x)], X), [True], 2))
    xs = np.stack([X, -X])
    np.testing.assert_array_equal(evaluate(program, [xs])[0], np.sort(xs))


# ---- sweep ---------------------------------------------------------------------------------------


def test_equal_equations_are_merged_and_dead_ones_dropped():
    def f(x):
        np.exp(x)
        return [np.sin(x) * np.sin(x) + np.sin(x)]

    assert names(sweep(traced(f, X))) == ["sin", "mul", "add"]


def test_merging_goes_through_what_was_merged():
    program = traced(lambda x: [np.cos(np.sin(x) * 2.0), np.cos(np.sin(x) * 2.0)], X)
    swept = sweep(program)
    assert names(swept) == ["sin", "mul", "cos"]
    assert swept.outputs[0] is swept.outputs[1]


def test_constants_are_merged_by_their_bits_only():
    def f(x):
        return [np.copysign(1.0, x * 0.0) + np.copysign(1.0, x * -0.0)]

    assert names(sweep(traced(f, X))).count("mul") == 2


def test_scalar_constants_are_computed_by_their_own_primitive():
    x, a, b = (Var(type_of(np.float32(1))) for _ in range(3))
    third = Const(np.float32(1 / 3))
    program = Program(
        (x,),
        [
            Eqn(PRIMITIVES["mul"], (third, third), {}, (a,)),
            Eqn(PRIMITIVES["add"], (x, a), {}, (b,)),
        ],
        (b,),
    )
    swept = sweep(check(program))
    assert names(swept) == ["add"]
    assert (
        swept.eqns[0].inputs[1].value.tobytes() == (np.float32(1 / 3) * np.float32(1 / 3)).tobytes()
    )


def test_sweeping_twice_changes_nothing_more():
    program = vjp(traced(lambda x: [np.sum(np.tanh(x) ** 3) * np.sum(np.tanh(x))], X), [True])
    assert sweep(program) == program


# ---- reverse: the fast road ----------------------------------------------------------------------


def recorded(f, *args):
    """A builder with numbers, the handles of its inputs, and the results."""
    builder = Builder(saving=True)
    handles = [builder.input(type_of(a), a) for a in args]
    return builder, handles, f(*handles)


def test_what_is_not_reached_is_none():
    builder, (x, y), z = recorded(lambda x, y: np.sin(x), X, Y)
    gx, gy = reverse(builder, [z.node], [np.ones(3)], [x.node, y.node])
    np.testing.assert_array_equal(gx, np.cos(X))
    assert gy is None


def test_cotangents_of_several_results_add_up():
    builder, (x,), (a, b) = recorded(lambda x: (np.sin(x), x * 3.0), X)
    (g,) = reverse(builder, [a.node, b.node, a.node], [np.ones(3), np.ones(3), Y], [x.node])
    np.testing.assert_allclose(g, np.cos(X) * (1 + Y) + 3)


def test_a_source_may_lie_in_the_middle():
    builder, (x,), (middle, end) = recorded(lambda x: (m := np.sin(x), m * m), X)
    gx, gm = reverse(builder, [end.node], [np.ones(3)], [x.node, middle.node])
    np.testing.assert_allclose(gm, 2 * np.sin(X))
    np.testing.assert_allclose(gx, 2 * np.sin(X) * np.cos(X))


def test_the_walk_may_be_repeated():
    builder, (x,), y = recorded(lambda x: np.cumsum(x * x)[1:], X)
    first, second = (
        reverse(builder, [y.node], [np.array([1.0, 2.0])], [x.node])[0] for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_given_cotangents_are_not_overwritten():
    def f(x):
        y = x * 1.0
        y[0] = x[1]
        return y

    builder, (x,), y = recorded(f, X)
    g = np.ones(3)
    (gx,) = reverse(builder, [y.node], [g], [x.node])
    np.testing.assert_array_equal(gx, [0, 2, 1])
    np.testing.assert_array_equal(g, np.ones(3))


class OnlyForward(Primitive):
    """exp, which knows its slope in forward direction, by its result alone."""

    name = "only_forward"

    def typeof(self, x):
        return x

    def eval(self, x):
        return np.exp(x)

    def reads(self, wanted):
        return False, True

    def jvp(self, dxs, xs, ys):
        return (dxs[0] * ys[0],)


def test_a_pullback_is_derived_from_a_jvp_that_reads_the_result_alone():
    builder, (x,), y = recorded(OnlyForward(), X)
    np.testing.assert_array_equal(reverse(builder, [y.node], [Y], [x.node])[0], Y * np.exp(X))
    program = vjp(traced(lambda x: [OnlyForward()(x)], X), [True])
    np.testing.assert_array_equal(evaluate(program, [X, Y])[1], Y * np.exp(X))
