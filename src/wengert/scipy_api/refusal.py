"""What to say when a traced value got into SciPy's own code, where NumPy asked it for a plain array."""

from __future__ import annotations

import sys
from types import FrameType

from wengert.ir import source
from wengert.scipy_api.table import RULES
from wengert.trace import tracer


def way_out(call: str) -> tuple[str, str] | None:
    """What happened and the way out, if the number was asked for inside SciPy; else None."""
    name = _entered()
    if name is None:
        return None
    if name in RULES or name.rpartition(".")[0] in _WITH_RULES:
        function = name.rpartition(".")[2]
        return (
            f"{name} meets a traced value, but this is SciPy's own {function}, as it was before wengert was imported",
            f"import wengert first, or call {name} by its full name, which knows traced values",
        )
    return (
        f"{name} meets a traced value, and has no derivative rule in wengert",
        f"write it with functions that have one, or wrap your call of {name} with @wg.custom_vjp",
    )


_WITH_RULES = ("scipy.special", "scipy.linalg", "scipy.fft")


def _entered() -> str | None:
    """The function of SciPy that the user called, if it is what asked."""
    frame: FrameType | None = sys._getframe(1)
    name = None
    while frame is not None and source.is_internal(frame.f_code.co_filename):
        module = frame.f_globals.get("__name__", "")
        # decorators of SciPy stand between the user and the function she called
        if module.startswith("scipy.") and not module.startswith("scipy._lib"):
            public = [part for part in module.split(".") if not part.startswith("_")]
            name = ".".join([*public, frame.f_code.co_qualname.partition(".")[0]])
        frame = frame.f_back
    return name


tracer.ways_out.append(way_out)
