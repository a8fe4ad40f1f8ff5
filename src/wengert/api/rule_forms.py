"""The forms in which a rule may be given: JAX's two, TensorFlow's, autograd's, and slopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.custom_function import CustomFunction
from wengert.api.signature import UNSAID, kind_of, line_of
from wengert.errors import RuleError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.numpy_api.promote import cast, operand, result_dtype, together
from wengert.ops.families import scale
from wengert.trace.tracer import Tracer


class CustomVjp(CustomFunction):
    """The form of JAX's `custom_vjp`: `fwd` and `bwd`."""

    form = "f.defvjp(fwd, bwd)"
    keeps = True
    fwd: Any = None
    bwd: Any = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """`fwd(*args) -> (value, residuals)`; `bwd(*nondiff, residuals, g)` -> a cotangent per argument."""
        self.fwd, self.bwd = fwd, bwd
        self._signatures.clear()

    @property
    def ready(self) -> bool:
        return self.bwd is not None

    @property
    def rules(self) -> tuple[Any, Any]:
        return self.bwd, None

    def forward(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        found = self.fwd(*args)
        if not isinstance(found, tuple) or len(found) != 2:
            raise RuleError(
                f"the fwd of {self.name} ({line_of(self.fwd)}) returns {kind_of(found)}",
                "return the pair (value, residuals)",
                source.here(),
            )
        return found

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        return self.bwd(*self.closed(args), memory, g)


class CustomJvp(CustomFunction):
    """The form of JAX's `custom_jvp`: primals and tangents in, value and tangent out."""

    form = "f.defjvp(rule)"
    rule: Any = None

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """`jvp(*nondiff, primals, tangents) -> (value, tangent)`; also a decorator."""
        self.rule = jvp
        self._signatures.clear()
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """One rule per argument: `lambda dx, value, *primals: tangent`, or None where it is zero."""
        self.rule = PerArgument(self, jvps)
        self._signatures.clear()

    @property
    def ready(self) -> bool:
        return self.rule is not None

    @property
    def rules(self) -> tuple[Any, Any]:
        return None, self.rule

    def push(self, args: tuple[Any, ...], tangents: tuple[Any, ...], y: Any) -> Any:
        return self.rule(*self.closed(args), self.opened(args), tangents)


class PerArgument:
    """The rule that `defjvps` makes of one rule per argument: the sum of their tangents."""

    def __init__(self, owner: CustomJvp, jvps: Sequence[Any]) -> None:
        self.owner, self.jvps = owner, tuple(jvps)
        self.__wrapped__ = next((j for j in jvps if j is not None), None)

    def __call__(self, *args: Any) -> Any:
        primals, tangents = args[-2:]
        full, rest = list(args[:-2]), iter(primals)
        merged = [
            full.pop(0) if n in self.owner.nondiff else next(rest)
            for n in range(len(primals) + len(full))
        ]
        y = self.owner.fun(*merged)
        parts = [
            j(t, y, *primals) for j, t in zip(self.jvps, tangents, strict=True) if j is not None
        ]
        if not parts:
            return y, None
        total = parts[0]
        for p in parts[1:]:
            total = tree.map_leaves(lambda a, b: a + b, total, p)
        return y, total


class CustomGradient(CustomFunction):
    """The form of TensorFlow's `custom_gradient`: the function returns value and gradient function."""

    ready = True
    keeps = True

    @property
    def rules(self) -> tuple[Any, Any]:
        return self.fun, None

    def forward(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        found = self.fun(*args)
        if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
            raise RuleError(
                f"{self.name} ({line_of(self.fun)}) is a custom_gradient and returns {kind_of(found)}",
                "return the pair (value, grad_fn)",
                source.here(),
            )
        return found

    def plain(self, args: tuple[Any, ...]) -> Any:
        return self.forward(args)[0]

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        found = memory(*g) if isinstance(g, tuple | list) else memory(g)
        if len(self.opened(args)) == 1 and not (
            isinstance(found, tuple | list) and len(found) == 1
        ):
            return (found,)
        return found


class PerArgumentVjp(CustomFunction):
    """The form of autograd's `defvjp`: `lambda ans, *args: lambda g: cotangent`, per argument."""

    form = "wg.defvjp(f, *vjps)"
    vjps: dict[int, Any] | None = None

    def defvjp(
        self, *vjps: Callable[..., Any] | None, argnums: Sequence[int] | None = None
    ) -> None:
        """One rule per argument (or for those in `argnums`); None where the cotangent is zero."""
        self.vjps = dict(zip(range(len(vjps)) if argnums is None else argnums, vjps, strict=True))
        self._signatures.clear()

    @property
    def ready(self) -> bool:
        return self.vjps is not None

    @property
    def rules(self) -> tuple[Any, Any]:
        return next(
            (v for v in (self.vjps or {}).values() if v is not None), None
        ) or self.fun, None

    def _traced(self, args: tuple[Any, ...]) -> Any:
        for n, a in enumerate(args):
            leaves, _ = tree.flatten(a)
            if n not in (self.vjps or {}) and any(isinstance(x, Tracer) for x in leaves):
                raise RuleError(
                    f"{self.name} has no vjp for {self.argument(n)}, which is traced",
                    "give wg.defvjp one rule per argument (None where the cotangent is zero)",
                    source.here(),
                )
        return super()._traced(args)

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        vjps = self.vjps or {}
        return tuple(
            None if vjps.get(n) is None else vjps[n](y, *args)(g) for n in range(len(args))
        )


class CustomSlopes(CustomFunction):
    """An elementwise function with its slopes, result first: the form of wengert's own primitives."""

    ready = True

    def __init__(self, fun: Callable[..., Any], slopes: Sequence[Any], check: bool = True) -> None:
        super().__init__(fun, check=check)
        self.slopes = tuple(slopes)

    @property
    def rules(self) -> tuple[Any, Any]:
        rule = next((s for s in self.slopes if callable(s)), self.fun)
        return rule, rule

    def _traced(self, args: tuple[Any, ...]) -> Any:
        if len(args) != len(self.slopes):
            raise RuleError(
                f"{self.name} has {len(self.slopes)} slopes, and was called with {len(args)} arguments",
                "give wg.custom_slopes one slope per argument (None where it is zero)",
                source.here(),
            )
        xs = [operand(x) for x in args]
        dtype = result_dtype(*xs)
        return super()._traced(tuple(together(self.name, [cast(x, dtype) for x in xs])))

    def _parts(self, gs: Sequence[Any], args: tuple[Any, ...], y: Any) -> list[Any]:
        dtype = type_of(y).dtype
        parts: list[Any] = []
        for g, slope in zip(gs, self.slopes, strict=True):
            s: Any = slope(y, *args) if callable(slope) else slope
            parts.append(None if s is None else scale(g, cast(s, dtype)))
        return parts

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        return tuple(self._parts([g] * len(args), args, y))

    def push(self, args: tuple[Any, ...], tangents: tuple[Any, ...], y: Any) -> Any:
        shape = type_of(y).shape
        wide = [
            t if type_of(t).shape == shape else np.zeros(shape, type_of(y).dtype) for t in tangents
        ]
        parts = [p for p in self._parts(wide, args, y) if p is not None]
        return UNSAID, sum(parts[1:], parts[0]) if parts else None
