"""`import wengert.numpy as xp`: NumPy's names for those who prefer to import them.

Everything here is NumPy's own, or stands before it: lists of traced values are arrays anywhere
(`xp.sum([a, b])`, `xp.sqrt([a, b])`), and in a traced function what makes arrays makes arrays that hold
traced values, without looking at who calls. Plain numbers in, plain arrays out, as everywhere. It is a namespace of
the Python array API standard; `make array-api` runs its public tests.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as _np
import numpy.fft
import numpy.linalg

from wengert.numpy_api import creation as _creation
from wengert.numpy_api.table import FUNCTIONS as _FUNCTIONS
from wengert.trace.idle import idle as _idle
from wengert.trace.idle import plain as _plain
from wengert.trace.trace import tracing as _tracing
from wengert.trace.tracer import Tracer as _Tracer

# these take lists of arrays, which need not fit together
_OF_LISTS = {
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "select", "choose",
    "piecewise", "lexsort", "einsum", "einsum_path", "multi_dot", "broadcast_arrays", "meshgrid", "ix_", "unravel_index",
}  # fmt: skip


def _open(x: Any) -> Any:
    """An argument as NumPy's protocols know it: a list that holds traced values as an array of them."""
    if type(x) is list or type(x) is tuple:
        return _creation.array(_opened(x)) if _holds_traced(x) else x
    return x


def _opened(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return [_opened(v) for v in x]
    return x.__wengert__() if hasattr(x, "__wengert__") else x


def _holds_traced(x: Any) -> bool:
    return any(
        type(v) is _Tracer
        or hasattr(v, "__wengert__")
        or (isinstance(v, list | tuple) and _holds_traced(v))
        for v in x
    )


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy that takes lists of traced values for arrays."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_open, args), **kwargs)

    return call


class _Ufunc:
    """A ufunc of NumPy that takes lists of traced values for arrays."""

    def __init__(self, ufunc: Any) -> None:
        self._ufunc = ufunc
        functools.update_wrapper(self, ufunc, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ufunc(*map(_open, args), **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ufunc, name)

    def __repr__(self) -> str:
        return repr(self._ufunc)


def _maker(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array: while a function is traced, one that can be written."""

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        return _idle(made) if _tracing() else made

    return make


def _holder(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of values, which may be traced."""

    @functools.wraps(function)
    def make(values: Any, *args: Any, **kwargs: Any) -> Any:
        values = _plain(_opened(values))
        traced = isinstance(values, _Tracer) or (isinstance(values, list) and _holds_traced(values))
        if not traced:
            made = function(values, *args, **kwargs)
            return _idle(made) if _tracing() and made is not values else made
        dtype = args[0] if args else kwargs.get("dtype")
        made = _creation.array(values, dtype)
        copy = kwargs.get("copy", name in ("array", "copy"))
        return made.copy() if made is values and copy else made

    return make


def _full(shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """`np.full`; the value may be traced."""
    value = _opened(fill_value)
    if isinstance(value, _Tracer):
        return _creation.full(shape, value, dtype).copy()
    made = _np.full(shape, value, dtype, **kwargs)
    return _idle(made) if _tracing() else made


# ---- where the standard asks for more than NumPy gives ----------------------------------------------------


class _Info:
    """What `finfo` and `iinfo` tell, of a dtype or of an array, as plain Python numbers."""

    def __init__(self, tell: Any, of: Any) -> None:
        self._found = tell(of if isinstance(of, type) else getattr(_opened(of), "dtype", of))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._found, name)
        return found.item() if isinstance(found, _np.generic) else found

    def __repr__(self) -> str:
        return repr(self._found)


def _finfo(type: Any, /) -> _Info:
    """Machine limits of a floating-point dtype, or of an array's."""
    return _Info(_np.finfo, type)


def _iinfo(type: Any, /) -> _Info:
    """Machine limits of an integer dtype, or of an array's."""
    return _Info(_np.iinfo, type)


def _clip(x: Any, /, min: Any = None, max: Any = None, **rest: Any) -> Any:
    """`np.clip`."""
    return _np.clip(_open(x), _open(min), _open(max), **rest)


def _sort(a: Any, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Any:
    """`np.sort`, also from the largest on."""
    y = _np.sort(_open(a), axis, stable=stable)
    return _np.flip(y, axis) if descending else y


def _argsort(a: Any, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Any:
    """`np.argsort`, also from the largest on; equal elements stay in their order."""
    x = _open(a)
    if not descending:
        return _np.argsort(x, axis, stable=stable)
    last = _np.shape(x)[axis] - 1
    return _np.flip(last - _np.argsort(_np.flip(x, axis), axis, stable=stable), axis)


def _squeeze(x: Any, /, axis: Any = None) -> Any:
    """`np.squeeze`; of no axes too."""
    return _open(x) if axis == () else _np.squeeze(_open(x), axis)


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose several results come in a list."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> list[Any]:
        return list(function(*map(_open, args), **kwargs))

    return call


def _frequencies(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(n: int, *, d: Any = 1.0, dtype: Any = None, device: Any = None) -> Any:
        found = function(n, d, device=device)
        return found if dtype is None else found.astype(dtype)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


_MORE: dict[str, Any] = {
    "finfo": _finfo, "iinfo": _iinfo, "clip": _clip, "sort": _sort, "argsort": _argsort, "squeeze": _squeeze,
    "meshgrid": _listed(_np.meshgrid), "broadcast_arrays": _listed(_np.broadcast_arrays),
}  # fmt: skip
_MAKERS = ("zeros", "empty", "ones", "eye", "identity", "arange", "tri")
_HOLDERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "copy")


def _furnished(module: Any) -> dict[str, Any]:
    """The public names of a module of NumPy, those with rules lifted."""
    found: dict[str, Any] = {}
    for name in module.__all__:
        thing = getattr(module, name)
        if isinstance(thing, _np.ufunc):
            found[name] = _Ufunc(thing)
        elif callable(thing) and not isinstance(thing, type) and thing in _FUNCTIONS:
            found[name] = thing if name in _OF_LISTS else _lifted(thing)
        else:
            found[name] = thing
    return found


def _submodule(name: str, module: Any, **more: Any) -> types.ModuleType:
    made = types.ModuleType(f"{__name__}.{name}", module.__doc__)
    vars(made).update({**_furnished(module), **more})
    return made


__array_api_version__ = _np.__array_api_version__
globals().update(
    {
        **_furnished(_np),
        **{name: _maker(getattr(_np, name)) for name in _MAKERS},
        **{name: _holder(name, getattr(_np, name)) for name in _HOLDERS},
        **_MORE,
        "full": functools.wraps(_np.full)(_full),
        "linalg": _submodule("linalg", numpy.linalg),
        "fft": _submodule(
            "fft",
            numpy.fft,
            fftfreq=_frequencies(numpy.fft.fftfreq),
            rfftfreq=_frequencies(numpy.fft.rfftfreq),
        ),
        "random": _np.random,
    }
)


def __getattr__(name: str) -> Any:  # tells type checkers that names come from above
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
