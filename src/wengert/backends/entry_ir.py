"""The quick call in LLVM text: from Python's arguments to a kernel and back, without Python code.

One function serves every kernel: what it expects stands in a table of 64-bit words (`Words`), which a
capsule carries, so nothing is compiled per signature. It is a METH_FASTCALL builtin: it compares type,
dtype, shape, contiguity and alignment of each argument with the table, takes the data pointers, makes
the results by NumPy's C API, and calls the kernel. Whatever it does not expect goes to a callable.
"""

from __future__ import annotations

from wengert.backends.entry_looks import load, looks
from wengert.backends.entry_table import Kind, Layout, Words

NAME = "wg_entry"


def text(triple: str) -> str:
    """The module, which depends on nothing but the platform."""
    w, at = Words, Layout
    return f"""target triple = "{triple}"
@wg_type_array = external global i8
@wg_type_double = external global i8
@PyFloat_Type = external global i8
@PyLong_Type = external global i8
declare ptr @wg_new_array(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare ptr @wg_new_scalar(ptr, ptr, ptr)
declare ptr @PyFloat_FromDouble(double)
declare i64 @PyLong_AsLongLong(ptr)
declare ptr @PyLong_FromLongLong(i64)
declare ptr @PyErr_Occurred()
declare ptr @PyDict_GetItem(ptr, ptr)
declare void @PyErr_Clear()
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyObject_CallFunctionObjArgs(ptr, ...)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @malloc(i64)
declare void @free(ptr)
declare i1 @llvm.vector.reduce.or.v8i1(<8 x i1>)

{looks()}

define ptr @{NAME}(ptr %self, ptr %args, i64 %nargs) {{
entry:
{load("t", "ptr", "self", at.POINTER, "i8")}
{load("nin", "i64", "t", w.INPUTS, "i64")}
{load("nout", "i64", "t", w.OUTPUTS, "i64")}
{load("rows", "ptr", "t", w.ARGUMENTS, "i64")}
{load("results", "ptr", "t", w.RESULTS, "i64")}
{load("bound", "ptr", "t", w.BOUND, "i64")}
{load("nbound", "i64", "t", w.BOUNDS, "i64")}
  %both = add i64 %nin, %nout
  %plain = icmp eq i64 %nargs, %nin
  %alsoouts = icmp eq i64 %nargs, %both
{load("givenw", "i64", "t", w.GIVEN, "i64")}
  %may = icmp ne i64 %givenw, 0
  %given = and i1 %alsoouts, %may
  %counted = or i1 %plain, %given
  br i1 %counted, label %begin, label %otherwise
begin:
  %nins = add i64 %nin, %nbound
  %ins = alloca ptr, i64 %nins
  %slots = alloca i64, i64 %nin
  %outs = alloca ptr, i64 %nout
  %made = alloca ptr, i64 %nout
  %numbers = alloca [4 x i64], i64 %nout
{load("guards", "ptr", "t", w.GUARDS, "i64")}
{load("guardcount", "i64", "t", w.GUARD_COUNT, "i64")}
  br label %guard

; ---- does the world still look as it did?
guard:
  %g = phi i64 [0, %begin], [%g1, %guarded]
  %moreguards = icmp slt i64 %g, %guardcount
  br i1 %moreguards, label %guardone, label %arg
guardone:
  %gat = mul i64 %g, 3
  %grow = getelementptr i64, ptr %guards, i64 %gat
  %holder = load ptr, ptr %grow
{load("gkey", "ptr", "grow", 1, "i64")}
{load("gwant", "ptr", "grow", 2, "i64")}
  %iscell = icmp eq ptr %gkey, null
  br i1 %iscell, label %cell, label %name
cell:
{load("cellv", "ptr", "holder", at.CELL, "i8")}
  br label %guarded0
name:
  %namev = call ptr @PyDict_GetItem(ptr %holder, ptr %gkey)
  br label %guarded0
guarded0:
  %gnow = phi ptr [%cellv, %cell], [%namev, %name]
  %gsame = icmp eq ptr %gnow, %gwant
  br i1 %gsame, label %guarded, label %otherwise
guarded:
  %g1 = add i64 %g, 1
  br label %guard

; ---- arguments
arg:
  %i = phi i64 [0, %guard], [%i1, %took]
  %moreargs = icmp slt i64 %i, %nin
  br i1 %moreargs, label %look, label %bind
look:
{load("x", "ptr", "args", "%i", "ptr")}
  %rowat = mul i64 %i, 4
  %row = getelementptr i64, ptr %rows, i64 %rowat
  %kind = load i64, ptr %row
  %slot = getelementptr i64, ptr %slots, i64 %i
  switch i64 %kind, label %otherwise [
    i64 {Kind.ARRAY}, label %isarray
    i64 {Kind.FLOAT}, label %isfloat
    i64 {Kind.DOUBLE}, label %isdouble
    i64 {Kind.INT}, label %isint
  ]
isarray:
  %ok = call i1 @fits(ptr %x, ptr %row, i32 {0x101})
  br i1 %ok, label %data, label %otherwise
data:
{load("d", "ptr", "x", at.DATA, "i8")}
  br label %took
isfloat:
{load("ftype", "ptr", "x", at.TYPE, "i8")}
  %fok = icmp eq ptr %ftype, @PyFloat_Type
  br i1 %fok, label %number, label %otherwise
isdouble:
{load("dtype", "ptr", "x", at.TYPE, "i8")}
  %dok = icmp eq ptr %dtype, @wg_type_double
  br i1 %dok, label %number, label %otherwise
number:
  %np = getelementptr i8, ptr %x, i64 {at.NUMBER}
  br label %took
isint:
{load("itype", "ptr", "x", at.TYPE, "i8")}
  %iok = icmp eq ptr %itype, @PyLong_Type
  br i1 %iok, label %convert, label %otherwise
convert:
  %long = call i64 @PyLong_AsLongLong(ptr %x)
  store i64 %long, ptr %slot
  %minus = icmp eq i64 %long, -1
  br i1 %minus, label %asked, label %took
asked:
  %large = call ptr @PyErr_Occurred()
  %fine = icmp eq ptr %large, null
  br i1 %fine, label %took, label %toolarge
toolarge:
  call void @PyErr_Clear()
  br label %otherwise
took:
  %p = phi ptr [%d, %data], [%np, %number], [%slot, %convert], [%slot, %asked]
  %inp = getelementptr ptr, ptr %ins, i64 %i
  store ptr %p, ptr %inp
  %i1 = add i64 %i, 1
  br label %arg

bind:
  %j = phi i64 [0, %arg], [%j1, %bindone]
  %morebound = icmp slt i64 %j, %nbound
  br i1 %morebound, label %bindone, label %result
bindone:
{load("b", "ptr", "bound", "%j", "ptr")}
  %jin = add i64 %nin, %j
  %jp = getelementptr ptr, ptr %ins, i64 %jin
  store ptr %b, ptr %jp
  %j1 = add i64 %j, 1
  br label %bind

; ---- results: arrays are made, or were given; numbers are kept in place
result:
  %r = phi i64 [0, %bind], [%r1, %resultdone]
  %moreresults = icmp slt i64 %r, %nout
  br i1 %moreresults, label %newresult, label %work
newresult:
  %rrowat = mul i64 %r, 7
  %rrow = getelementptr i64, ptr %results, i64 %rrowat
  %rkind = load i64, ptr %rrow
  %madep = getelementptr ptr, ptr %made, i64 %r
  %outp = getelementptr ptr, ptr %outs, i64 %r
  br i1 %given, label %takeout, label %make
takeout:
  %oi = add i64 %nin, %r
{load("o", "ptr", "args", "%oi", "ptr")}
  %ofits = call i1 @fits(ptr %o, ptr %rrow, i32 {0x501})
  br i1 %ofits, label %useout, label %undootherwise
useout:
  call void @Py_IncRef(ptr %o)
  store ptr %o, ptr %madep
{load("odata", "ptr", "o", at.DATA, "i8")}
  store ptr %odata, ptr %outp
  br label %resultdone
make:
  %rarray = icmp eq i64 %rkind, {Kind.ARRAY}
  br i1 %rarray, label %makearray, label %makenumber
makearray:
{load("rdtype", "ptr", "rrow", 4, "i64")}
{load("rndim", "i64", "rrow", 2, "i64")}
  %rndim32 = trunc i64 %rndim to i32
{load("rdims", "ptr", "rrow", 3, "i64")}
  call void @Py_IncRef(ptr %rdtype)
  %new = call ptr @wg_new_array(ptr @wg_type_array, ptr %rdtype, i32 %rndim32, ptr %rdims, ptr null, ptr null, i32 0, ptr null)
  store ptr %new, ptr %madep
  %nomemory = icmp eq ptr %new, null
  br i1 %nomemory, label %undo, label %newdata
newdata:
{load("newdatav", "ptr", "new", at.DATA, "i8")}
  store ptr %newdatav, ptr %outp
  br label %resultdone
makenumber:
  %place = getelementptr [4 x i64], ptr %numbers, i64 %r
  store ptr %place, ptr %outp
  store ptr null, ptr %madep
  br label %resultdone
resultdone:
  %r1 = add i64 %r, 1
  br label %result

; ---- workspace: the one that is kept, if nobody has it
work:
{load("bytes", "i64", "t", w.WORK_BYTES, "i64")}
  %needed = icmp sgt i64 %bytes, 0
  %workp = getelementptr i64, ptr %t, i64 {w.WORK}
  br i1 %needed, label %takework, label %call
takework:
  %kept = atomicrmw xchg ptr %workp, ptr null acq_rel
  %nokept = icmp eq ptr %kept, null
  br i1 %nokept, label %newwork, label %call
newwork:
  %room = add i64 %bytes, 64
  %fresh = call ptr @malloc(i64 %room)
  %nofresh = icmp eq ptr %fresh, null
  br i1 %nofresh, label %outofwork, label %call
call:
  %raw = phi ptr [null, %work], [%kept, %takework], [%fresh, %newwork]
  %rawi = ptrtoint ptr %raw to i64
  %up = add i64 %rawi, 63
  %down = and i64 %up, -64
  %aligned = inttoptr i64 %down to ptr
{load("kernel", "ptr", "t", w.KERNEL, "i64")}
{load("extents", "ptr", "t", w.EXTENTS, "i64")}
{load("frees", "i64", "t", w.FREES, "i64")}
  %letgo = icmp ne i64 %frees, 0
  br i1 %letgo, label %callfree, label %callheld
callheld:
  %s1 = call i32 %kernel(ptr %ins, ptr %outs, ptr %extents, ptr %aligned)
  br label %called
callfree:
  %state = call ptr @PyEval_SaveThread()
  %s2 = call i32 %kernel(ptr %ins, ptr %outs, ptr %extents, ptr %aligned)
  call void @PyEval_RestoreThread(ptr %state)
  br label %called
called:
  %status = phi i32 [%s1, %callheld], [%s2, %callfree]
  %hadwork = icmp ne ptr %raw, null
  br i1 %hadwork, label %giveback, label %back
giveback:
  %swap = cmpxchg ptr %workp, ptr null, ptr %raw acq_rel monotonic
  %gave = extractvalue {{ptr, i1}} %swap, 1
  br i1 %gave, label %back, label %drop
drop:
  call void @free(ptr %raw)
  br label %back
back:
  %good = icmp eq i32 %status, 0
  br i1 %good, label %watch, label %bad

; ---- does somebody look for what is not finite?
watch:
{load("watcher", "ptr", "t", w.WATCHED, "i64")}
  %nowatch = icmp eq ptr %watcher, null
  br i1 %nowatch, label %number0, label %seen
seen:
  %v = phi i64 [0, %watch], [%v1, %tame]
  %moreseen = icmp slt i64 %v, %nout
  br i1 %moreseen, label %seeone, label %number0
seeone:
  %vrowat = mul i64 %v, 7
  %vrow = getelementptr i64, ptr %results, i64 %vrowat
{load("vcount", "i64", "vrow", 5, "i64")}
{load("vbytes", "i64", "vrow", 6, "i64")}
{load("vdata", "ptr", "outs", "%v", "ptr")}
  switch i64 %vbytes, label %tame [
    i64 8, label %see64
    i64 4, label %see32
  ]
see64:
  %w64 = call i1 @wild64(ptr %vdata, i64 %vcount)
  br i1 %w64, label %undowild, label %tame
see32:
  %w32 = call i1 @wild32(ptr %vdata, i64 %vcount)
  br i1 %w32, label %undowild, label %tame
tame:
  %v1 = add i64 %v, 1
  br label %seen
bad:
  %already = call ptr @PyErr_Occurred()
  %isset = icmp ne ptr %already, null
  br i1 %isset, label %undoall, label %tell
tell:
{load("failed", "ptr", "t", w.FAILED, "i64")}
  %status64 = sext i32 %status to i64
  %statuso = call ptr @PyLong_FromLongLong(i64 %status64)
  %told = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %failed, ptr %statuso, ptr null)
  call void @Py_DecRef(ptr %statuso)
  br label %undoall

; ---- numbers become objects
number0:
  %q = phi i64 [0, %watch], [0, %seen], [%q1, %numberdone]
  %morenumbers = icmp slt i64 %q, %nout
  br i1 %morenumbers, label %numberone, label %deliver
numberone:
{load("qmade", "ptr", "made", "%q", "ptr")}
  %ismade = icmp ne ptr %qmade, null
  br i1 %ismade, label %numberdone, label %makeobject
makeobject:
  %qrowat = mul i64 %q, 7
  %qrow = getelementptr i64, ptr %results, i64 %qrowat
  %qkind = load i64, ptr %qrow
  %qplace = getelementptr [4 x i64], ptr %numbers, i64 %q
  %qfloat = icmp eq i64 %qkind, {Kind.FLOAT}
  br i1 %qfloat, label %objectfloat, label %objectscalar
objectfloat:
  %qd = load double, ptr %qplace
  %of = call ptr @PyFloat_FromDouble(double %qd)
  br label %object
objectscalar:
{load("qdtype", "ptr", "qrow", 4, "i64")}
  %os = call ptr @wg_new_scalar(ptr %qplace, ptr %qdtype, ptr null)
  br label %object
object:
  %obj = phi ptr [%of, %objectfloat], [%os, %objectscalar]
  store ptr %obj, ptr %qmade.at
  %noobj = icmp eq ptr %obj, null
  br i1 %noobj, label %undoall, label %numberdone
numberdone:
  %q1 = add i64 %q, 1
  br label %number0

deliver:
{load("single", "i64", "t", w.SINGLE, "i64")}
  %one = icmp ne i64 %single, 0
  br i1 %one, label %deliverone, label %delivermany
deliverone:
  %only = load ptr, ptr %made
  ret ptr %only
delivermany:
  %tuple = call ptr @PyTuple_New(i64 %nout)
  %notuple = icmp eq ptr %tuple, null
  br i1 %notuple, label %undoall, label %fill
fill:
  %f = phi i64 [0, %delivermany], [%f1, %fillone]
  %morefill = icmp slt i64 %f, %nout
  br i1 %morefill, label %fillone, label %filled
fillone:
{load("fo", "ptr", "made", "%f", "ptr")}
  %ignored = call i32 @PyTuple_SetItem(ptr %tuple, i64 %f, ptr %fo)
  %f1 = add i64 %f, 1
  br label %fill
filled:
  ret ptr %tuple

; ---- nothing is returned: what was made goes
outofwork:
  br label %undoall
undoall:
  br label %undofrom
undo:
  br label %undofrom
undootherwise:
  br label %undofrom
undowild:
  br label %undofrom
undofrom:
  %last = phi i64 [%nout, %undoall], [%r, %undo], [%r, %undootherwise], [%nout, %undowild]
  %elsewhere = phi i1 [false, %undoall], [false, %undo], [true, %undootherwise], [true, %undowild]
  %elseword = phi i64 [0, %undoall], [0, %undo], [{w.OTHERWISE}, %undootherwise], [{w.WATCHED}, %undowild]
  br label %undoloop
undoloop:
  %u = phi i64 [0, %undofrom], [%u1, %undonext]
  %moreundo = icmp slt i64 %u, %last
  br i1 %moreundo, label %undoone, label %undone
undoone:
  %up0 = getelementptr ptr, ptr %made, i64 %u
  %uo = load ptr, ptr %up0
  %isnull = icmp eq ptr %uo, null
  br i1 %isnull, label %undonext, label %undodrop
undodrop:
  call void @Py_DecRef(ptr %uo)
  br label %undonext
undonext:
  %u1 = add i64 %u, 1
  br label %undoloop
undone:
  br i1 %elsewhere, label %goelsewhere, label %leave
goelsewhere:
{load("there", "ptr", "t", "%elseword", "i64")}
  %reply = call ptr @PyObject_Vectorcall(ptr %there, ptr %args, i64 %nargs, ptr null)
  ret ptr %reply
leave:
  %err = call ptr @PyErr_Occurred()
  %silent = icmp eq ptr %err, null
  br i1 %silent, label %nomem, label %returnnull
nomem:
  %nomemo = call ptr @PyErr_NoMemory()
  br label %returnnull
returnnull:
  ret ptr null

otherwise:
{load("other", "ptr", "t", w.OTHERWISE, "i64")}
  %answer = call ptr @PyObject_Vectorcall(ptr %other, ptr %args, i64 %nargs, ptr null)
  ret ptr %answer
}}
declare ptr @PyErr_NoMemory()
"""
