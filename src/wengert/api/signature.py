"""One custom function with the containers of one call: from flat leaves to the user's rules."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert import tree
from wengert.errors import ConcretizationError, RuleError
from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.types import ArrayType, type_of
from wengert.ops.custom import Custom
from wengert.trace.idle import plain
from wengert.trace.trace import program_of, untraced
from wengert.trace.tracer import Tracer
from wengert.trust import rule_check

if TYPE_CHECKING:
    from wengert.api.custom_function import CustomFunction

UNSAID = object()  # a forward rule that gives a tangent and leaves the value as it is


class Fixed:
    """A leaf that is no number."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Signature:
    """One custom function with the containers of one call: from flat leaves to the user's rules."""

    def __init__(self, owner: CustomFunction, structures: Sequence[tuple[Any, list[Any]]]) -> None:
        self.owner, self.structures = owner, list(structures)
        self.results: dict[
            Any, tuple[Any, tuple[ArrayType, ...]]
        ] = {}  # per types: structure, types
        back, forth = owner.rules
        self.custom = Custom(
            owner.name, self.value, self.vjp if back else None, self.push if forth else None, self.typed,
            self.after, (line_of(back), line_of(forth)), self.part, (_custom_of, (owner, self.structures)),
        )  # fmt: skip

    def arguments(self, values: Sequence[Any], fixed: bool = True) -> tuple[Any, ...]:
        """The user's arguments with `values` as leaves; without `fixed`, None where there is none."""
        return tuple(
            (places[0].value if fixed else None)
            if structure is None
            else tree.unflatten(
                structure,
                [values[p] if isinstance(p, int) else p.value if fixed else None for p in places],
            )
            for structure, places in self.structures
        )

    def unflatten(self, types: Sequence[ArrayType], ys: Sequence[Any]) -> Any:
        """The results in the containers that the function returned."""
        return tree.unflatten(self.results[tuple(types)][0], ys)

    # ---- what Custom asks ------------------------------------------------------------------------------
    def value(self, xs: Sequence[Any]) -> tuple[Any, Any]:
        traced = any(isinstance(x, Handle) for x in xs)
        with nullcontext() if traced else untraced():
            y, memory = self.owner.forward(self.arguments(xs))
        leaves, structure = tree.flatten(y)
        ys = tuple(self._result(v, traced) for v in leaves)
        self.results[tuple(map(type_of, xs))] = structure, tuple(map(type_of, ys))
        return ys, (memory,)

    def _result(self, v: Any, traced: bool) -> Any:
        v = plain(v)
        if isinstance(v, Tracer):
            if not traced:
                raise RuleError(
                    f"{self.owner.name} got plain numbers and returns a traced value: it uses one from outside",
                    "pass everything that is differentiated as an argument",
                    source.here(),
                )
            return v
        number = np.asarray(v)[()]
        if number.dtype.kind not in "fciub":
            raise RuleError(
                f"{self.owner.name} returns a {type(v).__name__}",
                "return numbers, arrays, or containers of them",
                source.here(),
            )
        return number

    def typed(self, types: tuple[ArrayType, ...]) -> tuple[ArrayType, ...]:
        if types not in self.results:
            try:
                program_of(lambda *xs: self.value(xs)[0], types)
            except RuleError:
                raise
            except Exception as error:
                self._try(types, error)
        return self.results[types][1]

    def _try(self, types: tuple[ArrayType, ...], why: Exception) -> None:
        """Learn what a black box returns by running it on made-up numbers."""
        draw = np.random.default_rng(0)
        xs = [
            draw.uniform(0.5, 1.0, t.shape).astype(t.dtype)[()]
            if t.inexact
            else np.ones(t.shape, t.dtype)[()]
            for t in types
        ]
        try:
            with np.errstate(all="ignore"):
                self.value(xs)
        except Exception as error:
            raise ConcretizationError(
                f"{self.owner.name} is a black box ({type(why).__name__} when traced), its results for {list(types)} "
                f"are not known, and a try on made-up numbers fails with {type(error).__name__}: {error}",
                "write it in functions that wengert traces, or call it where numbers are known",
                source.here(),
            ) from why

    def vjp(
        self, gs: Sequence[Any], xs: Sequence[Any], ys: Sequence[Any], memory: Any
    ) -> tuple[Any, ...]:
        owner, args = self.owner, self.arguments(xs)
        types = [type_of(x) for x in xs]
        with nullcontext() if any(isinstance(a, Handle) for a in (*gs, *xs)) else untraced():
            kept = (memory or (owner.forward(args)[1],))[0] if owner.keeps else None
            found = owner.backward(args, self.unflatten(types, ys), kept, self.unflatten(types, gs))
        opened = [n for n in range(len(args)) if n not in owner.nondiff]
        if not isinstance(found, tuple | list) or len(found) != len(opened):
            got = f"{len(found)} cotangents" if isinstance(found, tuple | list) else kind_of(found)
            raise self.custom.broken(
                False,
                f"it returns {got} for {len(opened)} argument{'s' if len(opened) != 1 else ''}",
                "return a tuple with one cotangent (or None) for each",
            )
        flat: list[Any] = [None] * len(xs)
        for n, c in zip(opened, found, strict=True):
            if c is None:
                continue
            structure, places = self.structures[n]
            leaves = self._leaves(False, structure, c, f"the cotangent of {owner.argument(n)}")
            for p, leaf in zip(places, leaves, strict=True):
                if isinstance(p, int):
                    flat[p] = leaf
        return tuple(flat)

    def push(self, dxs: Sequence[Any], xs: Sequence[Any], ys: Sequence[Any]) -> tuple[Any, ...]:
        owner, args = self.owner, self.arguments(xs)
        key = tuple(type_of(x) for x in xs)
        structure, types = self.results[key]
        with nullcontext() if any(isinstance(a, Handle) for a in (*dxs, *xs)) else untraced():
            found = owner.push(
                args, owner.opened(self.arguments(dxs, fixed=False)), self.unflatten(key, ys)
            )
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise self.custom.broken(
                True, f"it returns {kind_of(found)}", "return the pair (value, tangent)"
            )
        value, tangent = found
        if value is not UNSAID:
            for n, (v, t) in enumerate(
                zip(self._leaves(True, structure, value, "its value"), types, strict=True)
            ):
                if type_of(v).shape != t.shape:
                    raise self.custom.broken(
                        True,
                        f"its value has type {type_of(v)!r} at {self.part(True, n)}, that of {owner.name} is {t!r}",
                        "return (value, tangent), in this order",
                    )
        if tangent is None:
            return (None,) * len(types)
        return tuple(self._leaves(True, structure, tangent, "its tangent"))

    def _leaves(self, forward: bool, structure: Any, given: Any, what: str) -> Sequence[Any]:
        if structure is tree.ONE:
            return [plain(given)]
        try:
            return [plain(leaf) for leaf in structure.flatten_up_to(given)]
        except (ValueError, TypeError) as error:
            text = str(error).split("\n")[0]
            raise self.custom.broken(
                forward,
                f"{what} has other containers than it should: {text}",
                f"return it like {structure}",
            ) from None

    def part(self, forward: bool, n: int) -> str:
        if forward:
            return f"result {n}" if len(next(iter(self.results.values()))[1]) > 1 else "the result"
        for k, (structure, places) in enumerate(self.structures):
            if structure is not None and n in [p for p in places if isinstance(p, int)]:
                name = self.owner.argument(k)
                if len(places) == 1:
                    return name
                example = tree.unflatten(structure, [0.0] * len(places))
                return f"{name} at {tree.paths(example)[places.index(n)]}"
        return f"argument {n}"

    def after(
        self,
        custom: Custom,
        forward: bool,
        xs: Sequence[Any],
        ys: Sequence[Any],
        moving: tuple[bool, ...],
    ) -> None:
        """At the first use with these types, hold the rule against differences."""
        key = forward, moving, tuple(map(type_of, xs))
        if key in self.owner.checked or not self.owner.check or not rule_check.enabled():
            return
        self.owner.checked.add(key)

        def values(*points: Any) -> list[Any]:
            leaves, _ = tree.flatten(self.owner.plain(self.arguments(points)))
            return [np.asarray(v)[()] for v in leaves]

        rule_check.against_differences(custom, forward, values, tuple(xs), tuple(ys), moving)


def _custom_of(owner: CustomFunction, structures: Any) -> Custom:
    return Signature(owner, structures).custom


def kind_of(x: Any) -> str:
    """How messages name what a rule returned."""
    single = isinstance(x, Tracer | np.ndarray | np.generic | float | int | complex)
    return f"a single {type_of(x)!r}" if single else f"a {type(x).__name__}"


def line_of(rule: Any) -> str:
    code = getattr(inspect.unwrap(rule), "__code__", None) if callable(rule) else None
    return "" if code is None else f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}"
