"""Functions of mathematics on vectors: glibc's libmvec where it has them, libm lane by lane elsewhere.

One width per type: eight doubles and sixteen floats with AVX-512, half of that with AVX2, else a
quarter. Narrower vectors and single numbers go through the same routine, so that bits do not depend
on the place of an element. `WENGERT_LANES` (8, 4, 2) and `WENGERT_VECMATH` (libmvec, libm) decide otherwise.
"""

from __future__ import annotations

import ctypes
import os
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from wengert.backends.code import MATH

# operations of two arguments
BINARY = frozenset(("pow", "atan2", "hypot", "fmod"))
_LIBMVEC = MATH - frozenset(("fmod", "lgamma", "tgamma"))
# is code written for another machine, of which no vector library is known?
elsewhere: ContextVar[bool] = ContextVar("wengert_elsewhere", default=False)
_PREFIX = {8: "e", 4: "d", 2: "b"}


@lru_cache(maxsize=1)
def features() -> frozenset[str]:
    """What the processor can, of what matters here."""
    import llvmlite.binding as llvm

    flags = llvm.get_host_cpu_features()
    return frozenset(name for name, on in flags.items() if on)


def lanes() -> int:
    """How many doubles are computed together."""
    wish = os.environ.get("WENGERT_LANES")
    if wish:
        if wish not in ("2", "4", "8"):
            raise ValueError(f"WENGERT_LANES is {wish!r}: it may be 2, 4 or 8")
        return int(wish)
    has = features()
    return 8 if "avx512f" in has and "avx512dq" in has else 4 if "avx2" in has else 2


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        return ctypes.CDLL("libmvec.so.1")
    except OSError:
        return None


@lru_cache(maxsize=256)
def routine(name: str, type: str, width: int) -> str | None:
    """The symbol of libmvec for so many numbers of a type; None where there is none."""
    if name not in _LIBMVEC or os.environ.get("WENGERT_VECMATH", "libmvec") == "libm":
        return None
    library = _library()
    doubles = width if type == "f64" else width // 2
    if library is None or doubles not in _PREFIX:
        return None
    args = "vv" if name in BINARY else "v"
    symbol = f"_ZGV{_PREFIX[doubles]}N{width}{args}_{name}{'' if type == 'f64' else 'f'}"
    return symbol if hasattr(library, symbol) else None


def routines() -> list[str]:
    """The functions of doubles that have a routine here."""
    return [name for name in sorted(_LIBMVEC) if routine(name, "f64", lanes())]


def address(symbol: str) -> int:
    """Where a routine of libmvec stands."""
    found = ctypes.cast(getattr(_library(), symbol), ctypes.c_void_p).value
    assert found is not None
    return found
