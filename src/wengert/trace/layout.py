"""How arrays lie in memory, which decides what NumPy's reshape shares.

With numbers the number itself tells. On types alone it is followed through the equations: an array
made of arrays in C order lies in C order, and what NumPy lays out in its own way is not known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.program import Const
from wengert.ir.types import ArrayType
from wengert.trace.tracer import Tracer

# what is known of a value on types alone: nothing; that it repeats one in C order; that it lies so
UNKNOWN, REPEATED, C_ORDER = range(3)
# NumPy makes these results anew, in C order
_ANEW = {"matmul", "solve", "inv", "cholesky", "det"}
# these keep the order of their operand
_KEEPING = {"reshape", "index", "part", "flip", "update", "accumulate", "put", "scatter_add", "convert", "pad",
            "sort", "argsort", "sum", "max", "min", "prod", "mean", "cumsum", "cumprod"}  # fmt: skip


def standin(handle: Tracer) -> Any:
    """An array that lies in memory as `handle` does in NumPy, or None where that is not known."""
    x = handle.number()
    if x is not None:
        return x if np.shape(x) == handle.shape else x[0]  # (of a dual: one of its derivatives)
    if handle.ndim < 2 or (order_of(handle) == C_ORDER):
        return np.empty(handle.shape, handle.dtype)
    return None


def order_of(handle: Tracer) -> int:
    """What is known of the memory of a value that knows no number."""
    return _known(handle.builder, handle.node) if handle.order is None else handle.order


def relaid(value: Any, memory: Any) -> Any:
    """A value that lies in memory as the array `memory` does."""
    if isinstance(value, Tracer):
        handle = value.snapshot()
        handle.value = None if value.value is None else relaid(value.value, memory)
        handle.order = _of_array(memory)
        return handle
    y = np.empty_like(memory, dtype=value.dtype)
    y[...] = value
    return y


def keep_layout(handle: Tracer, before: Any, order: int) -> None:
    """After all of a handle was written: it still lies in memory as `before` (or in that order)."""
    x = handle.number()
    if x is None or before is None:
        handle.order = order
    elif x.strides != before.strides:
        handle.value = relaid(handle.value, before)


def _known(builder: Any, node: Any) -> int:
    orders = builder.orders
    if orders is None:
        orders = builder.orders = {}
        builder.ordered = 0
    entries = builder.entries
    if builder.ordered < len(entries):
        captured = {var: value for var, value in builder.captured if var not in orders}
        for prim, inputs, params, outputs, *_ in entries[builder.ordered :]:
            found = [_of_input(a, orders, captured) for a in inputs]
            order = _of_result(prim, inputs, found, params)
            orders.update(dict.fromkeys(outputs, order))
        builder.ordered = len(entries)
    if node in orders:
        return int(orders[node])
    return _of_input(node, orders, dict(builder.captured))


def _of_input(atom: Any, orders: dict[Any, int], captured: dict[Any, Any]) -> int:
    if isinstance(atom, Const) or not isinstance(atom.type, ArrayType) or atom.type.ndim < 2:
        return C_ORDER
    if atom not in orders:  # an argument of the function is taken to lie in C order
        value = captured.get(atom)
        if isinstance(value, Tracer):
            x = value.number()
            orders[atom] = order_of(value) if x is None else _of_array(x)
        else:
            orders[atom] = C_ORDER if value is None else _of_array(value)
    return orders[atom]


def _of_array(x: Any) -> int:
    return C_ORDER if x.flags.c_contiguous else UNKNOWN


def _of_result(prim: Any, inputs: Any, found: list[int], params: Any) -> int:
    name = prim.name
    if name == "broadcast":
        dims = params["dims"]
        if not dims:
            return C_ORDER
        return REPEATED if found[0] and list(dims) == sorted(dims) else UNKNOWN
    if getattr(prim, "aligned", False):
        return C_ORDER if all(found) else UNKNOWN
    if name == "gather":
        return UNKNOWN if params.get("axis") else C_ORDER
    if name in _ANEW:
        return C_ORDER
    if name in _KEEPING:
        return found[0]
    if name in ("concat", "stack"):
        return C_ORDER if all(order == C_ORDER for order in found) else UNKNOWN
    return UNKNOWN
