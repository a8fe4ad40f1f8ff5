"""`wengert doctor`: what is installed, what the machine has, and whether it all works."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

from wengert.cli.failure import FINE, FOUND
from wengert.cli.output import say, tell

_NEEDED = ("numpy", "scipy", "optree", "llvmlite", "python-flint")
_OPTIONAL = {
    "sympy": "symbolic derivatives",
    "matplotlib": "pictures", "tqdm": "progress bars", "argcomplete": "completion",
}  # fmt: skip
_PROGRAMS = {
    "dot": "graphs as SVG", "g++": "C++ functions", "clang++": "C++ functions", "cmake": "exported tests",
    "chromium": "tests of pages",
}  # fmt: skip


def doctor_command(options: argparse.Namespace) -> int:
    """Look, test for two seconds, and say what is missing."""
    report: dict[str, Any] = {
        "versions": _versions(), "machine": _machine(), "back ends": _back_ends(), "programs": _programs(),
    }  # fmt: skip
    checks = [_tested(name, check) for name, check in CHECKS.items()]
    report["self-test"] = {name: why or f"ok, {took:.2f} s" for name, why, took in checks}
    broken = [name for name, why, _ in checks if why]
    if options.json:
        tell({**report, "healthy": not broken})
    else:
        for title, rows in report.items():
            say(title)
            for name, value in rows.items():
                say(f"  {name:<16} {value}")
        say(f"{', '.join(broken)}: does not work" if broken else "all is well")
    return FOUND if broken else FINE


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _versions() -> dict[str, str]:
    found = {"wengert": importlib.import_module("wengert").__version__, "Python": platform.python_version()}  # fmt: skip
    found |= {name: _version(name) or "MISSING" for name in _NEEDED}
    return found | {
        name: _version(name) or f"not installed ({what})" for name, what in _OPTIONAL.items()
    }


def _machine() -> dict[str, str]:
    found = {"system": f"{platform.system()} {platform.machine()}", "processors": str(os.cpu_count())}  # fmt: skip
    libc = " ".join(platform.libc_ver())
    if libc.strip():
        found["C library"] = libc
    features = _features()
    if features:
        found["vector units"] = ", ".join(features)
    return found


def _features() -> list[str]:
    """Vector instruction sets, as NumPy finds them at run time."""
    try:
        found = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
    except (ImportError, AttributeError):
        return []
    wanted = ("SSE42", "AVX2", "FMA3", "AVX512F", "AVX512_SKX", "NEON", "SVE", "VSX", "VX", "RVV")
    return [name for name in wanted if found.get(name)]


def _programs() -> dict[str, str]:
    return {name: "found" if shutil.which(name) else f"not found ({what})" for name, what in _PROGRAMS.items()}  # fmt: skip


def _back_ends() -> dict[str, str]:
    """Native code, and the vector mathematics that it can call."""
    from wengert.backends import machine, vecmath

    found = {"NumPy": "always"}
    if not machine.available():
        return found | {"native code": "not there: pip install llvmlite"}
    ours = machine.machine()
    found["native code"] = (
        f"LLVM {ours.version} for {ours.cpu}, {vecmath.lanes()} doubles at a time"
    )
    known = vecmath.routines()
    found["vector math"] = f"libmvec: {', '.join(known)}" if known else "none: one number at a time"
    return found


# ---- the self-test ---------------------------------------------------------------------------------


def _tested(name: str, check: Callable[[], str | None]) -> tuple[str, str | None, float]:
    start = time.perf_counter()
    try:
        why = check()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    return name, why, time.perf_counter() - start


def _f(x: Any) -> Any:
    return np.sum(np.tanh(x) * np.exp(-(x**2)))


_X = np.linspace(-1.5, 2.0, 50)
_EXACT = np.exp(-(_X**2)) * (1 / np.cosh(_X) ** 2 - 2 * _X * np.tanh(_X))


def _off(found: Any, exact: Any = _EXACT) -> str | None:
    error = float(np.max(np.abs(np.asarray(found) - exact)))
    return None if error < 1e-12 else f"off by {error:.3g}"


def _reverse() -> str | None:
    return _off(importlib.import_module("wengert").grad(_f)(_X))


def _forward() -> str | None:
    return _off(importlib.import_module("wengert").jacfwd(_f)(_X))


def _second() -> str | None:
    wg = importlib.import_module("wengert")
    return _off(wg.hessian(_f)(_X), np.diag(wg.grad(lambda x: np.sum(wg.grad(_f)(x)))(_X)))


def _native() -> str | None:
    wg = importlib.import_module("wengert")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that it runs without machine code is a warning
        return _off(wg.jit(wg.grad(_f))(_X))


def _balls() -> str | None:
    wg = importlib.import_module("wengert")
    with wg.trust.policy(action="record"):
        found = wg.grad(lambda x: (1 - np.cos(x)) / x**2, trust="repair")(1e-6)
    return _off(found * 1e6, -1 / 12)


def _picture() -> str | None:
    made = importlib.import_module("wengert.draw.flow").draw(_f)(_X)
    return None if "flowchart" in made.mermaid() else "no text"


CHECKS: dict[str, Callable[[], str | None]] = {
    "reverse mode": _reverse, "forward mode": _forward, "second order": _second, "native code": _native, "repair by balls": _balls,
    "graphs": _picture,
}  # fmt: skip
