"""The long short-term memory of ADBench (GradBench `lstm`): diagonal weights, one long sequence."""

import numpy

import native
from peers import Case


def sigmoid(np, x):
    return 1 / (1 + np.exp(-x))


def cell(np, weights, bias, hidden, memory, x):
    """One layer at one time: gates from the input and from what was hidden."""
    forget = sigmoid(np, x * weights[0] + bias[0])
    write = sigmoid(np, hidden * weights[1] + bias[1])
    show = sigmoid(np, x * weights[2] + bias[2])
    change = np.tanh(hidden * weights[3] + bias[3])
    memory = memory * forget + write * change
    return show * np.tanh(memory), memory


def loss(scan):
    """Minus the mean log-likelihood of the next item; `scan` is the tool's loop."""

    def make(np):
        def f(main, extra, state, sequence):
            layers = main.shape[0] // 2
            gates = main.reshape(2 * layers, 4, -1)

            def step(carry, pair):
                state, total = carry
                now, then = pair
                x, rows = now * extra[0], []
                for k in range(layers):
                    h, c = cell(
                        np, gates[2 * k], gates[2 * k + 1], state[2 * k], state[2 * k + 1], x
                    )
                    rows += [h, c]
                    x = h
                y = x * extra[1] + extra[2]
                y = y - np.log(2 + np.sum(np.exp(y)))
                return (np.stack(rows), total + np.sum(then * y)), None

            start = (state, np.sum(state) * 0)
            (_, total), _ = scan(step, start, (sequence[:-1], sequence[1:]))
            return -total / ((sequence.shape[0] - 1) * sequence.shape[1])

        return f

    return make


def loop(step, carry, over):
    """A scan as a plain Python loop, for tools that unroll."""
    for k in range(over[0].shape[0]):
        carry, _ = step(carry, tuple(a[k] for a in over))
    return carry, None


def tool_loss(np):
    """Each tool's own scan: plain NumPy's is wengert's."""
    if np is numpy:
        import wengert as wg

        return loss(wg.scan)(np)
    if np.__name__.startswith("jax"):
        import jax

        return loss(jax.lax.scan)(np)
    return loss(loop)(np)


def cases():
    b = 14
    for layers, c in ((2, 1024), (4, 1024), (2, 4096), (4, 4096)):
        rng = numpy.random.default_rng(10)
        args = (
            0.5 * rng.normal(size=(2 * layers, 4 * b)), 0.5 * rng.normal(size=(3, b)),
            0.5 * rng.normal(size=(2 * layers, b)), (rng.random(size=(c, b)) < 0.5).astype(float),
        )  # fmt: skip
        yield Case(
            f"lstm gradient, l = {layers}, c = {c}", args, tool_loss, wrt=(0, 1), rtol=1e-7,
            own={"C++": lambda args=args: native.lstm(*args)},
            leave_out=("autograd",) if c > 1024 else (),
        )  # fmt: skip
