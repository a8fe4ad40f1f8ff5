"""grad, value_and_grad and vjp: the fast road from a recorded call back to its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from wengert import tree
from wengert.api import looked_at
from wengert.api.arguments import Argnums, Call, Leaf, deliver, split_aux
from wengert.errors import (
    DegenerateError,
    DTypeError,
    NonScalarOutputError,
    ShapeError,
    StructureError,
)
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.trace.idle import plain
from wengert.trace.path import Paths
from wengert.trace.trace import run, tracing
from wengert.trace.tracer import Tracer
from wengert.transforms.reverse import reverse
from wengert.trust import anomaly, policies, report


def record_call(
    call: Call, entries: list[Any] | None = None, paths: Paths | None = None
) -> tuple[Builder, list[Tracer], Any]:
    """Run the user's function on tracers that know their numbers; its result comes third.

    The equations are written into `entries`, if it is given; `paths` are those of earlier calls.
    """
    builder = Builder(getattr(call.f, "__name__", "f"), saving=True, paths=paths)
    if entries is not None:
        builder.entries = entries
    tracers = [builder.input(leaf.type, leaf.value, leaf.weak) for leaf in call.leaves]
    try:
        return builder, tracers, run(builder, lambda *xs: (call.run(xs),), tracers)[0]
    except Exception:
        if not call.shows:
            raise
    call.shows = False  # the function asks for plain numbers in its other arguments
    return record_call(call, entries, paths)


def _reversed(
    trust: str, builder: Builder, targets: list[Any], gs: list[Any], tracers: list[Tracer]
) -> tuple[list[Any], str]:
    """Cotangents of the inputs. Where every number is looked at, one without a derivative is flagged: why, comes second."""
    sources = [x.node for x in tracers]
    if not looked_at.closely(trust) or looked_at.later(gs):
        return reverse(builder, targets, gs, sources), ""
    try:
        return reverse(builder, targets, gs, sources), ""
    except DegenerateError as error:
        types = [x.type for x in tracers]
        return [np.full(t.shape, np.nan, t.dtype) if t.inexact else None for t in types], error.what


def number_of(builder: Builder, y: Any) -> Any:
    """The number (or outer tracer) of a result."""
    if isinstance(y, Tracer):
        y.refresh()
        if (
            y.builder is builder
        ):  # (the handle inside is kept for derivatives: the user gets her own)
            return y.value.snapshot() if isinstance(y.value, Tracer) else y.value
    return plain(y)


def apart(y: Any) -> Any:
    """A result that shares no memory with what is kept for a derivative that is asked for later."""
    return y.copy() if isinstance(y, np.ndarray) else y


def case_of(call: Call, builder: Builder, outs: Sequence[Any], **moved: Any) -> report.Case:
    """A recorded call as `trust.report` replays it."""
    program = builder.program(outs)
    args = [*(leaf.value for leaf in call.leaves), *(value for _, value in builder.captured)]
    return report.Case(
        program, args, len(call.leaves), **moved, again=functools.partial(record_call, call)
    )


_LOST = 20  # after so many calls that no path was found for, none is looked for


class Gradient:
    """A callable derivative; a plain object, so that it pickles and prints."""

    def __init__(
        self, fun: Callable[..., Any], argnums: Argnums | None, argnames: Any, has_aux: bool, holomorphic: bool,
        with_value: bool, trust: str,
    ) -> None:  # fmt: skip
        self.fun, self.argnums, self.argnames = fun, argnums, argnames
        self.has_aux, self.holomorphic, self.with_value, self.trust = (
            has_aux,
            holomorphic,
            with_value,
            trust,
        )
        policies.level(trust)
        functools.update_wrapper(self, fun, updated=())
        what = "value_and_grad" if with_value else "grad"
        self.__name__ = f"{what}({getattr(fun, '__name__', 'f')})"
        self.paths: Paths | None = None  # from the second call on
        self.called = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        paths = self.paths
        if paths is None:
            if not self.called:
                self.called = True
                return self._computed(args, kwargs, None)
            paths = self.paths = Paths()
        if paths.lost > _LOST or not paths.lock.acquire(blocking=False):
            return self._computed(args, kwargs, None)
        try:
            return self._computed(args, kwargs, paths)
        finally:
            paths.lock.release()

    def _computed(self, args: tuple[Any, ...], kwargs: dict[str, Any], paths: Paths | None) -> Any:
        call = Call(self.fun, args, kwargs, self.argnums, self.argnames, "grad")
        call.shows = looked_at.closely(self.trust)
        builder, tracers, out = record_call(call, paths=paths)
        out, aux = split_aux(out, self.has_aux) if self.has_aux else (out, None)
        y = number_of(builder, out)
        one = self._check(y, call).dtype.type(1)
        refusal = ""
        if isinstance(out, Tracer) and out.builder is builder:
            found, refusal = _reversed(self.trust, builder, [out.node], [one], tracers)
        else:
            found = [None] * len(tracers)
        gradients = []
        for g, leaf in zip(found, call.leaves, strict=True):
            if g is not None and leaf.type.dtype.kind == "c" and not self.holomorphic:
                g = np.conjugate(g)
            gradients.append(deliver(g, leaf))
        level = looked_at.wanted(self.trust, builder, [y, *gradients])
        if level:
            values = [y] if self.with_value else []
            values, gradients = looked_at.gradients(
                self.__name__, level, call, builder, [out], [one], gradients, values, self.holomorphic,
                self.has_aux, refusal,
            )  # fmt: skip
            gradients = [_delivered(g, x) for g, x in zip(gradients, call.leaves, strict=True)]
            y = values[0] if values else y
        elif builder.finite and type(y) is np.float64 and isfinite(y) and not tracing():
            pass  # (`finite` knows of no zeros that stopped anything)
        elif self.trust != "off" or anomaly.watched.get() is not None:
            # the value counts too: where it overflowed, zeros may have stopped what was infinite
            report.inspect(
                self.__name__,
                [y, *gradients],
                lambda: case_of(call, builder, [out], gs=[one]),
                builder.stopped,
            )
        result = call.results(gradients)
        value = y[()] if isinstance(y, np.ndarray) and y.ndim == 0 else y
        aux = tree.map_leaves(lambda a: number_of(builder, a), aux) if self.has_aux else None
        if self.with_value:
            return ((value, aux), result) if self.has_aux else (value, result)
        return (result, aux) if self.has_aux else result

    def _check(self, y: Any, call: Call) -> Any:
        """The type of the result, which is one that can be differentiated."""
        try:
            t = type_of(y)
        except (KeyError, AttributeError):
            raise NonScalarOutputError(
                f"grad needs one real number from {self._named()}, and got a {type(y).__name__}",
                "return a scalar; for several results use wg.jacobian or wg.vjp",
                source.here(),
            ) from None
        if t.shape != ():
            raise NonScalarOutputError(
                f"grad needs one real number from {self._named()}, and got {t!r}",
                "sum it, pick an element, or use wg.jacobian (all slopes) or wg.vjp (a weighted sum of them)",
                source.here(),
            )
        if t.dtype.kind == "c" and not self.holomorphic:
            raise DTypeError(
                f"grad needs one real number from {self._named()}, and got the complex {t!r}",
                "return a real number (np.real, np.abs), or say holomorphic=True if f is analytic",
                source.here(),
            )
        if self.holomorphic and any(leaf.type.dtype.kind != "c" for leaf in call.leaves):
            raise DTypeError(
                "holomorphic=True needs complex arguments", "pass x.astype(complex)", source.here()
            )
        return t

    def _named(self) -> str:
        return getattr(self.fun, "__name__", "the function")

    def __reduce__(self) -> Any:
        return Gradient, (
            self.fun, self.argnums, self.argnames, self.has_aux, self.holomorphic, self.with_value, self.trust,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


def _delivered(g: Any, leaf: Leaf) -> Any:
    return deliver(g if isinstance(g, Tracer) else np.asarray(g), leaf)


def grad(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False, *,
    argnames: str | Sequence[str] | None = None, argnum: Argnums | None = None, trust: str = "report",
) -> Callable[..., Any]:  # fmt: skip
    """The gradient of a function that returns one real number.

    >>> import numpy as np
    >>> grad(lambda x: np.sum(np.sin(x)))(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    numbers = (
        argnum if argnum is not None else None if argnames is not None and argnums == 0 else argnums
    )
    return Gradient(fun, numbers, argnames, has_aux, holomorphic, False, trust)


def value_and_grad(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False, *,
    argnames: str | Sequence[str] | None = None, argnum: Argnums | None = None, trust: str = "report",
) -> Callable[..., Any]:  # fmt: skip
    """`(value, gradient)` in one pass.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (np.float64(9.0), 6.0)
    """
    numbers = (
        argnum if argnum is not None else None if argnames is not None and argnums == 0 else argnums
    )
    return Gradient(fun, numbers, argnames, has_aux, holomorphic, True, trust)


class Pullback:
    """What `vjp` returns: cotangent of the result in, tuple of cotangents of the arguments out."""

    def __init__(
        self, call: Call, builder: Builder, tracers: list[Tracer], leaves: list[Any], structure: Any, trust: str,
        has_aux: bool = False,
    ) -> None:  # fmt: skip
        self.call, self.builder, self.tracers, self.has_aux = call, builder, tracers, has_aux
        self.leaves, self.structure, self.trust = leaves, structure, trust

    def __call__(self, cotangent: Any) -> Any:
        gs, structure = tree.flatten(cotangent)
        if len(gs) != len(self.leaves) or structure != self.structure:
            raise StructureError(
                f"vjp: the cotangent has the structure {structure}, the result {self.structure}",
                "pass one cotangent per result, in the same containers",
                source.here(),
            )
        targets, moved, given = [], [], []
        for g, y in zip(gs, self.leaves, strict=True):
            if not isinstance(y, Tracer) or y.builder is not self.builder or not y.type.inexact:
                continue
            if np.shape(g) != y.type.shape:
                raise ShapeError(
                    f"vjp: a cotangent of shape {np.shape(g)} for a result of shape {y.type.shape}",
                    "cotangents have the shapes of their results",
                    source.here(),
                )
            if not isinstance(g, Tracer):
                g = np.asarray(g).astype(y.type.dtype)[()]
            targets.append(y.node)
            moved.append(y)
            given.append(np.conjugate(g) if y.type.dtype.kind == "c" else g)
        found, refusal = _reversed(self.trust, self.builder, targets, given, self.tracers)
        gradients = [
            deliver(np.conjugate(g) if g is not None and leaf.type.dtype.kind == "c" else g, leaf)
            for g, leaf in zip(found, self.call.leaves, strict=True)
        ]
        level = looked_at.wanted(self.trust, self.builder, [*given, *gradients])
        if level:
            weights = dict(zip(map(id, moved), given, strict=True))
            gs = [weights.get(id(y)) for y in self.leaves]
            _, looked = looked_at.gradients(
                "vjp",
                level,
                self.call,
                self.builder,
                self.leaves,
                gs,
                gradients,
                has_aux=self.has_aux,
                refusal=refusal,
            )
            gradients = [_delivered(g, x) for g, x in zip(looked, self.call.leaves, strict=True)]
        elif self.trust != "off" or anomaly.watched.get() is not None:
            report.inspect(
                "vjp",
                gradients,
                lambda: case_of(self.call, self.builder, moved, gs=given),
                self.builder.stopped,
            )
        return tuple(self.call.rebuild(gradients, static=False))


def vjp(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False, trust: str = "report"
) -> Any:
    """`(value, pullback)`: `pullback(g)` is a tuple of cotangents, one per argument.

    For complex numbers it is the conjugate transpose of the derivative (descent convention).

    >>> value, back = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> value, back(1.0)
    (np.float64(12.0), (4.0, 3.0))
    """
    call = Call(fun, primals, {}, tuple(range(len(primals))), None, "vjp").own()
    builder, tracers, out = record_call(call)
    out, aux = split_aux(out, has_aux)
    leaves, structure = tree.flatten(out)
    for y in leaves:
        if isinstance(y, Tracer):
            y.refresh()
    ys = [apart(number_of(builder, y)) for y in leaves]
    if policies.level(trust) != "off" or anomaly.watched.get() is not None:
        report.inspect("vjp", ys, lambda: case_of(call, builder, leaves))
    value = tree.unflatten(structure, ys)
    back = Pullback(call, builder, tracers, leaves, structure, trust, has_aux)
    return (
        (value, back, tree.map_leaves(lambda a: number_of(builder, a), aux))
        if has_aux
        else (value, back)
    )
