"""Idle values: arrays that the user's function made and no traced value has touched yet.

`b = np.zeros(3)` inside a traced function hands out an idle buffer: a handle like any traced value,
so that `b[0] = x[0]` can make it one, but its numbers are plain, nothing about it is recorded, and
everybody may look at it (`float`, `np.asarray`, C code that reads).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Var
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.trace.trace import innermost
from wengert.trace.tracer import Tracer

_NOTHING: dict[str, Any] = {}


class IdleBuilder(Builder):
    """Computes and forgets. Older than every trace, so that any traced argument takes over.

    `home` is the trace that made its values: it alone may write into them.
    """

    __slots__ = ("_home",)

    def __init__(self, home: Builder) -> None:
        super().__init__("idle", saving=True)
        self.serial = -1
        self._home = home

    @property
    def home(self) -> Builder:
        return self._home

    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Compute; the results are idle too, since they may be written later."""
        ys = prim(*(plain(a) for a in args), **params)
        return tuple(map(_handle, ys)) if prim.multiple else _handle(ys)

    def lift(self, value: Any) -> tuple[Any, Any]:
        """The plain value: there is no program to be an input of."""
        return None, plain(value)

    def capture(self, value: Any) -> Var:
        """A variable for a value that is idle again."""
        return Var(type_of(value))

    def _append(
        self,
        prim: Primitive,
        inputs: Any,
        params: Any,
        wanted: Any,
        values: Any,
        ys: Any,
        saved: Any = None,
    ) -> Any:
        return Tracer(self, Var(type_of(ys)), ys)


def idle(value: Any) -> Any:
    """A handle on an array of floats made inside a trace; anything else as it is."""
    if type(value) is np.ndarray and value.dtype.kind in "fc":
        handle = _handle(value)
        if handle is not value and not value.ndim:
            handle.boxed = True
        return handle
    return value


def _handle(value: Any) -> Any:
    home = innermost()
    if home is None:
        return value
    if home.companion is None:
        home.companion = IdleBuilder(home)
    return Tracer(home.companion, Var(type_of(value)), value)


def plain(value: Any) -> Any:
    """The array behind an idle handle; anything else as it is.

    >>> import numpy as np
    >>> plain(np.ones(2))
    array([1., 1.])
    """
    if type(value) is Tracer and value.builder.serial < 0:
        value.refresh()
        if value.builder.serial < 0:
            return value.value
    return value
