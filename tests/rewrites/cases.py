"""For every row of the table of rewrites, a program in which it applies: (function, types)."""

from __future__ import annotations

import numpy as np

from wengert.ir.types import ArrayType
from wengert.ops.arithmetic import (
    absolute,
    add,
    conj,
    convert,
    div,
    imag,
    mul,
    neg,
    power,
    real,
    square,
    sub,
)
from wengert.ops.compare import logical_and, logical_not, logical_or, maximum, minimum, select
from wengert.ops.families import scale
from wengert.ops.index import accumulate, gather, index, part, update
from wengert.ops.reduce import max_, min_, sum_
from wengert.ops.shape import broadcast, concat, flip, pad, permute, reshape, stack

F, C, I, B = (np.dtype(t) for t in (float, complex, int, bool))


def f(*shape: int) -> ArrayType:
    return ArrayType.of(shape, F)


def b(*shape: int) -> ArrayType:
    return ArrayType.of(shape, B)


S = slice
ROUND = np.array([1.0, 2.0, 3.0])
ORDER = np.array([3, 1, 2, 0])


def zeros(x, shape):
    """Zeros that are an equation: of the trace that x belongs to."""
    return x.builder.record(broadcast, (0.0,), {"shape": shape, "dims": ()})


CASES = {
    "x · 1 = x": (lambda x: mul(1.0, x), [f(3)]),
    "x / 1 = x": (lambda x: div(x, 1.0), [f(3)]),
    "x ^ 1 = x": (lambda x: power(x, 1.0), [f(3)]),
    "x ^ 0 = 1": (lambda x: power(x, 0.0), [f(3)]),
    "x ^ 2 = x²": (lambda x: power(x, 2.0), [f(3)]),
    "x / 2ⁿ = x · 2⁻ⁿ": (lambda x: div(x, 8.0), [f(3)]),
    "x - 0 = x": (lambda x: sub(x, 0.0), [f(3)]),
    "x + -0 = x": (lambda x: add(-0.0, x), [f(3)]),
    "-0 - x = -x": (lambda x: sub(-0.0, x), [f(3)]),
    "-(-x) = x": (lambda x: neg(neg(x)), [f(3)]),
    "x · -1 = -x": (lambda x: mul(x, -1.0), [f(3)]),
    "x - (-y) = x + y": (lambda x, y: sub(x, neg(y)), [f(3), f(3)]),
    "x + (-y) = x - y": (lambda x, y: add(neg(y), x), [f(3), f(3)]),
    "(-x) · (-y) = x · y": (lambda x, y: mul(neg(x), neg(y)), [f(3), f(3)]),
    "(-x) / (-y) = x / y": (lambda x, y: div(neg(x), neg(y)), [f(3), f(3)]),
    "(-x) · c = x · (-c)": (lambda x: mul(3.0, neg(x)), [f(3)]),
    "-(x · c) = x · (-c)": (lambda x: neg(mul(x, 3.0)), [f(3)]),
    "(-x)² = x²": (lambda x: square(neg(x)), [f(3)]),
    "|x|² = x²": (lambda x: square(absolute(x)), [f(3)]),
    "|-x| = |x|": (lambda x: absolute(neg(x)), [f(3)]),
    "||x|| = |x|": (lambda x: absolute(absolute(x)), [f(3)]),
    "scale(1, x) = x": (lambda x: scale(1.0, x), [f(3)]),
    "scale(0, x) = 0": (lambda x: scale(0.0, x), [f(3)]),
    "scale(c, x) = x · c, c ≠ 0": (lambda x: scale(3.0, x), [f(3)]),
    "scale(x, y) = x · y, y finite": (lambda x, y: scale(x, convert(y, dtype=F)), [f(3), b(3)]),
    "scale(-x, -y) = scale(x, y)": (lambda x, y: scale(neg(x), neg(y)), [f(3), f(3)]),
    "where(c, x, y) = x or y": (lambda x, y: select(True, x, y), [f(3), f(3)]),
    "where(z, x, x) = x": (lambda z, x: select(z, x, x), [b(3), f(3)]),
    "where(not z, x, y) = where(z, y, x)": (
        lambda z, x, y: select(logical_not(z), x, y),
        [b(3), f(3), f(3)],
    ),
    "max(x, x) = x": (lambda x: maximum(x, x), [f(3)]),
    "min(x, x) = x": (lambda x: minimum(x, x), [f(3)]),
    "not not x = x": (lambda x: logical_not(logical_not(x)), [b(3)]),
    "x and true = x": (lambda x: logical_and(True, x), [b(3)]),
    "x or false = x": (lambda x: logical_or(x, False), [b(3)]),
    "the dtype that it has": (lambda x: convert(x, dtype=F), [f(3)]),
    "convert twice": (lambda x: convert(convert(x, dtype=C), dtype=np.dtype("f4")), [f(3)]),
    "conj(conj(x)) = x": (lambda x: conj(conj(x)), [ArrayType.of((3,), C)]),
    "re(x + 0i) = x": (lambda x: real(convert(x, dtype=C)), [f(3)]),
    "im(x + 0i) = 0": (lambda x: imag(convert(x, dtype=C)), [f(3)]),
    "f of what repeats": (
        lambda x, y: mul(
            broadcast(x, shape=(4, 3), dims=(1,)), broadcast(y, shape=(4, 3), dims=(1,))
        ),
        [f(3), f(3)],
    ),
    "nothing repeated": (lambda x: broadcast(x, shape=(3, 2), dims=(0, 1)), [f(3, 2)]),
    "repeated twice": (
        lambda x: broadcast(broadcast(x, shape=(3, 2), dims=(0,)), shape=(2, 4, 3), dims=(2, 0)),
        [f(3)],
    ),
    "new axes, then repeated": (
        lambda x: broadcast(reshape(x, shape=(3, 1)), shape=(3, 5), dims=(0, 1)),
        [f(3)],
    ),
    "repeated, then new axes": (
        lambda x: reshape(broadcast(x, shape=(3, 4), dims=(0,)), shape=(3, 1, 4)),
        [f(3)],
    ),
    "the shape that it has": (lambda x: reshape(x, shape=(3, 2)), [f(3, 2)]),
    "reshaped twice": (lambda x: reshape(reshape(x, shape=(2, 6)), shape=(4, 3)), [f(3, 4)]),
    "no axis moved": (lambda x: permute(x, axes=(0, 1)), [f(3, 4)]),
    "axes moved twice": (
        lambda x: permute(permute(x, axes=(1, 2, 0)), axes=(1, 2, 0)),
        [f(2, 3, 4)],
    ),
    "repeated, then moved": (
        lambda x: permute(broadcast(x, shape=(4, 3), dims=(1,)), axes=(1, 0)),
        [f(3)],
    ),
    "axes of extent 1 moved": (lambda x: permute(x, axes=(1, 0, 2)), [f(3, 1, 4)]),
    "reversed twice": (lambda x: flip(flip(x, axes=(0,)), axes=(0,)), [f(3)]),
    "no padding": (lambda x: pad(x, low=(0,), high=(0,)), [f(3)]),
    "joined alone": (lambda x: concat(x, axis=0), [f(3)]),
    "a literal of one value": (lambda x: add(x, np.full(700, 3.0)), [f(700)]),
    "all is read": (lambda x: index(x, at=(S(0, 9),)), [f(3, 2)]),
    "a part as it is": (lambda x: part(x, at=(1,)), [f(3)]),
    "read twice": (lambda x: index(index(x, at=(S(None, None, -2), 1)), at=(S(1, 3),)), [f(7, 2)]),
    "read of what repeats": (
        lambda x: index(broadcast(x, shape=(4, 3), dims=(1,)), at=(2, S(1, None))),
        [f(3)],
    ),
    "read where it was written": (
        lambda x, y: index(update(x, y, at=(S(1, 3),)), at=(S(-3, 3),)),
        [f(4), f(2)],
    ),
    "read of padding, or of none": (
        lambda x: index(pad(x, low=(2,), high=(1,)), at=(S(4, 1, -1),)),
        [f(3)],
    ),
    "read of one that is stacked": (
        lambda x, y: index(stack(x, y, axis=1), at=(S(1, None), 1)),
        [f(3), f(3)],
    ),
    "read of one that is joined": (
        lambda x, y: index(concat(x, y, axis=0), at=(S(3, 5),)),
        [f(3), f(3)],
    ),
    "gathered in steps": (lambda x: gather(x, np.array([3, 1]), axis=0, merged=1), [f(4)]),
    "gathered twice": (
        lambda x: gather(gather(x, ORDER, axis=0, merged=1), ORDER[[2, 0, 1]], axis=0, merged=1),
        [f(4)],
    ),
    "all is overwritten": (lambda x, y: update(x, y, at=(S(None),)), [f(3), f(3)]),
    "written into zeros": (lambda y: update(zeros(y, (4, 2)), y, at=(S(1, 3), 1)), [f(2)]),
    "added to zeros": (lambda y: accumulate(zeros(y, (4, 2)), y, at=(S(1, 3), 1)), [f(2)]),
    "a sum over no axis": (lambda x: sum_(x, axes=()), [f(3)]),
    "a sum of a sum": (lambda x: sum_(sum_(x, axes=(1,)), axes=(1,)), [f(2, 3, 4)]),
    "Σ -x = -Σ x": (lambda x: sum_(neg(x), axes=(0,)), [f(3, 2)]),
    "Σ of what repeats = n · x": (
        lambda x: sum_(broadcast(x, shape=(5, 3), dims=(1,)), axes=(0, 1)),
        [f(3)],
    ),
    "Σ of x and padding": (lambda x: sum_(pad(x, low=(1, 0), high=(2, 0)), axes=(0,)), [f(3, 2)]),
    "Σ after a move of axes": (
        lambda x: sum_(permute(x, axes=(2, 0, 1)), axes=(2,)),
        [f(2, 3, 4)],
    ),
    "max of what repeats": (
        lambda x: max_(broadcast(x, shape=(5, 3), dims=(1,)), axes=(0, 1)),
        [f(3)],
    ),
    "min of what repeats": (
        lambda x: min_(broadcast(x, shape=(3, 4), dims=(0,)), axes=(1,)),
        [f(3)],
    ),
}
