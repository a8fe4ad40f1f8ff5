"""While a trace runs: buffers that can hold traced values, and `math.*` of traced scalars.

Creation functions do not dispatch on what will be written into their result later, so their names
in the `numpy` module mean something else while a trace is running, until the last one ends.
A replacement acts only in the thread (context) that traces, and only for the user's own call: the
instruction that her frame is executing must name the function. NumPy's compiled code calls these
names too, without a frame of its own, and must keep getting plain arrays.
"""

from __future__ import annotations

import cmath
import functools
import math
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import source
from wengert.numpy_api import (  # (all that fill the table, before it is read here)
    alone,
    domains,  # noqa: F401
    einsum,  # noqa: F401
    fft,  # noqa: F401
    histograms,  # noqa: F401
    joining,  # noqa: F401
    layouts,
    linalg,  # noqa: F401
    lists,
    missing,  # noqa: F401
    moving,  # noqa: F401
    ordering,  # noqa: F401
    padding,  # noqa: F401
    products,  # noqa: F401
    reductions,  # noqa: F401
    running,  # noqa: F401
    scalars,
    selection,  # noqa: F401
    sets,  # noqa: F401
    shaping,  # noqa: F401
    signals,  # noqa: F401
    ufunc_methods,  # noqa: F401
    ufuncs,  # noqa: F401
    undispatched,
    writing,  # noqa: F401
)
from wengert.numpy_api.creation import array as traced_array
from wengert.numpy_api.creation import full as traced_full
from wengert.numpy_api.creation import is_traced as holds_traced
from wengert.numpy_api.table import FUNCTIONS
from wengert.trace import trace
from wengert.trace.idle import idle, plain
from wengert.trace.tracer import Tracer

_lock = threading.Lock()
_getframe, _calls = sys._getframe, lists.calls
_depth = 0


def is_traced(value: Any) -> bool:
    """Is this a traced value, or a list that holds one?"""
    return isinstance(value, Tracer) or (isinstance(value, list | tuple) and holds_traced(value))


def _users_call(name: str, traced: bool = False) -> bool:
    """Does the user's own code, in a context that traces (or with a traced value), call this name now?"""
    if not traced and not trace.tracing():
        return False
    frame = sys._getframe(2)
    code = frame.f_code
    if source.is_internal(code.co_filename):
        return False
    spelled = source.spelled(code, frame.f_lasti).rpartition(".")[2]
    return spelled == name or spelled in alone.aliases.get(name, ())


def _array(made: Any) -> Any:
    """Of shape () it is an array, not a number."""
    if isinstance(made, Tracer) and not made.shape and not made.boxed:
        made = made.snapshot()
        made.boxed = True
    return made


def _maker(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes a new array: its floats are handed out as an idle buffer."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not _users_call(name):
            return original(*args, **kwargs)
        if isinstance(kwargs.get("like"), Tracer):
            del kwargs["like"]
        return idle(original(*map(lists.joined, args), **kwargs))

    return make


_ORDERS = {"ascontiguousarray": "C", "asfortranarray": "F"}


def _holder(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of given values, which may be traced."""

    @functools.wraps(original)
    def make(values: Any, *args: Any, **kwargs: Any) -> Any:
        traced = is_traced(values)
        if not _users_call(name, traced):
            return original(values, *args, **kwargs)
        if not traced:
            made = original(plain(values), *args, **kwargs)
            return made if made is values else idle(made)
        dtype = args[0] if args else kwargs.get("dtype")
        made = traced_array(values, dtype)
        order = kwargs.get("order") or _ORDERS.get(name, "K")
        if made is values and name in ("array", "copy") and kwargs.get("copy", True):
            made = layouts.copied(made, order)
        else:
            made = layouts.ordered(made, order)
        least = kwargs.get("ndmin", 0)
        return (
            np.reshape(made, (1,) * (least - made.ndim) + made.shape)
            if made.ndim < least
            else _array(made)
        )

    return make


def _full(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def full(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not _users_call("full", is_traced(fill_value)):
            return original(shape, fill_value, dtype, *args, **kwargs)
        if not is_traced(fill_value):
            return idle(original(shape, fill_value, dtype, *args, **kwargs))
        return _array(layouts.fresh(np.copy(traced_full(shape, fill_value, dtype))))

    return full


def _number(kind: Any) -> Callable[..., Any]:
    """A class of NumPy's numbers, where it is called: `np.float64(x)`."""

    @functools.wraps(kind, updated=())
    def make(*args: Any, **kwargs: Any) -> Any:
        if len(args) != 1 or not is_traced(args[0]):
            return kind(*args, **kwargs)
        made = traced_array(args[0], np.dtype(kind))
        return made.snapshot() if made is args[0] else made

    return make


def _errstate(original: Any) -> Callable[..., Any]:
    """`np.errstate`, whose errors only numbers can raise: on types alone nothing would ever fail."""

    @functools.wraps(original, updated=())
    def errstate(**kwargs: Any) -> Any:
        wanted = [f"{on}={do!r}" for on, do in kwargs.items() if do in ("raise", "call")]
        if wanted and not all(b.saving for b in trace.running()) and _users_call("errstate"):
            raise ConcretizationError(
                f"np.errstate({', '.join(wanted)}) asks whether numbers overflow or become nan, "
                "and this trace knows only their types",
                "use np.where or wg.cond on the arguments here, or look at the result (np.isfinite) outside",
                source.here(),
            )
        return original(**kwargs)

    return errstate


def _other(name: str, original: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """A function that no protocol reaches, and what it is while tracing."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (ours if _users_call(name) else original)(*args, **kwargs)

    return call


_NUMBERS = (
    "float64", "float32", "float16", "double", "single", "half", "complex128", "complex64", "cdouble", "csingle",
)  # fmt: skip
_MAKERS = ("zeros", "empty", "ones", "eye", "identity", "arange", "linspace", "zeros_like", "ones_like",
           "empty_like", "full_like")  # fmt: skip
_HOLDERS = (
    "array",
    "asarray",
    "asanyarray",
    "ascontiguousarray",
    "asfortranarray",
    "asarray_chkfinite",
    "require",
    "copy",
)
_replaced: dict[str, tuple[Any, Any]] = {
    **{name: (getattr(np, name), _maker(name, getattr(np, name))) for name in _MAKERS},
    **{name: (getattr(np, name), _holder(name, getattr(np, name))) for name in _HOLDERS},
    "full": (np.full, _full(np.full)),
    "errstate": (np.errstate, _errstate(np.errstate)),
    **{name: (getattr(np, name), _number(getattr(np, name))) for name in _NUMBERS},
    **{
        name: (getattr(np, name), _other(name, getattr(np, name), ours))
        for name, ours in undispatched.CALLED.items()
    },
    **undispatched.JOINERS,
}
layouts.furnish()
_replaced = {**lists.functions(np, _replaced), **lists.ufuncs(np), **_replaced}
_linalg, _fft = lists.functions(np.linalg), lists.functions(np.fft)

# by `like=` NumPy finds its function by the name, which is ours while a trace runs
FUNCTIONS.update(
    {
        ours: FUNCTIONS[original]
        for original, ours in [*_replaced.values(), *_linalg.values(), *_fft.values()]
        if type(original) is not np.ufunc and original in FUNCTIONS
    }
)

# ---- math ------------------------------------------------------------------------------------------


def _scalar(module: Any, name: str, rule: Callable[..., Any]) -> tuple[Any, Any]:
    original = getattr(module, name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if name in scalars.OF_LISTS and trace.tracing():
            args = tuple(list(a) if hasattr(a, "__iter__") else a for a in args)
        args = tuple([a.__wengert__() if hasattr(a, "__wengert__") else a for a in args])
        if any(is_traced(a) for a in args):
            scalars.python_asks(original, args, kwargs)
            return scalars.pythons(rule(*map(scalars.doubled, args), **kwargs), args)
        return original(*args, **kwargs)

    return original, call


def _scalars(module: Any, rules: dict[str, Callable[..., Any]]) -> dict[str, tuple[Any, Any]]:
    return {n: _scalar(module, n, rule) for n, rule in rules.items() if hasattr(module, n)}


_math, _cmath = _scalars(math, scalars.MATH), _scalars(cmath, scalars.CMATH)


# ---- putting them in place -------------------------------------------------------------------------


class _Name:
    """What a name of a module means while traces run: ours, unless somebody else has replaced it."""

    def __init__(self, name: str, original: Any, ours: Any) -> None:
        self.name, self.original, self.ours = name, original, ours

    def __get__(self, module: Any, kind: Any = None) -> Any:
        try:
            there = module.__dict__[self.name]
        except KeyError:
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {self.name!r}"
            ) from None
        return self.ours if there is self.original else there

    def __set__(self, module: Any, value: Any) -> None:
        module.__dict__[self.name] = value

    def __delete__(self, module: Any) -> None:
        del module.__dict__[self.name]


class _Ufunc(_Name):
    """The same for a ufunc, which is itself where it is not called."""

    def __get__(self, module: Any, kind: Any = None) -> Any:
        frame = _getframe(1)
        code = frame.f_code
        found = _calls.get((id(code), frame.f_lasti))
        if found is None or found[0] is not code:
            found = code, lists.is_called(code, frame.f_lasti)
        there = module.__dict__[self.name]
        return self.ours if found[1] and there is self.original else there


def _imported(name: str) -> Any:
    return sys.modules[name]


class _Module:
    """A module whose class is changed while traces run: one assignment, whatever the number of names.

    Its dictionary is never touched, so there is nothing to put back into it.
    """

    def __init__(self, module: ModuleType, pairs: dict[str, tuple[Any, Any]]) -> None:
        self.module, self.pairs = module, pairs
        self._derive(module.__class__)

    def _derive(self, kind: type) -> None:
        names = {
            name: (_Ufunc if isinstance(pair[0], np.ufunc | type) else _Name)(name, *pair)
            for name, pair in self.pairs.items()
        }
        name = self.module.__name__
        reduce = {"__reduce__": lambda module: (_imported, (name,))}  # some pickle modules by class
        self.kind, self.ours = kind, type(kind.__name__, (kind,), {"__slots__": (), **reduce, **names})  # fmt: skip

    def put(self) -> None:
        """Replace the names."""
        if type(self.module) is not self.kind:  # somebody else has changed it for good
            self._derive(type(self.module))
        self.module.__class__ = self.ours

    def restore(self) -> None:
        """Put back what was there."""
        if type(self.module) is self.ours:
            self.module.__class__ = self.kind


class _Vectorized:
    """`np.vectorize` objects are made before, so that it is their class that changes."""

    module = kind = ours = None  # (no module, whose class is never None)

    def put(self) -> None:
        self.found = np.vectorize.__call__
        np.vectorize.__call__ = undispatched.call_vectorized  # type: ignore[method-assign]

    def restore(self) -> None:
        if np.vectorize.__call__ is undispatched.call_vectorized:
            np.vectorize.__call__ = self.found  # type: ignore[method-assign]


_places: tuple[Any, ...] = (
    _Vectorized(),
    _Module(np, _replaced),
    _Module(np.linalg, _linalg),
    _Module(np.fft, _fft),
    _Module(math, _math),
    _Module(cmath, _cmath),
)

for _there in _places:
    if isinstance(_there, _Module):
        alone.learn(_there.pairs)


def add(module: ModuleType, pairs: dict[str, tuple[Any, Any]]) -> None:
    """Replace names of one more module while traces run: from now on, if one runs now."""
    global _places
    with _lock:
        if any(isinstance(p, _Module) and p.module is module for p in _places):
            return
        place = _Module(module, pairs)
        alone.learn(pairs)
        _places = (*_places, place)
        if _depth:
            place.put()


def enter() -> None:
    """A trace begins somewhere: put the replacements in place if it is the first."""
    global _depth
    with _lock:
        _depth += 1
        if _depth == 1:
            for place in _places:
                if type(place.module) is place.kind:  # (as `put`, without a call)
                    place.module.__class__ = place.ours
                else:
                    place.put()


def leave() -> None:
    """A trace ends: put the originals back if it was the last."""
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0:
            for place in _places:
                if type(place.module) is place.ours:
                    place.module.__class__ = place.kind
                else:
                    place.restore()
            alone.restore()


trace.hooks.append((enter, leave))
trace.meetings.append(alone.meet)


def keep_plain() -> None:
    """Let our own rooms see NumPy as it is: the names above are the user's, and cost a look each time."""
    plain = ModuleType(np.__name__)
    vars(plain).update(vars(np))
    for name, room in list(sys.modules.items()):
        if name.startswith("wengert.") and name != __name__ and vars(room).get("np") is np:
            vars(room)["np"] = plain
