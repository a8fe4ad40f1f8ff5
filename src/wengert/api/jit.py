"""jit: a function whose program is recorded once and runs as machine code from then on.

A call is looked up by the types, containers and static values of its arguments. The first of a kind runs
the user's Python on types alone; the program, with all derivatives in it, is simplified and compiled. Later ones go
from Python's arguments to machine code by a builtin (`backends.entry`), which compares types and shapes.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.asked import CLOSE
from wengert.api.body import name_of, written
from wengert.api.careful import careful
from wengert.api.forward import finished
from wengert.api.jit_trace import Trace, traced
from wengert.backends.entry import Slot
from wengert.backends.entry_table import Kind
from wengert.errors import ConcretizationError, InputError, NativeWarning, UnsupportedError
from wengert.ir import garbage, source
from wengert.ir.types import type_of
from wengert.memo.compiled import Bounded, Compiled, compiled, regular, result_slot
from wengert.memo.signature import Fixed, NotCompiled, Opened, Signature
from wengert.numpy_api.alone import functions_in
from wengert.numpy_api.table import overridable
from wengert.ops.control import call
from wengert.trace.trace import tracing
from wengert.trace.tracer import Tracer
from wengert.trust import policies, report

if TYPE_CHECKING:
    from wengert.api.c_function import CFunction

_TRACES = 64  # so many kinds of calls of one function are remembered
_LARGE = 1 << 14  # bytes of `out=` that are better not copied
_CHAIN = 4  # so many of them are tried one after the other by the builtins


class Version(NamedTuple):
    """A trace that is ready to run."""

    trace: Trace
    compiled: Compiled
    entry: Any  # the quick call on its arguments, or None


class _NotPortable(Exception):
    """A trace that holds traced values from outside: it is for this call only."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace


class Event(NamedTuple):
    """Something that made a new version, for `why_recompiled`."""

    why: str
    key: Any
    version: Version | None


class Jitted:
    """A compiled function: what `jit` returns."""

    def __init__(
        self,
        fun: Callable[..., Any],
        static_argnums: Any,
        static_argnames: Any,
        trust: str = "report",
    ) -> None:
        self.fun, self.trust = fun, policies.level(trust)
        self.static_argnums, self.static_argnames = static_argnums, static_argnames
        self.signature = Signature(fun, static_argnums, static_argnames)
        self.versions = Bounded(_TRACES)
        self.traces = Bounded(_TRACES)
        self.events: deque[Event] = deque(maxlen=_TRACES)
        self.plain: dict[Any, str] = {}  # kinds of calls that run the plain function, and why
        self._quick: Callable[..., Any] = self._slow
        self._chain: list[Any] = []
        self._into: Any = None  # the newest version's quick call with an array for the result
        self._c: Any = None  # the newest version, as a C function
        functools.update_wrapper(self, fun, updated=())
        self.__name__ = f"jit({name_of(fun, 'f')})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            if len(kwargs) == 1 and self._into is not None and "out" in kwargs:
                out = kwargs["out"]
                if type(out) is np.ndarray and not any(
                    type(a) is np.ndarray and np.may_share_memory(a, out) for a in args
                ):
                    return self._into.call(*args, out)
            return self._slow(*args, **kwargs)
        return self._quick(*args)

    # ---- the slow way: any call --------------------------------------------------------------------
    @overridable
    def _slow(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None and self._takes_out:
            kwargs["out"], out = out, None
        with policies.careful(self.trust):
            try:
                opened = self.signature.open(args, kwargs)
            except NotCompiled as reason:
                return self._plain(type(reason), f"it was given {reason}", args, kwargs, out)
            if opened.key in self.plain:
                return _stored(self.fun(*args, **kwargs), out)
            if opened.traced or tracing():
                return self._inlined(opened, args, kwargs)
            version = self.versions.get(opened.key)
            why = "" if version is None else version.trace.guards.broken()
            if version is None or why:
                try:
                    version = self._version(opened, why, again=version is not None)
                except NotCompiled as reason:  # as it was asked for: nothing to warn of
                    self.plain[opened.key] = str(reason)
                    self.events.append(Event(f"not compiled: {reason}", opened.key, None))
                    return _stored(self.fun(*args, **kwargs), out)
                except _NotPortable as found:
                    return self._written(found.trace, opened)
                except (ConcretizationError, UnsupportedError) as error:
                    return self._plain(opened.key, _needs_numbers(error), args, kwargs, out)
            done, result = self._ran(version, opened, out)
            if type(out) is np.ndarray and self._into is None and version.entry is not None:
                self._into = self._entry(opened, version.trace, version.compiled, given=True)
            # where a derivative is not finite the plain function says where that was born
            return result if done else _stored(self.fun(*args, **kwargs), out)

    @functools.cached_property
    def _takes_out(self) -> bool:
        """Has the function a parameter of its own that is called `out`?"""
        return any(
            "out" in f.__code__.co_varnames[: f.__code__.co_argcount + f.__code__.co_kwonlyargcount]
            for f in list(functions_in(self.fun))[:1]
        )

    def _plain(self, key: Any, why: str, args: Any, kwargs: Any, out: Any) -> Any:
        """The plain function's own result, and one warning that it is that."""
        if key not in self.plain:
            if len(self.plain) >= _TRACES:
                self.plain.clear()
            self.plain[key] = why
            self.events.append(Event(f"not compiled: {why}", key, None))
            if self.trust in CLOSE:
                why = (
                    f"{why} (derivatives that it takes are looked at there, other results are not)"
                )
            text = f"{self.__name__} runs the plain function: {why}"
            source.warn(text, NativeWarning, source.caller())
        return _stored(self.fun(*args, **kwargs), out)

    def _ran(self, version: Version, opened: Opened, out: Any) -> tuple[bool, Any]:
        """Can the results be handed over, and what is handed over."""
        trace = version.trace
        types, answers = trace.program.in_types, trace.answers
        places = None if out is None else _places(out, trace)
        values = [regular(x, t) for x, t in zip(opened.values, types, strict=False)]
        if answers is not None:
            values += answers.tolerances()
        elif (
            places is not None
            and sum(p.nbytes for p in places) >= _LARGE
            and version.compiled.fill([*values, *trace.captured], places)
        ):
            return trace.trust == "off" or report.finite(places), out
        ys = version.compiled([*values, *trace.captured])
        watched = ys if answers is None else answers.others(ys)
        if trace.trust != "off" and not report.finite(watched):
            return False, None
        if answers is not None:
            settled = answers.settled(values, ys)
            if settled is None:
                return False, None
            ys = settled
        if places is not None:
            for place, y in zip(places, ys, strict=True):
                place[...] = y
            return True, out
        return True, _built(trace, ys)

    def _settled(self, trace: Trace, args: Any, values: Any, ys: Any) -> Any:
        """The results of a call, of which the bounds suspect something."""
        assert trace.answers is not None
        with policies.careful(self.trust):
            found = trace.answers.settled(values, ys)
            return self.fun(*args) if found is None else _built(trace, found)

    def version_for(self, *args: Any, **kwargs: Any) -> Version:
        """What such a call runs, made ready if it is not."""
        opened = self.signature.open(args, kwargs)
        version: Version | None = self.versions.get(opened.key)
        if version is None or version.trace.guards.broken():
            version = self._version(opened, "a name", again=version is not None)
        return version

    @garbage.kept()
    def _version(self, opened: Opened, why: str | None, again: bool) -> Version:
        """A new version for this kind of call."""
        trace = traced(self.fun, opened, self.__name__, asking=True)
        if not trace.portable:  # it reads values of a tape, say
            raise _NotPortable(trace)
        if trace.trust in CLOSE:  # in a loop, or by a tape
            raise NotCompiled(f"trust={trace.trust!r} looks at every number on its way")
        ready = compiled(trace.program)
        entry = None
        if opened.plain and ready.code is not None and trace.guards.quick:
            entry = self._entry(opened, trace, ready)
        version = Version(trace, ready, entry)
        reason = f"{why} has changed" if again else self._difference(opened.key)
        self.events.append(Event(reason, opened.key, version))
        self.versions.replace(opened.key, version)
        self._link()
        return version

    # ---- inside of another trace -----------------------------------------------------------------------
    def _inlined(self, opened: Opened, args: Any, kwargs: Any) -> Any:
        """In another trace: one equation that holds the program."""
        key = opened.key
        trace = self.traces.get(key)
        if trace is None or trace.guards.broken():
            try:
                trace = traced(self.fun, opened, self.__name__)
            except (ConcretizationError, UnsupportedError) as error:
                return self._plain(key, _needs_numbers(error), args, kwargs, None)
            if trace.portable:
                self.traces.replace(key, trace)
        return self._written(trace, opened)

    @staticmethod
    def _written(trace: Trace, opened: Opened) -> Any:
        policies.wish(trace.trust)
        ys = written(call, *opened.values, *trace.captured, body=trace.program)
        for y, w, b in zip(ys, trace.weak, trace.boxed, strict=True):
            if (w or b) and isinstance(y, Tracer):
                y.weak, y.boxed = w, b
        shown = [y.builder.shown(y) if isinstance(y, Tracer) else finished(y) for y in ys]
        return trace.built(shown)

    # ---- the quick way -----------------------------------------------------------------------------
    def _entry(self, opened: Opened, trace: Trace, ready: Compiled, given: bool = False) -> Any:
        """The builtin for this kind of call; None where it cannot hand over what is wanted."""
        arguments = [Slot(x.kind, x.type.dtype, x.type.shape) for x in opened.leaves]
        if any(a.kind == Kind.SCALAR for a in arguments):
            return None
        if trace.answers is not None:
            settle = functools.partial(self._settled, trace)
            return None if given else careful(trace, ready, arguments, settle)
        count = len(trace.results)
        one = trace.structure == tree.ONE
        flat = one or trace.structure == tree.flatten((0,) * count)[1]
        if not flat or trace.results != tuple(range(count)) or count == 0:
            return None
        types = trace.program.out_types
        results = [
            Slot(Kind.ARRAY, t.dtype, ()) if b and not t.shape else result_slot(t, w)
            for t, w, b in zip(types, trace.weak, trace.boxed, strict=True)
        ]
        if any(w and r.kind == Kind.SCALAR for r, w in zip(results, trace.weak, strict=True)):
            return None
        captured = [
            regular(v, t)
            for v, t in zip(trace.captured, trace.program.in_types[len(arguments) :], strict=True)
        ]
        otherwise = self._slow_into if given else self._slow
        return ready.entry(
            arguments,
            results,
            otherwise,
            captured=captured,
            single=one,
            given=given,
            guards=trace.guards.by_identity(),
            watched=None if trace.trust == "off" else otherwise,
        )

    def _slow_into(self, *args: Any) -> Any:
        """A call whose last argument is the array for its result."""
        return self._slow(*args[:-1], out=args[-1])

    def _link(self) -> None:
        """Chain the builtins of the newest versions: each leaves to the next what it does not expect."""
        with self.versions.lock:
            newest = [v.entry for v in self.versions.items.values() if v.entry is not None]
        chain = newest[-_CHAIN:]
        after: Callable[..., Any] = self._slow
        for entry in chain:
            entry.go_elsewhere(after)
            after = entry.call
        self._chain, self._quick, self._into = chain, after, None

    # ---- what was compiled, and why ----------------------------------------------------------------
    def _difference(self, key: Any) -> str:
        """What is new about a kind of call."""
        known = [e.key for e in self.events if e.version is not None]
        if not known:
            return "the first call"
        structure, leaves = key
        alike = [k for k in known if k[0] == structure and len(k[1]) == len(leaves)]
        if not alike:
            return "arguments in other containers"
        nearest = min(alike, key=lambda k: sum(a != b for a, b in zip(k[1], leaves, strict=True)))
        words = [
            f"argument {n}: {_spoken(b)} instead of {_spoken(a)}"
            for n, (a, b) in enumerate(zip(nearest[1], leaves, strict=True))
            if a != b
        ]
        return "; ".join(words)

    def c_function(self, *args: Any, signature: str = "int (void **, void **)") -> CFunction:
        """Such a call as a C function, whose address C, ctypes, SciPy and numba can call.

        Signatures are those of `scipy.LowLevelCallable` for functions of numbers to a number, and a
        general one on pointers to data.

        >>> import wengert as wg
        >>> from scipy.integrate import quad
        >>> slope = wg.jit(wg.grad(lambda x: x**3)).c_function(1.0, signature="double (double)")
        >>> round(quad(slope.low_level_callable(), 0, 2)[0], 12)
        8.0
        """
        from wengert.api.c_function import CFunction

        return CFunction(self.__name__, self.version_for(*args), signature)

    @property
    def address(self) -> int:
        """The address of the newest kind of call as `int (void **ins, void **outs)`: see `c_function`."""
        versions = list(self.versions.items.values())
        if not versions:
            raise InputError(
                f"{self.__name__} has not been called, so it is not compiled yet",
                "call it, or say with which arguments: f.c_function(x).address",
                source.here(),
            )
        from wengert.api.c_function import CFunction

        if self._c is None or self._c[0] is not versions[-1]:
            self._c = versions[-1], CFunction(self.__name__, versions[-1], "int (void **, void **)")
        address: int = self._c[1].address
        return address

    # ---- a value like any function -------------------------------------------------------------------
    def __reduce__(self) -> Any:
        return jit_of, (self.fun, self.static_argnums, self.static_argnames, self.trust)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)


def jit_of(
    fun: Callable[..., Any], static_argnums: Any, static_argnames: Any, trust: str
) -> Jitted:
    """A compiled function, as it is pickled."""
    return Jitted(fun, static_argnums, static_argnames, trust)


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: Any = None,
    static_argnames: Any = None,
    trust: str = "report",
) -> Any:
    """`fun` as machine code: traced once per kind of arguments, then run without Python.

    A kind is: containers, shapes, dtypes, Python scalar or array, and the values of what is no number
    (strings, flags, functions) or is named static. Calls with other numbers run the same code, so the
    function may not decide by numbers in Python (`if x > 0`): one that does runs as it is, and a
    warning says so and where. Write `np.where`, `wg.cond` or `wg.while_loop` instead.

    The closure cells and globals that it read are watched: if one changes, it is traced again. What it
    prints or appends to lists happens while it is traced only (`wg.print` prints in every call).

    Derivatives under `trust="check"` or `"repair"` are compiled with their error bounds, and what these
    suspect is settled after the call. `jit(fun, trust=...)` holds for all derivatives that `fun` takes; where
    it takes none, for its own results.

    Results are new arrays; `out=` takes arrays for them. It composes with all derivatives, in any order.

    >>> import numpy as np, wengert as wg
    >>> @wg.jit
    ... def rosenbrock(x):
    ...     return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    >>> slope = wg.jit(wg.grad(rosenbrock))
    >>> slope(np.array([1.0, 2.0, 3.0]))
    array([-400., 1002., -200.])
    """
    if fun is None:
        return functools.partial(
            jit, static_argnums=static_argnums, static_argnames=static_argnames, trust=trust
        )
    if not callable(fun):
        raise InputError(
            f"jit is given a {type(fun).__name__}, which is no function",
            "pass a function",
            source.here(),
        )
    return Jitted(fun, static_argnums, static_argnames, trust)


# ---- results that are given ----------------------------------------------------------------------------


def _places(out: Any, trace: Trace) -> list[Any]:
    """The arrays of `out=`, one per result."""
    leaves, structure = tree.flatten(out)
    types = trace.program.out_types[: len(trace.weak)]
    fits = structure == trace.structure and all(isinstance(r, int) for r in trace.results)
    for place, t in zip(leaves, types, strict=False):
        fits = fits and (
            isinstance(place, np.ndarray)
            and place.shape == t.shape
            and place.dtype == t.dtype
            and place.flags.writeable
        )
    if not fits or len(leaves) != len(types):
        wanted = tree.unflatten(trace.structure, list(types))
        raise InputError(
            f"out= is {tree.map_leaves(_kind, out)}, and the results are {wanted}",
            "pass writeable arrays of these shapes and dtypes, in the containers of the result",
            source.here(),
        )
    return leaves


def _built(trace: Trace, ys: Sequence[Any]) -> Any:
    """The function's result, of the values of its outputs."""
    shown = [
        np.array(y) if b else y.item() if w and isinstance(y, np.generic) else finished(y)
        for y, w, b in zip(ys, trace.weak, trace.boxed, strict=True)
    ]
    return trace.built(shown)


def _kind(x: Any) -> Any:
    return type_of(x) if isinstance(x, np.ndarray) else type(x).__name__


def _stored(result: Any, out: Any) -> Any:
    """The plain function's result in the arrays of `out=`."""
    if out is None:
        return result
    for place, y in zip(tree.flatten(out)[0], tree.flatten(result)[0], strict=True):
        place[...] = y
    return out


# ---- words -----------------------------------------------------------------------------------------------


def _needs_numbers(error: Exception) -> str:
    what = getattr(error, "what", str(error))
    where = getattr(error, "where", None)
    return f"at {where}, {what}" if where else what


def _spoken(leaf: Any) -> str:
    if isinstance(leaf, Fixed):
        return f"the value {leaf!r}"
    kind = "a Python scalar" if leaf.weak else "a NumPy scalar" if leaf.kind != Kind.ARRAY else ""
    return f"{leaf.type!r}{', ' + kind if kind else ''}"
