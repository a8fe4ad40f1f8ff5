"""Whole Jacobians and Hessians: the slopes of every result in every argument.

The function runs once, with its numbers; only tangents (or cotangents) are batched. So Python's
`if` keeps working.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Argnums, Call
from wengert.api.forward import finished, jvp, split_aux
from wengert.api.gradients import grad, number_of, record_call
from wengert.errors import DTypeError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import ArrayType
from wengert.trace.tracer import Tracer
from wengert.transforms.batch import batch
from wengert.transforms.forward import linear_part
from wengert.transforms.reverse import reverse
from wengert.transforms.sweep import sweep
from wengert.transforms.transpose import transpose

_FEW = 8  # so many rows are walked one by one; more of them are batched


@lru_cache(maxsize=256)
def _batched(program: Program, flags: tuple[bool, ...], extent: int) -> Program:
    return sweep(batch(program, flags, extent))


@lru_cache(maxsize=256)
def _transposed(program: Program, movers: int) -> Program:
    rest = len(program.inputs) - movers
    flipped = Program(
        [*program.inputs[movers:], *program.inputs[:movers]], program.eqns, program.outputs, program.sources, program.name
    )
    return sweep(transpose(flipped, [False] * rest + [True] * movers))


def _basis(types: Sequence[ArrayType], start: int, stop: int) -> list[Any]:
    """Rows start..stop of the unit vectors of all these spaces together, one array per space."""
    found, offset = [], 0
    for t in types:
        rows = np.zeros((stop - start, t.size), t.dtype)
        for k in range(max(start, offset), min(stop, offset + t.size)):
            rows[k - start, k - offset] = 1
        found.append(rows.reshape(stop - start, *t.shape))
        offset += t.size
    return found


def _chunks(count: int, size: int | None) -> list[tuple[int, int]]:
    step = count if size is None else max(1, size)
    return [(a, min(a + step, count)) for a in range(0, count, step)] if count else []


class Jacobian:
    """A callable Jacobian in a given mode: "forward", "reverse" or "auto"."""

    def __init__(
        self, fun: Callable[..., Any], mode: str, argnums: Argnums | None, argnames: Any, has_aux: bool,
        holomorphic: bool, chunk_size: int | None, trust: str,
    ) -> None:  # fmt: skip
        self.fun, self.mode, self.argnums, self.argnames = fun, mode, argnums, argnames
        self.has_aux, self.holomorphic, self.chunk_size, self.trust = has_aux, holomorphic, chunk_size, trust
        functools.update_wrapper(self, fun, updated=())
        self.__name__ = f"jacobian({getattr(fun, '__name__', 'f')})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self.fun, args, kwargs, self.argnums, self.argnames, "jacobian")
        builder, tracers, out = record_call(call)
        out, aux = split_aux(out, self.has_aux)
        leaves, structure = tree.flatten(out)
        self._check(call, leaves)
        rows = self._rows(call, builder, tracers, leaves)
        blocks = [call.results(row) for row in rows]
        jacobian = tree.unflatten(structure, blocks)
        if not self.has_aux:
            return jacobian
        return jacobian, tree.map_leaves(lambda a: number_of(builder, a), aux)

    def _check(self, call: Call, leaves: list[Any]) -> None:
        complex_in = any(leaf.type.dtype.kind == "c" for leaf in call.leaves)
        if complex_in and not self.holomorphic:
            raise DTypeError(
                "the Jacobian of a complex argument is a real matrix of twice the size, unless the function is analytic",
                "say holomorphic=True if it is; else take real and imaginary parts as two arguments",
                source.here(),
            )

    def _rows(self, call: Call, builder: Any, tracers: list[Tracer], leaves: list[Any]) -> list[list[Any]]:
        """Per result leaf, per argument leaf: an array of shape (*result, *argument)."""
        ins = [leaf.type for leaf in call.leaves]
        moving = [isinstance(y, Tracer) and y.builder is builder and y.type.inexact for y in leaves]
        outs = [y.type for y, m in zip(leaves, moving, strict=True) if m]
        targets = [y.node for y, m in zip(leaves, moving, strict=True) if m]
        n, m = sum(t.size for t in ins), sum(t.size for t in outs)
        forward = self.mode == "forward" or self.mode == "auto" and n <= m
        with np.errstate(all="ignore"):
            compute = _by_columns if forward else _by_rows
            found = iter(compute(builder, [x.node for x in tracers], targets, ins, outs, self.chunk_size))
        result = []
        for y, moves in zip(leaves, moving, strict=True):
            if moves:
                result.append([finished(block) for block in next(found)])
            else:
                shape = np.shape(number_of(builder, y))
                result.append([np.zeros((*shape, *t.shape), t.dtype)[()] for t in ins])
        return result

    def __reduce__(self) -> Any:
        return Jacobian, (
            self.fun, self.mode, self.argnums, self.argnames, self.has_aux, self.holomorphic, self.chunk_size, self.trust,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


def _by_columns(builder: Any, sources: Any, targets: Any, ins: Any, outs: Any, chunk: int | None) -> list[list[Any]]:
    program, residuals = linear_part(builder, sources, targets)
    columns: list[list[Any]] = [[] for _ in outs]
    flags = (True,) * len(ins) + (False,) * len(residuals)
    for start, stop in _chunks(sum(t.size for t in ins), chunk):
        wide = _batched(program, flags, stop - start)
        for parts, dy in zip(columns, evaluate(wide, [*_basis(ins, start, stop), *residuals]), strict=True):
            parts.append(dy)
    blocks = []
    for parts, t in zip(columns, outs, strict=True):
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros((0, *t.shape))
        row, offset = [], 0
        for s in ins:
            block = np.moveaxis(whole[offset : offset + s.size], 0, -1)
            row.append(np.reshape(block, (*t.shape, *s.shape)))
            offset += s.size
        blocks.append(row)
    return blocks


def _by_rows(builder: Any, sources: Any, targets: Any, ins: Any, outs: Any, chunk: int | None) -> list[list[Any]]:
    count = sum(t.size for t in outs)
    pieces: list[list[Any]] = [[] for _ in ins]
    if count <= _FEW:
        for k in range(count):
            gs = [g[0] for g in _basis(outs, k, k + 1)]
            for parts, g, s in zip(pieces, reverse(builder, targets, gs, sources), ins, strict=True):
                parts.append(np.zeros((1, *s.shape), s.dtype) if g is None else np.expand_dims(g, 0))
    else:
        program, residuals = linear_part(builder, sources, targets)
        back = _transposed(program, len(ins))
        flags = (False,) * len(residuals) + (True,) * len(outs)
        for start, stop in _chunks(count, chunk):
            wide = _batched(back, flags, stop - start)
            for parts, g in zip(pieces, evaluate(wide, [*residuals, *_basis(outs, start, stop)]), strict=True):
                parts.append(g)
    wholes = [p[0] if len(p) == 1 else np.concatenate(p) if p else None for p in pieces]
    blocks, offset = [], 0
    for t in outs:
        blocks.append([np.reshape(w[offset : offset + t.size], (*t.shape, *s.shape)) for w, s in zip(wholes, ins, strict=True)])
        offset += t.size
    return blocks


def _maker(mode: str, doc: str) -> Any:
    def make(
        fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False, *,
        argnames: str | Sequence[str] | None = None, argnum: Argnums | None = None, chunk_size: int | None = None,
        trust: str = "report",
    ) -> Callable[..., Any]:  # fmt: skip
        numbers = argnum if argnum is not None else None if argnames is not None and argnums == 0 else argnums
        return Jacobian(fun, mode, numbers, argnames, has_aux, holomorphic, chunk_size, trust)

    make.__name__ = make.__qualname__ = {"forward": "jacfwd", "reverse": "jacrev", "auto": "jacobian"}[mode]
    make.__doc__ = doc
    return make


jacfwd = _maker(
    "forward",
    """The Jacobian by columns (forward mode): cheap for few arguments, many results.

    The result has the containers of the output outside, those of the argument inside, and arrays
    of shape `(*output, *argument)`. `chunk_size` bounds how many columns are in memory at once.

    >>> import numpy as np
    >>> jacfwd(lambda x: np.array([1.0, 2.0]) * x)(3.0)
    array([1., 2.])
    """,
)
jacrev = _maker(
    "reverse",
    """The Jacobian by rows (reverse mode): cheap for many arguments, few results. As `jacfwd`.

    >>> import numpy as np
    >>> jacrev(lambda x: x @ x)(np.array([1.0, 2.0]))
    array([2., 4.])
    """,
)
jacobian = _maker(
    "auto",
    """The Jacobian, by columns or by rows, whichever are fewer. As `jacfwd`.

    >>> import numpy as np
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [0., 1.]])
    """,
)


def hessian(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False, *,
    argnames: str | Sequence[str] | None = None, chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Second derivatives: forward over reverse.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    inner = jacrev(fun, argnums, has_aux, holomorphic, argnames=argnames)
    return jacfwd(inner, argnums, has_aux, holomorphic, argnames=argnames, chunk_size=chunk_size)  # type: ignore[no-any-return]


def hvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Hessian times vector, without the Hessian: the tangent of the gradient.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    many = tuple(range(len(primals)))
    out = jvp(grad(fun, many if len(many) > 1 else 0), primals, tangents)[1]
    return out
