"""Idle values: arrays that the user's function made and no traced value has touched yet.

`b = np.zeros(3)` inside a traced function hands out an idle buffer: a handle like any traced value,
so that `b[0] = x[0]` can make it one, but its numbers are plain, nothing about it is recorded, and
everybody may look at it (`float`, `np.asarray`, C code that reads).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.ir.evaluate import alone, call_reusing
from wengert.ir.primitive import Primitive
from wengert.ir.program import Var
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.trace.tracer import Tracer

_NOTHING: dict[str, Any] = {}


class IdleBuilder(Builder):
    """Computes and forgets. Older than every trace, so any traced argument takes over."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("idle", saving=True)
        self.serial = -1

    def record(self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING) -> Any:
        """Compute; arrays of floats stay idle handles, since they may be written later."""
        ys = prim(*(plain(a) for a in args), **params)
        return tuple(map(idle, ys)) if prim.multiple else idle(ys)

    def record_reusing(self, prim: Primitive, holder: list[Any], args: list[Any], params: Mapping[str, Any]) -> Any:
        """Write in place where nobody else holds the numbers."""
        operand: Tracer = holder[0]
        operand.refresh()
        inner = [operand.value]
        del operand
        if alone(holder):
            holder[0].value = None
        return idle(call_reusing(prim, inner, [plain(a) for a in args], params))


IDLE = IdleBuilder()


def idle(value: Any) -> Any:
    """A handle on an array of floats; anything else as it is."""
    if value.__class__ is np.ndarray and value.ndim and value.dtype.kind in "fc":
        return Tracer(IDLE, Var(type_of(value)), value)
    return value


def plain(value: Any) -> Any:
    """The array behind an idle handle; anything else as it is."""
    if value.__class__ is Tracer and value.builder is IDLE:
        value.refresh()
        return value.value if value.builder is IDLE else value
    return value
