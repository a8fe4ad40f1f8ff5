"""Names of NumPy that neither of its protocols reaches: what they do while a trace runs.

Those that call Python functions or only move elements work; for the others, which convert their
arguments in compiled code, the error names the nearest way.
"""

from __future__ import annotations

import cmath
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.ir import source
from wengert.numpy_api import walking
from wengert.numpy_api.creation import apply_along_axis, array, is_traced
from wengert.numpy_api.promote import cast, operand, result_dtype, shape_of
from wengert.numpy_api.table import FUNCTIONS, UFUNCS
from wengert.numpy_api.ufuncs import buffer
from wengert.trace import trace, tracer
from wengert.trace.idle import plain
from wengert.trace.tracer import Tracer

# ---- functions of elements ---------------------------------------------------------------------------

_vectorized = np.vectorize.__call__


def call_vectorized(self: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.vectorize(f)(…)`: f is called for each element, and its results are stacked."""
    if not trace.tracing() or (not args and not kwargs):
        return _vectorized(self, *args, **kwargs)
    cores = _core_axes(self.signature, len(args))
    wanted = [n for n in range(len(args)) if n not in self.excluded]
    given = {n: operand(plain(args[n])) for n in wanted}
    named = {key: operand(plain(v)) for key, v in kwargs.items() if key not in self.excluded}
    leads = {n: shape_of(x)[: len(shape_of(x)) - cores[n]] for n, x in given.items()}
    shape = np.broadcast_shapes(*leads.values(), *map(shape_of, named.values()))
    spread = {n: np.broadcast_to(x, shape + shape_of(x)[len(leads[n]) :]) for n, x in given.items()}
    named = {key: np.broadcast_to(x, shape) for key, x in named.items()}
    found = []
    for at in itertools.product(*map(range, shape)):
        element = [spread[n][at] if n in spread else x for n, x in enumerate(args)]
        others = {key: named[key][at] if key in named else x for key, x in kwargs.items()}
        found.append(self.pyfunc(*element, **others))
    if not any(_holds_traced(y) for y in found):  # (also for no elements at all: NumPy has the say)
        return _vectorized(self, *args, **kwargs)
    if not isinstance(found[0], tuple):
        return _joined(found, shape)
    return tuple(_joined(list(part), shape) for part in zip(*found, strict=True))


def _core_axes(signature: str | None, count: int) -> list[int]:
    """How many axes of each argument belong to the function: "(m,n),(n)->(m)" says 2 and 1."""
    if signature is None:
        return [0] * count
    inside = signature.replace(" ", "").partition("->")[0].strip("()").split("),(")
    return [len(names.split(",")) if names else 0 for names in inside]


def _holds_traced(y: Any) -> bool:
    return isinstance(y, Tracer) or (isinstance(y, tuple) and any(map(_holds_traced, y)))


def _joined(parts: list[Any], shape: tuple[int, ...]) -> Any:
    parts = [operand(p) for p in parts]
    dtype = result_dtype(*parts)
    y = np.stack([cast(p, dtype) for p in parts])
    return np.reshape(y, (*shape, *y.shape[1:]))


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Indices and elements."""
    x = operand(arr)
    return ((at, x[at]) for at in itertools.product(*map(range, shape_of(x))))


# ---- np.r_ and np.c_ -----------------------------------------------------------------------------------


class Joiner:
    """`np.r_[…]` of traced values: NumPy joins the numbers of the elements, which then are gathered."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        items = tuple(map(plain, items))
        if not trace.tracing() or not any(isinstance(i, Tracer) for i in items):
            return self.original[key]
        parts: list[Any] = []
        numbered: list[Any] = []
        count = 0
        for item in items:
            if isinstance(item, str):
                numbered.append(item)
                continue
            x = np.r_[item] if isinstance(item, slice) else operand(item)
            size = int(np.prod(shape_of(x)))
            numbered.append(np.arange(count, count + size).reshape(shape_of(x)))
            parts.append(x)
            count += size
        dtype = result_dtype(*parts)
        flat = np.concatenate([np.ravel(cast(p, dtype)) for p in parts])
        return flat[self.original[tuple(numbered)]]

    def __len__(self) -> int:
        return 0


# ---- smaller ones -------------------------------------------------------------------------------------


def isscalar(element: Any) -> bool:
    """An element of an array is a scalar to NumPy, and a traced one stands for it."""
    return element.ndim == 0 if isinstance(element, Tracer) else _isscalar(element)


def fromiter(iter: Any, dtype: Any, count: int = -1, **kwargs: Any) -> Any:
    """The items of an iterator, which may be traced."""
    items = list(iter if count < 0 else itertools.islice(iter, count))
    return (array if is_traced(items) else _fromiter)(items, dtype, **kwargs)


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """NumPy asks the array alone, which may be a plain one."""
    value = operand(plain(val))
    if isinstance(value, Tracer):
        a = buffer(a, value)
    (FUNCTIONS[_fill_diagonal] if isinstance(a, Tracer) else _fill_diagonal)(a, value, wrap)


_isscalar, _fromiter, _fill_diagonal = np.isscalar, np.fromiter, np.fill_diagonal
_umath: Any = np._core.umath  # type: ignore[attr-defined]
UFUNCS[_umath.clip] = lambda a, low, high, **rest: FUNCTIONS[np.clip](a, low, high, **rest)

# the user's own calls of these names come here while she traces
CALLED: dict[str, Callable[..., Any]] = {
    "apply_along_axis": apply_along_axis, "ndenumerate": ndenumerate, "isscalar": isscalar, "nditer": walking.nditer,
    "broadcast": walking.broadcast, "fromiter": fromiter, "fill_diagonal": fill_diagonal,
}  # fmt: skip
JOINERS = {name: (getattr(np, name), Joiner(getattr(np, name))) for name in ("r_", "c_")}

# ---- the way out, by the name of the call --------------------------------------------------------------

_HINTS = {
    "as_strided": "use np.lib.stride_tricks.sliding_window_view(x, window), or index with an array of integers",
    "float64": "leave it out: a traced value has a dtype already; x.astype(np.float64) converts",
    "float32": "x.astype(np.float32)",
    "complex128": "x.astype(np.complex128)",
    "asmatrix": "stay with arrays, where A @ B is the matrix product",
    "matrix": "stay with arrays, where A @ B is the matrix product",
    "bmat": "np.block",
    "dot": "write {array} @ x, or np.dot({array}, x): NumPy asks traced arguments of functions, not of methods",
    "sum": "write {array}.sum() + start",
    "prod": "write {array}.prod() * start",
    "max": "write np.maximum({array}.max(), start)",
    "min": "write np.minimum({array}.min(), start)",
}
_LIST = "make an array of the list first: np.array([…]) keeps the derivatives of its elements"


def _imported_alone(name: str) -> str:
    """The module, np or math, whose function a name of the user's own module is; nothing if it is none."""
    frame: Any = sys._getframe(1)
    while frame is not None and source.is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    found = None if frame is None else frame.f_globals.get(name)
    for spelled, module in (("np", np), ("math", math), ("cmath", cmath)):
        if found is not None and vars(module).get(name) is found:
            return spelled
    return ""


def way_out(call: str) -> tuple[str, str] | None:
    """What happened and what to write, for a call that wants plain numbers.

    >>> way_out("A.dot")[1].partition(",")[0]
    'write A @ x'
    """
    owner, _, name = call.rpartition(".")
    what = f"{call} wants plain numbers, and would silently drop the derivative of a traced value"
    otherwise = "; where no derivative is wanted, pass wg.stop_gradient(x)"
    if not owner and (module := _imported_alone(name)):
        return (
            what,
            f"call it by its module, {module}.{name}(…): a name that was imported alone is seen only in modules that the differentiated function knows by name"
            + otherwise,
        )
    if "testing" in owner.split("."):
        return what, "compare constants: pass wg.stop_gradient(x)"
    if "ma" in owner.split("."):
        return (
            what,
            "leave masked arrays: np.where(mask, 0, x), or NumPy's nan functions" + otherwise,
        )
    if owner in ("np", "numpy") and name not in _HINTS and hasattr(np, name):
        return what, _LIST + otherwise
    if name in _HINTS and (hasattr(np, name) or name == "as_strided"):
        if owner in ("np", "numpy") and hasattr(np.ndarray, name):
            return what, _LIST + otherwise
        return what, _HINTS[name].replace("{array}", owner) + otherwise
    return None


tracer.ways_out.append(way_out)
