"""Functions outside that compiled code calls, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wengert.backends.code import Call, Value
from wengert.backends.outline import is_product
from wengert.backends.spelling import constant

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer


def print_call(p: Printer, s: Call) -> None:
    """A call: of Python, or of a routine of BLAS or LAPACK."""
    if s.name == "wg_callback":
        _callback(p, s)
    else:
        _routine(p, s)


def _routine(p: Printer, s: Call) -> None:
    """Fortran's way: a pointer to everything."""
    scalar = "float" if s.name[0] in "sc" else "double"
    numbers = 2 if s.name[0] in "cz" else 1
    places = []
    for arg in s.args:
        if isinstance(arg, tuple):
            places.append(p.address(arg[0], p.name(arg[1])))
            continue
        p.count += 1
        slot = f"%a{p.count}"
        if isinstance(arg, str):
            p.head.append(f"  {slot} = alloca i8")
            p.line(f"store i8 {ord(arg)}, ptr {slot}")
        elif isinstance(arg, float):
            p.head.append(f"  {slot} = alloca [{numbers} x {scalar}]")
            p.line(f"store {scalar} {constant(arg, 'f64')}, ptr {slot}")
            if numbers == 2:
                second = p.emit(f"getelementptr {scalar}, ptr {slot}, i64 1")
                p.line(f"store {scalar} 0.0, ptr {second}")
        else:
            p.head.append(f"  {slot} = alloca i32")
            small = p.emit(f"trunc i64 {p.name(arg)} to i32")
            p.line(f"store i32 {small}, ptr {slot}")
        places.append(slot)
    given, kinds = ", ".join(f"ptr {x}" for x in places), ", ".join(["ptr"] * len(places))
    if p.hosted and is_product(s):
        p.declare(f"declare i32 @wg_{s.name}({kinds})", f"wg_{s.name}")
        p.go_on_if_zero(p.emit(f"call i32 @wg_{s.name}({given})"))
        return
    p.declare(f"declare void @{s.name}({kinds})", s.name)
    p.line(f"call void @{s.name}({given})")


def _callback(p: Printer, s: Call) -> None:
    """Pointers to arrays in an array."""
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
