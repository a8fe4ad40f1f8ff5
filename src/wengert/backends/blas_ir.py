"""A product by BLAS in pieces, in LLVM text: `i32 wg_dgemm_large(…)` takes what BLAS's `dgemm` takes.

The sides of the result are halved until pieces are small enough to share out, or thin; each piece is a product by BLAS
on one thread. The pieces depend on the sizes alone, so no bit depends on the number of threads. The result is not 0
where Ctrl-C stopped it, as `wg_parallel` says.

While products run, BLAS is told to use one thread. Other Python threads may be in the middle of a product, too: the first
tells it, the last takes it back, unless somebody else has told it something meanwhile.
"""

from __future__ import annotations

from enum import IntEnum

NAME = "wg_{}gemm_large"
BYTES = {"s": 4, "d": 8, "c": 8, "z": 16}
TINY = 1 << 15  # multiplications that no BLAS shares out
PIECE = 1 << 22  # … of a piece, as long as there are fewer than `MANY`
LARGE = 1 << 25  # … of a piece, where there are more
MANY = 16
THIN = 64  # rows or columns that a piece has at least: BLAS copies what it reads first


class State(IntEnum):
    """Offsets in a block of memory, in bytes."""

    LOCK = 0
    USERS = 4
    BEFORE = 8
    NOBODY = 12  # instead of the number of threads of a BLAS that has none
    SIZE = 64


def text(triple: str, letter: str, tells: bool) -> str:
    """The module. `tells`: can BLAS be told how many threads to use? If not, one piece is all."""
    s, size, name = State, BYTES[letter], NAME.format(letter)
    pointers = [
        "ta", "tb", "m", "n", "k", "alpha", "a", "lda", "b", "ldb", "beta", "c", "ldc",
    ]  # fmt: skip
    given = ", ".join(f"ptr %{p}" for p in pointers)
    if not tells:
        return f"""target triple = "{triple}"
declare void @gemm({", ".join(["ptr"] * 13)})
define i32 @{name}({given}) {{
  call void @gemm({given})
  ret i32 0
}}
"""
    place = {p: k for k, p in enumerate((*pointers, "am", "bn", "pm", "pn", "across"))}

    def word(p: str, kind: str = "ptr") -> str:
        return f"""  %at.{p} = getelementptr i64, ptr %env, i64 {place[p]}
  %{p} = load {kind}, ptr %at.{p}"""

    def put(p: str, value: str, kind: str = "i64") -> str:
        return f"""  %at.{p} = getelementptr i64, ptr %env, i64 {place[p]}
  store {kind} {value}, ptr %at.{p}"""

    def integer(p: str) -> str:
        return f"""  %{p}.32 = load i32, ptr %{p}
  %{p}.i = sext i32 %{p}.32 to i64"""

    return f"""target triple = "{triple}"
@wg_blas = external global i8
declare void @gemm({", ".join(["ptr"] * 13)})
@blas_threads = external global i32
declare i32 @sched_yield()
declare i32 @wg_parallel(ptr, ptr, i64)
declare i64 @llvm.smin.i64(i64, i64)

define internal void @lock() {{
entry:
  %lockp = getelementptr i8, ptr @wg_blas, i64 {s.LOCK}
  br label %try
try:
  %was = atomicrmw xchg ptr %lockp, i32 1 acq_rel
  %free = icmp eq i32 %was, 0
  br i1 %free, label %done, label %wait
wait:
  %y = call i32 @sched_yield()
  br label %try
done:
  ret void
}}

define internal void @unlock() {{
  %lockp = getelementptr i8, ptr @wg_blas, i64 {s.LOCK}
  store atomic i32 0, ptr %lockp release, align 4
  ret void
}}

; one more who wants BLAS to use one thread; a fork may come between any two lines
define internal void @enter() {{
entry:
  call void @lock()
  %usersp = getelementptr i8, ptr @wg_blas, i64 {s.USERS}
  %beforep = getelementptr i8, ptr @wg_blas, i64 {s.BEFORE}
  %had = load volatile i32, ptr %usersp
  %has = add i32 %had, 1
  %first = icmp eq i32 %had, 0
  br i1 %first, label %tell, label %more
tell:
  %threads = load volatile i32, ptr @blas_threads
  store volatile i32 %threads, ptr %beforep
  store volatile i32 1, ptr %usersp
  %one = icmp eq i32 %threads, 1
  br i1 %one, label %done, label %set
set:
  store volatile i32 1, ptr @blas_threads
  br label %done
more:
  store volatile i32 %has, ptr %usersp
  br label %done
done:
  call void @unlock()
  ret void
}}

; one less
define internal void @leave() {{
entry:
  call void @lock()
  %usersp = getelementptr i8, ptr @wg_blas, i64 {s.USERS}
  %beforep = getelementptr i8, ptr @wg_blas, i64 {s.BEFORE}
  %had = load volatile i32, ptr %usersp
  %has = sub i32 %had, 1
  %last = icmp eq i32 %has, 0
  br i1 %last, label %look, label %done
look:
  %threads = load volatile i32, ptr @blas_threads
  %ours = icmp eq i32 %threads, 1
  %before = load volatile i32, ptr %beforep
  %several = icmp sgt i32 %before, 1
  %back = and i1 %ours, %several
  br i1 %back, label %restore, label %done
restore:
  store volatile i32 %before, ptr @blas_threads
  br label %done
done:
  store volatile i32 %has, ptr %usersp
  call void @unlock()
  ret void
}}

; one piece: columns from i · pm on, rows from j · pn on, as Fortran counts them
define internal i32 @piece(ptr %env, i64 %chunk) {{
entry:
  %mine.m = alloca i32
  %mine.n = alloca i32
{chr(10).join(word(p) for p in pointers)}
{chr(10).join(word(p, "i64") for p in ("am", "bn", "pm", "pn", "across"))}
{integer("m")}
{integer("n")}
{integer("ldc")}
  %i = srem i64 %chunk, %across
  %j = sdiv i64 %chunk, %across
  %m0 = mul i64 %i, %pm
  %n0 = mul i64 %j, %pn
  %m.left = sub i64 %m.i, %m0
  %n.left = sub i64 %n.i, %n0
  %m.own = call i64 @llvm.smin.i64(i64 %m.left, i64 %pm)
  %n.own = call i64 @llvm.smin.i64(i64 %n.left, i64 %pn)
  %m.small = trunc i64 %m.own to i32
  %n.small = trunc i64 %n.own to i32
  store i32 %m.small, ptr %mine.m
  store i32 %n.small, ptr %mine.n
  %a.skip = mul i64 %m0, %am
  %b.skip = mul i64 %n0, %bn
  %c.column = mul i64 %n0, %ldc.i
  %c.both = add i64 %c.column, %m0
  %c.skip = mul i64 %c.both, {size}
  %a.own = getelementptr i8, ptr %a, i64 %a.skip
  %b.own = getelementptr i8, ptr %b, i64 %b.skip
  %c.own = getelementptr i8, ptr %c, i64 %c.skip
  call void @gemm(ptr %ta, ptr %tb, ptr %mine.m, ptr %mine.n, ptr %k, ptr %alpha, ptr %a.own, ptr %lda, ptr %b.own, ptr %ldb, ptr %beta, ptr %c.own, ptr %ldc)
  ret i32 0
}}

define i32 @{name}({given}) {{
entry:
  %env = alloca [{len(place)} x i64], align 64
{integer("m")}
{integer("n")}
{integer("k")}
  %mn = mul i64 %m.i, %n.i
  %work = mul i64 %mn, %k.i
  %tiny = icmp slt i64 %work, {TINY}
  br i1 %tiny, label %whole, label %cut
whole:
  call void @gemm({given})
  ret i32 0

cut: ; halve the longer side of a piece
  %pm = phi i64 [ %m.i, %entry ], [ %pm.next, %halve ]
  %pn = phi i64 [ %n.i, %entry ], [ %pn.next, %halve ]
  %pieces = phi i64 [ 1, %entry ], [ %pieces.next, %halve ]
  %area = mul i64 %pm, %pn
  %each = mul i64 %area, %k.i
  %few = icmp slt i64 %pieces, {MANY}
  %limit = select i1 %few, i64 {PIECE}, i64 {LARGE}
  %rows = icmp sge i64 %pn, %pm
  %long = select i1 %rows, i64 %pn, i64 %pm
  %up = add i64 %long, 31
  %half = sdiv i64 %up, 32
  %side = mul i64 %half, 16
  %thick = icmp sge i64 %side, {THIN}
  %heavy = icmp sgt i64 %each, %limit
  %go = and i1 %thick, %heavy
  br i1 %go, label %halve, label %share
halve:
  %pn.next = select i1 %rows, i64 %side, i64 %pn
  %pm.next = select i1 %rows, i64 %pm, i64 %side
  %pieces.next = mul i64 %pieces, 2
  br label %cut

share:
{chr(10).join(put(p, f"%{p}", "ptr") for p in pointers)}
{integer("lda")}
{integer("ldb")}
  %ta.letter = load i8, ptr %ta
  %tb.letter = load i8, ptr %tb
  %ta.plain = icmp eq i8 %ta.letter, {ord("N")}
  %tb.plain = icmp eq i8 %tb.letter, {ord("N")}
  %am.steps = select i1 %ta.plain, i64 1, i64 %lda.i
  %bn.steps = select i1 %tb.plain, i64 %ldb.i, i64 1
  %am = mul i64 %am.steps, {size}
  %bn = mul i64 %bn.steps, {size}
  %m.up = add i64 %m.i, %pm
  %m.less = sub i64 %m.up, 1
  %across = sdiv i64 %m.less, %pm
  %n.up = add i64 %n.i, %pn
  %n.less = sub i64 %n.up, 1
  %down = sdiv i64 %n.less, %pn
  %chunks = mul i64 %across, %down
{chr(10).join(put(p, f"%{p}") for p in ("am", "bn", "pm", "pn", "across"))}
  call void @enter()
  %status = call i32 @wg_parallel(ptr @piece, ptr %env, i64 %chunks)
  call void @leave()
  ret i32 %status
}}
"""
