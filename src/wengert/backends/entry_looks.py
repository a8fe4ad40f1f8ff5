"""Looking at arrays, in LLVM text: are they as expected, are their numbers finite."""

from __future__ import annotations

from wengert.backends.entry_table import Layout


def load(name: str, type: str, base: str, place: int | str, unit: str) -> str:
    """`%name` = what stands at a place of `%base`, counted in units."""
    return (
        f"  %{name}.at = getelementptr {unit}, ptr %{base}, i64 {place}\n"
        f"  %{name} = load {type}, ptr %{name}.at"
    )


def _wild(bits: int, exponent: int) -> str:
    """A function that looks for numbers whose exponent is full, eight at a time."""
    v = f"<8 x i{bits}>"
    return f"""define internal i1 @wild{bits}(ptr %x, i64 %n) {{
entry:
  %whole = and i64 %n, -8
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%i1, %body]
  %seen = phi <8 x i1> [zeroinitializer, %entry], [%seen1, %body]
  %more = icmp slt i64 %i, %whole
  br i1 %more, label %body, label %tail
body:
  %p = getelementptr i{bits}, ptr %x, i64 %i
  %a = load {v}, ptr %p, align {bits // 8}
  %e = and {v} %a, splat (i{bits} {exponent})
  %f = icmp eq {v} %e, splat (i{bits} {exponent})
  %seen1 = or <8 x i1> %seen, %f
  %i1 = add i64 %i, 8
  br label %loop
tail:
  %j = phi i64 [%whole, %loop], [%j1, %one]
  %found = phi i1 [false, %loop], [%found1, %one]
  %rest = icmp slt i64 %j, %n
  br i1 %rest, label %one, label %done
one:
  %q = getelementptr i{bits}, ptr %x, i64 %j
  %b = load i{bits}, ptr %q
  %g = and i{bits} %b, {exponent}
  %h = icmp eq i{bits} %g, {exponent}
  %found1 = or i1 %found, %h
  %j1 = add i64 %j, 1
  br label %tail
done:
  %any = call i1 @llvm.vector.reduce.or.v8i1(<8 x i1> %seen)
  %all = or i1 %any, %found
  ret i1 %all
}}"""


def looks() -> str:
    """The functions `fits`, `wild64` and `wild32`."""
    at = Layout
    return f"""; is this an array of that dtype and shape, in C order, aligned (and writeable, where asked)?
define internal i1 @fits(ptr %x, ptr %row, i32 %flags) alwaysinline {{
entry:
{load("type", "ptr", "x", at.TYPE, "i8")}
  %isarray = icmp eq ptr %type, @wg_type_array
  br i1 %isarray, label %array, label %no
array:
{load("flag", "i32", "x", at.FLAGS, "i8")}
  %have = and i32 %flag, %flags
  %laid = icmp eq i32 %have, %flags
{load("descr", "ptr", "x", at.DTYPE, "i8")}
{load("num", "i32", "descr", at.TYPE_NUMBER, "i8")}
  %num64 = sext i32 %num to i64
{load("wantnum", "i64", "row", 1, "i64")}
  %samenum = icmp eq i64 %num64, %wantnum
{load("order", "i8", "descr", at.BYTEORDER, "i8")}
  %native = icmp eq i8 %order, {ord("=")}
  %none = icmp eq i8 %order, {ord("|")}
  %ordered = or i1 %native, %none
{load("ndim", "i32", "x", at.NDIM, "i8")}
  %ndim64 = sext i32 %ndim to i64
{load("wantndim", "i64", "row", 2, "i64")}
  %samendim = icmp eq i64 %ndim64, %wantndim
  %c1 = and i1 %laid, %samenum
  %c2 = and i1 %ordered, %samendim
  %c3 = and i1 %c1, %c2
  br i1 %c3, label %shape, label %no
shape:
{load("dims", "ptr", "x", at.EXTENTS, "i8")}
{load("wantdims", "ptr", "row", 3, "i64")}
  br label %axis
axis:
  %k = phi i64 [0, %shape], [%k1, %next]
  %more = icmp slt i64 %k, %ndim64
  br i1 %more, label %next, label %yes
next:
{load("n", "i64", "dims", "%k", "i64")}
{load("m", "i64", "wantdims", "%k", "i64")}
  %same = icmp eq i64 %n, %m
  %k1 = add i64 %k, 1
  br i1 %same, label %axis, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}

; is there a nan or an infinity? (all bits of the exponent are set)
{_wild(64, 0x7FF0000000000000)}
{_wild(32, 0x7F800000)}"""
