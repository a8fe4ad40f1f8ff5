"""Tiles of a product of matrices in LLVM text: what stays in registers, and the strips that it reads."""

from __future__ import annotations

from typing import NamedTuple


class Tile(NamedTuple):
    """The registers of a machine: lanes of a vector, vectors, columns."""

    lanes: int
    vectors: int
    columns: tuple[int, ...]


def tile(doubles: int, single: bool) -> Tile:
    """How results are kept in registers, of which there are 16 or 32."""
    lanes = 2 * doubles if single else doubles
    return Tile(lanes, 3, (8, 2, 1)) if doubles == 8 else Tile(lanes, 3, (4, 1))


class Tiles:
    """Functions on the numbers of one letter of BLAS."""

    def __init__(self, letter: str, tile: Tile) -> None:
        self.letter, self.tile = letter, tile
        self.t, self.size = ("float", 4) if letter == "s" else ("double", 8)
        self.w = tile.lanes
        self.v = f"<{self.w} x {self.t}>"
        self.short = f"v{self.w}f{8 * self.size}"
        self.bools = f"<{self.w} x i1>"

    def head(self, triple: str) -> str:
        v, s = self.v, self.short
        return f"""target triple = "{triple}"
declare {v} @llvm.fma.{s}({v}, {v}, {v})
declare {v} @llvm.masked.load.{s}.p0(ptr, i32, {self.bools}, {v})
declare void @llvm.masked.store.{s}.p0({v}, ptr, i32, {self.bools})
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i32 @wg_parallel(ptr, ptr, i64)
declare i32 @large({", ".join(["ptr"] * 13)})
attributes #0 = {{ nounwind "frame-pointer"="all" "prefer-vector-width"="512" }}
"""

    # ---- the innermost loop ---------------------------------------------------------------------
    def micro(self, vectors: int, columns: int) -> str:
        """Tile += strip · numbers; or the first of it. The mask is that of the last vector."""
        v, t, size, w = self.v, self.t, self.size, self.w
        tiles = [(x, j) for x in range(vectors) for j in range(columns)]
        out = [
            f"define internal void @micro{vectors}x{columns}(ptr %strip, i64 %k, ptr %b, i64 %bk, i64 %bn, ptr %c, "
            f"i64 %cn, i1 %first, {self.bools} %mask) #0 {{",
            "entry:",
        ]
        for j in range(columns):
            out += [
                f"  %bo{j} = mul i64 %bn, {j}",
                f"  %b{j} = getelementptr i8, ptr %b, i64 %bo{j}",
                f"  %co{j} = mul i64 %cn, {j}",
                f"  %c{j} = getelementptr i8, ptr %c, i64 %co{j}",
            ]
        out += ["  br label %loop", "loop:", "  %p = phi i64 [ 0, %entry ], [ %p1, %loop ]"]
        out += ["  %o = phi i64 [ 0, %entry ], [ %o1, %loop ]"]
        out += ["  %s = phi ptr [ %strip, %entry ], [ %s1, %loop ]"]
        out += [
            f"  %t{x}.{j} = phi {v} [ zeroinitializer, %entry ], [ %u{x}.{j}, %loop ]"
            for x, j in tiles
        ]
        for x in range(vectors):
            out += [
                f"  %sp{x} = getelementptr i8, ptr %s, i64 {x * w * size}",
                f"  %a{x} = load {v}, ptr %sp{x}, align 64",
            ]
        for j in range(columns):
            out += [
                f"  %bp{j} = getelementptr i8, ptr %b{j}, i64 %o",
                f"  %n{j} = load {t}, ptr %bp{j}, align {size}",
                f"  %i{j} = insertelement {v} poison, {t} %n{j}, i64 0",
                f"  %f{j} = shufflevector {v} %i{j}, {v} poison, <{w} x i32> zeroinitializer",
            ]
            out += [
                f"  %u{x}.{j} = call {v} @llvm.fma.{self.short}({v} %a{x}, {v} %f{j}, {v} %t{x}.{j})"
                for x in range(vectors)
            ]
        out += [
            "  %p1 = add i64 %p, 1",
            "  %o1 = add i64 %o, %bk",
            f"  %s1 = getelementptr i8, ptr %s, i64 {vectors * w * size}",
            "  %more = icmp slt i64 %p1, %k",
            "  br i1 %more, label %loop, label %end",
            "end:",
            "  br i1 %first, label %put, label %add",
        ]
        for label in ("put", "add"):
            out.append(f"{label}:")
            for x, j in tiles:
                place, value = f"%{label}{x}.{j}", f"%u{x}.{j}"
                out.append(f"  {place} = getelementptr i8, ptr %c{j}, i64 {x * w * size}")
                last = x == vectors - 1
                if label == "add":
                    out.append(
                        f"  %old{x}.{j} = "
                        + (
                            f"call {v} @llvm.masked.load.{self.short}.p0(ptr {place}, i32 {size}, {self.bools} %mask, {v} zeroinitializer)"
                            if last
                            else f"load {v}, ptr {place}, align {size}"
                        )
                    )
                    out.append(f"  %new{x}.{j} = fadd {v} %old{x}.{j}, {value}")
                    value = f"%new{x}.{j}"
                out.append(
                    f"  call void @llvm.masked.store.{self.short}.p0({v} {value}, ptr {place}, i32 {size}, {self.bools} %mask)"
                    if last
                    else f"  store {v} {value}, ptr {place}, align {size}"
                )
            out.append("  ret void")
        return "\n".join([*out, "}"])

    # ---- a strip of the first matrix, side by side ------------------------------------------------
    def packs(self) -> str:
        """Rows that lie side by side are copied by vectors, others number by number; zeros fill the last vector."""
        v, t, size, w = self.v, self.t, self.size, self.w
        return f"""
define internal void @pack.vectors(ptr %strip, ptr %a, i64 %ak, i64 %m, i64 %wide, i64 %k) #0 {{
entry:
  br label %row
row:
  %x = phi i64 [ 0, %entry ], [ %x1, %next ]
  %left = sub i64 %m, %x
  {self.mask("%mask", "%left")}
  %xo = mul i64 %x, {size}
  %ax = getelementptr i8, ptr %a, i64 %xo
  %sx = getelementptr i8, ptr %strip, i64 %xo
  br label %loop
loop:
  %p = phi i64 [ 0, %row ], [ %p1, %loop ]
  %ao = mul i64 %p, %ak
  %from = getelementptr i8, ptr %ax, i64 %ao
  %value = call {v} @llvm.masked.load.{self.short}.p0(ptr %from, i32 {size}, {self.bools} %mask, {v} zeroinitializer)
  %so = mul i64 %p, %wide
  %sb = mul i64 %so, {size}
  %to = getelementptr i8, ptr %sx, i64 %sb
  store {v} %value, ptr %to, align 64
  %p1 = add i64 %p, 1
  %more = icmp slt i64 %p1, %k
  br i1 %more, label %loop, label %next
next:
  %x1 = add i64 %x, {w}
  %again = icmp slt i64 %x1, %wide
  br i1 %again, label %row, label %done
done:
  ret void
}}

define internal void @pack.turned(ptr %strip, ptr %a, i64 %am, i64 %m, i64 %wide, i64 %k) #0 {{
entry:
  br label %row
row:
  %x = phi i64 [ 0, %entry ], [ %x1, %next ]
  %there = icmp slt i64 %x, %m
  %xo = mul i64 %x, %am
  %ax = getelementptr i8, ptr %a, i64 %xo
  %sx = getelementptr {t}, ptr %strip, i64 %x
  br i1 %there, label %loop, label %empty
loop:
  %p = phi i64 [ 0, %row ], [ %p1, %loop ]
  %from = getelementptr {t}, ptr %ax, i64 %p
  %value = load {t}, ptr %from, align {size}
  %so = mul i64 %p, %wide
  %to = getelementptr {t}, ptr %sx, i64 %so
  store {t} %value, ptr %to, align {size}
  %p1 = add i64 %p, 1
  %more = icmp slt i64 %p1, %k
  br i1 %more, label %loop, label %next
empty:
  %q = phi i64 [ 0, %row ], [ %q1, %empty ]
  %zo = mul i64 %q, %wide
  %zero = getelementptr {t}, ptr %sx, i64 %zo
  store {t} 0.0, ptr %zero, align {size}
  %q1 = add i64 %q, 1
  %moreq = icmp slt i64 %q1, %k
  br i1 %moreq, label %empty, label %next
next:
  %x1 = add i64 %x, 1
  %again = icmp slt i64 %x1, %wide
  br i1 %again, label %row, label %done
done:
  ret void
}}
"""

    def mask(self, name: str, left: str) -> str:
        """Lanes of which there are so many left."""
        w = self.w
        steps = ", ".join(f"i64 {k}" for k in range(w))
        longs = f"<{w} x i64>"
        return (
            f"{name}.i = insertelement {longs} poison, i64 {left}, i64 0\n"
            f"  {name}.s = shufflevector {longs} {name}.i, {longs} poison, <{w} x i32> zeroinitializer\n"
            f"  {name} = icmp slt {longs} <{steps}>, {name}.s"
        )

    # ---- a strip by all columns of a piece ------------------------------------------------------------
    def strip(self) -> str:
        """Tile after tile below each other, by as many columns as there are."""
        out = [
            f"define internal void @strip(i64 %vectors, ptr %strip, i64 %k, ptr %b, i64 %bk, i64 %bn, ptr %c, i64 %cn, i64 %n, i1 %first, {self.bools} %mask) #0 {{",
            "entry:",
            "  switch i64 %vectors, label %with1 [",
            *(f"    i64 {x}, label %with{x}" for x in range(2, self.tile.vectors + 1)),
            "  ]",
        ]
        for x in range(1, self.tile.vectors + 1):
            out += [f"with{x}:", f"  br label %look{x}.0"]
            before = [("0", f"with{x}")]
            for level, columns in enumerate(self.tile.columns):
                here = f"{x}.{level}"
                onward = f"look{x}.{level + 1}" if columns > 1 else "done"
                starts = ", ".join(f"[ {value}, %{label} ]" for value, label in before)
                out += [
                    f"look{here}:",
                    f"  %j{here} = phi i64 {starts}, [ %j1{here}, %do{here} ]",
                    f"  %after{here} = add i64 %j{here}, {columns}",
                    f"  %fits{here} = icmp sle i64 %after{here}, %n",
                    f"  br i1 %fits{here}, label %do{here}, label %{onward}",
                    f"do{here}:",
                    f"  %bo{here} = mul i64 %j{here}, %bn",
                    f"  %bp{here} = getelementptr i8, ptr %b, i64 %bo{here}",
                    f"  %co{here} = mul i64 %j{here}, %cn",
                    f"  %cp{here} = getelementptr i8, ptr %c, i64 %co{here}",
                    f"  call void @micro{x}x{columns}(ptr %strip, i64 %k, ptr %bp{here}, i64 %bk, i64 %bn, "
                    f"ptr %cp{here}, i64 %cn, i1 %first, {self.bools} %mask)",
                    f"  %j1{here} = add i64 %j{here}, {columns}",
                    f"  br label %look{here}",
                ]
                before = [(f"%j{here}", f"look{here}")]
        return "\n".join([*out, "done:", "  ret void", "}"])
