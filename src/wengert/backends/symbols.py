"""Addresses of what compiled code calls: libm, libmvec, BLAS, LAPACK, SciPy's special functions, Python.

Code names them, and their addresses are found when it is linked: none is written into it, so that it
can be kept on disk. Names of BLAS and LAPACK are SciPy's (`dgemm`), `special_gammaln` is that function of
`scipy.special.cython_special`; `_ZGVeN8v_exp` and its kind come from glibc's libmvec where it has them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

_named: dict[str, int] = {}  # what other files offer: "wg_callback", …
_BY = {"wg_parallel": "threads"} | {f"wg_{x}gemm": "blas" for x in "sdcz"}  # which offers it
_kept: list[Any] = []  # ctypes functions whose addresses were given away


def offer(name: str, function: Any) -> None:
    """Give a name to a function of ours: an address, or a ctypes function (which is kept alive)."""
    if not isinstance(function, int):
        _kept.append(function)
        function = ctypes.cast(function, ctypes.c_void_p).value
    _named[name] = function


def offer_later(name: str, make: Callable[[], Any]) -> None:
    """Give a name to a function that is made when code first asks for it."""
    _later[name] = make


_later: dict[str, Callable[[], Any]] = {}


@cache
def process() -> Any:
    """The C library."""
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


@cache
def _libraries() -> tuple[Any, ...]:
    """Python, the C library, libm."""
    found: list[Any] = [ctypes.pythonapi, process()]  # (Python itself is linked with libm)
    with contextlib.suppress(OSError):
        found.append(ctypes.CDLL("libm.so.6"))
    return tuple(found)


@cache
def _vector_library() -> Any:
    if os.environ.get("WENGERT_VECMATH", "libmvec") != "libmvec":
        return None
    try:
        return ctypes.CDLL("libmvec.so.1")
    except OSError:
        return None


def _of(library: Any, name: str) -> int | None:
    try:
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    except AttributeError:
        return None


@cache
def capsule_functions() -> tuple[Any, Any]:
    """Python's own functions for the name and the pointer of a capsule."""
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return name, pointer


@cache
def _capsules(module: str) -> dict[str, Any]:
    table: dict[str, Any] = import_module(module).__pyx_capi__
    return table


def _of_capsule(module: str, name: str) -> int | None:
    capsule = _capsules(module).get(name)
    if capsule is None:
        return None
    signature, pointer = capsule_functions()
    return int(pointer(capsule, signature(capsule)))


_LINEAR_ALGEBRA = re.compile(r"[sdcz][a-z0-9]{2,}|i[sdcz]amax")


@cache
def _foreign(name: str) -> int | None:
    if name.startswith("_ZGV"):
        library = _vector_library()
        return None if library is None else _of(library, name)
    if name.startswith("special_"):
        return _of_capsule("scipy.special.cython_special", name.removeprefix("special_"))
    for library in _libraries():
        found = _of(library, name)
        if found is not None:
            return found
    if _LINEAR_ALGEBRA.fullmatch(name):
        for module in ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"):
            found = _of_capsule(module, name)
            if found is not None:
                return found
    return None


def address(name: str) -> int | None:
    """The address of a function, or None where this machine has none of that name."""
    if name in _BY:
        import_module(f"wengert.backends.{_BY[name]}")
    if name in _named:
        return _named[name]
    if name in _later:
        offer(name, _later[name]())
        return _named[name]
    return _foreign(name)


@cache
def versions() -> str:
    """What the bits of foreign functions depend on: part of the key of code that is kept."""
    import platform

    return f"{platform.machine()} {' '.join(platform.libc_ver())} {os.environ.get('WENGERT_VECMATH', '')}"
