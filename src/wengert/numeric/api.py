"""derivative, grad and jacobian of functions that need only be callable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.errors import InputError, NonScalarOutputError
from wengert.ir import source
from wengert.numeric import differences
from wengert.numeric.complex_step import agree, complex_step, size_of_step, watched

METHODS = ("forward", "central", "richardson", "complex")


def derivative(
    f: Callable[[Any], Any], x: Any, order: int = 1, *, method: str = "richardson",
    step: float | None = None, error: bool = False, check: bool = True,
) -> Any:  # fmt: skip
    """The n-th derivative of a function of one number; its value may be an array.

    `method` is one of `forward`, `central`, `richardson`, `complex` (the first and the last for
    order 1 only). With `error=True` the pair (derivative, estimated error). The complex step tries
    the Cauchy–Riemann equations once per call (some 20 calls of f more); `check=False` trusts.

    >>> derivative(np.exp, 0.0).round(12)
    np.float64(1.0)
    >>> value, off = derivative(np.exp, 0.0, method="central", error=True)
    >>> bool(abs(value - 1) < off < 1e-9)
    True
    >>> derivative(np.sin, 1.0, method="complex") == np.cos(1.0)
    np.True_
    """
    if np.ndim(x) != 0:
        raise InputError(
            f"derivative needs one number, and got an array of shape {np.shape(x)}",
            "use wg.numeric.grad or wg.numeric.jacobian",
            source.here(),
        )
    _known(method, order)
    return _Problem(f, (x,), 0, "derivative").slopes(method, step, order, error, check)


def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, method: str = "central",
    step: float | None = None, error: bool = False, check: bool = True,
) -> Callable[..., Any]:  # fmt: skip
    """`grad(f)(*args)`: the gradient of a function that returns one real number.

    Arguments may be numbers, arrays and containers of them. With `error=True` the pair (gradient,
    estimated errors).

    >>> grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """
    _known(method, 1)

    def gradient(*args: Any) -> Any:
        problem = _Problem(f, args, argnums, "grad")
        if problem.out_shapes != [()]:
            raise NonScalarOutputError(
                f"numeric.grad needs one real number, and got shapes {problem.out_shapes}",
                "sum it, or use wg.numeric.jacobian",
                source.here(),
            )
        return problem.slopes(method, step, 1, error, check)

    return gradient


def jacobian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, method: str = "central",
    step: float | None = None, error: bool = False, check: bool = True,
) -> Callable[..., Any]:  # fmt: skip
    """`jacobian(f)(*args)`: how every result moves with every number of the arguments.

    Arrays of shape `(*output, *argument)`, in the containers of the output outside and of the
    argument inside.

    >>> jacobian(lambda x: np.array([x[0] * x[1], x[1]]))(np.array([2.0, 3.0])).round(6)
    array([[3., 2.],
           [0., 1.]])
    """
    _known(method, 1)

    def slopes(*args: Any) -> Any:
        return _Problem(f, args, argnums, "jacobian").slopes(method, step, 1, error, check)

    return slopes


def _known(method: str, order: int) -> None:
    if method not in METHODS:
        raise InputError(
            f"there is no method {method!r}", f"choose one of {', '.join(METHODS)}", source.here()
        )
    if order < 1 or (order > 1 and method in ("forward", "complex")):
        raise InputError(
            f"method {method!r} gives no derivative of order {order}",
            'use method="central" or "richardson", and order 1, 2, …',
            source.here(),
        )


class _Problem:
    """A call whose arguments are opened into numbers that can be moved one by one."""

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], argnums: int | Sequence[int], what: str
    ) -> None:
        self.f, self.args = f, args
        self.single = isinstance(argnums, int)
        self.slots: Sequence[int] = (argnums,) if isinstance(argnums, int) else argnums
        opened = [tree.flatten(args[n]) for n in self.slots]
        self.structures = [(structure, len(leaves)) for leaves, structure in opened]
        self.leaves = [_real(x, what) for leaves, _ in opened for x in leaves]
        self.start = self.flat(self.run(self.leaves))
        self.eps = differences.epsilon(self.start, *self.leaves)

    def run(self, leaves: list[Any]) -> Any:
        """The function with other leaves; notes the structure of its result."""
        args, rest = list(self.args), iter(leaves)
        for slot, (structure, count) in zip(self.slots, self.structures, strict=True):
            args[slot] = tree.unflatten(structure, [next(rest) for _ in range(count)])
        with np.errstate(all="ignore"):
            found, self.out_structure = tree.flatten(self.f(*args))
        self.out_shapes = [np.shape(y) for y in found]
        return found

    @staticmethod
    def flat(leaves: list[Any]) -> Any:
        """All results in one vector."""
        parts = [np.ravel(np.asarray(y)).view(np.ndarray) for y in leaves]
        return np.concatenate(parts) if parts else np.zeros(0)

    def moved(self, n: int, k: int, h: Any) -> Any:
        """The results with element k of leaf n moved by h."""
        leaf = self.leaves[n]
        leaf = np.array(
            leaf, np.result_type(leaf.dtype, np.complex64) if isinstance(h, complex) else leaf.dtype
        )
        leaf.flat[k] += h
        given = watched(leaf) if isinstance(h, complex) else leaf[()]
        return self.flat(self.run([*self.leaves[:n], given, *self.leaves[n + 1 :]]))

    def slope(self, n: int, k: int, method: str, step: float | None, order: int) -> tuple[Any, Any]:
        """How all results move with one number, and the estimated error."""
        x = float(self.leaves[n].flat[k])

        def phi(h: float) -> Any:
            return self.start if h == 0 else self.moved(n, k, h)

        if method == "forward":
            return differences.forward(phi, x, self.eps, step)
        if method == "central":
            return differences.central(phi, x, self.eps, step, order)
        if method == "richardson":
            return differences.richardson(phi, x, self.eps, step, order)
        value = complex_step(
            lambda h: self.moved(n, k, h), step or size_of_step(x, self.leaves[n].dtype)
        )
        return value, 2 * self.eps * np.abs(value)

    def cauchy_riemann(self, columns: list[Any]) -> None:
        """Hold complex steps against one real slope, along a direction in which all numbers move."""
        draw = np.random.default_rng(0)
        directions = []
        for leaf in self.leaves:
            scale = np.where(leaf == 0, 1, np.minimum(np.abs(leaf), 1))
            directions.append((scale * draw.uniform(0.5, 1.5, leaf.shape)).astype(leaf.dtype))

        def phi(t: float) -> Any:
            return self.flat(
                self.run([(x + t * d)[()] for x, d in zip(self.leaves, directions, strict=True)])
            )

        along = np.stack(columns, axis=-1) @ np.concatenate([np.ravel(d) for d in directions])
        agree(along, *differences.richardson(phi, 0.0, self.eps, None, 1))

    def shaped(self, columns: list[Any]) -> list[Any]:
        """Columns (one per number) as blocks: per result leaf, per argument leaf."""
        table = np.stack(columns, axis=-1)
        blocks, row = [], 0
        for shape in self.out_shapes:
            count, column = int(np.prod(shape)), 0
            for leaf in self.leaves:
                part = table[row : row + count, column : column + leaf.size]
                blocks.append(part.reshape((*shape, *leaf.shape))[()])
                column += leaf.size
            row += count
        return blocks

    def slopes(self, method: str, step: float | None, order: int, error: bool, check: bool) -> Any:
        """The whole Jacobian in its containers, and that of the errors if asked for."""
        places = [(n, k) for n, leaf in enumerate(self.leaves) for k in range(leaf.size)]
        if not places:
            raise InputError(
                "there is no number to differentiate by", "pass numbers or arrays", source.here()
            )
        found = [self.slope(n, k, method, step, order) for n, k in places]
        if method == "complex" and check:
            self.cauchy_riemann([v for v, _ in found])
        values = self._contained([v for v, _ in found])
        return (values, self._contained([e for _, e in found])) if error else values

    def _contained(self, columns: list[Any]) -> Any:
        blocks = iter(self.shaped(columns))
        outs = []
        for _ in self.out_shapes:
            slots = [
                tree.unflatten(structure, [next(blocks) for _ in range(count)])
                for structure, count in self.structures
            ]
            outs.append(slots[0] if self.single else tuple(slots))
        return tree.unflatten(self.out_structure, outs)


def _real(x: Any, what: str) -> Any:
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise InputError(
            f"numeric.{what} moves real numbers, and got {array.dtype}",
            "take real and imaginary parts as two arguments"
            if array.dtype.kind == "c"
            else "pass numbers or arrays",
            source.here(),
        )
    return array
