"""Compiled functions as plain C functions, for whoever calls C: SciPy, ctypes, numba, your own library.

The text of an adaptor is the same for every kernel; the table that tells it which kernel, with which
constants, is found when it is linked.
"""

from __future__ import annotations

from wengert.backends.entry_looks import load
from wengert.backends.entry_table import Words

NAME = "wg_c"
GENERAL = "int (void **, void **)"
# C signature -> (LLVM parameters, where the numbers are)
SCALAR = {
    "double (double)": ("double %x", "one"),
    "double (double, void *)": ("double %x, ptr %user", "one"),
    "double (int, double *)": ("i32 %n, ptr %x", "many"),
    "double (int, double *, void *)": ("i32 %n, ptr %x, ptr %user", "many"),
}


def text(signature: str, spread: bool) -> str:
    """The module; `spread`: each of the numbers is an argument of its own, else all are one array."""
    body = _HEAD + _general()
    if signature in SCALAR:
        params, numbers = SCALAR[signature]
        body += _scalar(params, numbers, spread)
    return body


_HEAD = """@wg_table = external global i8
declare ptr @malloc(i64)
declare void @free(ptr)
"""


def _general() -> str:
    """Pointers to the arguments' data, pointers to the results' memory; the status."""
    w = Words
    return f"""define i32 @{NAME}(ptr %args, ptr %outs) {{
entry:
{load("kernel", "ptr", "t", w.KERNEL, "i64").replace("%t", "@wg_table")}
{load("nin", "i64", "t", w.INPUTS, "i64").replace("%t", "@wg_table")}
{load("bound", "ptr", "t", w.BOUND, "i64").replace("%t", "@wg_table")}
{load("nbound", "i64", "t", w.BOUNDS, "i64").replace("%t", "@wg_table")}
{load("extents", "ptr", "t", w.EXTENTS, "i64").replace("%t", "@wg_table")}
{load("bytes", "i64", "t", w.WORK_BYTES, "i64").replace("%t", "@wg_table")}
  %all = add i64 %nin, %nbound
  %ins = alloca ptr, i64 %all
  br label %copy
copy:
  %i = phi i64 [0, %entry], [%i1, %next]
  %more = icmp slt i64 %i, %all
  br i1 %more, label %one, label %work
one:
  %own = icmp slt i64 %i, %nin
  %j = sub i64 %i, %nin
  %p0 = getelementptr ptr, ptr %args, i64 %i
  %p1 = getelementptr ptr, ptr %bound, i64 %j
  %p = select i1 %own, ptr %p0, ptr %p1
  br label %next
next:
  %v = load ptr, ptr %p
  %q = getelementptr ptr, ptr %ins, i64 %i
  store ptr %v, ptr %q
  %i1 = add i64 %i, 1
  br label %copy
work:
  %room = add i64 %bytes, 64
  %raw = call ptr @malloc(i64 %room)
  %none = icmp eq ptr %raw, null
  br i1 %none, label %fail, label %call
fail:
  ret i32 -1
call:
  %rawi = ptrtoint ptr %raw to i64
  %up = add i64 %rawi, 63
  %down = and i64 %up, -64
  %aligned = inttoptr i64 %down to ptr
  %status = call i32 %kernel(ptr %ins, ptr %outs, ptr %extents, ptr %aligned)
  call void @free(ptr %raw)
  ret i32 %status
}}
"""


def _scalar(params: str, numbers: str, spread: bool) -> str:
    """Numbers in, a number out: nan where the function fails."""
    w = Words
    if numbers == "one":
        places = "  store double %x, ptr %slot\n  store ptr %slot, ptr %args\n  br label %call\n"
    elif not spread:
        places = "  store ptr %x, ptr %args\n  br label %call\n"
    else:
        places = """  br label %each
each:
  %i = phi i64 [0, %entry], [%i1, %one]
  %more = icmp slt i64 %i, %nin
  br i1 %more, label %one, label %call
one:
  %p = getelementptr double, ptr %x, i64 %i
  %q = getelementptr ptr, ptr %args, i64 %i
  store ptr %p, ptr %q
  %i1 = add i64 %i, 1
  br label %each
"""
    return f"""define double @{NAME}_scalar({params}) {{
entry:
{load("nin", "i64", "t", w.INPUTS, "i64").replace("%t", "@wg_table")}
  %args = alloca ptr, i64 %nin
  %outs = alloca ptr
  %slot = alloca double
  %result = alloca double
  store ptr %result, ptr %outs
{places}call:
  %status = call i32 @{NAME}(ptr %args, ptr %outs)
  %good = icmp eq i32 %status, 0
  %y = load double, ptr %result
  %answer = select i1 %good, double %y, double 0x7FF8000000000000
  ret double %answer
}}
"""
