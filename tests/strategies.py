"""Random small programs: what hypothesis draws where a property should hold for any function.

Every step is analytic and bounded, so that complex steps measure slopes to the last digit.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

UNARY = {
    "sin": np.sin,
    "cos": np.cos,
    "tanh": lambda x: np.tanh(x * 0.5),
    "exp": lambda x: np.exp(np.sin(x)),
    "log": lambda x: np.log(3 + np.cos(x)),
    "sqrt": lambda x: np.sqrt(2 + np.sin(x)),
    "square": np.square,
    "power": lambda x: (2 + np.sin(x)) ** 1.5,
    "arctan": lambda x: np.arctan(0.3 * x),
    "reciprocal": lambda x: 1 / (3 + np.sin(x)),
    "negative": lambda x: -x,
    "transpose": lambda x: x.T,
    "flip": lambda x: x[::-1],
    "ravel": lambda x: np.reshape(x, (1, -1)),
    "column": lambda x: np.reshape(x, (-1, 1)),
    "total": lambda x: np.sum(x, axis=0, keepdims=True),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "product": lambda x: np.prod(np.sin(x), axis=1, keepdims=True),
    "running": lambda x: np.cumsum(x, axis=0),
    "last": lambda x: x[-1:],
    "gather": lambda x: x[np.array([0, -1, 0])],
    "mask": lambda x: np.where(np.arange(x.shape[1]) % 2 == 0, x, 0.5),
    "gram": lambda x: x @ x.T * 0.3,
    "double": lambda x: np.concatenate([x, 2 * x]),
    "einsum": lambda x: np.einsum("ij,ij->i", x, np.cos(x))[:, None],
}
BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - 0.5 * y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / (3 + np.cos(y)),
    "matmul": lambda x, y: x @ y.T * 0.3,
    "stack": lambda x, y: np.concatenate([x, y], axis=1),
    "where": lambda x, y: np.where(np.arange(x.shape[0])[:, None] % 2 == 0, x, y),
}


@dataclass(frozen=True)
class Drawn:
    """A straight-line function of one 2×3 array that returns one number.

    A step takes one or two earlier values (counted from the end; of two, the second is the nearest
    one that has the shape of the first) and appends its own, pressed back to the size of 1.
    """

    steps: tuple[tuple[str, int], ...]

    def __call__(self, x):
        values = [x]
        for name, back in self.steps:
            first = values[-1 - back % len(values)]
            if name in UNARY:
                y = UNARY[name](first)
            else:
                partners = [v for v in values if v.shape == first.shape]
                y = BINARY[name](first, partners[back % len(partners)])
            values.append(np.sin(y) if y.shape[0] * y.shape[1] <= 24 else np.sin(y)[:2, :3])
        return np.sum(values[-1]) + 0.1 * sum(np.sum(v) for v in values)


programs = st.builds(
    Drawn,
    st.lists(
        st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 5)), min_size=1, max_size=8
    ).map(tuple),
)
points = st.lists(st.floats(-2, 2, width=16), min_size=6, max_size=6).map(
    lambda v: np.reshape(v, (2, 3))
)
