"""`np.nditer` and `np.broadcast` of traced values: walking over elements, one after the other.

NumPy's own walk over memory. Here each element is a view of its array, so that what is written into it is
written there; with the flags that only C code needs, or in an order that is not known, it is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.errors import UnsupportedError
from wengert.ir import source
from wengert.numpy_api.creation import is_traced
from wengert.numpy_api.promote import operand, result_dtype, shape_of
from wengert.trace.buffers import memory_of
from wengert.trace.idle import idle, plain
from wengert.trace.tracer import Tracer

_WAY_OUT = "loop over x.ravel() (its elements stay traced), or over np.ndindex(x.shape)"
_FLAGS = {"multi_index", "c_index", "f_index", "refs_ok", "zerosize_ok"}
_nditer, _broadcast = np.nditer, np.broadcast


def _holds_traced(op: Any) -> bool:
    values = op if isinstance(op, list | tuple) else (op,)
    return any(isinstance(plain(v), Tracer) or is_traced(v) for v in values)


def nditer(op: Any, flags: Any = None, op_flags: Any = None, *args: Any, **kwargs: Any) -> Any:
    """As `np.nditer`; of traced values ours."""
    return (Walk if _holds_traced(op) else _nditer)(op, flags, op_flags, *args, **kwargs)


def _refused(what: str) -> UnsupportedError:
    return UnsupportedError(f"np.nditer of traced values {what}", _WAY_OUT, source.here())


class Walk:
    """What `np.nditer` returns: the elements of one array, or tuples of those of several."""

    def __init__(
        self, op: Any, flags: Any = None, op_flags: Any = None, op_dtypes: Any = None, order: Any = "K", **kwargs: Any
    ) -> None:  # fmt: skip
        self._flags = set(flags or ())
        given = {key for key, v in kwargs.items() if v not in (None, 0) and key != "casting"}
        if self._flags - _FLAGS or op_dtypes is not None or given:
            raise _refused(
                f"with {', '.join(sorted(map(repr, (self._flags - _FLAGS) | given))) or 'op_dtypes'}"
            )
        self._single = not isinstance(op, list | tuple)
        arrays = [None if x is None else operand(x) for x in ([op] if self._single else op)]
        self.shape = np.broadcast_shapes(*(shape_of(x) for x in arrays if x is not None))
        kind = result_dtype(*(x for x in arrays if x is not None))
        self.operands = tuple(idle(np.zeros(self.shape, kind)) if x is None else x for x in arrays)
        whole: list[Any] = [
            x if shape_of(x) == self.shape else np.broadcast_to(x, self.shape)
            for x in self.operands
        ]
        self._arrays = whole
        self.nop, self.ndim, self.itersize = len(whole), len(self.shape), int(np.prod(self.shape))
        places = itertools.product(*map(range, self.shape))
        if self._turned(order):
            backwards = itertools.product(*map(range, self.shape[::-1]))
            places = (at[::-1] for at in backwards)  # type: ignore[assignment]
        self._places = list(places)
        self._at, self._begun = 0, False

    def _turned(self, order: Any) -> bool:
        """Does the walk go along the first axis first?"""
        if order in ("C", "F") or self.ndim < 2:
            return bool(order == "F")
        memories = [
            memory_of(x) if isinstance(x, Tracer) else x
            for x in self.operands
            if shape_of(x) == self.shape
        ]
        if all(m is not None and m.flags.c_contiguous for m in memories):
            return False
        if all(m is not None and m.flags.f_contiguous for m in memories):
            return True
        raise _refused("in the order of their memory, which is not known, or of several")

    @property
    def finished(self) -> bool:
        """Is the end reached?"""
        return self._at >= len(self._places)

    @property
    def multi_index(self) -> tuple[int, ...]:
        """Where the walk is."""
        if "multi_index" not in self._flags:
            raise ValueError("Iterator is not tracking a multi-index")
        return self._places[self._at]

    @property
    def index(self) -> int:
        """The number of the element."""
        order = "C" if "c_index" in self._flags else "F"
        if not self._flags & {"c_index", "f_index"}:
            raise ValueError("Iterator does not have an index")
        return int(np.ravel_multi_index(self._places[self._at], self.shape, order=order))  # type: ignore[call-overload]

    iterindex = property(lambda self: self._at)

    @property
    def value(self) -> Any:
        """The element, or a tuple of elements."""
        return self[0] if self._single else tuple(self[k] for k in range(self.nop))

    def __getitem__(self, k: int) -> Any:
        return self._arrays[k][(*self._places[self._at], ...)]

    def __setitem__(self, k: int, v: Any) -> None:
        self._arrays[k][self._places[self._at]] = v

    def __len__(self) -> int:
        return self.nop

    def iternext(self) -> bool:
        """One step on; is there an element?"""
        self._at += 1
        return not self.finished

    def reset(self) -> None:
        """Back to the begin."""
        self._at, self._begun = 0, False

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> Any:
        if self._begun:
            self._at += 1
        self._begun = True
        if self.finished:
            raise StopIteration
        return self.value

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is left to be written."""


def broadcast(*args: Any) -> Any:
    """As `np.broadcast`; of traced values ours."""
    return Together(*args) if _holds_traced(args) else _broadcast(*args)


class Together:
    """What `np.broadcast` returns: tuples of elements that meet."""

    def __init__(self, *args: Any) -> None:
        self._xs = [operand(plain(x)) for x in args]
        self.shape = np.broadcast_shapes(*map(shape_of, self._xs))
        self.nd = self.ndim = len(self.shape)
        self.size, self.numiter = int(np.prod(self.shape)), len(args)

    def __iter__(self) -> Iterator[Any]:
        whole = [np.broadcast_to(x, self.shape) for x in self._xs]
        return (tuple(x[at] for x in whole) for at in itertools.product(*map(range, self.shape)))
