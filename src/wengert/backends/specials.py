"""SciPy's special functions by their pointers: what `scipy.special.cython_special` hands out.

An operation `special_<primitive>` is one of them on doubles. Some leave several results; then the
primitive is one part of them.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from typing import Any, NamedTuple

from wengert.backends.code import SPECIAL


class Routine(NamedTuple):
    """A function of C: the symbol, how many results it leaves (0: it returns one), and which is meant."""

    symbol: str
    results: int
    part: int


_PARTS = {
    "fresnel_s": ("fresnel", 0), "fresnel_c": ("fresnel", 1), "airy_ai": ("airy", 0),
    "airy_aip": ("airy", 1), "airy_bi": ("airy", 2), "airy_bip": ("airy", 3), "sici_si": ("sici", 0),
    "sici_ci": ("sici", 1), "shichi_shi": ("shichi", 0), "shichi_chi": ("shichi", 1),
}  # fmt: skip
_ONE = re.compile(r"double \((double, )+int __pyx_skip_dispatch\)")
_MANY = re.compile(r"void \(double((?:, double \*)+)\)")


@cache
def _signatures() -> dict[str, str]:
    from scipy.special import cython_special

    name: Any = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return {k: name(v).decode() for k, v in cython_special.__pyx_capi__.items()}


@cache
def routine(op: str) -> Routine | None:
    """The function for an operation; None if SciPy has none on doubles."""
    name, part = _PARTS.get(op.removeprefix(SPECIAL), (op.removeprefix(SPECIAL), 0))
    known = _signatures()
    for capsule in (name, *(f"__pyx_fuse_{k}{name}" for k in range(3))):
        signature = known.get(capsule, "")
        if _ONE.fullmatch(signature):
            return Routine(SPECIAL + capsule, 0, 0)
        if (many := _MANY.fullmatch(signature)) is not None:
            return Routine(SPECIAL + capsule, many[1].count("*"), part)
    return None


def value(op: str) -> Any:
    """The same function for Python."""
    import scipy.special

    name, part = _PARTS.get(op.removeprefix(SPECIAL), ("", 0))
    if not name:
        return getattr(scipy.special, op.removeprefix(SPECIAL))
    whole = getattr(scipy.special, name)
    return lambda *xs: whole(*xs)[part]
