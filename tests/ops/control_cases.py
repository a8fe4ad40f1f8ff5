"""Functions with control flow, each beside the same function in plain Python, to be held together.

All take three floats to an array of floats, and are smooth where they are tried.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import wengert as wg

W = np.array([[0.5, -0.3, 0.2], [0.1, 0.4, -0.6], [-0.2, 0.3, 0.1]])


class Case(NamedTuple):
    """A function by wg's control flow, and its twin by Python's."""

    flow: Callable[..., Any]
    plain: Callable[..., Any]
    x: tuple[float, float, float] = (0.7, 1.3, 0.4)


# ---- branches ----------------------------------------------------------------------------------------


def branch(x):
    return wg.cond(x[0] > x[1], lambda y: np.sin(y) * x[2], lambda y: y**2 / x[0], x)


def branch_plain(x):
    return np.sin(x) * x[2] if x[0] > x[1] else x**2 / x[0]


def branches_leave_different_residuals(x):
    def long(y):
        return np.exp(np.sin(y) * y[0]) @ W, np.cos(y[1])

    return np.append(*wg.cond(np.sum(x) > 1, long, lambda y: (y * 2.0, y[2]), x))


def branches_leave_different_residuals_plain(x):
    if np.sum(x) > 1:
        return np.append(np.exp(np.sin(x) * x[0]) @ W, np.cos(x[1]))
    return np.append(x * 2.0, x[2])


# ---- loops of known length ---------------------------------------------------------------------------


def power_series(x):
    return wg.fori_loop(0, 6, lambda i, s: s * x / (i + 1.0) + np.sin(x), 1.0 + 0 * x)


def power_series_plain(x):
    s = 1.0 + 0 * x
    for i in range(6):
        s = s * x / (i + 1.0) + np.sin(x)
    return s


def recurrent_net(x):
    inputs = np.stack([np.sin(x * k) for k in range(1, 6)])

    def cell(carry, u):
        h = np.tanh(W @ carry["h"] + u * carry["scale"])
        return {"h": h, "scale": carry["scale"] * 0.9}, h[0] * u

    carry, ys = wg.scan(cell, {"h": x, "scale": x[1]}, inputs)
    return carry["h"] + np.sum(ys, axis=0) + carry["scale"]


def recurrent_net_plain(x):
    h, scale, total = x, x[1], 0.0
    for k in range(1, 6):
        u = np.sin(x * k)
        h, scale = np.tanh(W @ h + u * scale), scale * 0.9
        total = total + h[0] * u
    return h + total + scale


def backwards(x):
    def step(carry, u):
        y = carry * u[0] + u[1]
        return y, y * y

    carry, ys = wg.scan(step, x[0], np.stack([x, x * x]).T, reverse=True)
    return ys * carry


def backwards_plain(x):
    carry, ys = x[0], []
    for u in np.stack([x, x * x]).T[::-1]:
        carry = carry * u[0] + u[1]
        ys.append(carry * carry)
    return np.stack(ys[::-1]) * carry


def filling(x):
    def step(i, b):
        b[i + 1] = b[i] * x[i] + np.cos(b[0])
        return b

    start = np.zeros(4) + x[0]
    return wg.fori_loop(0, 3, step, start)


def filling_plain(x):
    b = [x[0]]
    for i in range(3):
        b.append(b[i] * x[i] + np.cos(b[0]))
    return np.stack(b)


def steady_values(x):
    """What is the same in every step is not stacked."""
    return wg.fori_loop(0, 4, lambda i, s: np.sin(s * np.exp(x)) + np.tanh(W @ x), x)


def steady_values_plain(x):
    s = x
    for _ in range(4):
        s = np.sin(s * np.exp(x)) + np.tanh(W @ x)
    return s


def mapped_in_turn(x):
    return wg.map(lambda u: np.sin(u) * x[0] + u[1], np.stack([x, x**2, x * x[1]])).ravel()


def mapped_in_turn_plain(x):
    return np.stack([np.sin(u) * x[0] + u[1] for u in (x, x**2, x * x[1])]).ravel()


# ---- loops of unknown length -------------------------------------------------------------------------


def newton(x):
    def unsure(r):
        return np.max(np.abs(r * r - x)) > 1e-14

    return wg.while_loop(unsure, lambda r: (r + x / r) / 2, 1.0 + x)


def newton_plain(x):
    r = 1.0 + x
    while np.max(np.abs(r * r - x)) > 1e-14:
        r = (r + x / r) / 2
    return r


def hailstone(x):
    """Falls and rises as the numbers say: the trip count depends on them."""

    def step(carry):
        n, y = carry
        even = n % 2 == 0
        return (
            wg.cond(even, lambda: n // 2, lambda: 3 * n + 1),
            wg.cond(even, lambda: np.sin(y), lambda: y * x[0] + 0.1),
        )

    start = 6 + np.floor(x[0]).astype(int)
    return wg.while_loop(lambda carry: carry[0] != 1, step, (start, x))[1]


def hailstone_plain(x):
    n, y = 6 + int(np.floor(x[0]).astype(int)), x
    while n != 1:
        n, y = (n // 2, np.sin(y)) if n % 2 == 0 else (3 * n + 1, y * x[0] + 0.1)
    return y


def counted_by_numbers(x):
    n = 2 + np.sum(x > 0.5)
    return wg.fori_loop(0, n, lambda i, y: np.sin(y) + x * i, x)


def counted_by_numbers_plain(x):
    y = x
    for i in range(2 + int(np.sum(x > 0.5))):
        y = np.sin(y) + x * i
    return y


def flags_and_counts(x):
    """Booleans and integers are carried beside what moves."""

    def step(carry):
        i, up, y = carry
        return i + 1, np.logical_not(up), np.where(up, y * x[0], np.cos(y))

    return wg.while_loop(lambda c: c[0] < 5, step, (0, True, x))[2]


def flags_and_counts_plain(x):
    up, y = True, x
    for _ in range(5):
        up, y = not up, y * x[0] if up else np.cos(y)
    return y


def no_trip(x):
    y = wg.while_loop(lambda y: y[0] > 100, lambda y: 1 / (y - y), x)
    y = wg.fori_loop(3, 3, lambda i, y: 1 / (y - y), y)
    y, ys = wg.scan(lambda c, u: (c / u, c * u), y, np.zeros((0, 3)) * x)
    return np.sin(y) + np.sum(ys)


def no_trip_plain(x):
    return np.sin(x)


# ---- loops in loops ----------------------------------------------------------------------------------


def scan_in_scan(x):
    def outer(c, u):
        inner, ys = wg.scan(lambda d, v: (np.sin(d * v) + u, d * c), c, np.stack([u, x]))
        return inner, np.sum(ys, axis=0)

    c, ys = wg.scan(outer, x, np.stack([x, x * x, np.cos(x)]))
    return c + ys[0] * ys[2]


def scan_in_scan_plain(x):
    c, ys = x, []
    for u in (x, x * x, np.cos(x)):
        d, total = c, 0
        for v in (u, x):
            d, total = np.sin(d * v) + u, total + d * c
        c = d
        ys.append(total)
    return c + ys[0] * ys[2]


def while_in_scan(x):
    """Each step of the scan leaves a stack of its own."""

    def step(c, u):
        y = wg.while_loop(lambda y: np.sum(y * y) < u, lambda y: y * (1.1 + x[0]) + 0.1, c)
        return y / u, y[0]

    c, ys = wg.scan(step, x, np.array([5.0, 2.0, 40.0]))
    return c * ys


def while_in_scan_plain(x):
    c, ys = x, []
    for u in (5.0, 2.0, 40.0):
        y = c
        while np.sum(y * y) < u:
            y = y * (1.1 + x[0]) + 0.1
        c = y / u
        ys.append(y[0])
    return c * np.stack(ys)


def while_in_while(x):
    def outer(carry):
        n, y = carry
        y = wg.while_loop(lambda z: z[0] < 2.0 + n, lambda z: z * z[1] + x, y)
        return n + 1, np.sin(y)

    return wg.while_loop(lambda c: c[0] < 3, outer, (0, x))[1]


def while_in_while_plain(x):
    y = x
    for n in range(3):
        while y[0] < 2.0 + n:
            y = y * y[1] + x
        y = np.sin(y)
    return y


def while_in_branch_in_scan(x):
    def step(c, u):
        def slow(y):
            return wg.while_loop(lambda z: z[1] < u, lambda z: z * 1.5 + x, y)

        return wg.cond(u > 2, slow, lambda y: np.cos(y) * u, c), c[0]

    c, ys = wg.scan(step, x, np.array([3.0, 1.0, 5.0]))
    return c + ys


def while_in_branch_in_scan_plain(x):
    c, ys = x, []
    for u in (3.0, 1.0, 5.0):
        ys.append(c[0])
        if u > 2:
            while c[1] < u:
                c = c * 1.5 + x
        else:
            c = np.cos(c) * u
    return c + np.stack(ys)


def scan_in_while(x):
    def step(carry):
        n, y = carry
        y, _ = wg.scan(lambda c, u: (np.sin(c + u), None), y, np.stack([x, y]))
        return n + 1, y

    return wg.while_loop(lambda c: c[0] < 3, step, (0, x))[1]


def scan_in_while_plain(x):
    y = x
    for _ in range(3):
        for u in (x, y):
            y = np.sin(y + u)
    return y


# ---- maps and checkpoints ----------------------------------------------------------------------------


def mapped(x):
    return wg.vmap(lambda u, s: np.sin(u @ x) * s + u[0], (0, None))(np.outer(x, x), x[2])


def mapped_plain(x):
    return np.stack([np.sin(u @ x) * x[2] + u[0] for u in np.outer(x, x)])


def mapped_while(x):
    """Examples stop one by one."""

    def one(u):
        return wg.while_loop(lambda z: z < 3.0, lambda z: z * 1.7 + x[0] * u, u)

    return wg.vmap(one)(x * x)


def mapped_while_plain(x):
    ys = []
    for u in x * x:
        z = u
        while z < 3.0:
            z = z * 1.7 + x[0] * u
        ys.append(z)
    return np.stack(ys)


def mapped_branch(x):
    return wg.vmap(lambda u: wg.cond(u > 0.6, lambda: np.log(u - 0.6) * x[0], lambda: u**2))(x)


def mapped_branch_plain(x):
    return np.stack([np.log(u - 0.6) * x[0] if u > 0.6 else u**2 for u in x])


def mapped_in_scan(x):
    def step(c, u):
        return wg.vmap(lambda a: np.sin(a * u) + c[0])(c), u

    return wg.scan(step, x, x)[0]


def mapped_in_scan_plain(x):
    c = x
    for u in x:
        c = np.sin(c * u) + c[0]
    return c


def mapped_in_chunks(x):
    return wg.vmap(lambda u: np.exp(u * x[0]) * x, chunk_size=2, out_axes=1)(x).ravel()


def mapped_in_chunks_plain(x):
    return np.stack([np.exp(u * x[0]) * x for u in x], axis=1).ravel()


def forgotten(x):
    @wg.checkpoint
    def block(y, scale):
        return np.sin(y * scale) @ W + np.exp(-x)

    return block(block(x, x[1]), scale=2.0)


def forgotten_plain(x):
    y = np.sin(x * x[1]) @ W + np.exp(-x)
    return np.sin(y * 2.0) @ W + np.exp(-x)


def forgotten_in_loops(x):
    @wg.checkpoint
    def block(y):
        return wg.while_loop(lambda z: z[0] < 4.0, lambda z: z * 1.5 + x**2, y)

    return wg.fori_loop(0, 2, lambda i, y: np.sin(block(y)) ** 2, x)


def forgotten_in_loops_plain(x):
    y = x
    for _ in range(2):
        while y[0] < 4.0:
            y = y * 1.5 + x**2
        y = np.sin(y) ** 2
    return y


def kept_by_policy(x):
    @wg.checkpoint(policy=lambda eqn: eqn.prim.name == "matmul")
    def block(y):
        return np.sin(np.tanh(y) @ W) * y

    return block(block(x))


def kept_by_policy_plain(x):
    y = np.sin(np.tanh(x) @ W) * x
    return np.sin(np.tanh(y) @ W) * y


CASES = {
    "branch": Case(branch, branch_plain),
    "branch_other": Case(branch, branch_plain, (1.7, 1.3, 0.4)),
    "branch_residuals": Case(
        branches_leave_different_residuals, branches_leave_different_residuals_plain
    ),
    "branch_residuals_other": Case(
        branches_leave_different_residuals,
        branches_leave_different_residuals_plain,
        (0.1, 0.3, 0.2),
    ),
    **{
        f.__name__: Case(f, globals()[f"{f.__name__}_plain"])
        for f in (
            power_series, recurrent_net, backwards, filling, steady_values, mapped_in_turn,
            newton, hailstone, counted_by_numbers, flags_and_counts, no_trip,
            scan_in_scan, while_in_scan, while_in_while, while_in_branch_in_scan, scan_in_while,
            mapped, mapped_while, mapped_branch, mapped_in_scan, mapped_in_chunks,
            forgotten, forgotten_in_loops, kept_by_policy,
        )
    },
}  # fmt: skip
