"""Derivatives of your own: one rule is given, in the form of whichever library you come from.

Every form becomes one equation `custom[name]` on flat leaves (`ops.custom`); the direction that was
not given is the transpose of the one that was. A function given a rule may be a black box: it gets
plain arrays and is never traced while numbers are known.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from wengert import tree
from wengert.errors import ConcretizationError, RuleError
from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.types import ArrayType, type_of
from wengert.ops.custom import Custom, stop
from wengert.ops.families import scale
from wengert.trace.trace import program_of
from wengert.trace.tracer import Tracer
from wengert.trust import rule_check

_SIGNATURES = 256  # so many call signatures of one function are remembered
_NOTHING = object()


class CustomFunction:
    """A function with a derivative of its own. The subclasses are the forms that a rule may take.

    `nondiff` are arguments that are no numbers to differentiate by (functions, options); rules get
    them first. `check=False` switches off the comparison with differences at first use.
    """

    form = ""  # how the rule is given, for messages

    def __init__(
        self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] | int = (),
        nondiff_argnames: Sequence[str] | str = (), check: bool = True,
    ) -> None:  # fmt: skip
        self.fun, self.check = fun, check
        self.name = getattr(fun, "__name__", type(fun).__name__)
        self._parameters = _parameters(fun)
        numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
        names = (nondiff_argnames,) if isinstance(nondiff_argnames, str) else tuple(nondiff_argnames)
        self.nondiff = tuple(sorted({*numbers, *(self._parameters.index(n) for n in names)}))
        self._signatures: dict[Any, Signature] = {}
        self.checked: set[Any] = set()
        functools.update_wrapper(self, fun, updated=())

    # ---- the rule, asked by Signature ----------------------------------------------------------------
    @property
    def ready(self) -> bool:
        """Has the rule been given?"""
        raise AssertionError

    @property
    def rules(self) -> tuple[Any, Any]:
        """The functions that answer backward and forward, for the line in messages; or None."""
        raise AssertionError

    def forward(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        """`(value, what the backward rule needs)`."""
        return self.fun(*args), ()

    def plain(self, args: tuple[Any, ...]) -> Any:
        """The value alone."""
        return self.fun(*args)

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        """A cotangent for each argument that is not nondiff."""
        raise AssertionError

    def push(self, args: tuple[Any, ...], tangents: tuple[Any, ...], y: Any) -> Any:
        """`(value, tangent)`; tangents of arguments that are not nondiff."""
        raise AssertionError

    # ---- the call ------------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, _ = tree.flatten((args, kwargs))
        if not any(isinstance(x, Tracer) for x in leaves):
            return self.plain(self._positional(args, kwargs))
        if not self.ready:
            raise RuleError(f"{self.name} has no rule yet", f"give it one with {self.form}", source.here())
        return self._traced(self._positional(args, kwargs))

    def _traced(self, args: tuple[Any, ...]) -> Any:
        structures, found, key = [], [], []
        for n, a in enumerate(args):
            if n in self.nondiff:
                structures.append((None, [Fixed(a)]))
                key.append((None, a.__class__, a))
                self._refuse_tracers(n, a)
                continue
            leaves, structure = tree.flatten(a)
            places: list[Any] = []
            for x in leaves:
                number = _number(x)
                places.append(Fixed(x) if number is None else len(found))
                key.append(structure if number is not None else (structure, x.__class__, x))
                if number is not None:
                    found.append(number)
            structures.append((structure, places))
        signature = self._signature(tuple(key), structures)
        ys = signature.custom(*found)
        return signature.unflatten([type_of(x) for x in found], ys)

    def _signature(self, key: Any, structures: list[Any]) -> Signature:
        try:
            known = self._signatures.get(key)
        except (TypeError, ValueError):  # a fixed argument that does not hash or compare
            return Signature(self, structures)
        if known is None:
            if len(self._signatures) >= _SIGNATURES:
                self._signatures.clear()
            known = self._signatures[key] = Signature(self, structures)
        return known

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if not kwargs and len(args) == len(self._parameters):
            return args
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except ValueError:  # a builtin without a signature
            return args
        bound.apply_defaults()
        if bound.kwargs:
            raise RuleError(
                f"{self.name} takes {', '.join(bound.kwargs)} by keyword only, and rules get their arguments by position",
                "make them ordinary arguments (nondiff_argnames, if they are options)",
                source.here(),
            )
        return bound.args

    def _refuse_tracers(self, n: int, a: Any) -> None:
        leaves, _ = tree.flatten(a)
        if any(isinstance(x, Tracer) for x in leaves):
            raise RuleError(
                f"{self.argument(n)} of {self.name} is nondiff, and a traced value was passed for it",
                "make it an ordinary argument, whose cotangent may be None",
                source.here(),
            )

    def argument(self, n: int) -> str:
        """How messages name an argument."""
        return f"argument {self._parameters[n]!r}" if n < len(self._parameters) else f"argument {n}"

    def opened(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that are not nondiff."""
        return tuple(a for n, a in enumerate(args) if n not in self.nondiff)

    def closed(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The nondiff arguments."""
        return tuple(args[n] for n in self.nondiff)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        path = getattr(self, "__qualname__", self.name)
        found: Any = sys.modules.get(self.__module__)
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is self:  # a decorated function: pickled by its name, as functions are
            return path
        state = {k: v for k, v in vars(self).items() if k not in ("_signatures", "checked", "__wrapped__")}
        return _rebuilt, (type(self), state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _rebuilt(cls: type[CustomFunction], state: dict[str, Any]) -> CustomFunction:
    new = object.__new__(cls)
    vars(new).update(state, _signatures={}, checked=set(), __wrapped__=state["fun"])
    return new


def _parameters(fun: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(fun).parameters)
    except (ValueError, TypeError):
        return []


def _number(x: Any) -> Any:
    """A leaf that goes through the equation; None for one that is an option (flags, strings, ints)."""
    if isinstance(x, Tracer | np.ndarray | np.generic):
        return x
    if isinstance(x, float):
        return np.float64(x)
    return np.complex128(x) if isinstance(x, complex) else None


class Fixed:
    """A leaf that is no number."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Signature:
    """One custom function with the containers of one call: from flat leaves to the user's rules."""

    def __init__(self, owner: CustomFunction, structures: Sequence[tuple[Any, list[Any]]]) -> None:
        self.owner, self.structures = owner, list(structures)
        self.results: dict[Any, tuple[Any, tuple[ArrayType, ...]]] = {}  # per types: structure, types
        back, forth = owner.rules
        self.custom = Custom(
            owner.name, self.value, self.vjp if back else None, self.push if forth else None, self.typed,
            self.after, (_line(back), _line(forth)), self.part, (_custom_of, (owner, self.structures)),
        )  # fmt: skip

    def arguments(self, values: Sequence[Any], fixed: bool = True) -> tuple[Any, ...]:
        """The user's arguments with `values` as leaves; without `fixed`, None where there is none."""
        return tuple(
            (places[0].value if fixed else None)
            if structure is None
            else tree.unflatten(
                structure, [values[p] if isinstance(p, int) else p.value if fixed else None for p in places]
            )
            for structure, places in self.structures
        )

    def unflatten(self, types: Sequence[ArrayType], ys: Sequence[Any]) -> Any:
        """The results in the containers that the function returned."""
        return tree.unflatten(self.results[tuple(types)][0], ys)

    # ---- what Custom asks ------------------------------------------------------------------------------
    def value(self, xs: Sequence[Any]) -> tuple[Any, Any]:
        y, memory = self.owner.forward(self.arguments(xs))
        leaves, structure = tree.flatten(y)
        traced = any(isinstance(x, Handle) for x in xs)
        ys = tuple(self._result(v, traced) for v in leaves)
        self.results[tuple(map(type_of, xs))] = structure, tuple(map(type_of, ys))
        return ys, (memory,)

    def _result(self, v: Any, traced: bool) -> Any:
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
        xs = [draw.uniform(0.5, 1.0, t.shape).astype(t.dtype)[()] if t.inexact else np.ones(t.shape, t.dtype)[()] for t in types]
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

    def vjp(self, gs: Sequence[Any], xs: Sequence[Any], ys: Sequence[Any], memory: Any) -> tuple[Any, ...]:
        owner, args = self.owner, self.arguments(xs)
        types = [type_of(x) for x in xs]
        kept = owner.forward(args)[1] if memory is None else memory[0]
        found = owner.backward(args, self.unflatten(types, ys), kept, self.unflatten(types, gs))
        opened = [n for n in range(len(args)) if n not in owner.nondiff]
        if not isinstance(found, tuple | list) or len(found) != len(opened):
            got = f"{len(found)} cotangents" if isinstance(found, tuple | list) else f"a {type(found).__name__}"
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
        found = owner.push(args, owner.opened(self.arguments(dxs, fixed=False)), self.unflatten(key, ys))
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise self.custom.broken(True, f"it returns a {type(found).__name__}", "return the pair (value, tangent)")
        value, tangent = found
        if value is not _NOTHING:
            for n, (v, t) in enumerate(zip(self._leaves(True, structure, value, "its value"), types, strict=True)):
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
            return [given]
        try:
            return cast("Sequence[Any]", structure.flatten_up_to(given))
        except (ValueError, TypeError) as error:
            text = str(error).split("\n")[0]
            raise self.custom.broken(
                forward, f"{what} has other containers than it should: {text}", f"return it like {structure}"
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

    def after(self, custom: Custom, forward: bool, xs: Sequence[Any], ys: Sequence[Any]) -> None:
        """At the first use with these types, hold the rule against differences."""
        key = forward, tuple(map(type_of, xs))
        if key in self.owner.checked or not self.owner.check or not rule_check.enabled():
            return
        self.owner.checked.add(key)

        def values(*points: Any) -> list[Any]:
            leaves, _ = tree.flatten(self.owner.plain(self.arguments(points)))
            return [np.asarray(v)[()] for v in leaves]

        rule_check.against_differences(custom, forward, values, tuple(xs), tuple(ys))


def _custom_of(owner: CustomFunction, structures: Any) -> Custom:
    return Signature(owner, structures).custom


def _line(rule: Any) -> str:
    code = getattr(inspect.unwrap(rule), "__code__", None) if callable(rule) else None
    return "" if code is None else f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}"


# ---- the forms ---------------------------------------------------------------------------------------


class CustomVjp(CustomFunction):
    """The form of JAX's `custom_vjp`: `fwd` and `bwd`."""

    form = "f.defvjp(fwd, bwd)"
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
                f"the fwd of {self.name} ({_line(self.fwd)}) returns a {type(found).__name__}",
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
        merged = [full.pop(0) if n in self.owner.nondiff else next(rest) for n in range(len(primals) + len(full))]
        y = self.owner.fun(*merged)
        parts = [j(t, y, *primals) for j, t in zip(self.jvps, tangents, strict=True) if j is not None]
        if not parts:
            return y, None
        total = parts[0]
        for p in parts[1:]:
            total = tree.map_leaves(lambda a, b: a + b, total, p)
        return y, total


class CustomGradient(CustomFunction):
    """The form of TensorFlow's `custom_gradient`: the function returns value and gradient function."""

    ready = True

    @property
    def rules(self) -> tuple[Any, Any]:
        return self.fun, None

    def forward(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        found = self.fun(*args)
        if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
            raise RuleError(
                f"{self.name} ({_line(self.fun)}) is a custom_gradient and returns a {type(found).__name__}",
                "return the pair (value, grad_fn)",
                source.here(),
            )
        return found

    def plain(self, args: tuple[Any, ...]) -> Any:
        return self.forward(args)[0]

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        found = memory(*g) if isinstance(g, tuple | list) else memory(g)
        if len(self.opened(args)) == 1 and not (isinstance(found, tuple | list) and len(found) == 1):
            return (found,)
        return found


class PerArgumentVjp(CustomFunction):
    """The form of autograd's `defvjp`: `lambda ans, *args: lambda g: cotangent`, per argument."""

    form = "wg.defvjp(f, *vjps)"
    vjps: dict[int, Any] | None = None

    def defvjp(self, *vjps: Callable[..., Any] | None, argnums: Sequence[int] | None = None) -> None:
        """One rule per argument (or for those in `argnums`); None where the cotangent is zero."""
        self.vjps = dict(zip(range(len(vjps)) if argnums is None else argnums, vjps, strict=True))
        self._signatures.clear()

    @property
    def ready(self) -> bool:
        return self.vjps is not None

    @property
    def rules(self) -> tuple[Any, Any]:
        return next((v for v in (self.vjps or {}).values() if v is not None), None) or self.fun, None

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
        return tuple(None if vjps.get(n) is None else vjps[n](y, *args)(g) for n in range(len(args)))


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
        from wengert.numpy_api.promote import cast as typed
        from wengert.numpy_api.promote import operand, result_dtype, together

        if len(args) != len(self.slopes):
            raise RuleError(
                f"{self.name} has {len(self.slopes)} slopes, and was called with {len(args)} arguments",
                "give wg.custom_slopes one slope per argument (None where it is zero)",
                source.here(),
            )
        xs = [operand(x) for x in args]
        dtype = result_dtype(*xs)
        return super()._traced(tuple(together(self.name, [typed(x, dtype) for x in xs])))

    def _parts(self, gs: Sequence[Any], args: tuple[Any, ...], y: Any) -> list[Any]:
        t = type_of(y)
        parts = []
        for g, slope in zip(gs, self.slopes, strict=True):
            s = slope(y, *args) if callable(slope) else slope
            if s is None:
                parts.append(None)
            elif not isinstance(s, Tracer | np.ndarray) or s.dtype == t.dtype:
                parts.append(scale(g, s if isinstance(s, Tracer | np.ndarray) else t.dtype.type(s)))
            else:
                parts.append(scale(g, s.astype(t.dtype)))
        return parts

    def backward(self, args: tuple[Any, ...], y: Any, memory: Any, g: Any) -> Any:
        return tuple(self._parts([g] * len(args), args, y))

    def push(self, args: tuple[Any, ...], tangents: tuple[Any, ...], y: Any) -> Any:
        shape = type_of(y).shape
        wide = [t if type_of(t).shape == shape else np.zeros(shape, type_of(y).dtype) for t in tangents]
        parts = [p for p in self._parts(wide, args, y) if p is not None]
        return _NOTHING, sum(parts[1:], parts[0]) if parts else None


def _decorator(cls: type[CustomFunction], fun: Any, **options: Any) -> Any:
    return (lambda f: cls(f, **options)) if fun is None else cls(fun, **options)


def custom_vjp(
    fun: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] | int = (), *,
    nondiff_argnames: Sequence[str] | str = (), check: bool = True,
) -> Any:  # fmt: skip
    """A function whose backward rule you give with `f.defvjp(fwd, bwd)`, as in JAX.

    `fwd(*args)` returns the value and whatever `bwd` needs; `bwd(residuals, g)` returns a tuple
    with a cotangent (or None, for zero) for each argument. Forward mode is derived: it is the
    transpose of `bwd`, which should be linear in `g` (where it is not, its slope at `g = 0`).

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_vjp
    ... def softplus(x):
    ...     return np.logaddexp(x, 0)
    >>> softplus.defvjp(lambda x: (np.logaddexp(x, 0), x), lambda x, g: (g / (1 + np.exp(-x)),))
    >>> wg.grad(softplus)(0.0), wg.jvp(softplus, (0.0,), (1.0,))[1]
    (0.5, np.float64(0.5))
    """
    return _decorator(CustomVjp, fun, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames, check=check)


def custom_jvp(
    fun: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] | int = (), *,
    nondiff_argnames: Sequence[str] | str = (), check: bool = True,
) -> Any:  # fmt: skip
    """A function whose forward rule you give with `f.defjvp` or `f.defjvps`, as in JAX.

    The rule takes tuples of primals and tangents and returns value and tangent. Reverse mode is
    derived: it is the transpose.

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_jvp
    ... def sinc(x):
    ...     return np.sin(x) / x
    >>> @sinc.defjvp
    ... def slope(primals, tangents):
    ...     (x,), (dx,) = primals, tangents
    ...     return sinc(x), dx * (np.cos(x) - sinc(x)) / x
    >>> wg.grad(sinc)(np.pi)
    -0.3183098861837907
    """
    return _decorator(CustomJvp, fun, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames, check=check)


def custom_gradient(fun: Callable[..., Any] | None = None, *, check: bool = True) -> Any:
    """A function that returns its value and its gradient function, as in TensorFlow.

    `grad_fn(upstream)` returns a cotangent, or a tuple of them for several arguments; with a tuple
    of results it gets one upstream cotangent for each.

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> wg.grad(log1pexp)(100.0)
    1.0
    """
    return _decorator(CustomGradient, fun, check=check)


def primitive(fun: Callable[..., Any] | None = None, *, check: bool = True) -> Any:
    """A function that is not looked into; `wg.defvjp` gives it a rule, as in autograd."""
    return _decorator(PerArgumentVjp, fun, check=check)


def defvjp(
    fun: Callable[..., Any], *vjps: Callable[..., Any] | None, argnums: Sequence[int] | None = None, check: bool = True
) -> Callable[..., Any]:  # fmt: skip
    """Give a function one vjp per argument, as autograd's: `lambda ans, x: lambda g: cotangent`.

    A `wg.primitive` is changed; of any other function a primitive is made. It is returned.

    >>> import math
    >>> import wengert as wg
    >>> sine = defvjp(math.sin, lambda ans, x: lambda g: g * math.cos(x))
    >>> wg.grad(sine)(0.0)
    1.0
    """
    made = fun if isinstance(fun, PerArgumentVjp) else PerArgumentVjp(fun, check=check)
    made.defvjp(*vjps, argnums=argnums)
    return made


def custom_slopes(fun: Callable[..., Any], *slopes: Any, check: bool = True) -> Callable[..., Any]:
    """An elementwise function with the slope in each argument: a formula of result and arguments.

    A slope may also be a number, or None where it is zero. Arguments broadcast.

    >>> import numpy as np
    >>> import wengert as wg
    >>> logistic = custom_slopes(lambda x: 1 / (1 + np.exp(-x)), lambda y, x: y * (1 - y))
    >>> wg.grad(lambda x: np.sum(logistic(x)))(np.array([0.0, 40.0]))
    array([0.25, 0.  ])
    """
    return CustomSlopes(fun, slopes, check)


def stop_gradient(x: Any) -> Any:
    """`x`, as a constant for every derivative; containers welcome.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return tree.map_leaves(lambda leaf: stop(leaf) if isinstance(leaf, Tracer) and leaf.type.inexact else leaf, x)
