"""Functions outside that compiled code calls, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wengert.backends.code import Buffer, Call, Value

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer

# functions of scipy.special.cython_special: what comes after their arguments
SPECIAL_SIGNATURES: dict[str, str] = {}


def print_call(p: Printer, s: Call) -> None:
    """A call-back: pointers to arrays in an array."""
    if s.name != "wg_callback":
        raise NotImplementedError(s.name)
    _, number, *arrays = s.args
    assert isinstance(number, Value)
    count = len(arrays)
    p.count += 1
    table = f"%arrays{p.count}"
    p.head.append(f"  {table} = alloca [{max(count, 1)} x ptr]")
    for k, (buffer, index) in enumerate(arrays):
        place = p.address(buffer, p.name(index))
        slot = p.emit(f"getelementptr ptr, ptr {table}, i64 {k}")
        p.line(f"store ptr {place}, ptr {slot}")
    p.declare("declare i32 @wg_callback(ptr, i64, ptr)", "wg_callback")
    status = p.emit(f"call i32 @wg_callback(ptr %context, i64 {p.name(number)}, ptr {table})")
    p.check(p.emit(f"icmp eq i32 {status}, 0"), s.problem)


__all__ = ["Any", "Buffer", "print_call"]
