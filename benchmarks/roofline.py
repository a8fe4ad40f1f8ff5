"""What the machine can do, measured in the same run: bytes to and from memory, and multiply-adds of BLAS."""

import numpy
import optree

import native


def best(call, clock, times=7):
    call()
    spent = []
    for _ in range(times):
        began = clock()
        call()
        spent.append(clock() - began)
    return min(spent)


def probe(clock):
    """Gigabytes per second of a = b + s c on all cores; gigaflops of a product in both precisions."""
    n = 4_000_000
    triad = native.triad(*(numpy.ones(n) for _ in range(3)))
    found = {"gigabytes": 3 * 8e-9 * n / best(triad, clock)}
    for dtype in (numpy.float64, numpy.float32):
        a = numpy.ones((1024, 1024), dtype)
        found[dtype.__name__] = 2e-9 * 1024**3 / best(lambda a=a: a @ a, clock)
    return found


def share(case, seconds, machine):
    """How much of what rules a workload is reached: 1 is the roof; None where neither is known."""
    single = any(a.dtype == numpy.float32 for a in optree.tree_leaves(case.args))
    flops = machine["float32" if single else "float64"]
    shares = []
    if case.flops:
        shares.append(1e-9 * case.flops / seconds / flops)
    if case.bytes:
        shares.append(1e-9 * case.bytes / seconds / machine["gigabytes"])
    return max(shares, default=None)


def memory(call):
    """Megabytes that a compiled call takes: its workspace, and its results."""
    import wengert as wg

    found = wg.explain_compile(call.func)(*call.args)
    return 1e-6 * (
        found.workspace + sum(numpy.asarray(y).nbytes for y in optree.tree_leaves(call()))
    )
