"""Whole Jacobians and Hessians: the slopes of every result in every argument.

The function runs once, with its numbers; only tangents (or cotangents) are batched. So Python's
`if` keeps working.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api import looked_at, unsettled
from wengert.api.arguments import Argnums, Call, split_aux
from wengert.api.forward import finished, jvp
from wengert.api.gradients import case_of, grad, number_of, record_call
from wengert.errors import DTypeError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.trace.tracer import Tracer
from wengert.transforms.slopes import by_columns, by_rows
from wengert.trust import anomaly, policies, report


class Jacobian:
    """A callable Jacobian in a given mode: "forward", "reverse" or "auto"."""

    def __init__(
        self, fun: Callable[..., Any], mode: str, argnums: Argnums | None, argnames: Any, has_aux: bool,
        holomorphic: bool, chunk_size: int | None, trust: str,
    ) -> None:  # fmt: skip
        self.fun, self.mode, self.argnums, self.argnames = fun, mode, argnums, argnames
        self.has_aux, self.holomorphic, self.chunk_size, self.trust = (
            has_aux,
            holomorphic,
            chunk_size,
            trust,
        )
        policies.level(trust)
        functools.update_wrapper(self, fun, updated=())
        self.__name__ = f"jacobian({getattr(fun, '__name__', 'f')})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self.fun, args, kwargs, self.argnums, self.argnames, "jacobian")
        call.shows = looked_at.closely(self.trust)
        builder, tracers, out = record_call(call)
        out, aux = split_aux(out, self.has_aux)
        leaves, structure = tree.flatten(out)
        self._check(call, leaves)
        rows = self._rows(call, builder, tracers, leaves)
        level = looked_at.wanted(self.trust, builder, [block for row in rows for block in row])
        if level:
            rows = looked_at.blocks(self.__name__, level, call, builder, leaves, rows, self.has_aux)
        elif self.trust != "off" or anomaly.watched.get() is not None:
            flat = [block for row in rows for block in row]
            report.inspect(
                self.__name__,
                flat,
                lambda: self._case(call, builder, leaves, rows),
                builder.stopped,
            )
        blocks = [call.results(row) for row in rows]
        jacobian = tree.unflatten(structure, blocks)
        if not self.has_aux:
            return jacobian
        return jacobian, tree.map_leaves(lambda a: number_of(builder, a), aux)

    def _case(
        self, call: Call, builder: Any, leaves: list[Any], rows: list[list[Any]]
    ) -> report.Case:
        """The column (in forward mode) or row that holds the first wrong number, to be replayed."""
        wrong = [
            (n, k, tuple(np.argwhere(mask)[0]))
            for n, row in enumerate(rows)
            for k, block in enumerate(row)
            if np.any(mask := ~np.isfinite(block))
        ]
        if not wrong:  # all finite: it is asked whether zeros stopped what was not
            ones = [np.ones(type_of(y).shape, type_of(y).dtype)[()] for y in leaves]
            return case_of(call, builder, leaves, gs=ones)
        n, k, at = wrong[0]
        split = len(type_of(leaves[n]).shape)
        if self._forward(call, leaves):
            dxs: list[Any] = [None] * len(call.leaves)
            dxs[k] = _unit(call.leaves[k].type, at[split:])
            return case_of(call, builder, leaves, dxs=dxs)
        gs: list[Any] = [None] * len(leaves)
        gs[n] = _unit(type_of(leaves[n]), at[:split])
        return case_of(call, builder, leaves, gs=gs)

    def _forward(self, call: Call, leaves: list[Any]) -> bool:
        """By columns? Those of the arguments are counted against those of the results."""
        ins = sum(leaf.type.size for leaf in call.leaves)
        outs = sum(type_of(y).size for y in leaves if isinstance(y, Tracer) and y.type.inexact)
        return self.mode == "forward" or (self.mode == "auto" and ins <= outs)

    def _check(self, call: Call, leaves: list[Any]) -> None:
        complex_in = any(leaf.type.dtype.kind == "c" for leaf in call.leaves)
        if complex_in and not self.holomorphic:
            raise DTypeError(
                "the Jacobian of a complex argument is a real matrix of twice the size, unless the function is analytic",
                "say holomorphic=True if it is; else take real and imaginary parts as two arguments",
                source.here(),
            )

    def _rows(
        self, call: Call, builder: Any, tracers: list[Tracer], leaves: list[Any]
    ) -> list[list[Any]]:
        """Per result leaf, per argument leaf: an array of shape (*result, *argument)."""
        ins = [leaf.type for leaf in call.leaves]
        moving = [isinstance(y, Tracer) and y.builder is builder and y.type.inexact for y in leaves]
        targets = [y.node for y, m in zip(leaves, moving, strict=True) if m]
        forward = self._forward(call, leaves)
        with np.errstate(all="ignore"):
            compute = by_columns if forward else by_rows
            blocks = compute(builder, [x.node for x in tracers], targets, self.chunk_size)
            if any(entry[0].settles for entry in builder.entries) and unsettled.has_nan(
                [b for row in blocks for b in row]
            ):
                blocks = by_rows(builder, [x.node for x in tracers], targets, singly=True)
            found = iter(blocks)
        result = []
        for y, moves in zip(leaves, moving, strict=True):
            if moves:
                result.append(
                    [finished(block.astype(y.dtype, copy=False)) for block in next(found)]
                )
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


def _unit(t: Any, at: tuple[int, ...]) -> Any:
    e = np.zeros(t.shape, t.dtype)
    e[at] = 1
    return e[()]


def _maker(mode: str, doc: str) -> Any:
    def make(
        fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False, *,
        argnames: str | Sequence[str] | None = None, argnum: Argnums | None = None, chunk_size: int | None = None,
        trust: str = "report",
    ) -> Callable[..., Any]:  # fmt: skip
        numbers = (
            argnum
            if argnum is not None
            else None
            if argnames is not None and argnums == 0
            else argnums
        )
        return Jacobian(fun, mode, numbers, argnames, has_aux, holomorphic, chunk_size, trust)

    make.__name__ = make.__qualname__ = {
        "forward": "jacfwd",
        "reverse": "jacrev",
        "auto": "jacobian",
    }[mode]
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
    argnames: str | Sequence[str] | None = None, chunk_size: int | None = None, trust: str = "report",
) -> Callable[..., Any]:  # fmt: skip
    """Second derivatives: forward over reverse.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    inner = jacrev(fun, argnums, has_aux, holomorphic, argnames=argnames)
    outer: Callable[..., Any] = jacfwd(
        inner, argnums, has_aux, holomorphic, argnames=argnames, chunk_size=chunk_size, trust=trust
    )
    return outer


def hvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Hessian times vector, without the Hessian: the tangent of the gradient.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    many = tuple(range(len(primals)))
    return jvp(grad(fun, many if len(many) > 1 else 0), primals, tangents)[1]
