"""SciPy's special functions by their pointers: what `scipy.special.cython_special` hands out.

An operation `special_<primitive>` is one of them on doubles. Some leave several results; then the
primitive is one part of them. `special_<primitive>.re` and `.im` are parts of a complex result.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from typing import Any, NamedTuple

from wengert.backends.code import SPECIAL


class Routine(NamedTuple):
    """A function of C.

    `takes` has a letter per argument: d a double, z a complex number, l an integer. It returns a
    double, or a complex number (`gives` is z), or leaves `results` doubles, of which `part` is meant.
    """

    symbol: str
    takes: str
    gives: str
    results: int
    part: int
    tail: str


_PARTS = {
    "fresnel_s": ("fresnel", 0), "fresnel_c": ("fresnel", 1), "airy_ai": ("airy", 0),
    "airy_aip": ("airy", 1), "airy_bi": ("airy", 2), "airy_bip": ("airy", 3), "sici_si": ("sici", 0),
    "sici_ci": ("sici", 1), "shichi_shi": ("shichi", 0), "shichi_chi": ("shichi", 1),
}  # fmt: skip
_SIGNATURE = re.compile(r"(double|__pyx_t_double_complex|void) \((.*)\)")
_LETTERS = {"double": "d", "__pyx_t_double_complex": "z", "Py_ssize_t": "l"}


@cache
def _signatures() -> dict[str, str]:
    from scipy.special import cython_special

    name: Any = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return {k: name(v).decode() for k, v in cython_special.__pyx_capi__.items()}


@cache
def routine(op: str) -> Routine | None:
    """The function for an operation; None if SciPy has none for such numbers."""
    op, dot, wanted = op.removeprefix(SPECIAL).partition(".")
    name, part = _PARTS.get(op, (op, 0))
    if dot:
        part = int(wanted == "im")
    for capsule in (name, *(f"__pyx_fuse_{k}{name}" for k in range(3))):
        found = _parsed(SPECIAL + capsule, _signatures().get(capsule, ""), part)
        if found is not None and ("z" in found.takes) == bool(dot):
            return found
    return None


def _parsed(symbol: str, signature: str, part: int) -> Routine | None:
    whole = _SIGNATURE.fullmatch(signature)
    if whole is None:
        return None
    args, takes, results, tail = whole[2].split(", "), "", 0, ""
    for arg in args:
        if arg in _LETTERS:
            takes += _LETTERS[arg]
        elif arg == "double *":
            results += 1
        elif arg.startswith("int "):
            tail += ", i32 0"
        elif arg.startswith("struct"):
            tail += ", ptr null"
        else:
            return None
    if (whole[1] == "void") != bool(results):
        return None
    gives = "z" if whole[1].startswith("__pyx") else "d"
    return Routine(symbol, takes, gives, results, part, tail)


def value(op: str) -> Any:
    """The same function for Python."""
    import scipy.special

    op, dot, wanted = op.removeprefix(SPECIAL).partition(".")
    name, part = _PARTS.get(op, ("", 0))
    if dot:
        return _part_of_complex(op, wanted)
    if not name:
        function = getattr(scipy.special, op)
        return (lambda n, x: function(int(n), x)) if op.startswith("spherical") else function
    whole = getattr(scipy.special, name)
    return lambda *xs: whole(*xs)[part]


def _part_of_complex(op: str, wanted: str) -> Any:
    import scipy.special

    found = routine(f"{SPECIAL}{op}.{wanted}")
    assert found is not None

    def function(*xs: Any) -> Any:
        numbers, given = iter(xs), []
        for letter in found.takes:
            x = next(numbers)
            given.append(complex(x, next(numbers)) if letter == "z" else x)
        y = getattr(scipy.special, op)(*given)
        return y.imag if wanted == "im" else y.real

    return function
