"""Every stable row is an identity: balls of both sides meet wherever both are sharp."""

import numpy as np
import pytest

from wengert.ir.program import Program
from wengert.ir.types import ArrayType
from wengert.ops.literal import literal_inputs
from wengert.ops.shape import broadcast
from wengert.rewrites import stable
from wengert.rewrites.modulo import Reduced
from wengert.rewrites.rule import Equation, Wild
from wengert.rewrites.stabilise import Site, rewritten, sites
from wengert.trace.trace import program_of
from wengert.trust.balls.evaluate import evaluate
from wengert.trust.balls.number import precision

F64 = np.dtype(float)


def names_in(pattern):
    if isinstance(pattern, Wild):
        return [] if pattern.name == "axes" else [pattern.name]
    if isinstance(pattern, Reduced):
        return names_in(pattern.equation)
    if isinstance(pattern, Equation):
        return list(dict.fromkeys(n for a in pattern.args for n in names_in(a)))
    return []


def reduces(pattern):
    inner = pattern.args if isinstance(pattern, Equation) else ()
    return isinstance(pattern, Reduced) or any(map(reduces, inner))


def program_for(pattern):
    """What a user would write who means the pattern: rows of 3 where it reduces, a number elsewhere."""
    names = [n for n in names_in(pattern) if n != "c"]
    shape = (2, 3) if reduces(pattern) else ()

    def build(p, env, full):
        if isinstance(p, Wild):
            return env[p.name]
        if isinstance(p, Reduced):  # as keepdims and broadcasting leave it
            e = p.equation
            y = e.prim(*(build(a, env, full) for a in e.args), axes=(1,))
            return broadcast(y, shape=full, dims=(0,))
        if isinstance(p, Equation):
            return p.prim(*(build(a, env, full) for a in p.args), **p.params)
        return float(p)

    def f(*xs):
        return [build(pattern, {**dict(zip(names, xs, strict=True)), "c": 0.75}, shape)]

    program, captured = program_of(f, [ArrayType.of(shape, F64)] * len(names), name="pattern")
    return literal_inputs(program, captured)


def points(count, shape, rng):
    for k in range(30):
        low, high = ((0.02, 0.6), (-0.6, 0.6), (0.7, 3.0), (1.5, 40.0), (-3.0, -0.1))[k % 5]
        yield [rng.uniform(low, high, shape)[()] for _ in range(count)]


def balls_of(program: Program, point):
    with precision(200):
        (y,) = evaluate(program, point)
    return list(np.asarray(y, object).ravel())


@pytest.mark.parametrize("row", stable.ROWS, ids=lambda r: r.says)
def test_both_sides_are_equal_in_the_reals(row):
    before = program_for(row.left)
    last = len(before.eqns) - 1
    assert any(s.position == last and s.row is row for s in sites(before)), before
    after = rewritten(before, Site((), last, row))
    order = list(range(len(before.inputs)))
    assert after is not None
    assert after.out_types == before.out_types
    rng = np.random.default_rng(0)
    met = 0
    for point in points(len(before.inputs), before.in_types[0].shape, rng):
        left = balls_of(before, point)
        right = balls_of(after, [point[k] for k in order])
        for a, b in zip(left, right, strict=True):
            sharp = a.is_finite() and b.is_finite() and a.rel_accuracy_bits() > 40
            if sharp and b.rel_accuracy_bits() > 40:
                met += 1
                # (1/π and the like are written as floats: equal to their last digit)
                assert abs(a - b) <= abs(a) * 1e-14, f"{a} is not {b} at {point}"
    assert met >= 6
