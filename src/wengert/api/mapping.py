"""vmap and checkpoint: a function for every example of a batch, and a function that is run again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

import numpy as np
import optree

from wengert import tree
from wengert.api import asked, unsettled
from wengert.api.asked import CLOSE
from wengert.api.body import delivered, leaf, name_of, record_body, shared, written
from wengert.errors import InputError, ShapeError, StructureError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, type_of
from wengert.numpy_api.table import overridable
from wengert.ops import control as ops
from wengert.ops.control.stacks import everywhere, slice_type
from wengert.trace.builder import Builder
from wengert.trace.rehearsal import Rehearsal
from wengert.trace.trace import tracing
from wengert.trace.tracer import Tracer
from wengert.transforms.split import split
from wengert.trust import policies

_SHARED = object()  # stands for None in trees of axes, which are trees too


class Vmapped:
    """A function of batches: what `vmap` returns."""

    def __init__(
        self, fun: Callable[..., Any], in_axes: Any, out_axes: Any, chunk_size: int | None, axis_size: int | None
    ) -> None:  # fmt: skip
        self.fun, self.in_axes, self.out_axes = fun, in_axes, out_axes
        self.chunk_size, self.axis_size = chunk_size, axis_size
        functools.update_wrapper(self, fun, updated=())
        self.__name__ = f"vmap({name_of(fun, 'f')})"

    @overridable
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = (args, kwargs)
        leaves, structure = tree.flatten(given)
        axes = self._in_axes(args, kwargs)
        names = [_name(path) for path in tree.paths(given)]
        rows: dict[int, Any] = {}  # by leaf: batches, the examples along axis 0
        whole: dict[int, Any] = {}  # arrays that all examples share
        sizes: list[tuple[str, int]] = []
        for n, (x, axis, name) in enumerate(zip(leaves, axes, names, strict=True)):
            if axis is not _SHARED and not _is_static(x):
                value = leaf(x, f"vmap: {name}")
                axis = _axis(axis, type_of(value), name)
                sizes.append((name, type_of(value).shape[axis]))
                rows[n] = value if axis == 0 else np.moveaxis(value, axis, 0)
            elif isinstance(x, np.ndarray) and x.ndim and x.dtype.kind in "fciub":
                whole[n] = x
        extent = self._extent(sizes)

        def single(*values: Any) -> Any:
            one = list(leaves)
            for n, x in zip([*whole, *rows], values, strict=True):
                one[n] = x
            positional, named = tree.unflatten(structure, one)
            return self.fun(*positional, **named)

        builder = Builder(name_of(self.fun, "f"))
        inputs = [
            *(builder.input(type_of(x), x) for x in whole.values()),
            *(builder.input(slice_type(type_of(x))) for x in rows.values()),
        ]
        body = record_body(builder, single, inputs, f"vmap of {builder.name}")
        body.cast([t.dtype for t in body.program.out_types])
        (program,), captured = shared(body)
        common, batch = [*captured, *whole.values()], [*rows.values()]
        level = builder.trust if builder.trust == "off" else policies.at_least(builder.trust)
        found, many = None, [True] * len(program.outputs)
        if level in CLOSE:
            known = [*map(asked.kept, leaves)]  # (which keep no trace)
            batches = {n: asked.kept(x) for n, x in rows.items()}

            def example(get: Any, k: int) -> Any:
                one = [*map(get, known)]
                for n, x in batches.items():
                    one[n] = get(x)[k]
                positional, named = tree.unflatten(structure, one)
                return self.fun(*positional, **named)

            found = self._looked_at(level, program, common, batch, extent, (args, kwargs), example)
        if found is None:
            found, many = self._mapped(program, common, batch, extent)
            if not tracing() and unsettled.settling(program) and unsettled.has_nan(found):

                def one_of(k: int) -> Any:
                    one = [rows[n][k] if n in rows else x for n, x in enumerate(leaves)]
                    positional, named = tree.unflatten(structure, one)
                    return self.fun(*positional, **named)

                found, many = unsettled.one_by_one(extent, one_of), [True] * len(found)
        outs = _axes_like(self.out_axes, tree.unflatten(body.structure, found), "out_axes")
        results = [
            _placed(y, m, axis, extent) for y, m, axis in zip(found, many, outs, strict=True)
        ]
        return delivered(results, body.structure)

    def _looked_at(
        self, level: str, program: Program, common: list[Any], rows: list[Any], extent: int,
        outside: Any, example: Callable[[Any, int], Any],
    ) -> list[Any] | None:  # fmt: skip
        """Results, looked at; None where that is left to a call around."""
        from wengert.trust import batches, suspects  # (only who looks closely waits for them)

        def mapped(body: Program, more: Sequence[Any] = ()) -> list[Any]:
            ys, many = self._mapped(body, common, rows, extent, more)
            return [y if m else everywhere(y, extent) for y, m in zip(ys, many, strict=True)]

        args, flags = [*common, *rows], [False] * len(common) + [True] * len(rows)
        if asked.here() is not None:
            return asked.ask_batch(
                self.__name__, level, program, args, flags, extent, mapped, outside, example
            )
        if tracing():
            return None
        found = mapped(program)
        look, seen = suspects.of_batch(program, args, flags, extent, found, policies.current())
        return batches.examine(
            self.__name__, level, found, lambda k: example(lambda x: x, k), look, seen
        )

    def _mapped(
        self, program: Program, common: list[Any], rows: list[Any], extent: int, more: Sequence[Any] = ()
    ) -> tuple[list[Any], list[bool]]:  # fmt: skip
        """Results, and which of them are batches. What all examples share is computed once, outside.

        `more` is what they share beyond that: the last inputs of the program.
        """
        known_inputs = [True] * len(common) + [False] * len(rows) + [True] * len(more)
        first, second, same = split(program, known_inputs)
        known = evaluate(first, [*common, *more])
        outs, residuals = known[: sum(same)], known[sum(same) :]
        flags = (*(False,) * len(residuals), *(True,) * len(rows))
        chunk = None if self.chunk_size is None else max(int(self.chunk_size), 1)
        ys: Any = ()
        if not all(same):
            ys = written(
                ops.map_,
                *residuals,
                *rows,
                body=second.named(program.name),
                mapped=flags,
                extent=extent,
                chunk=chunk,
            )
        one, many = iter(outs), iter(ys)
        return [next(one) if s else next(many) for s in same], [not s for s in same]

    def _in_axes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        spec = self.in_axes
        if isinstance(spec, list):
            spec = tuple(spec)
        if isinstance(spec, tuple) and len(spec) != len(args):
            raise StructureError(
                f"vmap: in_axes has {len(spec)} entries for {len(args)} arguments",
                "give one entry per positional argument, or one for all",
                source.here(),
            )
        return [*_axes_like(spec, args, "in_axes"), *_axes_like(0, kwargs, "in_axes")]

    def _extent(self, sizes: list[tuple[str, int]]) -> int:
        found = {size for _, size in sizes}
        if self.axis_size is not None:
            found.add(int(self.axis_size))
        if not found:
            raise InputError(
                "vmap: no argument is batched, so the size of the batch is unknown",
                "pass axis_size=, or an axis in in_axes",
                source.here(),
            )
        if len(found) > 1:
            listed = ", ".join(f"{name} has {size}" for name, size in sizes)
            asked = "" if self.axis_size is None else f"; axis_size is {self.axis_size}"
            raise ShapeError(
                f"vmap: the sizes of the batch differ: {listed}{asked}",
                "make them equal, or leave out with in_axes=None what all examples share",
                source.here(),
            )
        return found.pop()

    def __reduce__(self) -> Any:
        return Vmapped, (self.fun, self.in_axes, self.out_axes, self.chunk_size, self.axis_size)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)


def vmap(
    fun: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, chunk_size: int | None = None,
    axis_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """`fun` for every example of a batch, all at once.

    `in_axes` says along which axis of each argument the examples lie: a number for all, None for
    what they share, a tuple with one entry per argument, or containers of them. Arguments by keyword
    lie along axis 0. `chunk_size` bounds how many examples are in memory at once. `fun` is traced
    once, on one example's shapes.

    >>> import wengert as wg
    >>> dot = lambda a, b: a @ b
    >>> A, b = np.arange(6.0).reshape(3, 2), np.array([1.0, 10.0])
    >>> vmap(dot, in_axes=(0, None))(A, b)
    array([10., 32., 54.])
    >>> vmap(wg.grad(dot), in_axes=(0, None))(A, b)
    array([[ 1., 10.],
           [ 1., 10.],
           [ 1., 10.]])
    """
    return Vmapped(fun, in_axes, out_axes, chunk_size, axis_size)


# ---- axes --------------------------------------------------------------------------------------------------


def _axes_like(spec: Any, value: Any, what: str) -> list[Any]:
    """One axis per leaf of `value`; a spec for a container holds for all that is in it."""
    tree.flatten(value)  # registers dataclasses
    marked = optree.tree_map(
        lambda s: _SHARED if s is None else s, spec, none_is_leaf=True, namespace=tree.NAMESPACE
    )
    try:
        return optree.broadcast_prefix(marked, value, namespace=tree.NAMESPACE)
    except ValueError as error:
        raise StructureError(
            f"vmap: {what}={spec!r} does not fit: {error}".split("\n")[0],
            "give a number, None, or a container like the value (or its outer part)",
            source.here(),
        ) from None


def _is_static(x: Any) -> bool:
    return isinstance(x, str | bytes | bool) or (callable(x) and not hasattr(x, "__array__"))


def _name(path: str) -> str:
    """`[0][1]['a']` as "argument 1 at ['a']", `[1]['b']` as "argument b"."""
    positional, rest = path[1] == "0", path[3:]
    first, _, below = rest[1:].partition("]")
    return (
        f"argument {first if positional else first.strip(chr(39))}{' at ' + below if below else ''}"
    )


def _axis(axis: Any, t: ArrayType, name: str) -> int:
    if not isinstance(axis, int | np.integer):
        raise StructureError(f"vmap: {axis!r} is no axis", "use numbers and None", source.here())
    if not -t.ndim <= axis < t.ndim:
        raise ShapeError(
            f"vmap: {name} is {t!r} and has no axis {axis}",
            "say in_axes=None for what all examples share",
            source.here(),
        )
    return int(axis) % t.ndim


def _placed(y: Any, many: bool, axis: Any, extent: int) -> Any:
    """A result with its batch axis where it is wished."""
    if axis is _SHARED:
        if many:
            raise ShapeError(
                f"vmap: out_axes=None for a result that differs between examples ({type_of(y)!r})",
                "give it an axis in out_axes",
                source.here(),
            )
        return y
    y = y if many else everywhere(y, extent)
    return y if axis == 0 else np.moveaxis(y, 0, axis)


# ---- checkpoint --------------------------------------------------------------------------------------------


class Checkpointed:
    """A function whose values are computed again for its derivative: what `checkpoint` returns."""

    def __init__(self, fun: Callable[..., Any], policy: Any) -> None:
        self.fun, self.policy = fun, policy
        functools.update_wrapper(self, fun, updated=())

    @overridable
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        places = [n for n, x in enumerate(leaves) if isinstance(x, Tracer)]
        if not places and not tracing():
            return self.fun(*args, **kwargs)
        builder = Rehearsal(name_of(self.fun, "f"))

        def run(*xs: Any) -> Any:
            whole = list(leaves)
            for n, x in zip(places, xs, strict=True):
                whole[n] = x
            positional, named = tree.unflatten(structure, whole)
            return self.fun(*positional, **named)

        inputs = [builder.rehearsed(leaves[n]) for n in places]
        body = record_body(builder, run, inputs, f"checkpoint of {builder.name}")
        body.cast([t.dtype for t in body.program.out_types])
        (program,), captured = shared(body)
        ys = written(
            ops.remat, *captured, *(leaves[n] for n in places), body=program, policy=self.policy
        )
        return delivered(ys, body.structure)

    def __reduce__(self) -> Any:
        return Checkpointed, (self.fun, self.policy)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)


def checkpoint(
    fun: Callable[..., Any] | None = None, *, policy: Callable[[Any], bool] | None = None
) -> Any:
    """Keep only the arguments of `fun` for the derivative, and compute the rest again: less memory.

    `policy(equation)` may ask for the results of some equations to be kept after all: those of
    matrix products by `policy=lambda equation: equation.prim.name == "matmul"`. Use it as a decorator, with
    or without arguments.

    >>> import wengert as wg
    >>> layer = checkpoint(lambda x: np.sin(np.sin(x)))
    >>> wg.grad(lambda x: layer(layer(x)))(0.0)
    1.0
    """
    if fun is None:
        return functools.partial(checkpoint, policy=policy)
    return Checkpointed(fun, policy)
