"""A small thread run-time in LLVM text: chunks of a loop, handed out to threads that wait for them.

`i32 wg_parallel(ptr body, ptr context, i64 chunks)` calls `i32 body(ptr context, i64 chunk)` for every
chunk, on all threads and on its caller's; it returns when all are done. A result that is not 0 stops the
handing out, and is returned; so does Ctrl-C, which is -2. Chunks are of the caller's making, so no bit
depends on who takes which.

Threads wait on a semaphore, and know no Python. Who has been called enters the loop that is open then; when its caller finds
no chunk left it closes the loop and waits for those inside, but not for threads that are still on their way: on a busy
machine these may come much later. One loop at a time has them: a loop inside of a loop,
or of another Python thread meanwhile, runs on its own thread alone. The state is a block of memory that
`threads` owns, and empties after a fork: there, no thread is left.
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Offsets in the block of memory, in bytes; a semaphore takes up to 64."""

    BUSY = 0  # is a loop running?
    THREADS = 8  # how many there are, besides the callers'
    WANTED = 16  # how many a loop may have
    BODY = 24
    CONTEXT = 32
    CHUNKS = 40
    NEXT = 64  # the next chunk, on a cache line of its own
    INSIDE = 128  # threads that have entered; and `CLOSED`, if no more may
    STATUS = 192
    WORK = 256  # semaphore: there is work
    DONE = 320  # semaphore: the last thread inside has left a closed loop
    SIZE = 384


CLOSED = 1 << 32
PARALLEL, WORKER, INTERRUPTED = "wg_parallel", "wg_worker", "wg_interrupted"


def text(triple: str) -> str:
    """The module."""
    s = State
    return f"""target triple = "{triple}"
@wg_state = external global i8
declare i32 @sem_post(ptr)
declare i32 @sem_wait(ptr)
declare i32 @sem_getvalue(ptr, ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(i64)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare i32 @PyErr_CheckSignals()
declare i64 @time(ptr)

; take chunks until there are none, or one has failed, or (if this thread asks) the user has pressed Ctrl-C
define internal void @take(i1 %asks) {{
entry:
  %bodyp = getelementptr i8, ptr @wg_state, i64 {s.BODY}
  %body = load ptr, ptr %bodyp
  %contextp = getelementptr i8, ptr @wg_state, i64 {s.CONTEXT}
  %context = load ptr, ptr %contextp
  %chunksp = getelementptr i8, ptr @wg_state, i64 {s.CHUNKS}
  %chunks = load i64, ptr %chunksp
  %nextp = getelementptr i8, ptr @wg_state, i64 {s.NEXT}
  %statusp = getelementptr i8, ptr @wg_state, i64 {s.STATUS}
  br label %loop
loop:
  %was = load atomic i32, ptr %statusp monotonic, align 4
  %fine = icmp eq i32 %was, 0
  br i1 %fine, label %one, label %done
one:
  %n = atomicrmw add ptr %nextp, i64 1 acq_rel
  %more = icmp slt i64 %n, %chunks
  br i1 %more, label %run, label %done
run:
  %r = call i32 %body(ptr %context, i64 %n)
  %good = icmp eq i32 %r, 0
  br i1 %good, label %next, label %bad
next:
  br i1 %asks, label %ask, label %loop
ask:
  %pressed = call i32 @{INTERRUPTED}()
  %no = icmp eq i32 %pressed, 0
  br i1 %no, label %loop, label %bad
bad:
  %why = phi i32 [%r, %run], [-2, %ask]
  %ignored = cmpxchg ptr %statusp, i32 0, i32 %why acq_rel monotonic
  br label %loop
done:
  ret void
}}

; what each thread does all its life
define ptr @{WORKER}(ptr %unused) {{
entry:
  %set = alloca [32 x i64]
  %f = call i32 @sigfillset(ptr %set)
  %m = call i32 @pthread_sigmask(i32 0, ptr %set, ptr null) ; SIG_BLOCK: signals are the main thread's
  %workp = getelementptr i8, ptr @wg_state, i64 {s.WORK}
  %insidep = getelementptr i8, ptr @wg_state, i64 {s.INSIDE}
  %donep = getelementptr i8, ptr @wg_state, i64 {s.DONE}
  br label %wait
wait:
  %w = call i32 @sem_wait(ptr %workp)
  %awake = icmp eq i32 %w, 0
  br i1 %awake, label %look, label %wait
look:
  %n = load atomic i64, ptr %insidep acquire, align 8
  %late = icmp sge i64 %n, {CLOSED}
  br i1 %late, label %wait, label %enter
enter:
  %n1 = add i64 %n, 1
  %try = cmpxchg ptr %insidep, i64 %n, i64 %n1 acq_rel acquire
  %entered = extractvalue {{i64, i1}} %try, 1
  br i1 %entered, label %work, label %look
work:
  call void @take(i1 false)
  %left = atomicrmw sub ptr %insidep, i64 1 acq_rel
  %last = icmp eq i64 %left, {CLOSED + 1}
  br i1 %last, label %tell, label %wait
tell:
  %p = call i32 @sem_post(ptr %donep)
  br label %wait
}}

; start the threads that are missing
define internal void @start() {{
entry:
  %thread = alloca i64
  %threadsp = getelementptr i8, ptr @wg_state, i64 {s.THREADS}
  %wantedp = getelementptr i8, ptr @wg_state, i64 {s.WANTED}
  %wanted = load i64, ptr %wantedp
  br label %loop
loop:
  %have = load i64, ptr %threadsp
  %more = icmp slt i64 %have, %wanted
  br i1 %more, label %make, label %done
make:
  %failed = call i32 @pthread_create(ptr %thread, ptr null, ptr @{WORKER}, ptr null)
  %made = icmp eq i32 %failed, 0
  br i1 %made, label %count, label %done
count:
  %id = load i64, ptr %thread
  %d = call i32 @pthread_detach(i64 %id)
  %now = add i64 %have, 1
  store i64 %now, ptr %threadsp
  br label %loop
done:
  ret void
}}

define i32 @{PARALLEL}(ptr %body, ptr %context, i64 %chunks) {{
entry:
  %calls = alloca i32
  %few = icmp slt i64 %chunks, 2
  br i1 %few, label %alone, label %try
try:
  %busyp = getelementptr i8, ptr @wg_state, i64 {s.BUSY}
  %busy = atomicrmw xchg ptr %busyp, i64 1 acq_rel
  %free = icmp eq i64 %busy, 0
  br i1 %free, label %together, label %alone

together:
  call void @start()
  %threadsp = getelementptr i8, ptr @wg_state, i64 {s.THREADS}
  %running = load i64, ptr %threadsp
  %wantedp = getelementptr i8, ptr @wg_state, i64 {s.WANTED}
  %wanted = load i64, ptr %wantedp
  %toomany = icmp slt i64 %wanted, %running
  %threads = select i1 %toomany, i64 %wanted, i64 %running
  %others = sub i64 %chunks, 1
  %fewer = icmp slt i64 %others, %threads
  %helpers = select i1 %fewer, i64 %others, i64 %threads
  %bodyp = getelementptr i8, ptr @wg_state, i64 {s.BODY}
  store ptr %body, ptr %bodyp
  %contextp = getelementptr i8, ptr @wg_state, i64 {s.CONTEXT}
  store ptr %context, ptr %contextp
  %chunksp = getelementptr i8, ptr @wg_state, i64 {s.CHUNKS}
  store i64 %chunks, ptr %chunksp
  %statusp = getelementptr i8, ptr @wg_state, i64 {s.STATUS}
  store atomic i32 0, ptr %statusp release, align 4
  %nextp = getelementptr i8, ptr @wg_state, i64 {s.NEXT}
  store atomic i64 0, ptr %nextp release, align 8
  %insidep = getelementptr i8, ptr @wg_state, i64 {s.INSIDE}
  store atomic i64 0, ptr %insidep release, align 8
  %workp = getelementptr i8, ptr @wg_state, i64 {s.WORK}
  store i32 0, ptr %calls
  %told = call i32 @sem_getvalue(ptr %workp, ptr %calls) ; called before, and still on their way
  %called = load i32, ptr %calls
  %coming = sext i32 %called to i64
  br label %wake
wake:
  %h = phi i64 [%coming, %together], [%h1, %wakeone]
  %morewake = icmp slt i64 %h, %helpers
  br i1 %morewake, label %wakeone, label %mine
wakeone:
  %p = call i32 @sem_post(ptr %workp)
  %h1 = add i64 %h, 1
  br label %wake
mine:
  call void @take(i1 true)
  %before = atomicrmw or ptr %insidep, i64 {CLOSED} acq_rel
  %none = icmp eq i64 %before, 0
  br i1 %none, label %end, label %spin
spin: ; the others are about to finish as well: look some times before sleeping
  %k = phi i64 [0, %mine], [%k1, %spinmore]
  %left = load atomic i64, ptr %insidep acquire, align 8
  %over = icmp eq i64 %left, {CLOSED}
  %k1 = add i64 %k, 1
  %long = icmp sgt i64 %k, 2000
  %stop = or i1 %over, %long
  br i1 %stop, label %sleep, label %spinmore
spinmore:
  br label %spin
sleep:
  %donep = getelementptr i8, ptr @wg_state, i64 {s.DONE}
  %w = call i32 @sem_wait(ptr %donep)
  %awake = icmp eq i32 %w, 0
  br i1 %awake, label %end, label %sleep
end:
  %status = load atomic i32, ptr %statusp acquire, align 4
  store atomic i64 0, ptr %busyp release, align 8
  ret i32 %status

alone:
  %a = phi i64 [0, %entry], [0, %try], [%a1, %alonenext]
  %morealone = icmp slt i64 %a, %chunks
  br i1 %morealone, label %aloneone, label %alonedone
aloneone:
  %r = call i32 %body(ptr %context, i64 %a)
  %a1 = add i64 %a, 1
  %good = icmp eq i32 %r, 0
  br i1 %good, label %alonenext, label %alonefailed
alonenext:
  %pressed = call i32 @{INTERRUPTED}()
  %no = icmp eq i32 %pressed, 0
  br i1 %no, label %alone, label %aloneleft
alonefailed:
  ret i32 %r
aloneleft:
  ret i32 -2
alonedone:
  ret i32 0
}}

; has the user pressed Ctrl-C? Not 0 means that Python has an exception to raise. Asked often, it looks once a second
@wg_looked = internal global i64 0
define i32 @{INTERRUPTED}() {{
entry:
  %now = call i64 @time(ptr null)
  %last = atomicrmw xchg ptr @wg_looked, i64 %now monotonic
  %soon = icmp eq i64 %now, %last
  br i1 %soon, label %no, label %look
no:
  ret i32 0
look:
  %state = call i32 @PyGILState_Ensure()
  %signal = call i32 @PyErr_CheckSignals()
  call void @PyGILState_Release(i32 %state)
  ret i32 %signal
}}
"""
