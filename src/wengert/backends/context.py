"""What happens when compiled code turns to Python: equations it has no code for, and failures.

A call-back computes one equation with NumPy, on arrays over the memory that the code names. An exception in
it is kept until the code has returned, and raised then: ctypes would swallow it.
"""

from __future__ import annotations

import builtins
import ctypes
import itertools
import threading
import weakref
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from wengert.backends import symbols
from wengert.backends.code import SMALL, Callback
from wengert.backends.needs import Needs
from wengert.ir.types import ArrayType, StackType

_contexts: weakref.WeakValueDictionary[int, Context] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)
_raised = threading.local()


class Context:
    """One program's side of machine code that it may share: its call-backs with its own extents."""

    def __init__(self, needs: Needs, compiled: Sequence[int], extents: Sequence[int]) -> None:
        self.number = next(_numbers)
        self.problems = needs.problems
        sizes = dict(zip(compiled, extents, strict=True))
        self.callbacks = [_resized(c, sizes) for c in needs.callbacks]
        _contexts[self.number] = self

    def failed(self, status: int) -> NoReturn:
        """Raise what made the code stop."""
        error = getattr(_raised, "error", None)
        _raised.error = None
        if error is not None:
            raise error
        if status < 0:
            raise MemoryError("a loop left more behind than memory holds")
        problem = self.problems[status - 1]
        where = "" if problem.line is None else f"{problem.line}: "
        kind = getattr(np.linalg, problem.kind, None) or getattr(builtins, problem.kind)
        raise kind(f"{where}{problem.text}")


def keep(error: BaseException) -> None:
    """An exception that is raised when the code has returned."""
    _raised.error = error


def _resized(callback: Callback, sizes: dict[int, int]) -> Callback:
    """A call-back for a program whose large extents are others."""
    if all(a == b for a, b in sizes.items()):
        return callback

    def extent(n: Any) -> Any:
        return sizes.get(n, n) if isinstance(n, int) and n > SMALL else n

    def typed(t: Any) -> Any:
        if isinstance(t, StackType):
            return StackType(typed(t.item))
        return ArrayType.of(tuple(map(extent, t.shape)), t.dtype)

    def param(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(param, value))
        if isinstance(value, slice):
            return slice(extent(value.start), extent(value.stop), value.step)
        return extent(value) if not isinstance(value, bool) else value

    tags = callback.prim.tags
    return callback._replace(
        params={k: param(v) if tags.get(k) == "extent" else v for k, v in callback.params.items()},
        in_types=tuple(map(typed, callback.in_types)),
        out_types=tuple(map(typed, callback.out_types)),
    )


def array_at(address: int, t: ArrayType) -> Any:
    """An array over memory that somebody else owns."""
    count = t.size * t.dtype.itemsize
    if count == 0:
        return np.empty(t.shape, t.dtype)
    memory: Any = (ctypes.c_char * count).from_address(address)
    return np.frombuffer(memory, t.dtype).reshape(t.shape)


def _callback(context: int, number: int, arrays: int) -> int:
    try:
        callback = _contexts[context].callbacks[number]
        types = (*callback.in_types, *callback.out_types)
        pointers = (ctypes.c_int64 * len(types)).from_address(arrays)
        values = [array_at(p, t) for p, t in zip(pointers, types, strict=True)]
        count = len(callback.in_types)
        given = [v if t.shape else v[()] for v, t in zip(values, callback.in_types, strict=False)]
        if callback.prim.at_point:  # a user's function, which may keep what it is given
            given = [np.array(v) if isinstance(v, np.ndarray) else v for v in given]
        with np.errstate(all="ignore"):
            results = callback.prim.eval(*given, **callback.params)
        if not callback.prim.multiple:
            results = (results,)
        for place, y in zip(values[count:], results, strict=True):
            place[...] = y
    except BaseException as error:
        keep(error)
        return 1
    return 0


symbols.offer_later(
    "wg_callback",
    lambda: ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(
        _callback
    ),
)
