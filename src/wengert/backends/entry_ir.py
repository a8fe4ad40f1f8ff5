"""The quick call in LLVM text: from Python's arguments to a kernel and back, without Python code.

One function serves every kernel: what it expects stands in a table of 64-bit words (`Words`), which a
capsule carries, so nothing is compiled per signature. It is a METH_FASTCALL builtin: it compares type,
dtype, shape, contiguity and alignment of each argument with the table, takes the data pointers, makes
the results by NumPy's C API, and calls the kernel. Whatever it does not expect goes to a callable.
"""

from __future__ import annotations

from enum import IntEnum


class Words(IntEnum):
    """Positions in the table of a call."""

    KERNEL = 0
    INPUTS = 1
    OUTPUTS = 2
    ARGUMENTS = 3  # pointer to 4 words per argument: kind, type number, ndim, pointer to extents
    RESULTS = 4  # pointer to 5 words per result: the same, and the dtype
    BOUND = 5  # pointer to the pointers that follow those of the arguments
    BOUNDS = 6
    EXTENTS = 7
    WORK_BYTES = 8
    WORK = 9  # a workspace that nobody uses now, or 0
    OTHERWISE = 10  # called with the arguments, where they are not as expected
    FAILED = 11  # called with the status, where that is not 0
    FREES = 12  # 1: other Python threads may run meanwhile
    SINGLE = 13  # 1: the result is no tuple
    GIVEN = 14  # 1: arrays for the results may follow the arguments
    COUNT = 15


class Kind(IntEnum):
    """What an argument or result is in Python."""

    ARRAY = 0
    FLOAT = 1  # Python's
    DOUBLE = 2  # numpy.float64
    SCALAR = 3  # another NumPy scalar (results only)
    INT = 4  # Python's


class Layout(IntEnum):
    """Where fields are, in bytes; `entry.probe` makes sure of it."""

    TYPE = 8
    NUMBER = 16  # of a float
    POINTER = 16  # of a capsule
    DATA = 16
    NDIM = 24
    EXTENTS = 32
    DTYPE = 56
    FLAGS = 64
    BYTEORDER = 26  # of a dtype
    TYPE_NUMBER = 28


NAME = "wg_entry"
SYMBOLS = (
    "wg_type_array", "wg_type_double", "PyFloat_Type", "PyLong_Type", "wg_new_array", "wg_new_scalar",
    "PyFloat_FromDouble", "PyLong_AsLongLong", "PyLong_FromLongLong", "PyErr_Occurred", "PyErr_Clear", "PyTuple_New", "PyTuple_SetItem",
    "PyObject_Vectorcall", "PyObject_CallFunctionObjArgs", "PyEval_SaveThread", "PyEval_RestoreThread",
    "Py_IncRef", "Py_DecRef", "malloc", "free",
)  # fmt: skip


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

; is this an array of that dtype and shape, in C order, aligned (and writeable, where asked)?
define internal i1 @fits(ptr %x, ptr %row, i32 %flags) alwaysinline {{
entry:
  %kindp = getelementptr i8, ptr %x, i64 {at.TYPE}
  %type = load ptr, ptr %kindp
  %isarray = icmp eq ptr %type, @wg_type_array
  br i1 %isarray, label %array, label %no
array:
  %flagp = getelementptr i8, ptr %x, i64 {at.FLAGS}
  %flag = load i32, ptr %flagp
  %have = and i32 %flag, %flags
  %laid = icmp eq i32 %have, %flags
  %descrp = getelementptr i8, ptr %x, i64 {at.DTYPE}
  %descr = load ptr, ptr %descrp
  %nump = getelementptr i8, ptr %descr, i64 {at.TYPE_NUMBER}
  %num = load i32, ptr %nump
  %num64 = sext i32 %num to i64
  %wantnump = getelementptr i64, ptr %row, i64 1
  %wantnum = load i64, ptr %wantnump
  %samenum = icmp eq i64 %num64, %wantnum
  %orderp = getelementptr i8, ptr %descr, i64 {at.BYTEORDER}
  %order = load i8, ptr %orderp
  %native = icmp eq i8 %order, {ord("=")}
  %none = icmp eq i8 %order, {ord("|")}
  %ordered = or i1 %native, %none
  %ndimp = getelementptr i8, ptr %x, i64 {at.NDIM}
  %ndim = load i32, ptr %ndimp
  %ndim64 = sext i32 %ndim to i64
  %wantndimp = getelementptr i64, ptr %row, i64 2
  %wantndim = load i64, ptr %wantndimp
  %samendim = icmp eq i64 %ndim64, %wantndim
  %c1 = and i1 %laid, %samenum
  %c2 = and i1 %ordered, %samendim
  %c3 = and i1 %c1, %c2
  br i1 %c3, label %shape, label %no
shape:
  %dimsp = getelementptr i8, ptr %x, i64 {at.EXTENTS}
  %dims = load ptr, ptr %dimsp
  %wantdimsp = getelementptr i64, ptr %row, i64 3
  %wantdims = load ptr, ptr %wantdimsp
  br label %axis
axis:
  %k = phi i64 [0, %shape], [%k1, %next]
  %more = icmp slt i64 %k, %ndim64
  br i1 %more, label %next, label %yes
next:
  %np = getelementptr i64, ptr %dims, i64 %k
  %n = load i64, ptr %np
  %mp = getelementptr i64, ptr %wantdims, i64 %k
  %m = load i64, ptr %mp
  %same = icmp eq i64 %n, %m
  %k1 = add i64 %k, 1
  br i1 %same, label %axis, label %no
yes:
  ret i1 true
no:
  ret i1 false
}}

define ptr @{NAME}(ptr %self, ptr %args, i64 %nargs) {{
entry:
  %tablep = getelementptr i8, ptr %self, i64 {at.POINTER}
  %t = load ptr, ptr %tablep
  %ninp = getelementptr i64, ptr %t, i64 {w.INPUTS}
  %nin = load i64, ptr %ninp
  %noutp = getelementptr i64, ptr %t, i64 {w.OUTPUTS}
  %nout = load i64, ptr %noutp
  %rowsp = getelementptr i64, ptr %t, i64 {w.ARGUMENTS}
  %rows = load ptr, ptr %rowsp
  %resultsp = getelementptr i64, ptr %t, i64 {w.RESULTS}
  %results = load ptr, ptr %resultsp
  %boundp = getelementptr i64, ptr %t, i64 {w.BOUND}
  %bound = load ptr, ptr %boundp
  %nboundp = getelementptr i64, ptr %t, i64 {w.BOUNDS}
  %nbound = load i64, ptr %nboundp
  %both = add i64 %nin, %nout
  %plain = icmp eq i64 %nargs, %nin
  %alsoouts = icmp eq i64 %nargs, %both
  %givenp = getelementptr i64, ptr %t, i64 {w.GIVEN}
  %givenw = load i64, ptr %givenp
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
  br label %arg

; ---- arguments
arg:
  %i = phi i64 [0, %begin], [%i1, %took]
  %moreargs = icmp slt i64 %i, %nin
  br i1 %moreargs, label %look, label %bind
look:
  %xp = getelementptr ptr, ptr %args, i64 %i
  %x = load ptr, ptr %xp
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
  %datap = getelementptr i8, ptr %x, i64 {at.DATA}
  %d = load ptr, ptr %datap
  br label %took
isfloat:
  %ftypep = getelementptr i8, ptr %x, i64 {at.TYPE}
  %ftype = load ptr, ptr %ftypep
  %fok = icmp eq ptr %ftype, @PyFloat_Type
  br i1 %fok, label %number, label %otherwise
isdouble:
  %dtypep = getelementptr i8, ptr %x, i64 {at.TYPE}
  %dtype = load ptr, ptr %dtypep
  %dok = icmp eq ptr %dtype, @wg_type_double
  br i1 %dok, label %number, label %otherwise
number:
  %np = getelementptr i8, ptr %x, i64 {at.NUMBER}
  br label %took
isint:
  %itypep = getelementptr i8, ptr %x, i64 {at.TYPE}
  %itype = load ptr, ptr %itypep
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
  %bp = getelementptr ptr, ptr %bound, i64 %j
  %b = load ptr, ptr %bp
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
  %rrowat = mul i64 %r, 5
  %rrow = getelementptr i64, ptr %results, i64 %rrowat
  %rkind = load i64, ptr %rrow
  %madep = getelementptr ptr, ptr %made, i64 %r
  %outp = getelementptr ptr, ptr %outs, i64 %r
  br i1 %given, label %takeout, label %make
takeout:
  %oi = add i64 %nin, %r
  %op = getelementptr ptr, ptr %args, i64 %oi
  %o = load ptr, ptr %op
  %ofits = call i1 @fits(ptr %o, ptr %rrow, i32 {0x501})
  br i1 %ofits, label %useout, label %undootherwise
useout:
  call void @Py_IncRef(ptr %o)
  store ptr %o, ptr %madep
  %odatap = getelementptr i8, ptr %o, i64 {at.DATA}
  %odata = load ptr, ptr %odatap
  store ptr %odata, ptr %outp
  br label %resultdone
make:
  %rarray = icmp eq i64 %rkind, {Kind.ARRAY}
  br i1 %rarray, label %makearray, label %makenumber
makearray:
  %rdtypep = getelementptr i64, ptr %rrow, i64 4
  %rdtype = load ptr, ptr %rdtypep
  %rndimp = getelementptr i64, ptr %rrow, i64 2
  %rndim = load i64, ptr %rndimp
  %rndim32 = trunc i64 %rndim to i32
  %rdimsp = getelementptr i64, ptr %rrow, i64 3
  %rdims = load ptr, ptr %rdimsp
  call void @Py_IncRef(ptr %rdtype)
  %new = call ptr @wg_new_array(ptr @wg_type_array, ptr %rdtype, i32 %rndim32, ptr %rdims, ptr null, ptr null, i32 0, ptr null)
  store ptr %new, ptr %madep
  %nomemory = icmp eq ptr %new, null
  br i1 %nomemory, label %undo, label %newdata
newdata:
  %newdatap = getelementptr i8, ptr %new, i64 {at.DATA}
  %newdatav = load ptr, ptr %newdatap
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
  %bytesp = getelementptr i64, ptr %t, i64 {w.WORK_BYTES}
  %bytes = load i64, ptr %bytesp
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
  %kernelp = getelementptr i64, ptr %t, i64 {w.KERNEL}
  %kernel = load ptr, ptr %kernelp
  %extentsp = getelementptr i64, ptr %t, i64 {w.EXTENTS}
  %extents = load ptr, ptr %extentsp
  %freesp = getelementptr i64, ptr %t, i64 {w.FREES}
  %frees = load i64, ptr %freesp
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
  br i1 %good, label %number0, label %bad
bad:
  %already = call ptr @PyErr_Occurred()
  %isset = icmp ne ptr %already, null
  br i1 %isset, label %undoall, label %tell
tell:
  %failedp = getelementptr i64, ptr %t, i64 {w.FAILED}
  %failed = load ptr, ptr %failedp
  %status64 = sext i32 %status to i64
  %statuso = call ptr @PyLong_FromLongLong(i64 %status64)
  %told = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %failed, ptr %statuso, ptr null)
  call void @Py_DecRef(ptr %statuso)
  br label %undoall

; ---- numbers become objects
number0:
  %q = phi i64 [0, %back], [%q1, %numberdone]
  %morenumbers = icmp slt i64 %q, %nout
  br i1 %morenumbers, label %numberone, label %deliver
numberone:
  %qmadep = getelementptr ptr, ptr %made, i64 %q
  %qmade = load ptr, ptr %qmadep
  %ismade = icmp ne ptr %qmade, null
  br i1 %ismade, label %numberdone, label %makeobject
makeobject:
  %qrowat = mul i64 %q, 5
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
  %qdtypep = getelementptr i64, ptr %qrow, i64 4
  %qdtype = load ptr, ptr %qdtypep
  %os = call ptr @wg_new_scalar(ptr %qplace, ptr %qdtype, ptr null)
  br label %object
object:
  %obj = phi ptr [%of, %objectfloat], [%os, %objectscalar]
  store ptr %obj, ptr %qmadep
  %noobj = icmp eq ptr %obj, null
  br i1 %noobj, label %undoall, label %numberdone
numberdone:
  %q1 = add i64 %q, 1
  br label %number0

deliver:
  %singlep = getelementptr i64, ptr %t, i64 {w.SINGLE}
  %single = load i64, ptr %singlep
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
  %fp = getelementptr ptr, ptr %made, i64 %f
  %fo = load ptr, ptr %fp
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
undofrom:
  %last = phi i64 [%nout, %undoall], [%r, %undo], [%r, %undootherwise]
  %elsewhere = phi i1 [false, %undoall], [false, %undo], [true, %undootherwise]
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
  br i1 %elsewhere, label %otherwise, label %leave
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
  %otherp = getelementptr i64, ptr %t, i64 {w.OTHERWISE}
  %other = load ptr, ptr %otherp
  %answer = call ptr @PyObject_Vectorcall(ptr %other, ptr %args, i64 %nargs, ptr null)
  ret ptr %answer
}}
declare ptr @PyErr_NoMemory()
"""
