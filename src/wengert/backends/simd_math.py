"""Functions of mathematics in LLVM's text: by the one vector routine of their type, or lane by lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wengert.backends import specials
from wengert.backends.code import SPECIAL
from wengert.backends.spelling import TYPES
from wengert.backends.vecmath import elsewhere, routine

if TYPE_CHECKING:
    from wengert.backends.operations import Operations


def math(p: Operations, op: str, type: str, args: list[str], width: int) -> str:
    """A function of libm on so many lanes, by the one routine there is for its type."""
    native = p.native if type == "f64" else 2 * p.native
    symbol = None if elsewhere.get() else routine(op, type, native)
    t = TYPES[type]
    if symbol is None:
        return _by_lane(p, op, type, args, width)
    vector = f"<{native} x {t}>"
    p.declare(
        f"declare {vector} @{symbol}({', '.join([vector] * len(args))}) memory(none) nounwind willreturn",
        symbol,
    )

    def call(xs: list[str]) -> str:
        if op == "pow":
            size = p.operation("abs", type, [type], xs[:1], native)
            y = p.emit(f"call {vector} @{symbol}({vector} {size}, {vector} {xs[1]})")
            return _signed(p, type, xs[0], xs[1], y, native)
        return p.emit(f"call {vector} @{symbol}({', '.join(f'{vector} {x}' for x in xs)})")

    if width == native:
        return call(args)
    if width == 1:
        wide = []
        for x in args:
            one = p.emit(f"insertelement {vector} poison, {t} {x}, i64 0")
            wide.append(
                p.emit(
                    f"shufflevector {vector} {one}, {vector} poison, <{native} x i32> zeroinitializer"
                )
            )
        return p.emit(f"extractelement {vector} {call(wide)}, i64 0")
    mine = f"<{width} x {t}>"
    if width < native:
        mask = ", ".join(f"i32 {k % width}" for k in range(native))
        wide = [
            p.emit(f"shufflevector {mine} {x}, {mine} poison, <{native} x i32> <{mask}>")
            for x in args
        ]
        back = ", ".join(f"i32 {k}" for k in range(width))
        found = call(wide)
        return p.emit(f"shufflevector {vector} {found}, {vector} poison, <{width} x i32> <{back}>")
    parts = []
    for start in range(0, width, native):
        mask = ", ".join(f"i32 {start + k}" for k in range(native))
        parts.append(
            call(
                [
                    p.emit(f"shufflevector {mine} {x}, {mine} poison, <{native} x i32> <{mask}>")
                    for x in args
                ]
            )
        )
    while len(parts) > 1:
        size = width // len(parts)
        mask = ", ".join(f"i32 {k}" for k in range(2 * size))
        half = f"<{size} x {t}>"
        parts = [
            p.emit(f"shufflevector {half} {a}, {half} {b}, <{2 * size} x i32> <{mask}>")
            for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _signed(p: Operations, type: str, x: str, n: str, y: str, width: int) -> str:
    """x ** n from y = |x| ** n: the routine leaves a negative x to one call per lane, six times slower."""

    def is_whole(number: str) -> str:
        near = p.operation("rint", type, [type], [number], width)
        return p.operation("eq", "bool", [type, type], [near, number], width)

    vector, bools = p.shaped(type, width), p.shaped("bool", width)
    bits = p.shaped("i" + type[1:], width)
    minus = p.emit(f"icmp slt {bits} {p.emit(f'bitcast {vector} {x} to {bits}')}, zeroinitializer")
    even = is_whole(p.emit(f"fmul {vector} {n}, {p.splat(0.5, type, width)}"))
    whole = is_whole(n)
    odd = p.emit(f"and {bools} {whole}, {p.emit(f'xor {bools} {even}, splat (i1 true)')}")
    flip = p.emit(f"and {bools} {minus}, {odd}")
    found = p.emit(f"select {bools} {flip}, {vector} {p.emit(f'fneg {vector} {y}')}, {vector} {y}")
    below = p.emit(f"fcmp olt {vector} {x}, zeroinitializer")
    low = p.splat(float("-inf"), type, width)
    finite = p.emit(f"fcmp one {vector} {x}, {low}")
    broken = p.emit(f"xor {bools} {whole}, splat (i1 true)")
    none = p.emit(f"and {bools} {p.emit(f'and {bools} {below}, {finite}')}, {broken}")
    nan = p.splat(float("nan"), type, width)
    return p.emit(f"select {bools} {none}, {vector} {nan}, {vector} {found}")


def _by_lane(p: Operations, op: str, type: str, args: list[str], width: int) -> str:
    """A function of scalars, one lane after the other."""
    t = TYPES[type]
    if op.startswith(SPECIAL):
        call = _special(p, op)
    else:
        name = op + ("f" if type == "f32" else "")
        types = ", ".join([t] * len(args))
        p.declare(f"declare {t} @{name}({types}) memory(none) nounwind willreturn", name)

        def call(xs: list[str]) -> str:
            return p.emit(f"call {t} @{name}({', '.join(f'{t} {x}' for x in xs)})")

    if width == 1:
        single: str = call(args)
        return single
    vector = f"<{width} x {t}>"
    total = "poison"
    for k in range(width):
        one = call([p.emit(f"extractelement {vector} {x}, i64 {k}") for x in args])
        total = p.emit(f"insertelement {vector} {total}, {t} {one}, i64 {k}")
    return total


def _special(p: Operations, op: str) -> Any:
    """How one of SciPy's functions is called."""
    routine = specials.routine(op)
    assert routine is not None
    types = [{"d": "double", "z": "double, double", "l": "i64"}[c] for c in routine.takes]
    tail = ["ptr"] * routine.results + [word.split()[0] for word in routine.tail.split(", ")[1:]]
    gives = (
        "void" if routine.results else "{ double, double }" if routine.gives == "z" else "double"
    )
    effects = "nounwind willreturn" if routine.results else "memory(none) nounwind willreturn"
    p.declare(
        f"declare {gives} @{routine.symbol}({', '.join([*types, *tail])}) {effects}", routine.symbol
    )

    def call(xs: list[str]) -> str:
        numbers, given = iter(xs), []
        for letter in routine.takes:
            if letter == "l":
                given.append(f"i64 {p.emit(f'fptosi double {next(numbers)} to i64')}")
            else:
                given += [f"double {next(numbers)}" for _ in range(1 + (letter == "z"))]
        if not routine.results:
            y = p.emit(f"call {gives} @{routine.symbol}({', '.join(given)}{routine.tail})")
            return p.emit(f"extractvalue {gives} {y}, {routine.part}") if gives != "double" else y
        p.count += 1
        slots = [f"%part{p.count}.{k}" for k in range(routine.results)]
        p.head += [f"  {slot} = alloca double" for slot in slots]
        p.line(f"call void @{routine.symbol}({', '.join(given + [f'ptr {x}' for x in slots])})")
        return p.emit(f"load double, ptr {slots[routine.part]}")

    return call
