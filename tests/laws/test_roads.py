"""One derivative, two roads: the walk on numbers and the transformed program agree on everything."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.cases import CASES
from tests.laws.libraries import assert_repeats
from tests.laws.programs import PROGRAMS

import wengert as wg
from wengert.ir.check import check
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.testing.differences import directional, flat
from wengert.trace import program_of
from wengert.transforms import batch, jvp, linearize, sweep, transpose, vjp

CLOSE = {"rtol": 1e-11, "atol": 1e-13}
every_program = pytest.mark.parametrize("name", PROGRAMS)


def traced(name):
    """A program without numbers, its arguments with those it captured, and which of them move."""
    f, args = PROGRAMS[name]
    args = [np.asarray(a)[()] for a in args]
    if name == "a branch":  # needs numbers for its `if`
        program = wg.program(f)(*args)
        return program, args, [True] * len(args)
    program, captured = program_of(lambda *xs: [f(*xs)], [type_of(a) for a in args])
    return check(program), [*args, *captured], [True] * len(args) + [False] * len(captured)


def gradient(name):
    """The gradient by un-jitted `grad`."""
    f, args = PROGRAMS[name]
    return wg.grad(f, argnums=tuple(range(len(args))))(*args)


def derived(program, moving):
    """Every program that the transforms make of one."""
    forward, tangent, _ = linearize(program, moving)
    residuals = len(tangent.inputs) - sum(moving)
    return {
        "jvp": jvp(program, moving),
        "vjp": vjp(program, moving),
        "forward": forward,
        "tangent": tangent,
        "backward": transpose(tangent, [False] * residuals + [True] * sum(moving)),
        "batch": batch(program, moving, 2),
        "jvp of vjp": jvp(vjp(program, moving), [*moving, False]),
        "vjp of jvp": vjp(jvp(program, moving), [*moving, *[False] * sum(moving)]),
        "batch of vjp": batch(vjp(program, moving), [*moving, False], 2),
    }


def arguments(program, given):
    """Numbers for a derived program: those of the primal first, then made-up ones."""
    draw = np.random.default_rng(1)
    found = []
    for n, t in enumerate(program.in_types):
        x = given[n] if n < len(given) else None
        if x is None or type_of(x) != t:
            x = draw.uniform(0.25, 1.25, t.shape)
            x = x.astype(t.dtype)[()] if t.inexact else np.ones(t.shape, t.dtype)[()]
        found.append(x)
    return found


@every_program
def test_the_program_computes_what_numpy_computes(name):
    f, args = PROGRAMS[name]
    program, given, _ = traced(name)
    np.testing.assert_allclose(evaluate(program, given)[0], f(*args), rtol=1e-14)


@every_program
def test_the_fast_road_and_the_vjp_program_agree(name):
    program, given, moving = traced(name)
    _, *found = evaluate(check(vjp(program, moving)), [*given, np.float64(1)])
    for a, b in zip(gradient(name), found, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@every_program
def test_reverse_and_forward_agree(name):
    f, args = PROGRAMS[name]
    program, given, moving = traced(name)
    pushed = jvp(program, moving)
    for n, g in enumerate(gradient(name)):
        for k in np.ndindex(np.shape(g)):
            dxs = [np.zeros(np.shape(a)) for a in args]
            dxs[n][k] = 1
            dxs = [dx[()] for dx in dxs]
            found = (
                evaluate(pushed, [*given, *dxs])[1],
                wg.jvp(f, args, dxs)[1],
                wg.linearize(f, *args)[1](*dxs),
            )
            np.testing.assert_allclose(found, [np.asarray(g)[k]] * 3, **CLOSE)


@every_program
def test_the_gradient_is_the_slope(name):
    f, args = PROGRAMS[name]
    draw = np.random.default_rng(2)
    dxs = [draw.standard_normal(np.shape(a)) for a in args]
    slope, error = directional(
        lambda *xs: flat([f(*xs)]), [np.asarray(a)[()] for a in args], dxs, 1e-3
    )
    ours = sum(np.sum(g * dx) for g, dx in zip(gradient(name), dxs, strict=True))
    assert error < 1e-6
    np.testing.assert_allclose(ours, slope, rtol=1e-7, atol=10 * error[0])


@every_program
def test_derived_programs_are_legal_and_keep_their_lines(name):
    program, _, moving = traced(name)
    for what, made in derived(program, moving).items():
        assert check(made) is made
        known = [made.line(e) for e in made.eqns if e.origin >= 0]
        assert what in ("tangent", "forward") or known
        assert all(
            line.file.endswith(("programs.py", "test_roads.py"))
            for line in known
            if line is not None
        )


@every_program
def test_a_pickled_program_is_the_same_program(name):
    program, given, moving = traced(name)
    for made in [program, *derived(program, moving).values()]:
        again = pickle.loads(pickle.dumps(made))
        assert again.key == made.key
        assert hash(again) == hash(made)
        assert str(again) == str(made)
        args = arguments(made, given)
        with np.errstate(all="ignore"):
            assert_repeats(evaluate(again, args), evaluate(made, args), made)


@every_program
def test_sweeping_changes_no_bit(name):
    program, given, moving = traced(name)
    for made in [program, *derived(program, moving).values()]:
        swept = check(sweep(made))
        assert len(swept.eqns) <= len(made.eqns)
        args = arguments(made, given)
        with np.errstate(all="ignore"):
            assert_repeats(evaluate(swept, args), evaluate(made, args), made)


@every_program
def test_a_batch_of_gradients_is_a_loop_of_gradients(name):
    program, given, moving = traced(name)
    back = vjp(program, moving)
    rows = [
        [a * (1 + k / 64) if m else a for a, m in zip(given, moving, strict=True)] for k in range(3)
    ]
    if name == "a branch":
        rows = [rows[0]] * 3
    stacked = [
        np.stack(c) if m else c[0] for c, m in zip(zip(*rows, strict=True), moving, strict=True)
    ]
    together = evaluate(check(batch(back, [*moving, False], 3)), [*stacked, np.float64(1)])
    alone = [evaluate(back, [*row, np.float64(1)]) for row in rows]
    for k, y in enumerate(together):
        np.testing.assert_allclose(y, np.stack([ys[k] for ys in alone]), **CLOSE)


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.differentiable])
@settings(max_examples=5)
@given(data=st.data())
def test_programs_of_primitives_survive_pickling_and_sweeping(name, data):
    s = data.draw(CASES[name].samples(name))
    for make in (jvp, vjp):
        made = make(s.program, s.moving)
        again, swept = pickle.loads(pickle.dumps(made)), check(sweep(made))
        assert again.key == made.key
        more = s.dxs if make is jvp else s.gs
        with np.errstate(all="ignore"):
            first = evaluate(made, [*s.args, *more])
            for other in (again, swept):
                assert_repeats(evaluate(other, [*s.args, *more]), first, made)
