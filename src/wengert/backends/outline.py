"""Large loops on all cores: their bodies become functions of a chunk, which threads take.

Chunks have a fixed number of iterations and the sums of chunks are added in their order, so no bit
depends on how many threads there are. A loop that is one chunk long is called directly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wengert.backends import chunk_memory
from wengert.backends.code import PARTS, Call, For, Reserve, Value, While
from wengert.backends.cpp_uses import roots, sources
from wengert.backends.spelling import TYPES
from wengert.backends.vary import by_lanes, items_of, weight

if TYPE_CHECKING:
    from wengert.backends.llvm import Printer

WORK = 1 << 18  # operations on scalars that a chunk should be at least
GROUP = 128  # chunks of vector loops are so many iterations, or several times that
PRODUCTS = 64  # multiplications of a product by BLAS take as long as an operation
TRIPS = 64  # of a loop that ends when its values say so
WORTH = 8  # iterations of the inner loops per sum in memory
COPIED = 32  # so many pointers are handed to a body, more stay in their tables
_MADE = re.compile(r"^ *(%[A-Za-z_][\w.]*) =", re.MULTILINE)
_NAME = re.compile(r"[%\n]([A-Za-z_][\w.]*)")  # registers, and labels, which begin a line
_REGISTER = re.compile(r"%[A-Za-z_][\w.]*")


def worthwhile(s: For) -> bool:
    """Can it be long, and are its iterations independent?"""
    if s.kind == "serial" or s.extent.op == "const" or s.carried:
        return False
    for item in items_of(s.block):
        if isinstance(item, Reserve) or (isinstance(item, Call) and not is_product(item)):
            return False
        if item.__class__ is Value and item.op == "load" and item.data.role == "tape":
            return False
    return True


def is_product(call: Call) -> bool:
    """Is it a product of matrices, which threads may compute side by side?"""
    return call.name.endswith("gemm")


def size_of_chunk(p: Printer, s: For) -> str:
    """Iterations of a chunk: by what is written, times the loops inside."""
    least = max(WORK // max(weight(s), 1), 1)
    if _loop_in(s.block) is None and s.kind == "vector":
        return str(_whole(least))
    inner = _times(p, s.block)
    inner = p.intrinsic("i64", "llvm.smax.i64", ("i64", inner), ("i64", "1"))
    rows = p.intrinsic(
        "i64", "llvm.smax.i64", ("i64", p.emit(f"sdiv i64 {least}, {inner}")), ("i64", "1")
    )
    if s.sums:  # every chunk has sums of its own, to be added at the end: few chunks
        each = p.emit(f"add i64 {p.name(s.extent)}, {PARTS - 1}")
        part = p.emit(f"sdiv i64 {each}, {PARTS}")
        rows = p.intrinsic("i64", "llvm.smax.i64", ("i64", rows), ("i64", part))
        for _, b, _ in s.sums:
            worth = p.emit(f"sdiv i64 {p.emit(f'mul i64 {p.elements(b)}, {WORTH}')}, {inner}")
            rows = p.intrinsic("i64", "llvm.smax.i64", ("i64", rows), ("i64", worth))
    if s.kind != "vector":
        return rows
    groups = p.emit(f"sdiv i64 {p.emit(f'add i64 {rows}, {GROUP - 1}')}, {GROUP}")
    return p.emit(f"mul i64 {groups}, {GROUP}")


def _times(p: Printer, block: Any) -> str:
    """How often something is done in one go through a block, by its first loop and its products."""
    most, loop = "1", _loop_in(block)
    if loop is not None:
        trips = str(TRIPS)
        if isinstance(loop, For) and loop.extent.op in ("const", "extent"):
            trips = p.name(loop.extent)
        most = p.emit(f"mul i64 {_times(p, loop.block)}, {trips}")
    for call in block.items:
        if isinstance(call, Call):
            times = "1"
            for side in call.args[2:5]:
                times = p.emit(f"mul i64 {times}, {p.name(side)}")
            times = p.emit(f"sdiv i64 {times}, {PRODUCTS}")
            most = p.intrinsic("i64", "llvm.smax.i64", ("i64", most), ("i64", times))
    return most


def _whole(iterations: int) -> int:
    return (iterations + GROUP - 1) // GROUP * GROUP


def _loop_in(block: Any) -> For | While | None:
    """The first loop in a block."""
    return next((x for x in block.items if isinstance(x, For | While)), None)


def print_loop(p: Printer, s: For) -> None:
    """The call of the threads; the body goes into a function of its own."""
    n, size = p.name(s.extent), size_of_chunk(p, s)
    p.count += 1
    number = p.count
    more = p.emit(f"add i64 {n}, {size}")
    chunks = p.emit(f"sdiv i64 {p.emit(f'sub i64 {more}, 1')}, {size}")
    sums = []
    for k, r in enumerate(s.reductions):
        t = TYPES[r.value.type]
        sums.append(f"%sums{number}.{k}")
        p.lines.append(f"  {sums[-1]} = alloca {t}, i64 {chunks}, align 64")
    size_name, n_name = f"%size{number}", f"%total{number}"
    p.lines.append(f"  {size_name} = add i64 {size}, 0")
    p.lines.append(f"  {n_name} = add i64 {n}, 0")
    known = _known(p, s)
    body = _body(p, s, number, size_name, n_name, sums)
    kinds = {**known, **dict.fromkeys(sums, "ptr"), size_name: "i64", n_name: "i64"}
    text = "\n".join(body)
    made = set(_MADE.findall(text))
    used = [
        (name, kind)
        for name in dict.fromkeys(_REGISTER.findall(text))
        if name not in made and (kind := kinds.get(name) or _kind(p, name)) is not None
    ]
    behind = [name for name, _ in used if name in p.tabled]
    if len(behind) > COPIED:  # the body looks them up itself
        tables = dict.fromkeys(f"%{p.tabled[name][0]}" for name in behind)
        used = [(name, kind) for name, kind in used if name not in p.tabled]
        used += [(table, "ptr") for table in tables]
    else:
        behind = []
    env = f"%env{number}"
    p.head.append(f"  {env} = alloca [{max(len(used), 1)} x i64], align 64")
    loads = []
    for k, (name, kind) in enumerate(used):
        place = p.emit(f"getelementptr i64, ptr {env}, i64 {k}")
        p.line(f"store {kind} {p.here(name)}, ptr {place}")
        loads += [
            f"  %at{k} = getelementptr i64, ptr %env, i64 {k}",
            f"  {name} = load {kind}, ptr %at{k}",
        ]
    for k, name in enumerate(behind):
        table, at = p.tabled[name]
        loads += [
            f"  %in{k} = getelementptr ptr, ptr %{table}, i64 {at}",
            f"  {name} = load ptr, ptr %in{k}",
        ]
    name = _shared(p, f"{p.function.name}.loop{number}", [*loads, *body])
    p.go_on_if_zero(p.emit(f"call i32 {_launch(p)}(ptr {name}, ptr {env}, i64 {chunks})"))
    chunk_memory.join(p, s, chunks)
    for r, place in zip(s.reductions, sums, strict=True):
        p.names[r.result] = _summed(p, r, place, chunks)


def _shared(p: Printer, name: str, body: list[str]) -> str:
    """The function of this body: the one that is there, where another loop does the same on other memory."""
    text = "\n".join(body)
    parts = _NAME.split(text)  # what stands between names, and names: those by their first places
    number = {name: k for k, name in enumerate(dict.fromkeys(parts[1::2]))}
    key = (tuple(parts[::2]), tuple(map(number.__getitem__, parts[1::2])))
    found = p.bodies.get(key)
    if found is None:
        found = p.bodies[key] = f"@{name}"
        p.functions.append(
            f"define internal i32 {found}(ptr %env, i64 %chunk) #0 {{\nentry:\n{text}\n}}"
        )
    return found


def _launch(p: Printer) -> str:
    """A function that calls a body for its only chunk, or the threads for many."""
    name = f"@{p.function.name}.launch"
    if name not in p.bodies:
        p.bodies[name] = name
        p.declare("declare i32 @wg_parallel(ptr, ptr, i64)", "wg_parallel")
        p.functions.append(_LAUNCH.format(name=name))
    return name


_LAUNCH = """\
define internal i32 {name}(ptr %body, ptr %env, i64 %chunks) #0 {{
entry:
  %few = icmp sle i64 %chunks, 1
  br i1 %few, label %single, label %many
single:
  %first = call i32 %body(ptr %env, i64 0)
  ret i32 %first
many:
  %all = call i32 @wg_parallel(ptr %body, ptr %env, i64 %chunks)
  ret i32 %all
}}"""


def _known(p: Printer, s: For) -> dict[str, str]:
    """The types of the registers that hold what the loop reads."""
    found: dict[str, str] = {}
    for item in (s, *items_of(s.block)):
        if item.__class__ is Value:
            read = item.args
        else:
            read = (*roots(item), *(v for _, made_of in sources(item) for v in made_of))
        for v in read:
            if v in p.names:
                found[p.names[v]] = TYPES[v.type]
    return found


def _kind(p: Printer, name: str) -> str | None:
    """The type of a register of the function's entry."""
    if re.fullmatch(r"%n\d+", name):
        return "i64"
    return "ptr" if name.startswith(("%p.", "%slot")) else None


def _body(p: Printer, s: For, number: int, size: str, n: str, sums: list[str]) -> list[str]:
    """The lines of the function of a chunk."""
    from wengert.backends.simd import Lanes

    outer = p.lines, p.head, p.label, p.own, p.depth
    p.lines, p.head, p.label, p.own = [], [], "begin", set()
    p.depth += 1
    before = dict(p.base)
    own, made = chunk_memory.enter(p, s)
    begin = p.emit(f"mul i64 %chunk, {size}")
    stop = p.emit(f"add i64 {begin}, {size}")
    end = p.intrinsic("i64", "llvm.smin.i64", ("i64", stop), ("i64", n))
    count = p.emit(f"sub i64 {end}, {begin}")
    if s.kind == "vector" and by_lanes(s):
        lanes = Lanes(p, s, count, begin)
        lanes.print()
        for r, place in zip(s.reductions, sums, strict=True):
            at = p.emit(f"getelementptr {TYPES[r.value.type]}, ptr {place}, i64 %chunk")
            p.line(f"store {TYPES[r.value.type]} {p.names[r.result]}, ptr {at}")
    else:
        p.serial(s, count, begin, alone=True)
        for r, place in zip(s.reductions, sums, strict=True):
            at = p.emit(f"getelementptr {TYPES[r.value.type]}, ptr {place}, i64 %chunk")
            p.line(f"store {TYPES[r.value.type]} {p.names[r.result]}, ptr {at}")
    p.line("br label %exit")
    p.lines += ["stop:", "  br label %exit", "exit:"]
    p.lines += [f"  call void @free(ptr {p.base[b]})" for b in own]
    p.lines += ["  %status.end = load i32, ptr %status", "  ret i32 %status.end"]
    head = ["  %status = alloca i32", "  store i32 0, ptr %status", *p.head]
    text = [*head, *made, "  br label %begin", "begin:", *p.lines]
    p.lines, p.head, p.label, p.own, p.depth = outer
    p.base = before
    return text


def _summed(p: Printer, r: Any, place: str, chunks: str) -> str:
    """The sums of the chunks, in their order."""
    t = TYPES[r.value.type]
    head, body, after = (p.new_label(h) for h in ("sum", "body", "after"))
    before, k, total = p.label, p.fresh(), p.fresh()
    init = p.name(r.init)
    p.jump(head)
    p.start(head)
    slot = len(p.lines)
    p.lines.append("")
    p.line(f"br i1 {p.emit(f'icmp slt i64 {k}, {chunks}')}, label %{body}, label %{after}")
    p.start(body)
    at = p.emit(f"getelementptr {t}, ptr {place}, i64 {k}")
    new = p.combine(r.op, r.value.type, total, p.emit(f"load {t}, ptr {at}"), 1)
    more = p.emit(f"add i64 {k}, 1")
    p.jump(head)
    p.lines[slot] = (
        f"  {k} = phi i64 [ 0, %{before} ], [ {more}, %{body} ]\n"
        f"  {total} = phi {t} [ {init}, %{before} ], [ {new}, %{body} ]"
    )
    p.start(after)
    return total
