"""What to say when a traced value got into SciPy's own code, where NumPy asked it for a plain array."""

from __future__ import annotations

import sys
from types import FrameType, MethodType
from typing import Any

from wengert.ir import source
from wengert.scipy_api.table import RULES
from wengert.trace import tracer


def way_out(call: str) -> tuple[str, str] | None:
    """What happened and the way out, if the number was asked for inside SciPy; else None."""
    frame: FrameType | None = sys._getframe(1)
    entered = ""
    while frame is not None and source.is_internal(frame.f_code.co_filename):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("scipy."):
            entered = _public(module, frame.f_code.co_name)
        frame = frame.f_back
    if not entered:
        return None
    name = _called(call, frame) or call or entered
    if name in RULES:
        function = name.rpartition(".")[2]
        return (
            f"{name} meets a traced value, but this {function} is SciPy's own, as it was before wengert was imported",
            f"import wengert first, or call {name} by its full name, which knows traced values",
        )
    return (
        f"{name} meets a traced value, and has no derivative rule in wengert",
        f"write it with functions that have one, or give your call of {name} a rule with @wg.custom_vjp",
    )


def _public(module: str, name: str) -> str:
    """`scipy.linalg._basic` and `solve` as people write them."""
    return ".".join([*(part for part in module.split(".") if not part.startswith("_")), name])


def _called(call: str, frame: FrameType | None) -> str:
    """The public name of the function that is spelled like this in the user's frame; "" if unclear."""
    if frame is None or not call:
        return ""
    first, *rest = call.split(".")
    found: Any = frame.f_locals.get(first, frame.f_globals.get(first))
    for word in rest:
        found = getattr(found, word, None)
    module = getattr(found, "__module__", None) or ""
    if isinstance(found, MethodType) or not module.startswith("scipy."):
        return ""
    return _public(module, getattr(found, "__name__", call))


tracer.ways_out.append(way_out)
