"""Products of matrices in LLVM text: `i32 wg_dgemm(…)` takes what BLAS's `dgemm` takes, for α = 1 and β = 0.

A tile of the result, a few vectors by a few columns (as Fortran counts them), stays in registers while the sum goes
along. The vectors come from a strip of the first matrix, copied side by side; the numbers that they are multiplied by
from the second one as it lies, for which BLAS would make a copy, too. Each element is one sum from the first term to
the last in steps of `DEEP`, by fused multiply-adds, so its bits depend neither on its place nor on the number of threads. Very
large products are left to BLAS.

The result is cut into pieces, which threads take; it is not 0 where Ctrl-C stopped it, as `wg_parallel` says.
"""

from __future__ import annotations

from wengert.backends.product_tiles import Tiles, tile

NAME = "wg_{}gemm"
DEEP = 512  # terms that go through the tiles before the next ones are looked at
PIECE = 1 << 21  # multiplications of a piece, about, in double precision
MANY = 64  # pieces
HUGE = 1 << 27  # multiplications from which on BLAS is quicker, which copies the second matrix, too
WIDE = 256  # columns of a piece at most, so that what they read of the second matrix stays in the cache
ENV = ("m", "n", "k", "a", "am", "ak", "b", "bk", "bn", "c", "cn", "pm", "pn", "across")


def text(triple: str, letter: str, doubles: int) -> str:
    """The module, for vectors of so many doubles."""
    return _Text(letter, tile(doubles, letter == "s")).module(triple)


class _Text(Tiles):
    def module(self, triple: str) -> str:
        parts = [self.head(triple), self.packs()]
        for vectors in range(1, self.tile.vectors + 1):
            parts += [self.micro(vectors, columns) for columns in self.tile.columns]
        return "\n".join([*parts, self.strip(), self.piece(), self.whole()])

    # ---- a piece of the result ---------------------------------------------------------------------------
    def piece(self) -> str:
        """All strips of a piece, as deep as they are, one after the other."""
        size, w, most = self.size, self.w, self.tile.vectors
        reads = "\n".join(
            f"  %at.{name} = getelementptr i64, ptr %env, i64 {k}\n"
            f"  %{name} = load {'ptr' if name in 'abc' else 'i64'}, ptr %at.{name}"
            for k, name in enumerate(ENV)
        )
        return f"""
define internal i32 @piece(ptr %env, i64 %chunk) #0 {{
entry:
  %strip = alloca [{DEEP * most * w} x {self.t}], align 64
{reads}
  %i = srem i64 %chunk, %across
  %j = sdiv i64 %chunk, %across
  %m0 = mul i64 %i, %pm
  %n0 = mul i64 %j, %pn
  %m.left = sub i64 %m, %m0
  %n.left = sub i64 %n, %n0
  %m.own = call i64 @llvm.smin.i64(i64 %m.left, i64 %pm)
  %n.own = call i64 @llvm.smin.i64(i64 %n.left, i64 %pn)
  %a.skip = mul i64 %m0, %am
  %b.skip = mul i64 %n0, %bn
  %c.column = mul i64 %n0, %cn
  %c.row = mul i64 %m0, {size}
  %c.skip = add i64 %c.column, %c.row
  %a.own = getelementptr i8, ptr %a, i64 %a.skip
  %b.own = getelementptr i8, ptr %b, i64 %b.skip
  %c.own = getelementptr i8, ptr %c, i64 %c.skip
  %side = icmp eq i64 %am, {size}
  br label %deep
deep:
  %p = phi i64 [ 0, %entry ], [ %p.next, %deeper ]
  %k.left = sub i64 %k, %p
  %terms = call i64 @llvm.smin.i64(i64 %k.left, i64 {DEEP})
  %first = icmp eq i64 %p, 0
  %a.deep = mul i64 %p, %ak
  %a.from = getelementptr i8, ptr %a.own, i64 %a.deep
  %b.deep = mul i64 %p, %bk
  %b.from = getelementptr i8, ptr %b.own, i64 %b.deep
  br label %strips
strips:
  %x = phi i64 [ 0, %deep ], [ %x.next, %multiply ]
  %x.left = sub i64 %m.own, %x
  %rows = call i64 @llvm.smin.i64(i64 %x.left, i64 {most * w})
  %rows.up = add i64 %rows, {w - 1}
  %vectors = sdiv i64 %rows.up, {w}
  %wide = mul i64 %vectors, {w}
  %before = sub i64 %wide, {w}
  %last = sub i64 %rows, %before
  {self.mask("%mask", "%last")}
  %a.x = mul i64 %x, %am
  %a.here = getelementptr i8, ptr %a.from, i64 %a.x
  br i1 %side, label %copy, label %turn
copy:
  call void @pack.vectors(ptr %strip, ptr %a.here, i64 %ak, i64 %rows, i64 %wide, i64 %terms)
  br label %multiply
turn:
  call void @pack.turned(ptr %strip, ptr %a.here, i64 %am, i64 %rows, i64 %wide, i64 %terms)
  br label %multiply
multiply:
  %c.x = mul i64 %x, {size}
  %c.here = getelementptr i8, ptr %c.own, i64 %c.x
  call void @strip(i64 %vectors, ptr %strip, i64 %terms, ptr %b.from, i64 %bk, i64 %bn, ptr %c.here, i64 %cn, i64 %n.own, i1 %first, {self.bools} %mask)
  %x.next = add i64 %x, {most * w}
  %morex = icmp slt i64 %x.next, %m.own
  br i1 %morex, label %strips, label %deeper
deeper:
  %p.next = add i64 %p, {DEEP}
  %morep = icmp slt i64 %p.next, %k
  br i1 %morep, label %deep, label %done
done:
  ret i32 0
}}
"""

    # ---- the whole -------------------------------------------------------------------------------------------
    def whole(self) -> str:
        """Cut into pieces: side by side, since these copy different strips; thin ones below each other."""
        size = self.size
        pointers = [
            "ta", "tb", "m", "n", "k", "alpha", "a", "lda", "b", "ldb", "beta", "c", "ldc",
        ]  # fmt: skip
        given = ", ".join(f"ptr %{p}.p" for p in pointers)
        integers = "\n".join(
            f"  %{p}.32 = load i32, ptr %{p}.p\n  %{p} = sext i32 %{p}.32 to i64"
            for p in ("m", "n", "k", "lda", "ldb", "ldc")
        )
        puts = "\n".join(
            f"  %at.{name} = getelementptr i64, ptr %env, i64 {k}\n"
            + f"  store {f'ptr %{name}.p' if name in 'abc' else f'i64 %{name}'}, ptr %at.{name}"
            for k, name in enumerate(ENV)
        )
        least, piece = self.tile.vectors * self.w, PIECE * 8 // size
        return f"""
define i32 @{NAME.format(self.letter)}({given}) #0 {{
entry:
  %env = alloca [{len(ENV)} x i64], align 64
{integers}
  %ta = load i8, ptr %ta.p
  %tb = load i8, ptr %tb.p
  %ta.plain = icmp eq i8 %ta, {ord("N")}
  %tb.plain = icmp eq i8 %tb, {ord("N")}
  %lda.b = mul i64 %lda, {size}
  %ldb.b = mul i64 %ldb, {size}
  %cn = mul i64 %ldc, {size}
  %am = select i1 %ta.plain, i64 {size}, i64 %lda.b
  %ak = select i1 %ta.plain, i64 %lda.b, i64 {size}
  %bk = select i1 %tb.plain, i64 {size}, i64 %ldb.b
  %bn = select i1 %tb.plain, i64 %ldb.b, i64 {size}
  %mk = mul i64 %m, %k
  %work = mul i64 %mk, %n
  %huge = icmp sgt i64 %work, {HUGE}
  br i1 %huge, label %elsewhere, label %here
elsewhere:
  %done = call i32 @large({given})
  ret i32 %done
here:
  %work.less = sdiv i64 %work, {piece}
  %work.some = call i64 @llvm.smin.i64(i64 %work.less, i64 {MANY})
  %pieces = call i64 @llvm.smax.i64(i64 %work.some, i64 1)
  %strips.up = add i64 %m, {least - 1}
  %strips = sdiv i64 %strips.up, {least}
  %across.most = call i64 @llvm.smin.i64(i64 %strips, i64 %pieces)
  %each.up = add i64 %strips, %across.most
  %each.less = sub i64 %each.up, 1
  %each = sdiv i64 %each.less, %across.most
  %pm = mul i64 %each, {least}
  %across.up = add i64 %m, %pm
  %across.less = sub i64 %across.up, 1
  %across = sdiv i64 %across.less, %pm
  %down.less = sdiv i64 %pieces, %across
  %down.most = call i64 @llvm.smax.i64(i64 %down.less, i64 1)
  %pn.up = add i64 %n, %down.most
  %pn.less = sub i64 %pn.up, 1
  %pn.even = sdiv i64 %pn.less, %down.most
  %pn.eight = add i64 %pn.even, 7
  %pn.whole = and i64 %pn.eight, -8
  %pn = call i64 @llvm.smin.i64(i64 %pn.whole, i64 {WIDE})
  %down.up = add i64 %n, %pn
  %down.end = sub i64 %down.up, 1
  %down = sdiv i64 %down.end, %pn
  %chunks = mul i64 %across, %down
{puts}
  %single = icmp eq i64 %chunks, 1
  br i1 %single, label %alone, label %shared
alone:
  %r = call i32 @piece(ptr %env, i64 0)
  ret i32 0
shared:
  %status = call i32 @wg_parallel(ptr @piece, ptr %env, i64 %chunks)
  ret i32 %status
}}
"""
